//! One forward step of one rank as kernels, and its time.
//!
//! | kernel | m | k | n |
//! |---|---|---|---|
//! | query, key, value | local tokens | d | (h + 2·hk·copies)·e / T |
//! | output | local tokens | h·e / T | d |
//! | latent: down, query up, key and value up, output | local tokens | d; q; kv; h·v/T | q + kv + r; h·(n + r)/T; h·(n + v)/T; d |
//! | gate and up; down | tokens | d; f / ranks | 2·f / ranks; d |
//! | router | tokens | d | E |
//! | experts | those a router sends | d; fe | 2·fe; d |
//! | head | sequences | d | V / ranks |
//!
//! T ranks split attention, which sees the tokens of its own sequences (local); all ranks of a stage split the rest.

use super::deployment::{Deployment, Precisions, kv_copies};
use super::kernel_time::{DecodeAttention, Experts, KernelTime, Matmul, PrefillAttention};
use crate::catalogue::{Attention, FeedForward, Model};
use crate::cost::error::CostError;
use serde::Serialize;

/// Kernels that an engine launches in a layer: projections, attention, norms, activations, residuals and cache writes.
const KERNELS_OF_LAYER: f64 = 10.0;
/// The same with latent attention: compressions, norms and rotary parts of their own.
const KERNELS_OF_LATENT_LAYER: f64 = 16.0;
/// What routing and grouping add to a layer with experts.
const KERNELS_OF_ROUTING: f64 = 10.0;
/// Bytes of an activation that ranks exchange.
const ACTIVATION_BYTES: f64 = 2.0;

/// What a step works on, in the whole replica.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Sequences that get a token.
    pub sequences: f64,
    /// Positions that each of them sees.
    pub context: f64,
    /// Tokens of prompts that are taken in.
    pub prefill: f64,
    /// Length of the prompts that they belong to.
    pub prompt: f64,
}

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
}

/// Whose tokens a product sees.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rows {
    Local,
    All,
    Sequences,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Projection {
    layers: f64,
    rows: Rows,
    shape: Matmul,
}

/// The shapes of a model under a deployment, worked out once for many loads.
#[derive(Clone, Debug, PartialEq)]
pub struct StepModel {
    projections: Vec<Projection>,
    experts: Option<(f64, Experts, Matmul)>,
    decode: DecodeAttention,
    prefill: PrefillAttention,
    layers: f64,
    sliding: Option<(f64, f64)>,
    ranks: f64,
    copies: f64,
    stages: f64,
    hidden: f64,
    kernels: f64,
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
            layers,
            sliding: model.window().map(|w| (f64::from(model.windowed_layers()), f64::from(w.tokens))),
            ranks: f64::from(deployment.stage_ranks()),
            copies: f64::from(deployment.attention_data),
            stages: f64::from(deployment.pipeline),
            hidden: f64::from(model.hidden),
            kernels: layers * per_layer + f64::from(model.expert_layers()) * KERNELS_OF_ROUTING,
        }
    }

    /// The time of a step by cause. With several stages it is the time in which a token passes all of them, without
    /// bubbles: other batches fill those.
    ///
    /// # Errors
    /// A gap of `timing`.
    pub fn time(&self, timing: &impl KernelTime, load: Load) -> Result<Breakdown, CostError> {
        let tokens = load.sequences + load.prefill;
        let mut step = Breakdown::default();
        for projection in &self.projections {
            let m = match projection.rows {
                Rows::Local => tokens / self.copies,
                Rows::All => tokens,
                Rows::Sequences => load.sequences,
            };
            step.matmul += projection.layers * timing.matmul(Matmul { m, ..projection.shape })?;
        }
        if let Some((layers, experts, router)) = self.experts {
            let router = timing.matmul(Matmul { m: tokens / self.copies, ..router })?;
            step.experts = layers * (timing.experts(Experts { tokens, ..experts })? + router);
        }
        self.attend(timing, load, &mut step)?;
        if self.ranks > 1.0 {
            let bytes = tokens * self.hidden * ACTIVATION_BYTES;
            step.communication = 2.0 * self.layers * timing.all_reduce(bytes, self.ranks);
        }
        if self.stages > 1.0 {
            let bytes = tokens * self.hidden * ACTIVATION_BYTES;
            // A send between neighbours is half of an all-reduce over two.
            step.communication += (self.stages - 1.0) * timing.all_reduce(bytes, 2.0) / 2.0;
        }
        let busy = step.total();
        let launched = timing.launched(self.kernels, busy, load.prefill > 0.0);
        step.overhead = launched - busy + timing.scheduling(load.sequences);
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
                let shape = DecodeAttention { sequences, context, ..self.decode };
                step.decode_attention += layers * timing.decode_attention(shape)?;
            }
            if load.prefill > 0.0 {
                let seen = (load.prompt / 2.0).min(reach);
                let tokens = load.prefill / self.copies;
                let shape = PrefillAttention { tokens, prompt: load.prompt, seen, ..self.prefill };
                step.prefill_attention += layers * timing.prefill_attention(shape)?;
            }
        }
        Ok(())
    }
}

