//! Every deployment and batch worth a look: the trade of a user's speed against tokens a chip.

use super::error::CostError;
use super::placement::{self, Placement};
use super::request::{CostRequest, Slo, Workload};
use super::served::Serving;
use super::serving::{Accelerator, Deployment, Roofline, Steady};
use super::speculation::{Speculation, suits};
use crate::catalogue::{Case, Catalogue, Chip, FeedForward, Model, Profile};
use serde::Serialize;

/// Most sequences of one replica that are tried: far beyond what any published deployment runs.
const MOST_SEQUENCES: u32 = 4096;

/// One deployment at one batch, in its central case.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OperatingPoint {
    /// How the replica is spread.
    pub deployment: Deployment,
    /// Sequences that run at once, which is all that are in flight.
    pub sequences: u32,
    /// Seconds to the first token.
    pub ttft_s: f64,
    /// Seconds per further token.
    pub tpot_s: f64,
    /// Output tokens a second and chip.
    pub tokens_per_s_per_chip: f64,
}

/// All points: tensor parallelism over powers of two, experts split, spread over all ranks or spread beneath a copy of
/// attention on each, batches of powers of two as far as memory goes. `workload.concurrency` is not read.
///
/// # Errors
/// [`CostError::DoesNotFit`], or a chip without the peaks that it takes.
pub fn operating_points(
    model: &Model,
    chip: &Chip,
    profile: &Profile,
    (workload, speculation): (&Workload, Option<&Speculation>),
) -> Result<Vec<OperatingPoint>, CostError> {
    let mut points = Vec::new();
    let constants = profile.constants(Case::Central);
    let timing = Roofline { chip: Accelerator::of(chip), constants };
    let waits = (constants.before_first_token, constants.prefill_wait);
    let all = placement::deployments(model, chip).flat_map(|one| spread(model, one));
    for deployment in all.filter(|deployment| suits(speculation, deployment).is_ok()) {
        let room = placement::room(model, chip, profile, workload, &deployment, speculation);
        let most = room.min(f64::from(MOST_SEQUENCES)) as u32;
        for sequences in (0..).map(|i| 1u32 << i).take_while(|batch| *batch <= most) {
            let workload = Workload { concurrency: sequences, ..*workload };
            let placement = Placement { deployment, prompts_on: None, sequences };
            let steady = Serving::new(model, &workload, &placement, speculation).steady(&timing, waits)?;
            points.push(point(&workload, deployment, sequences, &steady));
        }
    }
    if points.is_empty() { Err(placement::does_not_fit(model, chip, profile, workload)) } else { Ok(points) }
}

/// A deployment with experts split, spread over all ranks, and spread beneath a copy of attention on each rank.
fn spread(model: &Model, deployment: Deployment) -> Vec<Deployment> {
    let ranks = deployment.stage_ranks();
    if ranks == 1 || !matches!(model.feed_forward, FeedForward::Experts { .. }) {
        return vec![deployment];
    }
    let over_all = Deployment { expert: ranks, ..deployment };
    let under_copies = Deployment { tensor: 1, attention_data: ranks, ..over_all };
    let others = [over_all, under_copies].into_iter().filter(|other| other.check(model).is_ok());
    [deployment].into_iter().chain(others).collect()
}

fn point(workload: &Workload, deployment: Deployment, sequences: u32, steady: &Steady) -> OperatingPoint {
    let rate = steady.requests_per_s * f64::from(workload.output_tokens);
    OperatingPoint {
        deployment,
        sequences,
        ttft_s: steady.ttft,
        tpot_s: steady.tpot,
        tokens_per_s_per_chip: rate / f64::from(deployment.chips()),
    }
}

/// The points that no other beats both in a user's speed and in tokens a chip, fastest for the user first.
pub fn frontier(mut points: Vec<OperatingPoint>) -> Vec<OperatingPoint> {
    points.sort_by(|a, b| {
        a.tpot_s.total_cmp(&b.tpot_s).then(b.tokens_per_s_per_chip.total_cmp(&a.tokens_per_s_per_chip))
    });
    let mut best = 0.0;
    points.retain(|point| {
        let better = point.tokens_per_s_per_chip > best;
        if better {
            best = point.tokens_per_s_per_chip;
        }
        better
    });
    points
}

