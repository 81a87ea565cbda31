//! The register tile of transposed products: `c[mr][NR] (+)= a · b[k][NR]`, with `a` broadcast from where it lies.
//!
//! As `microkernel.rs` with other strides: there a row of `a` is a copy at one of a few constant strides, here element
//! `(i, p)` lies at `i · row + p · step`, one of the two being 1. Down a column (`step` > 1) all rows share a base
//! register; along rows the stride is a constant where it is one of the usual head sizes, since fourteen rows have no
//! registers for an address each.

use std::marker::PhantomData;

use crate::backend::cpu::isa::{Isa, Task};
use crate::backend::cpu::microkernel::{Fetch, Panel};
use crate::backend::cpu::simd::Simd;
use crate::backend::cpu::tiles::{self, TILES_COLS, TILES_ROWS};
use crate::backend::cpu::unit::{Pair, Single, Unit, Units};

/// Steps that are fetched ahead where each step is a row of both factors.
const AHEAD: usize = 12;

/// Units of a cache line.
const LINE: usize = 16;

/// Operands of one call.
#[derive(Clone, Copy)]
struct Call {
    k: usize,
    a: *const f32,
    stride: usize,
    b: *const f32,
    c: *mut f32,
    fresh: bool,
    /// Blocks of rows, one behind the other.
    n_blocks: usize,
}

/// Blocks of `MR` rows by two vectors, in one function: entering and leaving it costs as much as some steps. `ROW` is the
/// distance of the rows of `a`: 1 where `stride` is that of steps, 0 where it is `stride` that only the call knows.
struct Micro<U, const MR: usize, const ROW: usize>(Call, PhantomData<U>);

impl<U: Unit, const MR: usize, const ROW: usize> Task for Micro<U, MR, ROW> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        if MR > S::MR {
            unreachable!("`Turned::run` splits rows by the instruction set's own MR");
        }
        let Call { k, a, stride, b, c, fresh, n_blocks } = self.0;
        let row = if ROW == 0 { stride } else { ROW };
        let step = if ROW == 1 { stride } else { 1 };
        let nr = 2 * S::LANES;
        for block in 0..n_blocks {
            let (mut a, mut b) = (a.wrapping_add(block * MR * row), b);
            let mut next_a = a.wrapping_add(MR * row);
            let mut acc = [[simd.splat(0.0); 2]; MR];
            for _ in 0..k {
                if ROW == 1 {
                    simd.prefetch(a.wrapping_add(AHEAD * step));
                    simd.prefetch(a.wrapping_add(AHEAD * step + MR - 1));
                    simd.prefetch(b.wrapping_add(AHEAD * nr));
                    simd.prefetch(b.wrapping_add(AHEAD * nr + S::LANES));
                } else {
                    simd.prefetch(next_a);
                    next_a = next_a.wrapping_add(LINE);
                }
                // SAFETY: of `k` steps of the panel this one holds `nr` units at `b`.
                let (b0, b1) = unsafe { (simd.load(b), simd.load(b.add(S::LANES))) };
                for (i, sums) in acc.iter_mut().enumerate() {
                    // SAFETY: `i < MR` rows of `k` units, by the contract of `Turned`; pairs may lie at odd elements.
                    let x = simd.splat(unsafe { a.add(i * row).read_unaligned() });
                    sums[0] = U::mul_add(simd, x, b0, sums[0]);
                    sums[1] = U::mul_add(simd, x, b1, sums[1]);
                }
                a = a.wrapping_add(step);
                b = b.wrapping_add(nr);
            }
            let c = c.wrapping_add(block * MR * nr);
            for (i, sums) in acc.iter().enumerate() {
                for (v, x) in sums.iter().enumerate() {
                    // SAFETY: `c` has MR rows of `nr` lanes, by the contract of `Turned`.
                    unsafe {
                        let at = c.add(i * nr + v * S::LANES);
                        let sum = if fresh { *x } else { simd.add(*x, simd.load(at)) };
                        simd.store(at, sum);
                    }
                }
            }
        }
    }
}

fn micro<U: Unit, const MR: usize, const ROW: usize>(isa: Isa, call: Call) {
    U::run(isa, Micro::<U, MR, ROW>(call, PhantomData));
}

type MicroFn = fn(Isa, Call);

