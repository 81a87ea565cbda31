//! How far a right result may lie from the oracle: bounds by derivation, per element.
//!
//! Notation: `u` unit roundoff, `γ_n = n·u / (1 − n·u)` (Higham, Accuracy and Stability of Numerical Algorithms, 2nd
//! ed., §3.1): `n` roundings, in any order, change a sum of terms `t` by at most `γ_n Σ|t|`.
//!
//! What devices may do beside rounding to nearest, and what it costs here:
//! 1. Instructions on 16-bit types may truncate where they accumulate (matrix units) and round pairs first
//!    (`vdpbf16ps`); their products are exact in f32. `u` of accumulation is therefore twice f32's for them.
//! 2. Subnormals may be taken for zero, in arguments and results (`vdpbf16ps`, WGSL). Those of 8-bit types may not: a
//!    device that drops them has another set of numbers.
//! 3. WGSL lets a conversion to f16 go to either neighbour: twice the unit roundoff.
//!
//! Inputs whose sums are exact have bound 0: every order of f32 additions gives the same bits.

use std::f64::consts::LN_2;

use crate::DType;
use crate::attention::{factors, weight_range};
use crate::backend::Limits;
use crate::inputs::{Inputs, Sums};
use crate::problem::{AttentionProblem, Kv, Layout, MatmulSizes, OperandShape, Problem};
use crate::reference::{self, Reference, Rows};
use crate::tensor::float8::{E4M3, E5M2};
use crate::tile::{Tiling, n_tiles};

mod mismatch;
pub mod running;

pub use mismatch::{Agreement, Mismatch, Point};

/// `γ_n`; infinite where `n` roundings may leave nothing.
pub fn gamma(n: usize, u: f64) -> f64 {
    let nu = n as f64 * u;
    if nu < 1.0 { nu / (1.0 - nu) } else { f64::INFINITY }
}

/// Unit roundoff of the accumulation of products of this type, in f32 (see departure 1 of the module) or, of integers,
/// exactly.
pub fn accumulation_roundoff(input: DType) -> f64 {
    match input {
        DType::I32 | DType::I8 | DType::I4x2 => 0.0,
        DType::F32 => DType::F32.unit_roundoff(),
        DType::F16 | DType::Bf16 | DType::F8E4M3 | DType::F8E5M2 => 2.0 * DType::F32.unit_roundoff(),
    }
}

/// Relative error of a conversion from f32: see departure 3 of the module. Nothing is rounded to integers.
pub fn conversion_error(to: DType) -> f64 {
    match to {
        DType::F32 | DType::I32 | DType::I8 | DType::I4x2 => 0.0,
        DType::F16 => 2.0 * to.unit_roundoff(),
        DType::Bf16 | DType::F8E4M3 | DType::F8E5M2 => to.unit_roundoff(),
    }
}

/// Least positive normal number of a type; of integers 1.
pub fn least_normal(dtype: DType) -> f64 {
    match dtype {
        DType::F32 | DType::Bf16 => f64::from(f32::MIN_POSITIVE),
        DType::F16 => half::f16::MIN_POSITIVE.to_f64(),
        DType::F8E4M3 => E4M3.least_normal(),
        DType::F8E5M2 => E5M2.least_normal(),
        DType::I32 | DType::I8 | DType::I4x2 => 1.0,
    }
}

/// What a number of at most `size` may lose to a type beside the relative error: all of it where it may be taken for
/// zero, half a step between subnormals where it may not. See departure 2 of the module.
pub fn underflow(to: DType, size: f64) -> f64 {
    match to {
        DType::F32 | DType::F16 | DType::Bf16 => size.min(least_normal(to)),
        DType::F8E4M3 | DType::F8E5M2 => size.min(to.unit_roundoff() * least_normal(to)),
        DType::I32 | DType::I8 | DType::I4x2 => 0.0,
    }
}

/// Whether a device may take subnormals of this type for zero where it reads them.
pub(crate) fn may_lose_subnormals(dtype: DType) -> bool {
    underflow(dtype, f64::INFINITY) >= least_normal(dtype)
}