/// The frontier of each model on each chip that was asked for, or why there is none.
///
/// # Errors
/// [`CostError`] for unknown names and inputs out of range.
#[expect(clippy::type_complexity, reason = "a list of lines, each a model, a chip and its points")]
pub fn frontiers<'a>(
    request: &'a CostRequest,
    catalogue: &'a Catalogue,
) -> Result<Vec<(&'a Model, &'a Chip, Result<Vec<OperatingPoint>, CostError>)>, CostError> {
    request.check()?;
    let chips = request.chips(catalogue, &[])?;
    let mut lines = Vec::new();
    for model in &request.models {
        for &chip in &chips {
            let profile = request.profile(catalogue, chip)?;
            let asked = (&request.workload, request.speculation.as_ref());
            let points = operating_points(model, chip, profile, asked).map(frontier);
            lines.push((model, chip, points));
        }
    }
    Ok(lines)
}

/// The placement with most tokens a chip among those that keep the latencies.
pub(super) fn cheapest_within(
    model: &Model,
    chip: &Chip,
    profile: &Profile,
    asked: (&Workload, Option<&Speculation>),
    slo: Slo,
) -> Result<Placement, CostError> {
    let within = |time: f64, most: Option<f64>| most.is_none_or(|most| time <= most);
    let kept = operating_points(model, chip, profile, asked)?
        .into_iter()
        .filter(|point| within(point.ttft_s, slo.ttft_s) && within(point.tpot_s, slo.tpot_s))
        .max_by(|a, b| a.tokens_per_s_per_chip.total_cmp(&b.tokens_per_s_per_chip));
    let limit = |name: &str, most: Option<f64>| most.map(|seconds| format!("{name} within {seconds} s"));
    let limits = || [limit("TTFT", slo.ttft_s), limit("TPOT", slo.tpot_s)].into_iter().flatten().collect::<Vec<_>>();
    kept.map(|point| Placement { deployment: point.deployment, prompts_on: None, sequences: point.sequences })
        .ok_or_else(|| CostError::TooSlowFor {
            model: model.id.clone(),
            chip: chip.id.clone(),
            limits: limits().join(" and "),
        })
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;
    use crate::catalogue::{Catalogue, Precision};

    fn points(model: &str, chip: &str, weights: Precision) -> Result<Vec<OperatingPoint>, CostError> {
        let catalogue = Catalogue::embedded().expect("valid");
        let chip = catalogue.chip(chip).expect("known");
        let workload = Workload { weights, ..testing::workload() };
        operating_points(&testing::model(model), chip, catalogue.profile_of(chip), (&workload, None))
    }

    #[test]
    fn a_frontier_trades_a_users_speed_for_tokens_a_chip() {
        let all = points("llama-3.1-70b", "h200", Precision::Fp8).expect("fits");
        let front = frontier(all.clone());
        assert!(front.len() > 3 && front.len() < all.len());
        for pair in front.windows(2) {
            assert!(pair[0].tpot_s < pair[1].tpot_s && pair[0].tokens_per_s_per_chip < pair[1].tokens_per_s_per_chip);
        }
        for point in all {
            let beaten = |front: &OperatingPoint| {
                front.tpot_s <= point.tpot_s && front.tokens_per_s_per_chip >= point.tokens_per_s_per_chip
            };
            assert!(front.iter().any(beaten), "{point:?}");
        }
    }

    #[test]
    fn experts_are_tried_whole_and_spread() {
        let all = points("deepseek-v3", "h200", Precision::Fp8).expect("eight hold it");
        assert!(all.iter().any(|point| point.deployment.expert == 1));
        assert!(all.iter().any(|point| point.deployment.expert == 8 && point.deployment.tensor == 8));
        assert!(all.iter().any(|point| point.deployment.expert == 8 && point.deployment.attention_data == 8));
    }

    #[test]
    fn what_fits_nowhere_is_refused() {
        assert!(matches!(points("deepseek-v3", "h100", Precision::Bf16), Err(CostError::DoesNotFit { .. })));
    }
}
