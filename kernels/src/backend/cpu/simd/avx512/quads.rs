//! Products of quads of bytes.

use std::arch::x86_64::*;

use super::{Avx512, Avx512Bf16, Avx512Vnni};

/// Tokens that prove AVX512_VNNI.
pub(super) trait Vnni {}
impl Vnni for Avx512Vnni {}
impl Vnni for Avx512Bf16 {}

#[inline(always)]
pub(super) fn quad_by_instruction(_proof: impl Vnni, x: __m512, y: __m512, z: __m512) -> __m512 {
    // SAFETY: the token proves AVX512_VNNI.
    unsafe {
        let sums = _mm512_dpbusd_epi32(_mm512_castps_si512(z), _mm512_castps_si512(y), _mm512_castps_si512(x));
        _mm512_castsi512_ps(sums)
    }
}

/// Even and odd bytes widened to words: no product of theirs saturates, as those of bytes do.
#[inline(always)]
pub(super) fn quad_by_words(_proof: Avx512, x: __m512, y: __m512, z: __m512) -> __m512 {
    // SAFETY: the token proves AVX-512 F and BW.
    unsafe {
        let (x, y) = (_mm512_castps_si512(x), _mm512_castps_si512(y));
        let even_x = _mm512_srai_epi16::<8>(_mm512_slli_epi16::<8>(x));
        let even = _mm512_madd_epi16(even_x, _mm512_and_si512(y, _mm512_set1_epi16(0xff)));
        let odd = _mm512_madd_epi16(_mm512_srai_epi16::<8>(x), _mm512_srli_epi16::<8>(y));
        _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(z), _mm512_add_epi32(even, odd)))
    }
}
