//! `farthing run`: checks and times cases, and prints or keeps their rows.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::{CliError, Format, Progress};
use crate::case::{Case, Words};
use crate::guests::{APART, Guests};
use crate::interrupt::{self, Grace};
use crate::measure::sampler::{Budget, HostClock, sample};
use crate::measure::{Armed, Lab, Oracle, Subject};
use crate::record::{Row, RunHeader, Status};
use crate::report::{csv_of_rows, row_tables};
use crate::session::{self, Backends, SharedWriter, shown};
use crate::store::{Results, RunWriter, write_index};
use crate::suite::Suite;
use crate::{limits, machine};

mod choose;
mod isolated;

pub(super) use choose::{Chosen, fleet, refuse_threads};
use isolated::isolated;

/// Arguments of `farthing run`. Lists are separated by commas; every combination is a case.
#[derive(Args)]
pub(super) struct RunArgs {
    /// matmul, attention [default: what the shape's number of sizes says]
    #[arg(long, value_delimiter = ',')]
    op: Vec<String>,
    /// MxNxK for matmul; BxHQxHKVxSQxSKVxD, and xDV where values have another head size, for attention
    #[arg(long, value_delimiter = ',')]
    shape: Vec<String>,
    /// f32, f16, bf16, f8e4m3, f8e5m2 [default: f32]
    #[arg(long, value_delimiter = ',')]
    dtype: Vec<String>,
    /// Type of the output: one of these, or input for the inputs' [default: f32]
    #[arg(long, value_delimiter = ',')]
    out_dtype: Vec<String>,
    /// Layout of matmul's right operand: kn, nk [default: kn]
    #[arg(long, value_delimiter = ',')]
    b: Vec<String>,
    /// Mask of attention: none, causal, window:N [default: none]
    #[arg(long, value_delimiter = ',')]
    mask: Vec<String>,
    /// Products of a matmul batch [default: 1]
    #[arg(long, value_delimiter = ',')]
    batch: Vec<String>,
    /// Cases from a named suite (quick, serving, smoke) or a TOML file, in place of the above
    #[arg(long, conflicts_with_all = ["op", "shape", "dtype", "out_dtype", "b", "mask", "batch"])]
    suite: Option<String>,
    /// Backends by name, or all [default: those of --worker and --replay, else the first that is ready]
    #[arg(long, value_delimiter = ',')]
    backend: Vec<String>,
    #[command(flatten)]
    guests: Guests,
    /// Run each backend of ours in a process of its own, with --deadline: one that hangs, aborts or crashes costs its rows
    #[arg(long, group = APART)]
    isolate: bool,
    /// Only devices whose name holds this text
    #[arg(long)]
    device: Option<String>,
    /// Worker threads of host backends [default: all CPUs]
    #[arg(long, value_delimiter = ',')]
    threads: Vec<usize>,
    /// Backends to take turns with on the same device, sample by sample; their ratio is printed
    #[arg(long, value_delimiter = ',')]
    vs: Vec<String>,
    /// Most seconds spent on timing a case on a backend
    #[arg(long, default_value_t = 2.0, value_name = "S")]
    seconds: f64,
    /// How rows are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Keep the run in this file, which must not exist
    #[arg(long, value_name = "FILE", conflicts_with = "save")]
    out: Option<PathBuf>,
    /// Keep the run in the results folder
    #[arg(long)]
    save: bool,
}

/// Runs the command.
pub(super) fn run(args: &RunArgs, backends: Backends, results: &Results, out: &mut dyn Write) -> Result<(), CliError> {
    run_named(args, &args.backend, backends, results, out)
}

/// Runs the command on one backend where the words name none.
pub(super) fn run_on(
    args: &RunArgs,
    backend: &str,
    backends: Backends,
    results: &Results,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let one = [backend.to_owned()];
    run_named(args, if args.backend.is_empty() { &one } else { &args.backend }, backends, results, out)
}

