//! Programs to steps: operation by operation, in order.
//!
//! Three things are decided on the way, each from the operations around the one at hand:
//! 1. A factor of a product needs the contraction on its partitions. The left one always, the right one where it is
//!    held as `[cols, depth]`, is turned once, before the outermost loop in which it does not change.
//! 2. A product goes to PSUM. Where a loop does nothing with an accumulator but add products to it, all trips add up in
//!    PSUM and the sum is taken out once, after the loop; else each product is taken out and added in SBUF.
//! 3. What PSUM holds is read from there by the next operation where that one is its last reader or redefines it.

use super::access::{Access, Argument};
use super::affine::{Scope, Size};
use super::layout::{Memory, Value};
use super::names::{self, Names};
use super::step::{Operand, Start, Step, ValueId};
use super::uses;
use crate::DType;
use crate::backend::Unsupported;
use crate::backend::neuron::Target;
use crate::program::{Axis2, Index, Op, Program, Span, Stage, TensorId, TileId, TileType, Var};

mod band;
mod elementwise;
mod loops;
mod product;

pub(super) use super::uses::each_op;

/// A stage as steps.
#[derive(Debug)]
pub(super) struct StagePlan {
    pub(super) values: Vec<Value>,
    pub(super) steps: Vec<Step>,
    pub(super) scope: Scope,
}

/// The steps of one stage. Names go on from `names`.
pub(super) fn stage(
    program: &Program,
    stage: &Stage,
    arguments: &[Argument],
    names: &mut Names,
) -> Result<StagePlan, Unsupported> {
    let mut planner = Planner::new(program, stage, arguments, names);
    planner.list(&stage.body)?;
    let mut steps = std::mem::take(&mut planner.steps);
    for (i, axis) in stage.grid.iter().enumerate().rev() {
        let var = planner.scope.name(Var(i as u32)).to_owned();
        let sizes = planner.scope.close();
        if axis.extent > 1 {
            steps = vec![Step::Loop { var, first: "0".into(), last: axis.extent.to_string(), sizes, body: steps }];
        }
    }
    Ok(StagePlan { values: planner.values, steps, scope: planner.scope })
}

/// The variables of a grid, opened.
fn grid(stage: &Stage, names: &mut Names) -> Scope {
    let mut scope = Scope::new(stage.n_vars);
    for (i, axis) in stage.grid.iter().enumerate() {
        if axis.extent == 1 {
            scope.open_single(Var(i as u32));
        } else {
            scope.open(Var(i as u32), names.fresh(&axis.name), (0, axis.extent as i64 - 1));
        }
    }
    scope
}

/// State of a walk over a stage. Vectors are by tile.
struct Planner<'p> {
    program: &'p Program,
    arguments: &'p [Argument],
    names: &'p mut Names,
    scope: Scope,
    types: Vec<TileType>,
    /// Whether its one row is held on every partition.
    spread: Vec<bool>,
    tile_names: Vec<String>,
    values: Vec<Value>,
    /// Its place in SBUF.
    of_tile: Vec<Option<ValueId>>,
    defined: Vec<bool>,
    allocated: Vec<bool>,
    /// Whether it was defined before the list at hand.
    outside: Vec<bool>,
    /// Its turned copy, while that is right.
    turned: Vec<Option<ValueId>>,
    /// Its sum in PSUM, within a loop that adds to it there.
    sums: Vec<Option<Sum>>,
    /// Whether it is zero and was never written so.
    zero: Vec<bool>,
    /// The column by which it is still to be multiplied, at the next product.
    fading: Vec<Option<ValueId>>,
    /// A tile whose value is in PSUM alone.
    pending: Option<(TileId, ValueId)>,
    /// Banks of PSUM that sums of open loops hold.
    banks: usize,
    steps: Vec<Step>,
}

/// Where a loop adds products up.
#[derive(Clone, Debug)]
struct Sum {
    place: ValueId,
    start: Start,
}

