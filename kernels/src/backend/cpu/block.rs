//! A product of one tile: row panels of the left factor against the panels of the right one.
//!
//! A left factor that is a tile already lies in rows as the register tile wants them. One that is still in its tensor
//! is taken a row panel at a time: read where it is while a panel of it is dense enough to stay in L1, else copied
//! first. A copy of the whole factor would be written to memory and read back from there; a panel's copy stays in L1,
//! and its rows are fetched while the panel before it is multiplied.

use super::isa::Isa;
use super::microkernel::{Fetch, LEADS, Panel, of_lead};
use super::pack::{Layout, pack};
use super::source::Source;
use super::unit::Unit;
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
    /// The rest, for the first row, with all rows to fetch ahead; `a` and `next` are not read.
    pub(super) first: Panel,
}

impl Block<'_> {
    /// Runs the block.
    ///
    /// # Safety
    /// - `a`, `b`, `from` and `to` are valid for the sizes that their fields state, and `to` overlaps none but `from`.
    pub(super) unsafe fn run<U: Unit>(&self, isa: Isa) {
        let n_row_panels = self.m.div_ceil(isa.mr());
        let mut row = 0;
        for panel in 0..n_row_panels {
            // Evenly, so that no panel is left with a row or two.
            let rows = (self.m - row).div_ceil(n_row_panels - panel);
            let (a, lda) = self.rows::<U>(isa, row, rows);
            let is_last = row + rows == self.m;
            let call = Panel {
                a,
                lda,
                from: if self.first.from.is_null() {
                    self.first.from
                } else {
                    self.first.from.wrapping_add(row * self.first.from_lead)
                },
                to: self.first.to.wrapping_add(row * self.first.to_lead),
                next: if is_last { Fetch::NONE } else { self.next(row + rows, rows) },
                ahead: self.first.ahead.part(
                    self.first.ahead.rows * panel / n_row_panels,
                    self.first.ahead.rows * (panel + 1) / n_row_panels,
                ),
                ..self.first
            };
            of_lead::<U>(rows, lda)(isa, call);
            row += rows;
        }
    }

    /// Row panel `row..row + rows` of the left factor and its stride.
    fn rows<U: Unit>(&self, isa: Isa, row: usize, rows: usize) -> (*const f32, usize) {
        match self.a {
            Left::Rows(a, lda) => (a.wrapping_add(row * lda), lda),
            Left::Tensor { source, stride, room, lead } => {
                if let Some(stride) = stride.filter(|stride| stays(source.dtype, *stride)) {
                    return (source.row(row).cast(), stride);
                }
                let panel = Source { offsets: &source.offsets[row..row + rows], ..source };
                let layout = match U::ELEMS {
                    1 => Layout::Rows,
                    2 => Layout::RowPairs,
                    _ => Layout::RowQuads,
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
    dtype == DType::F32 && stride <= LEADS[LEADS.len() - 1]
}
