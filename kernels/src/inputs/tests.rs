use super::*;
use crate::problem::{Layout, MatmulProblem, MatmulSizes};

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
    for dtype in DType::ALL {
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
fn exact_sums_fit_their_output() {
    for (dtype, k) in [(DType::F32, 1), (DType::F32, 300_000), (DType::F16, 2000), (DType::Bf16, 256)] {
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
