//! The limits of the CPU as something to run: multiply-adds from registers, reads from each level of memory.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::cache::Caches;
use super::isa::{Isa, Task};
use super::memory::Buffer;
use super::pool::Pool;
use super::simd::Simd;
use super::tiles::{TILES_ROWS, multiply_registers, release};
use super::unit::{Pair, Quad, Single, Unit, Units};
use crate::backend::{Clock, DeviceError, Elapsed, Probe, Work};

/// Independent sums: enough for a latency of 5 cycles at 2 multiply-adds a cycle, with room in 16 registers.
const CHAINS: usize = 12;

/// Multiply-adds of each chain in a launch.
const STEPS: usize = 200_000;

/// Bytes that a thread reads in a launch, about: some milliseconds.
const READ_BYTES: usize = 64 << 20;

/// Places of a buffer that are read at once.
const STREAMS: usize = 4;

/// Least buffer for reads from memory.
const LEAST_MEMORY_BYTES: usize = 256 << 20;

/// Probes on one thread and on all of the pool's. Their memory is taken at the first launch: four times a last level of
/// some 260 MiB takes seconds, and whoever lists probes does not run them all.
pub(super) fn probes<'b>(isa: Isa, pool: &'b Pool, threads: usize, caches: Caches, device: &'b str) -> Vec<Probe<'b>> {
    let mut counts = vec![1];
    if threads > 1 {
        counts.push(threads);
    }
    // A limit of this CPU even where our kernels do better without the instruction: other libraries use it.
    let available = Isa::available();
    let is_lowered = available.first() != Some(&isa);
    let dots = available.into_iter().find(|other| other.dots_bf16() && (!is_lowered || *other == isa));
    let mut probes = Vec::new();
    // Taking it takes longer than all tries of a probe: whoever reads memory reads the same.
    let memory = Memory::of((4 * caches.l3).max(LEAST_MEMORY_BYTES), device);
    for n in counts {
        probes.push(arithmetic::<Single>("fma_f32", isa, pool, n, 2.0));
        if let Some(isa) = dots {
            probes.push(arithmetic::<Pair>("dot_bf16", isa, pool, n, 4.0));
        }
        probes.push(arithmetic::<Quad>("dot_i8", isa, pool, n, 8.0));
        if isa.has_tiles() {
            probes.extend([Units::PairTiles, Units::QuadTiles].map(|units| tiles(units, isa, pool, n)));
        }
        // Half of a level: all of it would leave no room for anything else. The last level is shared.
        let levels = [("l1", caches.l1d / 2 * n), ("l2", caches.l2 / 2 * n), ("l3", caches.l3 / 2)];
        probes.extend(levels.map(|(level, bytes)| read(level, isa, pool, n, Memory::of(bytes, device))));
        probes.push(read("mem", isa, pool, n, memory.clone()));
    }
    probes
}

fn timed(launches: u64, pool: &Pool, n_threads: usize, work: impl Fn(usize) + Sync) -> Elapsed {
    pool.enter(|| {
        let start = Instant::now();
        for _ in 0..launches {
            pool.each(n_threads, &work);
        }
        Elapsed { seconds: start.elapsed().as_secs_f64(), clock: Clock::HostWall }
    })
}

fn arithmetic<'b, U: Unit + Send + Sync>(
    limit: &str,
    isa: Isa,
    pool: &'b Pool,
    threads: usize,
    flops_per_lane: f64,
) -> Probe<'b> {
    let per_launch = threads as f64 * (STEPS * CHAINS * isa.lanes()) as f64 * flops_per_lane;
    let run = move |n: u64| {
        let sum = AtomicU32::new(0);
        let elapsed = timed(n, pool, threads, |_| {
            let lane = U::run(isa, Chains::<U>(std::marker::PhantomData));
            sum.fetch_xor(lane.to_bits(), Ordering::Relaxed);
        });
        std::hint::black_box(sum.into_inner());
        Ok::<_, DeviceError>(elapsed)
    };
    Probe { limit: limit.into(), threads, work: Work::Flops, per_launch, run: Box::new(run) }
}

