//! Runs of elementwise operations regrouped into chains, one tile each.
//!
//! Operations on a tile and on the column vectors that follow from it alternate in a program (softmax: scores, then
//! peaks, then scores). An operation joins an earlier chain where it waits for nothing in between and where its rows need
//! none but the same rows of what the chain has done: not the whole of a reduction, for instance.

use crate::program::{Op, TileId};

/// Operations of one chain, in order.
#[derive(Clone, Debug)]
pub(super) struct Linked<'p> {
    /// The tile that they define or read.
    pub(super) focus: TileId,
    /// In order.
    pub(super) ops: Vec<&'p Op>,
}

/// Chains that do what the operations do, in their order.
pub(super) fn chains<'p>(ops: &[&'p Op]) -> Vec<Linked<'p>> {
    let mut waiting = ops.to_vec();
    let mut chains = Vec::new();
    while let Some(leader) = waiting.first() {
        let focus = focus(leader);
        let (mut taken, mut left): (Vec<&Op>, Vec<&Op>) = (Vec::new(), Vec::new());
        for op in waiting {
            let joins = self::focus(op) == focus
                && left.iter().all(|before| !conflict(before, op))
                && taken.iter().all(|before| by_rows(focus, before, op));
            if joins { taken.push(op) } else { left.push(op) }
        }
        chains.push(Linked { focus, ops: taken });
        waiting = left;
    }
    chains
}

/// Whether the former values of the focus are read.
pub(super) fn loads(linked: &Linked) -> bool {
    let first = linked.ops.iter().find(|op| op.reads().contains(&Some(linked.focus)) || writes(op) == linked.focus);
    first.is_some_and(|op| op.reads().contains(&Some(linked.focus)))
}

/// Whether the focus gets new values.
pub(super) fn changes(linked: &Linked) -> bool {
    linked.ops.iter().any(|op| writes(op) == linked.focus)
}

/// The tile that an operation is about: what it reads where its result has another form, else what it defines.
fn focus(op: &Op) -> TileId {
    match op {
        Op::Reduce { x, .. } | Op::Convert { x, .. } => *x,
        _ => writes(op),
    }
}

/// Whether two operations on the same focus may go row by row together.
fn by_rows(focus: TileId, before: &Op, after: &Op) -> bool {
    let apart = |tile: TileId, op: &Op| tile == focus || writes(op) != tile && !op.reads().contains(&Some(tile));
    apart(writes(before), after) && apart(writes(after), before)
}

fn conflict(before: &Op, after: &Op) -> bool {
    let (first, second) = (writes(before), writes(after));
    after.reads().contains(&Some(first)) || before.reads().contains(&Some(second)) || first == second
}

/// The tile that an elementwise operation defines.
fn writes(op: &Op) -> TileId {
    op.defines().expect("the lowering sends elementwise operations alone")
}
