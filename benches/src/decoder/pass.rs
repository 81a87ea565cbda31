//! The kernels of a forward pass, lowered once for its sizes, and the buffers they work in.

use farthing_kernels::backend::{Backend, Elapsed};
use farthing_kernels::problem::{
    AttentionProblem, AttentionSizes, Kv, Layout, Mask, MatmulProblem, MatmulSizes, Problem,
};
use farthing_kernels::program::Program;
use farthing_kernels::tile::Tiling;
use farthing_kernels::{AttentionStrides, DType, HeadStrides, attention_strided, matmul};

use super::programs::{self, Append, Step};
use super::weights::{Layer, Weights, uploaded};
use super::{Cache, Config, DecoderError};

/// The products and the attention of a pass: what a harness has rows of.
#[derive(Clone, Debug, PartialEq)]
pub struct Kernel {
    /// What it is for.
    pub name: &'static str,
    /// What it computes.
    pub problem: Problem,
    /// Launches a pass.
    pub launches: usize,
}

/// Kernels of a pass of `tokens` new tokens in each of `sequences`, with `context` tokens in the cache once they are.
///
/// # Errors
/// The sizes overflow memory.
pub fn kernels(config: &Config, sequences: usize, tokens: usize, context: usize) -> Result<Vec<Kernel>, DecoderError> {
    let Config { layers, hidden, ffn, vocab, .. } = *config;
    let m = sequences * tokens;
    let attention = attention_problem(config, Step { sequences, tokens }, context)?;
    let of_layer = layout(config);
    let product = |name, m, n, k, layout| {
        let launches = if name == "head" { 1 } else { layers };
        Ok::<_, DecoderError>(Kernel { name, problem: Problem::Matmul(product(config, [m, n, k], layout)?), launches })
    };
    Ok(vec![
        product("qkv", m, config.qkv_cols(), hidden, of_layer)?,
        Kernel { name: "attention", problem: Problem::Attention(attention), launches: layers },
        product("out", m, hidden, config.query_cols(), of_layer)?,
        product("gate and up", m, 2 * ffn, hidden, of_layer)?,
        product("down", m, hidden, ffn, of_layer)?,
        product("head", sequences, vocab, hidden, Layout::Nk)?,
    ])
}

/// How the layers' products keep their weights.
fn layout(config: &Config) -> Layout {
    if config.int4 { Layout::NkI4 } else { Layout::Nk }
}

fn product(config: &Config, [m, n, k]: [usize; 3], layout: Layout) -> Result<MatmulProblem, DecoderError> {
    let (input, output) = (config.dtype, DType::F32);
    Ok(MatmulProblem::new(MatmulSizes { batch: 1, m, n, k, input, output, layout })?)
}

fn attention_problem(config: &Config, step: Step, context: usize) -> Result<AttentionProblem, DecoderError> {
    Ok(AttentionProblem::new(AttentionSizes {
        batch: step.sequences,
        hq: config.query_heads,
        hkv: config.kv_heads,
        sq: step.tokens,
        skv: context,
        d: config.head_dim,
        dv: config.head_dim,
        // A single query at the end sees every key.
        mask: if step.tokens == 1 { Mask::None } else { Mask::Causal },
        input: config.dtype,
        output: config.dtype,
        kv: Kv::Input,
        page: None,
    })?)
}

/// Kernels that depend on the position of the new tokens: lowered for each, outside of any timing.
pub struct At<B: Backend> {
    pub(super) position: usize,
    append_keys: B::Executable,
    append_values: B::Executable,
    attention: B::Executable,
}

/// Kernels that do not, and activations.
pub struct Pass<B: Backend> {
    pub(super) step: Step,
    norm: B::Executable,
    qkv: B::Executable,
    turned_queries: B::Executable,
    out: B::Executable,
    residual: B::Executable,
    gate_up: B::Executable,
    silu_gate: B::Executable,
    down: B::Executable,
    last_norm: B::Executable,
    head: B::Executable,
    pub(super) act: Activations<B>,
}

/// Activations, a token a row.
pub(super) struct Activations<B: Backend> {
    /// The residual stream, f32 `[m, hidden]`, before and after a layer.
    pub(super) x: B::Buffer,
    /// The residual stream between attention and feed-forward.
    between: B::Buffer,
    /// What a product adds to it.
    y: B::Buffer,
    normed: B::Buffer,
    qkv: B::Buffer,
    q: B::Buffer,
    attended: B::Buffer,
    gate_up: B::Buffer,
    gated: B::Buffer,
    /// Cosines and sines of the positions, f32 `[tokens, head_dim / 2]`.
    pub(super) cos: B::Buffer,
    pub(super) sin: B::Buffer,
    last: B::Buffer,
    /// f32 `[sequences, vocab]`.
    pub(super) logits: B::Buffer,
}

