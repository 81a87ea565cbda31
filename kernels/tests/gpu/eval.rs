//! Program semantics in f64, as plainly as can be: what the shaders are checked against.

use farthing_kernels::DType;
use farthing_kernels::problem::GROUP;
use farthing_kernels::program::{
    Arg, Axis2, BinaryFn, Bound, Form, Op, Program, ReduceFn, Role, Stage, TensorId, TileId, UnaryFn,
};

/// A tile's elements, row by row; those that do not exist are NaN.
type Elements = Vec<f64>;

struct Eval<'p> {
    program: &'p Program,
    tensors: Vec<Vec<f64>>,
}

/// The output of a program.
pub(crate) fn eval(program: &Program, inputs: &[Vec<f64>]) -> Vec<f64> {
    let mut given = inputs.iter();
    let tensors = program
        .tensors()
        .iter()
        .map(|t| {
            if matches!(t.role, Role::Input | Role::Table) {
                given.next().expect("an input").clone()
            } else {
                vec![f64::NAN; t.elems()]
            }
        })
        .collect();
    let mut eval = Eval { program, tensors };
    for stage in program.stages() {
        for point in 0..stage.n_points() {
            let mut values = vec![0; stage.n_vars];
            let mut rest = point;
            for (i, axis) in stage.grid.iter().enumerate().rev() {
                values[i] = (rest % axis.extent) as i64;
                rest /= axis.extent;
            }
            let mut tiles = vec![vec![]; stage.tiles.len()];
            eval.ops(stage, &stage.body, &mut values, &mut tiles);
        }
    }
    eval.tensors.swap_remove(program.output().0 as usize)
}

