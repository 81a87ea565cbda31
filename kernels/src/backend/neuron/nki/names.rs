//! Names of the kernel's text: Python identifiers, each used once.

use std::collections::HashSet;

use super::plan::each_op;
use crate::DType;
use crate::program::{Axis2, BinaryFn, Op, Program, ReduceFn, Stage, TileId, UnaryFn};

/// Words that a kernel's text uses itself, and Python's own.
const RESERVED: [&str; 57] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "float", "for", "from", "global", "if", "import", "in", "is", "lambda", "len",
    "max", "min", "nisa", "nki", "nl", "nonlocal", "not", "or", "pass", "raise", "range", "return", "row_runs", "try",
    "while", "with", "yield", "int", "list", "rc", "rn", "cc", "cn", "kc", "kn", "at", "outer", "inner", "n_outer",
    "n_inner",
];

/// Identifiers taken so far.
#[derive(Debug)]
pub(super) struct Names(HashSet<String>);

impl Names {
    pub(super) fn new() -> Names {
        Names(RESERVED.iter().map(|word| (*word).to_owned()).collect())
    }

    /// `wanted` as an identifier, with a number where it is taken.
    pub(super) fn fresh(&mut self, wanted: &str) -> String {
        let mut base: String = wanted.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        if base.is_empty() || base.starts_with(|c: char| c.is_ascii_digit() || c == '_') {
            base.insert(0, 't');
        }
        let numbered = (2..).map(|n| format!("{base}_{n}"));
        let name = std::iter::once(base.clone()).chain(numbered).find(|name| !self.0.contains(name));
        let name = name.expect("numbers do not end");
        self.0.insert(name.clone());
        name
    }
}

/// NKI's name of an element type.
pub(super) fn dtype(dtype: DType) -> &'static str {
    match dtype {
        DType::F32 => "nl.float32",
        DType::F16 => "nl.float16",
        DType::Bf16 => "nl.bfloat16",
        DType::F8E4M3 => "nl.float8_e4m3",
        DType::F8E5M2 => "nl.float8_e5m2",
        DType::I32 | DType::I8 | DType::I4x2 => unreachable!("no target takes integers"),
    }
}

/// What to call each tile of a stage, from the operations that define and use it.
pub(super) fn of_tiles(program: &Program, stage: &Stage) -> Vec<String> {
    let mut names = vec![String::new(); stage.tiles.len()];
    name_accumulators(program, &stage.body, &mut names);
    each_op(&stage.body, &mut |op| {
        if let Some((tile, name)) = after_definition(program, stage, op, &names) {
            names[tile.0 as usize] = name;
        }
    });
    names
}

/// An accumulator that a loop adds to is `acc`; one that is filled beside its product is named after the factors.
fn name_accumulators(program: &Program, ops: &[Op], names: &mut [String]) {
    let loaded = |tile: &TileId| {
        let load = ops.iter().find(|op| matches!(op, Op::Load { dst, .. } if dst == tile));
        if let Some(Op::Load { tensor, .. }) = load { Some(program.tensor(*tensor).name.clone()) } else { None }
    };
    for op in ops {
        match op {
            Op::Mma { acc, b, .. } if names[acc.0 as usize].is_empty() => {
                let filled = ops.iter().any(|op| matches!(op, Op::Fill { dst, .. } if dst == acc));
                let product = || loaded(b).map_or("product".to_owned(), |b| format!("by_{b}"));
                names[acc.0 as usize] = if filled { product() } else { "acc".to_owned() };
            }
            Op::Loop { body, .. } => name_accumulators(program, body, names),
            _ => {}
        }
    }
}

fn after_definition(program: &Program, stage: &Stage, op: &Op, names: &[String]) -> Option<(TileId, String)> {
    let (dst, name) = match op {
        Op::Load { dst, tensor, .. } => (dst, format!("{}_tile", program.tensor(*tensor).name)),
        Op::Fill { dst, value: 0.0 } => (dst, "total".to_owned()),
        Op::Fill { dst, value } if *value <= f32::MIN => (dst, "peak".to_owned()),
        Op::Fill { dst, .. } => (dst, "constant".to_owned()),
        Op::Reduce { dst, f: ReduceFn::Max, .. } => (dst, "row_max".to_owned()),
        Op::Reduce { dst, f: ReduceFn::Sum, .. } => (dst, "row_sum".to_owned()),
        Op::Position { dst, axis: Axis2::Rows } => (dst, "row_at".to_owned()),
        Op::Position { dst, axis: Axis2::Cols } => (dst, "col_at".to_owned()),
        Op::Dequantise { dst, x, .. } => (dst, names[x.0 as usize].clone()),
        Op::Convert { dst, x } => (dst, format!("{}_{}", names[x.0 as usize], stage.tile(*dst).dtype)),
        Op::Band { dst, .. } => (dst, "masked".to_owned()),
        Op::Unary { dst, f, .. } => (dst, unary(*f).to_owned()),
        Op::Binary { dst, f, .. } => (dst, binary(*f).to_owned()),
        Op::Store { .. } | Op::Mma { .. } | Op::Loop { .. } => return None,
    };
    // A tile that is changed in place keeps its name, but for a copy or a difference: what becomes of them says more.
    let known = &names[dst.0 as usize];
    (known.is_empty() || known == "copied" || known == "difference").then_some((*dst, name))
}

fn unary(f: UnaryFn) -> &'static str {
    match f {
        UnaryFn::Copy => "copied",
        UnaryFn::Exp2 => "exp",
        UnaryFn::Log2 => "log",
        UnaryFn::Tanh => "tanh",
        UnaryFn::Rsqrt => "rsqrt",
        UnaryFn::Abs => "size",
    }
}

fn binary(f: BinaryFn) -> &'static str {
    match f {
        BinaryFn::Add => "added",
        BinaryFn::Sub => "difference",
        BinaryFn::Mul => "scaled",
        BinaryFn::Div => "ratio",
        BinaryFn::Max => "greater",
        BinaryFn::Min => "lesser",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_identifiers_and_never_the_same() {
        let mut names = Names::new();
        let given = ["in", "q", "q", "3x", "a-b", ""].map(|wanted| names.fresh(wanted));
        assert_eq!(given, ["in_2", "q", "q_2", "t3x", "a_b", "t"]);
    }
}
