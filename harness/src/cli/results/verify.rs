//! Runs, verified.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use crate::cli::{CliError, Format, write_tables};
use crate::report::{Align, Table};
use crate::store::{Results, Verification};

/// Arguments of `farthing results verify`.
#[derive(Args)]
pub(super) struct VerifyArgs {
    /// Runs by name, the beginning of one, or file [default: every run, the index, and what else lies there]
    run: Vec<String>,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Prints every finding; fails where one is an error.
pub(super) fn run(args: &VerifyArgs, results: &Results, out: &mut dyn Write) -> Result<(), CliError> {
    let verified = if args.run.is_empty() {
        Verification::of_folder(results)?
    } else {
        let files = args.run.iter().map(|word| results.run_file(word)).collect::<Result<Vec<PathBuf>, _>>()?;
        Verification::of_files(&files)
    };
    let columns = [("severity", Align::Left), ("where", Align::Left), ("what", Align::Left)];
    let mut table = Table::new("Findings", &columns);
    for finding in &verified.findings.0 {
        table.row(vec![finding.severity.to_string(), finding.path.clone(), finding.message.clone()]);
    }
    let n_errors = verified.findings.n_errors();
    let n_warnings = verified.findings.0.len() - n_errors;
    let (files, rows) = (verified.files, verified.rows);
    table.note(format!("{files} runs and {rows} rows verified: {n_errors} errors, {n_warnings} warnings"));
    write_tables(&[table], args.format, out)?;
    out.flush()?;
    match n_errors {
        0 => Ok(()),
        n => Err(CliError::Failed(format!("{n} errors; nothing that names these rows can be relied on"))),
    }
}
