//! 256-bit vectors: AVX2, FMA, F16C.

use std::arch::x86_64::*;

use super::Simd;

/// Proof that the CPU has AVX2, FMA and F16C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx2(());

impl Avx2 {
    /// The token, unproved.
    ///
    /// # Safety
    /// - The CPU has AVX2, FMA and F16C.
    pub(in super::super) unsafe fn new_unchecked() -> Avx2 {
        Avx2(())
    }
}

/// Calls one intrinsic of the features that `Avx2` stands for.
macro_rules! leaf {
    ($call:expr) => {
        // SAFETY: the token `self` proves the CPU's features; pointers are as the method's contract says.
        unsafe { $call }
    };
}

impl Simd for Avx2 {
    type F = __m256;

    const LANES: usize = 8;
    const REGISTERS: usize = 16;
    // 6 × 2: 12 accumulators + 2 B + 1 A of 16 ymm registers.
    const MR: usize = 6;

    #[inline(always)]
    fn splat(self, x: f32) -> __m256 {
        leaf!(_mm256_set1_ps(x))
    }

    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> __m256 {
        leaf!(_mm256_loadu_ps(p))
    }

    #[inline(always)]
    unsafe fn store(self, p: *mut f32, x: __m256) {
        leaf!(_mm256_storeu_ps(p, x))
    }

    #[inline(always)]
    unsafe fn load_bf16(self, p: *const u16) -> __m256 {
        let bits = leaf!(_mm256_cvtepu16_epi32(_mm_loadu_si128(p.cast())));
        leaf!(_mm256_castsi256_ps(_mm256_slli_epi32::<16>(bits)))
    }

    #[inline(always)]
    unsafe fn load_f16(self, p: *const u16) -> __m256 {
        leaf!(_mm256_cvtph_ps(_mm_loadu_si128(p.cast())))
    }

