//! How many chips hold a model, and how many sequences they run at once.

use super::error::CostError;
use super::request::{CostRequest, Workload};
use super::serving::{Deployment, cache_bytes_of_rank, most_sequences, weight_bytes_of_rank};
use super::speculation::{Speculation, held, suits};
use crate::catalogue::{Chip, Model, Profile};

/// How a replica is spread, and its running batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Ranks by what they split.
    pub deployment: Deployment,
    /// The same of replicas that take in prompts, where they are others.
    pub prompts_on: Option<Deployment>,
    /// Sequences that run at once: the concurrency, or what the KV cache has room for.
    pub sequences: u32,
}

/// The deployment that was asked for; else the smallest power of two of tensor-parallel chips that holds the weights
/// and the KV cache of every request in flight; where none does, the count with most room, and the rest waits.
pub(super) fn place(
    model: &Model,
    chip: &Chip,
    profile: &Profile,
    request: &CostRequest,
) -> Result<Placement, CostError> {
    let (workload, speculation) = (&request.workload, request.speculation.as_ref());
    let mut roomiest: Option<Placement> = None;
    let candidates = match request.deployment {
        Some(asked) => {
            let deployment = asked.on_cores(chip.cores);
            checked(model, chip, deployment, deployment.chips())?;
            suits(speculation, &deployment)?;
            vec![deployment]
        }
        None => deployments(model, chip).filter(|deployment| suits(speculation, deployment).is_ok()).collect(),
    };
    let prompts_on = request.prompts_on.map(|asked| asked.on_cores(chip.cores));
    for deployment in candidates {
        if let Some(prompts) = prompts_on {
            checked(model, chip, prompts, deployment.chips().saturating_add(prompts.chips()))?;
        }
        let room = room(model, chip, profile, workload, &deployment, speculation);
        let sequences = room.min(f64::from(workload.concurrency)) as u32;
        if sequences == workload.concurrency {
            return holding(Placement { deployment, prompts_on, sequences }, model, chip, profile, workload);
        }
        if sequences > roomiest.map_or(0, |placement| placement.sequences) {
            roomiest = Some(Placement { deployment, prompts_on, sequences });
        }
    }
    let found = roomiest.ok_or_else(|| does_not_fit(model, chip, profile, workload))?;
    holding(found, model, chip, profile, workload)
}

/// The placement, if replicas for prompts hold the weights and a prompt.
fn holding(
    placement: Placement,
    model: &Model,
    chip: &Chip,
    profile: &Profile,
    workload: &Workload,
) -> Result<Placement, CostError> {
    let Some(prompts) = placement.prompts_on else { return Ok(placement) };
    let of_one = Workload { concurrency: 1, output_tokens: 1, ..*workload };
    let fits = room(model, chip, profile, &of_one, &prompts, None) >= f64::from(prompts.attention_data);
    if fits { Ok(placement) } else { Err(does_not_fit(model, chip, profile, workload)) }
}

/// Refuses degrees that divide nothing, and `chips` that nothing joins.
fn checked(model: &Model, chip: &Chip, deployment: Deployment, chips: u32) -> Result<(), CostError> {
    deployment.check(model)?;
    if chips > 1 && chip.link.is_none() {
        return Err(CostError::NoLink { chip: chip.id.clone(), chips });
    }
    if chips > chip.domain && chip.network.is_none() {
        return Err(CostError::BeyondDomain { chip: chip.id.clone(), chips, domain: chip.domain });
    }
    Ok(())
}

/// Tensor parallelism over powers of two that divide the query heads, within the scale-up domain; without a link
/// figure the time of a collective is unknown, so one chip must do.
pub(super) fn deployments(model: &Model, chip: &Chip) -> impl Iterator<Item = Deployment> {
    let most = most_ranks(model, chip);
    let heads = model.query_heads();
    (0..)
        .map(|i| 1u32 << i)
        .take_while(move |&ranks| ranks <= most)
        .map(|ranks| Deployment::tensor_parallel(ranks).on_cores(chip.cores))
        .filter(move |deployment| heads.is_multiple_of(deployment.tensor_devices()))
}

fn most_ranks(model: &Model, chip: &Chip) -> u32 {
    if chip.link.is_some() { chip.domain.min(model.query_heads() / chip.cores).max(1) } else { 1 }
}

/// Sequences that a deployment has room for.
pub(super) fn room(
    model: &Model,
    chip: &Chip,
    profile: &Profile,
    workload: &Workload,
    deployment: &Deployment,
    speculation: Option<&Speculation>,
) -> f64 {
    let (usable, context) = (usable_bytes(chip, profile), workload.mean_context());
    most_sequences(&held(model, deployment, speculation), &workload.precisions(model), usable, context)
}

/// Bytes of a chip that weights and KV cache may fill.
pub(crate) fn usable_bytes(chip: &Chip, profile: &Profile) -> f64 {
    chip.memory.value * profile.usable_memory.value - profile.workspace.value
}

