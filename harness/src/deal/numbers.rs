//! Random numbers of a block of draws, and normal ones eight at a time.
//!
//! A normal number is mostly (98.8 %) one random word times a width: the ziggurat of G. Marsaglia and W. W. Tsang ("The
//! ziggurat method for generating random variables", J. Stat. Softw. 5(8), 2000). Eight that are so are made side by
//! side of the next eight words. Where one of them is not, those before it are taken, the library's sampler makes that one,
//! and the words after it are next. What comes out is to the bit what it would have given alone.

use super::lanes::write;
use multiversion::multiversion;
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use std::sync::LazyLock;

/// Words read ahead: those of a few turns of the generator.
const AHEAD: usize = 256;
/// Normal numbers made side by side.
const EIGHT: usize = 8;
/// Layers of the ziggurat.
const LAYERS: usize = 256;

/// The stream of one block.
pub(super) struct Numbers {
    source: ChaCha8Rng,
    words: [u64; AHEAD],
    /// Words of those that are used up.
    used: usize,
}

impl Numbers {
    /// Stream `stream` of a seed: streams of ChaCha are independent by construction.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut source = ChaCha8Rng::seed_from_u64(seed);
        source.set_stream(stream);
        Numbers { source, words: [0; AHEAD], used: AHEAD }
    }

    /// Fills a row with standard normal numbers.
    pub(super) fn normals(&mut self, row: &mut [f64]) {
        fill(self, &WIDTHS, row);
    }

    /// The next eight words, which are not used up by that.
    #[inline(always)]
    fn peek(&mut self) -> [u64; EIGHT] {
        if self.used + EIGHT > AHEAD {
            let left = AHEAD - self.used;
            self.words.copy_within(self.used.., 0);
            self.source.fill(&mut self.words[left..]);
            self.used = 0;
        }
        self.words[self.used..][..EIGHT].try_into().expect("eight words")
    }
}

impl RngCore for Numbers {
    fn next_u32(&mut self) -> u32 {
        self.next_u64() as u32
    }

    #[inline(always)]
    fn next_u64(&mut self) -> u64 {
        if self.used == AHEAD {
            self.source.fill(&mut self.words);
            self.used = 0;
        }
        self.used += 1;
        self.words[self.used - 1]
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for bytes in bytes.chunks_mut(size_of::<u64>()) {
            bytes.copy_from_slice(&self.next_u64().to_le_bytes()[..bytes.len()]);
        }
    }
}

/// In the widest vectors of this machine.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn fill(numbers: &mut Numbers, widths: &[f64; LAYERS + 1], row: &mut [f64]) {
    let mut done = 0;
    while done < row.len() {
        let (mut eight, mut are_within) = ([0.0f64; EIGHT], true);
        let words = numbers.peek();
        for (x, word) in eight.iter_mut().zip(words) {
            let layer = word as u8 as usize;
            *x = share(word) * widths[layer];
            are_within &= x.abs() < widths[layer + 1];
        }
        let is_outside = |i: &usize| eight[*i].abs() >= widths[words[*i] as u8 as usize + 1];
        let taken = if are_within { EIGHT } else { (0..EIGHT).find(is_outside).unwrap_or(EIGHT) };
        // What is written beyond those that are taken is written again.
        write(row, done, eight);
        let taken = taken.min(row.len() - done);
        numbers.used += taken;
        done += taken;
        if taken < EIGHT && done < row.len() {
            row[done] = StandardNormal.sample(numbers);
            done += 1;
        }
    }
}

/// A number of [−1, 1) from the upper 52 bits of a word: one of [2, 4) less 3.
#[inline(always)]
fn share(word: u64) -> f64 {
    f64::from_bits(2.0f64.to_bits() | (word >> 12)) - 3.0
}

/// Half widths of the ziggurat's layers, from the lowest up, and 0 above the last. They are the library's own, asked of its
/// sampler: half of the width of a layer is a number that it always takes.
static WIDTHS: LazyLock<[f64; LAYERS + 1]> = LazyLock::new(|| {
    let mut widths = [0.0; LAYERS + 1];
    for (layer, width) in widths[..LAYERS].iter_mut().enumerate() {
        let half: f64 = StandardNormal.sample(&mut Half { layer: layer as u64, is_first: true });
        *width = 2.0 * half;
    }
    widths
});

/// The word that is half of a layer's width, then words of ones: of numbers within [0, 1) the greatest, with which the
/// top layer, of which no part is taken unseen, takes it.
struct Half {
    layer: u64,
    is_first: bool,
}

impl RngCore for Half {
    fn next_u32(&mut self) -> u32 {
        self.next_u64() as u32
    }

    fn next_u64(&mut self) -> u64 {
        let half = 3.5f64.to_bits() << 12 | self.layer;
        if std::mem::take(&mut self.is_first) { half } else { u64::MAX }
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(u8::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_at_a_time_are_the_librarys_own_to_the_bit() {
        // Rows of all lengths, so that rests and words between them lie everywhere in what is read ahead.
        let mut numbers = Numbers::new(7, 3);
        let mut alone = ChaCha8Rng::seed_from_u64(7);
        alone.set_stream(3);
        let mut row = [0.0; 100];
        let (mut n, mut tail) = (0, 0);
        for turn in 0..20_000 {
            let row = &mut row[..turn % 101];
            numbers.normals(row);
            for x in row {
                let other: f64 = StandardNormal.sample(&mut alone);
                assert_eq!(x.to_bits(), other.to_bits(), "number {n}");
                (n, tail) = (n + 1, tail + u64::from(x.abs() > 3.66));
            }
            assert_eq!(numbers.random::<f64>().to_bits(), alone.random::<f64>().to_bits());
        }
        assert!(tail > 100, "{tail} of {n} beyond the layers: P(|z| > 3.66) = 2.5e-4");
    }

    #[test]
    fn widths_fall_from_layer_to_layer() {
        assert!(WIDTHS.is_sorted_by(|wider, narrower| wider > narrower), "{WIDTHS:?}");
        assert!((WIDTHS[1] - 3.654_152_885_361_009).abs() < 1e-15, "the lowest layer of 256 ends there");
    }
}