impl Eval<'_> {
    fn ops(&mut self, stage: &Stage, ops: &[Op], values: &mut [i64], tiles: &mut [Elements]) {
        for op in ops {
            self.op(stage, op, values, tiles);
        }
    }

    fn op(&mut self, stage: &Stage, op: &Op, values: &mut [i64], tiles: &mut [Elements]) {
        let at = |id: &TileId| id.0 as usize;
        let size = |id: &TileId| (stage.tile(*id).rows.size, stage.tile(*id).cols.size);
        let valid = |id: &TileId, v: &[i64]| (stage.tile(*id).rows.valid(v), stage.tile(*id).cols.valid(v));
        match op {
            Op::Load { dst, tensor, lead } => {
                let ((rows, cols), (n_rows, n_cols)) = (size(dst), valid(dst, values));
                let mut x = vec![f64::NAN; rows * cols];
                for (r, c) in pairs(n_rows, n_cols) {
                    let lead: Vec<i64> = lead.iter().map(|i| i.eval(values)).collect();
                    x[r * cols + c] =
                        self.tensors[at_tensor(tensor)][self.offset(tensor, &lead, stage, dst, values, r, c)];
                }
                tiles[at(dst)] = x;
            }
            Op::Store { tensor, lead, src } => {
                let ((_, cols), (n_rows, n_cols)) = (size(src), valid(src, values));
                let dtype = self.program.tensor(*tensor).dtype;
                for (r, c) in pairs(n_rows, n_cols) {
                    let lead: Vec<i64> = lead.iter().map(|i| i.eval(values)).collect();
                    let to = self.offset(tensor, &lead, stage, src, values, r, c);
                    self.tensors[at_tensor(tensor)][to] = dtype.round(tiles[at(src)][r * cols + c]);
                }
            }
            Op::Fill { dst, value } => tiles[at(dst)] = vec![f64::from(*value); size(dst).0 * size(dst).1],
            Op::Mma { acc, a, b, form } => {
                let ((rows, cols), depth) = (size(acc), size(a).1);
                let n = valid(a, values).1;
                for (r, c) in pairs(rows, cols) {
                    let b_at = |k: usize| if *form == Form::Ab { k * cols + c } else { c * depth + k };
                    let sum: f64 = (0..n).map(|k| tiles[at(a)][r * depth + k] * tiles[at(b)][b_at(k)]).sum();
                    tiles[at(acc)][r * cols + c] += sum;
                }
            }
            Op::Loop { var, low, high, body } => {
                let ends = |bounds: &[Bound]| bounds.iter().map(|b| b.eval(values)).collect::<Vec<_>>();
                let (low, high) = (ends(low).into_iter().max(), ends(high).into_iter().min());
                for i in low.expect("a bound")..high.expect("a bound") {
                    values[var.0 as usize] = i;
                    self.ops(stage, body, values, tiles);
                }
            }
            arithmetic => compute(stage, arithmetic, values, tiles),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the pieces of one address")]
    fn offset(
        &self,
        id: &TensorId,
        lead: &[i64],
        stage: &Stage,
        tile: &TileId,
        values: &[i64],
        r: usize,
        c: usize,
    ) -> usize {
        let ty = stage.tile(*tile);
        let tensor = self.program.tensor(*id);
        let page = |page: usize| {
            let table = tensor.pages.expect("rows in pages").table;
            let first: usize =
                self.program.tensor(table).lead.iter().zip(lead).map(|(a, i)| a.stride * *i as usize).sum();
            self.tensors[table.0 as usize][first + page] as usize
        };
        tensor.row_offset(lead, ty.rows.start(values) + r, page) + ty.cols.start(values) + c
    }
}

/// Operations that touch neither tensors nor loops.
fn compute(stage: &Stage, op: &Op, values: &[i64], tiles: &mut [Elements]) {
    let at = |id: &TileId| id.0 as usize;
    let size = |id: &TileId| (stage.tile(*id).rows.size, stage.tile(*id).cols.size);
    match op {
        Op::Dequantise { dst, x, scale } => {
            let ((rows, cols), groups) = (size(dst), size(scale).1);
            let weight = |(r, c): (usize, usize)| {
                let (group, c) = (c / GROUP, c % GROUP);
                let byte = tiles[at(x)][r * cols / 2 + group * GROUP / 2 + c % (GROUP / 2)];
                // What does not exist is NaN, and stays so.
                let half = if c < GROUP / 2 { byte % 16.0 } else { (byte / 16.0).floor() };
                (half - 8.0) * tiles[at(scale)][r * groups + group]
            };
            tiles[at(dst)] = pairs(rows, cols).map(weight).collect();
        }
        Op::Unary { dst, f, x } => {
            let g = |x: f64| match f {
                UnaryFn::Copy => x,
                UnaryFn::Exp2 => x.exp2(),
                UnaryFn::Log2 => x.log2(),
                UnaryFn::Tanh => x.tanh(),
                UnaryFn::Rsqrt => 1.0 / x.sqrt(),
                UnaryFn::Abs => x.abs(),
            };
            let (rows, cols) = size(dst);
            tiles[at(dst)] = pairs(rows, cols).map(|(r, c)| g(argument(stage, tiles, *x, r, c))).collect();
        }
        Op::Binary { dst, f, x, y } => {
            let g = |x: f64, y: f64| match f {
                BinaryFn::Add => x + y,
                BinaryFn::Sub => x - y,
                BinaryFn::Mul => x * y,
                BinaryFn::Div => x / y,
                BinaryFn::Max => x.max(y),
                BinaryFn::Min => x.min(y),
            };
            let (rows, cols) = size(dst);
            let both = |(r, c)| g(argument(stage, tiles, *x, r, c), argument(stage, tiles, *y, r, c));
            tiles[at(dst)] = pairs(rows, cols).map(both).collect();
        }
        Op::Reduce { dst, f, x } => {
            let ((rows, cols), n) = (size(x), stage.tile(*x).cols.valid(values));
            let row = |r: usize| tiles[at(x)][r * cols..r * cols + n].iter().copied();
            let fold = |r: usize| match f {
                ReduceFn::Max => row(r).fold(f64::NEG_INFINITY, f64::max),
                ReduceFn::Sum => row(r).sum(),
            };
            tiles[at(dst)] = (0..rows).map(fold).collect();
        }
        Op::Band { dst, x, row_div, low, high, outside } => {
            let (rows, cols) = size(dst);
            let (row0, col0) = (stage.tile(*dst).rows.start(values), stage.tile(*dst).cols.start(values));
            let keep = |(r, c): (usize, usize)| {
                let distance = (col0 + c) as i64 - ((row0 + r) / row_div) as i64;
                let inside = low.is_none_or(|l| distance >= l) && high.is_none_or(|h| distance <= h);
                if inside { tiles[at(x)][r * cols + c] } else { f64::from(*outside) }
            };
            tiles[at(dst)] = pairs(rows, cols).map(keep).collect();
        }
        Op::Position { dst, axis } => {
            let (ty, (rows, cols)) = (stage.tile(*dst), size(dst));
            let start = if *axis == Axis2::Rows { ty.rows.start(values) } else { ty.cols.start(values) };
            tiles[at(dst)] = (0..rows.max(cols)).map(|i| (start + i) as f64).collect();
        }
        Op::Convert { dst, x } => {
            let dtype = stage.tile(*dst).dtype;
            tiles[at(dst)] = tiles[at(x)].iter().map(|&x| dtype.round(x)).collect();
        }
        Op::Load { .. } | Op::Store { .. } | Op::Mma { .. } | Op::Fill { .. } | Op::Loop { .. } => {
            unreachable!("not arithmetic")
        }
    }
}

fn at_tensor(id: &TensorId) -> usize {
    id.0 as usize
}

fn pairs(rows: usize, cols: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |r| (0..cols).map(move |c| (r, c)))
}

fn argument(stage: &Stage, tiles: &[Elements], arg: Arg, r: usize, c: usize) -> f64 {
    match arg {
        Arg::Scalar(x) => f64::from(x),
        Arg::Tile(id) => {
            let ty = stage.tile(id);
            let (r, c) = (if ty.rows.size == 1 { 0 } else { r }, if ty.cols.size == 1 { 0 } else { c });
            tiles[id.0 as usize][r * ty.cols.size + c]
        }
    }
}

/// Values of a dtype as bytes.
pub(crate) fn bytes(dtype: DType, values: &[f64]) -> Vec<u8> {
    dtype.encode(values)
}
