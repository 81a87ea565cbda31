//! Any program from its operations.
//!
//! ```text
//! for each stage: for each grid axis and loop: while          counter, tensors and tiles carried
//!     load     dynamic_slice of the stack, padded to whole tiles
//!     store    dynamic_update_slice
//!     the rest one or a few operations on whole tiles
//! ```
//!
//! 1. Shapes are static, so a short tile is a whole one whose last positions do not exist. What is in them is never
//!    read: products and reductions, the only operations that mix positions, put a neutral element there first.
//! 2. Trip counts are constants. A loop whose ends depend on a variable runs over their greatest range and keeps what
//!    a step gave only where the step is one of the program's: more work, and no branch for a compiler to refuse.
//! 3. A region names nothing of the regions around it: what it reads is carried, constants are written again.

use std::collections::BTreeMap;

use super::Input;
use super::tensors::View;
use super::text::{Element, Value, Writer};
use crate::backend::Unsupported;
use crate::program::{Bound, Index, Op, Program, Role, Stage, TensorId, TileId, Var};

mod reach;
mod tile;

use reach::Reach;

/// The module of a program, and its arguments.
///
/// # Errors
/// A tensor has gaps in memory, or positions that 32-bit integers cannot hold.
pub(super) fn text(program: &Program) -> Result<(String, Vec<Input>), Unsupported> {
    let views = program.tensors().iter().map(View::of).collect::<Result<Vec<View>, Unsupported>>()?;
    let reach = Reach::of(program)?;
    let arguments: Vec<_> = program.inputs().map(|id| views[id.0 as usize].in_memory()).collect();
    let dtypes = program.inputs().map(|id| program.tensor(id).dtype);
    let inputs = arguments.iter().zip(dtypes).map(|(ty, dtype)| Input { dims: ty.dims.clone(), dtype }).collect();
    let output = program.output().0 as usize;
    let (mut w, arguments) = Writer::open(program.name(), &arguments, &views[output].in_memory());
    let mut given = arguments.iter();
    let mut memory = Vec::with_capacity(views.len());
    for (i, (view, tensor)) in views.iter().zip(program.tensors()).enumerate() {
        let (rows, cols) = reach.of_tensor(TensorId(i as u32));
        let ty = view.stacked(rows, cols);
        memory.push(match tensor.role {
            Role::Input | Role::Weight | Role::Table => {
                let argument = given.next().expect("one argument an input");
                let stack = view.stack_of(&mut w, argument);
                w.lengthened(&stack, &ty.dims)
            }
            Role::Output | Role::Scratch => w.zeros(&ty),
        });
    }
    for (at, stage) in program.stages().iter().enumerate() {
        let ranges = reach.ranges(at);
        let state = State { vars: BTreeMap::new(), tiles: BTreeMap::new(), memory };
        let mut walk = Walk { program, stage, ranges, w, state };
        walk.grid(0)?;
        (w, memory) = (walk.w, walk.state.memory);
    }
    let out = views[output].memory_of(&mut w, &memory[output]);
    Ok((w.close(&out), inputs))
}

/// A variable where it is used.
#[derive(Clone)]
enum Position {
    Known(i64),
    Counted(Value),
}

/// What has a value at a point of the text.
#[derive(Clone)]
struct State {
    vars: BTreeMap<Var, Position>,
    tiles: BTreeMap<TileId, Value>,
    memory: Vec<Value>,
}

/// The values of a state that a loop carries, and how they go back.
impl State {
    fn values(&self) -> Vec<Value> {
        let counted = self.vars.values().filter_map(|position| match position {
            Position::Counted(value) => Some(value.clone()),
            Position::Known(_) => None,
        });
        counted.chain(self.tiles.values().cloned()).chain(self.memory.iter().cloned()).collect()
    }

    fn with(&self, values: &[Value]) -> State {
        let mut values = values.iter().cloned();
        let mut next = || values.next().expect("as many values as were carried");
        let vars = self.vars.iter().map(|(var, position)| match position {
            Position::Known(_) => (*var, position.clone()),
            Position::Counted(_) => (*var, Position::Counted(next())),
        });
        let vars = vars.collect();
        let tiles = self.tiles.keys().map(|id| (*id, next())).collect();
        let memory = self.memory.iter().map(|_| next()).collect();
        State { vars, tiles, memory }
    }
}

/// A walk over one stage.
struct Walk<'p> {
    program: &'p Program,
    stage: &'p Stage,
    /// Values that each variable takes, ends included.
    ranges: &'p [(i64, i64)],
    w: Writer,
    state: State,
}

