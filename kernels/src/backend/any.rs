//! The object-safe face of a backend.

use std::io::{BufRead, Write};

use super::worker::{self, ServeError};
use super::{Backend, DeviceError, DeviceInfo, Elapsed, Limits, LowerError, Lowered, Packed, Packing, Probe};
use crate::problem::Problem;
use crate::program::{Program, Role};
use crate::tile::Tiling;

/// What outputs are filled with before a launch that is checked: NaN in every floating-point type, −1 of integers.
pub(super) const POISON: u8 = 0xff;

/// A backend of any type: what the harness and the conformance suite hold.
pub trait AnyBackend: Send + Sync {
    /// What the results row prints.
    fn device(&self) -> &DeviceInfo;

    /// Read from the device.
    fn limits(&self) -> &Limits;

    /// Tilings worth trying for a problem, the best guess first.
    fn tilings(&self, problem: &Problem) -> Vec<Tiling>;

    /// Lowers a program and uploads its operands. Each of `sets` holds all inputs in calling order; a run rotates
    /// through the sets, which makes it cold when they are together larger than the caches. The output is filled with
    /// `0xff` bytes (NaN in every floating-point type), so that what a launch does not write cannot pass for a result.
    ///
    /// # Errors
    /// The program cannot be lowered, or the device has no room.
    ///
    /// # Panics
    /// When `sets` is empty, or a set does not hold one slice of the right length for each input.
    fn prepare<'a>(&'a self, program: &Program, sets: &[Vec<&[u8]>]) -> Result<Box<dyn Prepared + 'a>, LowerError>;

    /// The limits that this device can be measured against.
    fn probes(&self) -> Vec<Probe<'_>>;

    /// Answers requests of the [worker protocol](super::worker) under this name until they end: the side of a process
    /// that another one holds as a [`Worker`](super::worker::Worker).
    ///
    /// # Errors
    /// A stream failed, or a line is no request.
    fn serve(&self, name: &str, requests: &mut dyn BufRead, answers: &mut dyn Write) -> Result<(), ServeError>;
}

/// A lowered program with its operands on the device.
pub trait Prepared {
    /// Launches `n` times back to back, rotating through the operand sets.
    ///
    /// # Errors
    /// The device failed.
    fn run(&mut self, n: u64) -> Result<Elapsed, DeviceError>;

    /// Replaces the inputs of set `set` and poisons the output again.
    ///
    /// # Errors
    /// The device failed.
    ///
    /// # Panics
    /// When `inputs` does not hold one slice of the right length for each input.
    fn replace(&mut self, set: usize, inputs: &[&[u8]]) -> Result<(), DeviceError>;

    /// Runs set `set` once and copies its output to the host.
    ///
    /// # Errors
    /// The device failed.
    fn output_of(&mut self, set: usize) -> Result<Vec<u8>, DeviceError>;

    /// Copies the output to the host as it is, without a launch.
    ///
    /// # Errors
    /// The device failed.
    fn read(&self) -> Result<Vec<u8>, DeviceError>;

    /// Copies the inputs of set `set` back to the host.
    ///
    /// # Errors
    /// The device failed.
    fn inputs_of(&self, set: usize) -> Result<Vec<Vec<u8>>, DeviceError>;

    /// What preparing the weights of a set took; none where the backend launches with all inputs as they were given.
    fn packing(&self) -> Option<Packing> {
        None
    }

    /// What the program became.
    fn lowered(&self) -> Lowered;

    /// Text that the device's compiler got, where there is one.
    fn generated_source(&self) -> Option<String>;
}

impl<B: Backend> AnyBackend for B {
    fn device(&self) -> &DeviceInfo {
        Backend::device(self)
    }

    fn limits(&self) -> &Limits {
        Backend::limits(self)
    }

    fn tilings(&self, problem: &Problem) -> Vec<Tiling> {
        Backend::tilings(self, problem)
    }

    fn prepare<'a>(&'a self, program: &Program, sets: &[Vec<&[u8]>]) -> Result<Box<dyn Prepared + 'a>, LowerError> {
        assert!(!sets.is_empty(), "at least one set of operands");
        let sizes: Vec<usize> = program.inputs().map(|id| program.tensor(id).size_bytes()).collect();
        let output_bytes = program.tensor(program.output()).size_bytes();
        let exe = self.lower(program)?;
        let mut buffers = Vec::with_capacity(sets.len());
        for set in sets {
            assert_eq!(set.iter().map(|s| s.len()).collect::<Vec<_>>(), sizes, "one slice of the right size an input");
            buffers.push(uploaded(self, set)?);
        }
        let weights = weights(program);
        let output = self.alloc(output_bytes)?;
        let mut held = Held { backend: self, exe, sets: buffers, sizes, weights, output, output_bytes, next: 0 };
        (0..sets.len()).try_for_each(|set| held.pack(set))?;
        held.poison()?;
        Ok(Box::new(held))
    }

    fn probes(&self) -> Vec<Probe<'_>> {
        Backend::probes(self)
    }

    fn serve(&self, name: &str, requests: &mut dyn BufRead, answers: &mut dyn Write) -> Result<(), ServeError> {
        worker::serve(self, name, requests, answers)
    }
}

