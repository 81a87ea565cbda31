//! The row and the header of a run: what the store keeps and everything downstream reads.
//!
//! One JSON object a line. A run file's first line is its [`RunHeader`]; every other line is a [`Row`].
//! Fields may be added; renaming or removing one needs a new [`SCHEMA`] number.

use std::collections::BTreeMap;

use farthing_kernels::DType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod environment;
mod evidence;
mod warning;

pub use environment::{Environment, Hardware};
pub use evidence::{Breadth, Energy, Outliers, Packing, Proof, Surroundings};
pub use warning::{Doubt, Warning};

/// Schema number written to every header and row; a reader refuses a larger one.
///
/// 2 (2026-11-26) added `key`, `proof`, `outliers`, `surroundings`, `energy` and `spent_s` to rows, more of the machine
/// to headers, and made a warning an object with a kind; a text is still read as one.
pub const SCHEMA: u32 = 2;

/// What stands behind a number. Only [`Kind::Measured`] rows feed the cost model of a real chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Run on the hardware the device names.
    Measured,
    /// Run on a device that is itself software (a CPU Vulkan driver): correct, but its speed says nothing of a GPU.
    Software,
    /// Served by a simulator or a replay.
    Simulated,
    /// Served by a test double.
    Fake,
}

/// Whether operands were in cache when a launch began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Temperature {
    /// Operand sets rotate through more than twice the last-level cache.
    Cold,
    /// The same operands are used by every launch.
    Hot,
}

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Checked before and after, and timed.
    Ok,
    /// The output missed the oracle's bound: no throughput is kept.
    Wrong,
    /// The backend said that it cannot do this case; `reason` holds what was asked and the limit.
    Unsupported,
    /// The device failed; `reason` holds its error.
    Failed,
    /// Right results in times that cannot be: samples and clock are kept as evidence, no speed is claimed.
    Refused,
}