fn of_rows<U: Unit, const ROW: usize>(rows: usize) -> MicroFn {
    match rows {
        1 => micro::<U, 1, ROW>,
        2 => micro::<U, 2, ROW>,
        3 => micro::<U, 3, ROW>,
        4 => micro::<U, 4, ROW>,
        5 => micro::<U, 5, ROW>,
        6 => micro::<U, 6, ROW>,
        7 => micro::<U, 7, ROW>,
        8 => micro::<U, 8, ROW>,
        9 => micro::<U, 9, ROW>,
        10 => micro::<U, 10, ROW>,
        11 => micro::<U, 11, ROW>,
        12 => micro::<U, 12, ROW>,
        13 => micro::<U, 13, ROW>,
        _ => micro::<U, 14, ROW>,
    }
}

/// How the broadcast factor is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reading {
    /// Row `i` starts `i` strides on; steps are neighbours.
    Along,
    /// Step `p` starts `p` strides on; rows are neighbours.
    Down,
}

fn of_stride<U: Unit>(rows: usize, reading: Reading, stride: usize) -> MicroFn {
    match (reading, stride) {
        (Reading::Down, _) => of_rows::<U, 1>(rows),
        (Reading::Along, 64) => of_rows::<U, 64>(rows),
        (Reading::Along, 128) => of_rows::<U, 128>(rows),
        (Reading::Along, _) => of_rows::<U, 0>(rows),
    }
}

/// `c[m][NR] (+)= a · b[k][NR]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turned {
    /// Rows of `c`.
    pub(super) m: usize,
    /// Units along the contraction.
    pub(super) k: usize,
    /// First unit of the broadcast factor.
    pub(super) a: *const f32,
    /// Distance of its rows or steps, in units.
    pub(super) stride: usize,
    /// Which of the two.
    pub(super) reading: Reading,
    /// `k` steps of NR units.
    pub(super) b: *const f32,
    /// `m` rows of NR lanes.
    pub(super) c: *mut f32,
    /// Whether `c` is overwritten rather than added to.
    pub(super) fresh: bool,
}

impl Turned {
    /// Runs the product; units are bf16 pairs where `pairs` says so.
    ///
    /// # Safety
    /// - `a` is valid for reads at each of its `m · k` units, of any alignment; `b` and `c` are valid for the sizes that
    ///   their fields state, and `c` overlaps neither.
    pub(super) unsafe fn run(&self, isa: Isa, pairs: bool) {
        if pairs && isa.has_tiles() {
            self.tiles(isa);
        } else if pairs {
            self.rows::<Pair>(isa);
        } else {
            self.rows::<Single>(isa);
        }
    }

    /// By the matrix unit: rows of `a` are tiles as they lie, and so is `b`.
    fn tiles(&self, isa: Isa) {
        for row in (0..self.m).step_by(TILES_ROWS) {
            let c = self.c.wrapping_add(row * TILES_COLS);
            let panel = Panel {
                k: self.k,
                a: self.a.wrapping_add(row * self.stride),
                lda: self.stride,
                b: self.b,
                b_step: TILES_COLS,
                b_panel: self.k * TILES_COLS,
                b_far: 0,
                n: TILES_COLS,
                from: if self.fresh { std::ptr::null() } else { c },
                from_lead: TILES_COLS,
                to: c,
                to_lead: TILES_COLS,
                to_cols: TILES_COLS,
                next: Fetch::NONE,
                ahead: Fetch::NONE,
            };
            tiles::multiply(isa, (Units::PairTiles, (self.m - row).min(TILES_ROWS)), panel);
        }
    }

    /// Splits the rows evenly, so that no block is left with a row or two: some of one size, then some of one less.
    fn rows<U: Unit>(&self, isa: Isa) {
        let nr = 2 * isa.lanes();
        let row_distance = if self.reading == Reading::Along { self.stride } else { 1 };
        let n_blocks = self.m.div_ceil(isa.mr()).max(1);
        let (rows, n_longer) = (self.m / n_blocks, self.m % n_blocks);
        let mut row = 0;
        for (rows, n_blocks) in [(rows + 1, n_longer), (rows, n_blocks - n_longer)] {
            if rows == 0 || n_blocks == 0 {
                continue;
            }
            let call = Call {
                k: self.k,
                a: self.a.wrapping_add(row * row_distance),
                stride: self.stride,
                b: self.b,
                c: self.c.wrapping_add(row * nr),
                fresh: self.fresh,
                n_blocks,
            };
            of_stride::<U>(rows, self.reading, self.stride)(isa, call);
            row += rows * n_blocks;
        }
    }
}
