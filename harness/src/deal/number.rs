//! What a formula needs of a number: one, or those of several draws side by side.
//!
//! Answers are worked out by the same lines for the central case, from an `f64` for each input, and for draws, from
//! [`Lanes`]. There is no branch on a number in them: what holds in one draw need not in its neighbour.

use super::lanes::{LANES, Lanes};
use std::array::from_fn;
use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, Sub};

/// A number of one draw, or of each of several.
pub(super) trait Number:
    Copy
    + Debug
    + PartialEq
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Mul<f64, Output = Self>
    + Div<Output = Self>
    + AddAssign
{
    /// The same in every draw.
    fn all(number: f64) -> Self;

    /// A formula, draw by draw.
    fn each<const N: usize>(numbers: [Self; N], formula: impl Fn([f64; N]) -> f64) -> Self;

    /// Whether it is 0 in every draw.
    fn is_zero(self) -> bool;

    /// `then` in the draws where it is above 0, else `otherwise`.
    #[inline(always)]
    fn where_positive(self, then: Self, otherwise: Self) -> Self {
        Self::each([self, then, otherwise], |[number, then, otherwise]| if number > 0.0 { then } else { otherwise })
    }
}

impl Number for f64 {
    #[inline(always)]
    fn all(number: f64) -> Self {
        number
    }

    #[inline(always)]
    fn each<const N: usize>(numbers: [Self; N], formula: impl Fn([f64; N]) -> f64) -> Self {
        formula(numbers)
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        self == 0.0
    }
}

impl Number for Lanes {
    #[inline(always)]
    fn all(number: f64) -> Self {
        Lanes::all(number)
    }

    #[inline(always)]
    fn each<const N: usize>(numbers: [Self; N], formula: impl Fn([f64; N]) -> f64) -> Self {
        Lanes(from_fn::<_, LANES, _>(|lane| formula(from_fn(|i| numbers[i].0[lane]))))
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        Lanes::is_zero(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_gives_each_draw_what_it_gives_one() {
        let [a, b] = [|lane: usize| lane as f64 - 2.0, |lane: usize| 0.1 * lane as f64];
        let root = |[a, b]: [f64; 2]| (a * a + b).sqrt();
        let lanes = Lanes::each([Lanes(from_fn(a)), Lanes(from_fn(b))], root);
        let positive = Lanes(from_fn(a)).where_positive(Lanes(from_fn(b)), Lanes::ONE);
        for lane in 0..LANES {
            assert_eq!(lanes.0[lane], f64::each([a(lane), b(lane)], root));
            assert_eq!(positive.0[lane], a(lane).where_positive(b(lane), 1.0));
        }
        assert_eq!((positive.0[2], positive.0[3]), (1.0, b(3)), "0 is not above 0");
    }
}
