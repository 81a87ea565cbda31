//! Bounds for programs that no closed form knows: a program run in f64 with an error bound beside each number.
//!
//! A [`Number`] is a value, how far a device's may lie from it, and the magnitude of what was summed into it. First
//! order throughout: what an operation adds to the errors of its arguments is its derivative times them, and a rounding
//! of its own (Higham, Accuracy and Stability of Numerical Algorithms, §3.3, "Running error analysis"). The magnitude
//! makes the bound hold for every order of summation: a rounding costs `u` times the magnitude, not times the value.
//!
//! It is looser than the closed forms where errors cancel: the peak of a softmax divides out of its result, but not out
//! of its bound.

use super::{accumulation_roundoff, conversion_error, gamma, least_normal, underflow};
use crate::DType;
use crate::backend::Limits;
use crate::evaluate::{self, Arithmetic};
use crate::program::{BinaryFn, Program, ReduceFn, Role, UnaryFn};
use crate::tensor::half_of;

/// A value and how far a device's may lie from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number {
    /// The value, of an arithmetic without rounding.
    pub value: f64,
    /// Greatest distance of a right result.
    pub error: f64,
    magnitude: f64,
}

/// Runs a program on the bytes of its inputs, for a device of these limits: each element of the output, in memory
/// order. Elements that the program does not store are NaN.
///
/// # Panics
/// When `inputs` does not hold one slice of the right length for each input.
pub fn evaluate(program: &Program, inputs: &[&[u8]], limits: &Limits) -> Vec<Number> {
    let running = Running { limits };
    let mut given = inputs.iter();
    let tensors = program.tensors().iter();
    let mut memory: Vec<Vec<Number>> = tensors
        .map(|tensor| match tensor.role {
            Role::Input | Role::Weight | Role::Table => {
                let bytes = given.next().expect("one slice an input");
                assert_eq!(bytes.len(), tensor.size_bytes(), "bytes of `{}`", tensor.name);
                tensor.dtype.decode(bytes).into_iter().map(|x| running.exact(x)).collect()
            }
            Role::Output | Role::Scratch => vec![running.exact(f64::NAN); tensor.elems()],
        })
        .collect();
    evaluate::run(program, &running, &mut memory);
    memory.swap_remove(program.output().0 as usize)
}

/// f64 with error bounds.
struct Running<'l> {
    limits: &'l Limits,
}

impl Number {
    fn new(value: f64, error: f64, magnitude: f64) -> Number {
        // An infinity (a masked score) is exact: it comes from a fill or a band, not from arithmetic.
        if value.is_infinite() {
            return Number { value, error: 0.0, magnitude: 0.0 };
        }
        Number { value, error, magnitude: magnitude.max(value.abs()) }
    }

    /// Zero for certain: not a difference that happens to vanish.
    fn is_zero(self) -> bool {
        self.magnitude == 0.0 && self.error == 0.0 && self.value == 0.0
    }

    /// After an operation of relative error `relative`, whose result may fall below the normal numbers of f32. A zero
    /// that is certain stays one.
    fn rounded(self, relative: f64) -> Number {
        if self.is_zero() {
            return self;
        }
        let lost = least_normal(DType::F32);
        Number::new(self.value, self.error + relative * (self.magnitude + self.error) + lost, self.magnitude)
    }
}

/// f32's unit roundoff.
const U: f64 = DType::F32.unit_roundoff();

fn product(x: Number, y: Number) -> Number {
    if x.is_zero() || y.is_zero() {
        return Number::new(0.0, 0.0, 0.0);
    }
    let error = x.value.abs() * y.error + y.value.abs() * x.error + x.error * y.error;
    Number::new(x.value * y.value, error, x.magnitude * y.magnitude)
}

fn sum(x: Number, y: Number) -> Number {
    Number::new(x.value + y.value, x.error + y.error, x.magnitude + y.magnitude)
}

fn quotient(x: Number, y: Number) -> Number {
    if x.is_zero() {
        return x;
    }
    // |x̂/ŷ − x/y| ≤ (Δx + |x/y| Δy) / (|y| − Δy); nothing is known where y may be 0.
    let (value, room) = (x.value / y.value, y.value.abs() - y.error);
    let error = if room > 0.0 { (x.error + value.abs() * y.error) / room } else { f64::INFINITY };
    Number::new(value, error, x.magnitude / y.value.abs())
}

impl Running<'_> {
    /// `f(x)` of derivative `slope` within the error of `x`, itself off by `own`.
    fn function(&self, x: Number, value: f64, slope: f64, own: f64) -> Number {
        let moved = if x.error == 0.0 { 0.0 } else { slope * x.error };
        Number::new(value, moved + own, value.abs())
    }
}

