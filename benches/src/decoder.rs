//! A whole decoder on one backend's kernels: what a step really takes, beside what rows of its kernels say it takes.
//!
//! ```text
//! gather rows of the embedding, angles of the positions                                        host
//! for each layer:  norm · qkv · turn queries · append keys, values · attention · out · residual
//!                  norm · gate and up · gate · down · residual                                 device
//! last norm · head                                                                             device
//! sample                                                                                       host
//! ```
//!
//! 1. Products and attention are the programs of `farthing-kernels`; what lies between them are tile programs too
//!    (`programs.rs`), so the decoder runs on any [`Backend`]: it holds typed buffers, since the object-safe face of a
//!    backend uploads all operands of a launch together, weights among them.
//! 2. The cache is `[sequences, kv heads, capacity, head_dim]` in each layer. A step writes its own rows into it and
//!    attention reads the rows so far through strides: nothing of the cache is copied. Three kernels know their
//!    position ([`At`]); they are lowered before any timing, as servers capture a step before they replay it.
//! 3. New positions lie at a multiple of their number: one token anywhere, a prompt at the start.

use farthing_kernels::DType;
use farthing_kernels::backend::{Backend, DeviceError, LowerError};
use farthing_kernels::problem::ProblemError;
use farthing_kernels::program::ProgramError;

mod bench;
mod config;
mod measure;
mod pass;
mod point;
mod programs;
mod report;
mod sample;
#[cfg(test)]
mod tests;
mod weights;

pub use bench::main;
pub use config::{Config, ConfigError};
pub use pass::{At, Kernel, Pass, kernels};
pub use sample::Sampler;
pub use weights::Weights;

use programs::{Append, Step};

/// Why there is no decoder, or no step.
#[derive(Debug, thiserror::Error)]
pub enum DecoderError {
    /// The sizes make no decoder.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A kernel's sizes make no problem.
    #[error(transparent)]
    Problem(#[from] ProblemError),
    /// A kernel cannot be written with these sizes.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The backend cannot run a kernel.
    #[error(transparent)]
    Lower(#[from] LowerError),
    /// The device failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The backend offers no tiling.
    #[error("the backend offers no tiling for {0}")]
    NoTiling(String),
    /// New tokens do not fit where they should go.
    #[error("position = {position} with {tokens} new tokens in a cache of {capacity}: {remedy}")]
    Position {
        /// First new position.
        position: usize,
        /// New tokens of a sequence.
        tokens: usize,
        /// Positions of the cache.
        capacity: usize,
        /// What would do.
        remedy: &'static str,
    },
    /// Not as many tokens as a pass takes.
    #[error("{given} tokens for a pass of {wanted}; give each sequence's new tokens, one sequence after the other")]
    Tokens {
        /// As given.
        given: usize,
        /// Sequences times new tokens.
        wanted: usize,
    },
    /// A kernel alone gave no time to predict from.
    #[error("{kernel}: {reason}")]
    NoRow {
        /// The kernel.
        kernel: String,
        /// What became of it.
        reason: String,
    },
    /// Samples that amount to nothing.
    #[error(transparent)]
    Samples(#[from] farthing::stats::StatsError),
    /// A token beyond the vocabulary.
    #[error("token {token} of a vocabulary of {vocab}; tokens are numbered from 0")]
    Vocabulary {
        /// As given.
        token: u32,
        /// Tokens there are.
        vocab: usize,
    },
}

/// Keys and values of each layer, `[sequences, kv heads, capacity, head_dim]`.
pub struct Cache<B: Backend> {
    keys: Vec<B::Buffer>,
    values: Vec<B::Buffer>,
    sequences: usize,
    capacity: usize,
}

/// Weights and a cache on one backend.
pub struct Decoder<'w, B: Backend> {
    backend: &'w B,
    weights: &'w Weights<B>,
    cache: Cache<B>,
}

impl<B: Backend> std::fmt::Debug for Decoder<'_, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("config", &self.weights.config).finish_non_exhaustive()
    }
}

