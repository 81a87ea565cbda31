//! Seconds of each kernel of a step: from a chip's peaks and an engine's constants, or from whatever else implements
//! [`KernelTime`].

use super::accelerator::Accelerator;
use super::constants::Constants;
use super::routing::touched;
use crate::catalogue::Precision;
use crate::cost::error::CostError;

/// `[m, k] · [k, n]` with the weights `[n, k]` in a precision of their own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Matmul {
    /// Tokens.
    pub m: f64,
    /// Columns of the weights.
    pub n: f64,
    /// Length of the sum.
    pub k: f64,
    /// Number format of the weights.
    pub weights: Precision,
}

/// Gate, up and down of the experts that one rank holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Experts {
    /// Tokens that the router sends out, in the whole replica.
    pub tokens: f64,
    /// Experts of a layer.
    pub experts: f64,
    /// Experts that a token is sent to.
    pub active: f64,
    /// Copies of experts that are held, at least one of each.
    pub held: f64,
    /// Groups over which experts are spread.
    pub groups: f64,
    /// Width of the residual stream.
    pub hidden: f64,
    /// Width of one expert on this rank.
    pub width: f64,
    /// Number format of the weights.
    pub weights: Precision,
}

/// One query for each of some sequences against their caches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecodeAttention {
    /// Sequences.
    pub sequences: f64,
    /// Query heads of this rank.
    pub heads: f64,
    /// Heads of the cache on this rank; 1 where it is latent.
    pub kv_heads: f64,
    /// Positions of a sequence that are seen.
    pub context: f64,
    /// Cached numbers of a position and head that enter a score.
    pub score_width: f64,
    /// Cached numbers that are summed.
    pub value_width: f64,
    /// Cached numbers of a position and head: a latent cache holds keys and values as one.
    pub cached_width: f64,
    /// Number format of the cache.
    pub kv: Precision,
}

/// Tokens of prompts against what stands before them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrefillAttention {
    /// Tokens of prompts in this step.
    pub tokens: f64,
    /// Tokens of the prompt that they belong to.
    pub prompt: f64,
    /// Positions that a token sees on average.
    pub seen: f64,
    /// Query heads of this rank.
    pub heads: f64,
    /// Key and value heads of this rank.
    pub kv_heads: f64,
    /// Width of a key.
    pub score_width: f64,
    /// Width of a value.
    pub value_width: f64,
    /// Number format of the cache.
    pub kv: Precision,
}

/// Tokens on their way to the ranks of their experts, or back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AllToAll {
    /// Tokens of one rank.
    pub tokens: f64,
    /// Experts that a token is sent to.
    pub experts: f64,
    /// Bytes of a token.
    pub bytes: f64,
    /// Ranks over which experts are spread.
    pub ranks: f64,
    /// Experts of a layer, and how many are held with those that are held twice.
    pub of: (f64, f64),
    /// Whether a token travels to a domain once for all of its experts there.
    pub merged: bool,
}

/// What times the kernels of one rank. An error is a gap: nothing is known of such a kernel.
pub trait KernelTime {
    /// One matrix product.
    fn matmul(&self, shape: Matmul) -> Result<f64, CostError>;
    /// All products of the experts of a layer.
    fn experts(&self, shape: Experts) -> Result<f64, CostError>;
    /// Attention of running sequences in one layer.
    fn decode_attention(&self, shape: DecodeAttention) -> Result<f64, CostError>;
    /// Attention of prompts in one layer.
    fn prefill_attention(&self, shape: PrefillAttention) -> Result<f64, CostError>;
    /// An all-reduce of that many bytes over ranks.
    fn all_reduce(&self, bytes: f64, ranks: f64) -> f64;
    /// Tokens to their experts, or back.
    fn all_to_all(&self, exchange: AllToAll) -> f64;
    /// That many bytes from the `ranks` ranks of a stage to the next, of a replica of so many chips.
    fn send(&self, bytes: f64, ranks: f64, chips: f64) -> f64;
    /// Time of a step of so many kernels that take `busy` seconds by themselves; `mixed` where it holds a prompt.
    fn launched(&self, kernels: f64, busy: f64, mixed: bool) -> f64;
    /// Whether batches, prompts and contexts are padded to shapes that programs were compiled for.
    fn has_static_shapes(&self) -> bool;
    /// Time of a step outside of all kernels.
    fn scheduling(&self, sequences: f64) -> f64;
}

/// A chip's peaks under an engine's constants.
///
/// The form of the formulas and their fixed numbers belong to the fit that gave the constants: neither is worth
/// anything without the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Roofline {
    /// The chip.
    pub chip: Accelerator,
    /// The engine.
    pub constants: Constants,
}

/// Rows and columns of padding that a matrix product pays for.
const PADDING: (f64, f64) = (24.0, 128.0);
/// Rows and columns of padding of each expert's product.
const EXPERT_PADDING: (f64, f64) = (24.0, 64.0);
/// Attention reaches this share of the arithmetic of matrix products.
const ATTENTION_COMPUTE: f64 = 0.6;
/// Bytes of an activation between kernels.
const ACTIVATION_BYTES: f64 = 2.0;

