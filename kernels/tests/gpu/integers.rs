//! Weights of 4 bits, caches and products of 8-bit integers: read out of words, at every edge.

use farthing_kernels::DType;
use farthing_kernels::problem::{AttentionProblem, AttentionSizes, Kv, Layout, Mask, MatmulProblem, MatmulSizes};
use farthing_kernels::program::{Axis, Program, Range, Span};
use farthing_kernels::tile::{AttentionTiling, MatmulTiling, n_tiles};
use farthing_kernels::{attention, matmul};

use crate::check::{Draw, check, strategies, streams};

fn weights(m: usize, n: usize, k: usize, input: DType, (bm, bn, bk): (usize, usize, usize)) -> Program {
    let sizes = MatmulSizes { batch: 2, m, n, k, input, output: DType::F32, layout: Layout::NkI4 };
    matmul(&MatmulProblem::new(sizes).expect("good sizes"), &MatmulTiling { bm, bn, bk, k_splits: 1 })
}

#[test]
fn weights_of_4_bits_under_few_rows_are_streamed_and_exact() {
    for input in [DType::F32, DType::Bf16, DType::F16] {
        // Whole tiles; a short last one of columns and of the depth; fewer columns than threads; several slots a thread.
        for (m, n, k, tile) in [
            (1, 64, 512, (1, 32, 512)),
            (3, 44, 352, (4, 32, 256)),
            (1, 7, 32, (1, 8, 512)),
            (13, 40, 320, (16, 16, 2048)),
        ] {
            let program = weights(m, n, k, input, tile);
            let label = format!("{m}x{n}x{k} {input} {tile:?}");
            for (device, name) in strategies(&program) {
                assert_eq!(name.contains("streamed"), streams(&device), "{label} on {device}: {name}");
            }
            check(&label, &program, Draw::Integers, 0.0);
            check(&label, &program, Draw::Reals, 1e-5);
        }
    }
}

#[test]
fn weights_of_4_bits_under_many_rows_are_exact() {
    for (m, n, k, tile) in [(33, 44, 96, (32, 32, 64)), (70, 65, 64, (64, 64, 512)), (20, 9, 64, (5, 7, 3))] {
        check(&format!("{m}x{n}x{k} {tile:?}"), &weights(m, n, k, DType::F32, tile), Draw::Integers, 0.0);
    }
}

/// Rows of weights that start at any byte, used as a left factor, as a right one, and by themselves.
fn scattered() -> Program {
    let (m, n, k) = (9, 11, 96);
    let program = Program::build("scattered", |b| {
        let bytes = b.input("w", DType::I4x2, &[], &[Axis { len: m, stride: k / 2 + 5 }], k / 2);
        let scale = b.input_matrix("scale", DType::F32, &[], m, k / 32);
        let x = b.input_matrix("x", DType::F32, &[], n, k);
        let out = b.output_matrix("out", DType::F32, &[], m, n);
        b.each_point([("i", n_tiles(m, 4))], |b, [i]| {
            let (rows, cols) = (Span::tile(i, 4, m), Span::whole(n));
            let acc = b.zeros(rows, cols);
            b.each(Range::to(n_tiles(k, 32)), |b, l| {
                let bytes = b.load(bytes, &[], rows, Span::tile(l, 16, k / 2));
                let scale = b.load(scale, &[], rows, Span::tile(l, 1, k / 32));
                let w = b.dequantise(bytes, scale);
                let x = b.load(x, &[], cols, Span::tile(l, 32, k));
                b.mma_bt(acc, w, x);
                let sum = b.row_sum(w);
                b.add(acc, acc, sum);
            });
            b.store(out, &[], acc);
        });
    });
    program.expect("a sound program")
}

#[test]
fn weights_of_4_bits_may_start_anywhere_and_be_used_for_anything() {
    check("scattered", &scattered(), Draw::Integers, 0.0);
}

fn cached(sizes: AttentionSizes, (bq, bk, kv_splits): (usize, usize, usize)) -> Program {
    attention(
        &AttentionProblem::new(sizes).expect("good sizes"),
        &AttentionTiling { bq, bk, kv_splits, lazy_peak: false },
    )
}

const CACHE: AttentionSizes = AttentionSizes {
    batch: 2,
    hq: 4,
    hkv: 2,
    sq: 1,
    skv: 83,
    d: 64,
    dv: 32,
    mask: Mask::Causal,
    input: DType::F32,
    output: DType::F32,
    kv: Kv::I8,
    page: None,
};

