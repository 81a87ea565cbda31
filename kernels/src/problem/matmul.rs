//! `c[m, n] = a[m, k] · b`, for each of `batch` products.

use serde::{Deserialize, Serialize};
use std::fmt;

use super::error::{refuse_output_dtype, refuse_overflow, refuse_zero};
use super::{OperandShape, ProblemError};
use crate::DType;

/// How the right operand is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// `b[k, n]`: rows along the contraction.
    Kn,
    /// `b[n, k]`: as the weights of a linear layer are stored.
    Nk,
    /// `b[n, k]`, the same from launch to launch: a backend may prepare it once, in a form of its own.
    Packed,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Layout::Kn => "kn",
            Layout::Nk => "nk",
            Layout::Packed => "packed",
        })
    }
}

/// Sizes and types of a matrix product, unchecked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MatmulSizes {
    /// Independent products.
    pub batch: usize,
    /// Rows of `a` and `c`.
    pub m: usize,
    /// Columns of `c`.
    pub n: usize,
    /// Length of the contraction.
    pub k: usize,
    /// Element type of `a` and `b`.
    pub input: DType,
    /// Element type of `c`: f32, the input's, or f16 or bf16 of an 8-bit input.
    pub output: DType,
    /// How `b` is given.
    pub layout: Layout,
}

/// A matrix product with checked sizes. Accumulation is f32.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "MatmulSizes", into = "MatmulSizes")]
pub struct MatmulProblem(MatmulSizes);

impl MatmulProblem {
    /// Checks the sizes.
    ///
    /// # Errors
    /// A size is zero, an operand overflows memory, or the output type is none of its own list.
    pub fn new(sizes: MatmulSizes) -> Result<MatmulProblem, ProblemError> {
        let MatmulSizes { batch, m, n, k, input, output, .. } = sizes;
        refuse_zero([("batch", batch), ("m", m), ("n", n), ("k", k)])?;
        refuse_output_dtype(input, output)?;
        refuse_overflow("a", &[("batch", batch), ("m", m), ("k", k)], input)?;
        refuse_overflow("b", &[("batch", batch), ("k", k), ("n", n)], input)?;
        refuse_overflow("c", &[("batch", batch), ("m", m), ("n", n)], output)?;
        Ok(MatmulProblem(sizes))
    }

    /// The sizes.
    pub fn sizes(&self) -> MatmulSizes {
        self.0
    }

    /// Left operand, `[batch, m, k]`.
    pub fn a(&self) -> OperandShape {
        OperandShape { name: "a", dims: vec![self.0.batch, self.0.m, self.0.k], dtype: self.0.input }
    }

    /// Right operand, `[batch, k, n]` or `[batch, n, k]`.
    pub fn b(&self) -> OperandShape {
        let MatmulSizes { batch, n, k, layout, input, .. } = self.0;
        let dims = match layout {
            Layout::Kn => vec![batch, k, n],
            Layout::Nk | Layout::Packed => vec![batch, n, k],
        };
        OperandShape { name: "b", dims, dtype: input }
    }

    /// Output, `[batch, m, n]`.
    pub fn c(&self) -> OperandShape {
        OperandShape { name: "c", dims: vec![self.0.batch, self.0.m, self.0.n], dtype: self.0.output }
    }

    /// `2 · batch · m · n · k`.
    pub fn flops(&self) -> f64 {
        let MatmulSizes { batch, m, n, k, .. } = self.0;
        2.0 * batch as f64 * m as f64 * n as f64 * k as f64
    }

    /// Bytes of `a`, `b` and `c`, each once.
    pub fn min_bytes(&self) -> f64 {
        (self.a().size_bytes() + self.b().size_bytes() + self.c().size_bytes()) as f64
    }
}

impl TryFrom<MatmulSizes> for MatmulProblem {
    type Error = ProblemError;

    fn try_from(sizes: MatmulSizes) -> Result<MatmulProblem, ProblemError> {
        MatmulProblem::new(sizes)
    }
}

impl From<MatmulProblem> for MatmulSizes {
    fn from(problem: MatmulProblem) -> MatmulSizes {
        problem.0
    }
}

impl fmt::Display for MatmulProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.0.m, self.0.n, self.0.k)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: MatmulSizes =
        MatmulSizes { batch: 2, m: 3, n: 5, k: 7, input: DType::F32, output: DType::F32, layout: Layout::Nk };

    #[test]
    fn work_counts_each_operand_and_product_once() {
        let p = MatmulProblem::new(GOOD).expect("good sizes");
        assert_eq!(p.flops(), 420.0); // 2 · 2 · 3 · 5 · 7
        assert_eq!(p.min_bytes(), 4.0 * (42.0 + 70.0 + 30.0));
        assert_eq!(p.b().dims, [2, 5, 7]);
    }

    #[test]
    fn nonsense_is_refused_with_the_field() {
        let refused = |sizes| MatmulProblem::new(sizes).expect_err("nonsense").to_string();
        assert!(refused(MatmulSizes { k: 0, ..GOOD }).contains("k is 0"));
        assert!(refused(MatmulSizes { m: usize::MAX / 8, k: 16, ..GOOD }).contains("shrink m"));
        assert!(refused(MatmulSizes { input: DType::F16, output: DType::Bf16, ..GOOD }).contains("output dtype"));
        let eight = MatmulSizes { input: DType::F8E4M3, ..GOOD };
        assert!(MatmulProblem::new(MatmulSizes { output: DType::Bf16, ..eight }).is_ok());
        let refusal = refused(MatmulSizes { output: DType::F8E5M2, ..eight });
        assert_eq!(refusal, "output dtype f8e5m2 is not for input dtype f8e4m3: use f32 or f16 or bf16 or f8e4m3");
    }
}
