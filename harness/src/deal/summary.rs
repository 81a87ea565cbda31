//! Percentiles of draws, how far they have settled, and ranks.

use serde::Serialize;

/// A column of draws in a few numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Percentiles {
    /// Draws that have a value.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Standard error of the mean.
    pub mean_error: f64,
    /// 5 % quantile.
    pub p5: f64,
    /// 10 % quantile.
    pub p10: f64,
    /// Median.
    pub p50: f64,
    /// 90 % quantile.
    pub p90: f64,
    /// 95 % quantile.
    pub p95: f64,
}

/// Percentiles of the values that are numbers; none where there are none.
pub(super) fn percentiles(draws: &[f64]) -> Option<Percentiles> {
    // Whole numbers in the order of the values: they compare at once, and without a branch.
    let mut keys: Vec<i64> = Vec::with_capacity(draws.len());
    keys.extend(draws.iter().filter(|value| !value.is_nan()).map(|value| key(*value)));
    let n = keys.len();
    if n == 0 {
        return None;
    }
    let numbers = || draws.iter().filter(|value| !value.is_nan());
    let mean = numbers().sum::<f64>() / n as f64;
    let squares: f64 = numbers().map(|value| (value - mean).powi(2)).sum();
    let mean_error = (squares / (n as f64 - 1.0).max(1.0) / n as f64).sqrt();
    // The closest rank: with thousands of draws interpolation changes nothing that is printed.
    let rank = |quantile: f64| ((n - 1) as f64 * quantile).round() as usize;
    // The median first: what is left to search is then half, and a tenth of that for the tails.
    let p50 = select(&mut keys, rank(0.5));
    let (below, above) = keys.split_at_mut(rank(0.5));
    let tail = |below: &mut [i64], rank: usize| if rank < below.len() { select(below, rank) } else { p50 };
    let p10 = tail(below, rank(0.1));
    let p5 = tail(&mut below[..rank(0.1)], rank(0.05));
    let p5 = if rank(0.05) < rank(0.1) { p5 } else { p10 };
    let (p90_at, p95_at) = (rank(0.9) - rank(0.5), rank(0.95) - rank(0.5));
    let p90 = select(above, p90_at);
    let p95 = select(&mut above[p90_at..], p95_at - p90_at);
    Some(Percentiles { n, mean, mean_error, p5, p10, p50, p90, p95 })
}

/// The number of this rank; those of lower ranks end up before it.
fn select(keys: &mut [i64], rank: usize) -> f64 {
    value(*keys.select_nth_unstable(rank).1)
}

/// A whole number that orders as [`f64::total_cmp`] does: of negative numbers all bits but the sign are turned.
fn key(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    bits ^ (((bits >> 63).cast_unsigned()) >> 1).cast_signed()
}

/// The number of a [`key`], which is its own inverse.
fn value(key: i64) -> f64 {
    let bits = key ^ (((key >> 63).cast_unsigned()) >> 1).cast_signed();
    f64::from_bits(bits.cast_unsigned())
}

/// Percentiles of the first sixteenth, eighth, quarter and half of the draws, and of all: what still moves has not
/// settled.
pub(super) fn convergence(draws: &[f64]) -> Vec<Percentiles> {
    [16, 8, 4, 2, 1].into_iter().filter_map(|part| percentiles(&draws[..draws.len() / part])).collect()
}

/// Ranks from 0; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let mean = first as f64 + (equal.len() - 1) as f64 / 2.0;
        equal.iter().for_each(|idx| ranks[*idx] = mean);
        first += equal.len();
    }
    ranks
}

/// Spearman's rank correlation over the pairs in which `b` is a number; none where either is constant there.
pub(super) fn rank_correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let pairs = a.iter().zip(b).filter(|(_, b)| !b.is_nan());
    let (a, b): (Vec<f64>, Vec<f64>) = pairs.map(|(a, b)| (*a, *b)).unzip();
    let (a, b) = (ranks(&a), ranks(&b));
    let middle = (a.len() as f64 - 1.0) / 2.0;
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - middle) * (y - middle)).sum::<f64>();
    let norm = (product(&a, &a) * product(&b, &b)).sqrt();
    (norm > 0.0).then(|| product(&a, &b) / norm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_the_first_hundred_numbers() {
        let draws: Vec<f64> = (0..=100).rev().map(f64::from).chain([f64::NAN]).collect();
        let p = percentiles(&draws).expect("numbers");
        assert_eq!([p.p5, p.p10, p.p50, p.p90, p.p95, p.mean], [5.0, 10.0, 50.0, 90.0, 95.0, 50.0]);
        // Variance of 0..=100: (101² − 1)/12 · 101/100 = 858.5; its error of the mean √(858.5/101).
        assert!((p.mean_error - (858.5f64 / 101.0).sqrt()).abs() < 1e-12);
        assert_eq!((p.n, percentiles(&[f64::NAN])), (101, None));
    }

    #[test]
    fn percentiles_are_closest_ranks_however_few_numbers_there_are() {
        for n in 1..60 {
            // A permutation: 37 has no factor in common with any n below.
            let draws: Vec<f64> = (0..n).map(|i| f64::from(i * 37 % n)).collect();
            let p = percentiles(&draws).expect("numbers");
            let mut sorted = draws;
            sorted.sort_by(f64::total_cmp);
            let at = |q: f64| sorted[(f64::from(n - 1) * q).round() as usize];
            assert_eq!([p.p5, p.p10, p.p50, p.p90, p.p95], [0.05, 0.1, 0.5, 0.9, 0.95].map(at), "{n}");
        }
    }

    #[test]
    fn keys_order_as_the_numbers_do() {
        let ascending = [f64::NEG_INFINITY, -1e300, -2.0, -1.5, -1e-300, -0.0, 0.0, 1e-300, 1.0, 7e9, f64::INFINITY];
        assert!(ascending.windows(2).all(|pair| key(pair[0]) < key(pair[1])));
        assert!(ascending.iter().all(|number| value(key(*number)).to_bits() == number.to_bits()));
    }

    #[test]
    fn ranks_share_ties_and_correlate_whatever_the_scale() {
        assert_eq!(ranks(&[30.0, 10.0, 10.0, 20.0]), [3.0, 0.5, 0.5, 2.0]);
        let x = [1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(rank_correlation(&x, &x.map(f64::exp)), Some(1.0));
        assert_eq!(rank_correlation(&x, &x.map(|x| -x * x * x)), Some(-1.0));
        assert_eq!(rank_correlation(&x, &[7.0; 5]), None);
        // d² sums to 1+1+1+1+0 = 4 over five: 1 − 6·4/(5·24) = 0.8.
        let rho = rank_correlation(&x, &[2.0, 1.0, 4.0, 3.0, 5.0]).expect("neither constant");
        assert!((rho - 0.8).abs() < 1e-12);
    }

    #[test]
    fn convergence_ends_with_all_draws() {
        let draws: Vec<f64> = (0..1600).map(f64::from).collect();
        let sizes: Vec<usize> = convergence(&draws).iter().map(|p| p.n).collect();
        assert_eq!(sizes, [100, 200, 400, 800, 1600]);
    }
}
