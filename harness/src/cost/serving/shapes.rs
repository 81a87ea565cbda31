//! The shapes of a model's kernels on one rank.
//!
//! | kernel | m | k | n |
//! |---|---|---|---|
//! | query, key, value | tokens | d | (h + 2·hk·copies)·e / T |
//! | output | tokens | h·e / T | d |
//! | latent: down, query up, key and value up, output | tokens | d; q; kv; h·v/T | q + kv + r; h·(n + r)/T; h·(n + v)/T; d |
//! | gate and up; down | tokens | d; f / T | 2·f / T; d |
//! | router | tokens | d | E |
//! | experts | those a router sends | d; fe | 2·fe; d |
//! | head | sequences | d | V / T |
//!
//! T ranks split a copy of attention and see the tokens of its own sequences; experts see those of all copies.

use super::deployment::{Deployment, Precisions, kv_copies};
use super::kernel_time::{DecodeAttention, Experts, Matmul, PrefillAttention};
use crate::catalogue::{Attention, FeedForward, Model};

/// Whose rows a product sees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rows {
    /// A row for each token.
    Tokens,
    /// A row for each token that is asked for.
    Answers,
}

/// A product of some layers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Projection {
    pub(super) layers: f64,
    pub(super) rows: Rows,
    pub(super) shape: Matmul,
}

/// All matrix products but those of experts.
pub(super) fn projections(model: &Model, deployment: &Deployment, precisions: &Precisions) -> Vec<Projection> {
    let tensor = f64::from(deployment.tensor);
    let (d, layers) = (f64::from(model.hidden), f64::from(model.layers));
    let dense = |layers: f64, k: f64, n: f64| {
        let shape = Matmul { m: 0.0, n: n.ceil(), k: k.ceil(), weights: precisions.dense };
        Projection { layers, rows: Rows::Tokens, shape }
    };
    let mut all: Vec<Projection> = match model.attention {
        Attention::Grouped { query_heads, kv_heads, head_dim, .. } => {
            let [h, hk, e] = [query_heads, kv_heads, head_dim].map(f64::from);
            let heads = (h + 2.0 * hk * kv_copies(model, deployment)) / tensor;
            vec![dense(layers, d, heads * e), dense(layers, h * e / tensor, d)]
        }
        Attention::Latent { heads, nope_dim, rope_dim, value_dim, query_rank, kv_rank } => {
            let [h, n, r, v, q, kv] = [heads, nope_dim, rope_dim, value_dim, query_rank, kv_rank].map(f64::from);
            [(d, q + kv + r), (q, h * (n + r) / tensor), (kv, h * (n + v) / tensor), (h * v / tensor, d)]
                .map(|(k, n)| dense(layers, k, n))
                .to_vec()
        }
    };
    let mut block = |layers: f64, width: f64| {
        if layers > 0.0 && width > 0.0 {
            all.push(dense(layers, d, 2.0 * width / tensor));
            all.push(dense(layers, width / tensor, d));
        }
    };
    match model.feed_forward {
        FeedForward::Dense { width } => block(layers, f64::from(width)),
        FeedForward::Experts { dense_layers, dense_width, shared, width, .. } => {
            block(f64::from(dense_layers), f64::from(dense_width));
            block(f64::from(model.expert_layers()), f64::from(shared) * f64::from(width));
        }
    }
    let n = (f64::from(model.vocab) / tensor).ceil();
    let head = Matmul { m: 0.0, n, k: d, weights: precisions.head };
    all.push(Projection { layers: 1.0, rows: Rows::Answers, shape: head });
    all
}

/// Layers with experts, their shapes and the router's.
pub(super) fn experts(
    model: &Model,
    deployment: &Deployment,
    precisions: &Precisions,
) -> Option<(f64, Experts, Matmul)> {
    let FeedForward::Experts { experts, active, width, .. } = model.feed_forward else { return None };
    let hidden = f64::from(model.hidden);
    let split = f64::from(deployment.stage_ranks()) / f64::from(deployment.expert);
    let shape = Experts {
        tokens: 0.0,
        experts: f64::from(experts),
        held: f64::from(experts) * deployment.copies_of_experts(model),
        active: f64::from(active),
        groups: f64::from(deployment.expert),
        hidden,
        width: f64::from(width) / split,
        weights: precisions.experts,
    };
    let router = Matmul { m: 0.0, n: f64::from(experts), k: hidden, weights: precisions.head };
    Some((f64::from(model.expert_layers()), shape, router))
}

/// Attention of running sequences and of prompts.
pub(super) fn attention(
    model: &Model,
    deployment: &Deployment,
    precisions: &Precisions,
) -> (DecodeAttention, PrefillAttention) {
    let tensor = f64::from(deployment.tensor);
    let heads = f64::from(model.query_heads()) / tensor;
    let [kv_heads, decode_score, decode_value, cached, score, value] = match model.attention {
        Attention::Grouped { kv_heads, head_dim, .. } => {
            let e = f64::from(head_dim);
            [f64::from(kv_heads) * kv_copies(model, deployment) / tensor, e, e, 2.0 * e, e, e]
        }
        Attention::Latent { nope_dim, rope_dim, value_dim, kv_rank, .. } => {
            let [n, r, v, kv] = [nope_dim, rope_dim, value_dim, kv_rank].map(f64::from);
            // Each device of a chip reads a copy of its own.
            [f64::from(deployment.cores), kv + r, kv, kv + r, n + r, v]
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
