//! Products that are streamed or given to matrix units: that they are, and that they are right at every edge.

use farthing_kernels::DType;
use farthing_kernels::problem::{AttentionProblem, AttentionSizes, Kv, Layout, Mask, MatmulProblem, MatmulSizes};
use farthing_kernels::program::Program;
use farthing_kernels::tile::{AttentionTiling, MatmulTiling};
use farthing_kernels::{attention, matmul};

use crate::check::{Draw, check, strategies, streams};

fn product(m: usize, n: usize, k: usize, input: DType, layout: Layout, (bm, bn, bk): (usize, usize, usize)) -> Program {
    let sizes = MatmulSizes { batch: 2, m, n, k, input, output: DType::F32, layout };
    matmul(&MatmulProblem::new(sizes).expect("good sizes"), &MatmulTiling { bm, bn, bk, k_splits: 1 })
}

#[test]
fn products_of_few_rows_are_streamed_and_exact() {
    for layout in [Layout::Kn, Layout::Nk] {
        for input in [DType::F32, DType::Bf16, DType::F16] {
            // Whole tiles; a short last one of each axis; fewer columns than threads; one row; several slots a thread.
            for (m, n, k, tile) in [
                (4, 64, 128, (4, 32, 64)),
                (3, 44, 100, (4, 32, 64)),
                (1, 8, 516, (1, 8, 512)),
                (1, 260, 36, (1, 128, 512)),
                (7, 72, 64, (8, 16, 32)),
                // Of 16 bits, read in eights: a short last tile of columns and of the depth.
                (3, 40, 136, (4, 32, 64)),
                (6, 24, 72, (8, 16, 512)),
            ] {
                let program = product(m, n, k, input, layout, tile);
                let label = format!("{m}x{n}x{k} {input} {layout} {tile:?}");
                for (device, name) in strategies(&program) {
                    assert_eq!(name.contains("streamed"), streams(&device), "{label} on {device}: {name}");
                }
                check(&label, &program, Draw::Integers, 0.0);
            }
        }
    }
}

#[test]
fn rows_that_are_not_read_in_fours_are_not_streamed_along_the_depth() {
    let program = product(2, 16, 33, DType::F32, Layout::Nk, (2, 16, 32));
    for (device, name) in strategies(&program) {
        assert!(!name.contains("streamed"), "{device}: {name}");
    }
    check("odd rows", &program, Draw::Integers, 0.0);
}

#[test]
fn halves_are_multiplied_by_matrix_units_where_there_are_any() {
    for layout in [Layout::Kn, Layout::Nk] {
        for (m, n, k, tile) in [(64, 64, 64, (32, 32, 32)), (50, 44, 72, (32, 32, 32)), (33, 100, 36, (32, 64, 16))] {
            let program = product(m, n, k, DType::F16, layout, tile);
            let label = format!("{m}x{n}x{k} {layout} {tile:?}");
            for (device, name) in strategies(&program) {
                assert_eq!(name.contains("fragments"), device.ends_with("Fragments"), "{label} on {device}: {name}");
            }
            check(&label, &program, Draw::Integers, 0.0);
            check(&label, &program, Draw::Reals, 1e-6);
        }
    }
}

#[test]
fn matrix_units_take_computed_weights() {
    // Of 70 keys the last tile is no multiple of four: only the scores are products of fragments. Of 72 the accumulator is
    // held, and fades for most tiles of keys, or seldom.
    let cases = [(Mask::None, 72, 32, false), (Mask::Causal, 72, 64, true), (Mask::Window(9), 70, 32, true)];
    for (mask, skv, bq, lazy_peak) in cases {
        let sizes = AttentionSizes {
            batch: 1,
            hq: 4,
            hkv: 2,
            sq: 40,
            skv,
            d: 32,
            dv: 48,
            mask,
            input: DType::F16,
            output: DType::F32,
            kv: Kv::Input,
            page: None,
        };
        let tiling = AttentionTiling { bq, bk: 32, kv_splits: 1, lazy_peak };
        let program = attention(&AttentionProblem::new(sizes).expect("good sizes"), &tiling);
        for (device, name) in strategies(&program) {
            assert_eq!(name.contains("fragments"), device.ends_with("Fragments"), "{mask} on {device}: {name}");
        }
        // Weights are rounded to f16, relative errors of 2^-11 each.
        check(&format!("{sizes:?} {tiling:?}"), &program, Draw::Reals, 2e-3);
    }
}
