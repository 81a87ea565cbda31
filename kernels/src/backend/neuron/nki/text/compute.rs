//! The vector, scalar and GpSimd engines.

use super::{Chunk, Writer, all_cols, number};
use crate::DType;
use crate::backend::neuron::nki::affine::Affine;
use crate::backend::neuron::nki::layout::Value;
use crate::backend::neuron::nki::plan::StagePlan;
use crate::backend::neuron::nki::step::{Activation, Alu, Band, Operand, Step};
use crate::program::{Axis2, ReduceFn};

fn alu(op: Alu) -> &'static str {
    match op {
        Alu::Add => "nl.add",
        Alu::Subtract => "nl.subtract",
        Alu::Multiply => "nl.multiply",
        Alu::Maximum => "nl.maximum",
        Alu::Minimum => "nl.minimum",
    }
}

fn activation(f: Activation) -> &'static str {
    match f {
        Activation::Exp => "nl.exp",
        Activation::Log => "nl.log",
        Activation::Tanh => "nl.tanh",
        Activation::Rsqrt => "nl.rsqrt",
        Activation::Abs => "nl.abs",
    }
}

/// Views of one chunk of rows of a step's operands.
struct Views<'v> {
    values: &'v [Value],
    to: &'v Value,
    rows: &'v Chunk,
}

impl Views<'_> {
    fn whole(&self, value: usize) -> String {
        let value = &self.values[value];
        value.part(&self.rows.index, &self.rows.own(), &format!("0:{}", self.to.cols.text))
    }

    fn column(&self, value: usize) -> String {
        self.values[value].part(&self.rows.index, &self.rows.own(), "0:1")
    }

    fn dst(&self) -> String {
        self.to.part(&self.rows.index, &self.rows.own(), &all_cols(self.to))
    }

    /// An operand as wide as the result.
    fn wide(&self, operand: Operand) -> String {
        match operand {
            Operand::Tile(value) => self.whole(value),
            Operand::Column(value) => format!("{}.broadcast(1, {})", self.column(value), self.to.cols.text),
            Operand::Scalar(x) => number(x),
        }
    }

    /// An operand as an instruction takes it that repeats columns itself: these must be f32.
    fn narrow(&self, operand: Operand) -> Option<String> {
        match operand {
            Operand::Column(value) if self.values[value].dtype == DType::F32 => Some(self.column(value)),
            Operand::Scalar(x) => Some(number(x)),
            Operand::Tile(_) | Operand::Column(_) => None,
        }
    }
}

impl Writer {
    pub(super) fn compute(&mut self, step: &Step, values: &[Value]) {
        match step {
            Step::Fill { to, value } => self.each(*to, values, |w, views| {
                w.call("nisa.memset", &[("dst", views.dst()), ("value", number(*value))]);
            }),
            Step::Copy { to, from } => self.each(*to, values, |w, views| {
                w.call("nisa.tensor_copy", &[("dst", views.dst()), ("src", views.wide(*from))]);
            }),
            Step::Zip { to, op, x, y } => self.each(*to, values, |w, views| w.zip(views, *op, *x, *y)),
            Step::ScaleAdd { to, scale, y } => self.each(*to, values, |w, views| w.scale_add(views, *scale, *y)),
            Step::Activate { to, .. } => self.each(*to, values, |w, views| w.activate(views, step)),
            Step::Reciprocal { to, from } => self.each(*to, values, |w, views| {
                w.call("nisa.reciprocal", &[("dst", views.dst()), ("data", views.whole(*from))]);
            }),
            Step::Reduce { to, f, from } => self.each(*to, values, |w, views| {
                let from = &values[*from];
                let data = from.part(&views.rows.index, &views.rows.own(), &all_cols(from));
                let op = if *f == ReduceFn::Max { "nl.maximum" } else { "nl.add" };
                let arguments = [("dst", views.dst()), ("op", op.into()), ("data", data), ("axis", "1".into())];
                w.call("nisa.tensor_reduce", &arguments);
            }),
            _ => unreachable!("the other steps have writers of their own"),
        }
    }

