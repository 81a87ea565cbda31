//! The readable listing of a program.

use std::fmt;

use super::op::{Arg, Axis2, BinaryFn, Form, Op, ReduceFn, TileId, TileType, UnaryFn};
use super::tensor::{Axis, Span, Stretch};
use super::{Bound, Index, Program, Role, Stage};

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "program {}", self.name())?;
        for tensor in self.tensors() {
            let role = match tensor.role {
                Role::Input => "input",
                Role::Weight => "weight",
                Role::Table => "table",
                Role::Output => "output",
                Role::Scratch => "scratch",
            };
            write!(f, "  {role} {}: {} [", tensor.name, tensor.dtype)?;
            list(f, &tensor.lead, ", ")?;
            write!(f, "] [")?;
            list(f, &tensor.rows, " · ")?;
            write!(f, ", {}]", tensor.cols)?;
            if let Some(pages) = tensor.pages {
                write!(f, " in {} pages of {} rows by {}", pages.count, pages.rows, self.tensor(pages.table).name)?;
            }
            writeln!(f)?;
        }
        for (i, stage) in self.stages().iter().enumerate() {
            let grid: Vec<String> = stage.grid.iter().map(|axis| format!("{} < {}", axis.name, axis.extent)).collect();
            writeln!(f, "stage {i}: each {}", grid.join(", "))?;
            for Stretch { first, end, table, at, len } in &stage.stretches {
                let table = &self.tensor(*table).name;
                writeln!(f, "  v{}..v{} = stretch {at} of {len} by {table}", first.0, end.0)?;
            }
            body(f, self, stage, &stage.body, 1)?;
        }
        Ok(())
    }
}

fn body(f: &mut fmt::Formatter<'_>, program: &Program, stage: &Stage, ops: &[Op], depth: usize) -> fmt::Result {
    for op in ops {
        write!(f, "{:width$}{}", "", op.headline(), width = 2 * depth)?;
        match op {
            Op::Loop { body: inner, .. } => {
                writeln!(f)?;
                body(f, program, stage, inner, depth + 1)?;
            }
            Op::Load { dst, tensor, .. } => {
                writeln!(f, "  # {} {}", program.tensor(*tensor).name, stage.tile(*dst))?;
            }
            Op::Store { tensor, .. } => writeln!(f, "  # {}", program.tensor(*tensor).name)?,
            Op::Fill { dst, .. }
            | Op::Reduce { dst, .. }
            | Op::Dequantise { dst, .. }
            | Op::Convert { dst, .. }
            | Op::Position { dst, .. } => {
                writeln!(f, "  # {}", stage.tile(*dst))?;
            }
            _ => writeln!(f)?,
        }
    }
    Ok(())
}

impl Op {
    /// The operation on one line, without the body of a loop.
    pub fn headline(&self) -> String {
        match self {
            Op::Load { dst, tensor, lead } => format!("{dst} = load t{}{}", tensor.0, Lead(lead)),
            Op::Store { tensor, lead, src } => format!("store t{}{}, {src}", tensor.0, Lead(lead)),
            Op::Fill { dst, value } => format!("{dst} = fill {value:?}"),
            Op::Mma { acc, a, b, form: Form::Ab } => format!("{acc} += {a} · {b}"),
            Op::Mma { acc, a, b, form: Form::Abt } => format!("{acc} += {a} · {b}ᵀ"),
            Op::Unary { dst, f, x } => format!("{dst} = {f} {x}"),
            Op::Binary { dst, f, x, y } => format!("{dst} = {f} {x}, {y}"),
            Op::Reduce { dst, f: ReduceFn::Max, x } => format!("{dst} = row_max {x}"),
            Op::Reduce { dst, f: ReduceFn::Sum, x } => format!("{dst} = row_sum {x}"),
            Op::Band { dst, x, row_div, low, high, outside } => {
                let end = |end: &Option<i64>| end.map_or("..".to_string(), |e| e.to_string());
                format!("{dst} = {x} where {} <= col - row/{row_div} <= {} else {outside:?}", end(low), end(high))
            }
            Op::Position { dst, axis: Axis2::Rows } => format!("{dst} = row_positions"),
            Op::Position { dst, axis: Axis2::Cols } => format!("{dst} = col_positions"),
            Op::Dequantise { dst, x, scale } => format!("{dst} = dequantise {x}, {scale}"),
            Op::Convert { dst, x } => format!("{dst} = convert {x}"),
            Op::Loop { var, low, high, .. } => {
                let ends = |bounds: &[Bound]| bounds.iter().map(Bound::to_string).collect::<Vec<_>>().join(", ");
                format!("for v{} in max({})..min({})", var.0, ends(low), ends(high))
            }
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, axes: &[Axis], separator: &str) -> fmt::Result {
    for (i, axis) in axes.iter().enumerate() {
        if i > 0 {
            f.write_str(separator)?;
        }
        write!(f, "{}", axis.len)?;
    }
    Ok(())
}

struct Lead<'i>(&'i [Index]);

impl fmt::Display for Lead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let indices: Vec<String> = self.0.iter().map(Index::to_string).collect();
        write!(f, "[{}]", indices.join(", "))
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

impl fmt::Display for Arg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Arg::Tile(tile) => tile.fmt(f),
            Arg::Scalar(x) => write!(f, "{x:?}"),
        }
    }
}

impl fmt::Display for UnaryFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UnaryFn::Copy => "copy",
            UnaryFn::Exp2 => "exp2",
            UnaryFn::Log2 => "log2",
            UnaryFn::Tanh => "tanh",
            UnaryFn::Rsqrt => "rsqrt",
            UnaryFn::Abs => "abs",
        })
    }
}

impl fmt::Display for BinaryFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BinaryFn::Add => "add",
            BinaryFn::Sub => "sub",
            BinaryFn::Mul => "mul",
            BinaryFn::Div => "div",
            BinaryFn::Max => "max",
            BinaryFn::Min => "min",
        })
    }
}

impl fmt::Display for TileType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}, {}]", self.dtype, self.rows, self.cols)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Span::ONE {
            f.write_str("1")
        } else if self.start == Index::constant(0) && self.size == self.len {
            write!(f, "{}", self.len)
        } else {
            write!(f, "{} at {} of {}", self.size, self.start, self.len)?;
            self.end.map_or(Ok(()), |end| write!(f, " to v{}", end.0))
        }
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (var, coefficient) in self.terms() {
            match coefficient {
                1 => write!(f, "{separator}v{}", var.0)?,
                c => write!(f, "{separator}{c}·v{}", var.0)?,
            }
            separator = " + ";
        }
        match self.base() {
            0 if !separator.is_empty() => Ok(()),
            base => write!(f, "{separator}{base}"),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.divisor {
            1 => self.index.fmt(f),
            divisor => write!(f, "({})/{divisor}", self.index),
        }
    }
}
