//! Walks a program, operation by operation, with any arithmetic: the meaning of the vocabulary, slow and obvious.
//!
//! A tile is one vector of numbers, of the size that exists at the point at hand; points run one after the other. With
//! numbers of f32 this is the interpreter, with error bounds carried along it is [`crate::tolerance::running`].

use std::collections::HashMap;

use crate::DType;
use crate::problem::GROUP;
use crate::program::{
    Arg, Axis2, BinaryFn, Bound, Form, Index, Op, Program, ReduceFn, Span, Stage, Tensor, TensorId, TileId, UnaryFn,
    Var, no_pages,
};

/// What a program computes with.
pub(crate) trait Arithmetic {
    /// An element.
    type Number: Copy;

    /// A number that is known exactly.
    fn exact(&self, x: f64) -> Self::Number;
    /// The whole number that an entry of a table is.
    fn whole(&self, x: Self::Number) -> usize;
    /// A number that the program's author wrote.
    fn constant(&self, x: f32) -> Self::Number {
        self.exact(f64::from(x))
    }
    /// A number of one type rounded to another.
    fn convert(&self, x: Self::Number, from: DType, to: DType) -> Self::Number;
    /// What half of a byte of two 4-bit integers stands for.
    fn half(&self, byte: Self::Number, high: usize) -> Self::Number;
    /// A function of one argument.
    fn unary(&self, f: UnaryFn, x: Self::Number) -> Self::Number;
    /// A function of two arguments.
    fn binary(&self, f: BinaryFn, x: Self::Number, y: Self::Number) -> Self::Number;
    /// `acc + Σ x·y`, of factors of one type.
    fn dot(
        &self,
        acc: Self::Number,
        factors: impl Iterator<Item = (Self::Number, Self::Number)>,
        of: DType,
    ) -> Self::Number;
    /// Sum or maximum of a row.
    fn reduce(&self, f: ReduceFn, row: &[Self::Number]) -> Self::Number;
}

/// A tile as it exists at a point.
struct Tile<N> {
    rows: usize,
    cols: usize,
    data: Vec<N>,
}

impl<N: Copy> Tile<N> {
    fn new(rows: usize, cols: usize, mut element: impl FnMut(usize, usize) -> N) -> Tile<N> {
        let data = (0..rows).flat_map(|r| (0..cols).map(move |c| (r, c))).map(|(r, c)| element(r, c)).collect();
        Tile { rows, cols, data }
    }

    fn at(&self, r: usize, c: usize) -> N {
        assert!(r < self.rows && c < self.cols, "({r}, {c}) lies in a tile of {} × {}", self.rows, self.cols);
        self.data[r * self.cols + c]
    }

    /// Element `(r, c)` of the tile repeated along the dimensions it has one of.
    fn repeated(&self, r: usize, c: usize) -> N {
        self.at(if self.rows == 1 { 0 } else { r }, if self.cols == 1 { 0 } else { c })
    }

    fn row(&self, r: usize) -> &[N] {
        &self.data[r * self.cols..][..self.cols]
    }
}

/// Runs a program. `memory` holds the elements of each tensor: inputs, what the output held before, and any value for
/// scratch. What the program stores is rounded to the tensor's type.
pub(crate) fn run<A: Arithmetic>(program: &Program, arithmetic: &A, memory: &mut [Vec<A::Number>]) {
    for stage in program.stages() {
        for point in 0..stage.n_points() {
            let mut vars = vec![0; stage.n_vars];
            let mut rest = point;
            for (var, axis) in vars.iter_mut().zip(&stage.grid).rev() {
                (*var, rest) = ((rest % axis.extent) as i64, rest / axis.extent);
            }
            for stretch in &stage.stretches {
                let entries = &memory[stretch.table.0 as usize];
                let at = stretch.at.eval(&vars) as usize;
                for (var, entry) in [(stretch.first, at), (stretch.end, at + 1)] {
                    vars[var.0 as usize] = arithmetic.whole(entries[entry]) as i64;
                }
            }
            Point { program, stage, arithmetic, memory, vars, tiles: HashMap::new() }.ops(&stage.body);
        }
    }
}

/// State at one point of a grid.
struct Point<'a, A: Arithmetic> {
    program: &'a Program,
    stage: &'a Stage,
    arithmetic: &'a A,
    memory: &'a mut [Vec<A::Number>],
    vars: Vec<i64>,
    tiles: HashMap<TileId, Tile<A::Number>>,
}

