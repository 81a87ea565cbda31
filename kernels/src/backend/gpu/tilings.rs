//! Which tilings to try, by problem and device.
//!
//! The sizes limit registers: an accumulator tile of `bm × bn` takes `bm·bn / (4·threads)` vectors of a thread.

use super::wgsl::{Caps, Manner};
use crate::DType;
use crate::attention::factors;
use crate::problem::{AttentionProblem, Kv, Layout, MatmulProblem, MatmulSizes, Problem};
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
        (Problem::Grouped(p), _) => {
            let of_average = tilings(&Problem::Matmul(p.average()), caps).into_iter();
            of_average.filter(|tiling| matches!(tiling, Tiling::Matmul(t) if t.k_splits == 1)).collect()
        }
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
/// By matrix units: f16, 4096³, on an H200 (2026-11-27; the two of 32 rows as the day before).
const BY_MATRIX_UNITS: [Shape; 7] = [
    (128, 128, 1.0),
    (64, 128, 0.82),
    (128, 64, 0.72),
    (64, 64, 0.66),
    (32, 128, 0.57),
    (32, 64, 0.38),
    (32, 32, 0.23),
];

fn hardware_matmul(problem: &MatmulProblem, caps: &Caps) -> Vec<MatmulTiling> {
    let p = problem.sizes();
    let by_units = p.input == DType::F16 && p.layout != Layout::NkI4 && caps.fragment.is_some();
    let model = Model::new(problem, by_units);
    let mut tilings = vec![];
    let streams = p.m <= FEW_ROWS && caps.shuffle.is_some_and(|lanes| lanes >= FEWEST_LANES);
    if streams {
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
        let whole: Vec<MatmulTiling> = cols.iter().map(|&bn| MatmulTiling { bm, bn, bk, k_splits: 1 }).collect();
        let split = cols.iter().flat_map(|&bn| model.splits((bm, bn), bk)).map(|t| (model.streamed_s(&t), t));
        tilings = with_splits(model.streamed_s(&whole[0]), whole, split.collect());
    }
    let (shapes, bk): (&[Shape], usize) = if by_units { (&BY_MATRIX_UNITS, 32) } else { (&BY_THREADS, DEEP) };
    // Rounds of the cores, each as long as a tile takes.
    let rounds = |bm: usize, bn: usize| model.points(bm, bn).div_ceil(CORES);
    let cost = |&(bm, bn, share): &Shape| rounds(bm, bn) as f64 * (bm * bn) as f64 / share;
    let mut shapes = shapes.to_vec();
    // Of two shapes that cost the same, the one with the longer side where the right factor's rows are long.
    if p.layout == Layout::Kn {
        shapes.sort_by_key(|(bm, bn, _)| bm > bn);
    }
    shapes.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
    let whole: Vec<MatmulTiling> = shapes.iter().map(|&(bm, bn, _)| MatmulTiling { bm, bn, bk, k_splits: 1 }).collect();
    let split = shapes.iter().filter(|_| !streams).flat_map(|shape| {
        let timed = |t: MatmulTiling| (model.tiled_s(shape, &t), t);
        model.splits((shape.0, shape.1), bk).into_iter().map(timed)
    });
    tilings.extend(with_splits(model.tiled_s(&shapes[0], &whole[0]), whole, split.collect()));
    tilings
}

/// Workgroups of split products for each core, at most: more only write more sums.
const ROUNDS: usize = 4;
/// Least depth of a part: a shorter one is over before its reads are under way.
const FEWEST_DEEP: usize = 256;
/// Split tilings that are offered of a problem: the fastest by the model, for a measurement to choose from.
const MOST_SPLITS: usize = 6;
/// Share of the first whole tiling's time, by the model, below which a split one comes before it: the model is off by as much.
const PLAINLY: f64 = 0.85;

/// The whole tilings, the first of which takes `first_s` seconds, with the split ones that are plainly faster before them and
/// others behind.
fn with_splits(first_s: f64, whole: Vec<MatmulTiling>, mut split: Vec<(f64, MatmulTiling)>) -> Vec<MatmulTiling> {
    split.sort_by(|a, b| a.0.total_cmp(&b.0));
    split.truncate(MOST_SPLITS);
    let (ahead, behind): (Vec<_>, Vec<_>) = split.into_iter().partition(|(s, _)| *s < PLAINLY * first_s);
    let tilings = |split: Vec<(f64, MatmulTiling)>| split.into_iter().map(|(_, tiling)| tiling);
    tilings(ahead).chain(whole).chain(tilings(behind)).collect()
}

