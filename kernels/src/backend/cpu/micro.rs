//! The inner loops alone, on operands that stay in L1: what is missing from a kernel's share of the limit and not from
//! theirs is packing, caches and the walk.

use std::time::Instant;

use super::isa::Isa;
use super::memory::Buffer;
use super::microkernel::{Fetch, Panel, lead, multiply};
use super::source::Source;
use super::stream::{Hints, PARTS, Stream, together};
use super::unit::Units;
use crate::DType;
use crate::backend::{Clock, DeviceError, Elapsed, Probe, Work};

/// Units along the contraction: with the widest tile, 14 × 32, the operands take 26 of L1's 32 or 48 KiB.
const STEPS: usize = 128;

/// Units along the contraction of dot products, and rows of `b`: 16 KiB, and a row of `a` takes another.
const DOT_STEPS: usize = 512;
const DOT_ROWS: usize = 8;

/// Rows of `a` in dot products: a vector, and as many as share a pass at most in 32 and in 16 registers.
const DOTS: [usize; 3] = [1, 4, 8];

/// Calls of a launch: some hundred microseconds.
const CALLS: usize = 200;

/// Each inner loop as something to run, on the calling thread; work is its useful operations.
pub(super) fn probes(isa: Isa) -> Vec<Probe<'static>> {
    let mut probes = vec![tile(isa, DType::F32)];
    probes.extend((isa.dots_bf16() || isa.has_tiles()).then(|| tile(isa, DType::Bf16)));
    probes.push(tile(isa, DType::I8));
    for rows in DOTS {
        probes.push(dots(isa, DType::F32, rows));
        probes.extend(isa.dots_bf16().then(|| dots(isa, DType::Bf16, rows)));
        probes.push(dots(isa, DType::I8, rows));
    }
    probes.into_iter().flatten().collect()
}

/// A probe of `CALLS` calls, each with as many operations.
fn probe(name: String, flops: usize, mut call: impl FnMut() + Send + 'static) -> Probe<'static> {
    let run = move |n: u64| {
        let start = Instant::now();
        for _ in 0..n {
            for _ in 0..CALLS {
                call();
            }
        }
        Ok::<_, DeviceError>(Elapsed { seconds: start.elapsed().as_secs_f64(), clock: Clock::HostWall })
    };
    let per_launch = (CALLS * flops) as f64;
    Probe { limit: name, threads: 1, work: Work::Flops, per_launch, run: Box::new(run) }
}

/// Elements of a unit: bf16 come in pairs, i8 in quads.
fn per_unit(dtype: DType) -> usize {
    4 / dtype.size_bytes()
}

/// The register tile at its full height; nothing where there is no memory.
fn tile(isa: Isa, dtype: DType) -> Option<Probe<'static>> {
    let units = if isa.has_tiles() { units(dtype).of_tiles() } else { units(dtype) };
    let (mr, nr) = (units.panel_rows(isa), 2 * isa.lanes());
    let lda = lead(STEPS);
    let [a, b, c] = [mr * lda, STEPS * nr, mr * nr].map(|units| Buffer::zeroed(4 * units));
    let (a, b, mut c) = (a?, b?, c?);
    let call = move || {
        let panel = Panel {
            k: STEPS,
            a: a.as_ptr().cast(),
            lda,
            b: b.as_ptr().cast(),
            b_step: nr,
            b_panel: STEPS * nr,
            b_far: 0,
            n: nr,
            from: std::ptr::null(),
            from_lead: 0,
            to: c.as_mut_ptr().cast(),
            to_lead: nr,
            to_cols: nr,
            next: Fetch::NONE,
            ahead: Fetch::NONE,
        };
        // The three buffers were made for these sizes, and are apart.
        multiply(isa, (units, mr), panel);
    };
    Some(probe(format!("{dtype}/tile_{mr}x{nr}"), 2 * mr * nr * STEPS * per_unit(dtype), call))
}

/// What factors of this type are multiplied as.
fn units(dtype: DType) -> Units {
    match dtype {
        DType::I8 => Units::Quad,
        DType::Bf16 => Units::Pair,
        _ => Units::Single,
    }
}

/// Dot products of `rows` rows with rows of weights in place; nothing where there is no memory.
fn dots(isa: Isa, dtype: DType, rows: usize) -> Option<Probe<'static>> {
    let lda = lead(DOT_STEPS);
    let ldc = DOT_ROWS.next_multiple_of(isa.lanes());
    let [a, b, c] = [rows * lda, DOT_ROWS * DOT_STEPS, rows * ldc].map(|units| Buffer::zeroed(4 * units));
    let (a, b, mut c) = (a?, b?, c?);
    let cols = DOT_STEPS * per_unit(dtype);
    let offsets: Vec<usize> = (0..DOT_ROWS).map(|row| row * cols).collect();
    let call = move || {
        let b = Source { base: b.as_ptr(), dtype, offsets: &offsets, cols };
        let (a, c) = (a.as_ptr().cast(), c.as_mut_ptr().cast());
        let stream = Stream {
            m: rows,
            a,
            lda,
            b,
            scales: None,
            next: [Fetch::NONE; PARTS],
            together: together(isa, rows),
            hints: Hints::of_cpu(),
            c,
            ldc,
            fresh: true,
        };
        // SAFETY: the three buffers were made for these sizes, and are apart; both factors are of one type.
        unsafe { stream.dots(isa, units(dtype)) };
    };
    Some(probe(format!("{dtype}/dots_{rows}"), 2 * rows * DOT_ROWS * cols, call))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_inner_loop_runs_on_every_instruction_set_and_counts_its_operations() {
        for isa in Isa::available() {
            let mut probes = probes(isa);
            assert_eq!(
                probes.len(),
                8 + usize::from(isa.dots_bf16() || isa.has_tiles()) + if isa.dots_bf16() { 3 } else { 0 },
                "{isa}"
            );
            for probe in &mut probes {
                let elapsed = (probe.run)(1).expect("it cannot fail");
                assert!(elapsed.seconds > 0.0 && probe.per_launch > 0.0, "{isa} {}", probe.limit);
            }
        }
    }
}
