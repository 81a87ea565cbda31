//! What a driver saw: calls, and the samples that are kept of them.

use farthing_kernels::backend::{Clock, Elapsed};

use super::{Failure, Seen, clock_name};

/// Samples of one case.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// Launches of each sample.
    pub launches: u64,
    /// Seconds per launch, in order.
    pub samples_s: Vec<f64>,
    /// `wall`, `device` or `simulated`.
    pub clock: String,
    /// Host seconds in launches, warm-up among them, where the driver is our own.
    pub launching_s: Option<f64>,
    /// What was seen meanwhile, where someone watched.
    pub seen: Option<Seen>,
}

/// Collects calls until a driver is done.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    calls: Vec<(u64, Elapsed)>,
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

    /// The last `keep` calls: a driver warms up and searches for the length of a sample before it measures.
    ///
    /// # Errors
    /// There are none, a call took no time, or the clock changed on the way.
    pub fn recording(&self, keep: usize) -> Result<Recording, Failure> {
        let kept = &self.calls[self.calls.len().saturating_sub(keep)..];
        let failed = |why: &str| Err(Failure::Failed(why.to_owned()));
        let Some((launches, last)) = kept.last() else { return failed("no sample was taken") };
        let clock: Clock = last.clock;
        if kept.iter().any(|(_, e)| e.clock != clock) {
            return failed("the device changed its clock between samples");
        }
        let samples_s: Vec<f64> = kept.iter().map(|(n, e)| e.seconds / *n as f64).collect();
        if !samples_s.iter().all(|s| s.is_finite() && *s > 0.0) {
            return failed("a sample took no time: its clock does not resolve it");
        }
        Ok(Recording {
            launches: *launches,
            samples_s,
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
        let recording = recorder.recording(2).expect("two samples");
        assert_eq!((recording.launches, recording.samples_s, recording.clock.as_str()), (4, vec![2.0, 3.0], "wall"));
    }

    #[test]
    fn no_time_no_sample_and_two_clocks_are_failures() {
        let mut recorder = Recorder::default();
        assert!(recorder.recording(3).is_err());
        recorder.push(1, wall(0.0));
        assert!(recorder.recording(3).expect_err("no time").to_string().contains("took no time"));
        recorder.push(1, Elapsed { seconds: 1.0, clock: Clock::DeviceTimestamp });
        assert!(recorder.recording(3).expect_err("two clocks").to_string().contains("changed its clock"));
    }
}
