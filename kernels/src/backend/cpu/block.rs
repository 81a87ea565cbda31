//! A product of one tile: row panels of the left factor against the panels of the right one.
//!
//! A left factor that is a tile already lies in rows as the register tile wants them. One that is still in its tensor
//! is taken a row panel at a time: read where it is while a panel of it is dense enough to stay in L1, else copied
//! first. A copy of the whole factor would be written to memory and read back from there; a panel's copy stays in L1,
//! and its rows are fetched while the panel before it is multiplied.

use super::isa::Isa;
use super::microkernel::{Fetch, LEAD, Panel, multiply, phases};
use super::pack::{Layout, pack};
use super::source::Source;
use super::unit::Units;
use crate::DType;

/// Where the left factor is.
#[derive(Clone, Copy)]
pub(super) enum Left<'o> {
    /// In rows of units at a stride.
    Rows(*const f32, usize),
    /// In its tensor; a row panel is copied to room for as many rows at a stride.
    Tensor { source: Source<'o>, stride: Option<usize>, room: *mut f32, lead: usize },
}

/// `c[m, n] (+)= a[m, k] · b[k, n]`: `b` in panels, `from` and `to` as [`Panel`] says.
pub(super) struct Block<'o> {
    /// Rows.
    pub(super) m: usize,
    /// The left factor.
    pub(super) a: Left<'o>,
    /// What the factors hold.
    pub(super) units: Units,
    /// Which factor's panels are taken one after the other.
    pub(super) order: Order,
    /// The rest, for the first row, with all rows to fetch ahead; `a` and `next` are not read.
    pub(super) first: Panel,
}

/// The order of a block's products of panels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Each row panel meets all panels of `b`, which stay in L2.
    Rows,
    /// Each panel of `b` meets all row panels: it comes from memory, and so does the one that lies behind it, meanwhile.
    Panels,
}

/// Bytes ahead of the step in use that are fetched of a right factor that comes from memory and is read in one pass. From
/// 16 to 64 KiB were alike for 8 rows on a Xeon of model 207; into L2, for L1 alone keeps too few lines in flight.
const MEMORY_AHEAD_BYTES: usize = 32 << 10;

/// Streams of addresses in which tiles fetch a block that lies behind theirs: one alone comes half as fast.
const TILE_STREAMS: usize = 8;

/// Bytes of a cache line.
const LINE_BYTES: usize = 64;

