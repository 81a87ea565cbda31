//! How unevenly a router sends tokens to experts.
//!
//! Popularity of experts is gamma distributed with the shape that a fit finds for an engine (`routing_evenness`), about a
//! third: a few experts get most of the tokens. It sets how many experts a batch touches, and how much more than its share
//! the busiest of several groups has to do, which all others wait for.

use super::kernel_time::{Experts, Roofline};

/// Experts that `tokens` tokens touch together: `E·(1 − (1 + tokens·k/(E·s))^(−s))`, which is at most `E` and starts as
/// `tokens·k`. Popularity of experts is taken as gamma distributed with shape `s`; as `s` grows it is even, and the
/// count becomes `E·(1 − e^(−tokens·k/E))`.
pub(in crate::cost) fn touched(shape: &Experts, evenness: f64) -> f64 {
    let mean = shape.tokens * shape.active / shape.experts;
    let spread = shape.experts * (1.0 - (-evenness * (mean / evenness).ln_1p()).exp());
    // One token meets `k` different experts, however popular they are.
    spread.max(shape.active.min(shape.tokens * shape.active))
}

impl Roofline {
    /// Tokens of the busiest of some groups of experts over those of an average one; 1 where some experts are held twice,
    /// for that is done to even groups out, and comes close to it.
    ///
    /// A group of `E/g` experts has gamma distributed popularity of shape `s·E/g`. The largest of `g` such is taken as
    /// the quantile at `g/(g + 1)`, by Wilson and Hilferty's approximation.
    pub(super) fn busiest(&self, groups: f64, (experts, held): (f64, f64)) -> f64 {
        if groups <= 1.0 || held > experts {
            return 1.0;
        }
        let shape = self.constants.routing_evenness * experts / groups;
        let root = 1.0 - 1.0 / (9.0 * shape) + normal_quantile_above(1.0 / (groups + 1.0)) / (3.0 * shape.sqrt());
        root.powi(3).clamp(1.0, groups)
    }
}

/// The point that a standard normal exceeds with a probability of at most a half (Abramowitz and Stegun 26.2.23, within
/// 4.5e-4).
fn normal_quantile_above(p: f64) -> f64 {
    let t = (-2.0 * p.ln()).sqrt();
    t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Case, Catalogue};
    use crate::cost::serving::Accelerator;
    use rand::SeedableRng;
    use rand_distr::{Distribution, Gamma};

    fn busiest(groups: f64, of: (f64, f64), evenness: f64) -> f64 {
        let catalogue = Catalogue::embedded().expect("valid");
        let chip = catalogue.chip("h200").expect("known");
        let mut constants = catalogue.profile_of(chip).constants(Case::Central);
        constants.routing_evenness = evenness;
        Roofline { chip: Accelerator::of(chip), constants }.busiest(groups, of)
    }

    #[test]
    fn the_busiest_group_is_that_of_draws() {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        for (groups, experts, evenness) in [(8u32, 128.0, 0.33), (32, 256.0, 0.33), (8, 256.0, 2.0), (64, 256.0, 0.5)] {
            let popularity = Gamma::new(evenness * experts / f64::from(groups), 1.0).expect("a shape above 0");
            let mut largest = 0.0;
            for _ in 0..2000 {
                let drawn: Vec<f64> = (0..groups).map(|_| popularity.sample(&mut random)).collect();
                let sum: f64 = drawn.iter().sum();
                largest += drawn.iter().copied().fold(0.0, f64::max) / sum * f64::from(groups) / 2000.0;
            }
            let found = busiest(f64::from(groups), (experts, experts), evenness);
            assert!((found / largest - 1.0).abs() < 0.1, "{groups} groups: {found} against {largest}");
        }
    }

    #[test]
    fn one_group_and_experts_held_twice_are_even() {
        assert_eq!((busiest(1.0, (256.0, 256.0), 0.3), busiest(32.0, (256.0, 288.0), 0.3)), (1.0, 1.0));
        assert!(busiest(8.0, (256.0, 256.0), 1e6) < 1.01);
        assert!(busiest(256.0, (256.0, 256.0), 0.05) <= 256.0);
    }
}
