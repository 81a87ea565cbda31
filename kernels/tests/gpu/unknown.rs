//! Kernels that no backend has heard of, written here with tile operations and run with no edit to the lowering.

use farthing_kernels::DType;
use farthing_kernels::backend::Backend;
use farthing_kernels::program::{Axis, Body, Bound, Index, Program, Range, Span, TileId};
use farthing_kernels::tile::n_tiles;

use crate::check::{Draw, check, devices, output};
use crate::eval::eval;

const M: usize = 19;
const N: usize = 24;
const K: usize = 21;

/// `silu(x · gate) ⊙ (x · up)`: two accumulators and an epilogue.
fn gated(dtype: DType) -> Program {
    let program = Program::build("gated", |b| {
        let x = b.input_matrix("x", dtype, &[], M, K);
        let gate = b.input_matrix("gate", dtype, &[], K, N);
        let up = b.input_matrix("up", dtype, &[], N, K);
        let out = b.output_matrix("out", dtype, &[], M, N);
        b.each_point([("j", n_tiles(N, 16)), ("i", n_tiles(M, 8))], |b, [j, i]| {
            let (rows, cols) = (Span::tile(i, 8, M), Span::tile(j, 16, N));
            let (g, u) = (b.zeros(rows, cols), b.zeros(rows, cols));
            b.each(Range::to(n_tiles(K, 8)), |b, l| {
                let depth = Span::tile(l, 8, K);
                let x = b.load(x, &[], rows, depth);
                let gate = b.load(gate, &[], depth, cols);
                b.mma(g, x, gate);
                let up = b.load(up, &[], cols, depth);
                b.mma_bt(u, x, up);
            });
            let e = b.like(g);
            b.mul(e, g, -std::f32::consts::LOG2_E);
            b.exp2(e, e);
            b.add(e, e, 1.0);
            b.div(g, g, e);
            b.mul(g, g, u);
            b.store(out, &[], g);
        });
    });
    program.expect("a sound program")
}

#[test]
fn a_gated_product_has_two_accumulators() {
    check("gated", &gated(DType::F32), Draw::Reals, 1e-5);
    check("gated", &gated(DType::Bf16), Draw::Reals, 1e-2);
}

/// RMSNorm of the rows of `x`, then a product: the sum of squares in the same loop as the product, or in its own.
fn normed(one_loop: bool) -> Program {
    let program = Program::build("normed", |b| {
        let x = b.input_matrix("x", DType::F32, &[], M, K);
        let w = b.input_matrix("w", DType::F32, &[], K, N);
        let out = b.output_matrix("out", DType::F32, &[], M, N);
        b.each_point([("i", n_tiles(M, 8))], |b, [i]| {
            let (rows, cols) = (Span::tile(i, 8, M), Span::whole(N));
            let (acc, squares) = (b.zeros(rows, cols), b.zeros(rows, Span::ONE));
            let depth_tiles = Range::to(n_tiles(K, 8));
            b.each(depth_tiles.clone(), |b, l| {
                let depth = Span::tile(l, 8, K);
                let x_tile = b.load(x, &[], rows, depth);
                let square = b.like(x_tile);
                b.mul(square, x_tile, x_tile);
                let sum = b.row_sum(square);
                b.add(squares, squares, sum);
                if one_loop {
                    let w = b.load(w, &[], depth, cols);
                    b.mma(acc, x_tile, w);
                }
            });
            b.mul(squares, squares, 1.0 / K as f32);
            b.add(squares, squares, 1e-6);
            b.rsqrt(squares, squares);
            if !one_loop {
                b.each(depth_tiles, |b, l| {
                    let depth = Span::tile(l, 8, K);
                    let x = b.load(x, &[], rows, depth);
                    b.mul(x, x, squares);
                    let w = b.load(w, &[], depth, cols);
                    b.mma(acc, x, w);
                });
            } else {
                b.mul(acc, acc, squares);
            }
            b.store(out, &[], acc);
        });
    });
    program.expect("a sound program")
}

#[test]
fn a_norm_fuses_with_a_product_in_one_loop_or_two() {
    check("one loop", &normed(true), Draw::Reals, 1e-5);
    check("two loops", &normed(false), Draw::Reals, 1e-5);
}

