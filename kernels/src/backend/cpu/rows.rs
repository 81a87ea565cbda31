//! Elementwise operations and reductions, fused by row: each row of a tile goes through all operations of a group
//! while it is in L1.
//!
//! A group is *across* (its operations run along the columns of each row) or *down* (all its tiles are column vectors,
//! kept densely: one pass over the rows does the work of a row).

use super::dequantise::dequantise;
use super::isa::{Isa, Task};
use super::plan::SlotId;
use super::simd::Simd;
use crate::DType;
use crate::program::{Axis2, BinaryFn, ReduceFn, Span, UnaryFn};

/// An argument, by how it is repeated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum RowArg {
    /// The same number everywhere.
    Scalar(f32),
    /// An element for each element.
    Each(SlotId),
    /// An element for each row.
    PerRow(SlotId),
    /// An element for each column.
    PerCol(SlotId),
    /// One element.
    One(SlotId),
}

impl RowArg {
    /// The slot that is read, if any.
    pub(super) fn slot(self) -> Option<SlotId> {
        match self {
            RowArg::Scalar(_) => None,
            RowArg::Each(slot) | RowArg::PerRow(slot) | RowArg::PerCol(slot) | RowArg::One(slot) => Some(slot),
        }
    }
}

/// What is done to a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum RowFn {
    Fill(f32),
    Unary(UnaryFn, RowArg),
    Binary(BinaryFn, RowArg, RowArg),
    /// The destination has one element a row.
    Reduce(ReduceFn, SlotId),
    /// Keeps `low ≤ column − ⌊row / row_div⌋ ≤ high`.
    Band {
        x: SlotId,
        row_div: usize,
        low: Option<i64>,
        high: Option<i64>,
        outside: f32,
    },
    Position(Axis2),
    /// Rounds to a 16-bit type, kept as f32.
    Round(DType, SlotId),
    /// Rounds to bf16, kept as pairs.
    Pairs(SlotId),
    /// Sums of integers as f32.
    FromInteger(SlotId),
    /// Bytes of two 4-bit integers as f32, times the scale of their group.
    Dequantise {
        bytes: SlotId,
        scale: SlotId,
    },
}

/// One operation of a group.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowOp {
    /// Written to.
    pub(super) dst: SlotId,
    /// What is done.
    pub(super) f: RowFn,
    /// Columns: of the destination, or of what is reduced.
    pub(super) cols: Span,
}

/// Operations over the same rows.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// The rows.
    pub(super) rows: Span,
    /// Whether the group runs down column vectors.
    pub(super) down: bool,
    /// In order.
    pub(super) ops: Vec<RowOp>,
}

impl Group {
    /// Slots that the group reads or writes.
    pub(super) fn slots(&self) -> impl Iterator<Item = SlotId> + '_ {
        self.ops.iter().flat_map(|op| {
            let read = match op.f {
                RowFn::Fill(_) | RowFn::Position(_) => [None, None],
                RowFn::Unary(_, x) => [x.slot(), None],
                RowFn::Binary(_, x, y) => [x.slot(), y.slot()],
                RowFn::Dequantise { bytes, scale } => [Some(bytes), Some(scale)],
                RowFn::Reduce(_, x)
                | RowFn::Band { x, .. }
                | RowFn::Round(_, x)
                | RowFn::Pairs(x)
                | RowFn::FromInteger(x) => [Some(x), None],
            };
            read.into_iter().flatten().chain([op.dst])
        })
    }
}

/// A worker's slots: where each is and its stride.
#[derive(Clone, Copy)]
pub(super) struct Slots<'w> {
    /// First unit of each slot.
    pub(super) at: &'w [*mut f32],
    /// Stride of each slot's rows.
    pub(super) leads: &'w [usize],
}

impl Slots<'_> {
    #[inline(always)]
    fn row(&self, slot: SlotId, row: usize) -> *mut f32 {
        self.at[slot.0].wrapping_add(row * self.leads[slot.0])
    }
}

