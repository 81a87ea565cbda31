//! What the 32-bit units of a product's factors hold: f32, or neighbours along the contraction in half the bytes.

use super::simd::Simd;

/// What the 32-bit units of two factors hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Units {
    /// [`Single`].
    Single,
    /// [`Pair`].
    Pair,
    /// [`Halves`].
    Halves,
}

impl Units {
    /// Steps of a right factor over `depth` elements of the contraction.
    pub(super) fn steps(self, depth: usize) -> usize {
        if self == Units::Single { depth } else { depth.div_ceil(2) }
    }
}

/// What a 32-bit unit holds.
pub(super) trait Unit: 'static {
    /// Units of `a` that a unit of `b` is multiplied with, one after the other.
    const PER_B: usize = 1;

    /// What unit `at` of those is multiplied with.
    #[inline(always)]
    fn of_b<S: Simd>(_simd: S, b: S::F, _at: usize) -> S::F {
        b
    }

    /// `x · y + z`.
    fn mul_add<S: Simd>(simd: S, x: S::F, y: S::F, z: S::F) -> S::F;
}

/// One f32.
pub(super) struct Single;

impl Unit for Single {
    #[inline(always)]
    fn mul_add<S: Simd>(simd: S, x: S::F, y: S::F, z: S::F) -> S::F {
        simd.mul_add(x, y, z)
    }
}

/// Two bf16, neighbours along k.
pub(super) struct Pair;

impl Unit for Pair {
    #[inline(always)]
    fn mul_add<S: Simd>(simd: S, x: S::F, y: S::F, z: S::F) -> S::F {
        simd.dot_bf16(x, y, z)
    }
}

/// One f32 of `a`; of `b` two bf16, neighbours along k, widened in registers: `b` comes from memory in half the bytes.
pub(super) struct Halves;

impl Unit for Halves {
    const PER_B: usize = 2;

    #[inline(always)]
    fn of_b<S: Simd>(simd: S, b: S::F, at: usize) -> S::F {
        if at == 0 { simd.low_half(b) } else { simd.high_half(b) }
    }

    #[inline(always)]
    fn mul_add<S: Simd>(simd: S, x: S::F, y: S::F, z: S::F) -> S::F {
        simd.mul_add(x, y, z)
    }
}
