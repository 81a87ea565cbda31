//! A stage to steps over transposed tiles, from the operations alone.

use std::collections::HashMap;

use super::cut::cut;
use super::facts::{Facts, facts};
use super::links::{self, Linked};
use super::{Argument, Broadcast, Chain, Held, Link, Product, StripOp, Strips};
use crate::DType;
use crate::backend::cpu::isa::Isa;
use crate::backend::cpu::memo;
use crate::backend::cpu::microkernel::lead;
use crate::backend::cpu::pack::Layout;
use crate::backend::cpu::plan::{Place, SlotId, StagePlan, Step, Target};
use crate::backend::cpu::unit::Units;
use crate::program::{Arg, Axis2, Form, Index, Op, Program, Stage, TensorId, TileId};

/// Units of a cache line, and of a row of a tile.
const LINE_UNITS: usize = 16;

/// Lowers a stage whose products feed each other, over more rows than are streamed; `None` leaves it as it is written.
/// With the plan comes whether products are of bf16 pairs.
pub(in super::super) fn lower(program: &Program, stage: &Stage, isa: Isa) -> Option<(StagePlan, bool)> {
    let facts = facts(stage, isa.lanes())?;
    let plan = StagePlan::of(stage);
    let (nr, tiles) = (2 * isa.lanes(), isa.has_tiles());
    let dots = tiles || isa.dots_bf16();
    let mut lowering =
        Lowering { program, stage, facts, nr, dots, tiles, forms: HashMap::new(), plan, has_pairs: false };
    let steps = lowering.ops(&stage.body);
    lowering.plan.steps = steps;
    Some((lowering.plan, lowering.has_pairs))
}

/// Forms that a tile is held in.
#[derive(Clone, Debug, Default)]
struct Forms {
    rows: Option<Held>,
    pairs: Option<Held>,
    key: Option<SlotId>,
    /// Where a right factor is read along its rows, and down its columns.
    right: [Option<Broadcast>; 2],
}

struct Lowering<'p> {
    program: &'p Program,
    stage: &'p Stage,
    facts: Facts,
    nr: usize,
    dots: bool,
    tiles: bool,
    forms: HashMap<TileId, Forms>,
    plan: StagePlan,
    has_pairs: bool,
}

impl<'p> Lowering<'p> {
    fn ops(&mut self, ops: &'p [Op]) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut run: Vec<&Op> = Vec::new();
        for op in ops {
            match op {
                // A tile is loaded by one operation, and no other defines it: it may be there before the run begins.
                Op::Load { dst, tensor, lead } => self.load(*dst, *tensor, lead, &mut steps),
                Op::Loop { var, low, high, body } => {
                    self.strips(&std::mem::take(&mut run), &mut steps);
                    let body = self.ops(body);
                    steps.push(Step::Loop { var: var.0 as usize, low: low.clone(), high: high.clone(), body });
                }
                _ => run.push(op),
            }
        }
        self.strips(&run, &mut steps);
        steps
    }

