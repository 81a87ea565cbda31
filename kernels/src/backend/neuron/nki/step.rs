//! What a kernel does, step by step: the plan between a program and its text.

use super::access::Access;
use super::affine::Affine;
use crate::program::{Axis2, ReduceFn};

/// Position of a value in its stage's list.
pub(super) type ValueId = usize;

/// What an elementwise step reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Operand {
    /// An element for each of the result.
    Tile(ValueId),
    /// One column, the same for every column of the result.
    Column(ValueId),
    /// The same number everywhere.
    Scalar(f32),
}

/// Elementwise functions of two arguments that the vector engine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alu {
    Add,
    Subtract,
    Multiply,
    Maximum,
    Minimum,
}

/// Functions of the scalar engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activation {
    Exp,
    Log,
    Tanh,
    Rsqrt,
    Abs,
}

/// When a product starts anew instead of adding to what its place holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// At its first chunk of the contraction.
    Here,
    /// At the first chunk of the first trip of a loop: variable and first value.
    Loop(String, String),
    /// At the first instruction that writes there, as the compiler finds.
    Auto,
}

/// One limit of a band: rows of `rows` (their position on their axis divided by `row_div`) against columns of `cols`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Band {
    pub(super) rows: Affine,
    /// Whether partitions are rows; else all hold row 0.
    pub(super) spread: bool,
    pub(super) cols: Affine,
    pub(super) row_div: i64,
    pub(super) low: Option<i64>,
    pub(super) high: Option<i64>,
    pub(super) outside: f32,
}

/// A step. Destinations come first.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// A comment.
    Note(String),
    /// A number with a name.
    Let {
        name: String,
        value: String,
    },
    Allocate(ValueId),
    Load {
        to: ValueId,
        access: Access,
    },
    Store {
        access: Access,
        from: ValueId,
    },
    Fill {
        to: ValueId,
        value: f32,
    },
    /// Positions `first..` down the rows or along the columns; `varies` says that partitions are rows.
    Iota {
        to: ValueId,
        axis: Axis2,
        first: Affine,
        varies: bool,
    },
    /// Copies, repeats columns, converts.
    Copy {
        to: ValueId,
        from: Operand,
    },
    /// `to = fromᵀ`, block by block through PSUM.
    Turn {
        to: ValueId,
        through: ValueId,
        from: ValueId,
    },
    /// `to (+)= stationaryᵀ · moving`, the contraction on the partitions of both.
    Matmul {
        to: ValueId,
        stationary: ValueId,
        moving: ValueId,
        start: Start,
    },
    /// The same, a block at a time through one bank, into SBUF.
    BlockMatmul {
        to: ValueId,
        block: ValueId,
        stationary: ValueId,
        moving: ValueId,
        adds: bool,
    },
    Zip {
        to: ValueId,
        op: Alu,
        x: Operand,
        y: Operand,
    },
    /// `to = to · scale + y`.
    ScaleAdd {
        to: ValueId,
        scale: ValueId,
        y: ValueId,
    },
    /// `to = f(scale · x + bias)`, and its row sums.
    Activate {
        to: ValueId,
        f: Activation,
        x: Operand,
        scale: f32,
        bias: Option<ValueId>,
        sum: Option<ValueId>,
    },
    Reciprocal {
        to: ValueId,
        from: ValueId,
    },
    Reduce {
        to: ValueId,
        f: ReduceFn,
        from: ValueId,
    },
    Select {
        to: ValueId,
        band: Band,
    },
    /// The body where a condition holds.
    If {
        condition: String,
        body: Vec<Step>,
    },
    /// The body for each value; `sizes` are defined once the variable has one.
    Loop {
        var: String,
        first: String,
        last: String,
        sizes: Vec<(String, String)>,
        body: Vec<Step>,
    },
}

impl Step {
    /// Calls `each` with every value that the step touches, bodies included.
    pub(super) fn values(&self, each: &mut impl FnMut(ValueId)) {
        let operand = |operand: &Operand| match operand {
            Operand::Tile(value) | Operand::Column(value) => vec![*value],
            Operand::Scalar(_) => vec![],
        };
        let touched = match self {
            Step::Note(_) | Step::Let { .. } => vec![],
            Step::Allocate(to) | Step::Fill { to, .. } | Step::Iota { to, .. } | Step::Select { to, .. } => vec![*to],
            Step::Load { to, .. } => vec![*to],
            Step::Store { from, .. } => vec![*from],
            Step::Copy { to, from } => [vec![*to], operand(from)].concat(),
            Step::Turn { to, through, from } => vec![*to, *through, *from],
            Step::Matmul { to, stationary, moving, .. } => vec![*to, *stationary, *moving],
            Step::BlockMatmul { to, block, stationary, moving, .. } => vec![*to, *block, *stationary, *moving],
            Step::Zip { to, x, y, .. } => [vec![*to], operand(x), operand(y)].concat(),
            Step::ScaleAdd { to, scale, y } => vec![*to, *scale, *y],
            Step::Activate { to, x, bias, sum, .. } => {
                [vec![*to], operand(x), bias.iter().chain(sum).copied().collect()].concat()
            }
            Step::Reciprocal { to, from } | Step::Reduce { to, from, .. } => vec![*to, *from],
            Step::If { body, .. } | Step::Loop { body, .. } => {
                return body.iter().for_each(|step| step.values(each));
            }
        };
        touched.into_iter().for_each(each);
    }
}
