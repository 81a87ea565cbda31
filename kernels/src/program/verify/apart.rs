//! Whether points of a grid store to different places.

use super::super::tensor::Stretch;
use super::super::{Index, Var};
use super::Walk;

impl Walk<'_> {
    /// Whether points that differ along a grid axis store to different positions of one axis, whatever else differs: a step
    /// along it exceeds the tile and all that other variables may move it by, or each has a stretch of its own.
    pub(super) fn apart(&self, var: Var, start: &Index, size: usize, end: Option<Var>) -> bool {
        let others = || start.terms().filter(|(v, _)| *v != var);
        let along = |stretch: &&Stretch| stretch.at.coefficient(var) != 0;
        let stretches = &self.stage.stretches;
        if let Some(own) = stretches.iter().filter(along).find(|stretch| Some(stretch.end) == end) {
            // The tile lies behind the first position, and nothing of it behind the end.
            let behind = others().all(|(v, c)| v == own.first || c > 0);
            return behind && start.coefficient(own.first) == 1 && start.coefficient(var) >= 0 && start.base() >= 0;
        }
        let moved = others().try_fold(size as i64, |moved, (v, c)| {
            // A stretch along another axis is another one only where that axis keeps points apart.
            if stretches.iter().any(|stretch| stretch.first == v && !along(&stretch)) {
                return Some(moved);
            }
            let (low, high) = self.ranges.get(v.0 as usize).copied().flatten()?;
            moved.checked_add((high - low).checked_mul(c.checked_abs()?)?)
        });
        moved.is_some_and(|moved| start.coefficient(var) >= moved)
    }
}
