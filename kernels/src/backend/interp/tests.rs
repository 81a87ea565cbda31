use super::*;
use crate::backend::AnyBackend;
use crate::inputs::Inputs;
use crate::problem::{AttentionProblem, AttentionSizes, Kv, Layout, Mask, MatmulProblem, MatmulSizes};
use crate::reference::Rows;
use crate::tolerance::Expected;
use crate::{attention, matmul};

fn agrees(problem: &Problem, program: &Program, inputs: &Inputs) {
    let interp = Interp::new();
    let expected = Expected::of(problem, inputs, Rows::All, AnyBackend::limits(&interp), program.tiling());
    let mut prepared = interp.prepare(program, &[inputs.slices()]).expect("the interpreter runs everything");
    let output = prepared.output_of(0).expect("nothing to fail");
    if let Err(report) = expected.compare(&output) {
        panic!("{report}\n{program}");
    }
}

#[test]
fn matmul_agrees_with_the_oracle() {
    let layouts = [Layout::Kn, Layout::Nk, Layout::Packed].into_iter().cycle();
    let floats = DType::FLOATS.map(|dtype| (dtype, dtype));
    let integers = [DType::I32, DType::F32, DType::Bf16].map(|output| (DType::I8, output));
    for ((input, output), layout) in floats.into_iter().chain(integers).zip(layouts) {
        let sizes = MatmulSizes { batch: 2, m: 9, n: 13, k: 17, input, output, layout };
        let problem = MatmulProblem::new(sizes).expect("good sizes");
        let program = matmul(&problem, &MatmulTiling { bm: 4, bn: 5, bk: 3, k_splits: 1 });
        let problem = Problem::Matmul(problem);
        agrees(&problem, &program, &Inputs::exact(&problem, 1));
        agrees(&problem, &program, &Inputs::random(&problem, 2));
    }
}

#[test]
fn attention_agrees_with_the_oracle() {
    let sizes = AttentionSizes {
        batch: 2,
        hq: 4,
        hkv: 2,
        sq: 7,
        skv: 11,
        d: 6,
        dv: 5,
        mask: Mask::Causal,
        input: DType::F32,
        output: DType::F32,
        kv: Kv::Input,
        page: None,
    };
    for (mask, kv_splits) in [(Mask::None, 1), (Mask::Causal, 1), (Mask::Window(3), 2), (Mask::Causal, 3)] {
        for (sq, skv, input) in [(7, 11, DType::F32), (11, 7, DType::Bf16), (1, 9, DType::F16)] {
            let problem = AttentionProblem::new(AttentionSizes { mask, sq, skv, input, ..sizes }).expect("good sizes");
            let program = attention(&problem, &AttentionTiling { bq: 3, bk: 2, kv_splits, lazy_peak: false });
            let problem = Problem::Attention(problem);
            agrees(&problem, &program, &Inputs::random(&problem, 3));
        }
    }
}

/// A query that sees 1024 keys: of one the score is 0 and the value 0, of the others −8 and 1. Each of the others weighs
/// e⁻⁸ of the one, less than half the least f8e4m3, and all of them together a quarter of the result.
#[test]
fn a_thousand_faint_keys_still_count_in_8_bits() {
    let sizes = AttentionSizes {
        batch: 1,
        hq: 1,
        hkv: 1,
        sq: 1,
        skv: 1024,
        d: 1,
        dv: 1,
        mask: Mask::None,
        input: DType::F8E4M3,
        output: DType::F32,
        kv: Kv::Input,
        page: None,
    };
    let problem = AttentionProblem::new(sizes).expect("good sizes");
    let of_keys = |first: f64, others: f64| [vec![first], vec![others; 1023]].concat();
    let operands = [vec![8.0], of_keys(0.0, -1.0), of_keys(0.0, 1.0)];
    let problem_of = |problem: &AttentionProblem| Problem::Attention(problem.clone());
    let inputs = Inputs::from_values(&problem_of(&problem), &operands).expect("numbers of the type");
    let limits = Interp::new().limits;
    for kv_splits in [1, 4] {
        let program = attention(&problem, &AttentionTiling { bq: 1, bk: 32, kv_splits, lazy_peak: false });
        let expected = Expected::of(&problem_of(&problem), &inputs, Rows::All, &limits, program.tiling());
        assert!((expected.values[0] - 0.2555).abs() < 1e-4 && expected.bounds[0] < 0.05, "{expected:?}");
        agrees(&problem_of(&problem), &program, &inputs);
    }
}

/// Scores that rise by 6 powers of two from key to key: a peak that stays is exceeded by 2⁸ at every other one, and what was
/// accumulated fades there and not in between. Values tell keys apart.
#[test]
fn peaks_that_stay_rise_where_scores_exceed_them_by_far() {
    for input in [DType::F32, DType::F16, DType::Bf16, DType::F8E4M3, DType::F8E5M2] {
        let sizes = AttentionSizes {
            batch: 1,
            hq: 1,
            hkv: 1,
            sq: 2,
            skv: 8,
            d: 1,
            dv: 1,
            mask: Mask::None,
            input,
            output: DType::F32,
            kv: Kv::Input,
            page: None,
        };
        let problem = AttentionProblem::new(sizes).expect("good sizes");
        let keys: Vec<f64> = (0..8).map(f64::from).collect();
        let values = keys.iter().map(|key| if *key == 7.0 { 1.0 } else { 8.0 }).collect();
        let of = Problem::Attention(problem.clone());
        // The second query sees the greatest score first.
        let inputs = Inputs::from_values(&of, &[vec![4.0, -4.0], keys, values]).expect("numbers of the type");
        for (bk, kv_splits) in [(1, 1), (2, 1), (5, 1), (1, 3)] {
            let lazy = AttentionTiling { bq: 2, bk, kv_splits, lazy_peak: true };
            agrees(&of, &attention(&problem, &lazy), &inputs);
        }
    }
}
