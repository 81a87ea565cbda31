//! Libraries of matrix products on the host, as backends: what Farthing's own products are held against.
//!
//! ```text
//! Peer<L>   the backend: device, memory, refusals, the clock                  here
//! L         what a library says of itself, and one product                   one file a library
//! ```
//!
//! 1. Memory is that of our own backend, aligned to lines and on huge pages, and so is the name of the device: limits that
//!    were measured on this machine are the library's limits too.
//! 2. A library gets as many threads as were asked for, by whatever way it has ([`Workers`]).
//! 3. What a library cannot do it offers no tiling for, and refuses with a reason.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use farthing_kernels::DType;
use farthing_kernels::backend::cpu::{Buffer, Cpu, Isa};
use farthing_kernels::backend::registry::State;
use farthing_kernels::backend::{
    Backend, Clock, DeviceError, DeviceInfo, Elapsed, Limits, LowerError, Lowered, Unsupported,
};
use farthing_kernels::problem::{Layout, MatmulSizes, Problem};
use farthing_kernels::program::Program;
use farthing_kernels::tile::Tiling;

pub mod faer;
mod foreign;
pub mod gemm;
pub mod matrixmultiply;
pub mod onednn;
pub mod openblas;

/// How a library comes by threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workers {
    /// It runs on the caller's thread alone.
    None,
    /// It runs in the rayon pool that it is called in.
    Callers,
    /// It has threads of its own, as many as [`Library::set_threads`] said, which look for work for a while after a call.
    Own,
}

/// A library that multiplies matrices in the host's memory.
pub trait Library: Send + Sync + 'static {
    /// What it is called on the command line and in rows.
    const NAME: &'static str;
    /// How it comes by threads.
    const WORKERS: Workers;
    /// Largest m, n or k that it takes.
    const MAX_SIZE: usize = usize::MAX;

    /// Versions, and what else a reader needs to judge its rows.
    fn details(&self) -> BTreeMap<String, String>;

    /// Types of inputs and output that it multiplies.
    fn types(&self) -> Vec<(DType, DType)> {
        vec![(DType::F32, DType::F32)]
    }

    /// From here on its own workers are this many, the caller among them.
    fn set_threads(&self, _n: usize) {}

    /// `c[m, n] = a[m, k] · b` of one product of a batch, on `threads` threads; operands are as long as `sizes` says and
    /// aligned for their types.
    ///
    /// # Errors
    /// What the library says.
    fn multiply(
        &self,
        sizes: &MatmulSizes,
        threads: usize,
        a: &[u8],
        b: &[u8],
        c: &mut [u8],
    ) -> Result<(), DeviceError>;
}

/// Threads of a library's own are told their number for all callers, and wait for work on the CPUs that others are timed
/// on: one launch at a time.
static OWN_WORKERS: Mutex<()> = Mutex::new(());

/// How long workers of a library's own may look for work after a call, holding a CPU: OpenBLAS's 2²⁶ cycles are the longest
/// (`THREAD_TIMEOUT` in its driver/others/blas_server.c), 27 ms at 2.5 GHz; libgomp's 300,000 pauses take some ms.
const WORKERS_REST: Duration = Duration::from_millis(30);

/// A library as a backend.
#[derive(Debug)]
pub struct Peer<L> {
    library: L,
    /// Memory, threads and name of the host.
    cpu: Cpu,
    device: DeviceInfo,
    limits: Limits,
    threads: usize,
}

impl<L: Library> Peer<L> {
    /// A library on as many threads; on all CPUs where none is given. Or why not.
    ///
    /// # Errors
    /// The system gives no threads, or `FARTHING_ISA` lowers what this machine's limits are measured with.
    pub fn new(library: L, threads: Option<usize>) -> Result<Peer<L>, String> {
        let threads = if L::WORKERS == Workers::None { Some(1) } else { threads };
        let cpu = Cpu::new(threads).map_err(|error| error.to_string())?;
        let isa = &cpu.device().details["isa"];
        if Isa::available().first().map(Isa::to_string).as_ref() != Some(isa) {
            return Err(format!(
                "FARTHING_ISA holds our kernels and the limits to {isa}, and {} knows nothing of it",
                L::NAME
            ));
        }
        let mut details = library.details();
        // Of a library that was built for another CPU, or takes this one for another.
        details.extend(caution(isa, &details).map(|text| ("caution".to_owned(), text)));
        let device = DeviceInfo { backend: L::NAME.into(), details, ..cpu.device().clone() };
        // No function but sums and products is ever asked of it.
        let limits = Limits { max_buffer_bytes: None, exp2_error: 0.0, function_error: 0.0 };
        let threads = device.threads.unwrap_or(1);
        Ok(Peer { library, cpu, device, limits, threads })
    }

    /// What a registry holds of a library that was found, or why it was not.
    pub(crate) fn state(library: Result<L, String>, threads: Option<usize>) -> State {
        match library.and_then(|library| Peer::new(library, threads)) {
            Ok(peer) => State::Ready(Box::new(peer)),
            Err(why) => State::Absent(why),
        }
    }

