//! How fast this CPU's clock goes, without asking a driver: a chain of operations that each need the one before.

use std::hint::black_box;
use std::time::Instant;

/// Steps of a try: 20 µs at 3 GHz, short enough to fit between a scheduler's turns.
const STEPS: u32 = 12_000;
/// Tries, of which the fastest counts: interference only ever slows.
const TRIES: usize = 10;

/// Steps a second of the chain on one CPU. A step takes a fixed number of cycles (rotate, xor, multiply: five on today's
/// x86-64), so this goes as the clock goes, and is only ever compared with itself.
pub(super) fn pace() -> f64 {
    let seconds = (0..TRIES).map(|_| {
        let start = Instant::now();
        black_box(chain(black_box(STEPS)));
        start.elapsed().as_secs_f64()
    });
    f64::from(STEPS) / seconds.fold(f64::INFINITY, f64::min)
}

/// No closed form: the compiler cannot skip a step, and the CPU cannot overlap two.
fn chain(steps: u32) -> u64 {
    (0..steps).fold(1, |x: u64, i| (x.rotate_left(5) ^ u64::from(i)).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

#[cfg(test)]
mod tests {
    use super::{STEPS, chain, pace};

    #[test]
    fn a_chain_depends_on_each_step() {
        assert_ne!(chain(STEPS), chain(STEPS - 1));
        assert_eq!(chain(1), 32u64.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    }

    #[test]
    fn a_pace_is_that_of_a_cpu() {
        // Unoptimised code takes some ten times the cycles; no CPU takes less than one a step at 10 GHz.
        let pace = pace();
        assert!((1e6..1e10).contains(&pace), "{pace}");
    }
}
