//! `results/README.md`: the table of runs, generated from the run files.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{Results, Run, StoreError, read_run, run_name};
use crate::record::{Row, Status};

/// File that a writer of the index locks.
const LOCK: &str = ".index.lock";

/// Writes the index of all runs, atomically. Writers take turns, each from reading the runs to renaming the table, so
/// the table names every run that was there when its last writer began.
///
/// # Errors
/// The folder cannot be read or written. A run that cannot be read is a line of the table, not an error.
pub fn write_index(results: &Results) -> Result<PathBuf, StoreError> {
    let path = index_path(results);
    let _turn = take_turn(&results.dir().join(LOCK))?;
    let text = index_text(results)?;
    replace(&path, &text).map_err(|source| StoreError::Write { path: path.clone(), source })?;
    Ok(path)
}

/// Where the index lies.
pub(super) fn index_path(results: &Results) -> PathBuf {
    results.dir().join("README.md")
}

/// The index of the runs that are there now.
pub(super) fn index_text(results: &Results) -> Result<String, StoreError> {
    let mut lines = vec![HEAD.to_owned()];
    for path in results.run_files()?.iter().rev() {
        lines.push(match read_run(path) {
            Ok(run) => run_line(&run),
            Err(error) => format!("| {} | unreadable: {} | | | | |", cell(&run_name(path)), cell(&error.to_string())),
        });
    }
    Ok(lines.join("\n") + "\n")
}

/// Waits for the lock and holds it until the file is dropped, or its process ends in whatever way.
fn take_turn(lock: &Path) -> Result<File, StoreError> {
    let failed = |source| StoreError::Write { path: lock.to_owned(), source };
    let file = File::create(lock).map_err(failed)?;
    match file.lock() {
        // Some network file systems have no locks: the rename still keeps the table whole.
        Err(error) if error.kind() == std::io::ErrorKind::Unsupported => Ok(file),
        locked => locked.map(|()| file).map_err(failed),
    }
}

const HEAD: &str = "# Runs\n\n\
    Generated from `runs/*.jsonl` by every run that is saved there; do not edit. Best share: the row that came closest to \
    the limit measured in its own run, rows above a limit aside.\n\n\
    | run | started | machine | commit | rows | best share |\n\
    |---|---|---|---|---|---|";

fn run_line(run: &Run) -> String {
    let environment = &run.header.environment;
    let machine = format!("{} × {}", environment.cpus, environment.cpu);
    let short = environment.commit.as_deref().map_or("none".to_owned(), |c| c.chars().take(10).collect());
    let dirty = if environment.dirty == Some(true) { " (changed)" } else { "" };
    let ok = run.rows.iter().filter(|r| r.status == Status::Ok).count();
    let rows = if ok == run.rows.len() { ok.to_string() } else { format!("{ok} of {}", run.rows.len()) };
    let name = cell(&run_name(&run.path));
    format!(
        "| [{name}](runs/{name}.jsonl) | {} | {} | {short}{dirty} | {rows} | {} |",
        cell(&run.header.started),
        cell(&machine),
        best(&run.rows)
    )
}

/// The best share that may be quoted.
fn best(rows: &[Row]) -> String {
    let shares = rows.iter().filter_map(|r| Some((r.quotable_share()?, r)));
    let Some((share, row)) = shares.max_by(|a, b| a.0.total_cmp(&b.0)) else { return "none".into() };
    let limit = row.limit.as_deref().unwrap_or("?");
    cell(&format!("{:.0} % of {limit} ({} {} {}, {})", 100.0 * share, row.op, row.shape, row.dtype, row.backend))
}

/// Text that is only text in a Markdown table: device names and file names come from outside.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '!' => out.extend(['\\', c]),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Puts contents in a file's place: the file is there whole, as it was or as it is, at any moment.
pub(crate) fn replace(path: &Path, contents: impl AsRef<[u8]>) -> std::io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temp = tempfile::Builder::new().prefix(".farthing-").tempfile_in(dir)?;
    temp.write_all(contents.as_ref())?;
    temp.as_file().sync_all()?;
    super::write::readable(temp.as_file())?;
    temp.persist(path).map_err(|e| e.error)?;
    let _ = fs::File::open(dir).and_then(|d| d.sync_all());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_stays_text() {
        assert_eq!(cell("a|b`<img>\n"), "a\\|b\\`&lt;img&gt; ");
    }
}