impl Walk<'_> {
    /// The points of the grid, axis by axis, then the body.
    fn grid(&mut self, axis: usize) -> Result<(), Unsupported> {
        let Some(grid) = self.stage.grid.get(axis) else {
            return self.ops(&self.stage.body);
        };
        self.each(Var(axis as u32), 0, grid.extent as i64, |walk| walk.grid(axis + 1))
    }

    fn ops(&mut self, ops: &[Op]) -> Result<(), Unsupported> {
        ops.iter().try_for_each(|op| match op {
            Op::Loop { var, low, high, body } => self.enter(*var, low, high, body),
            _ => {
                self.tile_op(op);
                Ok(())
            }
        })
    }

    fn enter(&mut self, var: Var, low: &[Bound], high: &[Bound], body: &[Op]) -> Result<(), Unsupported> {
        let (first, last) = self.ranges[var.0 as usize];
        let ends = low.iter().map(|bound| (bound, true)).chain(high.iter().map(|bound| (bound, false)));
        let depends: Vec<(&Bound, bool)> = ends.filter(|(bound, _)| bound.index.terms().next().is_some()).collect();
        self.each(var, first, last + 1 - first, |walk| {
            let before = walk.state.clone();
            walk.ops(body)?;
            walk.state.tiles.retain(|id, _| before.tiles.contains_key(id));
            if !depends.is_empty() {
                walk.keep_where(var, &depends, &before);
            }
            Ok(())
        })
    }

    /// Runs `body` for `n` values of a variable from `first` on: inline for one, as a loop for more.
    fn each(
        &mut self,
        var: Var,
        first: i64,
        n: i64,
        body: impl FnOnce(&mut Self) -> Result<(), Unsupported>,
    ) -> Result<(), Unsupported> {
        if n <= 0 {
            return Ok(());
        }
        if n == 1 {
            let defined = self.state.tiles.clone();
            self.state.vars.insert(var, Position::Known(first));
            body(self)?;
            self.state.vars.remove(&var);
            self.state.tiles.retain(|id, _| defined.contains_key(id));
            return Ok(());
        }
        let outside = self.state.clone();
        let open = self.w.open_loop(first, n, &outside.values());
        self.state = outside.with(&open.carried);
        self.state.vars.insert(var, Position::Counted(open.counter.clone()));
        body(self)?;
        self.state.vars.remove(&var);
        // What only the body defines ends with it.
        self.state.tiles.retain(|id, _| outside.tiles.contains_key(id));
        let results = self.w.close_loop(open, &self.state.values());
        self.state = outside.with(&results);
        Ok(())
    }

    /// Takes back what a step changed where it is none of the program's: `var` outside its own ends.
    fn keep_where(&mut self, var: Var, ends: &[(&Bound, bool)], before: &State) {
        let mut runs: Option<Value> = None;
        for (bound, is_low) in ends {
            // var < ⌊x / d⌋ exactly where (var + 1)·d ≤ x.
            let next = self.index(&((Index::from(var) + 1) * bound.divisor));
            let x = self.index(&bound.index);
            let holds = self.w.compare(if *is_low { "GT" } else { "LE" }, &next, &x);
            runs = Some(match runs {
                Some(all) => self.w.binary("and", &all, &holds),
                None => holds,
            });
        }
        let Some(runs) = runs else { return };
        let after = self.state.values();
        let kept: Vec<Value> = after
            .iter()
            .zip(before.values())
            .map(|(new, old)| {
                if new.is(&old) {
                    return old;
                }
                let everywhere = self.w.broadcast(&runs, &[], &new.ty.dims.clone());
                self.w.select(&everywhere, new, &old)
            })
            .collect();
        self.state = before.with(&kept);
    }

    /// An affine index as an integer.
    fn index(&mut self, index: &Index) -> Value {
        let mut base = index.base();
        let mut counted = Vec::new();
        for (var, coefficient) in index.terms() {
            match &self.state.vars[&var] {
                Position::Known(value) => base += coefficient * value,
                Position::Counted(value) => counted.push((value.clone(), coefficient)),
            }
        }
        let mut sum: Option<Value> = None;
        for (value, coefficient) in counted {
            let term = self.times(&value, coefficient);
            sum = Some(match sum {
                Some(sum) => self.w.binary("add", &sum, &term),
                None => term,
            });
        }
        match (sum, base) {
            (Some(sum), 0) => sum,
            (Some(sum), base) => {
                let base = self.w.integer(base, &[]);
                self.w.binary("add", &sum, &base)
            }
            (None, base) => self.w.integer(base, &[]),
        }
    }

    fn times(&mut self, value: &Value, coefficient: i64) -> Value {
        if coefficient == 1 {
            return value.clone();
        }
        let coefficient = self.w.integer(coefficient, &[]);
        self.w.binary("multiply", value, &coefficient)
    }

    fn element(&self, tensor: TensorId) -> Element {
        Element::Float(self.program.tensor(tensor).dtype)
    }
}
