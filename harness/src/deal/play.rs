//! Courses of the deal, a draw in each lane: given a number for every input, what is delivered, used, billed and owed.
//!
//! ```text
//! settle      sizes, dates and first prices of commitments; speeds and first prices of vendors
//! each quarter
//!   prices    market p·(1 + g)^t of each vendor; a commitment's own price, capped by re-openers and favours
//!   capacity  chips in place = full capacity × ramp, late by slip and delay
//!   dispatch  demand meets commitments in the order of the file, then the cheapest open vendor
//!   bills     max(price × hours used × (1 − tier), floor) − credits
//! leave       a right to leave is used when it pays; the quarters are then played again without that commitment
//! ```
//! A chip serves `rate · utilisation · availability` tokens a second on average over a year. The tokens that the deal
//! serves are worth what the cheapest open vendor outside the deal would take for them; a vendor whose capacity is
//! limited sets no such price, since it could not serve them all (the vendor mix counts it at its capacity).
//!
//! Draws lie in lanes and quarters follow each other, so that a quarter's numbers stay in registers, every present value
//! is added up as it arises, and nothing is kept but for a [`Watch`] that wants to see it: the central case fills a
//! [`Ledger`] from one lane, draws keep what warrants vest by.
//!
//! What that costs: 3.5 to 4.0 µs of processor time a draw, all in, for 4 commitments, 6 vendors, 5 workloads, 40
//! quarters and 88 inputs, on one 2.45 GHz Zen 3 core shared with other work (2026-11-26; the walk over arrays of
//! quarters before this took 6.9 to 7.4 in turns with it). Less by a tenth and then by a fifteenth since 2026-11-27, in
//! turns on an Intel core with AVX-512 whose neighbours were busy: 2.5 to 3.5 µs. With sixteen lanes for eight, and
//! answers in lanes too, ten pairs in turns there took 0.85 of that: 2.3 to 3.0. Before the sixteen, of samples 43 %
//! lay here, 8 % in ChaCha8, 6 % in normal numbers, and 5 % each in making inputs of them and in percentiles.
//!
//! Loops of nothing but arithmetic on [`Lanes`] are a trap: compilers put their turns side by side, and gather lanes one by
//! one. What is left to try: sixteen blocks of ChaCha8 side by side, and what a vendor's prices come to once for all
//! workloads, which changes the last bits of answers.

mod bill;
mod capacity;
mod ledger;
mod market;
mod value;

pub(super) use ledger::{Course, Ledger};
pub(super) use market::{ported_at, tokens_per_chip};
pub(super) use value::Values;

use super::lanes::Lanes;
use super::model::{HOURS_A_QUARTER, Model};
use super::situation::Situation;
use bill::Terms;
use capacity::Commitment;
use market::{Demand, Seller};
use multiversion::multiversion;

/// Seconds of a quarter.
pub(super) const SECONDS_A_QUARTER: f64 = 3600.0 * HOURS_A_QUARTER;

/// Draws being played.
pub(super) struct Play {
    discount: Lanes,
    quarterly_discount: Lanes,
    sellers: Vec<Seller>,
    demands: Vec<Demand>,
    commitments: Vec<Commitment>,
    owed: Vec<Owed>,
    rest: Rest,
}

/// A share of revenue: what is left of its cap, and the present value of what was owed.
#[derive(Clone, Copy)]
struct Owed {
    left: Lanes,
    present: Lanes,
}

/// Present value of what the market is paid, and the present amount of tokens a second that it serves.
#[derive(Clone, Copy)]
struct Rest {
    paid: Lanes,
    tokens_a_second: Lanes,
}

impl Rest {
    const NONE: Rest = Rest { paid: Lanes::ZERO, tokens_a_second: Lanes::ZERO };
}

/// [`Play::play`] for the draws, in the widest vectors of this machine. Nothing is contracted or reordered for them, so
/// results are the same on every machine.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
pub(super) fn play_draws(
    play: &mut Play,
    model: &Model,
    inputs: &[Lanes],
    situation: &Situation<Lanes>,
    watch: &mut Deployed,
) {
    play.play(model, inputs, situation, watch);
}

