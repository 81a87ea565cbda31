//! What a driver saw: calls, and the samples that are kept of them.

use farthing_kernels::backend::{Clock, Elapsed};

use super::{Failure, Seen, clock_name};
use crate::stats::{StatsError, Summary, summary_of_visits};

/// Samples of one case.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// Launches of each sample.
    pub launches: u64,
    /// Seconds per launch, in order.
    pub samples_s: Vec<f64>,
    /// Samples of each visit, in order.
    pub visits: Vec<usize>,
    /// `wall`, `device` or `simulated`.
    pub clock: String,
    /// Host seconds in launches, warm-up among them, where the driver is our own.
    pub launching_s: Option<f64>,
    /// What was seen meanwhile, where someone watched.
    pub seen: Option<Seen>,
}

impl Recording {
    /// What the samples amount to.
    ///
    /// # Errors
    /// One is not finite.
    pub fn summary(&self) -> Result<Summary, StatsError> {
        summary_of_visits(&self.samples_s, &self.visits)
    }
}

/// Collects calls until a driver is done.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    calls: Vec<(u64, Elapsed)>,
    /// Calls of each visit that has ended.
    visits: Vec<usize>,
}

impl Recorder {
    /// A call of `launches` launches.
    pub fn push(&mut self, launches: u64, elapsed: Elapsed) {
        self.calls.push((launches, elapsed));
    }

    /// Calls so far.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Launches of the last call, where there is one.
    pub fn launches(&self) -> Option<u64> {
        self.calls.last().map(|(launches, _)| *launches)
    }

    /// Forgets all but the last `n` calls: a driver warms up and searches for the length of a sample before it measures.
    pub fn keep_last(&mut self, n: usize) {
        self.calls.drain(..self.calls.len().saturating_sub(n));
        self.visits.clear();
    }

    /// What follows is another visit.
    pub fn end_visit(&mut self) {
        let before: usize = self.visits.iter().sum();
        if self.calls.len() > before {
            self.visits.push(self.calls.len() - before);
        }
    }

    /// Visits that have ended.
    pub fn visits(&self) -> usize {
        self.visits.len()
    }

    /// The samples.
    ///
    /// # Errors
    /// There are none, a call took no time, or the clock changed on the way.
    pub fn recording(&self) -> Result<Recording, Failure> {
        let failed = |why: &str| Err(Failure::Failed(why.to_owned()));
        let Some((launches, last)) = self.calls.last() else { return failed("no sample was taken") };
        let clock: Clock = last.clock;
        if self.calls.iter().any(|(_, e)| e.clock != clock) {
            return failed("the device changed its clock between samples");
        }
        let samples_s: Vec<f64> = self.calls.iter().map(|(n, e)| e.seconds / *n as f64).collect();
        if !samples_s.iter().all(|s| s.is_finite() && *s > 0.0) {
            return failed("a sample took no time: its clock does not resolve it");
        }
        let mut ended = self.clone();
        ended.end_visit();
        Ok(Recording {
            launches: *launches,
            samples_s,
            visits: ended.visits,
            clock: clock_name(clock).to_owned(),
            launching_s: None,
            seen: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(seconds: f64) -> Elapsed {
        Elapsed { seconds, clock: Clock::HostWall }
    }

    #[test]
    fn warm_up_calls_are_dropped_and_samples_are_per_launch() {
        let mut recorder = Recorder::default();
        for (launches, seconds) in [(1, 9.0), (2, 9.0), (4, 8.0), (4, 12.0)] {
            recorder.push(launches, wall(seconds));
        }
        recorder.keep_last(2);
        let recording = recorder.recording().expect("two samples");
        assert_eq!((recording.launches, recording.samples_s, recording.clock.as_str()), (4, vec![2.0, 3.0], "wall"));
        assert_eq!(recording.visits, [2]);
    }

    #[test]
    fn visits_are_counted_by_their_samples_and_empty_ones_are_none() {
        let mut recorder = Recorder::default();
        recorder.end_visit();
        for seconds in [1.0, 2.0, 6.0, 7.0] {
            recorder.push(1, wall(seconds));
            if seconds != 6.0 {
                recorder.end_visit();
            }
        }
        recorder.end_visit();
        recorder.push(1, wall(4.0));
        assert_eq!((recorder.visits(), recorder.launches()), (3, Some(1)));
        let recording = recorder.recording().expect("five samples");
        assert_eq!(recording.visits, [1, 1, 2, 1]);
        // The medians 1, 2, 6.5 and 4 of the visits; of the samples it is 4.
        assert_eq!(recording.summary().expect("finite").median, 3.0);
    }

    #[test]
    fn no_time_no_sample_and_two_clocks_are_failures() {
        let mut recorder = Recorder::default();
        assert!(recorder.recording().is_err());
        recorder.push(1, wall(0.0));
        assert!(recorder.recording().expect_err("no time").to_string().contains("took no time"));
        recorder.push(1, Elapsed { seconds: 1.0, clock: Clock::DeviceTimestamp });
        assert!(recorder.recording().expect_err("two clocks").to_string().contains("changed its clock"));
    }
}
