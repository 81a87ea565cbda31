//! The CPU: programs lowered to packed panels, register tiles and fused rows, on any instruction set.
//!
//! ```text
//! lower      operations -> how tiles are used -> slots, shared copies, steps        lower.rs uses.rs memo.rs schedule.rs
//! launch     grid points over threads; each runs the steps over its own arena       exec.rs worker.rs workspace.rs pool.rs
//! transposed stages whose products feed each other, over many rows                  turned.rs turned/
//! weights    packed once, into panels in the order in which launches read them                      weights.rs
//! leaves     register tile · few rows in place · rows · panels · store        block microkernel stream rows pack stored
//! vectors    one trait, four instruction sets, chosen once a call                    simd.rs isa.rs
//! tiles      products by a matrix unit, where the CPU has one                        tiles.rs simd/amx.rs
//! ```

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::host::cpu_name;
use super::{Backend, Clock, DeviceError, DeviceInfo, Elapsed, Fidelity, Limits, LowerError, Lowered, Packed, Probe};
use crate::problem::Problem;
use crate::program::{Program, Role};
use crate::tile::Tiling;

mod ahead;
mod around;
mod block;
mod cache;
mod dequantise;
mod exec;
mod isa;
mod lower;
mod memo;
mod memory;
mod micro;
mod microkernel;
mod pack;
mod plan;
mod pool;
mod probe;
mod rows;
mod schedule;
mod simd;
mod source;
mod stored;
mod stream;
mod tiles;
mod tiling;
mod turned;
mod unit;
mod uses;
mod weights;
mod widen;
mod worker;
mod workspace;

pub use isa::{Isa, UnknownIsa};
pub use memory::Buffer;

use cache::Caches;
use memory::Shared;
use plan::Plan;
use pool::Pool;
use weights::Weight;
use workspace::Workspace;

/// This machine's CPU.
#[derive(Debug)]
pub struct Cpu {
    isa: Isa,
    threads: usize,
    caches: Caches,
    pool: Pool,
    device: DeviceInfo,
    limits: Limits,
}

/// Why there is no CPU backend.
#[derive(Debug, thiserror::Error)]
pub enum CpuError {
    /// `FARTHING_ISA` names an instruction set this CPU lacks.
    #[error(transparent)]
    Isa(#[from] UnknownIsa),
    /// The system gives no threads.
    #[error("{threads} threads could not be started: {reason}; ask for fewer")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// What the system said.
        reason: String,
    },
}

impl Cpu {
    /// The best instruction set of this CPU (or the one `FARTHING_ISA` names), on `threads` threads; on all CPUs where
    /// none is given.
    ///
    /// # Errors
    /// See [`CpuError`].
    pub fn new(threads: Option<usize>) -> Result<Cpu, CpuError> {
        Cpu::with_isa(Isa::detect()?, threads)
    }

    /// As [`Cpu::new`], with the instruction set given.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn with_isa(isa: Isa, threads: Option<usize>) -> Result<Cpu, CpuError> {
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = threads.unwrap_or_else(all).max(1);
        let pool = Pool::new(threads).map_err(|reason| CpuError::Threads { threads, reason })?;
        let caches = Caches::read();
        let details = [
            ("isa", isa.to_string()),
            ("l1d_bytes", caches.l1d.to_string()),
            ("l2_bytes", caches.l2.to_string()),
            ("l3_bytes", caches.l3.to_string()),
        ];
        let device = DeviceInfo {
            backend: "cpu".into(),
            device: cpu_name(),
            fidelity: Fidelity::Hardware,
            threads: Some(threads),
            details: details.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<BTreeMap<_, _>>(),
        };
        let limits =
            Limits { max_buffer_bytes: None, exp2_error: simd::EXP2_ERROR, function_error: simd::FUNCTION_ERROR };
        Ok(Cpu { isa, threads, caches, pool, device, limits })
    }

    /// Runs `work` on one of this CPU's threads: launches from there begin at once. A launch from any other thread wakes a
    /// worker first, some tens of microseconds that its time leaves out and a caller of many short ones feels.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.pool.enter(work)
    }

    /// The inner loops of this instruction set alone, on operands that stay in L1 and on the calling thread: `limit` is the name
    /// of each, such as `f32/tile_14x32` or `bf16/dots_1`.
    pub fn inner_loops(&self) -> Vec<Probe<'static>> {
        micro::probes(self.isa)
    }

    fn workspace(&self, program: &Program, plan: &Plan) -> Result<Workspace, DeviceError> {
        Workspace::new(program, plan, self.threads).map_err(|asked_bytes| self.out_of_memory(asked_bytes))
    }

    fn out_of_memory(&self, asked_bytes: u64) -> DeviceError {
        DeviceError::OutOfMemory { asked_bytes, device: self.device.device.clone() }
    }
}

/// A program lowered for the CPU, with the memory it works in.
#[derive(Debug)]
pub struct Executable {
    program: Program,
    plan: Plan,
    space: Mutex<Workspace>,
    lowered: Lowered,
}

