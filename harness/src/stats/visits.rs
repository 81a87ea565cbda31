//! Samples that were taken in visits: some together, the next ones after others had their turn.
//!
//! Samples of one visit share the machine's state, its clock, its neighbours and where a process's pages lie, so that the
//! spread among them says nothing of the next visit. The interval is therefore over the visits' medians, one number each:
//! that of their median by order statistics, which six visits give (2·(½)⁶ = 3.1 % lie outside of all six).

use super::{StatsError, Summary, ascending, median_of_sorted, summary};

/// Summarises samples of which the first `visits[0]` were taken in one visit, the next `visits[1]` in another, and so on.
/// The median is that of the visits' medians, and so is its interval; spread and outliers are those of all samples. Samples
/// of one visit, or of none that is named, are summarised as they are.
///
/// # Errors
/// There are none, one is not finite, or they are not as many as those of the visits.
pub fn summary_of_visits(samples: &[f64], visits: &[usize]) -> Result<Summary, StatsError> {
    let all = summary(samples)?;
    if visits.len() < 2 {
        return Ok(all);
    }
    if visits.contains(&0) || visits.iter().try_fold(0, |sum: usize, n| sum.checked_add(*n)) != Some(samples.len()) {
        return Err(StatsError::Visits { visits: visits.to_vec(), samples: samples.len() });
    }
    let mut rest = samples;
    let medians = visits.iter().map(|n| {
        let (visit, later) = rest.split_at(*n);
        rest = later;
        median_of_sorted(&ascending(visit.to_vec())).ok_or(StatsError::Empty)
    });
    let of_visits = summary(&medians.collect::<Result<Vec<_>, _>>()?)?;
    Ok(Summary { median: of_visits.median, ci95: of_visits.ci95, ..all })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_spans_what_changed_between_visits() {
        // Six visits of three; within one nothing varies, from one to the next a tenth.
        let visits = [3; 6];
        let samples: Vec<f64> = (0..18).map(|i| 1.0 + 0.1 * f64::from(i / 3)).collect();
        let s = summary_of_visits(&samples, &visits).expect("finite");
        assert!((s.median - 1.25).abs() < 1e-12);
        assert_eq!(s.ci95, Some([1.0, 1.5]));
        let [low, high] = summary(&samples).expect("finite").ci95.expect("eighteen");
        assert!(high - low < 0.4, "as if all eighteen were independent: {low} to {high}");
    }

    #[test]
    fn a_wild_sample_in_a_visit_does_not_move_its_median() {
        let samples = [1.0, 9.0, 1.0, 1.0, 1.0, 1.0];
        let s = summary_of_visits(&samples, &[3, 3]).expect("finite");
        assert_eq!((s.median, s.ci95, s.outliers.high), (1.0, None, 1), "two visits give no interval");
    }

    #[test]
    fn samples_of_one_visit_are_summarised_as_they_are() {
        let samples: Vec<f64> = (0..10).map(f64::from).collect();
        let one = summary_of_visits(&samples, &[10]);
        assert_eq!(one, summary(&samples));
        assert_eq!(summary_of_visits(&samples, &[]), one);
    }

    #[test]
    fn visits_of_other_samples_are_refused() {
        for visits in [vec![2, 2], vec![3, 0], vec![usize::MAX, 4]] {
            let error = summary_of_visits(&[1.0; 3], &visits).expect_err("not three");
            assert_eq!(error, StatsError::Visits { visits, samples: 3 });
        }
    }
}
