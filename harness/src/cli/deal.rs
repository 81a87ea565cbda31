//! `farthing deal`: the economics of a compute deal.

mod answer;
mod backtest;
mod check;
mod compare;
mod sweep;

use super::{CliError, Format};
use crate::catalogue::Catalogue;
use crate::deal::{self, Assignment, Findings, Model, Options, Scenario, Worked};
use crate::report::{Align, Table};
use clap::{Args, Subcommand};
use std::io::Write;
use std::path::PathBuf;
use sweep::Sweep;

/// Arguments of `farthing deal`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct DealArgs {
    #[command(subcommand)]
    command: Option<DealCommand>,
    /// A shipped scenario by id, or a file; without one the shipped scenarios are listed
    scenario: Option<String>,
    /// A second scenario to put beside it
    #[arg(long, value_name = "SCENARIO", conflicts_with = "sweep")]
    compare: Option<String>,
    /// Answer the scenario once for each of N values from A to B
    #[arg(long, value_name = "KEY=A:B:N")]
    sweep: Option<Sweep>,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Subcommand)]
enum DealCommand {
    /// Lists the shipped scenarios
    List(ListArgs),
    /// Shows where each dollar and each number comes from
    Explain(OneArgs),
    /// Checks scenarios: units, sources, impossible and contradictory terms; without names, all shipped ones
    Check(check::CheckArgs),
    /// Holds what one scenario believed against what another says came
    Backtest(backtest::BacktestArgs),
    /// Prints a scenario's file, to begin one's own
    Show {
        /// A shipped scenario by id, or a file
        scenario: String,
    },
    /// Prints the JSON Schema of scenario files
    Schema,
}

#[derive(Args)]
struct ListArgs {
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// One scenario.
#[derive(Args)]
struct OneArgs {
    /// A shipped scenario by id, or a file
    scenario: String,
    #[command(flatten)]
    asked: Asked,
}

/// How scenarios are changed, drawn and printed.
#[derive(Args, Clone)]
pub(super) struct Asked {
    /// Set a value, in the unit of the file: compute.aws-trainium.take_or_pay=0.8; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<Assignment>,
    /// Draws of all that is not settled; a million take about 200 MB
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    draws: u32,
    /// Seed of the draws: the same seed gives the same results, on any number of threads
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Threads that draw [default: all CPUs]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Folder whose chips.toml, prices.toml, models.toml or serving.toml replace the built-in ones
    #[arg(long, value_name = "DIR")]
    catalogue: Option<PathBuf>,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Asked {
    fn options(&self) -> Options {
        Options { draws: self.draws as usize, seed: self.seed }
    }

    fn catalogue(&self) -> Result<Catalogue, CliError> {
        match &self.catalogue {
            Some(dir) => Catalogue::from_dir(dir),
            None => Catalogue::embedded(),
        }
        .map_err(|error| CliError::Usage(error.to_string()))
    }

    /// Reads, changes and checks a scenario; nothing is computed on one with an error. Warnings go to stderr.
    fn checked(&self, name: &str, set: &[Assignment], catalogue: &Catalogue) -> Result<(Scenario, Model), CliError> {
        let scenario = deal::load(name, set).map_err(|error| CliError::Usage(error.to_string()))?;
        match Model::new(&scenario, catalogue) {
            Ok((model, warnings)) => {
                if !warnings.0.is_empty() {
                    eprintln!("{warnings}");
                }
                Ok((scenario, model))
            }
            Err(findings) => Err(refused(name, &findings)),
        }
    }

    /// Runs on as many threads as asked for.
    fn on_threads<T: Send>(&self, run: impl FnOnce() -> T + Send) -> Result<T, CliError> {
        let threads = self.threads.map_or(0, usize::from);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|error| CliError::Failed(format!("cannot start threads: {error}")))?;
        Ok(pool.install(run))
    }

    /// A scenario, worked out.
    fn worked(&self, name: &str, set: &[Assignment], catalogue: &Catalogue) -> Result<(Scenario, Worked), CliError> {
        let (scenario, model) = self.checked(name, set, catalogue)?;
        let worked = self.on_threads(|| Worked::new(model, self.options()))?;
        Ok((scenario, worked))
    }
}

fn refused(name: &str, findings: &Findings) -> CliError {
    CliError::Usage(format!("{name}: nothing was computed, for {} errors:\n{findings}", findings.n_errors()))
}

/// Runs the command.
pub(super) fn run(args: &DealArgs, out: &mut dyn Write) -> Result<(), CliError> {
    match (&args.command, &args.scenario) {
        (Some(DealCommand::List(list)), _) => write_tables(&[listed()?], list.format, out),
        (Some(DealCommand::Explain(one)), _) => answer::explain(&one.scenario, &one.asked, out),
        (Some(DealCommand::Check(check)), _) => check::run(check, out),
        (Some(DealCommand::Backtest(backtest)), _) => backtest::run(backtest, out),
        (Some(DealCommand::Show { scenario }), _) => {
            let text = deal::text(scenario).map_err(|error| CliError::Usage(error.to_string()))?;
            Ok(out.write_all(text.as_bytes())?)
        }
        (Some(DealCommand::Schema), _) => Ok(out.write_all(deal::json_schema().as_bytes())?),
        (None, None) => write_tables(&[listed()?], args.asked.format, out),
        (None, Some(scenario)) => match (&args.compare, &args.sweep) {
            (Some(other), _) => compare::run(scenario, other, &args.asked, out),
            (None, Some(sweep)) => sweep::run(scenario, sweep, &args.asked, out),
            (None, None) => answer::run(scenario, &args.asked, out),
        },
    }
}

fn listed() -> Result<Table, CliError> {
    let columns = [("scenario", Align::Left), ("terms of", Align::Left), ("deal", Align::Left)];
    let mut table = Table::new("Shipped scenarios", &columns);
    for (id, _) in deal::scenarios() {
        let scenario = deal::load(id, &[]).map_err(|error| CliError::Failed(error.to_string()))?;
        table.row(vec![scenario.id, scenario.as_of.to_string(), scenario.title]);
    }
    table.note("farthing deal SCENARIO answers one; farthing deal show SCENARIO prints its file, to begin your own");
    Ok(table)
}

/// Tables in a format for people or spreadsheets; JSON is each command's own.
fn write_tables(tables: &[Table], format: Format, out: &mut dyn Write) -> Result<(), CliError> {
    for (idx, table) in tables.iter().enumerate() {
        let text = match format {
            Format::Table => table.text(),
            Format::Md => table.markdown(),
            Format::Csv => table.csv(),
            Format::Json => table.json(),
        };
        if idx > 0 {
            out.write_all(b"\n")?;
        }
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}

/// A value as one line of JSON.
fn write_json(value: &impl serde::Serialize, out: &mut dyn Write) -> Result<(), CliError> {
    let text = serde_json::to_string(value).map_err(|error| CliError::Failed(error.to_string()))?;
    Ok(writeln!(out, "{text}")?)
}
