//! Stores that go around the caches: lines that are not read before they are written.

use std::arch::x86_64::*;

use super::{Amx, TILE_ROW_BYTES, TILE_UNITS};

impl Amx {
    /// Copies `cols` elements of 32 bits to [whole lines](are_lines). Other threads see them after [`Amx::release`].
    ///
    /// # Safety
    /// - [`are_lines`] of `to` and `cols`: the CPU faults on a part of a line.
    /// - `from` is valid for reads of `cols` elements, `to` for writes of as many, which are no one else's.
    pub(in super::super::super) unsafe fn store_around(self, from: *const f32, to: *mut f32, cols: usize) {
        // SAFETY: the token proves AVX-512 F; lines, reads and writes are as the caller's.
        unsafe { store_lines(from, to, cols) };
    }
}

/// Whether `cols` elements of 32 bits are whole lines.
pub(in super::super::super) fn are_lines(to: *const f32, cols: usize) -> bool {
    to.addr().is_multiple_of(TILE_ROW_BYTES) && cols.is_multiple_of(TILE_UNITS)
}

/// As [`Amx::store_around`].
///
/// # Safety
/// - The CPU has AVX-512 F; lines, reads and writes as there.
#[target_feature(enable = "avx512f")]
unsafe fn store_lines(from: *const f32, to: *mut f32, cols: usize) {
    for col in (0..cols).step_by(TILE_UNITS) {
        // SAFETY: `cols` is a multiple of a vector's elements, so that the one from `col` lies in both rows; `to` begins a line, and
        // so does each vector of it.
        unsafe { _mm512_stream_ps(to.wrapping_add(col), _mm512_loadu_ps(from.wrapping_add(col))) };
    }
}
