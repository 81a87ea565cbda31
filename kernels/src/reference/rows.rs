//! Which output rows are checked.

use std::collections::BTreeSet;

use crate::inputs::splitmix;
use crate::problem::Problem;

/// Output rows: all, or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Every row.
    All,
    /// These, ascending.
    Some(Vec<usize>),
}

/// Work up to which every row is checked, and to which the sample of a larger problem is cut: about half a second of
/// the oracle on two cores.
const BUDGET_FLOPS: f64 = 2.0e9;

/// Rows checked of any problem, however large a row is.
const LEAST_ROWS: usize = 16;

/// Tile heights in use: register tiles (6, 8, 14, 16), then cache and workgroup tiles. Their first and last rows are
/// where a lowering goes wrong.
const TILE_ROWS: [usize; 8] = [8, 16, 14, 32, 64, 128, 6, 256];

impl Rows {
    /// All rows of a small problem; of a large one the first and last rows, the rows around tile edges, and a random
    /// sample.
    pub fn choose(problem: &Problem, seed: u64) -> Rows {
        let dims = problem.output().dims;
        let matrix_rows = dims[dims.len() - 2];
        let n_rows: usize = dims[..dims.len() - 1].iter().product();
        let per_row = (problem.flops() / n_rows as f64).max(1.0);
        let wanted = ((BUDGET_FLOPS / per_row) as usize).max(LEAST_ROWS);
        if wanted >= n_rows {
            return Rows::All;
        }
        let mut chosen: BTreeSet<usize> = edges(matrix_rows, n_rows).into_iter().take(wanted / 2).collect();
        let mut draw = 0;
        while chosen.len() < wanted {
            chosen.insert((splitmix(seed, draw) % n_rows as u64) as usize);
            draw += 1;
        }
        Rows::Some(chosen.into_iter().collect())
    }

    /// The rows of `n_rows`, ascending.
    pub fn list(&self, n_rows: usize) -> Vec<usize> {
        match self {
            Rows::All => (0..n_rows).collect(),
            Rows::Some(rows) => rows.clone(),
        }
    }

    /// Share of `n_rows` rows that is checked.
    pub fn share(&self, n_rows: usize) -> f64 {
        match self {
            Rows::All => 1.0,
            Rows::Some(rows) => rows.len() as f64 / n_rows as f64,
        }
    }
}

/// Rows where tiles begin and end, the most telling first: the last matrix' last row, the first row, then the edges of
/// each tile height at the start and at the end of the last matrix.
fn edges(matrix_rows: usize, n_rows: usize) -> Vec<usize> {
    let last_matrix = n_rows - matrix_rows;
    let mut rows = vec![n_rows - 1, 0, last_matrix, matrix_rows - 1];
    for tile in TILE_ROWS.into_iter().filter(|tile| *tile < matrix_rows) {
        let last_tile = (matrix_rows - 1) / tile * tile;
        rows.extend([tile - 1, tile, last_matrix + last_tile - 1, last_matrix + last_tile]);
    }
    rows
}
