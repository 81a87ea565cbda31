//! Copies of tiles in the order in which the micro-kernel reads them.
//!
//! Right factors become panels `[k][NR]`, the last one padded with zero columns. Left factors become rows at a constant
//! stride. Shorter types widen to f32 here, unless bf16 pairs stay pairs for the instruction that multiplies them.
//!
//! With weights as `[n, k]` a product of some hundred rows spends what it loses to the multiply-add limit here and in
//! memory: each element is read once in pieces of a step's length, transposed and written once. So whole squares go
//! through one loop without branches, the next rows are fetched meanwhile, and the panels stay in cache (`memo.rs`).

mod rows;

use super::isa::{Isa, Task};
use super::simd::Simd;
use super::source::{Bf16, Element, F8E4M3, F8E5M2, F16, F32, I8, Pairs, Quads, SignedQuads, Source};
use crate::DType;
use rows::{Interleaved, RowHalves, Rows, TurnedPairs, row_units};

/// How a copy is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Layout {
    /// f32 rows.
    Rows,
    /// f32 rows of bf16: of each two vectors of elements first the even ones, then the odd ones. What is left of a row at its
    /// end lies the same way, with room between.
    RowHalves,
    /// Rows of bf16 pairs; an odd last element is paired with zero.
    RowPairs,
    /// f32 panels of a source whose rows run along the contraction.
    PanelsKn,
    /// Pair panels of a source whose rows run along the contraction.
    PairPanelsKn,
    /// f32 panels of a source whose columns run along the contraction.
    PanelsNk,
    /// Pair panels of a source whose columns run along the contraction.
    PairPanelsNk,
    /// Rows of bytes as they are, four to a unit; zeros make the last one whole.
    RowQuads,
    /// Quad panels, without sign ([`Quads`]), of a source whose rows run along the contraction.
    QuadPanelsKn,
    /// Quad panels, without sign ([`Quads`]), of a source whose columns run along the contraction.
    QuadPanelsNk,
    /// Quad panels as they are, of a source whose rows run along the contraction.
    SignedPanelsKn,
    /// Quad panels as they are, of a source whose columns run along the contraction.
    SignedPanelsNk,
    /// As [`Layout::Interleaved`], turned: a row for each column, along it pairs of rows. Room is needed for whole squares of
    /// vectors.
    TurnedPairs,
    /// Rows of units, each a pair of elements of neighbouring rows; an odd last row is paired with zeros.
    Interleaved,
}

impl Layout {
    /// Elements of a unit.
    pub(super) fn per_unit(self) -> usize {
        match self {
            Layout::Rows | Layout::RowHalves | Layout::PanelsKn | Layout::PanelsNk => 1,
            Layout::RowPairs
            | Layout::PairPanelsKn
            | Layout::PairPanelsNk
            | Layout::Interleaved
            | Layout::TurnedPairs => 2,
            Layout::RowQuads | Layout::QuadPanelsKn | Layout::QuadPanelsNk => 4,
            Layout::SignedPanelsKn | Layout::SignedPanelsNk => 4,
        }
    }
}

