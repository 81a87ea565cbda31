//! Rows of the right factor in place as the left factor of tiles: `cᵀ = b · aᵀ`.
//!
//! A tile of `b` is sixteen of its rows as they lie, 64 bytes of each; `a`, which is small, lies in panels of 32 rows. So nothing of
//! `b` is widened, and memory is asked for it once. The sums are turned as they are put where they belong.
//!
//! 1. One panel meets 32 rows of `b` over all steps: a step reads 2 KiB and takes 32 or 64 cycles, where memory takes some
//!    hundred. Nothing is fetched ahead: whatever was tried, into L1 or L2, a line or sixteen of each row at a time, 512 bytes to
//!    4 KiB ahead, made it slower.
//! 2. More panels take turns in blocks of eight steps. The first keeps the tiles of `b` as it loads them: rows a page apart share
//!    one set of L1, and from L2 both factors come slower than the unit multiplies. The block that comes next is fetched
//!    meanwhile, 128 bytes of a row after the other: as one stream of addresses it takes twice as long. The sums of each panel
//!    stay in L1 or L2.
//! 3. Weights of 4 bits are two tiles each, whose sum they are exactly ([`Amx::split`]): a block of them is made in L1, and each panel
//!    multiplies both. To make them takes some 500 cycles a step by the times of 16 to 128 rows, where 200 were counted by ports.
//!
//! In a loop of just that, 256 rows reach 0.4 to 0.45 of what the unit does from registers, 0.5 without the traffic of sums and
//! results; a loop without that traffic, whose right factor comes from L2, 0.75 (Xeon of model 167). Few rows of `a` are left to
//! vectors, which read what they widen in the order of its addresses and so a tenth faster.

mod short;
mod steps;

use super::super::isa::{Isa, Task};
use super::super::microkernel::Fetch;
use super::super::simd::{Amx, Bf16Pairs, Factors, I8Quads, Product, Simd, TILE_ROW_BYTES, TILE_ROWS, TILE_UNITS};
use super::super::tiles::{Lines, TILES_COLS, TILES_ROWS, contract};
use super::super::unit::{Quad, Single, Unit, Units};
use super::Stream;
use crate::problem::GROUP;

impl Stream<'_> {
    /// `b` holds columns of the product as rows, `[n, k]`, and `a` lies in panels of its own rows.
    ///
    /// # Safety
    /// - `a`, `b` and `c` are valid for the sizes that their fields state, and `c` overlaps neither.
    /// - `a` holds panels of these units, of `lda` units each, and both factors are of bf16 or of i8, or `b` of 4-bit integers with
    ///   scales, beside bf16.
    pub(super) unsafe fn tiles(&self, amx: Amx, units: Units) {
        let n = self.b.offsets.len();
        let mut room = std::mem::MaybeUninit::uninit();
        for row in (0..self.m).step_by(MOST_ROWS) {
            let mut pass = Pass {
                stream: self,
                a: self.a.wrapping_add(row / TILES_COLS * self.lda),
                c: self.c.wrapping_add(row * self.ldc),
                m: (self.m - row).min(MOST_ROWS),
                room: &mut room,
            };
            // SAFETY: as the caller's.
            let mut j = if units == Units::PairTiles { unsafe { self.short(amx) } } else { 0 };
            while j < n {
                let rows = if self.scales.is_some() { (n - j).min(TILES_ROWS) } else { self.even_rows(j) };
                // SAFETY: as the caller's; these rows exist, evenly apart.
                unsafe {
                    if units == Units::QuadTiles {
                        pass.rows::<I8Quads, Quad>(amx, (j, rows));
                    } else {
                        pass.rows::<Bf16Pairs, Single>(amx, (j, rows));
                    }
                }
                j += rows;
            }
        }
    }

    /// How many rows of `b` from `j` lie evenly apart, of those that two tiles take.
    fn even_rows(&self, j: usize) -> usize {
        let rest = &self.b.offsets[j..self.b.offsets.len().min(j + TILES_ROWS)];
        let apart = |pair: &[usize]| pair[1].wrapping_sub(pair[0]);
        let Some(first) = rest.windows(2).next().map(apart) else { return rest.len() };
        1 + rest.windows(2).take_while(|pair| apart(pair) == first).count()
    }
}

