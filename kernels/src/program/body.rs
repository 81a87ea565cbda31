//! Writing the body of a stage down.

use super::op::{Arg, Axis2, BinaryFn, Form, Op, ReduceFn, TileId, TileType, UnaryFn};
use super::tensor::{Span, Stretch, Tensor};
use super::{Index, Range, ReadTensor, Stage, Table, Var, WriteTensor};
use crate::DType;

/// Writes the body of a stage, one operation a call. Destinations come first.
#[derive(Debug)]
pub struct Body<'b> {
    tensors: &'b [Tensor],
    stage: Stage,
    open: Vec<Vec<Op>>,
}

impl<'b> Body<'b> {
    pub(super) fn new(tensors: &'b [Tensor], stage: Stage) -> Body<'b> {
        Body { tensors, stage, open: vec![vec![]] }
    }

    pub(super) fn finish(mut self) -> Stage {
        self.stage.body = self.open.pop().expect("a body has one outermost list");
        self.stage
    }

    /// Reads a tile.
    pub fn load(&mut self, tensor: ReadTensor, lead: &[Index], rows: Span, cols: Span) -> TileId {
        let dtype = self.tensors[tensor.0.0 as usize].dtype;
        let dst = self.declare(TileType { dtype, rows, cols });
        self.push(Op::Load { dst, tensor: tensor.0, lead: lead.to_vec() });
        dst
    }

    /// Writes a tile at its own spans.
    pub fn store(&mut self, tensor: WriteTensor, lead: &[Index], src: TileId) {
        self.push(Op::Store { tensor: tensor.0, lead: lead.to_vec(), src });
    }

    /// An f32 tile that holds `value` everywhere.
    pub fn fill(&mut self, rows: Span, cols: Span, value: f32) -> TileId {
        let dst = self.declare(TileType { dtype: DType::F32, rows, cols });
        self.push(Op::Fill { dst, value });
        dst
    }

    /// An f32 tile of zeros.
    pub fn zeros(&mut self, rows: Span, cols: Span) -> TileId {
        self.fill(rows, cols, 0.0)
    }

    /// An i32 tile of zeros: what products of 8-bit integers are added to.
    pub fn integer_zeros(&mut self, rows: Span, cols: Span) -> TileId {
        let dst = self.declare(TileType { dtype: DType::I32, rows, cols });
        self.push(Op::Fill { dst, value: 0.0 });
        dst
    }

    /// An f32 tile of the same place as `x`, not defined yet: a destination.
    pub fn like(&mut self, x: TileId) -> TileId {
        let ty = *self.stage.tile(x);
        self.declare(TileType { dtype: DType::F32, ..ty })
    }

    /// `acc[r, c] += a[r, k] · b[k, c]`.
    pub fn mma(&mut self, acc: TileId, a: TileId, b: TileId) {
        self.push(Op::Mma { acc, a, b, form: Form::Ab });
    }

    /// `acc[r, c] += a[r, k] · b[c, k]ᵀ`.
    pub fn mma_bt(&mut self, acc: TileId, a: TileId, b: TileId) {
        self.push(Op::Mma { acc, a, b, form: Form::Abt });
    }

    /// `dst = x + y`.
    pub fn add(&mut self, dst: TileId, x: impl Into<Arg>, y: impl Into<Arg>) {
        self.binary(dst, BinaryFn::Add, x.into(), y.into());
    }

    /// `dst = x − y`.
    pub fn sub(&mut self, dst: TileId, x: impl Into<Arg>, y: impl Into<Arg>) {
        self.binary(dst, BinaryFn::Sub, x.into(), y.into());
    }

    /// `dst = x · y`.
    pub fn mul(&mut self, dst: TileId, x: impl Into<Arg>, y: impl Into<Arg>) {
        self.binary(dst, BinaryFn::Mul, x.into(), y.into());
    }

    /// `dst = x / y`.
    pub fn div(&mut self, dst: TileId, x: impl Into<Arg>, y: impl Into<Arg>) {
        self.binary(dst, BinaryFn::Div, x.into(), y.into());
    }

    /// `dst = max(x, y)`.
    pub fn max(&mut self, dst: TileId, x: impl Into<Arg>, y: impl Into<Arg>) {
        self.binary(dst, BinaryFn::Max, x.into(), y.into());
    }

    /// `dst = min(x, y)`.
    pub fn min(&mut self, dst: TileId, x: impl Into<Arg>, y: impl Into<Arg>) {
        self.binary(dst, BinaryFn::Min, x.into(), y.into());
    }

    /// `dst = x`, repeated to the size of `dst`, as f32.
    pub fn copy(&mut self, dst: TileId, x: impl Into<Arg>) {
        self.unary(dst, UnaryFn::Copy, x.into());
    }

    /// `dst = 2^x`.
    pub fn exp2(&mut self, dst: TileId, x: impl Into<Arg>) {
        self.unary(dst, UnaryFn::Exp2, x.into());
    }

    /// `dst = log2(x)`.
    pub fn log2(&mut self, dst: TileId, x: impl Into<Arg>) {
        self.unary(dst, UnaryFn::Log2, x.into());
    }

    /// `dst = tanh(x)`.
    pub fn tanh(&mut self, dst: TileId, x: impl Into<Arg>) {
        self.unary(dst, UnaryFn::Tanh, x.into());
    }

    /// `dst = 1 / √x`.
    pub fn rsqrt(&mut self, dst: TileId, x: impl Into<Arg>) {
        self.unary(dst, UnaryFn::Rsqrt, x.into());
    }

    /// `dst = |x|`.
    pub fn abs(&mut self, dst: TileId, x: impl Into<Arg>) {
        self.unary(dst, UnaryFn::Abs, x.into());
    }

    /// Greatest element of each row, `[rows, 1]`.
    pub fn row_max(&mut self, x: TileId) -> TileId {
        self.reduce(ReduceFn::Max, x)
    }

    /// Sum of each row, `[rows, 1]`.
    pub fn row_sum(&mut self, x: TileId) -> TileId {
        self.reduce(ReduceFn::Sum, x)
    }

    /// `x` where `low ≤ column − ⌊row / row_div⌋ ≤ high`, else −∞: what masks are made of.
    pub fn keep_band(&mut self, dst: TileId, x: TileId, row_div: usize, low: Option<i64>, high: Option<i64>) {
        self.push(Op::Band { dst, x, row_div, low, high, outside: f32::NEG_INFINITY });
    }

    /// Position of each row on its axis, `[rows, 1]`.
    pub fn row_positions(&mut self, rows: Span) -> TileId {
        let dst = self.declare(TileType { dtype: DType::F32, rows, cols: Span::ONE });
        self.push(Op::Position { dst, axis: Axis2::Rows });
        dst
    }

    /// Position of each column on its axis, `[1, cols]`.
    pub fn col_positions(&mut self, cols: Span) -> TileId {
        let dst = self.declare(TileType { dtype: DType::F32, rows: Span::ONE, cols });
        self.push(Op::Position { dst, axis: Axis2::Cols });
        dst
    }

    /// `x` rounded to `dtype`, a floating-point type; `x` itself where it is of that type already.
    pub fn convert(&mut self, x: TileId, dtype: DType) -> TileId {
        let ty = *self.stage.tile(x);
        if ty.dtype == dtype {
            return x;
        }
        let dst = self.declare(TileType { dtype, ..ty });
        self.push(Op::Convert { dst, x });
        dst
    }

    /// 4-bit integers `x` as f32, times the `scale` of their group.
    pub fn dequantise(&mut self, x: TileId, scale: TileId) -> TileId {
        let ty = *self.stage.tile(x);
        let cols = Span { start: ty.cols.start * 2, size: 2 * ty.cols.size, len: 2 * ty.cols.len, ..ty.cols };
        let dst = self.declare(TileType { dtype: DType::F32, rows: ty.rows, cols });
        self.push(Op::Dequantise { dst, x, scale });
        dst
    }

    /// Raises the running row maximum `peak` to that of `s`; returns the factor `2^(old − new)` by which what was
    /// accumulated relative to the old peak fades. `peak` must start finite (at `f32::MIN`): rows that have seen no
    /// key then keep it, and no difference of infinities arises.
    pub fn raise_peak(&mut self, peak: TileId, s: TileId) -> TileId {
        let fade = self.like(peak);
        self.copy(fade, peak);
        let row_max = self.row_max(s);
        self.max(peak, peak, row_max);
        self.sub(fade, fade, peak);
        self.exp2(fade, fade);
        fade
    }

    /// As [`Body::raise_peak`], but only the peaks that `s` exceeds by more than `slack`: the others stay, and so does what
    /// was accumulated relative to them. Sums and weights may then be up to `2^slack` times as large. `peak` must start at
    /// [`Body::LOWEST`].
    ///
    /// No operation overflows, in whatever order a compiler takes the terms: one that turned `(x − slack) · c` into
    /// `x · c − slack · c`, with a `c` that made both infinite, gave NaN on an H200 (driver 580.159.04, 2026-11-27).
    pub fn raise_peak_above(&mut self, peak: TileId, s: TileId, slack: f32) -> TileId {
        const STEEP: f32 = (1_u32 << 20) as f32;
        let fade = self.like(peak);
        self.copy(fade, peak);
        let top = self.row_max(s);
        self.max(top, top, Self::LOWEST);
        // 1 where the peak rises, else 0.
        let rises = self.like(peak);
        self.sub(rises, top, peak);
        self.sub(rises, rises, slack);
        self.mul(rises, rises, STEEP);
        self.max(rises, rises, 0.0);
        self.min(rises, rises, 1.0);
        // The row's maximum there, else less than any peak.
        self.mul(rises, rises, -2.0 * Self::LOWEST);
        self.add(rises, rises, Self::LOWEST);
        self.min(top, top, rises);
        self.max(peak, peak, top);
        self.sub(fade, fade, peak);
        self.exp2(fade, fade);
        fade
    }

    /// Less than any score, and far from what f32 holds at most: −2¹⁰⁰.
    pub const LOWEST: f32 = -1.267_650_6e30;

    /// A stretch of an axis of `len` positions: number `at` of those that a table's single row of beginnings says, which has
    /// one entry more than there are stretches. No two stretches share a position.
    pub fn stretch(&mut self, table: Table, at: impl Into<Index>, len: usize) -> Stretch {
        let var = |i: usize| Var((self.stage.n_vars + i) as u32);
        let stretch = Stretch { first: var(0), end: var(1), table: table.0, at: at.into(), len };
        self.stage.n_vars += 2;
        self.stage.stretches.push(stretch);
        stretch
    }

    /// A loop over tiles.
    pub fn each(&mut self, range: Range, write: impl FnOnce(&mut Self, Var)) {
        let var = Var(self.stage.n_vars as u32);
        self.stage.n_vars += 1;
        self.open.push(vec![]);
        write(self, var);
        let body = self.open.pop().expect("the list opened above");
        self.push(Op::Loop { var, low: range.low, high: range.high, body });
    }

    fn unary(&mut self, dst: TileId, f: UnaryFn, x: Arg) {
        self.push(Op::Unary { dst, f, x });
    }

    fn binary(&mut self, dst: TileId, f: BinaryFn, x: Arg, y: Arg) {
        self.push(Op::Binary { dst, f, x, y });
    }

    fn reduce(&mut self, f: ReduceFn, x: TileId) -> TileId {
        let rows = self.stage.tile(x).rows;
        let dst = self.declare(TileType { dtype: DType::F32, rows, cols: Span::ONE });
        self.push(Op::Reduce { dst, f, x });
        dst
    }

    fn declare(&mut self, ty: TileType) -> TileId {
        self.stage.tiles.push(ty);
        TileId(self.stage.tiles.len() as u32 - 1)
    }

    fn push(&mut self, op: Op) {
        self.open.last_mut().expect("a body has one outermost list").push(op);
    }
}
