//! What is fetched ahead of a stream's reads.
//!
//! Intel's cores fetch ahead by themselves within a page of 4 KiB, and anew after a few misses in the next one: beside any
//! work, waiting for those costs more than the work. Hints that reach into the next page, into L2, and again nearer, into L1,
//! since what is under way to L1 is little, were swept on a Xeon of model 207. Shares of what loads alone read, with none, with
//! one into L1 (2 KiB ahead), with one into L2, with both: bf16 of one row of `a` 0.83, 0.94, 0.87, 0.97, of four 0.78, 0.87,
//! 0.82, 0.88; f32 of four 0.81, 0.88, 0.85, 0.98; i8 of four 0.76, 0.90, 0.89, 0.95. `prefetchnta` read half of what none does.
//! Of eight rows both read less than one into L1 (f32 0.82 and 0.86): what loads has no time left.
//!
//! The steps of four rows of bf16 by halves keep one of sixteen sums on the stack, and read 0.84 where steps of single numbers
//! read 0.865 with one hint.
//!
//! Short rows, such as keys, are then read in several places at once, as long ones are: of keys of 256 bytes
//! in the order of their addresses decoding reads 0.61 of the limit, from four places 0.66 (0.77 and 0.87 in a loop written for
//! that shape).
//!
//! Tiles take them from four places too, with one hint into L1 ([`Stream::reach_of_tiles`]): in turns with
//! vectors on a Xeon of model 167, 8 and 16 queries read 1.12 and 1.54 times what those do without any hint, 1.19 and 1.82 times with
//! it, and 1.14 and 1.85 times with one into L2 beside it.
//!
//! On Zen 4 and 5 few rows of `a` read as fast as memory gives without any hint, and short rows in the order of their addresses,
//! fetched 4 to 12 KiB ahead, 1.4 to 1.8 times as fast as with every other line left out.

use super::super::simd::{Simd, is_intel};
use super::Stream;

/// Bytes of a line.
pub(super) const LINE: usize = 64;

/// Bytes from which rows are long: streams of their own.
const LONG_BYTES: usize = 2 << 10;

/// Bytes ahead that are fetched into L2, in each stream: a latency of some 100 ns at tens of GB/s, over three or four streams.
const FAR_BYTES: isize = 3 << 10;

/// As [`FAR_BYTES`], of short rows in the order of their addresses.
const FAR_BYTES_IN_ORDER: isize = 8 << 10;

/// Bytes ahead that are fetched into L1.
const NEAR_BYTES: isize = 1 << 10;

/// As [`NEAR_BYTES`], where nothing is fetched into L2 before.
const NEAR_BYTES_ALONE: isize = 2 << 10;

/// How a CPU's own fetching is helped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Hints {
    /// Where it cannot know what comes.
    Sparse,
    /// Everywhere.
    Dense,
}

impl Hints {
    /// What was measured to be best on CPUs like this one.
    pub(in super::super) fn of_cpu() -> Hints {
        if is_intel() { Hints::Dense } else { Hints::Sparse }
    }

    /// Places that short rows are read in at once, where groups of rows are of this many.
    #[inline(always)]
    pub(in super::super) fn places(self, together: usize) -> usize {
        if self == Hints::Sparse { 1 } else { together }
    }
}

/// What is fetched while rows are read: how many bytes behind the one in use, into L2 and into L1.
#[derive(Clone, Copy)]
pub(super) struct Ahead {
    far: Option<isize>,
    near: Option<isize>,
}

/// Rows ahead that are fetched into L2 and into L1.
#[derive(Clone, Copy)]
pub(super) struct Reach {
    far: Option<usize>,
    near: Option<usize>,
}

