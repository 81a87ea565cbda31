//! The numbers a deal rests on: each with its path, its spread and the kinds of evidence behind it.

use super::lanes::Lanes;
use super::term::{Support, Tail};
use crate::units::Kinds;
use std::ops::Index;

/// Position of an input among those of a model.
pub(super) type Slot = usize;

/// A number for each input of a model.
pub(super) trait Inputs<N = f64>: Index<Slot, Output = N> {}

impl<N, I: Index<Slot, Output = N> + ?Sized> Inputs<N> for I {}

/// The normal distribution's 90 % quantile: where `low` and `high` lie.
const NORMAL_90: f64 = 1.281_551_565_544_600_4;
/// The same of Student's t with four degrees of freedom.
const STUDENT4_90: f64 = 1.533_206_274_058_944;
/// Student's t is cut where 0.05 % lie beyond: its exponential has no mean otherwise.
const STUDENT4_CUT: f64 = 8.610_301_581_379_272;

/// One number of a scenario, or of the cost model behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Where it stands: `compute.aws-2026.spend`.
    pub path: String,
    /// The base unit that its cases are in.
    pub unit: &'static str,
    /// 10 %, 50 % and 90 % quantile.
    pub cases: [f64; 3],
    /// Scale of its spread.
    pub support: Support,
    /// Weight of its far cases.
    pub tail: Tail,
    /// Kinds of evidence.
    pub kinds: Kinds,
    /// Where it comes from: id of a source, or what was worked out.
    pub source: String,
}

impl Input {
    /// Whether it has a spread.
    pub fn is_uncertain(&self) -> bool {
        self.cases[0] < self.cases[2]
    }

    /// The same belief with the tails of the normal distribution.
    pub(super) fn with_normal_tail(self) -> Self {
        Input { tail: Tail::Normal, ..self }
    }

    /// The curve by which a standard normal number becomes this input.
    pub(super) fn spread(&self) -> Spread {
        let scale = |x: f64| match self.support {
            Support::Positive => x.ln(),
            Support::Share => (x / (1.0 - x)).ln(),
            Support::Real => x,
        };
        let [low, mid, high] = self.cases.map(scale);
        let reach = match self.tail {
            Tail::Normal => NORMAL_90,
            Tail::Fat => STUDENT4_90,
        };
        Spread { mid, down: (mid - low) / reach, up: (high - mid) / reach, support: self.support, tail: self.tail }
    }
}

/// A two-piece distribution: its halves have the spread of `low` and of `high`, and meet at the median.
///
/// On the input's scale `x = mid + k·(k < 0 ? down : up)`, where `k` is the standard normal number, or the number of
/// Student's t with four degrees of freedom at the same quantile. Hence `low`, `mid` and `high` are met exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    mid: f64,
    down: f64,
    up: f64,
    support: Support,
    tail: Tail,
}

impl Spread {
    /// The inputs at the quantiles of standard normal numbers.
    #[inline(always)]
    pub(super) fn at_each(&self, z: Lanes) -> Lanes {
        let k = match self.tail {
            Tail::Normal => z,
            Tail::Fat => z.map(|z| student4(z).clamp(-STUDENT4_CUT, STUDENT4_CUT)),
        };
        let reach = k.where_at_least(Lanes::ZERO, Lanes::all(self.up), Lanes::all(self.down));
        let x = Lanes::all(self.mid) + k * reach;
        match self.support {
            Support::Positive => x.exp(),
            Support::Share => Lanes::ONE / (Lanes::ONE + (x * -1.0).exp()),
            Support::Real => x,
        }
    }

    /// The input at the quantile of one.
    pub(super) fn at(&self, z: f64) -> f64 {
        self.at_each(Lanes::all(z)).0[0]
    }
}

impl Spread {
    /// The standard normal number at the quantile of a value: the inverse of [`Spread::at`], by bisection.
    pub(super) fn normal_at(&self, value: f64) -> f64 {
        let [mut low, mut high] = [-FARTHEST, FARTHEST];
        for _ in 0..64 {
            let middle = low.midpoint(high);
            if self.at(middle) < value { low = middle } else { high = middle }
        }
        low.midpoint(high)
    }
}

/// Standard normal numbers beyond this have no share that a double can tell from 0 or 1.
const FARTHEST: f64 = 9.0;

/// The share of a distribution that lies at or below a normal number.
pub(super) fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

/// Student's t with four degrees of freedom at the quantile of a standard normal number.
///
/// With `u = Φ(−|z|)` and `α = 4u(1 − u)`: `|t| = 2·√(cos(arccos(√α)/3)/√α − 1)` (W. T. Shaw, "Sampling Student's T
/// distribution", J. Computational Finance 9(4), 2006, §3).
fn student4(z: f64) -> f64 {
    let u = normal_cdf(-z.abs());
    let root = (4.0 * u * (1.0 - u)).sqrt();
    if root < f64::MIN_POSITIVE {
        return STUDENT4_CUT.copysign(z);
    }
    let q = (root.acos() / 3.0).cos() / root;
    (2.0 * (q - 1.0).max(0.0).sqrt()).copysign(z)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(cases: [f64; 3], support: Support, tail: Tail) -> Spread {
        Input { path: String::new(), unit: "1", cases, support, tail, kinds: Kinds::NONE, source: String::new() }
            .spread()
    }

    #[test]
    fn the_three_cases_are_the_quantiles_of_what_is_drawn() {
        for (cases, support) in [
            ([5.0, 10.0, 40.0], Support::Positive),
            ([0.2, 0.7, 0.9], Support::Share),
            ([-0.4, -0.2, 0.1], Support::Real),
        ] {
            for tail in [Tail::Normal, Tail::Fat] {
                let spread = input(cases, support, tail);
                for (z, case) in [-NORMAL_90, 0.0, NORMAL_90].into_iter().zip(cases) {
                    // Next to the median Student's quantile is a root of rounding: 1e-8.
                    assert!((spread.normal_at(case) - z).abs() < 1e-7, "{support:?} {tail:?}");
                    assert!((spread.at(z) - case).abs() < 1e-9, "{support:?} {tail:?}: {} for {case}", spread.at(z));
                }
            }
        }
    }

    #[test]
    fn student_meets_the_tables() {
        // Two-sided 5 % and 1 % points of t with 4 degrees of freedom: 2.776 and 4.604 (any table).
        for (z, t) in [(1.959_963_985, 2.776_445), (2.575_829_304, 4.604_095), (-1.959_963_985, -2.776_445)] {
            assert!((student4(z) - t).abs() < 1e-5, "{} for {t}", student4(z));
        }
        assert_eq!(student4(0.0), 0.0);
        assert!(student4(40.0) >= STUDENT4_CUT, "beyond what a double can tell from 1");
    }

    #[test]
    fn fat_tails_put_far_cases_within_reach() {
        // Five times the median, where the high case is double: 2.32 reaches of the high case.
        let [normal, fat] = [Tail::Normal, Tail::Fat].map(|tail| input([5.0, 10.0, 20.0], Support::Positive, tail));
        let share = |spread: Spread| (0..4000).filter(|i| spread.at(f64::from(*i) / 1000.0) < 50.0).count();
        let beyond = [normal, fat].map(|spread| normal_cdf(-(share(spread) as f64) / 1000.0));
        assert!(beyond[1] > 5.0 * beyond[0], "{beyond:?}");
    }
}
