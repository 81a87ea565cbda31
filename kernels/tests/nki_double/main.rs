//! NKI source of every conformance case: how many lower for each chip, and what the text computes on a test double.
//!
//! The double (`double.py`) is NumPy, needs a Python with it (FARTHING_PYTHON names one), and stands for nothing but
//! the documented rules of the instructions: no result here comes from Trainium hardware or from AWS's simulator. Where
//! it cannot run, that is said; `FARTHING_REQUIRE=nki` makes it a failure. Each core has a double of its own. Words on the
//! command line select cases, `--full` runs all of them; libtest's flags change nothing.

mod odd;
#[path = "../support/python.rs"]
mod python;
mod rules;
mod worker;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use farthing_kernels::backend::neuron::nki::{self, Kernel};
use farthing_kernels::backend::neuron::{Target, tilings};
use farthing_kernels::backend::{
    Backend, Clock, DeviceError, DeviceInfo, Elapsed, Fidelity, Limits, LowerError, Lowered,
};
use farthing_kernels::conformance::{self, Options, Report};
use farthing_kernels::problem::Problem;
use farthing_kernels::program::{Program, Role};
use farthing_kernels::tile::Tiling;

use worker::Worker;

/// A NeuronCore's text on NumPy's arithmetic.
struct Double {
    target: Target,
    device: DeviceInfo,
    limits: Limits,
    worker: Option<Mutex<Worker>>,
}

impl Double {
    fn new(target: Target, worker: Option<Worker>) -> Double {
        let device = DeviceInfo {
            backend: "nki double".into(),
            device: format!("{target} as a test double"),
            fidelity: Fidelity::Fake,
            threads: None,
            details: BTreeMap::new(),
        };
        Double { target, device, limits: nki::limits(), worker: worker.map(Mutex::new) }
    }

    fn ask<T>(&self, ask: impl FnOnce(&mut Worker) -> Result<T, String>) -> Result<T, DeviceError> {
        let worker = self.worker.as_ref().ok_or_else(|| DeviceError::Driver("only lowers".into()))?;
        ask(&mut worker.lock().unwrap_or_else(PoisonError::into_inner)).map_err(DeviceError::Driver)
    }
}

impl Backend for Double {
    type Buffer = Vec<u8>;
    type Executable = (u64, Kernel);