impl Ahead {
    /// Hints at what is read after the lines `byte` bytes from the start of each row, if a line begins there; the next call is
    /// `step` bytes on.
    #[inline(always)]
    pub(super) fn hint<S: Simd, const N: usize>(self, simd: S, rows: [*const u8; N], byte: usize, step: usize) {
        if !step.is_multiple_of(LINE) && !byte.is_multiple_of(LINE) {
            return;
        }
        if let Some(bytes) = self.far {
            for row in rows {
                simd.prefetch_l2(row.wrapping_add(byte).wrapping_offset(bytes));
            }
        }
        if let Some(bytes) = self.near {
            for row in rows {
                simd.prefetch(row.wrapping_add(byte).wrapping_offset(bytes).cast());
            }
        }
    }

    /// As [`Ahead::hint`], of all lines of a row.
    #[inline(always)]
    pub(super) fn hint_row<S: Simd>(self, simd: S, row: *const u8, row_bytes: usize) {
        let mut byte = 0;
        // Four at a time: a hint is one instruction, and so would be each of a loop.
        while byte + 4 * LINE <= row_bytes {
            for line in 0..4 {
                self.hint(simd, [row], byte + line * LINE, LINE);
            }
            byte += 4 * LINE;
        }
        while byte < row_bytes {
            self.hint(simd, [row], byte, LINE);
            byte += LINE;
        }
    }
}

impl Stream<'_> {
    pub(super) fn row_bytes(&self) -> usize {
        self.b.cols * self.b.dtype.size_bytes()
    }

    /// Whether rows are too short for the hardware to see a stream in each.
    #[inline(always)]
    pub(super) fn is_short(&self) -> bool {
        self.row_bytes() < LONG_BYTES
    }

    /// What is fetched while `M` rows of `a` meet long rows.
    #[inline(always)]
    pub(super) fn ahead_of_long<const M: usize>(&self) -> Ahead {
        match (self.hints, M) {
            (Hints::Dense, ..5) => Ahead { far: Some(FAR_BYTES), near: Some(NEAR_BYTES) },
            (Hints::Dense, _) | (Hints::Sparse, 3..) => Ahead { far: None, near: Some(NEAR_BYTES_ALONE) },
            (Hints::Sparse, _) => Ahead { far: None, near: None },
        }
    }

    /// How far ahead short rows are fetched.
    #[inline(always)]
    pub(super) fn reach(&self) -> Reach {
        let rows = |bytes| self.rows_of(bytes);
        match self.hints {
            Hints::Dense => Reach { far: Some(rows(FAR_BYTES)), near: Some(rows(NEAR_BYTES)) },
            Hints::Sparse => Reach { far: Some(rows(FAR_BYTES_IN_ORDER)), near: None },
        }
    }

    /// As [`Stream::reach`], of tiles: what they load from L2 keeps them waiting.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(super) fn reach_of_tiles(&self) -> Reach {
        Reach { far: None, near: Some(self.rows_of(NEAR_BYTES_ALONE)) }
    }

    /// Rows in so many bytes.
    #[inline(always)]
    fn rows_of(&self, bytes: isize) -> usize {
        (bytes / self.row_bytes().max(1) as isize).max(1) as usize
    }

    /// What is fetched while short row `row`, number `at` of the `in_place` rows of its place, and some after it are read.
    #[inline(always)]
    pub(super) fn ahead_of_short(
        &self,
        row: *const u8,
        (place, in_place, at): (usize, usize, usize),
        reach: Reach,
    ) -> Ahead {
        let on = |rows: usize| {
            self.row_ahead(place, in_place, at + rows).map(|ahead| ahead.addr().wrapping_sub(row.addr()) as isize)
        };
        Ahead { far: reach.far.and_then(on), near: reach.near.and_then(on) }
    }

    /// Row `at` of a place that holds `rows`, or of what is read there next; none where that is not known.
    #[inline(always)]
    pub(super) fn row_ahead(&self, place: usize, rows: usize, at: usize) -> Option<*const u8> {
        if at < rows {
            return Some(self.b.row(place * rows + at));
        }
        let next = &self.next[place];
        (at - rows < next.rows).then(|| next.first.wrapping_add((at - rows) * next.stride))
    }
}
