//! Functions of a vector, written once.

use std::f32::consts::LN_2;

use super::Simd;

/// Relative error of [`exp2`] where the result is a normal number: 1.1e-7 of the polynomial, half an ulp of its last
/// rounding, and 0.4 of that for the roundings before, each of which the next step multiplies by at most 0.35:
/// together 2.0e-7, below 2 ulp (2.4e-7).
pub(in super::super) const EXP2_ERROR: f64 = 2.0 / (1u64 << 23) as f64;

/// Relative error of division, of `1 / √x` (two roundings of half an ulp) and of the platform's `tanh` and `log2`,
/// which a test sweeps: 2 ulp.
pub(in super::super) const FUNCTION_ERROR: f64 = 2.0 / (1u64 << 23) as f64;

/// Polynomial of degree 5 nearest to `2^f` on [−1/2, 1/2] in relative error among those that start `1 + ln 2 · f`, so
/// that whole powers are exact; by reweighted least squares.
const EXP2_POLYNOMIAL: [f32; 6] = [1.0, LN_2, 0.240_222_83, 0.055_505_585, 0.009_669_691, 0.001_330_060_7];

/// Below, `2^x` rounds to 0; keeps the exponent's arithmetic in range.
const EXP2_LOWEST: f32 = -200.0;

/// `2^x = 2^n · 2^f`, with `n` the nearest integer and `f` in [−1/2, 1/2] by polynomial.
#[inline(always)]
pub(super) fn exp2<S: Simd>(simd: S, x: S::F) -> S::F {
    let x = simd.max(x, simd.splat(EXP2_LOWEST));
    let x = simd.min(x, simd.splat(f32::MAX_EXP as f32 + 0.5));
    let n = simd.round(x);
    simd.scale_by_exp2(exp2_of_fraction(simd, simd.sub(x, n)), n)
}

/// `2^f` for `f` in [−1/2, 1/2].
#[inline(always)]
pub(super) fn exp2_of_fraction<S: Simd>(simd: S, f: S::F) -> S::F {
    let [c0, c1, c2, c3, c4, c5] = EXP2_POLYNOMIAL;
    let p = simd.mul_add(simd.splat(c5), f, simd.splat(c4));
    let p = simd.mul_add(p, f, simd.splat(c3));
    let p = simd.mul_add(p, f, simd.splat(c2));
    let p = simd.mul_add(p, f, simd.splat(c1));
    simd.mul_add(p, f, simd.splat(c0))
}
