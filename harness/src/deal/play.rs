//! One course of the deal: given a number for every input, what is delivered, used, billed and owed, quarter by quarter.
//!
//! ```text
//! prices      market p·(1 + g)^t of each vendor; a commitment's own price, capped by re-openers and favours
//! capacity    chips in place = full capacity × ramp, late by slip and delay
//! dispatch    demand meets commitments in the order of the file, then the cheapest open vendor
//! bills       max(price × hours used × (1 − tier), floor) − credits; a right to leave is used when it pays
//! ```
//! A chip serves `rate · utilisation · availability` tokens a second on average over a year. The tokens that the deal
//! serves are worth what the cheapest open vendor outside the deal would take for them; a vendor whose capacity is
//! limited sets no such price, since it could not serve them all (the vendor mix counts it at its capacity).
//!
//! A million draws take seconds because all arrays are kept from draw to draw, loops over quarters run over slices of
//! one length and carry no branch that depends on data, so that they become vector code, and each flow's present value
//! is added up once, in four partial sums.
//!
//! What that costs: 8 µs a draw for 4 commitments, 6 vendors, 5 workloads and 40 quarters on one 2.45 GHz Zen 3 core, half of
//! it here, a fifth in drawing 88 inputs, the rest in sums, percentiles and ranks. Seen on the way: `f64::min` on a number
//! written back where it was read is cheaper than a comparison, which became a masked store (a third of all time); sums in
//! one accumulator took as long as everything else. No single place is hot any more; what is left to try is the footprint,
//! some 30 KB of arrays against 32 KB of L1, by keeping of a standing commitment only what its present values need.

mod bill;
mod capacity;
mod market;

use super::model::{Contract, HOURS_A_QUARTER, Model};
use super::situation::Situation;
use multiversion::multiversion;

/// Seconds of a quarter.
pub(super) const SECONDS_A_QUARTER: f64 = 3600.0 * HOURS_A_QUARTER;

/// Everything that happens, by quarter.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    /// Present value at the start of a dollar in the middle of each quarter.
    pub(super) discount: Vec<f64>,
    /// Market price of a chip-hour, by vendor; zeros where there is no market.
    pub(super) market: Vec<Vec<f64>>,
    /// Dollars a token at the cheapest open vendor, by workload.
    pub(super) open: Vec<Vec<f64>>,
    /// The same at vendors outside the deal whose capacity is not limited.
    pub(super) outside: Vec<Vec<f64>>,
    /// What the demand that every vendor may serve comes to at each one's speed and market price.
    pub(super) offers: Vec<Offered>,
    /// Tokens a second that no commitment serves, by workload.
    pub(super) remaining: Vec<Vec<f64>>,
    /// By commitment.
    pub(super) courses: Vec<Course>,
    /// What the market is paid for the remaining tokens.
    pub(super) rest_paid: Vec<f64>,
    /// Vendors under a commitment that is a part of the deal.
    dealt: Vec<bool>,
    /// What remained before a commitment that may be left.
    before: Vec<Vec<f64>>,
    /// Demand of each workload times the discount.
    present_demand: Vec<Vec<f64>>,
    /// The sum of that.
    demanded: Vec<f64>,
    speed: Vec<f64>,
    slowness: Vec<f64>,
    served: Vec<f64>,
}

/// The demand that every vendor may serve, at one vendor.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Offered {
    /// Tokens of a paid hour at full speed; none where it cannot serve all of that demand.
    pub(super) tokens_an_hour: Option<f64>,
    /// Dollars a million tokens at its market price; none without a market.
    pub(super) a_million: Option<f64>,
}

