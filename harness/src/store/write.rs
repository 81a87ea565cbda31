//! Writing a run: temporary name in the same folder, a line a row, sync, rename.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;

use super::{Results, StoreError, line, read};
use crate::record::{Row, RunHeader};

/// A run that is being written. Dropped before [`RunWriter::finish`], it leaves nothing behind; killed, it leaves a
/// hidden `.partial` file that no reader takes for a run.
#[derive(Debug)]
pub struct RunWriter {
    temp: NamedTempFile,
    target: PathBuf,
    n_rows: usize,
}

impl RunWriter {
    /// Checks that `runs/` can be written, by creating the temporary file there.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub fn in_results(results: &Results, run: &str) -> Result<RunWriter, StoreError> {
        let dir = results.runs_dir();
        fs::create_dir_all(&dir).map_err(|source| StoreError::Write { path: dir.clone(), source })?;
        RunWriter::to_file(&dir.join(format!("{run}.jsonl")))
    }

    /// Checks that this file can be written and does not exist.
    ///
    /// # Errors
    /// It exists, or its folder cannot be written.
    pub fn to_file(target: &Path) -> Result<RunWriter, StoreError> {
        if target.exists() {
            return Err(StoreError::Exists { path: target.to_owned() });
        }
        let dir = target.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let temp = tempfile::Builder::new().prefix(".run-").suffix(".partial").tempfile_in(dir);
        let temp = temp.map_err(|source| StoreError::Write { path: target.to_owned(), source })?;
        Ok(RunWriter { temp, target: target.to_owned(), n_rows: 0 })
    }

    /// Writes the first line.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn header(&mut self, header: &RunHeader) -> Result<(), StoreError> {
        self.line(header)
    }

    /// Writes a row as one whole line.
    ///
    /// # Errors
    /// The row is not complete, or the file cannot be written.
    pub fn append(&mut self, row: &Row) -> Result<(), StoreError> {
        let refuse = |why| StoreError::Row { path: self.target.clone(), line: self.n_rows + 2, why };
        read::complete(row).map_err(refuse)?;
        self.line(row)?;
        self.n_rows += 1;
        Ok(())
    }

    /// Rows written so far.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Syncs, renames and returns the file; nothing is left, and nothing returned, where no row was written.
    ///
    /// # Errors
    /// The file cannot be synced or renamed, or another of its name came into being.
    pub fn finish(self) -> Result<Option<PathBuf>, StoreError> {
        if self.n_rows == 0 {
            return Ok(None);
        }
        let target = self.target;
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AlreadyExists => StoreError::Exists { path: target.clone() },
            _ => StoreError::Write { path: target.clone(), source },
        };
        self.temp.as_file().sync_all().map_err(failed)?;
        // Temporary files are private to their owner; a run is for everyone who may read the folder.
        readable(self.temp.as_file()).map_err(failed)?;
        self.temp.persist_noclobber(&target).map_err(|e| failed(e.error))?;
        sync_dir(&target);
        Ok(Some(target))
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), StoreError> {
        let failed = |source: io::Error| StoreError::Write { path: self.target.clone(), source };
        line::append(self.temp.as_file_mut(), value).map_err(failed)
    }
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