impl Block<'_> {
    /// Runs the block.
    ///
    /// # Safety
    /// - `a`, `b`, `from` and `to` are valid for the sizes that their fields state, and `to` overlaps none but `from`.
    pub(super) unsafe fn run(&self, isa: Isa) {
        let n_row_panels = self.m.div_ceil(self.units.panel_rows(isa));
        if self.order == Order::Panels && n_row_panels == 1 {
            let first = Panel { b_far: MEMORY_AHEAD_BYTES / 4, ..self.first };
            self.each_row_panel(isa, n_row_panels, first);
        } else if self.order == Order::Panels && self.units.are_of_tiles() {
            let units = self.first.n.div_ceil(2 * isa.lanes()) * self.first.b_panel;
            self.each_row_panel(isa, n_row_panels, Panel { ahead: self.behind_in_streams(units), ..self.first });
        } else if let (Order::Panels, Left::Rows(..)) = (self.order, self.a) {
            self.each_panel(isa, n_row_panels);
        } else if self.order == Order::Panels {
            let n_panels = self.first.n.div_ceil(2 * isa.lanes());
            let ahead = self.behind(isa, n_panels * self.first.b_panel, n_row_panels * n_panels);
            self.each_row_panel(isa, n_row_panels, Panel { ahead, ..self.first });
        } else {
            self.each_row_panel(isa, n_row_panels, self.first);
        }
    }

    /// What lies `units` behind `b`, as many of them, to fetch in the course of `n_calls` of the register tile.
    fn behind(&self, isa: Isa, units: usize, n_calls: usize) -> Fetch {
        let rows = (n_calls * phases(self.first.b_panel / (2 * isa.lanes()))).max(1);
        let row_bytes = (units * 4).div_ceil(rows);
        Fetch { first: self.first.b.wrapping_add(units).cast(), stride: row_bytes, rows, row_bytes }
    }

    /// What lies `units` behind `b`, as many of them, for tiles to fetch.
    fn behind_in_streams(&self, units: usize) -> Fetch {
        let row_bytes = units * 4 / TILE_STREAMS;
        Fetch { first: self.first.b.wrapping_add(units).cast(), stride: row_bytes, rows: TILE_STREAMS, row_bytes }
    }

    /// Each panel of `b` under all row panels.
    fn each_panel(&self, isa: Isa, n_row_panels: usize) {
        let Panel { n, b, b_panel, from, to, .. } = self.first;
        let nr = 2 * isa.lanes();
        let behind = self.behind(isa, b_panel, n_row_panels);
        for (panel, col) in (0..n).step_by(nr).enumerate() {
            let call = Panel {
                n: (n - col).min(nr),
                b: b.wrapping_add(panel * b_panel),
                from: if from.is_null() { from } else { from.wrapping_add(col) },
                to: to.wrapping_add(col),
                to_cols: self.first.to_cols - col,
                ahead: Fetch { first: behind.first.wrapping_add(panel * b_panel * 4), ..behind },
                ..self.first
            };
            self.each_row_panel(isa, n_row_panels, call);
        }
    }

    /// Each row panel with the panels of `first`.
    fn each_row_panel(&self, isa: Isa, n_row_panels: usize, first: Panel) {
        let mut row = 0;
        for panel in 0..n_row_panels {
            // Evenly, so that no panel is left with a row or two.
            let rows = (self.m - row).div_ceil(n_row_panels - panel);
            let (a, lda) = self.rows(isa, row, rows);
            let is_last = row + rows == self.m;
            let (ahead, part) = (first.ahead, [panel, panel + 1]);
            let ahead = if self.units.are_of_tiles() {
                let [from, to] = part.map(|part| ahead.row_bytes * part / n_row_panels / LINE_BYTES * LINE_BYTES);
                ahead.columns(from, to)
            } else {
                let [from, to] = part.map(|part| ahead.rows * part / n_row_panels);
                ahead.part(from, to)
            };
            let call = Panel {
                a,
                lda,
                from: if first.from.is_null() { first.from } else { first.from.wrapping_add(row * first.from_lead) },
                to: first.to.wrapping_add(row * first.to_lead),
                next: if is_last { Fetch::NONE } else { self.next(row + rows, rows) },
                ahead,
                ..first
            };
            multiply(isa, (self.units, rows), call);
            row += rows;
        }
    }

    /// Row panel `row..row + rows` of the left factor and its stride.
    fn rows(&self, isa: Isa, row: usize, rows: usize) -> (*const f32, usize) {
        match self.a {
            Left::Rows(a, lda) => (a.wrapping_add(row * lda), lda),
            Left::Tensor { source, stride, room, lead } => {
                if let Some(stride) = stride.filter(|stride| stays(source.dtype, *stride)) {
                    return (source.row(row).cast(), stride);
                }
                let panel = Source { offsets: &source.offsets[row..row + rows], ..source };
                let layout = match self.units {
                    Units::Single | Units::Halves => Layout::Rows,
                    Units::Pair | Units::PairTiles => Layout::RowPairs,
                    Units::Quad | Units::QuadTiles => Layout::RowQuads,
                };
                // SAFETY: the caller's rows are valid, and there is room for a row panel of them.
                unsafe { pack(isa, panel, layout, room, lead) };
                (room, lead)
            }
        }
    }

    fn next(&self, row: usize, rows: usize) -> Fetch {
        match self.a {
            Left::Rows(a, lda) => {
                let (stride, row_bytes) = (lda * 4, self.first.k * 4);
                Fetch { first: a.wrapping_add(row * lda).cast(), stride, rows, row_bytes }
            }
            Left::Tensor { stride: None, .. } => Fetch::NONE,
            Left::Tensor { source, stride: Some(stride), .. } => {
                let elem = source.dtype.size_bytes();
                Fetch { first: source.row(row), stride: stride * elem, rows, row_bytes: source.cols * elem }
            }
        }
    }
}

/// Whether rows are read where they are: of units already, and so close that a panel of them is one piece of L1.
fn stays(dtype: DType, stride: usize) -> bool {
    dtype == DType::F32 && stride <= LEAD
}
