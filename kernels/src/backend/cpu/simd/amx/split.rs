//! Weights of 4 bits as numbers that tiles multiply: two of bf16 whose sum they are.
//!
//! An integer of 4 bits times a scale of f16 has at most 14 bits. Its upper half as f32 is a bf16, what is left another, both
//! exactly. A group's sixteen numbers are a table in either; bytes widened to words are indices into it.
//!
//! What is left is often zero: beside an infinite left factor its product is no number, where the sum of both would be infinite.

use std::arch::x86_64::*;

use super::super::avx512::HALVES;
use super::{Amx, TILE_ROW_BYTES};
use crate::problem::GROUP;

/// Most groups at a time: as many scales as a vector holds.
const MOST_GROUPS: usize = 16;

/// The upper word of each of sixteen f32, and once more: of an index five bits count, of which four are the integer's.
const UPPER: [u16; 32] = {
    let mut words = [0; 32];
    let mut i = 0;
    while i < 32 {
        words[i] = (i % 16 * 2 + 1) as u16;
        i += 1;
    }
    words
};

impl Amx {
    /// Dequantises `n ≤ 16` groups of a row: a row of a tile each, `upper` parts and what is `left`, one behind the other.
    ///
    /// # Safety
    /// - `n ≤ 16`.
    /// - `bytes` is valid for reads of `n` groups, `scales` of as many numbers; `upper` and `left` are valid for writes of as many
    ///   rows of a tile.
    pub(in super::super::super) unsafe fn split(
        self,
        (bytes, scales, n): (*const u8, *const u16, usize),
        [upper, left]: [*mut u8; 2],
    ) {
        // SAFETY: the token proves AVX-512 F and BW; the rest is the caller's.
        unsafe { split(bytes, scales, n, upper, left) };
    }
}

/// As [`Amx::split`].
///
/// # Safety
/// - The CPU has AVX-512 F and BW; the rest as there.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn split(bytes: *const u8, scales: *const u16, n: usize, upper: *mut u8, left: *mut u8) {
    debug_assert!(n <= MOST_GROUPS);
    let (mut halves, mut wide) = ([0u16; MOST_GROUPS], [0f32; MOST_GROUPS]);
    // SAFETY: `n` scales exist, groups are whole, and there is room for as many rows of a tile; the arrays hold whole vectors.
    unsafe {
        std::ptr::copy_nonoverlapping(scales, halves.as_mut_ptr(), n);
        _mm512_storeu_ps(wide.as_mut_ptr(), _mm512_cvtph_ps(_mm256_loadu_si256(halves.as_ptr().cast())));
        let integers = _mm512_loadu_ps(HALVES.as_ptr());
        let words = _mm512_loadu_si512(UPPER.as_ptr().cast());
        let mask = _mm512_set1_epi32(0xffff_0000u32.cast_signed());
        for (group, scale) in wide.iter().enumerate().take(n) {
            let table = _mm512_castps_si512(_mm512_mul_ps(integers, _mm512_set1_ps(*scale)));
            let top = _mm512_and_si512(table, mask);
            // Nothing is left of what is not finite.
            let more = _mm512_cmpneq_epi32_mask(table, top);
            let rest = _mm512_maskz_sub_ps(more, _mm512_castsi512_ps(table), _mm512_castsi512_ps(top));
            let bytes = _mm256_cvtepu8_epi16(_mm_loadu_si128(bytes.add(group * GROUP / 2).cast()));
            let high = _mm256_srli_epi16::<4>(bytes);
            let at = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(bytes), high);
            for (table, to) in [(table, upper), (_mm512_castps_si512(rest), left)] {
                let entries = _mm512_permutexvar_epi16(words, table);
                _mm512_storeu_si512(to.add(group * TILE_ROW_BYTES).cast(), _mm512_permutexvar_epi16(at, entries));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use half::{bf16, f16};

    use super::*;
    use crate::backend::cpu::isa::Isa;

    #[test]
    fn both_parts_are_exactly_what_they_are_made_of() {
        let Some(amx) = Isa::available().into_iter().find_map(Isa::tiles) else {
            eprintln!("no AMX here: not run");
            return;
        };
        // Scales of all magnitudes, the least and the greatest among them; what is infinite stays so.
        let scales: Vec<f16> = (0..0x7c01u16).step_by(31).chain([1, 0x7bff, 0x7c00]).map(f16::from_bits).collect();
        let bytes: [u8; GROUP / 2] = std::array::from_fn(|i| (i * 17) as u8);
        for scale in scales {
            let mut parts = [[bf16::ZERO; GROUP]; 2];
            let [upper, left] = &mut parts;
            // SAFETY: one group, a scale of it, and a row of a tile for either part.
            unsafe {
                let to = [upper.as_mut_ptr().cast(), left.as_mut_ptr().cast()];
                amx.split((bytes.as_ptr(), (&raw const scale).cast(), 1), to);
            }
            for i in 0..GROUP {
                let nibble = if i < GROUP / 2 { bytes[i] & 15 } else { bytes[i - GROUP / 2] >> 4 };
                let exact = (f32::from(nibble) - 8.0) * scale.to_f32();
                let sum = parts[0][i].to_f32() + parts[1][i].to_f32();
                assert!(sum == exact || sum.is_nan() && exact.is_nan(), "{scale} times {nibble}: {sum}, not {exact}");
            }
        }
    }
}
