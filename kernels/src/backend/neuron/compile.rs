//! From source text to a NEFF: the vendor's compilers in a child process, and a cache of what they gave.
//!
//! A NEFF is kept under the hash of everything that decides it: the source, the compiler and its version, its arguments,
//! the chip, the size of a logical core. A compiler gets a folder of its own, a deadline after which its whole process
//! group is ended, and its log goes into the error.

use std::path::PathBuf;
use std::time::Duration;

use crate::backend::DeviceError;

mod cache;
mod child;
mod neuronx_cc;
mod nki;

pub use cache::NeffCache;
pub use neuronx_cc::NeuronxCc;
pub use nki::NkiCompiler;

/// Longest wait for one compilation, unless the variable says otherwise: large shapes take minutes.
const DEADLINE: Duration = Duration::from_secs(900);
/// Longest wait for a compiler to say its version.
const VERSION_DEADLINE: Duration = Duration::from_secs(60);

/// Why a compiler cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompilerMissing {
    /// It is not there.
    #[error("{name} was not found ({looked}); {remedy}")]
    NotFound {
        /// The compiler.
        name: &'static str,
        /// Where it was looked for, and what happened.
        looked: String,
        /// What would help.
        remedy: &'static str,
    },
    /// It does not say which version it is.
    #[error("{name} at {place} does not say its version: {why}")]
    NoVersion {
        /// The compiler.
        name: &'static str,
        /// Where it is.
        place: String,
        /// What it said.
        why: String,
    },
}

/// A compiled model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neff {
    /// The file's content.
    pub bytes: Vec<u8>,
    /// Whether it was there before.
    pub cached: bool,
}

impl Neff {
    /// Lower-case SHA-256 of the content.
    pub fn sha256(&self) -> String {
        cache::hex(&self.bytes)
    }
}

/// Variable that sets the deadline, in seconds.
const DEADLINE_VARIABLE: &str = "FARTHING_NEURON_COMPILE_S";

/// The deadline of one compilation.
fn deadline() -> Result<Duration, DeviceError> {
    let Some(set) = std::env::var(DEADLINE_VARIABLE).ok().filter(|set| !set.is_empty()) else { return Ok(DEADLINE) };
    let seconds = set.parse::<f64>().ok().and_then(|s| Duration::try_from_secs_f64(s).ok());
    seconds.ok_or_else(|| DeviceError::Driver(format!("{DEADLINE_VARIABLE}={set} is no time; give seconds, as 900")))
}

/// A command by its variable, or by its name in the folders of `PATH`.
fn find(variable: &str, name: &str) -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        return if path.is_file() { Ok(path) } else { Err(format!("{variable} names {}, no file", path.display())) };
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.ok_or_else(|| format!("{variable} is not set, no folder of PATH has `{name}`"))
}

/// A failure of a compilation as the device's.
fn refused(error: &child::ChildError, source: &str) -> DeviceError {
    DeviceError::Compiler { log: error.to_string(), source_text: source.to_owned() }
}
