//! Random weights: distinct in each layer, so that no layer finds another's in a cache, and scaled so that activations
//! keep their size.

use farthing_kernels::DType;
use farthing_kernels::backend::{Backend, DeviceError};
use farthing_kernels::problem::GROUP;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::Config;

/// Values drawn and encoded at a time: a tensor of 65 million needs no second copy of itself.
const CHUNK: usize = 1 << 16;

/// One tensor of a decoder. Matrices are `[outputs, inputs]`, as linear layers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// `[vocab, hidden]`.
    Embedding,
    /// Gains of a layer's first norm, `[hidden]`.
    AttentionNorm(usize),
    /// Queries, keys, values, `[qkv, hidden]`.
    Qkv(usize),
    /// `[hidden, query columns]`.
    Out(usize),
    /// Gains of a layer's second norm, `[hidden]`.
    FfnNorm(usize),
    /// Gates, then what they gate, `[2 · ffn, hidden]`.
    GateUp(usize),
    /// `[hidden, ffn]`.
    Down(usize),
    /// Gains of the last norm, `[hidden]`.
    LastNorm,
    /// `[vocab, hidden]`.
    Head,
}

impl Part {
    /// Number of the part among all, for its seed.
    fn number(self) -> u64 {
        let of_layer = |layer: usize, at: u64| 3 + 6 * layer as u64 + at;
        match self {
            Part::Embedding => 0,
            Part::LastNorm => 1,
            Part::Head => 2,
            Part::AttentionNorm(layer) => of_layer(layer, 0),
            Part::Qkv(layer) => of_layer(layer, 1),
            Part::Out(layer) => of_layer(layer, 2),
            Part::FfnNorm(layer) => of_layer(layer, 3),
            Part::GateUp(layer) => of_layer(layer, 4),
            Part::Down(layer) => of_layer(layer, 5),
        }
    }

    /// Outputs and inputs of a product's weights.
    fn matrix(self, config: &Config) -> Option<(usize, usize)> {
        let Config { hidden, ffn, vocab, .. } = *config;
        match self {
            Part::Qkv(_) => Some((config.qkv_cols(), hidden)),
            Part::Out(_) => Some((hidden, config.query_cols())),
            Part::GateUp(_) => Some((2 * ffn, hidden)),
            Part::Down(_) => Some((hidden, ffn)),
            Part::Head => Some((vocab, hidden)),
            Part::Embedding | Part::AttentionNorm(_) | Part::FfnNorm(_) | Part::LastNorm => None,
        }
    }

    /// Outputs and inputs of weights that are of 4 bits.
    fn int4(self, config: &Config) -> Option<(usize, usize)> {
        self.matrix(config).filter(|_| config.int4 && self != Part::Head)
    }

    /// Elements, where they are drawn from, and their type.
    fn draw(self, config: &Config) -> (usize, std::ops::Range<f64>, DType) {
        let Config { hidden, vocab, dtype, .. } = *config;
        match self.matrix(config) {
            // Uniform between ±√(3/k), of variance 1/k: a product over k values of variance 1 has variance 1 again.
            Some((outputs, inputs)) => {
                let reach = (3.0 / inputs as f64).sqrt();
                (outputs * inputs, -reach..reach, dtype)
            }
            None if self == Part::Embedding => (vocab * hidden, -(3f64.sqrt())..3f64.sqrt(), dtype),
            None => (hidden, 0.5..1.5, DType::F32),
        }
    }

    fn rng(self, seed: u64, stream: u64) -> StdRng {
        StdRng::seed_from_u64(seed.wrapping_add(self.number() << 32).wrapping_add(stream << 63))
    }

    /// Scales of the groups of weights of 4 bits, f16 `[outputs, inputs / 32]`: within half of 1 around what gives uniform
    /// integers from -8 to 7, whose mean square is 21.5, a mean square of 1/k.
    pub(super) fn scales(self, config: &Config, seed: u64) -> Option<Vec<u8>> {
        let (outputs, inputs) = self.int4(config)?;
        let mut rng = self.rng(seed, 1);
        let scale = (21.5 * inputs as f64).powf(-0.5);
        let scales = (0..outputs * inputs / GROUP).map(|_| scale * (0.5 + f64::from(rng.random::<f32>())));
        Some(DType::F16.encode(&scales.collect::<Vec<f64>>()))
    }

