//! The matrix product, written once; and that of rows in groups.

use crate::DType;
use crate::problem::{GROUP, GroupedProblem, Layout, MatmulProblem, MatmulSizes, OperandShape, Problem};
use crate::program::{Body, Builder, Index, Program, Range, ReadTensor, Span, TileId, WriteTensor};
use crate::tile::{MatmulTiling, Tiling, n_tiles};

/// Elements of the output whose parts one grid point of the second stage adds up. Small, so that there are many points: what
/// they do is read, four neighbours a thread where a point is a workgroup of 128.
const SUMMED: usize = 512;
/// Most rows of them: 64 columns side by side are whole lines of any memory.
const SUMMED_ROWS: usize = 8;

/// `c[m, n] = a[m, k] · b`, with `b` as `[k, n]` or `[n, k]`: one output tile a grid point, summed over steps of `bk`.
///
/// Neighbouring points share the tile's columns, hence its part of `b`. Sums of integers are of integers; where they are
/// scaled, it is once they are complete.
///
/// With `k_splits > 1` the steps are shared out: each part has a grid of its own and leaves its sums as f32, `[parts, batch,
/// m, n]`, and a second stage adds them up in order. There are no more parts than steps, and no part without a step. Products
/// of integers are not split: their sums are i32, exact, and no operation adds two such tiles.
///
/// # Panics
/// When the tiling has a size of 0, or when the sums of all parts overflow memory.
pub fn matmul(problem: &MatmulProblem, tiling: &MatmulTiling) -> Program {
    let program = Program::build("matmul", |b| {
        let shapes = [problem.a(), problem.b(), problem.c()];
        let operands = Operands::declare(b, problem.sizes().layout, shapes, &problem.scales());
        let depth = Depth::of(&problem.sizes(), tiling);
        if depth.parts == 1 {
            whole(b, problem, tiling, &depth, &operands);
        } else {
            split(b, problem, tiling, &depth, &operands);
        }
    });
    let program = program.expect("a checked problem and a tiling without zeros make a valid program");
    program.of(Problem::Matmul(problem.clone()), Tiling::Matmul(*tiling))
}

/// The operands.
struct Operands {
    a: ReadTensor,
    b: ReadTensor,
    /// Of groups of 4-bit weights, or of rows and of columns of sums of integers.
    scales: Vec<ReadTensor>,
    c: WriteTensor,
}

impl Operands {
    fn declare(
        builder: &mut Builder,
        layout: Layout,
        [a, b, c]: [OperandShape; 3],
        scales: &[OperandShape],
    ) -> Operands {
        let input = |builder: &mut Builder, shape: &OperandShape| {
            let [batch, rows, cols] = three(shape);
            builder.input_matrix(shape.name, shape.dtype, &[batch], rows, cols)
        };
        let a = input(builder, &a);
        let b = match layout {
            Layout::Packed => {
                let [batch, rows, cols] = three(&b);
                builder.weight_matrix(b.name, b.dtype, &[batch], rows, cols)
            }
            Layout::Kn | Layout::Nk | Layout::NkI4 => input(builder, &b),
        };
        let scales = scales.iter().map(|scale| input(builder, scale)).collect();
        let [batch, m, n] = three(&c);
        Operands { a, b, scales, c: builder.output_matrix(c.name, c.dtype, &[batch], m, n) }
    }
}

/// Sizes of an operand of a product: batch, rows, columns.
fn three(shape: &OperandShape) -> [usize; 3] {
    [shape.dims[0], shape.dims[1], shape.dims[2]]
}

/// The steps along the contraction, and how many of them each part takes.
struct Depth {
    step: usize,
    steps: usize,
    parts: usize,
    steps_per_part: usize,
}

impl Depth {
    fn of(p: &MatmulSizes, t: &MatmulTiling) -> Depth {
        // Steps of whole groups of 4-bit weights.
        let step = if p.layout == Layout::NkI4 { t.bk.next_multiple_of(GROUP) } else { t.bk };
        let steps = n_tiles(p.k, step);
        let splits = if p.input.is_integer() { 1 } else { t.k_splits.min(steps) };
        let steps_per_part = n_tiles(steps, splits);
        // Nine steps in four parts of up to three are over after three.
        Depth { step, steps, parts: n_tiles(steps, steps_per_part), steps_per_part }
    }
}

fn whole(b: &mut Builder, problem: &MatmulProblem, t: &MatmulTiling, depth: &Depth, o: &Operands) {
    let p = problem.sizes();
    b.each_point([("batch", p.batch), ("j", n_tiles(p.n, t.bn)), ("i", n_tiles(p.m, t.bm))], |b, [ib, j, i]| {
        let (ib, rows, cols) = (ib.into(), Span::tile(i, t.bm, p.m), Span::tile(j, t.bn, p.n));
        finished(b, &p, depth, o, [ib, ib], (rows, cols));
    });
}

