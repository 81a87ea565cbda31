//! Samples of subjects that take turns, in several visits: between two of them the driver does something else.
//!
//! A machine that others use changes from second to second, and all samples of a fifth of a second see one state of it:
//! their spread says nothing of the next. Visits that lie far apart see several, and the interval over them holds.

use super::{Budget, LEAST_SAMPLES, Launch, Stopwatch, Turn};
use crate::measure::{Failure, Recorder, Recording};

/// Fewest visits, unless time is up: what an interval of their median takes.
pub const LEAST_VISITS: usize = 6;
/// Most visits.
const MOST_VISITS: usize = 12;
/// Samples of a subject in a visit, where its time allows: their median leaves out two that fell upon a neighbour.
const SAMPLES: usize = 5;
/// Seconds of the visits after another driver's, where launches are short enough.
const LATER_S: f64 = 0.5;

/// Visits of subjects that take turns, so far. Of a [`Budget`] it takes the length of a sample, the precision and the
/// time.
#[derive(Debug)]
pub struct Course {
    budget: Budget,
    turns: Vec<Turn>,
    /// Whether the first visit was another driver's: then all that an interval takes are made, however long they are.
    is_continued: bool,
    /// Whether the visits that are left are of a sample each.
    is_hurried: bool,
}

impl Course {
    /// Of so many subjects that were not visited yet.
    pub fn new(subjects: usize, budget: Budget) -> Course {
        Course { budget, turns: (0..subjects).map(|_| Turn::new()).collect(), is_continued: false, is_hurried: false }
    }

    /// Of a subject whose first visit was another driver's; as many follow as an interval takes, however long they are.
    pub fn after(first: Recorder) -> Course {
        let mut turn = Turn::new();
        turn.launches = first.launches().unwrap_or(1);
        turn.recorder = first;
        turn.recorder.end_visit();
        let budget = Budget { precision: f64::INFINITY, total_s: LATER_S, ..Budget::default() };
        Course { budget, turns: vec![turn], is_continued: true, is_hurried: false }
    }

    /// Visits so far.
    pub fn visits(&self) -> usize {
        self.turns.iter().map(|turn| turn.recorder.visits()).max().unwrap_or(0)
    }

    /// From now on a visit is a sample of each subject, as it is, and no more of them are made than an interval takes.
    pub fn hurry(&mut self) {
        self.is_hurried = true;
        self.budget.precision = f64::INFINITY;
    }

    /// Seconds that the visits take which are left in a hurry; without end for a subject that was never sampled, of which it
    /// is not known how long a sample is.
    pub fn hurried_s(&self) -> f64 {
        let of = |turn: &Turn| match turn.recorder.is_empty() {
            true => f64::INFINITY,
            false => LEAST_VISITS.saturating_sub(turn.recorder.visits()) as f64 * turn.sample_s,
        };
        self.turns.iter().filter(|turn| !turn.done).map(of).sum()
    }

    /// Whether no subject needs another visit.
    pub fn is_over(&self) -> bool {
        self.turns.iter().all(|turn| turn.done)
    }

    /// One visit. Where `stop` says so it ends early, and the course is not over.
    pub fn visit<L: Launch>(&mut self, subjects: &mut [L], clock: &dyn Stopwatch, stop: &dyn Fn() -> bool) {
        let left = LEAST_VISITS.saturating_sub(self.visits()).max(1);
        let mut quotas = vec![0; self.turns.len()];
        for ((turn, subject), quota) in self.turns.iter_mut().zip(subjects.iter_mut()).zip(&mut quotas) {
            if !turn.done && !stop() {
                *quota = if self.is_hurried { 1 } else { turn.arrive(subject, &self.budget, clock, left) };
            }
        }
        for sample in 0..SAMPLES {
            for ((turn, subject), quota) in self.turns.iter_mut().zip(subjects.iter_mut()).zip(&quotas) {
                if stop() {
                    return;
                }
                if !turn.done && sample < *quota {
                    turn.take(subject, clock);
                }
            }
        }
        for turn in self.turns.iter_mut().filter(|turn| !turn.done) {
            turn.recorder.end_visit();
            turn.done = turn.is_visited_enough(&self.budget, self.is_continued);
        }
    }

    /// What was sampled; `None` in place of a subject that needs another visit.
    pub fn recordings(self) -> Vec<Option<Result<Recording, Failure>>> {
        // Of another driver's launches it is not known how long they took.
        let launching = |recording: Recording| Recording {
            launching_s: recording.launching_s.filter(|_| !self.is_continued),
            ..recording
        };
        self.turns.into_iter().map(|turn| turn.done.then(|| turn.result().map(launching))).collect()
    }
}

impl Turn {
    /// Warms up, the first time finding out how long a sample is; how many samples this visit may take, with `left` visits
    /// to come, this one among them.
    fn arrive(&mut self, subject: &mut impl Launch, budget: &Budget, clock: &dyn Stopwatch, left: usize) -> usize {
        let spent_s = self.spent_s;
        if self.recorder.is_empty() {
            self.warm_up(subject, budget, clock);
        } else if spent_s + 2.0 * self.sample_s * left as f64 <= budget.total_s {
            // What others left of caches and clocks; a subject without the time for it is one whose launch is long.
            self.rewarm(subject, budget, clock);
        }
        let rest_s = (budget.total_s - self.spent_s) / left as f64;
        ((rest_s / self.sample_s.max(f64::MIN_POSITIVE)) as usize).clamp(1, SAMPLES)
    }

    fn is_visited_enough(&self, budget: &Budget, is_continued: bool) -> bool {
        let (visits, is_late) = (self.recorder.visits(), self.spent_s >= budget.total_s);
        if visits < LEAST_VISITS {
            return is_late && !is_continued && self.recorder.len() >= LEAST_SAMPLES;
        }
        is_late || visits >= MOST_VISITS || self.is_precise(budget.precision)
    }
}

#[cfg(test)]
mod tests;
