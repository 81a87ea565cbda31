//! How a model is spread over chips, and in which number formats it is stored.

use crate::catalogue::{Attention, FeedForward, Model, Precision};
use serde::Serialize;

/// One replica: `chips = tensor · attention_data · pipeline`.
///
/// Everything but experts is split over `tensor` ranks and replicated `attention_data` times, each copy with sequences of
/// its own. Experts are spread over `expert` groups of all ranks of a stage, and split by width within a group. Layers are
/// split over `pipeline` stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Deployment {
    /// Ranks that split attention and dense blocks.
    pub tensor: u32,
    /// Copies of attention, each with a share of the sequences.
    pub attention_data: u32,
    /// Groups over which experts are spread.
    pub expert: u32,
    /// Experts that are held twice, the busiest ones, so that groups have alike to do.
    pub redundant: u32,
    /// Stages of layers.
    pub pipeline: u32,
    /// Devices that software sees in a chip, and that split what it holds; of the chip, not of what is asked.
    pub cores: u32,
    /// Whether a batch is worked on in two halves, the exchanges of one hidden behind the kernels of the other.
    pub overlap: bool,
}

/// Why a model cannot be spread like that.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} = {value} {problem}; {remedy}")]
pub struct DeploymentError {
    /// The degree of parallelism.
    pub field: &'static str,
    /// What was given.
    pub value: u32,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl Deployment {
    /// Tensor parallelism alone.
    pub const fn tensor_parallel(ranks: u32) -> Self {
        Deployment { tensor: ranks, attention_data: 1, expert: 1, redundant: 0, pipeline: 1, cores: 1, overlap: false }
    }

    /// The same on chips of so many devices.
    pub const fn on_cores(self, cores: u32) -> Self {
        Deployment { cores, ..self }
    }

    /// Devices that split one copy of attention.
    pub const fn tensor_devices(&self) -> u32 {
        self.tensor.saturating_mul(self.cores)
    }

    /// Ranks of one pipeline stage.
    pub const fn stage_ranks(&self) -> u32 {
        self.tensor * self.attention_data
    }

    /// Chips of the replica.
    pub const fn chips(&self) -> u32 {
        self.stage_ranks() * self.pipeline
    }

    /// Refuses degrees that do not divide what they split.
    ///
    /// # Errors
    /// [`DeploymentError`], naming the degree and the count it must divide.
    pub fn check(&self, model: &Model) -> Result<(), DeploymentError> {
        for (field, value) in [
            ("tensor parallelism", self.tensor),
            ("attention data parallelism", self.attention_data),
            ("expert parallelism", self.expert),
            ("pipeline parallelism", self.pipeline),
        ] {
            if value == 0 || value > MOST_RANKS {
                let remedy = format!("give a whole number from 1 to {MOST_RANKS}");
                return Err(DeploymentError { field, value, problem: "is no count of ranks".into(), remedy });
            }
        }
        let heads = model.query_heads();
        self.check_heads(heads)?;
        divides("expert parallelism", self.expert, self.stage_ranks(), "ranks of a stage")?;
        match model.feed_forward {
            FeedForward::Experts { experts, .. } => self.check_experts(experts)?,
            FeedForward::Dense { .. } => {
                let problem = || format!("concerns experts, and {} has none", model.id);
                let refused = |field, value, usual: u32| {
                    let remedy = format!("leave it at {usual}");
                    Err(DeploymentError { field, value, problem: problem(), remedy })
                };
                if self.expert > 1 {
                    return refused("expert parallelism", self.expert, 1);
                }
                if self.redundant > 0 {
                    return refused("redundant experts", self.redundant, 0);
                }
            }
        }
        if self.pipeline > model.layers {
            let problem = format!("is more than the {} layers of {}", model.layers, model.id);
            let remedy = format!("give at most {}", model.layers);
            return Err(DeploymentError { field: "pipeline parallelism", value: self.pipeline, problem, remedy });
        }
        Ok(())
    }

    fn check_heads(&self, heads: u32) -> Result<(), DeploymentError> {
        if self.cores == 1 || heads.is_multiple_of(self.tensor_devices()) {
            return divides("tensor parallelism", self.tensor, heads, "query heads");
        }
        let (devices, cores) = (self.tensor_devices(), self.cores);
        let problem = format!("makes {devices} devices, {cores} a chip, which do not divide the {heads} query heads");
        let remedy = format!("give a divisor of {}", heads / cores.min(heads));
        Err(DeploymentError { field: "tensor parallelism", value: self.tensor, problem, remedy })
    }

    fn check_experts(&self, experts: u32) -> Result<(), DeploymentError> {
        let held = experts.saturating_add(self.redundant);
        if self.redundant > experts.saturating_mul(self.expert - 1) {
            let problem =
                format!("is more than one copy of each of {experts} experts in each of {} groups", self.expert);
            let remedy = format!("give at most {}", experts.saturating_mul(self.expert - 1));
            return Err(DeploymentError { field: "redundant experts", value: self.redundant, problem, remedy });
        }
        if held.is_multiple_of(self.expert) {
            return Ok(());
        }
        let more = self.expert - held % self.expert;
        let problem = format!("does not divide the {held} experts");
        let remedy = match more.checked_add(self.redundant) {
            Some(redundant) if redundant <= experts => {
                format!("give a divisor of {held}, or hold {redundant} experts twice (redundant experts)")
            }
            _ => format!("give a divisor of {held}"),
        };
        Err(DeploymentError { field: "expert parallelism", value: self.expert, problem, remedy })
    }

    /// Copies of experts that are held for each that there is; 1 where none is held twice.
    pub fn copies_of_experts(&self, model: &Model) -> f64 {
        match model.feed_forward {
            FeedForward::Experts { experts, .. } => 1.0 + f64::from(self.redundant) / f64::from(experts),
            FeedForward::Dense { .. } => 1.0,
        }
    }
}

/// More ranks than any published replica spans.
const MOST_RANKS: u32 = 16384;

fn divides(field: &'static str, value: u32, whole: u32, of: &str) -> Result<(), DeploymentError> {
    if whole.is_multiple_of(value) {
        return Ok(());
    }
    let problem = format!("does not divide the {whole} {of}");
    Err(DeploymentError { field, value, problem, remedy: format!("give a divisor of {whole}") })
}

/// The number formats of a deployment, by class of tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Precisions {
    /// Projections around attention, dense feed-forward blocks, shared experts.
    pub dense: Precision,
    /// Routed experts.
    pub experts: Precision,
    /// Embedding, output projection and router.
    pub head: Precision,
    /// The KV cache.
    pub kv: Precision,
}

impl Precisions {
    /// As checkpoints of that name are published: eight-bit ones keep embedding and head in bf16; four-bit ones
    /// quantise the experts of a model that has them and all blocks of one that has none.
    pub fn of_checkpoint(model: &Model, weights: Precision, kv: Precision) -> Self {
        let four_bits = matches!(weights, Precision::Int4 | Precision::Nvfp4 | Precision::Mxfp4);
        let has_experts = matches!(model.feed_forward, FeedForward::Experts { .. });
        let narrow = four_bits || matches!(weights, Precision::Fp8 | Precision::Int8);
        Precisions {
            dense: if four_bits && has_experts { Precision::Bf16 } else { weights },
            experts: weights,
            head: if narrow { Precision::Bf16 } else { weights },
            kv,
        }
    }
}

/// Copies of each KV head that the ranks of one attention group hold together: devices beyond the heads hold copies. A
/// latent cache is whole on every device.
pub(super) fn kv_copies(model: &Model, deployment: &Deployment) -> f64 {
    let devices = f64::from(deployment.tensor_devices());
    match model.attention {
        Attention::Grouped { kv_heads, .. } => (devices / f64::from(kv_heads)).max(1.0),
        Attention::Latent { .. } => devices,
    }
}
