//! A reduction without any product.

use super::{Kernel, Sizes, Tiles};
use crate::DType;
use crate::program::{Program, ProgramError, Range, Span};
use crate::tile::n_tiles;

/// `out[i] = log₂(mean_j |x[i, j]|)`.
pub(super) const LOG_MEAN_ABS: Kernel = Kernel { name: "log_mean_abs", program: log_mean_abs, oracle: textbook };

fn log_mean_abs(s: Sizes, t: Tiles, dtype: DType) -> Result<Program, ProgramError> {
    Program::build("log_mean_abs", |b| {
        let x = b.input_matrix("x", dtype, &[], s.m, s.n);
        let out = b.output_matrix("out", DType::F32, &[], s.m, 1);
        b.each_point([("i", n_tiles(s.m, t.bm))], |b, [i]| {
            let rows = Span::tile(i, t.bm, s.m);
            let sum = b.zeros(rows, Span::ONE);
            b.each(Range::to(n_tiles(s.n, t.bn)), |b, j| {
                let x = b.load(x, &[], rows, Span::tile(j, t.bn, s.n));
                let size = b.like(x);
                b.abs(size, x);
                let row_sum = b.row_sum(size);
                b.add(sum, sum, row_sum);
            });
            b.div(sum, sum, s.n as f32);
            b.log2(sum, sum);
            b.store(out, &[], sum);
        });
    })
}

fn textbook(s: Sizes, inputs: &[Vec<f64>]) -> Vec<f64> {
    let mean = |row: &[f64]| row.iter().map(|x| x.abs()).sum::<f64>() / s.n as f64;
    inputs[0].chunks_exact(s.n).map(|row| mean(row).log2()).collect()
}
