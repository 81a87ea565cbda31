//! Which operations define and read which tiles.

use crate::program::{Form, Op, Span, Stage, TileId, TileType};

/// Calls `each` with every operation, those of loops after their loop.
pub(super) fn each_op<'o>(ops: &'o [Op], each: &mut impl FnMut(&'o Op)) {
    for op in ops {
        each(op);
        if let Op::Loop { body, .. } = op {
            each_op(body, each);
        }
    }
}

/// The tiles that the operation itself reads, accumulators not among them.
pub(super) fn sources(op: &Op) -> Vec<TileId> {
    let acc = if let Op::Mma { acc, .. } = op { Some(*acc) } else { None };
    // The verifier lets no accumulator be a factor too.
    op.reads().into_iter().flatten().filter(|tile| Some(*tile) != acc).collect()
}

/// Whether the operation, or one of its body, touches a tile.
pub(super) fn mentions(op: &Op, tile: TileId) -> bool {
    let mut found = false;
    each_op(std::slice::from_ref(op), &mut |op| found |= op.defines() == Some(tile) || sources(op).contains(&tile));
    found
}

/// Whether the operation gives a tile a new value without adding to the old one.
pub(super) fn defines(op: &Op, tile: TileId) -> bool {
    op.defines() == Some(tile) && !matches!(op, Op::Mma { .. })
}

/// The tiles that operations and their bodies give new values.
pub(super) fn defined_in(ops: &[Op]) -> Vec<TileId> {
    let mut tiles = Vec::new();
    each_op(ops, &mut |op| tiles.extend(op.defines()));
    tiles
}

/// The tiles that a list of operations needs turned and does not define: right and left factors by their form.
pub(super) fn turned_factors(op: &Op) -> Vec<TileId> {
    match op {
        Op::Mma { a, form: Form::Ab, .. } => vec![*a],
        Op::Mma { a, b, form: Form::Abt, .. } => vec![*a, *b],
        Op::Loop { body, .. } => {
            let defined = defined_in(body);
            let inside = body.iter().flat_map(turned_factors);
            inside.filter(|tile| !defined.contains(tile)).collect()
        }
        _ => vec![],
    }
}

/// Whether a loop does nothing with a tile but add products to it.
pub(super) fn only_adds(body: &[Op], tile: TileId) -> bool {
    let (mut adds, mut others) = (false, false);
    each_op(body, &mut |op| match op {
        Op::Mma { acc, .. } if *acc == tile => adds = true,
        _ => others |= op.defines() == Some(tile) || sources(op).contains(&tile),
    });
    adds && !others
}

/// Accumulators that a loop only adds to.
pub(super) fn accumulators(body: &[Op]) -> Vec<TileId> {
    let mut tiles = Vec::new();
    each_op(body, &mut |op| {
        if let Op::Mma { acc, .. } = op
            && !tiles.contains(acc)
            && only_adds(body, *acc)
        {
            tiles.push(*acc);
        }
    });
    tiles
}

/// Whether the next operation that touches a tile adds a product to it, or is a loop that only does so.
pub(super) fn next_is_product(rest: &[Op], tile: TileId) -> bool {
    match rest.iter().find(|op| mentions(op, tile)) {
        Some(Op::Mma { acc, a, b, .. }) => *acc == tile && *a != tile && *b != tile,
        Some(Op::Loop { body, .. }) => only_adds(body, tile),
        _ => false,
    }
}

/// Whether an operation reads a tile element by element, once, and can do so in PSUM.
pub(super) fn reads_once_from_psum(op: &Op, tile: TileId) -> bool {
    let elementwise =
        matches!(op, Op::Unary { .. } | Op::Binary { .. } | Op::Convert { .. } | Op::Store { .. } | Op::Reduce { .. });
    elementwise && sources(op).iter().filter(|source| **source == tile).count() == 1
}

/// The tiles whose size says whether an operation has anything to do.
pub(super) fn extents(op: &Op) -> Vec<TileId> {
    match op {
        Op::Mma { acc, a, .. } => vec![*acc, *a],
        Op::Store { src, .. } => vec![*src],
        Op::Loop { .. } => vec![],
        // The identity is written where there is nothing to reduce.
        _ => op.defines().into_iter().collect(),
    }
}

/// Tiles of one row that must be held on every partition: those combined with tiles of more rows, and what those are
/// computed from.
pub(super) fn spread(stage: &Stage, types: &[TileType]) -> Vec<bool> {
    let one_row = |tile: TileId| types[tile.0 as usize].rows == Span::ONE;
    let mut spread = vec![false; types.len()];
    loop {
        let before = spread.clone();
        each_op(&stage.body, &mut |op| {
            let Some(dst) = op.defines() else { return };
            let combined = matches!(op, Op::Unary { .. } | Op::Binary { .. }) && !one_row(dst);
            if !combined && !spread[dst.0 as usize] {
                return;
            }
            let read = if let Op::Mma { a, .. } = op { vec![*a] } else { sources(op) };
            read.into_iter().filter(|tile| one_row(*tile)).for_each(|tile| spread[tile.0 as usize] = true);
        });
        if spread == before {
            return spread;
        }
    }
}
