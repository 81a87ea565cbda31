//! Numbers of several draws, side by side: what is done to one is done to all, in vector instructions.
//!
//! A lane is a position in a block of draws. Lanes never mix, so that a draw's numbers do not depend on its neighbours.

use std::array::from_fn;
use std::ops::{Add, AddAssign, Div, Index, Mul, Sub};

/// Draws that are played together: two AVX-512 registers of doubles, or four of AVX2, so that one is worked on while the
/// other's result is waited for, and what a loop costs is shared among more draws. With one of AVX-512 a million draws
/// took an eighth more processor time.
pub(super) const LANES: usize = 16;

/// One number for each of [`LANES`] draws.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(align(64))]
pub(super) struct Lanes(pub(super) [f64; LANES]);

/// The numbers of one draw among those of several.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane<'n> {
    /// Numbers of all draws.
    pub(super) of: &'n [Lanes],
    /// Which draw.
    pub(super) lane: usize,
}

impl Index<usize> for Lane<'_> {
    type Output = f64;

    #[inline(always)]
    fn index(&self, idx: usize) -> &f64 {
        &self.of[idx].0[self.lane]
    }
}

impl Lanes {
    pub(super) const ZERO: Lanes = Lanes::all(0.0);
    pub(super) const ONE: Lanes = Lanes::all(1.0);
    pub(super) const INFINITY: Lanes = Lanes::all(f64::INFINITY);

    /// The same number in every lane.
    #[inline(always)]
    pub(super) const fn all(x: f64) -> Self {
        Lanes([x; LANES])
    }

    #[inline(always)]
    pub(super) fn map(self, f: impl Fn(f64) -> f64) -> Self {
        Lanes(from_fn(|lane| f(self.0[lane])))
    }

    #[inline(always)]
    pub(super) fn zip(self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        Lanes(from_fn(|lane| f(self.0[lane], other.0[lane])))
    }

    /// The lesser of two numbers that are not NaN: one instruction, where `f64::min` takes care of NaN with three. Not for
    /// one that is written back where it was read: that becomes a masked store, which AMD's cores take twenty cycles for.
    #[inline(always)]
    pub(super) fn lesser(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }

    /// The greater of two numbers that are not NaN.
    #[inline(always)]
    pub(super) fn greater(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }

    /// The nearest number within two ends.
    #[inline(always)]
    pub(super) fn within(self, low: f64, high: f64) -> Self {
        self.greater(Lanes::all(low)).lesser(Lanes::all(high))
    }

    #[inline(always)]
    pub(super) fn sqrt(self) -> Self {
        self.map(f64::sqrt)
    }

    #[inline(always)]
    pub(super) fn floor(self) -> Self {
        self.map(f64::floor)
    }

    /// To whole powers of no less than 0, by squares as [`f64::powi`] goes: without a branch a lane.
    #[inline(always)]
    pub(super) fn to_the(self, powers: Self) -> Self {
        let (mut left, mut square, mut product) = (powers, self, Lanes::ONE);
        while !left.is_zero() {
            let half = (left * 0.5).floor();
            // 1 where this square is a part of the power.
            let odd = left - half * 2.0;
            product = odd.where_at_least(Lanes::ONE, product * square, product);
            (left, square) = (half, square * square);
        }
        product
    }

    /// Whether there is nothing in any lane.
    #[inline(always)]
    pub(super) fn is_zero(self) -> bool {
        // Of all lanes at once: an early end would be a branch a lane.
        self.0.iter().fold(true, |zero, x| zero & (*x == 0.0))
    }

    /// Whether every lane is below another's.
    #[inline(always)]
    pub(super) fn is_below(self, other: Self) -> bool {
        self.0.iter().zip(&other.0).fold(true, |below, (a, b)| below & (a < b))
    }

    /// `then` in the lanes that are at least `least`, else `otherwise`.
    #[inline(always)]
    pub(super) fn where_at_least(self, least: Self, then: Self, otherwise: Self) -> Self {
        Lanes(from_fn(|lane| if self.0[lane] >= least.0[lane] { then.0[lane] } else { otherwise.0[lane] }))
    }

    /// `e^x`. The relative error is below 3e-16 for `|x| ≤ 700`; beyond 708 it stays at what it is there.
    ///
    /// With `k` the whole number nearest to `x / ln 2`, `e^x = 2^k · e^r` where `|r| ≤ ln 2 / 2`, and the series of `e^r` to
    /// its 13th term leaves 5e-18.
    #[inline(always)]
    pub(super) fn exp(self) -> Self {
        let x = self.within(-708.0, 708.0);
        // Added to 1.5 · 2^52 a number loses its fraction, and what is left of it stands in the last bits.
        let shifted = x * std::f64::consts::LOG2_E + Lanes::all(ROUNDER);
        let whole = shifted - Lanes::all(ROUNDER);
        let r = x - whole * LN_2[0] - whole * LN_2[1];
        let square = r * r;
        let every_other = |first: usize| {
            let inverses = (first..INVERSE_FACTORIALS.len()).step_by(2).rev().map(|n| INVERSE_FACTORIALS[n]);
            inverses.fold(Lanes::ZERO, |sum, inverse| sum * square + Lanes::all(inverse))
        };
        let power = shifted.map(|shifted| f64::from_bits((shifted.to_bits() << 52).wrapping_add(1.0f64.to_bits())));
        // Even and odd powers apart: two short chains in place of a long one.
        (every_other(0) + every_other(1) * r) * power
    }
}

