//! Writing a tile to a tensor.

use super::isa::{Isa, Task};
use super::simd::Simd;
#[cfg(target_arch = "x86_64")]
use super::simd::are_lines;
use crate::DType;
use crate::tensor::float8::{E4M3, E5M2, Float8};

/// Rows of a tensor.
#[derive(Clone, Copy)]
pub(super) struct To<'o> {
    /// The tensor.
    pub(super) base: *mut u8,
    pub(super) dtype: DType,
    /// Where rows begin, in elements from `base`.
    pub(super) offsets: &'o [usize],
    /// Elements of a row.
    pub(super) cols: usize,
    /// Whether they go around the caches, where there are tiles and rows are whole lines of 32-bit elements.
    pub(super) goes_around: bool,
}

/// Writes rows of f32 at stride `lead`, rounded to the type of where they go.
///
/// # Safety
/// - `from` holds a row of `to.cols` elements, padded to whole vectors, for each offset.
/// - `to.cols` elements from each offset are valid for writes and no one else's.
pub(super) unsafe fn store(isa: Isa, from: *const f32, lead: usize, to: To) {
    #[cfg(target_arch = "x86_64")]
    if let (true, DType::F32 | DType::I32, Some(amx)) = (to.goes_around, to.dtype, isa.tiles()) {
        for (r, offset) in to.offsets.iter().enumerate() {
            let from = from.wrapping_add(r * lead);
            let row = to.base.wrapping_add(offset * to.dtype.size_bytes());
            if are_lines(row.cast(), to.cols) {
                // SAFETY: these are lines, as was asked; `from` is a row of `cols` elements, and as many from the row's offset are
                // valid for writes and no one else's, by the caller's contract.
                unsafe { amx.store_around(from, row.cast(), to.cols) };
            } else {
                isa.run(Store { from, lead, to: To { offsets: &to.offsets[r..=r], ..to } });
            }
        }
        return;
    }
    isa.run(Store { from, lead, to });
}

struct Store<'o> {
    from: *const f32,
    lead: usize,
    to: To<'o>,
}

impl Task for Store<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let To { base, dtype, offsets, cols, .. } = self.to;
        for (r, offset) in offsets.iter().enumerate() {
            let from = self.from.wrapping_add(r * self.lead);
            let to = base.wrapping_add(offset * dtype.size_bytes());
            let mut c = 0;
            while c < cols {
                let n = (cols - c).min(S::LANES);
                // A dense column vector has one element a row and no padding.
                // SAFETY: `n` elements exist in the row and in the destination.
                unsafe {
                    let x = if n == S::LANES { simd.load(from.add(c)) } else { simd.load_first(from.add(c), n) };
                    put(simd, to.add(c * dtype.size_bytes()), dtype, x, n);
                }
                c += n;
            }
        }
    }
}

/// Writes the first `n` lanes, rounded to `dtype`.
///
/// # Safety
/// - `to` is valid for writes of `n ≤ LANES` elements of `dtype`.
#[inline(always)]
pub(super) unsafe fn put<S: Simd>(simd: S, to: *mut u8, dtype: DType, x: S::F, n: usize) {
    let mut end = [0u16; 16];
    // SAFETY: whole vectors go to the caller's memory, short ones through `end`, which holds 16 ≥ LANES elements.
    unsafe {
        match (dtype, n == S::LANES) {
            // Integers are units with the bits of one.
            (DType::F32 | DType::I32, true) => simd.store(to.cast(), x),
            (DType::F32 | DType::I32, false) => simd.store_first(to.cast(), x, n),
            (DType::F16, true) => simd.store_f16(to.cast(), x),
            (DType::Bf16, true) => simd.store_bf16(to.cast(), x),
            (DType::F16, false) => {
                simd.store_f16(end.as_mut_ptr(), x);
                std::ptr::copy_nonoverlapping(end.as_ptr(), to.cast(), n);
            }
            (DType::Bf16, false) => {
                simd.store_bf16(end.as_mut_ptr(), x);
                std::ptr::copy_nonoverlapping(end.as_ptr(), to.cast(), n);
            }
            (DType::F8E4M3, _) => put_float8(simd, to, &E4M3, x, n),
            (DType::F8E5M2, _) => put_float8(simd, to, &E5M2, x, n),
            (DType::I8 | DType::I4x2, _) => unreachable!("nothing is rounded to integers"),
        }
    }
}

/// # Safety
/// - `to` is valid for writes of `n ≤ LANES` bytes.
#[inline(always)]
unsafe fn put_float8<S: Simd>(simd: S, to: *mut u8, set: &Float8, x: S::F, n: usize) {
    let bytes = simd.to_array(x).map(|x| set.encode(f64::from(x)));
    // SAFETY: the caller's `n ≤ LANES ≤ 16` bytes are writable.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, n) };
}

#[cfg(test)]
mod tests {
    use super::super::memory::FLOATS_PER_LINE;
    use super::*;

    /// Rows that are whole lines, rows that begin within one, and rows that end within one.
    #[test]
    fn rows_are_stored_around_the_caches_or_through_them() {
        let cols_and_offsets = [(48, [64, 0, 128]), (48, [65, 0, 130]), (40, [64, 0, 128])];
        for isa in Isa::available() {
            for (cols, offsets) in cols_and_offsets {
                let lead = 56;
                let from: Vec<f32> = (0..offsets.len() * lead).map(|at| at as f32).collect();
                let mut room = vec![-1.0f32; 200 + FLOATS_PER_LINE];
                let first = room.as_ptr().align_offset(64);
                let base = room[first..].as_mut_ptr().cast();
                let to = To { base, dtype: DType::F32, offsets: &offsets, cols, goes_around: true };
                // SAFETY: rows of 56 elements hold whole vectors of 48, and end before element 200 of the room.
                unsafe { store(isa, from.as_ptr(), lead, to) };
                super::super::tiles::release(isa);
                let mut expected = vec![-1.0; 200];
                for (row, offset) in offsets.into_iter().enumerate() {
                    expected[offset..][..cols].copy_from_slice(&from[row * lead..][..cols]);
                }
                assert_eq!(room[first..][..200], expected, "{isa}: {cols} columns at {offsets:?}");
            }
        }
    }
}
