//! Backends for tests: right ones, and every way to be wrong.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::sync::Mutex;
use std::time::Duration;

use farthing_kernels::backend::naive::Naive;
use farthing_kernels::backend::worker::ServeError;
use farthing_kernels::backend::{
    AnyBackend, Clock, DeviceError, DeviceInfo, Elapsed, Fidelity, Limits, LowerError, Lowered, Prepared, Probe,
    Unsupported, Work,
};
use farthing_kernels::problem::Problem;
use farthing_kernels::program::Program;
use farthing_kernels::tile::Tiling;

/// How a fake misbehaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Manner {
    Right,
    Zeros,
    Nan,
    /// Keeps giving the output of the first operands.
    Stale,
    /// Fails at its `n`-th timed call.
    FailsAt(usize),
    Panics,
    Unsupported,
    NoTime,
    Short,
}

/// The naive backend behind a manner; a launch takes a microsecond of a clock of its own.
pub(crate) struct Fake {
    manner: Manner,
    device: DeviceInfo,
    inner: Naive,
    /// Rate of `fma_f32` that a probe finds, where there is one.
    probed: Option<f64>,
}

impl Fake {
    pub(crate) fn new(manner: Manner) -> Fake {
        let device = DeviceInfo {
            backend: "fake".into(),
            device: "a double".into(),
            fidelity: Fidelity::Fake,
            threads: Some(1),
            details: BTreeMap::new(),
        };
        Fake { manner, device, inner: Naive::new(), probed: None }
    }

    /// With a probe that finds this rate of arithmetic, in flop/s.
    pub(crate) fn with_probe(self, per_second: f64) -> Fake {
        Fake { probed: Some(per_second), ..self }
    }

    /// Of another fidelity.
    pub(crate) fn with_fidelity(mut self, fidelity: Fidelity) -> Fake {
        self.device.fidelity = fidelity;
        self
    }
}

impl AnyBackend for Fake {
    fn device(&self) -> &DeviceInfo {
        &self.device
    }

    fn limits(&self) -> &Limits {
        AnyBackend::limits(&self.inner)
    }

    fn tilings(&self, problem: &Problem) -> Vec<Tiling> {
        AnyBackend::tilings(&self.inner, problem)
    }

    fn prepare<'a>(&'a self, program: &Program, sets: &[Vec<&[u8]>]) -> Result<Box<dyn Prepared + 'a>, LowerError> {
        match self.manner {
            Manner::Unsupported => {
                Err(Unsupported { what: "f32".into(), asked: "32 bits".into(), limit: "8 bits".into() }.into())
            }
            Manner::Panics => panic!("index out of bounds"),
            _ => {
                let inner = self.inner.prepare(program, sets)?;
                Ok(Box::new(Held { manner: self.manner, inner, calls: 0, first: Mutex::new(None) }))
            }
        }
    }

    fn probes(&self) -> Vec<Probe<'_>> {
        let run = |n| Ok(Elapsed { seconds: n as f64 * 1e-6, clock: Clock::HostWall });
        let probe = |per_second: f64| Probe {
            limit: "fma_f32".into(),
            threads: 1,
            work: Work::Flops,
            per_launch: per_second * 1e-6,
            run: Box::new(run),
        };
        self.probed.map(probe).into_iter().collect()
    }

    fn serve(&self, name: &str, requests: &mut dyn BufRead, answers: &mut dyn Write) -> Result<(), ServeError> {
        self.inner.serve(name, requests, answers)
    }
}

struct Held<'a> {
    manner: Manner,
    inner: Box<dyn Prepared + 'a>,
    calls: usize,
    first: Mutex<Option<Vec<u8>>>,
}

impl Prepared for Held<'_> {
    fn run(&mut self, n: u64) -> Result<Elapsed, DeviceError> {
        self.calls += 1;
        if self.manner == Manner::FailsAt(self.calls) {
            return Err(DeviceError::Lost("unplugged".into()));
        }
        // Criterion warms up by the host's clock: a launch must take some of it.
        std::thread::sleep(Duration::from_micros(n.min(2000)));
        let seconds = if self.manner == Manner::NoTime { 0.0 } else { n as f64 * 1e-6 };
        Ok(Elapsed { seconds, clock: Clock::HostWall })
    }

    fn replace(&mut self, set: usize, inputs: &[&[u8]]) -> Result<(), DeviceError> {
        self.inner.replace(set, inputs)
    }

    fn output_of(&mut self, set: usize) -> Result<Vec<u8>, DeviceError> {
        let mut output = self.inner.output_of(set)?;
        match self.manner {
            Manner::Zeros => output.fill(0),
            Manner::Nan => output[..4].fill(0xff),
            Manner::Short => output.truncate(4),
            Manner::Stale => {
                let mut first = self.first.lock().expect("one thread");
                output.clone_from(first.get_or_insert(output.clone()));
            }
            _ => {}
        }
        Ok(output)
    }

    fn read(&self) -> Result<Vec<u8>, DeviceError> {
        self.inner.read()
    }

    fn inputs_of(&self, set: usize) -> Result<Vec<Vec<u8>>, DeviceError> {
        self.inner.inputs_of(set)
    }

    fn lowered(&self) -> Lowered {
        Lowered { name: "fake/loops".into(), compute_limit: None }
    }

    fn generated_source(&self) -> Option<String> {
        None
    }
}
