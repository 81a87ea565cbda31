//! 512-bit vectors: AVX-512 F, BW, DQ, VL, and BF16 where the token says so.

mod quads;
mod sums;

use std::arch::x86_64::*;

use super::Simd;
use super::math::exp2_of_fraction;
use quads::{quad_by_instruction, quad_by_words};
use sums::{interleaved, sums};

/// Proof that the CPU has AVX-512 F, BW, DQ and VL, AVX2, FMA and F16C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx512(());

/// Proof that the CPU has all that [`Avx512`] stands for, and AVX512_VNNI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Avx512Vnni(());

/// Proof that the CPU has all that [`Avx512Vnni`] stands for, and AVX512_BF16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx512Bf16(());

/// Calls intrinsics of the features that the token stands for.
macro_rules! leaf {
    ($call:expr) => {
        // SAFETY: the token at hand proves the CPU's features; pointers are as the method's contract says.
        unsafe { $call }
    };
}

/// The bits of bf16, nearest even, in the low halves: half an ulp of bf16 is added, less one where the kept bit is even;
/// NaN stays NaN.
macro_rules! bf16_bits {
    ($x:expr) => {{
        let bits = leaf!(_mm512_castps_si512($x));
        let odd = leaf!(_mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1)));
        let bias = leaf!(_mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
        let rounded = leaf!(_mm512_srli_epi32::<16>(_mm512_add_epi32(bits, bias)));
        let nan = leaf!(_mm512_cmp_ps_mask::<_CMP_UNORD_Q>($x, $x));
        leaf!(_mm512_mask_mov_epi32(rounded, nan, _mm512_set1_epi32(0x7fc0)))
    }};
}

