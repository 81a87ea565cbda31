//! Which tilings to try, by problem and chip.

use super::{Target, nki};
use crate::problem::{AttentionProblem, MatmulProblem, Problem};
use crate::program::Program;
use crate::tile::{AttentionTiling, MatmulTiling, Tiling};
use crate::{attention, matmul};

/// The best guess first; none whose kernel would not fit the chip's memories.
///
/// Large output tiles reuse most of what they load; steps of 512 make transfers of at least a kilobyte a row. Keys are
/// never split: the points of a grid run one after the other on a core, so that more of them gain nothing.
pub fn tilings(problem: &Problem, target: Target) -> Vec<Tiling> {
    match problem {
        Problem::Matmul(p) => {
            let fits = |tiling: &MatmulTiling| fits(&matmul(p, tiling), target);
            matmul_tilings(p).into_iter().filter(fits).map(Tiling::Matmul).collect()
        }
        // The lowering refuses tables, in its own words.
        Problem::Grouped(p) => matmul_tilings(&p.average()).into_iter().map(Tiling::Matmul).collect(),
        Problem::Attention(p) => {
            let fits = |tiling: &AttentionTiling| fits(&attention(p, tiling), target);
            attention_tilings(p).into_iter().filter(fits).map(Tiling::Attention).collect()
        }
    }
}

fn fits(program: &Program, target: Target) -> bool {
    nki::lower(program, target).is_ok()
}

/// Rows of an output tile in one to four banks of PSUM, a bank wide.
fn matmul_tilings(problem: &MatmulProblem) -> Vec<MatmulTiling> {
    let p = problem.sizes();
    let tall = [512, 256, 128].into_iter().filter(|bm| *bm == 128 || *bm / 2 < p.m);
    let sized = |bk: usize| move |bm: usize| MatmulTiling { bm, bn: Target::MOVING_COLS, bk, k_splits: 1 };
    let deep: Vec<MatmulTiling> = tall.map(sized(512)).collect();
    let shallow = deep.iter().map(|tiling| sized(128)(tiling.bm)).collect::<Vec<_>>();
    deep.into_iter().chain(shallow).collect()
}

/// As many whole groups of query heads as partitions hold, so that their rows are one access pattern.
fn attention_tilings(problem: &AttentionProblem) -> Vec<AttentionTiling> {
    let group = problem.group();
    let bq = if group < Target::PARTITIONS { Target::PARTITIONS / group * group } else { Target::PARTITIONS };
    [512, 256, 128].map(|bk| AttentionTiling { bq, bk, kv_splits: 1, lazy_peak: false }).to_vec()
}
