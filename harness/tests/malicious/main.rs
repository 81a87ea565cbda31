//! Twelve broken and malicious backends, each caught with a message of its own, and what a worker's death costs.
//!
//! Its own main, since it is its own worker: `--as-worker MANNER` speaks the worker protocol and misbehaves.

mod device;
mod double;
mod row;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use farthing::record::{Row, Status};
use farthing_kernels::backend::naive::Naive;
use farthing_kernels::backend::worker::Worker;
use farthing_kernels::conformance::{self, Options, Outcome};

use device::{Bad, Manner};
use row::{row_of, rows_of};

/// A claim, and whether it holds: what was caught, or what was not.
type Test = (&'static str, fn() -> Result<String, String>);

/// The twelve, in the order in which authors meet them.
const CAUGHT: [Test; 12] = [
    ("returns zeros", || caught(Manner::Zeros, Status::Wrong, "every element is 0")),
    ("returns NaN", || caught(Manner::Nan, Status::Wrong, "1 NaN in the whole output")),
    ("returns the previous output", || caught(Manner::Previous, Status::Wrong, "the one of the inputs before")),
    ("writes out of bounds of its output", || lost("beyond", "wrote out of bounds: byte 0 behind a buffer of")),
    ("mutates its inputs", || caught(Manner::Mutates, Status::Wrong, "changed its inputs: input 0 differs from byte")),
    ("returns before finishing", || caught(Manner::Late, Status::Wrong, "returned before its work was done")),
    ("lies about its clock", || caught(Manner::Clock, Status::Refused, "faster than the device can be")),
    ("hangs", || lost("hang", "gave no answer to `run` within 1 s and was ended")),
    ("crashes", || lost("crash", "ended (signal: 6 (SIGABRT)")),
    ("floods stdout", || lost("flood", "no answer to `run`: \"y\"")),
    ("claims another shape", || lost("short", "claims another shape: 4 bytes came for a buffer of")),
    ("answers only for the shapes it has seen", knows_by_heart),
];

/// What else must hold of them.
const BESIDES: [Test; 5] = [
    ("only enqueues its work", || caught(Manner::Enqueues, Status::Failed, "waits")),
    ("answers more than it was asked", || lost("chatter", "answered number")),
    ("a worker that hangs costs its rows and no more than its deadline", hang_costs_one_deadline),
    ("a worker that crashes costs that row and is started again", crash_costs_one_row),
    ("a worker that behaves has its rows", || {
        row_of_worker("right", "33x17x65").and_then(|row| is(&row, Status::Ok, ""))
    }),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, manner] = words.as_slice()
        && flag == "--as-worker"
    {
        return double::speak(manner);
    }
    let (mut passed, mut failed) = (0, 0);
    for (name, test) in CAUGHT.iter().chain(&BESIDES).filter(|(name, _)| wanted(name, &words)) {
        match test() {
            Ok(said) => {
                println!("{name}: {said}");
                passed += 1;
            }
            Err(why) => {
                println!("FAILED {name}: {why}");
                failed += 1;
            }
        }
    }
    println!("{passed} passed, {failed} failed, 0 skipped");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Words select by parts of a name; libtest's flags change nothing.
fn wanted(name: &str, words: &[String]) -> bool {
    let mut parts = words.iter().filter(|word| !word.starts_with('-')).peekable();
    parts.peek().is_none() || parts.any(|part| name.contains(part.as_str()))
}

/// A row that has this status and says this, and claims no speed unless it is right.
fn is(row: &Row, status: Status, says: &str) -> Result<String, String> {
    let reason = row.reason.clone().unwrap_or_default();
    let speed = row.median_s.is_some() || row.gflops.is_some() || row.share.is_some();
    let first = reason.split(';').next().unwrap_or_default().lines().next().unwrap_or_default();
    if row.status == status && reason.contains(says) && speed == (status == Status::Ok) {
        Ok(format!("{status:?} {first}"))
    } else {
        Err(format!("{:?} (a speed: {speed}) and `{reason}`; expected {status:?} and `{says}`", row.status))
    }
}

/// A backend in this process.
fn caught(manner: Manner, status: Status, says: &str) -> Result<String, String> {
    is(&row_of(&Bad::new(manner), "33x17x65"), status, says)
}

fn worker(manner: &str) -> Result<Worker, String> {
    let exe = std::env::current_exe().map_err(|error| error.to_string())?;
    let command = vec![exe.display().to_string(), "--as-worker".into(), manner.into()];
    Worker::start(command, Duration::from_secs(1)).map_err(|error| error.to_string())
}

fn row_of_worker(manner: &str, shape: &str) -> Result<Row, String> {
    Ok(row_of(&worker(manner)?, shape))
}

/// A backend in another process.
fn lost(manner: &str, says: &str) -> Result<String, String> {
    is(&row_of_worker(manner, "33x17x65")?, Status::Failed, says)
}

/// Right at every size of the suite's lists, wrong at any other.
fn knows_by_heart() -> Result<String, String> {
    let options =
        Options { quick: true, skip: vec!["drawn/".into(), "unheard/".into()], seed: 1, ..Options::default() };
    let listed = conformance::cases(&Naive::new(), &options);
    let seen: BTreeSet<String> = listed.iter().map(|case| device::key(&case.program())).collect();
    let backend = Bad::new(Manner::KnowsByHeart(seen));
    let by_heart = conformance::run(&backend, &options);
    if by_heart.n_failed() > 0 || by_heart.n_passed() < 100 {
        return Err(format!("the lists alone should not catch it: {by_heart}"));
    }
    let report = conformance::run(&backend, &Options { skip: vec!["unheard/".into()], ..options });
    let failed = report.outcomes.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Wrong(_)));
    let names: Vec<&str> = failed.map(|(name, _)| name.as_str()).collect();
    match names.as_slice() {
        [first, ..] if names.iter().all(|name| name.starts_with("drawn/")) => Ok(format!(
            "Wrong at {} drawn sizes and at none of {} listed ones, first {first}",
            names.len(),
            by_heart.n_passed()
        )),
        _ => Err(format!("wrong: {names:?}")),
    }
}

