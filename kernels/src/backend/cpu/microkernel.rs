//! The register tile: `c[mr, nr] += a[mr, k] · b[k, nr]`, and the loops over one block that call it.
//!
//! ```text
//! for each row panel of a (rows split evenly, at most MR)
//!   for each panel of b (NR = 2 vectors of columns)
//!     for p in 0..k:  b0, b1 = b[p];  for i in rows:  c[i] += broadcast(a[i, p]) · (b0, b1)
//! ```
//!
//! 1. `a` stays in rows, at a constant stride of an odd number of cache lines ([`LEADS`]): no aliasing in L1, one base
//!    register and constant displacements for all rows, and a computed tile (attention's weights) is a factor as it is.
//! 2. `b` is in panels `[k][NR]`, contiguous, so that the hardware streams it from L2 while the row panel of `a` stays
//!    in L1: MR × k × 4 bytes.
//! 3. There is one copy of the inner loop, run in two phases: between them the lines of `c` are fetched. Fetching them
//!    at the start would be too early, not fetching stalls the update.
//! 4. Units are f32, or pairs of bf16 along k: only the multiply-add differs ([`Unit`]).
//!
//! With 14 × 2 vectors of 16: 28 multiply-adds, 2 loads and 14 broadcasts (memory operands) a step.

use super::isa::{Isa, Task};
use super::simd::Simd;

/// Strides, in units, of rows that are factors: 64-byte lines plus one, an odd number of them. The last serves steps of
/// up to 512 units.
pub(super) const LEADS: [usize; 3] = [144, 272, 528];

/// Lead (row stride) of a tile of `cols` columns: constant where it is short enough to be one of [`LEADS`].
pub(super) fn lead(cols: usize) -> usize {
    let padded = cols.next_multiple_of(NR_MAX);
    LEADS.into_iter().find(|lead| padded + 16 <= *lead).unwrap_or(padded + 16)
}

/// Columns of the widest panel.
const NR_MAX: usize = 32;

/// Steps that remain when the lines of `c` are fetched.
const PREFETCH_C_STEPS: usize = 48;

/// Steps of `b` that are fetched ahead.
const PREFETCH_B_STEPS: usize = 16;

/// What a 32-bit unit holds.
pub(super) trait Unit: 'static {
    /// `x · y + z`.
    fn mul_add<S: Simd>(simd: S, x: S::F, y: S::F, z: S::F) -> S::F;
}

/// One f32.
pub(super) struct Single;

impl Unit for Single {
    #[inline(always)]
    fn mul_add<S: Simd>(simd: S, x: S::F, y: S::F, z: S::F) -> S::F {
        simd.mul_add(x, y, z)
    }
}

/// Two bf16, neighbours along k.
pub(super) struct Pair;

impl Unit for Pair {
    #[inline(always)]
    fn mul_add<S: Simd>(simd: S, x: S::F, y: S::F, z: S::F) -> S::F {
        simd.dot_bf16(x, y, z)
    }
}

/// Operands of one call.
#[derive(Clone, Copy)]
struct Call {
    k: usize,
    a: *const f32,
    lda: usize,
    b: *const f32,
    c: *mut f32,
    ldc: usize,
    fresh: bool,
    next_a: *const f32,
}

/// `MR` rows by two vectors; `LD` is the stride of `a`, 0 where only `lda` knows it.
struct Micro<U, const MR: usize, const LD: usize>(Call, std::marker::PhantomData<U>);

impl<U: Unit, const MR: usize, const LD: usize> Task for Micro<U, MR, LD> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        if MR > S::MR {
            unreachable!("`Block::run` splits rows by the instruction set's own MR");
        }
        let Call { k, a, lda, mut b, c, ldc, fresh, next_a } = self.0;
        let lda = if LD == 0 { lda } else { LD };
        let nr = 2 * S::LANES;
        let mut acc = [[simd.splat(0.0); 2]; MR];
        let (mut p, mut end) = (0, k.saturating_sub(PREFETCH_C_STEPS));
        loop {
            while p < end {
                simd.prefetch(b.wrapping_add(PREFETCH_B_STEPS * nr));
                simd.prefetch(b.wrapping_add(PREFETCH_B_STEPS * nr + S::LANES));
                simd.prefetch(next_a.wrapping_add(p * 16));
                // SAFETY: `p < k`, so the panel holds `nr` units at `b`.
                let (b0, b1) = unsafe { (simd.load(b), simd.load(b.add(S::LANES))) };
                for (i, row) in acc.iter_mut().enumerate() {
                    // SAFETY: `i < MR` rows of `k` units at stride `lda`, by the contract of `Block`.
                    let x = simd.splat(unsafe { *a.add(i * lda + p) });
                    row[0] = U::mul_add(simd, x, b0, row[0]);
                    row[1] = U::mul_add(simd, x, b1, row[1]);
                }
                b = b.wrapping_add(nr);
                p += 1;
            }
            if end == k {
                break;
            }
            for i in 0..MR {
                simd.prefetch(c.wrapping_add(i * ldc));
                simd.prefetch(c.wrapping_add(i * ldc + S::LANES));
            }
            end = k;
        }
        for (i, row) in acc.iter().enumerate() {
            for (v, x) in row.iter().enumerate() {
                // SAFETY: `c` has MR rows of whole panels at stride `ldc`, by the contract of `Block`.
                unsafe {
                    let at = c.add(i * ldc + v * S::LANES);
                    let sum = if fresh { *x } else { simd.add(*x, simd.load(at)) };
                    simd.store(at, sum);
                }
            }
        }
    }
}