/// What becomes of one commitment, by quarter.
#[derive(Clone, Debug, Default)]
pub(super) struct Course {
    /// Whether it stands.
    pub(super) active: bool,
    /// Quarters from the scenario's start to delivery.
    pub(super) offset: f64,
    /// Price of a chip-hour.
    pub(super) price: Vec<f64>,
    /// Chips in place.
    pub(super) in_place: Vec<f64>,
    /// Dollars scheduled.
    pub(super) scheduled: Vec<f64>,
    /// Chips used, whole ones at the vendor's availability and the buyer's utilisation.
    pub(super) used: Vec<f64>,
    /// Those times the share of the full speed that ported software reaches.
    pub(super) at_speed: Vec<f64>,
    /// Output tokens served.
    pub(super) tokens: Vec<f64>,
    /// What the cheapest outside vendor would take for them.
    pub(super) value: Vec<f64>,
    /// Hours used at the price, before any discount.
    pub(super) gross: Vec<f64>,
    /// Discounts of tiers.
    pub(super) discounts: Vec<f64>,
    /// What the floor adds.
    pub(super) top_up: Vec<f64>,
    /// Credits granted, for service and for late delivery.
    pub(super) credits: Vec<f64>,
    /// What is paid: gross − discounts + top-up − credits, and the fee for leaving.
    pub(super) paid: Vec<f64>,
    /// The fee for leaving, in its quarter, where the buyer leaves.
    pub(super) fee: Vec<f64>,
    /// What leaving costs at the date of the right, whether it is used or not.
    pub(super) exit_price: f64,
    /// What it costs the cloud to have the chips in place.
    pub(super) serving: Vec<f64>,
    /// What bringing the software to the chip costs.
    pub(super) porting: Vec<f64>,
    /// Present values of the flows above.
    pub(super) present: Present,
    /// Whether its software had to be brought to its chip.
    is_ported: bool,
    full_chips: f64,
    price_at_signing: f64,
    /// The ramp within the term, its sum, and the years of the term that they are for.
    cut: Vec<f64>,
    ramped: f64,
    cut_for: f64,
}

/// Present values of a commitment's flows; of a standing one those alone that all demand's cost needs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Present {
    pub(super) in_place: f64,
    pub(super) used: f64,
    pub(super) at_speed: f64,
    pub(super) tokens: f64,
    pub(super) value: f64,
    pub(super) top_up: f64,
    pub(super) paid: f64,
    pub(super) serving: f64,
    pub(super) porting: f64,
}

impl Course {
    /// A course of no quarter in which anything happens.
    fn idle(quarters: usize) -> Self {
        let zeros = || vec![0.0; quarters];
        Course {
            price: zeros(),
            in_place: zeros(),
            scheduled: zeros(),
            used: zeros(),
            at_speed: zeros(),
            tokens: zeros(),
            value: zeros(),
            gross: zeros(),
            discounts: zeros(),
            top_up: zeros(),
            credits: zeros(),
            paid: zeros(),
            fee: zeros(),
            serving: zeros(),
            porting: zeros(),
            ..Course::default()
        }
    }

    /// Whether every chip in place is used, but for rounding.
    #[inline(always)]
    fn is_used_up(&self) -> bool {
        self.in_place.iter().zip(&self.used).all(|(in_place, used)| in_place - used <= 1e-9 * in_place)
    }

    #[inline(always)]
    fn add_up(&mut self, discount: &[f64], proposed: bool) {
        self.present = Present::default();
        if !self.active {
            return;
        }
        let sum = |flow: &[f64]| present(discount, flow);
        let (used, ported) = (sum(&self.used), self.is_ported);
        self.present.used = used;
        self.present.at_speed = if ported { sum(&self.at_speed) } else { used };
        self.present.tokens = sum(&self.tokens);
        self.present.paid = sum(&self.paid);
        if proposed {
            self.present.in_place = sum(&self.in_place);
            self.present.value = sum(&self.value);
            self.present.top_up = sum(&self.top_up);
            self.present.serving = sum(&self.serving);
            self.present.porting = sum(&self.porting);
        }
    }
}

impl Ledger {
    /// An empty ledger for a model.
    pub(super) fn new(model: &Model) -> Self {
        let zeros = || vec![0.0; model.quarters];
        let of = |n: usize| vec![zeros(); n];
        Ledger {
            discount: zeros(),
            market: of(model.vendors.len()),
            open: of(model.workloads.len()),
            outside: of(model.workloads.len()),
            offers: vec![Offered::default(); model.vendors.len()],
            remaining: of(model.workloads.len()),
            courses: model.contracts.iter().map(|_| Course::idle(model.quarters)).collect(),
            rest_paid: zeros(),
            dealt: (0..model.vendors.len()).map(|vendor| model.of_the_deal(vendor)).collect(),
            before: of(model.workloads.len()),
            present_demand: of(model.workloads.len()),
            demanded: vec![0.0; model.workloads.len()],
            speed: zeros(),
            slowness: zeros(),
            served: zeros(),
        }
    }

