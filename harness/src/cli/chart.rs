//! `farthing chart`: figures of runs, costs and deals, drawn to files.

mod sources;

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::CliError;
use crate::chart::{ChartError, throughput};
use crate::record::{Row, RunHeader};
use crate::session::shown;
use crate::store::{Results, StoreError};
use sources::{Refused, Sources};

/// Arguments of `farthing chart`.
#[derive(Args)]
pub(super) struct ChartArgs {
    /// Run to draw: a name, the beginning of one, or a file [default: the newest]
    run: Option<String>,
    /// Figures by comma, or all; of all, those without data are left out
    #[arg(long, value_enum, value_name = "FIGURE", value_delimiter = ',', default_value = "throughput")]
    figure: Vec<Name>,
    /// Backend that is compared with the others in peers [default: the one with most rows]
    #[arg(long, value_name = "BACKEND")]
    backend: Option<String>,
    /// Kernel that trend follows: its beginning, or a part of its name [default: that of most runs]
    #[arg(long, value_name = "KERNEL")]
    kernel: Option<String>,
    /// Words of `farthing cost` for the figures of costs, as in --cost '--model llama-3.1-8b --chip h100,b200'
    #[arg(long, value_name = "WORDS", default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    cost: String,
    /// Chip that the others tie with in ties [default: the first with a price]
    #[arg(long, value_name = "CHIP")]
    reference: Option<String>,
    /// Deal that deal-flow, npv, tornado and mix draw: a shipped scenario by id, or a file [default: the first that
    /// `farthing deal list` shows]
    #[arg(long, value_name = "SCENARIO")]
    scenario: Option<String>,
    /// Draws of the deal
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    draws: u32,
    /// Seed of the draws
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// An SVG file, or for several figures a folder [default: charts in the results folder]
    #[arg(long, value_name = "FILE|DIR")]
    out: Option<PathBuf>,
}

/// A figure by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Every figure that has data
    All,
    /// Throughput by size
    Throughput,
    /// Rows under the measured limits
    Roofline,
    /// One backend against the others
    Peers,
    /// Share of the measured bandwidth
    Bandwidth,
    /// Throughput by threads
    Threads,
    /// One kernel's median over all runs
    Trend,
    /// Dollars a million tokens by chip and cause
    Cost,
    /// A user's speed against dollars a token, by chip
    Pareto,
    /// Prices at which two chips tie
    Ties,
    /// Spend and capacity of a deal by quarter
    DealFlow,
    /// Distribution of a deal's value to its buyer
    Npv,
    /// What moves that value
    Tornado,
    /// The cheapest vendor mix over time
    Mix,
}

impl Name {
    /// In the order in which they are drawn.
    const EACH: [Name; 13] = [
        Name::Throughput,
        Name::Roofline,
        Name::Peers,
        Name::Bandwidth,
        Name::Threads,
        Name::Trend,
        Name::Cost,
        Name::Pareto,
        Name::Ties,
        Name::DealFlow,
        Name::Npv,
        Name::Tornado,
        Name::Mix,
    ];

    /// Whether it is of a deal, and so needs no run.
    fn is_of_a_deal(self) -> bool {
        matches!(self, Name::DealFlow | Name::Npv | Name::Tornado | Name::Mix)
    }

    /// Whether it can be drawn from the catalogue alone.
    fn is_of_costs(self) -> bool {
        matches!(self, Name::Cost | Name::Pareto | Name::Ties)
    }
}

/// Runs the command.
pub(super) fn run(args: &ChartArgs, results: &Results, out: &mut dyn Write) -> Result<(), CliError> {
    let wants_all = args.figure.contains(&Name::All);
    let names = if wants_all { Name::EACH.to_vec() } else { args.figure.clone() };
    let file = args.out.as_ref().filter(|path| path.extension().is_some_and(|end| end == "svg" || end == "png"));
    if let (Some(file), true) = (file, names.len() > 1) {
        let (file, count) = (shown(file), names.len());
        return Err(CliError::Usage(format!("--out {file} is one file for {count} figures: name a folder")));
    }
    let mut sources = Sources::new(args, results);
    let mut drawn = 0;
    for name in names {
        let (figure, stem) = match sources.figure(name) {
            Err(Refused::Figure(ChartError::Empty(_)) | Refused::Cli(CliError::Store(StoreError::NoRuns { .. })))
                if wants_all =>
            {
                continue;
            }
            Err(Refused::Figure(error)) => return Err(CliError::Failed(error.to_string())),
            Err(Refused::Cli(error)) => return Err(error),
            Ok(drawn) => drawn,
        };
        let path = match (&args.out, file) {
            (_, Some(file)) => file.clone(),
            (Some(folder), None) => folder.join(format!("{}.svg", figure.name)),
            (None, None) => default_path(&stem, results, figure.name),
        };
        figure.write(&path).map_err(|error| CliError::Failed(error.to_string()))?;
        writeln!(out, "{}", shown(&path))?;
        drawn += 1;
    }
    if drawn == 0 {
        Err(CliError::Failed("no figure has data: save a run with `farthing run --save`".into()))
    } else {
        Ok(())
    }
}

/// Where a figure of a run or of a scenario lies unless the user says otherwise.
fn default_path(stem: &str, results: &Results, name: &str) -> PathBuf {
    // A scenario's id comes from a file of anyone's.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let stem: String = stem.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    // That of a run's throughput has the name of the run alone.
    let file = if name == "throughput" { format!("{stem}.svg") } else { format!("{stem}-{name}.svg") };
    results.dir().join("charts").join(file)
}

/// Draws a run's throughput to where it belongs; returns the path.
pub(crate) fn draw(header: &RunHeader, rows: &[Row], results: &Results) -> Result<PathBuf, ChartError> {
    let path = default_path(&header.run, results, "throughput");
    throughput::figure(&throughput::series(header, rows)?)?.write(&path)?;
    Ok(path)
}

#[cfg(test)]
mod tests;
