//! Everything that is asked of a deal, answered.

mod course;
mod parties;
mod vendors;

pub use course::{CommitmentLine, Course};
pub use parties::{Exit, FlowLine, InvestorLine, PartyLine};
pub use vendors::VendorLine;

use super::allocation::Allocation;
use super::central::Case;
use super::model::Model;
use super::monte_carlo::{self, Draws};
use super::outcome::Answer;
use super::scenario::{Closing, Scenario};
use super::sensitivity::{self, Bar, Moved};
use super::situation::Situation;
use super::summary::{self, Percentiles};
use crate::units::Kinds;
use serde::Serialize;

/// How a deal is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Draws.
    pub draws: usize,
    /// Seed of everything random.
    pub seed: u64,
}

/// A deal, answered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Analysis {
    /// Id of the scenario.
    pub scenario: String,
    /// Its headline.
    pub title: String,
    /// What a reader must know before quoting.
    pub summary: String,
    /// Day on which the terms stood.
    pub as_of: String,
    /// Draws.
    pub draws: usize,
    /// Their seed.
    pub seed: u64,
    /// Output tokens a second at which every chip serves one user.
    pub interactivity_tokens_per_s: f64,
    /// The answers.
    pub answers: Vec<AnswerLine>,
    /// What tokens cost at each vendor, and where the deal ties with it.
    pub vendors: Vec<VendorLine>,
    /// What the deal is worth to each party.
    pub parties: Vec<PartyLine>,
    /// Committed spend that returns to investors.
    pub investors: Vec<InvestorLine>,
    /// The right to leave, by commitment.
    pub exits: Vec<Exit>,
    /// What another quarter of delay costs the buyer, in dollars of present value.
    pub delay_usd_per_quarter: f64,
    /// The cheapest mix of commitments and market.
    pub mix: Option<Allocation>,
    /// Why there is none.
    pub mix_error: Option<String>,
    /// Closing states, and what the buyer gets in each.
    pub states: Vec<StateLine>,
    /// What moves the deal's value to the buyer.
    pub tornado: Vec<Bar>,
    /// How the buyer's value settles as draws are added.
    pub convergence: Vec<Percentiles>,
}

/// One answer: the central case, and the draws.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AnswerLine {
    /// Which.
    pub answer: Answer,
    /// In words.
    pub name: String,
    /// Its unit.
    pub unit: &'static str,
    /// Every input at its median, signed as stated; none where there is no such thing.
    pub central: Option<f64>,
    /// Over the draws, all closing states among them.
    pub draws: Option<Percentiles>,
    /// Kinds of every input that moves it.
    pub rests_on: Kinds,
}

/// One answer of the central case alone.
#[derive(Clone, Debug, PartialEq)]
pub struct CentralLine {
    /// Which.
    pub answer: Answer,
    /// In words.
    pub name: String,
    /// Its unit.
    pub unit: &'static str,
    /// Every input at its median, signed as stated; none where there is no such thing.
    pub central: Option<f64>,
}

/// The central case's answers, without draws.
pub fn central_answers(model: &Model, seed: u64) -> Vec<CentralLine> {
    let case = Case::central(model, seed);
    let line = |(answer, value): (Answer, &f64)| {
        let (name, unit) = name(model, answer);
        CentralLine { answer, name, unit, central: Some(*value).filter(|value| value.is_finite()) }
    };
    Answer::all(model).into_iter().zip(&case.answers).map(line).collect()
}

impl AnswerLine {
    /// Whether draws differ.
    pub(super) fn draws_vary(&self) -> bool {
        self.draws.as_ref().is_some_and(|draws| draws.p5 < draws.p95)
    }
}

/// One way to close.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StateLine {
    /// Which.
    pub state: Closing,
    /// Its prior.
    pub prior: f64,
    /// Share of the draws.
    pub share: f64,
    /// Value of the deal to the buyer in these draws.
    pub buyer_npv: Option<Percentiles>,
}

/// What answers are made from, for whoever explains them.
pub struct Worked {
    pub(super) model: Model,
    pub(super) case: Case,
    /// Central answers over the same few share price paths as the moved ones.
    pub(super) base: Vec<f64>,
    pub(super) moved: Vec<Moved>,
    pub(super) drawn: Draws,
}

impl Worked {
    /// Plays the central case, moves each input, and draws.
    pub fn new(model: Model, options: Options) -> Self {
        let case = Case::central(&model, options.seed);
        let base = Case::with_inputs(&model, model.central(), options.seed).answers;
        let moved = sensitivity::moved(&model, options.seed);
        let drawn = monte_carlo::draw(&model, options.draws, options.seed);
        Worked { model, case, base, moved, drawn }
    }