/// Writes an expression of the column to whole vectors of a row, or to its one element where the row is narrow. A
/// macro, since closures are not inlined into code of another instruction set.
macro_rules! each {
    ($simd:ident, $dst:ident, |$c:ident| $value:expr) => {
        if $dst.narrow {
            let $c = 0;
            let value = $value;
            // SAFETY: the row has one element.
            unsafe { $simd.store_first($dst.at, value, 1) };
        } else {
            let mut $c = 0;
            while $c < $dst.n {
                let value = $value;
                // SAFETY: rows are padded to whole vectors.
                unsafe { $simd.store($dst.at.add($c), value) };
                $c += S::LANES;
            }
        }
    };
}

/// Runs a group.
///
/// # Safety
/// - Every slot of the group is valid for the rows that exist, padded to whole vectors, and belongs to this worker.
pub(super) unsafe fn run(isa: Isa, group: &Group, slots: Slots, values: &[i64]) {
    isa.run(Rows { group, slots, values });
}

struct Rows<'w> {
    group: &'w Group,
    slots: Slots<'w>,
    values: &'w [i64],
}

impl Task for Rows<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let n_rows = self.group.rows.valid(self.values);
        let first_row = self.group.rows.start(self.values);
        if self.group.down {
            for op in &self.group.ops {
                self.op(simd, op, 0, first_row, n_rows, first_row);
            }
            return;
        }
        for row in 0..n_rows {
            for op in &self.group.ops {
                let first_col = op.cols.start(self.values);
                self.op(simd, op, row, first_row + row, op.cols.valid(self.values), first_col);
            }
        }
    }
}

/// Where an operation writes: `n` elements of a row.
#[derive(Clone, Copy)]
struct Dst {
    at: *mut f32,
    n: usize,
    /// A dense column vector in a group across: room for one element a row.
    narrow: bool,
}

impl Rows<'_> {
    /// One operation on `n` elements of a row that stands at `row_pos`, from column `col_pos`. Down a column vector
    /// the "row" is the vector.
    #[inline(always)]
    fn op<S: Simd>(&self, simd: S, op: &RowOp, row: usize, row_pos: usize, n: usize, col_pos: usize) {
        let down = self.group.down;
        let dst = Dst { at: self.slots.row(op.dst, row), n, narrow: !down && self.slots.leads[op.dst.0] == 1 };
        match op.f {
            RowFn::Fill(x) => each!(simd, dst, |_c| simd.splat(x)),
            RowFn::Unary(f, x) => unary(simd, dst, f, &self.arg(simd, x, row)),
            RowFn::Binary(f, x, y) => binary(simd, dst, f, &self.arg(simd, x, row), &self.arg(simd, y, row)),
            RowFn::Reduce(f, x) => {
                let reduced = reduce(simd, f, self.slots.row(x, row), n);
                // SAFETY: the destination has an element for this row.
                unsafe { *dst.at = reduced };
            }
            RowFn::Band { x, row_div, low, high, outside } => {
                let position = (row_pos / row_div) as i64 - col_pos as i64;
                let end = |end: i64| (end + position).clamp(-1, n as i64);
                let first = low.map_or(0, |low| end(low).max(0) as usize);
                let last = high.map_or(n, |high| (end(high) + 1).clamp(0, n as i64) as usize);
                // SAFETY: `n` elements of both rows exist; they are the same row or do not overlap.
                unsafe { band(self.slots.row(x, row), dst.at, n, first.min(n)..last, outside) };
            }
            RowFn::Position(axis) => {
                let (first, step) = if down || axis == Axis2::Cols { (col_pos, 1) } else { (row_pos, 0) };
                for c in 0..n {
                    // SAFETY: the destination has `n` elements.
                    unsafe { *dst.at.add(c) = (first + step * c) as f32 };
                }
            }
            RowFn::Round(dtype, x) => {
                let x = self.slots.row(x, row);
                // SAFETY: rows are padded to whole vectors.
                each!(simd, dst, |c| rounded(simd, dtype, unsafe { simd.load(x.add(c)) }));
            }
            RowFn::Pairs(x) => pairs(simd, dst, self.slots.row(x, row)),
            RowFn::Dequantise { bytes, scale } => {
                // SAFETY: the rows hold the bytes and scales of whole groups, and room for their numbers.
                unsafe { dequantise(simd, (dst.at, n), self.slots.row(bytes, row).cast(), self.slots.row(scale, row)) };
            }
            RowFn::FromInteger(x) => {
                let x = self.slots.row(x, row);
                // SAFETY: rows are padded to whole vectors.
                each!(simd, dst, |c| simd.convert_i32(unsafe { simd.load(x.add(c)) }));
            }
        }
    }

    #[inline(always)]
    fn arg<S: Simd>(&self, simd: S, arg: RowArg, row: usize) -> Arg<S> {
        match arg {
            RowArg::Scalar(x) => Arg::Same(simd.splat(x)),
            RowArg::Each(slot) => {
                Arg::Row(self.slots.row(slot, row), !self.group.down && self.slots.leads[slot.0] == 1)
            }
            RowArg::PerCol(slot) => Arg::Row(self.slots.row(slot, 0), false),
            // SAFETY: the slot holds an element for each row.
            RowArg::PerRow(slot) => Arg::Same(simd.splat(unsafe { *self.slots.row(slot, row) })),
            // SAFETY: the slot holds an element.
            RowArg::One(slot) => Arg::Same(simd.splat(unsafe { *self.slots.row(slot, 0) })),
        }
    }
}