impl Arithmetic for Running<'_> {
    type Number = Number;

    fn exact(&self, x: f64) -> Number {
        Number::new(x, 0.0, x.abs())
    }

    fn whole(&self, x: Number) -> usize {
        x.value as usize
    }

    /// A constant of few digits is meant exactly; one that uses all of f32's stands for a real number near it.
    fn constant(&self, x: f32) -> Number {
        const HALF_OF_MANTISSA: u32 = (1 << 12) - 1;
        let short = !x.is_normal() || x.to_bits() & HALF_OF_MANTISSA == 0 || x.abs() == f32::MAX;
        let value = f64::from(x);
        Number::new(value, if short { 0.0 } else { U * value.abs() }, value.abs())
    }

    fn convert(&self, x: Number, from: DType, to: DType) -> Number {
        if from == DType::I32 && to == DType::F32 {
            return Number::new(x.value, U * x.value.abs(), x.value.abs());
        }
        if to == DType::F32 || x.is_zero() {
            return x;
        }
        let size = x.value.abs() + x.error;
        let error = x.error + conversion_error(to) * size + underflow(to, size);
        Number::new(x.value, error, x.value.abs())
    }

    fn half(&self, byte: Number, high: usize) -> Number {
        self.exact(half_of(byte.value as u8, high))
    }

    fn unary(&self, f: UnaryFn, x: Number) -> Number {
        let Limits { exp2_error, function_error, .. } = *self.limits;
        let function_error = function_error + U;
        match f {
            UnaryFn::Copy => x,
            UnaryFn::Abs => Number::new(x.value.abs(), x.error, x.magnitude),
            UnaryFn::Exp2 if x.value == f64::NEG_INFINITY => self.exact(0.0),
            UnaryFn::Exp2 => {
                let y = x.value.exp2();
                let moved = y * (x.error * std::f64::consts::LN_2).exp_m1();
                // Results below the normal numbers may be lost; the largest that may is the least normal number.
                Number::new(y, moved + exp2_error * (y + moved) + least_normal(DType::F32).min(y + moved), y)
            }
            UnaryFn::Log2 => {
                let y = x.value.log2();
                let least = x.value - x.error;
                let slope = if least > 0.0 { std::f64::consts::LOG2_E / least } else { f64::INFINITY };
                // Near 1 the result is near 0: there the error is absolute.
                self.function(x, y, slope, function_error * y.abs().max(1.0))
            }
            UnaryFn::Tanh => {
                let y = x.value.tanh();
                let nearest = (x.value.abs() - x.error).max(0.0);
                self.function(x, y, 1.0 - nearest.tanh().powi(2), function_error * y.abs())
            }
            UnaryFn::Rsqrt => {
                let y = 1.0 / x.value.sqrt();
                let least = x.value - x.error;
                let slope = if least > 0.0 { 0.5 / (least * least.sqrt()) } else { f64::INFINITY };
                self.function(x, y, slope, function_error * y)
            }
        }
    }

    fn binary(&self, f: BinaryFn, x: Number, y: Number) -> Number {
        let choose = |value: f64| {
            // A certain infinity is never the wrong choice, so its partner's error alone counts.
            let error = if x.value.is_infinite() || y.value.is_infinite() {
                if x.value == value { x.error } else { y.error }
            } else {
                x.error.max(y.error)
            };
            Number::new(value, error, if x.value == value { x.magnitude } else { y.magnitude })
        };
        match f {
            BinaryFn::Add => sum(x, y).rounded(U),
            BinaryFn::Sub => sum(x, Number { value: -y.value, ..y }).rounded(U),
            BinaryFn::Mul => product(x, y).rounded(U),
            BinaryFn::Div => quotient(x, y).rounded(self.limits.function_error + U),
            BinaryFn::Max => choose(x.value.max(y.value)),
            BinaryFn::Min => choose(x.value.min(y.value)),
        }
    }

    fn dot(&self, acc: Number, factors: impl Iterator<Item = (Number, Number)>, of: DType) -> Number {
        let (mut total, mut n) = (acc, 0);
        for (x, y) in factors {
            total = sum(total, product(x, y));
            n += 1;
        }
        if of.is_integer() {
            return total;
        }
        // The factors' products and the sums: n roundings of the whole, whatever the order.
        total.rounded(gamma(n + 1, accumulation_roundoff(of)))
    }

    fn reduce(&self, f: ReduceFn, row: &[Number]) -> Number {
        match f {
            ReduceFn::Sum => row.iter().copied().fold(self.exact(0.0), sum).rounded(gamma(row.len(), U)),
            ReduceFn::Max => {
                row.iter().copied().fold(self.exact(f64::NEG_INFINITY), |x, y| self.binary(BinaryFn::Max, x, y))
            }
        }
    }
}

#[cfg(test)]
mod tests;