    /// The answers.
    pub fn analysis(&self, scenario: &Scenario, options: Options) -> Analysis {
        let buyer = self.column(Answer::Npv(self.model.buyer));
        let (mix, mix_error) = match Allocation::of(&self.model, &self.case, scenario) {
            Ok(mix) => (Some(mix), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let answers = self.answers();
        let convergence = summary::convergence(&self.drawn.answers[buyer], answers[buyer].draws.clone());
        Analysis {
            scenario: scenario.id.clone(),
            title: scenario.title.clone(),
            summary: scenario.summary.clone(),
            as_of: scenario.as_of.to_string(),
            draws: options.draws,
            seed: options.seed,
            interactivity_tokens_per_s: scenario.interactivity.written[1],
            vendors: vendors::lines(self, &answers),
            parties: parties::lines(self, &answers, scenario),
            answers,
            investors: parties::investors(self),
            exits: parties::exits(self),
            delay_usd_per_quarter: self.delay(),
            mix,
            mix_error,
            states: self.states(buyer),
            tornado: self.tornado(Answer::Npv(self.model.buyer)),
            convergence,
        }
    }

    /// What moves an answer.
    pub fn tornado(&self, answer: Answer) -> Vec<Bar> {
        sensitivity::tornado(&self.model, &self.base, &self.moved, &self.drawn, self.column(answer))
    }

    fn column(&self, answer: Answer) -> usize {
        let column = Answer::all(&self.model).iter().position(|known| *known == answer);
        column.expect("every answer of a model is a column")
    }

    fn answers(&self) -> Vec<AnswerLine> {
        let base = &self.case.answers;
        (Answer::all(&self.model).into_iter().enumerate())
            .map(|(column, answer)| {
                let (name, unit) = name(&self.model, answer);
                AnswerLine {
                    answer,
                    name,
                    unit,
                    central: Some(base[column]).filter(|value| value.is_finite()),
                    draws: summary::percentiles(&self.drawn.answers[column]),
                    rests_on: self.kinds(column),
                }
            })
            .collect()
    }

    /// Kinds of every input that moves an answer.
    pub(super) fn kinds(&self, column: usize) -> Kinds {
        sensitivity::kinds(&self.model, &self.base, &self.moved, column)
    }

    /// `NPV(as stated) − NPV(a quarter later)` to the buyer.
    fn delay(&self) -> f64 {
        let later = Situation {
            compute_delay: self.case.situation.compute_delay + 0.25,
            equity_delay: self.case.situation.equity_delay + 0.25,
            ..self.case.situation.clone()
        };
        let later = self.case.in_situation(&self.model, later);
        let npv = Answer::Npv(self.model.buyer);
        self.case.value(&self.model, npv) - later.value(&self.model, npv)
    }

    fn states(&self, buyer: usize) -> Vec<StateLine> {
        let all = self.drawn.states.len().max(1) as f64;
        (self.model.states.iter().enumerate())
            .map(|(idx, belief)| {
                let drawn = self.drawn.states.iter().zip(&self.drawn.answers[buyer]);
                let here: Vec<f64> =
                    drawn.filter(|(state, _)| usize::from(**state) == idx).map(|(_, npv)| *npv).collect();
                StateLine {
                    state: belief.closing,
                    prior: self.case.inputs[belief.prior],
                    share: here.len() as f64 / all,
                    buyer_npv: summary::percentiles(&here),
                }
            })
            .collect()
    }
}

/// An answer in words, and its unit.
fn name(model: &Model, answer: Answer) -> (String, &'static str) {
    let fixed = |text: &str, unit| (text.to_string(), unit);
    match answer {
        Answer::EffectivePrice => fixed("effective price of a useful chip-hour", "USD/chip-h"),
        Answer::PowerPrice => fixed("price of power in place", "USD/kW-year"),
        Answer::DealTokens => fixed("tokens under the deal", "USD/M"),
        Answer::OutsideTokens => fixed("the same tokens at the cheapest outside vendor", "USD/M"),
        Answer::BlendedTokens => fixed("all tokens, commitments and market", "USD/M"),
        Answer::Stranded => fixed("stranded commitment", "USD"),
        Answer::OptionValue => fixed("the right to the deal's compute", "USD"),
        Answer::Warrants => fixed("warrants", "USD"),
        Answer::VendorTokens(v) => (format!("tokens at {}", model.vendors[v].name), "USD/M"),
        Answer::Npv(p) => (format!("deal to {}", model.parties[p]), "USD"),
    }
}

#[cfg(test)]
mod tests;
