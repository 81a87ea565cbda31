//! Which loads give the same tile to several grid points, and for how long.

use super::plan::{Memo, Place};
use crate::program::{Index, Op, Stage, Stretch, Var};

/// The memo of a load that several grid points share, for copies of `units`; `None` where each point has its own.
pub(super) fn of_load(stage: &Stage, place: &Place, units: usize) -> Option<Memo> {
    if is_of_stretch(stage, place) {
        return None;
    }
    let depends = |var: Var| depends(place, var);
    // An axis of one point neither depends nor repeats.
    let is_shared = |axis: usize| !depends(Var(axis as u32)) || stage.grid[axis].extent == 1;
    let shared_by: usize = (0..stage.grid.len()).filter(|a| is_shared(*a)).map(|a| stage.grid[a].extent).product();
    if shared_by < 2 {
        return None;
    }
    let n_points: usize = stage.grid.iter().map(|axis| axis.extent).product();
    // The innermost axes along which it repeats: where no outer one does, a copy is over with them.
    let inner = stage.grid.len() - (0..stage.grid.len()).rev().take_while(|a| is_shared(*a)).count();
    let turn_points: usize = stage.grid[inner..].iter().map(|axis| axis.extent).product();
    let (turn_points, first_var) =
        if turn_points == shared_by { (turn_points, stage.grid.len()) } else { (n_points, 0) };
    let mut key = Vec::new();
    let mut entries = 1usize;
    for (var, (low, high)) in ranges(stage).iter().enumerate().skip(first_var) {
        if depends(Var(var as u32)) {
            key.push((var, *low, entries));
            entries = entries.checked_mul((high - low + 1).max(1) as usize)?;
        }
    }
    Some(Memo { turn_points, n_turns: n_points / turn_points, key, entries, units })
}

/// Whether a place lies in a stretch of an axis: where that is, the table of a launch says.
pub(super) fn is_of_stretch(stage: &Stage, place: &Place) -> bool {
    let moves = |stretch: &Stretch| depends(place, stretch.first) || depends(place, stretch.end);
    place.rows.end.or(place.cols.end).is_some() || stage.stretches.iter().any(moves)
}

/// Whether a place moves with a variable.
pub(super) fn depends(place: &Place, var: Var) -> bool {
    let coordinates = place.lead.iter().chain([&place.rows.start, &place.cols.start]);
    coordinates.map(|index: &Index| index.coefficient(var)).any(|c| c != 0)
}

/// Least and greatest value of each variable.
pub(super) fn ranges(stage: &Stage) -> Vec<(i64, i64)> {
    let mut ranges = stage.ranges();
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

#[cfg(test)]
mod tests {
    use super::super::cache::Caches;
    use super::super::isa::Isa;
    use super::super::lower::lower;
    use crate::DType;
    use crate::problem::{Layout, MatmulProblem, MatmulSizes};
    use crate::tile::MatmulTiling;

    #[test]
    fn copies_that_neighbours_alone_repeat_take_turns() {
        let (input, output, layout) = (DType::F32, DType::F32, Layout::Nk);
        let sizes = MatmulSizes { batch: 2, m: 60, n: 90, k: 50, input, output, layout };
        let problem = MatmulProblem::new(sizes).expect("good sizes");
        let isa = *Isa::available().last().expect("every CPU has one");
        // Per product 3 tiles of columns, outermost, by 2 of rows; 5 steps.
        let plan =
            lower(&crate::matmul(&problem, &MatmulTiling { bm: 30, bn: 30, bk: 10, k_splits: 1 }), isa, Caches::read());
        let seen: Vec<_> =
            plan.stages[0].memos.iter().map(|m| (m.turn_points, m.n_turns, m.entries, m.open_turns(1))).collect();
        // `a` stays where it is; of `b` 5 steps are over after 2 points.
        assert_eq!(seen, [(2, 6, 5, 1)]);
        assert_eq!(plan.stages[0].memos[0].open_turns(4), 3);
    }
}
