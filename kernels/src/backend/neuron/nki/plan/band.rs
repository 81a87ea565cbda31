//! Bands: masks by position.

use super::Planner;
use crate::backend::Unsupported;
use crate::backend::neuron::nki::step::{Band, Operand, Step};
use crate::program::{TileId, TileType};

impl Planner<'_> {
    pub(super) fn band(
        &mut self,
        dst: TileId,
        x: TileId,
        (row_div, low, high): (i64, Option<i64>, Option<i64>),
        outside: f32,
    ) -> Result<(), Unsupported> {
        let ty = self.types[dst.0 as usize];
        within_i32(&ty, row_div, [low, high])?;
        let from = self.read(x);
        let to = self.define(dst);
        if from != to {
            self.steps.push(Step::Copy { to, from: Operand::Tile(from) });
        }
        let (rows, cols) = (self.scope.affine(&ty.rows.start), self.scope.affine(&ty.cols.start));
        let spread = !self.spread[dst.0 as usize];
        let band = |low, high| Band { rows: rows.clone(), spread, cols: cols.clone(), row_div, low, high, outside };
        if high.is_some() {
            self.steps.push(Step::Select { to, band: band(None, high) });
        }
        if low.is_some() {
            self.steps.push(Step::Select { to, band: band(low, None) });
        }
        Ok(())
    }
}

/// Whether positions of a band stay within the 32 bits in which the engine computes them.
fn within_i32(ty: &TileType, row_div: i64, limits: [Option<i64>; 2]) -> Result<(), Unsupported> {
    let reach = limits.into_iter().flatten().map(|limit| limit.unsigned_abs()).max().unwrap_or(0);
    let greatest = (ty.cols.len as u64)
        .checked_add(reach)
        .and_then(|n| n.checked_mul(row_div as u64))
        .and_then(|n| n.checked_add(ty.rows.len as u64 + row_div as u64));
    match greatest {
        Some(n) if n < 1 << 31 => Ok(()),
        _ => Err(Unsupported {
            what: "positions of a mask".into(),
            asked: format!("{} rows by {} columns, {row_div} rows a position", ty.rows.len, ty.cols.len),
            limit: "2^31, in which the engine counts".into(),
        }),
    }
}
