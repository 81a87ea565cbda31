//! Percentiles of draws, how far they have settled, and ranks.

use serde::Serialize;
use std::borrow::Cow;

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

/// Parts of the range of a column: so many that few numbers share one with a percentile, so few that their counts stay
/// in the nearest cache.
const PARTS: usize = 4096;

/// Percentiles of the values that are numbers; none where there are none.
///
/// Numbers are counted by parts of their range in the walk that adds up their squares; only those of the parts in which
/// a percentile lies are put in order.
pub(super) fn percentiles(draws: &[f64]) -> Option<Percentiles> {
    // Walks over numbers alone have no branch; the sum of a column tells whether it has others.
    let (mut numbers, mut walked) = (Cow::Borrowed(draws), sum_and_ends(draws));
    if walked.0.is_nan() {
        numbers.to_mut().retain(|value| !value.is_nan());
        walked = sum_and_ends(&numbers);
    }
    let (n, (sum, ends)) = (numbers.len(), walked);
    if n == 0 {
        return None;
    }
    let mean = sum / n as f64;
    let range = Range::between(ends.map(value));
    let (squares, counts) = squares_and_counts(&numbers, mean, range);
    let mean_error = (squares / (n as f64 - 1.0).max(1.0) / n as f64).sqrt();
    // The closest rank: with thousands of draws interpolation changes nothing that is printed.
    let ranks = [0.05, 0.1, 0.5, 0.9, 0.95].map(|quantile| ((n - 1) as f64 * quantile).round() as usize);
    let [p5, p10, p50, p90, p95] = if ends[0] == ends[1] {
        [value(ends[0]); 5]
    } else {
        let (wanted, n_wanted, ranks) = wanted(&counts, ranks);
        at_ranks(&mut keys_within(&numbers, range, &wanted, n_wanted), ranks)
    };
    Some(Percentiles { n, mean, mean_error, p5, p10, p50, p90, p95 })
}

/// The sum, and the least and the greatest [`key`].
fn sum_and_ends(numbers: &[f64]) -> (f64, [i64; 2]) {
    // A sum begins at the zero that changes no other.
    let (mut sum, mut least, mut greatest) = (-0.0, i64::MAX, i64::MIN);
    for number in numbers {
        sum += number;
        least = least.min(key(*number));
        greatest = greatest.max(key(*number));
    }
    (sum, [least, greatest])
}

/// Squared distances from the mean, added up, and how many numbers lie in each part of the range.
fn squares_and_counts(numbers: &[f64], mean: f64, range: Range) -> (f64, [u32; PARTS]) {
    let (mut squares, mut counts) = (-0.0, [0; PARTS]);
    for number in numbers {
        squares += (number - mean).powi(2);
        counts[range.part(*number)] += 1;
    }
    (squares, counts)
}

/// Keys of the numbers in the wanted parts, of which there are `n`: whole numbers in the order of the values, which
/// compare at once.
fn keys_within(numbers: &[f64], range: Range, wanted: &[bool; PARTS], n: usize) -> Vec<i64> {
    // Every key is written, and stays where it is wanted: a branch would be guessed wrong too often.
    let (mut keys, mut found) = (vec![0; n + 1], 0);
    for number in numbers {
        keys[found] = key(*number);
        found += usize::from(wanted[range.part(*number)]);
    }
    keys.truncate(n);
    keys
}

/// The range of a column, in equal parts.
#[derive(Clone, Copy)]
struct Range {
    least: f64,
    parts_a_unit: f64,
}

impl Range {
    fn between([least, greatest]: [f64; 2]) -> Self {
        Range { least, parts_a_unit: PARTS as f64 / (greatest - least) }
    }

    /// The part of a number: never before that of a lesser one. Of a range without end all is one part.
    #[inline(always)]
    fn part(self, value: f64) -> usize {
        (((value - self.least) * self.parts_a_unit) as u32 as usize).min(PARTS - 1)
    }
}

/// The parts in which ranks lie, how many numbers they have, and what these ranks are among those alone.
fn wanted(counts: &[u32; PARTS], mut ranks: [usize; 5]) -> ([bool; PARTS], usize, [usize; 5]) {
    let mut wanted = [false; PARTS];
    // Numbers of the wanted parts so far: ranks that are still to come count from there.
    let mut kept = 0;
    for (wanted, count) in wanted.iter_mut().zip(counts) {
        let end = kept + *count as usize;
        *wanted = ranks.iter().any(|rank| (kept..end).contains(rank));
        if *wanted {
            kept = end;
        } else {
            ranks.iter_mut().filter(|rank| **rank >= end).for_each(|rank| *rank -= *count as usize);
        }
    }
    (wanted, kept, ranks)
}

