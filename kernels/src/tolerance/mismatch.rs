//! Comparing an output with what is expected, and the report of what is wrong.

use std::fmt;

use rayon::prelude::*;

use super::Expected;
use crate::DType;
use crate::inputs::index_of;
use crate::tensor::float8::{E4M3, E5M2};

/// An output that is right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Greatest error over its bound, at most 1.
    pub worst_ratio: f64,
    /// `Σ (got − expected)² / Σ expected²` over checked elements.
    pub nmse: f64,
    /// Share of the output's rows that was compared with the oracle.
    pub checked_share: f64,
}

/// One element of an output.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Position on each axis.
    pub index: Vec<usize>,
    /// The right value; none on a row that is not checked.
    pub expected: Option<f64>,
    /// What the device gave.
    pub got: f64,
    /// How far it may lie.
    pub bound: f64,
    /// Error over bound.
    pub ratio: f64,
}

/// An output that is wrong. `Display` is the report.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// Name of the output.
    pub operand: &'static str,
    /// Names of its axes.
    pub axes: Vec<&'static str>,
    /// The element with the worst ratio.
    pub worst: Point,
    /// Wrong elements of the checked ones.
    pub n_wrong: usize,
    /// Elements compared with the oracle.
    pub n_checked: usize,
    /// NaNs in the whole output.
    pub n_nan: usize,
    /// As [`Agreement::nmse`].
    pub nmse: f64,
    /// Expected and got around the worst element.
    pub nearby: Vec<Point>,
}

impl std::error::Error for Mismatch {}

/// Columns either side of the worst element, and checked rows either side, that a report shows.
const NEARBY: usize = 2;

pub(super) fn compare(expected: &Expected, output: &[u8]) -> Result<Agreement, Box<Mismatch>> {
    assert_eq!(output.len(), expected.shape.size_bytes(), "an output of the expected length");
    let view = View::new(expected, output);
    let ratio = |at: usize| ratio(view.got(at), expected.values[at], expected.bounds[at]);
    let n_checked = expected.values.len();
    let worst = (0..n_checked).into_par_iter().map(|at| (ratio(at), at)).reduce(|| (0.0, 0), worse);
    let n_nan = view.nans().count();
    if n_nan == 0 && worst.0 <= 1.0 {
        let checked_share = view.rows.len() as f64 / view.n_rows as f64;
        return Ok(Agreement { worst_ratio: worst.0, nmse: view.nmse(), checked_share });
    }
    let n_wrong = (0..n_checked).into_par_iter().filter(|at| ratio(*at) > 1.0).count();
    let (point, nearby) = if n_wrong > 0 {
        (view.point(worst.1), view.nearby(worst.1))
    } else {
        let flat = view.nans().next().unwrap_or(0);
        (view.unchecked(flat), Vec::new())
    };
    let (operand, axes) = (expected.shape.name, expected.axes.clone());
    Err(Box::new(Mismatch { operand, axes, worst: point, n_wrong, n_checked, n_nan, nmse: view.nmse(), nearby }))
}

/// Error over bound: 0 for equal values, infinite for any error where none is allowed, where the bound says nothing,
/// and for NaN.
fn ratio(got: f64, expected: f64, bound: f64) -> f64 {
    let error = (got - expected).abs();
    if got == expected {
        0.0
    } else if bound > 0.0 && bound.is_finite() && !error.is_nan() {
        error / bound
    } else {
        f64::INFINITY
    }
}

fn worse(a: (f64, usize), b: (f64, usize)) -> (f64, usize) {
    // Of equals the first, so that reports do not depend on scheduling.
    if b.0 > a.0 || b.0 == a.0 && b.1 < a.1 { b } else { a }
}

/// An output beside what is expected of it.
struct View<'a> {
    expected: &'a Expected,
    output: &'a [u8],
    rows: Vec<usize>,
    n_rows: usize,
    cols: usize,
}

