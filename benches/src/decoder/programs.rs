//! What lies between the products of a decoder, as tile programs: norms, rotary positions, the cache's new rows, the
//! gate, the residual.
//!
//! Activations are row-major, a token a row. Programs with a position take it from an axis of blocks of `tokens`
//! positions: the new rows of a cache lie at block `position / tokens`.

use std::f64::consts::LOG2_E;

use farthing_kernels::DType;
use farthing_kernels::program::{Axis, Body, Index, Program, ProgramError, Span, TileId};
use farthing_kernels::tile::n_tiles;

use super::Config;

/// Rows of a tile: a few, so that points are longer than what it takes to begin one, and a tile stays in L1 or L2.
const ROWS: usize = 4;
/// Rows of a tile of heads, which are short.
const HEAD_ROWS: usize = 64;
/// Columns of a tile where there is no sum over them.
const COLS: usize = 1024;

/// `out = gain ⊙ x / √(mean x² + ε)` for `rows` rows of `stride` elements, from row `first` of each: `[rows, hidden]`.
///
/// Zhang & Sennrich 2019, "Root Mean Square Layer Normalization", arXiv:1910.07467.
pub(super) fn rms_norm(config: &Config, rows: usize, stride: usize) -> Result<Program, ProgramError> {
    let d = config.hidden;
    Program::build("rms_norm", |b| {
        // The last of `stride / d` tokens of each row's group.
        let tokens = stride / d;
        let x = b.input("x", DType::F32, &[Axis { len: tokens, stride: d }], &[Axis { len: rows, stride }], d);
        let gain = b.input_matrix("gain", DType::F32, &[], 1, d);
        let out = b.output_matrix("out", config.dtype, &[], rows, d);
        b.each_point([("i", n_tiles(rows, ROWS))], |b, [i]| {
            let (at, cols) = (Span::tile(i, ROWS, rows), Span::whole(d));
            let x = b.load(x, &[last(tokens)], at, cols);
            let y = b.like(x);
            b.mul(y, x, x);
            let scale = b.row_sum(y);
            b.mul(scale, scale, (1.0 / d as f64) as f32);
            b.add(scale, scale, config.epsilon);
            b.rsqrt(scale, scale);
            b.mul(y, x, scale);
            let gain = b.load(gain, &[], Span::ONE, cols);
            b.mul(y, y, gain);
            b.store(out, &[], y);
        });
    })
}

/// The two halves of a row, as indices of an axis.
const HALVES: [Index; 2] = [Index::constant(0), Index::constant(1)];

fn last(len: usize) -> Index {
    Index::constant(len as i64 - 1)
}

/// `out = x + y`, `[rows, hidden]`: the residual stream.
pub(super) fn residual(config: &Config, rows: usize) -> Result<Program, ProgramError> {
    let d = config.hidden;
    Program::build("residual", |b| {
        let [x, y] = ["x", "y"].map(|name| b.input_matrix(name, DType::F32, &[], rows, d));
        let out = b.output_matrix("out", DType::F32, &[], rows, d);
        b.each_point([("i", n_tiles(rows, ROWS)), ("j", n_tiles(d, COLS))], |b, [i, j]| {
            let (at, cols) = (Span::tile(i, ROWS, rows), Span::tile(j, COLS, d));
            let x = b.load(x, &[], at, cols);
            let y = b.load(y, &[], at, cols);
            let sum = b.like(x);
            b.add(sum, x, y);
            b.store(out, &[], sum);
        });
    })
}