enum Arg<S: Simd> {
    /// A row; where the flag is set it holds one element alone.
    Row(*const f32, bool),
    Same(S::F),
}

impl<S: Simd> Arg<S> {
    #[inline(always)]
    fn at(&self, simd: S, c: usize) -> S::F {
        match self {
            // SAFETY: rows are padded to whole vectors, a lone element is read alone.
            Arg::Row(row, false) => unsafe { simd.load(row.add(c)) },
            // SAFETY: as above.
            Arg::Row(row, true) => unsafe { simd.load_first(*row, 1) },
            Arg::Same(x) => *x,
        }
    }
}

#[inline(always)]
fn unary<S: Simd>(simd: S, dst: Dst, f: UnaryFn, x: &Arg<S>) {
    match f {
        UnaryFn::Copy => each!(simd, dst, |c| x.at(simd, c)),
        UnaryFn::Exp2 => each!(simd, dst, |c| simd.exp2(x.at(simd, c))),
        UnaryFn::Log2 => each!(simd, dst, |c| simd.map(x.at(simd, c), f32::log2)),
        UnaryFn::Tanh => each!(simd, dst, |c| simd.map(x.at(simd, c), f32::tanh)),
        UnaryFn::Rsqrt => each!(simd, dst, |c| simd.div(simd.splat(1.0), simd.sqrt(x.at(simd, c)))),
        UnaryFn::Abs => each!(simd, dst, |c| simd.max(x.at(simd, c), simd.sub(simd.splat(0.0), x.at(simd, c)))),
    }
}

#[inline(always)]
fn binary<S: Simd>(simd: S, dst: Dst, f: BinaryFn, x: &Arg<S>, y: &Arg<S>) {
    match f {
        BinaryFn::Add => each!(simd, dst, |c| simd.add(x.at(simd, c), y.at(simd, c))),
        BinaryFn::Sub => each!(simd, dst, |c| simd.sub(x.at(simd, c), y.at(simd, c))),
        BinaryFn::Mul => each!(simd, dst, |c| simd.mul(x.at(simd, c), y.at(simd, c))),
        BinaryFn::Div => each!(simd, dst, |c| simd.div(x.at(simd, c), y.at(simd, c))),
        BinaryFn::Max => each!(simd, dst, |c| simd.max(x.at(simd, c), y.at(simd, c))),
        BinaryFn::Min => each!(simd, dst, |c| simd.min(x.at(simd, c), y.at(simd, c))),
    }
}

