//! The sampler of `farthing run`: how long a sample is, how many there are, and whose turn it is.
//!
//! [`sample`] takes all samples together; a [`Course`] in visits that a driver spreads over a run.
//!
//! Subjects take turns, A B A B, so that a machine that slows down slows them alike and their ratio holds. A subject is
//! done when it has enough samples and its median is known well, or its time is up.

mod course;

use std::time::Instant;

use farthing_kernels::backend::{Clock, Elapsed};

use super::{Armed, Failure, Recorder, Recording};

pub use course::{Course, LEAST_VISITS};

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Shortest sample, in seconds: launches are repeated until a sample takes as long.
    pub sample_s: f64,
    /// Fewest samples, unless time is up.
    pub min_samples: usize,
    /// Most samples.
    pub max_samples: usize,
    /// Half width of the median's interval, relative to it, at which it is known well.
    pub precision: f64,
    /// Seconds for one subject, warm-up among them.
    pub total_s: f64,
}

impl Default for Budget {
    fn default() -> Budget {
        // 3 ms: timer resolution and the harness's own microseconds are below 0.1 %.
        Budget { sample_s: 0.003, min_samples: 10, max_samples: 60, precision: 0.005, total_s: 2.0 }
    }
}

/// Fewest samples of a subject that is slower than its time allows.
const LEAST_SAMPLES: usize = 3;

/// Seconds of launches between two looks at a device's pace, the part by which it may still gain, and the looks without
/// a gain after which it counts as steady: clocks rise in steps that are further apart than a window.
const WINDOW_S: f64 = 0.05;
const STEADY: f64 = 0.02;
const STEADY_WINDOWS: usize = 3;
/// Longest that a device which idled is waited for, and how much slower than the mean of its last window a sample may be
/// of one that is back: clocks of idle devices are far below, and software devices vary by tenths.
const RESETTLE_S: f64 = 0.2;
const BACK: f64 = 0.1;

/// Something to launch.
pub trait Launch {
    /// Launches `n` times.
    ///
    /// # Errors
    /// The device failed.
    fn launch(&mut self, n: u64) -> Result<Elapsed, Failure>;
}

impl Launch for Armed<'_> {
    fn launch(&mut self, n: u64) -> Result<Elapsed, Failure> {
        Armed::launch(self, n)
    }
}

/// Host time since some start: the scheduler's clock, never a sample's.
pub trait Stopwatch {
    /// Seconds.
    fn seconds(&self) -> f64;
}

/// The host's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct HostClock(Instant);

impl HostClock {
    /// Starts now.
    pub fn start() -> HostClock {
        HostClock(Instant::now())
    }
}

impl Stopwatch for HostClock {
    fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

impl HostClock {
    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        Stopwatch::seconds(self)
    }
}

/// Samples every subject; `None` in place of a result where `stop` said so before the subject was done.
pub fn sample<L: Launch>(
    subjects: &mut [L],
    budget: &Budget,
    clock: &dyn Stopwatch,
    stop: &dyn Fn() -> bool,
) -> Vec<Option<Result<Recording, Failure>>> {
    let mut turns: Vec<Turn> = subjects.iter().map(|_| Turn::new()).collect();
    turns.iter_mut().zip(subjects.iter_mut()).for_each(|(turn, subject)| turn.warm_up(subject, budget, clock));
    while turns.iter().any(|t| !t.done) && !stop() {
        for (turn, subject) in turns.iter_mut().zip(subjects.iter_mut()) {
            if !turn.done && !stop() {
                turn.take(subject, clock);
                turn.done |= turn.is_enough(budget);
            }
        }
    }
    turns.into_iter().map(|t| if t.done { Some(t.result()) } else { None }).collect()
}

/// One subject's state.
#[derive(Debug)]
struct Turn {
    launches: u64,
    recorder: Recorder,
    spent_s: f64,
    /// Host seconds of the last launches.
    sample_s: f64,
    /// Mean seconds of a launch in the window in which a device with a clock of its own had settled.
    settled_s: Option<f64>,
    failure: Option<Failure>,
    done: bool,
}

impl Turn {
    fn new() -> Turn {
        let recorder = Recorder::default();
        Turn { launches: 1, recorder, spent_s: 0.0, sample_s: 0.0, settled_s: None, failure: None, done: false }
    }