fn run_named(
    args: &RunArgs,
    names: &[String],
    backends: Backends,
    results: &Results,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let cases = args.cases()?;
    if !(args.seconds.is_finite() && args.seconds > 0.0) {
        return Err(CliError::Usage(format!("--seconds {} is no time; give a positive number", args.seconds)));
    }
    let mut fleet = if args.isolate { isolated(args, names, backends)? } else { fleet(backends, &args.threads)? };
    let guests = args.guests.join(&mut fleet, results)?;
    let names = if names.is_empty() { &guests[..] } else { names };
    let chosen = Chosen::new(&fleet, names, args.device.as_deref(), &args.vs)?;
    let environment = machine::environment();
    // Before anything is measured: a folder that cannot be written must not cost a run.
    let header = session::header(environment, limits::Limits::default(), args.settings(&chosen));
    let writer = args.writer(results, &header.run)?;
    let resort = writer.clone();
    interrupt::listen(Grace::Given, move || eprintln!("farthing: {}", resort.finish_interrupted()));

    let progress = Progress::new(cases.len() * chosen.groups.len());
    progress.step(0, "measuring the limits of this machine");
    let limits = fleet.limits(&chosen.all());
    progress.clear();
    limits.warnings.iter().for_each(|w| eprintln!("farthing: {w}"));
    let header = RunHeader { limits: limits.measured, ..header };
    writer.header(&header)?;
    let mut session = Session { args, header: &header, writer: &writer, progress, rows: Vec::new(), out };
    let outcome = session.measure(&cases, &chosen);
    session.conclude(outcome, results)
}

impl RunArgs {
    fn cases(&self) -> Result<Vec<Case>, CliError> {
        let usage = |error: &dyn std::fmt::Display| CliError::Usage(error.to_string());
        let cases = match &self.suite {
            Some(word) => Suite::find(word).map_err(|e| usage(&e))?.cases,
            None => self.words().cases().map_err(|e| usage(&e))?,
        };
        if let Some(available) = machine::available_bytes() {
            cases.iter().try_for_each(|case| case.refuse_over(available)).map_err(|e| usage(&e))?;
        }
        Ok(cases)
    }

    fn words(&self) -> Words {
        Words {
            op: self.op.clone(),
            shape: self.shape.clone(),
            dtype: self.dtype.clone(),
            out_dtype: self.out_dtype.clone(),
            b: self.b.clone(),
            mask: self.mask.clone(),
            batch: self.batch.clone(),
        }
    }

    fn settings(&self, chosen: &Chosen<'_>) -> BTreeMap<String, String> {
        let mut settings = BTreeMap::from([("driver".to_owned(), "farthing run".to_owned())]);
        settings.insert("seconds".into(), self.seconds.to_string());
        settings.extend(self.suite.clone().map(|suite| ("suite".to_owned(), suite)));
        settings.extend(self.isolate.then(|| ("isolate".to_owned(), "true".to_owned())));
        if !self.vs.is_empty() {
            settings.insert("vs".into(), self.vs.join(","));
        }
        for subject in chosen.all() {
            let device = subject.backend.device();
            let details: Vec<String> = device.details.iter().map(|(key, value)| format!("{key} {value}")).collect();
            if !details.is_empty() {
                settings.insert(format!("{} on {}", subject.name, device.device), details.join(", "));
            }
        }
        settings
    }

    fn writer(&self, results: &Results, run: &str) -> Result<SharedWriter, CliError> {
        Ok(match (&self.out, self.save) {
            (Some(path), _) => SharedWriter::new(RunWriter::to_file(path)?),
            (None, true) => SharedWriter::new(RunWriter::in_results(results, run)?),
            (None, false) => SharedWriter::default(),
        })
    }
}

/// A run on its way.
struct Session<'s> {
    args: &'s RunArgs,
    header: &'s RunHeader,
    writer: &'s SharedWriter,
    progress: Progress,
    rows: Vec<Row>,
    out: &'s mut dyn Write,
}

/// How the loop over cases ended.
enum Ended {
    Complete,
    Interrupted,
}

