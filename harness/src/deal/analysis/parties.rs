//! What the deal is worth to each party, and what money goes round in it.

use super::{AnswerLine, Worked};
use crate::deal::answer;
use crate::deal::cash::{self, Irr};
use crate::deal::flow::Leg;
use crate::deal::outcome::Answer;
use crate::deal::scenario::{Role, Scenario};
use crate::deal::summary::Percentiles;
use crate::units::{Count, Kinds, Quantity, Usd};
use serde::Serialize;

/// A party.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartyLine {
    /// Its name.
    pub party: String,
    /// What it does here.
    pub roles: Vec<Role>,
    /// Present value of the deal to it in the central case.
    pub npv: f64,
    /// The same over the draws.
    pub draws: Option<Percentiles>,
    /// Probability that it gains.
    pub gains: f64,
    /// Rates of return of its flows: none, one, or several that rank nothing. The buyer's flows count tokens at what
    /// they would cost outside.
    pub irr: Vec<f64>,
    /// The modified rate at the discount rate, where there are several.
    pub mirr: Option<f64>,
    /// Years until its payments have come back.
    pub payback_years: Option<f64>,
    /// Its flows.
    pub flows: Vec<FlowLine>,
    /// Kinds of every input that moves its value.
    pub rests_on: Kinds,
}

/// A flow to a party.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FlowLine {
    /// What it is for.
    pub what: String,
    /// Its sum, undiscounted.
    pub nominal: f64,
    /// Its present value.
    pub present: f64,
}

/// Money that an investor puts in and that commitments bring back.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InvestorLine {
    /// The investor.
    pub investor: String,
    /// Cash for equity, contingent tranches in full.
    pub invested: f64,
    /// Committed spend with it, at the deal's schedule.
    pub committed: f64,
    /// Committed over invested; none where nothing is invested.
    pub circularity: Option<f64>,
    /// Share of the company that the cash buys.
    pub stake: f64,
    /// What the issuer gains by the issue: cash less the fair value given, weighted by the tranches' probabilities.
    pub subsidy: f64,
}

/// A right to leave a commitment, in the central case.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exit {
    /// The commitment.
    pub compute: String,
    /// Years since the term's start.
    pub after_years: f64,
    /// What leaving costs then.
    pub fee: f64,
    /// Whether it is used.
    pub used: bool,
}

pub(super) fn lines(worked: &Worked, answers: &[AnswerLine], scenario: &Scenario) -> Vec<PartyLine> {
    let flows = worked.case.flows(&worked.model);
    let rate = worked.case.inputs[worked.model.discount_rate];
    let mut lines = Vec::new();
    for (p, party) in scenario.party.iter().enumerate() {
        let own = || flows.iter().filter(|flow| flow.party == p);
        if own().next().is_none() {
            continue;
        }
        let column = worked.column(Answer::Npv(p));
        let drawn = &worked.drawn.answers[column];
        let dated: Vec<cash::Flow> = own().flat_map(|flow| flow.dated.iter().copied()).collect();
        let (irr, mirr) = match cash::irr(&dated) {
            Irr::None => (Vec::new(), None),
            Irr::One(one) => (vec![one], None),
            Irr::Many(many) => (many, cash::mirr(&dated, rate)),
        };
        lines.push(PartyLine {
            party: party.name.clone(),
            roles: party.roles.clone(),
            npv: worked.case.answers[column],
            draws: answers[column].draws.clone(),
            gains: drawn.iter().filter(|npv| **npv > 0.0).count() as f64 / drawn.len().max(1) as f64,
            irr,
            mirr,
            payback_years: cash::payback(&dated),
            flows: own()
                .map(|flow| FlowLine {
                    what: name(worked, flow.leg),
                    nominal: flow.dated.iter().map(|(_, usd)| usd).sum(),
                    present: flow.present,
                })
                .collect(),
            rests_on: answers[column].rests_on,
        });
    }
    lines
}

fn name(worked: &Worked, leg: Leg) -> String {
    let model = &worked.model;
    match leg {
        Leg::Value(i) => format!("tokens of {}, at the outside price", model.contracts[i].id),
        Leg::Paid(i) => format!("payments under {}", model.contracts[i].id),
        Leg::Porting(i) => format!("porting for {}", model.contracts[i].id),
        Leg::Serving(i) => format!("chips in place for {}", model.contracts[i].id),
        Leg::Cash(i) => format!("cash for {}", model.stakes[i].id),
        Leg::Given(i) => format!("fair value of {}", model.stakes[i].id),
        Leg::Sale(i) => format!("sale of {}", model.stakes[i].id),
        Leg::Owed(i) => format!("revenue share {}", model.owed[i].id),
        Leg::Warrant(i) => format!("warrant {}", model.grants[i].id),
    }
}

pub(super) fn investors(worked: &Worked) -> Vec<InvestorLine> {
    let (model, inputs, ledger) = (&worked.model, &worked.case.inputs, &worked.case.ledger);
    let mut lines = Vec::new();
    for (p, party) in model.parties.iter().enumerate() {
        let stakes = || model.stakes.iter().zip(&worked.case.situation.paid).filter(|(stake, _)| stake.investor == p);
        if stakes().next().is_none() {
            continue;
        }
        let amount = |slot: usize| Usd(inputs[slot]);
        let invested = Usd(stakes().map(|(stake, _)| inputs[stake.amount]).sum());
        let at_it = |contract: usize| {
            model.contracts[contract].proposed && model.vendors[model.contracts[contract].vendor].cloud == p
        };
        // The schedule's sum within the horizon: what the commitment's own terms come to.
        let committed: f64 = (0..model.contracts.len())
            .filter(|contract| at_it(*contract))
            .map(|contract| match model.contracts[contract].quantity.spend {
                Some(spend) => inputs[spend],
                None => ledger.courses[contract].scheduled.iter().sum(),
            })
            .sum();
        lines.push(InvestorLine {
            investor: party.clone(),
            invested: invested.0,
            committed,
            circularity: (invested.0 > 0.0).then(|| answer::circularity(Usd(committed), invested).value()),
            stake: stakes()
                .map(|(stake, _)| {
                    let round = stake.round.unwrap_or(stake.amount);
                    answer::stake(amount(stake.amount), amount(stake.valuation), amount(round)).value()
                })
                .sum(),
            subsidy: stakes()
                .map(|(stake, paid)| answer::subsidy(amount(stake.amount) * *paid, Count(inputs[stake.fair_value])).0)
                .sum(),
        });
    }
    lines
}

pub(super) fn exits(worked: &Worked) -> Vec<Exit> {
    let inputs = &worked.case.inputs;
    let exit = |(contract, course): (&crate::deal::model::Contract, &crate::deal::play::Course)| {
        let (after, _) = contract.termination?;
        Some(Exit {
            compute: contract.id.clone(),
            after_years: inputs[after],
            fee: course.exit_price,
            used: course.fee.iter().any(|fee| *fee > 0.0),
        })
    };
    worked.model.contracts.iter().zip(&worked.case.ledger.courses).filter_map(exit).collect()
}
