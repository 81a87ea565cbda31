//! The register tile: a row panel of `a` against all panels of `b`, `c[mr, nr] += a[mr, k] · b[k, nr]` for each.
//!
//! ```text
//! for each panel of b (NR = 2 vectors of columns)
//!   for p in 0..k:  b0, b1 = b[p];  for i in rows:  c[i] += broadcast(a[i, p]) · (b0, b1)
//! ```
//!
//! 1. `a` is in rows. Copied ones lie at a constant stride of an odd number of cache lines ([`LEAD`]): no aliasing in
//!    L1, constant displacements, and a computed tile (attention's weights) is a factor as it is. Rows at any other stride
//!    are reached from every third one, whose address is hidden from the compiler in each step: left alone it makes an
//!    address of each row, keeps nine of them on the stack and so loads more than two units can (2 to 4 % of f32 512³,
//!    4 to 8 % of i8). A constant stride then saves four instructions a step: 2 % of bf16 256³.
//! 2. `b` is in panels `[k][NR]`, contiguous, so that the hardware streams it from L2 while the row panel of `a` stays
//!    in L1: MR × k × 4 bytes.
//! 3. There is one copy of the inner loop, run in phases: before the last one the lines of `c` are fetched. Fetching
//!    them at the start would be too early, not fetching stalls the update.
//! 4. In each phase a row of the next panel of `a` is fetched into L1, and a row of the next block of `b` into L2.
//! 5. Units are f32, or pairs of bf16 or quads of i8 along k: only the multiply-add differs ([`Unit`]), and what sums start
//!    with.
//!
//! With 14 × 2 vectors of 16: 28 multiply-adds, 2 loads, 14 broadcasts and 4 fetches a step: 14 cycles of two
//! multiply-add units, 10 of two load units.

use std::mem::MaybeUninit;

use super::isa::{Isa, Task};
use super::simd::{Simd, opaque};
use super::tiles;
use super::unit::{FromMemory, Halves, Pair, Quad, Single, Unit, Units};

/// Stride, in units, of rows that are factors: an odd number of 64-byte lines, for steps of up to 512 units.
pub(super) const LEAD: usize = 528;

/// Lead (row stride) of a tile of `cols` columns: [`LEAD`] where they leave a line of it.
pub(super) fn lead(cols: usize) -> usize {
    LEAD.max(cols.next_multiple_of(NR_MAX) + 16)
}

/// Columns of the widest panel.
const NR_MAX: usize = 32;

/// Steps that remain when the lines of `c` are fetched.
const PREFETCH_C_STEPS: usize = 48;

/// Bytes of a cache line.
const LINE_BYTES: usize = 64;

/// Most steps of a phase.
const PHASE_STEPS: usize = 256;

/// Steps of `b` that are fetched ahead, from L2.
const PREFETCH_B_STEPS: usize = 16;

/// What a row panel is multiplied with, and where its product goes.
#[derive(Clone, Copy)]
pub(super) struct Panel {
    /// Units of `a` along the contraction.
    pub(super) k: usize,
    /// Rows of `k` units.
    pub(super) a: *const f32,
    /// Stride of `a`, in units.
    pub(super) lda: usize,
    /// `⌈n / NR⌉` panels of `⌈k / PER_B⌉` steps of `NR` units.
    pub(super) b: *const f32,
    /// Units from step to step of `b`.
    pub(super) b_step: usize,
    /// Units from panel to panel of `b`.
    pub(super) b_panel: usize,
    /// Units ahead of the step in use that are fetched into L2 of a `b` that comes from memory; 0 where `ahead` is fetched
    /// instead.
    pub(super) b_far: usize,
    /// Columns.
    pub(super) n: usize,
    /// What the product is added to, in whole panels; null where there is nothing yet.
    pub(super) from: *const f32,
    /// Stride of `from`.
    pub(super) from_lead: usize,
    /// Where the sums go.
    pub(super) to: *mut f32,
    /// Stride of `to`.
    pub(super) to_lead: usize,
    /// Columns of `to`: at least `n`, whole panels where there is room for them.
    pub(super) to_cols: usize,
    /// Rows of `a` that are needed next, into L1.
    pub(super) next: Fetch,
    /// Rows of `b` that are needed after that, into L2.
    pub(super) ahead: Fetch,
}

