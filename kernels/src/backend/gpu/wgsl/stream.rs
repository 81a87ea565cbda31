//! Products with few rows: the right factor is read once, side by side, and everything else follows from that.
//!
//! ```text
//! b[columns, depth]:  thread (sx, sy) reads b[sy + y·s][4·sx + 4x·i], i = 0, 1, ..; partial p[row][s] of one column
//!                     sums: over what is read at once, across the x lanes by shuffles
//! b[depth, columns]:  thread (sx, sy) reads b[4·sy + 4y·i ..][4·(sx + x·s)];        partial p[row][s] of four columns
//!                     sums: across the lanes with equal sx by shuffles, then across what is left in workgroup memory
//! ```
//!
//! Of 16-bit elements a thread reads eight where it reads four above, if every row starts at a multiple of eight: 16
//! bytes either way, and sixteen of bytes. 4-bit weights are read by groups: see `weights`.

use super::emit::Emit;
use super::factor::{Factor, Place};
use super::method::{Streamed, WEIGHTS};
use super::mma::Product;
use super::partials::partial;
use super::scope::Value;
use crate::program::Form;

/// Steps of a lane along the depth that are written out, so that their loads are in flight together.
const UNROLLED: usize = 4;

impl Emit<'_> {
    /// This thread's place: along the right factor's memory, and across it.
    pub(super) fn stream_place(&mut self, streamed: &Streamed) -> (Value, Value) {
        let sx = self.value(format!("i32(lane) % {}", streamed.x), 0);
        let sy = self.value(format!("i32(lane) / {}", streamed.x), 0);
        (sx, sy)
    }

    pub(super) fn stream(&mut self, product: &Product, streamed: &Streamed, stem: &str, n: &Value) {
        if matches!(product.a.place, Place::Shared { .. }) {
            self.before_reads();
        }
        match streamed.form {
            Form::Abt if self.is_sum(product.acc) => self.stream_words(product, streamed, stem, n),
            Form::Abt if streamed.wide == WEIGHTS => self.stream_weights(product, streamed, stem, n),
            Form::Abt => self.stream_columns(product, streamed, stem, n),
            Form::Ab => self.stream_rows(product, streamed, stem, n),
        }
    }

    /// A loop from this thread's first position on, `step` positions for all threads at a time; up to `most` times that
    /// where all of them surely exist.
    pub(super) fn strided(
        &mut self,
        first: &Value,
        n: &Value,
        (step, most): (usize, usize),
        each: &mut dyn FnMut(&mut Self, &[Value]),
    ) {
        let times = match n.known() {
            Some(n) => (1..=UNROLLED.min(most)).rev().find(|t| n % (t * step) as i64 == 0).unwrap_or(1),
            None => 1,
        };
        let k = self.fresh("k");
        self.open(format!("for (var {k} = {}; {k} < {}; {k} += {})", first.text, n.text, times * step));
        let k = Value { text: k, level: self.level() };
        let steps: Vec<Value> = (0..times).map(|t| self.sum(&k, &Value::literal((t * step) as i64))).collect();
        each(self, &steps);
        self.close();
    }

    /// `b[columns, depth]`.
    fn stream_columns(&mut self, product: &Product, streamed: &Streamed, stem: &str, n: &Value) {
        let (first, columns) = self.stream_columns_of(product, streamed);
        self.strided(&first, n, (4 * streamed.wide * streamed.x, UNROLLED), &mut |emit, steps| {
            let mut loaded = vec![];
            for k in steps {
                let at = emit.sum(&product.b.origin, k);
                let b = columns.iter().map(|row| match streamed.wide {
                    // Bytes become f32 where they are multiplied: all of them would take all registers.
                    3.. => emit.stretch(&product.b, row, (&at, None), streamed.wide),
                    wide => emit.side_by_side(&product.b, row, (&at, None), wide, "b"),
                });
                loaded.push(b.collect::<Vec<_>>());
            }
            for (k, b) in steps.iter().zip(&loaded) {
                emit.column_step(product, streamed, stem, b, k);
            }
        });
    }

    /// This thread's first position along the depth, and its columns.
    pub(super) fn stream_columns_of(&mut self, product: &Product, streamed: &Streamed) -> (Value, Vec<Value>) {
        let (sx, sy) = self.stream_place(streamed);
        let first = self.product(&sx, 4 * streamed.wide);
        let columns = (0..streamed.slots).map(|slot| {
            let local = self.sum(&sy, &Value::literal((streamed.y * slot) as i64));
            self.factor_row(&product.b, &local, streamed.y * streamed.slots)
        });
        (first, columns.collect())
    }

    /// Adds what this thread read of its columns, each times the same stretch of every row of the left factor.
    fn column_step(&mut self, product: &Product, streamed: &Streamed, stem: &str, columns: &[Vec<String>], k: &Value) {
        let at = self.sum(&product.a.origin, k);
        // Two groups of four at a time: of more, those of many rows would take all registers.
        let at_once = streamed.wide.min(2);
        for first in (0..streamed.wide).step_by(at_once) {
            let at = self.sum(&at, &Value::literal(4 * first as i64));
            let left = self.left_stretches(product, &at, at_once);
            for i in 0..at_once {
                let right: Vec<String> = columns
                    .iter()
                    .map(|column| match streamed.wide {
                        3.. => self.named("b", &column[first + i]),
                        _ => column[first + i].clone(),
                    })
                    .collect();
                let left: Vec<&str> = left.iter().map(|row| row[i].as_str()).collect();
                self.add_products(stem, &left, &right, streamed.per_sum());
            }
        }
    }

    /// `wide` groups of four neighbours along the depth of each row of the left factor.
    pub(super) fn left_stretches(&mut self, product: &Product, at: &Value, wide: usize) -> Vec<Vec<String>> {
        let rows = self.ty(product.acc).rows.size;
        (0..rows)
            .map(|row| {
                let start = self.factor_row(&product.a, &Value::literal(row as i64), rows);
                self.side_by_side(&product.a, &start, (at, None), wide, "a")
            })
            .collect()
    }

    /// Adds the products of a vector a row and one a column to their sums, of four or one. Neighbouring statements add to
    /// different sums, so that none waits for the one before.
    pub(super) fn add_products(&mut self, stem: &str, left: &[&str], right: &[String], per_sum: usize) {
        let components: &[&str] = if per_sum == 1 { &[".x", ".y", ".z", ".w"] } else { &[""] };
        for component in components {
            for (row, a) in left.iter().enumerate() {
                for (slot, b) in right.iter().enumerate() {
                    let sum = partial(stem, row, slot);
                    self.line(format!("{sum} = fma({a}{component}, {b}{component}, {sum});"));
                }
            }
        }
    }

    /// `b[depth, columns]`.
    fn stream_rows(&mut self, product: &Product, streamed: &Streamed, stem: &str, n: &Value) {
        let (_, sy) = self.stream_place(streamed);
        let aligned = self.plan.in_fours(product.depth) && self.has_quads(&product.a);
        if !aligned {
            return self.strided(&sy, n, (streamed.y, UNROLLED), &mut |emit, steps| {
                for k in steps {
                    let b = emit.stream_row(product, streamed, k);
                    let at = emit.sum(&product.a.origin, k);
                    emit.stream_step(product, stem, &b, &mut |emit, start| {
                        let element = emit.factor_element(&product.a, start, &at);
                        vec![emit.named("a", &element)]
                    });
                }
            });
        }
        let first = self.product(&sy, 4);
        self.strided(&first, n, (4 * streamed.y, UNROLLED), &mut |emit, steps| {
            for k in steps {
                let b: Vec<String> = (0..4)
                    .flat_map(|j| {
                        let k = emit.sum(k, &Value::literal(j));
                        emit.stream_row(product, streamed, &k)
                    })
                    .collect();
                let at = emit.sum(&product.a.origin, k);
                emit.stream_step(product, stem, &b, &mut |emit, start| {
                    let quad = emit.named_quad(&product.a, start, &at, "a");
                    ["x", "y", "z", "w"].map(|c| format!("{quad}.{c}")).to_vec()
                });
            }
        });
    }

    /// Whether a left factor can be read in fours along the depth.
    fn has_quads(&self, factor: &Factor) -> bool {
        match &factor.place {
            Place::Storage(matrix) => self.plan.views[&matrix.tensor].0.in_quads(),
            _ => true,
        }
    }

    /// This thread's groups of columns of row `k` of the right factor.
    fn stream_row(&mut self, product: &Product, streamed: &Streamed, k: &Value) -> Vec<String> {
        let Streamed { x, wide, slots, .. } = *streamed;
        let (sx, _) = self.stream_place(streamed);
        let row = self.depth_row(&product.b, k);
        let across = product.b.across;
        let start = self.index(&across.start);
        let held = (!self.plan.holds(across, 4 * x * slots)).then_some(across.len);
        (0..slots / wide)
            .flat_map(|slot| {
                let group = self.sum(&sx, &Value::literal((x * slot) as i64));
                let local = self.product(&group, 4 * wide);
                let col = self.sum(&start, &local);
                self.side_by_side(&product.b, &row, (&col, held), wide, "b")
            })
            .collect()
    }

    /// Adds rows of the right factor, `b` holding them one after the other, weighted by what `left` gives for a row.
    fn stream_step(
        &mut self,
        product: &Product,
        stem: &str,
        b: &[String],
        left: &mut dyn FnMut(&mut Self, &Value) -> Vec<String>,
    ) {
        let rows = self.ty(product.acc).rows.size;
        for row in 0..rows {
            let start = self.factor_row(&product.a, &Value::literal(row as i64), rows);
            let a = left(self, &start);
            for (a, b) in a.iter().zip(b.chunks(b.len() / a.len())) {
                for (slot, b) in b.iter().enumerate() {
                    let sum = partial(stem, row, slot);
                    self.line(format!("{sum} = fma(vec4<f32>({a}), {b}, {sum});"));
                }
            }
        }
    }

    /// `wide` groups of four neighbours of a factor from `col` on, each under a name.
    pub(super) fn side_by_side(
        &mut self,
        factor: &Factor,
        row: &Value,
        at: (&Value, Option<usize>),
        wide: usize,
        stem: &str,
    ) -> Vec<String> {
        let quads = self.stretch(factor, row, at, wide);
        quads.iter().map(|quad| self.named(stem, quad)).collect()
    }

    /// The same as expressions.
    fn stretch(
        &mut self,
        factor: &Factor,
        row: &Value,
        (col, held): (&Value, Option<usize>),
        wide: usize,
    ) -> Vec<String> {
        match &factor.place {
            Place::Storage(matrix) if wide > 1 => self.groups(matrix, row, col, held, wide),
            _ => (0..wide)
                .map(|i| {
                    let col = self.sum(col, &Value::literal(4 * i as i64));
                    self.factor_quad(factor, row, &col, held)
                })
                .collect(),
        }
    }

    fn named_quad(&mut self, factor: &Factor, row: &Value, col: &Value, stem: &str) -> String {
        let quad = self.factor_quad(factor, row, col, None);
        self.named(stem, &quad)
    }
}
