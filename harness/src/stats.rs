//! Median, its interval, and spread, without assuming a distribution.

mod shift;
mod visits;

pub use shift::{Shift, shift};
pub use visits::summary_of_visits;

use crate::record::Outliers;

/// What a set of samples amounts to.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Middle value, or the mean of the two middle values.
    pub median: f64,
    /// 95 % interval of the median; none for fewer than 6 samples, or visits, which cannot give one.
    pub ci95: Option<[f64; 2]>,
    /// Median absolute deviation from the median, unscaled.
    pub mad: f64,
    /// Samples outside Tukey's fences.
    pub outliers: Outliers,
}

/// Samples that cannot be summarised.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StatsError {
    /// Nothing to summarise.
    #[error("no samples")]
    Empty,
    /// A NaN or an infinity among the samples.
    #[error("sample {index} is {value}")]
    NotFinite {
        /// Position in the order given.
        index: usize,
        /// The value.
        value: f64,
    },
    /// Visits that are not those of the samples.
    #[error("visits of {visits:?} samples are not {samples} samples")]
    Visits {
        /// Samples of each visit.
        visits: Vec<usize>,
        /// Samples there are.
        samples: usize,
    },
}

/// Summarises samples in any order.
///
/// # Errors
/// There are none, or one is not finite.
pub fn summary(samples: &[f64]) -> Result<Summary, StatsError> {
    finite(samples)?;
    let sorted = ascending(samples.to_vec());
    let median = median_of_sorted(&sorted).ok_or(StatsError::Empty)?;
    let deviations = ascending(sorted.iter().map(|x| (x - median).abs()).collect());
    let mad = median_of_sorted(&deviations).ok_or(StatsError::Empty)?;
    let ci95 = median_rank_95(sorted.len()).map(|j| [sorted[j], sorted[sorted.len() - 1 - j]]);
    Ok(Summary { median, ci95, mad, outliers: outliers(&sorted) })
}

/// Refuses what is not finite.
fn finite(samples: &[f64]) -> Result<(), StatsError> {
    match samples.iter().enumerate().find(|(_, x)| !x.is_finite()) {
        Some((index, &value)) => Err(StatsError::NotFinite { index, value }),
        None => Ok(()),
    }
}

fn ascending(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

fn median_of_sorted(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        // Halved first: the sum of two large values may overflow.
        _ => Some(sorted[middle - 1] / 2.0 + sorted[middle] / 2.0),
    }
}

/// Zero-based rank `j` such that the `j`-th smallest and `j`-th largest of `n` samples enclose the median with at least
/// 95 % confidence: the number of samples below the median is binomial(n, ½), whatever the distribution.
///
/// Le Boudec, "Performance Evaluation of Computer and Communication Systems", 2010, theorem 2.1 and appendix A;
/// David & Nagaraja, "Order Statistics", 3rd ed., §7.1. Exact up to 1000 samples, then the normal approximation.
fn median_rank_95(n: usize) -> Option<usize> {
    const TAIL: f64 = 0.025;
    if n > 1000 {
        let half_width = 1.96 * (n as f64).sqrt() / 2.0; // 1.96: the normal distribution's 97.5 % point
        return Some((n as f64 / 2.0 - half_width) as usize);
    }
    let mut term = 0.5f64.powi(n as i32); // C(n, i) / 2^n
    let mut below = 0.0;
    let mut rank = None;
    for i in 0..n / 2 {
        below += term;
        if below > TAIL {
            break;
        }
        rank = Some(i);
        term *= (n - i) as f64 / (i + 1) as f64;
    }
    rank
}

/// Tukey, "Exploratory Data Analysis", 1977: beyond 1.5 interquartile ranges from the quartiles.
fn outliers(sorted: &[f64]) -> Outliers {
    let (q1, q3) = (quantile(sorted, 0.25), quantile(sorted, 0.75));
    let reach = 1.5 * (q3 - q1);
    let count = |is_out: &dyn Fn(f64) -> bool| sorted.iter().filter(|x| is_out(**x)).count();
    Outliers { low: count(&|x| x < q1 - reach), high: count(&|x| x > q3 + reach) }
}

/// Linear interpolation between closest ranks (Hyndman & Fan 1996, type 7).
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    sorted[low] + (at - at.floor()) * (sorted[high] - sorted[low])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_samples_are_enclosed_by_the_second_smallest_and_second_largest() {
        // P(binomial(10, ½) ≤ 1) = 11/1024 = 1.07 %; with 2 it is 5.5 %, too much for a tail of 2.5 %.
        let samples = [10.0, 1.0, 9.0, 2.0, 8.0, 3.0, 7.0, 4.0, 6.0, 5.0];
        let s = summary(&samples).expect("finite samples");
        assert_eq!((s.median, s.ci95, s.mad, s.outliers), (5.5, Some([2.0, 9.0]), 2.5, Outliers::default()));
    }

    #[test]
    fn ranks_agree_with_the_published_table() {
        // Le Boudec, table A.1 (one-based): n = 6 → 1, 10 → 2, 20 → 6, 31 → 10, 50 → 18.
        for (n, rank) in [(5, None), (6, Some(1)), (10, Some(2)), (20, Some(6)), (31, Some(10)), (50, Some(18))] {
            assert_eq!(median_rank_95(n).map(|j| j + 1), rank, "n = {n}");
        }
        assert_eq!(median_rank_95(1001), Some(469)); // 500.5 − 0.98 · √1001 = 469.49
        assert!((median_rank_95(1000).expect("many samples") as i64 - 469).abs() <= 1);
    }

    #[test]
    fn few_samples_have_a_median_and_no_interval() {
        let s = summary(&[3.0, 1.0, 2.0]).expect("finite samples");
        assert_eq!((s.median, s.ci95), (2.0, None));
        assert_eq!(summary(&[4.0]).expect("one sample").median, 4.0);
    }

    #[test]
    fn equal_samples_have_no_spread() {
        let s = summary(&[7.0; 12]).expect("finite samples");
        assert_eq!((s.median, s.ci95, s.mad, s.outliers), (7.0, Some([7.0, 7.0]), 0.0, Outliers::default()));
    }

    #[test]
    fn a_lone_spike_is_an_outlier_and_moves_nothing() {
        let mut samples = vec![1.0, 1.1, 0.9, 1.05, 0.95, 1.02, 0.98, 1.01, 0.99];
        samples.push(50.0);
        let s = summary(&samples).expect("finite samples");
        assert_eq!(s.outliers, Outliers { low: 0, high: 1 });
        assert!((s.median - 1.005).abs() < 1e-12);
    }

    #[test]
    fn nan_and_infinity_and_nothing_are_errors() {
        assert!(matches!(summary(&[1.0, f64::NAN]), Err(StatsError::NotFinite { index: 1, .. })));
        assert!(matches!(summary(&[f64::INFINITY]), Err(StatsError::NotFinite { index: 0, .. })));
        assert_eq!(summary(&[]), Err(StatsError::Empty));
    }
}