#[test]
fn caches_of_bytes_are_streamed_by_one_query() {
    // Rows of whole sixteens, of whole eights, and of whole fours; then keys and values of many query heads.
    let (f32s, halves) = (DType::F32, DType::Bf16);
    for (d, dv, hq, input) in [(64, 32, 4, f32s), (24, 40, 4, halves), (12, 20, 4, f32s), (64, 128, 16, halves)] {
        let program = cached(AttentionSizes { d, dv, hq, input, ..CACHE }, (8, 32, 2));
        for (device, name) in strategies(&program) {
            assert_eq!(name.contains("streamed"), streams(&device), "{d} {dv} {input} on {device}: {name}");
        }
        check(&format!("{d} {dv} {hq} {input}"), &program, Draw::Reals, 2e-3);
    }
}

#[test]
fn caches_of_bytes_are_read_at_every_edge() {
    for (sq, d, dv, mask) in [(13, 16, 8, Mask::None), (30, 7, 5, Mask::Window(9)), (40, 10, 64, Mask::Causal)] {
        let sizes = AttentionSizes { sq, d, dv, mask, ..CACHE };
        check(&format!("{sizes:?}"), &cached(sizes, (32, 16, 1)), Draw::Reals, 2e-3);
    }
}

/// Bytes as results of their own, as numbers in arithmetic, and as an operand repeated.
fn counted() -> Program {
    let (m, n) = (9, 10);
    let program = Program::build("counted", |b| {
        let x = b.input("x", DType::I8, &[], &[Axis { len: m, stride: n + 3 }], n);
        let column = b.input_matrix("column", DType::I8, &[], m, 1);
        let out = b.output_matrix("out", DType::F32, &[], m, n);
        b.each_point([("i", n_tiles(m, 4))], |b, [i]| {
            let rows = Span::tile(i, 4, m);
            let x = b.load(x, &[], rows, Span::whole(n));
            let column = b.load(column, &[], rows, Span::ONE);
            let y = b.like(x);
            b.mul(y, x, column);
            let wide = b.convert(x, DType::F32);
            b.add(y, y, wide);
            b.store(out, &[], y);
        });
    });
    program.expect("a sound program")
}

#[test]
fn bytes_are_numbers_in_arithmetic() {
    check("counted", &counted(), Draw::Integers, 0.0);
}

fn sums(m: usize, n: usize, k: usize, layout: Layout, output: DType, tile: (usize, usize, usize)) -> Program {
    let sizes = MatmulSizes { batch: 2, m, n, k, input: DType::I8, output, layout };
    matmul(
        &MatmulProblem::new(sizes).expect("good sizes"),
        &MatmulTiling { bm: tile.0, bn: tile.1, bk: tile.2, k_splits: 1 },
    )
}

#[test]
fn products_of_bytes_are_exact_at_every_edge() {
    for layout in [Layout::Nk, Layout::Kn] {
        // Whole sixteens, whole fours, and anything; a tail of the depth behind whole chunks; one row, one column.
        for (m, n, k, tile) in [
            (64, 64, 128, (32, 32, 64)),
            (33, 44, 100, (32, 32, 512)),
            // Half a tile of columns exists, and of the last step no whole chunk; several chunks a step.
            (40, 48, 112, (32, 32, 64)),
            (32, 32, 320, (32, 32, 256)),
            (17, 35, 83, (16, 32, 48)),
            (11, 29, 19, (5, 7, 3)),
            (40, 1, 36, (8, 8, 32)),
            (1, 48, 64, (1, 16, 32)),
        ] {
            check(
                &format!("{m}x{n}x{k} {layout} {tile:?}"),
                &sums(m, n, k, layout, DType::I32, tile),
                Draw::Integers,
                0.0,
            );
        }
        check("scaled", &sums(20, 36, 32, layout, DType::F32, (16, 32, 32)), Draw::Integers, 0.0);
    }
}

#[test]
fn products_of_bytes_with_few_rows_are_streamed() {
    for (m, n, k, output, tile) in [
        (1, 64, 512, DType::I32, (1, 32, 512)),
        (3, 44, 304, DType::F32, (4, 32, 256)),
        (13, 40, 160, DType::I32, (16, 16, 512)),
    ] {
        let program = sums(m, n, k, Layout::Nk, output, tile);
        for (device, name) in strategies(&program) {
            assert_eq!(name.contains("streamed"), streams(&device), "{m}x{n}x{k} on {device}: {name}");
        }
        check(&format!("{m}x{n}x{k} {output}"), &program, Draw::Integers, 0.0);
    }
}