impl Session<'_> {
    fn measure(&mut self, cases: &[Case], chosen: &Chosen<'_>) -> Result<Ended, CliError> {
        let oracle = Oracle::new();
        let cold_cap_bytes = session::cold_cap_bytes(&self.header.environment);
        let lab = Lab { header: self.header, oracle: &oracle, cold_cap_bytes };
        let mut step = 0;
        for case in cases {
            for group in &chosen.groups {
                step += 1;
                if interrupt::asked() {
                    return Ok(Ended::Interrupted);
                }
                let names: Vec<String> = group.iter().map(|s| case.id(s.name, s.backend.device().threads)).collect();
                self.progress.step(step, &names.join(" vs "));
                self.group(&lab, case, group)?;
            }
        }
        Ok(if interrupt::asked() { Ended::Interrupted } else { Ended::Complete })
    }

    /// Checks and times one case on backends that take turns.
    fn group(&mut self, lab: &Lab<'_>, case: &Case, group: &[Subject<'_>]) -> Result<(), CliError> {
        let mut armed: Vec<Armed<'_>> = Vec::new();
        for subject in group {
            match lab.arm(case, *subject) {
                Ok(ready) => armed.push(ready),
                Err(row) => self.keep(*row)?,
            }
        }
        let budget = Budget { total_s: self.args.seconds, ..Budget::default() };
        let recordings = sample(&mut armed, &budget, &HostClock::start(), &interrupt::asked);
        for (armed, recording) in armed.into_iter().zip(recordings) {
            // A subject that was interrupted has no row: a row is complete or absent.
            if let Some(recording) = recording {
                self.keep(lab.finish(armed, recording))?;
            }
        }
        Ok(())
    }

    fn keep(&mut self, row: Row) -> Result<(), CliError> {
        self.writer.append(&row)?;
        if self.args.format == Format::Json {
            self.progress.clear();
            let text = serde_json::to_string(&row).map_err(std::io::Error::from)?;
            writeln!(self.out, "{text}")?;
            self.out.flush()?;
        }
        self.rows.push(row);
        Ok(())
    }

    /// Completes the file, prints the rows, and says how it went.
    fn conclude(self, outcome: Result<Ended, CliError>, results: &Results) -> Result<(), CliError> {
        self.progress.clear();
        let kept = match outcome {
            Ok(Ended::Interrupted) => {
                let said = self.writer.finish_interrupted();
                self.print()?;
                return Err(CliError::Interrupted(said));
            }
            Ok(Ended::Complete) => self.writer.finish()?,
            // Rows that are complete stay, whatever happened afterwards.
            Err(error) => {
                self.writer.finish()?;
                return Err(error);
            }
        };
        if let Some((path, n_rows)) = kept {
            eprintln!("farthing: {n_rows} rows kept in {}", shown(&path));
            if self.args.save {
                write_index(results)?;
            }
        }
        let verdict = verdict(&self.rows);
        self.print()?;
        verdict
    }

    fn print(self) -> Result<(), CliError> {
        let tables = row_tables(&self.rows, &self.args.vs);
        let text: Vec<String> = match self.args.format {
            Format::Json => return Ok(()),
            Format::Csv => vec![csv_of_rows(&self.rows)],
            Format::Table => tables.iter().map(|t| t.text()).collect(),
            Format::Md => tables.iter().map(|t| t.markdown()).collect(),
        };
        self.out.write_all(text.join("\n").as_bytes())?;
        Ok(self.out.flush()?)
    }
}

/// A wrong, failed or refused row fails the command, and so does a run in which nothing could be measured.
fn verdict(rows: &[Row]) -> Result<(), CliError> {
    let count = |status| rows.iter().filter(|r| r.status == status).count();
    let (ok, wrong, failed) = (count(Status::Ok), count(Status::Wrong), count(Status::Failed));
    let refused = count(Status::Refused);
    let first = rows.iter().find(|r| r.status != Status::Ok).and_then(|r| r.reason.as_deref()).unwrap_or_default();
    if wrong + failed + refused > 0 {
        let n = rows.len();
        return Err(CliError::Failed(format!(
            "{wrong} wrong, {failed} failed and {refused} refused of {n} rows; first: {first}"
        )));
    }
    if ok == 0 && !rows.is_empty() {
        return Err(CliError::Failed(format!("nothing could be measured: {first}")));
    }
    Ok(())
}
