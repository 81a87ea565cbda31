//! The forward pass of a Llama, as a textbook writes it: one sequence, no cache, no tiles, f64.
//!
//! How far f32 and 16-bit arithmetic may lie from it is found by Monte Carlo arithmetic (Parker 1997, "Monte Carlo
//! Arithmetic", UCLA CSD-970002): the same pass with each operation off by a random part of its own error bound. What
//! the decoder is off by is one more such draw. Bounds that add up the worst case of every operation grow past the
//! logits themselves within a layer, and would let a wrong head pass.

use std::cell::RefCell;

use farthing_kernels::DType;
use farthing_kernels::backend::Limits;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::super::Config;
use super::super::weights::Part;

/// Unit roundoff of f32.
const U: f64 = DType::F32.unit_roundoff();

type Row = Vec<f64>;

/// A layer's weights.
struct Layer {
    attention_norm: Row,
    qkv: Row,
    out: Row,
    ffn_norm: Row,
    gate_up: Row,
    down: Row,
}

/// All weights.
pub(super) struct Values {
    config: Config,
    embedding: Row,
    layers: Vec<Layer>,
    last_norm: Row,
    head: Row,
}

impl Values {
    /// Those that a decoder of this seed draws.
    pub(super) fn of(config: &Config, seed: u64) -> Values {
        let matrix = |part: Part| {
            let bytes = part.bytes(config, seed);
            part.scales(config, seed).map_or_else(|| config.dtype.decode(&bytes), |scales| dequantised(&bytes, &scales))
        };
        let gains = |part: Part| DType::F32.decode(&part.bytes(config, seed));
        let layer = |layer: usize| Layer {
            attention_norm: gains(Part::AttentionNorm(layer)),
            qkv: matrix(Part::Qkv(layer)),
            out: matrix(Part::Out(layer)),
            ffn_norm: gains(Part::FfnNorm(layer)),
            gate_up: matrix(Part::GateUp(layer)),
            down: matrix(Part::Down(layer)),
        };
        Values {
            config: *config,
            embedding: matrix(Part::Embedding),
            layers: (0..config.layers).map(layer).collect(),
            last_norm: gains(Part::LastNorm),
            head: matrix(Part::Head),
        }
    }
}

/// Weights of 4 bits: byte `j` of a group of 32 holds number `j` in its low half and number `j + 16` in its high half.
fn dequantised(bytes: &[u8], scales: &[u8]) -> Row {
    let scales = DType::F16.decode(scales);
    let group = |(bytes, scale): (&[u8], &f64)| {
        let number = |half: u8| (f64::from(half) - 8.0) * scale;
        let low = bytes.iter().map(|byte| number(byte & 15));
        low.chain(bytes.iter().map(|byte| number(byte >> 4))).collect::<Row>()
    };
    bytes.chunks_exact(16).zip(&scales).flat_map(group).collect()
}

/// One forward pass.
pub(super) struct Textbook<'c> {
    values: &'c Values,
    config: &'c Config,
    limits: &'c Limits,
    /// Draws of the errors; none computes in f64.
    errors: Option<RefCell<StdRng>>,
}

