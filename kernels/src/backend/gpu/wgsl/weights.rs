//! Weights of 4 bits: read where they lie, as the f32 numbers that they stand for.
//!
//! ```text
//! a thread reads 16 bytes of a row, a group of 32 columns:   columns 4c .. + 4 are the low halves of word c,
//!                                                            columns 16 + 4c .. + 4 its high halves
//! products of few rows:  g[row][column] = sum over the group of a · (half − 8);  p[row][column] += scale · g
//! everything else:       (half − 8) · scale, four columns of a word at a time
//! ```
//!
//! The scale comes last where rows are few: it costs a group, not each weight, one multiplication a row. It is one rounding
//! a group in place of one a weight.

use super::access::Matrix;
use super::emit::Emit;
use super::factor::Place;
use super::helpers::Helper;
use super::method::Streamed;
use super::mma::Product;
use super::partials::partial;
use super::scope::Value;
use super::too_large;
use super::view::View;
use crate::backend::Unsupported;
use crate::problem::GROUP;
use crate::program::TileId;

/// Sums of products that a step writes out, each of a group: what drivers compile in a fraction of a second.
const MAX_GROUPS_A_STEP: usize = 64;

impl Emit<'_> {
    /// Four neighbours from `col` on, a multiple of four, of row `row` of weights.
    pub(super) fn weights_quad(&mut self, (bytes, scale): (&Matrix, &Matrix), row: &Value, col: &Value) -> String {
        if self.plan.views[&bytes.tensor].0 != View::Sixteens {
            let elements: Vec<String> = (0..4)
                .map(|j| {
                    let col = self.sum(col, &Value::literal(j));
                    self.weight((bytes, scale), row, &col.text)
                })
                .collect();
            return format!("vec4<f32>({})", elements.join(", "));
        }
        let scale = self.weights_scale(scale, row, &col.text);
        let group = self.weights_group(bytes, row, &col.text);
        let word = format!("{group}[({0} >> 2u) & 3] >> (u32({0} >> 2u) & 4u)", col.text);
        self.with_helper(Helper::QuadI4, format!("quad_i4({word}) * {scale}"))
    }

    /// One weight.
    pub(super) fn weight(&mut self, (bytes, scale): (&Matrix, &Matrix), row: &Value, col: &str) -> String {
        let scale = self.weights_scale(scale, row, col);
        let row = self.row_offset(bytes, row);
        let at = format!("{} + (({col}) >> 5u) * {} + (({col}) & {})", row.text, GROUP / 2, GROUP / 2 - 1);
        let word = self.word_at(bytes, &at);
        self.with_helper(Helper::ReadI4, format!("read_i4({word}, {at}, {col}) * {scale}"))
    }

    /// The bytes of the group that column `col` belongs to.
    fn weights_group(&mut self, bytes: &Matrix, row: &Value, col: &str) -> String {
        let row = self.row_offset(bytes, row);
        format!("m{}[({} >> 4u) + (({col}) >> 5u)]", bytes.tensor.0, row.text)
    }

    fn weights_scale(&mut self, scale: &Matrix, row: &Value, col: &str) -> String {
        let row = self.row_offset(scale, row);
        self.element(scale, &row, &format!("(({col}) >> 5u)"))
    }

    /// Weights that anything but a product reads are read into registers; others are left where they lie.
    ///
    /// # Errors
    /// The bytes or their scales are not loaded, each once.
    pub(super) fn dequantise(&mut self, dst: TileId, x: TileId, scale: TileId) -> Result<(), Unsupported> {
        let Some(source) = self.plan.sources[dst.0 as usize].clone() else {
            let asked = format!("%{} with scales %{}", x.0, scale.0);
            return Err(too_large("4-bit weights and scales in WGSL", asked, "loads, each of a tile of its own"));
        };
        self.load_depths[dst.0 as usize] = self.load_depths[x.0 as usize];
        if self.plan.in_registers[dst.0 as usize] {
            self.load(dst, &source);
        }
        Ok(())
    }

    /// `b[columns, depth]` of weights, for few rows.
    pub(super) fn stream_weights(&mut self, product: &Product, streamed: &Streamed, stem: &str, n: &Value) {
        let weights = match &product.b.place {
            Place::Storage(matrix) => matrix.weights(),
            _ => None,
        };
        let (bytes, scale) = weights.expect("weights are streamed from where they lie");
        let (first, columns) = self.stream_columns_of(product, streamed);
        let most = MAX_GROUPS_A_STEP / (self.ty(product.acc).rows.size * streamed.slots).max(1);
        self.strided(&first, n, (GROUP * streamed.x, most), &mut |emit, steps| {
            let mut loaded = vec![];
            for k in steps {
                let at = emit.sum(&product.b.origin, k);
                for row in &columns {
                    let group = emit.weights_group(&bytes, row, &at.text);
                    loaded.push(emit.named("w", &group));
                }
            }
            let mut scales = vec![];
            for k in steps {
                let at = emit.sum(&product.b.origin, k);
                for row in &columns {
                    let scale = emit.weights_scale(&scale, row, &at.text);
                    scales.push(emit.named("s", &scale));
                }
            }
            let of_steps = loaded.chunks(columns.len()).zip(scales.chunks(columns.len()));
            for (k, (groups, scales)) in steps.iter().zip(of_steps) {
                emit.weights_step(product, stem, (groups, scales), k);
            }
        });
    }

    /// Adds a group of each of this thread's columns, times the same stretch of every row of the left factor.
    fn weights_step(&mut self, product: &Product, stem: &str, (groups, scales): (&[String], &[String]), k: &Value) {
        let rows = self.ty(product.acc).rows.size;
        let sums = self.fresh("g");
        for row in 0..rows {
            for slot in 0..groups.len() {
                self.line(format!("var {} = 0.0;", partial(&sums, row, slot)));
            }
        }
        let at = self.sum(&product.a.origin, k);
        for pair in (0..GROUP / 4).step_by(2) {
            let col = self.sum(&at, &Value::literal(4 * pair as i64));
            let left = self.left_stretches(product, &col, 2);
            for i in 0..2 {
                let right: Vec<String> = groups.iter().map(|group| self.weights_of(group, pair + i)).collect();
                let left: Vec<&str> = left.iter().map(|row| row[i].as_str()).collect();
                self.add_products(&sums, &left, &right, 1);
            }
        }
        for row in 0..rows {
            for (slot, scale) in scales.iter().enumerate() {
                let sum = partial(stem, row, slot);
                self.line(format!("{sum} = fma({scale}, {}, {sum});", partial(&sums, row, slot)));
            }
        }
    }

    /// Columns `4·quad .. + 4` of a group, not scaled.
    fn weights_of(&mut self, group: &str, quad: usize) -> String {
        let word = format!("{group}.{}", ["x", "y", "z", "w"][quad % 4]);
        let halves = if quad < 4 { word } else { format!("{word} >> 4u") };
        let quad = self.with_helper(Helper::QuadI4, format!("quad_i4({halves})"));
        self.named("b", &quad)
    }
}
