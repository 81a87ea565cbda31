//! Writing a run: a hidden name in the same folder, a line a row, sync, rename.
//!
//! The hidden file's name follows from the run's, and it is locked while its run lives: what a killed run leaves can be
//! found, is known to be dead, and is continued.

use std::fs::{self, File, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::TempPath;

use super::read::{self, Begun, Run};
use super::{Results, StoreError};
use crate::record::{Row, RunHeader};

/// A run that is being written. Dropped before its first row, it leaves nothing behind; killed, it leaves a hidden
/// `.partial` file that no reader takes for a run and [`RunWriter::resume`] continues.
#[derive(Debug)]
pub struct RunWriter {
    file: File,
    partial: PathBuf,
    target: PathBuf,
    n_rows: usize,
    /// Rows that were there when it was opened.
    n_before: usize,
    /// Whether the target is there already and holds the first lines of this file.
    extends: bool,
    ended: bool,
}

impl RunWriter {
    /// Checks that `runs/` can be written, by creating the hidden file there.
    ///
    /// # Errors
    /// The folder cannot be made or written, or a run of this name exists or was begun.
    pub fn in_results(results: &Results, run: &str) -> Result<RunWriter, StoreError> {
        let dir = results.runs_dir();
        fs::create_dir_all(&dir).map_err(|source| StoreError::Write { path: dir.clone(), source })?;
        RunWriter::to_file(&dir.join(format!("{run}.jsonl")))
    }

    /// Checks that this file can be written, does not exist and was not begun.
    ///
    /// # Errors
    /// It exists or was begun, or its folder cannot be written.
    pub fn to_file(target: &Path) -> Result<RunWriter, StoreError> {
        if target.exists() {
            return Err(StoreError::Exists { path: target.to_owned() });
        }
        let partial = partial_of(target);
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AlreadyExists => StoreError::Begun { path: target.to_owned(), partial: partial.clone() },
            _ => StoreError::Write { path: target.to_owned(), source },
        };
        let file = File::options().read(true).write(true).create_new(true).open(&partial).map_err(failed)?;
        lock(&file, target)?;
        let target = target.to_owned();
        Ok(RunWriter { file, partial, target, n_rows: 0, n_before: 0, extends: false, ended: false })
    }

    /// Continues what [`RunWriter::to_file`] began here and did not end, or else extends the run that lies here; returns
    /// what it holds, in whole lines. A last line that was cut is dropped. None where there is neither, or a file that
    /// ends before its header does.
    ///
    /// # Errors
    /// Another process writes it, it cannot be read or written, or a line before the last is no row.
    pub fn resume(target: &Path) -> Result<Option<(RunWriter, Run)>, StoreError> {
        let partial = partial_of(target);
        let failed = |source| StoreError::Write { path: partial.clone(), source };
        let extends = target.exists();
        if extends && !partial.exists() {
            // A copy under a name that nobody looks for is not yet begun.
            let copy = partial.with_extension("copy");
            fs::copy(target, &copy).and_then(|_| fs::rename(&copy, &partial)).map_err(failed)?;
        }
        let mut file = match File::options().read(true).write(true).open(&partial) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(failed(source)),
        };
        lock(&file, target)?;
        let begun = read::read_begun(&partial, &file)?;
        let Some(Begun { header, rows, bytes }) = begun else {
            // Whoever began it got no further than its first line.
            fs::remove_file(&partial).map_err(failed)?;
            return Ok(None);
        };
        file.set_len(bytes).and_then(|()| file.seek(SeekFrom::End(0))).map_err(failed)?;
        let (n_rows, target) = (rows.len(), target.to_owned());
        let writer =
            RunWriter { file, partial, target: target.clone(), n_rows, n_before: n_rows, extends, ended: false };
        Ok(Some((writer, Run { path: target, header, rows })))
    }

    /// Writes the first line.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn header(&mut self, header: &RunHeader) -> Result<(), StoreError> {
        self.lines(&[header])
    }

    /// Writes rows, each as one whole line, in one piece: backends that took turns are there together.
    ///
    /// # Errors
    /// A row is not complete, or the file cannot be written.
    pub fn append(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        for row in rows {
            let refuse = |why| StoreError::Row { path: self.target.clone(), line: self.n_rows + 2, why };
            read::complete(row).map_err(refuse)?;
        }
        self.lines(rows)?;
        self.n_rows += rows.len();
        Ok(())
    }

    /// Rows in the file.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Syncs, renames and returns the file; nothing is left, and nothing returned, where no row was written.
    ///
    /// # Errors
    /// The file cannot be synced or renamed, or another of its name came into being; it stays under its hidden name.
    pub fn finish(mut self) -> Result<Option<PathBuf>, StoreError> {
        if self.n_rows == 0 {
            return Ok(None);
        }
        // From here on it is never removed.
        self.ended = true;
        let target = self.target.clone();
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AlreadyExists => StoreError::Exists { path: target.clone() },
            _ => StoreError::Write { path: target.clone(), source },
        };
        self.file.sync_all().map_err(failed)?;
        if self.extends {
            fs::rename(&self.partial, &target).map_err(failed)?;
        } else {
            rename_noclobber(&self.partial, &target).map_err(failed)?;
        }
        sync_dir(&target);
        Ok(Some(target))
    }

    fn lines(&mut self, values: &[impl Serialize]) -> Result<(), StoreError> {
        let failed = |source: io::Error| StoreError::Write { path: self.target.clone(), source };
        let mut text = Vec::new();
        for value in values {
            serde_json::to_writer(&mut text, value).map_err(|e| failed(e.into()))?;
            text.push(b'\n');
        }
        // What cannot be written whole, as on a full disk, is taken back: the file keeps nothing but whole lines.
        let end = self.file.stream_position().map_err(failed)?;
        let written = self.file.write_all(&text);
        written.map_err(|source| {
            // Where even this fails the line stays cut, and whoever continues the run drops it.
            let _ = self.file.set_len(end).and_then(|()| self.file.seek(SeekFrom::Start(end)));
            failed(source)
        })
    }
}

impl Drop for RunWriter {
    fn drop(&mut self) {
        let adds_nothing = self.n_rows == self.n_before && (self.n_rows == 0 || self.extends);
        if adds_nothing && !self.ended {
            // What it extends lies whole under its own name; where this fails, a hidden file stays that can be continued.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

/// Where a run lies until it ends.
pub fn partial_of(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.partial"))
}

fn lock(file: &File, target: &Path) -> Result<(), StoreError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => StoreError::Busy { path: target.to_owned() },
        TryLockError::Error(source) => StoreError::Write { path: target.to_owned(), source },
    })
}

/// Renames unless the new name is taken, in one step.
fn rename_noclobber(from: &Path, to: &Path) -> io::Result<()> {
    let from = TempPath::try_from_path(from)?;
    from.persist_noclobber(to).map_err(|error| {
        // A path that is dropped removes its file.
        let _ = error.path.keep();
        error.error
    })
}

#[cfg(unix)]
pub(super) fn readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
pub(super) fn readable(_file: &File) -> io::Result<()> {
    Ok(())
}

/// Makes the rename itself survive a power cut, where the system lets a folder be synced.
fn sync_dir(target: &Path) {
    if let Some(dir) = target.parent().and_then(|dir| File::open(dir).ok()) {
        // The file is complete and renamed: a folder that cannot be synced is no failure of the run.
        let _ = dir.sync_all();
    }
}