    /// Finds how many launches make a sample; doing so warms up caches, clocks and branch predictors.
    fn warm_up(&mut self, subject: &mut impl Launch, budget: &Budget, clock: &dyn Stopwatch) {
        let mut on_device = false;
        loop {
            let (host_s, elapsed) = self.timed(subject, clock);
            on_device |= elapsed.is_some_and(|e| e.clock == Clock::DeviceTimestamp);
            // Simulated time passes without the host's.
            let simulated_s = elapsed.filter(|e| e.clock == Clock::Simulated).map_or(0.0, |e| e.seconds);
            let taken_s = host_s.max(simulated_s);
            if self.done || taken_s >= budget.sample_s || self.spent_s >= budget.total_s / 4.0 {
                break;
            }
            // Straight to the length wanted once a reading is long enough to trust, else a cautious step.
            let trusted = taken_s > budget.sample_s / 20.0;
            let factor = if trusted { (1.2 * budget.sample_s / taken_s).ceil() as u64 } else { 8 };
            self.launches = self.launches.saturating_mul(factor.max(2));
        }
        if on_device && !self.done {
            self.settle(subject, budget, clock);
        }
    }

    /// Warms up what was warm before: a sample that does not count, and for a device that idled as many as bring it back.
    fn rewarm(&mut self, subject: &mut impl Launch, budget: &Budget, clock: &dyn Stopwatch) {
        let until_s = self.spent_s + (budget.total_s / 20.0).min(RESETTLE_S);
        loop {
            let (_, elapsed) = self.timed(subject, clock);
            let per_launch_s = elapsed.map_or(0.0, |e| e.seconds / self.launches as f64);
            let is_back = self.settled_s.is_none_or(|settled_s| per_launch_s <= settled_s * (1.0 + BACK));
            if self.done || is_back || self.spent_s >= until_s {
                break;
            }
        }
    }

    /// Launches until a device with a clock of its own has stopped becoming faster, or a quarter of the time is up.
    ///
    /// A GPU idles at a fraction of its clock (345 of 1980 MHz on an H200) and takes tenths of a second of work to raise
    /// it, more than the search above.
    fn settle(&mut self, subject: &mut impl Launch, budget: &Budget, clock: &dyn Stopwatch) {
        let (mut before, mut steady) = (f64::INFINITY, 0);
        while steady < STEADY_WINDOWS && self.spent_s < budget.total_s / 4.0 {
            let (mut window_s, mut each_s) = (0.0, Vec::new());
            while window_s < WINDOW_S && !self.done {
                let (host_s, elapsed) = self.timed(subject, clock);
                window_s += host_s;
                each_s.extend(elapsed.map(|e| e.seconds / self.launches as f64));
            }
            if self.done {
                return;
            }
            let best = each_s.iter().copied().fold(f64::INFINITY, f64::min);
            self.settled_s = Some(each_s.iter().sum::<f64>() / each_s.len() as f64);
            steady = if best > before * (1.0 - STEADY) { steady + 1 } else { 0 };
            before = before.min(best);
        }
        // What took a sample's time at the old clock takes less at the new one.
        let needed = (budget.sample_s / before).ceil();
        if before > 0.0 && needed.is_finite() {
            self.launches = self.launches.max(needed as u64);
        }
    }

    fn take(&mut self, subject: &mut impl Launch, clock: &dyn Stopwatch) {
        if let (_, Some(elapsed)) = self.timed(subject, clock) {
            self.recorder.push(self.launches, elapsed);
        }
    }

    /// Host seconds of one sample, and what the device's clock said.
    fn timed(&mut self, subject: &mut impl Launch, clock: &dyn Stopwatch) -> (f64, Option<Elapsed>) {
        let start = clock.seconds();
        let result = subject.launch(self.launches);
        let taken_s = clock.seconds() - start;
        self.spent_s += taken_s;
        self.sample_s = taken_s;
        match result {
            Ok(elapsed) => (taken_s, Some(elapsed)),
            Err(failure) => {
                self.failure = Some(failure);
                self.done = true;
                (taken_s, None)
            }
        }
    }

    fn is_enough(&self, budget: &Budget) -> bool {
        let n = self.recorder.len();
        if n >= budget.max_samples {
            return true;
        }
        if self.spent_s >= budget.total_s {
            return n >= LEAST_SAMPLES;
        }
        n >= budget.min_samples && self.is_precise(budget.precision)
    }

    fn is_precise(&self, precision: f64) -> bool {
        let summary = self.recorder.recording().ok().and_then(|r| r.summary().ok());
        let interval = summary.and_then(|s| s.ci95.map(|[low, high]| (high - low) / (2.0 * s.median)));
        interval.is_some_and(|half_width| half_width <= precision)
    }

    fn result(self) -> Result<Recording, Failure> {
        match self.failure {
            Some(failure) => Err(failure),
            None => {
                let recording = self.recorder.recording()?;
                Ok(Recording { launching_s: Some(self.spent_s), ..recording })
            }
        }
    }
}

#[cfg(test)]
mod tests;