    fn refusal(&self, problem: Option<&Problem>, asked: &str) -> Result<MatmulSizes, Unsupported> {
        let unsupported = |what: &str, asked: String, limit: String| Unsupported { what: what.into(), asked, limit };
        let Some(Problem::Matmul(p)) = problem else {
            return Err(unsupported("kernel", asked.to_owned(), "matmul".into()));
        };
        let sizes = p.sizes();
        if !self.library.types().contains(&(sizes.input, sizes.output)) {
            let known: Vec<String> = self.library.types().iter().map(|(i, o)| format!("{i} to {o}")).collect();
            return Err(unsupported("dtype", format!("{} to {}", sizes.input, sizes.output), known.join(", ")));
        }
        if !matches!(sizes.layout, Layout::Kn | Layout::Nk) {
            return Err(unsupported("layout of b", sizes.layout.to_string(), "kn, nk".into()));
        }
        match [sizes.m, sizes.n, sizes.k].into_iter().find(|size| *size > L::MAX_SIZE) {
            Some(size) => Err(unsupported("size", size.to_string(), L::MAX_SIZE.to_string())),
            None => Ok(sizes),
        }
    }

    /// Seconds of `n` launches.
    fn timed(&self, n: u64, sizes: &MatmulSizes, a: &[u8], b: &[u8], c: &mut [u8]) -> Result<f64, DeviceError> {
        let bytes = |elems: usize, dtype: DType| elems * dtype.size_bytes();
        let a_bytes = bytes(sizes.m * sizes.k, sizes.input);
        let b_bytes = bytes(sizes.k * sizes.n, sizes.input);
        let c_bytes = bytes(sizes.m * sizes.n, sizes.output);
        let start = Instant::now();
        for _ in 0..n {
            let operands = a.chunks_exact(a_bytes).zip(b.chunks_exact(b_bytes));
            for ((a, b), c) in operands.zip(c.chunks_exact_mut(c_bytes)) {
                self.library.multiply(sizes, self.threads, a, b, c)?;
            }
        }
        Ok(start.elapsed().as_secs_f64())
    }
}

/// What the reader of a row must know where a library uses narrower vectors than the limits are measured with.
fn caution(isa: &str, details: &BTreeMap<String, String>) -> Option<String> {
    let vectors =
        details.get("vectors").filter(|vectors| (isa.starts_with("avx512") || isa == "amx") && *vectors != "avx512")?;
    Some(format!("its kernels here are {vectors}, on a CPU with AVX-512: being faster proves little"))
}

impl<L: Library> Backend for Peer<L> {
    type Buffer = Buffer;
    type Executable = MatmulSizes;

    fn device(&self) -> &DeviceInfo {
        &self.device
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn tilings(&self, problem: &Problem) -> Vec<Tiling> {
        // A library cuts it as it likes.
        self.refusal(Some(problem), problem.op()).map(|_| Tiling::whole(problem)).into_iter().collect()
    }

    fn alloc(&self, bytes: usize) -> Result<Buffer, DeviceError> {
        self.cpu.alloc(bytes)
    }

    fn upload(&self, src: &[u8], dst: &mut Buffer) -> Result<(), DeviceError> {
        self.cpu.upload(src, dst)
    }

    fn download(&self, src: &Buffer, dst: &mut [u8]) -> Result<(), DeviceError> {
        self.cpu.download(src, dst)
    }

    fn lower(&self, program: &Program) -> Result<MatmulSizes, LowerError> {
        Ok(self.refusal(program.problem(), program.name())?)
    }

    fn lowered(&self, sizes: &MatmulSizes) -> Lowered {
        // Whichever unit the library uses: a share of the slower one could be several hundred percent.
        let has_tiles = self.cpu.device().details.get("isa").is_some_and(|isa| isa == "amx");
        let limit = match (sizes.input, has_tiles) {
            (DType::I8, true) => "mma_i8",
            (DType::I8, false) => "dot_i8",
            (DType::Bf16, true) => "mma_bf16",
            (DType::Bf16, false) => "dot_bf16",
            _ => "fma_f32",
        };
        Lowered { name: format!("matmul/{}/{}", sizes.input, L::NAME), compute_limit: Some(limit.into()) }
    }

    fn run(
        &self,
        sizes: &MatmulSizes,
        n: u64,
        inputs: &[&Buffer],
        output: &mut Buffer,
    ) -> Result<Elapsed, DeviceError> {
        let (a, b, c) = (inputs[0].bytes(), inputs[1].bytes(), output.bytes_mut());
        let seconds = match L::WORKERS {
            Workers::None => self.timed(n, sizes, a, b, c)?,
            Workers::Callers => self.cpu.enter(|| self.timed(n, sizes, a, b, c))?,
            Workers::Own => {
                let _turn = OWN_WORKERS.lock().unwrap_or_else(PoisonError::into_inner);
                self.library.set_threads(self.threads);
                let seconds = self.timed(n, sizes, a, b, c);
                if self.threads > 1 {
                    std::thread::sleep(WORKERS_REST);
                }
                seconds?
            }
        };
        Ok(Elapsed { seconds, clock: Clock::HostWall })
    }
}