    /// The sum of a flow's present values.
    pub(super) fn present(&self, flow: &[f64]) -> f64 {
        present(&self.discount, flow)
    }

    /// Fills the ledger from a number for every input.
    pub(super) fn play(&mut self, model: &Model, inputs: &[f64], situation: &Situation) {
        play(self, model, inputs, situation);
    }

    #[inline(always)]
    fn fill(&mut self, model: &Model, inputs: &[f64], situation: &Situation) {
        powers(&mut self.discount, 1.0, 1.0 / (1.0 + inputs[model.discount_rate]));
        for (w, load) in model.workloads.iter().enumerate() {
            let scale = inputs[load.scale];
            let demands = self.remaining[w].iter_mut().zip(&mut self.present_demand[w]);
            for (((left, present), demand), discount) in demands.zip(&load.demand).zip(&self.discount) {
                *left = demand * scale;
                *present = discount * *left;
            }
            self.demanded[w] = present(&self.discount, &self.remaining[w]);
        }
        self.price_markets(model, inputs);
        for &idx in &model.price_order {
            self.size(model, inputs, situation, idx);
            self.price(model, inputs, idx);
        }
        for (idx, contract) in model.contracts.iter().enumerate() {
            self.deliver(model, inputs, situation, idx);
            if contract.termination.is_some() {
                self.before.clone_from_slice(&self.remaining);
            }
            self.dispatch(model, inputs, idx);
            self.bill(model, inputs, situation, idx);
            self.leave(inputs, contract, idx);
            self.courses[idx].add_up(&self.discount, contract.proposed);
        }
        self.rest_paid.fill(0.0);
        for (remaining, open) in self.remaining.iter().zip(&self.open) {
            for ((paid, left), price) in self.rest_paid.iter_mut().zip(remaining).zip(open) {
                // Where no open vendor can serve a workload, what is left of it is not served.
                *paid += if price.is_finite() { left * SECONDS_A_QUARTER * price } else { 0.0 };
            }
        }
    }

    /// Demand meets a commitment: each workload in turn takes the chips it needs, or what is left of them.
    #[inline(always)]
    fn dispatch(&mut self, model: &Model, inputs: &[f64], idx: usize) {
        let contract = &model.contracts[idx];
        let first_use = first_delivery(model, &self.courses, contract);
        let course = &mut self.courses[idx];
        for flow in [&mut course.used, &mut course.at_speed, &mut course.tokens, &mut course.value] {
            flow.fill(0.0);
        }
        course.is_ported = model.vendors[contract.vendor].porting.is_some();
        if !course.active {
            return;
        }
        let fleet = &model.vendors[contract.vendor];
        ported(&mut self.speed, fleet.porting.map(|p| p.map(|slot| inputs[slot])), first_use);
        self.slowness.iter_mut().zip(&self.speed).for_each(|(slowness, speed)| *slowness = 1.0 / speed);
        for (w, rate) in fleet.rates.iter().enumerate() {
            let Some((rate, _)) = rate else { continue };
            if course.is_used_up() {
                break;
            }
            let a_chip = tokens_per_chip(model, inputs, contract.vendor, *rate);
            let served = serve(course, (&self.speed, &self.slowness), a_chip, &mut self.remaining[w], &mut self.served);
            // What tokens are worth is asked of the deal, and of what may be left.
            if contract.proposed || contract.termination.is_some() {
                let worth = served.iter().zip(&self.outside[w]);
                course.value.iter_mut().zip(worth).for_each(|(value, (tokens, price))| *value += tokens * price);
            }
        }
    }
}

/// [`Ledger::fill`] in the widest vectors of this machine. Nothing is contracted or reordered for them, so results are the
/// same on every machine.
#[multiversion(targets("x86_64+avx2"))]
fn play(ledger: &mut Ledger, model: &Model, inputs: &[f64], situation: &Situation) {
    ledger.fill(model, inputs, situation);
}

