//! The commands: words in, a table or records out, an exit status.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::guests::GuestError;
use crate::manifest::ManifestError;
use crate::report::Table;
use crate::session::Backends;
use crate::store::{Results, StoreError};

mod calibrate;
mod cases;
mod catalogue;
pub(crate) mod chart;
mod collect;
mod compare;
pub mod cost;
mod deal;
mod devices;
mod explain;
mod neuron;
mod percent;
mod plan;
mod progress;
mod publish;
mod race;
mod results;
mod run;
mod serve;
mod tune;
mod worker;

pub use progress::Progress;

/// Checks and times kernels on every backend, keeps rows with their proof, and prices tokens from them.
#[derive(Parser)]
#[command(name = "farthing", version, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Folder of runs [default: the nearest `results` here or above]
    #[arg(long, global = true, value_name = "DIR")]
    results: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Shows each backend, ready or absent and why, and this machine's measured limits
    Devices(devices::DevicesArgs),
    /// Checks and times cases
    Run(Box<run::RunArgs>),
    /// Finds the fastest tiles for cases on this machine's devices, and keeps them for runs to come
    Tune(tune::TuneArgs),
    /// Cuts a run into shards for several processes or machines
    Plan(plan::PlanArgs),
    /// Puts the shards of a plan together, and says what is missing
    Collect(collect::CollectArgs),
    /// Compares two runs, case by case
    Compare(compare::CompareArgs),
    /// Times two backends, or two builds, in turns, and says by how many percent the second is slower or faster
    Race(Box<race::RaceArgs>),
    /// Shows what bounds one row
    Explain(explain::ExplainArgs),
    /// Shows what a token costs on the machine just measured and on the chips of the catalogue
    Cost(cost::CostArgs),
    /// Fits constants of serving engines to measured serving, and shows the error on what was held out
    Calibrate(calibrate::CalibrateArgs),
    /// Shows and checks published figures: chips, prices and models, each with unit, source, date and kind
    Catalogue(catalogue::CatalogueArgs),
    /// Answers what a compute deal is worth: prices, break-even, stranded commitments, NPV, Monte Carlo, vendor mix
    Deal(Box<deal::DealArgs>),
    /// Draws figures of runs, costs and deals
    Chart(chart::ChartArgs),
    /// Writes the site: every row with its proof, costs, deals, method and data, as pages that need no network
    Publish(publish::PublishArgs),
    /// AWS Trainium and Inferentia2: prints kernels for them, examines a machine, makes first runs
    Neuron(neuron::NeuronArgs),
    /// Serves the site and an explorer of costs on 127.0.0.1, until Ctrl-C
    Serve(serve::ServeArgs),
    /// Lists runs, and regenerates their index
    Results(results::ResultsArgs),
    /// Serves one backend to another process by the worker protocol
    Worker(worker::WorkerArgs),
}

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal
    #[default]
    Table,
    /// JSON Lines, as stored
    Json,
    /// For a spreadsheet
    Csv,
    /// Markdown, for a document
    Md,
}

/// Why a command did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The words make no sense: status 2.
    #[error("{0}")]
    Usage(String),
    /// The world, a device or a result failed: status 1.
    #[error("{0}")]
    Failed(String),
    /// A guest cannot be asked in: status 2, or that of its run file.
    #[error(transparent)]
    Guest(#[from] GuestError),
    /// A run file cannot be read or written: status 1.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A plan cannot be read or written: status 1.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Something that should be there is not: status 3.
    #[error("{0}")]
    Missing(String),
    /// Output could not be written: status 1, or 0 when the reader has gone.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    /// Ctrl-C: status 130.
    #[error("{0}")]
    Interrupted(String),
}

impl CliError {
    fn exit_code(&self) -> u8 {
        match self {
            CliError::Usage(_) | CliError::Guest(GuestError::Deadline(_) | GuestError::Command(_)) => 2,
            CliError::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            CliError::Interrupted(_) => crate::interrupt::EXIT_CODE as u8,
            CliError::Missing(_) => 3,
            CliError::Failed(_)
            | CliError::Manifest(_)
            | CliError::Guest(_)
            | CliError::Store(_)
            | CliError::Output(_) => 1,
        }
    }
}

/// Runs the command that `args` name, on these backends, and returns the exit status: 0, 1 for a failure or a wrong
/// result, 2 for words that make no sense, 130 after Ctrl-C.
pub fn main(args: impl IntoIterator<Item = OsString>, backends: Backends) -> ExitCode {
    crate::quiet::drivers();
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; a reader that has gone is none of ours.
            let _ = error.print();
            return ExitCode::from(error.exit_code() as u8);
        }
    };
    match dispatch(cli, backends) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if error.exit_code() != 0 {
                let _ = writeln!(io::stderr(), "farthing: {error}");
            }
            ExitCode::from(error.exit_code())
        }
    }
}

fn dispatch(cli: Cli, backends: Backends) -> Result<(), CliError> {
    let here = std::env::current_dir().unwrap_or_default();
    let results = Results::find(cli.results.as_deref(), &here);
    let mut out = io::BufWriter::new(io::stdout());
    match cli.command {
        Command::Devices(args) => devices::run(&args, backends, &results, &mut out),
        Command::Run(args) => run::run(&args, backends, &results, &mut out),
        Command::Tune(args) => tune::run(&args, backends, &results, &mut out),
        Command::Plan(args) => plan::run(&args, backends, &results, &mut out),
        Command::Collect(args) => collect::run(&args, &results, &mut out),
        Command::Compare(args) => compare::run(&args, &results, &mut out),
        Command::Race(args) => race::run(&args, &mut out),
        Command::Explain(args) => explain::run(&args, &results, &mut out),
        Command::Cost(args) => price(&args, &results, &mut out),
        Command::Calibrate(args) => calibrate::run(&args, &mut out),
        Command::Catalogue(args) => catalogue::run(&args, &mut out),
        Command::Deal(args) => deal::run(&args, &mut out),
        Command::Chart(args) => chart::run(&args, &results, &mut out),
        Command::Publish(args) => publish::run(&args, &results, &mut out),
        Command::Neuron(args) => neuron::run(&args, backends, &results, &mut out),
        Command::Serve(args) => serve::run(&args, results, &mut out),
        Command::Results(args) => results::run(&args, &results, &mut out),
        Command::Worker(args) => worker::run(&args, backends),
    }?;
    Ok(out.flush()?)
}

/// Tables in a format.
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

/// Costs from the newest run, or from the catalogue alone where there is none.
fn price(args: &cost::CostArgs, results: &Results, out: &mut dyn Write) -> Result<(), CliError> {
    let run = match results.newest() {
        Ok(run) => Some(run),
        Err(StoreError::NoRuns { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let machine = run.as_ref().map(|run| (&run.header.environment).into());
    let rows = run.as_ref().map_or(&[][..], |run| &run.rows);
    let limits = run.as_ref().map_or(&[][..], |run| &run.header.limits);
    cost::run(args, machine, rows, limits, out).map_err(|error| match error.downcast::<io::Error>() {
        Ok(error) => error.into(),
        Err(error) => CliError::Usage(format!("{error:#}")),
    })
}
