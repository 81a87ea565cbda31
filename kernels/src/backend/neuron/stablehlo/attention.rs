//! Attention in its plain form.
//!
//! ```text
//! s = scale · q·kᵀ      query heads of a group beside each other: [b, hkv, group, sq, skv]
//! s = −∞ where masked
//! w = exp(s − max s)    rounded to the inputs' type; of f8e4m3 2⁷ times as large
//! out = w·v / Σ w       one division an output, and the order in which the bound of the oracle is derived
//! ```

use std::f32::consts::LN_2;

use super::text::{Dims, Element, F32, Type, Value, Writer};
use crate::attention::weight_range;
use crate::problem::{AttentionProblem, Mask, OperandShape};

pub(super) fn text(problem: &AttentionProblem) -> String {
    let p = problem.sizes();
    let ty = |shape: &OperandShape| Type::new(shape.dims.clone(), Element::Float(shape.dtype));
    let inputs = [problem.q(), problem.k(), problem.v()];
    let (mut w, arguments) = Writer::open("attention", &inputs.each_ref().map(ty), &ty(&problem.out()));
    let [q, k, v] = &arguments[..] else { unreachable!("three operands were declared") };
    let (group, input) = (problem.group(), Element::Float(p.input));
    let scores = [p.batch, p.hkv, group, p.sq, p.skv];
    let q = w.reshape(q, &[p.batch, p.hkv, group, p.sq, p.d]);
    let products = w.product(&q, k, &Dims { batch: 2, contract: [4, 3] });
    let scale = w.number(problem.scale() as f32, &scores);
    let s = w.binary("multiply", &products, &scale);
    let s = masked(&mut w, problem, &s);
    let peak = peak(&mut w, problem, &s);
    let below = w.binary("subtract", &s, &peak);
    let weights = w.unary("exponential", &below);
    let sum = w.reduce("add", &weights, 0.0);
    let weights = w.convert(&weights, input);
    let acc = w.product(&weights, v, &Dims { batch: 2, contract: [4, 2] });
    let sum = if sees_nothing(problem) { at_least(&mut w, &sum, f32::MIN_POSITIVE) } else { sum };
    let sum = w.broadcast(&sum, &[0, 1, 2, 3], &acc.ty.dims.clone());
    let out = w.binary("divide", &acc, &sum);
    let out = w.reshape(&out, &problem.out().dims);
    let out = w.convert(&out, Element::Float(p.output));
    debug_assert_eq!(below.ty.element, F32, "scores are f32");
    w.close(&out)
}

/// Whether some query sees no key: its row is zero. Under a mask the first query sees the fewest.
fn sees_nothing(problem: &AttentionProblem) -> bool {
    problem.visible(0).is_empty()
}

fn at_least(w: &mut Writer, x: &Value, least: f32) -> Value {
    let least = w.number(least, &x.ty.dims.clone());
    w.binary("maximum", x, &least)
}

fn less(w: &mut Writer, x: &Value, by: f32) -> Value {
    let by = w.number(by, &x.ty.dims.clone());
    w.binary("subtract", x, &by)
}

/// What is subtracted from the scores: the greatest of each row, less what weights are held above their values by,
/// repeated along the keys; finite, so that no difference of infinities arises.
fn peak(w: &mut Writer, problem: &AttentionProblem, s: &Value) -> Value {
    let peak = w.reduce("maximum", s, f32::NEG_INFINITY);
    let peak = if sees_nothing(problem) { at_least(w, &peak, f32::MIN) } else { peak };
    let range = weight_range(problem.sizes().input);
    let peak = if range > 0.0 { less(w, &peak, range * LN_2) } else { peak };
    w.broadcast(&peak, &[0, 1, 2, 3], &s.ty.dims.clone())
}

/// Scores with −∞ where a query does not see a key.
fn masked(w: &mut Writer, problem: &AttentionProblem, s: &Value) -> Value {
    let p = problem.sizes();
    let (least, dims) = match p.mask {
        Mask::None => return s.clone(),
        Mask::Causal => (None, s.ty.dims.clone()),
        Mask::Window(n) => (Some(n), s.ty.dims.clone()),
    };
    let plane = [p.sq, p.skv];
    let (query, key) = (w.positions(0, &plane), w.positions(1, &plane));
    let distance = w.binary("subtract", &key, &query);
    let diagonal = p.skv as i64 - p.sq as i64;
    let last = w.integer(diagonal, &plane);
    let mut seen = w.compare("LE", &distance, &last);
    if let Some(n) = least {
        let first = w.integer((diagonal - (n as i64 - 1)).max(i64::from(i32::MIN)), &plane);
        let recent = w.compare("GE", &distance, &first);
        seen = w.binary("and", &seen, &recent);
    }
    let seen = w.broadcast(&seen, &[3, 4], &dims);
    let hidden = w.number(f32::NEG_INFINITY, &dims);
    w.select(&seen, s, &hidden)
}
