//! Stores that go around the caches: lines that are not read before they are written.

use std::arch::x86_64::*;

use super::{Amx, TILE_ROW_BYTES, TILE_UNITS};

impl Amx {
    /// Copies `rows` rows of `cols` elements of 32 bits to [whole lines](are_lines). Other threads see them after
    /// [`Amx::release`].
    ///
    /// # Safety
    /// - `from` holds rows `from_lead` elements apart; rows of `to`, `to_lead` apart, are whole lines, valid for writes and no one
    ///   else's.
    pub(in super::super::super) unsafe fn store_around(
        self,
        (from, from_lead): (*const f32, usize),
        (to, to_lead): (*mut f32, usize),
        (rows, cols): (usize, usize),
    ) {
        // SAFETY: the token proves AVX-512 F; the rest is the caller's.
        unsafe { store_lines((from, from_lead), (to, to_lead), (rows, cols)) };
    }
}

/// Whether rows of `cols` elements of 32 bits, `lead` apart, are whole lines.
pub(in super::super::super) fn are_lines(to: *const f32, lead: usize, cols: usize) -> bool {
    to.addr().is_multiple_of(TILE_ROW_BYTES) && [lead, cols].into_iter().all(|n| n.is_multiple_of(TILE_UNITS))
}

/// As [`Amx::store_around`].
///
/// # Safety
/// - The CPU has AVX-512 F; the rest as of [`Amx::store_around`].
#[target_feature(enable = "avx512f")]
unsafe fn store_lines(
    (from, from_lead): (*const f32, usize),
    (to, to_lead): (*mut f32, usize),
    (rows, cols): (usize, usize),
) {
    for row in 0..rows {
        let (from, to) = (from.wrapping_add(row * from_lead), to.wrapping_add(row * to_lead));
        for col in (0..cols).step_by(TILE_UNITS) {
            // SAFETY: a vector from `col` lies in both rows, and is a line of `to`.
            unsafe { _mm512_stream_ps(to.wrapping_add(col), _mm512_loadu_ps(from.wrapping_add(col))) };
        }
    }
}
