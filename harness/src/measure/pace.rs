//! How fast this CPU's clock goes, without asking a driver: a chain of operations that each need the one before. And how
//! much of a core is ours: operations that need nothing of each other, with a store each.
//!
//! Another machine's thread on the same core leaves the chain as it is, since its waiting is nobody's loss, and leaves
//! multiply-adds from registers within 4 %. What it takes is places: slots of dispatch, ports and half of the store queue.
//! On a Zen 3 whose neighbour came and went (2026-11-26) operations with stores took 1.83 times as long beside it, those
//! without 1.49, multiply-adds with loads 1.21, our matmul of 64³ 1.5 to 1.6: the first bound what a kernel may lose.

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

/// Steps of a try of the breadth: 6 µs at 3.3 GHz where nobody else is. What is read around twelve visits is then below a
/// percent of their samples.
const WIDE_STEPS: u64 = 10_000;
/// Tries, of which the middle counts: what a kernel met.
const WIDE_TRIES: usize = 5;

/// What was read of the breadth of a core.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Breadth {
    /// Steps a second in the middle try: four independent operations, each with a store.
    pub(super) usual: f64,
    /// Steps a second in the best.
    pub(super) best: f64,
}

/// How much of the core this thread has at the moment.
pub(super) fn breadth() -> Breadth {
    let mut rates: [f64; WIDE_TRIES] = std::array::from_fn(|_| {
        let start = Instant::now();
        black_box(independent(black_box(WIDE_STEPS)));
        WIDE_STEPS as f64 / start.elapsed().as_secs_f64()
    });
    rates.sort_by(f64::total_cmp);
    Breadth { usual: rates[WIDE_TRIES / 2], best: rates[WIDE_TRIES - 1] }
}

/// Four kinds of operation, so that they do not become one of a vector; the black box stores what they give.
fn independent(steps: u64) -> u64 {
    let [mut a, mut b, mut c, mut d] = [1, 2, 3, 4u64];
    for i in 0..steps {
        a = a.wrapping_add(i);
        b ^= i;
        c = c.wrapping_sub(i);
        d |= i;
        black_box([a, b, c, d]);
    }
    a ^ b ^ c ^ d
}

/// No closed form: the compiler cannot skip a step, and the CPU cannot overlap two.
fn chain(steps: u32) -> u64 {
    (0..steps).fold(1, |x: u64, i| (x.rotate_left(5) ^ u64::from(i)).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

#[cfg(test)]
mod tests {
    use super::{STEPS, breadth, chain, independent, pace};

    #[test]
    fn a_chain_depends_on_each_step() {
        assert_ne!(chain(STEPS), chain(STEPS - 1));
        assert_eq!(chain(1), 32u64.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    }

    #[test]
    fn breadth_is_read_of_work_that_is_done() {
        assert_eq!(independent(3), (1 + 1 + 2) ^ (2 ^ 1 ^ 2) ^ 3u64.wrapping_sub(3) ^ (4 | 1 | 2));
        let read = breadth();
        assert!(read.usual <= read.best && (1e6..1e10).contains(&read.usual), "{read:?}");
    }

    #[test]
    fn a_pace_is_that_of_a_cpu() {
        // Unoptimised code takes some ten times the cycles; no CPU takes less than one a step at 10 GHz.
        let pace = pace();
        assert!((1e6..1e10).contains(&pace), "{pace}");
    }
}