impl<'c> Textbook<'c> {
    /// In f64.
    pub(super) fn exact(values: &'c Values, limits: &'c Limits) -> Textbook<'c> {
        Textbook { values, config: &values.config, limits, errors: None }
    }

    /// With errors of a device of these limits, drawn from `draw`.
    pub(super) fn perturbed(values: &'c Values, limits: &'c Limits, draw: u64) -> Textbook<'c> {
        Textbook { errors: Some(RefCell::new(StdRng::seed_from_u64(draw))), ..Textbook::exact(values, limits) }
    }

    /// Logits behind each token, `[tokens][vocab]`.
    pub(super) fn logits(&self, tokens: &[u32]) -> Vec<Row> {
        let hidden = self.config.hidden;
        let mut xs: Vec<Row> =
            tokens.iter().map(|t| self.values.embedding[*t as usize * hidden..][..hidden].to_vec()).collect();
        for layer in &self.values.layers {
            xs = self.attended(layer, &xs);
            xs = xs.iter().map(|x| self.fed_forward(layer, x)).collect();
        }
        xs.iter().map(|x| self.times(&self.values.head, &self.normed(&self.values.last_norm, x))).collect()
    }

    /// `x` off by up to `u` of itself.
    fn off(&self, x: f64, u: f64) -> f64 {
        self.errors.as_ref().map_or(x, |rng| x * (1.0 + u * rng.borrow_mut().random_range(-1.0..=1.0)))
    }

    /// Rounded to f32.
    fn f32(&self, x: f64) -> f64 {
        self.off(x, U)
    }

    /// Rounded to the type that products read; f32 is what it is in already.
    fn narrow(&self, row: Row) -> Row {
        let dtype = self.config.dtype;
        // Half of the last place of numbers that are not normal.
        let lost = if dtype == DType::F16 { 2f64.powi(-25) } else { 0.0 };
        let narrowed = |x: f64| self.off(x, dtype.unit_roundoff()) + self.off(lost, 1.0) - lost;
        if dtype == DType::F32 { row } else { row.into_iter().map(narrowed).collect() }
    }

    /// `Σ x · y`.
    fn dot(&self, x: &[f64], y: &[f64]) -> f64 {
        x.iter().zip(y).fold(0.0, |sum, (x, y)| self.f32(sum + self.f32(x * y)))
    }

    /// `W·x`.
    fn times(&self, w: &[f64], x: &[f64]) -> Row {
        w.chunks_exact(x.len()).map(|row| self.dot(row, x)).collect()
    }

    fn sum(&self, x: &[f64], y: &[f64]) -> Row {
        x.iter().zip(y).map(|(x, y)| self.f32(x + y)).collect()
    }

    fn normed(&self, gains: &[f64], x: &[f64]) -> Row {
        let mean = self.f32(self.dot(x, x) / x.len() as f64);
        let scale =
            self.off(self.f32(mean + f64::from(self.config.epsilon)).sqrt().recip(), self.limits.function_error);
        self.narrow(x.iter().zip(gains).map(|(x, gain)| self.f32(self.f32(x * scale) * gain)).collect())
    }

    fn attended(&self, layer: &Layer, xs: &[Row]) -> Vec<Row> {
        let Config { query_heads, kv_heads, head_dim: e, .. } = *self.config;
        let project = |x: &Row| self.times(&layer.qkv, &self.normed(&layer.attention_norm, x));
        let projected: Vec<Row> = xs.iter().map(project).collect();
        // Head `h` of all: queries, then keys, then values.
        let head = |p: usize, h: usize| &projected[p][h * e..][..e];
        let turned = |p: usize, h: usize| self.narrow(self.turned(p, head(p, h)));
        let key = |p: usize, h: usize| turned(p, query_heads + h);
        let value = |p: usize, h: usize| self.narrow(head(p, query_heads + kv_heads + h).to_vec());
        let n = xs.len();
        let of_heads = |of: &dyn Fn(usize, usize) -> Row| -> Vec<Vec<Row>> {
            (0..kv_heads).map(|h| (0..n).map(|p| of(p, h)).collect()).collect()
        };
        let (keys, values) = (of_heads(&key), of_heads(&value));
        let attend = |p: usize, h: usize| {
            let kv = h / (query_heads / kv_heads);
            self.narrow(self.weighted(&turned(p, h), &keys[kv][..=p], &values[kv][..=p]))
        };
        let heads = |p: usize| (0..query_heads).flat_map(|h| attend(p, h)).collect::<Row>();
        (0..n).map(|p| self.sum(&xs[p], &self.times(&layer.out, &heads(p)))).collect()
    }

    /// Pairs of columns `c` and `c + e / 2` turned by `position · base^(−2c / e)`.
    fn turned(&self, position: usize, x: &[f64]) -> Row {
        let half = x.len() / 2;
        let angle = |c: usize| position as f64 * self.config.rope_base.powf(-2.0 * c as f64 / x.len() as f64);
        let times = |x: f64, factor: f64| self.f32(x * self.f32(factor));
        let first = |c: usize| self.f32(times(x[c], angle(c).cos()) - times(x[c + half], angle(c).sin()));
        let second = |c: usize| self.f32(times(x[c + half], angle(c).cos()) + times(x[c], angle(c).sin()));
        (0..half).map(first).chain((0..half).map(second)).collect()
    }

    /// `softmax(q·kᵀ / √e)·v`.
    fn weighted(&self, q: &[f64], keys: &[Row], values: &[Row]) -> Row {
        let scale = self.f32(1.0 / (q.len() as f64).sqrt());
        let scores: Row = keys.iter().map(|key| self.f32(self.dot(q, key) * scale)).collect();
        let peak = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Row = scores.iter().map(|s| self.off(self.f32(s - peak).exp(), self.limits.exp2_error)).collect();
        let total = weights.iter().fold(0.0, |sum, weight| self.f32(sum + weight));
        let weights = self.narrow(weights);
        let column = |c: usize| self.dot(&weights, &values.iter().map(|v| v[c]).collect::<Row>());
        (0..values[0].len()).map(|c| self.off(column(c) / total, self.limits.function_error)).collect()
    }

    fn fed_forward(&self, layer: &Layer, x: &[f64]) -> Row {
        let both = self.times(&layer.gate_up, &self.normed(&layer.ffn_norm, x));
        let (gates, ups) = both.split_at(self.config.ffn);
        let gated = |(gate, up): (&f64, &f64)| {
            let below = self.f32(1.0 + self.off(self.f32(-gate).exp(), self.limits.exp2_error));
            self.f32(self.off(gate / below, self.limits.function_error) * up)
        };
        self.sum(x, &self.times(&layer.down, &self.narrow(gates.iter().zip(ups).map(gated).collect())))
    }
}