fn uploaded<B: Backend>(backend: &B, inputs: &[&[u8]]) -> Result<Vec<Operand<B::Buffer>>, DeviceError> {
    let upload = |bytes: &&[u8]| {
        let mut given = backend.alloc(bytes.len())?;
        backend.upload(bytes, &mut given)?;
        Ok(Operand { given, packed: None })
    };
    inputs.iter().map(upload).collect()
}

/// Positions of a program's weights among its inputs.
pub(super) fn weights(program: &Program) -> Vec<usize> {
    let inputs = program.inputs().enumerate();
    inputs.filter(|(_, id)| program.tensor(*id).role == Role::Weight).map(|(input, _)| input).collect()
}

/// An input on the device.
struct Operand<B> {
    given: B,
    /// What launches take in its place.
    packed: Option<Packed<B>>,
}

impl<B> Operand<B> {
    fn launched(&self) -> &B {
        self.packed.as_ref().map_or(&self.given, |packed| &packed.buffer)
    }
}

struct Held<'a, B: Backend> {
    backend: &'a B,
    exe: B::Executable,
    sets: Vec<Vec<Operand<B::Buffer>>>,
    sizes: Vec<usize>,
    weights: Vec<usize>,
    output: B::Buffer,
    output_bytes: usize,
    next: usize,
}

impl<B: Backend> Held<'_, B> {
    fn poison(&mut self) -> Result<(), DeviceError> {
        self.backend.upload(&vec![POISON; self.output_bytes], &mut self.output)
    }

    /// Prepares the weights of a set for launches.
    fn pack(&mut self, set: usize) -> Result<(), DeviceError> {
        for input in &self.weights {
            let operand = &mut self.sets[set][*input];
            // The old form goes first: there may be room for one alone.
            operand.packed = None;
            operand.packed = self.backend.pack(&self.exe, *input, &operand.given)?;
        }
        Ok(())
    }

    fn run_set(&mut self, set: usize, n: u64) -> Result<Elapsed, DeviceError> {
        let inputs: Vec<&B::Buffer> = self.sets[set].iter().map(Operand::launched).collect();
        self.backend.run(&self.exe, n, &inputs, &mut self.output)
    }
}

impl<B: Backend> Prepared for Held<'_, B> {
    fn run(&mut self, n: u64) -> Result<Elapsed, DeviceError> {
        if self.sets.len() == 1 {
            return self.run_set(0, n);
        }
        let mut total: Option<Elapsed> = None;
        for _ in 0..n {
            let one = self.run_set(self.next, 1)?;
            self.next = (self.next + 1) % self.sets.len();
            total = Some(Elapsed { seconds: total.map_or(0.0, |t| t.seconds) + one.seconds, ..one });
        }
        match total {
            Some(total) => Ok(total),
            None => self.run_set(0, 0),
        }
    }

    fn replace(&mut self, set: usize, inputs: &[&[u8]]) -> Result<(), DeviceError> {
        assert_eq!(
            inputs.iter().map(|s| s.len()).collect::<Vec<_>>(),
            self.sizes,
            "one slice of the right size an input"
        );
        for (operand, bytes) in self.sets[set].iter_mut().zip(inputs) {
            self.backend.upload(bytes, &mut operand.given)?;
        }
        self.pack(set)?;
        self.poison()
    }

    fn output_of(&mut self, set: usize) -> Result<Vec<u8>, DeviceError> {
        self.poison()?;
        self.run_set(set, 1)?;
        self.read()
    }

    fn read(&self) -> Result<Vec<u8>, DeviceError> {
        let mut bytes = vec![0; self.output_bytes];
        self.backend.download(&self.output, &mut bytes)?;
        Ok(bytes)
    }

    fn inputs_of(&self, set: usize) -> Result<Vec<Vec<u8>>, DeviceError> {
        let inputs = self.sets[set].iter().zip(&self.sizes);
        let copied = inputs.map(|(operand, size)| {
            let mut bytes = vec![0; *size];
            self.backend.download(&operand.given, &mut bytes)?;
            Ok(bytes)
        });
        copied.collect()
    }

    fn packing(&self) -> Option<Packing> {
        let packed: Vec<_> = self.sets.iter().flatten().filter_map(|operand| operand.packed.as_ref()).collect();
        let n_sets = self.sets.len();
        (!packed.is_empty()).then(|| Packing {
            bytes: packed.iter().map(|p| p.bytes).sum::<usize>() / n_sets,
            seconds: packed.iter().map(|p| p.elapsed.seconds).sum::<f64>() / n_sets as f64,
        })
    }

    fn lowered(&self) -> Lowered {
        self.backend.lowered(&self.exe)
    }

    fn generated_source(&self) -> Option<String> {
        self.backend.generated_source(&self.exe).map(str::to_owned)
    }
}
