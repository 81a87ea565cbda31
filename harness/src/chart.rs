//! Charts as SVG: one file a figure, what is drawn apart from how.
//!
//! Each chart is a card with its own background, so that it reads the same on a light and on a dark page. Colours are
//! those of Okabe and Ito (2008), chosen to stay apart under every common colour blindness; no meaning rests on colour
//! alone, since lines carry their names.

mod axis;
mod canvas;
pub mod throughput;

use std::io::Write;
use std::path::{Path, PathBuf};

/// Why a chart was not drawn.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// There is nothing to draw.
    #[error("no row has a throughput to draw: run `farthing run --suite quick` first")]
    Empty,
    /// The drawing library refused.
    #[error("cannot draw the chart: {0}")]
    Draw(String),
    /// The file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
}

/// Writes to a temporary name beside the target, syncs, renames: a reader sees the old chart or the new one.
fn write_atomically(path: &Path, text: &str) -> Result<(), ChartError> {
    let failed = |source| ChartError::Write { path: path.to_path_buf(), source };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut file = tempfile::Builder::new().suffix(".svg.tmp").tempfile_in(folder).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    readable_by_all(file.as_file()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// A temporary file is private; a chart is meant to be served.
#[cfg(unix)]
fn readable_by_all(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_all(_file: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}
