//! The matrix product, written once.

use crate::problem::{Layout, MatmulProblem, Problem};
use crate::program::{Program, Range, Span};
use crate::tile::{MatmulTiling, Tiling, n_tiles};

/// `c[m, n] = a[m, k] · b`, with `b` as `[k, n]` or `[n, k]`: one output tile a grid point, summed over steps of `bk`.
///
/// Neighbouring points share the tile's columns, hence its part of `b`.
///
/// # Panics
/// When the tiling has a size of 0.
pub fn matmul(problem: &MatmulProblem, tiling: &MatmulTiling) -> Program {
    let (p, t) = (problem.sizes(), tiling);
    let program = Program::build("matmul", |b| {
        let a = b.input_matrix("a", p.input, &[p.batch], p.m, p.k);
        let w = match p.layout {
            Layout::Kn => b.input_matrix("b", p.input, &[p.batch], p.k, p.n),
            Layout::Nk => b.input_matrix("b", p.input, &[p.batch], p.n, p.k),
            Layout::Packed => b.weight_matrix("b", p.input, &[p.batch], p.n, p.k),
        };
        let c = b.output_matrix("c", p.output, &[p.batch], p.m, p.n);
        b.each_point([("batch", p.batch), ("j", n_tiles(p.n, t.bn)), ("i", n_tiles(p.m, t.bm))], |b, [ib, j, i]| {
            let (ib, rows, cols) = (ib.into(), Span::tile(i, t.bm, p.m), Span::tile(j, t.bn, p.n));
            let acc = b.zeros(rows, cols);
            b.each(Range::to(n_tiles(p.k, t.bk)), |b, l| {
                let depth = Span::tile(l, t.bk, p.k);
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
                }
            });
            b.store(c, &[ib], acc);
        });
    });
    let program = program.expect("a checked problem and a tiling without zeros make a valid program");
    program.of(Problem::Matmul(problem.clone()), Tiling::Matmul(*tiling))
}
