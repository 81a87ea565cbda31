//! What tokens cost at each vendor at equal interactivity, and at which prices they tie.

use super::{AnswerLine, Worked};
use crate::deal::answer::{self, Offer};
use crate::deal::outcome::{Answer, NOBODY, totals};
use crate::deal::summary::Percentiles;
use crate::units::{ChipHours, Kinds, Quantity, Tokens, Usd, UsdPerHour, UsdPerMillionTokens};
use serde::Serialize;

/// A vendor.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VendorLine {
    /// Its id.
    pub vendor: String,
    /// Its name.
    pub name: String,
    /// Whether it is a part of the deal.
    pub of_the_deal: bool,
    /// Output tokens a second and chip at the scenario's interactivity, by workload; none where it cannot serve one.
    pub tokens_per_s_and_chip: Vec<(String, Option<f64>)>,
    /// Price of a chip-hour: the market's, averaged over the hours that the common demand would take there, or what is
    /// paid for one under commitments.
    pub usd_per_chip_hour: Option<f64>,
    /// Price of a million tokens of the common demand (of workloads that every vendor may serve) in the central case.
    pub usd_per_m: Option<f64>,
    /// The same over the draws.
    pub draws: Option<Percentiles>,
    /// Probability that its tokens cost least.
    pub cheapest: f64,
    /// Discount on the deal's price at which it ties with this vendor; below 0 the deal is cheaper already.
    pub break_even_discount: Option<f64>,
    /// What its chip-hour may cost at most to tie with the deal.
    pub tie_with_deal: Option<f64>,
    /// What its chip-hour may cost at most to tie with the cheapest other vendor outside the deal.
    pub tie_without_deal: Option<f64>,
    /// Kinds of every input that moves its price of tokens.
    pub rests_on: Kinds,
}

pub(super) fn lines(worked: &Worked, answers: &[AnswerLine]) -> Vec<VendorLine> {
    let model = &worked.model;
    let drawn = worked.drawn.cheapest.iter().filter(|vendor| **vendor != NOBODY).count().max(1) as f64;
    let offers: Vec<Option<Offer>> = (0..model.vendors.len()).map(|v| market(worked, v)).collect();
    let deal = Deal::of(worked);
    (model.vendors.iter().enumerate())
        .map(|(v, fleet)| {
            let of_the_deal = model.of_the_deal(v);
            let column = worked.column(Answer::VendorTokens(v));
            let usd_per_m = Some(worked.case.answers[column]).filter(|value| value.is_finite());
            let alternative = offers[v].filter(|_| !of_the_deal);
            let other = (0..offers.len())
                .filter(|other| *other != v && !model.of_the_deal(*other))
                .filter_map(|other| offers[other].map(|offer| offer.price_of_tokens().0))
                .min_by(f64::total_cmp);
            let rates = model.workloads.iter().zip(&fleet.rates);
            VendorLine {
                vendor: fleet.id.clone(),
                name: fleet.name.clone(),
                of_the_deal,
                tokens_per_s_and_chip: rates
                    .map(|(load, rate)| {
                        let speed = fleet.speed.map_or(1.0, |slot| worked.case.inputs[slot]);
                        (load.id.clone(), rate.as_ref().map(|(slot, _)| worked.case.inputs[*slot] * speed))
                    })
                    .collect(),
                usd_per_chip_hour: offers[v].or_else(|| paid(worked, v)).map(|offer| offer.price.0),
                usd_per_m,
                draws: answers[column].draws.clone(),
                cheapest: worked.drawn.cheapest.iter().filter(|c| usize::from(**c) == v).count() as f64 / drawn,
                break_even_discount: alternative.zip(deal).map(|(offer, deal)| {
                    answer::break_even_discount(deal.offer, offer, deal.porting, deal.used).value()
                }),
                tie_with_deal: alternative.zip(deal).map(|(offer, deal)| answer::tie_price(deal.tokens(), offer).0),
                tie_without_deal: alternative
                    .zip(other)
                    .map(|(offer, other)| answer::tie_price(UsdPerMillionTokens(other), offer).0),
                rests_on: answers[column].rests_on,
            }
        })
        .collect()
}

/// The commitments of the deal together, on the common demand.
#[derive(Clone, Copy)]
struct Deal {
    offer: Offer,
    porting: Usd,
    used: ChipHours,
}

impl Deal {
    /// None where nothing of it is used, or where its commitments are on vendors of different speed.
    fn of(worked: &Worked) -> Option<Self> {
        let (model, values) = (&worked.model, &worked.case.ledger.values);
        let proposed = || model.contracts.iter().filter(|contract| contract.proposed);
        let vendor = proposed().next()?.vendor;
        if proposed().any(|contract| contract.vendor != vendor) {
            return None;
        }
        let totals = totals(model, &worked.case.inputs, values, |_, proposed| proposed);
        let offer = totals.offer(values.offers[vendor].tokens_an_hour)?;
        Some(Deal { offer, porting: Usd(totals.porting), used: ChipHours(totals.used) })
    }

    /// Price of a million tokens, porting included.
    fn tokens(&self) -> UsdPerMillionTokens {
        let porting = answer::price_of_tokens(self.porting, self.offer.tokens_an_hour * self.used.0);
        self.offer.price_of_tokens() + porting
    }
}

/// An open vendor's hours at its market price, averaged over those that the common demand takes.
fn market(worked: &Worked, v: usize) -> Option<Offer> {
    let offered = worked.case.ledger.values.offers[v];
    let tokens_an_hour = Tokens(offered.tokens_an_hour);
    let price = UsdPerHour((UsdPerMillionTokens(offered.a_million) * tokens_an_hour).0);
    (offered.a_million > 0.0).then_some(Offer { price, tokens_an_hour })
}

/// A vendor's hours as they are paid for under commitments.
fn paid(worked: &Worked, v: usize) -> Option<Offer> {
    let (model, values) = (&worked.model, &worked.case.ledger.values);
    let at_it = |contract: usize, _| model.contracts[contract].vendor == v;
    totals(model, &worked.case.inputs, values, at_it).offer(values.offers[v].tokens_an_hour)
}
