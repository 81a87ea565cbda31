//! Which thread owns which elements of a tile.

use crate::program::{Op, Span, Stage, TileType};

use super::method::SUBGROUPS;
use super::{Caps, Manner};

/// Threads of a workgroup; `tx` walks columns, `ty` rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mapping {
    /// Threads along columns.
    pub(super) tx: usize,
    /// Threads along rows.
    pub(super) ty: usize,
}

/// Registers that a thread holds of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    /// Rows.
    pub(super) rows: usize,
    /// Groups of four columns; none for a tile of one column, which takes a scalar a row.
    pub(super) quads: Option<usize>,
}

impl Share {
    /// Registers, of four elements or one.
    pub(super) fn registers(self) -> usize {
        self.rows * self.quads.unwrap_or(1)
    }

    /// Groups of columns to go through; a tile of one column counts as one.
    pub(super) fn groups(self) -> usize {
        self.quads.unwrap_or(1)
    }
}

/// Threads that any device runs well: a multiple of every subgroup size, and no occupancy problem.
const MAX_THREADS: usize = 256;
/// Threads along a row: sixteen lanes read 64 neighbouring columns, a full line of any memory.
const MAX_TX: usize = 16;
/// Threads that a workgroup of few rows should have all the same: where parts of a softmax are joined there are few
/// workgroups, and each thread waits for all that it reads.
const FEW_THREADS: usize = 128;
/// Rows of a thread that make a load of `b` worth its while, where rows suffice.
const ROWS_PER_THREAD: usize = 4;

/// What the products of a stage ask of its workgroup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Team {
    /// As many threads as its tiles are worth.
    Any,
    /// As many as a device runs well: they share out what is read.
    Large,
    /// The subgroups that multiply fragments.
    Subgroups,
}

impl Mapping {
    /// Threads for the accumulators of a stage (for its largest tiles, where it has no product).
    pub(super) fn choose<'s>(
        stage: &'s Stage,
        wide: impl Iterator<Item = &'s TileType>,
        team: Team,
        caps: &Caps,
    ) -> Mapping {
        if let Manner::Lanes(lanes) = caps.manner {
            return Mapping { tx: lanes as usize, ty: 1 };
        }
        let mut wide: Vec<&TileType> = wide.collect();
        if wide.is_empty() {
            wide = stage.tiles.iter().collect();
        }
        let quads = wide.iter().map(|ty| ty.cols.size.div_ceil(4)).filter(|&q| q > 1).min().unwrap_or(1);
        let rows = wide.iter().map(|ty| ty.rows.size).max().unwrap_or(1);
        let limit = MAX_THREADS.min(caps.max_threads as usize);
        let tx = prev_power_of_two(quads.min((FEW_THREADS / rows).max(MAX_TX)).min(limit));
        if caps.manner == Manner::Direct {
            return Mapping { tx: tx.min(8), ty: 1 };
        }
        match (team, caps.fragment) {
            (Team::Subgroups, Some(fragment)) => {
                let threads = (SUBGROUPS * fragment.lanes as usize).min(limit);
                // Rows that are reduced pass between fewest threads; else a row of threads writes a whole line.
                let tx = match reduces(&stage.body) {
                    true => threads / prev_power_of_two(rows).min(threads),
                    false => tx.min(MAX_TX).max(threads / fragment.edge as usize),
                };
                return Mapping { tx, ty: threads / tx };
            }
            (Team::Large, _) => {
                let tx = tx.min(MAX_TX);
                return Mapping { tx, ty: prev_power_of_two(limit) / tx };
            }
            _ => {}
        }
        let per_thread = if rows >= 8 * ROWS_PER_THREAD { rows / ROWS_PER_THREAD } else { rows };
        Mapping { tx, ty: prev_power_of_two(per_thread.min(limit / tx).max(1)) }
    }

    /// Threads of a workgroup.
    pub(super) fn threads(self) -> usize {
        self.tx * self.ty
    }

    /// What a thread holds of a tile of this type.
    pub(super) fn share(self, ty: &TileType) -> Share {
        Share { rows: self.rows(ty.rows), quads: (ty.cols.size > 1).then(|| self.quads(ty.cols)) }
    }

    /// Rows that a thread holds of a span; a single row is held by all.
    pub(super) fn rows(self, span: Span) -> usize {
        if span.size == 1 { 1 } else { span.size.div_ceil(self.ty) }
    }

    /// Groups of four columns that a thread holds of a span.
    pub(super) fn quads(self, span: Span) -> usize {
        span.size.div_ceil(4).div_ceil(self.tx)
    }

    /// Rows that all threads together cover: at least the span's.
    pub(super) fn covered_rows(self, span: Span) -> usize {
        if span.size == 1 { 1 } else { self.rows(span) * self.ty }
    }

    /// Columns that all threads together cover: at least the span's.
    pub(super) fn covered_cols(self, span: Span) -> usize {
        if span.size == 1 { 1 } else { 4 * self.quads(span) * self.tx }
    }
}

/// Whether rows are reduced somewhere.
fn reduces(ops: &[Op]) -> bool {
    ops.iter().any(|op| match op {
        Op::Reduce { .. } => true,
        Op::Loop { body, .. } => reduces(body),
        _ => false,
    })
}

fn prev_power_of_two(x: usize) -> usize {
    1 << x.max(1).ilog2()
}
