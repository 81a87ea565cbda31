//! One draw's answers, as one number each.

use super::answer::{self, Offer};
use super::flow;
use super::input::Inputs;
use super::model::{HOURS_A_QUARTER, Model};
use super::play::Values;
use super::situation::Situation;
use crate::units::{ChipHours, KilowattYears, Tokens, Usd};
use serde::Serialize;

/// What is asked of each draw. The order is that of the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Dollars a useful chip-hour under the deal.
    EffectivePrice,
    /// Dollars a kilowatt in place and year under the deal.
    PowerPrice,
    /// Dollars a million output tokens that the deal serves.
    DealTokens,
    /// What the cheapest outside vendor would take for a million of them.
    OutsideTokens,
    /// Dollars a million output tokens of all demand, over commitments and market.
    BlendedTokens,
    /// Present value of floors paid without use under the deal.
    Stranded,
    /// What the right to the deal's compute is worth.
    OptionValue,
    /// Present value of warrants.
    Warrants,
    /// Dollars a million output tokens at a vendor: at its market price, or under the commitments on it.
    VendorTokens(usize),
    /// Net present value of the deal to a party.
    Npv(usize),
}

impl Answer {
    /// Whether it is one of the deal itself, and not of a vendor or a party.
    pub(super) fn is_of_the_deal(self) -> bool {
        !matches!(self, Answer::VendorTokens(_) | Answer::Npv(_))
    }

    /// The answers of a model, in the order of their columns.
    pub(super) fn all(model: &Model) -> Vec<Answer> {
        use Answer::*;
        let deal =
            [EffectivePrice, PowerPrice, DealTokens, OutsideTokens, BlendedTokens, Stranded, OptionValue, Warrants];
        let vendors = (0..model.vendors.len()).map(VendorTokens);
        deal.into_iter().chain(vendors).chain((0..model.parties.len()).map(Npv)).collect()
    }
}

/// Columns before those of vendors.
const FIXED: usize = 8;

/// Writes the answers in the order of [`Answer::all`]; NaN where a draw has none, as the price of a deal that fell
/// through. Returns the vendor at which a million tokens cost least.
pub(super) fn answers(
    model: &Model,
    inputs: &(impl Inputs + ?Sized),
    situation: &Situation,
    values: &Values,
    warrants: &[f64],
    out: &mut [f64],
) -> Option<usize> {
    let deal = totals(model, inputs, values, |_, proposed| proposed);
    let all = totals(model, inputs, values, |_, _| true);
    let some = |value: f64| if deal.tokens.0 > 0.0 { value } else { f64::NAN };
    out[0] = some(answer::effective_price(deal.paid, deal.useful).0);
    out[1] = some(answer::price_of_power(deal.paid, deal.held).0);
    out[2] = some(answer::price_of_tokens(deal.paid, deal.tokens).0);
    out[3] = some(answer::price_of_tokens(deal.value, deal.tokens).0);
    out[4] = answer::price_of_tokens(Usd(all.paid.0 + values.rest_paid), Tokens(all.tokens.0 + values.rest_tokens)).0;
    out[5] = deal.stranded.0;
    out[6] = answer::option_value(deal.value, deal.paid).0;
    out[7] = warrants.iter().sum();
    let cheapest = vendors(model, inputs, values, &mut out[FIXED..FIXED + model.vendors.len()]);
    let npv = &mut out[FIXED + model.vendors.len()..];
    npv.fill(0.0);
    flow::walk(model, inputs, situation, values, warrants, |party, _, amount| npv[party] += amount.present());
    cheapest
}

/// Price of a million tokens of the common demand at each vendor, and the cheapest.
///
/// Under commitments it is what their hours cost, `PV(paid + porting) / PV(hours used)`, over the tokens of an hour at the
/// speed that ported software reached; else it is the market's.
fn vendors(model: &Model, inputs: &(impl Inputs + ?Sized), values: &Values, out: &mut [f64]) -> Option<usize> {
    let mut cheapest: Option<usize> = None;
    for (v, out) in out.iter_mut().enumerate() {
        let committed = !model.vendors[v].open || model.of_the_deal(v);
        let price = if committed { under_commitments(model, inputs, values, v) } else { values.offers[v].a_million };
        *out = price.unwrap_or(f64::NAN);
    }
    for v in 0..out.len() {
        if out[v] < cheapest.map_or(f64::INFINITY, |best| out[best]) {
            cheapest = Some(v);
        }
    }
    cheapest
}

fn under_commitments(model: &Model, inputs: &(impl Inputs + ?Sized), values: &Values, v: usize) -> Option<f64> {
    let under = totals(model, inputs, values, |contract, _| model.contracts[contract].vendor == v);
    let offer = under.offer(values.offers[v].tokens_an_hour?)?;
    Some(offer.price_of_tokens().0 + answer::price_of_tokens(under.porting, under.at_offer(offer)).0)
}

/// Present values and amounts over some commitments.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    /// Paid, porting included.
    pub(super) paid: Usd,
    pub(super) porting: Usd,
    pub(super) value: Usd,
    pub(super) tokens: Tokens,
    /// Hours of chips used.
    pub(super) used: ChipHours,
    /// Those times the share of the full speed that ported software reached.
    pub(super) at_speed: ChipHours,
    /// Of those, useful ones.
    pub(super) useful: ChipHours,
    pub(super) held: KilowattYears,
    pub(super) stranded: Usd,
}

impl Totals {
    /// Hours as they were paid for, porting apart, and the tokens of one that gives `full` at full speed.
    pub(super) fn offer(&self, full: f64) -> Option<Offer> {
        let price = Usd(self.paid.0 - self.porting.0) / self.used;
        let tokens_an_hour = Tokens(full * self.at_speed.0 / self.used.0);
        (self.used.0 > 0.0).then_some(Offer { price, tokens_an_hour })
    }

    /// Tokens of all the hours used, at an offer.
    pub(super) fn at_offer(&self, offer: Offer) -> Tokens {
        offer.tokens_an_hour * self.used.0
    }
}

/// Adds up the commitments that stand and that `wanted` admits by position and by whether they are proposed.
pub(super) fn totals(
    model: &Model,
    inputs: &(impl Inputs + ?Sized),
    values: &Values,
    wanted: impl Fn(usize, bool) -> bool,
) -> Totals {
    let mut sum = Totals::default();
    for (idx, (contract, commitment)) in model.contracts.iter().zip(&values.commitments).enumerate() {
        if !(commitment.is_active && wanted(idx, contract.proposed)) {
            continue;
        }
        let fleet = &model.vendors[contract.vendor];
        let present = &commitment.flows;
        let used = present.used * HOURS_A_QUARTER;
        sum.porting.0 += present.porting;
        sum.paid.0 += present.paid + present.porting;
        sum.value.0 += present.value;
        sum.tokens.0 += present.tokens;
        sum.used.0 += used;
        sum.at_speed.0 += present.at_speed * HOURS_A_QUARTER;
        sum.useful.0 += used * inputs[model.utilisation] * inputs[fleet.availability];
        sum.held.0 += present.in_place * inputs[fleet.power] / 4e3;
        sum.stranded.0 += present.top_up;
    }
    sum
}
