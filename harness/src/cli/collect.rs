//! `farthing collect`: the shards of a plan as one run for each machine.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::CliError;
use crate::collect::{Collected, Whole, collect};
use crate::manifest::Manifest;
use crate::session::shown;
use crate::store::{Results, RunWriter, StoreError, partial_of, read_run, write_index};

/// Arguments of `farthing collect`.
#[derive(Args)]
#[command(
    after_help = "Exit status: 0 where every case has a row that is no failure, 1 where some failed, 3 where some are \
                        missing."
)]
pub(super) struct CollectArgs {
    /// The plan that the shards are of
    plan: PathBuf,
    /// Run files of shards, in any order; several attempts of one shard are welcome
    #[arg(required = true)]
    shards: Vec<PathBuf>,
    /// Keep the run in this file, which must not exist
    #[arg(long, value_name = "FILE", conflicts_with = "save")]
    out: Option<PathBuf>,
    /// Keep the run, or one for each machine, in the results folder
    #[arg(long)]
    save: bool,
    /// Keep what there is though shards or cases are missing
    #[arg(long)]
    incomplete: bool,
}

/// Most names that a message lists.
const LISTED: usize = 5;

/// Runs the command.
pub(super) fn run(args: &CollectArgs, results: &Results, out: &mut dyn Write) -> Result<(), CliError> {
    let manifest = Manifest::read(&args.plan)?;
    let mut runs = Vec::new();
    let mut absent = Vec::new();
    for path in &args.shards {
        match read_run(path) {
            Ok(run) => runs.push(run),
            Err(error) => absent.push(unread(path, &error)),
        }
    }
    let collected = collect(&manifest, runs);
    absent.iter().chain(&collected.strangers).for_each(|why| eprintln!("farthing: {why}"));
    let missing = missing(&collected);
    if missing.is_none() || args.incomplete {
        keep(args, &collected, results, out)?;
    }
    match (missing, &collected.failed[..]) {
        (Some(missing), _) => Err(CliError::Missing(missing)),
        (None, []) => Ok(()),
        (None, failed) => Err(CliError::Failed(format!("{} cases failed: {}", failed.len(), listed(failed)))),
    }
}

fn unread(path: &Path, error: &StoreError) -> String {
    if !path.exists() && partial_of(path).exists() {
        return format!("{} was begun and did not end: run its shard again with --resume", path.display());
    }
    error.to_string()
}

/// What is missing, in a sentence.
fn missing(collected: &Collected) -> Option<String> {
    let shards: Vec<String> = collected.missing_shards.iter().map(ToString::to_string).collect();
    let cases = &collected.missing_cases;
    let mut parts = Vec::new();
    if !shards.is_empty() {
        parts.push(format!("shards missing: {}", listed(&shards)));
    }
    if !cases.is_empty() {
        parts.push(format!("{} cases missing: {}", cases.len(), listed(cases)));
    }
    if parts.is_empty() { None } else { Some(parts.join("; ") + "; --incomplete keeps what there is") }
}

fn listed(names: &[String]) -> String {
    let shown = names.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > LISTED { format!("{shown} and {} more", names.len() - LISTED) } else { shown }
}

fn keep(args: &CollectArgs, collected: &Collected, results: &Results, out: &mut dyn Write) -> Result<(), CliError> {
    let rows: usize = collected.runs.iter().map(|run| run.rows.len()).sum();
    let machines = collected.runs.len();
    let counts = format!("{rows} rows of {machines} machines, {} earlier attempts left out", collected.replaced);
    match (&args.out, args.save, &collected.runs[..]) {
        (Some(path), _, [one]) => say(&write(RunWriter::to_file(path)?, one)?, one, &counts, out),
        (Some(_), _, []) => Err(CliError::Failed("there is no row to keep".into())),
        (Some(_), ..) => Err(CliError::Usage(format!(
            "--out FILE takes the run of one machine, and the shards are of {machines}; --save keeps one run for each"
        ))),
        (None, true, runs) => {
            for whole in runs {
                say(&write(RunWriter::in_results(results, &whole.header.run)?, whole)?, whole, &counts, out)?;
            }
            write_index(results)?;
            Ok(())
        }
        (None, false, _) => Ok(writeln!(out, "{counts}; --save or --out FILE keeps them")?),
    }
}

fn write(mut writer: RunWriter, whole: &Whole) -> Result<PathBuf, CliError> {
    writer.header(&whole.header)?;
    writer.append(&whole.rows)?;
    writer.finish()?.ok_or_else(|| CliError::Failed("there is no row to keep".into()))
}

fn say(path: &Path, whole: &Whole, counts: &str, out: &mut dyn Write) -> Result<(), CliError> {
    Ok(writeln!(out, "{}: {} rows ({counts})", shown(path), whole.rows.len())?)
}
