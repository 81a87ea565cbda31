//! Samples as a histogram of text.

use super::seconds;
use crate::record::Row;

/// Most bins, and the width of the longest bar in characters.
const MAX_BINS: usize = 12;
const WIDTH: usize = 40;

/// How many samples a row has, and in how many visits they were taken.
pub fn counted(row: &Row) -> String {
    let samples = format!("{} samples", row.samples_s.len());
    if row.visits.is_empty() { samples } else { format!("{samples} in {} visits", row.visits.len()) }
}

/// A line a bin: where it begins, its bar, its count; as many bins as the root of the number of samples says, up to
/// 12, all of one width. No line without samples.
pub fn histogram(samples_s: &[f64]) -> Vec<String> {
    let finite = || samples_s.iter().copied().filter(|x| x.is_finite());
    let (Some(low), Some(high)) = (finite().min_by(f64::total_cmp), finite().max_by(f64::total_cmp)) else {
        return Vec::new();
    };
    let n_bins = if low < high { ((samples_s.len() as f64).sqrt().ceil() as usize).clamp(1, MAX_BINS) } else { 1 };
    let width_s = (high - low) / n_bins as f64;
    let mut counts = vec![0usize; n_bins];
    for x in finite() {
        // The greatest sample ends the last bin; a width of 0 has one bin.
        let bin = if width_s > 0.0 { ((x - low) / width_s) as usize } else { 0 };
        counts[bin.min(n_bins - 1)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    let bar = |count: usize| "█".repeat((count * WIDTH).div_ceil(most));
    let line = |(bin, count): (usize, &usize)| {
        format!("{:>10}  {:WIDTH$}  {count}", seconds(low + bin as f64 * width_s), bar(*count))
    };
    counts.iter().enumerate().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sample_is_in_one_bin_and_the_fullest_has_the_longest_bar() {
        // Nine samples, three bins from 1 s of 1 s each: 1, 1, 1, 1.5 | 2, 2.5 | 3, 3.5, 4.
        let lines = histogram(&[1.0, 1.0, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]);
        let counts: Vec<&str> = lines.iter().filter_map(|line| line.split_whitespace().last()).collect();
        assert_eq!(counts, ["4", "2", "3"]);
        let bars: Vec<usize> = lines.iter().map(|line| line.matches('█').count()).collect();
        assert_eq!(bars, [40, 20, 30]);
        assert!(lines[1].trim_start().starts_with("2.000 s"), "{lines:?}");
    }

    #[test]
    fn equal_samples_are_one_bin_and_none_are_no_line() {
        assert_eq!(histogram(&[2.0; 5]).len(), 1);
        assert_eq!(histogram(&[]), [""; 0]);
        assert_eq!(histogram(&[f64::NAN]), [""; 0]);
    }
}
