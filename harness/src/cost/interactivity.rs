//! What a chip gives when every user must be served at one speed: the only footing on which chips compare.

use super::error::CostError;
use super::placement::{self, Placement};
use super::published;
use super::request::Workload;
use super::serving::Deployment;
use crate::catalogue::{Catalogue, Chip, Model};
use crate::units::{Estimate, Seconds, TokensPerSecond};
use serde::Serialize;

/// Most sequences of one replica that are tried: far beyond what any published deployment runs.
const MOST_SEQUENCES: u32 = 4096;

/// How a chip serves a model at a speed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Served {
    /// Chips of a replica.
    pub ranks: u32,
    /// Sequences that a replica runs at once.
    pub sequences: u32,
    /// Output tokens a second and chip.
    pub output_tokens_per_s: Estimate<TokensPerSecond>,
    /// Time per output token.
    pub tpot_s: Estimate<Seconds>,
}

/// The placement with most output tokens a chip among those whose central time per output token is at most
/// `1 / tokens_per_s_per_user`; `workload.concurrency` is not read.
///
/// Time per token grows with the batch, so the largest batch that keeps the speed is found by bisection, once for each
/// count of chips.
///
/// # Errors
/// [`CostError::NoRate`], [`CostError::DoesNotFit`], or [`CostError::TooSlow`] when no placement reaches the speed.
pub fn at_interactivity(
    catalogue: &Catalogue,
    model: &Model,
    chip: &Chip,
    workload: &Workload,
    TokensPerSecond(speed): TokensPerSecond,
) -> Result<Served, CostError> {
    let profile = catalogue.profile_of(chip);
    let served = |deployment: Deployment, sequences: u32| {
        let workload = Workload { concurrency: sequences, ..*workload };
        let placement = Placement { deployment, prompts_on: None, sequences };
        let speed = published::latency(model, chip, profile, (&workload, None), &placement)?.speed(&workload);
        let ranks = deployment.chips();
        let per_chip = speed.output_tokens_per_s.rising(|rate| rate / f64::from(ranks));
        Ok::<Served, CostError>(Served { ranks, sequences, output_tokens_per_s: per_chip, tpot_s: speed.tpot_s })
    };
    let fast_enough = |served: &Served| served.tpot_s.mid.0 * speed <= 1.0;
    let mut best: Option<Served> = None;
    let mut fits = false;
    for deployment in placement::deployments(model, chip) {
        let room = placement::room(model, chip, profile, workload, &deployment, None);
        if room < 1.0 {
            continue;
        }
        fits = true;
        let mut widest = served(deployment, 1)?;
        if !fast_enough(&widest) {
            continue;
        }
        let mut too_many = room.min(f64::from(MOST_SEQUENCES)) as u32 + 1;
        while too_many - widest.sequences > 1 {
            let tried = served(deployment, widest.sequences.midpoint(too_many))?;
            if fast_enough(&tried) {
                widest = tried;
            } else {
                too_many = tried.sequences;
            }
        }
        let rate = |served: &Served| served.output_tokens_per_s.mid.0;
        if best.as_ref().is_none_or(|best| rate(&widest) > rate(best)) {
            best = Some(widest);
        }
    }
    best.ok_or_else(|| match fits {
        true => CostError::TooSlow { model: model.id.clone(), chip: chip.id.clone(), speed },
        false => placement::does_not_fit(model, chip, profile, workload),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    fn asked(chip: &str, speed: f64) -> Result<Served, CostError> {
        let catalogue = Catalogue::embedded().expect("valid");
        let chip = catalogue.chips.iter().find(|known| known.id == chip).expect("known");
        let workload = testing::workload();
        at_interactivity(&catalogue, &testing::model("llama-3.1-70b"), chip, &workload, TokensPerSecond(speed))
    }

    #[test]
    fn the_batch_is_the_largest_that_keeps_the_speed() {
        let served = asked("h200", 30.0).expect("fast enough");
        assert!(served.tpot_s.mid.0 <= 1.0 / 30.0);
        // Its memory would hold more sequences, and they would be slower: the next one breaks the speed.
        let slower = asked("h200", 1.0 / served.tpot_s.mid.0 * (1.0 - 1e-9)).expect("the same");
        assert_eq!((slower.ranks, slower.sequences), (served.ranks, served.sequences));
    }

    #[test]
    fn a_faster_user_costs_more() {
        let rates =
            [10.0, 30.0, 60.0].map(|speed| asked("h100", speed).expect("fast enough").output_tokens_per_s.mid.0);
        assert!(rates[0] > rates[1] && rates[1] > rates[2], "{rates:?}");
    }

    #[test]
    fn a_speed_out_of_reach_is_an_error_and_not_a_rate() {
        assert!(matches!(asked("h100", 1e6), Err(CostError::TooSlow { .. })));
    }
}