/// What a product takes by its tiling, about: rates are an H200's (2026-11-26), whose ratios count alone.
///
/// It gives 128x4096x4096 of f32, `[n, k]`, 164 µs by whole tiles of 64 × 64 and 126 by tiles of 128 × 64 in four parts,
/// measured at 190 and 138; of f16 37 by whole tiles of 64 × 64, measured at 45.
struct Model {
    p: MatmulSizes,
    /// Multiply-adds of a core a second, of the best tile.
    core_per_s: f64,
    /// Seconds of reading and writing the operands once.
    bytes_s: f64,
}

/// Flops a second of 2048³ by threads, of f32, and of 4096³ by matrix units, of f16.
const FLOPS_BY_THREADS: f64 = 37.7e12;
const FLOPS_BY_MATRIX_UNITS: f64 = 250e12;
/// Share of its rate that a core reaches with one workgroup, which waits at its barriers and for what it reads: of f32 and of
/// f16 0.8 to 0.9 of what large grids predict (1024³, 128x4096x4096).
const ALONE: f64 = 0.85;
/// Seconds of a dispatch, however little it does.
const DISPATCH_S: f64 = 3.5e-6;
/// Bytes of memory a second, as one row times 4096² of f32 weights reads them.
const BYTES_PER_S: f64 = 3.07e12;

impl Model {
    fn new(problem: &MatmulProblem, by_units: bool) -> Model {
        let flops = if by_units { FLOPS_BY_MATRIX_UNITS } else { FLOPS_BY_THREADS };
        let core_per_s = flops / 2.0 / CORES as f64;
        Model { p: problem.sizes(), core_per_s, bytes_s: problem.min_bytes() / BYTES_PER_S }
    }

    /// Output tiles.
    fn points(&self, bm: usize, bn: usize) -> usize {
        self.p.batch * n_tiles(self.p.m, bm) * n_tiles(self.p.n, bn)
    }

    /// Ways to split products of these tiles, in steps of at most `deepest`, where there are fewer tiles than cores.
    fn splits(&self, (bm, bn): (usize, usize), deepest: usize) -> Vec<MatmulTiling> {
        let points = self.points(bm, bn);
        let fits = |n: &usize| points * n <= ROUNDS * CORES && self.p.k / n >= FEWEST_DEEP;
        let sizes = [2, 4, 8, 16, 32].into_iter().filter(|_| points < CORES && !self.p.input.is_integer()).filter(fits);
        let tilings = sizes.map(|k_splits| {
            // Steps of the same depth, so that parts are as even as whole chunks of workgroup memory allow.
            let depth = self.p.k.div_ceil(k_splits);
            let bk = depth.div_ceil(depth.div_ceil(deepest)).next_multiple_of(32).min(deepest);
            MatmulTiling { bm, bn, bk, k_splits }
        });
        tilings.collect()
    }

    /// Seconds of a product by tiles of a shape: rounds of the cores, each as long as a tile takes.
    fn tiled_s(&self, (bm, bn, share): &Shape, t: &MatmulTiling) -> f64 {
        let (parts, depth) = self.parts(t);
        let rounds = (parts * self.points(*bm, *bn)).div_ceil(CORES);
        let rounds = if rounds == 1 { 1.0 / ALONE } else { rounds as f64 };
        let products_s = rounds * (bm * bn * depth) as f64 / (share * self.core_per_s);
        products_s.max(self.bytes_s) + self.second_stage_s(parts)
    }

    /// Seconds of a product of few rows: as long as its operands are read, by the cores that have a tile.
    fn streamed_s(&self, t: &MatmulTiling) -> f64 {
        let (parts, _) = self.parts(t);
        let busy = (parts * self.points(t.bm, t.bn)) as f64 / CORES as f64;
        self.bytes_s / busy.min(1.0) + self.second_stage_s(parts)
    }

    /// Parts of a tiling, and the depth of each.
    fn parts(&self, t: &MatmulTiling) -> (usize, usize) {
        let steps = n_tiles(self.p.k, t.bk);
        let each = n_tiles(steps, t.k_splits);
        (n_tiles(steps, each), (each * t.bk).min(self.p.k))
    }

    /// Seconds that parts cost beside the product: f32 sums are written and read, by one more dispatch. None of one part.
    fn second_stage_s(&self, parts: usize) -> f64 {
        if parts == 1 {
            return 0.0;
        }
        let bytes = 2 * 4 * parts * self.p.batch * self.p.m * self.p.n;
        DISPATCH_S + bytes as f64 / BYTES_PER_S
    }
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
        .map(|(bm, bn, bk)| MatmulTiling { bm, bn, bk, k_splits: 1 })
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
        tilings.push(AttentionTiling { bq, bk, kv_splits: splits, lazy_peak: false });
        // Fragments are multiplied by rows in workgroup memory alone, so their rows should seldom fade. In trials on an H200
        // that came to 164 TFLOP/s, and 61 with rows that fade all the time; for `farthing tune` to find, since the programs
        // that this crate writes did not run there yet.
        if fragments && rows > FEW_ROWS && caps.manner == Manner::Staged {
            tilings.push(AttentionTiling { bq, bk, kv_splits: splits, lazy_peak: true });
        }
    }
    tilings
}

