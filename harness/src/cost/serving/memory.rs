//! What fits: weights of a rank, and sequences beside them.

use super::deployment::{Deployment, Precisions, kv_copies};
use crate::catalogue::Model;
use crate::cost::architecture::{kv_elements, weights};

/// Bytes of the weights that one rank of the busiest stage holds.
///
/// Experts are split over all ranks of a stage, everything else over those of a copy of attention; layers over stages.
pub fn weight_bytes_of_rank(model: &Model, deployment: &Deployment, precisions: &Precisions) -> f64 {
    let all = weights(model);
    let layers = f64::from(model.layers);
    // The busiest stage has its share of layers rounded up.
    let stage = (layers / f64::from(deployment.pipeline)).ceil() / layers;
    let dense = precisions.dense.bytes_of(all.attention + all.dense_ffn + all.shared_experts).0;
    let head = precisions.head.bytes_of(all.embedding + all.head).0;
    let router = precisions.head.bytes_of(all.router).0;
    let experts = precisions.experts.bytes_of(all.experts).0 * deployment.copies_of_experts(model);
    let of_copy = (dense + router) * stage + head;
    of_copy / f64::from(deployment.tensor) + experts * stage / f64::from(deployment.stage_ranks())
}

/// Bytes that the cache of a sequence of `context` tokens takes on one rank of a copy of attention.
pub fn cache_bytes_of_rank(model: &Model, deployment: &Deployment, precisions: &Precisions, context: f64) -> f64 {
    let copies = kv_copies(model, deployment) / f64::from(deployment.tensor);
    precisions.kv.bytes_of(kv_elements(model, context)).0 * copies / f64::from(deployment.pipeline)
}

/// Sequences of `context` tokens that a replica has room for, where each chip offers `usable` bytes to weights and KV
/// cache of each of these models: `⌊(usable − weights) · copies of attention / KV bytes of a sequence on a rank⌋`, at
/// least 0.
pub fn most_sequences(held: &[(Model, Deployment)], precisions: &Precisions, usable: f64, context: f64) -> f64 {
    let weights: f64 = held.iter().map(|(model, on)| weight_bytes_of_rank(model, on, precisions)).sum();
    let of_one: f64 = held.iter().map(|(model, on)| cache_bytes_of_rank(model, on, precisions, context)).sum();
    let copies = held.first().map_or(1.0, |(_, on)| f64::from(on.attention_data));
    (copies * (usable - weights) / of_one).floor().max(0.0)
}
