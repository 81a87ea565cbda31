//! `farthing catalogue`: published figures, each with unit, source, date and kind.

mod show;

use super::{CliError, Format, write_tables};
use crate::catalogue::{self, Catalogue};
use crate::finding::Severity;
use crate::report::{Align, Table};
use clap::{Args, Subcommand};
use std::io::Write;
use std::path::PathBuf;

/// Arguments of `farthing catalogue`.
#[derive(Args)]
pub(super) struct CatalogueArgs {
    #[command(subcommand)]
    command: CatalogueCommand,
    /// Folder whose chips.toml, prices.toml, models.toml or serving.toml replace the built-in ones
    #[arg(long, global = true, value_name = "DIR")]
    catalogue: Option<PathBuf>,
    /// How it is printed
    #[arg(long, global = true, value_enum, default_value_t)]
    format: Format,
}

#[derive(Subcommand)]
enum CatalogueCommand {
    /// Lists chips, models and CPU instances
    List,
    /// Shows every figure of chips (with their prices), models or CPU instances; without names, all
    Show {
        /// Ids; a model may also be called by its name on Hugging Face, or by the path of its config.json
        id: Vec<String>,
    },
    /// Checks units, sources, dates and kinds, and whether figures can be true; fails where one cannot
    Check,
}

/// Runs the command.
pub(super) fn run(args: &CatalogueArgs, out: &mut dyn Write) -> Result<(), CliError> {
    match &args.command {
        CatalogueCommand::List => write_tables(&list(&args.catalogue()?), args.format, out),
        CatalogueCommand::Show { id } => {
            write_tables(&show::tables(&args.catalogue()?, id, args.format)?, args.format, out)
        }
        CatalogueCommand::Check => args.check(out),
    }
}

impl CatalogueArgs {
    fn catalogue(&self) -> Result<Catalogue, CliError> {
        match &self.catalogue {
            Some(dir) => Catalogue::from_dir(dir),
            None => Catalogue::embedded(),
        }
        .map_err(|error| CliError::Usage(error.to_string()))
    }

    /// Prints every finding; fails where one is an error.
    fn check(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let findings = catalogue::check(self.catalogue.as_deref());
        let findings = findings.map_err(|error| CliError::Usage(error.to_string()))?;
        let mut table =
            Table::new("Findings", &[("severity", Align::Left), ("where", Align::Left), ("what", Align::Left)]);
        for severity in [Severity::Error, Severity::Warning] {
            for finding in findings.0.iter().filter(|finding| finding.severity == severity) {
                table.row(vec![severity.to_string(), finding.path.clone(), finding.message.clone()]);
            }
        }
        let n_errors = findings.n_errors();
        table.note(format!("{n_errors} errors, {} warnings", findings.0.len() - n_errors));
        write_tables(&[table], self.format, out)?;
        out.flush()?;
        match n_errors {
            0 => Ok(()),
            n => Err(CliError::Failed(format!("{n} errors in the catalogue"))),
        }
    }
}

fn list(catalogue: &Catalogue) -> Vec<Table> {
    let mut chips = Table::new(
        "Chips",
        &[("id", Align::Left), ("name", Align::Left), ("$/chip-h", Align::Right), ("term", Align::Left)],
    );
    for chip in &catalogue.chips {
        let price = catalogue.default_price(&chip.id);
        let usd = price.map_or_else(|| "–".into(), |price| format!("{:.2}", price.per_chip_hour().0));
        let term = price.map_or_else(String::new, |price| price.term.clone());
        chips.row(vec![chip.id.clone(), chip.name.clone(), usd, term]);
    }
    for chip in &catalogue.announced {
        chips.row(vec![chip.id.clone(), chip.name.clone(), "–".into(), "announced".into()]);
    }
    let columns = [("id", Align::Left), ("parameters", Align::Right), ("active", Align::Right), ("also", Align::Left)];
    let mut models = Table::new("Models", &columns);
    for model in &catalogue.models {
        let billions = |n: f64| format!("{:.2} B", n / 1e9);
        models.row(vec![
            model.id.clone(),
            billions(crate::cost::parameters(model)),
            billions(crate::cost::active_parameters(model)),
            model.aliases.join(", "),
        ]);
    }
    let mut cpus =
        Table::new("CPU instances", &[("id", Align::Left), ("offer", Align::Left), ("$/vCPU-h", Align::Right)]);
    for cpu in &catalogue.cpus {
        cpus.row(vec![cpu.id.clone(), cpu.offer.clone(), format!("{:.4}", cpu.per_vcpu_hour().0)]);
    }
    vec![chips, models, cpus]
}

#[cfg(test)]
mod tests;
