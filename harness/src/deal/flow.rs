//! Who pays whom: every cash flow of the deal, in one walk.
//!
//! The walk is the only place that knows them. Draws add up present values on it, explanations collect it.

use super::input::Inputs;
use super::model::Model;
use super::number::Number;
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
pub(super) enum Amount<N> {
    /// In the middle of each quarter: the sign of what the leg comes to there, and its present value.
    Quarterly(f64, N),
    /// At a time, in years since the start, and its present value.
    Dated(N, N, N),
}

impl<N: Number> Amount<N> {
    /// Its present value.
    #[inline(always)]
    pub(super) fn present(self) -> N {
        match self {
            Amount::Quarterly(sign, present) => present * sign,
            Amount::Dated(_, _, present) => present,
        }
    }
}

/// Calls `visit` with each flow: who, what for, how much; 0 in draws that do not have one that others have. `warrants`
/// are their present values, in the model's order.
#[inline(always)]
pub(super) fn walk<N: Number>(
    model: &Model,
    inputs: &(impl Inputs<N> + ?Sized),
    situation: &Situation<N>,
    values: &Values<N>,
    warrants: &[N],
    mut visit: impl FnMut(usize, Leg, Amount<N>),
) {
    let none = N::all(0.0);
    for (idx, (contract, commitment)) in model.contracts.iter().zip(&values.commitments).enumerate() {
        if !contract.proposed || commitment.stands.is_zero() {
            continue;
        }
        let cloud = model.vendors[contract.vendor].cloud;
        let standing = |usd: N| commitment.stands.where_positive(usd, none);
        let present = &commitment.flows;
        let (paid, porting) = (standing(present.paid), standing(present.porting));
        visit(model.buyer, Leg::Value(idx), Amount::Quarterly(1.0, standing(present.value)));
        visit(model.buyer, Leg::Paid(idx), Amount::Quarterly(-1.0, paid));
        visit(model.buyer, Leg::Porting(idx), Amount::Quarterly(-1.0, porting));
        visit(cloud, Leg::Paid(idx), Amount::Quarterly(1.0, paid));
        visit(cloud, Leg::Serving(idx), Amount::Quarterly(-1.0, standing(present.serving)));
    }
    let growth = N::each([inputs[model.discount_rate]], |[rate]| rate.ln_1p());
    for (idx, (stake, paid)) in model.stakes.iter().zip(&situation.paid).enumerate() {
        let cash = inputs[stake.amount] * situation.scale * *paid;
        if cash.is_zero() {
            continue;
        }
        let mut day = N::all(stake.closes);
        if let Some((_, wait, _)) = stake.contingent {
            day += inputs[wait];
        }
        // What is not paid has no day, not one at which nothing may be too late to be a number.
        day = N::each([cash, day + situation.equity_delay], |[cash, day]| if cash == 0.0 { 0.0 } else { day });
        let fair = cash * inputs[stake.fair_value];
        let (after, multiple) = stake.exit;
        let (sale, sold) = (day + inputs[after], fair * inputs[multiple]);
        let discount = |years: N| N::each([years, growth], |[years, growth]| (-years * growth).exp());
        let (now, then) = (discount(day), discount(sale));
        visit(stake.issuer, Leg::Cash(idx), Amount::Dated(day, cash, cash * now));
        visit(stake.issuer, Leg::Given(idx), Amount::Dated(day, fair * -1.0, fair * now * -1.0));
        visit(stake.investor, Leg::Cash(idx), Amount::Dated(day, cash * -1.0, cash * now * -1.0));
        visit(stake.investor, Leg::Sale(idx), Amount::Dated(sale, sold, sold * then));
    }
    if situation.alive.is_zero() {
        return;
    }
    for (idx, (share, present)) in model.owed.iter().zip(&values.owed).enumerate() {
        let present = situation.alive.where_positive(*present, none);
        visit(share.from, Leg::Owed(idx), Amount::Quarterly(-1.0, present));
        visit(share.to, Leg::Owed(idx), Amount::Quarterly(1.0, present));
    }
    for (idx, (grant, usd)) in model.grants.iter().zip(warrants).enumerate() {
        let usd = situation.alive.where_positive(*usd, none);
        visit(grant.issuer, Leg::Warrant(idx), Amount::Dated(none, usd * -1.0, usd * -1.0));
        visit(grant.holder, Leg::Warrant(idx), Amount::Dated(none, usd, usd));
    }
}