/// `(a^2.5 + b^2.5)^0.4`: at least the longer, at most their sum. Two demands overlap badly where they are equal.
fn overlapped(a: f64, b: f64) -> f64 {
    let (small, large) = (a.min(b), a.max(b));
    if large == 0.0 {
        return 0.0;
    }
    let ratio = small / large;
    large * (1.0 + ratio * ratio * ratio.sqrt()).powf(0.4)
}

impl Roofline {
    fn rate(&self, format: Precision) -> Result<f64, CostError> {
        let rate = self.chip.rate(format).ok_or(CostError::NoRate { format })?;
        Ok(rate * self.constants.compute)
    }

    /// Scores and sums are as wide as the cache, and bf16 where that is narrower.
    fn attention_rate(&self, cache: Precision) -> Result<f64, CostError> {
        let wide = if cache.bits_per_weight() < 16.0 { Precision::Bf16 } else { cache };
        Ok(self.rate(wide)? * ATTENTION_COMPUTE)
    }

    fn read(&self, bytes: f64) -> f64 {
        bytes / (self.chip.bandwidth * self.constants.weight_read)
    }
}

impl KernelTime for Roofline {
    /// Memory time `(k·n·w + 2·m·(k + n)) / (W·uW)` and compute time `2·(m + 24)·k·(n + 128) / (F·uF)`, overlapped.
    fn matmul(&self, shape: Matmul) -> Result<f64, CostError> {
        let Matmul { m, n, k, weights } = shape;
        let read = self.read(weights.bytes_of(k * n).0 + ACTIVATION_BYTES * m * (k + n));
        Ok(overlapped(read, 2.0 * (m + PADDING.0) * k * (n + PADDING.1) / self.rate(weights)?))
    }

    /// As a matrix product, over the experts that are touched, times what a grouped product costs beyond it.
    fn experts(&self, shape: Experts) -> Result<f64, CostError> {
        let copies = shape.held / shape.experts;
        let local = touched(&shape, self.constants.routing_evenness) * copies / shape.groups;
        let rows = shape.tokens * shape.active / shape.groups * self.busiest(shape.groups, (shape.experts, shape.held));
        let elems = local * 3.0 * shape.hidden * shape.width;
        let moved = ACTIVATION_BYTES * rows * (2.0 * shape.hidden + 3.0 * shape.width);
        let padded = (rows + EXPERT_PADDING.0 * local) * 3.0 * shape.hidden * (shape.width + EXPERT_PADDING.1);
        let compute = 2.0 * padded / self.rate(shape.weights)?;
        let read = self.read(shape.weights.bytes_of(elems).0 + moved);
        Ok(self.constants.expert_slowdown * overlapped(read, compute))
    }

    /// Memory time `KV bytes / (W·uA)` and compute time `2·heads·(score + value)·pairs / (0.6·F·uF)`, overlapped.
    fn decode_attention(&self, shape: DecodeAttention) -> Result<f64, CostError> {
        let pairs = shape.sequences * shape.context;
        let bytes = shape.kv.bytes_of(pairs * shape.kv_heads * shape.cached_width).0;
        let flops = 2.0 * pairs * shape.heads * (shape.score_width + shape.value_width);
        let read = bytes / (self.chip.bandwidth * self.constants.kv_read);
        Ok(overlapped(read, flops / self.attention_rate(shape.kv)?))
    }

    /// Compute time alone: tiles of keys and values are read once for many queries.
    fn prefill_attention(&self, shape: PrefillAttention) -> Result<f64, CostError> {
        let pairs = shape.tokens * shape.seen;
        let flops = 2.0 * pairs * shape.heads * (shape.score_width + shape.value_width);
        Ok(flops / self.attention_rate(shape.kv)?)
    }

    fn all_reduce(&self, bytes: f64, ranks: f64) -> f64 {
        self.reduced(bytes, ranks)
    }

    fn all_to_all(&self, exchange: AllToAll) -> f64 {
        self.exchanged(exchange)
    }

    fn send(&self, bytes: f64, ranks: f64, chips: f64) -> f64 {
        self.sent(bytes, ranks, chips)
    }

    /// `busy + tk·kernels`, overlapped with the host's `te·kernels` where the step holds a prompt.
    fn launched(&self, kernels: f64, busy: f64, mixed: bool) -> f64 {
        let on_device = busy + kernels * self.constants.per_kernel;
        if mixed { overlapped(on_device, kernels * self.constants.per_kernel_mixed) } else { on_device }
    }

    fn has_static_shapes(&self) -> bool {
        self.chip.static_shapes
    }

    fn scheduling(&self, sequences: f64) -> f64 {
        self.constants.per_step + self.constants.per_sequence * sequences
    }
}
