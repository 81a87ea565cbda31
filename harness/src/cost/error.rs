//! Why a cost cannot be given.

use super::serving::DeploymentError;
use crate::catalogue::Precision;
use farthing_kernels::DType;

/// Every refusal of the cost model. Those about one model on one device become the reason of a line.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CostError {
    /// A name that the catalogue does not hold, told with the known ones and the nearest.
    #[error("{0}")]
    Unknown(String),
    /// An input outside its range.
    #[error("{field} is {value}; give {allowed}")]
    Invalid {
        /// The input.
        field: &'static str,
        /// What was given.
        value: String,
        /// What may be given.
        allowed: &'static str,
    },
    /// A row whose shape cannot be read.
    #[error("row {id}: the {op} shape `{shape}` is not {expected}")]
    Malformed {
        /// Id of the row.
        id: String,
        /// Its operation.
        op: String,
        /// Its shape.
        shape: String,
        /// The form it should have.
        expected: &'static str,
    },
    /// No measured row is near enough to a kernel of the model.
    #[error("nothing measured near {op} {shape} in {dtype} on {backend}; run `{command}`")]
    NoEvidence {
        /// Operation asked for.
        op: &'static str,
        /// Shape asked for.
        shape: String,
        /// Element type asked for.
        dtype: DType,
        /// Backend asked for.
        backend: String,
        /// The command that would fill the gap.
        command: String,
    },
    /// A limit of the device was not measured.
    #[error("{backend} on {device}: no measured limit {names}; run `farthing devices` and the suite again")]
    NoLimit {
        /// Backend.
        backend: String,
        /// Device.
        device: String,
        /// Names looked for, in order.
        names: String,
    },
    /// A chip without a rate at which numbers of a format could be multiplied.
    #[error("no published {format} peak, nor one of bf16 into which 8 bits and fewer are widened")]
    NoRate {
        /// The number format.
        format: Precision,
    },
    /// A model cannot be spread like that.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// Several chips without a link.
    #[error("no link bandwidth of {chip} is published, so {chips} of them cannot be costed together; give one chip")]
    NoLink {
        /// The chip.
        chip: String,
        /// Chips asked for.
        chips: u32,
    },
    /// More chips than share a link, and nothing is known of what joins them.
    #[error(
        "{chips} of {chip} are more than the {domain} that share a link, and no network bandwidth of it is published"
    )]
    BeyondDomain {
        /// The chip.
        chip: String,
        /// Chips asked for.
        chips: u32,
        /// Chips of the scale-up domain.
        domain: u32,
    },
    /// A measured device has rows of element types, and weights in another format.
    #[error(
        "{precision} weights are not measured: rows are of f32, f16, bf16 and fp8; give --precision with one of those"
    )]
    NotMeasured {
        /// Number format asked for.
        precision: Precision,
    },
    /// No placement serves a user as fast as asked.
    #[error("{model} on {chip}: no placement gives one user {speed} tokens/s; ask for a lower interactivity")]
    TooSlow {
        /// The model.
        model: String,
        /// The chip.
        chip: String,
        /// Output tokens a second that one user was to get.
        speed: f64,
    },
    /// No deployment and batch keeps the latencies asked for.
    #[error("{model} on {chip}: no deployment keeps {limits}; ask for less, or for another precision")]
    TooSlowFor {
        /// The model.
        model: String,
        /// The chip.
        chip: String,
        /// The latencies.
        limits: String,
    },
    /// The model does not fit.
    #[error("{model} in {precision} does not fit {chip}: {detail}")]
    DoesNotFit {
        /// The model.
        model: String,
        /// Number format of its weights.
        precision: Precision,
        /// The chip.
        chip: String,
        /// How far it is from fitting.
        detail: String,
    },
}
