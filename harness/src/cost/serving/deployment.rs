//! How a model is spread over chips, and in which number formats it is stored.

use crate::catalogue::{Attention, FeedForward, Model, Precision};
use serde::Serialize;

/// One replica: `chips = tensor · attention_data · pipeline`.
///
/// Attention is split over `tensor` ranks and replicated `attention_data` times, each copy with sequences of its own.
/// Feed-forward blocks are split over all ranks of a stage: dense ones by width, experts over `expert` groups of
/// ranks and by width within a group. Layers are split over `pipeline` stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Deployment {
    /// Ranks that split attention.
    pub tensor: u32,
    /// Copies of attention, each with a share of the sequences.
    pub attention_data: u32,
    /// Groups over which experts are spread.
    pub expert: u32,
    /// Stages of layers.
    pub pipeline: u32,
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
        Deployment { tensor: ranks, attention_data: 1, expert: 1, pipeline: 1 }
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
        divides("tensor parallelism", self.tensor, heads, "query heads")?;
        divides("expert parallelism", self.expert, self.stage_ranks(), "ranks of a stage")?;
        match model.feed_forward {
            FeedForward::Experts { experts, .. } => divides("expert parallelism", self.expert, experts, "experts")?,
            FeedForward::Dense { .. } if self.expert > 1 => {
                let problem = format!("splits experts, and {} has none", model.id);
                let (field, remedy) = ("expert parallelism", "leave it at 1".to_string());
                return Err(DeploymentError { field, value: self.expert, problem, remedy });
            }
            FeedForward::Dense { .. } => {}
        }
        if self.pipeline > model.layers {
            let problem = format!("is more than the {} layers of {}", model.layers, model.id);
            let remedy = format!("give at most {}", model.layers);
            return Err(DeploymentError { field: "pipeline parallelism", value: self.pipeline, problem, remedy });
        }
        Ok(())
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

/// Copies of each KV head that the ranks of one attention group hold together: ranks beyond the heads hold copies. A
/// latent cache is whole on every rank.
pub(super) fn kv_copies(model: &Model, tensor: u32) -> f64 {
    match model.attention {
        Attention::Grouped { kv_heads, .. } => (f64::from(tensor) / f64::from(kv_heads)).max(1.0),
        Attention::Latent { .. } => f64::from(tensor),
    }
}
