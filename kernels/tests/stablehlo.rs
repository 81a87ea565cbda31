//! StableHLO text: golden for one product, one attention and one program from its operations, and how many cases lower.
//! `FARTHING_BLESS=1` writes the golden texts anew. What a text computes is the business of `tests/pjrt`.

use std::path::Path;

use farthing_kernels::backend::Unsupported;
use farthing_kernels::backend::interp::Interp;
use farthing_kernels::backend::neuron::stablehlo::{Form, Module};
use farthing_kernels::conformance::{self, Options};
use farthing_kernels::problem::{AttentionProblem, AttentionSizes, Kv, Layout, Mask, MatmulProblem, MatmulSizes};
use farthing_kernels::program::{Axis, Program, Range, Role, Span};
use farthing_kernels::tile::{AttentionTiling, MatmulTiling, n_tiles};
use farthing_kernels::{DType, attention, matmul};

fn golden(name: &str, module: &Module) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(format!("{name}.mlir"));
    if std::env::var_os("FARTHING_BLESS").is_some() {
        std::fs::write(&path, &module.text).expect("a writable folder of snapshots");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert!(kept == module.text, "{} differs; FARTHING_BLESS=1 writes it anew:\n{}", path.display(), module.text);
}

fn product(tiling: MatmulTiling) -> Program {
    let sizes =
        MatmulSizes { batch: 2, m: 300, n: 1000, k: 200, input: DType::Bf16, output: DType::Bf16, layout: Layout::Nk };
    matmul(&MatmulProblem::new(sizes).expect("good sizes"), &tiling)
}

#[test]
fn the_plain_form_is_golden_and_knows_no_tiling() {
    let module = Module::of(&product(MatmulTiling { bm: 128, bn: 512, bk: 128, k_splits: 1 })).expect("it lowers");
    golden("matmul_plain", &module);
    let other = Module::of(&product(MatmulTiling { bm: 7, bn: 3, bk: 1, k_splits: 1 })).expect("it lowers");
    assert_eq!((module.form, module.text == other.text), (Form::Plain, true));
    let sizes = AttentionSizes {
        batch: 1,
        hq: 8,
        hkv: 2,
        sq: 40,
        skv: 24,
        d: 64,
        dv: 32,
        mask: Mask::Window(9),
        input: DType::F16,
        output: DType::F32,
        kv: Kv::Input,
        page: None,
    };
    let problem = AttentionProblem::new(sizes).expect("good sizes");
    let tiling = AttentionTiling { bq: 8, bk: 8, kv_splits: 1, lazy_peak: false };
    golden("attention_plain", &Module::of(&attention(&problem, &tiling)).expect("it lowers"));
    let in_8_bits = AttentionSizes { input: DType::F8E4M3, output: DType::Bf16, ..sizes };
    let problem = AttentionProblem::new(in_8_bits).expect("good sizes");
    golden("attention_f8e4m3", &Module::of(&attention(&problem, &tiling)).expect("it lowers"));
}

/// Root mean square of each row, in tiles that divide nothing: loops, edges, a reduction, a masked store.
fn root_mean_squares(axis: Axis) -> Program {
    let (rows, cols) = (axis.len, 10);
    let program = Program::build("root_mean_squares", |b| {
        let x = b.input("x", DType::Bf16, &[], &[axis], cols);
        let out = b.output_matrix("out", DType::F32, &[], rows, 1);
        b.each_point([("i", n_tiles(rows, 4))], |b, [i]| {
            let span = Span::tile(i, 4, rows);
            let sum = b.zeros(span, Span::ONE);
            b.each(Range::to(n_tiles(cols, 3)), |b, j| {
                let x = b.load(x, &[], span, Span::tile(j, 3, cols));
                let square = b.like(x);
                b.mul(square, x, x);
                let row_sum = b.row_sum(square);
                b.add(sum, sum, row_sum);
            });
            b.mul(sum, sum, 0.1);
            b.rsqrt(sum, sum);
            b.store(out, &[], sum);
        });
    });
    program.expect("a valid program")
}

#[test]
fn a_program_without_a_problem_is_golden_from_its_operations() {
    let module = Module::of(&root_mean_squares(Axis { len: 6, stride: 10 })).expect("it lowers");
    assert_eq!((module.form, module.inputs[0].dims.as_slice()), (Form::Operations, &[6, 10][..]));
    golden("root_mean_squares", &module);
}

#[test]
fn a_tensor_with_gaps_is_refused_by_name() {
    let Unsupported { what, asked, .. } =
        Module::of(&root_mean_squares(Axis { len: 6, stride: 16 })).expect_err("gaps");
    assert_eq!((what.as_str(), asked.as_str()), ("tensor `x`", "an axis of stride 16 over 10 elements"));
}

#[test]
fn every_case_of_the_suite_lowers_in_both_forms_to_the_same_text_twice() {
    let cases = conformance::cases(&Interp::new(), &Options::default());
    let (mut n, mut plain) = (0, 0);
    for case in &cases {
        let program = case.program();
        if program.tensors().iter().any(|tensor| tensor.dtype.is_integer()) {
            let [whole, parts] =
                [Module::of(&program), Module::of_operations(&program)].map(|m| m.expect_err("integers"));
            let has_table = program.tensors().iter().any(|tensor| tensor.role == Role::Table);
            let what = if has_table { "where operands lie" } else { "dtype in StableHLO" };
            assert_eq!((whole.what.as_str(), parts.what.as_str()), (what, what), "{}", case.name());
            continue;
        }
        n += 1;
        let module = Module::of(&program).unwrap_or_else(|why| panic!("{}: {why}", case.name()));
        plain += usize::from(module.form == Form::Plain);
        let operations = Module::of_operations(&program).unwrap_or_else(|why| panic!("{}: {why}", case.name()));
        assert_eq!(Ok(&operations), Module::of_operations(&program).as_ref(), "{}", case.name());
        assert!(program.problem().is_some() == (module.form == Form::Plain), "{}", case.name());
    }
    println!(
        "{n} of {} cases lower: {plain} plain, all from operations; the others are of integers or have tables",
        cases.len()
    );
    assert!(n > 500 && plain > 400);
}
