//! How far tiles reach: the values of each variable, and the rows and columns that loads and stores touch.

use crate::backend::Unsupported;
use crate::program::{Bound, Index, Op, Program, Stage, TensorId, TileId};

/// Ends of what is touched, for the program as a whole.
pub(super) struct Reach {
    /// Values of each variable, ends included, a stage each; empty for a loop that never runs.
    ranges: Vec<Vec<(i64, i64)>>,
    /// Rows and columns of each tensor.
    tensors: Vec<(usize, usize)>,
}

impl Reach {
    /// # Errors
    /// A position does not fit a 32-bit integer.
    pub(super) fn of(program: &Program) -> Result<Reach, Unsupported> {
        let tensors = program.tensors().iter().map(|tensor| (tensor.n_rows(), tensor.cols)).collect();
        let mut reach = Reach { ranges: Vec::new(), tensors };
        for stage in program.stages() {
            let mut ranges = vec![(0, 0); stage.n_vars];
            for (range, axis) in ranges.iter_mut().zip(&stage.grid) {
                *range = (0, axis.extent as i64 - 1);
            }
            reach.ops(stage, &stage.body, &mut ranges)?;
            reach.ranges.push(ranges);
        }
        Ok(reach)
    }

    /// Values of each variable of a stage.
    pub(super) fn ranges(&self, stage: usize) -> &[(i64, i64)] {
        &self.ranges[stage]
    }

    /// Rows and columns of a tensor that exist or are touched.
    pub(super) fn of_tensor(&self, id: TensorId) -> (usize, usize) {
        self.tensors[id.0 as usize]
    }

    fn ops(&mut self, stage: &Stage, ops: &[Op], ranges: &mut [(i64, i64)]) -> Result<(), Unsupported> {
        for op in ops {
            match op {
                Op::Load { dst: tile, tensor, .. } | Op::Store { src: tile, tensor, .. } => {
                    self.touch(stage, *tile, *tensor, ranges)?;
                }
                Op::Loop { var, low, high, body } => {
                    let range = (ends(low, ranges).0, ends(high, ranges).1 - 1);
                    ranges[var.0 as usize] = range;
                    if range.0 <= range.1 {
                        self.ops(stage, body, ranges)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn touch(&mut self, stage: &Stage, tile: TileId, id: TensorId, ranges: &[(i64, i64)]) -> Result<(), Unsupported> {
        let ty = stage.tile(tile);
        let end = |start: &Index, size: usize| {
            let last = start.range(ranges).and_then(|(_, high)| high.checked_add(size as i64));
            let fits = last.filter(|last| *last <= i64::from(i32::MAX));
            fits.map(|last| last as usize).ok_or_else(|| Unsupported {
                what: "positions of a tile".into(),
                asked: format!("{start} and {size} more"),
                limit: i32::MAX.to_string(),
            })
        };
        let (rows, cols) = (end(&ty.rows.start, ty.rows.size)?, end(&ty.cols.start, ty.cols.size)?);
        let own = &mut self.tensors[id.0 as usize];
        *own = (own.0.max(rows), own.1.max(cols));
        Ok(())
    }
}

/// Least value of the greatest lower end, and greatest value of the least upper end.
fn ends(bounds: &[Bound], ranges: &[(i64, i64)]) -> (i64, i64) {
    let each = bounds.iter().filter_map(|bound| bound.range(ranges));
    each.fold((i64::MIN, i64::MAX), |(low, high), (least, greatest)| (low.max(least), high.min(greatest)))
}
