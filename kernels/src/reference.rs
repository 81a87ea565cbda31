//! The oracle: the textbook formulas in f64, on inputs already rounded to their type. There is no other.
//!
//! f64 carries 29 bits more than f32: its own rounding is lost in every bound and is not accounted for.
//!
//! An output row is a row of the output seen as one matrix: batches (and heads) one below the other.

use rayon::prelude::*;

use crate::DType;
use crate::attention::{factors, weight_range};
use crate::inputs::{Inputs, Operand};
use crate::problem::{AttentionProblem, GROUP, Kv, Layout, MatmulSizes, Problem};
use crate::tensor::half_of;

mod rows;

pub use rows::Rows;

/// What the oracle says of some output rows, and the sizes that error bounds are made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// The rows, ascending.
    pub rows: Vec<usize>,
    /// Columns of each.
    pub cols: usize,
    /// Right values, `[rows, cols]`.
    pub values: Vec<f64>,
    /// What the values are sums of, taken absolutely, `[rows, cols]`: `Σ |a||b|` of a product, `Σ p|v|` of attention
    /// with softmax weights `p`.
    pub magnitudes: Vec<f64>,
    /// Of each row of attention, `[rows]`; empty for a product.
    pub softmax: Vec<SoftmaxRow>,
    /// Largest absolute value of each operand.
    pub largest: Vec<f64>,
    /// Whether an operand holds a subnormal of its type, which a device may take for zero.
    pub subnormals: bool,
}

/// Sizes of a row's softmax.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SoftmaxRow {
    /// Keys that the row sees.
    pub n_keys: usize,
    /// Greatest `scale · Σ |q||k|` over those keys.
    pub score_magnitude: f64,
    /// Share of the softmax that weights below the normal numbers of the factors' type, as a kernel holds them, may lose.
    pub faint: f64,
}

/// Computes chosen output rows.
///
/// # Panics
/// When `inputs` are not the problem's, or a row lies outside.
pub fn rows(problem: &Problem, inputs: &Inputs, rows: &Rows) -> Reference {
    let output = problem.output();
    let cols = output.dims.last().copied().unwrap_or(1);
    let list = rows.list(output.elems() / cols);
    let mut operands: Vec<Vec<f32>> = inputs.operands().iter().map(Operand::values).collect();
    let layout_and_k = match problem {
        Problem::Matmul(p) => Some((p.sizes().layout, p.sizes().k)),
        Problem::Grouped(p) => Some((p.sizes().layout, p.sizes().k)),
        Problem::Attention(_) => None,
    };
    if let (Some((Layout::NkI4, k)), [_, b, scales, ..]) = (layout_and_k, operands.as_mut_slice()) {
        *b = dequantised(b, scales, k);
    }
    let none = SoftmaxRow::default();
    let computed: Vec<(Vec<Sum>, SoftmaxRow)> = match problem {
        Problem::Matmul(p) => {
            let p = p.sizes();
            list.par_iter().map(|r| (sums_of_row(&p, &operands, *r, r / p.m), none)).collect()
        }
        Problem::Grouped(problem) => {
            // Rows are at most 2³¹, and no oracle sees more than the 2²⁴ that f32 counts.
            let offsets = operands.last().expect("offsets are the last operand");
            let group = |row: usize| offsets.iter().rposition(|first| *first as usize <= row).expect("the first is 0");
            let p = problem.average().sizes();
            list.par_iter().map(|r| (sums_of_row(&p, &operands, *r, group(*r)), none)).collect()
        }
        Problem::Attention(p) => list.par_iter().map(|r| attention_row(p, &operands, *r)).collect(),
    };
    let least = crate::tolerance::least_normal(problem.dtype()) as f32;
    // Scales of f32 beside shorter inputs have normal numbers of their own.
    let is_shorter = |operand: &Operand| match operand.shape.dtype {
        DType::F32 => problem.dtype() == DType::F32,
        DType::I32 => false,
        _ => true,
    };
    let of_its_type = inputs.operands().iter().zip(&operands).filter(|(operand, _)| is_shorter(operand));
    let of_its_type: Vec<&Vec<f32>> = of_its_type.map(|(_, values)| values).collect();
    let largest = |x: &Vec<f32>| f64::from(x.par_iter().map(|x| x.abs()).reduce(|| 0.0, f32::max));
    let sums = || computed.iter().flat_map(|(sums, _)| sums);
    Reference {
        values: sums().map(|sum| sum.value).collect(),
        magnitudes: sums().map(|sum| sum.magnitude).collect(),
        softmax: match problem {
            Problem::Matmul(_) | Problem::Grouped(_) => Vec::new(),
            Problem::Attention(_) => computed.iter().map(|(_, softmax)| *softmax).collect(),
        },
        largest: operands.iter().map(largest).collect(),
        subnormals: crate::tolerance::may_lose_subnormals(problem.dtype())
            && of_its_type.into_par_iter().flatten().any(|x| *x != 0.0 && x.abs() < least),
        rows: list,
        cols,
    }
}

/// A sum and the sum of its terms' absolute values.
#[derive(Clone, Copy, Default)]
struct Sum {
    value: f64,
    magnitude: f64,
}

impl Sum {
    fn add(&mut self, x: f64, y: f64) {
        let term = x * y;
        self.value += term;
        self.magnitude += term.abs();
    }

    fn times(self, scale: f64) -> Sum {
        Sum { value: self.value * scale, magnitude: self.magnitude * scale.abs() }
    }

