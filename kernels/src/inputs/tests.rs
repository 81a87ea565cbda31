use super::*;
use crate::problem::{
    AttentionProblem, AttentionSizes, GroupedProblem, GroupedSizes, Kv, Layout, Mask, MatmulProblem, MatmulSizes,
};

fn matmul(k: usize, input: DType, output: DType) -> Problem {
    let sizes = MatmulSizes { batch: 1, m: 3, n: 5, k, input, output, layout: Layout::Kn };
    Problem::Matmul(MatmulProblem::new(sizes).expect("good sizes"))
}

#[test]
fn the_same_seed_gives_the_same_values_and_another_seed_others() {
    let p = matmul(70, DType::F32, DType::F32);
    assert_eq!(Inputs::random(&p, 1), Inputs::random(&p, 1));
    assert_ne!(Inputs::random(&p, 1), Inputs::random(&p, 2));
    let inputs = Inputs::random(&p, 1);
    assert_ne!(inputs.operands()[0].bytes[..64], inputs.operands()[1].bytes[..64], "operands differ");
}

#[test]
fn random_values_are_normal_numbers_of_their_type() {
    for dtype in DType::FLOATS {
        let inputs = Inputs::random(&matmul(4000, dtype, dtype), 3);
        let least = crate::tolerance::least_normal(dtype) as f32;
        for operand in inputs.operands() {
            let values = operand.values();
            assert!(values.iter().all(|x| x.abs() <= 1.0 && (*x == 0.0 || x.abs() >= least)), "{dtype}");
            assert!(values.iter().any(|x| *x > 0.9) && values.iter().any(|x| *x < -0.9), "{dtype}");
        }
    }
}

#[test]
fn bytes_take_all_their_values_and_scales_make_numbers_of_about_one() {
    let inputs = Inputs::random(&matmul(4000, DType::I8, DType::F32), 3);
    let of = |at: usize| {
        inputs.operands()[at].values().into_iter().fold((f32::MAX, f32::MIN), |(l, h), x| (l.min(x), h.max(x)))
    };
    assert_eq!((of(0), of(1)), ((-128.0, 127.0), (-128.0, 127.0)));
    assert!([2, 3].into_iter().all(|at| of(at).0 > 0.0 && of(at).1 <= 1.0 / 128.0));
    assert_eq!(Inputs::random(&matmul(8, DType::I8, DType::I32), 3).operands().len(), 2);
}

#[test]
fn exact_sums_fit_their_output() {
    for (dtype, k) in
        [(DType::F32, 1), (DType::F32, 300_000), (DType::F16, 2000), (DType::Bf16, 256), (DType::F8E4M3, 16)]
    {
        let inputs = Inputs::exact(&matmul(k, dtype, dtype), 5);
        let largest = inputs.operands().iter().flat_map(Operand::values).fold(0.0f64, |m, x| m.max(f64::from(x).abs()));
        assert!(largest >= 1.0 && largest * largest * k as f64 <= 1.0 / dtype.unit_roundoff(), "{dtype} k = {k}");
    }
}

#[test]
fn bytes_that_cannot_be_checked_are_refused_with_their_place() {
    let p = matmul(2, DType::F16, DType::F16);
    let mut operands = vec![vec![0.5; 6], vec![1.0; 10]];
    assert!(Inputs::from_values(&p, &operands).is_ok());
    operands[1][7] = f64::NAN;
    let refused = Inputs::from_values(&p, &operands).expect_err("a NaN").to_string();
    assert_eq!(refused, "operand b holds NaN at [0, 1, 2]; replace what is not finite, no result could be checked");
    operands[1][7] = 1.0e9; // becomes infinite as f16
    assert!(matches!(Inputs::from_values(&p, &operands), Err(InputError::NotFinite { operand: "b", .. })));
    operands[1].pop();
    assert!(matches!(Inputs::from_values(&p, &operands), Err(InputError::Length { expected_bytes: 20, .. })));
    operands.pop();
    assert!(matches!(Inputs::from_values(&p, &operands), Err(InputError::Count { got: 1, expected: 2 })));
}

