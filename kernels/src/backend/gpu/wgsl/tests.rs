//! Golden shaders, each valid by naga's rules. `FARTHING_BLESS=1` writes them anew.

use std::path::Path;

use super::{Caps, Fragment, Manner, lower_stage};
use crate::problem::{
    AttentionProblem, AttentionSizes, GroupedProblem, GroupedSizes, Kv, Layout, Mask, MatmulProblem, MatmulSizes,
};
use crate::program::Program;
use crate::tile::{AttentionTiling, MatmulTiling};
use crate::{DType, attention, grouped, matmul};

fn caps(manner: Manner) -> Caps {
    Caps {
        manner,
        shuffle: None,
        fragment: None,
        max_threads: 256,
        max_workgroup_bytes: 16 << 10,
        max_groups: 65_535,
        max_bindings: 8,
        max_binding_bytes: 128 << 20,
    }
}

fn valid(name: &str, source: &str) {
    let module = wgpu::naga::front::wgsl::parse_str(source).unwrap_or_else(|e| panic!("{}", e.emit_to_string(source)));
    let (flags, abilities) = (wgpu::naga::valid::ValidationFlags::all(), wgpu::naga::valid::Capabilities::all());
    let checked = wgpu::naga::valid::Validator::new(flags, abilities).validate(&module);
    assert!(checked.is_ok(), "{name}: {checked:?}");
}

fn golden(name: &str, program: &Program, manner: Manner) {
    golden_on(name, program, &caps(manner));
}

