//! Functions of a vector, written once.

use super::Simd;

/// Relative error of [`exp2`] where the result is a normal number: 7.5e-8 of the polynomial, and one rounding of half
/// an ulp in each of its five steps, each later one multiplied by less than 0.4: together below 3 ulp.
pub(in super::super) const EXP2_ERROR: f64 = 3.0 / (1u64 << 23) as f64;

/// Polynomial of degree 5 nearest to `2^f` on [−1/2, 1/2] in relative error (7.5e-8), by reweighted least squares.
const EXP2_POLYNOMIAL: [f32; 6] =
    [1.000_000_07, 0.693_146_967, 0.240_221_197, 0.055_507_133, 0.009_675_541_6, 0.001_327_647_14];

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
