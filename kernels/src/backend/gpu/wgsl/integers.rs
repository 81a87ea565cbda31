//! Products of 8-bit integers: four bytes along the depth are a word, and `dot4I8Packed` adds four products to a sum.
//!
//! ```text
//! few rows, b[columns, depth]:   as other products are streamed, sixteen bytes of each factor at a time
//! staged:                        see `words`
//! what is left of the depth,     words of both factors from their tensors, in fours of the depth;
//! and factors not read in words: then a byte at a time
//! ```

use super::access::Matrix;
use super::emit::{Emit, register};
use super::factor::Place;
use super::helpers::Helper;
use super::method::{Mma, Streamed};
use super::mma::Product;
use super::partials::partial;
use super::scope::Value;
use super::too_large;
use super::view::View;
use crate::backend::Unsupported;
use crate::program::{Form, TileId};

/// Components of a vector.
pub(super) const COMPONENTS: [&str; 4] = ["x", "y", "z", "w"];

impl Emit<'_> {
    /// # Errors
    /// Factors are not loaded, each once, or workgroup memory has no room.
    pub(super) fn multiply_integers(&mut self, mma: Mma) -> Result<(), Unsupported> {
        let mut places = vec![];
        for tile in [mma.a, mma.b] {
            let Some(source) = self.plan.sources[tile.0 as usize].clone() else {
                let asked = format!("%{}", tile.0);
                return Err(too_large("a factor of 8-bit integers in WGSL", asked, "loads, each of a tile of its own"));
            };
            places.push(Place::Storage(self.matrix(&source)));
        }
        let [a, b] = places.try_into().expect("two factors");
        let (product, n) = self.located(mma, a, b);
        match self.words(&product) {
            None => self.words_from(&product, &Value::literal(0), &n),
            Some(words) => {
                self.shared_words = self.shared_words.max(words.vectors());
                self.refuse_large(product.acc, 0)?;
                self.chunks_of_words(&product, words, &n);
            }
        }
        Ok(())
    }

    /// Sixteen bytes of a row from `col` on. With `held`, those past the axis' end are others of the row instead.
    pub(super) fn sixteen(&mut self, matrix: &Matrix, row: &Value, col: &Value, held: Option<usize>) -> String {
        if self.plan.views[&matrix.tensor].0 == View::Sixteens {
            let col = held.map_or_else(|| col.clone(), |len| self.at_most(col, len - 16));
            let at = self.sum(row, &col);
            return format!("m{}[{} >> 4u]", matrix.tensor.0, at.text);
        }
        let words: Vec<String> = (0..4)
            .map(|i| {
                let col = self.sum(col, &Value::literal(4 * i));
                self.word(matrix, row, &col, held)
            })
            .collect();
        format!("vec4<u32>({})", words.join(", "))
    }

    /// Adds four products a column: `a` is a word, `b` one of each column.
    pub(super) fn add_dots(&mut self, acc: TileId, (row, group): (usize, usize), a: &str, b: &str) {
        let sum = register(acc, row, group);
        if !self.is_wide(acc) {
            return self.line(format!("{sum} += dot4I8Packed({a}, {b});"));
        }
        let dots = COMPONENTS.map(|c| format!("dot4I8Packed({a}, {b}.{c})"));
        self.line(format!("{sum} += vec4<i32>({});", dots.join(", ")));
    }

    /// Positions `from` to `n` of the depth, straight from the tensors.
    pub(super) fn words_from(&mut self, product: &Product, from: &Value, n: &Value) {
        let in_fours = self.plan.in_fours(product.depth);
        let fours = match (in_fours, n.known()) {
            (true, _) => n.clone(),
            (false, Some(n)) => Value::literal(n - n % 4),
            (false, None) => self.value(format!("{} & -4", n.text), n.level),
        };
        let share = self.plan.mapping.share(&self.ty(product.acc));
        if fours != *from {
            let k = self.count_from(&from.text, &fours.text, 4);
            let left = self.left_words(product, &k, false);
            for group in 0..share.groups() {
                let right = self.right_words(product, group, &k);
                for (row, a) in left.iter().enumerate() {
                    self.add_dots(product.acc, (row, group), a, &right);
                }
            }
            self.close();
        }
        if !in_fours && n.known().is_none_or(|n| n % 4 != 0) {
            let k = self.count_from(&fours.text, &n.text, 1);
            let left = self.left_words(product, &k, true);
            for group in 0..share.groups() {
                let right = self.right_bytes(product, group, &k);
                for (row, a) in left.iter().enumerate() {
                    self.line(format!("{} += {a} * {right};", register(product.acc, row, group)));
                }
            }
            self.close();
        }
    }

    /// A word along the depth of each of this thread's rows, or a `single` number.
    fn left_words(&mut self, product: &Product, k: &Value, single: bool) -> Vec<String> {
        let (factor, matrix) = (&product.a, Self::storage(&product.a).clone());
        let covered = self.plan.mapping.covered_rows(factor.across);
        let at = self.sum(&factor.origin, k);
        (0..self.plan.mapping.rows(factor.across))
            .map(|slot| {
                let local = self.local_row(factor.across, slot);
                let row = self.factor_row(factor, &local, covered);
                let value = if single { self.byte(&matrix, &row, &at) } else { self.word(&matrix, &row, &at, None) };
                self.named("a", &value)
            })
            .collect()
    }

    /// Positions `k .. k + 4` of the columns of a group, a word each.
    fn right_words(&mut self, product: &Product, group: usize, k: &Value) -> String {
        let (factor, matrix) = (&product.b, Self::storage(&product.b).clone());
        let at = self.sum(&factor.origin, k);
        if factor.form == Form::Abt {
            let rows = self.right_rows(factor, group);
            let words: Vec<String> = rows.iter().map(|row| self.word(&matrix, row, &at, None)).collect();
            return match words.as_slice() {
                [single] => self.named("b", single),
                _ => self.named("b", &format!("vec4<u32>({})", words.join(", "))),
            };
        }
        let rows: Vec<Value> = (0..4)
            .map(|j| {
                let k = self.sum(k, &Value::literal(j));
                self.depth_row(factor, &k)
            })
            .collect();
        if factor.across.size == 1 {
            let col = self.position_on(factor.across, &Value::literal(0), 1);
            let bytes: Vec<String> = rows.iter().map(|row| self.byte(&matrix, row, &col)).collect();
            return self.named("b", &format!("pack4xI8(vec4<i32>({}))", bytes.join(", ")));
        }
        let (col, held) = self.right_col(factor, group);
        let words: Vec<String> = rows.iter().map(|row| self.word(&matrix, row, &col, held)).collect();
        let turned = self.with_helper(Helper::TurnBytes, format!("turn_bytes({})", words.join(", ")));
        self.named("b", &turned)
    }

    /// Position `k` of the columns of a group, as numbers.
    fn right_bytes(&mut self, product: &Product, group: usize, k: &Value) -> String {
        let (factor, matrix) = (&product.b, Self::storage(&product.b).clone());
        let bytes: Vec<String> = if factor.form == Form::Abt {
            let at = self.sum(&factor.origin, k);
            self.right_rows(factor, group).iter().map(|row| self.byte(&matrix, row, &at)).collect()
        } else {
            let row = self.depth_row(factor, k);
            let (col, held) = self.right_col(factor, group);
            let n = if factor.across.size == 1 { 1 } else { 4 };
            (0..n)
                .map(|j| {
                    let col = self.sum(&col, &Value::literal(j));
                    let col = held.map_or_else(|| col.clone(), |len| self.at_most(&col, len - 1));
                    self.byte(&matrix, &row, &col)
                })
                .collect()
        };
        match bytes.as_slice() {
            [single] => self.named("b", single),
            _ => self.named("b", &format!("vec4<i32>({})", bytes.join(", "))),
        }
    }

    /// One number of a row.
    fn byte(&mut self, matrix: &Matrix, row: &Value, col: &Value) -> String {
        let at = self.sum(row, col);
        let word = self.word_at(matrix, &at.text);
        self.with_helper(Helper::ByteI8, format!("byte_i8({word}, {})", at.text))
    }

    /// Four neighbours of a row from `col` on in a word. With `held`, those past the axis' end are others of the row instead.
    fn word(&mut self, matrix: &Matrix, row: &Value, col: &Value, held: Option<usize>) -> String {
        if self.plan.views[&matrix.tensor].0.in_quads() {
            let col = held.map_or_else(|| col.clone(), |len| self.at_most(col, len - 4));
            let at = self.sum(row, &col);
            return self.word_at(matrix, &at.text);
        }
        let bytes: Vec<String> = (0..4)
            .map(|j| {
                let col = self.sum(col, &Value::literal(j));
                let col = held.map_or_else(|| col.clone(), |len| self.at_most(&col, len - 1));
                self.byte(matrix, row, &col)
            })
            .collect();
        format!("pack4xI8(vec4<i32>({}))", bytes.join(", "))
    }

    /// `b[columns, depth]` for few rows.
    pub(super) fn stream_words(&mut self, product: &Product, streamed: &Streamed, stem: &str, n: &Value) {
        let (a, b) = (Self::storage(&product.a).clone(), Self::storage(&product.b).clone());
        let rows = self.ty(product.acc).rows.size;
        let (first, columns) = self.stream_columns_of(product, streamed);
        self.strided(&first, n, (16 * streamed.x, usize::MAX), &mut |emit, steps| {
            let mut loaded = vec![];
            for k in steps {
                let at = emit.sum(&product.b.origin, k);
                for row in &columns {
                    let block = emit.sixteen(&b, row, &at, None);
                    loaded.push(emit.named("w", &block));
                }
            }
            for (k, words) in steps.iter().zip(loaded.chunks(columns.len())) {
                let at = emit.sum(&product.a.origin, k);
                for row in 0..rows {
                    let start = emit.factor_row(&product.a, &Value::literal(row as i64), rows);
                    let block = emit.sixteen(&a, &start, &at, None);
                    let left = emit.named("a", &block);
                    for c in COMPONENTS {
                        for (slot, word) in words.iter().enumerate() {
                            let sum = partial(stem, row, slot);
                            emit.line(format!("{sum} += dot4I8Packed({left}.{c}, {word}.{c});"));
                        }
                    }
                }
            }
        });
    }
}
