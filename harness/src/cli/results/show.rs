//! A run, or everything of some of its rows.

use std::io::Write;

use clap::Args;
use serde_json::{Value, json};

use crate::cli::{CliError, Format, explain, write_tables};
use crate::record::{Row, RunHeader};
use crate::report::{Align, Table, counted, histogram, rate, row_tables};
use crate::reproduce::reproduce;
use crate::store::{Results, Run, run_name};

/// Arguments of `farthing results show`.
#[derive(Args)]
pub(super) struct ShowArgs {
    /// A run by name, the beginning of one, or file
    run: String,
    /// Id of a row or its beginning, or a pattern over names of cases, as in 'matmul/*/bf16/*'
    row: Option<String>,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
pub(super) fn run(args: &ShowArgs, results: &Results, out: &mut dyn Write) -> Result<(), CliError> {
    let run = results.run(&args.run)?;
    let rows = match &args.row {
        None => run.rows.iter().collect(),
        Some(word) => matching(&run, word)?,
    };
    if args.format == Format::Json {
        return write_json(args, &run, &rows, out);
    }
    let tables = match &args.row {
        None => [header_tables(&run), row_tables(&run.rows, &[])].concat(),
        Some(_) => rows.iter().map(|row| row_table(row, &run)).collect(),
    };
    write_tables(&tables, args.format, out)
}

/// Rows whose id begins with the word, or whose id or name of case fits the pattern; at least one.
fn matching<'r>(run: &'r Run, word: &str) -> Result<Vec<&'r Row>, CliError> {
    let fits: Box<dyn Fn(&Row) -> bool> = if word.contains(['*', '?', '[']) {
        let pattern = glob::Pattern::new(word)
            .map_err(|error| CliError::Usage(format!("pattern `{word}`: {error}; as in 'matmul/*/bf16/*'")))?;
        Box::new(move |row| pattern.matches(&row.id) || pattern.matches(&row.case_id()))
    } else {
        Box::new(|row| !word.is_empty() && row.id.starts_with(word))
    };
    let rows: Vec<&Row> = run.rows.iter().filter(|row| fits(row)).collect();
    if rows.is_empty() { Err(CliError::Usage(explain::unknown(word, std::slice::from_ref(run)))) } else { Ok(rows) }
}

fn facts(title: String, values: impl IntoIterator<Item = (String, Value)>) -> Table {
    let mut table = Table::new(title, &[("", Align::Left), ("", Align::Left)]);
    for (field, value) in values {
        flatten(&field, &value, &mut |field, text| table.row(vec![field.to_owned(), text]));
    }
    table
}

/// A record's fields, those of records within it by their path.
fn flatten(field: &str, value: &Value, row: &mut dyn FnMut(&str, String)) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(name, value)| flatten(&format!("{field}.{name}"), value, row));
        }
        Value::Null => row(field, "-".to_owned()),
        Value::String(text) => row(field, text.clone()),
        other => row(field, other.to_string()),
    }
}

fn fields(record: &impl serde::Serialize) -> Vec<(String, Value)> {
    match serde_json::to_value(record) {
        Ok(Value::Object(fields)) => fields.into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The header but for its limits, then the limits.
fn header_tables(run: &Run) -> Vec<Table> {
    let RunHeader { limits, .. } = &run.header;
    let mut known = fields(&run.header);
    known.retain(|(field, _)| field != "limits");
    let columns = [("backend", Align::Left), ("device", Align::Left), ("limit", Align::Left)];
    let numbers = [("thr", Align::Right), ("rate", Align::Right)];
    let mut table = Table::new("Measured limits", &[columns.as_slice(), &numbers].concat());
    for limit in limits {
        let cells = [&limit.backend, &limit.device, &limit.limit].map(String::clone);
        let numbers = [limit.threads.to_string(), rate(limit.per_second, &limit.unit)];
        table.row([cells.as_slice(), &numbers].concat());
    }
    vec![facts(format!("Run {}", run_name(&run.path)), known), table]
}

/// Every field of a row, then its samples, then how to measure it again.
fn row_table(row: &Row, run: &Run) -> Table {
    let mut known = fields(row);
    known.retain(|(field, _)| field != "samples_s" && field != "visits");
    known.insert(0, ("case".to_owned(), row.case_id().into()));
    let mut table = facts(format!("Row {} of run {}", row.id, run_name(&run.path)), known);
    let lines = histogram(&row.samples_s);
    if !lines.is_empty() {
        table.note(format!("{}, time of a launch:", counted(row)));
        lines.iter().for_each(|line| table.note(line));
    }
    let (command, said) = reproduce(row, &run.header);
    table.note(format!("measure it again: {command}"));
    said.iter().for_each(|said| table.note(said));
    table
}

/// The header and the rows as they are stored, a line each; of a chosen row its command too.
fn write_json(args: &ShowArgs, run: &Run, rows: &[&Row], out: &mut dyn Write) -> Result<(), CliError> {
    if args.row.is_none() {
        line(&run.header, out)?;
    }
    for row in rows {
        match args.row {
            None => line(row, out)?,
            Some(_) => {
                let (command, said) = reproduce(row, &run.header);
                line(&json!({ "case": row.case_id(), "row": row, "command": command, "notes": said }), out)?;
            }
        }
    }
    Ok(())
}

fn line(value: &impl serde::Serialize, out: &mut dyn Write) -> Result<(), CliError> {
    let text = serde_json::to_string(value).map_err(std::io::Error::from)?;
    Ok(writeln!(out, "{text}")?)
}
