//! What must hold for a program to exist, checked once.
//!
//! A backend may rely on all of it: every tile is defined before it is used and of the type its operation needs, the
//! axes of products and elementwise operations agree, what is loaded and stored lies inside its tensor, and no two
//! points of a grid store to the same place.

use std::collections::HashSet;

use super::op::{Arg, Axis2, Form, Op, TileId, TileType};
use super::tensor::{Role, Span, Tensor, TensorId};
use super::{Bound, Draft, Index, Stage, Var};
use crate::DType;
use crate::problem::GROUP;

mod apart;
mod tensors;

use tensors::{pages_are_sound, stretch_is_sound, tensor_is_sound};

/// Why a draft is no program: a fault of the kernel's author or of a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// A tensor's declaration is at fault.
    #[error("tensor `{tensor}`: {fault}")]
    Tensor {
        /// Name of the tensor.
        tensor: String,
        /// What is wrong and what is required.
        fault: String,
    },
    /// The program as a whole is at fault.
    #[error("program `{program}`: {fault}")]
    Program {
        /// Name of the program.
        program: String,
        /// What is wrong and what is required.
        fault: String,
    },
    /// An operation is at fault.
    #[error("stage {stage}, `{op}`: {fault}")]
    Op {
        /// Position of the stage.
        stage: usize,
        /// The operation, as in a listing.
        op: String,
        /// What is wrong and what is required.
        fault: String,
    },
}

/// Checks all that [`super::Program`] promises.
pub(super) fn verify(draft: &Draft) -> Result<(), ProgramError> {
    let fault = |fault: &str| Err(ProgramError::Program { program: draft.name.clone(), fault: fault.into() });
    let n_outputs = draft.tensors.iter().filter(|t| t.role == Role::Output).count();
    if n_outputs != 1 {
        return fault(&format!("{n_outputs} outputs; a program has exactly one"));
    }
    if draft.stages.is_empty() {
        return fault("no stage; a program needs at least one");
    }
    let mut names = HashSet::new();
    for tensor in &draft.tensors {
        tensor_is_sound(tensor)
            .and_then(|()| pages_are_sound(tensor, &draft.tensors))
            .and_then(|()| if names.insert(&tensor.name) { Ok(()) } else { Err("the name is taken".into()) })
            .map_err(|fault| ProgramError::Tensor { tensor: tensor.name.clone(), fault })?;
    }
    let mut written = HashSet::new();
    for (i, stage) in draft.stages.iter().enumerate() {
        let mut walk = Walk::new(draft, i, stage, &written)?;
        walk.ops(&stage.body)?;
        written.extend(walk.stored);
    }
    let output = draft.tensors.iter().position(|t| t.role == Role::Output).expect("one output, counted above");
    if written.contains(&TensorId(output as u32)) { Ok(()) } else { fault("the output is never stored") }
}

/// Least and greatest value, both included.
type Ends = (i64, i64);

/// State of a walk over one stage.
struct Walk<'d> {
    draft: &'d Draft,
    at: usize,
    stage: &'d Stage,
    readable: &'d HashSet<TensorId>,
    defined: Vec<bool>,
    // Range of each variable in scope, ends included; none outside its loop.
    ranges: Vec<Option<(i64, i64)>>,
    stored: HashSet<TensorId>,
}

