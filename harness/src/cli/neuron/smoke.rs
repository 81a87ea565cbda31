//! `farthing neuron smoke`: ten cases on the core, and a text that says all that its authors need to know.

use std::io::Write;

use clap::Args;
use farthing_kernels::backend::AnyBackend;
use farthing_kernels::backend::neuron;
use farthing_kernels::backend::registry::State;
use farthing_kernels::conformance::{self, Outcome};

use super::super::{CliError, Progress};
use crate::machine;

/// Where the text goes.
const ISSUES: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/issues");
/// Lines of a failure that are sent: a mismatch report, or the end of a compiler's log.
const LINES: usize = 40;

/// Arguments of `farthing neuron smoke`.
#[derive(Args)]
pub(super) struct SmokeArgs {
    /// Only backends whose name is given
    #[arg(long, value_delimiter = ',')]
    backend: Vec<String>,
    /// Seed of the operands' values
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs the command: a failure unless every case passed on every chosen backend.
pub(super) fn run(args: &SmokeArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let entries = neuron::entries();
    let known: Vec<&str> = entries.iter().map(|(name, _)| *name).collect();
    if let Some(unknown) = args.backend.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(CliError::Usage(format!("unknown backend `{unknown}`; known: {}", known.join(", "))));
    }
    writeln!(out, "farthing {} smoke test on {}", env!("CARGO_PKG_VERSION"), machine::environment().os)?;
    let (mut n_passed, mut n_cases) = (0, 0);
    for (name, state) in entries.iter().filter(|(name, _)| args.backend.is_empty() || chosen(args, name)) {
        match state {
            State::Absent(why) => {
                n_cases += 1;
                writeln!(out, "\n{name}: absent: {why}")?;
            }
            State::Ready(backend) => {
                let report = on(name, &**backend, args.seed, out)?;
                (n_passed, n_cases) = (n_passed + report.0, n_cases + report.1);
            }
        }
    }
    writeln!(out, "\n{n_passed} of {n_cases} passed; please send this text, all of it, to {ISSUES}")?;
    out.flush()?;
    if n_passed == n_cases { Ok(()) } else { Err(CliError::Failed("not every case passed on the NeuronCore".into())) }
}

fn chosen(args: &SmokeArgs, name: &str) -> bool {
    args.backend.iter().any(|chosen| chosen == name)
}

/// Ten cases on one backend; how many passed, and of how many.
fn on(name: &str, backend: &dyn AnyBackend, seed: u64, out: &mut dyn Write) -> Result<(usize, usize), CliError> {
    let device = backend.device();
    writeln!(out, "\n{name} on {} ({:?})", device.device, device.fidelity)?;
    for (key, value) in &device.details {
        writeln!(out, "  {key}: {value}")?;
    }
    let cases = conformance::smoke(backend);
    let progress = Progress::new(cases.len());
    let mut n_passed = 0;
    for (i, case) in cases.iter().enumerate() {
        progress.step(i + 1, case.name());
        let report = conformance::run_cases(backend, std::slice::from_ref(case), seed);
        progress.clear();
        for (case, outcome) in &report.outcomes {
            n_passed += usize::from(matches!(outcome, Outcome::Ok { .. }));
            writeln!(out, "  {case}: {}", said(outcome))?;
        }
    }
    Ok((n_passed, cases.len()))
}

fn said(outcome: &Outcome) -> String {
    let (word, text) = match outcome {
        Outcome::Ok { worst_ratio } => return format!("ok, worst error {worst_ratio:.3} of its bound"),
        Outcome::Unsupported(why) => return format!("unsupported: {why}"),
        Outcome::Wrong(report) => ("WRONG", report),
        Outcome::Failed(why) => ("FAILED", why),
    };
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.len().saturating_sub(LINES);
    format!("{word}: {}", lines[last..].join("\n    "))
}
