use std::cell::{Cell, RefCell};
use std::rc::Rc;

use farthing_kernels::backend::Clock;

use super::*;

/// Time that launches move.
#[derive(Clone, Default)]
pub(super) struct FakeClock(Rc<Cell<f64>>);

impl Stopwatch for FakeClock {
    fn seconds(&self) -> f64 {
        self.0.get()
    }
}

/// Takes `cost_s` a launch, a little more or less in turn, and notes whose turn it was.
pub(super) struct FakeLaunch {
    name: char,
    pub(super) cost_s: f64,
    noise: f64,
    clock: FakeClock,
    log: Rc<RefCell<Vec<(char, u64)>>>,
    calls: usize,
    fails_at: Option<usize>,
}

impl Launch for FakeLaunch {
    fn launch(&mut self, n: u64) -> Result<Elapsed, Failure> {
        self.calls += 1;
        if self.fails_at == Some(self.calls) {
            return Err(Failure::Failed("lost".into()));
        }
        let wobble = 1.0 + self.noise * (self.calls % 5) as f64;
        let seconds = n as f64 * self.cost_s * wobble;
        self.clock.0.set(self.clock.0.get() + seconds);
        self.log.borrow_mut().push((self.name, n));
        Ok(Elapsed { seconds, clock: Clock::HostWall })
    }
}

pub(super) struct Bench {
    pub(super) clock: FakeClock,
    pub(super) log: Rc<RefCell<Vec<(char, u64)>>>,
}

impl Bench {
    pub(super) fn new() -> Bench {
        Bench { clock: FakeClock::default(), log: Rc::default() }
    }

    /// Time for something else.
    pub(super) fn pass(&self, seconds: f64) {
        self.clock.0.set(self.clock.0.get() + seconds);
    }

    pub(super) fn launch(&self, name: char, cost_s: f64, noise: f64, fails_at: Option<usize>) -> FakeLaunch {
        FakeLaunch { name, cost_s, noise, clock: self.clock.clone(), log: Rc::clone(&self.log), calls: 0, fails_at }
    }

    fn sample(&self, subjects: &mut [FakeLaunch]) -> Vec<Result<Recording, Failure>> {
        let results = sample(subjects, &Budget::default(), &self.clock, &|| false);
        results.into_iter().map(|r| r.expect("nothing stopped it")).collect()
    }
}

#[test]
fn a_fast_launch_is_repeated_until_a_sample_is_long_enough() {
    let bench = Bench::new();
    let recording = bench.sample(&mut [bench.launch('a', 1e-6, 0.0, None)]).remove(0).expect("samples");
    assert!(recording.launches as f64 * 1e-6 >= Budget::default().sample_s);
    assert!(recording.launches as f64 * 1e-6 < 4.0 * Budget::default().sample_s);
    assert_eq!(recording.samples_s.len(), 10, "equal samples are known well at the least number");
    assert!(recording.samples_s.iter().all(|s| (s - 1e-6).abs() < 1e-12));
}

#[test]
fn noise_is_sampled_longer_and_never_without_end() {
    let bench = Bench::new();
    let recording = bench.sample(&mut [bench.launch('a', 1e-4, 0.2, None)]).remove(0).expect("samples");
    assert_eq!(recording.samples_s.len(), Budget::default().max_samples);
}

#[test]
fn a_slow_launch_ends_with_its_time() {
    let bench = Bench::new();
    let recording = bench.sample(&mut [bench.launch('a', 0.9, 0.01, None)]).remove(0).expect("samples");
    assert_eq!((recording.launches, recording.samples_s.len()), (1, LEAST_SAMPLES));
}

#[test]
fn subjects_take_turns() {
    let bench = Bench::new();
    let mut subjects = [bench.launch('a', 0.01, 0.0, None), bench.launch('b', 0.02, 0.0, None)];
    bench.sample(&mut subjects);
    let turns: String = bench.log.borrow().iter().map(|(name, _)| *name).collect();
    assert_eq!(turns, "ab".to_owned() + &"ab".repeat(10)); // one warm-up each, then ten samples each
}

#[test]
fn one_failure_does_not_stop_the_other() {
    let bench = Bench::new();
    let mut subjects = [bench.launch('a', 0.01, 0.0, Some(3)), bench.launch('b', 0.01, 0.0, None)];
    let results = bench.sample(&mut subjects);
    assert!(results[0].is_err() && results[1].as_ref().is_ok_and(|r| r.samples_s.len() == 10));
}

/// A device that starts at a fifth of its clock and rises by a step each 40 ms of work.
pub(super) struct Rising {
    clock: FakeClock,
    worked_s: f64,
}

impl Rising {
    pub(super) const FULL_S: f64 = 1e-4;

    pub(super) fn new(bench: &Bench) -> Rising {
        Rising { clock: bench.clock.clone(), worked_s: 0.0 }
    }

    /// Falls by two steps.
    pub(super) fn idle(&mut self) {
        self.worked_s = self.worked_s.min(0.12);
    }
}

impl Launch for Rising {
    fn launch(&mut self, n: u64) -> Result<Elapsed, Failure> {
        let slowness = (5.0 - (self.worked_s / 0.04).floor()).max(1.0);
        let seconds = n as f64 * Rising::FULL_S * slowness;
        self.worked_s += seconds;
        self.clock.0.set(self.clock.0.get() + seconds);
        Ok(Elapsed { seconds, clock: Clock::DeviceTimestamp })
    }
}

#[test]
fn a_device_is_sampled_when_its_clock_has_risen() {
    let bench = Bench::new();
    let mut subjects = [Rising::new(&bench)];
    let mut results = sample(&mut subjects, &Budget::default(), &bench.clock, &|| false);
    let recording = results.remove(0).expect("nothing stopped it").expect("a recording");
    assert!(recording.samples_s.iter().all(|s| (s - Rising::FULL_S).abs() < 1e-9), "{:?}", recording.samples_s);
    // Samples that were long enough at the old clock are made long enough at the new one.
    assert!(recording.launches as f64 * Rising::FULL_S >= 0.999 * Budget::default().sample_s, "{}", recording.launches);
}