/// The rule behind the bounds of a problem, as a record names it.
pub fn rule(problem: &Problem) -> &'static str {
    match problem {
        Problem::Matmul(_) | Problem::Grouped(_) => match (problem.dtype(), problem.output().dtype) {
            (_, DType::I32) => "exact: integers",
            (DType::I8, _) => {
                "elementwise: exact sums, gamma_3 for a conversion and two scales, and the rounding of the output"
            }
            _ => "elementwise: gamma_k * sum |a||b|, and the rounding of the output (Higham 2002, 3.1)",
        },
        Problem::Attention(_) => {
            "elementwise: (e^(2 eps) - 1) * sum p|v| over both products and exp2, and the rounding of the output"
        }
    }
}

/// Right values of some output rows and how far a result may lie from each.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// The output's name, sizes and type.
    pub shape: OperandShape,
    /// What messages call the output's axes; one name an axis.
    pub axes: Vec<&'static str>,
    /// The rows that are checked.
    pub rows: Rows,
    /// Right values, `[rows, cols]`.
    pub values: Vec<f64>,
    /// Greatest distance of a right result, `[rows, cols]`.
    pub bounds: Vec<f64>,
}

impl Expected {
    /// What a program for `problem` must give on a device of these limits. `tiling` is the program's: it bounds how
    /// often partial results are rescaled; without one, once a key is assumed.
    ///
    /// # Panics
    /// When `inputs` are not the problem's.
    pub fn of(problem: &Problem, inputs: &Inputs, rows: Rows, limits: &Limits, tiling: Option<&Tiling>) -> Expected {
        let r = reference::rows(problem, inputs, &rows);
        let shape = problem.output();
        let (axes, values, bounds) = match problem {
            Problem::Matmul(_) | Problem::Grouped(_) if inputs.sums() == Sums::Exact => {
                let rounded = r.values.iter().map(|x| shape.dtype.round(*x)).collect();
                (vec!["batch", "row", "col"], rounded, vec![0.0; r.values.len()])
            }
            Problem::Matmul(p) => {
                let bounds = sum_bounds(&p.sizes(), &r);
                (vec!["batch", "row", "col"], r.values, bounds)
            }
            Problem::Grouped(p) => {
                let bounds = sum_bounds(&p.average().sizes(), &r);
                (vec!["batch", "row", "col"], r.values, bounds)
            }
            Problem::Attention(p) => {
                let bounds = attention_bounds(p, &r, limits, tiling);
                (vec!["batch", "head", "query", "col"], r.values, bounds)
            }
        };
        Expected { shape, axes, rows, values, bounds }
    }

    /// Checks an output. Every checked element must lie within its bound, and no element at all may be a NaN.
    ///
    /// # Errors
    /// The report of what is wrong.
    ///
    /// # Panics
    /// When `output` is not of the output's length.
    pub fn compare(&self, output: &[u8]) -> Result<Agreement, Box<Mismatch>> {
        mismatch::compare(self, output)
    }
}

/// What storing `x ± error` adds: the conversion's rounding, and results below the normal numbers lost.
fn stored(output: DType, x: f64, error: f64) -> f64 {
    let size = x.abs() + error;
    error + conversion_error(output) * size + if conversion_error(output) > 0.0 { underflow(output, size) } else { 0.0 }
}

/// Bounds of products of one type, which are of each sum alone.
fn sum_bounds(p: &MatmulSizes, r: &Reference) -> Vec<f64> {
    if p.input.is_integer() { scaled_bounds(p, r) } else { product_bounds(p, r) }
}

/// `|ĉ − c| ≤ γ_k (|A||B|)_ij + lost subnormals`, then what the conversion to the output's type adds.
///
/// It holds in any order, hence for a depth that is split: every part has a term at least, so that adding parts up is some
/// of the `k − 1` additions of `k` products, and what parts are kept in is f32.
fn product_bounds(p: &MatmulSizes, r: &Reference) -> Vec<f64> {
    // 4-bit weights are exact; their scales may be multiplied with partial sums instead.
    let n_scales = if p.layout == Layout::NkI4 { 2 } else { 0 };
    let gamma = gamma(p.k + n_scales, accumulation_roundoff(p.input));
    // Each of the k products and k sums may fall below the normal numbers of f32.
    let underflow = 2.0 * p.k as f64 * least_normal(DType::F32);
    let lost = if r.subnormals { p.k as f64 * least_normal(p.input) * (r.largest[0] + r.largest[1]) } else { 0.0 };
    let bound = |(x, magnitude): (&f64, &f64)| stored(p.output, *x, gamma * magnitude + underflow + lost);
    r.values.iter().zip(&r.magnitudes).map(bound).collect()
}

