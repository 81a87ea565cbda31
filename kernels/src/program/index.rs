//! Affine indices over grid and loop variables, and the bounds of loops.

use serde::{Deserialize, Serialize};
use std::ops::{Add, Mul};

/// A grid or loop variable of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Var(pub u32);

/// Terms an [`Index`] can hold.
const MAX_TERMS: usize = 3;

/// `base + Σ coefficient · variable`, in normal form, so that equal indices compare equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Index {
    base: i64,
    // Sorted by variable; a coefficient of 0 marks an unused term, and those come last.
    terms: [(Var, i64); MAX_TERMS],
}

impl Index {
    /// A constant.
    pub const fn constant(base: i64) -> Index {
        Index { base, terms: [(Var(0), 0); MAX_TERMS] }
    }

    /// The constant part.
    pub fn base(&self) -> i64 {
        self.base
    }

    /// The variables that take part, with their coefficients.
    pub fn terms(&self) -> impl Iterator<Item = (Var, i64)> + '_ {
        self.terms.iter().copied().filter(|(_, c)| *c != 0)
    }

    /// Coefficient of a variable, 0 where it takes no part.
    pub fn coefficient(&self, var: Var) -> i64 {
        self.terms().find(|(v, _)| *v == var).map_or(0, |(_, c)| c)
    }

    /// Value where `values[v]` is variable `v`.
    pub fn eval(&self, values: &[i64]) -> i64 {
        self.terms().fold(self.base, |sum, (v, c)| sum + c * values[v.0 as usize])
    }

    /// Least and greatest value where `ranges[v]` holds variable `v`, ends included; `None` on overflow.
    pub fn range(&self, ranges: &[(i64, i64)]) -> Option<(i64, i64)> {
        self.terms().try_fold((self.base, self.base), |(low, high), (v, c)| {
            let (a, b) = ranges[v.0 as usize];
            let (x, y) = (c.checked_mul(a)?, c.checked_mul(b)?);
            Some((low.checked_add(x.min(y))?, high.checked_add(x.max(y))?))
        })
    }

    fn from_terms(base: i64, terms: impl Iterator<Item = (Var, i64)>) -> Index {
        let mut sorted: Vec<(Var, i64)> = Vec::new();
        for (var, coefficient) in terms {
            match sorted.iter_mut().find(|(v, _)| *v == var) {
                Some((_, c)) => *c += coefficient,
                None => sorted.push((var, coefficient)),
            }
        }
        sorted.retain(|(_, c)| *c != 0);
        sorted.sort_by_key(|(v, _)| *v);
        assert!(sorted.len() <= MAX_TERMS, "an index has at most {MAX_TERMS} variables");
        let mut index = Index::constant(base);
        index.terms[..sorted.len()].copy_from_slice(&sorted);
        index
    }
}

impl From<Var> for Index {
    fn from(var: Var) -> Index {
        Index::from_terms(0, std::iter::once((var, 1)))
    }
}

impl From<i64> for Index {
    fn from(base: i64) -> Index {
        Index::constant(base)
    }
}

impl Add for Index {
    type Output = Index;

    /// # Panics
    /// When the sum has more than three variables.
    fn add(self, other: Index) -> Index {
        Index::from_terms(self.base + other.base, self.terms().chain(other.terms()))
    }
}

impl Add<i64> for Index {
    type Output = Index;

    fn add(self, constant: i64) -> Index {
        Index { base: self.base + constant, ..self }
    }
}

impl Mul<i64> for Index {
    type Output = Index;

    fn mul(self, factor: i64) -> Index {
        Index::from_terms(self.base * factor, self.terms().map(|(v, c)| (v, c * factor)))
    }
}

/// `⌊index / divisor⌋`: one end of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Bound {
    /// What is divided.
    pub index: Index,
    /// At least 1.
    pub divisor: i64,
}

impl Bound {
    /// Value where `values[v]` is variable `v`.
    pub fn eval(&self, values: &[i64]) -> i64 {
        self.index.eval(values).div_euclid(self.divisor)
    }

    /// Least and greatest value, as [`Index::range`].
    pub fn range(&self, ranges: &[(i64, i64)]) -> Option<(i64, i64)> {
        let (low, high) = self.index.range(ranges)?;
        Some((low.div_euclid(self.divisor), high.div_euclid(self.divisor)))
    }
}

impl From<Index> for Bound {
    fn from(index: Index) -> Bound {
        Bound { index, divisor: 1 }
    }
}

impl From<i64> for Bound {
    fn from(constant: i64) -> Bound {
        Index::constant(constant).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_indices_compare_equal_however_written() {
        let (i, j) = (Index::from(Var(0)), Index::from(Var(1)));
        assert_eq!(i * 4 + j * 2 + 1, j + i * 4 + (j + 1));
        assert_eq!(i + i * -1, Index::constant(0));
        assert_eq!((i * 3 + j + 5).eval(&[2, 7]), 18);
        assert_eq!((i * -3 + j).range(&[(0, 2), (1, 4)]), Some((-5, 4)));
    }

    #[test]
    fn bounds_round_down_below_zero() {
        let bound = Bound { index: Index::from(Var(0)) + -5, divisor: 4 };
        assert_eq!([bound.eval(&[0]), bound.eval(&[5]), bound.eval(&[8])], [-2, 0, 0]);
    }
}
