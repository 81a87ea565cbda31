//! Runs as one flat table.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::cli::CliError;
use crate::report::Flat;
use crate::session::shown;
use crate::store::{Results, Run, StoreError, read_run, replace};

/// Arguments of `farthing results export`.
#[derive(Args)]
pub(super) struct ExportArgs {
    /// Runs by name, the beginning of one, or file [default: all]
    run: Vec<String>,
    /// How the table is written
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
    /// File of the table: a row a row, with its run and machine; replaced if it exists
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// File of a second table: a row a sample, joined to the first by id
    #[arg(long, value_name = "FILE")]
    samples: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum TableFormat {
    /// For a spreadsheet
    #[default]
    Csv,
    /// JSON Lines, an object a row
    Json,
    /// For a query engine; in builds with the feature `parquet`
    Parquet,
}

/// Runs the command.
pub(super) fn run(args: &ExportArgs, results: &Results, out: &mut dyn Write) -> Result<(), CliError> {
    let runs = chosen(&args.run, results)?;
    let tables = [(Some(&args.out), Flat::of_runs(&runs)), (args.samples.as_ref(), Flat::samples_of(&runs))];
    for (path, flat) in &tables {
        let Some(path) = path else { continue };
        let bytes = encoded(flat, args.format)?;
        write(path, &bytes)?;
        writeln!(out, "{}: {} rows", shown(path), flat.rows().len())?;
    }
    Ok(())
}

fn chosen(words: &[String], results: &Results) -> Result<Vec<Run>, StoreError> {
    if !words.is_empty() {
        return words.iter().map(|word| results.run(word)).collect();
    }
    let files = results.run_files()?;
    if files.is_empty() {
        return Err(StoreError::NoRuns { path: results.runs_dir() });
    }
    files.iter().map(|path| read_run(path)).collect()
}

fn encoded(flat: &Flat, format: TableFormat) -> Result<Vec<u8>, CliError> {
    match format {
        TableFormat::Csv => Ok(flat.csv().into_bytes()),
        TableFormat::Json => Ok(flat.json_lines().into_bytes()),
        TableFormat::Parquet => parquet(flat),
    }
}

#[cfg(feature = "parquet")]
fn parquet(flat: &Flat) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    flat.write_parquet(&mut bytes).map_err(|error| CliError::Failed(format!("cannot write Parquet: {error}")))?;
    Ok(bytes)
}

#[cfg(not(feature = "parquet"))]
fn parquet(_flat: &Flat) -> Result<Vec<u8>, CliError> {
    let remedy = "build with it (`cargo install --path harness --features parquet`), or export csv or json, which DuckDB reads too";
    Err(CliError::Usage(format!("this farthing was built without the feature `parquet`; {remedy}")))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let failed = |source: io::Error| StoreError::Write { path: path.to_owned(), source };
    if path.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    replace(path, bytes).map_err(failed)
}
