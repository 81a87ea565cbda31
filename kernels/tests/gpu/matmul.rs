//! Matrix products.

use farthing_kernels::DType;
use farthing_kernels::matmul;
use farthing_kernels::problem::{Layout, MatmulProblem, MatmulSizes};
use farthing_kernels::tile::MatmulTiling;

use crate::check::{Draw, check};

fn product(sizes: MatmulSizes, tiling: MatmulTiling, draw: Draw, tolerance: f64) {
    let problem = MatmulProblem::new(sizes).expect("good sizes");
    check(&format!("{sizes:?} {tiling:?}"), &matmul(&problem, &tiling), draw, tolerance);
}

const F32: MatmulSizes =
    MatmulSizes { batch: 1, m: 17, n: 33, k: 19, input: DType::F32, output: DType::F32, layout: Layout::Kn };
const TILE: MatmulTiling = MatmulTiling { bm: 8, bn: 16, bk: 8, k_splits: 1 };

#[test]
fn integer_products_are_exact_at_every_edge_of_a_tile() {
    let around = |t: usize| [1, t - 1, t, t + 1, 2 * t + 1];
    for layout in [Layout::Kn, Layout::Nk] {
        for i in 0..5 {
            let (m, n, k) = (around(TILE.bm)[i], around(TILE.bn)[(i + 2) % 5], around(TILE.bk)[(i * 3 + 1) % 5]);
            product(MatmulSizes { m, n, k, layout, ..F32 }, TILE, Draw::Integers, 0.0);
            let (m, n, k) = (around(TILE.bm)[(i + 3) % 5], around(TILE.bn)[i], around(TILE.bk)[(i + 1) % 5]);
            product(MatmulSizes { m, n, k, layout, ..F32 }, TILE, Draw::Integers, 0.0);
        }
    }
}

#[test]
fn aligned_products_are_exact() {
    for layout in [Layout::Kn, Layout::Nk] {
        let sizes = MatmulSizes { m: 70, n: 136, k: 72, layout, ..F32 };
        product(sizes, MatmulTiling { bm: 32, bn: 64, bk: 16, k_splits: 1 }, Draw::Integers, 0.0);
        product(sizes, MatmulTiling { bm: 16, bn: 32, bk: 512, k_splits: 1 }, Draw::Integers, 0.0);
        product(sizes, MatmulTiling { bm: 5, bn: 7, bk: 3, k_splits: 1 }, Draw::Integers, 0.0);
    }
}

#[test]
fn parts_of_the_depth_are_added_up() {
    for layout in [Layout::Kn, Layout::Nk] {
        let tiling = MatmulTiling { bm: 32, bn: 64, bk: 16, k_splits: 4 };
        product(MatmulSizes { m: 70, n: 136, k: 144, layout, ..F32 }, tiling, Draw::Integers, 0.0);
        // One row and an odd width: no four neighbours of the sums lie side by side.
        let sizes = MatmulSizes { batch: 2, m: 1, n: 37, k: 30, layout, ..F32 };
        product(sizes, MatmulTiling { k_splits: 9, ..TILE }, Draw::Integers, 0.0);
        let halves = MatmulSizes { m: 64, n: 96, k: 224, input: DType::F16, output: DType::F16, layout, ..F32 };
        product(halves, MatmulTiling { bm: 32, bn: 32, bk: 32, k_splits: 3 }, Draw::Integers, 0.0);
    }
}

#[test]
fn batches_are_apart() {
    for layout in [Layout::Kn, Layout::Nk] {
        product(MatmulSizes { batch: 3, m: 9, n: 20, k: 12, layout, ..F32 }, TILE, Draw::Integers, 0.0);
    }
}

#[test]
fn sixteen_bit_operands_and_outputs_round_once() {
    for input in [DType::F16, DType::Bf16] {
        for output in [DType::F32, input] {
            for (m, n, k) in [(9, 17, 21), (8, 32, 16), (1, 1, 1), (3, 31, 8)] {
                for layout in [Layout::Kn, Layout::Nk] {
                    let sizes = MatmulSizes { m, n, k, input, output, layout, ..F32 };
                    product(sizes, TILE, Draw::Integers, 0.0);
                    product(sizes, TILE, Draw::Reals, if output == DType::F32 { 1e-6 } else { 1e-2 });
                }
            }
        }
    }
}
