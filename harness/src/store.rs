//! Run files: JSON Lines, one file a run, its header first, written under a temporary name and renamed when complete.
//!
//! Rows reach the temporary file as they come, each a whole line, so a run that ends early keeps what it finished.

use std::io;
use std::path::{Path, PathBuf};

mod index;
mod read;
mod schema;
mod verify;
mod write;

pub(crate) use index::replace;
pub use index::write_index;
pub use read::{MAX_LINE_BYTES, MAX_ROWS, Run, read_run, read_run_from};
pub(crate) use schema::dtype_schema;
pub use schema::run_schema;
pub use verify::Verification;
pub use write::{RunWriter, partial_of};

/// A store that cannot be read or written. Each message names the file, the line where there is one, and a remedy.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A folder or file cannot be written.
    #[error("cannot write {path}: {source}; name another place with --results DIR or --out FILE")]
    Write {
        /// The path.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// A file that would be overwritten.
    #[error("{path} exists and runs are never overwritten; name another file, or remove it first")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A run that was begun here and did not end.
    #[error(
        "{path} was begun by a run that did not end: continue it with --resume, or remove {partial} to give up its rows"
    )]
    Begun {
        /// The file.
        path: PathBuf,
        /// Where its rows are.
        partial: PathBuf,
    },
    /// A run that another process writes.
    #[error("{path} is being written by another process; wait for it, or name another file")]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// A folder or file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The path.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// The file does not end with a whole line.
    #[error("{path}, line {line}: truncated: the last line is incomplete; delete that line to keep the rows above it")]
    Truncated {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The file is no run file.
    #[error("{path}, line {line}: not a run file of farthing: {why}; runs lie in results/runs/*.jsonl")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What gave it away.
        why: String,
    },
    /// The file was written by a newer version.
    #[error("{path}, line {line}: schema {found}, and this farthing reads up to {known}; update farthing")]
    Newer {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Schema number found.
        found: u64,
        /// Largest schema number this version reads.
        known: u32,
    },
    /// A line that is no complete row.
    #[error("{path}, line {line}: {why}; run files are never edited: restore the file, or delete the line")]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A file beyond what any run holds.
    #[error("{path}: larger than any run: {why}")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Which bound it passes.
        why: String,
    },
    /// There is no run to read.
    #[error("no runs in {path}; make one with `cargo bench`, or `farthing run ... --save`")]
    NoRuns {
        /// The folder.
        path: PathBuf,
    },
    /// No run of that name.
    #[error("no run `{name}`: neither a file nor a run in {path}{}", near.as_ref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    NoSuchRun {
        /// The word.
        name: String,
        /// The folder.
        path: PathBuf,
        /// The nearest name there.
        near: Option<String>,
    },
}

/// A results folder: `runs/*.jsonl` and what is generated from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Results {
    dir: PathBuf,
}

impl Results {
    /// This folder.
    pub fn at(dir: impl Into<PathBuf>) -> Results {
        Results { dir: dir.into() }
    }

    /// The folder named, or else the nearest `results` beside or above `from` that holds runs, or else `results` at the
    /// root of the checkout, or else in `from`.
    pub fn find(named: Option<&Path>, from: &Path) -> Results {
        if let Some(dir) = named {
            return Results::at(dir);
        }
        let above = || from.ancestors();
        let used = above().map(|dir| dir.join("results")).find(|dir| dir.join("runs").is_dir());
        let root = || above().find(|dir| dir.join(".git").exists()).unwrap_or(from).join("results");
        Results::at(used.unwrap_or_else(root))
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where run files lie.
    pub fn runs_dir(&self) -> PathBuf {
        self.dir.join("runs")
    }

    /// Run files, oldest first: their names begin with the time.
    ///
    /// # Errors
    /// The folder exists and cannot be read.
    pub fn run_files(&self) -> Result<Vec<PathBuf>, StoreError> {
        let is_run = |p: &PathBuf| p.extension().is_some_and(|e| e == "jsonl") && !run_name(p).starts_with('.');
        let mut files: Vec<PathBuf> = self.entries()?.into_iter().filter(is_run).collect();
        files.sort();
        Ok(files)
    }

    /// Files that runs began and did not end, under the names that they would have, oldest first.
    ///
    /// # Errors
    /// The folder exists and cannot be read.
    pub fn begun_files(&self) -> Result<Vec<PathBuf>, StoreError> {
        let target = |p: &PathBuf| {
            let name = p.file_name()?.to_str()?.strip_prefix('.')?.strip_suffix(".partial")?;
            name.ends_with(".jsonl").then(|| p.with_file_name(name))
        };
        let mut files: Vec<PathBuf> = self.entries()?.iter().filter_map(target).collect();
        files.sort();
        Ok(files)
    }

    fn entries(&self) -> Result<Vec<PathBuf>, StoreError> {
        let dir = self.runs_dir();
        match std::fs::read_dir(&dir) {
            Ok(entries) => Ok(entries.flatten().map(|e| e.path()).collect()),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(StoreError::Read { path: dir, source }),
        }
    }

    /// The newest run.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn newest(&self) -> Result<Run, StoreError> {
        let files = self.run_files()?;
        let newest = files.last().ok_or_else(|| StoreError::NoRuns { path: self.runs_dir() })?;
        read_run(newest)
    }

    /// The run of this name, of this unambiguous beginning of a name, or in this file.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn run(&self, word: &str) -> Result<Run, StoreError> {
        read_run(&self.run_file(word)?)
    }

    /// The file of the run that [`Results::run`] reads.
    ///
    /// # Errors
    /// There is none.
    pub fn run_file(&self, word: &str) -> Result<PathBuf, StoreError> {
        let files = self.run_files()?;
        let starting: Vec<&PathBuf> = files.iter().filter(|f| run_name(f).starts_with(word)).collect();
        if let Some(exact) = files.iter().find(|f| run_name(f) == word) {
            return Ok(exact.clone());
        }
        if Path::new(word).is_file() {
            return Ok(word.into());
        }
        if let [only] = starting[..] {
            return Ok(only.clone());
        }
        let names: Vec<String> = files.iter().map(|f| run_name(f)).collect();
        let near = crate::nearest::nearest(word, names.iter().map(String::as_str)).map(str::to_owned);
        Err(StoreError::NoSuchRun { name: word.to_owned(), path: self.runs_dir(), near })
    }
}

/// Name of the run in a file of this path.
pub fn run_name(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
