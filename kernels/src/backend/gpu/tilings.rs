//! Which tilings to try, by problem and device.
//!
//! The sizes limit registers: an accumulator tile of `bm × bn` takes `bm·bn / (4·threads)` vectors of a thread.

use super::wgsl::{Caps, Manner};
use crate::DType;
use crate::attention::factors;
use crate::problem::{AttentionProblem, Kv, Layout, MatmulProblem, Problem};
use crate::tile::{AttentionTiling, MatmulTiling, Tiling, n_tiles};

/// Cores that a large GPU has about, each of which runs a workgroup or two at a time. The interface does not tell.
const CORES: usize = 128;
/// Grid points that keep a software device with its few threads busy.
const ENOUGH_POINTS_IN_SOFTWARE: usize = 16;
/// Depth of a step: the lowering cuts it further, and reads ahead within it.
const DEEP: usize = 512;
/// Lanes that share out a right factor: fewer do not.
const FEWEST_LANES: u32 = 8;
/// Rows up to which a product streams its right factor.
const FEW_ROWS: usize = 16;

/// The best guess first.
pub(super) fn tilings(problem: &Problem, caps: &Caps) -> Vec<Tiling> {
    match (problem, caps.manner) {
        (Problem::Matmul(p), Manner::Staged) => hardware_matmul(p, caps).into_iter().map(Tiling::Matmul).collect(),
        (Problem::Matmul(p), _) => software_matmul(p).into_iter().map(Tiling::Matmul).collect(),
        (Problem::Attention(p), _) => attention(p, caps).into_iter().map(Tiling::Attention).collect(),
    }
}

/// An output tile and what share of the best one's rate it reaches where the grid is large.
type Shape = (usize, usize, f64);

/// By multiply-adds of threads: f32, 2048³ and 4096³, on an H200 (2026-11-26).
const BY_THREADS: [Shape; 9] = [
    (128, 128, 1.0),
    (128, 64, 0.97),
    (64, 128, 0.9),
    (64, 64, 0.82),
    (32, 128, 0.8),
    (32, 64, 0.75),
    (32, 32, 0.4),
    (16, 64, 0.3),
    (16, 32, 0.2),
];
/// By matrix units: f16, the same sizes, the same device.
const BY_MATRIX_UNITS: [Shape; 7] =
    [(128, 64, 1.0), (64, 128, 1.0), (128, 128, 0.92), (32, 128, 0.74), (64, 64, 0.72), (32, 64, 0.5), (32, 32, 0.3)];

fn hardware_matmul(problem: &MatmulProblem, caps: &Caps) -> Vec<MatmulTiling> {
    let p = problem.sizes();
    let mut tilings = vec![];
    if p.m <= FEW_ROWS && caps.shuffle.is_some_and(|lanes| lanes >= FEWEST_LANES) {
        let bm = p.m.next_power_of_two();
        let cols: &[usize] = match p.layout {
            // Groups of 16 bytes: thirty-two lanes read 1024 weights side by side, several times in a step.
            Layout::NkI4 => &[32, 16, 8],
            // One row reads as fast as memory gives; sixteen leave registers for one column a thread.
            Layout::Nk | Layout::Packed if bm == 1 || bm > 8 => &[8, 16, 32],
            Layout::Nk | Layout::Packed => &[16, 8, 32],
            // Sixteen columns are 32 bytes of 16-bit weights, the least that memory gives; more workgroups, fewer bytes each.
            Layout::Kn => &[32, 64, 16, 128],
        };
        // As many bytes of a row as of f32, so that as many are in flight.
        let bk = match p.layout {
            Layout::NkI4 => 8 * DEEP,
            _ if p.input == DType::I8 => 4 * DEEP,
            _ => DEEP,
        };
        tilings.extend(cols.iter().map(|&bn| MatmulTiling { bm, bn, bk }));
    }
    let by_units = p.input == DType::F16 && p.layout != Layout::NkI4 && caps.fragment.is_some();
    let (shapes, bk): (&[Shape], usize) = if by_units { (&BY_MATRIX_UNITS, 32) } else { (&BY_THREADS, DEEP) };
    // Rounds of the cores, each as long as a tile takes.
    let rounds = |bm: usize, bn: usize| (p.batch * n_tiles(p.m, bm) * n_tiles(p.n, bn)).div_ceil(CORES);
    let cost = |&(bm, bn, share): &Shape| rounds(bm, bn) as f64 * (bm * bn) as f64 / share;
    let mut shapes = shapes.to_vec();
    // Of two shapes that cost the same, the one with the longer side where the right factor's rows are long.
    if p.layout == Layout::Kn {
        shapes.sort_by_key(|(bm, bn, _)| bm > bn);
    }
    shapes.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
    tilings.extend(shapes.into_iter().map(|(bm, bn, _)| MatmulTiling { bm, bn, bk }));
    tilings
}