impl<'d> Walk<'d> {
    fn new(
        draft: &'d Draft,
        at: usize,
        stage: &'d Stage,
        readable: &'d HashSet<TensorId>,
    ) -> Result<Walk<'d>, ProgramError> {
        let fault = |fault: String| Err(ProgramError::Program { program: draft.name.clone(), fault });
        if let Some(axis) = stage.grid.iter().find(|axis| axis.extent == 0 || i64::try_from(axis.extent).is_err()) {
            return fault(format!("stage {at}: grid axis `{}` has no or too many points", axis.name));
        }
        if stage.grid.iter().try_fold(1usize, |n, axis| n.checked_mul(axis.extent)).is_none() {
            return fault(format!("stage {at}: the grid has too many points"));
        }
        if stage.n_vars < stage.grid.len() || stage.n_vars > 64 {
            return fault(format!("stage {at}: {} variables; at least the grid's and at most 64", stage.n_vars));
        }
        if stage.tiles.iter().any(|ty| ty.rows.size == 0 || ty.cols.size == 0) {
            return fault(format!("stage {at}: a tile of size 0"));
        }
        let mut ranges = vec![None; stage.n_vars];
        for (range, axis) in ranges.iter_mut().zip(&stage.grid) {
            *range = Some((0, axis.extent as i64 - 1));
        }
        for stretch in &stage.stretches {
            let sound = stretch_is_sound(stretch, stage, &ranges, &draft.tensors);
            sound.map_err(|why| ProgramError::Program {
                program: draft.name.clone(),
                fault: format!("stage {at}: a stretch: {why}"),
            })?;
            for var in [stretch.first, stretch.end] {
                ranges[var.0 as usize] = Some((0, stretch.len as i64));
            }
        }
        let defined = vec![false; stage.tiles.len()];
        Ok(Walk { draft, at, stage, readable, defined, ranges, stored: HashSet::new() })
    }

    fn ops(&mut self, ops: &[Op]) -> Result<(), ProgramError> {
        for op in ops {
            self.op(op).map_err(|fault| match fault {
                Fault::Here(fault) => ProgramError::Op { stage: self.at, op: op.headline(), fault },
                Fault::Within(error) => error,
            })?;
        }
        Ok(())
    }

    fn op(&mut self, op: &Op) -> Result<(), Fault> {
        match op {
            Op::Load { dst, tensor, lead } => {
                let (tensor, ty) = (self.tensor(*tensor)?.1, *self.ty(*dst)?);
                self.readable(tensor)?;
                require(ty.dtype == tensor.dtype, "a load gives the tensor's dtype; convert afterwards")?;
                self.place(tensor, lead, &ty)?;
                self.define(*dst)
            }
            Op::Store { tensor, lead, src } => self.store(*tensor, lead, *src),
            Op::Fill { dst, value } => {
                require(!value.is_nan(), "the value is NaN")?;
                if self.ty(*dst)?.dtype == DType::I32 {
                    require(*value == 0.0, "integers start at 0")?;
                    return self.define(*dst);
                }
                self.define_f32(*dst)
            }
            Op::Mma { acc, a, b, form } => self.mma(*acc, *a, *b, *form),
            Op::Unary { dst, x, .. } => {
                self.broadcasts(*dst, *x)?;
                self.define_f32(*dst)
            }
            Op::Binary { dst, x, y, .. } => {
                self.broadcasts(*dst, *x)?;
                self.broadcasts(*dst, *y)?;
                self.define_f32(*dst)
            }
            Op::Reduce { .. } | Op::Band { .. } | Op::Position { .. } | Op::Dequantise { .. } | Op::Convert { .. } => {
                self.shaped(op)
            }
            Op::Loop { var, low, high, body } => self.enter(*var, low, high, body),
        }
    }

    /// Operations whose result has a shape of its own.
    fn shaped(&mut self, op: &Op) -> Result<(), Fault> {
        match op {
            Op::Reduce { dst, x, .. } => {
                let (x, dst_ty) = (*self.argument(*x)?, *self.ty(*dst)?);
                require(dst_ty.rows == x.rows && dst_ty.cols == Span::ONE, "a reduction gives [rows, 1]")?;
                self.define_f32(*dst)
            }
            Op::Band { dst, x, row_div, outside, .. } => {
                let (x, dst_ty) = (*self.argument(*x)?, *self.ty(*dst)?);
                require(*row_div >= 1, "row_div is 0")?;
                require(!outside.is_nan(), "the value outside is NaN")?;
                require(same_place(&dst_ty, &x), "a band keeps the place of its argument")?;
                self.define_f32(*dst)
            }
            Op::Position { dst, axis } => {
                let ty = self.ty(*dst)?;
                let across = if *axis == Axis2::Rows { ty.cols } else { ty.rows };
                require(across == Span::ONE, "positions of rows have one column, of columns one row")?;
                self.define_f32(*dst)
            }
            Op::Dequantise { dst, x, scale } => {
                let (x, scale, dst_ty) = (*self.used(*x)?, *self.argument(*scale)?, *self.ty(*dst)?);
                require(x.dtype == DType::I4x2, "bytes of 4-bit integers are dequantised")?;
                require(x.covers(&dst_ty, 2), "a byte holds two columns")?;
                require(scale.covers(&dst_ty, GROUP), "a scale serves 32 columns, from a multiple of 32 on")?;
                self.define_f32(*dst)
            }
            Op::Convert { dst, x } => {
                let (x, dst_ty) = (*self.used(*x)?, *self.ty(*dst)?);
                require(x.dtype != DType::I4x2, "bytes of 4-bit integers have no value: dequantise")?;
                require(same_place(&dst_ty, &x), "a conversion keeps the place of its argument")?;
                require(!dst_ty.dtype.is_integer(), "nothing is rounded to integers")?;
                let is_sum = x.dtype == DType::I32;
                require(!is_sum || dst_ty.dtype == DType::F32, "sums of integers become f32; convert again")?;
                self.define(*dst)
            }
            _ => unreachable!("`op` sends what has a shape of its own"),
        }
    }

    fn mma(&mut self, acc: TileId, a: TileId, b: TileId, form: Form) -> Result<(), Fault> {
        let (acc_ty, a_ty, b_ty) = (*self.used(acc)?, *self.used(a)?, *self.used(b)?);
        let (b_depth, b_cols) = match form {
            Form::Ab => (b_ty.rows, b_ty.cols),
            Form::Abt => (b_ty.cols, b_ty.rows),
        };
        require(acc != a && acc != b, "the accumulator is also a factor")?;
        require(a_ty.dtype == b_ty.dtype, "both factors must be of one dtype; convert first")?;
        let is_factor = !a_ty.dtype.is_integer() || a_ty.dtype == DType::I8;
        require(
            is_factor,
            "factors are neither sums of integers nor bytes of 4-bit ones; convert or dequantise first",
        )?;
        let is_sum = acc_ty.dtype == if a_ty.dtype == DType::I8 { DType::I32 } else { DType::F32 };
        require(is_sum, "accumulators are f32, of i8 factors i32")?;
        require(a_ty.cols == b_depth, "the factors' spans along the contraction differ")?;
        require(acc_ty.rows == a_ty.rows && acc_ty.cols == b_cols, "the accumulator's spans differ from the factors'")
    }

    fn store(&mut self, id: TensorId, lead: &[Index], src: TileId) -> Result<(), Fault> {
        let (id, tensor) = self.tensor(id)?;
        require(!tensor.role.is_given(), "an input or weight is never written")?;
        require(!self.readable.contains(&id), "stored by an earlier stage already")?;
        let ty = *self.used(src)?;
        let is_integer = ty.dtype.is_integer() || tensor.dtype.is_integer();
        require(!is_integer || ty.dtype == tensor.dtype, "integers are stored as they are; convert first")?;
        self.place(tensor, lead, &ty)?;
        for (i, axis) in self.stage.grid.iter().enumerate().filter(|(_, axis)| axis.extent > 1) {
            let var = Var(i as u32);
            let whole = |at| (at, 1, None);
            let spans = [&ty.rows, &ty.cols].map(|span| (&span.start, span.size, span.end));
            let mut coordinates = lead.iter().map(whole).chain(spans);
            let apart = coordinates.any(|(start, size, end)| self.apart(var, start, size, end));
            require(apart, &format!("points along grid axis `{}` store to the same place", axis.name))?;
        }
        self.stored.insert(id);
        Ok(())
    }

    fn enter(&mut self, var: Var, low: &[Bound], high: &[Bound], body: &[Op]) -> Result<(), Fault> {
        let slot = var.0 as usize;
        require(slot >= self.stage.grid.len() && slot < self.stage.n_vars, "the loop's variable is not a loop's")?;
        require(self.ranges[slot].is_none(), "the loop's variable is in use")?;
        let low = self.ends(low, |a, b| (a.0.max(b.0), a.1.max(b.1)))?;
        let high = self.ends(high, |a, b| (a.0.min(b.0), a.1.min(b.1)))?;
        self.ranges[slot] = Some((low.0, (high.1 - 1).max(low.0)));
        let before = self.defined.clone();
        self.ops(body).map_err(Fault::Within)?;
        // The body may run no time at all: what it defines does not exist after it.
        self.defined = before;
        self.ranges[slot] = None;
        Ok(())
    }

    fn ends(&self, bounds: &[Bound], join: fn(Ends, Ends) -> Ends) -> Result<Ends, Fault> {
        let mut ends = None;
        for bound in bounds {
            require(bound.divisor >= 1, "a bound's divisor is below 1")?;
            let ranges = self.scope(&bound.index)?;
            let range = bound.range(&ranges).ok_or_else(|| Fault::Here("a bound overflows".into()))?;
            ends = Some(ends.map_or(range, |e| join(e, range)));
        }
        ends.ok_or_else(|| Fault::Here("a loop needs a lower and an upper bound".into()))
    }

    /// Checks that a tile lies in a matrix of a tensor: right axes, no index below 0, leading indices in bounds.
    fn place(&self, tensor: &Tensor, lead: &[Index], ty: &TileType) -> Result<(), Fault> {
        require(lead.len() == tensor.lead.len(), &format!("`{}` takes {} indices", tensor.name, tensor.lead.len()))?;
        for (at, axis) in lead.iter().zip(&tensor.lead) {
            let (low, high) = self.range(at)?;
            let inside = low >= 0 && high < axis.len as i64;
            require(inside, &format!("index {low}..={high} leaves an axis of {} of `{}`", axis.len, tensor.name))?;
        }
        for (span, len, what) in [(ty.rows, tensor.n_rows(), "rows"), (ty.cols, tensor.cols, "columns")] {
            require(span.len == len, &format!("`{}` has {len} {what}, the span {}", tensor.name, span.len))?;
            require(self.range(&span.start)?.0 >= 0, &format!("{what} of `{}` may start below 0", tensor.name))?;
        }
        Ok(())
    }

    fn range(&self, index: &Index) -> Result<(i64, i64), Fault> {
        let ranges = self.scope(index)?;
        index.range(&ranges).ok_or_else(|| Fault::Here("an index overflows".into()))
    }

    /// Ranges by variable, where those of `index` are all in scope.
    fn scope(&self, index: &Index) -> Result<Vec<(i64, i64)>, Fault> {
        for (var, _) in index.terms() {
            let in_scope = self.ranges.get(var.0 as usize).copied().flatten().is_some();
            require(in_scope, &format!("variable {} is not in scope", var.0))?;
        }
        Ok(self.ranges.iter().map(|range| range.unwrap_or((0, 0))).collect())
    }

    fn readable(&self, tensor: &Tensor) -> Result<(), Fault> {
        let id = self.draft.tensors.iter().position(|t| t.name == tensor.name).map(|i| TensorId(i as u32));
        match tensor.role {
            Role::Input | Role::Weight => Ok(()),
            Role::Scratch => require(
                id.is_some_and(|id| self.readable.contains(&id)),
                "scratch is read before an earlier stage stored it",
            ),
            Role::Output => Err(Fault::Here("the output is never read".into())),
            Role::Table => Err(Fault::Here("a table says where rows lie and is never loaded".into())),
        }
    }

    fn broadcasts(&self, dst: TileId, arg: Arg) -> Result<(), Fault> {
        match arg {
            Arg::Scalar(x) => require(!x.is_nan(), "a scalar is NaN"),
            Arg::Tile(x) => {
                let (x, dst) = (self.argument(x)?, self.ty(dst)?);
                let rows = x.rows == dst.rows || x.rows == Span::ONE;
                let cols = x.cols == dst.cols || x.cols == Span::ONE;
                require(rows && cols, "an argument has neither the result's span nor one row or column")
            }
        }
    }

    fn define_f32(&mut self, dst: TileId) -> Result<(), Fault> {
        require(self.ty(dst)?.dtype == DType::F32, "arithmetic gives f32; convert afterwards")?;
        self.define(dst)
    }

    fn define(&mut self, dst: TileId) -> Result<(), Fault> {
        let ty = *self.ty(dst)?;
        for span in [ty.rows, ty.cols] {
            require(self.range(&span.start)?.0 >= 0, "a span may start below 0")?;
            let of_stretch = |end| self.stage.stretches.iter().any(|s| s.end == end && s.len == span.len);
            require(span.end.is_none_or(of_stretch), "a span ends with no stretch of its axis")?;
        }
        self.defined[dst.0 as usize] = true;
        Ok(())
    }

    fn used(&self, tile: TileId) -> Result<&'d TileType, Fault> {
        let ty = self.ty(tile)?;
        require(self.defined[tile.0 as usize], &format!("%{} is used before it is defined", tile.0))?;
        Ok(ty)
    }

    /// A tile that arithmetic reads.
    fn argument(&self, tile: TileId) -> Result<&'d TileType, Fault> {
        let ty = self.used(tile)?;
        require(ty.dtype != DType::I32, "sums of integers take part in no arithmetic; convert first")?;
        require(ty.dtype != DType::I4x2, "bytes of 4-bit integers take part in no arithmetic; dequantise first")?;
        Ok(ty)
    }

    fn ty(&self, tile: TileId) -> Result<&'d TileType, Fault> {
        self.stage.tiles.get(tile.0 as usize).ok_or_else(|| Fault::Here(format!("%{} does not exist", tile.0)))
    }

    fn tensor(&self, id: TensorId) -> Result<(TensorId, &'d Tensor), Fault> {
        let tensor = self.draft.tensors.get(id.0 as usize);
        tensor.map(|t| (id, t)).ok_or_else(|| Fault::Here(format!("tensor {} does not exist", id.0)))
    }
}

fn same_place(a: &TileType, b: &TileType) -> bool {
    a.rows == b.rows && a.cols == b.cols
}

/// A fault of the operation at hand, or one found inside its body.
enum Fault {
    Here(String),
    Within(ProgramError),
}

fn require(holds: bool, fault: &str) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(Fault::Here(fault.into())) }
}