#[cfg(test)]
mod tests {
    use super::super::wgsl::{Fragment, lower_stage};
    use super::*;
    use crate::matmul;

    /// A device with subgroups of 32 lanes that multiply matrices, and one with software threads.
    fn caps(manner: Manner) -> Caps {
        let hardware = manner == Manner::Staged;
        Caps {
            manner,
            shuffle: hardware.then_some(32),
            fragment: hardware.then_some(Fragment { edge: 16, lanes: 32 }),
            max_threads: 256,
            max_workgroup_bytes: 32 << 10,
            max_groups: 65_535,
            max_bindings: 8,
            max_binding_bytes: 128 << 20,
        }
    }

    fn product(input: DType, [m, n, k]: [usize; 3]) -> MatmulProblem {
        let sizes = MatmulSizes { batch: 1, m, n, k, input, output: input, layout: Layout::Nk };
        MatmulProblem::new(sizes).expect("good sizes")
    }

    fn offered(problem: &MatmulProblem, manner: Manner) -> Vec<MatmulTiling> {
        let matmuls = tilings(&Problem::Matmul(problem.clone()), &caps(manner)).into_iter();
        matmuls.map(|tiling| if let Tiling::Matmul(t) = tiling { t } else { panic!("{tiling}") }).collect()
    }

    #[test]
    fn few_tiles_over_a_great_depth_are_split_and_many_are_not() {
        let split = [
            (DType::F32, [128, 4096, 4096]),
            (DType::F16, [32, 4096, 4096]),
            (DType::F16, [128, 4096, 14_336]),
            (DType::F32, [64, 128, 8192]),
            (DType::Bf16, [4, 256, 32_768]), // Streamed.
        ];
        for (dtype, sizes) in split {
            let first = offered(&product(dtype, sizes), Manner::Staged)[0];
            let points = n_tiles(sizes[0], first.bm) * n_tiles(sizes[1], first.bn);
            assert!(first.k_splits > 1 && points * first.k_splits >= CORES, "{dtype} {sizes:?}: {first:?}");
        }
        let whole = [
            (DType::F32, [2048, 2048, 2048]),
            (DType::F16, [4096, 4096, 4096]),
            (DType::F32, [64, 64, 64]),
            (DType::F32, [256, 256, 256]),
            (DType::F32, [512, 512, 512]),
            (DType::F16, [1024, 1024, 1024]),
            (DType::Bf16, [1, 4096, 4096]),
            (DType::F32, [8, 4096, 4096]),
        ];
        for (dtype, sizes) in whole {
            assert_eq!(offered(&product(dtype, sizes), Manner::Staged)[0].k_splits, 1, "{dtype} {sizes:?}");
        }
    }

    #[test]
    fn a_measurement_has_several_splits_to_choose_from_and_no_great_number() {
        let problem = product(DType::F32, [128, 4096, 4096]);
        let tilings = offered(&problem, Manner::Staged);
        let n_split = tilings.iter().filter(|t| t.k_splits > 1).count();
        assert!((3..=MOST_SPLITS).contains(&n_split) && tilings.len() == BY_THREADS.len() + n_split, "{tilings:?}");
        // What is offered can be lowered, both stages of it.
        for program in tilings.iter().map(|tiling| matmul(&problem, tiling)) {
            for at in 0..program.stages().len() {
                lower_stage(&program, at, &caps(Manner::Staged)).unwrap_or_else(|e| panic!("{program}\n{e}"));
            }
        }
        assert!(offered(&problem, Manner::Direct).iter().all(|t| t.k_splits == 1));
    }

    #[test]
    fn the_second_stage_reads_four_neighbours_a_thread() {
        let split = MatmulTiling { bm: 32, bn: 64, bk: 512, k_splits: 4 };
        for (m, points) in [(1, 8), (5, 64), (128, 1024)] {
            let program = matmul(&product(DType::F32, [m, 4096, 4096]), &split);
            let code = lower_stage(&program, 1, &caps(Manner::Staged)).expect("within the limits");
            assert!(code.source.contains(" >> 2u]") && !code.source.contains("workgroupBarrier"), "{}", code.source);
            assert_eq!(code.groups, [points, 1, 1], "{}", code.strategy);
        }
    }
}
