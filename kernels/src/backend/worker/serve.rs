//! The worker's side in Rust: one backend, asked over two streams, until the requests end.
//!
//! What a backend holds stays in a table under numbers that are never used twice. Its buffers are as long as the tensor,
//! so the guard behind it is kept beside it: a backend that writes too far ends this process, and not the asking one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{self, BufRead, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::message::{
    Allocated, Answer, Done, Failed, GUARD_BYTES, Hello, LoweredAs, PROTOCOL, ProbeAs, Probes, Request, Tilings,
};
use crate::backend::any::weights;
use crate::backend::{Backend, DeviceError, Elapsed, LowerError, Packed, Probe};
use crate::program::Program;

/// Why a worker stopped answering before its requests ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A stream failed.
    #[error("the worker's streams failed: {0}")]
    Stream(#[from] io::Error),
    /// A line that is no request: where the next one begins is unknown.
    #[error("no request of the worker protocol: {start:?} ({why})")]
    Request {
        /// How the line begins.
        start: String,
        /// What is wrong with it.
        why: String,
    },
}

/// Serves a backend under a name until the requests end.
pub(in crate::backend) fn serve<B: Backend>(
    backend: &B,
    name: &str,
    requests: &mut dyn BufRead,
    answers: &mut dyn Write,
) -> Result<(), ServeError> {
    let mut session = Session::new(backend, name);
    while let Some((id, value, bytes)) = next_request(requests)? {
        let outcome =
            Request::deserialize(value).map_err(|error| refused(&error)).and_then(|r| session.answer(r, bytes));
        let (answer, body) = answer_of(id, outcome);
        let mut line = serde_json::to_vec(&answer).map_err(io::Error::from)?;
        line.push(b'\n');
        answers.write_all(&line)?;
        answers.write_all(&body)?;
        answers.flush()?;
    }
    Ok(())
}

/// What tells where a request ends and whose answer it wants.
#[derive(Deserialize)]
struct Envelope {
    id: u64,
    #[serde(default)]
    bytes: u64,
}

/// A request with its number and the bytes behind it; none at the end of the stream.
fn next_request(requests: &mut dyn BufRead) -> Result<Option<(u64, Value, Vec<u8>)>, ServeError> {
    let mut line = Vec::new();
    if requests.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    let none = |error: serde_json::Error| {
        let start = String::from_utf8_lossy(&line).trim_end().chars().take(80).collect();
        ServeError::Request { start, why: error.to_string() }
    };
    let value: Value = serde_json::from_slice(&line).map_err(none)?;
    let Envelope { id, bytes } = Envelope::deserialize(&value).map_err(none)?;
    let mut body = Vec::new();
    // Memory is taken as bytes arrive: a length alone costs nothing.
    if requests.take(bytes).read_to_end(&mut body)? as u64 != bytes {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(Some((id, value, body)))
}

/// What a request is answered with.
type Outcome = Result<(Value, Vec<u8>), LowerError>;

fn answer_of(id: u64, outcome: Outcome) -> (Answer, Vec<u8>) {
    let failed = |message, source| Answer { id, failed: Some(Failed { message, source }), ..Answer::default() };
    let answer = match outcome {
        Ok((value, body)) => {
            return (Answer { id, bytes: body.len() as u64, ok: Some(value), ..Answer::default() }, body);
        }
        Err(LowerError::Unsupported(why)) => Answer { id, unsupported: Some(why), ..Answer::default() },
        Err(LowerError::Device(DeviceError::Compiler { log, source_text })) => failed(log, Some(source_text)),
        // The asking side says `driver` in front of what failed.
        Err(LowerError::Device(DeviceError::Driver(text))) => failed(text, None),
        Err(LowerError::Device(error)) => failed(error.to_string(), None),
    };
    (answer, Vec::new())
}

fn refused(why: &dyn std::fmt::Display) -> LowerError {
    DeviceError::Driver(format!("the worker cannot answer this request: {why}")).into()
}

/// An answer without bytes.
fn plain(answer: impl Serialize) -> Outcome {
    let value = serde_json::to_value(answer).map_err(|error| refused(&error))?;
    Ok((value, Vec::new()))
}

/// Calls into the backend. A panic there fails this request, as in a process that holds the backend itself.
fn guarded<T, E: Into<LowerError>>(call: impl FnOnce() -> Result<T, E>) -> Result<T, LowerError> {
    let caught = catch_unwind(AssertUnwindSafe(|| call().map_err(Into::into)));
    caught.unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Err(DeviceError::Driver(format!("the backend panicked: {text}")).into())
    })
}

