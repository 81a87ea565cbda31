//! What a run is made of before its first case: backends by thread count, the header, the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use farthing_kernels::backend::registry::{Options, Registry, Role, State};

use crate::limits::Limits;
use crate::measure::Subject;
use crate::record::{Environment, Row, RunHeader, SCHEMA};
use crate::store::{RunWriter, StoreError};
use crate::{machine, time};

/// Share of physical memory that the operand sets of a cold case may take.
const COLD_SHARE: u64 = 4;
/// The same where physical memory cannot be read.
const COLD_UNKNOWN_BYTES: u64 = 1 << 30;

/// Where backends come from: the built-in ones, or a caller's.
pub type Backends = fn(&Options) -> Registry;

/// Backends, looked for once a thread count.
pub struct Fleet {
    registries: Vec<Registry>,
}

impl Fleet {
    /// Looks for the backends at each thread count; none means all CPUs.
    pub fn find(backends: Backends, threads: &[Option<usize>]) -> Fleet {
        Fleet { registries: threads.iter().map(|&threads| backends(&Options { threads, only: None })).collect() }
    }

    /// Adds a backend that has no thread counts to choose from.
    pub fn add(&mut self, name: &str, state: State) {
        self.add_as(Role::Contender, name, state);
    }

    /// The same, of either role.
    pub fn add_as(&mut self, role: Role, name: &str, state: State) {
        if self.registries.is_empty() {
            self.registries.push(Registry::default());
        }
        self.registries[0].add_as(role, name, state);
    }

    /// Each ready backend once a device and thread count, in the order of the registry.
    pub fn subjects(&self) -> Vec<Subject<'_>> {
        let mut subjects: Vec<Subject<'_>> = Vec::new();
        for (name, backend) in self.registries.iter().flat_map(Registry::ready) {
            let (device, threads) = (&backend.device().device, backend.device().threads);
            let known = |s: &Subject<'_>| {
                s.name == name && s.backend.device().device == *device && s.backend.device().threads == threads
            };
            if !subjects.iter().any(known) {
                subjects.push(Subject { name, backend });
            }
        }
        // A backend's thread counts belong together: order by first appearance of its name.
        let rank = |name: &str| self.names().iter().position(|n| *n == name);
        subjects.sort_by_key(|s| rank(s.name));
        subjects
    }

    /// Names of all backends, ready or not, each once.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for entry in self.registries.iter().flat_map(Registry::entries) {
            if !names.contains(&entry.name.as_str()) {
                names.push(&entry.name);
            }
        }
        names
    }

    /// Whether all backends of this name are there for the ratio alone.
    pub fn is_yardstick(&self, name: &str) -> bool {
        let mut named = self.registries.iter().flat_map(Registry::entries).filter(|entry| entry.name == name);
        named.all(|entry| entry.role == Role::Yardstick)
    }

    /// Backends that do not run here, and why.
    pub fn absent(&self) -> Vec<(&str, &str)> {
        let entries = self.registries.first().map(Registry::entries).unwrap_or_default();
        entries
            .iter()
            .filter_map(|entry| match &entry.state {
                State::Ready(_) => None,
                State::Absent(why) => Some((entry.name.as_str(), why.as_str())),
            })
            .collect()
    }

    /// Measures the limits of the devices that these subjects run on, by whichever backend probes them.
    pub fn limits(&self, subjects: &[Subject<'_>]) -> Limits {
        let used = |device: &str| subjects.iter().any(|s| s.backend.device().device == device);
        let mut limits = Limits::default();
        for (name, backend) in self.registries.iter().flat_map(Registry::ready) {
            if used(&backend.device().device) {
                limits.add(name, backend);
            }
        }
        limits
    }
}

