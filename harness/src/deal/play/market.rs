//! Market prices of chip-hours and of tokens.

use super::Play;
use super::value::Offered;
use crate::deal::input::Slot;
use crate::deal::lanes::{LANES, Lanes};
use crate::deal::model::{Fleet, Model};
use crate::deal::number::Number;
use std::ops::Mul;

/// A price that falls by more a year is held at this share of the year before: it would turn negative otherwise.
const STEEPEST_FALL: f64 = 0.05;

/// One vendor.
pub(super) struct Seller {
    /// Price of a chip-hour in the first quarter, and its change by quarter; 0 where there is no market.
    first: Lanes,
    quarterly: Lanes,
    /// The price in this quarter.
    pub(super) price: Lanes,
    /// Whether anyone may buy there; else nobody asks what tokens cost at its price.
    is_open: bool,
    /// Dollars for a second of a chip at full speed: slow software takes more of them.
    a_second: Lanes,
    /// What the common demand so far would have cost, in dollars for an hour of each second.
    spent: Lanes,
    offer: Option<Offer>,
    pub(super) ramp: Option<Ramp>,
    /// By workload; none where it cannot serve one.
    pub(super) rates: Vec<Option<Rate>>,
}

/// The common demand at a vendor that can serve all of it.
struct Offer {
    /// Hours of chips for each hour of the demand.
    hours: Lanes,
    tokens_an_hour: Lanes,
    /// Dollars a million tokens at its market price.
    a_million: Lanes,
}

/// What a chip serves at full speed.
#[derive(Clone, Copy)]
pub(super) struct Rate {
    /// Output tokens a second.
    pub(super) tokens: Lanes,
    /// Chips for one output token a second.
    pub(super) chips: Lanes,
}

/// Demand of one workload in this quarter.
pub(super) struct Demand {
    /// Whether every vendor may serve it: all workloads, unless exclusivities say otherwise. Only on the same demand do
    /// prices of tokens compare.
    is_common: bool,
    /// Tokens a second that no commitment serves.
    pub(super) remaining: Lanes,
    /// Dollars a token at the cheapest open vendor.
    pub(super) open: Lanes,
    /// The same at vendors outside the deal whose capacity is not limited.
    pub(super) outside: Lanes,
    /// The sum over the quarters of all of it, discounted.
    sum: Lanes,
    /// Open vendors that serve it; first those whose market sets a price for what the deal serves.
    bidders: Vec<Bidder>,
    n_outside: usize,
}

/// An open vendor of a workload.
struct Bidder {
    v: usize,
    /// Chips for one output token a second.
    chips: Lanes,
}

impl Seller {
    pub(super) fn new(model: &Model, v: usize) -> Self {
        let fleet = &model.vendors[v];
        Seller {
            first: Lanes::ZERO,
            quarterly: Lanes::ONE,
            price: Lanes::ZERO,
            is_open: fleet.open,
            a_second: Lanes::ZERO,
            spent: Lanes::ZERO,
            offer: None,
            ramp: None,
            rates: vec![None; fleet.rates.len()],
        }
    }

    /// First price, speeds and porting from the inputs: `first · yearly^((t + 1/2) / 4)`.
    #[inline(always)]
    pub(super) fn settle(&mut self, model: &Model, fleet: &Fleet, inputs: &[Lanes]) {
        if let Some(price) = fleet.price {
            let yearly = (Lanes::ONE + inputs[fleet.price_change]).greater(Lanes::all(STEEPEST_FALL));
            self.quarterly = yearly.sqrt().sqrt();
            self.first = inputs[price] * self.quarterly.sqrt();
        }
        self.ramp = fleet.porting.map(|porting| Ramp::new(porting.map(|slot| inputs[slot])));
        for (rate, slot) in self.rates.iter_mut().zip(&fleet.rates) {
            *rate = slot.as_ref().map(|(slot, _)| {
                let tokens = tokens_per_chip(model, fleet, inputs, *slot);
                Rate { tokens, chips: Lanes::ONE / tokens }
            });
        }
    }

    #[inline(always)]
    pub(super) fn begin(&mut self) {
        self.price = self.first;
        self.spent = Lanes::ZERO;
    }

    /// What the common demand comes to there.
    #[inline(always)]
    pub(super) fn offered(&self) -> Offered<Lanes> {
        let Some(offer) = &self.offer else { return Offered::nothing() };
        let tokens_an_hour = Lanes::each([offer.hours, offer.tokens_an_hour], |[hours, tokens]| {
            if hours > 0.0 && hours.is_finite() { tokens } else { 0.0 }
        });
        // With a closed vendor nothing would have been spent: it makes no offer.
        let a_million = self.spent.where_positive(offer.a_million, Lanes::ZERO);
        Offered { tokens_an_hour, a_million: tokens_an_hour.where_positive(a_million, Lanes::ZERO) }
    }

    /// Its price in the quarters in which times lie, in quarters from the start.
    #[inline(always)]
    pub(super) fn price_in(&self, times: Lanes) -> Lanes {
        self.first * self.quarterly.to_the(times.floor())
    }
}

