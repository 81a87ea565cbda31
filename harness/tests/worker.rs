//! Both sides of the worker protocol in Rust: this binary's `worker` behind a [`Worker`].

use std::io::Write;
use std::process::{Command, Stdio};

use farthing_kernels::backend::cpu::Cpu;
use farthing_kernels::backend::worker::{DEADLINE, Worker};
use farthing_kernels::backend::{AnyBackend, LowerError};
use farthing_kernels::conformance::{self, Options};
use farthing_kernels::inputs::Inputs;

fn worker(words: &[&str]) -> Worker {
    let command = [env!("CARGO_BIN_EXE_farthing"), "worker"].iter().chain(words).map(|word| (*word).to_owned());
    Worker::start(command.collect(), DEADLINE).expect("it greets")
}

#[test]
fn the_cpu_passes_conformance_in_another_process() {
    let options = Options { quick: true, seed: 1, ..Options::default() };
    let report = conformance::run(&worker(&["--backend", "cpu", "--threads", "1"]), &options);
    assert!(report.n_failed() == 0 && report.n_passed() > 100, "{report}");
}

#[test]
fn outputs_are_the_same_bits_as_in_this_process() {
    let (there, here) = (worker(&["--backend", "cpu", "--threads", "1"]), Cpu::new(Some(1)).expect("a CPU"));
    let all = conformance::cases(&here, &Options { quick: true, seed: 2, ..Options::default() });
    let mut compared = 0;
    for case in &all {
        let program = case.program();
        // A kernel that carries no problem has operands of its own; conformance runs those above.
        let Some(inputs) = program.problem().map(|problem| Inputs::random(problem, 2)) else { continue };
        let output = |backend: &dyn AnyBackend| match backend.prepare(&program, &[inputs.slices()]) {
            Ok(mut prepared) => Some(prepared.output_of(0).expect("it runs")),
            Err(LowerError::Unsupported(_)) => None,
            Err(error) => panic!("{error}"),
        };
        let (is, was) = (output(&there), output(&here));
        assert_eq!(is, was, "{}", case.name());
        compared += usize::from(is.is_some());
    }
    assert!(compared > 100, "{compared} compared");
}

#[test]
fn a_worker_greets_as_what_it_serves_and_under_the_name_it_is_given() {
    let (served, own) =
        (worker(&["--backend", "cpu", "--threads", "1", "--as", "other"]), Cpu::new(Some(1)).expect("a CPU"));
    let (there, here) = (AnyBackend::device(&served), AnyBackend::device(&own));
    assert_eq!((there.backend.as_str(), &there.device, there.threads), ("other", &here.device, Some(1)));
    assert!(here.details.iter().all(|(key, value)| there.details.get(key) == Some(value)));
    assert_eq!(AnyBackend::limits(&served), AnyBackend::limits(&own));
}

#[test]
fn words_that_fit_no_backend_are_refused_on_standard_error_alone() {
    let refused = |words: &[&str], code: i32, says: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_farthing"));
        let output = command.arg("worker").args(words).stdin(Stdio::null()).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(says) && output.stdout.is_empty(), "{said}");
    };
    refused(&["--backend", "cpuu"], 2, "did you mean `cpu`?");
    refused(&["--backend", "cpu", "--device", "nosuch"], 2, "no such backend has a device named `nosuch`; devices: ");
    refused(&["--backend", "cpu", "--threads", "0"], 2, "0 threads");
    refused(&["--backend", "cpu", "--list"], 2, "cannot be used with");
}

#[test]
fn a_line_that_is_no_request_ends_a_worker_with_an_error() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farthing"));
    let child = command.args(["worker", "--backend", "cpu", "--threads", "1"]).stdin(Stdio::piped());
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    child.stdin.take().expect("piped").write_all(b"hello\n").expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("no request of the worker protocol: \"hello\"") && output.stdout.is_empty(), "{said}");
}
