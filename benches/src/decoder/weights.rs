//! Random weights: distinct in each layer, so that no layer finds another's in a cache, and scaled so that activations
//! keep their size.

use farthing_kernels::DType;
use farthing_kernels::backend::{Backend, DeviceError};
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

    /// Elements, where they are drawn from, and their type.
    fn draw(self, config: &Config) -> (usize, std::ops::Range<f64>, DType) {
        let Config { hidden, ffn, vocab, dtype, .. } = *config;
        // Uniform between ±√(3/k), of variance 1/k: a product over k values of variance 1 has variance 1 again.
        let matrix = |outputs: usize, inputs: usize| {
            let reach = (3.0 / inputs as f64).sqrt();
            (outputs * inputs, -reach..reach, dtype)
        };
        match self {
            Part::Embedding => (vocab * hidden, -(3f64.sqrt())..3f64.sqrt(), dtype),
            Part::AttentionNorm(_) | Part::FfnNorm(_) | Part::LastNorm => (hidden, 0.5..1.5, DType::F32),
            Part::Qkv(_) => matrix(config.qkv_cols(), hidden),
            Part::Out(_) => matrix(hidden, config.query_cols()),
            Part::GateUp(_) => matrix(2 * ffn, hidden),
            Part::Down(_) => matrix(hidden, ffn),
            Part::Head => matrix(vocab, hidden),
        }
    }

    /// Its bytes: the same for the same sizes and seed.
    pub(super) fn bytes(self, config: &Config, seed: u64) -> Vec<u8> {
        let (elems, range, dtype) = self.draw(config);
        let mut rng = StdRng::seed_from_u64(seed.wrapping_add(self.number() << 32));
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

/// Weights of a layer on a device.
pub(super) struct Layer<B: Backend> {
    pub(super) attention_norm: B::Buffer,
    pub(super) qkv: B::Buffer,
    pub(super) out: B::Buffer,
    pub(super) ffn_norm: B::Buffer,
    pub(super) gate_up: B::Buffer,
    pub(super) down: B::Buffer,
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
        let layer = |layer: usize| {
            Ok(Layer {
                attention_norm: on_device(Part::AttentionNorm(layer))?,
                qkv: on_device(Part::Qkv(layer))?,
                out: on_device(Part::Out(layer))?,
                ffn_norm: on_device(Part::FfnNorm(layer))?,
                gate_up: on_device(Part::GateUp(layer))?,
                down: on_device(Part::Down(layer))?,
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