/// All tokens share every leaf but the products of pairs and of quads.
macro_rules! implement {
    ($token:ident, $dot:ident, $pair:ident, $quad:ident) => {
        impl $token {
            /// The token, unproved.
            ///
            /// # Safety
            /// - The CPU has the features the type names.
            pub(in super::super) unsafe fn new_unchecked() -> $token {
                $token(())
            }
        }

        impl Simd for $token {
            type F = __m512;

            const LANES: usize = 16;
            const REGISTERS: usize = 32;
            // 14 × 2: 28 accumulators + 2 B of 32 zmm registers; A is broadcast by the memory operand.
            const MR: usize = 14;

            #[inline(always)]
            fn splat(self, x: f32) -> __m512 {
                leaf!(_mm512_set1_ps(x))
            }

            #[inline(always)]
            unsafe fn load(self, p: *const f32) -> __m512 {
                leaf!(_mm512_loadu_ps(p))
            }

            #[inline(always)]
            unsafe fn store(self, p: *mut f32, x: __m512) {
                leaf!(_mm512_storeu_ps(p, x))
            }

            #[inline(always)]
            unsafe fn load_first(self, p: *const f32, n: usize) -> __m512 {
                leaf!(_mm512_maskz_loadu_ps(((1u32 << n) - 1) as u16, p))
            }

            #[inline(always)]
            unsafe fn store_first(self, p: *mut f32, x: __m512, n: usize) {
                leaf!(_mm512_mask_storeu_ps(p, ((1u32 << n) - 1) as u16, x))
            }

            #[inline(always)]
            unsafe fn load_bf16(self, p: *const u16) -> __m512 {
                let bits = leaf!(_mm512_cvtepu16_epi32(_mm256_loadu_si256(p.cast())));
                leaf!(_mm512_castsi512_ps(_mm512_slli_epi32::<16>(bits)))
            }

            #[inline(always)]
            unsafe fn load_f16(self, p: *const u16) -> __m512 {
                leaf!(_mm512_cvtph_ps(_mm256_loadu_si256(p.cast())))
            }

            #[inline(always)]
            unsafe fn load_i8(self, p: *const u8) -> __m512 {
                leaf!(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(p.cast()))))
            }

            #[inline(always)]
            unsafe fn store_bf16(self, p: *mut u16, x: __m512) {
                let rounded = bf16_bits!(x);
                leaf!(_mm256_storeu_si256(p.cast(), _mm512_cvtepi32_epi16(rounded)))
            }

            #[inline(always)]
            fn pair_bf16(self, low: __m512, high: __m512) -> __m512 {
                $pair(self, low, high)
            }

            #[inline(always)]
            unsafe fn store_f16(self, p: *mut u16, x: __m512) {
                leaf!(_mm256_storeu_si256(p.cast(), _mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x)))
            }

            #[inline(always)]
            fn add(self, x: __m512, y: __m512) -> __m512 {
                leaf!(_mm512_add_ps(x, y))
            }

            #[inline(always)]
            fn sub(self, x: __m512, y: __m512) -> __m512 {
                leaf!(_mm512_sub_ps(x, y))
            }

            #[inline(always)]
            fn mul(self, x: __m512, y: __m512) -> __m512 {
                leaf!(_mm512_mul_ps(x, y))
            }

            #[inline(always)]
            fn div(self, x: __m512, y: __m512) -> __m512 {
                leaf!(_mm512_div_ps(x, y))
            }

            #[inline(always)]
            fn max(self, x: __m512, y: __m512) -> __m512 {
                leaf!(_mm512_max_ps(x, y))
            }

            #[inline(always)]
            fn min(self, x: __m512, y: __m512) -> __m512 {
                leaf!(_mm512_min_ps(x, y))
            }

            #[inline(always)]
            fn sqrt(self, x: __m512) -> __m512 {
                leaf!(_mm512_sqrt_ps(x))
            }

            #[inline(always)]
            fn mul_add(self, x: __m512, y: __m512, z: __m512) -> __m512 {
                leaf!(_mm512_fmadd_ps(x, y, z))
            }

            #[inline(always)]
            fn round(self, x: __m512) -> __m512 {
                leaf!(_mm512_roundscale_ps::<0>(x))
            }

            #[inline(always)]
            fn scale_by_exp2(self, x: __m512, n: __m512) -> __m512 {
                leaf!(_mm512_scalef_ps(x, n))
            }

            /// Both ends need no care: the fraction of an infinity is 0, and `vscalefps` takes any exponent.
            #[inline(always)]
            fn exp2(self, x: __m512) -> __m512 {
                let f = leaf!(_mm512_reduce_ps::<0x08>(x));
                self.scale_by_exp2(exp2_of_fraction(self, f), self.sub(x, f))
            }

            #[inline(always)]
            fn low_half(self, x: __m512) -> __m512 {
                leaf!(_mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_castps_si512(x))))
            }

            #[inline(always)]
            fn high_half(self, x: __m512) -> __m512 {
                leaf!(_mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(-65536))))
            }

            #[inline(always)]
            fn dot_bf16(self, x: __m512, y: __m512, z: __m512) -> __m512 {
                $dot(self, x, y, z)
            }

            #[inline(always)]
            fn dot_i8(self, x: __m512, y: __m512, z: __m512) -> __m512 {
                $quad(self, x, y, z)
            }

            #[inline(always)]
            fn add_i32(self, x: __m512, y: __m512) -> __m512 {
                leaf!(_mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(x), _mm512_castps_si512(y))))
            }

            #[inline(always)]
            fn convert_i32(self, x: __m512) -> __m512 {
                leaf!(_mm512_cvtepi32_ps(_mm512_castps_si512(x)))
            }

            #[inline(always)]
            fn offset_bytes(self, x: __m512) -> __m512 {
                leaf!(_mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(x), _mm512_set1_epi8(-128))))
            }

            #[inline(always)]
            unsafe fn interleave_u8(self, rows: [*const u8; 4]) -> __m512 {
                let mut r = [leaf!(_mm512_setzero_si512()); 4];
                for (units, row) in r.iter_mut().zip(rows) {
                    *units = leaf!(_mm512_cvtepu8_epi32(_mm_loadu_si128(row.cast())));
                }
                let low = leaf!(_mm512_or_si512(r[0], _mm512_slli_epi32::<8>(r[1])));
                let high = leaf!(_mm512_or_si512(r[2], _mm512_slli_epi32::<8>(r[3])));
                leaf!(_mm512_castsi512_ps(_mm512_or_si512(low, _mm512_slli_epi32::<16>(high))))
            }

            /// A permutation takes the low four bits of a lane as an index: the numbers are a table.
            #[inline(always)]
            unsafe fn load_halves(self, p: *const u8) -> (__m512, __m512) {
                let table = leaf!(_mm512_loadu_ps(HALVES.as_ptr()));
                let bytes = leaf!(_mm512_cvtepu8_epi32(_mm_loadu_si128(p.cast())));
                let high = leaf!(_mm512_permutexvar_ps(_mm512_srli_epi32::<4>(bytes), table));
                (leaf!(_mm512_permutexvar_ps(bytes, table)), high)
            }

            #[inline(always)]
            fn sum4_i32(self, x: [__m512; 4]) -> [i32; 4] {
                // As `sum4`.
                let ab = self.add_i32(leaf!(_mm512_unpacklo_ps(x[0], x[1])), leaf!(_mm512_unpackhi_ps(x[0], x[1])));
                let cd = self.add_i32(leaf!(_mm512_unpacklo_ps(x[2], x[3])), leaf!(_mm512_unpackhi_ps(x[2], x[3])));
                let (low, high) = (leaf!(_mm512_shuffle_ps::<0x44>(ab, cd)), leaf!(_mm512_shuffle_ps::<0xee>(ab, cd)));
                let parts = leaf!(_mm512_castps_si512(self.add_i32(low, high)));
                let (low, high) = (leaf!(_mm512_castsi512_si256(parts)), leaf!(_mm512_extracti32x8_epi32::<1>(parts)));
                let halves = leaf!(_mm256_add_epi32(low, high));
                let (low, high) = (leaf!(_mm256_castsi256_si128(halves)), leaf!(_mm256_extracti128_si256::<1>(halves)));
                let mut out = [0; 4];
                leaf!(_mm_storeu_si128(out.as_mut_ptr().cast(), _mm_add_epi32(low, high)));
                out
            }

            #[inline(always)]
            fn interleave(self, x: __m512, y: __m512) -> (__m512, __m512) {
                leaf!(interleaved(x, y))
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
            unsafe fn interleave_u16(self, low: *const u16, high: *const u16) -> __m512 {
                let low = leaf!(_mm512_cvtepu16_epi32(_mm256_loadu_si256(low.cast())));
                let high = leaf!(_mm512_cvtepu16_epi32(_mm256_loadu_si256(high.cast())));
                leaf!(_mm512_castsi512_ps(_mm512_or_si512(low, _mm512_slli_epi32::<16>(high))))
            }

            #[inline(always)]
            fn sum(self, x: __m512) -> f32 {
                leaf!(_mm512_reduce_add_ps(x))
            }

            #[inline(always)]
            fn sum4(self, x: [__m512; 4]) -> [f32; 4] {
                // Pairs, then quads, within 128-bit blocks: each block holds a part of all four sums. Then blocks.
                let ab = self.add(leaf!(_mm512_unpacklo_ps(x[0], x[1])), leaf!(_mm512_unpackhi_ps(x[0], x[1])));
                let cd = self.add(leaf!(_mm512_unpacklo_ps(x[2], x[3])), leaf!(_mm512_unpackhi_ps(x[2], x[3])));
                let low = leaf!(_mm512_shuffle_ps::<0x44>(ab, cd));
                let parts = self.add(low, leaf!(_mm512_shuffle_ps::<0xee>(ab, cd)));
                let halves = leaf!(_mm256_add_ps(_mm512_castps512_ps256(parts), _mm512_extractf32x8_ps::<1>(parts)));
                let sums = leaf!(_mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps::<1>(halves)));
                let mut out = [0.0; 4];
                leaf!(_mm_storeu_ps(out.as_mut_ptr(), sums));
                out
            }

            #[inline(always)]
            fn sum16(self, x: [__m512; 16]) -> [f32; 16] {
                self.to_array(leaf!(sums(x)))
            }

            #[inline(always)]
            fn max_lane(self, x: __m512) -> f32 {
                leaf!(_mm512_reduce_max_ps(x))
            }

            #[inline(always)]
            unsafe fn transpose(self, src: *const f32, src_stride: usize, dst: *mut f32, dst_stride: usize) {
                let mut r = [self.splat(0.0); 16];
                for (i, row) in r.iter_mut().enumerate() {
                    // SAFETY: the caller's rows are readable.
                    *row = unsafe { self.load(src.add(i * src_stride)) };
                }
                // Within 128-bit blocks: pairs of rows, then quads; then blocks by 2 and by 4. 16 shuffles a step.
                let (mut t, mut u) = (r, r);
                for i in (0..16).step_by(2) {
                    t[i] = leaf!(_mm512_unpacklo_ps(r[i], r[i + 1]));
                    t[i + 1] = leaf!(_mm512_unpackhi_ps(r[i], r[i + 1]));
                }
                for q in (0..16).step_by(4) {
                    u[q] = leaf!(_mm512_shuffle_ps::<0x44>(t[q], t[q + 2]));
                    u[q + 1] = leaf!(_mm512_shuffle_ps::<0xee>(t[q], t[q + 2]));
                    u[q + 2] = leaf!(_mm512_shuffle_ps::<0x44>(t[q + 1], t[q + 3]));
                    u[q + 3] = leaf!(_mm512_shuffle_ps::<0xee>(t[q + 1], t[q + 3]));
                }
                // u[4q + c] holds columns c, c + 4, c + 8, c + 12 of rows 4q..4q + 4, one a block.
                for c in 0..4 {
                    let even = leaf!(_mm512_shuffle_f32x4::<0x88>(u[c], u[4 + c]));
                    let odd = leaf!(_mm512_shuffle_f32x4::<0xdd>(u[c], u[4 + c]));
                    let even_down = leaf!(_mm512_shuffle_f32x4::<0x88>(u[8 + c], u[12 + c]));
                    let odd_down = leaf!(_mm512_shuffle_f32x4::<0xdd>(u[8 + c], u[12 + c]));
                    let columns = [
                        (c, leaf!(_mm512_shuffle_f32x4::<0x88>(even, even_down))),
                        (c + 4, leaf!(_mm512_shuffle_f32x4::<0x88>(odd, odd_down))),
                        (c + 8, leaf!(_mm512_shuffle_f32x4::<0xdd>(even, even_down))),
                        (c + 12, leaf!(_mm512_shuffle_f32x4::<0xdd>(odd, odd_down))),
                    ];
                    for (column, x) in columns {
                        // SAFETY: the caller's rows are writable.
                        unsafe { self.store(dst.add(column * dst_stride), x) };
                    }
                }
            }
        }
    };
}

