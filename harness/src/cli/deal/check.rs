//! Scenarios, checked.

use super::{CliError, Format, write_tables};
use crate::catalogue::Catalogue;
use crate::deal::{self, Findings, Model};
use crate::report::{Align, Table};
use clap::Args;
use std::io::Write;

/// Arguments of `farthing deal check`.
#[derive(Args)]
pub(super) struct CheckArgs {
    /// Shipped scenarios by id, or files
    scenario: Vec<String>,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Prints every finding; fails where one is an error.
pub(super) fn run(args: &CheckArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let catalogue = Catalogue::embedded().map_err(|error| CliError::Failed(error.to_string()))?;
    let shipped = || deal::scenarios().iter().map(|(id, _)| (*id).to_string()).collect();
    let names: Vec<String> = if args.scenario.is_empty() { shipped() } else { args.scenario.clone() };
    let columns = [("scenario", Align::Left), ("severity", Align::Left), ("where", Align::Left), ("what", Align::Left)];
    let mut table = Table::new("Findings", &columns);
    let (mut n_errors, mut n_warnings) = (0, 0);
    for name in &names {
        let findings = findings(name, &catalogue)?;
        for finding in &findings.0 {
            table.row(vec![name.clone(), finding.severity.to_string(), finding.path.clone(), finding.message.clone()]);
        }
        n_errors += findings.n_errors();
        n_warnings += findings.0.len() - findings.n_errors();
    }
    table.note(format!("{} scenarios checked: {n_errors} errors, {n_warnings} warnings", names.len()));
    write_tables(&[table], args.format, out)?;
    out.flush()?;
    match n_errors {
        0 => Ok(()),
        n => Err(CliError::Failed(format!("{n} errors; nothing can be computed where there is one"))),
    }
}

fn findings(name: &str, catalogue: &Catalogue) -> Result<Findings, CliError> {
    let scenario = deal::load(name, &[]).map_err(|error| CliError::Usage(error.to_string()))?;
    match Model::new(&scenario, catalogue) {
        Ok((_, findings)) | Err(findings) => Ok(findings),
    }
}
