//! Reading tensors: offsets, clamping at edges, and the element types.

use super::emit::Emit;
use super::helpers::Helper;
use super::no_bytes;
use super::plan::Source;
use super::scope::Value;
use super::view::View;
use crate::DType;
use crate::program::{Index, Pages, Span, TensorId};

/// A matrix of a tensor: the tensor, and the element at which the matrix starts.
#[derive(Clone, Debug)]
pub(super) struct Matrix {
    pub(super) tensor: TensorId,
    pub(super) base: Value,
    /// Of 4-bit weights, the matrix of their scales. Their rows are then told by position, which serves both matrices.
    pub(super) scale: Option<Box<Matrix>>,
    /// Of rows in pages, the entry of the table that says where the first page is.
    pub(super) entries: Option<Value>,
}

impl Matrix {
    /// The bytes and the scales of 4-bit weights.
    pub(super) fn weights(&self) -> Option<(Matrix, Matrix)> {
        let scale = self.scale.as_deref()?.clone();
        Some((Matrix { scale: None, ..self.clone() }, scale))
    }
}

impl Emit<'_> {
    /// The matrix that a load reads or a store writes.
    pub(super) fn matrix(&mut self, source: &Source) -> Matrix {
        let base = self.matrix_base(source.tensor, &source.lead);
        let scale = source.scale.as_deref().map(|scale| Box::new(self.matrix(scale)));
        let pages = self.program.tensor(source.tensor).pages;
        let entries = pages.map(|pages| self.matrix_base(pages.table, &source.lead));
        Matrix { tensor: source.tensor, base, scale, entries }
    }

    /// Element at which a matrix of a tensor starts.
    fn matrix_base(&mut self, tensor: TensorId, lead: &[Index]) -> Value {
        let axes = self.program.tensor(tensor).lead.clone();
        let mut base = Value::literal(0);
        for (axis, at) in axes.iter().zip(lead).filter(|(axis, _)| axis.len > 1 && axis.stride > 0) {
            let at = self.index(at);
            let step = self.product(&at, axis.stride);
            base = self.sum(&base, &step);
        }
        base
    }

    /// Element at which row `row` of a matrix starts; of weights the row itself.
    pub(super) fn row_offset(&mut self, matrix: &Matrix, row: &Value) -> Value {
        if matrix.scale.is_some() {
            return row.clone();
        }
        // Neighbouring axes that lie behind one another are one axis.
        let mut axes: Vec<(usize, usize)> = vec![];
        for axis in self.program.tensor(matrix.tensor).rows.iter().rev().filter(|axis| axis.len > 1) {
            match axes.last_mut() {
                Some((len, stride)) if *len * *stride == axis.stride => *len *= axis.len,
                _ => axes.push((axis.len, axis.stride)),
            }
        }
        let (mut offset, mut rest) = (matrix.base.clone(), row.clone());
        if let (Some(pages), Some(entries)) = (self.program.tensor(matrix.tensor).pages, &matrix.entries) {
            let page = self.page(pages, entries, row);
            offset = self.sum(&offset, &page);
            rest = self.computed(row, "%", pages.rows);
        }
        for (i, &(len, stride)) in axes.iter().enumerate() {
            let last = i + 1 == axes.len();
            let at = if last { rest.clone() } else { self.computed(&rest, "%", len) };
            rest = if last { rest } else { self.computed(&rest, "/", len) };
            let step = self.product(&at, stride);
            offset = self.sum(&offset, &step);
        }
        offset
    }

    /// Element at which the page of a row starts. An entry that is no page is taken for the nearest that is: no launch reads
    /// what is not the tensor's.
    fn page(&mut self, pages: Pages, entries: &Value, row: &Value) -> Value {
        let page = self.computed(row, "/", pages.rows);
        let at = self.sum(entries, &page);
        let text = format!("clamp(m{}[{}], 0, {})", pages.table.0, at.text, pages.count - 1);
        let page = self.value(text, at.level);
        self.product(&page, pages.stride)
    }

    /// `x` times a constant.
    pub(super) fn product(&mut self, x: &Value, factor: usize) -> Value {
        if factor == 1 { x.clone() } else { self.computed(x, "*", factor) }
    }

    fn computed(&mut self, x: &Value, operator: &str, y: usize) -> Value {
        match (x.known(), operator) {
            (Some(x), "*") => Value::literal(x * y as i64),
            (Some(x), "/") => Value::literal(x / y as i64),
            (Some(x), "%") => Value::literal(x % y as i64),
            _ => self.value(format!("{} {operator} {y}", x.text), x.level),
        }
    }

    /// `x`, but no more than `most`.
    pub(super) fn at_most(&mut self, x: &Value, most: usize) -> Value {
        match x.known() {
            Some(x) => Value::literal(x.min(most as i64)),
            None => self.value(format!("min({}, {most})", x.text), x.level),
        }
    }

    /// Row `slot` of this thread within a tile of `rows`.
    pub(super) fn local_row(&mut self, rows: Span, slot: usize) -> Value {
        let mapping = self.plan.mapping;
        if rows.size == 1 || mapping.ty == 1 {
            return Value::literal(slot as i64);
        }
        let step = mapping.ty * slot;
        self.value(if step == 0 { "ty".into() } else { format!("ty + {step}") }, 0)
    }

    /// First column of group `quad` of this thread within a tile.
    pub(super) fn local_col(&mut self, quad: usize) -> Value {
        let mapping = self.plan.mapping;
        let step = 4 * mapping.tx * quad;
        match (mapping.tx, step) {
            (1, _) => Value::literal(step as i64),
            (_, 0) => self.value("4 * tx".into(), 0),
            _ => self.value(format!("4 * tx + {step}"), 0),
        }
    }

    /// Position on its axis of row `slot` of this thread, held on the axis where the tile may leave it.
    pub(super) fn row_position(&mut self, rows: Span, slot: usize) -> Value {
        let local = self.local_row(rows, slot);
        let covered = self.plan.mapping.covered_rows(rows);
        self.position_on(rows, &local, covered)
    }

    /// Position on its axis of the row `local` of a tile, held on the axis where `covered` rows may leave it.
    pub(super) fn position_on(&mut self, span: Span, local: &Value, covered: usize) -> Value {
        let start = self.index(&span.start);
        let position = self.sum(&start, local);
        if self.plan.holds(span, covered) { position } else { self.at_most(&position, span.len - 1) }
    }

    /// One element, as f32.
    pub(super) fn element(&mut self, matrix: &Matrix, row: &Value, col: &str) -> String {
        if let Some((bytes, scale)) = matrix.weights() {
            return self.weight((&bytes, &scale), row, col);
        }
        let at = if row.known() == Some(0) { col.to_owned() } else { format!("{} + {col}", row.text) };
        let (m, dtype) = (format!("m{}", matrix.tensor.0), self.program.tensor(matrix.tensor).dtype);
        if dtype == DType::I8 {
            let word = self.word_at(matrix, &at);
            return self.with_helper(Helper::ReadI8, format!("read_i8({word}, {at})"));
        }
        match (self.plan.views[&matrix.tensor].0, dtype) {
            (View::Quads, DType::F32) => format!("{m}[({at}) >> 2u][({at}) & 3]"),
            (View::Halves, _) => format!("f32({m}[({at}) >> 2u][({at}) & 3])"),
            (View::Octets, _) => {
                format!("{}({m}[({at}) >> 3u][(({at}) >> 1u) & 3], {at})", self.reader(dtype))
            }
            (View::Quads, _) => {
                let helper = self.reader(dtype);
                format!("{helper}({m}[({at}) >> 2u][(({at}) >> 1u) & 1], {at})")
            }
            (_, DType::F32) => format!("{m}[{at}]"),
            (_, _) => format!("{}({m}[({at}) >> 1u], {at})", self.reader(dtype)),
        }
    }

    fn reader(&mut self, dtype: DType) -> &'static str {
        let (helper, name) = match dtype {
            DType::Bf16 => (Helper::ReadBf16, "read_bf16"),
            _ => (Helper::ReadF16, "read_f16"),
        };
        self.helpers.insert(helper);
        name
    }

    /// Four neighbours of a row from position `col` on. With `held`, those past the axis' end are some element of the
    /// row instead.
    pub(super) fn quad(&mut self, matrix: &Matrix, row: &Value, col: &Value, held: Option<usize>) -> String {
        let dtype = self.program.tensor(matrix.tensor).dtype;
        let view = self.plan.views[&matrix.tensor].0;
        if let Some((bytes, scale)) = matrix.weights() {
            let col = held.map_or_else(|| col.clone(), |len| self.at_most(col, len - 4));
            return self.weights_quad((&bytes, &scale), row, &col);
        }
        if view.in_quads() && dtype == DType::I8 {
            let col = held.map_or_else(|| col.clone(), |len| self.at_most(col, len - 4));
            let at = self.sum(row, &col);
            let word = self.word_at(matrix, &at.text);
            return self.unpacked(dtype, &word);
        }
        if view.in_quads() {
            let vector = self.halves(matrix, row, col, held);
            return match dtype {
                DType::F32 => vector,
                DType::F16 if view == View::Halves => format!("vec4<f32>({vector})"),
                _ => self.unpacked(dtype, &vector),
            };
        }
        let elements: Vec<String> = (0..4)
            .map(|j| {
                let at = self.sum(col, &Value::literal(j));
                let at = held.map_or_else(|| at.clone(), |len| self.at_most(&at, len - 1));
                self.element(matrix, row, &at.text)
            })
            .collect();
        format!("vec4<f32>({})", elements.join(", "))
    }

    /// Four elements in two words, or in one, as f32.
    fn unpacked(&mut self, dtype: DType, words: &str) -> String {
        match dtype {
            DType::Bf16 => self.with_helper(Helper::QuadBf16, format!("quad_bf16({words})")),
            DType::F16 => self.with_helper(Helper::QuadF16, format!("quad_f16({words})")),
            DType::I8 => self.with_helper(Helper::QuadI8, format!("quad_i8({words})")),
            DType::F32 | DType::F8E4M3 | DType::F8E5M2 | DType::I32 | DType::I4x2 => no_bytes(),
        }
    }

    /// `wide` groups of four neighbours of a row from position `col` on, a multiple of as many elements: one load for as
    /// many as the tensor is seen in. With `held`, those past the axis' end are some of the row instead.
    pub(super) fn groups(
        &mut self,
        matrix: &Matrix,
        row: &Value,
        col: &Value,
        held: Option<usize>,
        wide: usize,
    ) -> Vec<String> {
        let dtype = self.program.tensor(matrix.tensor).dtype;
        let col = held.map_or_else(|| col.clone(), |len| self.at_most(col, len - 4 * wide));
        let at_once = self.plan.views[&matrix.tensor].0.quads();
        if at_once == 1 || at_once > wide || matrix.scale.is_some() {
            let of_four = |i: usize| {
                let col = self.sum(&col, &Value::literal(4 * i as i64));
                self.quad(matrix, row, &col, None)
            };
            return (0..wide).map(of_four).collect();
        }
        let parts: &[&str] = if dtype.size_bytes() == 2 { &["xy", "zw"] } else { &["x", "y", "z", "w"][..at_once] };
        let mut groups = vec![];
        for first in (0..wide).step_by(at_once) {
            let col = self.sum(&col, &Value::literal(4 * first as i64));
            let at = self.sum(row, &col);
            let load = format!("m{}[{} >> {}u]", matrix.tensor.0, at.text, (4 * at_once).ilog2());
            let words = self.named("w", &load);
            groups.extend(parts.iter().map(|part| self.unpacked(dtype, &format!("{words}.{part}"))));
        }
        groups
    }

    /// Four neighbours as the tensor holds them, where it is seen in fours or eights.
    pub(super) fn halves(&mut self, matrix: &Matrix, row: &Value, col: &Value, held: Option<usize>) -> String {
        let col = held.map_or_else(|| col.clone(), |len| self.at_most(col, len - 4));
        let at = self.sum(row, &col);
        let m = format!("m{}", matrix.tensor.0);
        match self.plan.views[&matrix.tensor].0 {
            View::Octets => {
                let words = self.named("w", &format!("{m}[{} >> 3u]", at.text));
                format!("select({words}.xy, {words}.zw, ({} & 4) != 0)", at.text)
            }
            _ => format!("{m}[{} >> 2u]", at.text),
        }
    }

    /// An expression that calls a helper.
    pub(super) fn with_helper(&mut self, helper: Helper, expression: String) -> String {
        self.helpers.insert(helper);
        expression
    }
}
