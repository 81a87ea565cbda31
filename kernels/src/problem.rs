//! What is to be computed: checked sizes, operand shapes, useful work.

use ndarray::ArrayD;
use serde::{Deserialize, Serialize};
use std::fmt;

use crate::DType;

mod attention;
mod error;
mod grouped;
mod matmul;

pub use attention::{AttentionProblem, AttentionSizes, Kv, Mask};
pub use error::{MAX_K_OF_I8, ProblemError};
pub use grouped::{GroupedProblem, GroupedSizes};
pub use matmul::{GROUP, Layout, MatmulProblem, MatmulSizes};

/// Shape and element type of one operand, row-major and contiguous.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperandShape {
    /// Name in messages and listings.
    pub name: &'static str,
    /// Sizes, outermost first.
    pub dims: Vec<usize>,
    /// Element type.
    pub dtype: DType,
}

impl OperandShape {
    /// Number of elements.
    pub fn elems(&self) -> usize {
        self.dims.iter().product()
    }

    /// Elements of this shape and type as an array: what a backend's output is to its reader.
    ///
    /// # Panics
    /// When `bytes` are not [`OperandShape::size_bytes`].
    pub fn array(&self, bytes: &[u8]) -> ArrayD<f64> {
        ArrayD::from_shape_vec(self.dims.clone(), self.dtype.decode(bytes)).expect("as many elements as the shape has")
    }

    /// Bytes the operand takes.
    pub fn size_bytes(&self) -> usize {
        self.elems() * self.dtype.size_bytes()
    }
}

/// A problem of any operation: what the harness measures and library baselines serve.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Problem {
    /// Matrix product.
    Matmul(MatmulProblem),
    /// Matrix product of rows in groups.
    Grouped(GroupedProblem),
    /// Attention forward.
    Attention(AttentionProblem),
}

impl Problem {
    /// `matmul`, `grouped` or `attention`.
    pub fn op(&self) -> &'static str {
        match self {
            Problem::Matmul(_) => "matmul",
            Problem::Grouped(_) => "grouped",
            Problem::Attention(_) => "attention",
        }
    }

    /// Inputs in the order in which programs and backends take them.
    pub fn inputs(&self) -> Vec<OperandShape> {
        match self {
            Problem::Matmul(p) => [p.a(), p.b()].into_iter().chain(p.scales()).collect(),
            Problem::Grouped(p) => [p.a(), p.b()].into_iter().chain(p.scales()).chain([p.offsets()]).collect(),
            Problem::Attention(p) => [p.q(), p.k(), p.v()].into_iter().chain(p.scales()).chain(p.pages()).collect(),
        }
    }

    /// The output.
    pub fn output(&self) -> OperandShape {
        match self {
            Problem::Matmul(p) => p.c(),
            Problem::Grouped(p) => p.c(),
            Problem::Attention(p) => p.out(),
        }
    }

    /// Element type of the inputs, of attention of its queries; scales beside them are f32, tables i32.
    pub fn dtype(&self) -> DType {
        match self {
            Problem::Matmul(p) => p.sizes().input,
            Problem::Grouped(p) => p.sizes().input,
            Problem::Attention(p) => p.sizes().input,
        }
    }

    /// Useful operations, on floating-point numbers or integers: 1 multiply-add = 2, masked pairs are not counted.
    pub fn flops(&self) -> f64 {
        match self {
            Problem::Matmul(p) => p.flops(),
            Problem::Grouped(p) => p.flops(),
            Problem::Attention(p) => p.flops(),
        }
    }

    /// Least bytes that must move: each operand once (keys and values that no query sees are not counted).
    pub fn min_bytes(&self) -> f64 {
        match self {
            Problem::Matmul(p) => p.min_bytes(),
            Problem::Grouped(p) => p.min_bytes(),
            Problem::Attention(p) => p.min_bytes(),
        }
    }
}

impl fmt::Display for Problem {
    /// The shape as the command line takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Matmul(p) => p.fmt(f),
            Problem::Grouped(p) => p.fmt(f),
            Problem::Attention(p) => p.fmt(f),
        }
    }
}
