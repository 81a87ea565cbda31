//! Which tilings to try, by problem and device.
//!
//! The sizes limit registers: an accumulator tile of `bm × bn` takes `bm·bn / (4·threads)` vectors of a thread.

use super::wgsl::{Caps, Manner};
use crate::problem::{AttentionProblem, MatmulProblem, Problem};
use crate::tile::{AttentionTiling, MatmulTiling, Tiling, n_tiles};

/// Grid points that keep a large GPU busy (about a hundred cores, two workgroups each), and a software device with its
/// few threads.
fn enough_points(caps: &Caps) -> usize {
    if caps.manner == Manner::Staged { 192 } else { 16 }
}

/// The best guess first.
pub(super) fn tilings(problem: &Problem, caps: &Caps) -> Vec<Tiling> {
    match problem {
        Problem::Matmul(p) => matmul(p, caps).into_iter().map(Tiling::Matmul).collect(),
        Problem::Attention(p) => attention(p, caps).into_iter().map(Tiling::Attention).collect(),
    }
}

fn matmul(problem: &MatmulProblem, caps: &Caps) -> Vec<MatmulTiling> {
    let p = problem.sizes();
    let sizes: &[(usize, usize, usize)] = match caps.manner {
        Manner::Staged => &[(128, 128, 8), (128, 64, 16), (64, 64, 16), (32, 64, 32), (16, 64, 32), (4, 64, 32)],
        Manner::Lanes(_) | Manner::Direct => {
            &[(32, 128, 512), (16, 128, 512), (32, 64, 512), (16, 64, 512), (8, 64, 512), (4, 64, 512), (1, 64, 512)]
        }
    };
    let mut fitting: Vec<MatmulTiling> = sizes
        .iter()
        .filter(|(bm, bn, _)| *bm < 2 * p.m.max(4) && *bn < 2 * p.n.max(64))
        .map(|&(bm, bn, bk)| MatmulTiling { bm, bn, bk })
        .collect();
    // Large tiles reuse most, once the grid is large enough to keep the device busy.
    let points = |t: &MatmulTiling| p.batch * n_tiles(p.m, t.bm) * n_tiles(p.n, t.bn);
    fitting.sort_by_key(|t| points(t) < enough_points(caps));
    fitting
}

fn attention(problem: &AttentionProblem, caps: &Caps) -> Vec<AttentionTiling> {
    let p = problem.sizes();
    let rows = p.sq * problem.group();
    let sizes: &[(usize, usize)] = match caps.manner {
        Manner::Staged => &[(64, 32), (32, 32), (16, 64), (8, 64), (4, 64), (1, 64)],
        Manner::Lanes(_) | Manner::Direct => &[(16, 32), (8, 32), (4, 64), (1, 64)],
    };
    let mut tilings = Vec::new();
    for &(bq, bk) in sizes.iter().filter(|(bq, _)| *bq < 2 * rows) {
        let points = p.batch * p.hkv * n_tiles(rows, bq);
        let tiles = n_tiles(p.skv, bk);
        // Each part of the keys writes its own partial result: worth it for at least four tiles a part.
        let splits = (enough_points(caps) / points).min(tiles / 4).max(1);
        tilings.push(AttentionTiling { bq, bk, kv_splits: splits });
    }
    tilings
}
