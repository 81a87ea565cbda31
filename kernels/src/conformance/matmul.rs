//! Cases of the matrix product.

use std::collections::BTreeSet;

use super::case::{Case, Feed};
use crate::DType;
use crate::backend::AnyBackend;
use crate::problem::{GROUP, Layout, MatmulProblem, MatmulSizes, Problem};
use crate::tile::{MatmulTiling, Tiling};

/// Tilings that every backend gets: a plain one, and one that divides nothing.
const PLAIN: MatmulTiling = MatmulTiling { bm: 8, bn: 8, bk: 4, k_splits: 1 };
const AWKWARD: MatmulTiling = MatmulTiling { bm: 5, bn: 7, bk: 3, k_splits: 1 };

/// Tilings that split the depth: in two, in more parts than share it out evenly, and in more parts than there are steps.
const SPLIT: [MatmulTiling; 3] = [
    MatmulTiling { bm: 8, bn: 8, bk: 4, k_splits: 2 },
    MatmulTiling { bm: 5, bn: 7, bk: 3, k_splits: 4 },
    MatmulTiling { bm: 16, bn: 32, bk: 8, k_splits: 100 },
];

/// Sizes beyond which a sweep around a large tile is cut, so that no case dominates the suite.
const LARGEST_SWEPT: usize = 1100;
const LARGEST_BESIDE: usize = 65;

pub(super) fn cases(backend: &dyn AnyBackend, quick: bool) -> Vec<Case> {
    let mut cases = Cases::default();
    let swept = [
        (DType::F32, Layout::Kn),
        (DType::Bf16, Layout::Nk),
        (DType::F32, Layout::Nk),
        (DType::Bf16, Layout::Kn),
        (DType::F16, Layout::Nk),
        (DType::F16, Layout::Kn),
        (DType::F8E4M3, Layout::Nk),
        (DType::F8E5M2, Layout::Kn),
        (DType::I8, Layout::Nk),
        (DType::I8, Layout::Kn),
        (DType::F32, Layout::NkI4),
        (DType::Bf16, Layout::NkI4),
        (DType::F32, Layout::Packed),
        (DType::Bf16, Layout::Packed),
    ];
    for (dtype, layout) in swept.into_iter().take(if quick { 2 } else { swept.len() }) {
        let typical = MatmulSizes { batch: 1, m: 96, n: 96, k: 96, input: dtype, output: DType::F32, layout };
        let own = own_tilings(backend, typical).into_iter().take(if quick { 1 } else { 2 });
        for tiling in own.chain([PLAIN, AWKWARD].into_iter().take(if quick { 1 } else { 2 })) {
            for (m, n, k) in around(&tiling) {
                let k = if layout == Layout::NkI4 { k.next_multiple_of(GROUP) } else { k };
                cases.add(MatmulSizes { m, n, k, ..typical }, tiling, Feed::Usual);
            }
        }
    }
    for sizes in split_sizes(quick) {
        for tiling in SPLIT.into_iter().take(if quick { 2 } else { SPLIT.len() }) {
            cases.add(sizes, tiling, Feed::Usual);
        }
        // The backend's own tiles, of which the depth takes a few steps, even ones and others.
        let Some(own) = own_tilings(backend, sizes).into_iter().next() else { continue };
        let of_own = MatmulSizes { m: own.bm.min(LARGEST_BESIDE), n: own.bn.min(2 * LARGEST_BESIDE), ..sizes };
        let even = (4 * own.bk).min(1024);
        for k in [even, even + 1].into_iter().filter(|k| sizes.layout != Layout::NkI4 || k % GROUP == 0) {
            cases.add(MatmulSizes { k, ..of_own }, MatmulTiling { k_splits: 3, ..own }, Feed::Usual);
        }
    }
    for sizes in combinations() {
        let own = own_tilings(backend, sizes).into_iter().next();
        for tiling in own.into_iter().chain([AWKWARD]) {
            cases.add(sizes, tiling, Feed::Usual);
            if sizes.layout != Layout::NkI4 {
                cases.add(MatmulSizes { n: sizes.k, ..sizes }, tiling, Feed::Identity);
            }
        }
    }
    cases.list
}

/// Cases without repetition: sweeps around different tilings meet.
#[derive(Default)]
struct Cases {
    list: Vec<Case>,
    names: BTreeSet<String>,
}

impl Cases {
    fn add(&mut self, sizes: MatmulSizes, tiling: MatmulTiling, feed: Feed) {
        let case = Case::of(problem(sizes), Tiling::Matmul(tiling), feed);
        if self.names.insert(case.name().to_owned()) {
            self.list.push(case);
        }
    }
}

