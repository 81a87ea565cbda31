//! `c[i, :] = a[i, :] · b[g(i)]`: rows of tokens, each times the weights of its own group, as in a mixture of experts.
//!
//! Rows of a group lie one behind the other; `offsets` says where each group begins, and where the last one ends. How many
//! rows a group has is data: a program serves whatever the table says.

use serde::{Deserialize, Serialize};
use std::fmt;

use super::error::refuse_zero;
use super::{Layout, MatmulProblem, MatmulSizes, OperandShape, ProblemError};
use crate::DType;

/// Sizes and types of a grouped product, unchecked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GroupedSizes {
    /// Groups, each with a right operand of its own.
    pub groups: usize,
    /// Rows of `a` and `c`, those of all groups.
    pub m: usize,
    /// Columns of `c`.
    pub n: usize,
    /// Length of the contraction.
    pub k: usize,
    /// Element type of `a` and `b`.
    pub input: DType,
    /// Element type of `c`, as of a matmul.
    pub output: DType,
    /// How the right operand of each group is given.
    pub layout: Layout,
}

impl GroupedSizes {
    /// One product of so many rows for each group.
    fn products(self, rows: usize) -> MatmulSizes {
        let GroupedSizes { groups, n, k, input, output, layout, .. } = self;
        MatmulSizes { batch: groups, m: rows, n, k, input, output, layout }
    }
}

/// A grouped product with checked sizes. Accumulation is f32, of integers i32.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "GroupedSizes", into = "GroupedSizes")]
pub struct GroupedProblem(GroupedSizes);

impl GroupedProblem {
    /// Checks the sizes.
    ///
    /// # Errors
    /// There is no group, there are more rows than 32 bits count, or a product of all rows is none: see
    /// [`MatmulProblem::new`].
    pub fn new(sizes: GroupedSizes) -> Result<GroupedProblem, ProblemError> {
        refuse_zero([("groups", sizes.groups)])?;
        if i32::try_from(sizes.m).is_err() {
            return Err(ProblemError::TooManyRows { m: sizes.m });
        }
        // `a` and `c` are there once, `b` for each group.
        MatmulProblem::new(MatmulSizes { batch: 1, ..sizes.products(sizes.m) })?;
        MatmulProblem::new(sizes.products(1))?;
        Ok(GroupedProblem(sizes))
    }

    /// The sizes.
    pub fn sizes(&self) -> GroupedSizes {
        self.0
    }

    /// The product of all rows by one right operand: what `a` and `c` are of.
    fn whole(&self) -> MatmulProblem {
        self.as_product(MatmulSizes { batch: 1, ..self.0.products(self.0.m) })
    }

    /// A product for each group, of as many rows as groups have on average, rounded up.
    pub fn average(&self) -> MatmulProblem {
        self.as_product(self.0.products(self.0.m.div_ceil(self.0.groups)))
    }

    fn as_product(&self, sizes: MatmulSizes) -> MatmulProblem {
        MatmulProblem::new(sizes).expect("no operand is larger than those that were checked")
    }

    /// Left operand, `[1, m, k]`.
    pub fn a(&self) -> OperandShape {
        self.whole().a()
    }

    /// Right operands, `[groups, k, n]` or `[groups, n, k]`, of 4-bit integers `[groups, n, k / 2]`.
    pub fn b(&self) -> OperandShape {
        self.average().b()
    }

    /// What is scaled, in calling order: of sums of integers rows, `[1, m, 1]`, and columns, `[groups, 1, n]`; of 4-bit weights
    /// groups of 32, `[groups, n, k / 32]`.
    pub fn scales(&self) -> Vec<OperandShape> {
        let (rows, weights) = (self.whole().scales(), self.average().scales());
        rows.into_iter().zip(weights).map(|(row, weight)| if row.name == "a_scale" { row } else { weight }).collect()
    }

    /// Where groups begin, and where the last one ends, `[1, groups + 1]`: from 0 to m, ascending.
    pub fn offsets(&self) -> OperandShape {
        OperandShape { name: "offsets", dims: vec![1, self.0.groups + 1], dtype: DType::I32 }
    }

    /// Output, `[1, m, n]`.
    pub fn c(&self) -> OperandShape {
        self.whole().c()
    }

