//! The vocabulary: what a tile program can say.

use serde::{Deserialize, Serialize};

use super::{Bound, Index, Span, TensorId, Var, number};
use crate::DType;

/// A tile of a stage: a variable that operations define and redefine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TileId(pub u32);

/// Element type and place of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TileType {
    /// Element type; what arithmetic produces is f32, sums of products of 8-bit integers are i32.
    pub dtype: DType,
    /// Where its rows lie.
    pub rows: Span,
    /// Where its columns lie.
    pub cols: Span,
}

impl TileType {
    /// Whether each of its columns stands for `n` of another tile's, row by row.
    pub(super) fn covers(&self, other: &TileType, n: usize) -> bool {
        let (few, many) = (self.cols, other.cols);
        let sizes = [few.len, few.size].map(|size| size.checked_mul(n)) == [Some(many.len), Some(many.size)];
        self.rows == other.rows && sizes && few.start * n as i64 == many.start
    }
}

/// An argument of an elementwise operation. A tile with one row or one column is repeated to the size of the result.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arg {
    /// A tile.
    Tile(TileId),
    /// The same number everywhere.
    Scalar(#[serde(with = "number")] f32),
}

impl From<TileId> for Arg {
    fn from(tile: TileId) -> Arg {
        Arg::Tile(tile)
    }
}

impl From<f32> for Arg {
    fn from(scalar: f32) -> Arg {
        Arg::Scalar(scalar)
    }
}

/// Elementwise functions of one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnaryFn {
    /// The argument itself: broadcasts, or widens to f32.
    Copy,
    /// `2^x`; `exp2(-inf) = 0`.
    Exp2,
    /// Base-2 logarithm.
    Log2,
    /// Hyperbolic tangent.
    Tanh,
    /// `1 / √x`.
    Rsqrt,
    /// Absolute value.
    Abs,
}

/// Elementwise functions of two arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BinaryFn {
    /// `x + y`.
    Add,
    /// `x − y`.
    Sub,
    /// `x · y`.
    Mul,
    /// `x / y`.
    Div,
    /// The greater.
    Max,
    /// The smaller.
    Min,
}

/// Reductions along the columns of each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReduceFn {
    /// Greatest element; −∞ of none.
    Max,
    /// Sum; 0 of none.
    Sum,
}

/// How the right factor of a product is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// `acc[r, c] += a[r, k] · b[k, c]`.
    Ab,
    /// `acc[r, c] += a[r, k] · b[c, k]ᵀ`.
    Abt,
}

/// A direction of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Axis2 {
    /// Down: the position of a row.
    Rows,
    /// Across: the position of a column.
    Cols,
}

