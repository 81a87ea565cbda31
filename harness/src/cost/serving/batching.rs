//! Continuous batching at its fixed point.
//!
//! Of `C` users in a closed loop, as many run as memory holds (`B`); of those, some wait for their first token and `nd`
//! decode. A request that ends is replaced, so a step takes in `λ = nd·(1 − 1/B)/O` prompts on average: with one user
//! alone, prompts and answers never meet. A step with a prompt is longer for all. The time per token sets how many
//! decode, which sets the steps, which set the time per token: a few rounds of averaging in logarithms settle it.

use super::kernel_time::KernelTime;
use super::load::{CHUNK, Load};
use super::replica::Replica;
use super::step::Breakdown;
use crate::cost::error::CostError;
use serde::{Deserialize, Serialize};

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
    /// How prompts and answers differ in length.
    pub spread: Spread,
}

/// How lengths differ from request to request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spread {
    /// Standard deviation of a prompt's length over its mean.
    pub input: f64,
    /// The same of an answer's.
    pub output: f64,
    /// Covariance of both over the product of their means.
    pub joint: f64,
}

/// Standard deviations above the mean for which a server is set up: our choice.
const DEVIATIONS: f64 = 2.0;
/// Far beyond any trace of requests.
const MOST_SPREAD: f64 = 100.0;

impl Spread {
    /// All alike.
    pub const NONE: Spread = Spread { input: 0.0, output: 0.0, joint: 0.0 };

    /// What no lengths have: a spread below 0, or lengths that go together more than their spreads allow.
    pub(in crate::cost) fn invalid(&self) -> Option<CostError> {
        let invalid = |field, value: f64, allowed| CostError::Invalid { field, value: value.to_string(), allowed };
        let ordinary = |v: f64| (0.0..=MOST_SPREAD).contains(&v);
        if !ordinary(self.input) {
            return Some(invalid("input spread", self.input, "a standard deviation over the mean, from 0 to 100"));
        }
        if !ordinary(self.output) {
            return Some(invalid("output spread", self.output, "a standard deviation over the mean, from 0 to 100"));
        }
        // Cauchy and Schwarz; the rest is for rounding.
        let most = self.input * self.output * (1.0 + 1e-9);
        let fits = self.joint.abs() <= most && self.joint > -1.0;
        (!fits).then(|| invalid("joint spread", self.joint, "at most the product of both spreads, and above -1"))
    }

    /// Positions that a token of an answer sees on average: long answers have more of the tokens, and so have those of
    /// long prompts where both go together.
    ///
    /// `E[I·O + O²/2] / E[O] = I·(1 + c) + O/2·(1 + v²)`
    pub fn context(&self, input: f64, output: f64) -> f64 {
        input * (1.0 + self.joint) + output / 2.0 * (1.0 + self.output * self.output)
    }

    /// Length of the prompt that a token of a prompt belongs to, on average: `E[I²] / E[I] = I·(1 + v²)`.
    pub fn prompt_of_token(&self, input: f64) -> f64 {
        input * (1.0 + self.input * self.input)
    }
}

impl Traffic {
    /// What is common to all steps.
    pub(super) fn load(&self) -> Load {
        let Traffic { input, output, spread, .. } = *self;
        let longest = input * (1.0 + DEVIATIONS * spread.input) + output * (1.0 + DEVIATIONS * spread.output);
        let (context, prompt) = (spread.context(input, output), spread.prompt_of_token(input));
        Load { context, longest, prompt, ..Load::NOTHING }
    }
}

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
    /// Share of its time that goes to prompts; of all chips' time where prompts have replicas of their own.
    pub prefill_share: f64,
    /// Replicas for prompts that stand beside it; none where it takes them in itself.
    pub prompt_replicas: Option<f64>,
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
    replica: &Replica,
    timing: &impl KernelTime,
    traffic: &Traffic,
    (before_first_token, prefill_wait): (f64, f64),
) -> Result<Steady, CostError> {
    let batch = traffic.concurrency.min(traffic.room).max(1.0);
    let prompt = (traffic.input * (1.0 - traffic.cached)).max(1.0);
    let load = traffic.load();
    let at = |sequences: f64, prefill: f64| replica.time(timing, Load { sequences, prefill, ..load });
    let each = replica.tokens_per_step();
    let mut tpot = at(batch, 0.0)?.total() / each;
    let mut first = at(batch, prompt)?.total();
    let mut state = (batch, 0.0, Breakdown::default(), Breakdown::default());
    for _ in 0..ROUNDS {
        let decoding = batch * traffic.output * tpot / (traffic.output * tpot + first);
        let admitted = decoding * (1.0 - 1.0 / batch) * each / traffic.output;
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
        tpot = (tpot * mean / each).sqrt();
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
    let step = Breakdown::default().and(plain, 1.0 - mixed).and(with_prompt, mixed);
    // A user alone spends its first-token time on the prompt; in a batch the share is that of steps.
    let alone = first / (first + traffic.output * tpot);
    let prefill_share = if mixed > 0.0 { 1.0 - plain.total() / step.total() } else { alone };
    let (ttft, requests_per_s) = (first + queue, batch / residence);
    Steady {
        batch,
        decoding,
        ttft,
        queue,
        tpot,
        requests_per_s,
        prefill_share,
        prompt_replicas: None,
        step,
        decode_step: plain,
    }
}
