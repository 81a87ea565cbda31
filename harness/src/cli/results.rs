//! `farthing results`: the runs that are kept.

use std::io::Write;

use clap::{Args, Subcommand};
use serde_json::json;

mod export;
mod show;
mod verify;

use super::{CliError, Format};
use crate::record::Status;
use crate::report::{Align, Table};
use crate::session::shown;
use crate::store::{Results, read_run, run_name, run_schema, write_index};

/// Arguments of `farthing results`.
#[derive(Args)]
pub(super) struct ResultsArgs {
    #[command(subcommand)]
    command: ResultsCommand,
}

#[derive(Subcommand)]
enum ResultsCommand {
    /// Lists runs, oldest first
    List {
        /// How it is printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Shows a run, or everything of some of its rows
    Show(show::ShowArgs),
    /// Reads runs again and works out again what follows from their samples
    Verify(verify::VerifyArgs),
    /// Writes runs as one flat table for a spreadsheet or a query
    Export(export::ExportArgs),
    /// Regenerates results/README.md from the run files
    Index,
    /// Prints the JSON Schema of a line of a run file
    Schema,
}

/// Runs the command.
pub(super) fn run(args: &ResultsArgs, results: &Results, out: &mut dyn Write) -> Result<(), CliError> {
    match &args.command {
        ResultsCommand::List { format } => list(*format, results, out),
        ResultsCommand::Show(args) => show::run(args, results, out),
        ResultsCommand::Verify(args) => verify::run(args, results, out),
        ResultsCommand::Export(args) => export::run(args, results, out),
        ResultsCommand::Index => Ok(writeln!(out, "{}", shown(&write_index(results)?))?),
        ResultsCommand::Schema => Ok(out.write_all(run_schema().as_bytes())?),
    }
}

fn list(format: Format, results: &Results, out: &mut dyn Write) -> Result<(), CliError> {
    let columns = [
        ("run", Align::Left),
        ("started", Align::Left),
        ("machine", Align::Left),
        ("commit", Align::Left),
        ("ok", Align::Right),
        ("rows", Align::Right),
    ];
    let mut table = Table::new(format!("Runs in {}", shown(&results.runs_dir())), &columns);
    let mut json = String::new();
    for path in results.run_files()? {
        match read_run(&path) {
            Ok(run) => {
                let environment = &run.header.environment;
                let commit: String = environment.commit.as_deref().unwrap_or("-").chars().take(10).collect();
                let ok = run.rows.iter().filter(|r| r.status == Status::Ok).count();
                json += &json!({ "run": run_name(&path), "ok": ok, "rows": run.rows.len(), "header": run.header })
                    .to_string();
                json.push('\n');
                let machine = format!("{} × {}", environment.cpus, environment.cpu);
                let counts = [ok.to_string(), run.rows.len().to_string()];
                let [ok, rows] = counts;
                table.row(vec![run_name(&path), run.header.started, machine, commit, ok, rows]);
            }
            Err(error) => table.note(error.to_string()),
        }
    }
    let text = match format {
        Format::Table => table.text(),
        Format::Md => table.markdown(),
        Format::Csv => table.csv(),
        Format::Json => json,
    };
    Ok(out.write_all(text.as_bytes())?)
}