#[test]
fn arrays_of_any_strides_become_operands_and_outputs_become_arrays() {
    let sizes = MatmulSizes { batch: 1, m: 2, n: 3, k: 2, input: DType::Bf16, output: DType::F32, layout: Layout::Nk };
    let problem = Problem::Matmul(MatmulProblem::new(sizes).expect("sizes of at least 1"));
    let a = ndarray::arr3(&[[[1.0f32, 2.0], [3.0, 4.0]]]);
    // Stored as [k, n] and seen as [n, k].
    let b = ndarray::arr3(&[[[1.0f32, 0.0, 1.0], [0.0, 1.0, 1.0]]]);
    let seen = b.view().permuted_axes([0, 2, 1]).into_dyn();
    let inputs = Inputs::from_arrays(&problem, &[a.view().into_dyn(), seen]).expect("right shapes");
    assert_eq!(inputs.operands()[1].values(), [1.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
    let product = DType::F32.encode(&[1.0, 2.0, 3.0, 3.0, 4.0, 7.0]);
    assert_eq!(problem.output().array(&product)[[0, 1, 2]], 7.0);
    let wrong = Inputs::from_arrays(&problem, &[a.view().into_dyn(), b.view().into_dyn()]).expect_err("[1, 2, 3]");
    assert!(wrong.to_string().contains("operand b is an array of [1, 2, 3]; the problem takes [1, 3, 2]"), "{wrong}");
    let infinite = ndarray::arr3(&[[[1.0f32, 2.0], [f32::INFINITY, 4.0]]]);
    let seen = b.view().permuted_axes([0, 2, 1]).into_dyn();
    let refused = Inputs::from_arrays(&problem, &[infinite.view().into_dyn(), seen]).expect_err("an infinity");
    assert!(refused.to_string().contains("operand a holds inf at [0, 1, 0]"), "{refused}");
}

#[test]
fn a_block_table_names_each_page_once_and_what_is_no_page_is_refused() {
    let sizes = AttentionSizes {
        batch: 3,
        hq: 1,
        hkv: 1,
        sq: 1,
        skv: 30,
        d: 1,
        dv: 1,
        mask: Mask::None,
        input: DType::F16,
        output: DType::F32,
        kv: Kv::Input,
        page: Some(4),
    };
    let problem = Problem::Attention(AttentionProblem::new(sizes).expect("good sizes"));
    let inputs = Inputs::random(&problem, 5);
    let mut pages: Vec<f32> = inputs.operands()[3].values();
    assert!(!pages.is_sorted());
    pages.sort_by(f32::total_cmp);
    assert_eq!(pages, (0..24).map(|page| page as f32).collect::<Vec<f32>>());
    for (entry, said) in [(24, "holds 24 at 2; `k` has pages 0 to 23"), (-1, "holds -1 at 2")] {
        let mut bytes: Vec<Vec<u8>> = inputs.slices().into_iter().map(<[u8]>::to_vec).collect();
        bytes[3][8..12].copy_from_slice(&i32::to_le_bytes(entry));
        let refused = Inputs::from_bytes(&problem, bytes).expect_err("no page").to_string();
        assert!(refused.contains(said), "{refused}");
    }
}

#[test]
fn every_row_is_of_a_group_and_as_many_groups_have_rows_as_can() {
    let of = |groups, m| {
        let (input, output, layout) = (DType::F32, DType::F32, Layout::Nk);
        let sizes = GroupedSizes { groups, m, n: 1, k: 1, input, output, layout };
        Problem::Grouped(GroupedProblem::new(sizes).expect("good sizes"))
    };
    for (groups, m) in [(8, 100), (8, 8), (8, 3), (1, 5)] {
        let problem = of(groups, m);
        let offsets = Inputs::random(&problem, 9).operands()[2].values();
        let rows: Vec<f32> = offsets.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!((offsets[0], offsets[groups]), (0.0, m as f32));
        assert_eq!(rows.iter().filter(|n| **n > 0.0).count(), groups.min(m), "{rows:?}");
        assert_ne!(offsets, Inputs::random(&of(8, 100), 10).operands()[2].values());
    }
    for (offsets, said) in [
        ([0.0, 4.0, 3.0], "holds 3 at 2, not 4 to 5"),
        ([0.0, 2.0, 6.0], "holds 6 at 2, not 2 to 5"),
        ([-1.0, 2.0, 5.0], "holds -1 at 0"),
        ([1.0, 2.0, 5.0], "does not begin with 0 and end with m = 5"),
        ([0.0, 2.0, 4.0], "does not begin with 0 and end with m = 5"),
    ] {
        let operands = [vec![1.0; 5], vec![1.0; 2], offsets.to_vec()];
        let refused = Inputs::from_values(&of(2, 5), &operands).expect_err("rows without a group").to_string();
        assert!(refused.contains(said), "{refused}");
    }
}