impl<'w, B: Backend> Decoder<'w, B> {
    /// A decoder of `sequences` sequences with room for `capacity` positions each. What the cache holds before a step
    /// writes it is `fill` of so many bytes.
    ///
    /// # Errors
    /// The sizes make no decoder, or the device has no room.
    pub fn new(
        backend: &'w B,
        weights: &'w Weights<B>,
        (sequences, capacity): (usize, usize),
        fill: impl Fn(usize) -> Vec<u8>,
    ) -> Result<Decoder<'w, B>, DecoderError> {
        weights.config.check()?;
        let cache = Cache::of(backend, &weights.config, (sequences, capacity), fill)?;
        Ok(Decoder { backend, weights, cache })
    }

    /// Kernels and buffers for `tokens` new tokens in each sequence.
    ///
    /// # Errors
    /// The backend cannot run a kernel, or has no room.
    pub fn pass(&self, tokens: usize) -> Result<Pass<B>, DecoderError> {
        Pass::new(self.backend, &self.weights.config, Step { sequences: self.cache.sequences, tokens })
    }

    /// The kernels of a pass whose first new token stands at `position`.
    ///
    /// # Errors
    /// The new tokens do not fit there, or the backend cannot run a kernel.
    pub fn at(&self, pass: &Pass<B>, position: usize) -> Result<At<B>, DecoderError> {
        let (tokens, capacity) = (pass.step.tokens, self.cache.capacity);
        let refuse = |remedy| Err(DecoderError::Position { position, tokens, capacity, remedy });
        if !position.is_multiple_of(tokens) {
            return refuse("take a position that is a multiple of the new tokens");
        }
        if position + tokens > capacity {
            return refuse("make the decoder with a larger capacity");
        }
        At::new(self.backend, &self.weights.config, Append { step: pass.step, capacity, position })
    }

    /// Logits of the token behind the last of each sequence, `[sequences, vocab]`, for `tokens` `[sequences, new]`.
    ///
    /// # Errors
    /// The tokens are not the pass's, or the device failed.
    pub fn forward(&mut self, pass: &mut Pass<B>, at: &At<B>, tokens: &[u32]) -> Result<Vec<f32>, DecoderError> {
        self.enter(pass, at, tokens)?;
        for (layer, weights) in self.weights.layers.iter().enumerate() {
            pass.layer(self.backend, at, weights, &mut self.cache, layer)?;
        }
        pass.head(self.backend, self.weights)?;
        self.logits(pass)
    }

    /// Rows of the embedding and angles of the positions, from the host.
    fn enter(&self, pass: &mut Pass<B>, at: &At<B>, tokens: &[u32]) -> Result<(), DecoderError> {
        let config = &self.weights.config;
        let wanted = pass.step.sequences * pass.step.tokens;
        if tokens.len() != wanted {
            return Err(DecoderError::Tokens { given: tokens.len(), wanted });
        }
        if let Some(token) = tokens.iter().find(|token| **token as usize >= config.vocab) {
            return Err(DecoderError::Vocabulary { token: *token, vocab: config.vocab });
        }
        let row_bytes = config.hidden * config.dtype.size_bytes();
        let row =
            |token: &u32| config.dtype.decode(&self.weights.embedding[*token as usize * row_bytes..][..row_bytes]);
        let gathered: Vec<f64> = tokens.iter().flat_map(row).collect();
        self.backend.upload(&DType::F32.encode(&gathered), &mut pass.act.x)?;
        let angles: Vec<f64> = (at.position..at.position + pass.step.tokens).flat_map(|p| angles(config, p)).collect();
        let table = |f: fn(f64) -> f64| DType::F32.encode(&angles.iter().map(|angle| f(*angle)).collect::<Vec<_>>());
        self.backend.upload(&table(f64::cos), &mut pass.act.cos)?;
        self.backend.upload(&table(f64::sin), &mut pass.act.sin)?;
        Ok(())
    }

    fn logits(&self, pass: &Pass<B>) -> Result<Vec<f32>, DecoderError> {
        let mut logits = vec![0.0f32; pass.step.sequences * self.weights.config.vocab];
        self.backend.download(&pass.act.logits, bytemuck::cast_slice_mut(&mut logits))?;
        Ok(logits)
    }

    /// Seconds of all that a step launches besides products and attention, each kernel alone.
    fn elementwise(&mut self, pass: &mut Pass<B>, at: &At<B>) -> Result<f64, DecoderError> {
        pass.elementwise(self.backend, at, self.weights, &mut self.cache)
    }
}

/// Angles by which the pairs of a head turn at a position: `position · base^(−2i / head_dim)`.
fn angles(config: &Config, position: usize) -> impl Iterator<Item = f64> {
    let (base, e) = (config.rope_base, config.head_dim as f64);
    (0..config.head_dim / 2).map(move |i| position as f64 * base.powf(-2.0 * i as f64 / e))
}