/// One case on one backend: its proof, its samples and what they amount to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// [`SCHEMA`] at the time of writing.
    pub schema: u32,
    /// What stands behind the number.
    pub kind: Kind,
    /// Content hash of case, lowering, environment and run: the name other documents cite.
    pub id: String,
    /// Content hash of the same without the run: equal for what need not be measured again. Null before schema 2.
    #[serde(default)]
    pub key: Option<String>,
    /// `matmul` or `attention`.
    pub op: String,
    /// `MxNxK`, or `BxHQxHKVxSQxSKVxD` (`...xDxDV` where the head dimensions of K and V differ).
    pub shape: String,
    /// Element type of the inputs.
    #[schemars(schema_with = "crate::store::dtype_schema")]
    pub dtype: DType,
    /// Element type of the output.
    #[schemars(schema_with = "crate::store::dtype_schema")]
    pub out_dtype: DType,
    /// `kn`, `nk`, `nk-i4` or `packed` for matmul; for attention `kv-i8` where keys and values are 8-bit integers with a
    /// scale a token, `pages-16` where they lie in pages of 16 tokens.
    pub layout: Option<String>,
    /// `none`, `causal` or `window:N` for attention.
    pub mask: Option<String>,
    /// Batch of a matmul; 1 where the shape holds the batch.
    pub batch: usize,
    /// Registry name of the backend.
    pub backend: String,
    /// Device as the backend names it.
    pub device: String,
    /// What ran: name and ISA or strategy, from the lowered program.
    pub lowered: String,
    /// Sizes of its tiles: `BMxBNxBK`, with `/SPLITS` behind where the depth is split, or `BQxBK/SPLITS` for attention, with
    /// `+lazy` behind where peaks stay; null where nothing was lowered, and in rows that were written before it was kept,
    /// which are shown without it as they are stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tiling: Option<String>,
    /// What preparing the weights took, once and outside of all times; absent where the backend launched with what it was
    /// given, and in rows of backends in processes of their own, which do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packing: Option<Packing>,
    /// Worker threads that took part; null where the notion has no meaning.
    pub threads: Option<usize>,
    /// Cold or hot operands.
    pub temperature: Temperature,
    /// Clock of the samples: `wall`, `device` or `simulated`.
    pub clock: String,
    /// Launches per sample.
    pub launches: u64,
    /// Seconds per launch, one entry a sample, in order.
    pub samples_s: Vec<f64>,
    /// Samples of each visit, in order, where they were taken in several with other work between them; empty where all were
    /// taken together, as they were before 2026-11-26.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub visits: Vec<usize>,
    /// Median of `samples_s`, or of the medians of its visits; null where there are none.
    pub median_s: Option<f64>,
    /// 95 % interval of the median, over visits where there are several; null where samples or visits are too few.
    pub ci95_s: Option<[f64; 2]>,
    /// Samples outside Tukey's fences; null where there are no samples, and before schema 2.
    #[serde(default)]
    pub outliers: Option<Outliers>,
    /// Useful floating-point operations of a launch (1 multiply-add = 2; a causal mask counts only visible pairs).
    pub flops: f64,
    /// Least bytes a launch must move.
    pub bytes: f64,
    /// `flops / median_s / 1e9`.
    pub gflops: Option<f64>,
    /// `bytes / median_s / 1e9`.
    pub gbps: Option<f64>,
    /// The measured limit that bounds this case: `fma_f32`, `dot_bf16`, `read_mem`, ...; null where none was measured.
    pub limit: Option<String>,
    /// Throughput over that limit, not clamped.
    pub share: Option<f64>,
    /// Worst error over its bound, before and after timing; null where no output was produced.
    pub error_ratio: Option<f64>,
    /// How it was found right; null where it was not, and before schema 2.
    #[serde(default)]
    pub proof: Option<Proof>,
    /// What else happened on the machine while it was timed; null where it was not, and before schema 2.
    #[serde(default)]
    pub surroundings: Option<Surroundings>,
    /// Energy of a launch, or why it is not known; null where nothing was timed, and before schema 2.
    #[serde(default)]
    pub energy: Option<Energy>,
    /// Host seconds that the case took on this backend, checks and warm-up among them; null before schema 2.
    #[serde(default)]
    pub spent_s: Option<f64>,
    /// How the case ended.
    pub status: Status,
    /// Why, where `status` is not `ok`.
    pub reason: Option<String>,
    /// What a reader should know before quoting the number.
    pub warnings: Vec<Warning>,
}

impl Row {
    /// The share of its limit, where it may be quoted: measured, right, and not above the limit, which would mean that the
    /// limit or the count of work is wrong.
    pub fn quotable_share(&self) -> Option<f64> {
        let above = self.warnings.iter().any(|warning| warning.doubt == Doubt::AboveLimit);
        let quotable = self.kind == Kind::Measured && self.status == Status::Ok && !above;
        self.share.filter(|share| quotable && share.is_finite())
    }
}

/// One measured limit of a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MeasuredLimit {
    /// Registry name of the backend that was probed.
    pub backend: String,
    /// Device as the backend names it.
    pub device: String,
    /// `fma_f32`, `dot_bf16`, `read_l1`, `read_l2`, `read_l3`, `read_mem`, ...
    pub limit: String,
    /// Threads that took part.
    pub threads: usize,
    /// FLOP/s or B/s, the best of several tries.
    pub per_second: f64,
    /// `flop/s` or `B/s`.
    pub unit: String,
}

/// First line of a run file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunHeader {
    /// [`SCHEMA`] at the time of writing.
    pub schema: u32,
    /// Name of the run and of its file.
    pub run: String,
    /// Start, RFC 3339, UTC.
    pub started: String,
    /// The machine.
    pub environment: Environment,
    /// Limits measured before the first case.
    pub limits: Vec<MeasuredLimit>,
    /// Settings that matter: suite, sample count, environment variables of ours.
    pub settings: BTreeMap<String, String>,
}
