//! Random problems under random tilings: what the suite's tables did not think of.

use std::sync::LazyLock;

use farthing_kernels::backend::cpu::{Cpu, Isa};
use farthing_kernels::backend::interp::Interp;
use farthing_kernels::backend::naive::Naive;
use farthing_kernels::backend::{AnyBackend, Backend};
use farthing_kernels::inputs::Inputs;
use farthing_kernels::problem::{
    AttentionProblem, AttentionSizes, Kv, Layout, Mask, MatmulProblem, MatmulSizes, Problem,
};
use farthing_kernels::program::Program;
use farthing_kernels::reference::Rows;
use farthing_kernels::tile::{AttentionTiling, MatmulTiling};
use farthing_kernels::tolerance::Expected;
use farthing_kernels::{DType, attention, matmul};
use proptest::prelude::*;

/// This CPU once an instruction set, on two threads, so that shared copies meet.
static CPUS: LazyLock<Vec<Cpu>> = LazyLock::new(|| {
    let cpu = |isa| Cpu::with_isa(isa, Some(2)).expect("two threads");
    Isa::available().into_iter().map(cpu).collect()
});

fn agrees(backend: &impl Backend, program: &Program, inputs: &Inputs) {
    let problem = program.problem().expect("built-in kernels carry their problem");
    let expected = Expected::of(problem, inputs, Rows::All, Backend::limits(backend), program.tiling());
    let mut prepared = backend.prepare(program, &[inputs.slices()]).expect("host backends run everything");
    let output = prepared.output_of(0).expect("nothing to fail");
    if let Err(report) = expected.compare(&output) {
        panic!("{}: {report}\n{program}", Backend::device(backend).backend);
    }
}

fn types() -> impl Strategy<Value = (DType, DType)> {
    let dtype = prop::sample::select(DType::FLOATS.to_vec());
    dtype.prop_flat_map(|input| (Just(input), prop::sample::select(vec![input, DType::F32])))
}

fn integers() -> impl Strategy<Value = (DType, DType)> {
    (Just(DType::I8), prop::sample::select(vec![DType::I32, DType::F32, DType::F16]))
}

prop_compose! {
    fn products()(
        (input, output) in prop_oneof![5 => types(), 1 => integers()],
        layout in prop::sample::select(vec![Layout::Kn, Layout::Nk, Layout::Packed]),
        (batch, m, n, k) in (1usize..3, 1usize..60, 1usize..70, 1usize..50),
        (bm, bn, bk, k_splits) in (1usize..40, 1usize..70, 1usize..40, 1usize..5),
    ) -> (Problem, Program) {
        let sizes = MatmulSizes { batch, m, n, k, input, output, layout };
        let problem = MatmulProblem::new(sizes).expect("sizes of at least 1");
        let program = matmul(&problem, &MatmulTiling { bm, bn, bk, k_splits });
        (Problem::Matmul(problem), program)
    }
}

prop_compose! {
    fn products_of_4_bits()(
        (input, output) in types().prop_filter("8 bits", |(input, _)| input.size_bytes() > 1),
        (batch, m, n, groups) in (1usize..3, 1usize..40, 1usize..70, 1usize..20),
        (bm, bn, bk, k_splits) in (1usize..40, 1usize..70, 1usize..300, 1usize..5),
    ) -> (Problem, Program) {
        let sizes = MatmulSizes { batch, m, n, k: 32 * groups, input, output, layout: Layout::NkI4 };
        let problem = MatmulProblem::new(sizes).expect("whole groups");
        let program = matmul(&problem, &MatmulTiling { bm, bn, bk, k_splits });
        (Problem::Matmul(problem), program)
    }
}

prop_compose! {
    fn attentions()(
        (input, output) in types(),
        mask in prop_oneof![Just(Mask::None), Just(Mask::Causal), (1usize..12).prop_map(Mask::Window)],
        (batch, hkv, group) in (1usize..3, 1usize..3, 1usize..4),
        (sq, skv, d, dv) in (1usize..20, 1usize..50, 1usize..40, 1usize..40),
        (bq, bk, kv_splits) in (1usize..40, 1usize..40, 1usize..5),
    ) -> (Problem, Program) {
        let sizes = AttentionSizes { batch, hq: hkv * group, hkv, sq, skv, d, dv, mask, input, output, kv: Kv::Input, page: None };
        let problem = AttentionProblem::new(sizes).expect("sizes of at least 1");
        let program = attention(&problem, &AttentionTiling { bq, bk, kv_splits, lazy_peak: false });
        (Problem::Attention(problem), program)
    }
}

proptest! {
    #[test]
    fn any_problem_under_any_tiling_is_right(
        (problem, program) in prop_oneof![4 => products(), 1 => products_of_4_bits(), 4 => attentions()],
        seed in any::<u64>(),
    ) {
        for inputs in [Inputs::exact(&problem, seed), Inputs::random(&problem, seed)] {
            agrees(&Interp::new(), &program, &inputs);
            if problem.inputs().iter().all(|operand| !operand.dtype.is_integer()) {
                agrees(&Naive::new(), &program, &inputs);
            }
            for cpu in CPUS.iter() {
                agrees(cpu, &program, &inputs);
            }
        }
    }
}