impl<'p> Planner<'p> {
    fn new(program: &'p Program, stage: &Stage, arguments: &'p [Argument], names: &'p mut Names) -> Planner<'p> {
        let scope = grid(stage, names);
        let resolved =
            |ty: &TileType| TileType { rows: scope.resolved(&ty.rows), cols: scope.resolved(&ty.cols), ..*ty };
        let types: Vec<TileType> = stage.tiles.iter().map(resolved).collect();
        let n = types.len();
        Planner {
            program,
            arguments,
            names,
            scope,
            spread: uses::spread(stage, &types),
            types,
            tile_names: names::of_tiles(program, stage),
            values: Vec::new(),
            of_tile: vec![None; n],
            defined: vec![false; n],
            allocated: vec![false; n],
            outside: vec![false; n],
            turned: vec![None; n],
            sums: vec![None; n],
            zero: vec![false; n],
            fading: vec![None; n],
            pending: None,
            banks: 0,
            steps: Vec::new(),
        }
    }

    fn list(&mut self, ops: &[Op]) -> Result<(), Unsupported> {
        let mut done = vec![false; ops.len()];
        for (at, op) in ops.iter().enumerate() {
            if done[at] {
                continue;
            }
            self.turn_factors(op);
            let last_read = self.settle(op, &ops[at + 1..]);
            let mark = self.steps.len();
            self.op(op, &ops[at + 1..], at + 1, &mut done)?;
            self.guard(op, mark);
            if last_read {
                self.pending = None;
            }
        }
        self.flush();
        Ok(())
    }

    fn op(&mut self, op: &Op, rest: &[Op], next: usize, done: &mut [bool]) -> Result<(), Unsupported> {
        match op {
            Op::Load { dst, tensor, lead } => {
                let ty = self.types[dst.0 as usize];
                let to = self.define(*dst);
                let access = self.access(*tensor, lead, &ty, self.spread[dst.0 as usize]);
                self.steps.push(Step::Load { to, access });
            }
            Op::Store { tensor, lead, src } => self.store(*tensor, lead, *src),
            Op::Fill { dst, value } => {
                if *value == 0.0 && uses::next_is_product(rest, *dst) && self.never_empty(rest, *dst) {
                    self.start_at_zero(*dst);
                } else {
                    let to = self.define(*dst);
                    self.steps.push(Step::Fill { to, value: *value });
                }
            }
            Op::Dequantise { .. } => unreachable!("no target takes integers"),
            Op::Mma { acc, a, b, form } => self.mma(*acc, *a, *b, *form),
            Op::Unary { dst, f, x } => self.unary(*dst, *f, *x)?,
            Op::Binary { dst, f, x, y } => self.binary(op, (*dst, *f, *x, *y), rest, next, done)?,
            Op::Reduce { dst, f, x } => self.reduce(*dst, *f, *x),
            Op::Band { dst, x, row_div, low, high, outside } => {
                self.band(*dst, *x, (*row_div as i64, *low, *high), *outside)?;
            }
            Op::Position { dst, axis } => {
                let ty = self.types[dst.0 as usize];
                let span = if *axis == Axis2::Rows { ty.rows } else { ty.cols };
                let first = self.scope.affine(&span.start);
                let to = self.define(*dst);
                self.steps.push(Step::Iota { to, axis: *axis, first, varies: !self.spread[dst.0 as usize] });
            }
            Op::Convert { dst, x } => self.convert(*dst, *x),
            Op::Loop { var, low, high, body } => self.repeat(*var, low, high, body)?,
        }
        Ok(())
    }

    /// The place of a tile in SBUF, allocated where its definition begins.
    fn define(&mut self, tile: TileId) -> ValueId {
        let slot = tile.0 as usize;
        let value = self.place(tile);
        if !self.allocated[slot] {
            self.steps.push(Step::Allocate(value));
            self.allocated[slot] = true;
        }
        self.changed(tile);
        value
    }

    /// Notes that a tile has a new value.
    fn changed(&mut self, tile: TileId) {
        let slot = tile.0 as usize;
        (self.defined[slot], self.zero[slot], self.turned[slot]) = (true, false, None);
        if self.pending.is_some_and(|(pending, _)| pending == tile) {
            self.pending = None;
        }
    }

    fn place(&mut self, tile: TileId) -> ValueId {
        let slot = tile.0 as usize;
        if let Some(value) = self.of_tile[slot] {
            return value;
        }
        let (rows, cols) = self.sizes(tile);
        let (name, dtype) = (self.tile_names[slot].clone(), self.types[slot].dtype);
        let value = self.value(&name, Memory::Sbuf, dtype, rows, cols);
        self.of_tile[slot] = Some(value);
        value
    }

    /// Rows and columns as held: one row on every partition counts as 128.
    fn sizes(&mut self, tile: TileId) -> (Size, Size) {
        let ty = self.types[tile.0 as usize];
        let rows = if self.spread[tile.0 as usize] { Size::fixed(Target::PARTITIONS) } else { self.size(&ty.rows) };
        (rows, self.size(&ty.cols))
    }

    fn size(&mut self, span: &Span) -> Size {
        self.scope.size(span, |name| self.names.fresh(name))
    }

    fn value(&mut self, name: &str, memory: Memory, dtype: DType, rows: Size, cols: Size) -> ValueId {
        let name = self.names.fresh(name);
        self.values.push(Value { name, memory, dtype, rows, cols });
        self.values.len() - 1
    }

    /// A value of a tile's size for use at once.
    fn temporary(&mut self, name: &str, dtype: DType, like: TileId) -> ValueId {
        let (rows, cols) = self.sizes(like);
        let value = self.value(name, Memory::Sbuf, dtype, rows, cols);
        self.steps.push(Step::Allocate(value));
        value
    }

    fn access(&mut self, tensor: TensorId, lead: &[Index], ty: &TileType, spread: bool) -> Access {
        let (argument, names) = (&self.arguments[tensor.0 as usize], &mut *self.names);
        let tensor = self.program.tensor(tensor);
        Access::of(tensor, argument, lead, ty, spread, &mut self.scope, |name| names.fresh(name))
    }

    fn store(&mut self, tensor: TensorId, lead: &[Index], src: TileId) {
        let (dtype, ty) = (self.program.tensor(tensor).dtype, self.types[src.0 as usize]);
        let in_psum = self.pending.is_some_and(|(tile, _)| tile == src);
        let from = if in_psum || dtype != ty.dtype {
            // DMA engines do not read PSUM, and rounding is a compute engine's.
            let name = format!("{}_out", self.tile_names[src.0 as usize]);
            let to = self.temporary(&name, dtype, src);
            let from = self.read(src);
            self.steps.push(Step::Copy { to, from: Operand::Tile(from) });
            to
        } else {
            self.place(src)
        };
        let access = self.access(tensor, lead, &ty, false);
        self.steps.push(Step::Store { access, from });
    }

    /// Where a tile's value is now.
    fn read(&mut self, tile: TileId) -> ValueId {
        match self.pending {
            Some((pending, place)) if pending == tile => place,
            _ => self.place(tile),
        }
    }

    /// Takes the pending value out of PSUM unless `op` reads it there and nobody needs it afterwards, which is the
    /// answer.
    fn settle(&mut self, op: &Op, rest: &[Op]) -> bool {
        let Some((tile, _)) = self.pending else { return false };
        if matches!(op, Op::Loop { .. }) {
            // Its body may need the room, and may run often or not at all.
            self.flush();
            return false;
        }
        if !uses::mentions(op, tile) {
            return false;
        }
        let ends_here = !self.outside[tile.0 as usize] && !rest.iter().any(|op| uses::mentions(op, tile));
        let last_read = uses::reads_once_from_psum(op, tile) && (uses::defines(op, tile) || ends_here);
        if !last_read {
            self.flush();
        }
        last_read
    }

    /// Takes the pending value out of PSUM.
    fn flush(&mut self) {
        if let Some((tile, from)) = self.pending.take() {
            let to = self.define(tile);
            self.steps.push(Step::Copy { to, from: Operand::Tile(from) });
        }
    }

    /// Puts what was done for `op` since `mark` under a condition where its result may have no element.
    fn guard(&mut self, op: &Op, mark: usize) {
        let mut conditions: Vec<String> = Vec::new();
        for tile in uses::extents(op) {
            let (rows, cols) = self.sizes(tile);
            let empty = [rows, cols].into_iter().filter(|size| size.may_be_zero);
            conditions.extend(empty.map(|size| format!("{} > 0", size.text)));
        }
        conditions.sort();
        conditions.dedup();
        if conditions.is_empty() || self.steps.len() == mark {
            return;
        }
        let (made, body) = self.steps.drain(mark..).partition(|step| matches!(step, Step::Allocate(_)));
        let made: Vec<Step> = made;
        self.steps.extend(made);
        self.steps.push(Step::If { condition: conditions.join(" and "), body });
    }
}