fn hang_costs_one_deadline() -> Result<String, String> {
    let worker = worker("hang")?;
    let start = Instant::now();
    let rows = rows_of(&worker, &["33x17x65", "16x16x16", "8x8x8"]);
    let seconds = start.elapsed().as_secs_f64();
    for row in &rows {
        is(row, Status::Failed, "gave no answer to `run` within 1 s and was ended")?;
    }
    let started = rows[0].reason.as_deref().and_then(|why| why.split("started process ").nth(1)).unwrap_or_default();
    let id: String = started.chars().take_while(char::is_ascii_digit).collect();
    if id.is_empty() || !ends(&id) {
        return Err(format!("what the worker had started (process {id}) outlived it"));
    }
    // One deadline of 1 s, and what checking three small rows takes besides: less than a deadline each.
    if seconds < 3.0 {
        Ok(format!("{} rows, {seconds:.2} s with a deadline of 1 s", rows.len()))
    } else {
        Err(format!("{seconds:.2} s"))
    }
}

/// Whether a process that was killed ends: on a busy machine it is some time until its turn comes.
fn ends(id: &str) -> bool {
    let start = Instant::now();
    while runs(id) {
        if start.elapsed() > Duration::from_secs(10) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

/// Whether a process runs; one that nobody has reaped yet does not. Where there is no `/proc` it is taken to have ended.
fn runs(id: &str) -> bool {
    let stat = std::fs::read_to_string(std::path::Path::new("/proc").join(id).join("stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

fn crash_costs_one_row() -> Result<String, String> {
    let worker = worker("crash-at-13")?;
    let rows = rows_of(&worker, &["33x17x65", "13x16x16", "8x24x8"]);
    is(&rows[0], Status::Ok, "")?;
    is(&rows[1], Status::Failed, "signal: 6 (SIGABRT)")?;
    is(&rows[2], Status::Ok, "")?;
    let again = rows_of(&worker, &["13x16x16"; 5]);
    is(&again[4], Status::Failed, "it was started 4 times and is not started again")
}