/// Most rows of `a` that meet rows of `b` at a time.
const MOST_ROWS: usize = 8 * TILES_COLS;

/// Steps of the contraction in which panels of `a` take turns, so that the rows of `b` in use and a panel share L1.
const BLOCK_STEPS: usize = 8;

/// Bytes of a row of `b` in a block.
const KEPT_BYTES: usize = BLOCK_STEPS * TILE_ROW_BYTES;

/// Sums of each panel, and the tiles of `b` in use.
#[repr(C, align(64))]
struct Room {
    sums: [[f32; TILES_ROWS * TILES_COLS]; MOST_ROWS / TILES_COLS],
    tiles: [[u8; KEPT_BYTES]; TILES_ROWS],
    /// Of weights of 4 bits what those tiles lack.
    left: [[u8; KEPT_BYTES]; TILES_ROWS],
}

/// Rows of `a` that meet rows of `b` at a time.
struct Pass<'s> {
    stream: &'s Stream<'s>,
    a: *const f32,
    c: *mut f32,
    m: usize,
    room: &'s mut std::mem::MaybeUninit<Room>,
}

/// Rows of `b`, some of their steps.
#[derive(Clone, Copy)]
struct Steps {
    first: *const u8,
    /// Bytes from row to row.
    apart: usize,
    /// Bytes of a step in memory.
    step_bytes: usize,
    /// The first row, and how many.
    j: usize,
    rows: usize,
    /// Whole steps before these, and how many there are of them.
    before: usize,
    whole: usize,
    /// Bytes of each row that fill no step.
    rest: usize,
}