impl Backend for Cpu {
    type Buffer = Buffer;
    type Executable = Executable;

    fn device(&self) -> &DeviceInfo {
        &self.device
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn tilings(&self, problem: &Problem) -> Vec<Tiling> {
        vec![match problem {
            Problem::Matmul(p) => Tiling::Matmul(tiling::matmul(p, self.isa, self.caches, self.threads)),
            Problem::Grouped(p) => Tiling::Matmul(tiling::matmul(&p.average(), self.isa, self.caches, self.threads)),
            Problem::Attention(p) => Tiling::Attention(tiling::attention(p, self.isa, self.threads)),
        }]
    }

    fn alloc(&self, bytes: usize) -> Result<Buffer, DeviceError> {
        Buffer::zeroed(bytes).ok_or_else(|| self.out_of_memory(bytes as u64))
    }

    fn upload(&self, src: &[u8], dst: &mut Buffer) -> Result<(), DeviceError> {
        dst.bytes_mut().copy_from_slice(src);
        Ok(())
    }

    fn download(&self, src: &Buffer, dst: &mut [u8]) -> Result<(), DeviceError> {
        dst.copy_from_slice(src.bytes());
        Ok(())
    }

    fn lower(&self, program: &Program) -> Result<Executable, LowerError> {
        let plan = lower::lower(program, self.isa, self.caches);
        let space = self.workspace(program, &plan)?;
        let dtypes: Vec<String> = program.inputs().take(1).map(|id| program.tensor(id).dtype.to_string()).collect();
        let strategy = plan.strategies.join("+");
        let lowered = Lowered {
            name: format!("{}/{}/{}_{}", program.name(), dtypes.join(""), self.isa, strategy),
            compute_limit: Some(plan.units.limit().to_owned()),
        };
        Ok(Executable { program: program.clone(), plan, space: Mutex::new(space), lowered })
    }

    fn lowered(&self, exe: &Executable) -> Lowered {
        exe.lowered.clone()
    }

    fn pack(&self, exe: &Executable, input: usize, given: &Buffer) -> Result<Option<Packed<Buffer>>, DeviceError> {
        let Some(weight) = exe.program.inputs().nth(input).and_then(|id| exe.plan.weight(id)) else { return Ok(None) };
        let start = Instant::now();
        let mut buffer = self.alloc(weight.bytes())?.of_weight();
        let (from, to) = (Shared(given.as_ptr().cast_mut()), Shared(buffer.as_mut_ptr().cast()));
        // SAFETY: the buffers are apart, `given` holds the tensor, and the other one is as long as the weight says.
        self.pool.enter(|| unsafe { weight.pack(self.isa, (&self.pool, self.threads), from, to) });
        let elapsed = Elapsed { seconds: start.elapsed().as_secs_f64(), clock: Clock::HostWall };
        Ok(Some(Packed { bytes: weight.bytes(), buffer, elapsed }))
    }

    fn run(&self, exe: &Executable, n: u64, inputs: &[&Buffer], output: &mut Buffer) -> Result<Elapsed, DeviceError> {
        for (id, buffer) in exe.program.inputs().zip(inputs) {
            if !buffer.holds(exe.plan.weight(id).map(Weight::bytes)) {
                let name = &exe.program.tensor(id).name;
                let fault = format!("`{name}` is not as `pack` leaves it: pass what `pack` gives for this executable");
                return Err(DeviceError::Driver(fault));
            }
        }
        let tables = tables(&exe.program, inputs)?;
        let mut space = exe.space.lock().unwrap_or_else(PoisonError::into_inner);
        let space = &mut *space;
        let tensors = exec::pointers(&exe.program, inputs, output, &mut space.scratch);
        let seconds = self.pool.enter(|| {
            let start = Instant::now();
            for _ in 0..n {
                // SAFETY:
                // - Pointers: the buffers are of the program's sizes, slack behind them, and live through the call.
                // - Overlap: `output` and the scratch are borrowed mutably; inputs are only read.
                // - Tables: copied from buffers that `check_tables` has passed, none of which a launch writes.
                unsafe { exec::launch(self.isa, &self.pool, &exe.plan, &mut space.stages, (&tensors, &tables)) };
            }
            start.elapsed().as_secs_f64()
        });
        Ok(Elapsed { seconds, clock: Clock::HostWall })
    }

    fn probes(&self) -> Vec<Probe<'_>> {
        probe::probes(self.isa, &self.pool, self.threads, self.caches, &self.device.device)
    }
}

/// What tables hold, by tensor.
fn tables(program: &Program, inputs: &[&Buffer]) -> Result<Vec<Vec<u32>>, DeviceError> {
    program.check_tables(|operand| inputs[operand].bytes())?;
    let mut tables = vec![vec![]; program.tensors().len()];
    for (id, buffer) in program.inputs().zip(inputs).filter(|(id, _)| program.tensor(*id).role == Role::Table) {
        let entries = buffer.bytes().as_chunks().0.iter();
        tables[id.0 as usize] = entries.map(|entry| u32::from_le_bytes(*entry)).collect();
    }
    Ok(tables)
}
