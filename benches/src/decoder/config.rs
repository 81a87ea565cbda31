//! Sizes of a decoder.

use farthing_kernels::DType;
use farthing_kernels::problem::GROUP;

/// A decoder of Llama's shape: grouped queries, rotary positions, gated feed-forward layers, an untied head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// Layers.
    pub layers: usize,
    /// Width of the residual stream.
    pub hidden: usize,
    /// Width of a feed-forward layer.
    pub ffn: usize,
    /// Query heads.
    pub query_heads: usize,
    /// KV heads; divides `query_heads`.
    pub kv_heads: usize,
    /// Columns of a head; even, since rotary positions turn pairs.
    pub head_dim: usize,
    /// Tokens of the vocabulary.
    pub vocab: usize,
    /// Element type of weights, of the cache and of what products read. Sums and the residual stream are f32.
    pub dtype: DType,
    /// Whether the layers' products keep their weights as 4-bit integers in groups of [`GROUP`] with a scale each, rather than
    /// as `dtype`; the embedding and the head stay of `dtype`.
    pub int4: bool,
    /// Added to the mean square under the root of a norm.
    pub epsilon: f32,
    /// Wavelength base of the rotary positions.
    pub rope_base: f64,
}

/// Sizes that make no decoder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A size of 0.
    #[error("{field} is 0; every size is at least 1")]
    Zero {
        /// The size.
        field: &'static str,
    },
    /// Query heads cannot be shared out.
    #[error("kv_heads = {kv_heads} does not divide query_heads = {query_heads}; take a divisor")]
    Heads {
        /// As given.
        query_heads: usize,
        /// As given.
        kv_heads: usize,
    },
    /// Groups of 4-bit weights fill no row.
    #[error("{field} = {size} is no multiple of {group}; weights of 4 bits come in groups of so many inputs", group = GROUP)]
    Groups {
        /// The inputs of a product.
        field: &'static str,
        /// As given.
        size: usize,
    },
    /// Rotary positions turn pairs of columns.
    #[error("head_dim = {0} is odd; rotary positions need an even one")]
    OddHead(usize),
}

impl Config {
    /// TinyLlama 1.1B: 22 layers of 2048, 32 query heads over 4 KV heads of 64, feed-forward 5632, 32,000 tokens.
    ///
    /// Zhang et al. 2024, "TinyLlama: An Open-Source Small Language Model", arXiv:2401.02385, section 2.2; Llama's ε and
    /// rotary base.
    pub const TINY_LLAMA: Config = Config {
        layers: 22,
        hidden: 2048,
        ffn: 5632,
        query_heads: 32,
        kv_heads: 4,
        head_dim: 64,
        vocab: 32_000,
        dtype: DType::Bf16,
        int4: false,
        epsilon: 1e-5,
        rope_base: 10_000.0,
    };

    /// Checks the sizes.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn check(&self) -> Result<(), ConfigError> {
        let Config { layers, hidden, ffn, query_heads, kv_heads, head_dim, vocab, .. } = *self;
        let sizes = [("layers", layers), ("hidden", hidden), ("ffn", ffn), ("query_heads", query_heads)];
        let more = [("kv_heads", kv_heads), ("head_dim", head_dim), ("vocab", vocab)];
        if let Some((field, _)) = sizes.into_iter().chain(more).find(|(_, size)| *size == 0) {
            return Err(ConfigError::Zero { field });
        }
        if query_heads % kv_heads != 0 {
            return Err(ConfigError::Heads { query_heads, kv_heads });
        }
        let inputs = [("hidden", hidden), ("query_heads · head_dim", self.query_cols()), ("ffn", ffn)];
        if let Some((field, size)) = inputs.into_iter().find(|(_, size)| self.int4 && !size.is_multiple_of(GROUP)) {
            return Err(ConfigError::Groups { field, size });
        }
        if head_dim % 2 == 1 { Err(ConfigError::OddHead(head_dim)) } else { Ok(()) }
    }

    /// What products read: `bf16`, or `bf16-i4` where weights are of 4 bits.
    pub fn numbers(&self) -> String {
        format!("{}{}", self.dtype, if self.int4 { "-i4" } else { "" })
    }

    /// Columns of all query heads.
    pub fn query_cols(&self) -> usize {
        self.query_heads * self.head_dim
    }

    /// Columns of queries, keys and values of a token, side by side.
    pub fn qkv_cols(&self) -> usize {
        (self.query_heads + 2 * self.kv_heads) * self.head_dim
    }

    /// Parameters of the products of all layers and of the head: what a step reads. Norms and the embedding, of which a
    /// step reads a row a token, are left out.
    pub fn read_parameters(&self) -> usize {
        let Config { layers, hidden, ffn, vocab, .. } = *self;
        layers * hidden * (self.qkv_cols() + self.query_cols() + 3 * ffn) + vocab * hidden
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiny_llama_has_its_published_parameters() {
        let config = Config::TINY_LLAMA;
        config.check().expect("sound sizes");
        // arXiv:2401.02385: 1.1 billion; the embedding is as large as the head.
        let all = config.read_parameters() + config.vocab * config.hidden;
        assert_eq!(all as f64 / 1e9, 1.099_956_224); // 22·2048·(2560 + 2048 + 16896) + 2·32000·2048
    }

    #[test]
    fn nonsense_is_refused_with_the_field() {
        let refused = |config: Config| config.check().expect_err("nonsense").to_string();
        assert!(refused(Config { ffn: 0, ..Config::TINY_LLAMA }).contains("ffn is 0"));
        assert!(refused(Config { kv_heads: 5, ..Config::TINY_LLAMA }).contains("kv_heads = 5 does not divide"));
        assert!(refused(Config { head_dim: 3, ..Config::TINY_LLAMA }).contains("head_dim = 3 is odd"));
        let groups = Config { ffn: 5600 - 16, int4: true, ..Config::TINY_LLAMA };
        assert!(refused(groups).contains("ffn = 5584 is no multiple of 32"));
    }
}
