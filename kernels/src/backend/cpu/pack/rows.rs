//! Copies of tiles as rows.

use super::super::isa::Task;
use super::super::simd::Simd;
use super::super::source::{Element, Pairs, Source};
use super::MAX_LANES;

/// Rows, widened.
pub(super) struct Rows<'o, E>(
    pub(super) Source<'o>,
    pub(super) *mut f32,
    pub(super) usize,
    pub(super) std::marker::PhantomData<E>,
);

impl<E: Element> Task for Rows<'_, E> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Rows(source, dst, lead, _) = self;
        for r in 0..source.offsets.len() {
            let (from, to) = (source.row(r).cast::<E::Bits>(), dst.wrapping_add(r * lead));
            let whole = source.cols - source.cols % S::LANES;
            let mut c = 0;
            while c < whole {
                // SAFETY: `c + LANES ≤ cols` elements of the row, and as many of the destination's, by `pack`'s contract.
                unsafe { simd.store(to.add(c), E::load(simd, from.add(c))) };
                c += S::LANES;
            }
            if whole < source.cols {
                let rest = source.cols - whole;
                // SAFETY: `rest` elements remain in the row and in the destination.
                unsafe { simd.store_first(to.add(whole), E::load_first(simd, from.add(whole), rest), rest) };
            }
        }
    }
}

/// Rows of bf16, widened, even elements apart from odd ones.
pub(super) struct RowHalves<'o>(pub(super) Source<'o>, pub(super) *mut f32, pub(super) usize);

impl Task for RowHalves<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let RowHalves(source, dst, lead) = self;
        for r in 0..source.offsets.len() {
            let (from, to) = (source.row(r).cast::<[u16; 2]>(), dst.wrapping_add(r * lead));
            for unit in (0..source.cols / 2).step_by(S::LANES) {
                let n = (source.cols / 2 - unit).min(S::LANES);
                // SAFETY: `n` pairs remain in the row; rows of the destination are padded to whole pairs of vectors.
                unsafe {
                    let at = from.add(unit);
                    let units = if n == S::LANES { Pairs::load(simd, at) } else { Pairs::load_first(simd, at, n) };
                    simd.store(to.add(2 * unit), simd.low_half(units));
                    simd.store(to.add(2 * unit + S::LANES), simd.high_half(units));
                }
            }
        }
    }
}

/// Rows as they are, and zeros to the end of the last unit.
pub(super) fn row_units(source: Source, dst: *mut f32, lead: usize) {
    let bytes = source.cols * source.dtype.size_bytes();
    for r in 0..source.offsets.len() {
        let to = dst.wrapping_add(r * lead).cast::<u8>();
        // SAFETY: the row has `bytes` bytes, the destination room for whole units, by `pack`'s contract.
        unsafe {
            std::ptr::copy_nonoverlapping(source.row(r), to, bytes);
            if !bytes.is_multiple_of(4) {
                std::ptr::write_bytes(to.add(bytes), 0, bytes.next_multiple_of(4) - bytes);
            }
        }
    }
}

/// Rows of pairs of elements of neighbouring rows.
pub(super) struct Interleaved<'o>(pub(super) Source<'o>, pub(super) *mut f32, pub(super) usize);

impl Task for Interleaved<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Interleaved(source, dst, lead) = self;
        for unit in 0..source.offsets.len().div_ceil(2) {
            for c in (0..source.cols).step_by(S::LANES) {
                // SAFETY: the row and column exist; rows of the destination are padded to whole vectors.
                unsafe { simd.store(dst.add(unit * lead + c), pairs(simd, source, unit, c)) };
            }
        }
    }
}

/// Rows of pairs of elements of neighbouring rows, turned.
pub(super) struct TurnedPairs<'o>(pub(super) Source<'o>, pub(super) *mut f32, pub(super) usize);

impl Task for TurnedPairs<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let TurnedPairs(source, dst, lead) = self;
        let n_units = source.offsets.len().div_ceil(2);
        let mut square = [0f32; MAX_LANES * MAX_LANES];
        for first in (0..n_units).step_by(S::LANES) {
            for c in (0..source.cols).step_by(S::LANES) {
                for unit in 0..S::LANES {
                    // SAFETY: rows that do not exist are zeros; the square holds LANES rows of LANES.
                    unsafe {
                        let row =
                            if first + unit < n_units { pairs(simd, source, first + unit, c) } else { simd.splat(0.0) };
                        simd.store(square.as_mut_ptr().add(unit * S::LANES), row);
                    }
                }
                // SAFETY: the square holds LANES rows; the destination has room for whole squares.
                unsafe { simd.transpose(square.as_ptr(), S::LANES, dst.add(c * lead + first), lead) };
            }
        }
    }
}

/// Pairs of elements of rows `2 · unit` and the next, from column `c` on; zeros where there is none.
///
/// # Safety
/// - Row `2 · unit` and column `c` exist, of 16-bit elements.
#[inline(always)]
unsafe fn pairs<S: Simd>(simd: S, source: Source, unit: usize, c: usize) -> S::F {
    let n = (source.cols - c).min(S::LANES);
    let low = source.row(2 * unit).cast::<u16>();
    let high = (2 * unit + 1 < source.offsets.len()).then(|| source.row(2 * unit + 1).cast::<u16>());
    // SAFETY: `n` elements remain in each row; short ends are copied before a whole vector is read.
    unsafe {
        match high {
            Some(high) if n == S::LANES => simd.interleave_u16(low.add(c), high.add(c)),
            _ => {
                let (mut low_end, mut high_end) = ([0u16; MAX_LANES], [0u16; MAX_LANES]);
                std::ptr::copy_nonoverlapping(low.add(c), low_end.as_mut_ptr(), n);
                if let Some(high) = high {
                    std::ptr::copy_nonoverlapping(high.add(c), high_end.as_mut_ptr(), n);
                }
                simd.interleave_u16(low_end.as_ptr(), high_end.as_ptr())
            }
        }
    }
}
