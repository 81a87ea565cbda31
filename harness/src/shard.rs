//! One part of a plan that several processes or machines share.

use std::fmt;
use std::str::FromStr;

/// Shard `index` of `count`, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

/// A word that names no shard.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("`{0}` is no shard; write its number and how many there are, as in 1/4")]
pub struct ShardError(String);

/// Most shards: more than any cluster has nodes.
const MOST: usize = 100_000;

impl Shard {
    /// All shards of a plan.
    pub fn all(count: usize) -> impl Iterator<Item = Shard> {
        (1..=count).map(move |index| Shard { index, count })
    }

    /// How many shards there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Its part: heavy items are dealt out first, so that shards take about as long; within a part the order stays.
    pub fn take<T>(&self, items: Vec<T>, weight: impl Fn(&T) -> f64) -> Vec<T> {
        let mut order: Vec<(usize, f64)> = items.iter().map(weight).enumerate().collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1));
        let rounds = |turn: usize| {
            // There and back: the first of a round is the last of the next.
            let (round, place) = (turn / self.count, turn % self.count);
            if round.is_multiple_of(2) { place } else { self.count - 1 - place }
        };
        let mine: Vec<usize> = order
            .iter()
            .enumerate()
            .filter(|(turn, _)| rounds(*turn) == self.index - 1)
            .map(|(_, (item, _))| *item)
            .collect();
        items.into_iter().enumerate().filter(|(at, _)| mine.contains(at)).map(|(_, item)| item).collect()
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(word: &str) -> Result<Shard, ShardError> {
        let parts = word.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        let fits = |(index, count): &(usize, usize)| (1..=*count).contains(index) && *count <= MOST;
        let (index, count) = parts.filter(fits).ok_or_else(|| ShardError(word.to_owned()))?;
        Ok(Shard { index, count })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::Shard;

    #[test]
    fn shards_together_are_the_whole_and_weigh_alike() {
        let items: Vec<u32> = (0..23).collect();
        let parts: Vec<Vec<u32>> = Shard::all(4).map(|s| s.take(items.clone(), |x| f64::from(*x))).collect();
        let mut together = parts.concat();
        together.sort_unstable();
        assert_eq!(together, items);
        let weights: Vec<u32> = parts.iter().map(|part| part.iter().sum()).collect();
        assert!(weights.iter().all(|w| (53..=73).contains(w)), "{weights:?}"); // 253 / 4 = 63.25
        assert!(parts.iter().all(|part| part.is_sorted()));
        assert_eq!(Shard::all(9).map(|s| s.take(vec![1], |_| 1.0).len()).sum::<usize>(), 1);
    }

    #[test]
    fn words_are_read_and_nonsense_is_refused() {
        assert_eq!("2/4".parse::<Shard>().expect("a shard").to_string(), "2/4");
        for word in ["", "1", "0/4", "5/4", "1/0", "a/b", "1/1000000", "-1/2"] {
            assert!(word.parse::<Shard>().is_err(), "{word}");
        }
    }
}