/// Rows to fetch, one in the course of each phase.
#[derive(Clone, Copy)]
pub(super) struct Fetch {
    /// The first one.
    pub(super) first: *const u8,
    /// Bytes from row to row.
    pub(super) stride: usize,
    /// Rows.
    pub(super) rows: usize,
    /// Bytes of a row.
    pub(super) row_bytes: usize,
}

impl Fetch {
    /// Nothing to fetch.
    pub(super) const NONE: Fetch = Fetch { first: std::ptr::null(), stride: 0, rows: 0, row_bytes: 0 };

    /// Rows `from..to` of these.
    pub(super) fn part(self, from: usize, to: usize) -> Fetch {
        Fetch { first: self.first.wrapping_add(from * self.stride), rows: to - from, ..self }
    }

    /// Bytes `from..to` of each row.
    pub(super) fn columns(self, from: usize, to: usize) -> Fetch {
        Fetch { first: self.first.wrapping_add(from), row_bytes: to - from, ..self }
    }

    /// Where the fetching of row `turn` begins. Where there is no such row, `idle` is fetched, which costs a load.
    #[inline(always)]
    fn row(&self, turn: usize, idle: *const f32) -> *const u8 {
        if turn < self.rows { self.first.wrapping_add(turn * self.stride) } else { idle.cast() }
    }
}

/// The phases of a panel but its last, and how many are done of all panels.
struct Phases {
    /// Steps of each.
    steps: usize,
    /// Bytes that a step fetches of a row of `next`, and of `ahead`: a row takes a phase.
    next_bytes: usize,
    ahead_bytes: usize,
    done: usize,
}

impl Phases {
    #[inline(always)]
    fn new(panel: &Panel, n_steps: usize) -> Phases {
        let most = n_steps.saturating_sub(PREFETCH_C_STEPS);
        let steps = most.div_ceil(phases(n_steps).max(1)).max(1);
        let bytes = |fetch: Fetch| fetch.row_bytes.div_ceil(steps);
        Phases { steps, next_bytes: bytes(panel.next), ahead_bytes: bytes(panel.ahead), done: 0 }
    }
}

/// Phases of a panel of `n_steps` but its last.
pub(super) fn phases(n_steps: usize) -> usize {
    n_steps.saturating_sub(PREFETCH_C_STEPS).div_ceil(PHASE_STEPS)
}

/// The widest register tile, in f32: where a panel with fewer columns than it has lanes is put first.
const MAX_TILE: usize = 14 * NR_MAX;

/// `MR` rows by two vectors; `LD` is the stride of `a`, 0 where only `lda` knows it.
struct Micro<U, const MR: usize, const LD: usize>(Panel, std::marker::PhantomData<U>);

impl<U: Unit, const MR: usize, const LD: usize> Task for Micro<U, MR, LD> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        if MR > S::MR {
            unreachable!("`Block::run` splits rows by the instruction set's own MR");
        }
        let Panel { n, to, to_cols, .. } = self.0;
        let nr = 2 * S::LANES;
        let mut edge = [const { MaybeUninit::<f32>::uninit() }; MAX_TILE];
        let mut phases = Phases::new(&self.0, self.0.k.div_ceil(U::PER_B));
        let starts = self.starts(simd);
        for j in 0..n.div_ceil(nr) {
            // Unknown to the compiler: else it keeps an address for each row of each operand and moves them all along.
            let [to_lead, from_lead] = std::hint::black_box([self.0.to_lead, self.0.from_lead]);
            let (col, fits) = (j * nr, (j + 1) * nr <= to_cols);
            let (to, to_lead) = if fits { (to.wrapping_add(col), to_lead) } else { (edge.as_mut_ptr().cast(), nr) };
            let from = if self.0.from.is_null() { self.0.from } else { self.0.from.wrapping_add(col) };
            let mut acc = [[simd.splat(0.0); 2]; MR];
            for (sums, start) in acc.iter_mut().zip(starts) {
                *sums = [simd.splat(start); 2];
            }
            self.multiply(simd, (j, &mut phases), (from, from_lead), (to, to_lead), &mut acc);
            finish::<U, S, MR>(simd, (from, from_lead), (to, to_lead), &acc);
            if !fits {
                for i in 0..MR {
                    // SAFETY: `to` has MR rows of `to_cols` columns, by the contract of `Block`, and `edge` the panel.
                    unsafe {
                        let row = self.0.to.add(i * self.0.to_lead + col);
                        std::ptr::copy_nonoverlapping(edge.as_ptr().add(i * nr).cast(), row, to_cols - col);
                    }
                }
            }
        }
    }
}

