//! The limits of this machine, measured at the start of a run: the best of several tries of each probe.

use farthing_kernels::backend::{AnyBackend, DeviceError, Probe, Work};

use crate::record::MeasuredLimit;

/// Length of a long try, in seconds: a launch's overhead and a timer's tick are below a percent.
const TRY_S: f64 = 0.020;
/// Long tries of a probe. A limit is the best that was seen: interference only ever slows.
const TRIES: usize = 5;
/// Short tries, each this part of a long one: 2 ms fit between the turns of a scheduler, so that a limit holds on a
/// machine that others use. Long tries alone gave shares of 200 % there.
const SHORT_TRIES: usize = 30;
/// See [`SHORT_TRIES`].
const SHORT_PART: u64 = 10;
/// Launches of a try are never more than this, whatever a clock that stands still says.
const MAX_LAUNCHES: u64 = 1 << 32;

/// Limits of some backends, and what could not be measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits {
    /// Each limit once a device and thread count.
    pub measured: Vec<MeasuredLimit>,
    /// One sentence a probe that failed.
    pub warnings: Vec<String>,
}

impl Limits {
    /// Runs the probes of a backend. A limit that is known for its device and thread count is not measured again:
    /// backends that share a device share its limits.
    pub fn add(&mut self, name: &str, backend: &dyn AnyBackend) {
        let device = &backend.device().device;
        for mut probe in backend.probes() {
            let known = |l: &MeasuredLimit| l.device == *device && l.limit == probe.limit && l.threads == probe.threads;
            if self.measured.iter().any(known) {
                continue;
            }
            match best_rate(&mut probe) {
                Ok(per_second) => self.measured.push(MeasuredLimit {
                    backend: name.to_owned(),
                    device: device.clone(),
                    limit: probe.limit,
                    threads: probe.threads,
                    per_second,
                    unit: unit(probe.work).to_owned(),
                }),
                Err(error) => self.warnings.push(format!("{} of {device} was not measured: {error}", probe.limit)),
            }
        }
    }
}

/// The best rate of a limit of this backend, whatever the threads, measured anew; none where no probe of it gives one.
pub(crate) fn again(backend: &dyn AnyBackend, limit: &str) -> Option<f64> {
    let probes = backend.probes().into_iter().filter(|probe| probe.limit == limit);
    probes.filter_map(|mut probe| best_rate(&mut probe).ok()).max_by(f64::total_cmp)
}

fn unit(work: Work) -> &'static str {
    match work {
        Work::Flops => "flop/s",
        Work::Bytes => "B/s",
    }
}

/// Why a probe gave no rate.
#[derive(Debug, thiserror::Error)]
enum ProbeError {
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error("its clock stood still")]
    NoTime,
}

fn best_rate(probe: &mut Probe<'_>) -> Result<f64, ProbeError> {
    let mut launches = 1;
    let mut seconds = (probe.run)(launches)?.seconds;
    while seconds < TRY_S && launches < MAX_LAUNCHES {
        // Straight to the length wanted once a reading is long enough to trust, else a cautious step.
        let factor = if seconds > TRY_S / 100.0 { (1.1 * TRY_S / seconds).ceil() as u64 } else { 10 };
        launches = launches.saturating_mul(factor.max(2)).min(MAX_LAUNCHES);
        seconds = (probe.run)(launches)?.seconds;
    }
    let mut best = seconds;
    for _ in 1..TRIES {
        best = best.min((probe.run)(launches)?.seconds);
    }
    let mut per_launch_s = best / launches as f64;
    let short = (launches / SHORT_PART).max(1);
    for _ in 0..SHORT_TRIES {
        let seconds = (probe.run)(short)?.seconds;
        // A clock too coarse for a short try must not pass for an infinite rate.
        if seconds > TRY_S / (4 * SHORT_PART) as f64 {
            per_launch_s = per_launch_s.min(seconds / short as f64);
        }
    }
    let rate = probe.per_launch / per_launch_s;
    if rate.is_finite() && per_launch_s > 0.0 { Ok(rate) } else { Err(ProbeError::NoTime) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use farthing_kernels::backend::{Clock, Elapsed};

    fn probe(run: impl FnMut(u64) -> Result<Elapsed, DeviceError> + Send + 'static) -> Probe<'static> {
        Probe { limit: "fma_f32".into(), threads: 1, work: Work::Flops, per_launch: 100.0, run: Box::new(run) }
    }

    fn elapsed(seconds: f64) -> Result<Elapsed, DeviceError> {
        Ok(Elapsed { seconds, clock: Clock::HostWall })
    }

    #[test]
    fn the_best_try_counts_and_is_long_enough() {
        let mut calls = 0;
        let mut p = probe(move |n| {
            calls += 1;
            let disturbed = if calls % 2 == 0 { 1.5 } else { 1.0 };
            elapsed(n as f64 * 1e-6 * disturbed)
        });
        assert!((best_rate(&mut p).expect("a working probe") - 1e8).abs() < 1.0); // 100 flops a microsecond
    }

    #[test]
    fn a_machine_that_others_use_shows_its_limit_between_their_turns() {
        // Of every 10 ms the first 5 are ours alone: long tries see a mean, short ones the best.
        let mut at = 0.0;
        let mut p = probe(move |n| {
            let mut seconds = 0.0;
            for _ in 0..n {
                let slowed = if (at * 100.0_f64).fract() < 0.5 { 1.0 } else { 2.0 };
                at += 1e-5 * slowed;
                seconds += 1e-5 * slowed;
            }
            elapsed(seconds)
        });
        let rate = best_rate(&mut p).expect("a working probe");
        assert!(rate > 0.98e7, "{rate}"); // 100 flops in 10 µs
    }

    #[test]
    fn a_clock_that_stands_still_gives_no_rate() {
        assert!(matches!(best_rate(&mut probe(|_| elapsed(0.0))), Err(ProbeError::NoTime)));
        assert!(matches!(best_rate(&mut probe(|_| elapsed(f64::NAN))), Err(ProbeError::NoTime)));
    }

    #[test]
    fn a_failing_probe_is_an_error() {
        let failing = |_| Err(DeviceError::Driver("no queue".into()));
        assert!(best_rate(&mut probe(failing)).expect_err("failing").to_string().contains("no queue"));
    }
}
