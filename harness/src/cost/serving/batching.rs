//! Continuous batching at its fixed point.
//!
//! Of `C` users in a closed loop, as many run as memory holds (`B`); of those, some wait for their first token and `nd`
//! decode. A request that ends is replaced, so a step takes in `λ = nd·(1 − 1/B)/O` prompts on average: with one user
//! alone, prompts and answers never meet. A step with a prompt is longer for all. The time per token sets how many
//! decode, which sets the steps, which set the time per token: a few rounds of averaging in logarithms settle it.

use super::kernel_time::KernelTime;
use super::step::{Breakdown, Load, StepModel};
use crate::cost::error::CostError;
use serde::Serialize;

/// What arrives at a replica.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traffic {
    /// Tokens of a prompt.
    pub input: f64,
    /// Share of the prompt that a prefix cache holds.
    pub cached: f64,
    /// Tokens of an answer.
    pub output: f64,
    /// Requests in flight.
    pub concurrency: f64,
    /// Requests that memory lets run at once.
    pub room: f64,
}

/// Tokens of prompts that a step takes in at most: the usual budget of chunked prefill.
const CHUNK: f64 = 8192.0;
/// Rounds after which answers stand still to four digits.
const ROUNDS: usize = 8;

/// A replica that runs without pause.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Steady {
    /// Sequences that run at once.
    pub batch: f64,
    /// Of those, sequences that decode.
    pub decoding: f64,
    /// Seconds to the first token, from arrival.
    pub ttft: f64,
    /// Of those, seconds in which no slot was free.
    pub queue: f64,
    /// Seconds per further token.
    pub tpot: f64,
    /// Requests that the replica completes in a second.
    pub requests_per_s: f64,
    /// Share of its time that goes to prompts.
    pub prefill_share: f64,
    /// An average step by cause.
    pub step: Breakdown,
    /// A step without prompts by cause.
    pub decode_step: Breakdown,
}

/// The state in which arrivals and completions balance.
///
/// `before_first_token` and `prefill_wait` are the engine's constants of those names.
///
/// # Errors
/// A gap of `timing`.
pub fn steady(
    step: &StepModel,
    timing: &impl KernelTime,
    traffic: &Traffic,
    (before_first_token, prefill_wait): (f64, f64),
) -> Result<Steady, CostError> {
    let batch = traffic.concurrency.min(traffic.room).max(1.0);
    let prompt = (traffic.input * (1.0 - traffic.cached)).max(1.0);
    let context = traffic.input + traffic.output / 2.0;
    let at =
        |sequences: f64, prefill: f64| step.time(timing, Load { sequences, context, prefill, prompt: traffic.input });
    let mut tpot = at(batch, 0.0)?.total();
    let mut first = at(batch, prompt)?.total();
    let mut state = (batch, 0.0, Breakdown::default(), Breakdown::default());
    for _ in 0..ROUNDS {
        let decoding = batch * traffic.output * tpot / (traffic.output * tpot + first);
        let admitted = decoding * (1.0 - 1.0 / batch) / traffic.output;
        let mixed = (admitted * (prompt / CHUNK).max(1.0)).min(1.0);
        let plain = at(decoding, 0.0)?;
        let whole_prompt = at(decoding, prompt)?;
        let with_prompt = if mixed == 0.0 {
            plain
        } else if mixed == admitted {
            whole_prompt
        } else {
            at(decoding, admitted * prompt / mixed)?
        };
        let own = whole_prompt.total() - plain.total();
        let mean = (1.0 - mixed) * plain.total() + mixed * with_prompt.total();
        let waits = prefill_wait * (batch - 1.0).sqrt() * own;
        let next = before_first_token + 0.5 * mean + plain.total() + own + waits;
        tpot = (tpot * mean).sqrt();
        first = (first * next).sqrt();
        state = (decoding, mixed, plain, with_prompt);
    }
    Ok(settled(traffic, batch, (tpot, first), state))
}

fn settled(
    traffic: &Traffic,
    batch: f64,
    (tpot, first): (f64, f64),
    (decoding, mixed, plain, with_prompt): (f64, f64, Breakdown, Breakdown),
) -> Steady {
    let residence = first + (traffic.output - 1.0).max(0.0) * tpot;
    // Little's law: those beyond the batch wait for a slot, and one frees every residence / batch seconds.
    let queue = (traffic.concurrency - batch) / batch * residence;
    let mean = |a: f64, b: f64| (1.0 - mixed) * a + mixed * b;
    let step = Breakdown {
        matmul: mean(plain.matmul, with_prompt.matmul),
        experts: mean(plain.experts, with_prompt.experts),
        decode_attention: mean(plain.decode_attention, with_prompt.decode_attention),
        prefill_attention: mean(plain.prefill_attention, with_prompt.prefill_attention),
        communication: mean(plain.communication, with_prompt.communication),
        overhead: mean(plain.overhead, with_prompt.overhead),
    };
    // A user alone spends its first-token time on the prompt; in a batch the share is that of steps.
    let alone = first / (first + traffic.output * tpot);
    let prefill_share = if mixed > 0.0 { 1.0 - plain.total() / step.total() } else { alone };
    let (ttft, requests_per_s) = (first + queue, batch / residence);
    Steady { batch, decoding, ttft, queue, tpot, requests_per_s, prefill_share, step, decode_step: plain }
}