impl<U: Unit, const MR: usize, const LD: usize> Micro<U, MR, LD> {
    /// What the sums of each row start with.
    #[inline(always)]
    fn starts<S: Simd>(&self, simd: S) -> [f32; MR] {
        let mut starts = [0.0; MR];
        for (i, start) in starts.iter_mut().enumerate() {
            // SAFETY: MR rows of `k` units at stride `lda`, by the contract of `Block`.
            *start = unsafe { U::start(simd, self.0.a.wrapping_add(i * self.0.lda), self.0.k) };
        }
        starts
    }

    /// `acc += a · b` for panel `j` of `b`.
    #[inline(always)]
    fn multiply<S: Simd>(
        &self,
        simd: S,
        (j, phases): (usize, &mut Phases),
        (from, from_lead): (*const f32, usize),
        (to, to_lead): (*mut f32, usize),
        acc: &mut [[S::F; 2]; MR],
    ) {
        let Panel { k, a, lda, b_step, b_panel, b_far, next, ahead, .. } = self.0;
        let lda = if LD == 0 { lda } else { LD };
        let far_bytes = if b_far > 0 { b_step * 4 } else { phases.ahead_bytes };
        let mut b = self.0.b.wrapping_add(j * b_panel);
        // Every third row: three rows a pointer by one stride leave registers for everything else.
        let mut thirds: [*const f32; 5] = std::array::from_fn(|third| a.wrapping_add(3 * third * lda));
        let mut left = k / U::PER_B;
        while left > 0 {
            let is_last = left <= PREFETCH_C_STEPS;
            let steps = if is_last { left } else { (left - PREFETCH_C_STEPS).min(phases.steps) };
            let (mut near, mut far) = (b.cast(), b.wrapping_add(b_far).cast());
            if is_last {
                fetch_rows::<S, MR>(simd, to, to_lead);
                if !from.is_null() && !std::ptr::eq(from, to) {
                    fetch_rows::<S, MR>(simd, from, from_lead);
                }
            } else {
                near = next.row(phases.done, b);
                far = if b_far > 0 { far } else { ahead.row(phases.done, b) };
                phases.done += 1;
            }
            left -= steps;
            for _ in 0..steps {
                simd.prefetch(b.wrapping_add(PREFETCH_B_STEPS * b_step));
                simd.prefetch(b.wrapping_add(PREFETCH_B_STEPS * b_step + S::LANES));
                simd.prefetch(near.cast());
                simd.prefetch_l2(far);
                // One more fetch a step costs products from cache a twentieth.
                if U::IS_FROM_MEMORY {
                    simd.prefetch_l2(far.wrapping_add(LINE_BYTES));
                }
                (near, far) = (near.wrapping_add(phases.next_bytes), far.wrapping_add(far_bytes));
                for at in 0..U::PER_B {
                    if LD == 0 {
                        // Else an address is kept for each row: more than there are registers.
                        thirds = thirds.map(opaque);
                    }
                    // SAFETY: a step of the panel holds `NR` units at `b`; at most MR rows of `k` units at stride `lda`,
                    // by the contract of `Block`.
                    unsafe { step::<U, S, MR>(simd, (&thirds, lda), (b, at), acc) };
                    thirds = thirds.map(|third| third.wrapping_add(1));
                }
                b = b.wrapping_add(b_step);
            }
        }
        if !k.is_multiple_of(U::PER_B) {
            // SAFETY: as above; the first half of the last unit of `b` alone has a unit of `a`.
            unsafe { step::<U, S, MR>(simd, (&thirds, lda), (b, 0), acc) };
        }
    }
}

