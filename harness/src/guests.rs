//! Backends that the user brings: workers in other processes, and replays of recorded runs.

use std::time::Duration;

use clap::{ArgGroup, Args};
use farthing_kernels::backend::AnyBackend;
use farthing_kernels::backend::registry::State;
use farthing_kernels::backend::worker::{DEADLINE, Worker};

use crate::replay::Replay;
use crate::session::Fleet;
use crate::store::{Results, StoreError};

/// Variable that names a worker's command where there are no words for it, as under `cargo bench`.
pub const WORKER_VARIABLE: &str = "FARTHING_WORKER";

/// Name under which a worker is listed that did not get as far as saying its own.
const NAMELESS: &str = "worker";

/// Words that put backends in other processes: a deadline is for these alone.
pub(crate) const APART: &str = "apart";

/// What the user brings.
#[derive(Args, Clone, Debug, Default, PartialEq)]
#[command(group = ArgGroup::new(APART).multiple(true))]
pub struct Guests {
    /// Command of a worker, a backend in a process of its own; it joins under the name that it gives itself [default:
    /// none; may be repeated]
    #[arg(long, value_name = "COMMAND", group = APART)]
    worker: Vec<String>,
    /// Seconds that a process with a backend has for each answer, compiling among them [default: 120]
    #[arg(long, value_name = "S", requires = APART)]
    deadline: Option<f64>,
    /// Run whose times are served again as SIMULATED ones, its backends under `replay-` and their names: a name, the
    /// beginning of one, or a file [default: none; may be repeated]
    #[arg(long, value_name = "RUN")]
    replay: Vec<String>,
}

/// Guests that cannot be asked in.
#[derive(Debug, thiserror::Error)]
pub enum GuestError {
    /// The deadline is no time.
    #[error("--deadline {0} is no time; give seconds above 0, for example --deadline 30")]
    Deadline(f64),
    /// The command is no list of words.
    #[error(
        "--worker `{0}`: a quote is not closed, or it is empty; write it as in a shell: --worker \"python3 my_worker.py\""
    )]
    Command(String),
    /// The run cannot be read.
    #[error(transparent)]
    Run(#[from] StoreError),
}

impl Guests {
    /// The worker that the environment names, if any.
    pub fn from_environment() -> Guests {
        Guests { worker: std::env::var(WORKER_VARIABLE).into_iter().collect(), ..Guests::default() }
    }

    /// Adds them to the fleet and returns the names under which they are there, ready or not.
    ///
    /// # Errors
    /// Words that make no sense, or a run that cannot be read. A worker that does not start is absent, and why.
    pub fn join(&self, fleet: &mut Fleet, results: &Results) -> Result<Vec<String>, GuestError> {
        let mut names = Vec::new();
        let deadline = self.deadline()?;
        for command in &self.worker {
            let words = shlex::split(command).filter(|words| !words.is_empty());
            let words = words.ok_or_else(|| GuestError::Command(command.clone()))?;
            let (name, state) = match Worker::start(words, deadline) {
                Ok(worker) => named(fleet, worker),
                Err(error) => (NAMELESS.to_owned(), State::Absent(error.to_string())),
            };
            fleet.add(&name, state);
            names.push(name);
        }
        for run in &self.replay {
            for (name, replay) in Replay::of(&results.run(run)?) {
                fleet.add(&name, State::Ready(Box::new(replay)));
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.worker.is_empty() && self.replay.is_empty()
    }

    /// How long a process with a backend has for an answer.
    ///
    /// # Errors
    /// It is no time.
    pub fn deadline(&self) -> Result<Duration, GuestError> {
        let Some(seconds) = self.deadline else { return Ok(DEADLINE) };
        let positive = Duration::try_from_secs_f64(seconds).ok().filter(|deadline| !deadline.is_zero());
        positive.ok_or(GuestError::Deadline(seconds))
    }
}

/// A worker under its own name, unless that is another's.
fn named(fleet: &Fleet, worker: Worker) -> (String, State) {
    let name = AnyBackend::device(&worker).backend.clone();
    if !fleet.names().contains(&name.as_str()) {
        return (name, State::Ready(Box::new(worker)));
    }
    let known = fleet.names().join(", ");
    let why = format!("the worker calls itself `{name}`, and that name is taken (known: {known}); it needs another");
    (NAMELESS.to_owned(), State::Absent(why))
}
