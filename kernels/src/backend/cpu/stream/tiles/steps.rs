//! Steps of the contraction as rows of the right factor, such as values of a head, under few rows of the left one:
//! `c = a · b`, with pairs of rows brought together in L1. Rows come from several places by turns, as in [`super::short`].
//!
//! What is brought together at a time, 64 rows of 256 columns, is read by all rows of `a` before the next; that is fetched
//! meanwhile. Of long rows, weights as `[k, n]`, half of what memory gives is read (Xeon of model 167): each row is another page,
//! of which 512 bytes are wanted at a time.

use std::mem::MaybeUninit;

use super::super::super::isa::{Isa, Task};
use super::super::super::simd::{Amx, Bf16Pairs, Factors, Simd, TILE_ROWS, TILE_UNITS};
use super::super::super::tiles::{TILES_COLS, TILES_ROWS, contract};
use super::super::super::uses::STEP_STREAM_ROWS;
use super::super::hints::LINE;
use super::super::{PARTS, Stream};

/// Rows of `b` that are brought together at a time: a tile's height from each place.
const ROWS: usize = PARTS * TILE_ROWS;

/// Pairs of them.
const PAIRS: usize = ROWS / 2;

/// Columns that are brought together at a time.
const COLS: usize = 8 * TILES_COLS;

impl Stream<'_> {
    /// `b` holds steps of the contraction as rows, `[k, n]`.
    ///
    /// # Safety
    /// - As of [`Stream::sums`], but `a` holds rows of pairs of bf16, and `b` is of bf16.
    pub(in super::super) unsafe fn steps_of_tiles(&self, amx: Amx) {
        let mut room = MaybeUninit::uninit();
        let room = room.as_mut_ptr();
        for row in (0..self.m).step_by(STEP_STREAM_ROWS) {
            let m = (self.m - row).min(STEP_STREAM_ROWS);
            let (a, c) = (self.a.wrapping_add(row * self.lda), self.c.wrapping_add(row * self.ldc));
            Isa::Amx(amx).run(Steps { stream: &Stream { m, a, c, ..*self }, amx, room });
        }
    }
}

/// What is brought together: units of `a`, and for either half of 32 columns of `b` a tile's rows.
#[repr(C, align(64))]
struct Room {
    a: [[f32; PAIRS]; STEP_STREAM_ROWS],
    b: [[[f32; TILES_COLS]; PAIRS]; COLS / TILES_COLS],
}

/// What steps of the contraction add to the sums of some rows.
struct Steps<'s> {
    stream: &'s Stream<'s>,
    amx: Amx,
    room: *mut Room,
}

impl Task for Steps<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let s = self.stream;
        let (n, in_place) = (s.b.offsets.len(), s.in_place_of_tiles());
        for at in (0..in_place).step_by(TILE_ROWS) {
            let firsts = std::array::from_fn(|place| place * in_place + at);
            self.rows(simd, firsts, (in_place, n), at == 0);
        }
        for first in (PARTS * in_place..n).step_by(ROWS) {
            let firsts = std::array::from_fn(|part| first + part * TILE_ROWS);
            self.rows(simd, firsts, (n, n), first == 0);
        }
    }
}