/// The numbers of these ranks, which rise.
fn at_ranks(keys: &mut [i64], [r5, r10, r50, r90, r95]: [usize; 5]) -> [f64; 5] {
    // The median first: what is left to search is then half, and a tenth of that for the tails.
    let p50 = select(keys, r50);
    let (below, above) = keys.split_at_mut(r50);
    let tail = |below: &mut [i64], rank: usize| if rank < below.len() { select(below, rank) } else { p50 };
    let p10 = tail(below, r10);
    let p5 = if r5 < r10 { tail(&mut below[..r10], r5) } else { p10 };
    let (r90, r95) = (r90 - r50, r95 - r50);
    let p90 = select(above, r90);
    let p95 = select(&mut above[r90..], r95 - r90);
    [p5, p10, p50, p90, p95]
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

/// Percentiles of the first sixteenth, eighth, quarter and half of the draws, and of all, which are known: what still
/// moves has not settled.
pub(super) fn convergence(draws: &[f64], all: Option<Percentiles>) -> Vec<Percentiles> {
    let parts = [16, 8, 4, 2].into_iter().map(|part| percentiles(&draws[..draws.len() / part]));
    parts.chain([all]).flatten().collect()
}

/// Ranks less their mean; equal values share the mean of theirs.
fn deviations(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<(i64, usize)> = values.iter().enumerate().map(|(idx, value)| (key(*value), idx)).collect();
    order.sort_unstable();
    let middle = (values.len() as f64 - 1.0) / 2.0;
    let mut deviations = vec![0.0; values.len()];
    let mut first = 0;
    // By value: zeros are equal whatever their sign.
    for equal in order.chunk_by(|a, b| value(a.0) == value(b.0)) {
        let rank = first as f64 + (equal.len() - 1) as f64 / 2.0;
        equal.iter().for_each(|(_, idx)| deviations[*idx] = rank - middle);
        first += equal.len();
    }
    deviations
}

/// The ranks of a column, for whatever is to be correlated with it.
pub(super) struct Ranked {
    /// Where it has numbers.
    at: Vec<usize>,
    deviations: Vec<f64>,
}

impl Ranked {
    pub(super) fn new(values: &[f64]) -> Self {
        let at: Vec<usize> = (0..values.len()).filter(|idx| !values[*idx].is_nan()).collect();
        let numbers: Vec<f64> = at.iter().map(|idx| values[*idx]).collect();
        Ranked { at, deviations: deviations(&numbers) }
    }

    /// Spearman's rank correlation with another column where this one has numbers; none where either is constant there.
    pub(super) fn correlation(&self, others: &[f64]) -> Option<f64> {
        let others: Vec<f64> = self.at.iter().map(|idx| others[*idx]).collect();
        let (a, b) = (deviations(&others), &self.deviations);
        let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
        let norm = (product(&a, &a) * product(b, b)).sqrt();
        (norm > 0.0).then(|| product(&a, b) / norm)
    }
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
    fn percentiles_are_closest_ranks_whatever_the_shape() {
        // Numbers without order that repeat after 2³¹: far tails, a mass at one end, both signs of zero, no end.
        let number = |i: u64| (i * 1_103_515_245 + 12_345) % (1 << 31);
        let share = |i: u64| number(i) as f64 / (1u64 << 31) as f64;
        let shapes: [fn(f64) -> f64; 6] = [
            |u| u,
            |u| (60.0 * u).exp(),
            |u| (u - 0.6).max(0.0),
            |u| if u < 0.5 { -0.0 } else { 0.0 },
            |u| 1.0 / (u * 20.0).floor(),
            |u| -1e300 / (u + 1e-12),
        ];
        for (which, shape) in shapes.iter().enumerate() {
            let draws: Vec<f64> = (0..20_000).map(|i| shape(share(i))).collect();
            let p = percentiles(&draws).expect("numbers");
            let mut sorted = draws;
            sorted.sort_by(f64::total_cmp);
            let at = |q: f64| sorted[(19_999.0 * q).round() as usize].to_bits();
            assert_eq!(
                [p.p5, p.p10, p.p50, p.p90, p.p95].map(f64::to_bits),
                [0.05, 0.1, 0.5, 0.9, 0.95].map(at),
                "{which}"
            );
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
        assert_eq!(deviations(&[30.0, 10.0, 10.0, 20.0]), [1.5, -1.0, -1.0, 0.5]);
        let x = [1.0, 2.0, 3.0, 4.0, 5.0];
        let with_x = |values: &[f64]| Ranked::new(values).correlation(&x);
        assert_eq!(with_x(&x.map(f64::exp)), Some(1.0));
        assert_eq!(with_x(&x.map(|x| -x * x * x)), Some(-1.0));
        assert_eq!(with_x(&[7.0; 5]), None);
        // d² sums to 1+1+1+1+0 = 4 over five: 1 − 6·4/(5·24) = 0.8.
        let rho = with_x(&[2.0, 1.0, 4.0, 3.0, 5.0]).expect("neither constant");
        assert!((rho - 0.8).abs() < 1e-12);
        assert_eq!(with_x(&[1.0, f64::NAN, 3.0, f64::NAN, 4.0]), Some(1.0), "over the three pairs");
    }

    #[test]
    fn convergence_ends_with_all_draws() {
        let draws: Vec<f64> = (0..1600).map(f64::from).collect();
        let sizes: Vec<usize> = convergence(&draws, percentiles(&draws)).iter().map(|p| p.n).collect();
        assert_eq!(sizes, [100, 200, 400, 800, 1600]);
    }
}
