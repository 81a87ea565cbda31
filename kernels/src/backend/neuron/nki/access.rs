//! Operands in HBM and the patterns that read and write them.
//!
//! An operand that is dense, with rows of one axis, is an array in its natural shape and is read by slices. Any other (a
//! group of heads whose rows interleave, rows with gaps) is one flat array, read by the access pattern that DMA engines
//! take: `[stride, count]` of each axis and an offset. Rows that are (outer, inner) pairs make one pattern where the tile
//! starts and ends with whole groups; else a few, one for each run of rows that an access pattern can name.

use super::affine::{Affine, Scope, Size};
use crate::DType;
use crate::program::{Axis, Index, Tensor, TileType};

/// An array that the kernel takes or gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its name in the kernel.
    pub name: String,
    /// Its shape, row-major; elements in all are the program's.
    pub shape: Vec<usize>,
    /// Its element type.
    pub dtype: DType,
}

/// Axes that an array of NKI may have (NKI language guide, "Tensor Values").
const MAX_AXES: usize = 5;

impl Argument {
    pub(super) fn of(tensor: &Tensor, name: String) -> Argument {
        let shape = dense_shape(tensor).unwrap_or_else(|| vec![tensor.elems()]);
        Argument { name, shape, dtype: tensor.dtype }
    }
}

/// Axes of more than one position.
fn real(axes: &[Axis]) -> impl Iterator<Item = &Axis> {
    axes.iter().filter(|axis| axis.len > 1)
}

/// `[lead.., rows, cols]` where the tensor is dense in that order.
fn dense_shape(tensor: &Tensor) -> Option<Vec<usize>> {
    let rows: Vec<&Axis> = real(&tensor.rows).collect();
    let row = match rows[..] {
        [] => Axis { len: 1, stride: tensor.cols },
        [row] => *row,
        _ => return None,
    };
    let mut stride = tensor.cols;
    let axes: Vec<Axis> = real(&tensor.lead).copied().chain([row]).collect();
    for axis in axes.iter().rev() {
        if axis.stride != stride {
            return None;
        }
        stride *= axis.len;
    }
    let shape: Vec<usize> = axes.iter().map(|axis| axis.len).chain([tensor.cols]).collect();
    (shape.len() <= MAX_AXES).then_some(shape)
}

/// A tile's place in an operand.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Access {
    pub(super) name: String,
    /// Position of its first row and its first column.
    pub(super) row: Affine,
    pub(super) col: Affine,
    /// Its rows and columns.
    pub(super) rows: Size,
    pub(super) cols: Size,
    pub(super) form: Form,
}

/// How the operand is read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    /// By slices, after these leading indices; `whole` says that all columns are read.
    Slices { lead: Vec<String>, whole: bool },
    /// One row, repeated on every partition, from an element offset.
    Spread { offset: String },
    /// By patterns of rows, from the element offset of the matrix and the column.
    Pattern(Rows),
}

/// Rows of a flat operand.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rows {
    /// Element offset of row 0.
    pub(super) offset: String,
    /// Axes of more than one position, outermost first, the last one apart.
    pub(super) outer: Vec<Axis>,
    pub(super) inner: Axis,
    /// Whether every tile and chunk begins and ends with whole groups of `inner.len` rows.
    pub(super) aligned: bool,
}

impl Access {
    /// The place of a tile of type `ty` in the matrix at `lead`. `spread`: its one row goes to every partition.
    pub(super) fn of(
        tensor: &Tensor,
        argument: &Argument,
        lead: &[Index],
        ty: &TileType,
        spread: bool,
        scope: &mut Scope,
        mut fresh: impl FnMut(&str) -> String,
    ) -> Access {
        let (rows, cols) = (scope.size(&ty.rows, &mut fresh), scope.size(&ty.cols, &mut fresh));
        let (row, col) = (scope.affine(&ty.rows.start), scope.affine(&ty.cols.start));
        let form = if spread {
            let offset = offset(tensor, lead, scope).plus(&col);
            Form::Spread { offset: scope.text(&offset) }
        } else if dense_shape(tensor).is_some() {
            let picked = lead.iter().zip(&tensor.lead).filter(|(_, axis)| axis.len > 1);
            let lead = picked.map(|(index, _)| scope.text(&scope.affine(index))).collect();
            Form::Slices { lead, whole: cols.is_fixed() && cols.max == tensor.cols }
        } else {
            let offset = offset(tensor, lead, scope).plus(&col);
            Form::Pattern(Rows::of(tensor, ty, &row, scope.text(&offset)))
        };
        Access { name: argument.name.clone(), row, col, rows, cols, form }
    }
}

/// Element offset of the matrix at `lead`.
fn offset(tensor: &Tensor, lead: &[Index], scope: &Scope) -> Affine {
    let terms = lead.iter().zip(&tensor.lead).map(|(at, axis)| scope.affine(at).scaled(axis.stride as i64));
    terms.fold(Affine::constant(0), |sum, term| sum.plus(&term))
}

impl Rows {
    fn of(tensor: &Tensor, ty: &TileType, start: &Affine, offset: String) -> Rows {
        let mut axes: Vec<Axis> = real(&tensor.rows).copied().collect();
        let inner = axes.pop().unwrap_or(Axis { len: 1, stride: 0 });
        let group = inner.len as i64;
        let sizes = [ty.rows.size, ty.rows.len];
        let aligned = start.is_multiple_of(group)
            && sizes.iter().all(|n| n.is_multiple_of(inner.len))
            && (ty.rows.size <= 128 || 128 % inner.len == 0)
            && axes.len() == 1;
        Rows { offset, outer: axes, inner, aligned }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Role;

    fn tensor(lead: &[(usize, usize)], rows: &[(usize, usize)], cols: usize) -> Tensor {
        let axes = |axes: &[(usize, usize)]| axes.iter().map(|&(len, stride)| Axis { len, stride }).collect();
        let (lead, rows) = (axes(lead), axes(rows));
        Tensor { name: "x".into(), dtype: DType::F32, role: Role::Input, lead, rows, cols, pages: None }
    }

    #[test]
    fn dense_operands_keep_their_shape_and_others_are_flat() {
        let shape = |tensor: &Tensor| Argument::of(tensor, "x".into()).shape;
        assert_eq!(shape(&tensor(&[(3, 35)], &[(5, 7)], 7)), [3, 5, 7]);
        assert_eq!(shape(&tensor(&[(1, 35)], &[(5, 7)], 7)), [5, 7]);
        // Rows with a gap of one element.
        assert_eq!(shape(&tensor(&[], &[(5, 8)], 7)), [4 * 8 + 7]);
        // Positions and the heads of a group.
        assert_eq!(shape(&tensor(&[(2, 48)], &[(3, 8), (2, 24)], 8)), [96]);
    }
}
