//! Short rows of the right factor, such as keys of a head, under few rows of the left one.
//!
//! Registers keep the left factor whole, so that a step loads a tile of rows and nothing else. Tiles of rows come from several
//! places by turns: one behind the other their loads alone read 0.82 of what memory gives, from four places 0.95.

use super::super::super::isa::{Isa, Task};
use super::super::super::simd::{Amx, MOST_KEPT, Simd, TILE_ROW_BYTES, TILE_ROWS};
use super::super::super::tiles::{TILES_COLS, TILES_ROWS};
use super::super::super::uses::{KEPT_STEPS, STEP_BYTES, are_kept};
use super::super::{PARTS, Stream};

/// Who decides what is kept knows no tiles.
const _: () = assert!(KEPT_STEPS == MOST_KEPT && STEP_BYTES == TILE_ROW_BYTES);

impl Stream<'_> {
    /// Takes as many of the first rows of `b` as fill tiles in each place, and says how many those are: none unless registers
    /// hold all steps, and rows of a tile lie evenly apart.
    ///
    /// # Safety
    /// - As of [`Stream::tiles`], of pairs of bf16.
    pub(super) unsafe fn short(&self, amx: Amx) -> usize {
        let in_place = self.in_place_of_tiles();
        if self.m > TILE_ROWS || !are_kept(self.b.dtype, self.b.cols) || in_place == 0 {
            return 0;
        }
        let Some(apart) = self.apart(PARTS * in_place) else { return 0 };
        match self.row_bytes() / TILE_ROW_BYTES {
            1 => Isa::Amx(amx).run(Short::<1> { stream: self, amx, in_place, apart }),
            2 => Isa::Amx(amx).run(Short::<2> { stream: self, amx, in_place, apart }),
            3 => Isa::Amx(amx).run(Short::<3> { stream: self, amx, in_place, apart }),
            _ => Isa::Amx(amx).run(Short::<MOST_KEPT> { stream: self, amx, in_place, apart }),
        }
        PARTS * in_place
    }

    /// Rows of each of four places: whole tiles.
    #[inline(always)]
    pub(super) fn in_place_of_tiles(&self) -> usize {
        self.in_place(PARTS, TILE_ROWS)
    }

    /// Bytes from row to row of every tile of the first `n` rows; none where they differ.
    fn apart(&self, n: usize) -> Option<usize> {
        let offsets = &self.b.offsets[..n];
        let apart = offsets[1].wrapping_sub(offsets[0]);
        let is_even = |tile: &[usize]| {
            tile.windows(2).fold(true, |is_even, pair| is_even & (pair[1].wrapping_sub(pair[0]) == apart))
        };
        offsets.chunks(TILE_ROWS).all(is_even).then_some(apart * self.b.dtype.size_bytes())
    }
}

/// Sums of two tiles.
#[repr(C, align(64))]
struct Sums([f32; TILES_ROWS * TILE_ROWS]);

/// Rows of `b` of `K` steps, as many in each place, evenly apart.
struct Short<'s, const K: usize> {
    stream: &'s Stream<'s>,
    amx: Amx,
    in_place: usize,
    apart: usize,
}

impl<const K: usize> Task for Short<'_, K> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Short { stream: s, amx, in_place, apart } = self;
        let reach = s.reach_of_tiles();
        let mut sums = std::mem::MaybeUninit::<Sums>::uninit();
        let sums = sums.as_mut_ptr().cast::<f32>();
        amx.shape(TILES_ROWS);
        // SAFETY: `a` holds a panel of `K` steps, by the contract of `Stream::tiles`.
        unsafe { amx.keep(s.a.cast(), TILES_COLS * 4, K) };
        for at in (0..in_place).step_by(TILE_ROWS) {
            for first in (0..PARTS).step_by(2) {
                for place in [first, first + 1] {
                    for at in at..at + TILE_ROWS {
                        let row = s.b.row(place * in_place + at);
                        let ahead = s.ahead_of_short(row, (place, in_place, at), reach);
                        ahead.hint_row(simd, row, K * TILE_ROW_BYTES);
                    }
                }
                let columns = [first * in_place + at, (first + 1) * in_place + at];
                // SAFETY: sixteen rows of `K` steps from either lie evenly apart, and there is room for the sums of both; row
                // `i < m` of `c` has room for as many columns.
                unsafe {
                    amx.multiply_kept::<K>(columns.map(|j| s.b.row(j)), apart, sums);
                    for (tile, j) in columns.into_iter().enumerate() {
                        let sums = sums.add(tile * TILE_ROWS * TILE_ROWS);
                        amx.put_turned(sums, (s.c.wrapping_add(j), s.ldc), s.m, s.fresh);
                    }
                }
            }
        }
    }
}
