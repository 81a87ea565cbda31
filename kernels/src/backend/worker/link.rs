//! The conversation with a worker: one question, one answer, in turn, each within the deadline.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::message::{Answer, Hello, Numbered, PROTOCOL, Request};
use super::process::Process;
use super::{WorkerError, message};
use crate::backend::{DeviceError, LowerError};

/// Times a worker that ends by itself is started, the first time among them. What it could do before stays possible,
/// and one that ends at every program ends the matter.
const MAX_STARTS: u32 = 4;

/// A worker's process, or why there is none.
#[derive(Debug)]
pub(super) struct Link {
    command: Vec<String>,
    deadline: Duration,
    state: Mutex<State>,
    freed: Mutex<Freed>,
}

#[derive(Debug)]
struct State {
    process: Result<Process, WorkerError>,
    hello: Hello,
    next_id: u64,
    /// How often it was started: names the process that handles belong to.
    generation: u32,
}

/// Handles that nobody holds any more. Dropping them must not wait for a worker: the next request frees them.
#[derive(Debug, Default)]
struct Freed {
    generation: u32,
    buffers: Vec<u64>,
    executables: Vec<u64>,
}

/// A handle of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handle {
    pub(super) generation: u32,
    pub(super) id: u64,
}

/// Who may answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// A process that knows nothing yet will do; one that ended is started again.
    Anyone,
    /// The process that runs, whichever it is; one that ended is not started again.
    Running,
    /// The process that this generation's handles belong to.
    Generation(u32),
}

impl Link {
    /// Starts the worker and greets it.
    pub(super) fn start(command: Vec<String>, deadline: Duration) -> Result<(Link, Hello), WorkerError> {
        let (process, hello) = greeted(&command, deadline)?;
        let state = State { process: Ok(process), hello: hello.clone(), next_id: 1, generation: 1 };
        Ok((Link { command, deadline, state: Mutex::new(state), freed: Mutex::default() }, hello))
    }

    /// Asks, and gives the answer with the bytes it brought and the generation that gave it.
    pub(super) fn ask<T: DeserializeOwned>(
        &self,
        to: To,
        request: Request,
        bytes: Vec<u8>,
        expected_bytes: u64,
    ) -> Result<(T, Vec<u8>, u32), LowerError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.ready(&mut state, to).map_err(DeviceError::from)?;
        let generation = state.generation;
        if let Some(free) = self.to_free(generation) {
            self.exchange(&mut state, free, Vec::new(), 0).map_err(DeviceError::from)?;
        }
        let asked = request.name();
        let (answer, came) = self.exchange(&mut state, request, bytes, expected_bytes).map_err(DeviceError::from)?;
        let value = outcome(answer)?;
        let answer = serde_json::from_value(value).map_err(|error| {
            let garbage = WorkerError::Garbage { asked, why: error.to_string(), said: String::new() };
            DeviceError::from(self.lost(&mut state, garbage))
        })?;
        Ok((answer, came, generation))
    }

    /// Remembers to free a buffer.
    pub(super) fn free_buffer(&self, handle: Handle) {
        self.freed(handle.generation).buffers.push(handle.id);
    }

    /// Remembers to free an executable.
    pub(super) fn free_executable(&self, handle: Handle) {
        self.freed(handle.generation).executables.push(handle.id);
    }

    /// The list of a generation; those of an earlier process went with it.
    fn freed(&self, generation: u32) -> std::sync::MutexGuard<'_, Freed> {
        let mut freed = self.freed.lock().unwrap_or_else(PoisonError::into_inner);
        if freed.generation < generation {
            *freed = Freed { generation, ..Freed::default() };
        }
        freed
    }

    fn to_free(&self, generation: u32) -> Option<Request> {
        let mut freed = self.freed.lock().unwrap_or_else(PoisonError::into_inner);
        let Freed { generation: of, buffers, executables } = std::mem::take(&mut *freed);
        let any = of == generation && !(buffers.is_empty() && executables.is_empty());
        any.then_some(Request::Free { buffers, executables })
    }

    /// Makes sure that the process that may answer is there.
    fn ready(&self, state: &mut State, to: To) -> Result<(), WorkerError> {
        match (&state.process, to) {
            (Ok(_), To::Anyone | To::Running) => Ok(()),
            (Ok(_), To::Generation(generation)) if generation == state.generation => Ok(()),
            (Ok(_), To::Generation(_)) => {
                let status = "and was started again since".to_owned();
                Err(WorkerError::Ended { asked: "run", status, said: String::new() })
            }
            (Err(error), To::Anyone) if error.may_restart() => self.restart(state),
            (Err(error), _) => Err(error.clone()),
        }
    }

    fn restart(&self, state: &mut State) -> Result<(), WorkerError> {
        let Err(last) = &state.process else { return Ok(()) };
        if state.generation >= MAX_STARTS {
            let last = WorkerError::Exhausted { last: Box::new(last.clone()), starts: state.generation };
            state.process = Err(last.clone());
            return Err(last);
        }
        state.generation += 1;
        let (process, hello) = greeted(&self.command, self.deadline).inspect_err(|e| state.process = Err(e.clone()))?;
        if hello != state.hello {
            let named = |hello: &Hello| format!("{} on {}", hello.backend, hello.device);
            let changed = WorkerError::Changed { before: named(&state.hello), came: named(&hello) };
            state.process = Err(changed.clone());
            return Err(changed);
        }
        state.process = Ok(process);
        Ok(())
    }

    fn exchange(
        &self,
        state: &mut State,
        request: Request,
        bytes: Vec<u8>,
        expected_bytes: u64,
    ) -> Result<(Answer, Vec<u8>), WorkerError> {
        let id = state.next_id;
        state.next_id += 1;
        let process = state.process.as_mut().map_err(|error| error.clone())?;
        let answered = exchanged(process, id, request, bytes, expected_bytes, self.deadline);
        answered.map_err(|error| self.lost(state, error))
    }

    /// Ends the process for good, or until it is started again.
    fn lost(&self, state: &mut State, error: WorkerError) -> WorkerError {
        let error = match &mut state.process {
            Ok(process) => {
                process.kill();
                error.with_last_words(&process.last_words())
            }
            Err(_) => error,
        };
        state.process = Err(error.clone());
        error
    }
}

