//! Golden NKI source. `FARTHING_BLESS=1` writes it anew. What the source computes is `nki_double`'s.

use std::path::Path;

use farthing_kernels::backend::neuron::{Target, nki};
use farthing_kernels::problem::{AttentionProblem, AttentionSizes, Kv, Layout, Mask, MatmulProblem, MatmulSizes};
use farthing_kernels::program::{Program, Range, Span};
use farthing_kernels::tile::{AttentionTiling, MatmulTiling, n_tiles};
use farthing_kernels::{DType, attention, matmul};

fn golden(name: &str, program: &Program) {
    let kernel = nki::lower(program, Target::Trn2).expect("within the limits of the chip");
    let again = nki::lower(program, Target::Trn2).expect("within the limits of the chip");
    assert_eq!(kernel.source, again.source, "{name}: the same program, another text");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(format!("{name}.nki.py"));
    if std::env::var_os("FARTHING_BLESS").is_some() {
        std::fs::write(&path, &kernel.source).expect("a writable folder of snapshots");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let differs = format!("{} differs; FARTHING_BLESS=1 writes it anew:\n{}", path.display(), kernel.source);
    assert!(kept == kernel.source, "{differs}");
}

fn product(layout: Layout) -> Program {
    let sizes = MatmulSizes { batch: 1, m: 300, n: 1000, k: 200, input: DType::F32, output: DType::F32, layout };
    matmul(&MatmulProblem::new(sizes).expect("good sizes"), &MatmulTiling { bm: 256, bn: 512, bk: 128, k_splits: 1 })
}

fn attend(sq: usize, bq: usize, input: DType) -> Program {
    let output = DType::Bf16;
    let sizes = AttentionSizes {
        batch: 2,
        hq: 8,
        hkv: 2,
        sq,
        skv: 700,
        d: 128,
        dv: 128,
        mask: Mask::Causal,
        input,
        output,
        kv: Kv::Input,
        page: None,
    };
    attention(
        &AttentionProblem::new(sizes).expect("good sizes"),
        &AttentionTiling { bq, bk: 256, kv_splits: 1, lazy_peak: false },
    )
}

/// `out = tanh(x·W + bias) · rsqrt(Σ x² + 1)`: a kernel that the lowering has never heard of.
fn unheard() -> Program {
    let (m, n, k, tile) = (90, 150, 64, 64);
    let program = Program::build("squashed_matmul", |b| {
        let x = b.input_matrix("x", DType::Bf16, &[], m, k);
        let w = b.input_matrix("w", DType::Bf16, &[], k, n);
        let bias = b.input_matrix("bias", DType::F32, &[], 1, n);
        let out = b.output_matrix("out", DType::Bf16, &[], m, n);
        b.each_point([("i", n_tiles(m, tile)), ("j", n_tiles(n, tile))], |b, [i, j]| {
            let (rows, cols) = (Span::tile(i, tile, m), Span::tile(j, tile, n));
            let (squares, acc) = (b.zeros(rows, Span::ONE), b.zeros(rows, cols));
            b.each(Range::to(n_tiles(k, 32)), |b, l| {
                let depth = Span::tile(l, 32, k);
                let x = b.load(x, &[], rows, depth);
                let square = b.like(x);
                b.mul(square, x, x);
                let row_sum = b.row_sum(square);
                b.add(squares, squares, row_sum);
                let w = b.load(w, &[], depth, cols);
                b.mma(acc, x, w);
            });
            let bias = b.load(bias, &[], Span::ONE, cols);
            b.add(acc, acc, bias);
            b.tanh(acc, acc);
            b.add(squares, squares, 1.0);
            b.rsqrt(squares, squares);
            b.mul(acc, acc, squares);
            b.store(out, &[], acc);
        });
    });
    program.expect("a valid program")
}

#[test]
fn products_with_edges_are_the_golden_ones() {
    golden("matmul_f32_kn", &product(Layout::Kn));
    golden("matmul_f32_nk", &product(Layout::Nk));
}

#[test]
fn attention_of_grouped_queries_is_the_golden_one() {
    golden("attention_prefill", &attend(200, 128, DType::Bf16));
    golden("attention_decode", &attend(1, 128, DType::Bf16));
}

#[test]
fn eight_bit_factors_are_turned_as_bf16_and_multiplied_in_pairs_of_rows() {
    let sizes = MatmulSizes {
        batch: 1,
        m: 300,
        n: 1000,
        k: 1024,
        input: DType::F8E4M3,
        output: DType::Bf16,
        layout: Layout::Kn,
    };
    let program = matmul(
        &MatmulProblem::new(sizes).expect("good sizes"),
        &MatmulTiling { bm: 256, bn: 512, bk: 512, k_splits: 1 },
    );
    golden("matmul_f8e4m3", &program);
    golden("attention_f8e4m3", &attend(200, 128, DType::F8E4M3));
    let refused = nki::lower(&program, Target::Inf2).expect_err("its 8-bit floats are not ours").to_string();
    assert!(refused.starts_with("dtype on inf2: asked for f8e4m3, the limit is f32, f16, bf16;"), "{refused}");
}

#[test]
fn a_kernel_unheard_of_is_the_golden_one() {
    golden("squashed_matmul", &unheard());
}