impl<A: Arithmetic> Point<'_, A> {
    fn ops(&mut self, ops: &[Op]) {
        for op in ops {
            self.op(op);
        }
    }

    fn op(&mut self, op: &Op) {
        let a = self.arithmetic;
        match op {
            Op::Load { dst, tensor, lead } => self.load(*dst, *tensor, lead),
            Op::Store { tensor, lead, src } => self.store(*tensor, lead, *src),
            Op::Fill { dst, value } => self.define(*dst, |_, _, _| a.constant(*value)),
            Op::Mma { acc, a, b, form } => self.mma(*acc, *a, *b, *form),
            Op::Unary { dst, f, x } => self.define(*dst, |p, r, c| a.unary(*f, p.arg(*x, r, c))),
            Op::Binary { dst, f, x, y } => {
                self.define(*dst, |p, r, c| a.binary(*f, p.arg(*x, r, c), p.arg(*y, r, c)));
            }
            Op::Reduce { dst, f, x } => self.define(*dst, |p, r, _| a.reduce(*f, p.tile(*x).row(r))),
            Op::Band { dst, x, row_div, low, high, outside } => {
                let (rows, cols) = self.starts(*dst);
                self.define(*dst, |p, r, c| {
                    let distance = (cols + c) as i64 - ((rows + r) / row_div) as i64;
                    let inside = low.is_none_or(|low| low <= distance) && high.is_none_or(|high| distance <= high);
                    if inside { p.tile(*x).at(r, c) } else { a.exact(f64::from(*outside)) }
                });
            }
            Op::Position { dst, axis } => {
                let (rows, cols) = self.starts(*dst);
                self.define(*dst, |_, r, c| {
                    a.exact(match axis {
                        Axis2::Rows => (rows + r) as f64,
                        Axis2::Cols => (cols + c) as f64,
                    })
                });
            }
            Op::Dequantise { dst, x, scale } => self.define(*dst, |p, r, c| {
                let (group, at) = (c / GROUP, c % GROUP);
                let byte = p.tile(*x).at(r, group * GROUP / 2 + at % (GROUP / 2));
                a.binary(BinaryFn::Mul, a.half(byte, at / (GROUP / 2)), p.tile(*scale).at(r, group))
            }),
            Op::Convert { dst, x } => {
                let (from, to) = (self.stage.tile(*x).dtype, self.stage.tile(*dst).dtype);
                self.define(*dst, |p, r, c| a.convert(p.tile(*x).at(r, c), from, to));
            }
            Op::Loop { var, low, high, body } => self.repeat(*var, low, high, body),
        }
    }

    fn repeat(&mut self, var: Var, low: &[Bound], high: &[Bound], body: &[Op]) {
        let ends = |bounds: &[Bound]| bounds.iter().map(|b| b.eval(&self.vars)).collect::<Vec<i64>>();
        let (low, high) = (ends(low), ends(high));
        let (low, high) = (low.into_iter().max().unwrap_or(0), high.into_iter().min().unwrap_or(0));
        for value in low..high {
            self.vars[var.0 as usize] = value;
            self.ops(body);
        }
    }

    fn load(&mut self, dst: TileId, tensor: TensorId, lead: &[Index]) {
        let (shape, lead) = (self.program.tensor(tensor), self.lead(lead));
        let (rows, cols) = self.starts(dst);
        let offsets = self.offsets(shape, &lead, rows..rows + self.valid(self.stage.tile(dst).rows));
        self.define(dst, |p, r, c| p.memory[tensor.0 as usize][offsets[r] + cols + c]);
    }

    fn store(&mut self, tensor: TensorId, lead: &[Index], src: TileId) {
        let (shape, lead) = (self.program.tensor(tensor), self.lead(lead));
        let (rows, cols) = self.starts(src);
        let (tile, from) = (&self.tiles[&src], self.stage.tile(src).dtype);
        for (r, offset) in self.offsets(shape, &lead, rows..rows + tile.rows).into_iter().enumerate() {
            for c in 0..tile.cols {
                let rounded = self.arithmetic.convert(tile.at(r, c), from, shape.dtype);
                self.memory[tensor.0 as usize][offset + cols + c] = rounded;
            }
        }
    }

    /// Where rows of the matrix at `lead` start.
    fn offsets(&self, shape: &Tensor, lead: &[i64], rows: std::ops::Range<usize>) -> Vec<usize> {
        let table = shape.pages.map(|pages| pages.table);
        let entries = table.map(|id| (&self.memory[id.0 as usize], self.program.tensor(id).entry(lead)));
        let page = |page: usize| match entries {
            Some((entries, first)) => self.arithmetic.whole(entries[first + page]),
            None => no_pages(page),
        };
        let mut offsets = Vec::with_capacity(rows.len());
        shape.row_offsets(lead, rows, 0, page, &mut offsets);
        offsets
    }

    fn mma(&mut self, acc: TileId, left: TileId, right: TileId, form: Form) {
        let dtype = self.stage.tile(left).dtype;
        let (x, y) = (self.tile(left), self.tile(right));
        let sums = Tile::new(self.tile(acc).rows, self.tile(acc).cols, |r, c| {
            let factors = (0..x.cols).map(|k| {
                let y = match form {
                    Form::Ab => y.at(k, c),
                    Form::Abt => y.at(c, k),
                };
                (x.at(r, k), y)
            });
            self.arithmetic.dot(self.tile(acc).at(r, c), factors, dtype)
        });
        self.tiles.insert(acc, sums);
    }

    /// Gives a tile its elements, over what exists of its spans at this point.
    fn define(&mut self, dst: TileId, element: impl Fn(&Self, usize, usize) -> A::Number) {
        let ty = self.stage.tile(dst);
        let (rows, cols) = (self.valid(ty.rows), self.valid(ty.cols));
        let tile = Tile::new(rows, cols, |r, c| element(self, r, c));
        self.tiles.insert(dst, tile);
    }

    fn arg(&self, arg: Arg, r: usize, c: usize) -> A::Number {
        match arg {
            Arg::Tile(tile) => self.tile(tile).repeated(r, c),
            Arg::Scalar(x) => self.arithmetic.constant(x),
        }
    }

    fn tile(&self, id: TileId) -> &Tile<A::Number> {
        &self.tiles[&id]
    }

    fn starts(&self, id: TileId) -> (usize, usize) {
        let ty = self.stage.tile(id);
        (ty.rows.start(&self.vars), ty.cols.start(&self.vars))
    }

    fn valid(&self, span: Span) -> usize {
        span.valid(&self.vars)
    }

    fn lead(&self, lead: &[Index]) -> Vec<i64> {
        lead.iter().map(|index| index.eval(&self.vars)).collect()
    }
}
