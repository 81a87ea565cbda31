//! Where the factors of a product come from, and reading them in fours along the contraction.

use super::Manner;
use super::access::Matrix;
use super::emit::{Emit, register};
use super::scope::Value;
use crate::program::{Form, Span, TileId};

/// Where a product finds a factor.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// In its tensor.
    Storage(Matrix),
    /// In workgroup memory, as `[row][column / 4]` from vector `offset` on.
    Shared { offset: usize, stride: usize },
    /// In registers of all lanes: the quad of columns `q` in lane `q % lanes`.
    Lanes(TileId),
    /// In this thread's own registers, one column wide.
    Own(TileId),
}

/// A factor of a product.
#[derive(Clone, Debug)]
pub(super) struct Factor {
    pub(super) place: Place,
    /// Added to the loop's counter to give this factor's place along the contraction.
    pub(super) origin: Value,
    /// How the right factor lies there.
    pub(super) form: Form,
    /// Its span across the contraction, and how much of it all threads together touch.
    pub(super) across: Span,
}

impl Emit<'_> {
    /// The row `local` of a factor's tile, as an offset into where it lies.
    pub(super) fn factor_row(&mut self, factor: &Factor, local: &Value, covered: usize) -> Value {
        match &factor.place {
            Place::Storage(matrix) => {
                let position = self.position_on(factor.across, local, covered);
                self.row_offset(matrix, &position)
            }
            Place::Shared { offset, stride } => {
                let size = factor.across.size;
                let local = if covered > size { self.at_most(local, size - 1) } else { local.clone() };
                let row = self.product(&local, *stride);
                self.sum(&row, &Value::literal(*offset as i64))
            }
            Place::Lanes(_) | Place::Own(_) => local.clone(),
        }
    }

    /// The row at `k` along the contraction.
    pub(super) fn depth_row(&mut self, factor: &Factor, k: &Value) -> Value {
        let at = self.sum(&factor.origin, k);
        match &factor.place {
            Place::Storage(matrix) => self.row_offset(matrix, &at),
            Place::Shared { offset, stride } => {
                let row = self.product(&at, *stride);
                self.sum(&row, &Value::literal(*offset as i64))
            }
            Place::Lanes(_) | Place::Own(_) => at,
        }
    }

    pub(super) fn factor_quad(&mut self, factor: &Factor, row: &Value, col: &Value, held: Option<usize>) -> String {
        match &factor.place {
            Place::Storage(matrix) => self.quad(matrix, row, col, held),
            _ => format!("shared_tile[{} + ({} >> 2u)]", row.text, col.text),
        }
    }

    pub(super) fn factor_element(&mut self, factor: &Factor, row: &Value, col: &Value) -> String {
        match &factor.place {
            Place::Storage(matrix) => self.element(matrix, row, &col.text),
            _ => format!("shared_tile[{0} + ({1} >> 2u)][{1} & 3]", row.text, col.text),
        }
    }

    /// Four neighbours along the contraction of each of this thread's rows of the left factor.
    pub(super) fn left_quads(&mut self, factor: &Factor, k: &Value) -> Vec<String> {
        let rows = self.plan.mapping.rows(factor.across);
        let at = self.sum(&factor.origin, k);
        if let (Manner::Lanes(lanes), Place::Storage(_)) = (self.caps.manner, &factor.place)
            && rows > 1
        {
            return self.broadcast_quads(factor, &at, rows, lanes as usize);
        }
        let covered = self.plan.mapping.covered_rows(factor.across);
        let quads = (0..rows).map(|slot| {
            let local = self.local_row(factor.across, slot);
            let row = self.factor_row(factor, &local, covered);
            let quad = self.factor_quad(factor, &row, &at, None);
            self.named("a", &quad)
        });
        quads.collect()
    }

    /// The same where lanes share all rows: each lane reads one row of a few, and passes it on.
    fn broadcast_quads(&mut self, factor: &Factor, at: &Value, rows: usize, lanes: usize) -> Vec<String> {
        let reads = rows.div_ceil(lanes);
        let held: Vec<String> = (0..reads)
            .map(|read| {
                let local = self.value(format!("tx + {}", read * lanes), 0);
                let row = self.factor_row(factor, &local, reads * lanes);
                let quad = self.factor_quad(factor, &row, at, None);
                self.named("r", &quad)
            })
            .collect();
        (0..rows)
            .map(|row| self.named("a", &format!("subgroupBroadcast({}, {}u)", held[row / lanes], row % lanes)))
            .collect()
    }

    /// One column of the left factor, this thread's rows.
    pub(super) fn left_elements(&mut self, factor: &Factor, k: &Value) -> Vec<String> {
        let covered = self.plan.mapping.covered_rows(factor.across);
        let at = self.sum(&factor.origin, k);
        (0..self.plan.mapping.rows(factor.across))
            .map(|slot| {
                if let Place::Own(tile) = factor.place {
                    return register(tile, slot, 0);
                }
                let local = self.local_row(factor.across, slot);
                let row = self.factor_row(factor, &local, covered);
                let element = self.factor_element(factor, &row, &at);
                self.named("a", &element)
            })
            .collect()
    }

    /// Rows `k .. k + 4` of group `quad` of the right factor's columns; of a single column, those four as one vector.
    pub(super) fn right_quads(&mut self, factor: &Factor, quad: usize, k: &Value) -> Vec<String> {
        let steps: Vec<Value> = (0..4).map(|j| self.sum(k, &Value::literal(j))).collect();
        if factor.form == Form::Abt {
            let at = self.sum(&factor.origin, k);
            let rows = self.right_rows(factor, quad);
            let quads: Vec<String> = rows
                .iter()
                .map(|row| {
                    let quad = self.factor_quad(factor, row, &at, None);
                    self.named("r", &quad)
                })
                .collect();
            if quads.len() == 1 {
                return quads;
            }
            let column = |c: &str| quads.iter().map(|q| format!("{q}.{c}")).collect::<Vec<_>>().join(", ");
            return ["x", "y", "z", "w"].map(|c| self.named("b", &format!("vec4<f32>({})", column(c)))).to_vec();
        }
        if factor.across.size == 1 {
            let column: Vec<String> = steps.iter().map(|k| self.right_element(factor, k)).collect();
            return vec![self.named("b", &format!("vec4<f32>({})", column.join(", ")))];
        }
        steps.iter().map(|k| self.right_row(factor, quad, k)).collect()
    }

    /// Row `k` of group `quad` of the right factor's columns; of a single column, its element.
    pub(super) fn right_elements(&mut self, factor: &Factor, quad: usize, k: &Value) -> String {
        if factor.form == Form::Abt {
            let at = self.sum(&factor.origin, k);
            let rows = self.right_rows(factor, quad);
            let elements: Vec<String> = rows.iter().map(|row| self.factor_element(factor, row, &at)).collect();
            return match elements.as_slice() {
                [single] => self.named("b", single),
                _ => self.named("b", &format!("vec4<f32>({})", elements.join(", "))),
            };
        }
        if factor.across.size == 1 { self.right_element(factor, k) } else { self.right_row(factor, quad, k) }
    }

    /// Offsets of the four rows that hold the columns of a group, where the right factor lies transposed.
    pub(super) fn right_rows(&mut self, factor: &Factor, quad: usize) -> Vec<Value> {
        if factor.across.size == 1 {
            return vec![self.factor_row(factor, &Value::literal(0), 1)];
        }
        let covered = self.plan.mapping.covered_cols(factor.across);
        let first = self.local_col(quad);
        (0..4)
            .map(|j| {
                let local = self.sum(&first, &Value::literal(j));
                self.factor_row(factor, &local, covered)
            })
            .collect()
    }

    fn right_row(&mut self, factor: &Factor, quad: usize, k: &Value) -> String {
        let row = self.depth_row(factor, k);
        let (col, held) = self.right_col(factor, quad);
        let vector = self.factor_quad(factor, &row, &col, held);
        self.named("b", &vector)
    }

    fn right_element(&mut self, factor: &Factor, k: &Value) -> String {
        let row = self.depth_row(factor, k);
        let col = match factor.place {
            Place::Storage(_) => self.position_on(factor.across, &Value::literal(0), 1),
            _ => Value::literal(0),
        };
        let element = self.factor_element(factor, &row, &col);
        self.named("b", &element)
    }

    /// First column of a group, and the axis' length where the group may leave it.
    pub(super) fn right_col(&mut self, factor: &Factor, quad: usize) -> (Value, Option<usize>) {
        let covered = self.plan.mapping.covered_cols(factor.across);
        let local = self.local_col(quad);
        if let Place::Storage(_) = factor.place {
            let start = self.index(&factor.across.start);
            let held = (!self.plan.holds(factor.across, covered)).then_some(factor.across.len);
            return (self.sum(&start, &local), held);
        }
        let last = 4 * (factor.across.size.div_ceil(4) - 1);
        let col = if covered > factor.across.size.next_multiple_of(4) { self.at_most(&local, last) } else { local };
        (col, None)
    }

    /// Names an expression in the current scope.
    pub(super) fn named(&mut self, stem: &str, expression: &str) -> String {
        let name = self.fresh(stem);
        self.line(format!("let {name} = {expression};"));
        name
    }
}
