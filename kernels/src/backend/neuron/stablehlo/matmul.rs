//! The matrix product in its plain form.

use super::text::{Dims, Element, Type, Writer};
use crate::problem::{Layout, MatmulProblem};

/// `c = dot_general(a, b)` in f32, then the output's type.
pub(super) fn text(problem: &MatmulProblem) -> String {
    let (a, b, c) = (problem.a(), problem.b(), problem.c());
    let ty = |shape: &crate::problem::OperandShape| Type::new(shape.dims.clone(), Element::Float(shape.dtype));
    let (mut w, arguments) = Writer::open("matmul", &[ty(&a), ty(&b)], &ty(&c));
    let contract = match problem.sizes().layout {
        Layout::Kn => [2, 1],
        Layout::Nk | Layout::Packed => [2, 2],
        Layout::NkI4 => unreachable!("problems of integers are refused"),
    };
    let product = w.product(&arguments[0], &arguments[1], &Dims { batch: 1, contract });
    let out = w.convert(&product, Element::Float(c.dtype));
    w.close(&out)
}
