#![doc = include_str!("../../docs/worker-protocol.md")]

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::{Backend, DeviceError, DeviceInfo, Elapsed, Limits, LowerError, Lowered, Probe};
use crate::problem::Problem;
use crate::program::Program;
use crate::tile::Tiling;

mod answer;
mod error;
mod link;
mod message;
mod process;
mod serve;

pub use answer::answers;
pub use error::WorkerError;
pub use message::{GUARD_BYTES, MAX_LINE_BYTES, PROTOCOL};
pub use serve::ServeError;
pub(super) use serve::serve;

use link::{Handle, Link, To};
use message::{Allocated, Done, LoweredAs, Probes, Request, Tilings};

/// What the guard of a buffer holds.
const GUARD: [u8; GUARD_BYTES] = [0xa5; GUARD_BYTES];

/// How long an answer may take unless the caller says otherwise: compilers take a minute, nothing that is worth waiting
/// for takes two.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// A device behind another process.
#[derive(Debug)]
pub struct Worker {
    link: Arc<Link>,
    device: DeviceInfo,
    limits: Limits,
}

/// Memory of a worker; freed on drop, by the next request.
#[derive(Debug)]
pub struct Buffer {
    link: Arc<Link>,
    handle: Handle,
    bytes: usize,
    is_filled: bool,
}

/// A program that a worker lowered.
#[derive(Debug)]
pub struct Executable {
    link: Arc<Link>,
    handle: Handle,
    lowered: Lowered,
    source: Option<String>,
}

impl Worker {
    /// Starts a command (a program and its arguments) and greets it. Each answer must come within `deadline`.
    ///
    /// # Errors
    /// It cannot be started, does not answer, or says of itself what cannot be used.
    pub fn start(command: Vec<String>, deadline: Duration) -> Result<Worker, WorkerError> {
        let details = [("worker".to_owned(), shown(&command)), ("protocol".to_owned(), PROTOCOL.to_string())];
        let (link, hello) = Link::start(command, deadline)?;
        let mut device = DeviceInfo {
            backend: hello.backend,
            device: hello.device,
            fidelity: hello.fidelity,
            threads: hello.threads,
            details: hello.details,
        };
        device.details.extend(details);
        Ok(Worker { link: Arc::new(link), device, limits: hello.limits })
    }

    /// A request about what a generation of the worker holds, answered without bytes.
    fn ask<T: DeserializeOwned>(&self, to: To, request: Request) -> Result<T, DeviceError> {
        self.link.ask(to, request, Vec::new(), 0).map(|(answer, _, _)| answer).map_err(of_device)
    }
}

/// Only a program can be unsupported.
fn of_device(error: LowerError) -> DeviceError {
    match error {
        LowerError::Device(error) => error,
        LowerError::Unsupported(why) => {
            DeviceError::Driver(format!("unsupported, and no program was asked for: {why}"))
        }
    }
}

impl Buffer {
    /// Bytes of the buffer on the worker's side.
    fn guarded_bytes(&self) -> u64 {
        (self.bytes + GUARD_BYTES) as u64
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.link.free_buffer(self.handle);
    }
}

impl Drop for Executable {
    fn drop(&mut self) {
        self.link.free_executable(self.handle);
    }
}

impl Backend for Worker {
    type Buffer = Buffer;
    type Executable = Executable;

