//! Operands of a program and the spans that tiles cut out of them.

use serde::{Deserialize, Serialize};

use super::{Index, Var};
use crate::DType;

/// Position of a tensor in its program's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TensorId(pub u32);

/// Who provides a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The caller; never written.
    Input,
    /// The caller, the same from launch to launch: a backend may keep it in a form of its own.
    Weight,
    /// The caller; what it held before is never read.
    Output,
    /// The backend; carries values from one stage to later ones.
    Scratch,
}

impl Role {
    /// Whether the caller passes it in: it is read, and never written.
    pub fn is_given(self) -> bool {
        matches!(self, Role::Input | Role::Weight)
    }
}

/// A dimension of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Axis {
    /// Number of positions.
    pub len: usize,
    /// Elements from one position to the next.
    pub stride: usize,
}

/// A tensor seen as a stack of matrices: `lead` picks the matrix, `rows` (several axes count as one, outermost first)
/// and `cols` (contiguous) span it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tensor {
    /// Name in listings and messages.
    pub name: String,
    /// Element type.
    pub dtype: DType,
    /// Who provides it.
    pub role: Role,
    /// Axes that a load or store indexes with one position each.
    pub lead: Vec<Axis>,
    /// Axes that make up the rows: row `r` is the `r`-th combination, the last axis changing fastest.
    pub rows: Vec<Axis>,
    /// Number of columns; neighbours are adjacent in memory.
    pub cols: usize,
}

impl Tensor {
    /// Number of rows of each matrix.
    pub fn n_rows(&self) -> usize {
        self.rows.iter().map(|axis| axis.len).product()
    }

    /// Elements the tensor takes.
    pub fn elems(&self) -> usize {
        let last: usize = self.lead.iter().chain(&self.rows).map(|axis| (axis.len - 1) * axis.stride).sum();
        last + self.cols
    }

    /// Bytes the tensor takes.
    pub fn size_bytes(&self) -> usize {
        self.elems() * self.dtype.size_bytes()
    }

    /// Calls `each` with the element offset of each of `rows` of the matrix at `lead`, in order.
    pub fn row_offsets(&self, lead: &[i64], rows: std::ops::Range<usize>, mut each: impl FnMut(usize)) {
        match self.rows.as_slice() {
            [axis] => {
                let base = self.row_offset(lead, 0);
                rows.for_each(|row| each(base + row * axis.stride));
            }
            _ => rows.for_each(|row| each(self.row_offset(lead, row))),
        }
    }

    /// Element offset of row `row` of the matrix at `lead`.
    pub fn row_offset(&self, lead: &[i64], row: usize) -> usize {
        let base: usize = self.lead.iter().zip(lead).map(|(axis, at)| axis.stride * *at as usize).sum();
        let mut rest = row;
        self.rows.iter().rev().fold(base, |offset, axis| {
            let at = rest % axis.len;
            rest /= axis.len;
            offset + at * axis.stride
        })
    }
}

/// `size` positions from `start` on an axis of `len`: at the axis' end fewer exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    /// First position.
    pub start: Index,
    /// Positions of a full tile.
    pub size: usize,
    /// Positions of the axis.
    pub len: usize,
}

impl Span {
    /// The single position of an axis of one: the missing dimension of a row or column vector.
    pub const ONE: Span = Span { start: Index::constant(0), size: 1, len: 1 };

    /// A whole axis as one tile.
    pub const fn whole(len: usize) -> Span {
        Span { start: Index::constant(0), size: len, len }
    }

    /// Tile `var` of an axis cut into tiles of `size`.
    pub fn tile(var: Var, size: usize, len: usize) -> Span {
        let size = size.min(len);
        Span { start: Index::from(var) * size as i64, size, len }
    }

    /// First position where `values[v]` is variable `v`.
    pub fn start(&self, values: &[i64]) -> usize {
        self.start.eval(values) as usize
    }

    /// Positions that exist, from 0 to `size`, where `values[v]` is variable `v`.
    pub fn valid(&self, values: &[i64]) -> usize {
        self.len.saturating_sub(self.start(values)).min(self.size)
    }

    /// Whether every tile of this span is full.
    pub fn always_full(&self) -> bool {
        self.size == 1 && self.len == 1
            || self.start == Index::constant(0) && self.size == self.len
            || self.start.base() == 0
                && self.len.is_multiple_of(self.size)
                && self.start.terms().count() == 1
                && self.start.terms().all(|(_, c)| c == self.size as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_several_axes_count_as_one() {
        // q[head, position, d] seen as rows (position, head): grouped queries, position-major.
        let rows = vec![Axis { len: 3, stride: 8 }, Axis { len: 2, stride: 24 }];
        let q = Tensor { name: "q".into(), dtype: DType::F32, role: Role::Input, lead: vec![], rows, cols: 8 };
        assert_eq!(q.elems(), 48);
        let offsets: Vec<usize> = (0..6).map(|r| q.row_offset(&[], r)).collect();
        assert_eq!(offsets, [0, 24, 8, 32, 16, 40]);
    }

    #[test]
    fn the_last_tile_is_short_and_beyond_it_nothing_exists() {
        let span = Span::tile(Var(0), 4, 10);
        let valid: Vec<usize> = (0..4).map(|i| span.valid(&[i])).collect();
        assert_eq!(valid, [4, 4, 2, 0]);
        assert!(!span.always_full() && Span::tile(Var(0), 5, 10).always_full() && Span::whole(7).always_full());
    }
}