implement!(Avx512, dot_by_halves, pair_by_bits, quad_by_words);
implement!(Avx512Vnni, dot_by_halves, pair_by_bits, quad_by_instruction);
implement!(Avx512Bf16, dot_by_instruction, pair_by_instruction, quad_by_instruction);

impl Avx512Bf16 {
    /// The vectors without those instructions.
    pub(in super::super) fn vectors(self) -> Avx512 {
        // SAFETY: this token proves those features too.
        unsafe { Avx512::new_unchecked() }
    }
}

#[inline(always)]
fn dot_by_instruction(_proof: Avx512Bf16, x: __m512, y: __m512, z: __m512) -> __m512 {
    // SAFETY: the token proves AVX512_BF16; both types are 512 bits without padding.
    unsafe {
        _mm512_dpbf16_ps(z, std::mem::transmute::<__m512, __m512bh>(x), std::mem::transmute::<__m512, __m512bh>(y))
    }
}

/// What four bits stand for.
pub(super) const HALVES: [f32; 16] =
    [-8.0, -7.0, -6.0, -5.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];

/// Words of a vector whose low halves come first, then the high ones: as neighbours.
const PAIRED: [u16; 32] = {
    let mut order = [0; 32];
    let mut word = 0;
    while word < 32 {
        order[word] = (word / 2 + word % 2 * 16) as u16;
        word += 1;
    }
    order
};

#[inline(always)]
fn pair_by_instruction(_proof: Avx512Bf16, low: __m512, high: __m512) -> __m512 {
    // SAFETY: the token proves AVX512_BF16 and BW; the types are of 512 bits without padding, as is the array.
    unsafe {
        let halves = std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high, low));
        _mm512_castsi512_ps(_mm512_permutexvar_epi16(_mm512_loadu_si512(PAIRED.as_ptr().cast()), halves))
    }
}

#[inline(always)]
fn pair_by_bits(_proof: impl Simd<F = __m512>, low: __m512, high: __m512) -> __m512 {
    let (low, high) = (bf16_bits!(low), bf16_bits!(high));
    leaf!(_mm512_castsi512_ps(_mm512_or_si512(low, _mm512_slli_epi32::<16>(high))))
}

#[inline(always)]
fn dot_by_halves(simd: impl Simd<F = __m512>, x: __m512, y: __m512, z: __m512) -> __m512 {
    let low = simd.mul_add(simd.low_half(x), simd.low_half(y), z);
    simd.mul_add(simd.high_half(x), simd.high_half(y), low)
}
