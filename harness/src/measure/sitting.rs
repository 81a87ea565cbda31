//! One case on backends that take turns, from the first check to the rows, in visits that a driver spreads over a run.

use super::sampler::{Budget, Course, HostClock, LEAST_VISITS};
use super::{Armed, Lab, Recorder, Recording, Seen, Subject, Watch};
use crate::case::Case;
use crate::record::Row;

/// A case that is being timed.
pub(super) struct Sitting<'b> {
    armed: Vec<Armed<'b>>,
    course: Course,
    watch: Watch,
    /// What was seen until its last visit ended.
    seen: Option<Seen>,
    /// Of those that could not be armed.
    rows: Vec<Row>,
}

impl<'b> Sitting<'b> {
    /// Arms the case on each subject, and visits those that were found right.
    pub(super) fn begin(
        lab: &Lab<'_>,
        case: &Case,
        subjects: &[Subject<'b>],
        budget: Budget,
        stop: &dyn Fn() -> bool,
    ) -> Sitting<'b> {
        let (mut armed, mut rows) = (Vec::new(), Vec::new());
        for subject in subjects {
            match lab.arm(case, *subject) {
                Ok(ready) => armed.push(ready),
                Err(row) => rows.push(*row),
            }
        }
        let watch = Watch::start(subjects, &lab.header.environment.cpu);
        let mut sitting = Sitting { course: Course::new(armed.len(), budget), armed, watch, seen: None, rows };
        sitting.sample(stop);
        sitting
    }

    /// Goes on with a case whose first visit was another driver's.
    pub(super) fn after(armed: Armed<'b>, first: Recorder, mut watch: Watch) -> Sitting<'b> {
        watch.pause();
        Sitting { armed: vec![armed], course: Course::after(first), watch, seen: None, rows: Vec::new() }
    }

    /// Another visit.
    pub(super) fn visit(&mut self, stop: &dyn Fn() -> bool) {
        self.watch.resume();
        self.sample(stop);
    }

    /// Seconds that [`Sitting::hurry`] takes. Without end in another process, which Ctrl-C has ended too: it would fail.
    pub(super) fn hurried_s(&self) -> f64 {
        if self.is_elsewhere() && !self.is_over() { f64::INFINITY } else { self.course.hurried_s() }
    }

    /// Makes the visits that are left, of a sample each, where that ends.
    pub(super) fn hurry(&mut self) {
        self.course.hurry();
        while !self.is_over() && self.hurried_s().is_finite() {
            self.visit(&|| false);
        }
    }

    fn sample(&mut self, stop: &dyn Fn() -> bool) {
        self.course.visit(&mut self.armed, &HostClock::start(), stop);
        self.watch.pause();
        if self.is_over() {
            self.seen = Some(self.watch.seen());
        }
    }

    /// Host seconds in its checks and launches so far.
    pub(super) fn spent_s(&self) -> f64 {
        self.armed.iter().map(|armed| armed.spent_s).sum()
    }

    /// Of the visits that a case takes at least, how many it needs no more: all where it is over.
    pub(super) fn visits(&self) -> usize {
        if self.is_over() { LEAST_VISITS } else { self.course.visits().min(LEAST_VISITS) }
    }

    /// Whether no other visit is needed.
    pub(super) fn is_over(&self) -> bool {
        self.course.is_over()
    }

    /// Bytes of operands and outputs that it holds on its devices.
    pub(super) fn held_bytes(&self) -> u64 {
        self.armed.iter().map(Armed::held_bytes).sum()
    }

    /// Whether a backend of it runs in another process, which an abort of one case would take others with.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.armed.iter().any(|armed| armed.subject.is_elsewhere())
    }

    /// Checks again and makes the rows. A subject that was interrupted has none: a row is complete or absent.
    pub(super) fn finish(mut self, lab: &Lab<'_>) -> Vec<Row> {
        let mut rows = self.rows;
        let recordings = self.course.recordings();
        let mut seen = self.seen.unwrap_or_else(|| self.watch.seen());
        let launching = recordings.iter().flatten().flatten().map(|recording| recording.launching_s);
        seen.surroundings.launching_s = launching.sum();
        for (armed, recording) in self.armed.into_iter().zip(recordings) {
            if let Some(recording) = recording {
                rows.push(lab.finish(armed, recording.map(|r| Recording { seen: Some(seen.clone()), ..r })));
            }
        }
        rows
    }
}
