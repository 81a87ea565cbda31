//! Which loads give the same tile to several grid points.

use super::plan::Place;
use crate::program::{Index, Op, Stage, Var};

/// How an entry is found from the variables, and how many there are.
type Key = (Vec<(usize, i64, usize)>, usize);

/// The key of a load that several grid points share; `None` where each point has its own.
pub(super) fn reused(stage: &Stage, place: &Place) -> Option<Key> {
    let depends = |var: Var| {
        let coordinates = place.lead.iter().chain([&place.rows.start, &place.cols.start]);
        coordinates.map(|index: &Index| index.coefficient(var)).any(|c| c != 0)
    };
    let shared_by: usize =
        stage.grid.iter().enumerate().filter(|(i, _)| !depends(Var(*i as u32))).map(|(_, axis)| axis.extent).product();
    if shared_by < 2 {
        return None;
    }
    let ranges = ranges(stage);
    let mut key = Vec::new();
    let mut entries = 1usize;
    for (var, (low, high)) in ranges.iter().enumerate().filter(|(v, _)| depends(Var(*v as u32))) {
        key.push((var, *low, entries));
        entries = entries.checked_mul((high - low + 1).max(1) as usize)?;
    }
    Some((key, entries))
}

/// Least and greatest value of each variable.
fn ranges(stage: &Stage) -> Vec<(i64, i64)> {
    let mut ranges = vec![(0, 0); stage.n_vars];
    for (range, axis) in ranges.iter_mut().zip(&stage.grid) {
        *range = (0, axis.extent as i64 - 1);
    }
    loops(&stage.body, &mut ranges);
    ranges
}

fn loops(ops: &[Op], ranges: &mut [(i64, i64)]) {
    for op in ops {
        let Op::Loop { var, low, high, body } = op else { continue };
        // The verifier has evaluated these already: they do not overflow, and each list has an entry.
        let lowest = low.iter().filter_map(|b| b.range(ranges)).map(|r| r.0).max().unwrap_or(0);
        let highest = high.iter().filter_map(|b| b.range(ranges)).map(|r| r.1).min().unwrap_or(0);
        ranges[var.0 as usize] = (lowest, (highest - 1).max(lowest));
        loops(body, ranges);
    }
}
