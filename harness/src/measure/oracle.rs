//! Right results, kept while backends take turns on the same problem.

use std::cell::RefCell;
use std::rc::Rc;

use farthing_kernels::backend::Limits;
use farthing_kernels::inputs::Inputs;
use farthing_kernels::problem::Problem;
use farthing_kernels::reference::Rows;
use farthing_kernels::tile::Tiling;
use farthing_kernels::tolerance::{Agreement, Expected};

use super::Failure;

/// Most expectations kept: three seeds for each of a few kinds of device.
const KEPT: usize = 12;

/// Inputs and expected outputs of the problem at hand. Backends that take turns on one problem, with equal limits and
/// tilings, share them: the f64 oracle is the slowest part of a run.
#[derive(Default)]
pub struct Oracle {
    kept: RefCell<Kept>,
}

#[derive(Default)]
struct Kept {
    problem: Option<Problem>,
    inputs: Vec<(u64, Rc<Inputs>)>,
    expected: Vec<(Key, Rc<Expected>)>,
}

/// What a bound depends on, besides the problem.
#[derive(Clone, PartialEq)]
struct Key {
    seed: u64,
    limits: Limits,
    tiling: Option<Tiling>,
}

impl Kept {
    /// Forgets other problems.
    fn turn_to(&mut self, problem: &Problem) {
        if self.problem.as_ref() != Some(problem) {
            *self = Kept { problem: Some(problem.clone()), ..Kept::default() };
        }
    }
}

impl Oracle {
    /// An oracle that has kept nothing yet.
    pub fn new() -> Oracle {
        Oracle::default()
    }

    /// Inputs of a problem: the same for the same seed.
    pub(super) fn inputs(&self, problem: &Problem, seed: u64) -> Rc<Inputs> {
        let mut kept = self.kept.borrow_mut();
        kept.turn_to(problem);
        if let Some((_, inputs)) = kept.inputs.iter().find(|(s, _)| *s == seed) {
            return Rc::clone(inputs);
        }
        let inputs = Rc::new(Inputs::random(problem, seed));
        kept.inputs.push((seed, Rc::clone(&inputs)));
        inputs
    }

    /// How an output agrees with what is expected.
    pub(super) fn check(
        &self,
        problem: &Problem,
        seed: u64,
        limits: &Limits,
        tiling: &Tiling,
        output: &[u8],
    ) -> Result<Agreement, Failure> {
        let wanted = problem.output().size_bytes();
        if output.len() != wanted {
            return Err(Failure::Failed(format!(
                "the output claims another shape: {} bytes, not {wanted}",
                output.len()
            )));
        }
        let agreement = self.expected(problem, seed, limits, tiling).compare(output);
        agreement.map_err(|mismatch| Failure::Wrong {
            ratio: Some(mismatch.worst.ratio).filter(|r| r.is_finite()),
            report: mismatch.to_string(),
        })
    }

    fn expected(&self, problem: &Problem, seed: u64, limits: &Limits, tiling: &Tiling) -> Rc<Expected> {
        // A product's bound does not depend on how it was cut.
        let tiling = matches!(problem, Problem::Attention(_)).then_some(*tiling);
        let key = Key { seed, limits: limits.clone(), tiling };
        let inputs = self.inputs(problem, seed);
        let mut kept = self.kept.borrow_mut();
        if let Some((_, expected)) = kept.expected.iter().find(|(k, _)| *k == key) {
            return Rc::clone(expected);
        }
        let rows = Rows::choose(problem, seed);
        let expected = Rc::new(Expected::of(problem, &inputs, rows, limits, key.tiling.as_ref()));
        if kept.expected.len() == KEPT {
            kept.expected.remove(0);
        }
        kept.expected.push((key, Rc::clone(&expected)));
        expected
    }
}