/// A product with a bias a row, a bias a column, a residual, and a computed right factor in both forms.
fn biased(dtype: DType, transposed: bool) -> Program {
    let program = Program::build("biased", |b| {
        let a = b.input_matrix("a", dtype, &[], M, K);
        let (w_rows, w_cols) = if transposed { (N, K) } else { (K, N) };
        let w = b.input_matrix("w", dtype, &[], w_rows, w_cols);
        let row_bias = b.input_matrix("row_bias", dtype, &[], M, 1);
        let col_bias = b.input_matrix("col_bias", dtype, &[], 1, N);
        let residual = b.input_matrix("residual", dtype, &[], M, N);
        let out = b.output_matrix("out", dtype, &[], M, N);
        b.each_point([("j", n_tiles(N, 12)), ("i", n_tiles(M, 8))], |b, [j, i]| {
            let (rows, cols) = (Span::tile(i, 8, M), Span::tile(j, 12, N));
            let acc = b.zeros(rows, cols);
            b.each(Range::to(n_tiles(K, 6)), |b, l| {
                let depth = Span::tile(l, 6, K);
                let a = b.load(a, &[], rows, depth);
                let (w_rows, w_cols) = if transposed { (cols, depth) } else { (depth, cols) };
                let w = b.load(w, &[], w_rows, w_cols);
                let twice = b.like(w);
                b.add(twice, w, w);
                let twice = b.convert(twice, dtype);
                if transposed { b.mma_bt(acc, a, twice) } else { b.mma(acc, a, twice) }
            });
            let row_bias = b.load(row_bias, &[], rows, Span::ONE);
            let col_bias = b.load(col_bias, &[], Span::ONE, cols);
            let residual = b.load(residual, &[], rows, cols);
            b.add(acc, acc, row_bias);
            b.add(acc, acc, col_bias);
            b.add(acc, acc, residual);
            b.store(out, &[], acc);
        });
    });
    program.expect("a sound program")
}

#[test]
fn biases_repeat_and_right_factors_may_be_computed() {
    for dtype in [DType::F32, DType::F16, DType::Bf16] {
        for transposed in [false, true] {
            check("biased", &biased(dtype, transposed), Draw::Integers, 0.0);
        }
    }
}

/// Attention whose scores are capped by tanh and biased by distance, over keys at odd strides, in two stages.
fn capped() -> Program {
    let (sq, skv, d) = (11, 29, 10);
    let program = Program::build("capped", |b| {
        let q = b.input_matrix("q", DType::F32, &[2], sq, d);
        let lead = [Axis { len: 2, stride: skv * 13 }];
        let k = b.input("k", DType::F32, &lead, &[Axis { len: skv, stride: 13 }], d);
        let v = b.input_matrix("v", DType::F32, &[2], skv, d);
        let (scores_out, scores) = b.scratch("scores", &[2], sq, skv);
        let lead = [Axis { len: 2, stride: sq * 11 }];
        let out = b.output("out", DType::F32, &lead, &[Axis { len: sq, stride: 11 }], d);
        b.each_point([("head", 2), ("j", n_tiles(skv, 8)), ("i", n_tiles(sq, 4))], |b, [h, j, i]| {
            let (rows, keys) = (Span::tile(i, 4, sq), Span::tile(j, 8, skv));
            let q = b.load(q, &[h.into()], rows, Span::whole(d));
            let k = b.load(k, &[h.into()], keys, Span::whole(d));
            let s = b.zeros(rows, keys);
            b.mma_bt(s, q, k);
            b.mul(s, s, 0.2);
            b.tanh(s, s);
            b.mul(s, s, 5.0);
            let (row_at, col_at) = (b.row_positions(rows), b.col_positions(keys));
            let distance = b.like(s);
            b.sub(distance, col_at, row_at);
            b.abs(distance, distance);
            b.mul(distance, distance, -0.125);
            b.add(s, s, distance);
            b.keep_band(s, s, 1, None, Some((skv - sq) as i64));
            b.store(scores_out, &[h.into()], s);
        });
        b.each_point([("head", 2), ("i", sq)], |b, [h, i]| {
            let (row, keys) = (Span::tile(i, 1, sq), Span::whole(skv));
            let s = b.load(scores, &[h.into()], row, keys);
            let peak = b.row_max(s);
            b.sub(s, s, peak);
            b.exp2(s, s);
            let sum = b.row_sum(s);
            let log = b.like(sum);
            b.log2(log, sum);
            b.sub(log, 0.0, log);
            b.exp2(log, log);
            let acc = b.zeros(row, Span::whole(d));
            let v = b.load(v, &[h.into()], keys, Span::whole(d));
            b.mma(acc, s, v);
            b.mul(acc, acc, log);
            b.store(out, &[h.into()], acc);
        });
    });
    program.expect("a sound program")
}