fn projections(model: &Model, deployment: &Deployment, precisions: &Precisions) -> Vec<Projection> {
    let (tensor, ranks) = (f64::from(deployment.tensor), f64::from(deployment.stage_ranks()));
    let (d, layers) = (f64::from(model.hidden), f64::from(model.layers));
    let dense = |layers: f64, rows: Rows, k: f64, n: f64| {
        let shape = Matmul { m: 0.0, n: n.ceil(), k: k.ceil(), weights: precisions.dense };
        Projection { layers, rows, shape }
    };
    let mut all: Vec<Projection> = match model.attention {
        Attention::Grouped { query_heads, kv_heads, head_dim, .. } => {
            let [h, hk, e] = [query_heads, kv_heads, head_dim].map(f64::from);
            let heads = (h + 2.0 * hk * kv_copies(model, deployment.tensor)) / tensor;
            vec![dense(layers, Rows::Local, d, heads * e), dense(layers, Rows::Local, h * e / tensor, d)]
        }
        Attention::Latent { heads, nope_dim, rope_dim, value_dim, query_rank, kv_rank } => {
            let [h, n, r, v, q, kv] = [heads, nope_dim, rope_dim, value_dim, query_rank, kv_rank].map(f64::from);
            [(d, q + kv + r), (q, h * (n + r) / tensor), (kv, h * (n + v) / tensor), (h * v / tensor, d)]
                .map(|(k, n)| dense(layers, Rows::Local, k, n))
                .to_vec()
        }
    };
    let mut block = |layers: f64, width: f64| {
        if layers > 0.0 && width > 0.0 {
            all.push(dense(layers, Rows::All, d, 2.0 * width / ranks));
            all.push(dense(layers, Rows::All, width / ranks, d));
        }
    };
    match model.feed_forward {
        FeedForward::Dense { width } => block(layers, f64::from(width)),
        FeedForward::Experts { dense_layers, dense_width, shared, width, .. } => {
            block(f64::from(dense_layers), f64::from(dense_width));
            block(f64::from(model.expert_layers()), f64::from(shared) * f64::from(width));
        }
    }
    let n = (f64::from(model.vocab) / ranks).ceil();
    let head = Matmul { m: 0.0, n, k: d, weights: precisions.head };
    all.push(Projection { layers: 1.0, rows: Rows::Sequences, shape: head });
    all
}

fn experts(model: &Model, deployment: &Deployment, precisions: &Precisions) -> Option<(f64, Experts, Matmul)> {
    let FeedForward::Experts { experts, active, width, .. } = model.feed_forward else { return None };
    let hidden = f64::from(model.hidden);
    let split = f64::from(deployment.stage_ranks()) / f64::from(deployment.expert);
    let shape = Experts {
        tokens: 0.0,
        experts: f64::from(experts),
        active: f64::from(active),
        groups: f64::from(deployment.expert),
        hidden,
        width: f64::from(width) / split,
        weights: precisions.experts,
    };
    let router = Matmul { m: 0.0, n: f64::from(experts), k: hidden, weights: precisions.head };
    Some((f64::from(model.expert_layers()), shape, router))
}

fn attention(model: &Model, deployment: &Deployment, precisions: &Precisions) -> (DecodeAttention, PrefillAttention) {
    let tensor = f64::from(deployment.tensor);
    let heads = f64::from(model.query_heads()) / tensor;
    let [kv_heads, decode_score, decode_value, cached, score, value] = match model.attention {
        Attention::Grouped { kv_heads, head_dim, .. } => {
            let e = f64::from(head_dim);
            [f64::from(kv_heads) * kv_copies(model, deployment.tensor) / tensor, e, e, 2.0 * e, e, e]
        }
        Attention::Latent { nope_dim, rope_dim, value_dim, kv_rank, .. } => {
            let [n, r, v, kv] = [nope_dim, rope_dim, value_dim, kv_rank].map(f64::from);
            [1.0, kv + r, kv, kv + r, n + r, v]
        }
    };
    let decode = DecodeAttention {
        sequences: 0.0,
        heads,
        kv_heads,
        context: 0.0,
        score_width: decode_score,
        value_width: decode_value,
        cached_width: cached,
        kv: precisions.kv,
    };
    let prefill = PrefillAttention {
        tokens: 0.0,
        prompt: 0.0,
        seen: 0.0,
        heads,
        kv_heads: if matches!(model.attention, Attention::Latent { .. }) { heads } else { kv_heads },
        score_width: score,
        value_width: value,
        kv: precisions.kv,
    };
    (decode, prefill)
}
