//! Who pays whom: every cash flow of the deal, in one walk.
//!
//! The walk is the only place that knows them. Draws add up present values on it, explanations collect it.

use super::cash;
use super::model::Model;
use super::play::Ledger;
use super::situation::Situation;

/// What a flow is for; the number is the position of the commitment, stake, share or warrant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leg {
    /// Tokens served, at what the cheapest outside vendor would take for them.
    Value(usize),
    /// Payments under a commitment.
    Paid(usize),
    /// Bringing the software to the chip.
    Porting(usize),
    /// What the chips cost the cloud.
    Serving(usize),
    /// Cash for equity.
    Cash(usize),
    /// Fair value of the equity at payment.
    Given(usize),
    /// Sale of the equity.
    Sale(usize),
    /// A share of revenue.
    Owed(usize),
    /// Warrants, at their present value.
    Warrant(usize),
}

/// A flow to a party; negative where it pays.
#[derive(Clone, Copy, Debug)]
pub(super) enum Amount<'a> {
    /// `sign` times these dollars in the middle of each quarter, and their present value.
    Quarterly(f64, &'a [f64], f64),
    /// Dollars at a time, in years since the start.
    Dated(f64, f64),
}

impl Amount<'_> {
    /// Its present value.
    pub(super) fn present(&self, rate: f64) -> f64 {
        match self {
            Amount::Quarterly(sign, _, present) => sign * present,
            Amount::Dated(years, usd) => usd * (1.0 + rate).powf(-years),
        }
    }

    /// It as dated flows.
    pub(super) fn dated(&self) -> Vec<cash::Flow> {
        match self {
            Amount::Quarterly(sign, usd, _) => {
                usd.iter().enumerate().map(|(t, usd)| ((t as f64 + 0.5) / 4.0, sign * usd)).collect()
            }
            Amount::Dated(years, usd) => vec![(*years, *usd)],
        }
    }
}

/// Shares of revenue as they are owed, up to their caps.
pub(super) fn owed(model: &Model, inputs: &[f64], idx: usize, out: &mut Vec<f64>) {
    let owed = &model.owed[idx];
    let rate = inputs[owed.share] * inputs[owed.scale];
    let mut left = owed.cap.map_or(f64::INFINITY, |cap| inputs[cap]);
    out.clear();
    for revenue in &owed.revenue {
        let paid = (rate * revenue).min(left);
        left -= paid;
        out.push(paid);
    }
}

/// Calls `visit` with each flow: who, what for, how much. `warrants` are their present values, in the model's order.
pub(super) fn walk(
    model: &Model,
    inputs: &[f64],
    situation: &Situation,
    ledger: &Ledger,
    warrants: &[f64],
    mut visit: impl FnMut(usize, Leg, Amount<'_>),
) {
    for (idx, (contract, course)) in model.contracts.iter().zip(&ledger.courses).enumerate() {
        if !(contract.proposed && course.active) {
            continue;
        }
        let cloud = model.vendors[contract.vendor].cloud;
        let present = &course.present;
        visit(model.buyer, Leg::Value(idx), Amount::Quarterly(1.0, &course.value, present.value));
        visit(model.buyer, Leg::Paid(idx), Amount::Quarterly(-1.0, &course.paid, present.paid));
        visit(model.buyer, Leg::Porting(idx), Amount::Quarterly(-1.0, &course.porting, present.porting));
        visit(cloud, Leg::Paid(idx), Amount::Quarterly(1.0, &course.paid, present.paid));
        visit(cloud, Leg::Serving(idx), Amount::Quarterly(-1.0, &course.serving, present.serving));
    }
    for (idx, (stake, paid)) in model.stakes.iter().zip(&situation.paid).enumerate() {
        let cash = inputs[stake.amount] * situation.scale * paid;
        if cash == 0.0 {
            continue;
        }
        let wait = stake.contingent.map_or(0.0, |(_, wait, _)| inputs[wait]);
        let day = stake.closes + wait + situation.equity_delay;
        let fair = cash * inputs[stake.fair_value];
        let (after, multiple) = stake.exit;
        visit(stake.issuer, Leg::Cash(idx), Amount::Dated(day, cash));
        visit(stake.issuer, Leg::Given(idx), Amount::Dated(day, -fair));
        visit(stake.investor, Leg::Cash(idx), Amount::Dated(day, -cash));
        visit(stake.investor, Leg::Sale(idx), Amount::Dated(day + inputs[after], fair * inputs[multiple]));
    }
    if !situation.alive {
        return;
    }
    let mut quarterly = Vec::new();
    for (idx, share) in model.owed.iter().enumerate() {
        owed(model, inputs, idx, &mut quarterly);
        let present = ledger.present(&quarterly);
        visit(share.from, Leg::Owed(idx), Amount::Quarterly(-1.0, &quarterly, present));
        visit(share.to, Leg::Owed(idx), Amount::Quarterly(1.0, &quarterly, present));
    }
    for (idx, (grant, usd)) in model.grants.iter().zip(warrants).enumerate() {
        visit(grant.issuer, Leg::Warrant(idx), Amount::Dated(0.0, -usd));
        visit(grant.holder, Leg::Warrant(idx), Amount::Dated(0.0, *usd));
    }
}