/// The header of a run that starts now.
pub fn header(environment: Environment, limits: Limits, settings: BTreeMap<String, String>) -> RunHeader {
    let now = time::now_unix_s();
    let run = run_name(now, &machine::fingerprint(&environment));
    let mut settings = settings;
    // What of our own environment changes results.
    settings.extend(std::env::vars().filter(|(name, _)| name.starts_with("FARTHING_")));
    RunHeader { schema: SCHEMA, run, started: time::rfc3339(now), environment, limits: limits.measured, settings }
}

/// Name of a run that starts now: the time, by which names sort, the machine, and six digits that are drawn. A clock that
/// was set back, or a second run within the second, is given another name all the same.
fn run_name(now_unix_s: u64, fingerprint: &str) -> String {
    let drawn: [u8; 3] = rand::random();
    format!("{}-{fingerprint}-{}", time::compact(now_unix_s), machine::hex(&drawn))
}

/// Most bytes that the operand sets of a cold case may take.
pub fn cold_cap_bytes(environment: &Environment) -> u64 {
    environment.memory_bytes.map_or(COLD_UNKNOWN_BYTES, |bytes| bytes / COLD_SHARE)
}

/// A run file that two threads may end: the one that measures, and the one that hears Ctrl-C. Every line is written
/// under the lock, so whoever ends it finds whole rows. Without a file, rows are counted and go nowhere.
#[derive(Clone, Default)]
pub struct SharedWriter(Arc<Mutex<Option<RunWriter>>>);

impl SharedWriter {
    /// Writes to this run file.
    pub fn new(writer: RunWriter) -> SharedWriter {
        SharedWriter(Arc::new(Mutex::new(Some(writer))))
    }

    /// Writes the first line.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn header(&self, header: &RunHeader) -> Result<(), StoreError> {
        self.with(|writer| writer.header(header))
    }

    /// Writes rows in one piece.
    ///
    /// # Errors
    /// A row is not complete, or the file cannot be written.
    pub fn append(&self, rows: &[Row]) -> Result<(), StoreError> {
        self.with(|writer| writer.append(rows))
    }

    /// Completes the file and returns its path and number of rows; nothing where there is none, or no row.
    ///
    /// # Errors
    /// The file cannot be synced or renamed.
    pub fn finish(&self) -> Result<Option<(PathBuf, usize)>, StoreError> {
        let writer = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(writer) = writer else { return Ok(None) };
        let n_rows = writer.n_rows();
        Ok(writer.finish()?.map(|path| (path, n_rows)))
    }

    /// Completes the file after Ctrl-C and says what became of it.
    pub fn finish_interrupted(&self) -> String {
        match self.finish() {
            Ok(Some((path, n_rows))) => format!("interrupted: {n_rows} complete rows are kept in {}", shown(&path)),
            Ok(None) => "interrupted: no file was written".to_owned(),
            Err(error) => format!("interrupted: {error}"),
        }
    }

    fn with(&self, write: impl FnOnce(&mut RunWriter) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writer.as_mut().map_or(Ok(()), write)
    }
}

/// A path as a person in the working folder would type it.
pub fn shown(path: &Path) -> String {
    // Cargo runs a bench in its package's folder; PWD still names the one in which `cargo bench` was typed.
    let typed_in = std::env::var_os("PWD").map(PathBuf::from);
    let folders = typed_in.into_iter().chain(std::env::current_dir());
    let inside = folders.filter_map(|folder| path.strip_prefix(folder).ok().map(Path::to_owned)).next();
    inside.as_deref().unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_runs_of_one_second_have_names_of_their_own_that_sort_by_time() {
        let names = |now| (0..100).map(|_| run_name(now, "3d8b71")).collect::<std::collections::BTreeSet<String>>();
        // 100 of 2²⁴: two alike once in 3400 tries, which one name less allows for; twice two once in 23 million.
        let (before, after) = (names(1_000_000_000), names(1_000_000_001));
        assert!(before.len() >= 99 && after.len() >= 99);
        assert!(before.last() < after.first());
        assert!(before.iter().all(|name| name.starts_with("20010909T014640Z-3d8b71-") && name.len() == 30));
    }
}
