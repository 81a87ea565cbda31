//! Elementwise operations and reductions, and the two pairs of them that one instruction does.
//!
//! `2^(x − y)` with a column `y` is one pass of the scalar engine, `exp(ln 2 · x − ln 2 · y)`, which also sums its rows:
//! the step of an online softmax that a vector engine would take three passes for. `acc · y` before a product is added
//! to `acc` joins that addition.

use std::f32::consts::{LN_2, LOG2_E};

use super::Planner;
use crate::DType;
use crate::backend::Unsupported;
use crate::backend::neuron::nki::step::{Activation, Alu, Operand, Step, ValueId};
use crate::backend::neuron::nki::uses;
use crate::program::{Arg, BinaryFn, Op, ReduceFn, TileId, UnaryFn};

/// `dst = f(x, y)`.
type Pair = (TileId, BinaryFn, Arg, Arg);

impl Planner<'_> {
    fn operand(&mut self, arg: Arg, dst: TileId) -> Operand {
        match arg {
            Arg::Scalar(x) => Operand::Scalar(x),
            Arg::Tile(tile) => {
                let value = self.read(tile);
                let wide = self.types[tile.0 as usize].cols == self.types[dst.0 as usize].cols;
                if wide { Operand::Tile(value) } else { Operand::Column(value) }
            }
        }
    }

    pub(super) fn unary(&mut self, dst: TileId, f: UnaryFn, x: Arg) -> Result<(), Unsupported> {
        let x = self.operand(x, dst);
        let to = self.define(dst);
        if let Operand::Scalar(x) = x {
            self.steps.push(Step::Fill { to, value: of_constant(f, x) });
            return Ok(());
        }
        let (activation, scale) = match f {
            UnaryFn::Copy => {
                self.steps.push(Step::Copy { to, from: x });
                return Ok(());
            }
            UnaryFn::Exp2 => (Activation::Exp, LN_2),
            UnaryFn::Log2 => (Activation::Log, 1.0),
            UnaryFn::Tanh => (Activation::Tanh, 1.0),
            UnaryFn::Rsqrt => (Activation::Rsqrt, 1.0),
            UnaryFn::Abs => (Activation::Abs, 1.0),
        };
        self.steps.push(Step::Activate { to, f: activation, x, scale, bias: None, sum: None });
        if f == UnaryFn::Log2 {
            let (x, y) = (Operand::Tile(to), Operand::Scalar(LOG2_E));
            self.steps.push(Step::Zip { to, op: Alu::Multiply, x, y });
        }
        Ok(())
    }

    pub(super) fn binary(
        &mut self,
        op: &Op,
        pair: Pair,
        rest: &[Op],
        next: usize,
        done: &mut [bool],
    ) -> Result<(), Unsupported> {
        let (dst, f, x, y) = pair;
        if let (Arg::Scalar(x), Arg::Scalar(y)) = (x, y) {
            let to = self.define(dst);
            self.steps.push(Step::Fill { to, value: of_constants(f, x, y) });
            return Ok(());
        }
        if self.fades(pair, rest) || self.exponential(pair, rest, next, done) {
            return Ok(());
        }
        let (x, y) = (self.operand(x, dst), self.operand(y, dst));
        let op = match f {
            BinaryFn::Add => Alu::Add,
            BinaryFn::Sub => Alu::Subtract,
            BinaryFn::Mul => Alu::Multiply,
            BinaryFn::Max => Alu::Maximum,
            BinaryFn::Min => Alu::Minimum,
            BinaryFn::Div => return self.quotient(op, dst, x, y),
        };
        let to = self.define(dst);
        self.steps.push(Step::Zip { to, op, x, y });
        Ok(())
    }

    /// `x / y` as `x · (1 / y)`: no engine divides (table of ALU operators, NKI ISA API common fields).
    fn quotient(&mut self, op: &Op, dst: TileId, x: Operand, y: Operand) -> Result<(), Unsupported> {
        let y = match y {
            Operand::Scalar(y) if y.is_subnormal() => {
                return Err(Unsupported {
                    what: format!("division, `{}`", op.headline()),
                    asked: format!("by {y:e}"),
                    limit: "divisors whose reciprocal is finite".into(),
                });
            }
            Operand::Scalar(y) => Operand::Scalar(1.0 / y),
            Operand::Tile(from) => Operand::Tile(self.reciprocal(from)),
            Operand::Column(from) => Operand::Column(self.reciprocal(from)),
        };
        let to = self.define(dst);
        self.steps.push(Step::Zip { to, op: Alu::Multiply, x, y });
        Ok(())
    }

    fn reciprocal(&mut self, from: ValueId) -> ValueId {
        let like = self.values[from].clone();
        let name = format!("{}_inverse", like.name);
        let to = self.value(&name, super::Memory::Sbuf, DType::F32, like.rows, like.cols);
        self.steps.extend([Step::Allocate(to), Step::Reciprocal { to, from }]);
        to
    }

    /// Leaves `acc = acc · y` to the product that comes next on `acc`, where `y` is a column that is still right then.
    fn fades(&mut self, (dst, f, x, y): Pair, rest: &[Op]) -> bool {
        let (BinaryFn::Mul, Arg::Tile(x), Arg::Tile(column)) = (f, x, y) else { return false };
        let next = rest.iter().position(|op| uses::mentions(op, dst));
        let product = next.filter(|&at| matches!(&rest[at], Op::Mma { acc, .. } if *acc == dst));
        let Some(product) = product.filter(|_| x == dst && self.is_column(column, dst)) else { return false };
        let unchanged = uses::defined_in(&rest[..product]).iter().all(|tile| *tile != column);
        let whole = self.never_empty(rest, dst) && self.fits_psum(dst) && self.sums[dst.0 as usize].is_none();
        let in_sbuf = self.pending.is_none_or(|(tile, _)| tile != dst) && !self.zero[dst.0 as usize];
        if unchanged && whole && in_sbuf {
            self.fading[dst.0 as usize] = Some(self.place(column));
            return true;
        }
        false
    }

    /// Whether a tile is an f32 column beside `dst`, and in SBUF.
    fn is_column(&self, tile: TileId, dst: TileId) -> bool {
        let (ty, wide) = (self.types[tile.0 as usize], self.types[dst.0 as usize]);
        let in_sbuf = self.pending.is_none_or(|(pending, _)| pending != tile);
        ty.cols != wide.cols && ty.dtype == DType::F32 && in_sbuf
    }

    /// `d = x − y; d = 2^d` in one pass, with the row sums of `d` where they are asked for before `d` changes.
    fn exponential(&mut self, (dst, f, x, y): Pair, rest: &[Op], next: usize, done: &mut [bool]) -> bool {
        let (BinaryFn::Sub, Arg::Tile(x), Arg::Tile(column)) = (f, x, y) else { return false };
        let then = matches!(rest.first(), Some(Op::Unary { dst: d, f: UnaryFn::Exp2, x: Arg::Tile(x) })
            if *d == dst && *x == dst);
        let wide = self.types[x.0 as usize].cols == self.types[dst.0 as usize].cols;
        if !then || !wide || !self.is_column(column, dst) {
            return false;
        }
        done[next] = true;
        let column = self.place(column);
        let bias = self.scaled_column(column);
        let x = Operand::Tile(self.read(x));
        let to = self.define(dst);
        let sum = self.row_sum_of(dst, &rest[1..]).map(|(at, sum)| {
            done[next + 1 + at] = true;
            self.define(sum)
        });
        let name = |value: ValueId| self.values[value].name.clone();
        let sums = sum.map_or(String::new(), |sum| format!(", and its row sums in {}", name(sum)));
        self.steps.push(Step::Note(format!("{} = 2^({} - {}){sums}", name(to), name(value_of(x)), name(column))));
        self.steps.push(Step::Activate { to, f: Activation::Exp, x, scale: LN_2, bias: Some(bias), sum });
        true
    }

    /// `−ln 2 · column`: what the scalar engine adds before it takes the exponential.
    fn scaled_column(&mut self, column: ValueId) -> ValueId {
        let like = self.values[column].clone();
        let name = format!("{}_bias", like.name);
        let bias = self.value(&name, super::Memory::Sbuf, DType::F32, like.rows, like.cols);
        let (x, y) = (Operand::Tile(column), Operand::Scalar(-LN_2));
        self.steps.extend([Step::Allocate(bias), Step::Zip { to: bias, op: Alu::Multiply, x, y }]);
        bias
    }

    /// The row sum of a tile among the operations that follow, where nothing in between changes it or needs the sum.
    fn row_sum_of(&mut self, tile: TileId, ops: &[Op]) -> Option<(usize, TileId)> {
        let is_sum = |op: &Op| matches!(op, Op::Reduce { f: ReduceFn::Sum, x, .. } if *x == tile);
        let at = ops.iter().position(|op| is_sum(op) || uses::defined_in(std::slice::from_ref(op)).contains(&tile))?;
        let Op::Reduce { dst, f: ReduceFn::Sum, x } = &ops[at] else { return None };
        let untouched = !ops[..at].iter().any(|op| uses::mentions(op, *dst));
        let (rows, cols) = self.sizes(tile);
        (*x == tile && dst != x && untouched && !rows.may_be_zero && !cols.may_be_zero).then_some((at, *dst))
    }

    pub(super) fn reduce(&mut self, dst: TileId, f: ReduceFn, x: TileId) {
        let from = self.read(x);
        let cols = self.values[from].cols.clone();
        let to = self.define(dst);
        let reduce = Step::Reduce { to, f, from };
        if !cols.may_be_zero {
            self.steps.push(reduce);
            return;
        }
        let value = if f == ReduceFn::Max { f32::NEG_INFINITY } else { 0.0 };
        self.steps.push(Step::Fill { to, value });
        self.steps.push(Step::If { condition: format!("{} > 0", cols.text), body: vec![reduce] });
    }

    pub(super) fn convert(&mut self, dst: TileId, x: TileId) {
        let from = Operand::Tile(self.read(x));
        let to = self.define(dst);
        self.steps.push(Step::Copy { to, from });
    }
}

fn value_of(operand: Operand) -> ValueId {
    match operand {
        Operand::Tile(value) | Operand::Column(value) => value,
        Operand::Scalar(_) => unreachable!("only tiles are asked for"),
    }
}

fn of_constant(f: UnaryFn, x: f32) -> f32 {
    match f {
        UnaryFn::Copy => x,
        UnaryFn::Exp2 => x.exp2(),
        UnaryFn::Log2 => x.log2(),
        UnaryFn::Tanh => x.tanh(),
        UnaryFn::Rsqrt => 1.0 / x.sqrt(),
        UnaryFn::Abs => x.abs(),
    }
}

fn of_constants(f: BinaryFn, x: f32, y: f32) -> f32 {
    match f {
        BinaryFn::Add => x + y,
        BinaryFn::Sub => x - y,
        BinaryFn::Mul => x * y,
        BinaryFn::Div => x / y,
        BinaryFn::Max => x.max(y),
        BinaryFn::Min => x.min(y),
    }
}
