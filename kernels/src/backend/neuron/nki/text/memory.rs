//! Transfers between HBM and SBUF.

use super::{Chunk, Writer};
use crate::backend::neuron::Target;
use crate::backend::neuron::nki::access::{Access, Form, Rows};
use crate::backend::neuron::nki::layout::Value;
use crate::backend::neuron::nki::plan::StagePlan;
use crate::program::Axis;

/// Cuts rows of (outer, inner) pairs into runs that one access pattern names.
pub(in super::super) const ROW_RUNS: &str = r#"
def row_runs(first, n, inner, most):
    """Rows first .. first + n, where row = outer * inner + i, as runs of whole access patterns.

    A run is (rows before it, outer, i, outers in it, i's in it); it has at most `most` outers.
    """
    runs, at = [], 0
    while at < n:
        outer, i = (first + at) // inner, (first + at) % inner
        whole = min(most, (n - at) // inner) if i == 0 else 0
        n_outer, n_i = (whole, inner) if whole > 0 else (1, min(inner - i, n - at))
        runs.append((at, outer, i, n_outer, n_i))
        at += n_outer * n_i
    return runs
"#;

/// What a transfer does.
#[derive(Clone, Copy)]
enum Way {
    In,
    Out,
}

impl Writer {
    pub(super) fn load(&mut self, to: &Value, access: &Access, plan: &StagePlan) {
        if let Form::Spread { offset } = &access.form {
            let cols = &access.cols.text;
            let pattern = format!("[[0, {}], [1, {cols}]]", Target::PARTITIONS);
            let src = format!("{}.ap(pattern={pattern}, offset={offset})", access.name);
            let dst = to.part("0", &format!("0:{}", Target::PARTITIONS), &format!("0:{cols}"));
            return self.call("nisa.dma_copy", &[("dst", dst), ("src", src)]);
        }
        self.transfer(Way::In, to, access, plan);
    }

    pub(super) fn store(&mut self, access: &Access, from: &Value, plan: &StagePlan) {
        self.transfer(Way::Out, from, access, plan);
    }

    fn transfer(&mut self, way: Way, value: &Value, access: &Access, plan: &StagePlan) {
        let cols = format!("0:{}", access.cols.text);
        self.rows(&access.rows, |w, rows| match &access.form {
            Form::Slices { lead, whole } => {
                let row = rows_along(access, rows, plan);
                let col = if *whole { ":".into() } else { slice(&plan.scope.text(&access.col), &access.cols.text) };
                let index = lead.iter().cloned().chain([row, col]).collect::<Vec<_>>().join(", ");
                let operand = format!("{}[{index}]", access.name);
                w.copy_way(way, value.part(&rows.index, &rows.own(), &cols), operand);
            }
            Form::Pattern(pattern) => w.patterns(way, value, access, (rows, pattern), plan),
            Form::Spread { .. } => unreachable!("one row on every partition is loaded, never stored"),
        });
    }

    fn copy_way(&mut self, way: Way, on_chip: String, operand: String) {
        let (dst, src) = match way {
            Way::In => (on_chip, operand),
            Way::Out => (operand, on_chip),
        };
        self.call("nisa.dma_copy", &[("dst", dst), ("src", src)]);
    }

    fn patterns(
        &mut self,
        way: Way,
        value: &Value,
        access: &Access,
        (rows, pattern): (&Chunk, &Rows),
        plan: &StagePlan,
    ) {
        let (n_cols, cols) = (&access.cols.text, format!("0:{}", access.cols.text));
        let (stride, group) = (pattern.inner.stride, pattern.inner.len);
        let on_chip = |part: &str| value.part(&rows.index, part, &cols);
        if pattern.outer.is_empty() {
            let first = times(&first_row(access, rows, plan), stride);
            let places = format!("[[{stride}, {}], [1, {n_cols}]]", rows.n);
            let operand = ap(access, &places, &[&pattern.offset, &first]);
            return self.copy_way(way, on_chip(&rows.own()), operand);
        }
        let outer = pattern.outer[pattern.outer.len() - 1];
        if pattern.aligned {
            let first = plan.scope.text(&access.row.divided(group as i64).scaled(outer.stride as i64));
            let chunk = times(&rows.index, Target::PARTITIONS / group * outer.stride);
            let n_outer = rows.n.parse::<usize>().map_or(format!("{} // {group}", rows.n), |n| (n / group).to_string());
            let places = format!("[[{}, {n_outer}], [{stride}, {group}], [1, {n_cols}]]", outer.stride);
            let operand = ap(access, &places, &[&pattern.offset, &first, &chunk]);
            return self.copy_way(way, on_chip(&rows.own()), operand);
        }
        self.needs_row_runs = true;
        let most = if pattern.outer.len() == 1 { outer.len } else { 1 };
        let runs = format!("row_runs({}, {}, {group}, {most})", first_row(access, rows, plan), rows.n);
        self.line(&format!("for at, outer, inner, n_outer, n_inner in {runs}:"));
        self.indented(|w| {
            let places = format!("[[{}, n_outer], [{stride}, n_inner], [1, {n_cols}]]", outer.stride);
            let operand =
                ap(access, &places, &[&pattern.offset, &outer_offset(&pattern.outer), &times("inner", stride)]);
            w.copy_way(way, on_chip("at : at + n_outer * n_inner"), operand);
        });
    }
}

/// `operand.ap(pattern, offset)`, the offset a sum.
fn ap(access: &Access, places: &str, offset: &[&str]) -> String {
    let terms: Vec<&str> = offset.iter().copied().filter(|term| *term != "0").collect();
    let offset = if terms.is_empty() { "0".to_owned() } else { terms.join(" + ") };
    format!("{}.ap(pattern={places}, offset={offset})", access.name)
}

fn times(text: &str, factor: usize) -> String {
    let product = text.contains(' ').then(|| format!("({text}) * {factor}"));
    match (text, factor) {
        ("0", _) | (_, 0) => "0".into(),
        (_, 1) => text.into(),
        _ => product.unwrap_or_else(|| format!("{text} * {factor}")),
    }
}

/// Position of a chunk's first row.
fn first_row(access: &Access, rows: &Chunk, plan: &StagePlan) -> String {
    match (plan.scope.text(&access.row).as_str(), rows.first.as_str()) {
        (row, "0") => row.into(),
        ("0", chunk) => chunk.into(),
        (row, chunk) => format!("{row} + {chunk}"),
    }
}

fn rows_along(access: &Access, rows: &Chunk, plan: &StagePlan) -> String {
    slice(&first_row(access, rows, plan), &rows.n)
}

fn slice(first: &str, n: &str) -> String {
    match (first.parse::<usize>(), n.parse::<usize>()) {
        (Ok(first), Ok(n)) => format!("{first}:{}", first + n),
        (Ok(0), _) => format!("0:{n}"),
        _ => format!("{first} : {first} + {n}"),
    }
}

/// Element offset of combination `outer` of the outer axes, the last changing fastest.
fn outer_offset(axes: &[Axis]) -> String {
    let mut inside = 1;
    let mut terms = Vec::new();
    for (i, axis) in axes.iter().enumerate().rev() {
        let at = if inside == 1 { "outer".to_owned() } else { format!("outer // {inside}") };
        let at = if i == 0 { at } else { format!("{at} % {}", axis.len) };
        terms.push(times(&at, axis.stride));
        inside *= axis.len;
    }
    terms.retain(|term| term != "0");
    if terms.is_empty() { "0".into() } else { terms.join(" + ") }
}
