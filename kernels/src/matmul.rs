//! The matrix product, written once.

use crate::DType;
use crate::problem::{GROUP, Layout, MatmulProblem, OperandShape, Problem};
use crate::program::{Program, Range, ReadTensor, Span};
use crate::tile::{MatmulTiling, Tiling, n_tiles};

/// `c[m, n] = a[m, k] · b`, with `b` as `[k, n]` or `[n, k]`: one output tile a grid point, summed over steps of `bk`.
///
/// Neighbouring points share the tile's columns, hence its part of `b`. Sums of integers are of integers; where they are
/// scaled, it is once they are complete.
///
/// # Panics
/// When the tiling has a size of 0.
pub fn matmul(problem: &MatmulProblem, tiling: &MatmulTiling) -> Program {
    let (p, t) = (problem.sizes(), tiling);
    // Steps of whole groups of 4-bit weights.
    let bk = if p.layout == Layout::NkI4 { t.bk.next_multiple_of(GROUP) } else { t.bk };
    let program = Program::build("matmul", |b| {
        let a = b.input_matrix("a", p.input, &[p.batch], p.m, p.k);
        let [_, rows, cols] = three(&problem.b());
        let dtype = problem.b().dtype;
        let w = match p.layout {
            Layout::Packed => b.weight_matrix("b", dtype, &[p.batch], rows, cols),
            Layout::Kn | Layout::Nk | Layout::NkI4 => b.input_matrix("b", dtype, &[p.batch], rows, cols),
        };
        let scales = problem.scales();
        let scales = scales.iter().map(|scale| {
            let [batch, rows, cols] = three(scale);
            b.input_matrix(scale.name, scale.dtype, &[batch], rows, cols)
        });
        let scales: Vec<ReadTensor> = scales.collect();
        let c = b.output_matrix("c", p.output, &[p.batch], p.m, p.n);
        b.each_point([("batch", p.batch), ("j", n_tiles(p.n, t.bn)), ("i", n_tiles(p.m, t.bm))], |b, [ib, j, i]| {
            let (ib, rows, cols) = (ib.into(), Span::tile(i, t.bm, p.m), Span::tile(j, t.bn, p.n));
            let acc = if p.input.is_integer() { b.integer_zeros(rows, cols) } else { b.zeros(rows, cols) };
            b.each(Range::to(n_tiles(p.k, bk)), |b, l| {
                let depth = Span::tile(l, bk, p.k);
                let a = b.load(a, &[ib], rows, depth);
                match p.layout {
                    Layout::Kn => {
                        let w = b.load(w, &[ib], depth, cols);
                        b.mma(acc, a, w);
                    }
                    Layout::Nk | Layout::Packed => {
                        let w = b.load(w, &[ib], cols, depth);
                        b.mma_bt(acc, a, w);
                    }
                    Layout::NkI4 => {
                        let w = b.load(w, &[ib], cols, Span::tile(l, bk / 2, p.k / 2));
                        let scale = b.load(scales[0], &[ib], cols, Span::tile(l, bk / GROUP, p.k / GROUP));
                        let w = b.dequantise(w, scale);
                        let a = b.convert(a, DType::F32);
                        b.mma_bt(acc, a, w);
                    }
                }
            });
            if !p.input.is_integer() || p.output.is_integer() {
                return b.store(c, &[ib], acc);
            }
            let sums = b.convert(acc, DType::F32);
            let a_scale = b.load(scales[0], &[ib], rows, Span::ONE);
            b.mul(sums, sums, a_scale);
            let b_scale = b.load(scales[1], &[ib], Span::ONE, cols);
            b.mul(sums, sums, b_scale);
            b.store(c, &[ib], sums);
        });
    });
    let program = program.expect("a checked problem and a tiling without zeros make a valid program");
    program.of(Problem::Matmul(problem.clone()), Tiling::Matmul(*tiling))
}

/// Sizes of an operand of a product: batch, rows, columns.
fn three(shape: &OperandShape) -> [usize; 3] {
    [shape.dims[0], shape.dims[1], shape.dims[2]]
}
