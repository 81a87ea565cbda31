//! Attention.

use farthing_kernels::DType;
use farthing_kernels::attention;
use farthing_kernels::problem::{AttentionProblem, AttentionSizes, Kv, Mask};
use farthing_kernels::tile::AttentionTiling;

use crate::check::{Draw, check};

const F32: AttentionSizes = AttentionSizes {
    batch: 1,
    hq: 2,
    hkv: 1,
    sq: 13,
    skv: 21,
    d: 8,
    dv: 8,
    mask: Mask::None,
    input: DType::F32,
    output: DType::F32,
    kv: Kv::Input,
    page: None,
};
const TILE: AttentionTiling = AttentionTiling { bq: 8, bk: 16, kv_splits: 1, lazy_peak: false };

fn attend(sizes: AttentionSizes, tiling: AttentionTiling, tolerance: f64) {
    let problem = AttentionProblem::new(sizes).expect("good sizes");
    check(&format!("{sizes:?} {tiling:?}"), &attention(&problem, &tiling), Draw::Reals, tolerance);
}

#[test]
fn masks_show_what_they_should() {
    for mask in [Mask::None, Mask::Causal, Mask::Window(5)] {
        attend(AttentionSizes { mask, ..F32 }, TILE, 1e-5);
    }
    for mask in [Mask::Causal, Mask::Window(5)] {
        // More queries than keys: the first see nothing and give zero.
        attend(AttentionSizes { mask, sq: 30, skv: 7, ..F32 }, TILE, 1e-5);
    }
    let grouped = AttentionSizes { batch: 2, hq: 6, hkv: 2, sq: 17, skv: 40, d: 20, dv: 12, ..F32 };
    attend(AttentionSizes { mask: Mask::Window(5), ..grouped }, TILE, 1e-5);
}

/// The depth of the scores takes several chunks of what is staged, of which the queries are no part.
#[test]
fn long_heads_are_cut_into_chunks() {
    for input in [DType::F32, DType::Bf16] {
        let sizes = AttentionSizes { sq: 30, skv: 32, d: 72, dv: 40, mask: Mask::Causal, input, ..F32 };
        let tolerance = if input == DType::F32 { 1e-5 } else { 1e-2 };
        attend(sizes, AttentionTiling { bq: 20, bk: 16, kv_splits: 1, lazy_peak: false }, tolerance);
    }
}

#[test]
fn one_query_meets_many_keys() {
    for kv_splits in [1, 3] {
        // A software device compiles each for seconds: heads and tiles are paired rather than multiplied.
        for ((d, dv), (bq, bk)) in [((16, 16), (1, 16)), ((7, 5), (4, 8)), ((32, 64), (4, 8))] {
            let sizes = AttentionSizes { sq: 1, skv: 83, hq: 4, hkv: 2, d, dv, mask: Mask::Causal, ..F32 };
            attend(sizes, AttentionTiling { bq, bk, kv_splits, lazy_peak: false }, 1e-5);
        }
    }
}

#[test]
fn keys_may_be_split() {
    for mask in [Mask::None, Mask::Causal, Mask::Window(9)] {
        attend(AttentionSizes { mask, ..F32 }, AttentionTiling { kv_splits: 2, bk: 4, ..TILE }, 1e-5);
    }
}

#[test]
fn sixteen_bit_attention_rounds_the_weights() {
    for input in [DType::F16, DType::Bf16] {
        for output in [DType::F32, input] {
            attend(AttentionSizes { input, output, mask: Mask::Causal, ..F32 }, TILE, 2e-2);
            attend(AttentionSizes { input, output, d: 7, dv: 9, ..F32 }, TILE, 2e-2);
        }
    }
}
