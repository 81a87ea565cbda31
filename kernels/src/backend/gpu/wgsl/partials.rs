//! Partial sums of streamed products: each thread has some of the whole result, added up when the loop is over.

use super::emit::{Emit, register};
use super::method::Streamed;
use super::scope::Value;
use crate::backend::Unsupported;
use crate::program::{Form, TileId};

/// Name of a partial sum.
pub(super) fn partial(stem: &str, row: usize, slot: usize) -> String {
    format!("{stem}_{row}_{slot}")
}

impl Emit<'_> {
    pub(super) fn start_partials(&mut self, acc: TileId, streamed: &Streamed, stem: &str) {
        let zero = match (self.is_sum(acc), streamed.per_sum()) {
            (true, _) => "0",
            (_, 1) => "0.0",
            _ => "vec4<f32>(0.0)",
        };
        for row in 0..self.ty(acc).rows.size {
            for slot in 0..streamed.slots {
                self.line(format!("var {} = {zero};", partial(stem, row, slot)));
            }
        }
    }

    /// Adds the partial sums of all threads to the accumulator's registers.
    ///
    /// # Errors
    /// Workgroup memory has no room.
    pub(super) fn add_partials(&mut self, acc: TileId, streamed: &Streamed, stem: &str) -> Result<(), Unsupported> {
        let ty = self.ty(acc);
        if self.is_sum(acc) {
            self.shared_sums = self.shared_sums.max(streamed.scalars(&ty));
        } else {
            self.shared_scalars = self.shared_scalars.max(streamed.scalars(&ty));
        }
        self.refuse_large(acc, streamed.vectors(&ty))?;
        self.before_writes();
        match streamed.form {
            Form::Abt => self.put_columns(acc, streamed, stem),
            Form::Ab => self.put_rows(acc, streamed, stem),
        }
        self.before_reads();
        match streamed.form {
            Form::Abt => self.take_columns(acc),
            Form::Ab => self.take_rows(acc, streamed),
        }
        Ok(())
    }

    /// Sum of `value` over the lanes `step` apart, `2·step` apart and so on below `end`.
    fn butterfly(&mut self, value: &str, mut step: usize, end: usize) -> String {
        let mut value = value.to_owned();
        while step < end {
            value = self.named("s", &format!("{value} + subgroupShuffleXor({value}, {step}u)"));
            step *= 2;
        }
        value
    }

    fn put_columns(&mut self, acc: TileId, streamed: &Streamed, stem: &str) {
        let (rows, cols) = (self.ty(acc).rows.size, self.ty(acc).cols.size);
        let (sx, sy) = self.stream_place(streamed);
        for slot in 0..streamed.slots {
            let local = self.sum(&sy, &Value::literal((streamed.y * slot) as i64));
            let mut owned = vec![format!("{} == 0", sx.text)];
            if streamed.y * streamed.slots > cols {
                owned.push(format!("{} < {cols}", local.text));
            }
            for row in 0..rows {
                let p = partial(stem, row, slot);
                let own = match streamed.per_sum() {
                    1 => p,
                    _ => self.named("s", &format!("({p}.x + {p}.y) + ({p}.z + {p}.w)")),
                };
                let whole = self.butterfly(&own, 1, streamed.x);
                let at = self.sum(&local, &Value::literal((row * cols.next_multiple_of(4)) as i64));
                self.guarded(&owned, &format!("{}[{}] = {whole};", self.shared_columns(acc).0, at.text));
            }
        }
    }

    /// Workgroup memory in which sums of columns meet, and the type of four of them.
    fn shared_columns(&self, acc: TileId) -> (&'static str, &'static str) {
        if self.is_sum(acc) { ("shared_sums", "vec4<i32>") } else { ("shared_rows", "vec4<f32>") }
    }

    fn take_columns(&mut self, acc: TileId) {
        let (rows, cols) = (self.ty(acc).rows, self.ty(acc).cols.size);
        let stride = cols.next_multiple_of(4);
        let (shared, vector) = self.shared_columns(acc);
        for (slot, group) in self.slots(acc) {
            let row = self.held_row(rows, slot);
            let start = self.product(&row, stride);
            let value = if cols > 1 {
                let col = self.held_col(acc, group);
                let at = self.sum(&start, &col);
                let parts: Vec<String> = (0..4).map(|j| format!("{shared}[{} + {j}]", at.text)).collect();
                format!("{vector}({})", parts.join(", "))
            } else {
                format!("{shared}[{}]", start.text)
            };
            self.line(format!("{} += {value};", register(acc, slot, group)));
        }
    }

    fn put_rows(&mut self, acc: TileId, streamed: &Streamed, stem: &str) {
        let (rows, quads) = (self.ty(acc).rows.size, self.ty(acc).cols.size.div_ceil(4));
        let (sx, _) = self.stream_place(streamed);
        let part = self.value(format!("i32(lane) / {}", streamed.lanes), 0);
        for row in 0..rows {
            for slot in 0..streamed.slots {
                let sum = self.butterfly(&partial(stem, row, slot), streamed.x, streamed.lanes);
                let group = self.sum(&sx, &Value::literal((streamed.x * (slot / streamed.wide)) as i64));
                let group = self.product(&group, streamed.wide);
                let group = self.sum(&group, &Value::literal((slot % streamed.wide) as i64));
                let mut owned = vec![];
                if streamed.x < streamed.lanes {
                    owned.push(format!("i32(lane) % {} < {}", streamed.lanes, streamed.x));
                }
                if streamed.x * streamed.slots > quads {
                    owned.push(format!("{} < {quads}", group.text));
                }
                let at = self.product(&part, rows * quads);
                let at = self.sum(&at, &Value::literal((row * quads) as i64));
                let at = self.sum(&at, &group);
                self.guarded(&owned, &format!("shared_tile[{}] = {sum};", at.text));
            }
        }
    }

    fn take_rows(&mut self, acc: TileId, streamed: &Streamed) {
        let ty = self.ty(acc);
        let quads = ty.cols.size.div_ceil(4);
        for (slot, group) in self.slots(acc) {
            let row = self.held_row(ty.rows, slot);
            let start = self.product(&row, quads);
            let col = self.held_col(acc, group);
            let quad = self.value(format!("{} >> 2u", col.text), col.level);
            let at = self.sum(&start, &quad);
            let parts: Vec<String> = (0..streamed.parts())
                .map(|part| format!("shared_tile[{} + {}]", at.text, part * ty.rows.size * quads))
                .collect();
            let sum = if ty.cols.size > 1 { parts.join(" + ") } else { format!("({}).x", parts.join(" + ")) };
            self.line(format!("{} += {sum};", register(acc, slot, group)));
        }
    }

    /// Row `slot` of this thread within a tile, held within it.
    pub(super) fn held_row(&mut self, rows: crate::program::Span, slot: usize) -> Value {
        let local = self.local_row(rows, slot);
        let covered = self.plan.mapping.covered_rows(rows);
        if covered > rows.size { self.at_most(&local, rows.size - 1) } else { local }
    }

    /// First column of a group of this thread within a tile, held within it.
    pub(super) fn held_col(&mut self, tile: TileId, group: usize) -> Value {
        let cols = self.ty(tile).cols;
        if cols.size == 1 {
            return Value::literal(0);
        }
        let local = self.local_col(group);
        let last = 4 * (cols.size.div_ceil(4) - 1);
        let covered = self.plan.mapping.covered_cols(cols);
        if covered > cols.size.next_multiple_of(4) { self.at_most(&local, last) } else { local }
    }
}
