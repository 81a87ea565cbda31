//! Backends for the command under test: the CPU's, and what is planted in it.

use farthing::measure::sampler::HostClock;
use farthing_kernels::backend::cpu::Cpu;
use farthing_kernels::backend::registry::{Options, Registry, State};
use farthing_kernels::backend::{Backend, DeviceError, DeviceInfo, Elapsed, Limits, LowerError, Lowered, Probe};
use farthing_kernels::problem::Problem;
use farthing_kernels::program::Program;
use farthing_kernels::tile::Tiling;

/// Rows of the output at which a backend shows its manner.
const AT_ROWS: usize = 13;

/// What is planted.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    Right,
    /// Every launch takes this part of itself longer.
    Slower(f64),
    /// Ends its process as a failed assertion in C does, at one case.
    Aborts,
    /// Never answers, at one case.
    Hangs,
    /// Writes to standard output, as drivers do.
    Prints,
}

/// The backends by name.
const NAMED: [(&str, Manner); 8] = [
    ("right", Manner::Right),
    ("same", Manner::Right),
    ("slower-by-1", Manner::Slower(0.01)),
    ("slower-by-3", Manner::Slower(0.03)),
    ("slower-by-100", Manner::Slower(1.0)),
    ("aborts", Manner::Aborts),
    ("hangs", Manner::Hangs),
    ("prints", Manner::Prints),
];

/// The registry of the command under test.
pub(crate) fn registry(options: &Options) -> Registry {
    let mut registry = Registry::default();
    for (name, manner) in NAMED {
        let state = match Cpu::new(options.threads) {
            Ok(cpu) => State::Ready(Box::new(Planted { manner, cpu })),
            Err(error) => State::Absent(error.to_string()),
        };
        registry.add(name, state);
    }
    registry
}

/// The CPU, and what is wrong with it.
#[derive(Debug)]
struct Planted {
    manner: Manner,
    cpu: Cpu,
}

/// A program, and whether it is the case at which a backend shows its manner.
#[derive(Debug)]
struct Executable {
    lowered: <Cpu as Backend>::Executable,
    shows: bool,
}

impl Backend for Planted {
    type Buffer = <Cpu as Backend>::Buffer;
    type Executable = Executable;

    fn device(&self) -> &DeviceInfo {
        Backend::device(&self.cpu)
    }

    fn limits(&self) -> &Limits {
        Backend::limits(&self.cpu)
    }

    fn tilings(&self, problem: &Problem) -> Vec<Tiling> {
        Backend::tilings(&self.cpu, problem)
    }

    fn alloc(&self, bytes: usize) -> Result<Self::Buffer, DeviceError> {
        self.cpu.alloc(bytes)
    }

    fn upload(&self, src: &[u8], dst: &mut Self::Buffer) -> Result<(), DeviceError> {
        self.cpu.upload(src, dst)
    }

    fn download(&self, src: &Self::Buffer, dst: &mut [u8]) -> Result<(), DeviceError> {
        self.cpu.download(src, dst)
    }

    fn lower(&self, program: &Program) -> Result<Executable, LowerError> {
        let shows = program.tensor(program.output()).n_rows() == AT_ROWS;
        Ok(Executable { lowered: self.cpu.lower(program)?, shows })
    }

    fn lowered(&self, exe: &Executable) -> Lowered {
        self.cpu.lowered(&exe.lowered)
    }

    fn run(
        &self,
        exe: &Executable,
        n: u64,
        inputs: &[&Self::Buffer],
        output: &mut Self::Buffer,
    ) -> Result<Elapsed, DeviceError> {
        match self.manner {
            Manner::Aborts if exe.shows => abort(),
            Manner::Hangs if exe.shows => loop {
                std::thread::park();
            },
            Manner::Prints => println!("a driver says hello"),
            _ => {}
        }
        let elapsed = self.cpu.run(&exe.lowered, n, inputs, output)?;
        let Manner::Slower(by) = self.manner else { return Ok(elapsed) };
        let more = HostClock::start();
        while more.seconds() < by * elapsed.seconds {
            std::hint::spin_loop();
        }
        Ok(Elapsed { seconds: elapsed.seconds + more.seconds(), ..elapsed })
    }

    fn probes(&self) -> Vec<Probe<'_>> {
        Backend::probes(&self.cpu)
    }
}

#[expect(clippy::disallowed_methods, reason = "what is tested is that a process ends so")]
fn abort() -> ! {
    std::process::abort()
}
