//! Backends of this binary, each in a process of its own: what hangs, aborts or crashes costs its own rows.
//!
//! A first child says which backends there are, so that the asking process opens no device itself; then each that is
//! needed is started as a worker, `farthing worker --backend NAME --device DEVICE`, under its own name.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use farthing_kernels::backend::host::cpu_name;
use farthing_kernels::backend::registry::{Entry, Role, State};
use farthing_kernels::backend::worker::Worker;
use serde::{Deserialize, Serialize};

use crate::session::Fleet;

/// What is known of a backend before its process is started: a line of `farthing worker --list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Registry name.
    pub backend: String,
    /// Contender or yardstick.
    pub role: Role,
    /// Its device, where it is ready.
    pub device: Option<String>,
    /// Its worker threads, where the notion has a meaning.
    pub threads: Option<usize>,
    /// Why it does not run here, where it does not.
    pub absent: Option<String>,
}

impl Listed {
    /// What a registry knows.
    pub fn of(entry: &Entry) -> Listed {
        let (backend, role) = (entry.name.clone(), entry.role);
        match &entry.state {
            State::Ready(ready) => {
                let device = ready.device();
                Listed { backend, role, device: Some(device.device.clone()), threads: device.threads, absent: None }
            }
            State::Absent(why) => Listed { backend, role, device: None, threads: None, absent: Some(why.clone()) },
        }
    }
}

/// Backends that cannot be isolated.
#[derive(Debug, thiserror::Error)]
pub enum IsolateError {
    /// This binary cannot be found or started again.
    #[error("--isolate starts {} again, and that fails: {source}", exe.display())]
    Start {
        /// The binary.
        exe: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The child that looks for backends gave no list in time.
    #[error("the process that looks for backends hung for {} s and was ended; --deadline gives it longer", deadline.as_secs_f64())]
    Hung {
        /// How long was waited.
        deadline: Duration,
    },
    /// The child that looks for backends ended without a list.
    #[error("the process that looks for backends ended ({status}) and gave no list: {why}")]
    NoList {
        /// How it ended.
        status: String,
        /// What is wrong with what it wrote.
        why: String,
    },
}

/// Starts the backends that `wants` picks of all, at each thread count, and adds them to a fleet under their own names;
/// the others are there as absent. Where one of them runs on the host's CPU, those that probe its limits are started too.
///
/// # Errors
/// This binary does not start again, or its children do not say what there is. A backend whose own process does not come
/// up is absent, and why.
pub fn join(
    fleet: &mut Fleet,
    counts: &[Option<usize>],
    deadline: Duration,
    wants: &dyn Fn(&Listed, Option<&str>) -> bool,
) -> Result<(), IsolateError> {
    let exe = std::env::current_exe().map_err(|source| IsolateError::Start { exe: "farthing".into(), source })?;
    let mut known: Vec<Listed> = Vec::new();
    for &threads in counts {
        let listed = listed(&exe, threads, deadline)?;
        let first = listed.iter().find(|l| l.device.is_some()).map(|l| l.backend.clone());
        let wanted: Vec<bool> = listed.iter().map(|l| l.device.is_some() && wants(l, first.as_deref())).collect();
        let cpu = cpu_name();
        let on_cpu = |l: &Listed| l.device.as_deref() == Some(&cpu);
        let uses_cpu = listed.iter().zip(&wanted).any(|(l, wanted)| *wanted && on_cpu(l));
        for (entry, wanted) in listed.into_iter().zip(wanted) {
            // A device without threads to choose from is the same at each count.
            if known.contains(&entry) {
                continue;
            }
            let state = if wanted || (uses_cpu && on_cpu(&entry)) {
                started(&exe, &entry, threads, deadline)
            } else {
                State::Absent(entry.absent.clone().unwrap_or_else(|| "no word asks for it".into()))
            };
            fleet.add_as(entry.role, &entry.backend, state);
            known.push(entry);
        }
    }
    Ok(())
}

fn started(exe: &Path, entry: &Listed, threads: Option<usize>, deadline: Duration) -> State {
    let mut command = vec![exe.display().to_string(), "worker".into(), "--backend".into(), entry.backend.clone()];
    for (flag, value) in [("--device", entry.device.clone()), ("--threads", threads.map(|t| t.to_string()))] {
        command.extend(value.into_iter().map(|value| format!("{flag}={value}")));
    }
    match Worker::start(command, deadline) {
        Ok(worker) => State::Ready(Box::new(worker)),
        Err(error) => State::Absent(error.to_string()),
    }
}

/// Asks a child which backends there are.
fn listed(exe: &Path, threads: Option<usize>, deadline: Duration) -> Result<Vec<Listed>, IsolateError> {
    let mut command = Command::new(exe);
    command.args(["worker", "--list"]).args(threads.map(|threads| format!("--threads={threads}")));
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let start = |source| IsolateError::Start { exe: exe.to_owned(), source };
    let mut child = child.map_err(start)?;
    let mut stdout = child.stdout.take().ok_or_else(|| start(io::ErrorKind::BrokenPipe.into()))?;
    let (done, read) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        let outcome = stdout.read_to_string(&mut text).map(|_| text);
        // Whoever waited may have gone.
        let _ = done.send(outcome);
    });
    let Ok(text) = read.recv_timeout(deadline) else {
        // A child that has ended meanwhile needs no ending.
        let _ = child.kill().and_then(|()| child.wait());
        return Err(IsolateError::Hung { deadline });
    };
    let status = child.wait().map_err(start)?;
    let no_list = |why: String| IsolateError::NoList { status: status.to_string(), why };
    let lines = text.map_err(|error| no_list(error.to_string()))?;
    let parsed: Result<Vec<Listed>, _> = lines.lines().map(serde_json::from_str).collect();
    let listed = parsed.map_err(|error| no_list(error.to_string()))?;
    if status.success() { Ok(listed) } else { Err(no_list("its last words are above".into())) }
}