/// Rounds a row to bf16; an odd last element is paired with zero.
#[inline(always)]
fn pairs<S: Simd>(simd: S, dst: Dst, x: *const f32) {
    let at = dst.at.cast::<u16>();
    let mut c = 0;
    while c < dst.n {
        // SAFETY: rows are padded to whole vectors.
        unsafe { simd.store_bf16(at.add(c), simd.load(x.add(c))) };
        c += S::LANES;
    }
    if dst.n % 2 == 1 {
        // SAFETY: rows are padded to whole pairs.
        unsafe { *at.add(dst.n) = 0 };
    }
}

#[inline(always)]
fn fold<S: Simd>(simd: S, f: ReduceFn, x: S::F, y: S::F) -> S::F {
    match f {
        ReduceFn::Max => simd.max(x, y),
        ReduceFn::Sum => simd.add(x, y),
    }
}

#[inline(always)]
fn reduce<S: Simd>(simd: S, f: ReduceFn, x: *const f32, n: usize) -> f32 {
    let whole = n - n % S::LANES;
    let start = if f == ReduceFn::Max { f32::NEG_INFINITY } else { 0.0 };
    // Four at a time: each waits for the one before it.
    let mut four = [simd.splat(start); 4];
    let mut c = 0;
    while c + 4 * S::LANES <= whole {
        for (i, folded) in four.iter_mut().enumerate() {
            // SAFETY: `c + 4 · LANES ≤ n` elements of the row.
            *folded = fold(simd, f, *folded, unsafe { simd.load(x.add(c + i * S::LANES)) });
        }
        c += 4 * S::LANES;
    }
    let mut folded = fold(simd, f, fold(simd, f, four[0], four[1]), fold(simd, f, four[2], four[3]));
    while c < whole {
        // SAFETY: `c + LANES ≤ n` elements of the row.
        folded = fold(simd, f, folded, unsafe { simd.load(x.add(c)) });
        c += S::LANES;
    }
    let mut result = match f {
        ReduceFn::Max => simd.max_lane(folded),
        ReduceFn::Sum => simd.sum(folded),
    };
    while c < n {
        // SAFETY: `c < n`.
        let x = unsafe { *x.add(c) };
        result = match f {
            ReduceFn::Max => result.max(x),
            ReduceFn::Sum => result + x,
        };
        c += 1;
    }
    result
}

/// # Safety
/// - `n` elements of `x` are readable and of `dst` writable; the rows are the same or do not overlap.
#[inline(always)]
unsafe fn band(x: *const f32, dst: *mut f32, n: usize, kept: std::ops::Range<usize>, outside: f32) {
    let (start, end) = (kept.start.min(n), kept.end.clamp(kept.start.min(n), n));
    // SAFETY: `start ≤ end ≤ n`: the three parts make up the row, and a copy onto itself is left out.
    unsafe {
        std::slice::from_raw_parts_mut(dst, start).fill(outside);
        std::slice::from_raw_parts_mut(dst.add(end), n - end).fill(outside);
        if !std::ptr::eq(x, dst) {
            std::ptr::copy_nonoverlapping(x.add(start), dst.add(start), end - start);
        }
    }
}

/// Rounds to a type, kept as f32.
#[inline(always)]
pub(super) fn rounded<S: Simd>(simd: S, dtype: DType, x: S::F) -> S::F {
    let mut bits = [0u16; 16];
    // SAFETY: `bits` holds 16 ≥ LANES elements, and so do the lanes of an array.
    unsafe {
        match dtype {
            DType::F32 | DType::I32 | DType::I8 | DType::I4x2 => x,
            DType::F16 => {
                simd.store_f16(bits.as_mut_ptr(), x);
                simd.load_f16(bits.as_ptr())
            }
            DType::Bf16 => {
                simd.store_bf16(bits.as_mut_ptr(), x);
                simd.load_bf16(bits.as_ptr())
            }
            DType::F8E4M3 | DType::F8E5M2 => {
                let lanes = simd.to_array(x).map(|x| dtype.round(f64::from(x)) as f32);
                simd.load(lanes.as_ptr())
            }
        }
    }
}