impl<'a> View<'a> {
    fn new(expected: &'a Expected, output: &'a [u8]) -> View<'a> {
        let cols = expected.shape.dims.last().copied().unwrap_or(1);
        let n_rows = expected.shape.elems() / cols;
        View { expected, output, rows: expected.rows.list(n_rows), n_rows, cols }
    }

    /// Position in the output of checked element `at`.
    fn flat(&self, at: usize) -> usize {
        self.rows[at / self.cols] * self.cols + at % self.cols
    }

    fn element(&self, flat: usize) -> f64 {
        let dtype = self.expected.shape.dtype;
        let size = dtype.size_bytes();
        dtype.decode(&self.output[flat * size..][..size])[0]
    }

    fn got(&self, at: usize) -> f64 {
        self.element(self.flat(at))
    }

    /// Positions of NaNs in the whole output.
    fn nans(&self) -> impl Iterator<Item = usize> + '_ {
        // All ones in the exponent and something in the mantissa, told from the bits without decoding.
        let dtype = self.expected.shape.dtype;
        let infinity: u32 = match dtype {
            DType::F32 => 0x7f80_0000,
            DType::F16 => 0x7c00,
            DType::Bf16 => 0x7f80,
            DType::F8E4M3 => E4M3.infinity().into(),
            DType::F8E5M2 => E5M2.infinity().into(),
            DType::I32 | DType::I8 | DType::I4x2 => u32::MAX,
        };
        let bits = move |b: &[u8]| b.iter().rev().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        let sign = 1u32 << (8 * dtype.size_bytes() - 1);
        let elements = self.output.chunks_exact(dtype.size_bytes()).enumerate();
        elements.filter(move |(_, b)| bits(b) & !sign > infinity).map(|(i, _)| i)
    }

    fn nmse(&self) -> f64 {
        let values = &self.expected.values;
        let square = |x: f64| x * x;
        let error: f64 = (0..values.len()).map(|at| square(self.got(at) - values[at])).sum();
        let size: f64 = values.iter().copied().map(square).sum();
        if error == 0.0 { 0.0 } else { error / size }
    }

    fn point(&self, at: usize) -> Point {
        let (expected, bound, got) = (self.expected.values[at], self.expected.bounds[at], self.got(at));
        let index = index_of(self.flat(at), &self.expected.shape.dims);
        Point { index, expected: Some(expected), got, bound, ratio: ratio(got, expected, bound) }
    }

    fn unchecked(&self, flat: usize) -> Point {
        let index = index_of(flat, &self.expected.shape.dims);
        Point { index, expected: None, got: self.element(flat), bound: f64::NAN, ratio: f64::INFINITY }
    }

    fn nearby(&self, at: usize) -> Vec<Point> {
        let (row, col) = (at / self.cols, at % self.cols);
        let rows = row.saturating_sub(NEARBY)..(row + NEARBY + 1).min(self.rows.len());
        let cols = col.saturating_sub(NEARBY)..(col + NEARBY + 1).min(self.cols);
        rows.flat_map(|r| cols.clone().map(move |c| r * self.cols + c)).map(|at| self.point(at)).collect()
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Point { index, expected, got, bound, ratio } = &self.worst;
        write!(f, "{}[", self.operand)?;
        for (i, (axis, at)) in self.axes.iter().zip(index).enumerate() {
            write!(f, "{}{axis} {at}", if i == 0 { "" } else { ", " })?;
        }
        match expected {
            Some(expected) => {
                write!(f, "]: expected {expected:.9e}, got {got:.9e}; bound {bound:.3e}, ratio {ratio:.3e}")?
            }
            None => write!(f, "]: got {got} on a row that was not compared with the oracle")?,
        }
        write!(f, "; {} of {} checked elements wrong", self.n_wrong, self.n_checked)?;
        if self.n_nan > 0 {
            write!(f, ", {} NaN in the whole output", self.n_nan)?;
        }
        write!(f, ", NMSE {:.3e}", self.nmse)?;
        let mut row: &[usize] = &[];
        for point in &self.nearby {
            let (at, col) = point.index.split_at(point.index.len() - 1);
            if at != row {
                write!(f, "\n  {at:?} from column {}: expected → got", col[0])?;
                row = at;
            }
            let mark = if point.ratio > 1.0 { "✗" } else { " " };
            write!(f, "  {:.5} → {:.5}{mark}", point.expected.unwrap_or(f64::NAN), point.got)?;
        }
        Ok(())
    }
}