/// One workload takes chips of one commitment, `min(remaining / (a_chip · speed), in place − used)`; the tokens served.
#[inline(always)]
fn serve<'s>(
    course: &mut Course,
    (speed, slowness): (&[f64], &[f64]),
    a_chip: f64,
    remaining: &mut [f64],
    out: &'s mut [f64],
) -> &'s [f64] {
    let n = speed.len();
    let (slowness, remaining, out) = (&slowness[..n], &mut remaining[..n], &mut out[..n]);
    let (in_place, used, at_speed) = (&course.in_place[..n], &mut course.used[..n], &mut course.at_speed[..n]);
    let tokens = &mut course.tokens[..n];
    let for_a_token = 1.0 / a_chip;
    for t in 0..n {
        let taken = above_zero(lesser(remaining[t] * (for_a_token * slowness[t]), in_place[t] - used[t]));
        let served = taken * (a_chip * speed[t]);
        out[t] = served * SECONDS_A_QUARTER;
        used[t] += taken;
        at_speed[t] += taken * speed[t];
        remaining[t] = (remaining[t] - served).max(0.0);
        tokens[t] += out[t];
    }
    out
}

/// The lesser of two numbers that are not NaN: one instruction, where `f64::min` takes care of NaN with five. Not for a
/// number that is written back where it was read: that becomes a masked store, which AMD's cores take twenty cycles for.
#[inline(always)]
fn lesser(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

/// A number that is not NaN, or 0 where it is below.
#[inline(always)]
fn above_zero(x: f64) -> f64 {
    if x > 0.0 { x } else { 0.0 }
}

/// Output tokens a second that a chip serves on average: `rate · speed · utilisation · availability`.
#[inline(always)]
pub(super) fn tokens_per_chip(model: &Model, inputs: &[f64], vendor: usize, rate: usize) -> f64 {
    let fleet = &model.vendors[vendor];
    let speed = fleet.speed.map_or(1.0, |slot| inputs[slot]);
    inputs[rate] * speed * inputs[model.utilisation] * inputs[fleet.availability]
}

/// Quarters to the first delivery of a chip under any standing commitment: software is brought to it once.
#[inline(always)]
fn first_delivery(model: &Model, courses: &[Course], contract: &Contract) -> f64 {
    let same = model.contracts.iter().zip(courses);
    let same = same.filter(|(other, course)| course.active && other.vendor == contract.vendor);
    same.map(|(_, course)| course.offset).fold(f64::INFINITY, f64::min)
}

/// Share of the cost model's speed in each quarter: `first` at delivery, all of it `ramp` years later.
#[inline(always)]
fn ported(speed: &mut [f64], porting: Option<[f64; 3]>, from: f64) {
    match porting {
        Some(porting) => speed.iter_mut().enumerate().for_each(|(t, speed)| *speed = ported_at(porting, t, from)),
        None => speed.fill(1.0),
    }
}

/// The same in one quarter: `first + (1 − first) · (t + 1/2 − from) / ramp`, within its ends.
#[inline(always)]
pub(super) fn ported_at([_, first, ramp]: [f64; 3], t: usize, from: f64) -> f64 {
    first + (1.0 - first) * ((t as f64 + 0.5 - from) * (0.25 / ramp.max(1e-9))).clamp(0.0, 1.0)
}

/// `first · yearly^((t + 1/2) / 4)` in each quarter.
#[inline(always)]
fn powers(out: &mut [f64], first: f64, yearly: f64) {
    let quarterly = yearly.sqrt().sqrt();
    let mut year = [first * quarterly.sqrt(); 4];
    for quarter in 1..4 {
        year[quarter] = year[quarter - 1] * quarterly;
    }
    // Year by year: four numbers that do not wait for each other.
    for out in out.chunks_mut(4) {
        out.copy_from_slice(&year[..out.len()]);
        year.iter_mut().for_each(|value| *value *= yearly);
    }
}

/// `Σ discount · flow`, in four partial sums: one alone would wait for each addition.
#[inline(always)]
fn present(discount: &[f64], flow: &[f64]) -> f64 {
    let (discounts, last_discounts) = discount.as_chunks::<4>();
    let (flows, last_flows) = flow.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (discount, flow) in discounts.iter().zip(flows) {
        sums = std::array::from_fn(|i| sums[i] + discount[i] * flow[i]);
    }
    let last: f64 = last_discounts.iter().zip(last_flows).map(|(discount, flow)| discount * flow).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + last
}

#[cfg(test)]
mod tests;
