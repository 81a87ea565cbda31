//! How many operand sets a case rotates through, and what fills them.

use sha2::{Digest, Sha256};

use crate::case::Case;
use crate::record::{Environment, Temperature};

/// Most operand sets: each is a handful of allocations on the device.
const MAX_SETS: usize = 512;
/// A cold case touches more than this many times the last-level cache before it comes back to a set.
const CACHES_TOUCHED: u64 = 2;
/// Last-level cache assumed where the system names none: as large as any CPU has today (AMD Genoa-X, 1152 MB a socket,
/// is 96 MB a cache), so that cold stays cold.
const UNKNOWN_CACHE_BYTES: u64 = 96 << 20;

/// The operand sets of a case.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Operands {
    sets: usize,
    temperature: Temperature,
    warning: Option<String>,
}

impl Operands {
    /// One set where operands may stay in cache; else as many as make each launch find its set evicted, as far as
    /// `cap_bytes` allows. Where it does not allow enough, the case is hot and says so.
    pub(super) fn plan(case: &Case, environment: &Environment, cap_bytes: u64) -> Operands {
        let hot = |warning| Operands { sets: 1, temperature: Temperature::Hot, warning };
        if case.temperature() == Temperature::Hot {
            return hot(None);
        }
        let set_bytes: u64 = case.problem().inputs().iter().map(|o| o.size_bytes() as u64).sum();
        let cache = environment.caches_bytes.values().copied().max().unwrap_or(UNKNOWN_CACHE_BYTES);
        let sets = CACHES_TOUCHED * cache / set_bytes.max(1) + 1;
        let needed_bytes = sets.saturating_mul(set_bytes);
        if sets > MAX_SETS as u64 {
            return hot(Some(format!(
                "operands are too small to rotate through the caches ({sets} sets): measured hot"
            )));
        }
        if needed_bytes > cap_bytes && sets > 1 {
            let (needed, cap) = (needed_bytes as f64 / 1e9, cap_bytes as f64 / 1e9);
            return hot(Some(format!("cold operands need {needed:.2} GB and {cap:.2} GB are allowed: measured hot")));
        }
        Operands { sets: sets as usize, temperature: Temperature::Cold, warning: None }
    }

    /// Operand sets on the device.
    pub(super) fn sets(&self) -> usize {
        self.sets
    }

    /// Sets with contents of their own: two suffice to catch a backend that reads the wrong one.
    pub(super) fn distinct(&self) -> usize {
        self.sets.min(2)
    }

    /// Seed of a set's contents.
    pub(super) fn seed(&self, set: usize) -> u64 {
        1 + (set % self.distinct()) as u64
    }

    /// Seed of the inputs that are checked after timing: another in each run, so that no device can know them by heart,
    /// and the same for the same run, so that a finding can be reproduced.
    pub(super) fn fresh_seed(&self, run: &str) -> u64 {
        let digest = Sha256::digest(run);
        let drawn = digest.iter().take(4).fold(0, |seed, byte| seed << 8 | u64::from(*byte));
        1 + self.distinct() as u64 + drawn
    }

    pub(super) fn temperature(&self) -> Temperature {
        self.temperature
    }

    pub(super) fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Words;

    fn plan(shape: &str, cap_bytes: u64) -> Operands {
        let words = Words { shape: vec![shape.into()], ..Words::default() };
        let case = words.cases().expect("a good shape").remove(0);
        let mut here = crate::machine::environment();
        here.caches_bytes = [("L2".to_owned(), 1 << 20), ("L3".to_owned(), 32 << 20)].into();
        Operands::plan(&case, &here, cap_bytes)
    }

    #[test]
    fn a_large_square_is_hot_with_one_set() {
        assert_eq!((plan("64x64x64", 1 << 40).sets(), plan("64x64x64", 1 << 40).temperature()), (1, Temperature::Hot));
    }

    #[test]
    fn streamed_weights_rotate_through_twice_the_cache() {
        // One set is 4·(1024 + 1024²) = 4.0 MiB and a bit; 64 MiB / 4.004 MiB = 15.98, so 16 sets touch more than 64 MiB.
        let p = plan("1x1024x1024", 1 << 40);
        assert_eq!((p.sets(), p.distinct(), p.temperature()), (16, 2, Temperature::Cold));
        assert_eq!([p.seed(0), p.seed(1), p.seed(2)], [1, 2, 1]);
        assert!(
            p.fresh_seed("a") > 2 && p.fresh_seed("a") != p.fresh_seed("b") && p.fresh_seed("a") == p.fresh_seed("a")
        );
        // A set of 1 GiB alone evicts itself.
        assert_eq!(plan("1x16384x16384", 0).sets(), 1);
        assert_eq!(plan("1x16384x16384", 0).temperature(), Temperature::Cold);
    }

    #[test]
    fn what_cannot_be_cold_is_hot_and_says_so() {
        let capped = plan("1x1024x1024", 1 << 20);
        assert_eq!((capped.sets(), capped.temperature()), (1, Temperature::Hot));
        assert!(capped.warning().is_some_and(|w| w.contains("measured hot")));
        assert!(plan("1x8x8", 1 << 40).warning().is_some_and(|w| w.contains("too small")));
    }
}
