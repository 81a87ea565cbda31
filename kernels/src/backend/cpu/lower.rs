//! Program to plan, from the operations alone.
//!
//! 1. How each tile is used decides its forms: rows of f32 where arithmetic reads it, rows of bf16 pairs or panels
//!    where a product does. A tile has as many forms as it has kinds of use; most have one.
//! 2. A load that does not depend on some axis of the grid gives the same copy along that axis: it is kept
//!    ([`super::plan::Memo`]), and whoever needs it first makes it. Where only neighbours repeat it, its room is used
//!    again after them: the panels of a large right factor would else be written to memory and read back from there.
//! 3. A right factor of a product with few rows is not copied at all ([`Step::Stream`]).
//! 4. Runs of elementwise operations are regrouped ([`super::schedule`]), so that each row of a tile is visited once
//!    for all that can be done to it.
//! 5. A load that is only converted to f32 is read as f32 ([`widened`]).
//! 6. A stage whose products feed each other, over many rows, is lowered on transposed tiles instead ([`turned`]).

mod left;

use std::collections::{HashMap, HashSet};

use super::ahead::link_streams;
use super::around;
use super::cache::Caches;
use super::isa::Isa;
use super::memo;
use super::pack::Layout;
use super::plan::{Ahead, Place, Plan, Product, Right, SlotId, StagePlan, Step, Target};
use super::rows::{RowArg, RowFn, RowOp};
use super::schedule;
use super::stream;
use super::tiles::TILES_ROWS;
use super::turned;
use super::unit::Units;
use super::uses::{Uses, uses};
use super::weights::{self, Weight};
use super::widen::widened;
use crate::DType;
use crate::program::{Arg, Form, Index, Op, Program, Span, Stage, TensorId, TileId};

/// Lowers a program.
pub(super) fn lower(program: &Program, isa: Isa, caches: Caches) -> Plan {
    let mut plan = Plan { stages: vec![], strategies: vec![], units: Units::Single };
    for (at, stage) in program.stages().iter().enumerate() {
        let stage = &*widened(stage);
        if let Some((turned, pairs)) = turned::lower(program, stage, isa) {
            let units = if pairs { Units::Pair } else { Units::Single };
            plan.units = plan.units.max(if isa.has_tiles() { units.of_tiles() } else { units });
            plan.strategies.push("turned");
            plan.stages.push(turned);
            continue;
        }
        let mut lowering = Lowering::new(program, stage, weights::candidates(program, at), isa);
        let steps = lowering.ops(&stage.body);
        lowering.plan.steps = steps;
        lowering.plan.stores_around = around::is_worth(program, stage, &lowering.strategies, caches);
        plan.units = lowering.strategies.iter().map(|(_, units)| *units).fold(plan.units, Units::max);
        plan.strategies.extend(lowering.strategies.iter().map(|(name, _)| *name));
        plan.stages.push(lowering.plan);
    }
    plan.strategies.sort_unstable();
    plan.strategies.dedup();
    plan
}

/// Most elements from step to step of a right factor that is read in place: steps 1 KiB apart put 16 of them, the two
/// lines of each, on a quarter of the sets of an L1 of 48 KiB; at 2 KiB they would need more ways than it has.
const MAX_STEP_IN_PLACE: usize = 256;

/// Forms a tile is held in.
#[derive(Clone, Copy, Debug, Default)]
struct Forms {
    rows: Option<SlotId>,
    halves: Option<SlotId>,
    pairs: Option<SlotId>,
    quads: Option<SlotId>,
    panels: Option<(SlotId, Layout)>,
}

struct Lowering<'p> {
    program: &'p Program,
    stage: &'p Stage,
    uses: HashMap<TileId, Uses>,
    forms: HashMap<TileId, Forms>,
    // Loads whose tile stays in memory: where each lies.
    in_place: HashMap<TileId, Place>,
    // Loads that are copied into panels: from where, and which memo keeps them.
    copied: HashMap<TileId, (Place, Option<usize>)>,
    // Loads of packed weights.
    weights: HashMap<TileId, usize>,
    // Variable of the innermost loop.
    loop_var: Option<usize>,
    lanes: usize,
    isa: Isa,
    plan: StagePlan,
    strategies: Vec<(&'static str, Units)>,
}

