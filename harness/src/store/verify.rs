//! Whether runs are what they were when they were written: each line read, each derived number worked out again.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::index::{index_path, index_text};
use super::read::Lines;
use super::{Results, StoreError, run_name};
use crate::finding::Findings;
use crate::record::{Row, RunHeader};
use crate::session::shown;
use crate::stats::summary_of_visits;

/// What a verification read, and what it found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verification {
    /// Files read.
    pub files: usize,
    /// Rows read.
    pub rows: usize,
    /// Everything that is wrong, or that a reader should know.
    pub findings: Findings,
    /// Where each id was seen first.
    ids: BTreeMap<String, String>,
}

impl Verification {
    /// Verifies these run files and nothing beside them.
    pub fn of_files(files: &[PathBuf]) -> Verification {
        let mut verification = Verification::default();
        files.iter().for_each(|path| verification.file(path));
        verification
    }

    /// Verifies every run of a folder, its index, and what else lies there.
    ///
    /// # Errors
    /// The folder cannot be read, or holds no run.
    pub fn of_folder(results: &Results) -> Result<Verification, StoreError> {
        let files = results.run_files()?;
        if files.is_empty() {
            return Err(StoreError::NoRuns { path: results.runs_dir() });
        }
        let mut verification = Verification::of_files(&files);
        verification.leftovers(&results.runs_dir())?;
        verification.leftovers(results.dir())?;
        verification.index(results)?;
        Ok(verification)
    }

    fn file(&mut self, path: &Path) {
        self.files += 1;
        let file = match File::open(path) {
            Ok(file) => file,
            Err(source) => {
                let error = StoreError::Read { path: path.to_owned(), source };
                return self.findings.error(shown(path), error.to_string());
            }
        };
        let mut lines = Lines::new(path, BufReader::new(file));
        match lines.header() {
            Ok(header) => self.header(path, &header),
            Err(error) => return self.findings.error(at(path, lines.line()), error.to_string()),
        }
        loop {
            match lines.row() {
                Ok(None) => break,
                Ok(Some(row)) => self.row(path, lines.line(), &row),
                Err(error) => {
                    self.findings.error(at(path, lines.line()), error.to_string());
                    // Where one line ends and the next begins is known no more.
                    if !matches!(error, StoreError::Row { .. } | StoreError::Foreign { .. } | StoreError::Newer { .. })
                    {
                        break;
                    }
                }
            }
        }
    }

    fn header(&mut self, path: &Path, header: &RunHeader) {
        let name = run_name(path);
        if header.run != name {
            let message = format!("is run `{}`, and its file is named `{name}`; rename one that was moved", header.run);
            self.findings.warn(at(path, 1), message);
        }
    }

    fn row(&mut self, path: &Path, line: usize, row: &Row) {
        self.rows += 1;
        let place = format!("{}, row {}", at(path, line), row.id);
        for (field, stored, derived) in underivable(row) {
            let message = format!(
                "{field} is {stored}, and its samples give {derived}; restore the file, or delete the line: a run is never edited"
            );
            self.findings.error(&place, message);
        }
        match self.ids.get(&row.id) {
            Some(first) => {
                let message = format!("the id is that of {first} too; remove the copy, so that an id names one row");
                self.findings.error(&place, message);
            }
            None => {
                self.ids.insert(row.id.clone(), place);
            }
        }
    }

    /// Files of runs and indexes that did not come to their end.
    fn leftovers(&mut self, dir: &Path) -> Result<(), StoreError> {
        let failed = |source| StoreError::Read { path: dir.to_owned(), source };
        let mut paths: Vec<PathBuf> = fs::read_dir(dir).map_err(failed)?.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.ends_with(".partial") {
                self.findings.warn(shown(&path), partial(&path));
            } else if name.starts_with(".farthing-") {
                let message = "an index or chart whose writing was cut off; remove it, what it was to replace is whole";
                self.findings.warn(shown(&path), message);
            }
        }
        Ok(())
    }

    fn index(&mut self, results: &Results) -> Result<(), StoreError> {
        let path = index_path(results);
        let is_current = fs::read_to_string(&path).is_ok_and(|text| index_text(results).is_ok_and(|now| now == text));
        if !is_current {
            self.findings.warn(shown(&path), "is not the index of these runs; run `farthing results index`");
        }
        Ok(())
    }
}

fn at(path: &Path, line: usize) -> String {
    format!("{}:{}", shown(path), line.max(1))
}

/// What is left of a run that has not ended, and what can be done with it.
fn partial(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
    let rows = lines.saturating_sub(1);
    format!(
        "a run that is on its way, or was ended from outside: {rows} complete rows; `farthing run ... --resume` with its words \
         continues it, and removing it gives them up"
    )
}

/// Fields that do not follow from the samples: name, what is stored, what follows. Numbers are read exactly as they
/// were written, so they must be equal and not only close.
fn underivable(row: &Row) -> Vec<(&'static str, String, String)> {
    // A row without a speed claims nothing that follows from samples.
    let Some(median_s) = row.median_s else { return Vec::new() };
    let summary = match summary_of_visits(&row.samples_s, &row.visits) {
        Ok(summary) => summary,
        Err(error) => return vec![("median_s", median_s.to_string(), format!("none: {error}"))],
    };
    let rate = |work: f64| Some(work / summary.median / 1e9);
    let numbers = [
        ("median_s", row.median_s, Some(summary.median)),
        ("gflops", row.gflops, rate(row.flops)),
        ("gbps", row.gbps, rate(row.bytes)),
        ("ci95_s[0]", row.ci95_s.map(|ci| ci[0]), summary.ci95.map(|ci| ci[0])),
        ("ci95_s[1]", row.ci95_s.map(|ci| ci[1]), summary.ci95.map(|ci| ci[1])),
    ];
    let said = |x: Option<f64>| x.map_or("null".to_owned(), |x| x.to_string());
    let differ = numbers.into_iter().filter(|(_, stored, derived)| stored != derived);
    differ.map(|(field, stored, derived)| (field, said(stored), said(derived))).collect()
}

#[cfg(test)]
mod tests;
