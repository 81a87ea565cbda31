//! Intervals from errors on what was held out (split conformal prediction, Vovk et al. 2005; Lei et al. 2018).
//!
//! An interval is `predicted · e^(±q)`, `q` the 80 % quantile of `|ln(predicted / measured)|` over rows that the fit had
//! not seen. Errors in family say nothing about a new chip or model, so each kind of hold-out has an interval of its
//! own.

use serde::Serialize;

/// Share of rows that an interval is to cover.
const COVERAGE: f64 = 0.8;

/// Half-widths in logarithms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Of the time per token.
    pub tpot: f64,
    /// Of the time to the first token.
    pub ttft: f64,
}

/// The half-width that covers [`COVERAGE`] of rows to come: the `⌈(n + 1)·0.8⌉`-th smallest error, the greatest where
/// that is beyond them.
pub(super) fn half_width(mut errors: Vec<f64>) -> f64 {
    errors.sort_by(f64::total_cmp);
    let rank = ((errors.len() as f64 + 1.0) * COVERAGE).ceil() as usize;
    errors.get(rank.saturating_sub(1)).or(errors.last()).copied().unwrap_or(f64::INFINITY)
}

/// Share of errors within a half-width.
pub(super) fn covered(errors: &[f64], half_width: f64) -> f64 {
    errors.iter().filter(|error| **error <= half_width).count() as f64 / errors.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rank_is_that_of_split_conformal_prediction() {
        // Nine errors: the ⌈10·0.8⌉ = 8th.
        assert_eq!(half_width((1..=9).rev().map(f64::from).collect()), 8.0);
        // Two: the ⌈3·0.8⌉ = 3rd would be beyond them.
        assert_eq!(half_width(vec![2.0, 1.0]), 2.0);
        assert_eq!(half_width(Vec::new()), f64::INFINITY);
        assert_eq!(covered(&[1.0, 2.0, 3.0, 4.0], 3.0), 0.75);
    }
}