/// Products of tiles that stay in registers.
fn tiles(units: Units, isa: Isa, pool: &Pool, threads: usize) -> Probe<'_> {
    let per_step = 2 * TILES_ROWS * TILES_ROWS * 16 * units.elems();
    let run = move |n: u64| {
        Ok::<_, DeviceError>(timed(n, pool, threads, |_| {
            multiply_registers(isa, units, STEPS);
            release(isa);
        }))
    };
    let per_launch = (threads * STEPS * per_step) as f64;
    Probe { limit: units.limit().into(), threads, work: Work::Flops, per_launch, run: Box::new(run) }
}

struct Chains<U>(std::marker::PhantomData<U>);

impl<U: Unit> Task for Chains<U> {
    type Out = f32;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f32 {
        // Unknown to the compiler, and such that sums stay normal numbers.
        let (x, y) = (simd.splat(std::hint::black_box(1.0)), simd.splat(std::hint::black_box(1e-3)));
        let mut sums = [simd.splat(0.0); CHAINS];
        for _ in 0..STEPS {
            for sum in &mut sums {
                *sum = U::mul_add(simd, x, y, *sum);
            }
        }
        sums.into_iter().fold(0.0, |total, sum| total + simd.sum(sum))
    }
}

/// What probes read: all their threads together, each a part of its own.
#[derive(Clone)]
struct Memory<'b> {
    bytes: usize,
    device: &'b str,
    made: Arc<OnceLock<Buffer>>,
}

impl<'b> Memory<'b> {
    fn of(bytes: usize, device: &'b str) -> Memory<'b> {
        Memory { bytes, device, made: Arc::default() }
    }

    /// The same at each call, taken at the first.
    fn get(&self) -> Result<&Buffer, DeviceError> {
        if let Some(buffer) = self.made.get() {
            return Ok(buffer);
        }
        let out = || DeviceError::OutOfMemory { asked_bytes: self.bytes as u64, device: self.device.to_owned() };
        let buffer = Buffer::zeroed(self.bytes).ok_or_else(out)?;
        Ok(self.made.get_or_init(|| buffer))
    }
}

fn read<'b>(level: &str, isa: Isa, pool: &'b Pool, threads: usize, memory: Memory<'b>) -> Probe<'b> {
    // A multiple of what the loop reads at a time.
    let bytes = memory.bytes / threads / 1024 * 1024;
    // A small buffer again and again, a large one a part a launch, all parts in turns: a launch over four times the last
    // level would be no short one.
    let (passes, n_parts) = ((READ_BYTES / bytes).max(1), bytes.div_ceil(READ_BYTES));
    let part_bytes = bytes / n_parts / 1024 * 1024;
    let n_launches: Vec<AtomicUsize> = (0..threads).map(|_| AtomicUsize::new(0)).collect();
    let run = move |n: u64| {
        let buffer = memory.get()?.bytes();
        let sum = AtomicU32::new(0);
        let elapsed = timed(n, pool, threads, |thread| {
            let part = n_launches[thread].fetch_add(1, Ordering::Relaxed) % n_parts;
            let from = buffer[thread * bytes + part * part_bytes..].as_ptr().cast::<f32>();
            for _ in 0..passes {
                let lane = isa.run(Read { from, floats: part_bytes / 4 });
                sum.fetch_xor(lane.to_bits(), Ordering::Relaxed);
            }
        });
        std::hint::black_box(sum.into_inner());
        Ok::<_, DeviceError>(elapsed)
    };
    let per_launch = (threads * passes * part_bytes) as f64;
    Probe { limit: format!("read_{level}"), threads, work: Work::Bytes, per_launch, run: Box::new(run) }
}

struct Read {
    from: *const f32,
    floats: usize,
}

impl Task for Read {
    type Out = f32;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f32 {
        // Four streams, as kernels that read memory well have them: one alone keeps fewer lines in flight.
        let stream = self.floats / STREAMS;
        let mut sums = [simd.splat(0.0); 2 * STREAMS];
        let mut at = 0;
        while at + 2 * S::LANES <= stream {
            for (i, sum) in sums.iter_mut().enumerate() {
                // SAFETY: `at + 2 · LANES ≤ stream`, in each of the four parts of the buffer.
                let x = unsafe { simd.load(self.from.add(i / 2 * stream + at + i % 2 * S::LANES)) };
                *sum = simd.add(*sum, x);
            }
            at += 2 * S::LANES;
        }
        sums.into_iter().fold(0.0, |total, sum| total + simd.sum(sum))
    }
}
