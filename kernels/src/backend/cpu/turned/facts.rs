//! What a stage does with each tile, and whether it can be worked on transposed.

use std::collections::HashMap;

use crate::backend::cpu::uses::STREAM_ROWS;
use crate::program::{Arg, Axis2, Form, Op, Span, Stage, TileId};

/// What is done with one tile.
#[derive(Clone, Debug, Default)]
pub(super) struct Fact {
    n_loads: usize,
    /// Defined by something other than a load.
    pub(super) computed: bool,
    /// Read by arithmetic, a reduction or a store, or added to by a product.
    pub(super) elementwise: bool,
    /// The left factor of some product.
    pub(super) left: bool,
    /// The right factor of some product: read along its rows, and down its columns.
    pub(super) right: [bool; 2],
    /// The one run of operations that uses it; none where several do.
    segment: Option<usize>,
    seen: bool,
    positions_of_columns: bool,
}

impl Fact {
    pub(super) fn is_right(&self) -> bool {
        self.right[0] || self.right[1]
    }

    pub(super) fn is_loaded(&self) -> bool {
        self.n_loads > 0
    }
}

/// Facts of a stage that can be transposed.
#[derive(Debug)]
pub(super) struct Facts {
    /// The rows that run along lanes.
    pub(super) rows: Span,
    tiles: HashMap<TileId, Fact>,
}

impl Facts {
    pub(super) fn of(&self, tile: TileId) -> &Fact {
        &self.tiles[&tile]
    }

    /// Whether one run of operations alone uses a computed tile, so that each strip may use its room again.
    pub(super) fn is_local(&self, tile: TileId) -> bool {
        let fact = self.of(tile);
        fact.segment.is_some() && !fact.is_loaded()
    }
}

/// The facts of a stage, or `None` where it is not worked on transposed: products do not feed each other, the rows are
/// few or leave more than a third of the lanes idle, a tile has other rows, or there are integers.
pub(super) fn facts(stage: &Stage, lanes: usize) -> Option<Facts> {
    let mut walk = Walk { stage, rows: None, chained: false, fits: true, tiles: HashMap::new(), n_segments: 0 };
    walk.ops(&stage.body);
    walk.fits &= walk.tiles.keys().all(|tile| !stage.tile(*tile).dtype.is_integer());
    let rows = walk.rows.filter(|_| walk.fits && walk.chained)?;
    let padded = rows.size.next_multiple_of(2 * lanes);
    if rows.size <= STREAM_ROWS || 2 * padded > 3 * rows.size {
        return None;
    }
    let facts = Facts { rows, tiles: walk.tiles };
    facts.tiles.iter().all(|(tile, fact)| has_a_form(stage, rows, *tile, fact)).then_some(facts)
}

fn has_a_form(stage: &Stage, rows: Span, tile: TileId, fact: &Fact) -> bool {
    let ty = stage.tile(tile);
    let loaded_once = fact.n_loads == 1 && !fact.computed;
    if fact.is_right() {
        return loaded_once && !fact.elementwise && !fact.left;
    }
    if ty.rows == rows {
        return (loaded_once || fact.n_loads == 0) && !fact.positions_of_columns;
    }
    // A row vector is read, never computed.
    ty.rows == Span::ONE && !fact.left && (loaded_once || fact.positions_of_columns && fact.n_loads == 0)
}

struct Walk<'s> {
    stage: &'s Stage,
    rows: Option<Span>,
    chained: bool,
    fits: bool,
    tiles: HashMap<TileId, Fact>,
    n_segments: usize,
}

impl Walk<'_> {
    fn ops(&mut self, ops: &[Op]) {
        let mut segment = self.next_segment();
        for op in ops {
            if let Op::Loop { body, .. } = op {
                self.ops(body);
                segment = self.next_segment();
            } else {
                self.op(op, segment);
            }
        }
    }

    fn next_segment(&mut self) -> usize {
        self.n_segments += 1;
        self.n_segments
    }

    /// Notes that a run of operations uses a tile.
    fn at(&mut self, tile: TileId, segment: usize) -> &mut Fact {
        let fact = self.tiles.entry(tile).or_default();
        if !std::mem::replace(&mut fact.seen, true) {
            fact.segment = Some(segment);
        } else if fact.segment != Some(segment) {
            fact.segment = None;
        }
        fact
    }

    fn op(&mut self, op: &Op, segment: usize) {
        match op {
            Op::Load { dst, .. } => self.at(*dst, segment).n_loads += 1,
            Op::Store { src, .. } => self.read(*src, segment, self.stage.tile(*src).rows),
            Op::Mma { acc, a, b, form } => self.mma([*acc, *a, *b], *form, segment),
            Op::Reduce { dst, x, .. } | Op::Band { dst, x, .. } | Op::Convert { dst, x } => {
                self.read(*x, segment, self.stage.tile(*dst).rows);
                self.define(*dst, segment);
            }
            Op::Fill { dst, .. } | Op::Position { dst, axis: Axis2::Rows } => self.define(*dst, segment),
            Op::Position { dst, axis: Axis2::Cols } => self.at(*dst, segment).positions_of_columns = true,
            Op::Unary { dst, x, .. } => {
                self.argument(*x, *dst, segment);
                self.define(*dst, segment);
            }
            Op::Binary { dst, x, y, .. } => {
                self.argument(*x, *dst, segment);
                self.argument(*y, *dst, segment);
                self.define(*dst, segment);
            }
            Op::Dequantise { .. } => self.fits = false,
            Op::Loop { .. } => unreachable!("`ops` walks loops"),
        }
    }

    fn define(&mut self, tile: TileId, segment: usize) {
        self.at(tile, segment).computed = true;
        self.same_rows(self.stage.tile(tile).rows);
    }

    fn read(&mut self, tile: TileId, segment: usize, rows: Span) {
        self.at(tile, segment).elementwise = true;
        self.same_rows(rows);
    }

    fn argument(&mut self, arg: Arg, dst: TileId, segment: usize) {
        let Arg::Tile(tile) = arg else { return };
        self.at(tile, segment).elementwise = true;
        // Of a row vector only one as long as the result is a number for each of its columns.
        let (ty, dst) = (self.stage.tile(tile), self.stage.tile(dst));
        self.fits &= ty.rows == dst.rows || ty.cols == dst.cols;
    }

    fn mma(&mut self, [acc, a, b]: [TileId; 3], form: Form, segment: usize) {
        let rows = *self.rows.get_or_insert(self.stage.tile(acc).rows);
        let added_to = self.at(acc, segment);
        (added_to.computed, added_to.elementwise) = (true, true);
        self.at(a, segment).left = true;
        self.at(b, segment).right[usize::from(form == Form::Ab)] = true;
        self.chained |= self.tiles[&a].computed;
        self.same_rows(rows);
        self.same_rows(self.stage.tile(acc).rows);
    }

    fn same_rows(&mut self, rows: Span) {
        let first = *self.rows.get_or_insert(rows);
        self.fits &= first == rows;
    }
}
