//! Accumulators that are held in another form than registers, and brought back into them.
//!
//! A loop that only adds products to an accumulator holds it in that form from before the loop until after it. What was
//! in the registers before stays there, and what was held is added.
//!
//! Fragments may also be multiplied by a column, a factor a row (`fade`): then they start from what is in the registers.

use std::collections::BTreeSet;

use super::emit::Emit;
use super::method::{Method, Mma};
use crate::backend::Unsupported;
use crate::program::{Arg, BinaryFn, Op, Stage, TileId};

/// An accumulator that is held in another form; names of what holds it start with `stem`.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) method: Method,
    pub(super) stem: String,
    /// Whether its rows are multiplied by something while it is held.
    pub(super) fades: bool,
}

impl Emit<'_> {
    /// How a product is computed.
    pub(super) fn method(&self, mma: Mma) -> Method {
        let known = self.plan.methods.iter().find(|(product, _)| *product == mma);
        known.expect("the plan knows every product").1
    }

    /// Accumulators to which the loop only adds products of one method other than `Owned`, and whether their rows are
    /// multiplied, too.
    pub(super) fn holdable(&self, body: &[Op]) -> Vec<(TileId, Method, bool)> {
        let touched = Touched::by(self.stage, body);
        let mut found: Vec<(TileId, Method, bool)> = vec![];
        for p in &touched.products {
            let method = self.method(*p);
            let same = touched.products.iter().filter(|q| q.acc == p.acc).all(|q| self.method(*q) == method);
            let new = !self.held.contains_key(&p.acc) && !found.iter().any(|(acc, ..)| *acc == p.acc);
            let fades = touched.faded.contains(&p.acc);
            let suits = method != Method::Owned && (!fades || matches!(method, Method::Fragments(_)));
            if suits && same && new && !touched.others.contains(&p.acc) {
                found.push((p.acc, method, fades));
            }
        }
        found
    }

    /// Starts holding an accumulator: from here on, zero, or what is in its registers where its rows are multiplied, too.
    ///
    /// # Errors
    /// Workgroup memory has no room.
    pub(super) fn hold(&mut self, acc: TileId, method: Method, fades: bool) -> Result<(), Unsupported> {
        let stem = self.fresh("p");
        match &method {
            Method::Owned => return Ok(()),
            Method::Streamed(streamed) => self.start_partials(acc, streamed, &stem),
            Method::Fragments(fragments) => self.start_fragments(fragments, &stem),
        }
        if let (true, Method::Fragments(fragments)) = (fades, &method) {
            self.start_fading(acc, fragments, &stem)?;
        }
        self.held.insert(acc, Held { method, stem, fades });
        Ok(())
    }

    /// Brings what was held into the accumulator's registers.
    ///
    /// # Errors
    /// Workgroup memory has no room.
    pub(super) fn settle(&mut self, acc: TileId) -> Result<(), Unsupported> {
        let Some(Held { method, stem, fades }) = self.held.remove(&acc) else { return Ok(()) };
        match method {
            Method::Owned => Ok(()),
            Method::Streamed(streamed) => self.add_partials(acc, &streamed, &stem),
            Method::Fragments(fragments) => {
                let assignment = if fades { "=" } else { "+=" };
                self.fragments_into_registers(acc, &fragments, &stem, assignment)
            }
        }
    }
}

/// What a body does to tiles.
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub(super) products: Vec<Mma>,
    /// Tiles whose rows are multiplied by a column.
    faded: BTreeSet<TileId>,
    /// Tiles that are read or written in any other way.
    others: BTreeSet<TileId>,
}

impl Touched {
    pub(super) fn by(stage: &Stage, ops: &[Op]) -> Touched {
        let mut touched = Touched::default();
        touched.walk(stage, ops);
        touched
    }

    fn walk(&mut self, stage: &Stage, ops: &[Op]) {
        for op in ops {
            if let Some((tile, column)) = fade(stage, op) {
                self.faded.insert(tile);
                self.others.insert(column);
                continue;
            }
            match op {
                Op::Mma { acc, a, b, form } => {
                    self.products.push(Mma { acc: *acc, a: *a, b: *b, form: *form });
                    self.others.extend([*a, *b]);
                }
                Op::Loop { body, .. } => self.walk(stage, body),
                op => self.others.extend(op.reads().into_iter().flatten().chain(op.defines())),
            }
        }
    }
}

/// A tile whose rows an operation multiplies by a column, and that column.
pub(super) fn fade(stage: &Stage, op: &Op) -> Option<(TileId, TileId)> {
    match op {
        Op::Binary { dst, f: BinaryFn::Mul, x: Arg::Tile(x), y: Arg::Tile(y) }
            if dst == x && stage.tile(*x).cols.size > 1 && stage.tile(*y).cols.size == 1 && y != dst =>
        {
            let same_rows = stage.tile(*x).rows == stage.tile(*y).rows;
            same_rows.then_some((*dst, *y))
        }
        _ => None,
    }
}
