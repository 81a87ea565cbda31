//! Regroups runs of elementwise operations.
//!
//! Operations on wide tiles and on column vectors alternate in a program (softmax: scores, then peaks, then scores);
//! taken in program order each would be a group of its own. Operations may trade places where neither reads or writes
//! what the other writes; so each round takes all wide operations that wait for nothing, then all column vectors.

use super::plan::{Slot, SlotId, Step};
use super::rows::{Group, RowArg, RowFn, RowOp};
use crate::program::{Axis2, Span};

/// Groups of operations, each over the same rows, in an order that gives the same results.
pub(super) fn groups(mut waiting: Vec<(Span, RowOp)>, slots: &[Slot]) -> Vec<Step> {
    let mut steps = Vec::new();
    while !waiting.is_empty() {
        // A wide group first where one is ready: what it reduces feeds the column vectors behind it.
        let ready: Vec<usize> = (0..waiting.len()).filter(|i| is_ready(&waiting, *i, &[])).collect();
        let leader = ready.iter().copied().find(|i| !runs_down(&waiting[*i].1, slots)).unwrap_or(ready[0]);
        let (rows, down) = (waiting[leader].0, runs_down(&waiting[leader].1, slots));
        let mut taken: Vec<usize> = Vec::new();
        for i in 0..waiting.len() {
            let (its_rows, op) = &waiting[i];
            if *its_rows == rows && runs_down(op, slots) == down && is_ready(&waiting, i, &taken) {
                taken.push(i);
            }
        }
        let ops = taken.iter().map(|i| waiting[*i].1).collect();
        steps.push(Step::Rows(Group { rows, down, ops }));
        let mut index = 0;
        waiting.retain(|_| {
            index += 1;
            !taken.contains(&(index - 1))
        });
    }
    steps
}

/// Whether an operation depends on none before it but those taken.
fn is_ready(waiting: &[(Span, RowOp)], i: usize, taken: &[usize]) -> bool {
    (0..i).all(|before| taken.contains(&before) || !conflict(&waiting[before].1, &waiting[i].1))
}

fn conflict(before: &RowOp, after: &RowOp) -> bool {
    reads(after).contains(&Some(before.dst)) || reads(before).contains(&Some(after.dst)) || before.dst == after.dst
}

fn reads(op: &RowOp) -> [Option<SlotId>; 2] {
    match op.f {
        RowFn::Fill(_) | RowFn::Position(_) => [None, None],
        RowFn::Unary(_, x) => [x.slot(), None],
        RowFn::Binary(_, x, y) => [x.slot(), y.slot()],
        RowFn::Dequantise { bytes, scale } => [Some(bytes), Some(scale)],
        RowFn::Reduce(_, x) | RowFn::Band { x, .. } | RowFn::Round(_, x) => [Some(x), None],
        RowFn::Pairs(x) | RowFn::FromInteger(x) => [Some(x), None],
    }
}

/// Whether an operation works on dense column vectors alone, all rows at once.
fn runs_down(op: &RowOp, slots: &[Slot]) -> bool {
    let dense = |slot: SlotId| slots[slot.0].lead == 1;
    let arg = |x: RowArg| match x {
        RowArg::Scalar(_) | RowArg::One(_) => true,
        RowArg::Each(slot) => dense(slot),
        RowArg::PerRow(_) | RowArg::PerCol(_) => false,
    };
    dense(op.dst)
        && match op.f {
            RowFn::Fill(_) | RowFn::Position(Axis2::Rows) => true,
            RowFn::Unary(_, x) => arg(x),
            RowFn::Binary(_, x, y) => arg(x) && arg(y),
            RowFn::Position(Axis2::Cols)
            | RowFn::Reduce(..)
            | RowFn::Band { .. }
            | RowFn::Round(..)
            | RowFn::Pairs(_)
            | RowFn::FromInteger(_)
            | RowFn::Dequantise { .. } => false,
        }
}
