//! Functions of a vector, written once.

use super::Simd;

/// Relative error of [`exp2`] where the result is a normal number: 9.2e-8 of the polynomial, half an ulp of its last
/// rounding, and 0.4 of that for the roundings before, each of which the next step multiplies by at most 0.35:
/// together 1.8e-7, below 2 ulp.
pub(in super::super) const EXP2_ERROR: f64 = 2.0 / (1u64 << 23) as f64;

/// Polynomial of degree 5 nearest to `2^f` on [−1/2, 1/2] in relative error (9.2e-8) among those that are 1 at 0, so
/// that whole powers are exact; by reweighted least squares.
const EXP2_POLYNOMIAL: [f32; 6] =
    [1.0, 0.693_146_978, 0.240_222_421, 0.055_507_337_5, 0.009_671_512_91, 0.001_326_472_69];

/// Below, `2^x` rounds to 0; keeps the exponent's arithmetic in range.
const EXP2_LOWEST: f32 = -200.0;

/// `2^x = 2^n · 2^f`, with `n` the nearest integer and `f` in [−1/2, 1/2] by polynomial.
#[inline(always)]
pub(super) fn exp2<S: Simd>(simd: S, x: S::F) -> S::F {
    let x = simd.max(x, simd.splat(EXP2_LOWEST));
    let x = simd.min(x, simd.splat(f32::MAX_EXP as f32 + 0.5));
    let n = simd.round(x);
    let f = simd.sub(x, n);
    let [c0, c1, c2, c3, c4, c5] = EXP2_POLYNOMIAL;
    let p = simd.mul_add(simd.splat(c5), f, simd.splat(c4));
    let p = simd.mul_add(p, f, simd.splat(c3));
    let p = simd.mul_add(p, f, simd.splat(c2));
    let p = simd.mul_add(p, f, simd.splat(c1));
    let p = simd.mul_add(p, f, simd.splat(c0));
    simd.scale_by_exp2(p, n)
}
