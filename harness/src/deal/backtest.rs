//! What one scenario believed, held against what another says came.

use super::input::normal_cdf;
use super::model::Model;
use super::scenario::{Closing, Scenario};
use serde::Serialize;

/// A back-test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Backtest {
    /// The scenario of beliefs.
    pub prior: String,
    /// Its date.
    pub believed_on: String,
    /// The scenario of what came.
    pub came: String,
    /// Its date.
    pub came_on: String,
    /// How it closed.
    pub outcome: Closing,
    /// The prior of that.
    pub outcome_prior: f64,
    /// Terms that were uncertain before and that both state.
    pub terms: Vec<TermLine>,
}

/// One term.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TermLine {
    /// Its path.
    pub path: String,
    /// Its unit.
    pub unit: &'static str,
    /// What was believed: 10 %, 50 % and 90 % quantiles.
    pub believed: [f64; 3],
    /// What came.
    pub came: f64,
    /// Share of the belief at or below what came: 0.99 means a surprise of one in a hundred.
    pub quantile: f64,
    /// The same, had the belief had the tails of the normal distribution.
    pub quantile_without_fat_tail: f64,
}

/// A back-test that cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BacktestError {
    /// The second scenario does not say how it closed.
    #[error("{0} has no `outcome`; a back-test needs what came")]
    NoOutcome(String),
    /// The first scenario does not know that state.
    #[error("{scenario} has no prior for the state `{state}` that came; add it, with its probability")]
    NoPrior {
        /// The scenario of beliefs.
        scenario: String,
        /// The state.
        state: Closing,
    },
    /// No term that was uncertain is stated by both.
    #[error("no uncertain term of {0} is stated by {1} under the same path; give their terms the same ids")]
    NothingShared(String, String),
}

/// Holds beliefs against what came. Only terms of the deal itself count: sizes, prices, lengths, valuations.
///
/// # Errors
/// [`BacktestError`] when the second scenario has no outcome, or nothing can be matched.
pub fn backtest(
    (prior, believed): (&Scenario, &Model),
    (came, realised): (&Scenario, &Model),
) -> Result<Backtest, BacktestError> {
    let outcome = came.outcome.ok_or_else(|| BacktestError::NoOutcome(came.id.clone()))?;
    let belief = believed.states.iter().find(|belief| belief.closing == outcome);
    let belief = belief.ok_or_else(|| BacktestError::NoPrior { scenario: prior.id.clone(), state: outcome })?;
    let is_term = |path: &str| path.starts_with("equity.") || path.starts_with("compute.");
    let mut terms = Vec::new();
    for input in believed.inputs().iter().filter(|input| input.is_uncertain() && is_term(&input.path)) {
        let Some(real) = realised.inputs().iter().find(|real| real.path == input.path) else { continue };
        // A term that is still open has not come.
        if real.is_uncertain() {
            continue;
        }
        terms.push(TermLine {
            path: input.path.clone(),
            unit: input.unit,
            believed: input.cases,
            came: real.cases[1],
            quantile: normal_cdf(input.spread().normal_at(real.cases[1])),
            quantile_without_fat_tail: normal_cdf(input.clone().with_normal_tail().spread().normal_at(real.cases[1])),
        });
    }
    if terms.is_empty() {
        return Err(BacktestError::NothingShared(prior.id.clone(), came.id.clone()));
    }
    Ok(Backtest {
        prior: prior.id.clone(),
        believed_on: prior.as_of.to_string(),
        came: came.id.clone(),
        came_on: came.as_of.to_string(),
        outcome,
        outcome_prior: believed.inputs()[belief.prior].cases[1],
        terms,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{model, plain_with, scenario};
    use super::*;

    const BELIEF: (&str, &str) =
        ("capacity = { value = 1, unit", "capacity = { low = 0.5, mid = 1, high = 2, tail = \"fat\", unit");

    #[test]
    fn what_came_is_placed_in_the_belief() {
        let prior = plain_with(&[BELIEF]);
        let came = plain_with(&[
            ("capacity = { value = 1,", "capacity = { value = 2,"),
            ("quarters = 8", "quarters = 8\noutcome = \"signed\""),
        ]);
        let test =
            backtest((&scenario(&prior), &model(&prior)), (&scenario(&came), &model(&came))).expect("comparable");
        let [line] = &test.terms[..] else { panic!("one uncertain term") };
        // The high case came: the 90 % quantile, with either tail.
        assert!((line.quantile - 0.9).abs() < 1e-6 && (line.quantile_without_fat_tail - 0.9).abs() < 1e-6);
        assert_eq!((test.outcome, test.outcome_prior), (Closing::Signed, 1.0));
    }

    #[test]
    fn a_back_test_needs_an_outcome_and_something_shared() {
        let (prior, plain) = (plain_with(&[BELIEF]), plain_with(&[]));
        let held = |came: &str| backtest((&scenario(&prior), &model(&prior)), (&scenario(came), &model(came)));
        assert_eq!(held(&plain), Err(BacktestError::NoOutcome("plain".into())));
        let dead = plain_with(&[("quarters = 8", "quarters = 8\noutcome = \"dead\"")]);
        assert!(matches!(held(&dead), Err(BacktestError::NoPrior { state: Closing::Dead, .. })));
        let open = plain_with(&[BELIEF, ("quarters = 8", "quarters = 8\noutcome = \"signed\"")]);
        assert!(matches!(held(&open), Err(BacktestError::NothingShared(..))), "it is still uncertain");
    }

    #[test]
    fn december_was_surprised_by_the_size_and_less_so_for_its_fat_tails() {
        let catalogue = crate::catalogue::Catalogue::embedded().expect("valid");
        let shipped = |id: &str| {
            let scenario = crate::deal::load(id, &[]).expect("shipped");
            let (model, _) = Model::new(&scenario, &catalogue).expect("no finding");
            (scenario, model)
        };
        let (december, february) = (shipped("openai-aws-2025-12"), shipped("openai-aws-2026-02"));
        let test = backtest((&december.0, &december.1), (&february.0, &february.1)).expect("comparable");
        let spend = test.terms.iter().find(|line| line.path == "compute.aws-trainium.spend").expect("a term of both");
        assert_eq!(spend.came, 100e9);
        assert!(spend.quantile > 0.9 && spend.quantile < spend.quantile_without_fat_tail);
    }
}
