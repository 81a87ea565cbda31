//! Fragments of a result brought into registers and back, and rows of them multiplied where they are.
//!
//! ```text
//! strip by strip:  a row of fragments of each subgroup -> workgroup memory -> the registers of its rows, or the other way
//! rows that fade:  a thread whose rows do not all keep their value says so; if none does, nothing happens; if some do,
//!                  strips are stored, multiplied by the threads that own their rows, and loaded again
//! ```
//!
//! A shader cannot tell which elements of a fragment it holds, so rows are multiplied in workgroup memory alone. Where a
//! softmax leaves its peaks until scores exceed them by far, that is seldom (`AttentionTiling::lazy_peak`).

use super::emit::{Emit, register};
use super::fragment::{fragment, matrix};
use super::held::Held;
use super::method::{Fragments, Method};
use super::scope::Value;
use crate::backend::Unsupported;
use crate::program::TileId;

impl Emit<'_> {
    /// Brings the fragments of all subgroups into the accumulator's registers: `=` or `+=`.
    ///
    /// # Errors
    /// Workgroup memory has no room.
    pub(super) fn fragments_into_registers(
        &mut self,
        acc: TileId,
        f: &Fragments,
        stem: &str,
        assignment: &str,
    ) -> Result<(), Unsupported> {
        self.refuse_large(acc, f.strip(&self.ty(acc)))?;
        for i in 0..f.rows {
            self.store_strip(acc, f, stem, i);
            self.before_reads();
            self.each_of_strip(acc, f, i, |slot, group, at| {
                format!("{} {assignment} shared_tile[{at}];", register(acc, slot, group))
            });
        }
        Ok(())
    }

    /// Fragments that start from the accumulator's registers, whose rows may fade.
    ///
    /// # Errors
    /// Workgroup memory has no room.
    pub(super) fn start_fading(&mut self, acc: TileId, f: &Fragments, stem: &str) -> Result<(), Unsupported> {
        self.votes = true;
        self.refuse_large(acc, f.strip(&self.ty(acc)))?;
        self.line(format!("var {stem}_turn = 0u;"));
        for i in 0..f.rows {
            self.before_writes();
            self.each_of_strip(acc, f, i, |slot, group, at| {
                format!("shared_tile[{at}] = {};", register(acc, slot, group))
            });
            self.load_strip(acc, f, stem, i);
        }
        Ok(())
    }

    /// Multiplies rows of held fragments by a column.
    pub(super) fn fade_fragments(&mut self, acc: TileId, column: TileId) {
        let Some(Held { method: Method::Fragments(f), stem, .. }) = self.held.get(&acc).cloned() else { return };
        self.line(format!("{stem}_turn += 1u;"));
        let rows = self.plan.mapping.rows(self.ty(column).rows);
        let some: Vec<String> = (0..rows).map(|slot| format!("{} != 1.0", register(column, slot, 0))).collect();
        // No thread still reads an earlier turn's vote: the barriers of the product lie between. What was never written may
        // look like a vote, which costs a turn for nothing.
        self.own_writes();
        self.line(format!("if ({}) {{ shared_vote.x = {stem}_turn; }}", some.join(" || ")));
        self.before_reads();
        self.open(format!("if (shared_vote.x == {stem}_turn)"));
        for i in 0..f.rows {
            self.store_strip(acc, &f, &stem, i);
            self.before_reads();
            self.own_writes();
            self.each_of_strip(acc, &f, i, |slot, _, at| {
                format!("shared_tile[{at}] *= {};", register(column, slot, 0))
            });
            self.load_strip(acc, &f, &stem, i);
        }
        self.barrier();
        self.close();
        self.all_ordered();
    }

    /// Where this subgroup's part of a strip starts, without its columns of fragments.
    fn strip_start(&mut self, acc: TileId, f: &Fragments) -> String {
        let stride = f.strip_stride(&self.ty(acc));
        let subgroup = self.value(format!("i32(lane) / {}", f.lanes), 0);
        let down = self.value(format!("{} / {} * {}", subgroup.text, f.across, f.edge * stride), 0);
        let across = self.value(format!("{} % {} * {}", subgroup.text, f.across, f.cols * f.edge / 4), 0);
        format!("{} + {}", down.text, across.text)
    }

    /// Row `i` of every subgroup's fragments, into workgroup memory.
    fn store_strip(&mut self, acc: TileId, f: &Fragments, stem: &str, i: usize) {
        let (start, stride) = (self.strip_start(acc, f), f.strip_stride(&self.ty(acc)));
        self.before_writes();
        for j in 0..f.cols {
            let part = fragment(stem, i, j);
            self.line(format!("coopStoreT({part}, &shared_tile[{start} + {}], {stride}u);", j * f.edge / 4));
        }
    }

    /// Row `i` of every subgroup's fragments, out of workgroup memory.
    fn load_strip(&mut self, acc: TileId, f: &Fragments, stem: &str, i: usize) {
        let (start, stride) = (self.strip_start(acc, f), f.strip_stride(&self.ty(acc)));
        let kind = matrix("f32", f.edge, "C");
        self.before_reads();
        for j in 0..f.cols {
            let part = fragment(stem, i, j);
            let at = format!("{start} + {}", j * f.edge / 4);
            self.line(format!("{part} = coopLoadT<{kind}>(&shared_tile[{at}], {stride}u);"));
        }
    }

    /// A line for each register of this thread in strip `i`: its row slot, its group of columns, where it lies.
    fn each_of_strip(&mut self, acc: TileId, f: &Fragments, i: usize, line: impl Fn(usize, usize, &str) -> String) {
        let (ty, mapping, stride) = (self.ty(acc), self.plan.mapping, f.strip_stride(&self.ty(acc)));
        for (slot, group) in self.slots(acc) {
            let mut owned = vec![];
            let row = if mapping.ty <= f.edge {
                let (block, within) = (mapping.ty * slot / f.edge, mapping.ty * slot % f.edge);
                if block % f.rows != i {
                    continue;
                }
                let first = (block / f.rows * f.edge + within) as i64;
                if mapping.ty > 1 { self.value(format!("ty + {first}"), 0) } else { Value::literal(first) }
            } else {
                let row = self.local_row(ty.rows, slot);
                let block = self.value(format!("{} / {}", row.text, f.edge), 0);
                if f.rows > 1 {
                    owned.push(format!("{} % {} == {i}", block.text, f.rows));
                }
                if mapping.covered_rows(ty.rows) > ty.rows.size {
                    owned.push(format!("{} < {}", row.text, ty.rows.size));
                }
                self.value(format!("{0} / {1} * {2} + {3} % {2}", block.text, f.rows, f.edge, row.text), 0)
            };
            let col = self.local_col(group);
            if mapping.covered_cols(ty.cols) > ty.cols.size {
                owned.push(format!("{} < {}", col.text, ty.cols.size));
            }
            let start = self.product(&row, stride);
            let at = format!("{} + ({} >> 2u)", start.text, col.text);
            let line = line(slot, group, &at);
            self.guarded(&owned, &line);
        }
    }
}
