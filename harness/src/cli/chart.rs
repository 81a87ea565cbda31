//! `farthing chart`: throughput by size, drawn from a run.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::CliError;
use crate::chart::{ChartError, throughput};
use crate::record::{Row, RunHeader};
use crate::session::shown;
use crate::store::Results;

/// Arguments of `farthing chart`.
#[derive(Args)]
pub(super) struct ChartArgs {
    /// Run to draw: a name, the beginning of one, or a file [default: the newest]
    run: Option<String>,
    /// Where to write the SVG [default: charts/RUN.svg in the results folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(args: &ChartArgs, results: &Results, out: &mut dyn Write) -> Result<(), CliError> {
    let run = match &args.run {
        Some(word) => results.run(word)?,
        None => results.newest()?,
    };
    let path = args.out.clone().unwrap_or_else(|| default_path(&run.header, results));
    draw(&run.header, &run.rows, &path).map_err(|error| CliError::Failed(error.to_string()))?;
    Ok(writeln!(out, "{}", shown(&path))?)
}

/// Where the chart of a run lies unless the user says otherwise.
pub(crate) fn default_path(header: &RunHeader, results: &Results) -> PathBuf {
    results.dir().join("charts").join(format!("{}.svg", header.run))
}

/// Draws a run's throughput.
pub(crate) fn draw(header: &RunHeader, rows: &[Row], path: &std::path::Path) -> Result<(), ChartError> {
    throughput::figure(&throughput::series(header, rows)?)?.write(path)
}
