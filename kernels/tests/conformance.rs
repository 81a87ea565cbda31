//! The conformance suite on every backend of this build, with its own main: what is absent or unsupported is counted.
//!
//! `FARTHING_REQUIRE=cpu:avx512,gpu` makes the absence of a backend (or of an instruction set, as its device details
//! say) a failure. Words on the command line select backends by name and cases by parts of theirs, `--skip WORD` leaves
//! cases out, `--quick` runs fewer on every backend and `--full` all of them on software devices and workers too,
//! `--seed N` draws other sizes and operands; libtest's other flags change nothing.

use std::process::ExitCode;

use farthing_kernels::backend::interp::Interp;
use farthing_kernels::backend::null::Null;
use farthing_kernels::backend::registry::{self, Registry, State};
use farthing_kernels::backend::worker::{DEADLINE, Worker};
use farthing_kernels::backend::{AnyBackend, Fidelity};
use farthing_kernels::conformance::{self, Options};

#[path = "support/python.rs"]
mod python;

fn main() -> ExitCode {
    let mut arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(unknown) => {
            eprintln!("{unknown}");
            return ExitCode::from(2);
        }
    };
    let mut registry = Registry::builtin(&registry::Options::default());
    registry.add("interp", State::Ready(Box::new(Interp::new())));
    registry.add("null", State::Ready(Box::new(Null::new())));
    registry.add("numpy", numpy());
    arguments.take_backends(&registry);
    if arguments.list {
        list(&registry, &arguments);
        return ExitCode::SUCCESS;
    }
    let required = std::env::var("FARTHING_REQUIRE").unwrap_or_default();
    let counts = run(&registry, &arguments, &required);
    println!("{} passed, {} failed, {} skipped", counts.passed, counts.failed, counts.skipped);
    if counts.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The NumPy worker, under the first Python that has NumPy.
fn numpy() -> State {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/worker/numpy_worker.py");
    let python = match python::with_numpy() {
        Ok(python) => python,
        Err(why) => return State::Absent(why),
    };
    match Worker::start(vec![python, script.into()], DEADLINE) {
        Ok(worker) => State::Ready(Box::new(worker)),
        Err(error) => State::Absent(error.to_string()),
    }
}

/// What the command line asks for.
#[derive(Default)]
struct Arguments {
    list: bool,
    quick: bool,
    full: bool,
    backends: Vec<String>,
    filter: Vec<String>,
    skip: Vec<String>,
    seed: u64,
}

/// Flags of libtest that say nothing to this suite, and those of them that take a value.
const IGNORED: [&str; 10] = [
    "--nocapture",
    "--no-capture",
    "--show-output",
    "--exact",
    "--quiet",
    "-q",
    "--ignored",
    "--include-ignored",
    "--test",
    "--bench",
];
const IGNORED_WITH_VALUE: [&str; 5] = ["--test-threads", "--format", "--color", "--logfile", "-Z"];

impl Arguments {
    fn parse(words: impl Iterator<Item = String>) -> Result<Arguments, String> {
        let (mut arguments, mut words) = (Arguments::default(), words);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--list" => arguments.list = true,
                "--quick" => arguments.quick = true,
                "--full" => arguments.full = true,
                "--skip" => arguments.skip.extend(words.next()),
                "--seed" => {
                    let word = words.next().unwrap_or_default();
                    arguments.seed = word.parse().map_err(|_| format!("--seed `{word}` is no whole number"))?;
                }
                flag if IGNORED.contains(&flag) => {}
                flag if IGNORED_WITH_VALUE.contains(&flag) => drop(words.next()),
                flag if IGNORED_WITH_VALUE.iter().any(|f| flag.starts_with(&format!("{f}="))) => {}
                flag if flag.starts_with('-') => {
                    return Err(format!(
                        "unknown flag `{flag}`; known: --list, --quick, --full, --skip WORD, --seed N, and words that select cases"
                    ));
                }
                _ => arguments.filter.push(word),
            }
        }
        Ok(arguments)
    }

    /// Words that name a backend select it, not cases.
    fn take_backends(&mut self, registry: &Registry) {
        let words = std::mem::take(&mut self.filter).into_iter();
        (self.backends, self.filter) =
            words.partition(|word| registry.entries().iter().any(|entry| entry.name == *word));
    }

    fn selects(&self, entry: &str) -> bool {
        self.backends.is_empty() || self.backends.iter().any(|name| name == entry)
    }

    fn options(&self, backend: &dyn AnyBackend) -> Options {
        // A driver that stands for hardware compiles each program for seconds; a worker in Python takes as long to run it.
        let device = backend.device();
        let slow = device.fidelity == Fidelity::Software || device.details.contains_key("worker");
        let quick = self.quick || slow && !self.full;
        Options { quick, filter: self.filter.clone(), skip: self.skip.clone(), seed: self.seed }
    }
}

fn list(registry: &Registry, arguments: &Arguments) {
    for (name, backend) in registry.ready().filter(|(name, _)| arguments.selects(name)) {
        for case in conformance::cases(backend, &arguments.options(backend)) {
            println!("{name}/{}: test", case.name());
        }
    }
}

#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
    skipped: usize,
}

fn run(registry: &Registry, arguments: &Arguments, required: &str) -> Counts {
    let mut counts = Counts::default();
    for entry in registry.entries().iter().filter(|entry| arguments.selects(&entry.name)) {
        match &entry.state {
            State::Ready(backend) => {
                let report = conformance::run(&**backend, &arguments.options(&**backend));
                println!("{}: {report}", entry.name);
                counts.passed += report.n_passed();
                counts.failed += report.n_failed();
                counts.skipped += report.n_unsupported();
            }
            State::Absent(why) => {
                println!("{}: absent: {why}", entry.name);
                counts.skipped += 1;
            }
        }
    }
    for what in required.split(',').map(str::trim).filter(|what| !what.is_empty()) {
        if !is_there(registry, arguments, what) {
            println!("FAILED required: `{what}` did not run (FARTHING_REQUIRE={required})");
            counts.failed += 1;
        }
    }
    counts
}

/// Whether `name` or `name:isa` is among the backends that ran.
fn is_there(registry: &Registry, arguments: &Arguments, what: &str) -> bool {
    let (name, isa) = what.split_once(':').unwrap_or((what, ""));
    registry.ready().filter(|(entry, _)| arguments.selects(entry)).any(|(entry, backend)| {
        let device = backend.device();
        // The vectors beside AMX's tiles are those of AVX-512.
        let has = |has: &String| has.contains(isa) || has == "amx" && isa.starts_with("avx512");
        let has_isa = || device.details.get("isa").is_some_and(has);
        (entry == name || device.backend == name) && (isa.is_empty() || has_isa())
    })
}
