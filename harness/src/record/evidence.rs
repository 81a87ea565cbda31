//! What a row brings beside its samples, so that nobody has to take them on trust.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a case was found right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// Seeds of the operands that were compared with the oracle before timing.
    pub seeds: Vec<u64>,
    /// Seed of those compared after timing, on inputs that the device had not seen.
    pub fresh_seed: u64,
    /// Operand sets that launches rotated through.
    pub sets: usize,
    /// Share of an output's rows that were compared; all elements are looked at for NaN.
    pub checked_share: f64,
    /// Rule of the bound that errors are divided by.
    pub bound: String,
    /// Worst error over its bound before timing.
    pub ratio_before: f64,
    /// The same after timing.
    pub ratio_after: f64,
    /// Σ(error)² / Σ(value)² after timing.
    pub nmse: f64,
    /// Whether the same operands gave the same bits before and after timing.
    pub repeatable: bool,
}

/// Samples outside Tukey's fences: 1.5 interquartile ranges beyond the quartiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outliers {
    /// Faster than the lower fence.
    pub low: usize,
    /// Slower than the upper fence.
    pub high: usize,
}

/// What else happened on the machine while samples were taken, from before the first to behind the last. Backends that
/// took turns share it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Surroundings {
    /// Seconds of its visits, each from before the first sample to behind the last.
    pub window_s: f64,
    /// Seconds of the visits in which backends launched, by the host's clock: what is left is our own overhead. Null where
    /// Criterion drives.
    #[serde(default)]
    pub launching_s: Option<f64>,
    /// CPUs that other processes kept busy on average; null where it cannot be read, the span is too short for the
    /// kernel's ticks, or the backend works in a process of its own.
    pub others_cpus: Option<f64>,
    /// CPUs that the hypervisor gave to other machines while they were wanted; null as above.
    pub stolen_cpus: Option<f64>,
    /// Steps a second of a chain of dependent integer operations on one CPU before the samples: it goes as the clock goes.
    pub pace_before: f64,
    /// The same after them.
    pub pace_after: f64,
    /// One-minute load average after them; null where it cannot be read.
    pub load_after: Option<f64>,
    /// How much of a core the thread had; null before 2026-11-26.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breadth: Option<Breadth>,
}

/// Steps a second of independent operations on one CPU, each with a store: it falls where something else runs on the
/// core's other thread, which a clock does not show.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Breadth {
    /// Median of what was read before and after each visit.
    pub usual: f64,
    /// The most of it.
    pub best: f64,
}

/// Weights in a backend's own form.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Packing {
    /// Bytes that they take, beside the weights as they were given.
    pub bytes: u64,
    /// Seconds that making it took.
    pub seconds: f64,
}

/// Energy of a launch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Energy {
    /// Joules, of the whole package or board, idle power among them; null where unknown.
    pub joules: Option<f64>,
    /// The counter that was read, or why there is none.
    pub source: String,
}