impl Pass<'_> {
    /// The product with `rows` rows of `b` from `j`.
    ///
    /// # Safety
    /// - As of [`Stream::tiles`].
    #[inline(always)]
    unsafe fn rows<P: Product, U: Unit>(&mut self, amx: Amx, (j, rows): (usize, usize)) {
        amx.shape(rows);
        let b = self.stream.b;
        let (first, row_bytes) = (b.row(j), b.cols * b.dtype.size_bytes());
        // A group of weights of 4 bits is a step.
        let step_bytes = if self.stream.scales.is_some() { GROUP / 2 } else { TILE_ROW_BYTES };
        // One row alone lies apart from nothing.
        let apart = if rows > 1 { b.row(j + 1).addr().wrapping_sub(first.addr()) } else { row_bytes };
        let sums = self.room.as_mut_ptr().cast::<[f32; TILES_ROWS * TILES_COLS]>();
        let n_panels = self.m.div_ceil(TILES_COLS);
        if !rows.is_multiple_of(TILE_ROWS) {
            // Whole squares are turned: what no tile writes of them must be numbers too.
            (0..n_panels).for_each(|panel| {
                // SAFETY: there is room for the sums of each panel.
                unsafe { sums.add(panel).write([0.0; TILES_ROWS * TILES_COLS]) };
            });
        }
        let n_steps = row_bytes / step_bytes;
        // Alone, a panel takes all steps at once: memory gives rows in the order of loads faster than in that of hints.
        let is_read_alone = n_panels == 1 && self.stream.scales.is_none();
        let block = if is_read_alone { n_steps.max(1) } else { BLOCK_STEPS };
        for before in (0..n_steps.max(1)).step_by(block) {
            let whole = (n_steps - before).min(block);
            let is_last = before + whole == n_steps;
            let rest = if is_last { row_bytes % step_bytes } else { 0 };
            let first = first.wrapping_add(before * step_bytes);
            let steps = Steps { first, apart, step_bytes, j, rows, before, whole, rest };
            let next = match is_last {
                _ if is_read_alone => Fetch::NONE,
                true => self.rows_after(j + rows, step_bytes),
                false => steps.after(),
            };
            // SAFETY: as the caller's; these are steps of its rows.
            unsafe {
                if rows > TILE_ROWS {
                    self.block::<P, 2>(amx, steps, next);
                } else {
                    self.block::<P, 1>(amx, steps, next);
                }
            }
        }
        for panel in 0..n_panels {
            let row = panel * TILES_COLS;
            let turn = Turn::<U> {
                sums: sums.wrapping_add(panel).cast(),
                n: rows,
                c: self.c.wrapping_add(row * self.stream.ldc + j),
                ldc: self.stream.ldc,
                m: (self.m - row).min(TILES_COLS),
                fresh: self.stream.fresh,
                units: std::marker::PhantomData,
            };
            Isa::Amx(amx).run(turn);
        }
    }

    /// The sums of all panels and some steps of rows of `b`; `ahead` is what comes after those.
    ///
    /// # Safety
    /// - As of [`Pass::rows`].
    #[inline(always)]
    unsafe fn block<P: Product, const RT: usize>(&mut self, amx: Amx, steps: Steps, ahead: Fetch) {
        let mut rows_end = std::mem::MaybeUninit::uninit();
        let rows_end = (steps.rest > 0).then(|| {
            let rows_end = rows_end.write([0u8; TILES_ROWS * TILE_ROW_BYTES]);
            for (row, end) in rows_end.chunks_mut(TILE_ROW_BYTES).enumerate().take(steps.rows) {
                let from = steps.first.wrapping_add(row * steps.apart + steps.whole * TILE_ROW_BYTES);
                // SAFETY: `rest` bytes remain in each row of `b`.
                unsafe { std::ptr::copy_nonoverlapping(from, end.as_mut_ptr(), steps.rest) };
            }
            &*rows_end
        });
        // SAFETY: as the caller's.
        unsafe { self.dequantise(amx, steps) };
        let n_panels = self.m.div_ceil(TILES_COLS);
        let mut lines = Lines::new(ahead, n_panels * steps.whole);
        for panel in 0..n_panels {
            let has_two = self.m - panel * TILES_COLS > TILE_ROWS;
            // SAFETY: as the caller's.
            unsafe {
                if has_two {
                    self.panel::<P, RT, 2>(amx, panel, (steps, rows_end), &mut lines);
                } else {
                    self.panel::<P, RT, 1>(amx, panel, (steps, rows_end), &mut lines);
                }
            }
        }
    }

    /// The sums of `RT × CT` tiles: the first of some panels keeps the tiles of `b` for the others.
    ///
    /// # Safety
    /// - As of [`Pass::rows`], of as many rows and columns.
    #[inline(always)]
    unsafe fn panel<P: Product, const RT: usize, const CT: usize>(
        &mut self,
        amx: Amx,
        panel: usize,
        (steps, rows_end): (Steps, Option<&[u8; TILES_ROWS * TILE_ROW_BYTES]>),
        lines: &mut Lines,
    ) {
        let room = self.room.as_mut_ptr();
        // SAFETY: the fields lie in the room, which has sums of each panel.
        let (sums, tiles, left) = unsafe {
            (&raw mut (*room).sums[panel], (&raw mut (*room).tiles).cast::<u8>(), (&raw const (*room).left).cast())
        };
        let is_split = self.stream.scales.is_some();
        let from = self.a.wrapping_add(panel * self.stream.lda + steps.before * TILE_UNITS * TILES_COLS);
        let b_step = TILES_COLS * 4;
        let (a, lda) =
            if panel == 0 && !is_split { (steps.first, steps.apart) } else { (tiles.cast_const(), KEPT_BYTES) };
        let first = Factors { a, lda, b: from.cast(), b_step };
        let mut panel_end = std::mem::MaybeUninit::uninit();
        let end = rows_end.map(|rows_end| {
            let panel_end = panel_end.write([0f32; TILE_ROWS * TILES_COLS]);
            let from = from.wrapping_add(steps.whole * TILE_UNITS * TILES_COLS);
            // SAFETY: the panel has units for `rest` bytes, begun ones too.
            unsafe {
                std::ptr::copy_nonoverlapping(from, panel_end.as_mut_ptr(), steps.rest.div_ceil(4) * TILES_COLS);
            }
            Factors { a: rows_end.as_ptr(), lda: TILE_ROW_BYTES, b: panel_end.as_ptr().cast(), b_step }
        });
        let takes_turns = self.m > TILES_COLS;
        let mut kept = if panel == 0 && takes_turns && !is_split { 0..steps.whole } else { 0..0 };
        // SAFETY: the caller shaped the tiles, and its rows and panel are readable; the room has rows of sums, and of a block's tiles,
        // and only where panels take turns, in blocks, are tiles kept.
        unsafe {
            if steps.before == 0 {
                amx.zero();
            } else {
                amx.load::<RT, CT>(sums.cast(), b_step);
            }
            contract::<P, RT, CT>(amx, (first, steps.whole), end, takes_turns || is_split, |_| {
                if let Some(step) = kept.next() {
                    amx.store_left_factor::<RT>(tiles.wrapping_add(step * TILE_ROW_BYTES), KEPT_BYTES);
                }
                lines.step(|line| amx.vectors().prefetch_l2(line));
            });
            if is_split {
                contract::<P, RT, CT>(amx, (Factors { a: left, ..first }, steps.whole), None, true, |_| ());
            }
            amx.store::<RT, CT>(sums.cast(), b_step);
        }
    }

    /// Keeps tiles of weights of 4 bits, which are nowhere as they are multiplied.
    ///
    /// # Safety
    /// - As of [`Pass::rows`].
    unsafe fn dequantise(&mut self, amx: Amx, steps: Steps) {
        let Some(scales) = self.stream.scales else { return };
        let room = self.room.as_mut_ptr();
        for row in 0..steps.rows {
            let bytes = self.stream.b.row(steps.j + row).wrapping_add(steps.before * steps.step_bytes);
            let scales = scales.row(steps.j + row).cast::<u16>().wrapping_add(steps.before);
            // SAFETY: these steps of the row exist, a group each with its scale; weights of 4 bits are taken in blocks, of no more
            // steps than 16 or than the room's rows hold.
            unsafe {
                let to = [(&raw mut (*room).tiles[row]).cast(), (&raw mut (*room).left[row]).cast()];
                amx.split((bytes, scales, steps.whole), to);
            }
        }
    }

    /// The first steps of the rows after row `j - 1`.
    fn rows_after(&self, j: usize, step_bytes: usize) -> Fetch {
        let (b, block_bytes) = (self.stream.b, BLOCK_STEPS * step_bytes);
        if j + 1 < b.offsets.len() {
            let rows = (b.offsets.len() - j).min(TILES_ROWS);
            let stride = b.row(j + 1).addr().wrapping_sub(b.row(j).addr());
            Fetch { first: b.row(j), stride, rows, row_bytes: block_bytes.min(b.cols * b.dtype.size_bytes()) }
        } else {
            let next = self.stream.next[0];
            Fetch { rows: next.rows.min(TILES_ROWS), row_bytes: next.row_bytes.min(block_bytes), ..next }
        }
    }
}

