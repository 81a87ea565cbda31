//! `c[m, n] = a[m, k] · b`, for each of `batch` products.
//!
//! Of 8-bit integers `c` is the exact sum, of 32 bits, or that sum times a scale for each row of `a` (a token) and one for
//! each column of `b` (a channel): `c[i, j] = a_scale[i] · b_scale[j] · Σ_l a[i, l] · b[l, j]`.
//!
//! Weights of 4 bits ([`Layout::NkI4`]) are floating-point numbers again before they are multiplied: the integer times the
//! scale of its group of 32 along k.

use serde::{Deserialize, Serialize};
use std::fmt;

use super::error::{MAX_K_OF_I8, refuse_input_dtype, refuse_output_dtype, refuse_overflow, refuse_zero};
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
    /// `b[n, k]` of 4-bit integers in groups of [`GROUP`] along k with an f16 scale each, two to a byte: byte `j` of a group
    /// holds number `j` in its low half and number `j + 16` in its high half, 8 more than they stand for.
    #[serde(rename = "nk-i4")]
    NkI4,
    /// `b[n, k]`, the same from launch to launch: a backend may prepare it once, in a form of its own.
    Packed,
}

/// 4-bit weights that share a scale.
pub const GROUP: usize = 32;

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Layout::Kn => "kn",
            Layout::Nk => "nk",
            Layout::NkI4 => "nk-i4",
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
    /// Element type of `c`: f32, the input's, f16 or bf16 of an 8-bit input, or i32 of i8.
    pub output: DType,
    /// How `b` is given.
    pub layout: Layout,
}

/// A matrix product with checked sizes. Accumulation is f32, of integers i32.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "MatmulSizes", into = "MatmulSizes")]
pub struct MatmulProblem(MatmulSizes);

impl MatmulProblem {
    /// Checks the sizes.
    ///
    /// # Errors
    /// A size is zero, an operand overflows memory, a sum of integers may exceed 32 bits, groups of weights do not divide
    /// `k`, or a type is none of its own list.
    pub fn new(sizes: MatmulSizes) -> Result<MatmulProblem, ProblemError> {
        let MatmulSizes { batch, m, n, k, input, output, .. } = sizes;
        refuse_zero([("batch", batch), ("m", m), ("n", n), ("k", k)])?;
        refuse_input_dtype("matmul", input)?;
        refuse_output_dtype(input, output)?;
        if input == DType::I8 && k > MAX_K_OF_I8 {
            return Err(ProblemError::IntegerSum { k });
        }
        if sizes.layout == Layout::NkI4 {
            if !matches!(input, DType::F32 | DType::F16 | DType::Bf16) {
                return Err(ProblemError::WeightsOf4Bits { input });
            }
            if !k.is_multiple_of(GROUP) {
                return Err(ProblemError::GroupsDoNotDivide { k });
            }
        }
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

    /// Right operand, `[batch, k, n]` or `[batch, n, k]`; bytes of two 4-bit integers are `[batch, n, k / 2]`.
    pub fn b(&self) -> OperandShape {
        let MatmulSizes { batch, n, k, layout, input, .. } = self.0;
        let dims = match layout {
            Layout::Kn => vec![batch, k, n],
            Layout::Nk | Layout::Packed => vec![batch, n, k],
            Layout::NkI4 => vec![batch, n, k / 2],
        };
        let dtype = if layout == Layout::NkI4 { DType::I4x2 } else { input };
        OperandShape { name: "b", dims, dtype }
    }

    /// What is scaled, in calling order: of sums of integers rows, `[batch, m, 1]`, and columns, `[batch, 1, n]`, by f32; of
    /// 4-bit weights groups, `[batch, n, k / 32]`, by f16.
    pub fn scales(&self) -> Vec<OperandShape> {
        let MatmulSizes { batch, m, n, k, input, output, layout } = self.0;
        let of = |name, dims: [usize; 3], dtype| OperandShape { name, dims: dims.to_vec(), dtype };
        if layout == Layout::NkI4 {
            return vec![of("b_scale", [batch, n, k / GROUP], DType::F16)];
        }
        if input.is_integer() && !output.is_integer() {
            return vec![of("a_scale", [batch, m, 1], DType::F32), of("b_scale", [batch, 1, n], DType::F32)];
        }
        vec![]
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

    /// Bytes of `a`, `b`, their scales and `c`, each once.
    pub fn min_bytes(&self) -> f64 {
        [self.a(), self.b(), self.c()].iter().chain(&self.scales()).map(|o| o.size_bytes() as f64).sum()
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

    #[test]
    fn weights_of_4_bits_come_in_whole_groups_with_a_scale_each() {
        let good = MatmulSizes { k: 96, layout: Layout::NkI4, input: DType::Bf16, ..GOOD };
        let p = MatmulProblem::new(good).expect("three groups");
        assert_eq!((p.b().dims, p.b().dtype), (vec![2, 5, 48], DType::I4x2));
        assert_eq!(p.scales()[0].dims, [2, 5, 3]);
        // 18 bytes a group of weights.
        assert_eq!(p.min_bytes(), 2.0 * (2.0 * 3.0 * 96.0 + 18.0 * 5.0 * 3.0 + 4.0 * 15.0));
        let refused = |sizes| MatmulProblem::new(sizes).expect_err("nonsense").to_string();
        assert!(refused(MatmulSizes { k: 100, ..good }).starts_with("k = 100 is not divided by 32"));
        assert!(
            refused(MatmulSizes { input: DType::I8, ..good }).contains("4 bits are multiplied with f32, f16 or bf16")
        );
    }

    #[test]
    fn sums_of_bytes_are_of_32_bits_or_scaled() {
        let sums = MatmulSizes { input: DType::I8, output: DType::I32, ..GOOD };
        let p = MatmulProblem::new(sums).expect("exact sums");
        assert_eq!((p.scales(), p.min_bytes()), (vec![], 42.0 + 70.0 + 4.0 * 30.0));
        let p = MatmulProblem::new(MatmulSizes { output: DType::Bf16, ..sums }).expect("scaled sums");
        let scales: Vec<_> = p.scales().into_iter().map(|scale| scale.dims).collect();
        assert_eq!(scales, [[2, 3, 1], [2, 1, 5]]);
        let refused = |sizes| MatmulProblem::new(sizes).expect_err("nonsense").to_string();
        let refusal = refused(MatmulSizes { output: DType::I8, ..sums });
        assert_eq!(refusal, "output dtype i8 is not for input dtype i8: use f32 or i32 or f16 or bf16");
        let refusal = refused(MatmulSizes { input: DType::I32, ..GOOD });
        assert!(refusal.starts_with("input dtype i32 is not for matmul: use f32 or f16"), "{refusal}");
        assert!(refused(MatmulSizes { output: DType::I32, ..GOOD }).contains("output dtype i32"));
        // 131,071 · 2¹⁴ is the last sum below 2³¹.
        assert!(MatmulProblem::new(MatmulSizes { k: 131_071, ..sums }).is_ok());
        assert!(refused(MatmulSizes { k: 131_072, ..sums }).starts_with("k = 131072 is too long for input dtype i8"));
    }
}