impl<B: Backend> Activations<B> {
    fn new(backend: &B, config: &Config, step: Step) -> Result<Activations<B>, DecoderError> {
        let m = step.sequences * step.tokens;
        let alloc = |elems: usize, dtype: DType| Ok::<_, DecoderError>(backend.alloc(elems * dtype.size_bytes())?);
        let f32s = |elems| alloc(elems, DType::F32);
        let narrow = |elems| alloc(elems, config.dtype);
        let angles = step.tokens * config.head_dim / 2;
        Ok(Activations {
            x: f32s(m * config.hidden)?,
            between: f32s(m * config.hidden)?,
            y: f32s(m * config.hidden)?,
            normed: narrow(m * config.hidden)?,
            qkv: f32s(m * config.qkv_cols())?,
            q: narrow(m * config.query_cols())?,
            attended: narrow(m * config.query_cols())?,
            gate_up: f32s(m * 2 * config.ffn)?,
            gated: narrow(m * config.ffn)?,
            cos: f32s(angles)?,
            sin: f32s(angles)?,
            last: narrow(step.sequences * config.hidden)?,
            logits: f32s(step.sequences * config.vocab)?,
        })
    }
}

fn lowered<B: Backend>(backend: &B, program: &Program) -> Result<B::Executable, DecoderError> {
    Ok(backend.lower(program)?)
}

fn lowered_product<B: Backend>(backend: &B, problem: MatmulProblem) -> Result<B::Executable, DecoderError> {
    let problem = Problem::Matmul(problem);
    match (&problem, backend.tilings(&problem).first()) {
        (Problem::Matmul(p), Some(Tiling::Matmul(tiling))) => lowered(backend, &matmul(p, tiling)),
        _ => Err(DecoderError::NoTiling(problem.to_string())),
    }
}

impl<B: Backend> Pass<B> {
    pub(super) fn new(backend: &B, config: &Config, step: Step) -> Result<Pass<B>, DecoderError> {
        let Config { hidden, ffn, vocab, .. } = *config;
        let m = step.sequences * step.tokens;
        let of = |m, n, k| lowered_product(backend, product(config, [m, n, k], layout(config))?);
        Ok(Pass {
            step,
            norm: lowered(backend, &programs::rms_norm(config, m, hidden)?)?,
            qkv: of(m, config.qkv_cols(), hidden)?,
            turned_queries: lowered(backend, &programs::turned_queries(config, step)?)?,
            out: of(m, hidden, config.query_cols())?,
            residual: lowered(backend, &programs::residual(config, m)?)?,
            gate_up: of(m, 2 * ffn, hidden)?,
            silu_gate: lowered(backend, &programs::silu_gate(config, m)?)?,
            down: of(m, hidden, ffn)?,
            last_norm: lowered(backend, &programs::rms_norm(config, step.sequences, step.tokens * hidden)?)?,
            head: lowered_product(backend, product(config, [step.sequences, vocab, hidden], Layout::Nk)?)?,
            act: Activations::new(backend, config, step)?,
        })
    }

    /// One layer.
    pub(super) fn layer(
        &mut self,
        backend: &B,
        at: &At<B>,
        weights: &Layer<B>,
        cache: &mut Cache<B>,
        layer: usize,
    ) -> Result<(), DecoderError> {
        self.before_attention(backend, at, weights, cache, layer)?;
        let Activations { x, between, y, normed, q, attended, gate_up, gated, .. } = &mut self.act;
        backend.run(&at.attention, 1, &[q, &cache.keys[layer], &cache.values[layer]], attended)?;
        backend.run(&self.out, 1, &weights.out.beside(attended), y)?;
        backend.run(&self.residual, 1, &[x, y], between)?;
        backend.run(&self.norm, 1, &[between, &weights.ffn_norm], normed)?;
        backend.run(&self.gate_up, 1, &weights.gate_up.beside(normed), gate_up)?;
        backend.run(&self.silu_gate, 1, &[gate_up], gated)?;
        backend.run(&self.down, 1, &weights.down.beside(gated), y)?;
        backend.run(&self.residual, 1, &[between, y], x)?;
        Ok(())
    }

