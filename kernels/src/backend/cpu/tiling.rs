//! Tile sizes from cache sizes.

use super::cache::Caches;
use super::isa::Isa;
use super::microkernel::LEAD;
use super::stream::pass_rows;
use super::tiles::TILES_ROWS;
use super::uses::{
    LEAST_TILE_ROWS, LEAST_TILE_ROWS_OF_4_BITS, SHARED_ROWS, STEP_STREAM_ROWS, STREAM_ROWS, STREAM_ROWS_OF_4_BITS,
    least_tile_rows, packs_few_rows, tile_stream_rows,
};
use crate::DType;
use crate::problem::{AttentionProblem, Layout, MatmulProblem};
use crate::tile::{AttentionTiling, MatmulTiling, n_tiles};

/// Splits `len` into tiles of at most `most`, all of nearly the same size, each a multiple of `step` but the last.
fn even(len: usize, most: usize, step: usize) -> usize {
    let n = n_tiles(len, most.max(1));
    len.div_ceil(n).next_multiple_of(step).min(len).max(1)
}

/// Matmul: a step's row panel of `a` (MR × bk) takes 3/5 of L1, its block of `b` (bk × bn) and the accumulators
/// (bm × bn) half of L2 between them.
pub(super) fn matmul(problem: &MatmulProblem, isa: Isa, caches: Caches, threads: usize) -> MatmulTiling {
    let p = problem.sizes();
    if p.layout == Layout::Packed && p.m <= SHARED_ROWS && (p.m > STREAM_ROWS || packs_few_rows(p.input)) {
        return packed(problem, isa, threads);
    }
    let tiles_in_place = takes_tiles_in_place(problem, isa);
    let most = match p.layout {
        Layout::Kn if takes_tiles_over_steps(problem, isa) => STEP_STREAM_ROWS,
        // However many: panels would be of f32.
        Layout::NkI4 if tiles_in_place => usize::MAX,
        Layout::NkI4 => STREAM_ROWS_OF_4_BITS,
        _ if tiles_in_place => tile_stream_rows(p.k),
        _ => STREAM_ROWS,
    };
    // Quads run along the contraction: as `[k, n]` they are packed, however few the rows.
    if p.m <= most && !(p.input == DType::I8 && p.layout == Layout::Kn) {
        return streamed(problem, isa, caches, threads);
    }
    if isa.has_tiles() && matches!(p.input, DType::I8 | DType::Bf16) {
        return of_tiles(problem, isa, caches, threads);
    }
    let elems_per_unit = match p.input {
        DType::I8 => 4,
        DType::Bf16 if isa.dots_bf16() => 2,
        _ => 1,
    };
    // The longest constant stride bounds a step, less the line that keeps strides odd.
    let most_k = (caches.l1d * 3 / 5 / (isa.mr() * 4) / 64 * 64).clamp(64, LEAD - 16);
    let bk_units = even(p.k.div_ceil(elems_per_unit), most_k, 16);
    let nr = 2 * isa.lanes();
    let bn = even(p.n, (caches.l2 / 2 / 4 / bk_units / nr * nr).clamp(2 * nr, 512), nr);
    let most_m = (caches.l2 / 4 / 4 / bn / isa.mr() * isa.mr()).clamp(4 * isa.mr(), 20 * isa.mr());
    let mut bm = even(p.m, most_m, 1);
    // Enough points for the threads, and for one that starts late to find work left.
    let points = |bm: usize| p.batch * n_tiles(p.n, bn) * n_tiles(p.m, bm);
    while threads > 1 && points(bm) < 4 * threads && bm > 4 * isa.mr() {
        bm = even(p.m, bm.div_ceil(2), 1);
    }
    MatmulTiling { bm, bn, bk: (bk_units * elems_per_unit).min(p.k), k_splits: 1 }
}

/// Whether tiles take the right factor where it lies.
fn takes_tiles_in_place(problem: &MatmulProblem, isa: Isa) -> bool {
    let p = problem.sizes();
    isa.has_tiles()
        && match p.layout {
            Layout::Nk => p.m >= least_tile_rows(p.input, p.k) && matches!(p.input, DType::Bf16 | DType::I8),
            Layout::NkI4 => p.m >= LEAST_TILE_ROWS_OF_4_BITS && p.input == DType::Bf16,
            _ => false,
        }
}

/// Whether tiles take pairs of steps of the contraction, rows of the right factor, from where it lies.
fn takes_tiles_over_steps(problem: &MatmulProblem, isa: Isa) -> bool {
    let p = problem.sizes();
    isa.has_tiles() && p.layout == Layout::Kn && p.input == DType::Bf16 && p.m >= LEAST_TILE_ROWS
}

