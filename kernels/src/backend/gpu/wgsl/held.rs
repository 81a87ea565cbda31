//! Accumulators that are held in another form than registers, and brought back into them.
//!
//! A loop that only adds products to an accumulator holds it in that form from before the loop until after it. What was
//! in the registers before stays there, and what was held is added.

use std::collections::BTreeSet;

use super::emit::Emit;
use super::method::{Method, Mma};
use crate::backend::Unsupported;
use crate::program::{Arg, Op, TileId};

/// An accumulator that is held in another form; names of what holds it start with `stem`.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) method: Method,
    pub(super) stem: String,
}

impl Emit<'_> {
    /// How a product is computed.
    pub(super) fn method(&self, mma: Mma) -> Method {
        let known = self.plan.methods.iter().find(|(product, _)| *product == mma);
        known.expect("the plan knows every product").1
    }

    /// Accumulators to which the loop only adds products of one method other than `Owned`.
    pub(super) fn holdable(&self, body: &[Op]) -> Vec<(TileId, Method)> {
        let (mut products, mut others) = (vec![], BTreeSet::new());
        touches(body, &mut products, &mut others);
        let mut found: Vec<(TileId, Method)> = vec![];
        for p in &products {
            let method = self.method(*p);
            let same = products.iter().filter(|q| q.acc == p.acc).all(|q| self.method(*q) == method);
            let new = !self.held.contains_key(&p.acc) && !found.iter().any(|(acc, _)| *acc == p.acc);
            if method != Method::Owned && same && new && !others.contains(&p.acc) {
                found.push((p.acc, method));
            }
        }
        found
    }

    /// Starts holding an accumulator: from here on, zero.
    pub(super) fn hold(&mut self, acc: TileId, method: Method) {
        let stem = self.fresh("p");
        match &method {
            Method::Owned => return,
            Method::Streamed(streamed) => self.start_partials(acc, streamed, &stem),
            Method::Fragments(fragments) => self.start_fragments(fragments, &stem),
        }
        self.held.insert(acc, Held { method, stem });
    }

    /// Adds what was held to the accumulator's registers.
    pub(super) fn settle(&mut self, acc: TileId) -> Result<(), Unsupported> {
        let Some(Held { method, stem }) = self.held.remove(&acc) else { return Ok(()) };
        match method {
            Method::Owned => Ok(()),
            Method::Streamed(streamed) => self.add_partials(acc, &streamed, &stem),
            Method::Fragments(fragments) => self.add_fragments(acc, &fragments, &stem),
        }
    }
}

/// Products of a body, and every tile that anything else touches.
pub(super) fn touches(ops: &[Op], products: &mut Vec<Mma>, others: &mut BTreeSet<TileId>) {
    let arg = |x: &Arg, others: &mut BTreeSet<TileId>| {
        if let Arg::Tile(tile) = x {
            others.insert(*tile);
        }
    };
    for op in ops {
        match op {
            Op::Mma { acc, a, b, form } => {
                products.push(Mma { acc: *acc, a: *a, b: *b, form: *form });
                others.extend([*a, *b]);
            }
            Op::Loop { body, .. } => touches(body, products, others),
            Op::Load { dst, .. } | Op::Fill { dst, .. } | Op::Position { dst, .. } => {
                others.insert(*dst);
            }
            Op::Store { src, .. } => {
                others.insert(*src);
            }
            Op::Unary { dst, x, .. } => {
                others.insert(*dst);
                arg(x, others);
            }
            Op::Binary { dst, x, y, .. } => {
                others.insert(*dst);
                arg(x, others);
                arg(y, others);
            }
            Op::Dequantise { dst, x, scale } => others.extend([*dst, *x, *scale]),
            Op::Reduce { dst, x, .. } | Op::Band { dst, x, .. } | Op::Convert { dst, x } => {
                others.extend([*dst, *x]);
            }
        }
    }
}
