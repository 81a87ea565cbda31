//! The next token, drawn from logits.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Draws tokens at a temperature.
#[derive(Debug)]
pub struct Sampler {
    rng: StdRng,
    temperature: f32,
}

impl Sampler {
    /// A sampler whose draws are the same for the same seed; the temperature is above 0.
    pub fn new(seed: u64, temperature: f32) -> Sampler {
        Sampler { rng: StdRng::seed_from_u64(seed), temperature }
    }

    /// A token of each row of `logits` `[rows, vocab]`, with probability `softmax(logits / temperature)`.
    pub fn draw(&mut self, logits: &[f32], vocab: usize) -> Vec<u32> {
        logits.chunks_exact(vocab).map(|row| self.one(row)).collect()
    }

    fn one(&mut self, logits: &[f32]) -> u32 {
        let peak = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let weights: Vec<f32> = logits.iter().map(|x| ((x - peak) / self.temperature).exp()).collect();
        let mut left = self.rng.random::<f32>() * weights.iter().sum::<f32>();
        let drawn = weights.iter().position(|weight| {
            left -= weight;
            left < 0.0
        });
        // Rounding may leave a rest behind the last weight.
        drawn.unwrap_or(logits.len() - 1) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_as_often_as_their_probability_says() {
        // softmax(ln 1, ln 3, −∞) = ¼, ¾, 0. Of 4000 draws 1000 ± 27 are the first: within 6 deviations.
        let logits = [0.0, 3f32.ln(), f32::NEG_INFINITY].repeat(4000);
        let drawn = Sampler::new(1, 1.0).draw(&logits, 3);
        let first = drawn.iter().filter(|token| **token == 0).count();
        assert!(first.abs_diff(1000) < 6 * 28, "{first}");
        assert!(!drawn.contains(&2));
    }

    #[test]
    fn a_low_temperature_takes_the_greatest() {
        assert_eq!(Sampler::new(1, 1e-3).draw(&[0.1, 0.3, 0.2], 3), [1]);
    }
}
