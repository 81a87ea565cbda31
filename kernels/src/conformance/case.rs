//! One case: what is run, on which operands, and how it is checked.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Outcome;
use super::unheard::Unheard;
use crate::backend::symptom::{Symptom, changed_input};
use crate::backend::{AnyBackend, DeviceError, Limits, Prepared};
use crate::inputs::{Inputs, splitmix};
use crate::problem::{Kv, Problem};
use crate::program::Program;
use crate::reference::Rows;
use crate::tile::Tiling;
use crate::tolerance::Expected;
use crate::{attention, grouped, matmul};

/// What operands a case gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// Integers first (bit for bit, for products), then random values.
    Usual,
    /// The right factor is the identity: the product is the left factor, bit for bit.
    Identity,
    /// All values are 1: so is every output that sees a key.
    OnesV,
    /// Keys and values change places: without a mask nothing else changes.
    PermutedKeys,
    /// Every key is moved by the same vector, scores of a row by the same amount, far enough that a softmax without its
    /// peak subtracted overflows: nothing changes.
    ShiftedScores,
}

/// One thing that a backend must get right.
#[derive(Clone, Debug)]
pub struct Case {
    name: String,
    subject: Subject,
}

#[derive(Clone, Debug)]
enum Subject {
    Known { problem: Problem, tiling: Tiling, feed: Feed },
    Unheard(Unheard),
}

/// Operands and the right answer.
pub(super) struct Round {
    pub(super) inputs: Vec<Vec<u8>>,
    pub(super) expected: Expected,
}

impl Case {
    /// A built-in kernel for a problem.
    pub fn of(problem: Problem, tiling: Tiling, feed: Feed) -> Case {
        let details = match &problem {
            Problem::Matmul(p) => {
                let s = p.sizes();
                format!("{}x{p}/{}", s.batch, s.layout)
            }
            Problem::Grouped(p) => format!("{p}/{}", p.sizes().layout),
            Problem::Attention(p) => {
                let s = p.sizes();
                let kv = if s.kv == Kv::Input { String::new() } else { format!("/kv-{}", s.kv) };
                let pages = s.page.map_or(String::new(), |page| format!("/pages-{page}"));
                format!("{p}/{}{kv}{pages}", s.mask)
            }
        };
        let (dtype, out) = (problem.dtype(), problem.output().dtype);
        let feed_name = match feed {
            Feed::Usual => "",
            Feed::Identity => "/identity",
            Feed::OnesV => "/ones_v",
            Feed::PermutedKeys => "/permuted_keys",
            Feed::ShiftedScores => "/shifted_scores",
        };
        let name = format!("{}/{details}/{dtype}-{out}/tile_{tiling}{feed_name}", problem.op());
        Case { name, subject: Subject::Known { problem, tiling, feed } }
    }

    /// The same case, named as one whose sizes no list holds.
    pub(super) fn drawn(self) -> Case {
        Case { name: format!("drawn/{}", self.name), ..self }
    }

    pub(super) fn unheard(name: String, kernel: Unheard) -> Case {
        Case { name, subject: Subject::Unheard(kernel) }
    }

    /// Unique in a suite.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The program that the backend gets.
    pub fn program(&self) -> Program {
        match &self.subject {
            Subject::Known { problem: Problem::Matmul(p), tiling: Tiling::Matmul(t), .. } => matmul(p, t),
            Subject::Known { problem: Problem::Grouped(p), tiling: Tiling::Matmul(t), .. } => grouped(p, t),
            Subject::Known { problem: Problem::Attention(p), tiling: Tiling::Attention(t), .. } => attention(p, t),
            Subject::Known { problem, tiling, .. } => panic!("tiling {tiling} is not one for a {}", problem.op()),
            Subject::Unheard(kernel) => kernel.program(),
        }
    }

    fn round(&self, i: u64, seed: u64, limits: &Limits, program: &Program) -> Round {
        let seed = splitmix(seed, i);
        match &self.subject {
            Subject::Known { problem, tiling, feed } => known_round(problem, tiling, *feed, i, seed, limits),
            Subject::Unheard(kernel) => kernel.round(seed, limits, program),
        }
    }
}

/// Runs one case.
pub(super) fn outcome(backend: &dyn AnyBackend, case: &Case, seed: u64) -> Outcome {
    // A backend that panics loses this case, not the suite.
    let checked = catch_unwind(AssertUnwindSafe(|| checked(backend, case, seed)));
    checked.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
        Outcome::Failed(format!("panicked: {}", said.unwrap_or_else(|| "no message".into())))
    })
}

fn checked(backend: &dyn AnyBackend, case: &Case, seed: u64) -> Outcome {
    let program = case.program();
    let [first, second, third] = [0, 1, 2].map(|i| case.round(i, seed, backend.limits(), &program));
    let mut prepared = match backend.prepare(&program, &[slices(&first), slices(&second)]) {
        Ok(prepared) => prepared,
        Err(error) => return error.into(),
    };
    let mut checks = Checks { prepared: &mut *prepared, worst_ratio: 0.0, previous: None };
    match checks.all([&first, &second, &third]) {
        Ok(()) => Outcome::Ok { worst_ratio: checks.worst_ratio },
        Err(Stop::Wrong(when, report)) => Outcome::Wrong(format!("{when}: {report}")),
        Err(Stop::Device(error)) => Outcome::Failed(error.to_string()),
    }
}

/// The checks of one case, in order.
struct Checks<'p> {
    prepared: &'p mut dyn Prepared,
    worst_ratio: f64,
    previous: Option<Vec<u8>>,
}

