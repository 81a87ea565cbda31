//! One forward step of one rank as kernels, and its time.

use super::deployment::{Deployment, Precisions};
use super::exchange::Exchanges;
use super::kernel_time::{DecodeAttention, Experts, KernelTime, Matmul, PrefillAttention};
use super::load::Load;
use super::shapes::{Projection, Rows, attention, experts, projections};
use crate::catalogue::{Attention, Model};
use crate::cost::error::CostError;
use serde::Serialize;

/// Kernels that an engine launches in a layer: projections, attention, norms, activations, residuals and cache writes.
const KERNELS_OF_LAYER: f64 = 10.0;
/// The same with latent attention: compressions, norms and rotary parts of their own.
const KERNELS_OF_LATENT_LAYER: f64 = 16.0;
/// What routing and grouping add to a layer with experts.
const KERNELS_OF_ROUTING: f64 = 10.0;

/// Seconds of a step by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Breakdown {
    /// Matrix products of attention and dense blocks, and the head.
    pub matmul: f64,
    /// Experts and their router.
    pub experts: f64,
    /// Attention of running sequences.
    pub decode_attention: f64,
    /// Attention of prompts.
    pub prefill_attention: f64,
    /// Collectives.
    pub communication: f64,
    /// Launches, scheduling and sampling.
    pub overhead: f64,
}

impl Breakdown {
    /// All of the step.
    pub fn total(&self) -> f64 {
        self.matmul + self.experts + self.decode_attention + self.prefill_attention + self.communication + self.overhead
    }

    /// With another step, so many times.
    pub(super) fn and(self, other: Breakdown, times: f64) -> Breakdown {
        Breakdown {
            matmul: self.matmul + times * other.matmul,
            experts: self.experts + times * other.experts,
            decode_attention: self.decode_attention + times * other.decode_attention,
            prefill_attention: self.prefill_attention + times * other.prefill_attention,
            communication: self.communication + times * other.communication,
            overhead: self.overhead + times * other.overhead,
        }
    }
}

/// The shapes of a model under a deployment, worked out once for many loads.
#[derive(Clone, Debug, PartialEq)]
pub struct StepModel {
    projections: Vec<Projection>,
    experts: Option<(f64, Experts, Matmul)>,
    decode: DecodeAttention,
    prefill: PrefillAttention,
    exchanges: Exchanges,
    layers: f64,
    sliding: Option<(f64, f64)>,
    copies: f64,
    kernels: f64,
    overlap: bool,
}

impl StepModel {
    /// The shapes of one rank.
    pub fn new(model: &Model, deployment: &Deployment, precisions: &Precisions) -> Self {
        let layers = f64::from(model.layers);
        let latent = matches!(model.attention, Attention::Latent { .. });
        let per_layer = if latent { KERNELS_OF_LATENT_LAYER } else { KERNELS_OF_LAYER };
        let (decode, prefill) = attention(model, deployment, precisions);
        StepModel {
            projections: projections(model, deployment, precisions),
            experts: experts(model, deployment, precisions),
            decode,
            prefill,
            exchanges: Exchanges::new(model, deployment, precisions),
            layers,
            sliding: model.window().map(|w| (f64::from(model.windowed_layers()), f64::from(w.tokens))),
            copies: f64::from(deployment.attention_data),
            kernels: layers * per_layer + f64::from(model.expert_layers()) * KERNELS_OF_ROUTING,
            overlap: deployment.overlap,
        }
    }

    /// The time of a step by cause. With several stages it is the time in which a token passes all of them, without
    /// bubbles: other batches fill those.
    ///
    /// In two halves that take turns, exchanges cost what is not hidden behind the other half's kernels; every weight is
    /// read twice and every kernel launched twice.
    ///
    /// # Errors
    /// A gap of `timing`.
    pub fn time(&self, timing: &impl KernelTime, load: Load) -> Result<Breakdown, CostError> {
        let load = if timing.has_static_shapes() { load.padded(self.copies) } else { load };
        let mut step = if self.overlap {
            let half = self.busy(timing, load.half())?;
            let both = half.and(half, 1.0);
            Breakdown { communication: (2.0 * both.communication - both.total()).max(0.0), ..both }
        } else {
            self.busy(timing, load)?
        };
        let (busy, launches) = (step.total(), if self.overlap { 2.0 } else { 1.0 });
        let launched = timing.launched(launches * self.kernels, busy, load.prefill > 0.0);
        // Each copy of attention has a scheduler of its own.
        step.overhead = launched - busy + timing.scheduling(load.sequences / self.copies);
        Ok(step)
    }

    /// Kernels and exchanges, one after the other.
    fn busy(&self, timing: &impl KernelTime, load: Load) -> Result<Breakdown, CostError> {
        let answers = load.sequences * load.checked;
        let local = answers / self.copies + load.busiest_prefill(self.copies);
        let tokens = answers + load.prefill;
        let mut step = Breakdown::default();
        for projection in &self.projections {
            let m = match projection.rows {
                Rows::Tokens => local,
                Rows::Answers => answers / self.copies,
            };
            step.matmul += projection.layers * timing.matmul(Matmul { m, ..projection.shape })?;
        }
        if let Some((layers, experts, router)) = self.experts {
            let router = timing.matmul(Matmul { m: local, ..router })?;
            step.experts = layers * (timing.experts(Experts { tokens, ..experts })? + router);
        }
        self.attend(timing, load, &mut step)?;
        step.communication = self.exchanges.time(timing, (tokens, local), load.prefill > 0.0);
        Ok(step)
    }

    fn attend(&self, timing: &impl KernelTime, load: Load, step: &mut Breakdown) -> Result<(), CostError> {
        let (sliding, window) = self.sliding.unwrap_or((0.0, f64::INFINITY));
        for (layers, reach) in [(self.layers - sliding, f64::INFINITY), (sliding, window)] {
            if layers == 0.0 {
                continue;
            }
            if load.sequences > 0.0 {
                let context = load.context.min(reach);
                let sequences = load.sequences / self.copies;
                // Tokens of one sequence see the same cache: as many query heads more.
                let heads = self.decode.heads * load.checked;
                let shape = DecodeAttention { sequences, context, heads, ..self.decode };
                step.decode_attention += layers * timing.decode_attention(shape)?;
            }
            if load.prefill > 0.0 {
                let seen = (load.prompt / 2.0).min(reach);
                let tokens = load.busiest_prefill(self.copies);
                let shape = PrefillAttention { tokens, prompt: load.prompt, seen, ..self.prefill };
                step.prefill_attention += layers * timing.prefill_attention(shape)?;
            }
        }
        Ok(())
    }
}