/// Sums of integers are exact, and so is what holds them. Scaled ones are converted to f32 and multiplied twice:
/// `|ĉ − c| ≤ γ_3 |c|`, and each product may fall below the normal numbers.
fn scaled_bounds(p: &MatmulSizes, r: &Reference) -> Vec<f64> {
    if p.output.is_integer() {
        return vec![0.0; r.values.len()];
    }
    let lost = least_normal(DType::F32) * (1.0 + r.largest[3]);
    let gamma = gamma(3, DType::F32.unit_roundoff());
    r.values.iter().map(|x| stored(p.output, *x, gamma * x.abs() + lost)).collect()
}

/// Computed weights are `w_j(1 + θ_j)`, |θ_j| ≤ θ, of which the faintest may be lost, so that with softmax weights `p`
///
/// `|ô − o| = |Σ p_j θ_j (v_j − o)| / Σ p_j (1 + θ_j) ≤ θ (Σ p|v| + |o|) / (1 − θ)`.
///
/// θ holds, in this order: errors of the score through the exponential, `e^ε − 1`; the exponential's own error, once
/// for the weight and once for each factor by which it fades, with that product's rounding; the weight's conversion to
/// the input's type; and the sums over keys, in numerator and denominator, γ_n each. The division comes last.
///
/// Keys and values of integers are exact; the scale of a key costs its score one more rounding, that of a value its weight.
fn attention_bounds(problem: &AttentionProblem, r: &Reference, limits: &Limits, tiling: Option<&Tiling>) -> Vec<f64> {
    let p = problem.sizes();
    let factors = factors(&p);
    let (u, u_acc) = (DType::F32.unit_roundoff(), accumulation_roundoff(factors));
    let n_scales = if p.kv == Kv::I8 { 1 } else { 0 };
    let largest_scale = |operand: usize| if n_scales == 1 { r.largest[operand].max(1.0) } else { 1.0 };
    let largest_value = r.largest[2] * largest_scale(4);
    let mut bounds = Vec::with_capacity(r.values.len());
    let rows = r.values.chunks_exact(r.cols).zip(r.magnitudes.chunks_exact(r.cols));
    for ((values, magnitudes), row) in rows.zip(&r.softmax) {
        if row.n_keys == 0 {
            bounds.resize(bounds.len() + r.cols, 0.0); // A row that sees no key is zero, not nearly so.
            continue;
        }
        let of_keys = p.d as f64 * least_normal(p.input) * (r.largest[0] + r.largest[1]) * largest_scale(3);
        let lost = if r.subnormals { of_keys } else { 0.0 };
        // d products and sums, the scale and its own rounding; then score − peak, where both have been rounded once
        // more if scaled apart: |score|, |peak| and their difference are at most 1, 1 and 2 score magnitudes.
        let score = (gamma(p.d + 2 + n_scales, u_acc) + 4.0 * u) * row.score_magnitude + problem.scale() * lost;
        let fades = fades(row.n_keys, tiling) as f64;
        // Weights held above their values cost a rounding of the shifted peak, one of the shift, and a larger difference.
        let range = f64::from(weight_range(factors));
        let held = if range > 0.0 { u * (row.score_magnitude + 3.0 * LN_2 * range) } else { 0.0 };
        let theta = (score + held).exp_m1()
            + (1.0 + fades) * limits.exp2_error
            + fades * u
            + conversion_error(factors)
            + n_scales as f64 * u
            + 2.0 * gamma(row.n_keys, u_acc);
        let faint = (row.faint + row.n_keys as f64 * least_normal(DType::F32)) * largest_value;
        let lost_values = if r.subnormals { least_normal(p.input) } else { 0.0 };
        for (x, magnitude) in values.iter().zip(magnitudes) {
            let weights = if theta < 1.0 { theta * (magnitude + x.abs()) / (1.0 - theta) } else { f64::INFINITY };
            let sum = weights + 2.0 * faint + lost_values;
            bounds.push(stored(p.output, *x, sum + (limits.function_error + u) * (x.abs() + sum)));
        }
    }
    bounds
}

/// Factors by which the weight of an early key fades: one a step over the keys, two for each part when parts combine.
fn fades(n_keys: usize, tiling: Option<&Tiling>) -> usize {
    match tiling {
        Some(Tiling::Attention(t)) => (n_tiles(n_keys, t.bk) + 1).min(n_keys) + 2 * (t.kv_splits - 1),
        _ => n_keys,
    }
}

#[cfg(test)]
mod tests;
