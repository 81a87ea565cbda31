//! Cases that are visited in turns: a part of a run, as much as memory holds side by side.

use super::sampler::Budget;
use super::{Armed, Lab, Recorder, Sitting, Subject, Watch};
use crate::case::Case;
use crate::record::Row;

/// Most cases: what a run that is killed has to measure again.
const CASES: usize = 24;
/// Seconds in its cases after which no other is armed: five rounds of visits follow, and only then there are rows.
const ARMING_S: f64 = 40.0;
/// Bytes on the devices above which no other case is armed, where memory allows as much.
const HELD_BYTES: u64 = 2 << 30;

/// Cases on their way, each with what its driver knows it by.
pub struct Chunk<'b, T> {
    sittings: Vec<(T, Sitting<'b>)>,
}

impl<T> Default for Chunk<'_, T> {
    fn default() -> Self {
        Chunk { sittings: Vec::new() }
    }
}

impl<'b, T> Chunk<'b, T> {
    /// Arms a case on backends that take turns, and visits it.
    pub fn begin(
        &mut self,
        name: T,
        lab: &Lab<'_>,
        case: &Case,
        (subjects, budget): (&[Subject<'b>], Budget),
        stop: &dyn Fn() -> bool,
    ) {
        let sitting = Sitting::begin(lab, case, subjects, budget, stop);
        self.sittings.push((name, sitting));
    }

    /// Adds a case whose first visit was another driver's.
    pub fn add(&mut self, name: T, armed: Armed<'b>, first: Recorder, watch: Watch) {
        self.sittings.push((name, Sitting::after(armed, first, watch)));
    }

    /// Cases that are armed and have no rows yet.
    pub fn cases(&self) -> usize {
        self.sittings.len()
    }

    /// Whether it is to be completed before another case is armed.
    pub fn is_full(&self, lab: &Lab<'_>) -> bool {
        let sittings = || self.sittings.iter().map(|(_, sitting)| sitting);
        let held_bytes: u64 = sittings().map(Sitting::held_bytes).sum();
        let spent_s: f64 = sittings().map(Sitting::spent_s).sum();
        self.sittings.len() >= CASES
            || held_bytes >= HELD_BYTES.min(lab.cold_cap_bytes)
            || spent_s >= ARMING_S
            || sittings().any(Sitting::is_elsewhere)
    }

    /// Visits so far, each case's up to those that it takes at least.
    pub fn visits(&self) -> usize {
        self.sittings.iter().map(|(_, sitting)| sitting.visits()).sum()
    }

    /// Visits all cases in turns until none needs another visit, or `stop` says so. `step` hears of each visit, with how
    /// many there were.
    pub fn visit(&mut self, stop: &dyn Fn() -> bool, step: &dyn Fn(&T, usize)) {
        while self.sittings.iter().any(|(_, sitting)| !sitting.is_over()) && !stop() {
            for at in 0..self.sittings.len() {
                let visits = self.visits();
                let (name, sitting) = &mut self.sittings[at];
                if !sitting.is_over() {
                    step(name, visits);
                    sitting.visit(stop);
                }
            }
        }
    }

    /// Checks the case that was added first once more and makes its rows; none where no case is left. One that was
    /// interrupted has no rows.
    pub fn finish_next(&mut self, lab: &Lab<'_>) -> Option<(T, Vec<Row>)> {
        if self.sittings.is_empty() {
            return None;
        }
        let (name, sitting) = self.sittings.remove(0);
        Some((name, sitting.finish(lab)))
    }

    /// Of the cases that are left, makes the one that is done soonest: what visits it lacks, a sample each, then as
    /// [`Chunk::finish_next`]. None where that takes longer than `most_s`.
    pub fn finish_soonest(&mut self, lab: &Lab<'_>, most_s: f64) -> Option<(T, Vec<Row>)> {
        let left_s = self.sittings.iter().map(|(_, sitting)| sitting.hurried_s()).enumerate();
        let (soonest, _) = left_s.min_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, left_s)| *left_s <= most_s)?;
        let (name, mut sitting) = self.sittings.remove(soonest);
        sitting.hurry();
        Some((name, sitting.finish(lab)))
    }
}
