//! GPUs, through wgpu: Vulkan, Metal, Direct3D 12.
//!
//! A program becomes one WGSL compute shader a stage (`gpu/wgsl.rs`); stages run in order in one pass. A driver that runs on
//! the CPU is a device too, of [`Fidelity::Software`](super::Fidelity): it proves shaders, and compares them with one
//! another, but says nothing of a GPU's speed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::registry::State;
use super::{Backend, DeviceError, DeviceInfo, Elapsed, Limits, LowerError, Lowered, Probe, Unsupported};
use crate::problem::Problem;
use crate::program::{Program, TensorId};
use crate::tile::Tiling;

mod buffer;
mod device;
mod launch;
mod naive;
mod probe;
mod tilings;
mod wgsl;

pub use buffer::Buffer;
pub use device::Adapter;
pub use naive::Naive;

use device::Context;
use launch::{Kernel, Pace};
use wgsl::{Caps, Manner};

/// What to do where there is no device.
const REMEDY: &str =
    "no Vulkan, Metal or Direct3D 12 device; install the vendor's driver, or mesa-vulkan-drivers for a software device";

/// How the threads of a workgroup share values: chosen by the device unless told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// Between the lanes of a workgroup that is one subgroup.
    Lanes,
    /// Straight from storage.
    Direct,
    /// Through workgroup memory.
    Staged,
    /// The same, and products of 16-bit floats by matrix units.
    Fragments,
}

/// A GPU that runs tile programs.
#[derive(Clone, Debug)]
pub struct Gpu {
    context: Arc<Context>,
    caps: Caps,
}

impl Gpu {
    /// The GPUs of this machine.
    pub fn adapters() -> Vec<Adapter> {
        Adapter::all()
    }

    /// Opens a GPU.
    ///
    /// # Errors
    /// The driver refused.
    pub fn open(adapter: &Adapter) -> Result<Gpu, DeviceError> {
        let context = Arc::new(Context::open(adapter)?);
        Ok(Gpu { caps: context.caps.clone(), context })
    }

    /// The same device with another strategy.
    ///
    /// # Errors
    /// [`Unsupported`] where the device's subgroups have no single size, or do not multiply matrices.
    pub fn with_strategy(&self, strategy: Strategy) -> Result<Gpu, Unsupported> {
        let manner = match (strategy, self.context.lanes) {
            (Strategy::Lanes, Some(lanes)) => Manner::Lanes(lanes),
            (Strategy::Lanes, None) => {
                let limit = self.context.info.details.get("subgroup_size").cloned().unwrap_or_default();
                return Err(Unsupported { what: "subgroups".into(), asked: "one size".into(), limit });
            }
            (Strategy::Direct, _) => Manner::Direct,
            (Strategy::Staged | Strategy::Fragments, _) => Manner::Staged,
        };
        let fragment = match (strategy, self.context.fragment) {
            (Strategy::Fragments, None) => {
                let what = "products of matrices of f16 added to f32".into();
                return Err(Unsupported { what, asked: "8 × 8 × 8 or 16 × 16 × 16".into(), limit: "none".into() });
            }
            (Strategy::Fragments, fragment) => fragment,
            _ => None,
        };
        Ok(Gpu { context: Arc::clone(&self.context), caps: Caps { manner, fragment, ..self.caps.clone() } })
    }

    /// The naive kernels on the same device: what a lowering must beat.
    pub fn naive(&self) -> Naive {
        Naive::new(Arc::clone(&self.context))
    }

    fn scratch(&self, program: &Program) -> Result<BTreeMap<TensorId, Buffer>, DeviceError> {
        program.scratch().map(|id| Ok((id, self.context.alloc(program.tensor(id).size_bytes())?))).collect()
    }
}

