//! Attention, written once.

use std::f64::consts::LOG2_E;

use crate::DType;
use crate::problem::{AttentionProblem, AttentionSizes, Kv, Mask, OperandShape, Problem};
use crate::program::{
    Axis, Body, Bound, Builder, Index, Paging, Program, ProgramError, Range, ReadTensor, Span, TileId, Var, WriteTensor,
};
use crate::tile::{AttentionTiling, Tiling, n_tiles};

/// `out[sq, dv] = softmax(scale · q[sq, d] · k[skv, d]ᵀ + mask) · v[skv, dv]`, one pass over the keys.
///
/// The query heads that share a KV head are rows of one tile, position by position, so that grouped-query decode is a
/// small matrix product and causal tiles end at their last row's diagonal. With `kv_splits > 1` each part of the keys
/// gives an unnormalised result with its peak and sum, and a second stage combines them.
///
/// Keys and values of integers stay integers until they are multiplied: `q · k` times the key's scale is the score, and
/// weights are multiplied by the values' scales.
///
/// Keys and values in pages are rows like others: tiles of keys need not end with pages.
///
/// Online softmax: Milakov & Gimelshein 2018 (arXiv:1805.02867); tiling: Dao 2023 (arXiv:2307.08691); splitting over
/// keys: Dao et al. 2023, "Flash-Decoding for long-context inference". Scores are kept in base 2, so `exp2` serves and
/// the scale absorbs log2(e).
///
/// # Panics
/// When the tiling has a size of 0.
pub fn attention(problem: &AttentionProblem, tiling: &AttentionTiling) -> Program {
    let program = write(problem, tiling, &AttentionStrides::contiguous(problem));
    let program = program.expect("a checked problem and a tiling without zeros make a valid program");
    program.of(Problem::Attention(problem.clone()), Tiling::Attention(*tiling))
}

/// [`attention`] over operands that lie in larger tensors: queries beside keys, a cache with room for more positions.
/// The program carries no problem, since the problem's own operands are contiguous.
///
/// # Errors
/// Rows of the output overlap, or an operand overflows memory.
///
/// # Panics
/// When the tiling has a size of 0.
pub fn attention_strided(
    problem: &AttentionProblem,
    tiling: &AttentionTiling,
    strides: &AttentionStrides,
) -> Result<Program, ProgramError> {
    write(problem, tiling, strides)
}

fn write(
    problem: &AttentionProblem,
    tiling: &AttentionTiling,
    strides: &AttentionStrides,
) -> Result<Program, ProgramError> {
    Program::build("attention", |b| {
        let operands = Operands::declare(b, problem, strides);
        let splits = tiling.kv_splits.min(n_tiles(problem.sizes().skv, tiling.bk));
        if splits == 1 {
            whole(b, problem, tiling, &operands);
        } else {
            split(b, problem, tiling, splits, &operands);
        }
    })
}

/// Elements from each sequence, head and position of an operand to the next; the columns of a head are neighbours. Of keys and
/// values in pages, from each page instead of each sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadStrides {
    /// From sequence to sequence.
    pub batch: usize,
    /// From head to head.
    pub head: usize,
    /// From position to position.
    pub position: usize,
}

impl HeadStrides {
    /// `[batch, heads, positions, d]` without gaps.
    pub fn contiguous(heads: usize, positions: usize, d: usize) -> HeadStrides {
        HeadStrides { batch: heads * positions * d, head: positions * d, position: d }
    }
}

/// Where the operands of attention lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttentionStrides {
    /// Queries.
    pub q: HeadStrides,
    /// Keys.
    pub k: HeadStrides,
    /// Values.
    pub v: HeadStrides,
    /// Output.
    pub out: HeadStrides,
}

impl AttentionStrides {
    /// All four without gaps, as the problem describes them.
    pub fn contiguous(problem: &AttentionProblem) -> AttentionStrides {
        let p = problem.sizes();
        AttentionStrides {
            q: HeadStrides::contiguous(p.hq, p.sq, p.d),
            k: HeadStrides::contiguous(p.hkv, p.page.unwrap_or(p.skv), p.d),
            v: HeadStrides::contiguous(p.hkv, p.page.unwrap_or(p.skv), p.dv),
            out: HeadStrides::contiguous(p.hq, p.sq, p.dv),
        }
    }
}

