//! `farthing race`: two backends, or two builds, in turns, and what their ratio is.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use clap::Args;
use farthing_kernels::backend::AnyBackend;
use farthing_kernels::backend::worker::DEADLINE;
use serde::Serialize;

use super::cases::CaseArgs;
use super::percent::Percent;
use super::{CliError, Format, Progress};
use crate::compare::Verdict;
use crate::interrupt::{self, Grace};
use crate::limits::Limits;
use crate::measure::{Lab, Oracle};
use crate::race::{Contestant, Outcome, Plan, RaceError, Terms, race};
use crate::record::{RunHeader, Status};
use crate::report::{Align, Table, change, change_interval, seconds};
use crate::tunings::Tunings;
use crate::{machine, session};

/// Change within which two contestants count as the same where --gate says nothing else: what two processes of one
/// binary differ by.
const TOLERANCE: Percent = Percent::of(1.0);

/// Arguments of `farthing race`. Each contestant is a backend of this binary by name, or a path to a farthing binary, with
/// :BACKEND behind it where that is not the first that is ready there. Lists are separated by commas.
#[derive(Args)]
pub(super) struct RaceArgs {
    /// The first, to which the second is compared: cpu, ./old/farthing, ./old/farthing:cpu
    #[arg(value_name = "A")]
    first: String,
    /// The second
    #[arg(value_name = "B")]
    second: String,
    #[command(flatten)]
    cases: CaseArgs,
    /// Seconds for each case, for both together; six rounds are run whatever they take
    #[arg(long, default_value_t = 10.0, value_name = "S")]
    seconds: f64,
    /// Worker threads of host backends [default: all CPUs]
    #[arg(long)]
    threads: Option<usize>,
    /// Only a device of this name, or whose name holds this text
    #[arg(long)]
    device: Option<String>,
    /// Seconds that a contestant has for each answer, compiling among them [default: 120]
    #[arg(long, value_name = "S")]
    deadline: Option<f64>,
    /// Exit with 1 where the second is slower by more than this many percent [default: 1, which counts as the same too]
    #[arg(long, value_name = "PCT", num_args = 0..=1, default_missing_value = "1")]
    gate: Option<Percent>,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
pub(super) fn run(args: &RaceArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let cases = args.cases.suite(2)?.cases;
    let terms = args.terms()?;
    let usage = |error: &dyn std::fmt::Display| CliError::Usage(error.to_string());
    let [a, b] = [Contestant::parse(&args.first, &terms), Contestant::parse(&args.second, &terms)];
    let (a, b) = (a.map_err(|e| usage(&e))?, b.map_err(|e| usage(&e))?);
    interrupt::listen(Grace::Given, || eprintln!("farthing: interrupted"));
    let header = args.header([&a, &b])?;
    let (oracle, cold_cap_bytes) = (Oracle::new(), session::cold_cap_bytes(&header.environment));
    let lab = Lab { header: &header, oracle: &oracle, cold_cap_bytes, tunings: Tunings::default() };
    let progress = Progress::new(cases.len());
    let mut raced = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        progress.step(at + 1, &format!("{} against {}", case.id(&args.first, args.threads), args.second));
        match race(&lab, case, [&a, &b], &Plan::of(args.seconds), &interrupt::asked) {
            Err(RaceError::Interrupted) => return Err(CliError::Interrupted("interrupted".into())),
            outcome => raced.push(Raced { case: case.to_string(), outcome }),
        }
    }
    progress.clear();
    args.print(&raced, out)?;
    args.verdict(&raced)
}

/// A case, and what came of it.
struct Raced {
    case: String,
    outcome: Result<Outcome, RaceError>,
}

impl Raced {
    fn verdict(&self, tolerance: Percent) -> Verdict {
        match &self.outcome {
            Ok(outcome) => outcome.verdict(tolerance.share()),
            Err(why) => Verdict::NotComparable(why.to_string()),
        }
    }
}

/// A case as a line of JSON.
#[derive(Serialize)]
struct Line<'r> {
    case: &'r str,
    contestants: [&'r str; 2],
    lowered: Option<&'r [String; 2]>,
    medians_s: Option<[f64; 2]>,
    ratio: Option<f64>,
    interval: Option<[f64; 2]>,
    pairs: usize,
    rounds: usize,
    verdict: Verdict,
}

