//! `farthing explain`: one row and what bounds it.

use std::io::Write;

use clap::Args;
use serde_json::json;

use super::{CliError, Format};
use crate::explain::explain;
use crate::record::Row;
use crate::report::{Align, Table};
use crate::store::{Results, Run, read_run, run_name};

/// Arguments of `farthing explain`.
#[derive(Args)]
pub(super) struct ExplainArgs {
    /// Id of a row, or its beginning: the last column of a table
    row: String,
    /// Run to look in: a name, the beginning of one, or a file [default: all, newest first]
    #[arg(long)]
    run: Option<String>,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
pub(super) fn run(args: &ExplainArgs, results: &Results, out: &mut dyn Write) -> Result<(), CliError> {
    let runs = match &args.run {
        Some(word) => vec![results.run(word)?],
        None => all_runs(results)?,
    };
    let (run, row) = find(&runs, &args.row)?;
    let explanation = explain(row, &run.header);
    let columns = [("", Align::Left), ("", Align::Left)];
    let mut table = Table::new(format!("Row {} of run {}", row.id, run_name(&run.path)), &columns);
    explanation.facts.iter().for_each(|(name, value)| table.row(vec![name.clone(), value.clone()]));
    table.note(&explanation.verdict);
    let text = match args.format {
        Format::Table => table.text(),
        Format::Md => table.markdown(),
        Format::Csv => table.csv(),
        Format::Json => {
            json!({ "row": row, "facts": explanation.facts, "verdict": explanation.verdict }).to_string() + "\n"
        }
    };
    Ok(out.write_all(text.as_bytes())?)
}

/// Runs that can be read, newest first; those that cannot are named on stderr.
fn all_runs(results: &Results) -> Result<Vec<Run>, CliError> {
    let mut runs = Vec::new();
    for path in results.run_files()?.iter().rev() {
        match read_run(path) {
            Ok(run) => runs.push(run),
            Err(error) => eprintln!("farthing: skipped: {error}"),
        }
    }
    // With no run at all, say how to make one.
    if runs.is_empty() { Ok(vec![results.newest()?]) } else { Ok(runs) }
}

fn find<'r>(runs: &'r [Run], word: &str) -> Result<(&'r Run, &'r Row), CliError> {
    let all = || runs.iter().flat_map(|run| run.rows.iter().map(move |row| (run, row)));
    let starting: Vec<_> = all().filter(|(_, row)| row.id.starts_with(word)).collect();
    match starting[..] {
        _ if word.is_empty() => Err(CliError::Usage("an empty id; give the id of a row or its beginning".into())),
        [] => Err(CliError::Usage(unknown(word, runs))),
        [only] => Ok(only),
        [first, ..] if starting.iter().all(|(_, row)| row.id == first.1.id) => Ok(first),
        _ => {
            let ids: Vec<&str> = starting.iter().map(|(_, row)| row.id.as_str()).take(8).collect();
            Err(CliError::Usage(format!("`{word}` begins more than one id: {}", ids.join(", "))))
        }
    }
}

/// The ids that share the most first letters with the word.
pub(super) fn unknown(word: &str, runs: &[Run]) -> String {
    let common = |id: &str| id.chars().zip(word.chars()).take_while(|(a, b)| a == b).count();
    let mut ids: Vec<&Row> = runs.iter().flat_map(|run| &run.rows).collect();
    ids.sort_by_key(|row| std::cmp::Reverse(common(&row.id)));
    let near: Vec<String> = ids.iter().take(3).map(|r| format!("{} ({} {})", r.id, r.op, r.shape)).collect();
    format!("no row `{word}`; nearest: {}", near.join(", "))
}
