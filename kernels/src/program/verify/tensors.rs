//! What must hold of a tensor's declaration.

use super::super::tensor::{Role, Stretch, Tensor};
use super::super::{Stage, Var};
use crate::DType;

/// Checks a declaration for itself.
pub(super) fn tensor_is_sound(tensor: &Tensor) -> Result<(), String> {
    let axes = || tensor.lead.iter().chain(&tensor.rows);
    if tensor.cols == 0 || axes().any(|axis| axis.len == 0) {
        return Err("an axis of 0; every axis has at least one position".into());
    }
    if tensor.pages.is_some_and(|pages| pages.rows == 0 || pages.count == 0) {
        return Err("pages of no row, or no page; there is at least one of each".into());
    }
    let last = tensor.extent().try_fold(tensor.cols - 1, |sum, (n, stride)| sum.checked_add(n.checked_mul(stride)?));
    let bytes = last.and_then(|last| last.checked_add(1)?.checked_mul(tensor.dtype.size_bytes()));
    if bytes.is_none_or(|bytes| bytes > isize::MAX as usize) {
        return Err("overflows memory".into());
    }
    match tensor.role {
        Role::Table if tensor.dtype != DType::I32 => return Err("a table is of i32".into()),
        Role::Input | Role::Weight | Role::Scratch if tensor.dtype == DType::I32 => {
            return Err("sums of integers are outputs alone; an input is i8, scratch f32".into());
        }
        _ => {}
    }
    if !tensor.role.is_given() {
        // Written axes must not overlap: sorted by stride, each must step over all that the smaller ones span.
        let mut sorted: Vec<_> = axes().filter(|axis| axis.len > 1).collect();
        sorted.sort_by_key(|axis| axis.stride);
        let mut spanned = tensor.cols;
        for axis in sorted {
            if axis.stride < spanned {
                return Err(format!("axes of a written tensor overlap: stride {} < {spanned}", axis.stride));
            }
            spanned += (axis.len - 1) * axis.stride;
        }
    }
    Ok(())
}

/// Checks that a table serves the pages of a tensor.
pub(super) fn pages_are_sound(tensor: &Tensor, tensors: &[Tensor]) -> Result<(), String> {
    let Some(pages) = tensor.pages else { return Ok(()) };
    if tensor.role != Role::Input {
        return Err("rows in pages are of inputs alone".into());
    }
    let [rows] = tensor.rows.as_slice() else {
        return Err(format!("rows of {} axes in pages; they have one", tensor.rows.len()));
    };
    let table = tensors.get(pages.table.0 as usize).filter(|table| table.role == Role::Table);
    let Some(table) = table else { return Err("its pages have no table".into()) };
    let lens = |tensor: &Tensor| tensor.lead.iter().map(|axis| axis.len).collect::<Vec<_>>();
    if lens(table) != lens(tensor) || table.n_rows() != 1 || table.pages.is_some() {
        return Err(format!("its table `{}` has not the same leading axes and one row", table.name));
    }
    let asked = rows.len.div_ceil(pages.rows);
    if table.cols < asked {
        return Err(format!("its table `{}` has {} columns; {asked} pages have one each", table.name, table.cols));
    }
    Ok(())
}

/// Checks the declaration of a stretch, given the variables known before it.
pub(super) fn stretch_is_sound(
    stretch: &Stretch,
    stage: &Stage,
    ranges: &[Option<(i64, i64)>],
    tensors: &[Tensor],
) -> Result<(), String> {
    let Stretch { first, end, table, at, len } = stretch;
    let is_free = |var: &Var| matches!(ranges.get(var.0 as usize), Some(None));
    if !is_free(first) || !is_free(end) || first == end {
        return Err("its variables are not its own".into());
    }
    let table = tensors.get(table.0 as usize).filter(|table| table.role == Role::Table);
    let Some(table) = table.filter(|table| table.lead.is_empty() && table.n_rows() == 1) else {
        return Err("it has no table of a single row".into());
    };
    // Of one axis alone, so that every point along it has another stretch.
    let terms: Vec<(Var, i64)> = at.terms().collect();
    let (low, high) = match terms.as_slice() {
        [] => (at.base(), at.base()),
        [(axis, 1)] if (axis.0 as usize) < stage.grid.len() => {
            (at.base(), at.base().saturating_add(stage.grid[axis.0 as usize].extent as i64 - 1))
        }
        _ => return Err("which one is neither a constant nor a position on an axis of the grid".into()),
    };
    if low < 0 || high >= table.cols as i64 - 1 {
        let most = table.cols as i64 - 2;
        return Err(format!("number {low}..={high}; `{}` says where 0 to {most} begin and end", table.name));
    }
    if i64::try_from(*len).is_err() {
        return Err("its axis is too long".into());
    }
    Ok(())
}
