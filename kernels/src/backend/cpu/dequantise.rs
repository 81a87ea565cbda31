//! Rows of 4-bit integers as f32.

use super::simd::Simd;
use crate::problem::GROUP;

/// `n` numbers at `to`, a group at a time: integers times the scale of their group.
///
/// # Safety
/// - `n` is a multiple of a group, and `to` is valid for writes of as many numbers.
/// - `bytes` is valid for reads of half as many bytes, `scales` of a number a group.
#[inline(always)]
pub(super) unsafe fn dequantise<S: Simd>(simd: S, (to, n): (*mut f32, usize), bytes: *const u8, scales: *const f32) {
    for group in 0..n / GROUP {
        // SAFETY: a scale, half as many bytes as numbers, and room for these, by the caller's contract.
        unsafe {
            let scale = simd.splat(*scales.add(group));
            for at in (0..GROUP / 2).step_by(S::LANES) {
                let (low, high) = simd.load_halves(bytes.add(group * GROUP / 2 + at));
                let to = to.add(group * GROUP + at);
                simd.store(to, simd.mul(low, scale));
                simd.store(to.add(GROUP / 2), simd.mul(high, scale));
            }
        }
    }
}