/// One output tile, stored: sums of integers times the scales of rows and columns where there are some.
fn finished(b: &mut Body, p: &MatmulSizes, depth: &Depth, o: &Operands, [ia, ib]: [Index; 2], place: (Span, Span)) {
    let acc = sums(b, p, depth, o, [ia, ib], place, Range::to(depth.steps));
    if !p.input.is_integer() || p.output.is_integer() {
        return b.store(o.c, &[ia], acc);
    }
    let (rows, cols) = place;
    let sums = b.convert(acc, DType::F32);
    let a_scale = b.load(o.scales[0], &[ia], rows, Span::ONE);
    b.mul(sums, sums, a_scale);
    let b_scale = b.load(o.scales[1], &[ib], Span::ONE, cols);
    b.mul(sums, sums, b_scale);
    b.store(o.c, &[ia], sums);
}

/// `c[i, :] = a[i, :] · b[g(i)]`, rows of a group one behind the other: one output tile of one group a grid point.
///
/// Each group could have all rows: points of tiles that a group does not have do nothing. The depth is not split.
///
/// # Panics
/// When the tiling has a size of 0.
pub fn grouped(problem: &GroupedProblem, tiling: &MatmulTiling) -> Program {
    let (all, one) = (problem.sizes(), problem.average().sizes());
    let t = MatmulTiling { k_splits: 1, ..*tiling };
    let program = Program::build("grouped", |b| {
        let shapes = [problem.a(), problem.b(), problem.c()];
        let o = Operands::declare(b, all.layout, shapes, &problem.scales());
        let offsets = problem.offsets();
        let offsets = b.table(offsets.name, &[], offsets.dims[1]);
        let depth = Depth::of(&one, &t);
        let grid = [("group", all.groups), ("j", n_tiles(all.n, t.bn)), ("i", n_tiles(all.m, t.bm))];
        b.each_point(grid, |b, [ig, j, i]| {
            let rows = b.stretch(offsets, ig, all.m).tile(i, t.bm);
            finished(b, &one, &depth, &o, [0.into(), ig.into()], (rows, Span::tile(j, t.bn, all.n)));
        });
    });
    let program = program.expect("a checked problem and a tiling without zeros make a valid program");
    program.of(Problem::Grouped(problem.clone()), Tiling::Matmul(t))
}

fn split(b: &mut Builder, problem: &MatmulProblem, t: &MatmulTiling, depth: &Depth, o: &Operands) {
    let p = problem.sizes();
    let (parts_out, parts) = b.scratch("parts", &[depth.parts, p.batch], p.m, p.n);
    let grid = [("split", depth.parts), ("batch", p.batch), ("j", n_tiles(p.n, t.bn)), ("i", n_tiles(p.m, t.bm))];
    b.each_point(grid, |b, [is, ib, j, i]| {
        let place = (Span::tile(i, t.bm, p.m), Span::tile(j, t.bn, p.n));
        let (first, n) = (Index::from(is) * depth.steps_per_part as i64, depth.steps_per_part as i64);
        let steps = Range::to(depth.steps).from_at_least(first).up_to(first + n);
        let acc = sums(b, &p, depth, o, [ib.into(); 2], place, steps);
        b.store(parts_out, &[is.into(), ib.into()], acc);
    });
    let bm = SUMMED_ROWS.min(p.m.next_power_of_two());
    let bn = SUMMED / bm;
    b.each_point([("batch", p.batch), ("j", n_tiles(p.n, bn)), ("i", n_tiles(p.m, bm))], |b, [ib, j, i]| {
        let (rows, cols) = (Span::tile(i, bm, p.m), Span::tile(j, bn, p.n));
        let sum = b.zeros(rows, cols);
        b.each(Range::to(depth.parts), |b, is| {
            let part = b.load(parts, &[is.into(), ib.into()], rows, cols);
            b.add(sum, sum, part);
        });
        b.store(o.c, &[ib.into()], sum);
    });
}

/// The sums of one output tile over a range of steps, of matrix `ia` of the left operand and `ib` of the right one.
fn sums(
    b: &mut Body,
    p: &MatmulSizes,
    depth: &Depth,
    o: &Operands,
    [ia, ib]: [Index; 2],
    (rows, cols): (Span, Span),
    steps: Range,
) -> TileId {
    let bk = depth.step;
    let acc = if p.input.is_integer() { b.integer_zeros(rows, cols) } else { b.zeros(rows, cols) };
    b.each(steps, |b, l| {
        let depth = Span::tile(l, bk, p.k);
        let a = b.load(o.a, &[ia], rows, depth);
        match p.layout {
            Layout::Kn => {
                let w = b.load(o.b, &[ib], depth, cols);
                b.mma(acc, a, w);
            }
            Layout::Nk | Layout::Packed => {
                let w = b.load(o.b, &[ib], cols, depth);
                b.mma_bt(acc, a, w);
            }
            Layout::NkI4 => {
                let w = b.load(o.b, &[ib], cols, Span::tile(l, bk / 2, p.k / 2));
                let scale = b.load(o.scales[0], &[ib], cols, Span::tile(l, bk / GROUP, p.k / GROUP));
                let w = b.dequantise(w, scale);
                let a = b.convert(a, DType::F32);
                b.mma_bt(acc, a, w);
            }
        }
    });
    acc
}