impl Steps<'_> {
    /// What sixteen rows from each of `firsts` give, of places of `in_place` rows; those from `n` on are zero.
    #[inline(always)]
    fn rows<S: Simd>(&self, simd: S, firsts: [usize; PARTS], (in_place, n): (usize, usize), is_first: bool) {
        let s = self.stream;
        self.left(firsts, n);
        for col in (0..s.b.cols).step_by(COLS) {
            let cols = (s.b.cols - col).min(COLS);
            for pair in 0..TILE_ROWS / 2 {
                for (part, first) in firsts.into_iter().enumerate() {
                    let row = first + 2 * pair;
                    self.ahead(simd, (row, n), (part, in_place), col + cols);
                    self.pair(simd, (row, n), (col, cols), part * TILE_ROWS / 2 + pair);
                }
            }
            for row in (0..s.m).step_by(TILES_ROWS) {
                let rows = (s.m - row).min(TILES_ROWS);
                self.amx.shape(rows);
                for at in (0..cols).step_by(TILES_COLS) {
                    // SAFETY: tiles are shaped for these rows, and the room holds what they and these columns take.
                    unsafe {
                        match (rows > TILE_ROWS, cols - at > TILE_ROWS) {
                            (false, false) => self.multiply::<1, 1>(row, (col, at), is_first),
                            (false, true) => self.multiply::<1, 2>(row, (col, at), is_first),
                            (true, false) => self.multiply::<2, 1>(row, (col, at), is_first),
                            (true, true) => self.multiply::<2, 2>(row, (col, at), is_first),
                        }
                    }
                }
            }
        }
    }

    /// Fetches what is brought together after rows `p` and `p + 1` of a place: columns of theirs from `col`, or if there are none
    /// those of later rows.
    #[inline(always)]
    fn ahead<S: Simd>(&self, simd: S, (p, n): (usize, usize), (place, in_place): (usize, usize), col: usize) {
        let s = self.stream;
        let is_next = col == s.b.cols;
        let col = if is_next { 0 } else { col };
        for p in p..(p + 2).min(n) {
            let row = if is_next && in_place < n {
                s.row_ahead(place, in_place, p - place * in_place + TILE_ROWS)
            } else {
                (!is_next).then(|| s.b.row(p))
            };
            let Some(row) = row else { continue };
            for byte in (2 * col..2 * (col + COLS).min(s.b.cols)).step_by(LINE) {
                simd.prefetch(row.wrapping_add(byte).cast());
            }
        }
    }

    /// Brings together the units of `a` that meet sixteen rows from each of `firsts`; those from `n` on are zero.
    #[inline(always)]
    fn left(&self, firsts: [usize; PARTS], n: usize) {
        let s = self.stream;
        for row in 0..s.m {
            for (part, first) in firsts.into_iter().enumerate() {
                let units = (n.saturating_sub(first)).min(TILE_ROWS).div_ceil(2);
                let mut eight = [0f32; TILE_ROWS / 2];
                // SAFETY: each of `m` rows of `a` has a unit for every begun pair of rows of `b`, and the room one for each pair.
                unsafe {
                    let from = s.a.add(row * s.lda + first / 2);
                    if units == eight.len() {
                        eight = from.cast::<[f32; TILE_ROWS / 2]>().read_unaligned();
                    } else if units > 0 {
                        std::ptr::copy_nonoverlapping(from, eight.as_mut_ptr(), units);
                    }
                    let to = (&raw mut (*self.room).a[row]).cast::<[f32; TILE_ROWS / 2]>();
                    to.add(part).write(eight);
                }
            }
        }
    }

    /// Brings rows `p` and `p + 1` of `b` together, `cols` columns from `col`; one from `n` on is zero.
    #[inline(always)]
    fn pair<S: Simd>(&self, simd: S, (p, n): (usize, usize), (col, cols): (usize, usize), pair: usize) {
        let s = self.stream;
        let row = |p: usize| s.b.row(p).cast::<u16>().wrapping_add(col);
        let mut at = 0;
        if p + 1 < n {
            let rows = [row(p), row(p + 1)];
            while at + TILES_COLS <= cols {
                self.put(simd, rows.map(|row| row.wrapping_add(at)), at, pair);
                at += TILES_COLS;
            }
        }
        while at < cols {
            let mut ends = [[0u16; TILES_COLS]; 2];
            let len = (cols - at).min(TILES_COLS);
            for (end, p) in ends.iter_mut().zip(p..n) {
                // SAFETY: row `p < n` has as many columns from `col + at`.
                unsafe { std::ptr::copy_nonoverlapping(row(p).add(at), end.as_mut_ptr(), len) };
            }
            self.put(simd, [ends[0].as_ptr(), ends[1].as_ptr()], at, pair);
            at += TILES_COLS;
        }
    }

    /// Writes a pair of rows of 32 columns.
    #[inline(always)]
    fn put<S: Simd>(&self, simd: S, [even, odd]: [*const u16; 2], at: usize, pair: usize) {
        // SAFETY: both rows hold 32 numbers, vectors have as many lanes as a row of a tile has units, and there is room for
        // as many pairs and columns.
        unsafe {
            let to = (&raw mut (*self.room).b[at / TILES_COLS][pair]).cast::<f32>();
            simd.store(to, simd.interleave_u16(even, odd));
            simd.store(to.add(TILE_UNITS), simd.interleave_u16(even.add(TILE_UNITS), odd.add(TILE_UNITS)));
        }
    }

    /// Adds what the room holds to `RT` tiles of rows from `row`, `CT` of columns from `col + at`.
    ///
    /// # Safety
    /// - [`Amx::shape`] before, on this thread; the room holds units of `a` and pairs of `b` for them.
    #[inline(always)]
    unsafe fn multiply<const RT: usize, const CT: usize>(&self, row: usize, (col, at): (usize, usize), is_first: bool) {
        let (s, amx) = (self.stream, self.amx);
        // SAFETY: both fields lie in the room, which has as many rows and columns.
        let (a, b) = unsafe { (&raw const (*self.room).a[row], &raw const (*self.room).b[at / TILES_COLS]) };
        let first = Factors { a: a.cast(), lda: PAIRS * 4, b: b.cast(), b_step: TILES_COLS * 4 };
        // SAFETY: the caller shaped the tiles, and filled the room; rows of `c` have room for whole vectors.
        unsafe {
            let c = s.c.wrapping_add(row * s.ldc + col + at);
            if s.fresh && is_first {
                amx.zero();
            } else {
                amx.load::<RT, CT>(c, s.ldc * 4);
            }
            contract::<Bf16Pairs, RT, CT>(amx, (first, PAIRS / TILE_UNITS), None, false, |_| ());
            amx.store::<RT, CT>(c, s.ldc * 4);
        }
    }
}