/// Memory of the backend, and the guard that is said to lie behind it.
struct Held<T> {
    buffer: T,
    bytes: usize,
    guard: Vec<u8>,
}

/// A lowered program, and which of its inputs are weights.
struct Executable<E> {
    exe: E,
    weights: Vec<usize>,
}

/// Which weight of which executable a buffer holds.
type WeightOf = (u64, usize, u64);

/// What a conversation holds.
struct Session<'b, B: Backend> {
    backend: &'b B,
    name: &'b str,
    buffers: HashMap<u64, Held<B::Buffer>>,
    executables: HashMap<u64, Executable<B::Executable>>,
    /// Weights as launches take them, until their buffer is uploaded again or gone; none where they stay as they are.
    packed: HashMap<WeightOf, Option<Packed<B::Buffer>>>,
    /// Built when they are asked for, and dropped when something else is: they hold memory.
    probes: Vec<Probe<'b>>,
    next_id: u64,
}

impl<'b, B: Backend> Session<'b, B> {
    fn new(backend: &'b B, name: &'b str) -> Session<'b, B> {
        let (buffers, executables, packed) = (HashMap::new(), HashMap::new(), HashMap::new());
        Session { backend, name, buffers, executables, packed, probes: Vec::new(), next_id: 1 }
    }

    fn answer(&mut self, request: Request, bytes: Vec<u8>) -> Outcome {
        if !matches!(request, Request::Probes | Request::Probe { .. }) {
            self.probes.clear();
        }
        let backend = self.backend;
        match request {
            Request::Hello { protocol } => self.hello(protocol),
            Request::Tilings { problem } => {
                plain(Tilings { tilings: guarded(|| Ok::<_, DeviceError>(backend.tilings(&problem)))? })
            }
            Request::Lower { program } => self.lower(&program),
            Request::Alloc { size } => self.alloc(size),
            Request::Upload { buffer, .. } => self.upload(buffer, &bytes),
            Request::Download { buffer } => self.download(buffer),
            Request::Run { executable, launches, inputs, output } => {
                plain(self.run(executable, launches, &inputs, output)?)
            }
            Request::Free { buffers, executables } => {
                buffers.iter().for_each(|id| drop(self.buffers.remove(id)));
                executables.iter().for_each(|id| drop(self.executables.remove(id)));
                self.packed.retain(|(exe, _, buffer), _| !executables.contains(exe) && !buffers.contains(buffer));
                plain(Done {})
            }
            Request::Probes => plain(Probes { probes: self.probes()?.iter().map(ProbeAs::of).collect() }),
            Request::Probe { index, launches } => self.probe(index, launches),
        }
    }

    fn hello(&self, protocol: u32) -> Outcome {
        if protocol != PROTOCOL {
            return Err(refused(&format!("it speaks protocol {PROTOCOL}, and was asked for {protocol}")));
        }
        plain(Hello::of(self.name, self.backend.device(), self.backend.limits()))
    }

    fn number(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }

    fn lower(&mut self, program: &Program) -> Outcome {
        let exe = guarded(|| self.backend.lower(program))?;
        let (lowered, source) = (self.backend.lowered(&exe), self.backend.generated_source(&exe).map(str::to_owned));
        let executable = self.number();
        self.executables.insert(executable, Executable { exe, weights: weights(program) });
        plain(LoweredAs { executable, lowered, source })
    }

    fn alloc(&mut self, size: u64) -> Outcome {
        let least = || refused(&format!("size is {size}; a buffer has at least the {GUARD_BYTES} bytes of its guard"));
        let bytes = usize::try_from(size).ok().and_then(|size| size.checked_sub(GUARD_BYTES)).ok_or_else(least)?;
        let buffer = guarded(|| self.backend.alloc(bytes))?;
        let id = self.number();
        self.buffers.insert(id, Held { buffer, bytes, guard: vec![0; GUARD_BYTES] });
        plain(Allocated { buffer: id })
    }

    fn upload(&mut self, id: u64, src: &[u8]) -> Outcome {
        let held = self.buffers.get_mut(&id).ok_or_else(|| unknown("buffer", id))?;
        if src.len() != held.bytes + GUARD_BYTES {
            let (came, wanted) = (src.len(), held.bytes + GUARD_BYTES);
            return Err(refused(&format!("{came} bytes came for buffer {id} of {wanted}")));
        }
        let (bytes, guard) = src.split_at(held.bytes);
        self.packed.retain(|(.., buffer), _| *buffer != id);
        guarded(|| self.backend.upload(bytes, &mut held.buffer))?;
        held.guard = guard.to_vec();
        plain(Done {})
    }

    fn download(&mut self, id: u64) -> Outcome {
        let held = self.buffers.get(&id).ok_or_else(|| unknown("buffer", id))?;
        let mut bytes = vec![0; held.bytes];
        guarded(|| self.backend.download(&held.buffer, &mut bytes))?;
        bytes.extend(&held.guard);
        let (done, _) = plain(Done {})?;
        Ok((done, bytes))
    }

    fn run(&mut self, executable: u64, launches: u64, inputs: &[u64], output: u64) -> Result<Elapsed, LowerError> {
        if inputs.contains(&output) {
            return Err(refused(&format!("buffer {output} is an input and the output")));
        }
        self.pack(executable, inputs)?;
        let Executable { exe, .. } =
            self.executables.get(&executable).ok_or_else(|| unknown("executable", executable))?;
        let mut result = self.buffers.remove(&output).ok_or_else(|| unknown("buffer", output))?;
        let of = |(input, id): (usize, &u64)| {
            let packed = self.packed.get(&(executable, input, *id)).and_then(Option::as_ref);
            let given = || self.buffers.get(id).map(|held| &held.buffer).ok_or_else(|| unknown("buffer", *id));
            packed.map_or_else(given, |packed| Ok(&packed.buffer))
        };
        let ran = inputs
            .iter()
            .enumerate()
            .map(of)
            .collect::<Result<Vec<_>, _>>()
            .and_then(|inputs| guarded(|| self.backend.run(exe, launches, &inputs, &mut result.buffer)));
        self.buffers.insert(output, result);
        ran
    }

    /// Prepares the weights among the inputs of a launch, outside of its time.
    fn pack(&mut self, executable: u64, inputs: &[u64]) -> Result<(), LowerError> {
        let Executable { exe, weights } =
            self.executables.get(&executable).ok_or_else(|| unknown("executable", executable))?;
        for input in weights {
            let Some(id) = inputs.get(*input) else { continue };
            let held = self.buffers.get(id).ok_or_else(|| unknown("buffer", *id))?;
            if let Entry::Vacant(entry) = self.packed.entry((executable, *input, *id)) {
                entry.insert(guarded(|| self.backend.pack(exe, *input, &held.buffer))?);
            }
        }
        Ok(())
    }

    /// The probes, built where they are not there.
    fn probes(&mut self) -> Result<&mut Vec<Probe<'b>>, LowerError> {
        if self.probes.is_empty() {
            self.probes = guarded(|| Ok::<_, DeviceError>(self.backend.probes()))?;
        }
        Ok(&mut self.probes)
    }

    fn probe(&mut self, index: usize, launches: u64) -> Outcome {
        let probe = self.probes()?.get_mut(index).ok_or_else(|| unknown("probe", index as u64))?;
        plain(guarded(|| (probe.run)(launches))?)
    }
}

fn unknown(what: &str, id: u64) -> LowerError {
    refused(&format!("there is no {what} {id}"))
}

#[cfg(test)]
mod tests;