/// One unit of `a` in each row times unit `at` of those that a step of `b` holds.
///
/// # Safety
/// - `b` is valid for reads of two vectors, and so is a unit of each of `MR` rows of `a`, three at each of `thirds`.
#[inline(always)]
unsafe fn step<U: Unit, S: Simd, const MR: usize>(
    simd: S,
    (thirds, lda): (&[*const f32; 5], usize),
    (b, at): (*const f32, usize),
    acc: &mut [[S::F; 2]; MR],
) {
    // SAFETY: as the caller's.
    let b = unsafe { [simd.load(b), simd.load(b.add(S::LANES))] }.map(|b| U::of_b(simd, b, at));
    for (third, rows) in thirds.iter().zip(acc.chunks_mut(3)) {
        for (i, row) in rows.iter_mut().enumerate() {
            // SAFETY: as the caller's.
            let x = simd.splat(unsafe { *third.wrapping_add(i * lda) });
            row[0] = U::mul_add(simd, x, b[0], row[0]);
            row[1] = U::mul_add(simd, x, b[1], row[1]);
        }
    }
}

/// Hints that `MR` rows of a panel are read or written soon.
#[inline(always)]
fn fetch_rows<S: Simd, const MR: usize>(simd: S, mut row: *const f32, lead: usize) {
    for _ in 0..MR {
        simd.prefetch(row);
        simd.prefetch(row.wrapping_add(S::LANES));
        row = row.wrapping_add(lead);
    }
}

/// Adds the sums to `from`, where there is one, and writes them to `to`.
#[inline(always)]
fn finish<U: Unit, S: Simd, const MR: usize>(
    simd: S,
    (from, from_lead): (*const f32, usize),
    (to, to_lead): (*mut f32, usize),
    acc: &[[S::F; 2]; MR],
) {
    // SAFETY: both have MR rows of a whole panel at their strides, by the contract of `Block`.
    unsafe {
        let (mut from, mut to) = (from, to);
        if from.is_null() {
            for row in acc {
                simd.store(to, row[0]);
                simd.store(to.add(S::LANES), row[1]);
                to = to.wrapping_add(to_lead);
            }
            return;
        }
        for row in acc {
            simd.store(to, U::add(simd, row[0], simd.load(from)));
            simd.store(to.add(S::LANES), U::add(simd, row[1], simd.load(from.add(S::LANES))));
            (from, to) = (from.wrapping_add(from_lead), to.wrapping_add(to_lead));
        }
    }
}

fn micro<U: Unit, const MR: usize, const LD: usize>(isa: Isa, panel: Panel) {
    U::run(isa, Micro::<U, MR, LD>(panel, std::marker::PhantomData));
}

type MicroFn = fn(Isa, Panel);

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

/// Runs the register tile of `rows` rows of `units` over a panel.
pub(super) fn multiply(isa: Isa, (units, rows): (Units, usize), panel: Panel) {
    let is_led = panel.lda == LEAD;
    let micro: MicroFn = match units {
        Units::PairTiles | Units::QuadTiles => return tiles::multiply(isa, (units, rows), panel),
        Units::Single if panel.b_far > 0 => of_rows::<FromMemory, 0>(rows),
        Units::Single if is_led => of_rows::<Single, LEAD>(rows),
        Units::Single => of_rows::<Single, 0>(rows),
        Units::Pair if is_led => of_rows::<Pair, LEAD>(rows),
        Units::Pair => of_rows::<Pair, 0>(rows),
        // Of these a constant stride gave nothing that could be measured.
        Units::Halves => of_rows::<Halves, 0>(rows),
        Units::Quad => of_rows::<Quad, 0>(rows),
    };
    micro(isa, panel);
}
