//! The StableHLO we emit, executed by XLA's CPU client: the conformance suite, both forms, against the oracle.
//!
//! It runs where `FARTHING_PJRT_PYTHON` names a Python with the packages of `scripts/pjrt_worker.py`
//! (`cargo xtask test --pjrt` provides one), and says where it does not.

use std::process::ExitCode;

use farthing_kernels::backend::neuron::stablehlo::{Form, Module};
use farthing_kernels::conformance::{self, Case, Options};

mod worker;

use worker::Pjrt;

/// Of the suite's quick cases one in so many: XLA compiles each for half a second.
const QUICK_STEP: usize = 3;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let flags: Vec<String> = words.by_ref().collect();
    if flags.iter().any(|word| word == "--list") {
        return ExitCode::SUCCESS;
    }
    let python = match std::env::var("FARTHING_PJRT_PYTHON") {
        Ok(python) if !python.is_empty() => python,
        _ => {
            println!("stablehlo: absent: FARTHING_PJRT_PYTHON names no Python; `cargo xtask test --pjrt` provides one");
            println!("0 passed, 0 failed, 1 skipped");
            return ExitCode::SUCCESS;
        }
    };
    let options = Options {
        quick: flags.iter().any(|word| word == "--quick"),
        filter: flags.into_iter().filter(|word| !word.starts_with('-')).collect(),
        skip: Vec::new(),
        seed: 1,
    };
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for form in [Form::Plain, Form::Operations] {
        let backend = match Pjrt::start(&python, form) {
            Ok(backend) => backend,
            Err(error) => {
                println!("FAILED to start the worker with `{python}`: {error}");
                println!("0 passed, 1 failed, 0 skipped");
                return ExitCode::FAILURE;
            }
        };
        let cases = match (form, options.quick) {
            // Without a problem a case is from its operations in the first form already: of the others a few.
            (Form::Operations, true) => conformance::smoke(&backend),
            // Cases of a kind stand together: each kind keeps its third.
            (Form::Plain, true) => conformance::cases(&backend, &options).into_iter().step_by(QUICK_STEP).collect(),
            (_, false) => conformance::cases(&backend, &options),
        };
        say_what_lowers(&cases, form);
        let report = conformance::run_cases(&backend, &cases, options.seed);
        println!("stablehlo, {form:?}: {report}");
        passed += report.n_passed();
        failed += report.n_failed();
        skipped += report.n_unsupported();
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints how many cases lower, and in which form.
fn say_what_lowers(cases: &[Case], form: Form) {
    let lowered = cases.iter().filter_map(|case| worker::module(&case.program(), form).ok());
    let forms: Vec<Form> = lowered.map(|module: Module| module.form).collect();
    let plain = forms.iter().filter(|form| **form == Form::Plain).count();
    println!(
        "stablehlo, {form:?}: {} of {} cases lower: {plain} plain, {} from operations",
        forms.len(),
        cases.len(),
        forms.len() - plain
    );
}