impl Demand {
    pub(super) fn new(model: &Model, w: usize, is_common: bool) -> Self {
        let serves = |v: &usize| model.vendors[*v].open && model.vendors[*v].rates[w].is_some();
        let is_outside = |v: &usize| model.vendors[*v].is_unlimited() && !model.of_the_deal(*v);
        let (outside, others): (Vec<usize>, Vec<usize>) = (0..model.vendors.len()).filter(serves).partition(is_outside);
        Demand {
            is_common,
            remaining: Lanes::ZERO,
            open: Lanes::ZERO,
            outside: Lanes::ZERO,
            sum: Lanes::ZERO,
            n_outside: outside.len(),
            bidders: outside.into_iter().chain(others).map(|v| Bidder { v, chips: Lanes::ZERO }).collect(),
        }
    }

    /// Whether any open vendor serves it: what is left of it is not served otherwise.
    pub(super) fn is_open(&self) -> bool {
        !self.bidders.is_empty()
    }

    /// Takes the vendors' speeds at workload `w`.
    pub(super) fn settle(&mut self, w: usize, sellers: &[Seller]) {
        for bidder in &mut self.bidders {
            let rate = sellers[bidder.v].rates[w].expect("a bidder serves the workload");
            bidder.chips = rate.chips;
        }
    }

    #[inline(always)]
    pub(super) fn begin(&mut self) {
        self.sum = Lanes::ZERO;
    }

    /// The cheapest prices of its tokens in a quarter, and what it would cost at each vendor if all may serve it.
    #[inline(always)]
    fn price(&mut self, sellers: &mut [Seller], present: Lanes) {
        let (outside, others) = self.bidders.split_at(self.n_outside);
        self.outside = self.cheapest(outside, sellers, present, Lanes::INFINITY);
        self.open = self.cheapest(others, sellers, present, self.outside);
    }

    /// The least of a price and those of some bidders.
    #[inline(always)]
    fn cheapest(&self, bidders: &[Bidder], sellers: &mut [Seller], present: Lanes, mut least: Lanes) -> Lanes {
        for bidder in bidders {
            let seller = &mut sellers[bidder.v];
            let price = seller.a_second * bidder.chips;
            least = least.lesser(price);
            if self.is_common {
                seller.spent += price * present;
            }
        }
        least
    }
}

impl Play {
    /// Demand and the prices of tokens in a quarter.
    #[inline(always)]
    pub(super) fn price_tokens(&mut self, model: &Model, inputs: &[Lanes], t: usize) {
        for seller in &mut self.sellers {
            if t > 0 {
                seller.price = seller.price * seller.quarterly;
            }
            if !seller.is_open {
                continue;
            }
            seller.a_second = match &seller.ramp {
                Some(ramp) => seller.price / (ramp.speed(t, Lanes::ZERO) * 3600.0),
                None => seller.price * (1.0 / 3600.0),
            };
        }
        for (demand, load) in self.demands.iter_mut().zip(&model.workloads) {
            demand.remaining = inputs[load.scale] * load.demand[t];
            let present = demand.remaining * self.discount;
            demand.sum += present;
            demand.price(&mut self.sellers, present);
        }
    }

    /// What the common demand comes to at each vendor that can serve it.
    #[inline(always)]
    pub(super) fn offer(&mut self) {
        for seller in &mut self.sellers {
            seller.offer = Offer::of(seller, &self.demands);
        }
    }
}

impl Offer {
    #[inline(always)]
    fn of(seller: &Seller, demands: &[Demand]) -> Option<Self> {
        let (mut tokens, mut hours) = (Lanes::ZERO, Lanes::ZERO);
        for (demand, rate) in demands.iter().zip(&seller.rates).filter(|(demand, _)| demand.is_common) {
            tokens += demand.sum * 3600.0;
            hours += demand.sum * rate.as_ref()?.chips;
        }
        Some(Offer { hours, tokens_an_hour: tokens / hours, a_million: seller.spent * 3600.0 / tokens * 1e6 })
    }
}

/// Output tokens a second that a chip serves on average: `rate · speed · utilisation · availability`.
#[inline(always)]
pub(in crate::deal) fn tokens_per_chip<N: Copy + Mul<Output = N>>(
    model: &Model,
    fleet: &Fleet,
    inputs: &[N],
    rate: Slot,
) -> N {
    let at_speed = fleet.speed.map_or(inputs[rate], |speed| inputs[rate] * inputs[speed]);
    at_speed * inputs[model.utilisation] * inputs[fleet.availability]
}

/// How ported software gains the cost model's speed: `first` at delivery, all of it `years` later.
#[derive(Clone, Copy)]
pub(super) struct Ramp {
    first: Lanes,
    /// What a quarter brings of the way from there to 1.
    quarterly: Lanes,
}

impl Ramp {
    #[inline(always)]
    fn new([_, first, years]: [Lanes; 3]) -> Self {
        Ramp { first, quarterly: Lanes::all(0.25) / years.greater(Lanes::all(1e-9)) }
    }

    /// Share of the speed in a quarter: `first + (1 − first) · (t + 1/2 − from) / (4 · years)`, within its ends.
    #[inline(always)]
    pub(super) fn speed(&self, t: usize, from: Lanes) -> Lanes {
        let way = (Lanes::all(t as f64 + 0.5) - from) * self.quarterly;
        self.first + (Lanes::ONE - self.first) * way.within(0.0, 1.0)
    }
}

/// Share of the cost model's speed in a quarter, from the terms of porting and the quarter of delivery.
pub(in crate::deal) fn ported_at(porting: [f64; 3], t: usize, from: f64) -> f64 {
    let [speed, ..]: [f64; LANES] = Ramp::new(porting.map(Lanes::all)).speed(t, Lanes::all(from)).0;
    speed
}
