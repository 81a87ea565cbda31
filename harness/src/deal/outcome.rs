//! One draw's answers, as one number each.

use super::answer::{self, Offer};
use super::flow;
use super::input::Inputs;
use super::model::{HOURS_A_QUARTER, Model};
use super::number::Number;
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

/// Where no vendor has a price, in place of a vendor's position.
pub(super) const NOBODY: u8 = u8::MAX;

/// Writes the answers in the order of [`Answer::all`]; NaN where a draw has none, as the price of a deal that fell
/// through. Returns the position of the vendor at which a million tokens cost least, or [`NOBODY`].
#[inline(always)]
pub(super) fn answers<N: Number>(
    model: &Model,
    inputs: &(impl Inputs<N> + ?Sized),
    situation: &Situation<N>,
    values: &Values<N>,
    warrants: &[N],
    out: &mut [N],
) -> N {
    let deal = totals(model, inputs, values, |_, proposed| proposed);
    let all = totals(model, inputs, values, |_, _| true);
    let some = |value: N| deal.tokens.where_positive(value, N::all(f64::NAN));
    let of_tokens = |usd: N, tokens: N| N::each([usd, tokens], |[usd, tokens]| price_of_tokens(usd, tokens));
    out[0] = some(N::each([deal.paid, deal.useful], |[usd, h]| answer::effective_price(Usd(usd), ChipHours(h)).0));
    out[1] = some(N::each([deal.paid, deal.held], |[usd, kw]| answer::price_of_power(Usd(usd), KilowattYears(kw)).0));
    out[2] = some(of_tokens(deal.paid, deal.tokens));
    out[3] = some(of_tokens(deal.value, deal.tokens));
    out[4] = of_tokens(all.paid + values.rest_paid, all.tokens + values.rest_tokens);
    out[5] = deal.stranded;
    out[6] = N::each([deal.value, deal.paid], |[without, with]| answer::option_value(Usd(without), Usd(with)).0);
    // A sum begins at the zero that changes no other.
    out[7] = N::all(-0.0);
    for warrant in warrants {
        out[7] += *warrant;
    }
    let cheapest = vendors(model, inputs, values, &mut out[FIXED..FIXED + model.vendors.len()]);
    let npv = &mut out[FIXED + model.vendors.len()..];
    npv.fill(N::all(0.0));
    flow::walk(model, inputs, situation, values, warrants, |party, _, amount| npv[party] += amount.present());
    cheapest
}

/// [`answer::price_of_tokens`], in plain numbers.
#[inline(always)]
fn price_of_tokens(usd: f64, tokens: f64) -> f64 {
    answer::price_of_tokens(Usd(usd), Tokens(tokens)).0
}

/// Price of a million tokens of the common demand at each vendor, and the cheapest.
///
/// Under commitments it is what their hours cost, `PV(paid + porting) / PV(hours used)`, over the tokens of an hour at the
/// speed that ported software reached; else it is the market's.
#[inline(always)]
fn vendors<N: Number>(model: &Model, inputs: &(impl Inputs<N> + ?Sized), values: &Values<N>, out: &mut [N]) -> N {
    let (mut cheapest, mut least) = (N::all(f64::from(NOBODY)), N::all(f64::INFINITY));
    for (v, (out, offered)) in out.iter_mut().zip(&values.offers).enumerate() {
        let committed = !model.vendors[v].open || model.of_the_deal(v);
        *out = if committed {
            let under = totals(model, inputs, values, |contract, _| model.contracts[contract].vendor == v);
            under.price_of_tokens(offered.tokens_an_hour)
        } else {
            offered.a_million.where_positive(offered.a_million, N::all(f64::NAN))
        };
        // Less than the least so far, which NaN is not.
        let at = N::all(v as f64);
        cheapest =
            N::each([*out, least, at, cheapest], |[price, least, at, so_far]| if price < least { at } else { so_far });
        least = N::each([*out, least], |[price, least]| if price < least { price } else { least });
    }
    cheapest
}

/// Present values and amounts over some commitments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Totals<N> {
    /// Dollars paid, porting included.
    pub(super) paid: N,
    /// Dollars of those.
    pub(super) porting: N,
    /// Dollars that the tokens are worth outside.
    pub(super) value: N,
    /// Output tokens.
    pub(super) tokens: N,
    /// Hours of chips used.
    pub(super) used: N,
    /// Those times the share of the full speed that ported software reached.
    pub(super) at_speed: N,
    /// Of those used, useful ones.
    pub(super) useful: N,
    /// Kilowatt-years in place.
    pub(super) held: N,
    /// Dollars of floors without use.
    pub(super) stranded: N,
}

impl<N: Number> Totals<N> {
    /// Dollars a million tokens, porting included, where an hour gives `full` tokens at full speed; NaN where nothing is
    /// used, or where `full` is 0.
    #[inline(always)]
    fn price_of_tokens(&self, full: N) -> N {
        let none = N::all(f64::NAN);
        let (hour, tokens_an_hour) = ((self.paid - self.porting) / self.used, full * self.at_speed / self.used);
        let hours = N::each([hour, tokens_an_hour], |[usd, tokens]| price_of_tokens(usd, tokens));
        let tokens = tokens_an_hour * self.used;
        let porting = N::each([self.porting, tokens], |[usd, tokens]| price_of_tokens(usd, tokens));
        full.where_positive(self.used.where_positive(hours + porting, none), none)
    }
}

impl Totals<f64> {
    /// Hours as they were paid for, porting apart, and the tokens of one that gives `full` at full speed; none where
    /// nothing is used, or where `full` is 0.
    pub(super) fn offer(&self, full: f64) -> Option<Offer> {
        let price = Usd(self.paid - self.porting) / ChipHours(self.used);
        let tokens_an_hour = Tokens(full * self.at_speed / self.used);
        (full > 0.0 && self.used > 0.0).then_some(Offer { price, tokens_an_hour })
    }
}

/// Adds up the commitments that stand and that `wanted` admits by position and by whether they are proposed.
#[inline(always)]
pub(super) fn totals<N: Number>(
    model: &Model,
    inputs: &(impl Inputs<N> + ?Sized),
    values: &Values<N>,
    wanted: impl Fn(usize, bool) -> bool,
) -> Totals<N> {
    let none = N::all(0.0);
    let [paid, porting, value, tokens, used, at_speed, useful, held, stranded] = [none; 9];
    let mut sum = Totals { paid, porting, value, tokens, used, at_speed, useful, held, stranded };
    for (idx, (contract, commitment)) in model.contracts.iter().zip(&values.commitments).enumerate() {
        if !wanted(idx, contract.proposed) {
            continue;
        }
        let standing = |number: N| commitment.stands.where_positive(number, none);
        let fleet = &model.vendors[contract.vendor];
        let present = &commitment.flows;
        let used = present.used * HOURS_A_QUARTER;
        sum.porting += standing(present.porting);
        sum.paid += standing(present.paid + present.porting);
        sum.value += standing(present.value);
        sum.tokens += standing(present.tokens);
        sum.used += standing(used);
        sum.at_speed += standing(present.at_speed * HOURS_A_QUARTER);
        sum.useful += standing(used * inputs[model.utilisation] * inputs[fleet.availability]);
        sum.held += standing(present.in_place * inputs[fleet.power] / N::all(4e3));
        sum.stranded += standing(present.top_up);
    }
    sum
}
