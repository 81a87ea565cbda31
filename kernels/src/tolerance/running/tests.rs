use super::*;

const LIMITS: Limits = Limits { max_buffer_bytes: None, exp2_error: 1.0e-7, function_error: 1.0e-7 };
const RUNNING: Running<'static> = Running { limits: &LIMITS };

fn number(value: f64, error: f64) -> Number {
    Number { value, error, magnitude: value.abs() }
}

#[test]
fn errors_of_arguments_move_the_result_by_the_derivative() {
    let x = number(2.0, 1.0e-3);
    let y = number(-4.0, 1.0e-2);
    let error = |n: Number, worked: f64| assert!((n.error - worked).abs() < 5.0e-6, "{n:?} against {worked}");
    error(RUNNING.binary(BinaryFn::Add, x, y), 1.1e-2);
    error(RUNNING.binary(BinaryFn::Mul, x, y), 2.0 * 1.0e-2 + 4.0 * 1.0e-3 + 1.0e-5);
    error(RUNNING.binary(BinaryFn::Div, x, y), (1.0e-3 + 0.5 * 1.0e-2) / 3.99);
    error(RUNNING.binary(BinaryFn::Max, x, y), 1.0e-2);
    error(RUNNING.unary(UnaryFn::Exp2, x), 4.0 * (std::f64::consts::LN_2 * 1.0e-3).exp_m1());
    error(RUNNING.unary(UnaryFn::Rsqrt, x), 0.5 * 1.0e-3 / 1.999f64.powf(1.5));
    error(RUNNING.unary(UnaryFn::Tanh, x), 1.0e-3 * (1.0 - 1.999f64.tanh().powi(2)));
    error(RUNNING.unary(UnaryFn::Log2, x), 1.0e-3 * std::f64::consts::LOG2_E / 1.999);
    error(RUNNING.convert(x, DType::F32, DType::Bf16), 1.0e-3 + 2.001 / 256.0);
}

#[test]
fn cancellation_costs_the_magnitude_not_the_value() {
    let ones = (0..1000).map(|i| (number(if i % 2 == 0 { 1.0 } else { -1.0 }, 0.0), number(1.0, 0.0)));
    let dot = RUNNING.dot(number(0.0, 0.0), ones, DType::F32);
    assert_eq!(dot.value, 0.0);
    assert!(dot.error >= 1000.0 * 1000.0 * U && dot.error < 1.1e6 * U, "{dot:?}");
}

#[test]
fn masked_scores_leave_no_error_and_zeros_stay_zeros() {
    let masked = RUNNING.exact(f64::NEG_INFINITY);
    let peak = RUNNING.binary(BinaryFn::Max, RUNNING.exact(f64::from(f32::MIN)), masked);
    let weight = RUNNING.unary(UnaryFn::Exp2, RUNNING.binary(BinaryFn::Sub, masked, peak));
    assert_eq!((weight.value, weight.error), (0.0, 0.0));
    let sum = RUNNING.reduce(ReduceFn::Sum, &[weight; 5]);
    let sum = RUNNING.binary(BinaryFn::Max, sum, RUNNING.exact(f64::from(f32::MIN_POSITIVE)));
    let out = RUNNING.binary(BinaryFn::Div, weight, sum);
    assert_eq!((out.value, out.error), (0.0, 0.0));
}