/// Chips in place under the commitments that warrants vest by: for each grant, by quarter.
#[derive(Debug)]
pub(super) struct Deployed {
    of: Vec<usize>,
    /// By grant and quarter.
    pub(super) in_place: Vec<Vec<Lanes>>,
}

impl Deployed {
    /// Room for the grants of a model.
    pub(super) fn new(model: &Model) -> Self {
        Deployed {
            of: model.grants.iter().map(|grant| grant.contract).collect(),
            in_place: vec![vec![Lanes::ZERO; model.quarters]; model.grants.len()],
        }
    }
}

impl Watch for Deployed {
    #[inline(always)]
    fn quarter(&mut self, _: usize, _: &Quarter<'_>) {}

    #[inline(always)]
    fn commitment(&mut self, t: usize, idx: usize, flows: &Flows) {
        for (in_place, _) in self.in_place.iter_mut().zip(&self.of).filter(|(_, of)| **of == idx) {
            in_place[t] = flows.in_place;
        }
    }

    #[inline(always)]
    fn owed(&mut self, _: usize, _: usize, _: Lanes) {}
}

/// Sees each quarter as it is played; those after a right to leave more than once, and then the last time counts.
pub(super) trait Watch {
    /// The quarter's prices, and what is common to all commitments.
    fn quarter(&mut self, t: usize, quarter: &Quarter<'_>);
    /// What becomes of one commitment in it.
    fn commitment(&mut self, t: usize, idx: usize, flows: &Flows);
    /// What a share of revenue comes to in it.
    fn owed(&mut self, t: usize, idx: usize, usd: Lanes);
}

/// A quarter's prices and amounts.
pub(super) struct Quarter<'p> {
    /// Present value at the start of a dollar in its middle.
    discount: Lanes,
    sellers: &'p [Seller],
    /// What the market is paid for tokens that no commitment serves.
    rest_paid: Lanes,
}

/// One commitment in one quarter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flows {
    /// Price of a chip-hour.
    pub(super) price: Lanes,
    /// Chips in place.
    pub(super) in_place: Lanes,
    /// Dollars scheduled.
    pub(super) scheduled: Lanes,
    /// Chips used, whole ones at the vendor's availability and the buyer's utilisation.
    pub(super) used: Lanes,
    /// Those times the share of the full speed that ported software reaches.
    pub(super) at_speed: Lanes,
    /// Output tokens served.
    pub(super) tokens: Lanes,
    /// What the cheapest outside vendor would take for them.
    pub(super) value: Lanes,
    /// Hours used at the price, before any discount.
    pub(super) gross: Lanes,
    /// Discounts of tiers.
    pub(super) discounts: Lanes,
    /// What the floor adds.
    pub(super) top_up: Lanes,
    /// Credits granted, for service and for late delivery.
    pub(super) credits: Lanes,
    /// What is paid: gross − discounts + top-up − credits, and the fee for leaving.
    pub(super) paid: Lanes,
    /// The fee for leaving, in its quarter, where the buyer leaves.
    pub(super) fee: Lanes,
    /// What it costs the cloud to have the chips in place.
    pub(super) serving: Lanes,
    /// What bringing the software to the chip costs.
    pub(super) porting: Lanes,
}

impl Flows {
    const NONE: Flows = Flows {
        price: Lanes::ZERO,
        in_place: Lanes::ZERO,
        scheduled: Lanes::ZERO,
        used: Lanes::ZERO,
        at_speed: Lanes::ZERO,
        tokens: Lanes::ZERO,
        value: Lanes::ZERO,
        gross: Lanes::ZERO,
        discounts: Lanes::ZERO,
        top_up: Lanes::ZERO,
        credits: Lanes::ZERO,
        paid: Lanes::ZERO,
        fee: Lanes::ZERO,
        serving: Lanes::ZERO,
        porting: Lanes::ZERO,
    };
}

