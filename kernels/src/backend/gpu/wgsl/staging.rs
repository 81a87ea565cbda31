//! Copying tiles into workgroup memory.

use super::emit::{Emit, Value, register};
use super::factor::{Factor, Place};
use super::mma::{Product, Staging};
use crate::program::{Form, Span, TileId};

impl Emit<'_> {
    /// Hands a computed tile to all threads, as `[row][column / 4]` from vector `offset` on; returns the vectors a row.
    pub(super) fn exchange(&mut self, tile: TileId, offset: usize) -> usize {
        let ty = self.ty(tile);
        let (mapping, share) = (self.plan.mapping, self.plan.mapping.share(&ty));
        let quads = ty.cols.size.div_ceil(4);
        self.before_writes();
        for row in 0..share.rows {
            let local = self.local_row(ty.rows, row);
            for group in 0..share.groups() {
                let mut owned = vec![];
                if ty.rows.size == 1 && mapping.ty > 1 {
                    owned.push("ty == 0".to_string());
                } else if mapping.covered_rows(ty.rows) > ty.rows.size {
                    owned.push(format!("{} < {}", local.text, ty.rows.size));
                }
                let col = self.local_col(group);
                if mapping.tx * share.groups() > quads {
                    owned.push(format!("{} < {}", col.text, 4 * quads));
                }
                let start = self.product(&local, quads);
                let start = self.sum(&start, &Value::literal(offset as i64));
                let value = register(tile, row, group);
                let value = if share.quads.is_some() { value } else { format!("vec4<f32>({value}, 0.0, 0.0, 0.0)") };
                let write = format!("shared_tile[{} + ({} >> 2u)] = {value};", start.text, col.text);
                self.guarded(&owned, &write);
            }
        }
        quads
    }

    /// A statement under conditions.
    pub(super) fn guarded(&mut self, conditions: &[String], statement: &str) {
        match conditions {
            [] => self.line(statement),
            all => self.line(format!("if ({}) {{ {statement} }}", all.join(" && "))),
        }
    }

    /// Copies the chunk of a product's factors that starts at `at` along the depth; the product of what was copied.
    pub(super) fn staged(&mut self, product: &Product, staging: Staging, at: &Value) -> Product {
        let Staging { left, right, chunk, mut offset } = staging;
        let later =
            |emit: &mut Emit, factor: &Factor| Factor { origin: emit.sum(&factor.origin, at), ..factor.clone() };
        let (mut a, mut b) = (later(self, &product.a), later(self, &product.b));
        self.before_writes();
        if left {
            // One vector a row is padding, so that neighbouring rows start in different banks.
            let stride = chunk / 4 + 1;
            self.copy_rows(&a, product.depth, chunk, (offset, stride));
            a = Factor { place: Place::Shared { offset, stride }, origin: Value::literal(0), ..a };
            offset += a.across.size * stride;
        }
        if right {
            let stride = b.across.size.div_ceil(4);
            match b.form {
                Form::Ab => self.copy_depth(&b, product.depth, chunk, (offset, stride)),
                Form::Abt => self.copy_transposed(&b, product.depth, chunk, (offset, stride)),
            }
            b = Factor { place: Place::Shared { offset, stride }, origin: Value::literal(0), form: Form::Ab, ..b };
        }
        Product { acc: product.acc, a, b, depth: product.depth }
    }

    /// A loop in which each thread takes every so-many-th of `n` pieces.
    fn each_piece(&mut self, n: usize) -> Value {
        let piece = self.fresh("piece");
        let threads = self.plan.mapping.threads();
        self.open(format!("for (var {piece} = i32(lane); {piece} < {n}; {piece} += {threads})"));
        Value { text: piece, level: self.level() }
    }

    fn split(&mut self, piece: &Value, n: usize) -> (Value, Value) {
        let outer = self.value(format!("{} / {n}", piece.text), piece.level);
        let inner = self.value(format!("{} % {n}", piece.text), piece.level);
        (outer, inner)
    }

    fn storage(factor: &Factor) -> &super::access::Matrix {
        match &factor.place {
            Place::Storage(matrix) => matrix,
            _ => unreachable!("only factors that lie in storage are staged"),
        }
    }

    /// Whether a chunk of the depth may leave its axis.
    fn held_depth(&self, depth: Span, chunk: usize) -> Option<usize> {
        (!self.plan.holds(depth, depth.size.next_multiple_of(chunk))).then_some(depth.len)
    }

    /// Closes a copying loop: its pieces go to different places, so only what reads them must wait.
    fn close_copy(&mut self) {
        self.close();
        self.only_writes_pending();
    }

    /// `[row][k / 4]`: the left factor.
    fn copy_rows(&mut self, factor: &Factor, depth: Span, chunk: usize, (offset, stride): (usize, usize)) {
        let held = self.held_depth(depth, chunk);
        let piece = self.each_piece(factor.across.size * chunk / 4);
        let (row, quad) = self.split(&piece, chunk / 4);
        let position = self.position_on(factor.across, &row, factor.across.size);
        let start = self.row_offset(Self::storage(factor), &position);
        let col = self.value(format!("{} + 4 * {}", factor.origin.text, quad.text), piece.level);
        let value = self.quad(Self::storage(factor), &start, &col, held);
        self.line(format!("shared_tile[{offset} + {} * {stride} + {}] = {value};", row.text, quad.text));
        self.close_copy();
    }

    /// `[k][column / 4]`: the right factor.
    fn copy_depth(&mut self, factor: &Factor, depth: Span, chunk: usize, (offset, stride): (usize, usize)) {
        let piece = self.each_piece(chunk * stride);
        let (k, quad) = self.split(&piece, stride);
        let mut position = self.sum(&factor.origin, &k);
        if let Some(len) = self.held_depth(depth, chunk) {
            position = self.at_most(&position, len - 1);
        }
        let start = self.row_offset(Self::storage(factor), &position);
        let first = self.index(&factor.across.start);
        let col = self.value(format!("{} + 4 * {}", first.text, quad.text), piece.level);
        let held = (!self.plan.holds(factor.across, 4 * stride)).then_some(factor.across.len);
        let value = if factor.across.size == 1 {
            format!("vec4<f32>({})", self.element(Self::storage(factor), &start, &first.text))
        } else {
            self.quad(Self::storage(factor), &start, &col, held)
        };
        self.line(format!("shared_tile[{offset} + {} * {stride} + {}] = {value};", k.text, quad.text));
        self.close_copy();
    }

    /// `[k][column / 4]` from `[column, k]`: blocks of 4 × 4 turn in registers.
    fn copy_transposed(&mut self, factor: &Factor, depth: Span, chunk: usize, (offset, stride): (usize, usize)) {
        let held = self.held_depth(depth, chunk);
        let piece = self.each_piece(stride * chunk / 4);
        let (group, quad) = self.split(&piece, chunk / 4);
        let col = self.value(format!("{} + 4 * {}", factor.origin.text, quad.text), piece.level);
        let rows: Vec<String> = (0..4)
            .map(|j| {
                let local = self.value(format!("4 * {} + {j}", group.text), piece.level);
                let position = self.position_on(factor.across, &local, 4 * stride);
                let start = self.row_offset(Self::storage(factor), &position);
                let value = self.quad(Self::storage(factor), &start, &col, held);
                self.named("r", &value)
            })
            .collect();
        for (j, component) in ["x", "y", "z", "w"].iter().enumerate() {
            let column: Vec<String> = rows.iter().map(|row| format!("{row}.{component}")).collect();
            let at = format!("{offset} + (4 * {} + {j}) * {stride} + {}", quad.text, group.text);
            self.line(format!("shared_tile[{at}] = vec4<f32>({});", column.join(", ")));
        }
        self.close_copy();
    }
}
