//! The central case: every input at its median, the deal signed as stated.

use super::flow::{self, Leg};
use super::model::Model;
use super::outcome::{self, Answer};
use super::play::Ledger;
use super::situation::Situation;
use super::{cash, warrant};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Paths of the share price behind the expected value of warrants, in the central case: a standard error below 1 % of
/// a share's own.
const PATHS: u32 = 20_000;
/// The same where only a difference is looked for, path by path the same.
const FEW_PATHS: u32 = 200;

/// One played-out case.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) inputs: Vec<f64>,
    pub(super) situation: Situation,
    pub(super) ledger: Ledger,
    pub(super) warrants: Vec<f64>,
    /// In the order of [`Answer::all`].
    pub(super) answers: Vec<f64>,
}

/// A flow of a case, to one party.
pub(super) struct Flow {
    pub(super) party: usize,
    pub(super) leg: Leg,
    pub(super) present: f64,
    pub(super) dated: Vec<cash::Flow>,
}

impl Case {
    /// The central case.
    pub(super) fn central(model: &Model, seed: u64) -> Self {
        let inputs = model.central();
        let situation = Situation::as_stated(model, &inputs);
        Self::played(model, inputs, situation, (PATHS, seed))
    }

    /// The central case with other inputs.
    pub(super) fn with_inputs(model: &Model, inputs: Vec<f64>, seed: u64) -> Self {
        let situation = Situation::as_stated(model, &inputs);
        Self::played(model, inputs, situation, (FEW_PATHS, seed))
    }

    /// The same inputs in another situation.
    pub(super) fn in_situation(&self, model: &Model, situation: Situation) -> Self {
        let mut case = Case { situation, ..self.clone() };
        case.ledger.play(model, &case.inputs, &case.situation);
        case.answer(model);
        case
    }

    fn played(model: &Model, inputs: Vec<f64>, situation: Situation, (paths, seed): (u32, u64)) -> Self {
        let mut ledger = Ledger::new(model);
        ledger.play(model, &inputs, &situation);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut expected = |grant| {
            let sum: f64 =
                (0..paths).map(|_| warrant::value(model, &inputs, grant, &ledger, situation.scale, &mut rng)).sum();
            sum / f64::from(paths)
        };
        let warrants = model.grants.iter().map(&mut expected).collect();
        let answers = vec![0.0; Answer::all(model).len()];
        let mut case = Case { inputs, situation, ledger, warrants, answers };
        case.answer(model);
        case
    }

    fn answer(&mut self, model: &Model) {
        let Case { inputs, situation, ledger, warrants, answers } = self;
        outcome::answers(model, inputs, situation, ledger, warrants, answers);
    }

    /// Every flow of the deal.
    pub(super) fn flows(&self, model: &Model) -> Vec<Flow> {
        let rate = self.inputs[model.discount_rate];
        let mut flows = Vec::new();
        let Case { inputs, situation, ledger, warrants, .. } = self;
        flow::walk(model, inputs, situation, ledger, warrants, |party, leg, amount| {
            flows.push(Flow { party, leg, present: amount.present(rate), dated: amount.dated() });
        });
        flows
    }

    /// The value of one answer.
    pub(super) fn value(&self, model: &Model, answer: Answer) -> f64 {
        let column = Answer::all(model).iter().position(|known| *known == answer);
        column.map_or(f64::NAN, |column| self.answers[column])
    }
}