/// The operands. Rows of `q` and `out` are (position, head of the group).
struct Operands {
    q: ReadTensor,
    k: ReadTensor,
    v: ReadTensor,
    /// Of keys and of values of integers, a column a token.
    scales: Option<[ReadTensor; 2]>,
    out: WriteTensor,
}

impl Operands {
    fn declare(b: &mut Builder, problem: &AttentionProblem, strides: &AttentionStrides) -> Operands {
        let (p, group) = (problem.sizes(), problem.group());
        let lead = |s: HeadStrides, heads: usize| {
            [Axis { len: p.batch, stride: s.batch }, Axis { len: p.hkv, stride: heads * s.head }]
        };
        let queries = |s: HeadStrides| [Axis { len: p.sq, stride: s.position }, Axis { len: group, stride: s.head }];
        let scale = |b: &mut Builder, name| b.input_matrix(name, DType::F32, &[p.batch, p.hkv], 1, p.skv);
        let kept = |b: &mut Builder, shape: &OperandShape, s: HeadStrides| {
            // Of pages, a sequence is where its table says.
            let s = if p.page.is_some() { HeadStrides { batch: 0, ..s } } else { s };
            let rows = Axis { len: p.skv, stride: s.position };
            b.input(shape.name, shape.dtype, &lead(s, 1), &[rows], shape.dims[3])
        };
        let q = b.input("q", p.input, &lead(strides.q, group), &queries(strides.q), p.d);
        let (k, v) = (kept(b, &problem.k(), strides.k), kept(b, &problem.v(), strides.v));
        if let (Some(rows), Some(table)) = (p.page, problem.pages()) {
            let (count, per_sequence) = (problem.k().dims[0], table.dims[1]);
            // All heads of a sequence have the same pages.
            let lead = [Axis { len: p.batch, stride: per_sequence }, Axis { len: p.hkv, stride: 0 }];
            let table = b.table(table.name, &lead, per_sequence);
            for (tensor, stride) in [(k, strides.k.batch), (v, strides.v.batch)] {
                b.keep_in_pages(tensor, Paging { table, rows, stride, count });
            }
        }
        let scales = (p.kv == Kv::I8).then(|| [scale(b, "k_scale"), scale(b, "v_scale")]);
        let out = b.output("out", p.output, &lead(strides.out, group), &queries(strides.out), p.dv);
        Operands { q, k, v, scales, out }
    }
}

/// What the online softmax carries from key tile to key tile.
#[derive(Clone, Copy)]
struct Softmax {
    peak: TileId, // [rows, 1]  running row maximum
    sum: TileId,  // [rows, 1]  running row sum, relative to `peak`
    acc: TileId,  // [rows, dv] running weighted values, relative to `peak`
}

impl Softmax {
    fn start(b: &mut Body, rows: Span, p: &AttentionSizes, t: &AttentionTiling) -> Softmax {
        let dv = p.dv;
        Softmax {
            peak: b.fill(rows, Span::ONE, if slack(t, factors(p)).is_some() { Body::LOWEST } else { f32::MIN }),
            sum: b.zeros(rows, Span::ONE),
            acc: b.zeros(rows, Span::whole(dv)),
        }
    }

    /// Adds what another part of the keys gave, relative to its own peak, which is at most this one.
    fn add(self, b: &mut Body, part: Softmax) {
        let share = b.like(part.peak); // by which the part fades
        b.sub(share, part.peak, self.peak);
        b.exp2(share, share);
        b.mul(part.sum, part.sum, share);
        b.add(self.sum, self.sum, part.sum);
        b.mul(part.acc, part.acc, share);
        b.add(self.acc, self.acc, part.acc);
    }

    /// `acc / sum`; zero for a row that saw no key, whose `acc` and `sum` are zero.
    fn finish(self, b: &mut Body) -> TileId {
        b.max(self.sum, self.sum, f32::MIN_POSITIVE);
        b.div(self.acc, self.acc, self.sum);
        self.acc
    }
}