/// Copies `source` into `layout` at `dst`; `lead` is the stride of rows, in units.
///
/// # Safety
/// - Each row of `source` is valid for reads of its columns.
/// - `dst` is valid for writes of the copy, padding included, and does not overlap the source.
/// - Pair layouts are made of bf16 only, quad layouts of i8; sums of integers are not copied.
pub(super) unsafe fn pack(isa: Isa, source: Source, layout: Layout, dst: *mut f32, lead: usize) {
    match (layout, source.dtype) {
        (Layout::Rows, DType::F32) => isa.run(Rows::<F32>(source, dst, lead, std::marker::PhantomData)),
        (Layout::Rows, DType::F16) => isa.run(Rows::<F16>(source, dst, lead, std::marker::PhantomData)),
        (Layout::Rows, DType::Bf16) => isa.run(Rows::<Bf16>(source, dst, lead, std::marker::PhantomData)),
        (Layout::Rows, DType::F8E4M3) => isa.run(Rows::<F8E4M3>(source, dst, lead, std::marker::PhantomData)),
        (Layout::Rows, DType::F8E5M2) => isa.run(Rows::<F8E5M2>(source, dst, lead, std::marker::PhantomData)),
        (Layout::Rows, DType::I8) => isa.run(Rows::<I8>(source, dst, lead, std::marker::PhantomData)),
        (Layout::PanelsKn, DType::I8) => isa.run(Kn::<I8>(source, dst, std::marker::PhantomData)),
        (Layout::PanelsNk, DType::I8) => isa.run(Nk::<I8>(source, source.cols, dst, std::marker::PhantomData)),
        (Layout::Rows | Layout::PanelsKn | Layout::PanelsNk, DType::I32 | DType::I4x2) => {
            unreachable!("outputs alone are of i32, and pairs of 4-bit integers are copied as they are")
        }
        (Layout::RowHalves, _) => isa.run(RowHalves(source, dst, lead)),
        (Layout::RowPairs | Layout::RowQuads, _) => row_units(source, dst, lead),
        (Layout::QuadPanelsKn, _) => isa.run(QuadKn(source, dst, Quads::OFFSET)),
        (Layout::SignedPanelsKn, _) => isa.run(QuadKn(source, dst, 0)),
        (Layout::SignedPanelsNk, _) => {
            isa.run(Nk::<SignedQuads>(source, source.cols.div_ceil(4), dst, std::marker::PhantomData));
        }
        (Layout::QuadPanelsNk, _) => {
            isa.run(Nk::<Quads>(source, source.cols.div_ceil(4), dst, std::marker::PhantomData));
        }
        (Layout::PanelsKn, DType::F32) => isa.run(Kn::<F32>(source, dst, std::marker::PhantomData)),
        (Layout::PanelsKn, DType::F16) => isa.run(Kn::<F16>(source, dst, std::marker::PhantomData)),
        (Layout::PanelsKn, DType::Bf16) => isa.run(Kn::<Bf16>(source, dst, std::marker::PhantomData)),
        (Layout::PanelsKn, DType::F8E4M3) => isa.run(Kn::<F8E4M3>(source, dst, std::marker::PhantomData)),
        (Layout::PanelsKn, DType::F8E5M2) => isa.run(Kn::<F8E5M2>(source, dst, std::marker::PhantomData)),
        (Layout::PairPanelsKn, _) => isa.run(PairKn(source, dst)),
        (Layout::PanelsNk, DType::F32) => isa.run(Nk::<F32>(source, source.cols, dst, std::marker::PhantomData)),
        (Layout::PanelsNk, DType::F16) => isa.run(Nk::<F16>(source, source.cols, dst, std::marker::PhantomData)),
        (Layout::PanelsNk, DType::Bf16) => isa.run(Nk::<Bf16>(source, source.cols, dst, std::marker::PhantomData)),
        (Layout::PanelsNk, DType::F8E4M3) => isa.run(Nk::<F8E4M3>(source, source.cols, dst, std::marker::PhantomData)),
        (Layout::PanelsNk, DType::F8E5M2) => isa.run(Nk::<F8E5M2>(source, source.cols, dst, std::marker::PhantomData)),
        (Layout::PairPanelsNk, _) => {
            isa.run(Nk::<Pairs>(source, source.cols.div_ceil(2), dst, std::marker::PhantomData));
        }
        (Layout::Interleaved, _) => isa.run(Interleaved(source, dst, lead)),
        (Layout::TurnedPairs, _) => isa.run(TurnedPairs(source, dst, lead)),
    }
}

/// Steps ahead of the one that is copied which are fetched.
const KN_ROWS_AHEAD: usize = 16;

struct Kn<'o, E>(Source<'o>, *mut f32, std::marker::PhantomData<E>);

impl<E: Element> Task for Kn<'_, E> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Kn(source, dst, _) = self;
        let (nr, k) = (2 * S::LANES, source.offsets.len());
        for (panel, col) in (0..source.cols).step_by(nr).enumerate() {
            let to = dst.wrapping_add(panel * k * nr);
            let rest = source.cols - col;
            for p in 0..k {
                let (from, to) = (source.row(p).cast::<E::Bits>().wrapping_add(col), to.wrapping_add(p * nr));
                // Steps of a panel are rows apart, which no hardware prefetcher follows from page to page.
                let soon = source.row((p + KN_ROWS_AHEAD).min(k - 1)).cast::<E::Bits>().wrapping_add(col);
                simd.prefetch(soon.cast());
                simd.prefetch(soon.wrapping_add(S::LANES).cast());
                // SAFETY: at most `rest` elements of the row are read, and `nr` written to step `p` of the panel.
                unsafe {
                    let (low, high) = if nr <= rest {
                        (E::load(simd, from), E::load(simd, from.add(S::LANES)))
                    } else {
                        let high = rest.saturating_sub(S::LANES);
                        let skip = rest.min(S::LANES);
                        (E::load_first(simd, from, skip), E::load_first(simd, from.add(skip), high))
                    };
                    simd.store(to, low);
                    simd.store(to.add(S::LANES), high);
                }
            }
        }
    }
}

struct PairKn<'o>(Source<'o>, *mut f32);

