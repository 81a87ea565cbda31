//! Who takes part: a backend of this binary, or of another one.

use std::path::Path;
use std::time::Duration;

use farthing_kernels::backend::worker::{Worker, WorkerError};

/// A contestant that cannot be started at all.
#[derive(Debug, thiserror::Error)]
pub enum ContestantError {
    /// A path to nothing.
    #[error(
        "`{0}`: there is no such file; name a backend, as in `cpu`, or a farthing binary and its backend, as in `./old/farthing:cpu`"
    )]
    NoSuchFile(String),
    /// This binary's own path is unknown.
    #[error("this binary cannot be found again: {0}")]
    Here(#[from] std::io::Error),
}

/// A process that can be started as often as rounds need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contestant {
    /// As the user named it.
    pub label: String,
    command: Vec<String>,
    deadline: Duration,
}

/// What both contestants are started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Worker threads of host backends; all CPUs where none is given.
    pub threads: Option<usize>,
    /// Name, or part of the name, of the device; the backend's first where none is given.
    pub device: Option<String>,
    /// How long each answer may take.
    pub deadline: Duration,
}

impl Contestant {
    /// From a word: a registry name of this binary, or a path to a binary (it holds a `/`, or is a file), with `:BACKEND`
    /// behind it where that is not the first that is ready there.
    ///
    /// # Errors
    /// The path leads to no file.
    pub fn parse(word: &str, terms: &Terms) -> Result<Contestant, ContestantError> {
        let is_path = |word: &str| word.contains('/') || Path::new(word).is_file();
        let (binary, backend) = match word.rsplit_once(':') {
            // A colon may be part of a path.
            Some((path, backend)) if is_path(path) && !backend.contains('/') && !Path::new(word).is_file() => {
                (path.to_owned(), Some(backend))
            }
            _ if is_path(word) => (word.to_owned(), None),
            _ => (std::env::current_exe()?.display().to_string(), Some(word)),
        };
        if !Path::new(&binary).is_file() {
            return Err(ContestantError::NoSuchFile(binary));
        }
        // A bare file name would be looked for elsewhere.
        let binary = if binary.contains('/') { binary } else { format!("./{binary}") };
        let mut command = vec![binary, "worker".to_owned()];
        let threads = terms.threads.map(|threads| threads.to_string());
        for (flag, value) in
            [("--backend", backend), ("--threads", threads.as_deref()), ("--device", terms.device.as_deref())]
        {
            command.extend(value.map(|value| format!("{flag}={value}")));
        }
        Ok(Contestant { label: word.to_owned(), command, deadline: terms.deadline })
    }

    /// Starts it.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start(&self) -> Result<Worker, WorkerError> {
        Worker::start(self.command.clone(), self.deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(word: &str) -> Vec<String> {
        let terms = Terms { threads: Some(2), device: None, deadline: Duration::from_secs(1) };
        Contestant::parse(word, &terms).expect("a contestant").command
    }

    #[test]
    fn a_name_is_of_this_binary_and_a_path_of_another() {
        let here = std::env::current_exe().expect("this test").display().to_string();
        assert_eq!(command("cpu"), [here.as_str(), "worker", "--backend=cpu", "--threads=2"]);
        assert_eq!(command(&here), [here.as_str(), "worker", "--threads=2"]);
        assert_eq!(command(&format!("{here}:naive")), [here.as_str(), "worker", "--backend=naive", "--threads=2"]);
        // Tests run in the package's folder.
        assert_eq!(command("Cargo.toml")[0], "./Cargo.toml");
    }

    #[test]
    fn a_path_to_nothing_is_refused_with_what_to_write() {
        let terms = Terms { threads: None, device: None, deadline: Duration::from_secs(1) };
        let error = Contestant::parse("./no/such:cpu", &terms).expect_err("nothing is there").to_string();
        assert!(error.starts_with("`./no/such`: there is no such file; name a backend"), "{error}");
    }
}
