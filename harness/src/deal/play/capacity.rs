//! Sizes, prices and deliveries of commitments.

use super::Ledger;
use crate::deal::model::{Contract, HOURS_A_QUARTER, Model, PriceRule, Quantity};
use crate::deal::scenario::Repricing;
use crate::deal::situation::Situation;

impl Ledger {
    /// Whether a commitment stands, when it delivers, how many chips it comes to, and its first price.
    ///
    /// With `R` the sum of the ramp over the quarters of the term and `h` the hours of a quarter: chips are
    /// `capacity / power`, or `spend / (price · h · R)`; the price is the one given, or `spend / (chips · h · R)`, or the
    /// market's at delivery.
    #[inline(always)]
    pub(super) fn size(&mut self, model: &Model, inputs: &[f64], situation: &Situation, idx: usize) {
        let contract = &model.contracts[idx];
        let late = contract.slip.map_or(0.0, |slot| inputs[slot]);
        let deal = if contract.proposed { situation.compute_delay } else { 0.0 };
        let size = if contract.proposed { situation.scale } else { 1.0 };
        let market = &self.market[contract.vendor];
        let course = &mut self.courses[idx];
        // Most terms are settled: their ramp is cut once.
        if course.cut_for != inputs[contract.term] {
            course.cut_for = inputs[contract.term];
            course.ramped = contract.ramp.cut(4.0 * course.cut_for, &mut course.cut);
        }
        let ramped = course.ramped;
        course.active = !contract.proposed || situation.compute;
        course.offset = contract.start + 4.0 * (late + deal);
        let at_delivery = market[(course.offset.max(0.0) as usize).min(model.quarters - 1)];
        let Quantity { spend, capacity, price } = contract.quantity;
        let [spend, price] = [spend, price].map(|slot| slot.map(|slot| inputs[slot]));
        let chips = capacity.map(|slot| inputs[slot] / inputs[model.vendors[contract.vendor].power]);
        let implied = spend.zip(chips).map(|(spend, chips)| spend / (chips * HOURS_A_QUARTER * ramped));
        let first = price.or(implied).unwrap_or(at_delivery);
        let bought = spend.map(|spend| spend / (first * HOURS_A_QUARTER * ramped));
        course.full_chips = chips.or(bought).unwrap_or(0.0) * size * inputs[contract.ramp.scale];
        course.price_at_signing = first;
        course.price.fill(first);
        // Scheduled dollars in proportion to the ramp; delivery scales them by its share.
        let scheduled = spend.map_or(course.full_chips * first * HOURS_A_QUARTER, |spend| spend * size / ramped);
        course.scheduled.fill(scheduled);
    }

    /// The price by quarter: constant or at its distance from the market, never above what caps it.
    #[inline(always)]
    pub(super) fn price(&mut self, model: &Model, inputs: &[f64], idx: usize) {
        let contract = &model.contracts[idx];
        let offset = self.courses[idx].offset;
        let mut price = std::mem::take(&mut self.courses[idx].price);
        let market = &self.market[contract.vendor];
        if contract.repricing == Repricing::Market {
            let at_delivery = market[(offset.max(0.0) as usize).min(model.quarters - 1)];
            if at_delivery > 0.0 {
                price.iter_mut().zip(market).for_each(|(price, market)| *price *= market / at_delivery);
            }
        }
        for (after, rule) in &contract.reopeners {
            let from = offset + 4.0 * inputs[*after];
            self.cap(&mut price, from, *rule, contract);
        }
        for other in &contract.most_favoured {
            self.cap(&mut price, offset, PriceRule::Contract(*other), contract);
        }
        self.courses[idx].price = price;
    }

    #[inline(always)]
    fn cap(&self, price: &mut [f64], from: f64, rule: PriceRule, contract: &Contract) {
        let other = match rule {
            PriceRule::Market => &self.market[contract.vendor],
            PriceRule::Contract(other) if self.courses[other].active => &self.courses[other].price,
            PriceRule::Contract(_) => return,
        };
        for (t, (price, other)) in price.iter_mut().zip(other).enumerate() {
            // A vendor without a market has zeros there, which cap nothing.
            if t as f64 >= from && *other > 0.0 {
                *price = price.min(*other);
            }
        }
    }

    /// Chips in place and dollars scheduled: the ramp, moved by a whole and a part of a quarter.
    #[inline(always)]
    pub(super) fn deliver(&mut self, model: &Model, inputs: &[f64], situation: &Situation, idx: usize) {
        let contract = &model.contracts[idx];
        let course = &mut self.courses[idx];
        course.in_place.fill(0.0);
        course.serving.fill(0.0);
        course.porting.fill(0.0);
        if !course.active {
            course.scheduled.fill(0.0);
            return;
        }
        let cost = model.vendors[contract.vendor].cost_to_serve.map_or(0.0, |slot| inputs[slot]);
        // A quarter k of the term falls into the quarters k + whole and k + whole + 1, by its parts before and after.
        let whole = course.offset.floor();
        let part = course.offset - whole;
        add_moved(&mut course.in_place, &course.cut, whole, 1.0 - part);
        add_moved(&mut course.in_place, &course.cut, whole + 1.0, part);
        // Dollars that bought no fixed capacity buy more chips as the price falls.
        let by_price = contract.quantity.capacity.is_none();
        let first = course.price_at_signing;
        for (((in_place, scheduled), serving), price) in
            course.in_place.iter_mut().zip(&mut course.scheduled).zip(&mut course.serving).zip(&course.price)
        {
            *scheduled *= *in_place;
            *in_place *= course.full_chips * if by_price { first / price } else { 1.0 };
            *serving = *in_place * cost * HOURS_A_QUARTER;
        }
        self.port(model, inputs, situation, idx);
    }

    /// Bringing the software to a chip is paid once, in the quarter of first delivery, by the first commitment of the
    /// deal on it; a standing commitment on the same chip means that it was done before.
    #[inline(always)]
    fn port(&mut self, model: &Model, inputs: &[f64], situation: &Situation, idx: usize) {
        let contract = &model.contracts[idx];
        let Some([cost, _, _]) = model.vendors[contract.vendor].porting else { return };
        let done = model.contracts.iter().enumerate().any(|(other, earlier)| {
            earlier.vendor == contract.vendor && (!earlier.proposed || (other < idx && situation.compute))
        });
        let course = &mut self.courses[idx];
        let quarter = course.offset.max(0.0) as usize;
        if contract.proposed && !done && quarter < model.quarters {
            course.porting[quarter] = inputs[cost];
        }
    }
}

/// Adds `weight · shares`, moved `by` quarters, to what lies within `out`.
#[inline(always)]
fn add_moved(out: &mut [f64], shares: &[f64], by: f64, weight: f64) {
    let by = by.clamp(-(shares.len() as f64), out.len() as f64) as isize;
    let shares = &shares[(-by).max(0) as usize..];
    let out = &mut out[by.max(0) as usize..];
    out.iter_mut().zip(shares).for_each(|(out, share)| *out += weight * share);
}