impl RaceArgs {
    fn terms(&self) -> Result<Terms, CliError> {
        super::run::refuse_threads(self.threads.as_slice())?;
        super::run::refuse_no_time(self.seconds)?;
        let deadline = self.deadline.map_or(Ok(DEADLINE), Duration::try_from_secs_f64).ok().filter(|d| !d.is_zero());
        let deadline = deadline.ok_or_else(|| {
            let seconds = self.deadline.unwrap_or_default();
            CliError::Usage(format!("--deadline {seconds} is no time; give seconds above 0, for example --deadline 30"))
        })?;
        Ok(Terms { threads: self.threads, device: self.device.clone(), deadline })
    }

    /// A header with the limits that the contestants measure: no time may be below what they allow.
    fn header(&self, contestants: [&Contestant; 2]) -> Result<RunHeader, CliError> {
        let mut limits = Limits::default();
        for contestant in contestants {
            let failed = |error| CliError::Failed(format!("{}: {error}", contestant.label));
            let worker = contestant.start().map_err(failed)?;
            limits.add(&AnyBackend::device(&worker).backend, &worker);
        }
        limits.warnings.iter().for_each(|w| eprintln!("farthing: {w}"));
        let settings = BTreeMap::from([("driver".to_owned(), "farthing race".to_owned())]);
        Ok(session::header(machine::environment(), limits, settings))
    }

    fn tolerance(&self) -> Percent {
        self.gate.unwrap_or(TOLERANCE)
    }

    fn print(&self, raced: &[Raced], out: &mut dyn Write) -> Result<(), CliError> {
        let text = match self.format {
            Format::Table => self.table(raced).text(),
            Format::Md => self.table(raced).markdown(),
            Format::Csv => self.table(raced).csv(),
            Format::Json => self.json(raced)?,
        };
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }

    fn table(&self, raced: &[Raced]) -> Table {
        let columns = [
            ("case", Align::Left),
            ("A", Align::Right),
            ("B", Align::Right),
            ("B against A", Align::Right),
            ("95 %", Align::Right),
            ("rounds", Align::Right),
            ("pairs", Align::Right),
            ("verdict on B", Align::Left),
        ];
        let mut table = Table::new(format!("A = {}, B = {}", self.first, self.second), &columns);
        for line in raced {
            let verdict = line.verdict(self.tolerance()).to_string();
            let mut cells = vec![line.case.clone()];
            match &line.outcome {
                Ok(outcome) => {
                    cells.extend(outcome.medians_s.map(seconds));
                    cells.extend([change(outcome.ratio), change_interval(outcome.interval)]);
                    cells.extend([outcome.n_rounds.to_string(), outcome.n_pairs.to_string()]);
                }
                Err(_) => cells.extend(std::iter::repeat_n("-".to_owned(), 6)),
            }
            cells.push(verdict);
            table.row(cells);
        }
        table.note(format!(
            "change of time, median of rounds of pairs and its interval by ranks · within {} is the same",
            self.tolerance()
        ));
        table
    }

    fn json(&self, raced: &[Raced]) -> Result<String, CliError> {
        let line = |line: &Raced| {
            let outcome = line.outcome.as_ref().ok();
            serde_json::to_string(&Line {
                case: &line.case,
                contestants: [&self.first, &self.second],
                lowered: outcome.map(|o| &o.lowered),
                medians_s: outcome.map(|o| o.medians_s),
                ratio: outcome.map(|o| o.ratio),
                interval: outcome.map(|o| o.interval),
                pairs: outcome.map_or(0, |o| o.n_pairs),
                rounds: outcome.map_or(0, |o| o.n_rounds),
                verdict: line.verdict(self.tolerance()),
            })
        };
        let lines: Result<Vec<String>, _> = raced.iter().map(line).collect();
        Ok(lines.map_err(std::io::Error::from)?.into_iter().map(|line| line + "\n").collect())
    }

    /// A contestant that is wrong or fails, and with --gate a second one that is slower, fail the command; so does a race
    /// of which nothing can be told.
    fn verdict(&self, raced: &[Raced]) -> Result<(), CliError> {
        let unable = |error: &RaceError| error.status() == Some(Status::Unsupported);
        let failures: Vec<&RaceError> = raced.iter().filter_map(|line| line.outcome.as_ref().err()).collect();
        if let Some(why) = failures.iter().find(|error| !unable(error) || failures.len() == raced.len()) {
            return Err(CliError::Failed(why.to_string()));
        }
        let slower = raced.iter().filter(|line| line.verdict(self.tolerance()) == Verdict::Slower).count();
        if let (Some(gate), 1..) = (self.gate, slower) {
            return Err(CliError::Failed(format!("{} is slower by more than {gate} in {slower} cases", self.second)));
        }
        Ok(())
    }
}