impl Steps {
    /// The steps after these, of the same rows.
    fn after(&self) -> Fetch {
        let first = self.first.wrapping_add(self.whole * self.step_bytes);
        Fetch { first, stride: self.apart, rows: self.rows, row_bytes: BLOCK_STEPS * self.step_bytes }
    }
}

/// Puts `n` rows of `m` sums where `m` rows of `n` belong.
struct Turn<U> {
    sums: *const f32,
    n: usize,
    c: *mut f32,
    ldc: usize,
    m: usize,
    fresh: bool,
    units: std::marker::PhantomData<U>,
}

impl<U: Unit> Task for Turn<U> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let mut square = [0f32; TILE_ROWS * TILE_ROWS];
        for col in (0..self.n).step_by(TILE_ROWS) {
            let n = (self.n - col).min(TILE_ROWS);
            for row in (0..self.m).step_by(TILE_ROWS) {
                // SAFETY: there are two tiles of rows of sums, `TILES_COLS` long, all of them numbers; the square holds LANES
                // rows, and vectors have as many lanes as a tile has rows.
                unsafe {
                    simd.transpose(self.sums.add(col * TILES_COLS + row), TILES_COLS, square.as_mut_ptr(), S::LANES);
                }
                for i in 0..(self.m - row).min(TILE_ROWS) {
                    // SAFETY: row `row + i < m` of `c` has room for columns `col..col + n`.
                    unsafe {
                        let to = self.c.add((row + i) * self.ldc + col);
                        let new = simd.load(square.as_ptr().add(i * S::LANES));
                        let sum = if self.fresh { new } else { U::add(simd, new, simd.load_first(to, n)) };
                        if n == S::LANES {
                            simd.store(to, sum);
                        } else {
                            simd.store_first(to, sum, n);
                        }
                    }
                }
            }
        }
    }
}
