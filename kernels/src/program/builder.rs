//! Writing a program down: its tensors and grids.

use super::tensor::{Axis, Pages, Role, Tensor, TensorId};
use super::{Body, Bound, Draft, GridAxis, Stage, Var};
use crate::DType;

/// A tensor that operations may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadTensor(pub(super) TensorId);

/// A tensor that says where rows of others lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table(pub(super) TensorId);

/// Pages that rows of an input lie in, in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    /// Says which page holds which rows.
    pub table: Table,
    /// Rows of a page.
    pub rows: usize,
    /// Elements from page to page.
    pub stride: usize,
    /// Pages that there are.
    pub count: usize,
}

/// A tensor that operations may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteTensor(pub(super) TensorId);

/// Ends of a loop over tiles: from the greatest of `low` up to the least of `high`.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    /// Lower ends.
    pub low: Vec<Bound>,
    /// Upper ends, not included.
    pub high: Vec<Bound>,
}

impl Range {
    /// From 0 up to `n`.
    pub fn to(n: usize) -> Range {
        Range { low: vec![Bound::from(0)], high: vec![Bound::from(n as i64)] }
    }

    /// Starts no lower than `bound`.
    pub fn from_at_least(mut self, bound: impl Into<Bound>) -> Range {
        self.low.push(bound.into());
        self
    }

    /// Ends no higher than `bound`.
    pub fn up_to(mut self, bound: impl Into<Bound>) -> Range {
        self.high.push(bound.into());
        self
    }
}

/// Collects tensors and stages.
#[derive(Debug)]
pub struct Builder {
    draft: Draft,
}

impl Builder {
    pub(super) fn new(name: &str) -> Builder {
        let draft = Draft { name: name.into(), problem: None, tiling: None, tensors: vec![], stages: vec![] };
        Builder { draft }
    }

    pub(super) fn finish(self) -> Draft {
        self.draft
    }

    /// An input; inputs are passed in the order in which they are declared.
    pub fn input(&mut self, name: &str, dtype: DType, lead: &[Axis], rows: &[Axis], cols: usize) -> ReadTensor {
        ReadTensor(self.tensor(name, dtype, Role::Input, lead, rows, cols))
    }

    /// A table of `cols` pages for each matrix at `lead`; tables are passed among the inputs. The axes are those of the tensors
    /// that it serves: with a stride of 0 one row of entries serves all positions.
    pub fn table(&mut self, name: &str, lead: &[Axis], cols: usize) -> Table {
        Table(self.tensor(name, DType::I32, Role::Table, lead, &[Axis { len: 1, stride: cols }], cols))
    }

    /// Lets the rows of an input lie in pages.
    pub fn keep_in_pages(&mut self, tensor: ReadTensor, paging: Paging) {
        let Paging { table, rows, stride, count } = paging;
        self.draft.tensors[tensor.0.0 as usize].pages = Some(Pages { table: table.0, rows, stride, count });
    }

    /// The output.
    pub fn output(&mut self, name: &str, dtype: DType, lead: &[Axis], rows: &[Axis], cols: usize) -> WriteTensor {
        WriteTensor(self.tensor(name, dtype, Role::Output, lead, rows, cols))
    }

    /// A contiguous f32 tensor that carries values from one stage to later ones.
    pub fn scratch(&mut self, name: &str, lead: &[usize], rows: usize, cols: usize) -> (WriteTensor, ReadTensor) {
        let axes = contiguous(lead, rows, cols);
        let (lead, rows) = axes.split_at(lead.len());
        let id = self.tensor(name, DType::F32, Role::Scratch, lead, rows, cols);
        (WriteTensor(id), ReadTensor(id))
    }

    /// A contiguous input `[lead.., rows, cols]`.
    pub fn input_matrix(&mut self, name: &str, dtype: DType, lead: &[usize], rows: usize, cols: usize) -> ReadTensor {
        let axes = contiguous(lead, rows, cols);
        let (lead, rows) = axes.split_at(lead.len());
        self.input(name, dtype, lead, rows, cols)
    }

    /// A contiguous weight `[lead.., rows, cols]`; weights are passed among the inputs.
    pub fn weight_matrix(&mut self, name: &str, dtype: DType, lead: &[usize], rows: usize, cols: usize) -> ReadTensor {
        let axes = contiguous(lead, rows, cols);
        let (lead, rows) = axes.split_at(lead.len());
        ReadTensor(self.tensor(name, dtype, Role::Weight, lead, rows, cols))
    }

    /// A contiguous output `[lead.., rows, cols]`.
    pub fn output_matrix(&mut self, name: &str, dtype: DType, lead: &[usize], rows: usize, cols: usize) -> WriteTensor {
        let axes = contiguous(lead, rows, cols);
        let (lead, rows) = axes.split_at(lead.len());
        self.output(name, dtype, lead, rows, cols)
    }

    /// A grid of independent points, each running `write`'s body with its own variables. Points of the last axis are
    /// neighbours in time where a backend runs them in order.
    pub fn each_point<const N: usize>(&mut self, grid: [(&str, usize); N], write: impl FnOnce(&mut Body, [Var; N])) {
        let axes = grid.iter().map(|(name, extent)| GridAxis { name: (*name).into(), extent: *extent }).collect();
        let mut body = Body::new(
            &self.draft.tensors,
            Stage { grid: axes, stretches: vec![], tiles: vec![], n_vars: N, body: vec![] },
        );
        write(&mut body, std::array::from_fn(|i| Var(i as u32)));
        self.draft.stages.push(body.finish());
    }

    fn tensor(&mut self, name: &str, dtype: DType, role: Role, lead: &[Axis], rows: &[Axis], cols: usize) -> TensorId {
        let id = TensorId(self.draft.tensors.len() as u32);
        let (lead, rows) = (lead.to_vec(), rows.to_vec());
        self.draft.tensors.push(Tensor { name: name.into(), dtype, role, lead, rows, cols, pages: None });
        id
    }
}

/// Axes of a contiguous tensor, all but the columns.
fn contiguous(lead: &[usize], rows: usize, cols: usize) -> Vec<Axis> {
    let mut stride = cols;
    let mut axes: Vec<Axis> = lead
        .iter()
        .chain([&rows])
        .rev()
        .map(|&len| {
            let axis = Axis { len, stride };
            // Oversized tensors are the verifier's to refuse, with their name.
            stride = stride.saturating_mul(len);
            axis
        })
        .collect();
    axes.reverse();
    axes
}