impl Checks<'_> {
    fn all(&mut self, [first, second, third]: [&Round; 3]) -> Result<(), Stop> {
        self.output(0, first, "first set")?;
        self.output(1, second, "second set")?;
        self.prepared.run(3)?;
        self.output(0, first, "first set, after three launches in a row")?;
        self.inputs(0, first)?;
        self.prepared.replace(0, &slices(third))?;
        self.output(0, third, "first set, after its inputs were replaced")?;
        self.output(1, second, "second set, after the first one's inputs were replaced")
    }

    fn output(&mut self, set: usize, round: &Round, when: &'static str) -> Result<(), Stop> {
        let output = self.prepared.output_of(set)?;
        let wanted = round.expected.shape.size_bytes();
        if output.len() != wanted {
            let report = format!("the output claims another shape: {} bytes, not {wanted}", output.len());
            return Err(Stop::Wrong(when, report));
        }
        match round.expected.compare(&output) {
            Ok(agreement) => self.worst_ratio = self.worst_ratio.max(agreement.worst_ratio),
            Err(mismatch) => {
                let symptom = Symptom::of(&*self.prepared, &output, self.previous.as_deref());
                let symptom = symptom.map(|s| format!("{s}; ")).unwrap_or_default();
                return Err(Stop::Wrong(when, format!("{symptom}{mismatch}")));
            }
        }
        self.previous = Some(output);
        Ok(())
    }

    fn inputs(&self, set: usize, round: &Round) -> Result<(), Stop> {
        match changed_input(&slices(round), &self.prepared.inputs_of(set)?) {
            Some(report) => Err(Stop::Wrong("inputs, after three launches in a row", report)),
            None => Ok(()),
        }
    }
}

/// Why a case ends early.
enum Stop {
    Wrong(&'static str, String),
    Device(DeviceError),
}

impl From<DeviceError> for Stop {
    fn from(error: DeviceError) -> Stop {
        Stop::Device(error)
    }
}

fn slices(round: &Round) -> Vec<&[u8]> {
    round.inputs.iter().map(Vec::as_slice).collect()
}

fn known_round(problem: &Problem, tiling: &Tiling, feed: Feed, i: u64, seed: u64, limits: &Limits) -> Round {
    let expect = |inputs: &Inputs| Expected::of(problem, inputs, Rows::All, limits, Some(tiling));
    let (inputs, expected) = match feed {
        Feed::Usual => {
            let inputs = if i == 0 { Inputs::exact(problem, seed) } else { Inputs::random(problem, seed) };
            let expected = expect(&inputs);
            (inputs, expected)
        }
        Feed::Identity => {
            let inputs = changed(problem, &Inputs::random(problem, seed), |operands| {
                operands[1] = identity(problem);
                operands[2..].iter_mut().for_each(|scales| scales.fill(1.0));
            });
            // What the oracle says is not asked: the right answer is in the operands.
            let left = inputs.operands()[0].values().into_iter().map(f64::from).collect();
            let expected = Expected { values: left, bounds: vec![0.0; problem.output().elems()], ..expect(&inputs) };
            (inputs, expected)
        }
        Feed::OnesV => {
            let inputs = changed(problem, &Inputs::random(problem, seed), |operands| operands[2].fill(1.0));
            let mut expected = expect(&inputs);
            expected.values.iter_mut().filter(|x| **x != 0.0).for_each(|x| *x = 1.0);
            (inputs, expected)
        }
        Feed::PermutedKeys => {
            let plain = Inputs::random(problem, seed);
            let permuted = changed(problem, &plain, |operands| rotate_keys(problem, operands));
            (permuted, expect(&plain))
        }
        Feed::ShiftedScores => {
            let plain = Inputs::exact(problem, seed);
            // Small integers and 64 more are exact in every type of 16 bits and more.
            let shifted = changed(problem, &plain, |operands| operands[1].iter_mut().for_each(|x| *x += 64.0));
            let expected = Expected { values: expect(&plain).values, ..expect(&shifted) };
            (shifted, expected)
        }
    };
    Round { inputs: inputs.operands().iter().map(|operand| operand.bytes.clone()).collect(), expected }
}

/// The inputs with some values replaced.
fn changed(problem: &Problem, inputs: &Inputs, change: impl FnOnce(&mut [Vec<f64>])) -> Inputs {
    let values = |operand: &crate::inputs::Operand| operand.values().into_iter().map(f64::from).collect();
    let mut operands: Vec<Vec<f64>> = inputs.operands().iter().map(values).collect();
    change(&mut operands);
    Inputs::from_values(problem, &operands).expect("as many finite values as before")
}

/// The right operand of `a · I`; the same in every layout.
fn identity(problem: &Problem) -> Vec<f64> {
    let Problem::Matmul(p) = problem else { panic!("only products have an identity") };
    let s = p.sizes();
    assert_eq!(s.n, s.k, "an identity is square");
    (0..s.batch * s.k * s.n).map(|i| if i / s.n % s.k == i % s.n { 1.0 } else { 0.0 }).collect()
}

/// Moves every key and its value three places on, the last ones to the front.
fn rotate_keys(problem: &Problem, operands: &mut [Vec<f64>]) {
    let Problem::Attention(p) = problem else { panic!("only attention has keys") };
    let s = p.sizes();
    for (operand, cols) in [(1, s.d), (2, s.dv)] {
        operands[operand].chunks_exact_mut(s.skv * cols).for_each(|head| head.rotate_right((3 % s.skv) * cols));
    }
}