impl Task for PairKn<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let PairKn(source, dst) = self;
        let (nr, units) = (2 * S::LANES, source.offsets.len().div_ceil(2));
        let zeros = [0u16; 16];
        for (panel, col) in (0..source.cols).step_by(nr).enumerate() {
            let to = dst.wrapping_add(panel * units * nr);
            for unit in 0..units {
                let has_high = 2 * unit + 1 < source.offsets.len();
                for row in [2 * unit, 2 * unit + 1] {
                    let soon = source.row((row + KN_ROWS_AHEAD).min(source.offsets.len() - 1)).cast::<u16>();
                    simd.prefetch(soon.wrapping_add(col).cast());
                }
                for v in 0..2 {
                    let at = col + v * S::LANES;
                    let n = source.cols.saturating_sub(at).min(S::LANES);
                    let (mut low_end, mut high_end) = (zeros, zeros);
                    let low = source.row(2 * unit).cast::<u16>().wrapping_add(at);
                    let high =
                        if has_high { source.row(2 * unit + 1).cast::<u16>().wrapping_add(at) } else { zeros.as_ptr() };
                    // SAFETY: `n` elements remain in each row (and 16 in `zeros`); short ends are copied before a
                    // whole vector is read; the panel has room for `nr` units a step.
                    unsafe {
                        let units = if n == S::LANES {
                            simd.interleave_u16(low, high)
                        } else {
                            std::ptr::copy_nonoverlapping(low, low_end.as_mut_ptr(), n);
                            std::ptr::copy_nonoverlapping(high, high_end.as_mut_ptr(), n);
                            simd.interleave_u16(low_end.as_ptr(), high_end.as_ptr())
                        };
                        simd.store(to.add(unit * nr + v * S::LANES), units);
                    }
                }
            }
        }
    }
}

/// Bytes with an offset or as they are. A function, since closures are not inlined into code of another instruction set.
#[inline(always)]
fn offset_bytes<S: Simd>(simd: S, quads: S::F, offset: u32) -> S::F {
    if offset == 0 { quads } else { simd.offset_bytes(quads) }
}

/// Units ahead of the one that is copied whose rows are fetched.
const QUADS_AHEAD: usize = 4;

/// The source, the panels, and what their units are XORed with.
struct QuadKn<'o>(Source<'o>, *mut f32, u32);

impl Task for QuadKn<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let QuadKn(source, dst, offset) = self;
        let (nr, k) = (2 * S::LANES, source.offsets.len());
        let units = k.div_ceil(4);
        for col in (0..source.cols).step_by(S::LANES) {
            let to = dst.wrapping_add(col / nr * units * nr + col % nr);
            let whole = if col + S::LANES <= source.cols { k / 4 } else { 0 };
            for unit in 0..whole {
                let mut rows = [std::ptr::null::<u8>(); 4];
                for (r, row) in rows.iter_mut().enumerate() {
                    *row = source.row(4 * unit + r).wrapping_add(col);
                }
                // Steps of a panel are rows apart, which no hardware prefetcher follows from page to page.
                for r in 0..4 {
                    simd.prefetch(source.row((4 * (unit + QUADS_AHEAD) + r).min(k - 1)).wrapping_add(col).cast());
                }
                // SAFETY: the four rows exist and have LANES bytes from `col` on; the panel has room for `nr` units a step.
                unsafe { simd.store(to.add(unit * nr), offset_bytes(simd, simd.interleave_u8(rows), offset)) };
            }
            for unit in whole..units {
                let n = (source.cols - col).min(S::LANES);
                let mut ends = [[0u8; MAX_LANES]; 4];
                for (r, end) in ends.iter_mut().enumerate().take(k - 4 * unit) {
                    let from = source.row(4 * unit + r).wrapping_add(col);
                    // SAFETY: `n` elements remain in the row, and `end` holds 16 ≥ LANES ≥ `n`.
                    unsafe { std::ptr::copy_nonoverlapping(from, end.as_mut_ptr(), n) };
                }
                // SAFETY: `ends` has 16 ≥ LANES bytes a row; the panel has room for `nr` units a step.
                unsafe {
                    let quads = simd.interleave_u8(ends.each_ref().map(|end| end.as_ptr()));
                    simd.store(to.add(unit * nr), offset_bytes(simd, quads, offset));
                }
            }
        }
    }
}

/// The source, its units a row, and the panels.
struct Nk<'o, E>(Source<'o>, usize, *mut f32, std::marker::PhantomData<E>);

/// Bytes of a cache line.
const LINE_BYTES: usize = 64;

/// Side of the largest square: the most lanes.
const MAX_LANES: usize = 16;

