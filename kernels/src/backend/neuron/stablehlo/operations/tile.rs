//! The operations on tiles.

use std::f32::consts::{LN_2, LOG2_E};

use super::Walk;
use crate::backend::neuron::stablehlo::text::{Dims, Element, F32, Type, Value};
use crate::program::{Arg, Axis2, BinaryFn, Form, Index, Op, ReduceFn, Span, TensorId, TileId, UnaryFn};

impl Walk<'_> {
    /// One operation that is no loop.
    pub(super) fn tile_op(&mut self, op: &Op) {
        match op {
            Op::Load { dst, tensor, lead } => self.load(*dst, *tensor, lead),
            Op::Store { tensor, lead, src } => self.store(*tensor, lead, *src),
            Op::Fill { dst, value } => {
                let dims = self.dims(*dst);
                let filled = self.w.number(*value, &dims);
                self.define(*dst, filled);
            }
            Op::Mma { acc, a, b, form } => self.mma(*acc, *a, *b, *form),
            Op::Unary { dst, f, x } => self.unary(*dst, *f, *x),
            Op::Binary { dst, f, x, y } => self.binary(*dst, *f, *x, *y),
            Op::Reduce { dst, f, x } => self.reduce(*dst, *f, *x),
            Op::Band { .. } => self.band(op),
            Op::Position { dst, axis } => {
                let dim = if *axis == Axis2::Rows { 0 } else { 1 };
                let positions = self.positions(*dst, dim);
                let positions = self.w.convert(&positions, F32);
                self.define(*dst, positions);
            }
            Op::Convert { dst, x } => {
                let element = Element::Float(self.stage.tile(*dst).dtype);
                let x = self.tile(*x);
                let converted = self.w.convert(&x, element);
                self.define(*dst, converted);
            }
            Op::Dequantise { .. } => unreachable!("programs of integers are refused"),
            Op::Loop { .. } => unreachable!("`ops` enters loops"),
        }
    }

    fn load(&mut self, dst: TileId, tensor: TensorId, lead: &[Index]) {
        let at = self.at(dst, lead);
        let sizes = [vec![1; lead.len()], self.dims(dst)].concat();
        let memory = self.state.memory[tensor.0 as usize].clone();
        let block = self.w.block(&memory, &at, &sizes);
        let dims = self.dims(dst);
        let tile = self.w.reshape(&block, &dims);
        self.define(dst, tile);
    }

    fn store(&mut self, tensor: TensorId, lead: &[Index], src: TileId) {
        let (at, element) = (self.at(src, lead), self.element(tensor));
        let tile = self.tile(src);
        let rounded = self.w.convert(&tile, element);
        let block = self.w.reshape(&rounded, &[vec![1; lead.len()], self.dims(src)].concat());
        let memory = self.state.memory[tensor.0 as usize].clone();
        self.state.memory[tensor.0 as usize] = self.w.replaced(&memory, &block, &at);
    }

    /// Where a tile begins in its stack.
    fn at(&mut self, tile: TileId, lead: &[Index]) -> Vec<Value> {
        let ty = *self.stage.tile(tile);
        lead.iter().chain([&ty.rows.start, &ty.cols.start]).map(|index| self.index(index)).collect()
    }

    fn mma(&mut self, acc: TileId, a: TileId, b: TileId, form: Form) {
        let (left, right, depth) = (self.tile(a), self.tile(b), self.stage.tile(a).cols);
        let along_b = match form {
            Form::Ab => 0,
            Form::Abt => 1,
        };
        let left = self.existing(&left, 1, depth, 0.0);
        let right = self.existing(&right, along_b, depth, 0.0);
        let product = self.w.product(&left, &right, &Dims { batch: 0, contract: [1, along_b] });
        let before = self.tile(acc);
        let sum = self.w.binary("add", &before, &product);
        self.define(acc, sum);
    }

    /// A tile with `neutral` at the positions of a dimension that do not exist.
    fn existing(&mut self, x: &Value, dim: usize, span: Span, neutral: f32) -> Value {
        if span.always_full() {
            return x.clone();
        }
        let dims = x.ty.dims.clone();
        let here = self.w.positions(dim, &dims);
        let start = self.index(&span.start);
        let start = self.w.broadcast(&start, &[], &dims);
        let position = self.w.binary("add", &here, &start);
        let len = self.w.integer(span.len as i64, &dims);
        let exists = self.w.compare("LT", &position, &len);
        let neutral = self.w.number(neutral, &dims);
        let neutral = self.w.convert(&neutral, x.ty.element);
        self.w.select(&exists, x, &neutral)
    }

    fn unary(&mut self, dst: TileId, f: UnaryFn, x: Arg) {
        let x = self.arg(x, dst);
        let y = match f {
            UnaryFn::Copy => x,
            // 2^x = e^(x·ln 2): there is no base-2 exponential.
            UnaryFn::Exp2 => {
                let scaled = self.scaled(&x, LN_2);
                self.w.unary("exponential", &scaled)
            }
            UnaryFn::Log2 => {
                let natural = self.w.unary("log", &x);
                self.scaled(&natural, LOG2_E)
            }
            UnaryFn::Tanh => self.w.unary("tanh", &x),
            UnaryFn::Rsqrt => self.w.unary("rsqrt", &x),
            UnaryFn::Abs => self.w.unary("abs", &x),
        };
        self.define(dst, y);
    }

    fn scaled(&mut self, x: &Value, factor: f32) -> Value {
        let factor = self.w.number(factor, &x.ty.dims.clone());
        self.w.binary("multiply", x, &factor)
    }

    fn binary(&mut self, dst: TileId, f: BinaryFn, x: Arg, y: Arg) {
        let name = match f {
            BinaryFn::Add => "add",
            BinaryFn::Sub => "subtract",
            BinaryFn::Mul => "multiply",
            BinaryFn::Div => "divide",
            BinaryFn::Max => "maximum",
            BinaryFn::Min => "minimum",
        };
        let (x, y) = (self.arg(x, dst), self.arg(y, dst));
        let result = self.w.binary(name, &x, &y);
        self.define(dst, result);
    }

    fn reduce(&mut self, dst: TileId, f: ReduceFn, x: TileId) {
        let (name, neutral) = match f {
            ReduceFn::Max => ("maximum", f32::NEG_INFINITY),
            ReduceFn::Sum => ("add", 0.0),
        };
        let span = self.stage.tile(x).cols;
        let x = self.tile(x);
        let x = self.w.convert(&x, F32);
        let x = self.existing(&x, 1, span, neutral);
        let reduced = self.w.reduce(name, &x, neutral);
        let dims = self.dims(dst);
        let column = self.w.reshape(&reduced, &dims);
        self.define(dst, column);
    }

    fn band(&mut self, op: &Op) {
        let Op::Band { dst, x, row_div, low, high, outside } = op else { return };
        let dims = self.dims(*dst);
        let x = self.tile(*x);
        let x = self.w.convert(&x, F32);
        let (mut rows, cols) = (self.positions(*dst, 0), self.positions(*dst, 1));
        if *row_div > 1 {
            let divisor = self.w.integer(*row_div as i64, &dims);
            rows = self.w.binary("divide", &rows, &divisor);
        }
        let distance = self.w.binary("subtract", &cols, &rows);
        let outside = self.w.number(*outside, &dims);
        let mut kept = x;
        for (direction, end) in [("GE", low), ("LE", high)] {
            let Some(end) = end else { continue };
            // No distance lies beyond 32 bits, so an end there is the last one within.
            let end = self.w.integer((*end).clamp(i64::from(i32::MIN), i64::from(i32::MAX)), &dims);
            let inside = self.w.compare(direction, &distance, &end);
            kept = self.w.select(&inside, &kept, &outside);
        }
        self.define(*dst, kept);
    }

    /// Positions on their axis of a tile's rows (0) or columns (1), everywhere in the tile.
    fn positions(&mut self, tile: TileId, dim: usize) -> Value {
        let (ty, dims) = (*self.stage.tile(tile), self.dims(tile));
        let start = self.index(if dim == 0 { &ty.rows.start } else { &ty.cols.start });
        let start = self.w.broadcast(&start, &[], &dims);
        let here = self.w.positions(dim, &dims);
        self.w.binary("add", &here, &start)
    }

    /// An argument in f32, of the size of `dst`.
    fn arg(&mut self, arg: Arg, dst: TileId) -> Value {
        let dims = self.dims(dst);
        match arg {
            Arg::Scalar(x) => self.w.number(x, &dims),
            Arg::Tile(tile) => {
                let tile = self.tile(tile);
                let tile = self.w.convert(&tile, F32);
                if tile.ty.dims == dims { tile } else { self.w.broadcast(&tile, &[0, 1], &dims) }
            }
        }
    }

    fn dims(&self, tile: TileId) -> Vec<usize> {
        let ty = self.stage.tile(tile);
        vec![ty.rows.size, ty.cols.size]
    }

    fn tile(&self, id: TileId) -> Value {
        self.state.tiles[&id].clone()
    }

    fn define(&mut self, id: TileId, value: Value) {
        let ty = self.stage.tile(id);
        debug_assert_eq!(value.ty, Type::new(self.dims(id), Element::Float(ty.dtype)), "the type of %{}", id.0);
        self.state.tiles.insert(id, value);
    }
}
