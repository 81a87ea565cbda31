//! From step times to what a user sees and what a replica yields.
//!
//! One replica runs B sequences at once and works on nothing else, so its time divides without rest: a request costs
//! its own prefill P and, for each of its O - 1 further tokens, a B-th of a decode step D. All else follows.

use super::placement::Placement;
use super::request::Workload;
use crate::units::{Estimate, Provenance, Seconds, Tokens, TokensPerSecond};
use serde::Serialize;

/// Step times of a replica at its running batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Phases {
    /// P: prefill of one prompt.
    pub(super) prefill: Estimate<Seconds>,
    /// D: one decode step of all running sequences.
    pub(super) decode: Estimate<Seconds>,
    /// Wait before the first token that no step accounts for; it delays a user and occupies no chip.
    pub(super) before_first_token: Estimate<Seconds>,
}

impl Phases {
    /// The same times on a machine with more memory than the measured one: an assumption.
    pub(super) fn on_more_memory(self) -> Self {
        let assumed = |time: Estimate<Seconds>| time.resting_on(Provenance::Assumed);
        Phases { prefill: assumed(self.prefill), decode: assumed(self.decode), ..self }
    }
}

/// Latency and throughput of a replica.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Speed {
    /// Time to the first token, in seconds.
    pub ttft_s: Estimate<Seconds>,
    /// Time per further token, in seconds.
    pub tpot_s: Estimate<Seconds>,
    /// Input tokens taken in a second, by the whole replica.
    pub input_tokens_per_s: Estimate<TokensPerSecond>,
    /// Output tokens given in a second, by the whole replica.
    pub output_tokens_per_s: Estimate<TokensPerSecond>,
}

/// Chip time of one request: its prefill, and its share of decode steps `(O - 1)·D / B`.
pub(super) fn time_of_request(phases: &Phases, workload: &Workload, batch: f64) -> [Estimate<Seconds>; 2] {
    let further = f64::from(workload.output_tokens) - 1.0;
    [phases.prefill, phases.decode.rising(|t| t * (further / batch))]
}

pub(super) fn speed(phases: &Phases, workload: &Workload, placement: Placement) -> Speed {
    let batch = f64::from(placement.sequences);
    let [prefill, decode] = time_of_request(phases, workload, batch);
    let request = prefill + decode;
    let rate = |tokens: u32| request.falling(|t| Tokens(f64::from(tokens)) / t);
    Speed {
        ttft_s: ttft(phases, workload, batch),
        tpot_s: tpot(phases, workload, batch),
        input_tokens_per_s: rate(workload.input_tokens),
        output_tokens_per_s: rate(workload.output_tokens),
    }
}

/// `D + (B - 1)·P / (O - 1)`: between two tokens of one sequence the others' prompts are taken in as well.
fn tpot(phases: &Phases, workload: &Workload, batch: f64) -> Estimate<Seconds> {
    let further = (f64::from(workload.output_tokens) - 1.0).max(1.0);
    phases.decode + phases.prefill.rising(|t| t * ((batch - 1.0) / further))
}

/// `P + D/2 + wait + (C - B)/B · residence`: a prompt meets a step half done on average (none, if it is alone), and
/// requests beyond the batch wait by Little's law, where residence is `P + (O - 1)·TPOT`.
fn ttft(phases: &Phases, workload: &Workload, batch: f64) -> Estimate<Seconds> {
    let running_step = if batch > 1.0 { 0.5 } else { 0.0 };
    let further = f64::from(workload.output_tokens) - 1.0;
    let residence = phases.prefill + tpot(phases, workload, batch).rising(|t| t * further);
    let waiting = (f64::from(workload.concurrency) - batch) / batch;
    let own = phases.prefill + phases.decode.rising(|t| t * running_step) + phases.before_first_token;
    own + residence.rising(|t| t * waiting)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Provenance::Measured;
    use farthing_kernels::DType;

    fn phases() -> Phases {
        let point = |t| Estimate::point(Seconds(t), Measured);
        Phases { prefill: point(2.0), decode: point(0.5), before_first_token: point(0.25) }
    }

    fn workload(concurrency: u32) -> Workload {
        Workload { input_tokens: 100, output_tokens: 11, concurrency, dtype: DType::F32 }
    }

    #[test]
    fn figures_match_a_hand_count() {
        let speed = speed(&phases(), &workload(4), Placement { ranks: 1, sequences: 4 });
        // A request takes 2 + 10·0.5/4 = 3.25 s of chip time: 11/3.25 tokens out and 100/3.25 in a second.
        assert_eq!(speed.output_tokens_per_s.mid, TokensPerSecond(11.0 / 3.25));
        assert_eq!(speed.input_tokens_per_s.mid, TokensPerSecond(100.0 / 3.25));
        // TPOT 0.5 + 3·2/10 = 1.1 s; TTFT 2 + 0.25 + 0.25 = 2.5 s without a queue.
        assert!((speed.tpot_s.mid.0 - 1.1).abs() < 1e-12);
        assert!((speed.ttft_s.mid.0 - 2.5).abs() < 1e-12);
    }

    #[test]
    fn latency_and_throughput_tell_the_same_story() {
        // B sequences each reside P + (O - 1)·TPOT and give O tokens: the same throughput, by Little's law.
        let speed = speed(&phases(), &workload(4), Placement { ranks: 1, sequences: 4 });
        let residence = 2.0 + 10.0 * speed.tpot_s.mid.0;
        assert!((4.0 * 11.0 / residence - speed.output_tokens_per_s.mid.0).abs() < 1e-12);
    }

    #[test]
    fn requests_beyond_the_batch_wait() {
        let speed = speed(&phases(), &workload(6), Placement { ranks: 1, sequences: 4 });
        // Residence 2 + 10·1.1 = 13 s; two wait behind four: 2/4 · 13 = 6.5 s on top of 2.5 s.
        assert!((speed.ttft_s.mid.0 - 9.0).abs() < 1e-12);
    }
}