impl<E: Element> Task for Nk<'_, E> {
    type Out = ();

    /// Squares of LANES × LANES: rows of the source are read into a square, its transpose is written.
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Nk(source, k, dst, _) = self;
        let nr = 2 * S::LANES;
        let mut square = [0.0f32; MAX_LANES * MAX_LANES];
        for half in 0..source.offsets.len().div_ceil(nr) * 2 {
            let to = dst.wrapping_add(half / 2 * k * nr + (half % 2) * S::LANES);
            let whole = self.whole_squares(simd, half * S::LANES, to);
            for p in (whole..k).step_by(S::LANES) {
                let units = (k - p).min(S::LANES);
                for r in 0..S::LANES {
                    self.read(simd, half * S::LANES + r, p, units, &mut square[r * S::LANES..]);
                }
                if units == S::LANES {
                    // SAFETY: as in `whole_squares`; rows that do not exist are zeros.
                    unsafe { simd.transpose(square.as_ptr(), S::LANES, to.add(p * nr), nr) };
                    continue;
                }
                for i in 0..units {
                    for r in 0..S::LANES {
                        // SAFETY: step `p + i < k` of the panel has room for a half.
                        unsafe { *to.add((p + i) * nr + r) = square[r * S::LANES + i] };
                    }
                }
            }
        }
    }
}

impl<E: Element> Nk<'_, E> {
    /// The squares of LANES rows from `row` that are whole; the units done of each row. Rows are pieces as long as a
    /// step of the contraction, too short for the hardware to see them coming: those of the next half are fetched here.
    #[inline(always)]
    fn whole_squares<S: Simd>(&self, simd: S, row: usize, to: *mut f32) -> usize {
        let Nk(source, ..) = self;
        if row + S::LANES > source.offsets.len() {
            return 0;
        }
        let per_unit = size_of::<E::Bits>() / source.dtype.size_bytes();
        let whole = source.cols / per_unit / S::LANES * S::LANES;
        let (mut rows, mut next) = ([std::ptr::null::<E::Bits>(); MAX_LANES], [std::ptr::null::<E::Bits>(); MAX_LANES]);
        for r in 0..S::LANES {
            rows[r] = source.row(row + r).cast();
            next[r] = source.row((row + S::LANES + r).min(source.offsets.len() - 1)).cast();
        }
        let mut square = [0.0f32; MAX_LANES * MAX_LANES];
        let per_line = LINE_BYTES / size_of::<E::Bits>();
        let mut p = 0;
        while p < whole {
            if p.is_multiple_of(per_line) {
                for row in &next[..S::LANES] {
                    simd.prefetch(row.wrapping_add(p).cast());
                }
            }
            for (r, row) in rows[..S::LANES].iter().enumerate() {
                // SAFETY: `p + LANES ≤ whole` units exist in each row; the square holds LANES rows of LANES.
                unsafe { simd.store(square.as_mut_ptr().add(r * S::LANES), E::load(simd, row.add(p))) };
            }
            // SAFETY: the square holds LANES rows; steps `p..p + LANES` of the panel have room for a half each.
            unsafe { simd.transpose(square.as_ptr(), S::LANES, to.add(p * 2 * S::LANES), 2 * S::LANES) };
            p += S::LANES;
        }
        whole
    }

    /// Reads `units` units of row `r` from unit `p` on; zeros where there is no such row.
    #[inline(always)]
    fn read<S: Simd>(&self, simd: S, r: usize, p: usize, units: usize, to: &mut [f32]) {
        let Nk(source, k, ..) = self;
        let row = to[..S::LANES].as_mut_ptr();
        if r >= source.offsets.len() {
            // SAFETY: `row` has room for LANES units.
            unsafe { simd.store(row, simd.splat(0.0)) };
            return;
        }
        // The last elements may not fill a unit and are read alone.
        let elem = source.dtype.size_bytes();
        let rest_bytes = source.cols * elem % size_of::<E::Bits>();
        let whole = units.min((k - usize::from(rest_bytes > 0)).saturating_sub(p));
        let from = source.row(r).cast::<E::Bits>().wrapping_add(p);
        // SAFETY: `whole` units from `p` exist in the row, and behind them `rest_bytes`; `row` has room for LANES.
        unsafe {
            let x = if whole == S::LANES { E::load(simd, from) } else { E::load_first(simd, from, whole) };
            simd.store(row, x);
            if whole < units {
                let mut rest = [0u8; 4];
                std::ptr::copy_nonoverlapping(from.add(whole).cast(), rest.as_mut_ptr(), rest_bytes);
                *row.add(whole) = f32::from_bits(u32::from_le_bytes(rest) ^ E::OFFSET);
            }
        }
    }
}
