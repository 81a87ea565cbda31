//! The limits of the CPU as something to run: multiply-adds from registers, reads from each level of memory.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use super::cache::Caches;
use super::isa::{Isa, Task};
use super::memory::{Buffer, Shared};
use super::pool::Pool;
use super::simd::Simd;
use super::unit::{Pair, Single, Unit};
use crate::backend::{Clock, DeviceError, Elapsed, Probe, Work};

/// Independent sums: enough for a latency of 5 cycles at 2 multiply-adds a cycle, with room in 16 registers.
const CHAINS: usize = 12;

/// Multiply-adds of each chain in a launch.
const STEPS: usize = 200_000;

/// Bytes a launch reads in each level, at least: some milliseconds.
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
    for n in counts {
        probes.push(arithmetic::<Single>("fma_f32", isa, pool, n, 2.0));
        if let Some(isa) = dots {
            probes.push(arithmetic::<Pair>("dot_bf16", isa, pool, n, 4.0));
        }
        let memory = (4 * caches.l3).max(LEAST_MEMORY_BYTES);
        // Half of a level: all of it would leave no room for anything else. The last level is shared.
        let levels = [("l1", caches.l1d / 2), ("l2", caches.l2 / 2), ("l3", caches.l3 / 2 / n), ("mem", memory / n)];
        probes.extend(levels.map(|(level, bytes)| read(level, isa, pool, n, bytes, device)));
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
            let lane = isa.run(Chains::<U>(std::marker::PhantomData));
            sum.fetch_xor(lane.to_bits(), Ordering::Relaxed);
        });
        std::hint::black_box(sum.into_inner());
        Ok::<_, DeviceError>(elapsed)
    };
    Probe { limit: limit.into(), threads, work: Work::Flops, per_launch, run: Box::new(run) }
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

fn read<'b>(level: &str, isa: Isa, pool: &'b Pool, threads: usize, bytes: usize, device: &'b str) -> Probe<'b> {
    // A multiple of what the loop reads at a time.
    let bytes = bytes / 1024 * 1024;
    let make = move || {
        let buffers: Option<Vec<Buffer>> = (0..threads).map(|_| Buffer::zeroed(bytes)).collect();
        let asked_bytes = (threads * bytes) as u64;
        buffers.ok_or_else(|| DeviceError::OutOfMemory { asked_bytes, device: device.to_owned() })
    };
    let mut made = None;
    let passes = (READ_BYTES / bytes).max(1);
    let run = move |n: u64| {
        let buffers = match &mut made {
            Some(buffers) => &*buffers,
            none => &*none.insert(make()?),
        };
        let sum = AtomicU32::new(0);
        let elapsed = timed(n, pool, threads, |thread| {
            let from = Shared(buffers[thread].as_ptr().cast_mut().cast::<f32>());
            for _ in 0..passes {
                let lane = isa.run(Read { from: from.0, floats: bytes / 4 });
                sum.fetch_xor(lane.to_bits(), Ordering::Relaxed);
            }
        });
        std::hint::black_box(sum.into_inner());
        Ok::<_, DeviceError>(elapsed)
    };
    let per_launch = (threads * passes * bytes) as f64;
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
