//! How many chips hold a model, and how many sequences they run at once.

use super::architecture::kv_elements;
use super::error::CostError;
use super::request::Workload;
use super::serving::{Deployment, most_sequences, weight_bytes_of_rank};
use crate::catalogue::{Chip, Model, Profile};

/// How a replica is spread, and its running batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Ranks by what they split.
    pub deployment: Deployment,
    /// Sequences that run at once: the concurrency, or what the KV cache has room for.
    pub sequences: u32,
}

/// The deployment that was asked for; else the smallest power of two of tensor-parallel chips that holds the weights
/// and the KV cache of every request in flight; where none does, the count with most room, and the rest waits.
pub(super) fn place(
    model: &Model,
    chip: &Chip,
    profile: &Profile,
    workload: &Workload,
    asked: Option<Deployment>,
) -> Result<Placement, CostError> {
    let mut roomiest: Option<Placement> = None;
    let candidates = match asked {
        Some(deployment) => vec![checked(model, chip, deployment)?],
        None => deployments(model, chip).collect(),
    };
    for deployment in candidates {
        let room = room(model, chip, profile, workload, &deployment);
        let sequences = room.min(f64::from(workload.concurrency)) as u32;
        if sequences == workload.concurrency {
            return Ok(Placement { deployment, sequences });
        }
        if sequences > roomiest.map_or(0, |placement| placement.sequences) {
            roomiest = Some(Placement { deployment, sequences });
        }
    }
    roomiest.ok_or_else(|| does_not_fit(model, chip, profile, workload))
}

fn checked(model: &Model, chip: &Chip, deployment: Deployment) -> Result<Deployment, CostError> {
    deployment.check(model)?;
    if deployment.stage_ranks() > 1 && chip.link.is_none() {
        return Err(CostError::NoLink { chip: chip.id.clone(), chips: deployment.chips() });
    }
    if deployment.stage_ranks() > chip.domain {
        let (chip, domain) = (chip.id.clone(), chip.domain);
        return Err(CostError::BeyondDomain { chip, ranks: deployment.stage_ranks(), domain });
    }
    Ok(deployment)
}

/// Tensor parallelism over powers of two that divide the query heads, within the scale-up domain; without a link
/// figure the time of a collective is unknown, so one chip must do.
pub(super) fn deployments(model: &Model, chip: &Chip) -> impl Iterator<Item = Deployment> {
    let most = most_ranks(model, chip);
    let heads = model.query_heads();
    (0..)
        .map(|i| 1u32 << i)
        .take_while(move |&ranks| ranks <= most)
        .filter(move |ranks| heads.is_multiple_of(*ranks))
        .map(Deployment::tensor_parallel)
}

fn most_ranks(model: &Model, chip: &Chip) -> u32 {
    if chip.link.is_some() { chip.domain.min(model.query_heads()) } else { 1 }
}

/// Sequences that a deployment has room for.
pub(super) fn room(model: &Model, chip: &Chip, profile: &Profile, workload: &Workload, deployment: &Deployment) -> f64 {
    let usable = usable_bytes(chip, profile);
    most_sequences(model, deployment, &workload.precisions(model), usable, workload.mean_context())
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
pub(super) fn on_machine(model: &Model, workload: &Workload, memory_bytes: Option<f64>) -> Held {
    let asked = workload.concurrency;
    let deployment = Deployment::tensor_parallel(1);
    let all = Held { placement: Placement { deployment, sequences: asked }, fits: true, note: None };
    let Some(memory) = memory_bytes else { return all };
    let precisions = workload.precisions(model);
    let weights = weight_bytes_of_rank(model, &deployment, &precisions);
    let of_one = precisions.kv.bytes_of(kv_elements(model, workload.mean_context())).0;
    let room = most_sequences(model, &deployment, &precisions, memory, workload.mean_context());
    if room >= f64::from(asked) {
        return all;
    }
    if room >= 1.0 {
        let sequences = room as u32;
        let note = Some(format!("memory holds {sequences} sequences; the others wait"));
        return Held { placement: Placement { deployment, sequences }, fits: true, note };
    }
    let (need, memory) = ((weights + of_one * f64::from(asked)) / 1e9, memory / 1e9);
    let note =
        format!("needs {need:.0} GB and has {memory:.0} GB: the cost of a part of a larger machine of the same speed");
    Held { fits: false, note: Some(note), ..all }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;
    use crate::catalogue::Catalogue;

    fn placed(model: &str, chip: &str, concurrency: u32) -> Result<Placement, CostError> {
        let catalogue = Catalogue::embedded().expect("valid");
        let chip = catalogue.chips.iter().find(|known| known.id == chip).expect("known");
        let profile = catalogue.profiles.iter().find(|known| known.id == chip.profile).expect("known");
        let workload = Workload { concurrency, ..testing::workload() };
        place(&testing::model(model), chip, profile, &workload, None)
    }

    #[test]
    fn the_smallest_count_with_room_for_all_is_taken() {
        // H100: 0.9·80 - 3 = 69 GB usable. 70.55 B in bf16 = 141.1 GB: two chips (138) fall short, four hold 276 GB
        // with 134.9 GB for KV; 64 sequences of 1536 tokens at 327,680 B take 32.2 GB.
        assert_eq!(
            placed("llama-3.1-70b", "h100", 64),
            Ok(Placement { deployment: Deployment::tensor_parallel(4), sequences: 64 })
        );
        assert_eq!(
            placed("llama-3.1-8b", "h100", 64),
            Ok(Placement { deployment: Deployment::tensor_parallel(1), sequences: 64 })
        );
    }

    #[test]
    fn when_the_cache_is_full_fewer_sequences_run() {
        // Inferentia2, no link known: 0.9·34.36 - 3 - 16.06 = 11.86 GB for KV; a sequence takes 1536 · 131,072 B =
        // 0.2013 GB: 58 fit.
        assert_eq!(
            placed("llama-3.1-8b", "inferentia2", 64),
            Ok(Placement { deployment: Deployment::tensor_parallel(1), sequences: 58 })
        );
    }

    #[test]
    fn a_measured_machine_runs_what_its_memory_holds() {
        // 8.03 B in bf16 = 16.06 GB of 25; a sequence of 1536 tokens at 131,072 B takes 0.2013 GB: 44 fit the rest.
        let workload = testing::workload();
        let model = testing::model("llama-3.1-8b");
        let held = on_machine(&model, &workload, Some(25e9));
        assert_eq!((held.placement.sequences, held.fits), (44, true));
        let small = on_machine(&model, &workload, Some(16e9));
        assert_eq!((small.placement.sequences, small.fits), (64, false));
        assert_eq!(on_machine(&model, &workload, None).note, None);
    }

    #[test]
    fn a_model_too_large_says_by_how_much() {
        let error = placed("llama-3.1-70b", "inferentia2", 1).expect_err("141 GB on one chip").to_string();
        assert!(error.contains("weights of 141 GB against 28 GB usable") && error.contains("no link"), "{error}");
    }
}