    fn device(&self) -> &DeviceInfo {
        &self.device
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn tilings(&self, problem: &Problem) -> Vec<Tiling> {
        tilings(problem, self.target)
    }

    fn alloc(&self, bytes: usize) -> Result<Vec<u8>, DeviceError> {
        Ok(vec![0; bytes])
    }

    fn upload(&self, src: &[u8], dst: &mut Vec<u8>) -> Result<(), DeviceError> {
        dst.copy_from_slice(src);
        Ok(())
    }

    fn download(&self, src: &Vec<u8>, dst: &mut [u8]) -> Result<(), DeviceError> {
        dst.copy_from_slice(src);
        Ok(())
    }

    fn lower(&self, program: &Program) -> Result<(u64, Kernel), LowerError> {
        let kernel = nki::lower(program, self.target)?;
        let refused = |log| DeviceError::Compiler { log, source_text: kernel.source.clone() };
        let id = match self.ask(|worker| worker.load(&kernel)) {
            Err(DeviceError::Driver(log)) if self.worker.is_some() => return Err(refused(log).into()),
            id => id.unwrap_or_default(),
        };
        Ok((id, kernel))
    }

    fn lowered(&self, exe: &(u64, Kernel)) -> Lowered {
        Lowered { name: exe.1.name.clone(), compute_limit: None }
    }

    fn run(
        &self,
        (id, kernel): &(u64, Kernel),
        n: u64,
        inputs: &[&Vec<u8>],
        output: &mut Vec<u8>,
    ) -> Result<Elapsed, DeviceError> {
        for _ in 0..n {
            *output = self.ask(|worker| worker.run(*id, kernel, inputs))?;
        }
        Ok(Elapsed { seconds: 0.0, clock: Clock::Simulated })
    }

    fn generated_source<'e>(&self, exe: &'e (u64, Kernel)) -> Option<&'e str> {
        Some(&exe.1.source)
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--list") {
        return ExitCode::SUCCESS;
    }
    let quick = !words.iter().any(|word| word == "--full");
    let filter: Vec<String> = words.into_iter().filter(|word| !word.starts_with('-')).collect();
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    if filter.is_empty() {
        for target in Target::ALL {
            let lowering = lowering(target);
            passed += lowering.lowered;
            // A program that the chip's types allow and that does not lower is a shortfall, whatever the reason.
            failed += lowering.failed;
            skipped += lowering.of_other_types + lowering.with_tables;
        }
    }
    let required = std::env::var("FARTHING_REQUIRE").unwrap_or_default();
    match Worker::start() {
        Ok(mut worker) => {
            let mut count = |what: &str, (n, failures): (usize, Vec<String>)| {
                failures.iter().for_each(|failure| println!("FAILED {failure}"));
                println!("{what}: {} of {n}", n - failures.len());
                (passed, failed) = (passed + n - failures.len(), failed + failures.len());
            };
            if filter.is_empty() {
                count("kernels that break a rule, refused for it", rules::failures(&mut worker));
            }
            let double = Double::new(Target::Trn2, Some(worker));
            if filter.is_empty() {
                count("odd programs like the interpreter's result", odd::failures(&double));
            }
            let report = on_every_core(double, &Options { quick, filter, skip: vec![], seed: 1 });
            println!("{report}");
            passed += report.n_passed();
            let known = |why: &String| why.starts_with("dtype on ") || why.starts_with(TABLES);
            let refused: usize = report.reasons().iter().filter(|(why, _)| known(why)).map(|(_, n)| n).sum();
            failed += report.n_failed() + report.n_unsupported() - refused;
            skipped += refused;
        }
        Err(why) => {
            println!("nki double: absent: {why}");
            skipped += 1;
            failed += usize::from(required.split(',').any(|name| name.trim() == "nki"));
        }
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the suite on a double a core, each of which takes the next case that is left.
fn on_every_core(double: Double, options: &Options) -> Report {
    let (cases, target) = (conformance::cases(&double, options), double.target);
    let n_cores = std::thread::available_parallelism().map_or(1, usize::from);
    let more = (1..n_cores).map_while(|_| Some(Double::new(target, Some(Worker::start().ok()?))));
    let doubles: Vec<Double> = more.chain([double]).collect();
    let next = AtomicUsize::new(0);
    let taken = |double: &Double| {
        let left = std::iter::from_fn(|| {
            let at = next.fetch_add(1, Ordering::Relaxed);
            Some((at, conformance::run_cases(double, cases.get(at..=at)?, options.seed)))
        });
        left.collect::<Vec<_>>()
    };
    let mut reports = std::thread::scope(|scope| {
        let threads: Vec<_> = doubles.iter().map(|double| scope.spawn(|| taken(double))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("panics of a case are caught")).collect::<Vec<_>>()
    });
    reports.sort_by_key(|(at, _)| *at);
    let none = conformance::run_cases(&doubles[0], &[], options.seed);
    let outcomes = reports.into_iter().flat_map(|(_, report)| report.outcomes).collect();
    Report { outcomes, ..none }
}

/// What became of the cases for a chip.
#[derive(Default)]
struct Lowering {
    lowered: usize,
    failed: usize,
    /// Cases of types that the chip has not, each refused for that.
    of_other_types: usize,
    /// Cases with tables, which are not lowered yet, each refused for that.
    with_tables: usize,
}

/// What is unsupported of programs with tables.
const TABLES: &str = "where operands lie";

/// Lowers every case for a chip.
fn lowering(target: Target) -> Lowering {
    let backend = Double::new(target, None);
    let mut counts = Lowering::default();
    let mut other_types = None;
    for case in &conformance::cases(&backend, &Options::default()) {
        let program = case.program();
        let has_table = program.tensors().iter().any(|tensor| tensor.role == Role::Table);
        match (nki::lower(&program, target), target.check_dtypes(program.tensors().iter().map(|tensor| tensor.dtype))) {
            (Err(why), _) if has_table && why.what == TABLES => counts.with_tables += 1,
            (Ok(_), Ok(())) if !has_table => counts.lowered += 1,
            (Err(why), Err(types)) if why == types => {
                counts.of_other_types += 1;
                other_types = Some(why);
            }
            (lowered, _) => {
                counts.failed += 1;
                println!(
                    "{target}: {}: {}",
                    case.name(),
                    lowered.err().map_or("lowered".into(), |why| why.to_string())
                );
            }
        }
    }
    let n = counts.lowered + counts.failed;
    println!("{target}: {} of {n} conformance cases lower to NKI, of {}", counts.lowered, dtypes(target));
    println!("{target}: {} more are skipped: they have tables", counts.with_tables);
    other_types.iter().for_each(|why| println!("{target}: {} more are skipped: {why}", counts.of_other_types));
    counts
}

fn dtypes(target: Target) -> String {
    target.dtypes().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