impl<'p> Lowering<'p> {
    fn new(program: &'p Program, stage: &'p Stage, weights: HashSet<TileId>, isa: Isa) -> Lowering<'p> {
        let mut lowering = Lowering {
            program,
            stage,
            uses: uses((stage, program.tensors()), isa, weights),
            forms: HashMap::new(),
            in_place: HashMap::new(),
            copied: HashMap::new(),
            weights: HashMap::new(),
            loop_var: None,
            lanes: isa.lanes(),
            isa,
            plan: StagePlan::of(stage),
            strategies: vec![],
        };
        lowering.allot();
        lowering
    }

    /// Gives every tile a slot for each form its uses need.
    fn allot(&mut self) {
        for id in (0..self.stage.tiles.len() as u32).map(TileId) {
            let Some(uses) = self.uses.get(&id) else { continue };
            let ty = *self.stage.tile(id);
            let mut forms = Forms::default();
            let mut ty = ty;
            if uses.left_alone {
                let most = if self.isa.has_tiles() { TILES_ROWS } else { self.isa.mr() };
                ty.rows.size = ty.rows.size.min(most);
            }
            if uses.rows {
                // A column vector that no product touches is dense: operations on it run down all rows at once.
                let dense = ty.cols.size == 1 && !uses.factor;
                forms.rows = Some(if dense {
                    self.plan.add_slot(1, ty.rows.size.next_multiple_of(self.lanes), (ty.rows, ty.cols))
                } else {
                    self.plan.add_rows(ty.rows, ty.cols, Units::Single)
                });
            }
            if uses.halves {
                forms.halves = Some(self.plan.add_rows(ty.rows, ty.cols, Units::Halves));
            }
            if uses.pairs {
                forms.pairs = Some(self.plan.add_rows(ty.rows, ty.cols, Units::Pair));
            }
            if uses.quads {
                forms.quads = Some(self.plan.add_rows(ty.rows, ty.cols, Units::Quad));
            }
            if let Some(layout) = uses.panels {
                let units = self.panel_units(id, layout);
                forms.panels = Some((self.plan.add_slot(0, units, (ty.rows, ty.cols)), layout));
            }
            self.forms.insert(id, forms);
        }
    }

    /// Units of a tile's panels.
    fn panel_units(&self, tile: TileId, layout: Layout) -> usize {
        let ty = self.stage.tile(tile);
        let (depth, cols) = match layout {
            Layout::PanelsNk | Layout::PairPanelsNk | Layout::QuadPanelsNk | Layout::SignedPanelsNk => {
                (ty.cols.size, ty.rows.size)
            }
            _ => (ty.rows.size, ty.cols.size),
        };
        depth.div_ceil(layout.per_unit()) * cols.next_multiple_of(2 * self.lanes)
    }

    fn ops(&mut self, ops: &'p [Op]) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut pending: Vec<(Span, RowOp)> = Vec::new();
        for (at, op) in ops.iter().enumerate() {
            if self.row_ops(op, &mut pending) {
                continue;
            }
            steps.extend(schedule::groups(std::mem::take(&mut pending), &self.plan.slots));
            self.step(op, &mut steps);
            if let (Op::Loop { .. }, Some(Op::Store { tensor, lead, src })) = (op, ops.get(at + 1)) {
                self.store_from_loop(&mut steps, *tensor, lead, *src);
            }
        }
        steps.extend(schedule::groups(pending, &self.plan.slots));
        steps
    }

    /// Lowers an operation that works row by row; `false` leaves it to [`Lowering::step`].
    fn row_ops(&self, op: &Op, out: &mut Vec<(Span, RowOp)>) -> bool {
        let (dst, f, over) = match op {
            Op::Fill { value, dst } if *value != 0.0 || !self.is_acc(*dst) => (*dst, RowFn::Fill(*value), *dst),
            Op::Unary { dst, f, x } => (*dst, RowFn::Unary(*f, self.arg(*x, *dst)), *dst),
            Op::Binary { dst, f, x, y } => (*dst, RowFn::Binary(*f, self.arg(*x, *dst), self.arg(*y, *dst)), *dst),
            Op::Reduce { dst, f, x } => (*dst, RowFn::Reduce(*f, self.rows(*x)), *x),
            Op::Band { dst, x, row_div, low, high, outside } => {
                let x = self.rows(*x);
                (*dst, RowFn::Band { x, row_div: *row_div, low: *low, high: *high, outside: *outside }, *dst)
            }
            Op::Position { dst, axis } => (*dst, RowFn::Position(*axis), *dst),
            Op::Dequantise { dst, x, scale } => {
                let Some(Forms { rows: Some(_), .. }) = self.forms.get(dst) else { return true };
                let bytes = self.forms[x].quads.expect("uses gave what is dequantised its bytes");
                (*dst, RowFn::Dequantise { bytes, scale: self.rows(*scale) }, *dst)
            }
            Op::Convert { dst, x } => {
                self.convert(*dst, *x, out);
                return true;
            }
            _ => return false,
        };
        let cols = self.stage.tile(over).cols;
        // A tile that nothing reads has no slot: its operation has no effect.
        if let Some(dst_slot) = self.forms.get(&dst).and_then(|forms| forms.rows) {
            out.push((self.stage.tile(dst).rows, RowOp { dst: dst_slot, f, cols }));
        }
        true
    }

    fn convert(&self, dst: TileId, x_tile: TileId, out: &mut Vec<(Span, RowOp)>) {
        let (ty, x) = (self.stage.tile(dst), self.rows(x_tile));
        let forms = self.forms.get(&dst).copied().unwrap_or_default();
        if let Some(slot) = forms.rows {
            let is_sum = self.stage.tile(x_tile).dtype == DType::I32;
            let f = if is_sum { RowFn::FromInteger(x) } else { RowFn::Round(ty.dtype, x) };
            out.push((ty.rows, RowOp { dst: slot, f, cols: ty.cols }));
        }
        if let Some(slot) = forms.pairs {
            out.push((ty.rows, RowOp { dst: slot, f: RowFn::Pairs(x), cols: ty.cols }));
        }
    }

    fn step(&mut self, op: &'p Op, steps: &mut Vec<Step>) {
        match op {
            Op::Load { dst, tensor, lead } => self.load(*dst, *tensor, lead, steps),
            Op::Store { tensor, lead, src } => {
                let ty = self.stage.tile(*src);
                let place = self.place(*tensor, lead, ty.rows, ty.cols);
                steps.push(Step::Store { from: self.rows(*src), place });
            }
            Op::Fill { dst, .. } => steps.push(Step::Zero { slot: self.rows(*dst) }),
            Op::Mma { acc, a, b, form } => self.mma(*acc, *a, *b, *form, steps),
            Op::Loop { var, low, high, body } => {
                let outer = self.loop_var.replace(var.0 as usize);
                let mut body = self.ops(body);
                link_streams(&mut body, var.0 as usize);
                self.loop_var = outer;
                steps.push(Step::Loop { var: var.0 as usize, low: low.clone(), high: high.clone(), body });
            }
            _ => unreachable!("row_ops takes every other operation"),
        }
    }

    fn load(&mut self, dst: TileId, tensor: TensorId, lead: &[Index], steps: &mut Vec<Step>) {
        let ty = *self.stage.tile(dst);
        let place = self.place(tensor, lead, ty.rows, ty.cols);
        let forms = self.forms.get(&dst).copied().unwrap_or_default();
        let rows = forms.rows.map(|slot| (slot, Layout::Rows));
        let halves = forms.halves.map(|slot| (slot, Layout::RowHalves));
        let pairs = forms.pairs.map(|slot| (slot, Layout::RowPairs));
        let quads = forms.quads.map(|slot| (slot, Layout::RowQuads));
        let uses = self.uses.get(&dst).copied().unwrap_or_default();
        if uses.packed
            && let Some((_, layout)) = forms.panels
            && let Some(weight) = Weight::of_load(self.stage, place.clone(), layout, self.panel_units(dst, layout))
        {
            self.plan.weights.push(weight);
            self.weights.insert(dst, self.plan.weights.len() - 1);
            return;
        }
        let stays = uses.left_alone || uses.right_alone && self.is_side_by_side(&place, forms);
        let targets: Vec<Target> = [rows, halves, pairs, quads, forms.panels]
            .into_iter()
            .flatten()
            .filter(|_| !stays)
            .map(|(slot, layout)| {
                // A factor alone is kept: arithmetic may overwrite its argument.
                let units = self.plan.slots[slot.0].units;
                let kept = memo::of_load(self.stage, &place, units).filter(|_| !self.is_overwritten(dst));
                let memo = kept.map(|memo| {
                    self.plan.memos.push(memo);
                    self.plan.memos.len() - 1
                });
                Target { slot, layout, memo }
            })
            .collect();
        if uses.in_place || stays {
            self.in_place.insert(dst, place.clone());
        } else if let Some(panels) =
            targets.iter().find(|target| forms.panels.is_some_and(|(slot, _)| slot == target.slot))
        {
            self.copied.insert(dst, (place.clone(), panels.memo));
        }
        if !targets.is_empty() {
            steps.push(Step::Load { place, targets });
        }
    }

    fn mma(&mut self, acc: TileId, a: TileId, b: TileId, form: Form, steps: &mut Vec<Step>) {
        let (acc_ty, a_ty, b_ty) = (self.stage.tile(acc), self.stage.tile(a), *self.stage.tile(b));
        // Scales stay where they are if the bytes do.
        let (bytes, scale) = self.uses[&b].dequantised.map_or((b, None), |(x, scale)| (x, Some(scale)));
        let in_place = self.in_place.get(&bytes).cloned();
        let streams = self.uses[&b].in_place;
        let (units, a_slot) = self.left_factor(a, b, form);
        let product = Product {
            acc: self.rows(acc),
            a: a_slot,
            left: self.in_place.get(&a).cloned(),
            ahead: self.loop_var.and_then(|var| {
                let (place, memo) = self.copied.get(&b)?.clone();
                let known = self.uses[&b].right_alone && place.shape.rows.len() == 1;
                known.then_some(Ahead { var: Some(var), place, memo })
            }),
            rows: acc_ty.rows,
            cols: acc_ty.cols,
            depth: a_ty.cols,
            units,
        };
        let weight = self.weights.get(&b).copied();
        let strategy = match (streams, weight.is_some()) {
            (true, _) => stream::STRATEGY,
            (false, true) => "packed",
            (false, false) => "panels",
        };
        self.strategies.push((strategy, units));
        if let Some(place) = in_place.filter(|_| streams || scale.is_none()) {
            let product = Box::new(product);
            steps.push(if streams {
                let scales = scale.and_then(|scale| self.in_place.get(&scale)).cloned().map(Box::new);
                Step::Stream { product, place, scales, form }
            } else {
                Step::Block { product, b: Right::Place(Box::new(place)), out: None }
            });
            return;
        }
        if let Some(weight) = weight {
            steps.push(Step::Block { product: Box::new(product), b: Right::Weight(weight), out: None });
            return;
        }
        let (panels, layout) = self.forms[&b].panels.expect("uses gave the right factor its panels");
        if self.uses[&b].computed {
            let forms = self.forms[&b];
            // What is computed is no integer.
            let (from, dtype) =
                if layout.per_unit() == 2 { (forms.pairs, DType::Bf16) } else { (forms.rows, DType::F32) };
            let from = from.expect("uses gave the factor its rows");
            steps.push(Step::Pack { from, dtype, to: panels, layout, rows: b_ty.rows, cols: b_ty.cols });
        }
        steps.push(Step::Block { product: Box::new(product), b: Right::Panels(panels), out: None });
    }

    /// Whether a right factor lies as its panels would, in rows close enough that the steps of a panel do not fall on the
    /// same few sets of L1: then a copy would only cost time.
    fn is_side_by_side(&self, place: &Place, forms: Forms) -> bool {
        let nr = 2 * self.lanes;
        let close = place.shape.has_even_rows() && place.shape.rows[0].stride <= MAX_STEP_IN_PLACE;
        let as_is =
            place.shape.dtype == DType::F32 && forms.panels.is_some_and(|(_, layout)| layout == Layout::PanelsKn);
        place.cols.is_multiple_of(nr) && close && as_is
    }

    /// Lets the last product of a loop write what the store behind the loop would: sums that nothing else reads, as they
    /// are, into rows at one stride.
    fn store_from_loop(&self, steps: &mut [Step], tensor: TensorId, lead: &[Index], src: TileId) {
        let ty = self.stage.tile(src);
        let place = self.place(tensor, lead, ty.rows, ty.cols);
        let direct = place.shape.dtype == ty.dtype && place.shape.rows.len() == 1;
        let Some(Step::Loop { body, .. }) = steps.last_mut() else { return };
        let is_read_once = self.uses[&src].readers == 1;
        if let (true, Some(Step::Block { product, out, .. })) = (direct && is_read_once, body.last_mut())
            && product.acc == self.rows(src)
        {
            *out = Some(Box::new(place));
        }
    }

    fn arg(&self, arg: Arg, dst: TileId) -> RowArg {
        let Arg::Tile(tile) = arg else {
            let Arg::Scalar(x) = arg else { unreachable!("an argument is a tile or a scalar") };
            return RowArg::Scalar(x);
        };
        let (ty, dst) = (self.stage.tile(tile), self.stage.tile(dst));
        let slot = self.rows(tile);
        match (ty.rows == dst.rows, ty.cols == dst.cols) {
            (true, true) => RowArg::Each(slot),
            (true, false) => RowArg::PerRow(slot),
            (false, true) => RowArg::PerCol(slot),
            (false, false) => RowArg::One(slot),
        }
    }

    fn rows(&self, tile: TileId) -> SlotId {
        self.forms[&tile].rows.expect("uses gave a tile that arithmetic reads its rows")
    }

    fn is_acc(&self, tile: TileId) -> bool {
        self.uses.get(&tile).is_some_and(|uses| uses.acc)
    }

    fn is_overwritten(&self, tile: TileId) -> bool {
        self.uses.get(&tile).is_some_and(|uses| uses.overwritten)
    }

    fn place(&self, tensor: TensorId, lead: &[Index], rows: Span, cols: Span) -> Place {
        Place::of(self.program, tensor, lead, rows, cols)
    }
}