    #[inline(always)]
    unsafe fn load_i8(self, p: *const u8) -> __m256 {
        leaf!(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(p.cast()))))
    }

    #[inline(always)]
    unsafe fn store_bf16(self, p: *mut u16, x: __m256) {
        let bits = leaf!(_mm256_castps_si256(x));
        // Half of the last place that is kept, less one, and one more where that place is odd: ties go to even.
        let odd = leaf!(_mm256_and_si256(_mm256_srli_epi32::<16>(bits), _mm256_set1_epi32(1)));
        let up = leaf!(_mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
        let rounded = leaf!(_mm256_srli_epi32::<16>(_mm256_add_epi32(bits, up)));
        // A NaN keeps its upper half and is made quiet: rounding could carry it over into an infinity.
        let quiet = leaf!(_mm256_or_si256(_mm256_srli_epi32::<16>(bits), _mm256_set1_epi32(0x40)));
        let is_nan = leaf!(_mm256_castps_si256(_mm256_cmp_ps::<_CMP_UNORD_Q>(x, x)));
        let units = leaf!(_mm256_blendv_epi8(rounded, quiet, is_nan));
        // Packing works within 128-bit blocks: the first quarter of each is brought together.
        let packed = leaf!(_mm256_permute4x64_epi64::<0b1000>(_mm256_packus_epi32(units, units)));
        leaf!(_mm_storeu_si128(p.cast(), _mm256_castsi256_si128(packed)))
    }

    #[inline(always)]
    unsafe fn store_f16(self, p: *mut u16, x: __m256) {
        leaf!(_mm_storeu_si128(p.cast(), _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x)))
    }

    #[inline(always)]
    fn add(self, x: __m256, y: __m256) -> __m256 {
        leaf!(_mm256_add_ps(x, y))
    }

    #[inline(always)]
    fn sub(self, x: __m256, y: __m256) -> __m256 {
        leaf!(_mm256_sub_ps(x, y))
    }

    #[inline(always)]
    fn mul(self, x: __m256, y: __m256) -> __m256 {
        leaf!(_mm256_mul_ps(x, y))
    }

    #[inline(always)]
    fn div(self, x: __m256, y: __m256) -> __m256 {
        leaf!(_mm256_div_ps(x, y))
    }

    #[inline(always)]
    fn max(self, x: __m256, y: __m256) -> __m256 {
        leaf!(_mm256_max_ps(x, y))
    }

    #[inline(always)]
    fn min(self, x: __m256, y: __m256) -> __m256 {
        leaf!(_mm256_min_ps(x, y))
    }

    #[inline(always)]
    fn sqrt(self, x: __m256) -> __m256 {
        leaf!(_mm256_sqrt_ps(x))
    }

    #[inline(always)]
    fn mul_add(self, x: __m256, y: __m256, z: __m256) -> __m256 {
        leaf!(_mm256_fmadd_ps(x, y, z))
    }

    #[inline(always)]
    fn round(self, x: __m256) -> __m256 {
        leaf!(_mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x))
    }

    #[inline(always)]
    fn scale_by_exp2(self, x: __m256, n: __m256) -> __m256 {
        // Two factors, since n may lie outside the exponents of normal numbers.
        let n = leaf!(_mm256_cvtps_epi32(n));
        let half = leaf!(_mm256_srai_epi32::<1>(n));
        let rest = leaf!(_mm256_sub_epi32(n, half));
        let bias = leaf!(_mm256_set1_epi32(127));
        let first = leaf!(_mm256_slli_epi32::<23>(_mm256_add_epi32(half, bias)));
        let second = leaf!(_mm256_slli_epi32::<23>(_mm256_add_epi32(rest, bias)));
        let scaled = self.mul(x, leaf!(_mm256_castsi256_ps(first)));
        self.mul(scaled, leaf!(_mm256_castsi256_ps(second)))
    }

    #[inline(always)]
    fn low_half(self, x: __m256) -> __m256 {
        leaf!(_mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_castps_si256(x))))
    }

    #[inline(always)]
    fn high_half(self, x: __m256) -> __m256 {
        leaf!(_mm256_and_ps(x, _mm256_castsi256_ps(_mm256_set1_epi32(-65536))))
    }

    #[inline(always)]
    fn dot_bf16(self, x: __m256, y: __m256, z: __m256) -> __m256 {
        let low = self.mul_add(self.low_half(x), self.low_half(y), z);
        self.mul_add(self.high_half(x), self.high_half(y), low)
    }

    /// Even and odd bytes widened to words: no product of theirs saturates, as those of bytes do.
    #[inline(always)]
    fn dot_i8(self, x: __m256, y: __m256, z: __m256) -> __m256 {
        let (x, y, z) = (leaf!(_mm256_castps_si256(x)), leaf!(_mm256_castps_si256(y)), leaf!(_mm256_castps_si256(z)));
        let even_x = leaf!(_mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(x)));
        let even_y = leaf!(_mm256_and_si256(y, _mm256_set1_epi16(0xff)));
        let even = leaf!(_mm256_madd_epi16(even_x, even_y));
        let odd = leaf!(_mm256_madd_epi16(_mm256_srai_epi16::<8>(x), _mm256_srli_epi16::<8>(y)));
        leaf!(_mm256_castsi256_ps(_mm256_add_epi32(z, _mm256_add_epi32(even, odd))))
    }

    #[inline(always)]
    fn add_i32(self, x: __m256, y: __m256) -> __m256 {
        leaf!(_mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), _mm256_castps_si256(y))))
    }

    #[inline(always)]
    fn convert_i32(self, x: __m256) -> __m256 {
        leaf!(_mm256_cvtepi32_ps(_mm256_castps_si256(x)))
    }

    #[inline(always)]
    fn offset_bytes(self, x: __m256) -> __m256 {
        leaf!(_mm256_castsi256_ps(_mm256_xor_si256(_mm256_castps_si256(x), _mm256_set1_epi8(-128))))
    }

    #[inline(always)]
    unsafe fn interleave_u8(self, rows: [*const u8; 4]) -> __m256 {
        let mut r = [leaf!(_mm256_setzero_si256()); 4];
        for (units, row) in r.iter_mut().zip(rows) {
            *units = leaf!(_mm256_cvtepu8_epi32(_mm_loadl_epi64(row.cast())));
        }
        let low = leaf!(_mm256_or_si256(r[0], _mm256_slli_epi32::<8>(r[1])));
        let high = leaf!(_mm256_or_si256(r[2], _mm256_slli_epi32::<8>(r[3])));
        leaf!(_mm256_castsi256_ps(_mm256_or_si256(low, _mm256_slli_epi32::<16>(high))))
    }

    #[inline(always)]
    unsafe fn load_halves(self, p: *const u8) -> (__m256, __m256) {
        let bytes = leaf!(_mm256_cvtepu8_epi32(_mm_loadl_epi64(p.cast())));
        let (low, high) = (leaf!(_mm256_and_si256(bytes, _mm256_set1_epi32(15))), leaf!(_mm256_srli_epi32::<4>(bytes)));
        let eight = self.splat(8.0);
        (self.sub(leaf!(_mm256_cvtepi32_ps(low)), eight), self.sub(leaf!(_mm256_cvtepi32_ps(high)), eight))
    }

    #[inline(always)]
    fn sum4_i32(self, x: [__m256; 4]) -> [i32; 4] {
        // As `sum4`.
        let (a, b) = (leaf!(_mm256_castps_si256(x[0])), leaf!(_mm256_castps_si256(x[1])));
        let (c, d) = (leaf!(_mm256_castps_si256(x[2])), leaf!(_mm256_castps_si256(x[3])));
        let quads = leaf!(_mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d)));
        let (low, high) = (leaf!(_mm256_castsi256_si128(quads)), leaf!(_mm256_extracti128_si256::<1>(quads)));
        let mut out = [0; 4];
        leaf!(_mm_storeu_si128(out.as_mut_ptr().cast(), _mm_add_epi32(low, high)));
        out
    }

    #[inline(always)]
    fn sum4(self, x: [__m256; 4]) -> [f32; 4] {
        // Pairs, then quads, within 128-bit blocks: each block holds a part of all four sums. Then blocks.
        let quads = leaf!(_mm256_hadd_ps(_mm256_hadd_ps(x[0], x[1]), _mm256_hadd_ps(x[2], x[3])));
        let sums = leaf!(_mm_add_ps(_mm256_castps256_ps128(quads), _mm256_extractf128_ps::<1>(quads)));
        let mut out = [0.0; 4];
        leaf!(_mm_storeu_ps(out.as_mut_ptr(), sums));
        out
    }

    #[inline(always)]
    fn sum(self, x: __m256) -> f32 {
        self.sum4([x, x, x, x])[0]
    }

    #[inline(always)]
    fn interleave(self, x: __m256, y: __m256) -> (__m256, __m256) {
        let (low, high) = (leaf!(_mm256_unpacklo_ps(x, y)), leaf!(_mm256_unpackhi_ps(x, y)));
        (leaf!(_mm256_permute2f128_ps::<0x20>(low, high)), leaf!(_mm256_permute2f128_ps::<0x31>(low, high)))
    }

    #[inline(always)]
    fn prefetch(self, p: *const f32) {
        leaf!(_mm_prefetch::<_MM_HINT_T0>(p.cast()))
    }

    #[inline(always)]
    fn prefetch_l2(self, p: *const u8) {
        leaf!(_mm_prefetch::<_MM_HINT_T1>(p.cast()))
    }

    #[inline(always)]
    unsafe fn interleave_u16(self, low: *const u16, high: *const u16) -> __m256 {
        let low = leaf!(_mm256_cvtepu16_epi32(_mm_loadu_si128(low.cast())));
        let high = leaf!(_mm256_cvtepu16_epi32(_mm_loadu_si128(high.cast())));
        leaf!(_mm256_castsi256_ps(_mm256_or_si256(low, _mm256_slli_epi32::<16>(high))))
    }

    #[inline(always)]
    unsafe fn transpose(self, src: *const f32, src_stride: usize, dst: *mut f32, dst_stride: usize) {
        let mut r = [self.splat(0.0); 8];
        for (i, row) in r.iter_mut().enumerate() {
            // SAFETY: the caller's rows are readable.
            *row = unsafe { self.load(src.add(i * src_stride)) };
        }
        // Pairs of rows, then quads, then halves: 8 + 8 + 8 shuffles.
        let (mut t, mut u) = (r, r);
        for i in (0..8).step_by(2) {
            t[i] = leaf!(_mm256_unpacklo_ps(r[i], r[i + 1]));
            t[i + 1] = leaf!(_mm256_unpackhi_ps(r[i], r[i + 1]));
        }
        for q in [0, 4] {
            u[q] = leaf!(_mm256_shuffle_ps::<0x44>(t[q], t[q + 2]));
            u[q + 1] = leaf!(_mm256_shuffle_ps::<0xee>(t[q], t[q + 2]));
            u[q + 2] = leaf!(_mm256_shuffle_ps::<0x44>(t[q + 1], t[q + 3]));
            u[q + 3] = leaf!(_mm256_shuffle_ps::<0xee>(t[q + 1], t[q + 3]));
        }
        for i in 0..8 {
            let (a, b) = (u[i % 4], u[i % 4 + 4]);
            let column = if i < 4 {
                leaf!(_mm256_permute2f128_ps::<0x20>(a, b))
            } else {
                leaf!(_mm256_permute2f128_ps::<0x31>(a, b))
            };
            // SAFETY: the caller's rows are writable.
            unsafe { self.store(dst.add(i * dst_stride), column) };
        }
    }
}
