//! Who pays whom: every cash flow of the deal, in one walk.
//!
//! The walk is the only place that knows them. Draws add up present values on it, explanations collect it.

use super::input::Inputs;
use super::model::Model;
use super::play::Values;
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

/// A flow to a party, in dollars; negative where it pays.
#[derive(Clone, Copy, Debug)]
pub(super) enum Amount {
    /// In the middle of each quarter: the sign of what the leg comes to there, and its present value.
    Quarterly(f64, f64),
    /// At a time, in years since the start, and its present value.
    Dated(f64, f64, f64),
}

impl Amount {
    /// Its present value.
    pub(super) fn present(&self) -> f64 {
        match self {
            Amount::Quarterly(sign, present) => sign * present,
            Amount::Dated(_, _, present) => *present,
        }
    }
}

/// Calls `visit` with each flow: who, what for, how much. `warrants` are their present values, in the model's order.
pub(super) fn walk(
    model: &Model,
    inputs: &(impl Inputs + ?Sized),
    situation: &Situation,
    values: &Values,
    warrants: &[f64],
    mut visit: impl FnMut(usize, Leg, Amount),
) {
    for (idx, (contract, commitment)) in model.contracts.iter().zip(&values.commitments).enumerate() {
        if !(contract.proposed && commitment.is_active) {
            continue;
        }
        let cloud = model.vendors[contract.vendor].cloud;
        let present = &commitment.flows;
        visit(model.buyer, Leg::Value(idx), Amount::Quarterly(1.0, present.value));
        visit(model.buyer, Leg::Paid(idx), Amount::Quarterly(-1.0, present.paid));
        visit(model.buyer, Leg::Porting(idx), Amount::Quarterly(-1.0, present.porting));
        visit(cloud, Leg::Paid(idx), Amount::Quarterly(1.0, present.paid));
        visit(cloud, Leg::Serving(idx), Amount::Quarterly(-1.0, present.serving));
    }
    let growth = inputs[model.discount_rate].ln_1p();
    for (idx, (stake, paid)) in model.stakes.iter().zip(&situation.paid).enumerate() {
        let cash = inputs[stake.amount] * situation.scale * paid;
        if cash == 0.0 {
            continue;
        }
        let wait = stake.contingent.map_or(0.0, |(_, wait, _)| inputs[wait]);
        let day = stake.closes + wait + situation.equity_delay;
        let fair = cash * inputs[stake.fair_value];
        let (after, multiple) = stake.exit;
        let (sale, sold) = (day + inputs[after], fair * inputs[multiple]);
        let [now, then] = [day, sale].map(|years| (-years * growth).exp());
        visit(stake.issuer, Leg::Cash(idx), Amount::Dated(day, cash, cash * now));
        visit(stake.issuer, Leg::Given(idx), Amount::Dated(day, -fair, -fair * now));
        visit(stake.investor, Leg::Cash(idx), Amount::Dated(day, -cash, -cash * now));
        visit(stake.investor, Leg::Sale(idx), Amount::Dated(sale, sold, sold * then));
    }
    if !situation.alive {
        return;
    }
    for (idx, (share, present)) in model.owed.iter().zip(&values.owed).enumerate() {
        visit(share.from, Leg::Owed(idx), Amount::Quarterly(-1.0, *present));
        visit(share.to, Leg::Owed(idx), Amount::Quarterly(1.0, *present));
    }
    for (idx, (grant, usd)) in model.grants.iter().zip(warrants).enumerate() {
        visit(grant.issuer, Leg::Warrant(idx), Amount::Dated(0.0, -usd, -usd));
        visit(grant.holder, Leg::Warrant(idx), Amount::Dated(0.0, *usd, *usd));
    }
}