    /// Its bytes: the same for the same sizes and seed.
    pub(super) fn bytes(self, config: &Config, seed: u64) -> Vec<u8> {
        let mut rng = self.rng(seed, 0);
        if let Some((outputs, inputs)) = self.int4(config) {
            let mut bytes = vec![0; outputs * inputs / 2];
            rng.fill(bytes.as_mut_slice());
            return bytes;
        }
        let (elems, range, dtype) = self.draw(config);
        let mut bytes = Vec::with_capacity(elems * dtype.size_bytes());
        let width = range.end - range.start;
        for first in (0..elems).step_by(CHUNK) {
            let n = CHUNK.min(elems - first);
            let values: Vec<f64> = (0..n).map(|_| range.start + width * f64::from(rng.random::<f32>())).collect();
            bytes.extend(dtype.encode(&values));
        }
        bytes
    }
}

/// Weights of a product on a device.
pub(super) struct Matrix<B: Backend> {
    numbers: B::Buffer,
    /// Of the groups of 4-bit integers.
    scales: Option<B::Buffer>,
}

impl<B: Backend> Matrix<B> {
    fn drawn(backend: &B, part: Part, config: &Config, seed: u64) -> Result<Matrix<B>, DeviceError> {
        let scales = part.scales(config, seed);
        Ok(Matrix {
            numbers: uploaded(backend, &part.bytes(config, seed))?,
            scales: scales.map(|scales| uploaded(backend, &scales)).transpose()?,
        })
    }

    /// The operands of the product of `a` with them.
    pub(super) fn beside<'b>(&'b self, a: &'b B::Buffer) -> Vec<&'b B::Buffer> {
        [a, &self.numbers].into_iter().chain(&self.scales).collect()
    }
}

/// Weights of a layer on a device.
pub(super) struct Layer<B: Backend> {
    pub(super) attention_norm: B::Buffer,
    pub(super) qkv: Matrix<B>,
    pub(super) out: Matrix<B>,
    pub(super) ffn_norm: B::Buffer,
    pub(super) gate_up: Matrix<B>,
    pub(super) down: Matrix<B>,
}

/// Weights of a decoder: the layers' and the head's on a device, the embedding on the host, which gathers from it.
pub struct Weights<B: Backend> {
    pub(super) config: Config,
    pub(super) embedding: Vec<u8>,
    pub(super) layers: Vec<Layer<B>>,
    pub(super) last_norm: B::Buffer,
    pub(super) head: B::Buffer,
}

impl<B: Backend> std::fmt::Debug for Weights<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Weights").field("config", &self.config).finish_non_exhaustive()
    }
}

impl<B: Backend> Weights<B> {
    /// Draws all of them.
    ///
    /// # Errors
    /// The device has no room.
    pub fn random(backend: &B, config: &Config, seed: u64) -> Result<Weights<B>, DeviceError> {
        let on_device = |part: Part| uploaded(backend, &part.bytes(config, seed));
        let matrix = |part: Part| Matrix::drawn(backend, part, config, seed);
        let layer = |layer: usize| {
            Ok(Layer {
                attention_norm: on_device(Part::AttentionNorm(layer))?,
                qkv: matrix(Part::Qkv(layer))?,
                out: matrix(Part::Out(layer))?,
                ffn_norm: on_device(Part::FfnNorm(layer))?,
                gate_up: matrix(Part::GateUp(layer))?,
                down: matrix(Part::Down(layer))?,
            })
        };
        Ok(Weights {
            config: *config,
            embedding: Part::Embedding.bytes(config, seed),
            layers: (0..config.layers).map(layer).collect::<Result<_, DeviceError>>()?,
            last_norm: on_device(Part::LastNorm)?,
            head: on_device(Part::Head)?,
        })
    }
}

/// A buffer that holds these bytes.
pub(super) fn uploaded<B: Backend>(backend: &B, bytes: &[u8]) -> Result<B::Buffer, DeviceError> {
    let mut buffer = backend.alloc(bytes.len())?;
    backend.upload(bytes, &mut buffer)?;
    Ok(buffer)
}