fn whole(b: &mut Builder, problem: &AttentionProblem, t: &AttentionTiling, o: &Operands) {
    let p = problem.sizes();
    let n_rows = p.sq * problem.group();
    b.each_point([("batch", p.batch), ("head", p.hkv), ("i", n_tiles(n_rows, t.bq))], |b, [ib, ih, i]| {
        let (at, rows) = ([ib.into(), ih.into()], Span::tile(i, t.bq, n_rows));
        let state = Softmax::start(b, rows, &p, t);
        over_keys(b, problem, t, o, at, rows, visible_tiles(problem, t, i), state);
        let out = state.finish(b);
        b.store(o.out, &at, out);
    });
}

fn split(b: &mut Builder, problem: &AttentionProblem, t: &AttentionTiling, splits: usize, o: &Operands) {
    let p = problem.sizes();
    let n_rows = p.sq * problem.group();
    let lead = [splits, p.batch, p.hkv];
    let (peaks_out, peaks) = b.scratch("peaks", &lead, n_rows, 1);
    let (sums_out, sums) = b.scratch("sums", &lead, n_rows, 1);
    let (parts_out, parts) = b.scratch("parts", &lead, n_rows, p.dv);
    let per_split = n_tiles(n_tiles(p.skv, t.bk), splits) as i64;
    let grid = [("split", splits), ("batch", p.batch), ("head", p.hkv), ("i", n_tiles(n_rows, t.bq))];
    b.each_point(grid, |b, [is, ib, ih, i]| {
        let (at, rows) = ([ib.into(), ih.into()], Span::tile(i, t.bq, n_rows));
        let first = Index::from(is) * per_split;
        let keys = visible_tiles(problem, t, i).from_at_least(first).up_to(first + per_split);
        let state = Softmax::start(b, rows, &p, t);
        over_keys(b, problem, t, o, at, rows, keys, state);
        let part = [is.into(), at[0], at[1]];
        b.store(peaks_out, &part, state.peak);
        b.store(sums_out, &part, state.sum);
        b.store(parts_out, &part, state.acc);
    });
    b.each_point([("batch", p.batch), ("head", p.hkv), ("i", n_tiles(n_rows, t.bq))], |b, [ib, ih, i]| {
        let (at, rows) = ([ib.into(), ih.into()], Span::tile(i, t.bq, n_rows));
        let state = Softmax::start(b, rows, &p, t);
        // The common peak first, so that no part waits for the one before.
        b.each(Range::to(splits), |b, is| {
            let peak = b.load(peaks, &[is.into(), at[0], at[1]], rows, Span::ONE);
            b.max(state.peak, state.peak, peak);
        });
        b.each(Range::to(splits), |b, is| {
            let part = [is.into(), at[0], at[1]];
            let peak = b.load(peaks, &part, rows, Span::ONE);
            let sum = b.load(sums, &part, rows, Span::ONE);
            let acc = b.load(parts, &part, rows, Span::whole(p.dv));
            state.add(b, Softmax { peak, sum, acc });
        });
        let out = state.finish(b);
        b.store(o.out, &at, out);
    });
}

/// The online softmax of one query tile over a range of key tiles.
#[allow(clippy::too_many_arguments, reason = "the pieces of one formula; both stages' grids share it")]
fn over_keys(
    b: &mut Body,
    problem: &AttentionProblem,
    t: &AttentionTiling,
    o: &Operands,
    at: [Index; 2],
    rows: Span,
    key_tiles: Range,
    Softmax { peak, sum, acc }: Softmax,
) {
    let p = problem.sizes();
    let (head, value) = (Span::whole(p.d), Span::whole(p.dv));
    let factors = factors(&p);
    let q = b.load(o.q, &at, rows, head); // [bq, d]
    let q = b.convert(q, factors);
    b.each(key_tiles, |b, l| {
        let keys = Span::tile(l, t.bk, p.skv);
        let k = b.load(o.k, &at, keys, head);
        let k = b.convert(k, factors);
        let s = b.zeros(rows, keys); // [bq, bk]
        b.mma_bt(s, q, k);
        b.mul(s, s, (problem.scale() * LOG2_E) as f32);
        if let Some([scales, _]) = o.scales {
            let scales = b.load(scales, &at, Span::ONE, keys);
            b.mul(s, s, scales);
        }
        mask(b, s, problem);
        // 1 where no key was seen yet
        let fade = match slack(t, factors) {
            Some(slack) => b.raise_peak_above(peak, s, slack),
            None => b.raise_peak(peak, s),
        };
        let base = held_above(b, peak, factors);
        b.sub(s, s, base);
        b.exp2(s, s);
        b.mul(sum, sum, fade);
        let row_sum = b.row_sum(s);
        b.add(sum, sum, row_sum);
        b.mul(acc, acc, fade);
        let v = b.load(o.v, &at, keys, value);
        let v = b.convert(v, factors);
        if let Some([_, scales]) = o.scales {
            let scales = b.load(scales, &at, Span::ONE, keys);
            b.mul(s, s, scales);
        }
        let weights = b.convert(s, factors);
        b.mma(acc, weights, v);
    });
}