/// `out = silu(gate) ⊙ up`, `silu(g) = g / (1 + e⁻ᵍ)`, of `[rows, 2 · ffn]` with the gates in front: `[rows, ffn]`.
///
/// Shazeer 2020, "GLU Variants Improve Transformer", arXiv:2002.05202.
pub(super) fn silu_gate(config: &Config, rows: usize) -> Result<Program, ProgramError> {
    let f = config.ffn;
    Program::build("silu_gate", |b| {
        let halves = [Axis { len: 2, stride: f }];
        let x = b.input("gate_up", DType::F32, &halves, &[Axis { len: rows, stride: 2 * f }], f);
        let out = b.output_matrix("out", config.dtype, &[], rows, f);
        b.each_point([("i", n_tiles(rows, ROWS)), ("j", n_tiles(f, COLS))], |b, [i, j]| {
            let (at, cols) = (Span::tile(i, ROWS, rows), Span::tile(j, COLS, f));
            let gate = b.load(x, &HALVES[..1], at, cols);
            let up = b.load(x, &HALVES[1..], at, cols);
            let y = b.like(gate);
            b.mul(y, gate, -LOG2_E as f32);
            b.exp2(y, y); // e⁻ᵍ
            b.add(y, y, 1.0);
            b.div(y, gate, y);
            b.mul(y, y, up);
            b.store(out, &[], y);
        });
    })
}

/// What a step does with the projected heads: `sequences` sequences of `tokens` new tokens each.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) sequences: usize,
    pub(super) tokens: usize,
}

/// Queries turned to their positions, out of `[sequences · tokens, qkv]`: `[sequences, tokens, query heads, head_dim]`.
///
/// Pairs `(x, y)` of columns `c` and `c + head_dim / 2` become `(x·cos − y·sin, y·cos + x·sin)`. Su et al. 2021,
/// "RoFormer", arXiv:2104.09864, in the order of Llama's published weights.
pub(super) fn turned_queries(config: &Config, step: Step) -> Result<Program, ProgramError> {
    let (e, half, width, heads) = (config.head_dim, config.head_dim / 2, config.qkv_cols(), config.query_heads);
    let Step { sequences, tokens } = step;
    let n_rows = sequences * tokens * heads;
    Program::build("turned_queries", |b| {
        let halves = Axis { len: 2, stride: half };
        let rows = |token: usize| [Axis { len: sequences * tokens, stride: token }, Axis { len: heads, stride: e }];
        let x = b.input("qkv", DType::F32, &[halves], &rows(width), half);
        // Sequences share their positions, heads too.
        let [none, each] = [0, half];
        let angles = [(sequences, none), (tokens, each), (heads, none)].map(|(len, stride)| Axis { len, stride });
        let [cos, sin] = ["cos", "sin"].map(|name| b.input(name, DType::F32, &[], &angles, half));
        let out = b.output("q", config.dtype, &[halves], &rows(heads * e), half);
        b.each_point([("i", n_tiles(n_rows, HEAD_ROWS))], |b, [i]| {
            let (at, cols) = (Span::tile(i, HEAD_ROWS, n_rows), Span::whole(half));
            let x = HALVES.map(|part| b.load(x, &[part], at, cols));
            let [cos, sin] = [cos, sin].map(|table| b.load(table, &[], at, cols));
            let turned = turn(b, x, cos, sin);
            b.store(out, &HALVES[..1], turned[0]);
            b.store(out, &HALVES[1..], turned[1]);
        });
    })
}

fn turn(b: &mut Body, [x, y]: [TileId; 2], cos: TileId, sin: TileId) -> [TileId; 2] {
    let (first, second, part) = (b.like(x), b.like(x), b.like(x));
    b.mul(first, x, cos);
    b.mul(part, y, sin);
    b.sub(first, first, part);
    b.mul(second, y, cos);
    b.mul(part, x, sin);
    b.add(second, second, part);
    [first, second]
}

/// The new rows of a cache `[sequences, kv heads, capacity, head_dim]` at one position.
#[derive(Clone, Copy)]
pub(super) struct Append {
    pub(super) step: Step,
    /// Positions that the cache has room for.
    pub(super) capacity: usize,
    /// First new position; a multiple of the step's tokens.
    pub(super) position: usize,
}

