//! What a user sees and what a replica yields, with low and high cases.

use super::PromptReplicas;
use super::placement::Placement;
use super::request::Workload;
use super::serving::{Breakdown, Steady};
use crate::units::{Estimate, Kinds, Seconds, Share, Tokens, TokensPerSecond};
use serde::Serialize;

/// Latency and throughput of a replica.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Speed {
    /// Time to the first token, in seconds.
    pub ttft_s: Estimate<Seconds>,
    /// Time per further token, in seconds.
    pub tpot_s: Estimate<Seconds>,
    /// Output tokens a second that one user sees once they flow.
    pub tokens_per_s_per_user: Estimate<TokensPerSecond>,
    /// Input tokens taken in a second, by the whole replica.
    pub input_tokens_per_s: Estimate<TokensPerSecond>,
    /// Output tokens given in a second, by the whole replica.
    pub output_tokens_per_s: Estimate<TokensPerSecond>,
    /// An average step by cause, in seconds, in the central case.
    pub step_s: Breakdown,
    /// A step without prompts by cause, likewise.
    pub decode_step_s: Breakdown,
    /// Share of the replica's time that goes to prompts, likewise.
    pub prefill_share: Share,
}

/// One request's times in a replica at work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Latency {
    /// Time to the first token from when a slot is free.
    pub(super) first: Estimate<Seconds>,
    /// Time per further token.
    pub(super) tpot: Estimate<Seconds>,
    /// The central case in full.
    pub(super) central: Steady,
}

impl Latency {
    /// From three cases of whatever timed the kernels.
    pub(super) fn of_cases([fast, central, slow]: [Steady; 3], kinds: Kinds) -> Self {
        let cases = |of: fn(&Steady) -> f64| {
            let mid = of(&central);
            Estimate { low: Seconds(of(&fast).min(mid)), mid: Seconds(mid), high: Seconds(of(&slow).max(mid)), kinds }
        };
        Latency { first: cases(|steady| steady.ttft - steady.queue), tpot: cases(|steady| steady.tpot), central }
    }

    /// From one case and the factors by which predictions were off on what had been held out.
    pub(super) fn with_factors(central: Steady, [tpot, ttft]: [f64; 2], kinds: Kinds) -> Self {
        let around = |time: f64, factor: f64| Estimate::point(Seconds(time), kinds).widened(factor);
        Latency { first: around(central.ttft - central.queue, ttft), tpot: around(central.tpot, tpot), central }
    }

    /// Time from a free slot to the last token; where prompts have replicas of their own, from the first token on.
    fn residence(&self, workload: &Workload) -> Estimate<Seconds> {
        let further = f64::from(workload.output_tokens) - 1.0;
        if self.central.prompt_replicas.is_some() {
            return self.tpot.rising(|t| t * further.max(1.0));
        }
        self.first + self.tpot.rising(|t| t * further.max(0.0))
    }

    /// The replicas for prompts that stand beside it, spread as they were placed.
    pub(super) fn prompts(&self, placement: &Placement) -> Option<PromptReplicas> {
        let replicas = self.central.prompt_replicas?;
        placement.prompts_on.map(|deployment| PromptReplicas { deployment, replicas })
    }

    /// Time of the whole replica that one request takes, with those for prompts where there are any, for its prompt and for
    /// its answer: by Little's law a request leaves every `residence / batch` seconds.
    pub(super) fn replica_time(&self, workload: &Workload) -> [Estimate<Seconds>; 2] {
        let each = self.residence(workload).rising(|t| t / self.central.batch);
        let share = self.central.prefill_share;
        [each.rising(|t| t * share), each.rising(|t| t * (1.0 - share))]
    }

    /// The same on a machine with more memory than the measured one, or whatever else makes the times an assumption.
    pub(super) fn resting_on(self, kinds: impl Into<Kinds> + Copy) -> Self {
        Latency { first: self.first.resting_on(kinds), tpot: self.tpot.resting_on(kinds), ..self }
    }

    /// What a user sees and the replica yields.
    pub(super) fn speed(&self, workload: &Workload) -> Speed {
        let residence = self.residence(workload);
        let batch = self.central.batch;
        let waiting = (f64::from(workload.concurrency) - batch) / batch;
        let rate = |tokens: u32| residence.falling(|t| Tokens(f64::from(tokens) * batch) / t);
        Speed {
            ttft_s: self.first + residence.rising(|t| t * waiting.max(0.0)),
            tpot_s: self.tpot,
            tokens_per_s_per_user: self.tpot.falling(|t| Tokens(1.0) / t),
            input_tokens_per_s: rate(workload.input_tokens),
            output_tokens_per_s: rate(workload.output_tokens),
            step_s: self.central.step,
            decode_step_s: self.central.decode_step,
            prefill_share: Share(self.central.prefill_share),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;
    use crate::units::Provenance::Estimated;

    fn latency() -> Latency {
        let central = Steady {
            batch: 4.0,
            decoding: 3.0,
            ttft: 2.5,
            queue: 0.0,
            tpot: 0.1,
            requests_per_s: 4.0 / 3.5,
            prefill_share: 0.25,
            prompt_replicas: None,
            step: Breakdown::default(),
            decode_step: Breakdown::default(),
        };
        Latency::with_factors(central, [1.25, 2.0], Estimated.into())
    }

    #[test]
    fn figures_match_a_hand_count() {
        let workload = Workload { output_tokens: 11, input_tokens: 100, concurrency: 6, ..testing::workload() };
        let speed = latency().speed(&workload);
        // 2.5 + 10·0.1 = 3.5 s; four at once give 44 / 3.5 tokens a second; two of six wait half of it.
        assert!((speed.output_tokens_per_s.mid.0 - 44.0 / 3.5).abs() < 1e-12);
        assert!((speed.ttft_s.mid.0 - (2.5 + 1.75)).abs() < 1e-12);
        assert!((speed.tokens_per_s_per_user.high.0 - 12.5).abs() < 1e-12);
        // The slow case: 5 + 10·0.125 = 6.25 s.
        assert!((speed.output_tokens_per_s.low.0 - 44.0 / 6.25).abs() < 1e-12);
    }

    #[test]
    fn prompt_and_answer_share_the_replica() {
        let workload = Workload { output_tokens: 11, input_tokens: 100, concurrency: 4, ..testing::workload() };
        let [prompt, answer] = latency().replica_time(&workload);
        assert!((prompt.mid.0 - 0.25 * 3.5 / 4.0).abs() < 1e-12);
        assert!((prompt.mid.0 + answer.mid.0 - 3.5 / 4.0).abs() < 1e-12);
    }
}