#[test]
fn capped_scores_with_distances_run_in_two_stages() {
    check("capped", &capped(), Draw::Reals, 1e-5);
}

/// Sums of the row up to the diagonal of blocks below it: loop ends below zero, negative steps, empty loops.
fn triangular() -> Program {
    let (m, n) = (23, 40);
    let program = Program::build("triangular", |b| {
        let x = b.input_matrix("x", DType::F32, &[], m, n);
        let out = b.output_matrix("out", DType::F32, &[], m, 1);
        b.each_point([("i", n_tiles(m, 5))], |b, [i]| {
            let rows = Span::tile(i, 5, m);
            let total = b.zeros(rows, Span::ONE);
            let low = Bound { index: Index::from(i) * -7 + 3, divisor: 4 };
            let high = Bound { index: Index::from(i) * 11 + -9, divisor: 8 };
            b.each(Range::to(n_tiles(n, 6)).from_at_least(low).up_to(high), |b, l| {
                let x = b.load(x, &[], rows, Span::tile(l, 6, n));
                let sum = b.row_sum(x);
                b.add(total, total, sum);
            });
            b.store(out, &[], total);
        });
    });
    program.expect("a sound program")
}

#[test]
fn loop_ends_round_down_below_zero() {
    check("triangular", &triangular(), Draw::Integers, 0.0);
}

/// One function over 2048 arguments from `from` on in steps of `step`.
fn function(name: &str, from: f32, step: f32, f: fn(&mut Body, TileId)) -> Program {
    let (m, n) = (64, 32);
    let program = Program::build(name, |b| {
        let _ = b.input_matrix("unused", DType::F32, &[], 1, 1);
        let out = b.output_matrix("out", DType::F32, &[], m, n);
        b.each_point([("i", m / 8)], |b, [i]| {
            let (rows, cols) = (Span::tile(i, 8, m), Span::whole(n));
            let (row_at, col_at) = (b.row_positions(rows), b.col_positions(cols));
            let x = b.zeros(rows, cols);
            b.mul(x, row_at, n as f32);
            b.add(x, x, col_at);
            b.mul(x, x, step);
            b.add(x, x, from);
            f(b, x);
            b.store(out, &[], x);
        });
    });
    program.expect("a sound program")
}

#[test]
fn functions_are_as_accurate_as_promised() {
    // Steps are powers of two, so that the arguments are exact.
    type Write = fn(&mut Body, TileId);
    let functions: [(&str, f32, Write); 4] = [
        ("exp2", -120.0, |b, x| b.exp2(x, x)),
        ("tanh", -4.0, |b, x| b.tanh(x, x)),
        ("log2", 0.0625, |b, x| b.log2(x, x)),
        ("rsqrt", 0.0625, |b, x| b.rsqrt(x, x)),
    ];
    for (name, from, f) in functions {
        let step = if name == "exp2" { 0.09375 } else { 1.0 / 256.0 };
        let program = function(name, from, step, f);
        for (device, gpu) in devices() {
            let bound = if name == "exp2" { gpu.limits().exp2_error } else { gpu.limits().function_error };
            let (expected, got) = (eval(&program, &[vec![0.0]]), output(gpu, &program, &[vec![0.0]]));
            for (i, (e, g)) in expected.iter().zip(&got).enumerate() {
                assert!((e - g).abs() <= bound * e.abs(), "{name} {i} on {device}: expected {e}, got {g}");
            }
        }
    }
}
