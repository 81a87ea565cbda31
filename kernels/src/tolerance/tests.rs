use super::*;
use crate::problem::{AttentionSizes, Kv, Layout, Mask, MatmulProblem};

const LIMITS: Limits = Limits { max_buffer_bytes: None, exp2_error: 2.4e-7, function_error: 2.4e-7 };

fn matmul(k: usize, input: DType, output: DType) -> Problem {
    let sizes = MatmulSizes { batch: 2, m: 5, n: 7, k, input, output, layout: Layout::Kn };
    Problem::Matmul(MatmulProblem::new(sizes).expect("good sizes"))
}

fn attention(mask: Mask, sq: usize, input: DType) -> Problem {
    let sizes = AttentionSizes {
        batch: 1,
        hq: 2,
        hkv: 1,
        sq,
        skv: 40,
        d: 16,
        dv: 3,
        mask,
        input,
        output: DType::F32,
        kv: Kv::Input,
        page: None,
    };
    Problem::Attention(AttentionProblem::new(sizes).expect("good sizes"))
}

fn expected(problem: &Problem, seed: u64) -> Expected {
    Expected::of(problem, &Inputs::random(problem, seed), Rows::All, &LIMITS, None)
}

#[test]
fn rounding_passes_and_four_bounds_do_not() {
    let problems = [
        matmul(100, DType::F32, DType::F32),
        matmul(33, DType::Bf16, DType::Bf16),
        matmul(33, DType::F16, DType::F32),
        attention(Mask::None, 4, DType::F32),
        attention(Mask::Causal, 4, DType::Bf16),
        matmul(33, DType::F8E4M3, DType::Bf16),
        matmul(33, DType::F8E5M2, DType::F32),
        attention(Mask::Causal, 4, DType::F8E4M3),
    ];
    for problem in problems {
        let mut expected = expected(&problem, 1);
        let dtype = problem.output().dtype;
        let right = dtype.encode(&expected.values);
        let agreement = expected.compare(&right).expect("the oracle's own values, rounded once");
        assert!(agreement.worst_ratio <= 1.0 && agreement.checked_share == 1.0 && agreement.nmse < 1e-4);
        let planted = expected.values.len() / 2;
        let four = expected.values[planted] + 4.0 * expected.bounds[planted];
        let mut values = std::mem::take(&mut expected.values);
        values[planted] = four;
        let wrong = dtype.encode(&values);
        expected.values = values;
        expected.values[planted] = four - 4.0 * expected.bounds[planted];
        let report = expected.compare(&wrong).expect_err("four bounds off");
        assert_eq!(report.n_wrong, 1, "{problem:?}: {report}");
        assert!(report.worst.ratio > 3.0 && report.worst.ratio < 5.0, "{report}");
    }
}

#[test]
fn bounds_are_as_tight_as_the_formula() {
    // k = 2, a = [1, 1], b = [1, -1]: the value is 0, |A||B| = 2, γ_2 = 2u / (1 − 2u).
    let sizes = MatmulSizes { batch: 1, m: 1, n: 1, k: 2, input: DType::F32, output: DType::F32, layout: Layout::Kn };
    let problem = Problem::Matmul(MatmulProblem::new(sizes).expect("good sizes"));
    let inputs = Inputs::from_values(&problem, &[vec![1.0, 1.0], vec![1.0, -1.0]]).expect("finite");
    let expected = Expected::of(&problem, &inputs, Rows::All, &LIMITS, None);
    let u = DType::F32.unit_roundoff();
    assert!((expected.bounds[0] / (2.0 * 2.0 * u / (1.0 - 2.0 * u)) - 1.0).abs() < 1e-12);
    assert_eq!(gamma(1 << 24, u), f64::INFINITY);
}

#[test]
fn more_key_tiles_loosen_the_bound_and_a_known_tiling_tightens_it() {
    let problem = attention(Mask::None, 2, DType::F32);
    let inputs = Inputs::random(&problem, 1);
    let bound = |tiling: Option<Tiling>| Expected::of(&problem, &inputs, Rows::All, &LIMITS, tiling.as_ref()).bounds[0];
    let tiled = |bk, kv_splits| {
        bound(Some(Tiling::Attention(crate::tile::AttentionTiling { bq: 8, bk, kv_splits, lazy_peak: false })))
    };
    assert!(tiled(40, 1) < tiled(8, 1) && tiled(8, 1) < tiled(8, 4) && tiled(8, 1) < bound(None));
}

#[test]
fn exact_inputs_allow_no_error_and_masked_rows_no_residue() {
    let problem = matmul(9, DType::F32, DType::F32);
    let exact = Expected::of(&problem, &Inputs::exact(&problem, 1), Rows::All, &LIMITS, None);
    let mut values = exact.values.clone();
    assert_eq!(exact.compare(&DType::F32.encode(&values)).map(|a| a.worst_ratio), Ok(0.0));
    values[3] += 1.0;
    assert_eq!(exact.compare(&DType::F32.encode(&values)).expect_err("one off").worst.ratio, f64::INFINITY);
    let masked = expected(&attention(Mask::Causal, 50, DType::F32), 1);
    assert!(masked.values[..30].iter().chain(&masked.bounds[..30]).all(|x| *x == 0.0), "10 rows of 3 see no key");
}

#[test]
fn a_nan_on_an_unchecked_row_is_an_error() {
    let problem = matmul(9, DType::Bf16, DType::Bf16);
    let rows = Rows::Some(vec![2]);
    let expected = Expected::of(&problem, &Inputs::random(&problem, 1), rows, &LIMITS, None);
    let mut output = vec![0; problem.output().size_bytes()];
    output[2 * 7 * 2..3 * 7 * 2].copy_from_slice(&DType::Bf16.encode(&expected.values));
    assert_eq!(expected.compare(&output).map(|a| a.checked_share), Ok(0.1));
    output[4 * 7 * 2..][..2].copy_from_slice(&[0xff, 0xff]);
    let report = expected.compare(&output).expect_err("a NaN");
    assert_eq!((report.worst.index.as_slice(), report.n_nan, report.n_wrong), ([0, 4, 0].as_slice(), 1, 0));
    let shown = report.to_string();
    assert!(shown.contains("[batch 0, row 4, col 0]: got NaN on a row that was not compared"), "{shown}");
}

#[test]
fn the_report_shows_where_and_what() {
    let expected = expected(&matmul(3, DType::F32, DType::F32), 1);
    let mut values = expected.values.clone();
    values[7 * 6 + 3] = 100.0;
    let report = expected.compare(&DType::F32.encode(&values)).expect_err("planted").to_string();
    assert!(report.starts_with("c[batch 1, row 1, col 3]: expected"), "{report}");
    assert!(report.contains("got 1.0") && report.contains("1 of 70 checked elements wrong"), "{report}");
    assert!(report.contains("100.00000✗") && report.contains("[1, 2] from column 1"), "{report}");
}

#[test]
fn lost_subnormals_are_allowed_for_where_there_are_any() {
    let problem = matmul(1, DType::F16, DType::F32);
    let mut a = vec![1.0; 10];
    let b = vec![1.0; 14];
    a[3] = 3.0e-5; // below 2⁻¹⁴
    let inputs = Inputs::from_values(&problem, &[a, b]).expect("finite");
    let expected = Expected::of(&problem, &inputs, Rows::All, &LIMITS, None);
    let mut flushed = expected.values.clone();
    flushed[3 * 7..4 * 7].fill(0.0);
    assert!(expected.compare(&DType::F32.encode(&flushed)).is_ok());
}
