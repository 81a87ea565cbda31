//! A device in this process: the textbook loops, and something wrong with them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use farthing_kernels::backend::naive::Naive;
use farthing_kernels::backend::{
    Backend, Clock, DeviceError, DeviceInfo, Elapsed, Fidelity, Limits, LowerError, Lowered,
};
use farthing_kernels::problem::Problem;
use farthing_kernels::program::Program;
use farthing_kernels::tile::Tiling;

/// What is wrong.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Manner {
    Zeros,
    Nan,
    Previous,
    Mutates,
    /// Writes its output some time after it has returned.
    Late,
    /// Returns when its work is enqueued; reading waits for it.
    Enqueues,
    /// Says that a launch takes a nanosecond.
    Clock,
    /// Computes only what is listed.
    KnowsByHeart(BTreeSet<String>),
}

/// The device.
#[derive(Debug)]
pub(crate) struct Bad {
    manner: Manner,
    inner: Naive,
    device: DeviceInfo,
}

impl Bad {
    pub(crate) fn new(manner: Manner) -> Bad {
        let (backend, device) = ("bad".into(), "a bad device".into());
        let (fidelity, threads, details) = (Fidelity::Fake, Some(1), BTreeMap::new());
        Bad { manner, inner: Naive::new(), device: DeviceInfo { backend, device, fidelity, threads, details } }
    }
}

/// What tells problems apart.
pub(crate) fn key(program: &Program) -> String {
    format!("{:?}", program.problem())
}

/// Memory that a thread may write later, and the time until what is enqueued is done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    bytes: Arc<Mutex<Vec<u8>>>,
    pending: Arc<Mutex<Duration>>,
}

/// A problem, and the first output it had.
#[derive(Debug)]
pub(crate) struct Executable {
    problem: Problem,
    known: bool,
    first: Mutex<Option<Vec<u8>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Backend for Bad {
    type Buffer = Memory;
    type Executable = Executable;

    fn device(&self) -> &DeviceInfo {
        &self.device
    }

    fn limits(&self) -> &Limits {
        Backend::limits(&self.inner)
    }

    fn tilings(&self, problem: &Problem) -> Vec<Tiling> {
        Backend::tilings(&self.inner, problem)
    }

    fn alloc(&self, bytes: usize) -> Result<Memory, DeviceError> {
        let memory = Memory::default();
        lock(&memory.bytes).resize(bytes, 0);
        Ok(memory)
    }

    fn upload(&self, src: &[u8], dst: &mut Memory) -> Result<(), DeviceError> {
        lock(&dst.bytes).copy_from_slice(src);
        Ok(())
    }

    fn download(&self, src: &Memory, dst: &mut [u8]) -> Result<(), DeviceError> {
        thread::sleep(std::mem::take(&mut *lock(&src.pending)));
        dst.copy_from_slice(&lock(&src.bytes));
        Ok(())
    }

    fn lower(&self, program: &Program) -> Result<Executable, LowerError> {
        let known = if let Manner::KnowsByHeart(seen) = &self.manner { seen.contains(&key(program)) } else { true };
        Ok(Executable { problem: self.inner.lower(program)?, known, first: Mutex::default() })
    }

    fn lowered(&self, exe: &Executable) -> Lowered {
        self.inner.lowered(&exe.problem)
    }

    fn run(&self, exe: &Executable, n: u64, inputs: &[&Memory], output: &mut Memory) -> Result<Elapsed, DeviceError> {
        if self.manner == Manner::Enqueues {
            return self.enqueue(exe, n, inputs, output);
        }
        let mut result = vec![0; exe.problem.output().size_bytes()];
        let elapsed = self.compute(exe, n, inputs, &mut result)?;
        match self.manner {
            Manner::Zeros => result.fill(0),
            Manner::Nan => result[..4].fill(0xff),
            Manner::Previous => result = lock(&exe.first).get_or_insert(result).clone(),
            Manner::Mutates => lock(&inputs[0].bytes)[..4].fill(0),
            Manner::KnowsByHeart(_) if !exe.known => result.fill(0),
            Manner::Late => {
                let memory = output.clone();
                thread::spawn(move || {
                    thread::sleep(Duration::from_millis(10));
                    lock(&memory.bytes).copy_from_slice(&result);
                });
                return Ok(elapsed);
            }
            Manner::Clock => {
                lock(&output.bytes).copy_from_slice(&result);
                return Ok(Elapsed { seconds: n as f64 * 1e-9, clock: Clock::HostWall });
            }
            _ => {}
        }
        lock(&output.bytes).copy_from_slice(&result);
        Ok(elapsed)
    }
}

impl Bad {
    fn compute(
        &self,
        exe: &Executable,
        n: u64,
        inputs: &[&Memory],
        result: &mut Vec<u8>,
    ) -> Result<Elapsed, DeviceError> {
        let operands: Vec<Vec<u8>> = inputs.iter().map(|memory| lock(&memory.bytes).clone()).collect();
        self.inner.run(&exe.problem, n, &operands.iter().collect::<Vec<_>>(), result)
    }

    /// A microsecond of the host for each launch, and twenty of the device that the host does not wait for.
    fn enqueue(&self, exe: &Executable, n: u64, inputs: &[&Memory], output: &Memory) -> Result<Elapsed, DeviceError> {
        let start = Instant::now();
        let mut result = vec![0; exe.problem.output().size_bytes()];
        self.compute(exe, 1, inputs, &mut result)?;
        lock(&output.bytes).copy_from_slice(&result);
        let enqueued = Instant::now();
        while enqueued.elapsed() < Duration::from_micros(n) {
            std::hint::spin_loop();
        }
        *lock(&output.pending) = Duration::from_micros(20 * n);
        Ok(Elapsed { seconds: start.elapsed().as_secs_f64(), clock: Clock::HostWall })
    }
}