    fn each(&mut self, to: usize, values: &[Value], write: impl FnOnce(&mut Writer, &Views<'_>)) {
        let to = &values[to];
        self.rows(&to.rows, |w, rows| write(w, &Views { values, to, rows }));
    }

    fn scale_add(&mut self, views: &Views<'_>, scale: usize, y: usize) {
        let (dst, scale, y) = (views.dst(), views.column(scale), views.whole(y));
        let scaled = [("data", dst.clone()), ("op0", "nl.multiply".into()), ("operand0", scale)];
        let added = [("op1", "nl.add".into()), ("operand1", y)];
        self.call("nisa.scalar_tensor_tensor", &[&[("dst", dst)][..], &scaled, &added].concat());
    }

    fn activate(&mut self, views: &Views<'_>, step: &Step) {
        let Step::Activate { f, x, scale, bias, sum, .. } = step else { return };
        let mut arguments = vec![("dst", views.dst()), ("op", activation(*f).into()), ("data", views.wide(*x))];
        if *scale != 1.0 {
            arguments.push(("scale", number(*scale)));
        }
        arguments.extend(bias.map(|bias| ("bias", views.column(bias))));
        if let Some(sum) = sum {
            arguments.push(("reduce_op", "nl.add".into()));
            arguments.push(("reduce_res", views.column(*sum)));
            arguments.push(("reduce_cmd", "nisa.reduce_cmd.reset_reduce".into()));
        }
        self.call("nisa.activation", &arguments);
    }

    fn zip(&mut self, views: &Views<'_>, op: Alu, x: Operand, y: Operand) {
        let (dst, name) = (views.dst(), alu(op).to_owned());
        let is_wide = |operand| matches!(operand, Operand::Tile(_));
        // One operand goes element by element, the other may be repeated: the right one where both could be.
        let (data, repeated, reversed) = match (views.narrow(x), views.narrow(y)) {
            (_, Some(y)) if is_wide(x) || !matches!(x, Operand::Scalar(_)) => (views.wide(x), y, false),
            (Some(x), _) => (views.wide(y), x, true),
            _ => {
                let arguments = [("dst", dst), ("data1", views.wide(x)), ("data2", views.wide(y)), ("op", name)];
                return self.call("nisa.tensor_tensor", &arguments);
            }
        };
        let mut arguments = vec![("dst", dst), ("data", data), ("op0", name), ("operand0", repeated)];
        if reversed && op == Alu::Subtract {
            arguments.push(("reverse0", "True".into()));
        }
        self.call("nisa.tensor_scalar", &arguments);
    }

    pub(super) fn iota(&mut self, to: &Value, axis: Axis2, first: &str, varies: bool) {
        self.rows(&to.rows, |w, rows| {
            let (pattern, offset, multiplier) = match axis {
                Axis2::Rows if varies => ("[[0, 1]]".into(), plus(first, &rows.first), "1"),
                Axis2::Rows => ("[[0, 1]]".into(), first.to_owned(), "0"),
                Axis2::Cols => (format!("[[1, {}]]", to.cols.text), first.to_owned(), "0"),
            };
            let dst = to.part(&rows.index, &rows.own(), &all_cols(to));
            let place = [("offset", offset), ("channel_multiplier", multiplier.to_owned())];
            w.call("nisa.iota", &[&[("dst", dst), ("pattern", pattern)][..], &place].concat());
        });
    }

    /// Keeps what lies on one side of a diagonal.
    ///
    /// `col − ⌊row / g⌋ ≤ high` holds where `row − g·col + g·high ≥ 0`, and `≥ low` where
    /// `g·(col − low + 1) − 1 − row ≥ 0`: both linear in partition and column, which is what the engine evaluates. A
    /// tile that lies on the kept side altogether is left alone.
    pub(super) fn select(&mut self, to: &Value, band: &Band, plan: &StagePlan) {
        let g = band.row_div;
        let (sign, side) = if let Some(high) = band.high { ("<=", high) } else { (">=", band.low.unwrap_or(0)) };
        let row = if g == 1 { "row".to_owned() } else { format!("row // {g}") };
        self.line(&format!("# Keeps column - {row} {sign} {side}."));
        self.rows(&to.rows, |w, rows| {
            // Positions are plain integers: tiles that the band holds altogether cost nothing.
            w.line(&format!("if {}:", leaves(to, band, side, rows, plan)));
            w.indented(|w| w.affine_select(to, band, side, rows, plan));
        });
    }

    fn affine_select(&mut self, to: &Value, band: &Band, side: i64, rows: &Chunk, plan: &StagePlan) {
        let (g, sign) = (band.row_div, if band.high.is_some() { 1 } else { -1 });
        let constant = if sign > 0 { g * side } else { g * (1 - side) - 1 };
        let offset = band.rows.scaled(sign).plus(&band.cols.scaled(-sign * g)).plus(&Affine::constant(constant));
        let tile = to.part(&rows.index, &rows.own(), &all_cols(to));
        let multiplier = if band.spread { sign } else { 0 };
        let arguments = [
            ("dst", tile.clone()),
            ("pattern", format!("[[{}, {}]]", -sign * g, to.cols.text)),
            ("channel_multiplier", multiplier.to_string()),
            ("on_true_tile", tile),
            ("on_false_value", number(band.outside)),
            ("cmp_op", "nl.greater_equal".into()),
            ("offset", shifted(&plan.scope.text(&offset), sign, &rows.first)),
        ];
        self.call("nisa.affine_select", &arguments);
    }
}

/// Whether some element of a chunk lies outside: the one farthest from the kept side does.
fn leaves(to: &Value, band: &Band, side: i64, rows: &Chunk, plan: &StagePlan) -> String {
    let first_col = plan.scope.text(&band.cols);
    let first_row = plus(&plan.scope.text(&band.rows), &rows.first);
    let place = |row: &str| match (row, band.row_div) {
        ("0", _) => "0".to_owned(),
        (_, 1) => format!("({row})"),
        (_, g) => format!("({row}) // {g}"),
    };
    let last = |first: &str, n: &str| plus(first, &format!("{n} - 1"));
    if band.high.is_some() {
        format!("{} > {side}", minus(&last(&first_col, &to.cols.text), &place(&first_row)))
    } else {
        format!("{} < {side}", minus(&first_col, &place(&last(&first_row, &rows.n))))
    }
}

fn plus(text: &str, other: &str) -> String {
    match (text, other) {
        (text, "0") => text.into(),
        ("0", other) => other.into(),
        (text, other) => format!("{text} + {other}"),
    }
}

fn minus(text: &str, other: &str) -> String {
    if other == "0" { text.into() } else { format!("{text} - {other}") }
}

fn shifted(text: &str, sign: i64, by: &str) -> String {
    match (by, sign) {
        ("0", _) => text.into(),
        (by, 1) => plus(text, by),
        (by, _) => minus(text, by),
    }
}