fn problem(sizes: MatmulSizes) -> Problem {
    Problem::Matmul(MatmulProblem::new(sizes).expect("sizes of a case are at least 1"))
}

fn own_tilings(backend: &dyn AnyBackend, sizes: MatmulSizes) -> Vec<MatmulTiling> {
    let tilings = backend.tilings(&problem(sizes)).into_iter();
    tilings.filter_map(|tiling| if let Tiling::Matmul(tiling) = tiling { Some(tiling) } else { None }).collect()
}

/// Each size at {1, t − 1, t, t + 1, 2t + 1} of its tile, the others just beyond theirs.
fn around(t: &MatmulTiling) -> BTreeSet<(usize, usize, usize)> {
    let beside = |t: usize| (t + 1).min(LARGEST_BESIDE);
    let sizes = |t: usize| [1, t - 1, t, t + 1, 2 * t + 1].map(|size| size.clamp(1, LARGEST_SWEPT));
    let mut all = BTreeSet::new();
    all.extend(sizes(t.bm).map(|m| (m, beside(t.bn), beside(t.bk))));
    all.extend(sizes(t.bn).map(|n| (beside(t.bm), n, beside(t.bk))));
    all.extend(sizes(t.bk).map(|k| (beside(t.bm), beside(t.bn), k)));
    all
}

/// Sizes for tilings that split the depth: an odd one, one step or less, a row, and what 5, 7 and 9 steps of the tilings' make.
fn split_sizes(quick: bool) -> Vec<MatmulSizes> {
    let types = [
        (DType::F32, DType::F32, Layout::Kn),
        (DType::Bf16, DType::Bf16, Layout::Nk),
        (DType::F16, DType::F32, Layout::Nk),
        (DType::F16, DType::F16, Layout::Kn),
        (DType::F8E4M3, DType::Bf16, Layout::Nk),
        (DType::F32, DType::F32, Layout::Packed),
        (DType::Bf16, DType::F32, Layout::Packed),
        (DType::F32, DType::F32, Layout::NkI4),
        // Sums of integers are not split, whatever the tiling says.
        (DType::I8, DType::I32, Layout::Kn),
        (DType::I8, DType::Bf16, Layout::Nk),
    ];
    let shapes = [[1, 13, 29, 19], [3, 6, 9, 27], [1, 1, 40, 19], [2, 9, 17, 2_usize]];
    let (n_types, n_shapes) = if quick { (2, 2) } else { (types.len(), shapes.len()) };
    let mut all = Vec::new();
    for (input, output, layout) in types.into_iter().take(n_types) {
        for [batch, m, n, k] in shapes.into_iter().take(n_shapes) {
            let k = if layout == Layout::NkI4 { GROUP * k.div_ceil(4) } else { k };
            all.push(MatmulSizes { batch, m, n, k, input, output, layout });
        }
    }
    all
}

/// Element types, layouts, output types and batches at an odd size.
fn combinations() -> Vec<MatmulSizes> {
    let mut all = Vec::new();
    for (input, output) in [
        (DType::F32, DType::F32),
        (DType::Bf16, DType::Bf16),
        (DType::Bf16, DType::F32),
        (DType::F16, DType::F16),
        (DType::F16, DType::F32),
        (DType::F8E4M3, DType::F8E4M3),
        (DType::F8E4M3, DType::Bf16),
        (DType::F8E4M3, DType::F32),
        (DType::F8E5M2, DType::F8E5M2),
        (DType::F8E5M2, DType::F16),
        (DType::I8, DType::I32),
        (DType::I8, DType::F32),
        (DType::I8, DType::Bf16),
    ] {
        for layout in [Layout::Kn, Layout::Nk, Layout::Packed] {
            all.extend([1, 3].map(|batch| MatmulSizes { batch, m: 11, n: 29, k: 19, input, output, layout }));
        }
        // Packed weights in more than one panel, under rows of one pass and of several.
        let layout = Layout::Packed;
        all.extend([1, 31].map(|m| MatmulSizes { batch: 2, m, n: 77, k: 45, input, output, layout }));
    }
    // Few rows and many, and groups that leave a rest of any number that is worked on together.
    for (m, k) in [(1, 32), (5, 96), (11, 544), (40, 96)] {
        for (input, output) in [(DType::F32, DType::F32), (DType::Bf16, DType::Bf16), (DType::F16, DType::F32)] {
            all.push(MatmulSizes { batch: 2, m, n: 29, k, input, output, layout: Layout::NkI4 });
        }
    }
    all
}
