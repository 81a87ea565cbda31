//! The driver behind `cargo bench`: Criterion decides how often to launch, our recorder keeps what it saw.
//!
//! Criterion filters, warms up, samples and compares with its own baselines, as its users know it. Rows come from what
//! passed through `iter_custom`, and from five visits more, which our sampler makes between Criterion's cases and after the
//! last; nothing is read back from its files, which are private to it. A case that fails, is wrong, unsupported or too slow
//! leaves Criterion by unwinding, so that no made-up time reaches its statistics.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;
use std::time::Duration;

use criterion::{Bencher, BenchmarkGroup, Criterion, SamplingMode};

use crate::case::Case;
use crate::guests::{GuestError, Guests};
use crate::measure::{Armed, Failure, Oracle, Recorder, Subject, Watch};
use crate::record::{Row, RunHeader};
use crate::session::{Backends, Fleet};
use crate::store::Results;
use crate::suite::Suite;

mod after;
mod live;
mod mode;
mod rates;

pub use after::after;
use live::Live;
use mode::Mode;
use rates::{Rates, throughput};

/// Samples of a case by Criterion, unless `--sample-size` says otherwise: its fewest. They are one visit of six, and the
/// quick suite is to end within minutes.
const SAMPLE_SIZE: usize = 10;
/// Longest launch that is timed, in seconds: its samples take as long as ten ordinary cases.
const SLOWEST_LAUNCH_S: f64 = 1.0;
/// Longest launch that is tried at all, by what the backend's earlier cases say.
const SLOWEST_TRIAL_S: f64 = 5.0;

/// What a bench target runs.
pub struct Options {
    /// Where backends come from.
    pub backends: Backends,
    /// Suite, embedded or a file.
    pub suite: &'static str,
    /// Backends that are there to be compared with, and the most flops of a case that they are asked for.
    pub yardsticks: &'static [&'static str],
    /// See [`Options::yardsticks`].
    pub yardstick_flops: f64,
    /// What follows the table of a run that was kept.
    pub after: fn(&RunHeader, &[Row], &Results),
}

/// Leaves Criterion without a trace in its statistics.
struct Left;

fn leave() -> ! {
    // `resume_unwind` calls no panic hook: what is to be said was said.
    resume_unwind(Box::new(Left))
}

/// Runs the suite as the command line says and returns the exit status: 1 where a case failed or was wrong.
pub fn main(options: &Options) -> ExitCode {
    crate::quiet::drivers();
    let mode = Mode::from_args(std::env::args());
    let found = fleet(options.backends).map_err(|error| error.to_string());
    let found = found.and_then(|fleet| Ok((fleet, Suite::find(options.suite).map_err(|error| error.to_string())?)));
    let (fleet, suite) = match found {
        Ok(found) => found,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let settings = Criterion::default().warm_up_time(Duration::from_millis(300));
    let settings = settings.measurement_time(Duration::from_secs(1)).sample_size(SAMPLE_SIZE).nresamples(10_000);
    let mut criterion = settings.without_plots().with_measurement(Rates::new()).configure_from_args();
    let oracle = Oracle::new();
    let mut live = Live::new(&mode, &fleet, &suite.name);
    for cases in suite.cases.chunk_by(|a, b| a.problem().op() == b.problem().op()) {
        let mut group = criterion.benchmark_group(cases[0].problem().op());
        group.sampling_mode(SamplingMode::Flat);
        for (case, subject) in cases.iter().flat_map(|case| fleet.subjects().into_iter().map(move |s| (case, s))) {
            let is_yardstick = options.yardsticks.contains(&subject.name);
            if !is_yardstick || case.problem().flops() <= options.yardstick_flops {
                bench(&mut group, &mut live, &oracle, case, subject);
            }
        }
        group.finish();
    }
    if mode.is_benchmark() {
        criterion.final_summary();
    }
    live.complete(&oracle);
    live.conclude(options)
}

/// The backends on one thread and on all, and the worker that the environment names.
fn fleet(backends: Backends) -> Result<Fleet, GuestError> {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let counts: Vec<Option<usize>> = if cpus > 1 { vec![Some(1), Some(cpus)] } else { vec![Some(1)] };
    let mut fleet = Fleet::find(backends, &counts);
    let here = std::env::current_dir().unwrap_or_default();
    let guests = Guests::from_environment().join(&mut fleet, &Results::find(None, &here))?;
    for (name, why) in fleet.absent().iter().filter(|(name, _)| guests.iter().any(|guest| guest == name)) {
        eprintln!("{name}: absent: {why}");
    }
    Ok(fleet)
}

type Group<'c> = BenchmarkGroup<'c, Rates>;

/// What a case has come to inside Criterion.
#[derive(Default)]
struct Slot<'b> {
    armed: Option<Armed<'b>>,
    recorder: Recorder,
    failure: Option<Failure>,
    watch: Option<Watch>,
}

