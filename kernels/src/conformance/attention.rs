//! Cases of attention.

use std::collections::BTreeSet;

use super::case::{Case, Feed};
use crate::DType;
use crate::backend::AnyBackend;
use crate::problem::{AttentionProblem, AttentionSizes, Kv, Mask, Problem};
use crate::tile::{AttentionTiling, Tiling};

/// Tilings that every backend gets: a plain one, and ones that divide nothing and split the keys, the last with peaks that
/// stay.
const FIXED: [AttentionTiling; 3] = [
    AttentionTiling { bq: 4, bk: 8, kv_splits: 1, lazy_peak: false },
    AttentionTiling { bq: 3, bk: 5, kv_splits: 2, lazy_peak: false },
    AttentionTiling { bq: 16, bk: 4, kv_splits: 4, lazy_peak: true },
];

/// Element types of inputs and output.
const TYPES: [(DType, DType); 8] = [
    (DType::F32, DType::F32),
    (DType::Bf16, DType::Bf16),
    (DType::F16, DType::F32),
    (DType::F8E4M3, DType::Bf16),
    (DType::Bf16, DType::F32),
    (DType::F16, DType::F16),
    (DType::F8E4M3, DType::F8E4M3),
    (DType::F8E5M2, DType::F32),
];

/// Element types of queries and output beside keys and values of 8-bit integers.
const KV_OF_INTEGERS: [(DType, DType); 3] =
    [(DType::F32, DType::F32), (DType::Bf16, DType::Bf16), (DType::F16, DType::F32)];

/// Element types of what lies in pages, and tokens of one: a number that divides no tile, and one that tiles divide.
const PAGED: [((DType, DType), usize); 2] = [((DType::F32, DType::F32), 3), ((DType::Bf16, DType::Bf16), 16)];

/// `[batch, hq, hkv, sq, skv, d, dv]` and mask: what each is there for.
const SHAPES: [([usize; 7], Mask); 15] = [
    ([1, 1, 1, 1, 1, 1, 1], Mask::Causal),      // Nothing but one key.
    ([2, 4, 4, 9, 9, 8, 8], Mask::None),        // Batches and heads.
    ([2, 2, 2, 9, 9, 8, 8], Mask::Causal),      // The square triangle.
    ([1, 4, 2, 7, 11, 6, 5], Mask::Causal),     // Groups, a prefix, d ≠ dv, odd sizes.
    ([1, 6, 2, 1, 33, 16, 16], Mask::Causal),   // Decode.
    ([2, 8, 1, 1, 21, 12, 4], Mask::None),      // Decode, one KV head.
    ([1, 4, 2, 13, 5, 8, 8], Mask::Causal),     // More queries than keys: rows that see nothing are zero.
    ([1, 2, 1, 9, 4, 8, 3], Mask::Window(2)),   // The same under a window.
    ([1, 2, 1, 10, 10, 8, 8], Mask::Window(1)), // Only itself.
    ([1, 4, 2, 11, 23, 8, 8], Mask::Window(6)), // A window that begins and ends inside tiles.
    ([1, 2, 2, 1, 40, 8, 8], Mask::Window(7)),  // Windowed decode: early tiles are skipped.
    ([1, 2, 1, 6, 9, 4, 4], Mask::Window(100)), // A window wider than the keys.
    ([1, 3, 1, 17, 34, 40, 24], Mask::Causal),  // Groups of three, head sizes off the powers of two.
    ([1, 2, 1, 5, 70, 64, 64], Mask::Causal),   // A usual head size.
    ([1, 16, 2, 1, 150, 64, 64], Mask::Causal), // The same, decode with a large group.
];

/// Shapes with many rows, under tiles of some tens of them: what backends do otherwise than for a few rows.
const MANY_ROWS: [([usize; 7], Mask); 4] = [
    ([1, 4, 2, 37, 75, 18, 10], Mask::Causal), // Groups, a prefix, tiles that the diagonal crosses.
    ([2, 2, 2, 45, 45, 16, 16], Mask::Window(9)), // A band that leaves a few keys of each tile.
    ([1, 3, 1, 26, 50, 7, 5], Mask::None),     // Odd sizes.
    ([1, 1, 1, 64, 20, 8, 33], Mask::Causal),  // Rows that see nothing.
];

/// Tiles for them; the second splits the keys.
const MANY_ROWS_TILES: [AttentionTiling; 2] = [
    AttentionTiling { bq: 57, bk: 20, kv_splits: 1, lazy_peak: false },
    AttentionTiling { bq: 30, bk: 33, kv_splits: 2, lazy_peak: false },
];