    /// `2 · m · n · k`.
    pub fn flops(&self) -> f64 {
        self.whole().flops()
    }

    /// Groups that have rows in what [`Inputs`](crate::inputs::Inputs) draws: as many as there are rows, or all.
    pub fn busy_groups(&self) -> usize {
        self.0.groups.min(self.0.m)
    }

    /// Bytes of `a`, `c`, the table, and of the right operands and scales of groups that have rows, each once.
    pub fn min_bytes(&self) -> f64 {
        let share = self.busy_groups() as f64 / self.0.groups as f64;
        let (of_rows, of_groups): (Vec<_>, Vec<_>) =
            self.scales().into_iter().partition(|scale| scale.name == "a_scale");
        let bytes = |shapes: Vec<OperandShape>| shapes.iter().map(|shape| shape.size_bytes() as f64).sum::<f64>();
        let once = bytes([vec![self.a(), self.c(), self.offsets()], of_rows].concat());
        once + share * bytes([vec![self.b()], of_groups].concat())
    }
}

impl TryFrom<GroupedSizes> for GroupedProblem {
    type Error = ProblemError;

    fn try_from(sizes: GroupedSizes) -> Result<GroupedProblem, ProblemError> {
        GroupedProblem::new(sizes)
    }
}

impl From<GroupedProblem> for GroupedSizes {
    fn from(problem: GroupedProblem) -> GroupedSizes {
        problem.0
    }
}

impl fmt::Display for GroupedProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}x{}", self.0.m, self.0.n, self.0.k, self.0.groups)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: GroupedSizes =
        GroupedSizes { groups: 4, m: 6, n: 5, k: 32, input: DType::F32, output: DType::F32, layout: Layout::Nk };

    #[test]
    fn right_operands_are_of_groups_and_rows_of_all() {
        let p = GroupedProblem::new(GOOD).expect("good sizes");
        assert_eq!((p.a().dims, p.b().dims, p.c().dims), (vec![1, 6, 32], vec![4, 5, 32], vec![1, 6, 5]));
        assert_eq!(p.offsets().dims, [1, 5]);
        assert_eq!(p.flops(), 2.0 * 6.0 * 5.0 * 32.0);
        assert_eq!(p.min_bytes(), 4.0 * (6.0 * 32.0 + 4.0 * 5.0 * 32.0 + 6.0 * 5.0 + 5.0));
        // Of two rows two groups are read.
        let few = GroupedProblem::new(GroupedSizes { m: 2, ..GOOD }).expect("good sizes");
        assert_eq!(few.min_bytes(), 4.0 * (2.0 * 32.0 + 2.0 * 5.0 * 32.0 + 2.0 * 5.0 + 5.0));
        let json = serde_json::to_string(&p).expect("writes");
        assert_eq!(serde_json::from_str::<GroupedProblem>(&json).expect("reads"), p);
    }

    #[test]
    fn scales_are_of_rows_and_of_the_columns_of_groups() {
        let dims = |sizes| {
            let p = GroupedProblem::new(sizes).expect("good sizes");
            p.scales().into_iter().map(|scale| scale.dims).collect::<Vec<_>>()
        };
        assert_eq!(dims(GroupedSizes { input: DType::I8, ..GOOD }), [[1, 6, 1], [4, 1, 5]]);
        assert_eq!(dims(GroupedSizes { layout: Layout::NkI4, ..GOOD }), [[4, 5, 1]]);
    }

    #[test]
    fn nonsense_is_refused_with_the_field() {
        let refused = |sizes| GroupedProblem::new(sizes).expect_err("nonsense").to_string();
        assert!(refused(GroupedSizes { groups: 0, ..GOOD }).contains("groups is 0"));
        assert!(refused(GroupedSizes { m: 0, ..GOOD }).contains("m is 0"));
        assert!(refused(GroupedSizes { m: 1 << 31, ..GOOD }).contains("m = 2147483648"));
        assert!(refused(GroupedSizes { groups: 1 << 60, ..GOOD }).contains("overflows memory"));
        assert!(refused(GroupedSizes { k: 40, layout: Layout::NkI4, ..GOOD }).contains("is not divided by 32"));
    }
}