/// Every GPU of this machine, and the naive kernels on each, as registry entries; one entry that says why where there
/// is none.
pub fn probe_all() -> Vec<(String, State)> {
    let adapters = Gpu::adapters();
    if adapters.is_empty() {
        return vec![("gpu".into(), State::Absent(REMEDY.into()))];
    }
    let mut entries = Vec::new();
    for adapter in &adapters {
        match Gpu::open(adapter) {
            Ok(gpu) => {
                let naive = gpu.naive();
                entries.push(("gpu".into(), State::Ready(Box::new(gpu))));
                entries.push(("naive".into(), State::Ready(Box::new(naive))));
            }
            Err(error) => entries.push(("gpu".into(), State::Absent(format!("{}: {error}", adapter.name())))),
        }
    }
    entries
}

/// A program lowered for a GPU.
#[derive(Debug)]
pub struct Executable {
    stages: Vec<(Kernel, Vec<TensorId>)>,
    scratch: BTreeMap<TensorId, Buffer>,
    inputs: Vec<TensorId>,
    source: String,
    name: String,
    by_matrix_units: bool,
    of_integers: bool,
    pace: Pace,
}

impl Backend for Gpu {
    type Buffer = Buffer;
    type Executable = Executable;

    fn device(&self) -> &DeviceInfo {
        &self.context.info
    }

    fn limits(&self) -> &Limits {
        &self.context.limits
    }

    fn tilings(&self, problem: &Problem) -> Vec<Tiling> {
        tilings::tilings(problem, &self.caps)
    }

    fn alloc(&self, bytes: usize) -> Result<Buffer, DeviceError> {
        self.context.alloc(bytes)
    }

    fn upload(&self, src: &[u8], dst: &mut Buffer) -> Result<(), DeviceError> {
        self.context.upload(src, dst)
    }

    fn download(&self, src: &Buffer, dst: &mut [u8]) -> Result<(), DeviceError> {
        self.context.download(&src.inner, dst)
    }

    fn lower(&self, program: &Program) -> Result<Executable, LowerError> {
        let mut stages = Vec::new();
        let mut sources = Vec::new();
        let mut strategies = Vec::new();
        let mut by_matrix_units = false;
        for at in 0..program.stages().len() {
            let code = wgsl::lower_stage(program, at, &self.caps)?;
            let kernel = self.context.kernel(&code.source, code.groups)?;
            by_matrix_units |= code.by_matrix_units;
            stages.push((kernel, code.bindings.iter().map(|(id, _)| *id).collect()));
            sources.push(code.source);
            strategies.push(code.strategy);
        }
        strategies.dedup();
        let dtype = program.inputs().next().map_or(crate::DType::F32, |id| program.tensor(id).dtype);
        Ok(Executable {
            stages,
            scratch: self.scratch(program)?,
            inputs: program.inputs().collect(),
            source: sources.join("\n// next stage\n"),
            name: format!("{}/{dtype}/wgsl_{}", program.name(), strategies.join("+")),
            by_matrix_units,
            of_integers: program.stages().iter().flat_map(|stage| &stage.tiles).any(|ty| ty.dtype == crate::DType::I32),
            pace: Pace::default(),
        })
    }

    fn lowered(&self, exe: &Executable) -> Lowered {
        let limit = match (exe.of_integers, exe.by_matrix_units) {
            (true, _) => "dot_i8",
            (false, true) => "mma_f16",
            (false, false) => "fma_f32",
        };
        Lowered { name: exe.name.clone(), compute_limit: Some(limit.into()) }
    }

    fn run(&self, exe: &Executable, n: u64, inputs: &[&Buffer], output: &mut Buffer) -> Result<Elapsed, DeviceError> {
        let buffer = |id: &TensorId| match exe.scratch.get(id) {
            Some(scratch) => &scratch.inner,
            None => exe.inputs.iter().position(|input| input == id).map_or(&output.inner, |i| &inputs[i].inner),
        };
        let stages = exe.stages.iter().map(|(kernel, bindings)| (kernel, bindings.iter().map(buffer).collect()));
        let launch = self.context.launch(stages)?;
        self.context.run(&launch, n, &exe.pace)
    }

    fn probes(&self) -> Vec<Probe<'_>> {
        probe::probes(&self.context)
    }

    fn generated_source<'e>(&self, exe: &'e Executable) -> Option<&'e str> {
        Some(&exe.source)
    }
}