    fn strips(&mut self, run: &[&'p Op], steps: &mut Vec<Step>) {
        if run.is_empty() {
            return;
        }
        let mut ops = Vec::new();
        let mut pending: Vec<&Op> = Vec::new();
        let mut fresh: Vec<TileId> = Vec::new();
        for (at, op) in run.iter().enumerate() {
            let rest = &run[at + 1..];
            match op {
                Op::Fill { dst, value: 0.0 } if meets_product(*dst, rest) => fresh.push(*dst),
                Op::Position { dst, axis: Axis2::Cols } => {
                    let slot = self.key(*dst);
                    ops.push(StripOp::Columns(slot, self.stage.tile(*dst).cols));
                }
                Op::Mma { acc, a, b, form } => {
                    self.chains(std::mem::take(&mut pending), &run[at..], &mut ops);
                    let is_fresh = fresh.contains(acc);
                    fresh.retain(|tile| tile != acc);
                    ops.push(StripOp::Product(Box::new(self.product([*acc, *a, *b], *form, is_fresh))));
                }
                Op::Store { tensor, lead, src } => {
                    self.chains(std::mem::take(&mut pending), &run[at..], &mut ops);
                    let place = Box::new(self.place(*tensor, lead, *src));
                    ops.push(StripOp::Store { from: self.rows(*src), place });
                }
                _ => pending.push(op),
            }
        }
        self.chains(pending, &[], &mut ops);
        let cut = cut(self.stage, &self.facts, run);
        steps.push(Step::Strips(Box::new(Strips { rows: self.facts.rows, cut, ops })));
    }

    fn product(&mut self, [acc, a, b]: [TileId; 3], form: Form, fresh: bool) -> Product {
        let pairs = self.multiplies_pairs(a);
        self.has_pairs |= pairs;
        let right = self.forms.get(&b).and_then(|forms| forms.right[usize::from(form == Form::Ab)].clone());
        Product {
            acc: self.rows(acc),
            broadcast: right.expect("the load before gave the right factor its form"),
            panel: if pairs { self.pairs(a) } else { self.rows(a) },
            form,
            pairs,
            fresh,
        }
    }

    /// Whether a left factor of this tile is multiplied as pairs.
    fn multiplies_pairs(&self, a: TileId) -> bool {
        self.dots && self.stage.tile(a).dtype == DType::Bf16
    }

    /// Elementwise operations; `rest` is what follows in the run.
    fn chains(&mut self, pending: Vec<&'p Op>, rest: &[&Op], out: &mut Vec<StripOp>) {
        let chains = links::chains(&pending);
        for (at, linked) in chains.iter().enumerate() {
            let later = chains[at + 1..].iter().flat_map(|linked| &linked.ops).chain(rest);
            let is_read_later = later.into_iter().any(|op| op.reads().contains(&Some(linked.focus)));
            let lives = is_read_later || !self.facts.is_local(linked.focus);
            out.push(StripOp::Chain(self.chain(linked, lives)));
        }
    }

    fn chain(&mut self, linked: &Linked, lives: bool) -> Chain {
        let mut links = Vec::new();
        for op in &linked.ops {
            self.links(op, &mut links);
        }
        Chain {
            focus: self.rows(linked.focus),
            loads: links::loads(linked),
            stores: links::changes(linked) && lives,
            links,
        }
    }

    fn links(&mut self, op: &Op, out: &mut Vec<Link>) {
        match op {
            Op::Fill { value, .. } => out.push(Link::Fill(*value)),
            Op::Unary { dst, f, x } => out.push(Link::Unary(*f, self.argument(*x, *dst))),
            Op::Binary { dst, f, x, y } => {
                out.push(Link::Binary(*f, self.argument(*x, *dst), self.argument(*y, *dst)));
            }
            Op::Reduce { dst, f, .. } => out.push(Link::Reduce(*f, self.rows(*dst))),
            Op::Band { dst, x, row_div, low, high, outside } => {
                if x != dst {
                    out.push(Link::Unary(crate::program::UnaryFn::Copy, Argument::Each(self.rows(*x))));
                }
                let cols = self.stage.tile(*dst).cols;
                out.push(Link::Band { row_div: *row_div, low: *low, high: *high, outside: *outside, cols });
            }
            Op::Position { .. } => out.push(Link::Positions),
            Op::Convert { dst, .. } => {
                let (fact, dtype) = (self.facts.of(*dst), self.stage.tile(*dst).dtype);
                let (left, elementwise) = (fact.left, fact.elementwise);
                let pairs = left && self.multiplies_pairs(*dst);
                if elementwise || left && !pairs {
                    out.push(Link::Round(dtype, self.rows(*dst)));
                }
                if pairs {
                    out.push(Link::Pairs(self.pairs(*dst)));
                }
            }
            _ => unreachable!("chains are of elementwise operations"),
        }
    }

    fn argument(&mut self, arg: Arg, dst: TileId) -> Argument {
        let tile = match arg {
            Arg::Scalar(x) => return Argument::Scalar(x),
            Arg::Tile(tile) if tile == dst => return Argument::Focus,
            Arg::Tile(tile) => tile,
        };
        let (ty, dst) = (*self.stage.tile(tile), *self.stage.tile(dst));
        if ty.rows != dst.rows {
            return Argument::Key(self.key(tile));
        }
        let held = self.rows(tile);
        if ty.cols == dst.cols { Argument::Each(held) } else { Argument::Lane(held) }
    }

    /// The f32 form of a tile.
    fn rows(&mut self, tile: TileId) -> Held {
        if let Some(held) = self.forms.entry(tile).or_default().rows {
            return held;
        }
        let held = self.hold(tile, false);
        self.forms.entry(tile).or_default().rows = Some(held);
        held
    }

    /// The form of pairs of a tile.
    fn pairs(&mut self, tile: TileId) -> Held {
        if let Some(held) = self.forms.entry(tile).or_default().pairs {
            return held;
        }
        let held = self.hold(tile, true);
        self.forms.entry(tile).or_default().pairs = Some(held);
        held
    }

    fn hold(&mut self, tile: TileId, pairs: bool) -> Held {
        let ty = *self.stage.tile(tile);
        let local = self.facts.is_local(tile);
        let n_strips = if local { 1 } else { ty.rows.size.div_ceil(self.nr) };
        let units = if pairs { ty.cols.size.div_ceil(2) } else { ty.cols.size };
        let slot = self.plan.add_slot(self.nr, n_strips * units * self.nr, (ty.rows, ty.cols));
        Held { slot, cols: ty.cols, local, pairs }
    }

    /// A row vector's elements, one behind the other.
    fn key(&mut self, tile: TileId) -> SlotId {
        if let Some(slot) = self.forms.entry(tile).or_default().key {
            return slot;
        }
        let ty = *self.stage.tile(tile);
        let slot = self.plan.add_rows(ty.rows, ty.cols, Units::Single);
        self.forms.entry(tile).or_default().key = Some(slot);
        slot
    }

    fn load(&mut self, dst: TileId, tensor: TensorId, lead: &[Index], steps: &mut Vec<Step>) {
        let (place, ty) = (self.place(tensor, lead, dst), *self.stage.tile(dst));
        let fact = self.facts.of(dst).clone();
        let mut targets = Vec::new();
        if fact.is_right() {
            for form in [Form::Abt, Form::Ab] {
                let at = usize::from(form == Form::Ab);
                if fact.right[at] {
                    let broadcast = self.broadcast(dst, &place, form, &mut targets);
                    self.forms.entry(dst).or_default().right[at] = Some(broadcast);
                }
            }
        } else if ty.rows != self.facts.rows {
            targets.push((self.key(dst), Layout::Rows));
        } else {
            let pairs = fact.left && self.multiplies_pairs(dst);
            if fact.elementwise || fact.left && !pairs {
                targets.push((self.rows(dst).slot, Layout::PanelsNk));
            }
            if pairs {
                targets.push((self.pairs(dst).slot, Layout::PairPanelsNk));
            }
        }
        let targets: Vec<Target> =
            targets.into_iter().map(|(slot, layout)| self.target(&place, slot, layout)).collect();
        if !targets.is_empty() {
            steps.push(Step::Load { place, targets });
        }
    }

    fn target(&mut self, place: &Place, slot: SlotId, layout: Layout) -> Target {
        let memo = memo::of_load(self.stage, place, self.plan.slots[slot.0].units).map(|memo| {
            self.plan.memos.push(memo);
            self.plan.memos.len() - 1
        });
        Target { slot, layout, memo }
    }

    /// Where a right factor is read: in place where its elements lie as the product multiplies them.
    fn broadcast(&mut self, tile: TileId, place: &Place, form: Form, targets: &mut Vec<(SlotId, Layout)>) -> Broadcast {
        let ty = *self.stage.tile(tile);
        let pairs = self.multiplies_pairs(tile);
        if !place.shape.has_even_rows() {
            return self.copied(tile, form, pairs, targets);
        }
        let stride = place.shape.rows[0].stride;
        let in_place = match (place.shape.dtype, form, pairs) {
            (DType::F32, _, _) => true,
            // Whole pairs from each row's first element on, the same distance apart.
            (_, Form::Abt, true) => {
                let even_start = ty.cols.start.base() % 2 == 0 && ty.cols.start.terms().all(|(_, c)| c % 2 == 0);
                let even_start = even_start && ty.cols.end.is_none();
                even_start && [ty.cols.size, ty.cols.len, stride].iter().all(|n| n.is_multiple_of(2))
            }
            _ => false,
        };
        if in_place { Broadcast::InPlace(Box::new(place.clone())) } else { self.copied(tile, form, pairs, targets) }
    }

    fn copied(&mut self, tile: TileId, form: Form, pairs: bool, targets: &mut Vec<(SlotId, Layout)>) -> Broadcast {
        let ty = *self.stage.tile(tile);
        let (slot, layout) = match (form, pairs) {
            (_, false) => {
                let rows = targets.iter().find(|(_, layout)| *layout == Layout::Rows);
                if let Some((slot, _)) = rows {
                    return Broadcast::Copied(*slot);
                }
                (self.plan.add_rows(ty.rows, ty.cols, Units::Single), Layout::Rows)
            }
            (Form::Abt, true) => (self.plan.add_rows(ty.rows, ty.cols, Units::Pair), Layout::RowPairs),
            (Form::Ab, true) if self.tiles => {
                // An odd number of lines, so that the rows of a tile lie on different sets of L1.
                let lead = ty.rows.size.div_ceil(2).next_multiple_of(LINE_UNITS) | LINE_UNITS;
                let units = ty.cols.size.next_multiple_of(LINE_UNITS) * lead;
                (self.plan.add_slot(lead, units, (ty.rows, ty.cols)), Layout::TurnedPairs)
            }
            (Form::Ab, true) => {
                let lead = lead(ty.cols.size);
                let units = ty.rows.size.div_ceil(2) * lead;
                (self.plan.add_slot(lead, units, (ty.rows, ty.cols)), Layout::Interleaved)
            }
        };
        targets.push((slot, layout));
        Broadcast::Copied(slot)
    }

    fn place(&self, tensor: TensorId, lead: &[Index], tile: TileId) -> Place {
        let ty = self.stage.tile(tile);
        Place::of(self.program, tensor, lead, ty.rows, ty.cols)
    }
}

/// Whether the first operation that has to do with a tile adds products to it: its zeros need not be written.
fn meets_product(tile: TileId, rest: &[&Op]) -> bool {
    let touches = |op: &&&Op| op.reads().contains(&Some(tile));
    matches!(rest.iter().find(touches), Some(Op::Mma { acc, .. }) if *acc == tile)
}