/// Powers of two by which scores may exceed a peak that stays where it is: 16-bit weights hold 2⁸, and sums hold as many
/// keys of it as there are. None where peaks always rise: weights of f8e4m3 are held so high that they have no room above.
fn slack(t: &AttentionTiling, factors: DType) -> Option<f32> {
    (t.lazy_peak && weight_range(factors) == 0.0).then_some(8.0)
}

/// Element type of the factors of both products. Integers are multiplied as f32, which holds them, and so is what they meet.
pub(crate) fn factors(p: &AttentionSizes) -> DType {
    match p.kv {
        Kv::Input => p.input,
        Kv::I8 => DType::F32,
    }
}

/// Powers of two by which weights are held above their values where they are rounded to this type; sums are held above
/// theirs by the same, and the division takes it out.
///
/// Normal numbers of f8e4m3 lie from 2⁻⁶ to 240. With the greatest weight at 2⁷ the others keep their digits down to
/// 2⁻¹³ of it: one key among a thousand still counts.
pub(crate) fn weight_range(dtype: DType) -> f32 {
    match dtype {
        DType::F8E4M3 => 7.0,
        DType::F32 | DType::F16 | DType::Bf16 | DType::F8E5M2 | DType::I32 | DType::I8 | DType::I4x2 => 0.0,
    }
}

/// What is subtracted from the scores of rows of this peak.
fn held_above(b: &mut Body, peak: TileId, dtype: DType) -> TileId {
    let range = weight_range(dtype);
    if range == 0.0 {
        return peak;
    }
    let base = b.like(peak);
    b.sub(base, peak, range);
    base
}

/// Distance from a query's own position to the last key of its sequence's past: key − position of query 0.
fn diagonal(p: &AttentionSizes) -> i64 {
    p.skv as i64 - p.sq as i64
}

/// Sets the scores of keys that a query does not see to −∞.
fn mask(b: &mut Body, s: TileId, problem: &AttentionProblem) {
    let p = problem.sizes();
    let diagonal = diagonal(&p);
    match p.mask {
        Mask::None => {}
        Mask::Causal => b.keep_band(s, s, problem.group(), None, Some(diagonal)),
        Mask::Window(n) => b.keep_band(s, s, problem.group(), Some(diagonal - (n as i64 - 1)), Some(diagonal)),
    }
}

/// The key tiles that some row of query tile `i` sees.
///
/// Row `r` stands at position `⌊r / group⌋ + diagonal`. The last row of the tile ends the range, the first one starts it;
/// dividing by group and tile at once keeps each end one division.
fn visible_tiles(problem: &AttentionProblem, t: &AttentionTiling, i: Var) -> Range {
    let (p, group) = (problem.sizes(), problem.group() as i64);
    let (bq, bk) = (t.bq.min(p.sq * problem.group()) as i64, t.bk.min(p.skv) as i64);
    let first_row = Index::from(i) * bq;
    let per_tile = |index: Index| Bound { index, divisor: group * bk };
    let causal = |range: Range| range.up_to(per_tile(first_row + (bq - 1) + (diagonal(&p) + bk) * group));
    let all = Range::to(n_tiles(p.skv, t.bk));
    match p.mask {
        Mask::None => all,
        Mask::Causal => causal(all),
        Mask::Window(n) => causal(all.from_at_least(per_tile(first_row + (diagonal(&p) - (n as i64 - 1)) * group))),
    }
}
