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
    /// The caller; i32, read for where rows of other tensors lie ([`Pages`]) and never as a tile.
    Table,
    /// The caller; what it held before is never read.
    Output,
    /// The backend; carries values from one stage to later ones.
    Scratch,
}

impl Role {
    /// Whether the caller passes it in: it is read, and never written.
    pub fn is_given(self) -> bool {
        matches!(self, Role::Input | Role::Weight | Role::Table)
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
    /// Pages that the rows lie in, where they do not lie one behind the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<Pages>,
}

/// Rows in pages that lie in any order: row `r` of a matrix is row `r % rows` of the page that entry `r / rows` of the
/// matrix' table says. A program sees rows, and no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pages {
    /// What says where pages are: of [`Role::Table`], with the leading axes of the tensor, one row, and a column a page.
    pub table: TensorId,
    /// Rows of a page.
    pub rows: usize,
    /// Elements from page to page.
    pub stride: usize,
    /// Pages that there are: what the table holds is less.
    pub count: usize,
}

impl Tensor {
    /// Number of rows of each matrix.
    pub fn n_rows(&self) -> usize {
        self.rows.iter().map(|axis| axis.len).product()
    }

    /// Elements the tensor takes.
    pub fn elems(&self) -> usize {
        self.extent().map(|(steps, stride)| steps * stride).sum::<usize>() + self.cols
    }

    /// Most steps along each axis but the columns, with the elements of a step.
    pub(super) fn extent(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        // The last page is whole whatever is used of it.
        let rows = |axis: &Axis| self.pages.map_or(axis.len, |pages| pages.rows);
        let lead = self.lead.iter().map(|axis| (axis.len - 1, axis.stride));
        let rows = self.rows.iter().map(move |axis| (rows(axis) - 1, axis.stride));
        lead.chain(rows).chain(self.pages.map(|pages| (pages.count - 1, pages.stride)))
    }

    /// Whether the rows of a matrix lie evenly apart.
    pub fn has_even_rows(&self) -> bool {
        self.rows.len() == 1 && self.pages.is_none()
    }

    /// Bytes the tensor takes.
    pub fn size_bytes(&self) -> usize {
        self.elems() * self.dtype.size_bytes()
    }

    /// Adds the element offset of column `col` of each of `rows` of the matrix at `lead` to `offsets`, in order; `page` says where
    /// a page of the matrix is.
    pub fn row_offsets(
        &self,
        lead: &[i64],
        rows: std::ops::Range<usize>,
        col: usize,
        page: impl Fn(usize) -> usize,
        offsets: &mut Vec<usize>,
    ) {
        match (self.rows.as_slice(), self.pages) {
            ([axis], None) => {
                let base = self.row_offset(lead, 0, page) + col;
                offsets.extend(rows.map(|row| base + row * axis.stride));
            }
            ([axis], Some(pages)) => {
                let mut row = rows.start;
                while row < rows.end {
                    // The rows of one page.
                    let end = rows.end.min((row / pages.rows + 1) * pages.rows);
                    let base = self.row_offset(lead, row, &page) + col;
                    offsets.extend((0..end - row).map(|i| base + i * axis.stride));
                    row = end;
                }
            }
            _ => offsets.extend(rows.map(|row| self.row_offset(lead, row, &page) + col)),
        }
    }

    /// Element offset of row `row` of the matrix at `lead`; `page` says where a page of the matrix is.
    pub fn row_offset(&self, lead: &[i64], row: usize, page: impl Fn(usize) -> usize) -> usize {
        let base: usize = self.lead.iter().zip(lead).map(|(axis, at)| axis.stride * *at as usize).sum();
        let (base, mut rest) = match self.pages {
            None => (base, row),
            Some(pages) => (base + page(row / pages.rows) * pages.stride, row % pages.rows),
        };
        self.rows.iter().rev().fold(base, |offset, axis| {
            let at = rest % axis.len;
            rest /= axis.len;
            offset + at * axis.stride
        })
    }

    /// Element of this table that says where the first page of the matrix at `lead` is.
    pub(crate) fn entry(&self, lead: &[i64]) -> usize {
        self.row_offset(lead, 0, no_pages)
    }
}

/// What is asked of tensors whose rows lie in no pages.
///
/// # Panics
/// Always: only rows in pages ask.
pub(crate) fn no_pages(_: usize) -> usize {
    unreachable!("rows of this tensor lie in no pages")
}

