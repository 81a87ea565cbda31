//! A row made ready for many evaluations.

use super::row::{RowError, ServingRow};
use crate::catalogue::{Attention, Catalogue, Chip, Model, Precision};
use crate::cost::serving::{
    Accelerator, Constants, Deployment, Precisions, Replica, Roofline, Spread, Steady, StepModel, Traffic,
    most_sequences, steady,
};
use crate::cost::usable_bytes;
use serde::Serialize;
use std::fmt;

/// Why a row is not held against the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Doubt {
    /// Copies of attention: too few such rows to tell a model from a guess.
    AttentionData,
    /// Latent attention with experts spread over ranks: twice as fast as memory allows at small batches, which only
    /// speculative decoding explains, and the rows do not say so.
    Speculation,
    /// A concurrency at which the load generator and the front end are measured too.
    Overload,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Doubt::AttentionData => "attention data parallelism: too few rows to validate",
            Doubt::Speculation => "latent attention with expert parallelism: speculative decoding suspected",
            Doubt::Overload => "512 or more in flight: front end and load generator are measured too",
        })
    }
}

/// Requests in flight from which a row measures the load generator as well.
const OVERLOAD: f64 = 512.0;

/// Requests in flight from which a slow first token is read as a queue, and the share of a request's life from which.
const QUEUE_FROM: f64 = 32.0;
const QUEUE_SHARE: f64 = 0.2;

/// A measured run with everything worked out that does not depend on the constants.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Name of the run.
    pub id: String,
    /// Engine.
    pub engine: String,
    /// Engine and release.
    pub release: String,
    /// Id of the model.
    pub model: String,
    /// Id of the chip.
    pub chip: String,
    /// How it was spread.
    pub deployment: Deployment,
    /// Requests in flight, lengths, room.
    pub traffic: Traffic,
    /// Measured seconds to the first token.
    pub ttft: f64,
    /// Measured seconds per further token.
    pub tpot: f64,
    /// Why it is left out, if it is.
    pub doubt: Option<Doubt>,
    replica: Replica,
    accelerator: Accelerator,
}

impl Sample {
    /// Joins a row with the catalogue.
    ///
    /// # Errors
    /// [`RowError::Field`] for an unknown model, chip or precision, a parallelism that cannot be, or a time that is
    /// none.
    pub fn new(row: &ServingRow, catalogue: &Catalogue) -> Result<Self, RowError> {
        let model = catalogue
            .model(&row.model)
            .ok_or_else(|| row.field("model_path", &row.model, "add the model, or this name to its aliases"))?;
        let chip = chip(row, catalogue)?;
        for (field, ms) in [("silicon_ttft_ms", row.ttft_ms), ("silicon_tpot_ms", row.tpot_ms)] {
            if !(ms > 0.0 && ms.is_finite()) {
                return Err(row.field(field, ms, "give milliseconds above 0"));
            }
        }
        let deployment = deployment(row, model)?;
        let precisions = precisions(row, model)?;
        let (input, output) = row.lengths()?;
        let accelerator = Accelerator::of(chip);
        let usable = usable_bytes(chip, catalogue.profile_of(chip));
        let room = most_sequences(&[(model.clone(), deployment)], &precisions, usable, input + output / 2.0);
        let traffic =
            Traffic { input, cached: 0.0, output, concurrency: row.concurrency()?, room, spread: Spread::NONE };
        Ok(Sample {
            id: row.id.clone(),
            engine: row.engine.clone(),
            release: format!("{} {}", row.engine, if row.release.is_empty() { "unstated" } else { &row.release }),
            model: model.id.clone(),
            chip: chip.id.clone(),
            doubt: doubt(model, &deployment, &traffic),
            deployment,
            traffic,
            ttft: row.ttft_ms / 1e3,
            tpot: row.tpot_ms / 1e3,
            replica: StepModel::new(model, &deployment, &precisions).into(),
            accelerator,
        })
    }

    /// What the model says of this run.
    pub fn predict(&self, constants: &Constants) -> Steady {
        let timing = Roofline { chip: self.accelerator, constants: *constants };
        let waits = (constants.before_first_token, constants.prefill_wait);
        steady(&self.replica, &timing, &self.traffic, waits).expect("the chip has a bf16 peak, as was checked")
    }
}

