//! What a serving engine adds to a chip's peaks: twelve constants, each with the bounds within which it is physical.

use serde::Serialize;

/// Efficiencies and overheads of an engine on a family of chips.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Constants {
    /// Share of memory bandwidth reached when weights are read.
    pub weight_read: f64,
    /// Share of peak reached by matrix products.
    pub compute: f64,
    /// Seconds of each kernel of a step that its own work does not account for.
    pub per_kernel: f64,
    /// Seconds in which the host launches one kernel of a step that holds a prompt: such steps are not replayed from
    /// a recorded graph, and the device waits for the host where its own work is shorter.
    pub per_kernel_mixed: f64,
    /// Seconds of latency of a collective over two ranks.
    pub per_collective: f64,
    /// Seconds of a step outside of all kernels: scheduling, sampling.
    pub per_step: f64,
    /// The same, for each running sequence.
    pub per_sequence: f64,
    /// Time of a grouped product of experts over what its bytes and flops take.
    pub expert_slowdown: f64,
    /// Evenness of routing: 1/variance of an expert's popularity, relative to its mean (a gamma distribution's shape).
    pub routing_evenness: f64,
    /// Share of memory bandwidth reached when the KV cache is read.
    pub kv_read: f64,
    /// Seconds before the first token outside of all steps: the server's front end.
    pub before_first_token: f64,
    /// Prompts' own times that a prompt waits for others, times the square root of their number.
    pub prefill_wait: f64,
}

/// One constant: its name, the bounds of what is physical, and where a search starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spec {
    /// Name of its field.
    pub name: &'static str,
    /// Unit in catalogue files, and its size in base units.
    pub unit: (&'static str, f64),
    /// Least value, in base units.
    pub low: f64,
    /// Where a fit starts and what it is drawn to.
    pub centre: f64,
    /// Greatest value.
    pub high: f64,
    /// Whether more of it makes a server faster: so it is with shares that are reached, and with nothing else.
    pub more_is_faster: bool,
}

const fn spec(name: &'static str, unit: (&'static str, f64), [low, centre, high]: [f64; 3]) -> Spec {
    Spec { name, unit, low: low * unit.1, centre: centre * unit.1, high: high * unit.1, more_is_faster: false }
}

const fn reached(name: &'static str, bounds: [f64; 3]) -> Spec {
    Spec { more_is_faster: true, ..spec(name, RATIO, bounds) }
}

const RATIO: (&str, f64) = ("1", 1.0);
const MICROSECONDS: (&str, f64) = ("us", 1e-6);
const MILLISECONDS: (&str, f64) = ("ms", 1e-3);

/// Bounds of each constant, in the order of [`Constants::to_array`].
///
/// Shares end below 1: no engine reads faster than its memory, whatever a fit would like. Latencies span what drivers
/// and interconnects are known for, from a replayed graph's half microsecond to a host-bound tens of them.
pub const SPECS: [Spec; 12] = [
    reached("weight_read", [0.55, 0.80, 0.98]),
    reached("compute", [0.30, 0.60, 0.95]),
    spec("per_kernel", MICROSECONDS, [0.5, 2.5, 8.0]),
    spec("per_kernel_mixed", MICROSECONDS, [1.0, 30.0, 120.0]),
    spec("per_collective", MICROSECONDS, [2.0, 9.0, 45.0]),
    spec("per_step", MILLISECONDS, [0.02, 0.45, 12.0]),
    spec("per_sequence", MICROSECONDS, [0.5, 5.0, 80.0]),
    spec("expert_slowdown", RATIO, [0.6, 1.3, 4.0]),
    spec("routing_evenness", RATIO, [0.05, 0.5, 20.0]),
    reached("kv_read", [0.25, 0.65, 0.98]),
    spec("before_first_token", MILLISECONDS, [2.0, 20.0, 300.0]),
    spec("prefill_wait", RATIO, [0.01, 0.3, 3.0]),
];

impl Constants {
    /// The constants in the order of [`SPECS`].
    pub fn to_array(&self) -> [f64; SPECS.len()] {
        [
            self.weight_read,
            self.compute,
            self.per_kernel,
            self.per_kernel_mixed,
            self.per_collective,
            self.per_step,
            self.per_sequence,
            self.expert_slowdown,
            self.routing_evenness,
            self.kv_read,
            self.before_first_token,
            self.prefill_wait,
        ]
    }

    /// The constants from the order of [`SPECS`].
    pub fn from_array(values: [f64; SPECS.len()]) -> Self {
        let [
            weight_read,
            compute,
            per_kernel,
            per_kernel_mixed,
            per_collective,
            per_step,
            per_sequence,
            expert_slowdown,
            routing_evenness,
            kv_read,
            before_first_token,
            prefill_wait,
        ] = values;
        Constants {
            weight_read,
            compute,
            per_kernel,
            per_kernel_mixed,
            per_collective,
            per_step,
            per_sequence,
            expert_slowdown,
            routing_evenness,
            kv_read,
            before_first_token,
            prefill_wait,
        }
    }
}
