//! What a device must offer to run tile programs, and what the harness sees of it.
//!
//! [`Backend`] is what an author implements: typed, small. [`AnyBackend`] is what the harness and the conformance suite
//! hold: object-safe, implemented for every `Backend` by a blanket impl that uploads once, so that a timed run moves no
//! operands. `backend/null.rs` is the template to copy.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::program::Program;
use crate::tile::Tiling;

mod any;
pub mod cpu;
mod error;
#[cfg(feature = "gpu")]
pub mod gpu;
mod group;
pub mod host;
pub mod interp;
pub mod naive;
pub mod neuron;
pub mod null;
pub mod registry;
pub mod symptom;
pub mod worker;

pub use any::{AnyBackend, Prepared};
pub use error::{DeviceError, LowerError, Unsupported};

/// What stands behind a device's results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fidelity {
    /// The hardware the device names.
    Hardware,
    /// A driver that runs on the CPU in place of the hardware its interface stands for.
    Software,
    /// A simulator or a replay.
    Simulated,
    /// A test double.
    Fake,
}

/// The clock behind an [`Elapsed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    /// Host monotonic clock around the launches and the final wait.
    #[serde(rename = "wall")]
    HostWall,
    /// The device's own timestamps around the launches.
    #[serde(rename = "device")]
    DeviceTimestamp,
    /// A model's prediction.
    Simulated,
}

/// Time that launches took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Elapsed {
    /// Seconds for all launches of a call.
    pub seconds: f64,
    /// Which clock said so.
    pub clock: Clock,
}

/// An input in a form of a backend's own.
#[derive(Clone, Debug)]
pub struct Packed<B> {
    /// What launches take in its place.
    pub buffer: B,
    /// Bytes it takes.
    pub bytes: usize,
    /// Time that making it took.
    pub elapsed: Elapsed,
}

/// What preparing the weights of a program took, apart from its launches.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Packing {
    /// Bytes that they take in the backend's form.
    pub bytes: usize,
    /// Seconds that making it took.
    pub seconds: f64,
}

/// What a results row prints of a device.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceInfo {
    /// Backend family in rows and on the command line: `cpu`, `gpu`.
    pub backend: String,
    /// The device's own name.
    pub device: String,
    /// What stands behind its results.
    pub fidelity: Fidelity,
    /// Worker threads; none where the notion has no meaning.
    pub threads: Option<usize>,
    /// Driver, instruction set, versions: what a reader needs to judge a row. What stands under `caution` is printed
    /// with every row as a warning.
    pub details: BTreeMap<String, String>,
}

/// What a device can hold and how exactly it computes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of the largest buffer; none where only memory bounds it.
    pub max_buffer_bytes: Option<u64>,
    /// Relative error of `exp2` for results that are normal numbers.
    pub exp2_error: f64,
    /// Relative error of `tanh`, `rsqrt`, `log2` and division.
    pub function_error: f64,
}

/// What a program became: named in rows, built from what was lowered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lowered {
    /// Kernel, dtype and strategy: `matmul/f32/avx512_14x32`.
    pub name: String,
    /// Name of the [`Probe`] whose limit bounds the arithmetic, for example `fma_f32`; none where no probe fits.
    pub compute_limit: Option<String>,
}

/// A device that runs tile programs. Programs are verified: do not check them again.
#[diagnostic::on_unimplemented(note = "copy backend/null.rs, then run the conformance suite")]
pub trait Backend: Send + Sync + 'static {
    /// Device memory, freed on drop.
    type Buffer: Send + 'static;
    /// A program lowered for this device.
    type Executable: Send + Sync + 'static;

    /// What the results row prints.
    fn device(&self) -> &DeviceInfo;

    /// Read from the device.
    fn limits(&self) -> &Limits;

    /// Tilings worth trying for a problem, the best guess first; empty where the device runs no such problem.
    fn tilings(&self, problem: &Problem) -> Vec<Tiling>;

    /// Memory for `bytes` bytes, contents undefined.
    ///
    /// # Errors
    /// The device has no room or allows no such buffer.
    fn alloc(&self, bytes: usize) -> Result<Self::Buffer, DeviceError>;

    /// Copies from the host; `src` is as long as the buffer.
    ///
    /// # Errors
    /// The device failed.
    fn upload(&self, src: &[u8], dst: &mut Self::Buffer) -> Result<(), DeviceError>;

    /// Copies to the host; `dst` is as long as the buffer.
    ///
    /// # Errors
    /// The device failed.
    fn download(&self, src: &Self::Buffer, dst: &mut [u8]) -> Result<(), DeviceError>;

    /// Turns a program into something this device runs.
    ///
    /// # Errors
    /// [`Unsupported`] with what was asked and the limit, or a failure of the device's compiler.
    fn lower(&self, program: &Program) -> Result<Self::Executable, LowerError>;

    /// What the program became.
    fn lowered(&self, exe: &Self::Executable) -> Lowered;

    /// Prepares input `input` in a form of this backend's own, for `exe` alone: launches then get that buffer in place of
    /// `given`. Weights ([`Role::Weight`](crate::program::Role::Weight)) are asked for once after each upload; none where
    /// a launch takes them as they are.
    ///
    /// # Errors
    /// The device failed, or has no room.
    fn pack(
        &self,
        exe: &Self::Executable,
        input: usize,
        given: &Self::Buffer,
    ) -> Result<Option<Packed<Self::Buffer>>, DeviceError> {
        let _ = (exe, input, given);
        Ok(None)
    }

    /// Launches `n` times back to back and blocks until `output` is written. The time covers the device work alone.
    ///
    /// # Errors
    /// The device failed.
    fn run(
        &self,
        exe: &Self::Executable,
        n: u64,
        inputs: &[&Self::Buffer],
        output: &mut Self::Buffer,
    ) -> Result<Elapsed, DeviceError>;

    /// The limits that this device can be measured against, each as something to run.
    fn probes(&self) -> Vec<Probe<'_>> {
        Vec::new()
    }

    /// Text that the device's compiler got, for listings and golden tests.
    fn generated_source<'e>(&self, _exe: &'e Self::Executable) -> Option<&'e str> {
        None
    }
}

/// What a [`Probe`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// Floating-point operations; 1 multiply-add = 2.
    Flops,
    /// Bytes read.
    Bytes,
}

/// A limit of a device as something to run: the harness times it and keeps the best rate.
pub struct Probe<'b> {
    /// Name of the limit: `fma_f32`, `dot_bf16`, `read_l2`, `read_mem`, ...
    pub limit: String,
    /// Threads that take part.
    pub threads: usize,
    /// What is counted.
    pub work: Work,
    /// Work of one launch.
    pub per_launch: f64,
    /// Launches `n` times back to back.
    pub run: Box<dyn FnMut(u64) -> Result<Elapsed, DeviceError> + Send + 'b>,
}

impl std::fmt::Debug for Probe<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Probe").field("limit", &self.limit).field("threads", &self.threads).finish_non_exhaustive()
    }
}