/// Writes numbers that lie side by side into a column, from a position on, as far as it goes.
#[inline(always)]
pub(super) fn write<T: Copy, const N: usize>(column: &mut [T], first: usize, numbers: [T; N]) {
    let rest = &mut column[first..];
    match rest.first_chunk_mut() {
        Some(all) => *all = numbers,
        None => rest.iter_mut().zip(numbers).for_each(|(place, number)| *place = number),
    }
}

/// 1.5 · 2^52: doubles next to it are whole numbers.
const ROUNDER: f64 = 6_755_399_441_055_744.0;
/// ln 2 as a sum: the first part has 21 zeros at its end, so that up to 2^21 times it is exact; the second is the rest
/// (W. J. Cody and W. Waite, "Software Manual for the Elementary Functions", 1980, ch. 6; these parts: fdlibm, e_exp.c).
const LN_2: [f64; 2] = [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10];
/// `1 / n!`.
const INVERSE_FACTORIALS: [f64; 14] = {
    let mut inverse = [1.0; 14];
    let (mut n, mut factorial) = (1, 1u64);
    while n < 14 {
        factorial *= n as u64;
        inverse[n] = 1.0 / factorial as f64;
        n += 1;
    }
    inverse
};

macro_rules! lane_by_lane {
    ($($trait:ident $method:ident $operator:tt),*) => {$(
        impl $trait for Lanes {
            type Output = Lanes;

            #[inline(always)]
            fn $method(self, other: Lanes) -> Lanes {
                self.zip(other, |a, b| a $operator b)
            }
        }
    )*};
}

lane_by_lane!(Add add +, Sub sub -, Mul mul *, Div div /);

impl Mul<f64> for Lanes {
    type Output = Lanes;

    #[inline(always)]
    fn mul(self, factor: f64) -> Lanes {
        self * Lanes::all(factor)
    }
}

impl AddAssign for Lanes {
    #[inline(always)]
    fn add_assign(&mut self, other: Lanes) {
        *self = *self + other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four numbers, again and again.
    fn four(numbers: [f64; 4]) -> Lanes {
        Lanes(from_fn(|lane| numbers[lane % 4]))
    }

    #[test]
    fn what_is_done_to_one_lane_is_done_to_all() {
        let (a, b) = (four([1.0, -2.0, 3.0, 0.5]), four([2.0, 2.0, -1.0, 0.5]));
        assert_eq!((a + b, a - b), (four([3.0, 0.0, 2.0, 1.0]), four([-1.0, -4.0, 4.0, 0.0])));
        assert_eq!((a * b, a / b), (four([2.0, -4.0, -3.0, 0.25]), four([0.5, -1.0, -3.0, 1.0])));
        assert_eq!((a.lesser(b), a.greater(b)), (four([1.0, -2.0, -1.0, 0.5]), four([2.0, 2.0, 3.0, 0.5])));
        assert_eq!(a.within(0.0, 1.0), four([1.0, 0.0, 1.0, 0.5]));
        assert!(Lanes::ZERO.is_zero() && !four([0.0, 0.0, 0.0, 1e-300]).is_zero());
        assert_eq!(a.to_the(four([0.0, 3.0, 2.0, 1.0])), four([1.0, -8.0, 9.0, 0.5]));
        assert!(a.is_below(Lanes::all(3.5)) && !a.is_below(Lanes::all(3.0)));
        assert_eq!(a.where_at_least(b, Lanes::ONE, Lanes::ZERO), four([0.0, 0.0, 1.0, 1.0]));
    }

    #[test]
    fn a_column_is_written_as_far_as_it_goes() {
        let mut column = [0; 6];
        write(&mut column, 0, [1, 2, 3, 4]);
        write(&mut column, 3, [5, 6, 7, 8]);
        assert_eq!(column, [1, 2, 3, 5, 6, 7]);
    }

    #[test]
    fn the_exponential_is_right_to_the_last_two_bits() {
        // From −700 to 700, closer where inputs lie.
        let points =
            (-70_000..=70_000).map(|i| f64::from(i) * 1e-2).chain((-100_000..=100_000).map(|i| f64::from(i) * 1e-4));
        let worst = points.map(|x| (Lanes::all(x).exp().0[0] / x.exp() - 1.0).abs()).fold(0.0, f64::max);
        assert!(worst < 3e-16 + f64::EPSILON / 2.0, "{worst:e}, the last half for the library's own");
        let ends = [708.0, -708.0].map(|x| Lanes::all(x).exp().0[0]);
        assert_eq!(four([0.0, 1e9, -1e9, 0.0]).exp(), four([1.0, ends[0], ends[1], 1.0]));
    }
}
