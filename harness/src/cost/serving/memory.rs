//! What fits: weights of a rank, and sequences beside them.

use super::deployment::{Deployment, Precisions, kv_copies};
use crate::catalogue::Model;
use crate::cost::architecture::{kv_elements, weights};

/// Bytes of the weights that one rank of the busiest stage holds.
///
/// Attention is split over tensor ranks, everything else over all ranks of a stage; layers over stages.
pub fn weight_bytes_of_rank(model: &Model, deployment: &Deployment, precisions: &Precisions) -> f64 {
    let all = weights(model);
    let ranks = f64::from(deployment.stage_ranks());
    let layers = f64::from(model.layers);
    // The busiest stage has its share of layers rounded up.
    let stage = (layers / f64::from(deployment.pipeline)).ceil() / layers;
    let attention = precisions.dense.bytes_of(all.attention).0 / f64::from(deployment.tensor);
    let dense = precisions.dense.bytes_of(all.dense_ffn + all.shared_experts).0;
    let experts = precisions.experts.bytes_of(all.experts).0;
    let head = precisions.head.bytes_of(all.embedding + all.head).0;
    let router = precisions.head.bytes_of(all.router).0;
    (attention + (dense + experts + router) / ranks) * stage + head / ranks
}

/// Sequences of `context` tokens that a replica has room for, where each chip offers `usable` bytes to weights and KV
/// cache: `⌊(usable − weights) · copies of attention / KV bytes of a sequence on a rank⌋`, at least 0.
pub fn most_sequences(
    model: &Model,
    deployment: &Deployment,
    precisions: &Precisions,
    usable: f64,
    context: f64,
) -> f64 {
    let room = usable - weight_bytes_of_rank(model, deployment, precisions);
    let stages = f64::from(deployment.pipeline);
    let copies = kv_copies(model, deployment.tensor) / f64::from(deployment.tensor);
    let of_one = precisions.kv.bytes_of(kv_elements(model, context)).0 * copies / stages;
    (f64::from(deployment.attention_data) * room / of_one).floor().max(0.0)
}