/// `size` positions from `start` on an axis of `len`: at the axis' end, or at that of a stretch of it, fewer exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    /// First position.
    pub start: Index,
    /// Positions of a full tile.
    pub size: usize,
    /// Positions of the axis.
    pub len: usize,
    /// Of a stretch of the axis, the variable that says where it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Var>,
}

/// A stretch of an axis, from where a table says to where it says the next one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// The variable that is its first position.
    pub first: Var,
    /// The variable that is the position behind its last.
    pub end: Var,
    /// What says where stretches begin: of [`Role::Table`], a single row that ascends.
    pub table: TensorId,
    /// Which stretch: the entry of its first position; the next entry is its end.
    pub at: Index,
    /// Positions of the axis.
    pub len: usize,
}

impl Stretch {
    /// Tile `var` of the stretch, cut into tiles of `size`.
    pub fn tile(&self, var: Var, size: usize) -> Span {
        let tile = Span::tile(var, size, self.len);
        Span { start: tile.start + Index::from(self.first), end: Some(self.end), ..tile }
    }
}

impl Span {
    /// The single position of an axis of one: the missing dimension of a row or column vector.
    pub const ONE: Span = Span { start: Index::constant(0), size: 1, len: 1, end: None };

    /// A whole axis as one tile.
    pub const fn whole(len: usize) -> Span {
        Span { start: Index::constant(0), size: len, len, end: None }
    }

    /// Tile `var` of an axis cut into tiles of `size`.
    pub fn tile(var: Var, size: usize, len: usize) -> Span {
        let size = size.min(len);
        Span { start: Index::from(var) * size as i64, size, len, end: None }
    }

    /// Whether every tile starts at a multiple of `n` positions and holds a multiple of them, whatever the variables.
    pub(crate) fn is_multiple_of(&self, n: usize) -> bool {
        let mut starts = self.start.terms().map(|(_, factor)| factor).chain([self.start.base()]);
        let sizes = [self.size, self.len];
        self.end.is_none() && starts.all(|x| x % n as i64 == 0) && sizes.iter().all(|x| x.is_multiple_of(n))
    }

    /// First position where `values[v]` is variable `v`.
    pub fn start(&self, values: &[i64]) -> usize {
        self.start.eval(values) as usize
    }

    /// Positions that exist, from 0 to `size`, where `values[v]` is variable `v`.
    pub fn valid(&self, values: &[i64]) -> usize {
        let end = self.end.map_or(self.len, |end| self.len.min(values[end.0 as usize] as usize));
        end.saturating_sub(self.start(values)).min(self.size)
    }

    /// Whether every tile of this span is full.
    pub fn always_full(&self) -> bool {
        if self.end.is_some() {
            return false;
        }
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
        let q =
            Tensor { name: "q".into(), dtype: DType::F32, role: Role::Input, lead: vec![], rows, cols: 8, pages: None };
        assert_eq!(q.elems(), 48);
        let offsets: Vec<usize> = (0..6).map(|r| q.row_offset(&[], r, no_pages)).collect();
        assert_eq!(offsets, [0, 24, 8, 32, 16, 40]);
    }

    #[test]
    fn rows_of_pages_lie_where_the_table_says() {
        // Pages of 3 rows of 4 columns, two heads each: 7 rows in the pages 5, 0 and 2 of 6.
        let lead = vec![Axis { len: 1, stride: 0 }, Axis { len: 2, stride: 12 }];
        let pages = Some(Pages { table: TensorId(1), rows: 3, stride: 24, count: 6 });
        let rows = vec![Axis { len: 7, stride: 4 }];
        let k = Tensor { name: "k".into(), dtype: DType::F32, role: Role::Input, lead, rows, cols: 4, pages };
        assert_eq!(k.elems(), 6 * 24);
        assert!(!k.has_even_rows());
        let mut offsets = vec![];
        k.row_offsets(&[0, 1], 1..7, 0, |page| [5, 0, 2][page], &mut offsets);
        assert_eq!(offsets, [136, 140, 12, 16, 20, 60]);
        assert_eq!(k.row_offset(&[0, 0], 6, |page| [5, 0, 2][page]), 48);
    }

    #[test]
    fn the_last_tile_is_short_and_beyond_it_nothing_exists() {
        let span = Span::tile(Var(0), 4, 10);
        let valid: Vec<usize> = (0..4).map(|i| span.valid(&[i])).collect();
        assert_eq!(valid, [4, 4, 2, 0]);
        assert!(!span.always_full() && Span::tile(Var(0), 5, 10).always_full() && Span::whole(7).always_full());
    }
}
