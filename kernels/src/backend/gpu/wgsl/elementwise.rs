//! Loads into registers, and the operations that stay within a thread.

use super::emit::{Emit, register};
use super::helpers::Helper;
use super::no_bytes;
use super::plan::Source;
use super::scope::Value;
use crate::DType;
use crate::program::{Arg, Axis2, BinaryFn, Index, TileId, UnaryFn};

/// An f32 constant as WGSL text; infinities come from a function.
fn constant(emit: &mut Emit, x: f32) -> String {
    if x.is_finite() {
        return format!("{x:?}f");
    }
    emit.helpers.insert(Helper::NegInf);
    if x < 0.0 { "neg_inf()".into() } else { "-neg_inf()".into() }
}

impl Emit<'_> {
    /// Registers of a tile, as (row, group).
    pub(super) fn slots(&self, tile: TileId) -> impl Iterator<Item = (usize, usize)> + use<> {
        let share = self.plan.mapping.share(self.stage.tile(tile));
        (0..share.rows).flat_map(move |row| (0..share.groups()).map(move |quad| (row, quad)))
    }

    /// Whether a thread holds vectors of a tile, not one scalar a row.
    pub(super) fn is_wide(&self, tile: TileId) -> bool {
        self.ty(tile).cols.size > 1
    }

    /// The part of `x` that meets register (row, quad) of a result; repeated where `x` has one row or column.
    pub(super) fn operand(&mut self, x: Arg, row: usize, quad: usize, wide: bool) -> String {
        let (text, is_wide) = match x {
            Arg::Scalar(x) => (constant(self, x), false),
            Arg::Tile(x) => {
                let share = self.plan.mapping.share(self.stage.tile(x));
                let row = if self.ty(x).rows.size == 1 { 0 } else { row };
                (register(x, row, if share.quads.is_some() { quad } else { 0 }), share.quads.is_some())
            }
        };
        if wide && !is_wide { format!("vec4<f32>({text})") } else { text }
    }

    /// Reads a tile into registers.
    pub(super) fn load(&mut self, dst: TileId, source: &Source) {
        let ty = self.ty(dst);
        let matrix = self.matrix(source);
        let held = (!self.plan.holds(ty.cols, self.plan.mapping.covered_cols(ty.cols))).then_some(ty.cols.len);
        for (row, quad) in self.slots(dst) {
            let position = self.row_position(ty.rows, row);
            let offset = self.row_offset(&matrix, &position);
            let value = if ty.cols.size > 1 {
                let start = self.index(&ty.cols.start);
                let local = self.local_col(quad);
                let col = self.sum(&start, &local);
                self.quad(&matrix, &offset, &col, held)
            } else {
                let col = self.position_on(ty.cols, &Value::literal(0), 1);
                self.element(&matrix, &offset, &col.text)
            };
            self.set(dst, row, quad, value);
        }
    }

    /// Writes a register.
    pub(super) fn set(&mut self, dst: TileId, row: usize, quad: usize, value: impl AsRef<str>) {
        self.line(format!("{} = {};", register(dst, row, quad), value.as_ref()));
    }

    pub(super) fn fill(&mut self, dst: TileId, value: f32) {
        let (wide, is_sum) = (self.is_wide(dst), self.is_sum(dst));
        for (row, quad) in self.slots(dst) {
            let value = match (is_sum, wide) {
                (true, true) => "vec4<i32>(0)".into(),
                (true, false) => "0".into(),
                (false, _) => self.operand(Arg::Scalar(value), row, quad, wide),
            };
            self.set(dst, row, quad, value);
        }
    }

    pub(super) fn unary(&mut self, dst: TileId, f: UnaryFn, x: Arg) {
        let wide = self.is_wide(dst);
        for (row, quad) in self.slots(dst) {
            let x = self.operand(x, row, quad, wide);
            let value = match f {
                UnaryFn::Copy => x,
                UnaryFn::Rsqrt => format!("inverseSqrt({x})"),
                UnaryFn::Abs => format!("abs({x})"),
                UnaryFn::Exp2 => self.vector_call(Helper::Exp2, "exp2_of", &x, wide),
                UnaryFn::Log2 => self.vector_call(Helper::Log2, "log2_of", &x, wide),
                UnaryFn::Tanh => self.vector_call(Helper::Tanh, "tanh_of", &x, wide),
            };
            self.set(dst, row, quad, value);
        }
    }

    /// A call of a function of vectors, also for a scalar.
    fn vector_call(&mut self, helper: Helper, name: &str, x: &str, wide: bool) -> String {
        let call = if wide { format!("{name}({x})") } else { format!("{name}(vec4<f32>({x})).x") };
        self.with_helper(helper, call)
    }

    pub(super) fn binary(&mut self, dst: TileId, f: BinaryFn, x: Arg, y: Arg) {
        let wide = self.is_wide(dst);
        for (row, quad) in self.slots(dst) {
            let (x, y) = (self.operand(x, row, quad, wide), self.operand(y, row, quad, wide));
            let value = match f {
                BinaryFn::Add => format!("{x} + {y}"),
                BinaryFn::Sub => format!("{x} - {y}"),
                BinaryFn::Mul => format!("{x} * {y}"),
                BinaryFn::Div => format!("{x} / {y}"),
                BinaryFn::Max => format!("max({x}, {y})"),
                BinaryFn::Min => format!("min({x}, {y})"),
            };
            self.set(dst, row, quad, value);
        }
    }

    pub(super) fn convert(&mut self, dst: TileId, x: TileId) {
        let wide = self.is_wide(dst);
        let (dtype, of_sums) = (self.ty(dst).dtype, self.is_sum(x));
        for (row, quad) in self.slots(dst) {
            let x = self.operand(Arg::Tile(x), row, quad, wide);
            let value = match dtype {
                DType::F32 if of_sums && wide => format!("vec4<f32>({x})"),
                DType::F32 if of_sums => format!("f32({x})"),
                DType::F32 => x,
                DType::Bf16 => self.vector_call(Helper::RoundBf16, "round_bf16", &x, wide),
                // Handing halves over rounds them, too.
                DType::F16 if self.plan.handed_over(dst) => x,
                DType::F16 => self.vector_call(Helper::RoundF16, "round_f16", &x, wide),
                DType::F8E4M3 | DType::F8E5M2 | DType::I32 | DType::I8 | DType::I4x2 => no_bytes(),
            };
            self.set(dst, row, quad, value);
        }
    }

    pub(super) fn position(&mut self, dst: TileId, axis: Axis2) {
        let (ty, wide) = (self.ty(dst), self.is_wide(dst));
        for (row, quad) in self.slots(dst) {
            let value = match axis {
                Axis2::Rows => format!("f32({})", self.position_of(ty.rows.start, |e| e.local_row(ty.rows, row)).text),
                Axis2::Cols if wide => format!("vec4<f32>({})", self.columns(dst, quad)),
                Axis2::Cols => format!("f32({})", self.index(&ty.cols.start).text),
            };
            self.set(dst, row, quad, value);
        }
    }

    fn position_of(&mut self, start: Index, local: impl FnOnce(&mut Self) -> Value) -> Value {
        let start = self.index(&start);
        let local = local(self);
        self.sum(&start, &local)
    }

    /// Positions on their axis of the columns in group `quad` of a tile, as `vec4<i32>`.
    fn columns(&mut self, tile: TileId, quad: usize) -> String {
        let first = self.position_of(self.ty(tile).cols.start, |e| e.local_col(quad));
        let vector = format!("vec4<i32>({}) + vec4<i32>(0, 1, 2, 3)", first.text);
        self.value(vector, first.level).text
    }

    pub(super) fn band(
        &mut self,
        dst: TileId,
        x: TileId,
        row_div: usize,
        (low, high): (Option<i64>, Option<i64>),
        outside: f32,
    ) {
        let (ty, wide) = (self.ty(dst), self.is_wide(dst));
        let outside = self.operand(Arg::Scalar(outside), 0, 0, wide);
        for (row, quad) in self.slots(dst) {
            let position = self.position_of(ty.rows.start, |e| e.local_row(ty.rows, row));
            let shared = match row_div {
                1 => position,
                d => self.value(format!("{} / {}", position.text, d.min(i32::MAX as usize)), position.level),
            };
            let col = if wide { self.columns(dst, quad) } else { self.index(&ty.cols.start).text };
            let kind = if wide { "vec4<i32>" } else { "i32" };
            // Differences of positions fit in i32, so a limit beyond it acts as the type's end.
            let end = |end: i64| end.clamp(i64::from(-i32::MAX), i64::from(i32::MAX));
            let x = self.operand(Arg::Tile(x), row, quad, wide);
            let distance = format!("({col} - {kind}({}))", shared.text);
            let mut value = x;
            if let Some(low) = low {
                value = format!("select({outside}, {value}, {distance} >= {kind}({}))", end(low));
            }
            if let Some(high) = high {
                value = format!("select({outside}, {value}, {distance} <= {kind}({}))", end(high));
            }
            self.set(dst, row, quad, value);
        }
    }

    /// Which of the columns in group `quad` of a tile exist, as `vec4<bool>`; none where all do.
    pub(super) fn existing(&mut self, tile: TileId, quad: usize) -> Option<String> {
        let cols = self.ty(tile).cols;
        let covered = self.plan.mapping.covered_cols(cols);
        if covered == cols.size && self.plan.holds(cols, cols.size) {
            return None;
        }
        let valid = self.valid(cols);
        let local = self.local_col(quad);
        let level = valid.level.max(local.level);
        let test = format!("vec4<i32>({}) + vec4<i32>(0, 1, 2, 3) < vec4<i32>({})", local.text, valid.text);
        Some(self.value(test, level).text)
    }
}
