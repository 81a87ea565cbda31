//! Where rows go, and what was there before.

use std::path::Path;

use super::super::CliError;
use super::RunArgs;
use crate::machine;
use crate::record::{Environment, Row, RunHeader};
use crate::session::SharedWriter;
use crate::store::{Results, Run, RunWriter, StoreError, partial_of, read_run};

/// A place for rows.
pub(super) struct Kept {
    pub(super) writer: SharedWriter,
    /// Of the run: as given, or as it was begun.
    pub(super) header: RunHeader,
    /// Rows that need not be measured again.
    pub(super) earlier: Vec<Row>,
    /// Whether the file has its first line.
    pub(super) is_begun: bool,
}

impl Kept {
    /// The place that the words name.
    ///
    /// # Errors
    /// It cannot be written, or what should be continued is not there or was begun elsewhere.
    pub(super) fn open(args: &RunArgs, results: &Results, header: RunHeader) -> Result<Kept, CliError> {
        let writer = match (&args.out, &args.resume) {
            (Some(path), Some(_)) => match resumed(path, &header)? {
                Some(kept) => return Ok(kept),
                None => RunWriter::to_file(path)?,
            },
            (Some(path), None) => RunWriter::to_file(path)?,
            (None, Some(word)) if !word.is_empty() => {
                let path = named(results, word)?;
                let kept = resumed(&path, &header)?;
                let none = || CliError::Failed(format!("{}: no row was kept; run it anew", path.display()));
                return kept.ok_or_else(none);
            }
            (None, Some(_)) => match newest_alike(results, &header)? {
                Some(kept) => return Ok(kept),
                None => RunWriter::in_results(results, &header.run)?,
            },
            (None, None) if args.save => RunWriter::in_results(results, &header.run)?,
            (None, None) => {
                let writer = SharedWriter::default();
                return Ok(Kept { writer, header, earlier: Vec::new(), is_begun: false });
            }
        };
        Ok(Kept { writer: SharedWriter::new(writer), header, earlier: Vec::new(), is_begun: false })
    }
}

/// The file of a run that was begun, by its name or the beginning of one.
fn named(results: &Results, word: &str) -> Result<std::path::PathBuf, CliError> {
    let path = Path::new(word);
    if path.is_file() || partial_of(path).is_file() {
        return Ok(path.to_owned());
    }
    let all = results.begun_files()?.into_iter().chain(results.run_files()?);
    let starting: Vec<_> = all.filter(|path| crate::store::run_name(path).starts_with(word)).collect();
    match &starting[..] {
        [] => Err(CliError::Usage(format!(
            "--resume {word}: no run of this name was begun in {}",
            results.runs_dir().display()
        ))),
        [first, rest @ ..] if rest.iter().all(|path| path == first) => Ok(first.clone()),
        _ => Err(CliError::Usage(format!(
            "--resume {word}: {} runs begin with it; write more of the name",
            starting.len()
        ))),
    }
}

/// What was begun at this path.
fn resumed(path: &Path, header: &RunHeader) -> Result<Option<Kept>, CliError> {
    let Some((writer, run)) = RunWriter::resume(path)? else { return Ok(None) };
    if let Some(why) = unlike(&run.header.environment, &header.environment) {
        return Err(CliError::Usage(format!("{} cannot be continued: {why}; run it anew", path.display())));
    }
    Ok(Some(kept(writer, run)))
}

fn kept(writer: RunWriter, run: Run) -> Kept {
    Kept { writer: SharedWriter::new(writer), header: run.header, earlier: run.rows, is_begun: true }
}

/// The newest run with the same plan on this machine by this binary: those that did not end come first.
fn newest_alike(results: &Results, header: &RunHeader) -> Result<Option<Kept>, CliError> {
    let is_alike = |other: &RunHeader| {
        let settings = |h: &RunHeader| ["plan", "vs", "isolate"].map(|name| h.settings.get(name).cloned());
        settings(other) == settings(header) && unlike(&other.environment, &header.environment).is_none()
    };
    for path in results.begun_files()?.iter().rev() {
        match RunWriter::resume(path) {
            Ok(Some((writer, run))) if is_alike(&run.header) => return Ok(Some(kept(writer, run))),
            // Of another plan, another process's, or nothing that this version can read: left as it is.
            Ok(_) | Err(StoreError::Busy { .. } | StoreError::Foreign { .. } | StoreError::Newer { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    for path in results.run_files()?.iter().rev() {
        let Ok(run) = read_run(path) else { continue };
        if is_alike(&run.header) {
            return resumed(path, header);
        }
    }
    Ok(None)
}

/// Why rows of one environment do not belong beside those of another, where they do not.
fn unlike(a: &Environment, b: &Environment) -> Option<String> {
    if machine::fingerprint(a) != machine::fingerprint(b) {
        return Some("it was begun on another machine".into());
    }
    let build = |e: &Environment| (e.commit.clone(), e.dirty, e.binary.clone(), e.rustc.clone(), e.profile.clone());
    (build(a) != build(b)).then(|| "it was begun by another build of farthing".into())
}