pub(super) fn cases(backend: &dyn AnyBackend, quick: bool) -> Vec<Case> {
    let mut cases = Cases { backend, list: Vec::new(), names: BTreeSet::new() };
    for types in KV_OF_INTEGERS.into_iter().take(if quick { 2 } else { KV_OF_INTEGERS.len() }) {
        let of_integers = |dims, mask| AttentionSizes { kv: Kv::I8, ..sizes(dims, mask, types) };
        for (dims, mask) in SHAPES {
            cases.add(of_integers(dims, mask), &FIXED[..2], Feed::Usual);
        }
        for (dims, mask) in MANY_ROWS {
            cases.add(of_integers(dims, mask), &MANY_ROWS_TILES, Feed::Usual);
        }
    }
    for (types, page) in PAGED {
        let paged = |dims, mask| AttentionSizes { page: Some(page), ..sizes(dims, mask, types) };
        for (dims, mask) in SHAPES {
            cases.add(paged(dims, mask), &FIXED[..2], Feed::Usual);
        }
        for (dims, mask) in MANY_ROWS {
            cases.add(paged(dims, mask), &MANY_ROWS_TILES, Feed::Usual);
        }
    }
    for types in TYPES.into_iter().take(if quick { 4 } else { TYPES.len() }) {
        for (dims, mask) in SHAPES {
            let fixed = if quick || types.0 != DType::F32 { &FIXED[..2] } else { &FIXED[..] };
            cases.add(sizes(dims, mask, types), fixed, Feed::Usual);
        }
        for (dims, mask) in MANY_ROWS {
            cases.add(sizes(dims, mask, types), &MANY_ROWS_TILES, Feed::Usual);
        }
        // Keys moved far enough are no numbers of an 8-bit type any more: beyond 16 and 8 these have gaps.
        let feeds = [Feed::OnesV, Feed::PermutedKeys, Feed::ShiftedScores];
        for feed in feeds.into_iter().take(if types.0.size_bytes() == 1 { 2 } else { 3 }) {
            cases.add(sizes([1, 4, 2, 5, 19, 16, 7], Mask::None, types), &FIXED[..2], feed);
        }
        cases.add(sizes([1, 4, 2, 9, 6, 16, 7], Mask::Causal, types), &FIXED[..2], Feed::OnesV);
        cases.around_own(types, quick);
    }
    cases.list
}

fn sizes(dims: [usize; 7], mask: Mask, (input, output): (DType, DType)) -> AttentionSizes {
    let [batch, hq, hkv, sq, skv, d, dv] = dims;
    AttentionSizes { batch, hq, hkv, sq, skv, d, dv, mask, input, output, kv: Kv::Input, page: None }
}

struct Cases<'b> {
    backend: &'b dyn AnyBackend,
    list: Vec<Case>,
    names: BTreeSet<String>,
}

impl Cases<'_> {
    /// A problem with the backend's first tiling and with others.
    fn add(&mut self, sizes: AttentionSizes, others: &[AttentionTiling], feed: Feed) {
        let problem = Problem::Attention(AttentionProblem::new(sizes).expect("sizes of a case are sound"));
        let own = self.backend.tilings(&problem).into_iter().take(1);
        for tiling in own.chain(others.iter().copied().map(Tiling::Attention)) {
            let case = Case::of(problem.clone(), tiling, feed);
            if self.names.insert(case.name().to_owned()) {
                self.list.push(case);
            }
        }
    }

    /// Queries and keys at {1, t − 1, t, t + 1, 2t + 1} of the backend's own tiles, the other just beyond its tile.
    fn around_own(&mut self, types: (DType, DType), quick: bool) {
        let typical = sizes([1, 2, 2, 96, 96, 16, 16], Mask::Causal, types);
        let problem = Problem::Attention(AttentionProblem::new(typical).expect("sizes of a case are sound"));
        let Some(Tiling::Attention(t)) = self.backend.tilings(&problem).first().copied() else { return };
        let around = |t: usize| [1, t - 1, t, t + 1, 2 * t + 1].map(|size| size.clamp(1, 300));
        let beside = |t: usize| (t + 1).min(65);
        let queries = around(t.bq).map(|sq| (sq, beside(t.bk)));
        let keys = around(t.bk).map(|skv| (beside(t.bq), skv));
        for (sq, skv) in queries.into_iter().chain(keys) {
            for mask in [Mask::Causal, Mask::None].into_iter().take(if quick { 1 } else { 2 }) {
                let sizes = AttentionSizes { sq, skv, hq: 1, hkv: 1, mask, ..typical };
                let others = [t, AttentionTiling { kv_splits: 3, ..t }];
                self.add(sizes, if quick { &others[..1] } else { &others }, Feed::Usual);
            }
        }
    }
}
