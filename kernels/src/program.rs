//! Tile programs: what a kernel is once it is written down.
//!
//! A [`Program`] is plain data: tensors, and stages that run one after the other. A stage is a grid of independent
//! points and a body of tile operations ([`Op`]); the points of a grid may run in any order and at the same time.
//! Values are tiles of at most two dimensions. A tile knows where it lies ([`Span`]), so edges need no code: the last
//! tile of an axis is short, `load` reads what exists, reductions and products run over what exists, `store` writes
//! what exists.
//!
//! A program exists only verified: by [`Program::build`], or when it is deserialised.

use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::tile::Tiling;

mod body;
mod builder;
mod index;
mod listing;
mod number;
mod op;
mod tables;
mod tensor;
mod verify;

pub use body::Body;
pub use builder::{Builder, Paging, Range, ReadTensor, Table, WriteTensor};
pub use index::{Bound, Index, Var};
pub use op::{Arg, Axis2, BinaryFn, Form, Op, ReduceFn, TileId, TileType, UnaryFn};
pub use tables::TableError;
pub(crate) use tables::{check_pages, check_stretches};
pub(crate) use tensor::no_pages;
pub use tensor::{Axis, Pages, Role, Span, Stretch, Tensor, TensorId};
pub use verify::ProgramError;

/// A verified tile program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Draft", into = "Draft")]
pub struct Program(Draft);

/// A program as data, not verified yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// Name of the kernel.
    pub name: String,
    /// What the program computes, for library baselines alone: a lowering never reads it.
    pub problem: Option<Problem>,
    /// The tiling the program was written with, for the record alone.
    pub tiling: Option<Tiling>,
    /// Inputs and weights in calling order, the output, and scratch.
    pub tensors: Vec<Tensor>,
    /// Run in order; each sees what earlier ones stored.
    pub stages: Vec<Stage>,
}

/// A grid of independent points and what each does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Grid axes; axis `i` is variable `Var(i)`.
    pub grid: Vec<GridAxis>,
    /// Stretches of axes, whose variables are known throughout a point.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stretches: Vec<Stretch>,
    /// Type of each tile of the body.
    pub tiles: Vec<TileType>,
    /// Number of variables: grid axes first, then those of stretches and loops.
    pub n_vars: usize,
    /// Operations in order.
    pub body: Vec<Op>,
}

/// One axis of a grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GridAxis {
    /// Name in listings.
    pub name: String,
    /// Number of points.
    pub extent: usize,
}

impl Stage {
    /// Type of a tile of this stage.
    pub fn tile(&self, id: TileId) -> &TileType {
        &self.tiles[id.0 as usize]
    }

    /// The rows of a stretch that every store is of, where no loop moves them: where none of them exist, the point stores
    /// nothing.
    pub fn stored_rows(&self) -> Option<Span> {
        let mut rows = Vec::new();
        stored_rows(self, &self.body, &mut rows);
        let (first, rest) = rows.split_first()?;
        let known =
            |var: Var| (var.0 as usize) < self.grid.len() || self.stretches.iter().any(|stretch| stretch.first == var);
        let is_one = rest.iter().all(|span| span == first) && first.start.terms().all(|(var, _)| known(var));
        (first.end.is_some() && is_one).then_some(*first)
    }

    /// Least and greatest value of each variable that stands throughout a point, those of the grid and of stretches; 0 of
    /// loops, whose ends hang on these.
    pub(crate) fn ranges(&self) -> Vec<(i64, i64)> {
        let mut ranges = vec![(0, 0); self.n_vars];
        for (range, axis) in ranges.iter_mut().zip(&self.grid) {
            range.1 = axis.extent as i64 - 1;
        }
        for stretch in &self.stretches {
            for var in [stretch.first, stretch.end] {
                ranges[var.0 as usize].1 = stretch.len as i64;
            }
        }
        ranges
    }

    /// Number of grid points.
    pub fn n_points(&self) -> usize {
        self.grid.iter().map(|axis| axis.extent).product()
    }
}

fn stored_rows(stage: &Stage, ops: &[Op], rows: &mut Vec<Span>) {
    for op in ops {
        match op {
            Op::Store { src, .. } => rows.push(stage.tile(*src).rows),
            Op::Loop { body, .. } => stored_rows(stage, body, rows),
            _ => {}
        }
    }
}

impl Program {
    /// Builds and verifies a program.
    ///
    /// # Errors
    /// What the verifier found: see [`ProgramError`].
    pub fn build(name: &str, write: impl FnOnce(&mut Builder)) -> Result<Program, ProgramError> {
        let mut builder = Builder::new(name);
        write(&mut builder);
        Program::try_from(builder.finish())
    }

    /// The same program with the problem it solves and the tiling it was written with.
    pub fn of(mut self, problem: Problem, tiling: Tiling) -> Program {
        self.0.problem = Some(problem);
        self.0.tiling = Some(tiling);
        self
    }

    /// Name of the kernel.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What the program computes; for library baselines alone.
    pub fn problem(&self) -> Option<&Problem> {
        self.0.problem.as_ref()
    }

    /// The tiling the program was written with; for the record alone.
    pub fn tiling(&self) -> Option<&Tiling> {
        self.0.tiling.as_ref()
    }

    /// Inputs and weights in calling order, the output, and scratch.
    pub fn tensors(&self) -> &[Tensor] {
        &self.0.tensors
    }

    /// One tensor.
    pub fn tensor(&self, id: TensorId) -> &Tensor {
        &self.0.tensors[id.0 as usize]
    }

    /// Ids of the inputs, weights among them, in calling order.
    pub fn inputs(&self) -> impl Iterator<Item = TensorId> + '_ {
        self.ids(Role::is_given)
    }

    /// Id of the output: a verified program has exactly one.
    pub fn output(&self) -> TensorId {
        self.ids(|role| role == Role::Output).next().expect("the verifier requires one output")
    }

    /// Ids of the scratch tensors.
    pub fn scratch(&self) -> impl Iterator<Item = TensorId> + '_ {
        self.ids(|role| role == Role::Scratch)
    }

    /// The stages, in order.
    pub fn stages(&self) -> &[Stage] {
        &self.0.stages
    }

    fn ids(&self, is_asked: impl Fn(Role) -> bool + 'static) -> impl Iterator<Item = TensorId> + '_ {
        self.0.tensors.iter().enumerate().filter(move |(_, t)| is_asked(t.role)).map(|(i, _)| TensorId(i as u32))
    }
}

impl TryFrom<Draft> for Program {
    type Error = ProgramError;

    fn try_from(draft: Draft) -> Result<Program, ProgramError> {
        verify::verify(&draft)?;
        Ok(Program(draft))
    }
}

impl From<Program> for Draft {
    fn from(program: Program) -> Draft {
        program.0
    }
}
