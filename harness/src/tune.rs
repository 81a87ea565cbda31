//! Which of the tilings that a backend offers is fastest for a case.
//!
//! ```text
//! every tiling, as many together as memory holds: check against the oracle, a few samples in turns, let go
//! the fastest few and the backend's first choice: more samples in turns, then the least median
//! ```
//!
//! A tiling that fails or is wrong is out, and says why.

use farthing_kernels::tile::Tiling;

use crate::case::Case;
use crate::measure::sampler::{Budget, HostClock, sample};
use crate::measure::{Armed, Lab, Recording, Subject};

/// Tilings that meet in turns.
const FINALISTS: usize = 3;
/// Fewest and most samples of the first pass.
const TRIAL_SAMPLES: (usize, usize) = (3, 10);

/// One tiling and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The tiling.
    pub tiling: Tiling,
    /// What was lowered from it; none where that failed.
    pub lowered: Option<String>,
    /// Median seconds of a launch, or why there is none.
    pub median_s: Result<f64, String>,
    /// Whether it met the others in turns.
    pub finalist: bool,
}

/// The tilings of a case in the order in which the backend offers them, within about `seconds` of launches.
///
/// Empty where the backend offers none; `None` where `stop` said so.
pub fn tune(
    lab: &Lab<'_>,
    case: &Case,
    subject: Subject<'_>,
    seconds: f64,
    stop: &dyn Fn() -> bool,
) -> Option<Vec<Trial>> {
    let mut offered = subject.backend.tilings(case.problem());
    let mut seen = Vec::new();
    offered.retain(|tiling| {
        let new = !seen.contains(tiling);
        seen.push(*tiling);
        new
    });
    let (min_samples, max_samples) = TRIAL_SAMPLES;
    let each = seconds / (2 * offered.len().max(1)) as f64;
    let budget = Budget { min_samples, max_samples, precision: 0.01, total_s: each, ..Budget::default() };
    let mut trials = Vec::new();
    for group in offered.chunks(together(lab, case)) {
        let mut armed = Vec::new();
        for &tiling in group {
            match lab.arm_tiled(case, subject, tiling) {
                Ok(ready) => armed.push(ready),
                Err(why) => {
                    trials.push(Trial { tiling, lowered: None, median_s: Err(why.to_string()), finalist: false })
                }
            }
        }
        trials.extend(trials_of(lab, armed, &budget, stop)?);
    }
    trials.sort_by_key(|trial| offered.iter().position(|tiling| *tiling == trial.tiling));
    finals(lab, case, subject, seconds / 2.0, &mut trials, stop)?;
    Some(trials)
}

/// Tilings whose operands fit the device side by side, by what a cold case may take of it.
fn together(lab: &Lab<'_>, case: &Case) -> usize {
    let each = 4.0 * case.problem().min_bytes();
    ((lab.cold_cap_bytes as f64 / each) as usize).max(1)
}

/// The fastest trial.
pub fn fastest(trials: &[Trial]) -> Option<&Trial> {
    let finalists = trials.iter().filter(|trial| trial.finalist && trial.median_s.is_ok());
    finalists.min_by(|a, b| median(a).total_cmp(&median(b)))
}

fn median(trial: &Trial) -> f64 {
    trial.median_s.as_ref().map_or(f64::INFINITY, |s| *s)
}

fn finals(
    lab: &Lab<'_>,
    case: &Case,
    subject: Subject<'_>,
    seconds: f64,
    trials: &mut [Trial],
    stop: &dyn Fn() -> bool,
) -> Option<()> {
    let mut order: Vec<usize> = (0..trials.len()).filter(|i| trials[*i].median_s.is_ok()).collect();
    order.sort_by(|a, b| median(&trials[*a]).total_cmp(&median(&trials[*b])));
    // The backend's own first choice is what the others are compared with.
    let first = order.iter().position(|i| *i == 0).filter(|at| *at >= FINALISTS);
    order.truncate(FINALISTS);
    order.extend(first.map(|_| 0));
    let mut armed = Vec::new();
    for &i in &order {
        match lab.arm_tiled(case, subject, trials[i].tiling) {
            Ok(ready) => armed.push(ready),
            Err(why) => trials[i].median_s = Err(why.to_string()),
        }
    }
    let budget = Budget { total_s: seconds / order.len().max(1) as f64, precision: 0.002, ..Budget::default() };
    for trial in trials_of(lab, armed, &budget, stop)? {
        let place = trials.iter_mut().find(|t| t.tiling == trial.tiling).expect("finalists are trials");
        *place = Trial { finalist: true, ..trial };
    }
    Some(())
}

/// Samples in turns, and a check on fresh inputs afterwards. Once for nothing before: what idled while outputs were
/// checked is slow at first.
fn trials_of(lab: &Lab<'_>, mut armed: Vec<Armed<'_>>, budget: &Budget, stop: &dyn Fn() -> bool) -> Option<Vec<Trial>> {
    let warm_up = Budget { total_s: budget.total_s / 2.0, ..*budget };
    let warmed = sample(&mut armed, &warm_up, &HostClock::start(), stop);
    let recordings = sample(&mut armed, budget, &HostClock::start(), stop);
    let mut trials = Vec::new();
    for (armed, (warmed, recording)) in armed.into_iter().zip(warmed.into_iter().zip(recordings)) {
        let (tiling, lowered) = (armed.tiling(), Some(armed.lowered().to_owned()));
        let summary = |r: Recording| r.summary().map_err(|e| e.to_string());
        let recording = warmed?.and(recording?);
        let median_s = match recording.map_err(|e| e.to_string()).and_then(summary) {
            Ok(summary) => match lab.recheck(armed) {
                Ok(_) => Ok(summary.median),
                Err(row) => Err(row.reason.unwrap_or_else(|| "wrong after timing".into())),
            },
            Err(why) => Err(why),
        };
        trials.push(Trial { tiling, lowered, median_s, finalist: false });
    }
    Some(trials)
}

#[cfg(test)]
mod tests;