    fn before_attention(
        &mut self,
        backend: &B,
        at: &At<B>,
        weights: &Layer<B>,
        cache: &mut Cache<B>,
        layer: usize,
    ) -> Result<(), DecoderError> {
        let Activations { x, normed, qkv, q, cos, sin, .. } = &mut self.act;
        backend.run(&self.norm, 1, &[x, &weights.attention_norm], normed)?;
        backend.run(&self.qkv, 1, &weights.qkv.beside(normed), qkv)?;
        backend.run(&self.turned_queries, 1, &[qkv, cos, sin], q)?;
        backend.run(&at.append_keys, 1, &[qkv, cos, sin], &mut cache.keys[layer])?;
        backend.run(&at.append_values, 1, &[qkv], &mut cache.values[layer])?;
        Ok(())
    }

    /// The limit that bounds the arithmetic of its products.
    pub(super) fn compute_limit(&self, backend: &B) -> Option<String> {
        backend.lowered(&self.gate_up).compute_limit
    }

    /// The last norm and the head.
    pub(super) fn head(&mut self, backend: &B, weights: &Weights<B>) -> Result<(), DecoderError> {
        let Activations { x, last, logits, .. } = &mut self.act;
        backend.run(&self.last_norm, 1, &[x, &weights.last_norm], last)?;
        backend.run(&self.head, 1, &[last, &weights.head], logits)?;
        Ok(())
    }

    /// Each kernel of a pass that is neither a product nor attention, alone, as often as a pass launches it: seconds.
    pub(super) fn elementwise(
        &mut self,
        backend: &B,
        at: &At<B>,
        weights: &Weights<B>,
        cache: &mut Cache<B>,
    ) -> Result<f64, DecoderError> {
        let Activations { x, between, y, normed, qkv, q, gate_up, gated, cos, sin, last, .. } = &mut self.act;
        let mut seconds = 0.0;
        let mut take = |elapsed: Elapsed| seconds += elapsed.seconds;
        for (layer, weights) in weights.layers.iter().enumerate() {
            take(backend.run(&self.norm, 1, &[x, &weights.attention_norm], normed)?);
            take(backend.run(&self.turned_queries, 1, &[qkv, cos, sin], q)?);
            take(backend.run(&at.append_keys, 1, &[qkv, cos, sin], &mut cache.keys[layer])?);
            take(backend.run(&at.append_values, 1, &[qkv], &mut cache.values[layer])?);
            take(backend.run(&self.residual, 1, &[x, y], between)?);
            take(backend.run(&self.norm, 1, &[between, &weights.ffn_norm], normed)?);
            take(backend.run(&self.silu_gate, 1, &[gate_up], gated)?);
            take(backend.run(&self.residual, 1, &[between, y], x)?);
        }
        take(backend.run(&self.last_norm, 1, &[x, &weights.last_norm], last)?);
        Ok(seconds)
    }
}

impl<B: Backend> At<B> {
    pub(super) fn new(backend: &B, config: &Config, append: Append) -> Result<At<B>, DecoderError> {
        let Append { step, capacity, position } = append;
        let problem = attention_problem(config, step, position + step.tokens)?;
        let (heads, kv_heads, e) = (config.query_heads, config.kv_heads, config.head_dim);
        // Queries and output lie token by token, as the products around them read and write them.
        let tokens = HeadStrides { batch: step.tokens * heads * e, head: e, position: heads * e };
        let cache = HeadStrides::contiguous(kv_heads, capacity, e);
        let strides = AttentionStrides { q: tokens, k: cache, v: cache, out: tokens };
        let tilings = backend.tilings(&Problem::Attention(problem.clone()));
        let Some(Tiling::Attention(tiling)) = tilings.first() else {
            return Err(DecoderError::NoTiling(problem.to_string()));
        };
        Ok(At {
            position,
            append_keys: lowered(backend, &programs::append_keys(config, append)?)?,
            append_values: lowered(backend, &programs::append_values(config, append)?)?,
            attention: lowered(backend, &attention_strided(&problem, tiling, &strides)?)?,
        })
    }
}

impl<B: Backend> Cache<B> {
    /// Room for `capacity` positions of each sequence in each layer, filled with `bytes`.
    pub(super) fn of(
        backend: &B,
        config: &Config,
        (sequences, capacity): (usize, usize),
        bytes: impl Fn(usize) -> Vec<u8>,
    ) -> Result<Cache<B>, DecoderError> {
        let size = sequences * config.kv_heads * capacity * config.head_dim * config.dtype.size_bytes();
        let filled = bytes(size);
        let layers = || (0..config.layers).map(|_| uploaded(backend, &filled)).collect::<Result<Vec<_>, _>>();
        Ok(Cache { keys: layers()?, values: layers()?, sequences, capacity })
    }
}