impl Play {
    /// Room for the draws of a model.
    pub(super) fn new(model: &Model) -> Self {
        let is_comparable = |load: &super::model::Load| load.only.is_empty();
        let any = model.workloads.iter().any(is_comparable);
        Play {
            discount: Lanes::ZERO,
            quarterly_discount: Lanes::ZERO,
            sellers: (0..model.vendors.len()).map(|v| Seller::new(model, v)).collect(),
            demands: (0..model.workloads.len())
                .map(|w| Demand::new(model, w, is_comparable(&model.workloads[w]) || !any))
                .collect(),
            commitments: (0..model.contracts.len()).map(|idx| Commitment::new(model, idx)).collect(),
            owed: vec![Owed { left: Lanes::ZERO, present: Lanes::ZERO }; model.owed.len()],
            rest: Rest::NONE,
        }
    }

    /// Plays draws from a number for every input.
    #[inline(always)]
    pub(super) fn play(
        &mut self,
        model: &Model,
        inputs: &[Lanes],
        situation: &Situation<Lanes>,
        watch: &mut impl Watch,
    ) {
        self.sellers.iter_mut().zip(&model.vendors).for_each(|(seller, fleet)| seller.settle(model, fleet, inputs));
        self.demands.iter_mut().enumerate().for_each(|(w, demand)| demand.settle(w, &self.sellers));
        self.settle(model, inputs, situation);
        loop {
            self.begin(model, inputs, situation);
            for t in 0..model.quarters {
                self.quarter(model, inputs, t, watch);
            }
            if !self.leave(model, inputs) {
                break;
            }
        }
        self.offer();
    }

    /// Everything as it is before the first quarter.
    #[inline(always)]
    fn begin(&mut self, model: &Model, inputs: &[Lanes], situation: &Situation<Lanes>) {
        let yearly = Lanes::ONE / (Lanes::ONE + inputs[model.discount_rate]);
        self.quarterly_discount = yearly.sqrt().sqrt();
        self.discount = self.quarterly_discount.sqrt();
        self.sellers.iter_mut().for_each(Seller::begin);
        self.demands.iter_mut().for_each(Demand::begin);
        for (commitment, contract) in self.commitments.iter_mut().zip(&model.contracts) {
            commitment.begin(contract, inputs, situation.scale);
        }
        for (owed, share) in self.owed.iter_mut().zip(&model.owed) {
            *owed = Owed { left: share.cap.map_or(Lanes::INFINITY, |cap| inputs[cap]), present: Lanes::ZERO };
        }
        self.rest = Rest::NONE;
    }

    #[inline(always)]
    fn quarter(&mut self, model: &Model, inputs: &[Lanes], t: usize, watch: &mut impl Watch) {
        self.price_tokens(model, inputs, t);
        for &idx in &model.price_order {
            let price = self.price(model, inputs, idx, t);
            self.commitments[idx].price = price;
        }
        for (idx, (commitment, contract)) in self.commitments.iter_mut().zip(&model.contracts).enumerate() {
            if commitment.is_idle(contract, t) {
                watch.commitment(t, idx, &Flows { price: commitment.price, ..Flows::NONE });
                continue;
            }
            let terms = Terms { contract, fleet: &model.vendors[contract.vendor], inputs };
            let flows = commitment.quarter(terms, t, &self.sellers[contract.vendor], &mut self.demands);
            commitment.add_up(contract, t, self.discount, &flows);
            watch.commitment(t, idx, &flows);
        }
        let mut rest_paid = Lanes::ZERO;
        for demand in self.demands.iter().filter(|demand| demand.is_open()) {
            rest_paid += demand.remaining * demand.open * SECONDS_A_QUARTER;
            self.rest.tokens_a_second += demand.remaining * self.discount;
        }
        self.rest.paid += rest_paid * self.discount;
        watch.quarter(t, &Quarter { discount: self.discount, sellers: &self.sellers, rest_paid });
        // Shares of revenue, up to their caps.
        for (idx, (owed, share)) in self.owed.iter_mut().zip(&model.owed).enumerate() {
            let rate = inputs[share.share] * inputs[share.scale];
            let paid = (rate * share.revenue[t]).lesser(owed.left);
            owed.left = owed.left - paid;
            owed.present += paid * self.discount;
            watch.owed(t, idx, paid);
        }
        self.discount = self.discount * self.quarterly_discount;
    }
}

#[cfg(test)]
mod tests;
