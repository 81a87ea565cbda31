use super::*;
use crate::backend::AnyBackend;
use crate::inputs::Inputs;
use crate::problem::{AttentionProblem, AttentionSizes, Layout, Mask, MatmulProblem, MatmulSizes};
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
    for (dtype, layout) in [(DType::F32, Layout::Kn), (DType::Bf16, Layout::Nk), (DType::F16, Layout::Kn)] {
        let sizes = MatmulSizes { batch: 2, m: 9, n: 13, k: 17, input: dtype, output: dtype, layout };
        let problem = MatmulProblem::new(sizes).expect("good sizes");
        let program = matmul(&problem, &MatmulTiling { bm: 4, bn: 5, bk: 3 });
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
    };
    for (mask, kv_splits) in [(Mask::None, 1), (Mask::Causal, 1), (Mask::Window(3), 2), (Mask::Causal, 3)] {
        for (sq, skv, input) in [(7, 11, DType::F32), (11, 7, DType::Bf16), (1, 9, DType::F16)] {
            let problem = AttentionProblem::new(AttentionSizes { mask, sq, skv, input, ..sizes }).expect("good sizes");
            let program = attention(&problem, &AttentionTiling { bq: 3, bk: 2, kv_splits });
            let problem = Problem::Attention(problem);
            agrees(&problem, &program, &Inputs::random(&problem, 3));
        }
    }
}
