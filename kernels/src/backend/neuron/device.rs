//! The backend: one logical NeuronCore, one route to its kernels.
//!
//! There is no fallback. What a program's NEFF gives on the core is the result; where any step fails, so does the case.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::bind::Binding;
use super::compile::NeffCache;
use super::machine::Machine;
use super::nrt::{DeviceClock, Model, NrtError, Runtime, Tensor, TensorSet, launch_seconds};
use super::route::Route;
use crate::backend::{Backend, Clock, DeviceError, DeviceInfo, Elapsed, Fidelity, Limits, LowerError, Lowered};
use crate::problem::Problem;
use crate::program::Program;
use crate::tile::Tiling;

/// Launches between two looks at the trace, whose buffers are finite.
const LAUNCHES_A_LOOK: u64 = 128;

/// `nrt_tensor_allocate` takes no 4 GiB and more (AWS's release notes of Neuron runtime 2.25, "Known issues").
const LARGEST_TENSOR: u64 = (4 << 30) - 1;

/// What every row of this backend must be read with.
const CAUTION: &str = "this backend was not yet run on Trainium hardware by its authors";

/// A logical NeuronCore with a route to its kernels.
pub struct Neuron {
    runtime: Arc<Runtime>,
    machine: Machine,
    route: Route,
    cache: NeffCache,
    device: DeviceInfo,
    limits: Limits,
}

/// A loaded kernel.
pub struct Loaded {
    model: Model,
    binding: Binding,
    source: Option<String>,
    name: String,
}

impl Neuron {
    /// A core of this machine.
    pub fn new(runtime: Arc<Runtime>, machine: Machine, route: Route, cache: NeffCache) -> Neuron {
        let [exp2_error, function_error] = route.function_errors();
        let device = device_info(&runtime, &machine, &route);
        let limits = Limits { max_buffer_bytes: Some(LARGEST_TENSOR), exp2_error, function_error };
        Neuron { runtime, machine, route, cache, device, limits }
    }

    /// Launches and their time by the host's clock; by the device's where a trace is given and holds each of them.
    fn launch(
        &self,
        exe: &Loaded,
        n: u64,
        inputs: &TensorSet<'_>,
        output: &mut TensorSet<'_>,
    ) -> Result<Elapsed, NrtError> {
        let mut clock = self.runtime.device_clock();
        // What earlier launches left is not ours.
        let mut device_s = clock.events(self.machine.core).map(|_| 0.0);
        if clock.is_absent() {
            return launch_untraced(exe, n, &clock, inputs, output);
        }
        let (mut wall_s, mut left) = (0.0, n);
        while left > 0 {
            let now = left.min(LAUNCHES_A_LOOK);
            let start = Instant::now();
            for _ in 0..now {
                exe.model.execute(&clock, inputs, output)?;
            }
            wall_s += start.elapsed().as_secs_f64();
            let events = clock.events(self.machine.core);
            let part = events.and_then(|events| launch_seconds(&events, now).ok());
            device_s = device_s.zip(part).map(|(sum, part)| sum + part);
            left -= now;
        }
        match device_s {
            Some(seconds) => Ok(Elapsed { seconds, clock: Clock::DeviceTimestamp }),
            None => {
                clock.give_up();
                Ok(Elapsed { seconds: wall_s, clock: Clock::HostWall })
            }
        }
    }
}

/// Without the device's clock the runtime repeats by itself, which keeps the host out of the time.
fn launch_untraced(
    exe: &Loaded,
    n: u64,
    alone: &DeviceClock<'_>,
    inputs: &TensorSet<'_>,
    output: &mut TensorSet<'_>,
) -> Result<Elapsed, NrtError> {
    let (start, mut left) = (Instant::now(), n);
    while left > 0 {
        let now = left.min(i32::MAX as u64);
        match now {
            1 => exe.model.execute(alone, inputs, output)?,
            _ => exe.model.execute_repeat(alone, inputs, output, now as u32)?,
        }
        left -= now;
    }
    Ok(Elapsed { seconds: start.elapsed().as_secs_f64(), clock: Clock::HostWall })
}