pub(super) fn does_not_fit(model: &Model, chip: &Chip, profile: &Profile, workload: &Workload) -> CostError {
    let most = most_ranks(model, chip);
    let whole = Deployment::tensor_parallel(1);
    let weights = weight_bytes_of_rank(model, &whole, &workload.precisions(model)) / 1e9;
    let usable = usable_bytes(chip, profile) / 1e9;
    let why = if chip.link.is_some() { "" } else { ", and no link bandwidth is published to join several" };
    let detail = format!("weights of {weights:.0} GB against {usable:.0} GB usable on each of at most {most}{why}");
    CostError::DoesNotFit { model: model.id.clone(), precision: workload.weights, chip: chip.id.clone(), detail }
}

/// How a model lies on a machine that was measured.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Held {
    /// One rank, and the sequences that run at once.
    pub(super) placement: Placement,
    /// Whether the weights and a sequence fit its memory.
    pub(super) fits: bool,
    /// What a reader should know.
    pub(super) note: Option<String>,
}

/// As many of the sequences in flight as memory holds beside the weights, `⌊(memory − weights) / KV of a sequence⌋`.
/// Where the weights leave no room the machine stands for a part of a larger one of the same speed.
pub(super) fn on_machine(model: &Model, request: &CostRequest, memory_bytes: Option<f64>) -> Held {
    let workload = &request.workload;
    let asked = workload.concurrency;
    let deployment = Deployment::tensor_parallel(1);
    let prompts_on = request.prompts_on.map(|_| deployment);
    let placed = |sequences| Placement { deployment, prompts_on, sequences };
    let all = Held { placement: placed(asked), fits: true, note: None };
    let Some(memory) = memory_bytes else { return all };
    let (precisions, context) = (workload.precisions(model), workload.mean_context());
    let held = held(model, &deployment, request.speculation.as_ref());
    let room = most_sequences(&held, &precisions, memory, context);
    if room >= f64::from(asked) {
        return all;
    }
    if room >= 1.0 {
        let sequences = room as u32;
        let note = Some(format!("memory holds {sequences} sequences; the others wait"));
        return Held { placement: placed(sequences), fits: true, note };
    }
    let bytes_of = |(model, on): &(Model, Deployment)| {
        let of_one = cache_bytes_of_rank(model, on, &precisions, context);
        weight_bytes_of_rank(model, on, &precisions) + of_one * f64::from(asked)
    };
    let (need, memory) = (held.iter().map(bytes_of).sum::<f64>() / 1e9, memory / 1e9);
    let note =
        format!("needs {need:.0} GB and has {memory:.0} GB: the cost of a part of a larger machine of the same speed");
    Held { fits: false, note: Some(note), ..all }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;
    use crate::catalogue::Catalogue;

    fn asked(concurrency: u32) -> CostRequest {
        let workload = Workload { concurrency, ..testing::workload() };
        CostRequest { workload, ..super::super::tests::request() }
    }

    fn placed(model: &str, chip: &str, concurrency: u32) -> Result<Placement, CostError> {
        let catalogue = Catalogue::embedded().expect("valid");
        let chip = catalogue.chips.iter().find(|known| known.id == chip).expect("known");
        let profile = catalogue.profiles.iter().find(|known| known.id == chip.profile).expect("known");
        place(&testing::model(model), chip, profile, &asked(concurrency))
    }

    #[test]
    fn the_smallest_count_with_room_for_all_is_taken() {
        // H100: 0.9·80 - 3 = 69 GB usable. 70.55 B in bf16 = 141.1 GB: two chips (138) fall short, four hold 276 GB
        // with 134.9 GB for KV; 64 sequences of 1536 tokens at 327,680 B take 32.2 GB.
        assert_eq!(
            placed("llama-3.1-70b", "h100", 64),
            Ok(Placement { deployment: Deployment::tensor_parallel(4), prompts_on: None, sequences: 64 })
        );
        assert_eq!(
            placed("llama-3.1-8b", "h100", 64),
            Ok(Placement { deployment: Deployment::tensor_parallel(1), prompts_on: None, sequences: 64 })
        );
    }

    #[test]
    fn when_the_cache_is_full_fewer_sequences_run() {
        // Inferentia2, no link known: 0.9·34.36 - 3 - 16.06 = 11.86 GB for KV; a sequence takes 1536 · 131,072 B =
        // 0.2013 GB: 58 fit.
        assert_eq!(
            placed("llama-3.1-8b", "inferentia2", 64),
            Ok(Placement { deployment: Deployment::tensor_parallel(1).on_cores(2), prompts_on: None, sequences: 58 })
        );
    }

    #[test]
    fn a_measured_machine_runs_what_its_memory_holds() {
        // 8.03 B in bf16 = 16.06 GB of 25; a sequence of 1536 tokens at 131,072 B takes 0.2013 GB: 44 fit the rest.
        let request = asked(64);
        let model = testing::model("llama-3.1-8b");
        let held = on_machine(&model, &request, Some(25e9));
        assert_eq!((held.placement.sequences, held.fits), (44, true));
        let small = on_machine(&model, &request, Some(16e9));
        assert_eq!((small.placement.sequences, small.fits), (64, false));
        assert_eq!(on_machine(&model, &request, None).note, None);
    }

    #[test]
    fn a_model_too_large_says_by_how_much() {
        let error = placed("llama-3.1-70b", "inferentia2", 1).expect_err("141 GB on one chip").to_string();
        assert!(error.contains("weights of 141 GB against 28 GB usable") && error.contains("no link"), "{error}");
    }
}
