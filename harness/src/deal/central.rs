//! The central case: every input at its median, the deal signed as stated.

use super::flow::{self, Amount, Leg};
use super::model::{Grant, Model};
use super::outcome::{self, Answer};
use super::play::Ledger;
use super::situation::Situation;
use super::{cash, warrant};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// Paths of the share price behind the expected value of warrants, in the central case: a standard error below 1 % of
/// a share's own.
const PATHS: u32 = 20_000;
/// The same where only a difference is looked for, path by path the same.
const FEW_PATHS: u32 = 200;

/// One played-out case.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) inputs: Vec<f64>,
    pub(super) situation: Situation<f64>,
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
    pub(super) fn in_situation(&self, model: &Model, situation: Situation<f64>) -> Self {
        let ledger = Ledger::played(model, &self.inputs, &situation);
        let mut case = Case { situation, ledger, ..self.clone() };
        case.answer(model);
        case
    }

    fn played(model: &Model, inputs: Vec<f64>, situation: Situation<f64>, (paths, seed): (u32, u64)) -> Self {
        let ledger = Ledger::played(model, &inputs, &situation);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut expected = |grant: &Grant| {
            let course = &ledger.courses[grant.contract];
            let mut path = || {
                let normals = (&mut rng).sample_iter(StandardNormal);
                warrant::value(model, &inputs, grant, situation.scale, |t| course.in_place[t], normals)
            };
            (0..paths).map(|_| path()).sum::<f64>() / f64::from(paths)
        };
        let warrants = model.grants.iter().map(&mut expected).collect();
        let answers = vec![0.0; Answer::all(model).len()];
        let mut case = Case { inputs, situation, ledger, warrants, answers };
        case.answer(model);
        case
    }

    fn answer(&mut self, model: &Model) {
        let Case { inputs, situation, ledger, warrants, answers } = self;
        outcome::answers(model, &inputs[..], situation, &ledger.values, warrants, answers);
    }

    /// Every flow of the deal.
    pub(super) fn flows(&self, model: &Model) -> Vec<Flow> {
        let mut flows = Vec::new();
        let Case { inputs, situation, ledger, warrants, .. } = self;
        flow::walk(model, &inputs[..], situation, &ledger.values, warrants, |party, leg, amount| {
            let dated = match amount {
                Amount::Dated(years, usd, _) => vec![(years, usd)],
                Amount::Quarterly(sign, _) => {
                    let quarters = ledger.quarterly(leg).iter().enumerate();
                    quarters.map(|(t, usd)| ((t as f64 + 0.5) / 4.0, sign * usd)).collect()
                }
            };
            flows.push(Flow { party, leg, present: amount.present(), dated });
        });
        flows
    }

    /// The value of one answer.
    pub(super) fn value(&self, model: &Model, answer: Answer) -> f64 {
        let column = Answer::all(model).iter().position(|known| *known == answer);
        column.map_or(f64::NAN, |column| self.answers[column])
    }
}