/// One operation. Destinations come first. Arithmetic is f32 whatever the arguments' types; an argument may be the
/// destination itself. Sums of integers are converted before anything else is done with them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    /// Reads the tile at `dst`'s spans from the matrix at `lead`.
    Load {
        /// Defined here; of the tensor's element type.
        dst: TileId,
        /// Read from: an input, or scratch of an earlier stage.
        tensor: TensorId,
        /// Which matrix.
        lead: Vec<Index>,
    },
    /// Writes what exists of the tile at its own spans, rounded to the tensor's type.
    Store {
        /// Written to: the output, or scratch.
        tensor: TensorId,
        /// Which matrix.
        lead: Vec<Index>,
        /// What is written.
        src: TileId,
    },
    /// The same number everywhere; 0 of an i32 tile.
    Fill {
        /// Defined here.
        dst: TileId,
        /// The number.
        #[serde(with = "number")]
        value: f32,
    },
    /// Matrix product added to f32 accumulators, or to i32 ones where factors are i8. Both factors are of one type.
    Mma {
        /// Added to.
        acc: TileId,
        /// Left factor, `[rows, depth]`.
        a: TileId,
        /// Right factor, `[depth, cols]` or `[cols, depth]`.
        b: TileId,
        /// Which of the two.
        form: Form,
    },
    /// `dst = f(x)`.
    Unary {
        /// Defined here.
        dst: TileId,
        /// The function.
        f: UnaryFn,
        /// Its argument.
        x: Arg,
    },
    /// `dst = f(x, y)`.
    Binary {
        /// Defined here.
        dst: TileId,
        /// The function.
        f: BinaryFn,
        /// First argument.
        x: Arg,
        /// Second argument.
        y: Arg,
    },
    /// `dst[r, 0] = f over c of x[r, c]`, over the columns that exist.
    Reduce {
        /// Defined here, one column.
        dst: TileId,
        /// The reduction.
        f: ReduceFn,
        /// What is reduced.
        x: TileId,
    },
    /// `dst = x` where `low ≤ column − ⌊row / row_div⌋ ≤ high` (positions on their axes), else `outside`.
    Band {
        /// Defined here.
        dst: TileId,
        /// What is kept inside the band.
        x: TileId,
        /// Consecutive rows that share a position.
        row_div: usize,
        /// Least distance kept; none is no limit.
        low: Option<i64>,
        /// Greatest distance kept; none is no limit.
        high: Option<i64>,
        /// The value outside.
        #[serde(with = "number")]
        outside: f32,
    },
    /// The position on its axis of each row (`dst` has one column) or column (`dst` has one row), as f32.
    Position {
        /// Defined here.
        dst: TileId,
        /// Rows or columns.
        axis: Axis2,
    },
    /// Integers of 4 bits as f32, times the scale of their group of 32 columns. Byte `j` of a group's 16 holds column `j` in its
    /// low half and column `j + 16` in its high half, each 8 more than it stands for.
    Dequantise {
        /// Defined here, f32; two columns a byte.
        dst: TileId,
        /// The bytes, of [`DType::I4x2`].
        x: TileId,
        /// A column a group.
        scale: TileId,
    },
    /// Rounds to `dst`'s element type, nearest even; none of integers.
    Convert {
        /// Defined here.
        dst: TileId,
        /// What is rounded.
        x: TileId,
    },
    /// Runs the body for each `var` from the greatest of `low` up to but not including the least of `high`.
    Loop {
        /// The loop's variable.
        var: Var,
        /// Lower ends; the greatest counts.
        low: Vec<Bound>,
        /// Upper ends; the least counts.
        high: Vec<Bound>,
        /// Operations in order.
        body: Vec<Op>,
    },
}

impl Op {
    /// The tile that it defines or adds to; none of a store and of a loop.
    pub(crate) fn defines(&self) -> Option<TileId> {
        match self {
            Op::Load { dst, .. }
            | Op::Fill { dst, .. }
            | Op::Mma { acc: dst, .. }
            | Op::Unary { dst, .. }
            | Op::Binary { dst, .. }
            | Op::Reduce { dst, .. }
            | Op::Band { dst, .. }
            | Op::Position { dst, .. }
            | Op::Dequantise { dst, .. }
            | Op::Convert { dst, .. } => Some(*dst),
            Op::Store { .. } | Op::Loop { .. } => None,
        }
    }

    /// The tiles that it reads, what it adds to among them; none of a loop.
    pub(crate) fn reads(&self) -> [Option<TileId>; 3] {
        let tile = |arg: &Arg| match arg {
            Arg::Tile(tile) => Some(*tile),
            Arg::Scalar(_) => None,
        };
        match self {
            Op::Unary { x, .. } => [tile(x), None, None],
            Op::Binary { x, y, .. } => [tile(x), tile(y), None],
            Op::Reduce { x, .. } | Op::Band { x, .. } | Op::Convert { x, .. } | Op::Store { src: x, .. } => {
                [Some(*x), None, None]
            }
            Op::Dequantise { x, scale, .. } => [Some(*x), Some(*scale), None],
            Op::Mma { acc, a, b, .. } => [Some(*acc), Some(*a), Some(*b)],
            Op::Load { .. } | Op::Fill { .. } | Op::Position { .. } | Op::Loop { .. } => [None; 3],
        }
    }
}
