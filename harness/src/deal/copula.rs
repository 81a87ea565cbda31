//! Inputs that move together: a Gaussian copula over some of them.

use super::input::Slot;
use super::lanes::Lanes;
use std::ops::Add;

/// The Cholesky factor of the correlations of some inputs; the others are independent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Copula {
    slots: Vec<Slot>,
    /// Rows of the lower triangle, diagonal included.
    lower: Vec<Vec<f64>>,
}

/// A pivot below this is nothing but rounding of an exact dependence.
const SMALLEST_PIVOT: f64 = 1e-12;

impl Copula {
    /// From pairs of inputs and their correlations; pairs not named are uncorrelated.
    ///
    /// # Errors
    /// The first input at which no joint distribution has all of these correlations.
    pub(super) fn new(pairs: &[(Slot, Slot, f64)]) -> Result<Self, Slot> {
        let mut slots: Vec<Slot> = pairs.iter().flat_map(|(a, b, _)| [*a, *b]).collect();
        slots.sort_unstable();
        slots.dedup();
        let rho = |i: usize, j: usize| {
            let of = |(a, b, _): &&(Slot, Slot, f64)| [(*a, *b), (*b, *a)].contains(&(slots[i], slots[j]));
            if i == j { 1.0 } else { pairs.iter().find(of).map_or(0.0, |(_, _, rho)| *rho) }
        };
        let mut lower: Vec<Vec<f64>> = Vec::with_capacity(slots.len());
        for (i, slot) in slots.iter().enumerate() {
            let mut row: Vec<f64> = Vec::with_capacity(i + 1);
            for (j, other) in lower.iter().enumerate() {
                let left = rho(i, j) - row.iter().zip(other).map(|(a, b)| a * b).sum::<f64>();
                // Of a variable that others determine nothing is left to be correlated with.
                let pivot = other[j];
                if pivot == 0.0 && left.abs() > SMALLEST_PIVOT.sqrt() {
                    return Err(*slot);
                }
                row.push(if pivot == 0.0 { 0.0 } else { left / pivot });
            }
            let pivot = 1.0 - row.iter().map(|x| x * x).sum::<f64>();
            if pivot < -SMALLEST_PIVOT {
                return Err(*slot);
            }
            row.push(if pivot < SMALLEST_PIVOT { 0.0 } else { pivot.sqrt() });
            lower.push(row);
        }
        Ok(Copula { slots, lower })
    }

    /// Correlates independent standard normal numbers, one for each input, in place.
    pub(super) fn correlate(&self, normals: &mut [Lanes]) {
        // From the last row up, so that each row still finds independent numbers before it.
        for (row, slot) in self.lower.iter().zip(&self.slots).rev() {
            let terms = row.iter().zip(&self.slots).map(|(weight, slot)| normals[*slot] * *weight);
            normals[*slot] = terms.fold(Lanes::ZERO, Lanes::add);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_factor_have_the_correlations_as_products() {
        let copula = Copula::new(&[(2, 5, 0.6), (5, 7, -0.3)]).expect("a distribution has these");
        let row = |i: usize| {
            let mut normals = vec![Lanes::ZERO; 8];
            [2, 5, 7].map(|j| {
                normals.fill(Lanes::ZERO);
                normals[j] = Lanes::ONE;
                copula.correlate(&mut normals);
                normals[[2, 5, 7][i]].0[0]
            })
        };
        let product = |a: [f64; 3], b: [f64; 3]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        for (i, j, rho) in [(0, 0, 1.0), (1, 1, 1.0), (2, 2, 1.0), (0, 1, 0.6), (1, 2, -0.3), (0, 2, 0.0)] {
            assert!((product(row(i), row(j)) - rho).abs() < 1e-12, "{i} {j}");
        }
    }

    #[test]
    fn correlations_that_contradict_each_other_are_refused() {
        // a with b and b with c almost equal, but a against c.
        assert_eq!(Copula::new(&[(0, 1, 0.9), (1, 2, 0.9), (0, 2, -0.9)]), Err(2));
        assert!(Copula::new(&[(0, 1, 1.0)]).is_ok(), "the same number twice is a distribution");
    }
}
