//! A dense decoder as parameters, bytes and the kernels of a step.

use super::shape::{AttentionShape, MatmulShape};
use crate::catalogue::Model;
use crate::units::Bytes;
use farthing_kernels::DType;

/// Parameters: `layers · (d·h·e + 2·d·hk·e + h·e·d + 3·d·f) + 2·V·d`.
///
/// Norm scales are left out: 0.004 % of an 8 B model.
pub fn parameters(model: &Model) -> f64 {
    let [d, h, hk, e] = [model.hidden, model.query_heads, model.kv_heads, model.head_dim].map(f64::from);
    let (f, v) = (f64::from(model.ffn), f64::from(model.vocab));
    let layer = d * h * e + 2.0 * d * hk * e + h * e * d + 3.0 * d * f;
    f64::from(model.layers) * layer + 2.0 * v * d
}

/// Bytes of all weights in one element type.
pub fn weight_bytes(model: &Model, dtype: DType) -> Bytes {
    Bytes(parameters(model) * dtype.size_bytes() as f64)
}

/// KV cache of one token over all ranks: `2 · layers · hk · e · size`, times `ranks / hk` where ranks outnumber heads
/// and each must hold a copy.
pub fn kv_bytes_per_token(model: &Model, dtype: DType, ranks: u32) -> Bytes {
    let copies = f64::from(ranks) / f64::from(model.kv_heads);
    let elems = 2.0 * f64::from(model.layers) * f64::from(model.kv_heads) * f64::from(model.head_dim);
    Bytes(elems * dtype.size_bytes() as f64 * copies.max(1.0))
}

/// The forward step of one rank: its kernels and what surrounds them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    /// Layers; each runs the kernels of a layer once.
    pub(super) layers: f64,
    /// Query, key and value projection; output projection; gate and up; down.
    pub(super) matmuls: [MatmulShape; 4],
    /// Attention of one layer.
    pub(super) attention: AttentionShape,
    /// Projection onto the vocabulary, once a step.
    pub(super) head: MatmulShape,
    /// Elements that each of a layer's two all-reduces sums: tokens times width.
    pub(super) reduced_elems: f64,
    /// Running sequences.
    pub(super) sequences: f64,
}

/// One decode step of `sequences` sequences at a mean context of `context` tokens, on one of `ranks` ranks.
pub(super) fn decode_step(model: &Model, ranks: u32, sequences: f64, context: f64) -> Step {
    step(model, ranks, sequences, sequences, 1.0, context.ceil())
}

/// The prefill of one prompt of `tokens` tokens, on one of `ranks` ranks; only the last token meets the head.
pub(super) fn prefill_step(model: &Model, ranks: u32, tokens: f64) -> Step {
    step(model, ranks, tokens, 1.0, tokens, tokens)
}

/// | kernel | m | k | n |
/// |---|---|---|---|
/// | query, key, value | tokens | d | (h + 2·hk)·e / ranks |
/// | output | tokens | h·e / ranks | d |
/// | gate and up | tokens | d | 2·f / ranks |
/// | down | tokens | f / ranks | d |
/// | head | sequences | d | V / ranks |
fn step(model: &Model, ranks: u32, tokens: f64, sequences: f64, sq: f64, skv: f64) -> Step {
    let ranks = f64::from(ranks);
    let [d, e, f, v] = [model.hidden, model.head_dim, model.ffn, model.vocab].map(f64::from);
    let hq = (f64::from(model.query_heads) / ranks).ceil();
    let hkv = (f64::from(model.kv_heads) / ranks).ceil();
    let matmul = |m: f64, n: f64, k: f64| MatmulShape { m, n: n.ceil(), k: k.ceil() };
    Step {
        layers: f64::from(model.layers),
        matmuls: [
            matmul(tokens, (hq + 2.0 * hkv) * e, d),
            matmul(tokens, d, hq * e),
            matmul(tokens, 2.0 * f / ranks, d),
            matmul(tokens, d, f / ranks),
        ],
        attention: AttentionShape { b: sequences, hq, hkv, sq, skv, d: e },
        head: matmul(sequences, v / ranks, d),
        reduced_elems: tokens * d,
        sequences,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;
    use crate::catalogue::Catalogue;

    #[test]
    fn parameters_match_the_published_counts() {
        for model in Catalogue::embedded().expect("valid").models {
            let (computed, published) = (parameters(&model), model.published_parameters.value);
            // Published to two decimals of a billion.
            assert!((computed - published).abs() <= 0.0051e9, "{}: {computed} against {published}", model.id);
        }
    }

    #[test]
    fn kv_cache_matches_hand_counts_and_is_copied_beyond_its_heads() {
        let model = testing::model("llama-3.1-8b");
        // 2 · 32 layers · 8 heads · 128 wide · 2 bytes = 128 KiB; 16 ranks hold the 8 heads twice.
        assert_eq!(kv_bytes_per_token(&model, DType::Bf16, 1), Bytes(131072.0));
        assert_eq!(kv_bytes_per_token(&model, DType::Bf16, 8), Bytes(131072.0));
        assert_eq!(kv_bytes_per_token(&model, DType::Bf16, 16), Bytes(262144.0));
    }

    #[test]
    fn a_decode_step_has_the_shapes_of_the_model() {
        let step = decode_step(&testing::model("llama-3.1-70b"), 8, 64.0, 1536.0);
        let names: Vec<String> = step.matmuls.iter().map(ToString::to_string).collect();
        // 8 ranks: 8 query heads and 1 kv head of 128 each, and 28672 / 8 = 3584 of the block.
        assert_eq!(names, ["64x1280x8192", "64x8192x1024", "64x7168x8192", "64x8192x3584"]);
        assert_eq!(step.attention.to_string(), "64x8x1x1x1536x128");
        assert_eq!(step.head.to_string(), "64x16032x8192");
    }

    #[test]
    fn the_matmuls_of_a_step_read_every_parameter_but_the_input_embedding() {
        let model = testing::model("llama-3.1-8b");
        let step = decode_step(&model, 1, 1.0, 1.0);
        let layer: f64 = step.matmuls.iter().map(|shape| shape.n * shape.k).sum();
        let embedding = f64::from(model.vocab) * f64::from(model.hidden);
        assert_eq!(step.layers * layer + step.head.n * step.head.k, parameters(&model) - embedding);
    }
}