impl Sample {
    /// Whether the measurement itself shows a queue: with many in flight, a first token that took more than a fifth of
    /// the time that the request spent in the server. Engines bound the batch below what memory would hold, and rows
    /// do not say where.
    pub fn queued(&self) -> bool {
        let residence = self.ttft + (self.traffic.output - 1.0) * self.tpot;
        self.traffic.concurrency >= QUEUE_FROM && self.ttft > QUEUE_SHARE * residence
    }
}

/// A run of the same set-up takes this much longer, or it is the same run.
const TWIN_FACTOR: f64 = 1.25;

impl Sample {
    /// Whether another run of the same set-up, the engine in any of its releases, was faster by more than what set-ups
    /// differ by: then this one drafted nothing, whatever the other did.
    pub fn has_faster_twin(&self, all: &[Sample]) -> bool {
        let alike = |other: &Sample| {
            (&other.engine, &other.model, &other.chip, other.deployment, other.traffic)
                == (&self.engine, &self.model, &self.chip, self.deployment, self.traffic)
        };
        all.iter().any(|other| alike(other) && TWIN_FACTOR * other.tpot < self.tpot)
    }
}

fn doubt(model: &Model, deployment: &Deployment, traffic: &Traffic) -> Option<Doubt> {
    let latent = matches!(model.attention, Attention::Latent { .. });
    if deployment.attention_data > 1 {
        Some(Doubt::AttentionData)
    } else if latent && deployment.expert > 1 {
        Some(Doubt::Speculation)
    } else if traffic.concurrency >= OVERLOAD {
        Some(Doubt::Overload)
    } else {
        None
    }
}

fn chip<'a>(row: &ServingRow, catalogue: &'a Catalogue) -> Result<&'a Chip, RowError> {
    let name = row.chip.to_lowercase().replace('_', "-");
    let bare = ["-sxm", "-nvl", "-oam"].iter().find_map(|form| name.strip_suffix(form)).unwrap_or(&name);
    let known = catalogue.chips.iter().find(|chip| chip.id == bare);
    let known = known.ok_or_else(|| row.field("system", &row.chip, "add the chip to the catalogue"))?;
    if Accelerator::of(known).rate(Precision::Bf16).is_none() {
        return Err(row.field("system", &row.chip, "the catalogue holds no bf16 peak of it: add one"));
    }
    Ok(known)
}

/// Ranks, copies and groups. A model with experts whose `moe_tp_size` and `moe_ep_size` are equal and above 1 was
/// written twice: both mean the ranks over which experts are spread.
fn deployment(row: &ServingRow, model: &Model) -> Result<Deployment, RowError> {
    let degree = |field, value: Option<f64>| match value.unwrap_or(1.0) {
        n if n.fract() == 0.0 && (0.0..=16384.0).contains(&n) => Ok((n as u32).max(1)),
        n => Err(row.field(field, n, "give a whole number of ranks")),
    };
    let tensor = degree("tp_size", row.tp_size)?;
    let copies = degree("attention_dp_size", row.attention_dp_size)?;
    let [moe_tensor, moe_expert] = [degree("moe_tp_size", row.moe_tp_size)?, degree("moe_ep_size", row.moe_ep_size)?];
    let has_experts = model.expert_layers() > 0;
    let (ranks, expert) = match (has_experts, moe_tensor, moe_expert) {
        (false, ..) => (tensor * copies, 1),
        (true, a, b) if a == b && a > 1 => (a, a),
        (true, a, b) => ((tensor * copies).max(a * b), b),
    };
    let attention_data = copies.min(ranks);
    let pipeline = degree("pp_size", row.pp_size)?;
    let whole = Deployment::tensor_parallel(ranks / attention_data);
    let deployment = Deployment { attention_data, expert, pipeline, ..whole };
    deployment.check(model).map_err(|error| row.field("tp_size", tensor, error.to_string()))?;
    Ok(deployment)
}

/// vLLM keeps the cache in bf16 unless told otherwise, TensorRT-LLM in fp8. gpt-oss is published in mxfp4 alone: what
/// a row calls its precision there concerns something else.
fn precisions(row: &ServingRow, model: &Model) -> Result<Precisions, RowError> {
    let weights = match row.precision.as_str() {
        _ if model.id.starts_with("gpt-oss") => Precision::Mxfp4,
        "" => Precision::Bf16,
        "fp4" => Precision::Nvfp4,
        name => name.parse().map_err(|_| row.field("precision", name, "give bf16, fp8, fp4 or leave it blank"))?,
    };
    let kv = if row.engine == "trtllm" { Precision::Fp8 } else { Precision::Bf16 };
    Ok(Precisions::of_checkpoint(model, weights, kv))
}