fn golden_on(name: &str, program: &Program, caps: &Caps) {
    let code = lower_stage(program, 0, caps).expect("within the limits");
    valid(name, &code.source);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(format!("{name}.wgsl"));
    if std::env::var_os("FARTHING_BLESS").is_some() {
        std::fs::write(&path, &code.source).expect("a writable folder of snapshots");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert!(kept == code.source, "{} differs; FARTHING_BLESS=1 writes it anew:\n{}", path.display(), code.source);
}

/// A device with subgroups of 32 lanes that multiply matrices.
fn able() -> Caps {
    Caps { shuffle: Some(32), fragment: Some(Fragment { edge: 16, lanes: 32 }), ..caps(Manner::Staged) }
}

fn of(sizes: MatmulSizes, tiling: MatmulTiling) -> Program {
    matmul(&MatmulProblem::new(sizes).expect("good sizes"), &tiling)
}

fn product() -> Program {
    let sizes =
        MatmulSizes { batch: 2, m: 20, n: 64, k: 40, input: DType::Bf16, output: DType::Bf16, layout: Layout::Nk };
    let tiling = MatmulTiling { bm: 8, bn: 32, bk: 16, k_splits: 1 };
    matmul(&MatmulProblem::new(sizes).expect("good sizes"), &tiling)
}

fn attend() -> Program {
    let sizes = AttentionSizes {
        batch: 1,
        hq: 4,
        hkv: 2,
        sq: 10,
        skv: 37,
        d: 16,
        dv: 8,
        mask: Mask::Causal,
        input: DType::F32,
        output: DType::F32,
        kv: Kv::Input,
        page: None,
    };
    let tiling = AttentionTiling { bq: 4, bk: 16, kv_splits: 1, lazy_peak: false };
    attention(&AttentionProblem::new(sizes).expect("good sizes"), &tiling)
}

#[test]
fn shaders_of_a_product_are_the_golden_ones() {
    golden("matmul_staged", &product(), Manner::Staged);
    golden("matmul_lanes", &product(), Manner::Lanes(8));
}

#[test]
fn shaders_of_attention_are_the_golden_ones() {
    golden("attention_staged", &attend(), Manner::Staged);
    golden("attention_lanes", &attend(), Manner::Lanes(8));
}

#[test]
fn shaders_of_few_rows_and_of_matrix_units_are_the_golden_ones() {
    let sizes =
        MatmulSizes { batch: 1, m: 3, n: 40, k: 300, input: DType::F32, output: DType::F32, layout: Layout::Nk };
    golden_on("matmul_streamed_nk", &of(sizes, MatmulTiling { bm: 4, bn: 16, bk: 256, k_splits: 1 }), &able());
    let kn = MatmulSizes { layout: Layout::Kn, ..sizes };
    golden_on("matmul_streamed_kn", &of(kn, MatmulTiling { bm: 4, bn: 32, bk: 256, k_splits: 1 }), &able());
    let halves = MatmulSizes { m: 70, n: 64, k: 72, input: DType::F16, ..sizes };
    golden_on("matmul_fragments", &of(halves, MatmulTiling { bm: 32, bn: 32, bk: 32, k_splits: 1 }), &able());
}

#[test]
fn shaders_of_weights_of_4_bits_are_the_golden_ones() {
    let sizes =
        MatmulSizes { batch: 1, m: 2, n: 40, k: 512, input: DType::Bf16, output: DType::F32, layout: Layout::NkI4 };
    golden_on("matmul_streamed_i4", &of(sizes, MatmulTiling { bm: 2, bn: 32, bk: 512, k_splits: 1 }), &able());
}

#[test]
fn shaders_of_caches_of_bytes_are_the_golden_ones() {
    let sizes = AttentionSizes {
        batch: 1,
        hq: 4,
        hkv: 2,
        sq: 1,
        skv: 100,
        d: 64,
        dv: 32,
        mask: Mask::None,
        input: DType::Bf16,
        output: DType::F32,
        kv: Kv::I8,
        page: None,
    };
    let tiling = AttentionTiling { bq: 2, bk: 64, kv_splits: 1, lazy_peak: false };
    let program = attention(&AttentionProblem::new(sizes).expect("good sizes"), &tiling);
    golden_on("attention_streamed_i8", &program, &Caps { fragment: None, ..able() });
}

#[test]
fn shaders_that_read_tables_are_the_golden_ones() {
    let sizes = AttentionSizes {
        batch: 2,
        hq: 4,
        hkv: 2,
        sq: 1,
        skv: 100,
        d: 64,
        dv: 64,
        mask: Mask::None,
        input: DType::Bf16,
        output: DType::F32,
        kv: Kv::Input,
        page: Some(16),
    };
    let tiling = AttentionTiling { bq: 2, bk: 64, kv_splits: 1, lazy_peak: false };
    let program = attention(&AttentionProblem::new(sizes).expect("good sizes"), &tiling);
    golden_on("attention_pages", &program, &Caps { fragment: None, ..able() });
    let (input, output, layout) = (DType::F16, DType::F16, Layout::Nk);
    let sizes = GroupedSizes { groups: 4, m: 100, n: 64, k: 72, input, output, layout };
    let tiling = MatmulTiling { bm: 32, bn: 32, bk: 32, k_splits: 1 };
    golden_on("grouped_fragments", &grouped(&GroupedProblem::new(sizes).expect("good sizes"), &tiling), &able());
}

#[test]
fn shaders_of_products_of_bytes_are_the_golden_ones() {
    let sizes = MatmulSizes { batch: 1, m: 40, n: 64, k: 72, input: DType::I8, output: DType::F32, layout: Layout::Kn };
    golden_on("matmul_staged_i8", &of(sizes, MatmulTiling { bm: 32, bn: 32, bk: 64, k_splits: 1 }), &able());
    let few = MatmulSizes { m: 3, k: 256, layout: Layout::Nk, ..sizes };
    golden_on("matmul_streamed_i8", &of(few, MatmulTiling { bm: 4, bn: 32, bk: 256, k_splits: 1 }), &able());
}

/// Branches and early returns around matrices: a verifier that took them for non-uniform would refuse the shader.
#[test]
fn matrix_units_stand_behind_branches() {
    let roomy = Caps { max_workgroup_bytes: 48 << 10, ..able() };
    for mask in [Mask::Causal, Mask::Window(9)] {
        let sizes = AttentionSizes {
            batch: 1,
            hq: 4,
            hkv: 2,
            sq: 40,
            skv: 72,
            d: 32,
            dv: 48,
            mask,
            input: DType::F16,
            output: DType::F32,
            kv: Kv::Input,
            page: None,
        };
        for (bq, lazy_peak) in [(32, false), (64, true)] {
            let tiling = AttentionTiling { bq, bk: 32, kv_splits: 1, lazy_peak };
            let program = attention(&AttentionProblem::new(sizes).expect("good sizes"), &tiling);
            let code = lower_stage(&program, 0, &roomy).expect("within the limits");
            assert!(code.strategy.contains("fragments"), "{}", code.strategy);
            valid(&format!("{mask}"), &code.source);
            if mask == Mask::Causal && lazy_peak {
                golden_on("attention_fragments", &program, &roomy);
            }
        }
    }
    let halves =
        MatmulSizes { batch: 3, m: 96, n: 64, k: 32, input: DType::F16, output: DType::F32, layout: Layout::Kn };
    let few = Caps { max_groups: 7, ..able() };
    let code = lower_stage(&of(halves, MatmulTiling { bm: 32, bn: 32, bk: 32, k_splits: 1 }), 0, &few)
        .expect("within the limits");
    assert!(code.source.contains("return;"), "{}", code.source);
    valid("more points than groups", &code.source);
}

#[test]
fn points_beyond_one_dimension_fill_the_others() {
    let sizes =
        MatmulSizes { batch: 3, m: 70_000, n: 1, k: 1, input: DType::F32, output: DType::F32, layout: Layout::Kn };
    let program =
        matmul(&MatmulProblem::new(sizes).expect("good sizes"), &MatmulTiling { bm: 1, bn: 1, bk: 1, k_splits: 1 });
    let code = lower_stage(&program, 0, &caps(Manner::Staged)).expect("within the limits");
    assert_eq!(code.groups, [65_535, 4, 1]);
    assert!(code.source.contains("if (point >= 210000) { return; }"));
    let few = Caps { max_groups: 8, ..caps(Manner::Staged) };
    let refused = lower_stage(&program, 0, &few).expect_err("more points than groups");
    assert_eq!((refused.asked.as_str(), refused.limit.as_str()), ("210000", "512"));
}