/// One case on one backend. Criterion calls back only where its filter matches.
fn bench<'b>(group: &mut Group<'_>, live: &mut Live<'b>, oracle: &Oracle, case: &Case, subject: Subject<'b>) {
    let id = case.id(subject.name, subject.backend.device().threads);
    // The group is the operation: Criterion joins the two again.
    let rest = id.split_once('/').map_or(id.as_str(), |(_, rest)| rest);
    let mut slot = Slot::default();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        group.throughput(throughput(case));
        group.bench_function(rest, |bencher| call(bencher, &mut slot, live, oracle, case, subject));
    }));
    match outcome {
        Ok(()) => {}
        Err(payload) if payload.is::<Left>() => {}
        // A panic of Criterion's own: a filter that is no regular expression, a baseline that does not exist.
        Err(payload) => resume_unwind(payload),
    }
    let (Some(armed), Some(watch)) = (slot.armed, slot.watch) else { return };
    match slot.failure {
        Some(failure) => {
            let Some(lab) = live.lab(oracle) else { return };
            let row = lab.finish(armed, Err(failure));
            live.keep(&id, row);
        }
        None if slot.recorder.is_empty() => {}
        None => {
            slot.recorder.keep_last(live.mode().sample_size());
            live.revisit(oracle, id, armed, slot.recorder, watch);
        }
    }
}

/// One call by Criterion: the first one checks.
fn call<'b>(
    bencher: &mut Bencher<'_, Rates>,
    slot: &mut Slot<'b>,
    live: &mut Live<'b>,
    oracle: &Oracle,
    case: &Case,
    subject: Subject<'b>,
) {
    if slot.armed.is_none() {
        let Some(armed) = checked(live, oracle, case, subject) else { leave() };
        slot.armed = Some(armed);
        slot.watch = live.watch(subject);
    }
    let Slot { armed: Some(armed), recorder, failure, .. } = slot else { leave() };
    bencher.iter_custom(|launches| match armed.launch(launches) {
        Ok(elapsed) => {
            recorder.push(launches, elapsed);
            Duration::from_secs_f64(elapsed.seconds)
        }
        Err(why) => {
            *failure = Some(why);
            leave()
        }
    });
}

/// Arms a case, unless it is too slow, fails or is wrong: then says so, keeps its row, and there is nothing to time. In
/// `--test` mode a case is checked twice and never timed.
fn checked<'b>(live: &mut Live<'b>, oracle: &Oracle, case: &Case, subject: Subject<'b>) -> Option<Armed<'b>> {
    let id = case.id(subject.name, subject.backend.device().threads);
    live.begin();
    if let Some(seconds) = live.predicted_s(case, subject).filter(|s| *s > SLOWEST_TRIAL_S) {
        live.skip(&id, &format!("about {seconds:.0} s a launch, by this backend's earlier cases"));
        return None;
    }
    let mut armed = match live.lab(oracle)?.arm(case, subject) {
        Ok(armed) => armed,
        Err(row) => {
            live.keep(&id, *row);
            return None;
        }
    };
    let checked_s = armed.checked_launch_s();
    live.learn(case, subject, checked_s);
    let slow = checked_s > SLOWEST_LAUNCH_S;
    if live.mode().is_test() {
        // A slow one was checked once: its second check would cost as much again.
        let second = if slow { Ok(0.0) } else { live.lab(oracle)?.recheck(armed) };
        match second {
            Ok(_) => live.passed(&id),
            Err(row) => live.keep(&id, *row),
        }
        return None;
    }
    // The checked launch includes transfers: one more tells what is timed.
    if slow && armed.launch(1).is_ok_and(|e| e.seconds > SLOWEST_LAUNCH_S) {
        live.skip(&id, &format!("{checked_s:.1} s a launch, and {SLOWEST_LAUNCH_S} s is the most that is timed"));
        return None;
    }
    Some(armed)
}

#[cfg(test)]
mod tests;
