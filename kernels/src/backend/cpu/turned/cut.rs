//! Columns that need not be computed: those that a band turns to −∞ for every row of a strip, where the operations behind
//! it make nothing of them. A maximum does not see −∞, `exp2` makes it 0, and a sum or a product does not see that.
//!
//! What holds outside of the band is followed through a run of operations. A difference of −∞ and a peak is −∞ unless
//! the peak is −∞ itself, so peaks are proved to be above it: by how they start and are raised.

use std::collections::HashMap;

use super::Cut;
use super::facts::Facts;
use crate::program::{Arg, BinaryFn, Op, ReduceFn, Stage, TileId, UnaryFn};

/// Numbers that leave the lowest finite number as it is when they are added to it: below half its last place.
const NEGLIGIBLE: f32 = 1e30;

/// What a tile's elements outside of the band are.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Outside {
    Anything,
    Lowest,
    Zero,
}

/// The columns that count in a run of operations.
pub(super) fn cut(stage: &Stage, facts: &Facts, ops: &[&Op]) -> Option<Cut> {
    let mut bands = ops.iter().filter_map(|op| match op {
        Op::Band { dst, row_div, low, high, outside: f32::NEG_INFINITY, .. } => {
            Some(Cut { cols: stage.tile(*dst).cols, row_div: *row_div, low: *low, high: *high })
        }
        _ => None,
    });
    let cut = bands.next_back()?;
    let mut follow = Follow { stage, facts, cut, outside: HashMap::new() };
    ops.iter().all(|op| follow.op(op)).then_some(cut)
}

struct Follow<'s> {
    stage: &'s Stage,
    facts: &'s Facts,
    cut: Cut,
    outside: HashMap<TileId, Outside>,
}

impl Follow<'_> {
    fn is_cut(&self, tile: TileId) -> bool {
        self.stage.tile(tile).cols == self.cut.cols && self.stage.tile(tile).rows == self.facts.rows
    }

    fn of(&self, tile: TileId) -> Outside {
        self.outside.get(&tile).copied().unwrap_or(Outside::Anything)
    }

    /// Follows an operation; false where it would see what is left out.
    fn op(&mut self, op: &Op) -> bool {
        let (dst, outside) = match op {
            Op::Load { .. } => return true,
            Op::Store { src, .. } => return !self.is_cut(*src),
            Op::Reduce { f, x, .. } if self.is_cut(*x) => {
                let unseen = if *f == ReduceFn::Max { Outside::Lowest } else { Outside::Zero };
                return self.of(*x) == unseen;
            }
            Op::Mma { a, .. } if self.is_cut(*a) && self.of(*a) != Outside::Zero => return false,
            Op::Mma { acc, .. } => (*acc, Outside::Anything),
            Op::Band { dst, row_div, low, high, outside, .. } => {
                let is_this = (*row_div, *low, *high) == (self.cut.row_div, self.cut.low, self.cut.high);
                let lowest = is_this && *outside == f32::NEG_INFINITY;
                (*dst, if lowest { Outside::Lowest } else { Outside::Anything })
            }
            Op::Unary { dst, f, x: Arg::Tile(x) } => (*dst, self.unary(*f, *x)),
            Op::Binary { dst, f, x: Arg::Tile(x), y } => (*dst, self.binary(*f, *x, *y)),
            Op::Convert { dst, x } => (*dst, self.of(*x)),
            Op::Dequantise { dst, .. }
            | Op::Fill { dst, .. }
            | Op::Unary { dst, .. }
            | Op::Binary { dst, .. }
            | Op::Position { dst, .. }
            | Op::Reduce { dst, .. } => (*dst, Outside::Anything),
            Op::Loop { .. } => unreachable!("a run of operations has no loops"),
        };
        self.outside.insert(dst, outside);
        !self.is_cut(dst) || self.facts.is_local(dst)
    }

    fn unary(&self, f: UnaryFn, x: TileId) -> Outside {
        match (f, self.of(x)) {
            (UnaryFn::Exp2, Outside::Lowest) => Outside::Zero,
            (UnaryFn::Copy, outside) => outside,
            _ => Outside::Anything,
        }
    }

    fn binary(&self, f: BinaryFn, x: TileId, y: Arg) -> Outside {
        let stays = match (f, y) {
            (BinaryFn::Mul | BinaryFn::Div, Arg::Scalar(y)) => y.is_normal() && y > 0.0,
            (BinaryFn::Add | BinaryFn::Sub, Arg::Scalar(y)) => y.is_finite(),
            (BinaryFn::Sub, Arg::Tile(y)) => !self.is_cut(y) && is_above_lowest(self.stage, y),
            _ => false,
        };
        if stays && self.of(x) == Outside::Lowest { Outside::Lowest } else { Outside::Anything }
    }
}

/// Whether no element of a tile is ever −∞.
fn is_above_lowest(stage: &Stage, tile: TileId) -> bool {
    // All computed tiles, less those with a definition that does not follow from the others.
    let mut above = vec![true; stage.tiles.len()];
    while strike(&stage.body, &mut above) {}
    above[tile.0 as usize]
}

/// Strikes out tiles; whether there was one.
fn strike(ops: &[Op], above: &mut [bool]) -> bool {
    let mut struck = false;
    for op in ops {
        let is_above = |x: Arg, above: &[bool]| match x {
            Arg::Tile(x) => above[x.0 as usize],
            Arg::Scalar(x) => x > f32::NEG_INFINITY,
        };
        let (dst, holds) = match op {
            Op::Fill { dst, value } => (*dst, *value > f32::NEG_INFINITY),
            Op::Unary { dst, f: UnaryFn::Exp2 | UnaryFn::Abs, .. } | Op::Position { dst, .. } => (*dst, true),
            Op::Unary { dst, f: UnaryFn::Copy, x } => (*dst, is_above(*x, above)),
            Op::Binary { dst, f: BinaryFn::Max, x, y } => (*dst, is_above(*x, above) || is_above(*y, above)),
            Op::Binary { dst, f: BinaryFn::Add | BinaryFn::Sub, x, y: Arg::Scalar(y) } => {
                (*dst, y.abs() <= NEGLIGIBLE && is_above(*x, above))
            }
            Op::Loop { body, .. } => {
                struck |= strike(body, above);
                continue;
            }
            Op::Store { .. } => continue,
            Op::Load { dst, .. }
            | Op::Mma { acc: dst, .. }
            | Op::Unary { dst, .. }
            | Op::Binary { dst, .. }
            | Op::Reduce { dst, .. }
            | Op::Band { dst, .. }
            | Op::Dequantise { dst, .. }
            | Op::Convert { dst, .. } => (*dst, false),
        };
        if !holds && std::mem::replace(&mut above[dst.0 as usize], false) {
            struck = true;
        }
    }
    struck
}