    /// `Σ x·y`.
    fn dot(x: &[f32], y: &[f32]) -> Sum {
        let mut sum = Sum::default();
        for (x, y) in x.iter().zip(y) {
            sum.add(f64::from(*x), f64::from(*y));
        }
        sum
    }
}

/// Row `row` of a product by right operand `at`, times the scales of both where there are some.
fn sums_of_row(p: &MatmulSizes, operands: &[Vec<f32>], row: usize, at: usize) -> Vec<Sum> {
    let mut sums = product_row(p, &operands[0][row * p.k..][..p.k], &operands[1][at * p.k * p.n..][..p.k * p.n]);
    if p.input.is_integer() && !p.output.is_integer() {
        scale(&mut sums, operands[2][row], &operands[3][at * p.n..]);
    }
    sums
}

/// `c[row, :] = a[row, :] · b`.
fn product_row(p: &MatmulSizes, a: &[f32], b: &[f32]) -> Vec<Sum> {
    match p.layout {
        Layout::Nk | Layout::NkI4 | Layout::Packed => b.chunks_exact(p.k).map(|b_col| Sum::dot(a, b_col)).collect(),
        Layout::Kn => {
            let mut sums = vec![Sum::default(); p.n];
            for (x, b_row) in a.iter().zip(b.chunks_exact(p.n)) {
                for (sum, y) in sums.iter_mut().zip(b_row) {
                    sum.add(f64::from(*x), f64::from(*y));
                }
            }
            sums
        }
    }
}

/// `c[row, j] · a_scale · b_scale[j]`.
fn scale(sums: &mut [Sum], a_scale: f32, b_scale: &[f32]) {
    for (sum, b_scale) in sums.iter_mut().zip(b_scale) {
        *sum = sum.times(f64::from(a_scale) * f64::from(*b_scale));
    }
}

/// Weights of 4 bits, `[n, k]`: integers times the scale of their group, which f32 holds exactly. Of a group byte `j` holds
/// weight `j` in its low half and weight `j + 16` in its high one.
fn dequantised(bytes: &[f32], scales: &[f32], k: usize) -> Vec<f32> {
    let groups = bytes.par_chunks_exact(GROUP / 2).zip(scales);
    let weights = groups.flat_map_iter(|(bytes, scale)| {
        let half = move |high: usize| bytes.iter().map(move |byte| half_of(*byte as u8, high) as f32 * scale);
        half(0).chain(half(1))
    });
    let weights: Vec<f32> = weights.collect();
    assert_eq!(weights.len() % k, 0, "whole rows of {k} weights");
    weights
}

/// Where a sequence's head keeps its tokens, among the tokens of all: one behind the other, or in the pages of a table, which is
/// then the last operand.
fn token_at<'p>(
    problem: &AttentionProblem,
    table: Option<&'p Vec<f32>>,
    batch: usize,
    head: usize,
) -> impl Fn(usize) -> usize + 'p {
    let p = problem.sizes();
    move |j| match (p.page, table) {
        (Some(page), Some(table)) => {
            // f32 holds whole numbers up to 2²⁴, and no oracle sees as many pages.
            let at = table[batch * p.skv.div_ceil(page) + j / page] as usize;
            (at * p.hkv + head) * page + j % page
        }
        _ => (batch * p.hkv + head) * p.skv + j,
    }
}

/// `out = Σ_j p_j v_j` with `p = softmax(scale · q · kᵀ)` over the keys that the row sees; zero where it sees none. Keys and
/// values of integers are those times the scales of their tokens.
fn attention_row(problem: &AttentionProblem, operands: &[Vec<f32>], row: usize) -> (Vec<Sum>, SoftmaxRow) {
    let p = problem.sizes();
    let (q, k, v) = (&operands[0], &operands[1], &operands[2]);
    let has_scales = p.kv == Kv::I8;
    let scale_of = |operand: usize, token: usize| if has_scales { f64::from(operands[operand][token]) } else { 1.0 };
    let (position, head, batch) = (row % p.sq, row / p.sq % p.hq, row / p.sq / p.hq);
    let token = token_at(problem, operands.last(), batch, head / problem.group());
    let q = &q[row * p.d..][..p.d];
    let keys = problem.visible(position);
    let score = |token: usize| Sum::dot(q, &k[token * p.d..][..p.d]).times(scale_of(3, token));
    let scores: Vec<Sum> = keys.clone().map(|j| score(token(j))).collect();
    let peak = scores.iter().map(|s| s.value).fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = scores.iter().map(|s| (problem.scale() * (s.value - peak)).exp()).collect();
    let total: f64 = weights.iter().sum();
    let mut out = vec![Sum::default(); p.dv];
    for (j, weight) in keys.clone().zip(&weights) {
        let share = weight / total * scale_of(4, token(j));
        for (sum, v) in out.iter_mut().zip(&v[token(j) * p.dv..][..p.dv]) {
            sum.add(share, f64::from(*v));
        }
    }
    let factors = factors(&p);
    let (least, held) = (crate::tolerance::least_normal(factors), f64::from(weight_range(factors)).exp2());
    let lost = |w: f64| if w * held < least { crate::tolerance::underflow(factors, w * held) / held } else { 0.0 };
    let softmax = SoftmaxRow {
        n_keys: keys.len(),
        score_magnitude: problem.scale() * scores.iter().map(|s| s.magnitude).fold(0.0, f64::max),
        faint: weights.iter().map(|w| lost(*w)).sum::<f64>() / total.max(1.0),
    };
    (out, softmax)
}

#[cfg(test)]
mod tests;