impl Append {
    /// Sequences, blocks of new positions, parts of a head; then heads and positions: `(lead, rows)` of the cache.
    fn cache(self, config: &Config, part: Axis) -> ([Axis; 3], [Axis; 2]) {
        let (e, tokens) = (config.head_dim, self.step.tokens);
        let head = self.capacity * e;
        let blocks = Axis { len: self.capacity / tokens, stride: tokens * e };
        let lead = [Axis { len: self.step.sequences, stride: config.kv_heads * head }, blocks, part];
        (lead, [Axis { len: config.kv_heads, stride: head }, Axis { len: tokens, stride: e }])
    }

    /// The same of the projected heads, from head `first` on: `(lead, rows)` of `[sequences · tokens, qkv]`.
    fn projected(self, config: &Config, first: usize, part: Axis) -> ([Axis; 3], [Axis; 2]) {
        let (e, width, tokens) = (config.head_dim, config.qkv_cols(), self.step.tokens);
        let skip = Axis { len: first + 1, stride: e };
        let lead = [Axis { len: self.step.sequences, stride: tokens * width }, skip, part];
        (lead, [Axis { len: config.kv_heads, stride: e }, Axis { len: tokens, stride: width }])
    }

    fn block(self) -> Index {
        Index::constant((self.position / self.step.tokens) as i64)
    }

    fn n_rows(self, config: &Config) -> usize {
        config.kv_heads * self.step.tokens
    }
}

/// Keys, turned to their positions, into their cache.
pub(super) fn append_keys(config: &Config, append: Append) -> Result<Program, ProgramError> {
    let half = config.head_dim / 2;
    let (first, n_rows, block) = (config.query_heads, append.n_rows(config), append.block());
    Program::build("append_keys", |b| {
        let halves = Axis { len: 2, stride: half };
        let (lead, rows) = append.projected(config, first, halves);
        let x = b.input("qkv", DType::F32, &lead, &rows, half);
        let angles = [(config.kv_heads, 0), (append.step.tokens, half)].map(|(len, stride)| Axis { len, stride });
        let [cos, sin] = ["cos", "sin"].map(|name| b.input(name, DType::F32, &[], &angles, half));
        let (lead, rows) = append.cache(config, halves);
        let out = b.output("keys", config.dtype, &lead, &rows, half);
        b.each_point([("sequence", append.step.sequences), ("i", n_tiles(n_rows, HEAD_ROWS))], |b, [s, i]| {
            let (at, cols) = (Span::tile(i, HEAD_ROWS, n_rows), Span::whole(half));
            let x = HALVES.map(|part| b.load(x, &[s.into(), last(first + 1), part], at, cols));
            let [cos, sin] = [cos, sin].map(|table| b.load(table, &[], at, cols));
            let turned = turn(b, x, cos, sin);
            b.store(out, &[s.into(), block, HALVES[0]], turned[0]);
            b.store(out, &[s.into(), block, HALVES[1]], turned[1]);
        });
    })
}

/// Values into their cache.
pub(super) fn append_values(config: &Config, append: Append) -> Result<Program, ProgramError> {
    let e = config.head_dim;
    let (first, n_rows, block) = (config.query_heads + config.kv_heads, append.n_rows(config), append.block());
    Program::build("append_values", |b| {
        let whole = Axis { len: 1, stride: e };
        let (lead, rows) = append.projected(config, first, whole);
        let x = b.input("qkv", DType::F32, &lead, &rows, e);
        let (lead, rows) = append.cache(config, whole);
        let out = b.output("values", config.dtype, &lead, &rows, e);
        b.each_point([("sequence", append.step.sequences), ("i", n_tiles(n_rows, HEAD_ROWS))], |b, [s, i]| {
            let (at, cols) = (Span::tile(i, HEAD_ROWS, n_rows), Span::whole(e));
            let x = b.load(x, &[s.into(), last(first + 1), HALVES[0]], at, cols);
            b.store(out, &[s.into(), block, HALVES[0]], x);
        });
    })
}
