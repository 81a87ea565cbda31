//! What the money of a token goes to: time by cause, and the hours that are paid for and not used.

use super::CostLine;
use super::request::CostRequest;
use super::speed::Speed;
use super::spend::Spend;
use crate::units::{Estimate, Kinds, Provenance, Share, Tokens, UsdPerMillionTokens};
use serde::Serialize;
use std::fmt;

/// A cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// All that taking in prompts adds to steps.
    Prefill,
    /// Attention of running sequences.
    DecodeAttention,
    /// Matrix products, those of experts among them, of steps that give tokens.
    Matmul,
    /// Collectives.
    Communication,
    /// Launches, scheduling and sampling.
    Overhead,
    /// Hours without demand, or in which the replica does not work.
    Idle,
}

impl Part {
    /// In the order in which they are stacked.
    pub const ALL: [Part; 6] =
        [Part::Prefill, Part::DecodeAttention, Part::Matmul, Part::Communication, Part::Overhead, Part::Idle];
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Part::Prefill => "prefill",
            Part::DecodeAttention => "decode attention",
            Part::Matmul => "matmul",
            Part::Communication => "communication",
            Part::Overhead => "overhead",
            Part::Idle => "idle",
        })
    }
}

/// Dollars a million output tokens with their prompts, whole and by cause.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Split {
    /// The whole, with its low and high case.
    pub total: Estimate<UsdPerMillionTokens>,
    /// Parts of its central case in the order of [`Part::ALL`]; they add up to it.
    pub parts: [UsdPerMillionTokens; Part::ALL.len()],
    /// What the parts rest on but for idle hours, which are assumed as well.
    pub busy_kinds: Kinds,
}

impl Split {
    /// What a part rests on.
    pub fn kinds(&self, part: Part) -> Kinds {
        if part == Part::Idle { self.busy_kinds.union(Provenance::Assumed.into()) } else { self.busy_kinds }
    }
}

/// Splits what a request costs, over its output tokens.
///
/// Of each paid hour the share `useful` is worked: `idle = (1 − useful)·total`. What is worked goes to prompts in their
/// share of the time, and the rest to the causes of a step without prompts, in their shares of it.
pub fn split(spend: &Spend, speed: &Speed, (useful, busy_kinds): (Share, Kinds), output: Tokens) -> Split {
    let total = spend.usd_per_request.rising(|usd| usd / output);
    let worked = total.mid * useful.0;
    let decode = worked * (1.0 - speed.prefill_share.0);
    let step = &speed.decode_step_s;
    let whole = step.total();
    let of_step = |seconds: f64| if whole > 0.0 { decode * (seconds / whole) } else { UsdPerMillionTokens(0.0) };
    let parts = [
        worked * speed.prefill_share.0,
        of_step(step.decode_attention),
        of_step(step.matmul + step.experts),
        of_step(step.communication),
        of_step(step.overhead),
        total.mid * (1.0 - useful.0),
    ];
    Split { total, parts, busy_kinds }
}

impl CostLine {
    /// The line's dollars by cause; none where it has no price.
    pub fn split(&self, request: &CostRequest) -> Option<Split> {
        let (spend, speed, price) = (self.spend.as_ref()?, self.speed.as_ref()?, self.price.as_ref()?);
        let useful = Share(request.utilisation.0 * request.availability.0);
        let kinds = speed.tpot_s.kinds.union(price.usd_per_hour.kinds);
        Some(split(spend, speed, (useful, kinds), Tokens(f64::from(request.workload.output_tokens))))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::request;
    use super::*;
    use crate::catalogue::Catalogue;
    use crate::cost;
    use crate::cost::serving::Breakdown;
    use crate::cost::testing::{limits, suite, workload};

    fn sum(split: &Split) -> f64 {
        split.parts.iter().map(|part| part.0).sum()
    }

    #[test]
    fn parts_add_up_to_the_whole_on_every_chip_and_machine() {
        let catalogue = Catalogue::embedded().expect("valid");
        // Chips have peaks in bf16; the machine was measured in f32.
        let requests = [cost::CostRequest { workload: workload(), ..request() }, request()];
        let mut splits = Vec::new();
        for request in &requests {
            let lines = cost::price(request, &catalogue, &suite("cpu"), &limits("cpu")).expect("legal");
            splits.extend(lines.iter().filter_map(|line| line.split(request)));
        }
        assert!(splits.len() > 10, "{} lines have a price", splits.len());
        assert!(splits.iter().any(|split| split.busy_kinds.contains(Provenance::Measured)));
        for split in splits {
            assert!((sum(&split) / split.total.mid.0 - 1.0).abs() < 1e-12, "{split:?}");
            assert!(split.parts.iter().all(|part| part.0 >= 0.0));
            assert!((split.parts[5].0 / split.total.mid.0 - 0.5).abs() < 1e-12, "half of the hours are used");
        }
    }

    #[test]
    fn a_hand_count() {
        let catalogue = Catalogue::embedded().expect("valid");
        let lines = cost::price(&request(), &catalogue, &[], &[]).expect("legal");
        let line = lines.iter().find(|line| line.spend.is_some()).expect("priced");
        let mut speed = line.speed.clone().expect("placed");
        // A quarter of the time for prompts; a step of 1 + 2 + 3 + 2 + 2 = 10 ms.
        speed.prefill_share = Share(0.25);
        speed.decode_step_s = Breakdown {
            decode_attention: 1e-3,
            matmul: 2e-3,
            experts: 3e-3,
            prefill_attention: 0.0,
            communication: 2e-3,
            overhead: 2e-3,
        };
        let usd = |usd| Estimate::point(crate::units::Usd(usd), Provenance::Published);
        let million = |x| Estimate::point(UsdPerMillionTokens(x), Provenance::Published);
        let spend = Spend {
            usd_per_request: usd(0.01),
            usd_per_m_input: million(1.0),
            usd_per_m_output: million(1.0),
            usd_per_m_total: million(1.0),
        };
        // A cent a request of 1000 tokens: 10 $ a million. Half is worked: 5; of that 1.25 for prompts, 3.75 for steps.
        let split = split(&spend, &speed, (Share(0.5), Provenance::Published.into()), Tokens(1000.0));
        let parts = split.parts.map(|part| (part.0 * 1e6).round() / 1e6);
        assert_eq!(parts, [1.25, 0.375, 1.875, 0.75, 0.75, 5.0]);
        assert_eq!(split.kinds(Part::Matmul).weakest(), Some(Provenance::Published));
        assert_eq!(split.kinds(Part::Idle).weakest(), Some(Provenance::Assumed));
    }
}
