//! Matrix products with something before or after.

use std::f64::consts::LOG2_E;

use super::{Kernel, Sizes, Tiles};
use crate::DType;
use crate::program::{Program, ProgramError, Range, Span};
use crate::tile::n_tiles;

/// `out = silu(x·Wgᵀ) ⊙ (x·Wuᵀ)`, `silu(g) = g / (1 + e⁻ᵍ)`: the first half of a gated feed-forward layer.
pub(super) const SILU_GATED: Kernel = Kernel { name: "silu_gated_matmul", program: silu_gated, oracle: gated };

/// `out = rmsnorm(x, w)·B`, `rmsnorm(x, w) = w ⊙ x / √(mean x² + ε)`: the squares are summed in the product's own loop.
pub(super) const RMS_NORMED: Kernel = Kernel { name: "rms_normed_matmul", program: rms_normed, oracle: normed };

/// `out = min(max(x·B + bias, 0), 6) + residual`.
pub(super) const BIASED_RELU6: Kernel = Kernel { name: "biased_relu6_matmul", program: biased_relu6, oracle: biased };

const EPSILON: f64 = 1e-5;

fn silu_gated(s: Sizes, t: Tiles, dtype: DType) -> Result<Program, ProgramError> {
    Program::build("silu_gated_matmul", |b| {
        let x = b.input_matrix("x", dtype, &[], s.m, s.k);
        let wg = b.input_matrix("wg", dtype, &[], s.n, s.k);
        let wu = b.input_matrix("wu", dtype, &[], s.n, s.k);
        let out = b.output_matrix("out", dtype, &[], s.m, s.n);
        b.each_point([("i", n_tiles(s.m, t.bm)), ("j", n_tiles(s.n, t.bn))], |b, [i, j]| {
            let (rows, cols) = (Span::tile(i, t.bm, s.m), Span::tile(j, t.bn, s.n));
            let (gate, up) = (b.zeros(rows, cols), b.zeros(rows, cols));
            b.each(Range::to(n_tiles(s.k, t.bk)), |b, l| {
                let depth = Span::tile(l, t.bk, s.k);
                let x = b.load(x, &[], rows, depth);
                let wg = b.load(wg, &[], cols, depth);
                let wu = b.load(wu, &[], cols, depth);
                b.mma_bt(gate, x, wg);
                b.mma_bt(up, x, wu);
            });
            let e = b.like(gate);
            b.mul(e, gate, -LOG2_E as f32);
            b.exp2(e, e); // e⁻ᵍ
            b.add(e, e, 1.0);
            b.div(gate, gate, e);
            b.mul(gate, gate, up);
            b.store(out, &[], gate);
        });
    })
}

fn rms_normed(s: Sizes, t: Tiles, dtype: DType) -> Result<Program, ProgramError> {
    Program::build("rms_normed_matmul", |b| {
        let x = b.input_matrix("x", dtype, &[], s.m, s.k);
        let w = b.input_matrix("w", dtype, &[], 1, s.k);
        let m = b.input_matrix("b", dtype, &[], s.k, s.n);
        let out = b.output_matrix("out", DType::F32, &[], s.m, s.n);
        b.each_point([("j", n_tiles(s.n, t.bn)), ("i", n_tiles(s.m, t.bm))], |b, [j, i]| {
            let (rows, cols) = (Span::tile(i, t.bm, s.m), Span::tile(j, t.bn, s.n));
            let squares = b.zeros(rows, Span::ONE);
            let acc = b.zeros(rows, cols);
            b.each(Range::to(n_tiles(s.k, t.bk)), |b, l| {
                let depth = Span::tile(l, t.bk, s.k);
                let x = b.load(x, &[], rows, depth);
                let square = b.like(x);
                b.mul(square, x, x);
                let row_sum = b.row_sum(square);
                b.add(squares, squares, row_sum);
                let w = b.load(w, &[], Span::ONE, depth);
                let weighted = b.like(x);
                b.mul(weighted, x, w);
                let weighted = b.convert(weighted, dtype);
                let m = b.load(m, &[], depth, cols);
                b.mma(acc, weighted, m);
            });
            b.mul(squares, squares, (1.0 / s.k as f64) as f32);
            b.add(squares, squares, EPSILON as f32);
            b.rsqrt(squares, squares);
            b.mul(acc, acc, squares);
            b.store(out, &[], acc);
        });
    })
}

fn biased_relu6(s: Sizes, t: Tiles, dtype: DType) -> Result<Program, ProgramError> {
    Program::build("biased_relu6_matmul", |b| {
        let x = b.input_matrix("x", dtype, &[], s.m, s.k);
        let m = b.input_matrix("b", dtype, &[], s.k, s.n);
        let bias = b.input_matrix("bias", DType::F32, &[], 1, s.n);
        let residual = b.input_matrix("residual", dtype, &[], s.m, s.n);
        let out = b.output_matrix("out", dtype, &[], s.m, s.n);
        b.each_point([("j", n_tiles(s.n, t.bn)), ("i", n_tiles(s.m, t.bm))], |b, [j, i]| {
            let (rows, cols) = (Span::tile(i, t.bm, s.m), Span::tile(j, t.bn, s.n));
            let acc = b.zeros(rows, cols);
            let bias = b.load(bias, &[], Span::ONE, cols);
            b.add(acc, acc, bias); // The bias comes first: an accumulator need not start at zero.
            b.each(Range::to(n_tiles(s.k, t.bk)), |b, l| {
                let depth = Span::tile(l, t.bk, s.k);
                let x = b.load(x, &[], rows, depth);
                let m = b.load(m, &[], depth, cols);
                b.mma(acc, x, m);
            });
            b.max(acc, acc, 0.0);
            b.min(acc, acc, 6.0);
            let residual = b.load(residual, &[], rows, cols);
            b.add(acc, acc, residual);
            b.store(out, &[], acc);
        });
    })
}

/// `Σ_l x[i, l] · w[j, l]` of rows stored one after the other.
fn dot(k: usize, x: &[f64], i: usize, w: &[f64], j: usize) -> f64 {
    x[i * k..][..k].iter().zip(&w[j * k..][..k]).map(|(x, y)| x * y).sum()
}

/// Each output element, row by row.
fn elements(s: Sizes, element: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    (0..s.m * s.n).map(|at| element(at / s.n, at % s.n)).collect()
}

fn gated(s: Sizes, inputs: &[Vec<f64>]) -> Vec<f64> {
    let [x, wg, wu] = inputs else { panic!("three operands") };
    elements(s, |i, j| {
        let gate = dot(s.k, x, i, wg, j);
        gate / (1.0 + (-gate).exp()) * dot(s.k, x, i, wu, j)
    })
}

fn normed(s: Sizes, inputs: &[Vec<f64>]) -> Vec<f64> {
    let [x, w, b] = inputs else { panic!("three operands") };
    elements(s, |i, j| {
        let mean = dot(s.k, x, i, x, i) / s.k as f64;
        let product: f64 = (0..s.k).map(|l| w[l] * x[i * s.k + l] * b[l * s.n + j]).sum();
        product / (mean + EPSILON).sqrt()
    })
}

fn biased(s: Sizes, inputs: &[Vec<f64>]) -> Vec<f64> {
    let [x, b, bias, residual] = inputs else { panic!("four operands") };
    elements(s, |i, j| {
        let product: f64 = (0..s.k).map(|l| x[i * s.k + l] * b[l * s.n + j]).sum();
        (product + bias[j]).clamp(0.0, 6.0) + residual[i * s.n + j]
    })
}