fn software_matmul(problem: &MatmulProblem) -> Vec<MatmulTiling> {
    let p = problem.sizes();
    let sizes = [
        (32, 64, 512),
        (32, 128, 512),
        (32, 32, 512),
        (64, 32, 512),
        (16, 128, 512),
        (16, 64, 512),
        (8, 64, 512),
        (4, 64, 512),
        (1, 64, 512),
    ];
    let mut fitting: Vec<MatmulTiling> = sizes
        .into_iter()
        .filter(|(bm, bn, _)| *bm <= p.m.next_power_of_two() && *bn <= p.n.next_power_of_two().max(64))
        .map(|(bm, bn, bk)| MatmulTiling { bm, bn, bk })
        .collect();
    // Large tiles reuse most, once the grid is large enough to keep the device busy; else the largest grid.
    let points = |t: &MatmulTiling| p.batch * n_tiles(p.m, t.bm) * n_tiles(p.n, t.bn);
    fitting.sort_by_key(|t| std::cmp::Reverse(points(t).min(ENOUGH_POINTS_IN_SOFTWARE)));
    fitting
}

fn attention(problem: &AttentionProblem, caps: &Caps) -> Vec<AttentionTiling> {
    let p = problem.sizes();
    let rows = p.sq * problem.group();
    let fragments = factors(&p) == DType::F16 && caps.fragment.is_some();
    let few = rows.next_power_of_two();
    let (sizes, enough): (&[(usize, usize)], usize) = match caps.manner {
        // Of bytes too, and half as many of them a key.
        Manner::Staged if rows <= FEW_ROWS && p.kv == Kv::I8 => (&[(few, 256), (few, 128), (few, 64)], 2 * CORES),
        // Both factors of 16 bits are read 16 bytes a thread: a step of 64 keys is soon over.
        Manner::Staged if rows <= FEW_ROWS && p.input.size_bytes() == 2 => (&[(few, 128), (few, 64)], 2 * CORES),
        Manner::Staged if rows <= FEW_ROWS => (&[(few, 64), (few, 128), (few, 32)], 2 * CORES),
        Manner::Staged if fragments => (&[(64, 64), (64, 32), (32, 64), (32, 32)], CORES),
        Manner::Staged => (&[(64, 64), (32, 64), (64, 32), (32, 32), (16, 64)], CORES),
        Manner::Lanes(_) | Manner::Direct => (&[(16, 32), (8, 32), (4, 64), (1, 64)], ENOUGH_POINTS_IN_SOFTWARE),
    };
    let mut tilings = Vec::new();
    for &(bq, bk) in sizes.iter().filter(|(bq, _)| *bq < 2 * rows) {
        let points = p.batch * p.hkv * n_tiles(rows, bq);
        let tiles = n_tiles(p.skv, bk);
        // Each part of the keys writes its own partial result: worth it for a few tiles a part, of few rows for one.
        let fewest = if caps.manner == Manner::Staged && rows <= FEW_ROWS { (128 / bk).max(1) } else { 4 };
        let splits = enough.div_ceil(points).min(tiles / fewest).max(1);
        tilings.push(AttentionTiling { bq, bk, kv_splits: splits });
    }
    tilings
}