fn micro<U: Unit, const MR: usize, const LD: usize>(isa: Isa, call: Call) {
    isa.run(Micro::<U, MR, LD>(call, std::marker::PhantomData));
}

type MicroFn = fn(Isa, Call);

fn of_rows<U: Unit, const LD: usize>(rows: usize) -> MicroFn {
    match rows {
        1 => micro::<U, 1, LD>,
        2 => micro::<U, 2, LD>,
        3 => micro::<U, 3, LD>,
        4 => micro::<U, 4, LD>,
        5 => micro::<U, 5, LD>,
        6 => micro::<U, 6, LD>,
        7 => micro::<U, 7, LD>,
        8 => micro::<U, 8, LD>,
        9 => micro::<U, 9, LD>,
        10 => micro::<U, 10, LD>,
        11 => micro::<U, 11, LD>,
        12 => micro::<U, 12, LD>,
        13 => micro::<U, 13, LD>,
        _ => micro::<U, 14, LD>,
    }
}

fn of_lead<U: Unit>(rows: usize, lda: usize) -> MicroFn {
    match LEADS.iter().position(|lead| *lead == lda) {
        Some(0) => of_rows::<U, 144>(rows),
        Some(1) => of_rows::<U, 272>(rows),
        Some(2) => of_rows::<U, 528>(rows),
        _ => of_rows::<U, 0>(rows),
    }
}

/// `c[m, n] (+)= a[m, k] · b[k, n]` over one block: `a` in rows, `b` in panels, `c` in rows with room for whole panels.
pub(super) struct Block {
    /// Rows.
    pub(super) m: usize,
    /// Columns; the last panel is padded with zeros.
    pub(super) n: usize,
    /// Units along the contraction.
    pub(super) k: usize,
    /// `m` rows of `k` units.
    pub(super) a: *const f32,
    /// Stride of `a`, in units.
    pub(super) lda: usize,
    /// `⌈n / NR⌉` panels of `[k][NR]` units.
    pub(super) b: *const f32,
    /// `m` rows of `⌈n / NR⌉ · NR` elements.
    pub(super) c: *mut f32,
    /// Stride of `c`.
    pub(super) ldc: usize,
    /// Whether `c` is overwritten rather than added to.
    pub(super) fresh: bool,
}

impl Block {
    /// Runs the block.
    ///
    /// # Safety
    /// - `a`, `b` and `c` are valid for the sizes that their fields state, and `c` overlaps neither.
    pub(super) unsafe fn run<U: Unit>(&self, isa: Isa) {
        let nr = 2 * isa.lanes();
        let n_row_panels = self.m.div_ceil(isa.mr());
        let mut row = 0;
        for panel in 0..n_row_panels {
            // Evenly, so that no panel is left with a row or two.
            let rows = (self.m - row).div_ceil(n_row_panels - panel);
            let kernel = of_lead::<U>(rows, self.lda);
            let a = self.a.wrapping_add(row * self.lda);
            let n_panels = self.n.div_ceil(nr);
            for j in 0..n_panels {
                let next_a = if j + 1 == n_panels { a.wrapping_add(rows * self.lda) } else { a };
                let call = Call {
                    k: self.k,
                    a,
                    lda: self.lda,
                    b: self.b.wrapping_add(j * self.k * nr),
                    c: self.c.wrapping_add(row * self.ldc + j * nr),
                    ldc: self.ldc,
                    fresh: self.fresh,
                    next_a,
                };
                kernel(isa, call);
            }
            row += rows;
        }
    }
}
