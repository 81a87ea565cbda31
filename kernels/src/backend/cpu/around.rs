//! Results that go around the caches.
//!
//! A line that is written is read first, even one that is written whole, unless the store says otherwise. Tiles whose right factor
//! comes from memory wait for that, and leave the caches nothing: without reading what they write they take 5 to 12 % less time
//! (128 and 256 rows of bf16 and of i8, again and again into one output; Xeon of model 167, in turns). Products of copied panels
//! do not gain: 1024³ of i8, whose output stays in L3, took half as long again.

use super::cache::Caches;
use super::stream;
use super::unit::Units;
use crate::program::{Op, Program, Stage};

/// Whether what `stage` stores goes around the caches: half of L2 and more, of products by these strategies.
pub(super) fn is_worth(program: &Program, stage: &Stage, strategies: &[(&'static str, Units)], caches: Caches) -> bool {
    let streams_tiles = |(name, units): &(&str, Units)| *name == stream::STRATEGY && units.are_of_tiles();
    strategies.iter().any(streams_tiles) && stored_bytes(program, &stage.body) >= caches.l2 / 2
}

/// Bytes of the largest tensor that `ops` store to.
fn stored_bytes(program: &Program, ops: &[Op]) -> usize {
    let bytes = ops.iter().map(|op| match op {
        Op::Store { tensor, .. } => program.tensor(*tensor).size_bytes(),
        Op::Loop { body, .. } => stored_bytes(program, body),
        _ => 0,
    });
    bytes.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DType;
    use crate::problem::{Layout, MatmulProblem, MatmulSizes};
    use crate::tile::MatmulTiling;

    #[test]
    fn results_of_streamed_tiles_go_around_l2_from_half_of_it_on() {
        let caches = Caches { l1d: 32 << 10, l2: 1 << 20, l3: 8 << 20 };
        let is_worth = |m, strategy| {
            let sizes =
                MatmulSizes { batch: 1, m, n: 1024, k: 64, input: DType::Bf16, output: DType::F32, layout: Layout::Kn };
            let problem = MatmulProblem::new(sizes).expect("good sizes");
            let program = crate::matmul(&problem, &MatmulTiling { bm: 32, bn: 64, bk: 64, k_splits: 1 });
            super::is_worth(&program, &program.stages()[0], &[strategy], caches)
        };
        assert_eq!([127, 128].map(|m| is_worth(m, (stream::STRATEGY, Units::PairTiles))), [false, true]);
        let others = [("panels", Units::PairTiles), (stream::STRATEGY, Units::Pair)];
        assert_eq!(others.map(|other| is_worth(1024, other)), [false, false]);
    }
}
