//! A decoder as parameters and bytes.

use crate::catalogue::{Attention, FeedForward, Model};

/// Parameters by class: each may be stored in a precision of its own.
///
/// Norm scales are left out (0.004 % of an 8 B model), and so are biases and attention sinks: 0.03 % of gpt-oss, which
/// has most of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// Projections of queries, keys, values and of the output.
    pub attention: f64,
    /// Dense feed-forward blocks.
    pub dense_ffn: f64,
    /// Experts among which the router chooses.
    pub experts: f64,
    /// Experts that every token passes.
    pub shared_experts: f64,
    /// Routers.
    pub router: f64,
    /// The input embedding.
    pub embedding: f64,
    /// The output projection; 0 where it is the embedding, which a step then reads as the head.
    pub head: f64,
}

impl Weights {
    /// All classes together.
    pub fn total(&self) -> f64 {
        let ffn = self.dense_ffn + self.experts + self.shared_experts + self.router;
        self.attention + ffn + self.embedding + self.head
    }
}

/// Parameters of each class, over all layers:
///
/// | class | parameters |
/// |---|---|
/// | grouped attention, a layer | `d·h·e + 2·d·hk·e + h·e·d` |
/// | latent attention, a layer | `d·q + q·h·(n + r) + d·(kv + r) + kv·h·(n + v) + h·v·d` |
/// | a feed-forward block or expert | `3·d·f` |
/// | a router | `d·E` |
/// | embedding; head where it is not tied | `V·d` |
pub fn weights(model: &Model) -> Weights {
    let (d, layers, vocab) = (f64::from(model.hidden), f64::from(model.layers), f64::from(model.vocab));
    let block = |width: u32| 3.0 * d * f64::from(width);
    let expert_layers = f64::from(model.expert_layers());
    let [dense_ffn, experts, shared_experts, router] = match model.feed_forward {
        FeedForward::Dense { width } => [layers * block(width), 0.0, 0.0, 0.0],
        FeedForward::Experts { dense_layers, dense_width, experts, shared, width, .. } => {
            let [dense_layers, experts, shared] = [dense_layers, experts, shared].map(f64::from);
            [
                dense_layers * block(dense_width),
                expert_layers * experts * block(width),
                expert_layers * shared * block(width),
                expert_layers * d * experts,
            ]
        }
    };
    Weights {
        attention: layers * attention_parameters(model.attention, d),
        dense_ffn,
        experts,
        shared_experts,
        router,
        embedding: vocab * d,
        head: if model.tied { 0.0 } else { vocab * d },
    }
}

fn attention_parameters(attention: Attention, d: f64) -> f64 {
    match attention {
        Attention::Grouped { query_heads, kv_heads, head_dim, .. } => {
            let [h, hk, e] = [query_heads, kv_heads, head_dim].map(f64::from);
            d * h * e + 2.0 * d * hk * e + h * e * d
        }
        Attention::Latent { heads, nope_dim, rope_dim, value_dim, query_rank, kv_rank } => {
            let [h, n, r, v, q, kv] = [heads, nope_dim, rope_dim, value_dim, query_rank, kv_rank].map(f64::from);
            d * q + q * h * (n + r) + d * (kv + r) + kv * h * (n + v) + h * v * d
        }
    }
}

/// All parameters.
pub fn parameters(model: &Model) -> f64 {
    weights(model).total()
}

/// Parameters that one token meets: of the experts only those it is sent to. The input embedding is counted, as the
/// makers of most models do, though a token reads one row of it.
pub fn active_parameters(model: &Model) -> f64 {
    let all = weights(model);
    let share = match model.feed_forward {
        FeedForward::Dense { .. } => 0.0,
        FeedForward::Experts { experts, active, .. } => f64::from(active) / f64::from(experts),
    };
    Weights { experts: all.experts * share, ..all }.total()
}

/// Elements of the KV cache that a token adds, where no window has closed: `2·layers·hk·e`, or `layers·(kv + r)` where
/// the cache is latent.
pub fn kv_elements_per_token(model: &Model) -> f64 {
    f64::from(model.layers) * kv_elements_per_layer(model)
}

fn kv_elements_per_layer(model: &Model) -> f64 {
    match model.attention {
        Attention::Grouped { kv_heads, head_dim, .. } => 2.0 * f64::from(kv_heads) * f64::from(head_dim),
        Attention::Latent { kv_rank, rope_dim, .. } => f64::from(kv_rank) + f64::from(rope_dim),
    }
}

/// Elements of the KV cache of one sequence of `context` tokens: sliding layers keep their window only.
pub fn kv_elements(model: &Model, context: f64) -> f64 {
    let sliding = f64::from(model.windowed_layers());
    let seen = model.window().map_or(context, |window| context.min(f64::from(window.tokens)));
    kv_elements_per_layer(model) * ((f64::from(model.layers) - sliding) * context + sliding * seen)
}

#[cfg(test)]
mod tests;