fn device_info(runtime: &Runtime, machine: &Machine, route: &Route) -> DeviceInfo {
    let version = runtime.version();
    let mut details = BTreeMap::from([
        ("libnrt".to_owned(), version.number.clone()),
        ("libnrt git".to_owned(), version.git_hash.clone()),
        ("lnc".to_owned(), machine.lnc.to_string()),
        ("core".to_owned(), format!("{} of {} visible", machine.core, runtime.visible_cores())),
        ("caution".to_owned(), CAUTION.to_owned()),
    ]);
    if !version.detail.is_empty() {
        details.insert("libnrt detail".into(), version.detail.clone());
    }
    if let Some(info) = runtime.instance() {
        let words = format!("family {} size {} {} {}", info.family, info.size, info.arch, info.revision);
        details.insert("runtime's instance".into(), words.trim().to_owned());
    }
    details.extend(machine.instance.clone().map(|name| ("instance".to_owned(), name)));
    details.extend(route.compiler().map(|compiler| ("compiler".to_owned(), compiler)));
    let fake = version.is_fake();
    DeviceInfo {
        backend: "neuron".into(),
        device: if fake { format!("FAKE {machine}") } else { machine.to_string() },
        fidelity: if fake { Fidelity::Fake } else { Fidelity::Hardware },
        threads: None,
        details,
    }
}

impl From<NrtError> for DeviceError {
    fn from(error: NrtError) -> DeviceError {
        DeviceError::Driver(error.to_string())
    }
}

impl Backend for Neuron {
    type Buffer = Tensor;
    type Executable = Loaded;

    fn device(&self) -> &DeviceInfo {
        &self.device
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn tilings(&self, problem: &Problem) -> Vec<Tiling> {
        self.route.tilings(problem, self.machine.target)
    }

    fn alloc(&self, bytes: usize) -> Result<Tensor, DeviceError> {
        let failed = |error: NrtError| match error {
            // NRT_RESOURCE.
            NrtError::Call { status, .. } if status.0 == 4 => {
                DeviceError::OutOfMemory { asked_bytes: bytes as u64, device: self.device.device.clone() }
            }
            error => error.into(),
        };
        Tensor::new(&self.runtime, self.machine.core, bytes).map_err(failed)
    }

    fn upload(&self, src: &[u8], dst: &mut Tensor) -> Result<(), DeviceError> {
        Ok(dst.write(src)?)
    }

    fn download(&self, src: &Tensor, dst: &mut [u8]) -> Result<(), DeviceError> {
        Ok(src.read(dst)?)
    }

    fn lower(&self, program: &Program) -> Result<Loaded, LowerError> {
        let made = self.route.make(program, &self.machine, &self.cache)?;
        let sha256 = made.neff.sha256();
        let short = &sha256[..12];
        let model = Model::load(&self.runtime, &made.neff.bytes, self.machine.core)
            .map_err(|error| DeviceError::Driver(format!("NEFF {short}: {error}")))?;
        let binding = Binding::of(program, model.tensors())
            .map_err(|unfit| DeviceError::Driver(format!("NEFF {short}: {unfit}")))?;
        let dtype =
            program.inputs().next().map_or(program.tensor(program.output()).dtype, |id| program.tensor(id).dtype);
        let name = format!("{}/{dtype}/{} neff:{short}", program.name(), made.strategy);
        Ok(Loaded { model, binding, source: made.source, name })
    }

    fn lowered(&self, exe: &Loaded) -> Lowered {
        Lowered { name: exe.name.clone(), compute_limit: None }
    }

    fn run(&self, exe: &Loaded, n: u64, inputs: &[&Tensor], output: &mut Tensor) -> Result<Elapsed, DeviceError> {
        let mut given = TensorSet::new(&self.runtime)?;
        for (name, tensor) in exe.binding.inputs.iter().zip(inputs) {
            given.add(name, tensor)?;
        }
        let mut taken = TensorSet::new(&self.runtime)?;
        taken.add(&exe.binding.output, output)?;
        Ok(self.launch(exe, n, &given, &mut taken)?)
    }

    fn generated_source<'e>(&self, exe: &'e Loaded) -> Option<&'e str> {
        exe.source.as_deref()
    }
}