/// Products of tiles: a row panel of `a` takes two thirds of L1, a block of `b` a quarter of L2 and the accumulators another.
/// Memory bounds them sooner than vectors: shorter or narrower blocks read their factors more often (1024³ of bf16 on a Xeon of
/// model 167 with columns by 512, 256 and 128: 0.36, 0.30 and 0.23 of the limit).
fn of_tiles(problem: &MatmulProblem, isa: Isa, caches: Caches, threads: usize) -> MatmulTiling {
    let p = problem.sizes();
    let (per_unit, nr) = (4 / p.input.size_bytes(), 2 * isa.lanes());
    // Of packed weights a panel stays in L1 beside a row panel, while the block behind theirs comes into L2.
    let l1_bytes = if p.layout == Layout::Packed { caches.l1d / 3 } else { caches.l1d * 2 / 3 };
    let most_k = (l1_bytes / (TILES_ROWS * 4) / 64 * 64).clamp(64, 256);
    let bk_units = even(p.k.div_ceil(per_unit), most_k, 16);
    let bn = even(p.n, (caches.l2 / 4 / 4 / bk_units / nr * nr).clamp(2 * nr, 512), nr);
    let mut bm = even(p.m, 8 * TILES_ROWS, TILES_ROWS);
    // Enough points for the threads, and for one that starts late to find work left.
    let points = |bm: usize| p.batch * n_tiles(p.n, bn) * n_tiles(p.m, bm);
    while threads > 1 && points(bm) < 4 * threads && bm > 4 * TILES_ROWS {
        bm = even(p.m, bm.div_ceil(2), TILES_ROWS);
    }
    MatmulTiling { bm, bn, bk: (bk_units * per_unit).min(p.k), k_splits: 1 }
}

/// Packed weights under rows that meet them panel by panel: a panel and the one behind it lie in L2, a row panel in L1.
/// One row panel takes longer steps, since nothing is read twice.
fn packed(problem: &MatmulProblem, isa: Isa, threads: usize) -> MatmulTiling {
    let p = problem.sizes();
    let nr = 2 * isa.lanes();
    let is_met_once = p.m <= isa.mr();
    // Panels of pairs are half as long as the rows of f32 that they are multiplied with.
    let bk = even(p.k, if is_met_once || p.input == DType::Bf16 { 512 } else { 256 }, 16);
    let is_of_tiles = isa.has_tiles() && p.input == DType::Bf16;
    let mut bn = even(p.n, if is_of_tiles && p.m > TILES_ROWS { 128 } else { 256 }, nr);
    while threads > 1 && p.batch * n_tiles(p.n, bn) < 4 * threads && bn > nr {
        bn = even(p.n, bn.div_ceil(2), nr);
    }
    MatmulTiling { bm: p.m, bn, bk, k_splits: 1 }
}

/// Few rows: the right factor is read once where it lies. With `[n, k]` whole rows of it, since shorter steps only add
/// sums across lanes; with `[k, n]` tiles narrow enough that the accumulators stay in registers and L1.
fn streamed(problem: &MatmulProblem, isa: Isa, caches: Caches, threads: usize) -> MatmulTiling {
    let p = problem.sizes();
    let tiles_in_place = takes_tiles_in_place(problem, isa);
    // The left factor's rows are read again for every few rows of the right one: they stay in a quarter of L2, which
    // gives them faster than memory gives the right factor's. Shorter steps, for L1, would cut the streams of memory.
    // Tiles have them in half of it, as they are, and few steps, since sums are put away after each.
    let over_steps = takes_tiles_over_steps(problem, isa);
    let (most_steps, step_cols) = if p.m <= 64 { (128, 4096) } else { (512, 512) };
    let (bk, several) = if over_steps {
        (even(p.k, most_steps, 64), false)
    } else if tiles_in_place {
        let most_k = (caches.l2 / 2 / p.input.size_bytes() / p.m.min(tile_stream_rows(p.k))).max(1024);
        (even(p.k, most_k, 256), p.k > most_k)
    } else {
        let elems_per_unit = if p.input == DType::I8 { 4 } else { 1 };
        (p.k.min((caches.l2 / 4 / 4 / p.m / 256 * 256).clamp(1024, 8192) * elems_per_unit), false)
    };
    let bn = match p.layout {
        // Steps of the left factor are read from memory again for each tile of columns.
        _ if several => 256,
        // Few steps of whole rows: of half as many columns a tenth less is read. More rows would not keep so many sums in L2.
        _ if over_steps => step_cols,
        Layout::Nk | Layout::NkI4 | Layout::Packed => 128,
        Layout::Kn => 512,
    };
    let bn = if threads > 1 { even(p.n, bn.min(p.n.div_ceil(4 * threads)), 32) } else { even(p.n, bn, 32) };
    // More than one pass finds the tile in another quarter.
    let passes_again = !tiles_in_place && p.m > pass_rows(isa) && p.layout != Layout::Kn;
    let bn = if passes_again { bn.min((caches.l2 / 4 / 4 / bk).max(16)) } else { bn };
    let bm = if tiles_in_place { even(p.m, tile_stream_rows(p.k), TILES_ROWS) } else { p.m };
    MatmulTiling { bm, bn, bk, k_splits: 1 }
}

/// Attention: queries, accumulators, keys and values of a tile lie in L2 together. Many rows run along lanes
/// ([`super::turned`]): whole strips of them, and as many keys as leave the scores of a strip in L1 beside what they are
/// multiplied by.
pub(super) fn attention(problem: &AttentionProblem, isa: Isa, threads: usize) -> AttentionTiling {
    let p = problem.sizes();
    let n_rows = p.sq * problem.group();
    let nr = 2 * isa.lanes();
    let points = |bq: usize| p.batch * p.hkv * n_tiles(n_rows, bq);
    let mut bq = even(n_rows, 8 * nr, nr);
    while threads > 1 && points(bq) < 4 * threads && bq > 2 * nr {
        bq = even(n_rows, bq.div_ceil(2), nr);
    }
    let bk = even(p.skv, 256, 32);
    // Too few heads and rows to go round: the keys are split as well.
    let kv_splits = if points(bq) >= threads { 1 } else { threads.div_ceil(points(bq)).min(n_tiles(p.skv, bk)) };
    AttentionTiling { bq, bk, kv_splits, lazy_peak: false }
}