    fn device(&self) -> &DeviceInfo {
        &self.device
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What the worker offers. One that is lost offers the whole problem as one tile: lowering it says why it is lost.
    fn tilings(&self, problem: &Problem) -> Vec<Tiling> {
        let offered = self.ask::<Tilings>(To::Anyone, Request::Tilings { problem: problem.clone() });
        offered.map_or_else(
            |_| vec![Tiling::whole(problem)],
            // A tile of nothing cuts nothing.
            |answer| answer.tilings.into_iter().filter(|tiling| !tiling.has_zero()).collect(),
        )
    }

    fn alloc(&self, bytes: usize) -> Result<Buffer, DeviceError> {
        if self.limits.max_buffer_bytes.is_some_and(|most| bytes as u64 > most) {
            return Err(DeviceError::OutOfMemory { asked_bytes: bytes as u64, device: self.device.device.clone() });
        }
        let request = Request::Alloc { size: (bytes + GUARD_BYTES) as u64 };
        let answer = self.link.ask::<Allocated>(To::Running, request, Vec::new(), 0);
        let (Allocated { buffer: id }, _, generation) = answer.map_err(of_device)?;
        let handle = Handle { generation, id };
        Ok(Buffer { link: Arc::clone(&self.link), handle, bytes, is_filled: false })
    }

    fn upload(&self, src: &[u8], dst: &mut Buffer) -> Result<(), DeviceError> {
        let request = Request::Upload { buffer: dst.handle.id, bytes: dst.guarded_bytes() };
        let bytes = [src, &GUARD].concat();
        let answer = self.link.ask::<Done>(To::Generation(dst.handle.generation), request, bytes, 0);
        answer.map_err(of_device)?;
        dst.is_filled = true;
        Ok(())
    }

    fn download(&self, src: &Buffer, dst: &mut [u8]) -> Result<(), DeviceError> {
        let request = Request::Download { buffer: src.handle.id };
        let to = To::Generation(src.handle.generation);
        let answer = self.link.ask::<Done>(to, request, Vec::new(), src.guarded_bytes());
        let (_, came, _) = answer.map_err(of_device)?;
        let (bytes, guard) = came.split_at(src.bytes);
        let changed = guard.iter().zip(&GUARD).position(|(is, was)| is != was);
        if let (true, Some(at)) = (src.is_filled, changed) {
            return Err(DeviceError::Driver(format!(
                "the worker wrote out of bounds: byte {at} behind a buffer of {} bytes has changed",
                src.bytes
            )));
        }
        dst.copy_from_slice(bytes);
        Ok(())
    }

    fn lower(&self, program: &Program) -> Result<Executable, LowerError> {
        let request = Request::Lower { program: Box::new(program.clone()) };
        let (answer, _, generation) = self.link.ask::<LoweredAs>(To::Anyone, request, Vec::new(), 0)?;
        let LoweredAs { executable: id, lowered, source } = answer;
        Ok(Executable { link: Arc::clone(&self.link), handle: Handle { generation, id }, lowered, source })
    }

    fn lowered(&self, exe: &Executable) -> Lowered {
        exe.lowered.clone()
    }

    fn run(&self, exe: &Executable, n: u64, inputs: &[&Buffer], output: &mut Buffer) -> Result<Elapsed, DeviceError> {
        let Handle { generation, id } = exe.handle;
        let inputs = inputs.iter().map(|buffer| buffer.handle.id).collect();
        let request = Request::Run { executable: id, launches: n, inputs, output: output.handle.id };
        self.ask(To::Generation(generation), request)
    }

    fn probes(&self) -> Vec<Probe<'_>> {
        let Ok(Probes { probes }) = self.ask::<Probes>(To::Anyone, Request::Probes) else { return Vec::new() };
        let probe = |(index, probe): (usize, message::ProbeAs)| Probe {
            limit: probe.limit,
            threads: probe.threads,
            work: probe.work,
            per_launch: probe.per_launch,
            run: Box::new(move |launches| self.ask(To::Anyone, Request::Probe { index, launches })),
        };
        probes.into_iter().enumerate().map(probe).collect()
    }

    fn generated_source<'e>(&self, exe: &'e Executable) -> Option<&'e str> {
        exe.source.as_deref()
    }
}

/// A command as a person would type it.
fn shown(command: &[String]) -> String {
    command.join(" ").chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Ends every worker of this process at once: for the moment in which a signal ends it without unwinding.
pub fn end_all() {
    super::group::end_all();
}
