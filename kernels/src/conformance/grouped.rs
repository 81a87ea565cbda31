//! Cases of the product of rows in groups.

use super::case::{Case, Feed};
use crate::DType;
use crate::backend::AnyBackend;
use crate::problem::{GroupedProblem, GroupedSizes, Layout, Problem};
use crate::tile::{MatmulTiling, Tiling};

/// Tilings that every backend gets: one row a tile, one that divides nothing, and one larger than most groups.
const FIXED: [MatmulTiling; 3] = [
    MatmulTiling { bm: 1, bn: 16, bk: 32, k_splits: 1 },
    MatmulTiling { bm: 5, bn: 7, bk: 3, k_splits: 1 },
    MatmulTiling { bm: 32, bn: 32, bk: 16, k_splits: 1 },
];

/// `[groups, m, n, k]`.
const SHAPES: [[usize; 4]; 6] = [
    [1, 13, 9, 19],   // One group: a matmul.
    [7, 3, 29, 19],   // More groups than rows.
    [4, 40, 33, 27],  // Groups of several tiles, edges everywhere.
    [3, 150, 70, 45], // Many rows.
    [16, 16, 8, 8],   // A row each.
    [2, 1, 1, 1],     // Nothing but one row.
];

/// Element types and layouts.
const TYPES: [(DType, DType, Layout); 9] = [
    (DType::F32, DType::F32, Layout::Nk),
    (DType::Bf16, DType::Bf16, Layout::Nk),
    (DType::F32, DType::F32, Layout::Kn),
    (DType::F16, DType::F32, Layout::Nk),
    (DType::I8, DType::F32, Layout::Nk),
    (DType::I8, DType::I32, Layout::Kn),
    (DType::Bf16, DType::F32, Layout::NkI4),
    (DType::F32, DType::F32, Layout::Packed),
    (DType::Bf16, DType::Bf16, Layout::Packed),
];

pub(super) fn cases(backend: &dyn AnyBackend, quick: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    for (input, output, layout) in TYPES.into_iter().take(if quick { 2 } else { TYPES.len() }) {
        for [groups, m, n, k] in SHAPES {
            let k = if layout == Layout::NkI4 { k.next_multiple_of(crate::problem::GROUP) } else { k };
            let sizes = GroupedSizes { groups, m, n, k, input, output, layout };
            let problem = Problem::Grouped(GroupedProblem::new(sizes).expect("sizes of a case are sound"));
            let fixed = FIXED.into_iter().take(if quick { 2 } else { 3 }).map(Tiling::Matmul);
            let own = backend.tilings(&problem).into_iter().take(1);
            let own = own.filter(|own| matches!(own, Tiling::Matmul(_)) && !fixed.clone().any(|t| t == *own));
            cases.extend(own.chain(fixed.clone()).map(|tiling| Case::of(problem.clone(), tiling, Feed::Usual)));
        }
    }
    cases
}