/// Starts a process and has it say who it is.
fn greeted(command: &[String], deadline: Duration) -> Result<(Process, Hello), WorkerError> {
    let mut process = Process::start(command)?;
    let request = Request::Hello { protocol: PROTOCOL };
    let greeting = exchanged(&mut process, 0, request, Vec::new(), 0, deadline).and_then(|(answer, _)| {
        let refused = |why: String| WorkerError::Hello { why };
        let value = outcome(answer).map_err(|error| refused(error.to_string()))?;
        serde_json::from_value::<Hello>(value).map_err(|error| refused(error.to_string()))?.checked()
    });
    match greeting {
        Ok(hello) => Ok((process, hello)),
        Err(error) => {
            process.kill();
            Err(error.with_last_words(&process.last_words()))
        }
    }
}

fn exchanged(
    process: &mut Process,
    id: u64,
    request: Request,
    bytes: Vec<u8>,
    expected_bytes: u64,
    deadline: Duration,
) -> Result<(Answer, Vec<u8>), WorkerError> {
    let asked = request.name();
    let garbage = |why: String| WorkerError::Garbage { asked, why, said: String::new() };
    // Numbers of a program are finite or the words `inf` and `-inf`: what is plain data becomes a line.
    let mut line = serde_json::to_vec(&Numbered { id, request }).map_err(|error| garbage(error.to_string()))?;
    line.push(b'\n');
    let (answer, came) = process.ask(asked, line, bytes, expected_bytes, deadline)?;
    if answer.id != id {
        return Err(WorkerError::OutOfTurn { asked: id, got: answer.id, said: String::new() });
    }
    if answer.ok.is_some() && came.len() as u64 != expected_bytes {
        let got = came.len() as u64;
        return Err(WorkerError::Size { expected: expected_bytes, got, said: String::new() });
    }
    Ok((answer, came))
}

/// What an answer says.
pub(super) fn outcome(answer: Answer) -> Result<serde_json::Value, LowerError> {
    match answer {
        Answer { unsupported: Some(unsupported), .. } => Err(unsupported.into()),
        Answer { failed: Some(message::Failed { message, source: Some(source_text) }), .. } => {
            Err(DeviceError::Compiler { log: message, source_text }.into())
        }
        Answer { failed: Some(message::Failed { message, source: None }), .. } => {
            Err(DeviceError::Driver(message).into())
        }
        Answer { ok: Some(value), .. } => Ok(value),
        Answer { .. } => Err(DeviceError::Driver("the answer holds neither ok, unsupported nor failed".into()).into()),
    }
}
