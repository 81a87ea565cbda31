//! What becomes of a commitment in a quarter: chips that serve demand, what their use is billed at, and the right to
//! leave.

use super::capacity::Commitment;
use super::market::{Demand, Seller};
use super::{Flows, Play, SECONDS_A_QUARTER};
use crate::deal::answer;
use crate::deal::lanes::{LANES, Lanes};
use crate::deal::model::{Contract, Fleet, HOURS_A_QUARTER, Model};
use crate::units::Usd;
use std::array::from_fn;

/// A right to leave a commitment, and what using it comes to.
#[derive(Clone, Copy)]
pub(super) struct Exit {
    /// First quarter after leaving.
    from: Lanes,
    is_decided: bool,
    /// 1 where it is used.
    is_used: Lanes,
    /// What leaving costs.
    pub(super) fee: Lanes,
    /// Dollars scheduled from then on, and the present value of what is paid beyond its worth.
    scheduled: Lanes,
    loss: Lanes,
    /// The discount of the first quarter after leaving.
    discount: Lanes,
}

impl Exit {
    /// Undecided, from the delivery of the commitment.
    #[inline(always)]
    pub(super) fn new(offset: Lanes, after: Lanes) -> Self {
        let from = (offset + after * 4.0).greater(Lanes::ZERO).map(f64::ceil);
        let [is_used, fee, scheduled, loss, discount] = [Lanes::ZERO; 5];
        Exit { from, is_decided: false, is_used, fee, scheduled, loss, discount }
    }

    /// 1 in a quarter after leaving would have begun, else 0; and 1 in the first of them.
    #[inline(always)]
    fn after(&self, t: usize) -> [Lanes; 2] {
        let begun = |from: Lanes| Lanes::all(t as f64).where_at_least(from, Lanes::ONE, Lanes::ZERO);
        let after = begun(self.from);
        [after, after - begun(self.from + Lanes::ONE)]
    }

    /// Adds a quarter to what is decided by.
    #[inline(always)]
    fn add_up(&mut self, t: usize, discount: Lanes, flows: &Flows) {
        if self.is_decided {
            return;
        }
        let [after, first] = self.after(t);
        self.scheduled += flows.scheduled * after;
        self.loss += (flows.paid - flows.value) * discount * after;
        self.discount += discount * first;
    }

    /// Forgets an undecided course, to be played again.
    #[inline(always)]
    pub(super) fn begin(&mut self) {
        [self.scheduled, self.loss, self.discount] = [Lanes::ZERO; 3];
    }
}

/// What a commitment is computed from.
#[derive(Clone, Copy)]
pub(super) struct Terms<'p> {
    pub(super) contract: &'p Contract,
    pub(super) fleet: &'p Fleet,
    pub(super) inputs: &'p [Lanes],
}

impl Commitment {
    /// Whether nothing can happen in a quarter: a standing commitment outside of its term.
    #[inline(always)]
    pub(super) fn is_idle(&self, contract: &Contract, t: usize) -> bool {
        let may_act = contract.proposed || contract.slip_credit.is_some() || contract.termination.is_some();
        !may_act && self.share(t).is_zero()
    }

    /// Delivers, serves and bills one quarter.
    ///
    /// `paid = max(gross − discounts, floor) − credits`, where `gross = price · chips used · h` and the floor is the
    /// take-or-pay share of what was scheduled.
    #[inline(always)]
    pub(super) fn quarter(&mut self, terms: Terms<'_>, t: usize, seller: &Seller, demands: &mut [Demand]) -> Flows {
        let Terms { contract, fleet, inputs } = terms;
        // 1 until the buyer leaves; what it pays for that.
        let (stays, fee) = self.exit.map_or((Lanes::ONE, Lanes::ZERO), |exit| {
            let [after, first] = exit.after(t);
            (Lanes::ONE - exit.is_used * after, exit.fee * exit.is_used * first)
        });
        let share = self.share(t) * stays;
        let scheduled = self.full_bill * share;
        // Dollars that bought no fixed capacity buy more chips as the price falls.
        let by_price = self.price_moves && contract.quantity.capacity.is_none();
        let full_chips = if by_price { self.full_chips * (self.first_price / self.price) } else { self.full_chips };
        let in_place = full_chips * share;
        let Use { used, at_speed, tokens, value } = self.serve(contract, t, in_place, seller, demands);
        let gross = self.price * used * HOURS_A_QUARTER;
        let mut discounts = Lanes::ZERO;
        for (above, discount) in &contract.tiers {
            discounts = gross.where_at_least(inputs[*above] * 0.25, gross * inputs[*discount], discounts);
        }
        let bill = gross - discounts;
        let floor = inputs[contract.take_or_pay] * scheduled;
        let top_up = floor.zip(bill, |floor, bill| answer::stranded(Usd(floor), Usd(bill)).0);
        let due = bill + top_up;
        let credits = self.credit(terms, t, due, stays);
        let serving = fleet.cost_to_serve.map_or(Lanes::ZERO, |cost| in_place * inputs[cost] * HOURS_A_QUARTER);
        let porting = self.porting.map_or(Lanes::ZERO, |[cost, quarter]| {
            cost.zip(quarter, |cost, quarter| if quarter == t as f64 { cost } else { 0.0 })
        });
        let price = self.price;
        let paid = due - credits + fee;
        Flows {
            price,
            in_place,
            scheduled,
            used,
            at_speed,
            tokens,
            value,
            gross,
            discounts,
            top_up,
            credits,
            paid,
            fee,
            serving,
            porting,
        }
    }

    /// Demand meets the commitment: each workload in turn takes the chips it needs, or what is left of them,
    /// `min(remaining / (a chip · speed), in place − used)`.
    #[inline(always)]
    fn serve(&self, contract: &Contract, t: usize, in_place: Lanes, seller: &Seller, demands: &mut [Demand]) -> Use {
        let (speed, slowness) = match &seller.ramp {
            Some(ramp) => {
                let speed = ramp.speed(t, self.first_use);
                (speed, Lanes::ONE / speed)
            }
            None => (Lanes::ONE, Lanes::ONE),
        };
        // What tokens are worth is asked of the deal, and of what may be left.
        let is_valued = contract.proposed || contract.termination.is_some();
        let [mut used, mut served, mut value] = [Lanes::ZERO; 3];
        let mut left = in_place;
        for (demand, rate) in demands.iter_mut().zip(&seller.rates) {
            let Some(rate) = rate else { continue };
            if left.is_zero() {
                break;
            }
            let needed = demand.remaining * (rate.chips * slowness);
            let taken = left.lesser(needed);
            let tokens = taken * (rate.tokens * speed);
            used += taken;
            served += tokens;
            if is_valued {
                value += tokens * demand.outside;
            }
            // What is served in full leaves nothing, not what rounding leaves.
            let unserved = (demand.remaining - tokens).greater(Lanes::ZERO);
            demand.remaining = left.where_at_least(needed, Lanes::ZERO, unserved);
            left = left - taken;
        }
        Use { used, at_speed: used * speed, tokens: served * SECONDS_A_QUARTER, value: value * SECONDS_A_QUARTER }
    }

    /// Credits: granted ones burn up to their cap until they lapse; a service below its promise, and capacity that is
    /// late, give back a share of the bill.
    #[inline(always)]
    fn credit(&mut self, terms: Terms<'_>, t: usize, due: Lanes, stays: Lanes) -> Lanes {
        let Terms { contract, fleet, inputs } = terms;
        let mut credits = Lanes::ZERO;
        for (left, (_, expires, burn_cap)) in self.credits.iter_mut().zip(&contract.credits) {
            let valid = (expires - t as f64).clamp(0.0, 1.0);
            let burnt = (due * inputs[*burn_cap] * valid).lesser(*left);
            credits += burnt;
            *left = *left - burnt;
        }
        if let Some((promised, share)) = contract.service {
            // A promise that is kept gives nothing back.
            let share = inputs[fleet.availability].where_at_least(inputs[promised], Lanes::ZERO, inputs[share]);
            credits += share * due;
        }
        if let (Some(_), Some(slip)) = (contract.slip_credit, contract.slip) {
            // The part of the quarter between the promised day and delivery.
            let promised = self.offset - inputs[slip] * 4.0;
            let (from, to) = (promised.greater(Lanes::all(t as f64)), self.offset.lesser(Lanes::all(t as f64 + 1.0)));
            credits += self.late_credit * (to - from).greater(Lanes::ZERO) * stays;
        }
        credits
    }

    /// Adds a quarter to the present values, and to what a right to leave is decided by.
    #[inline(always)]
    pub(super) fn add_up(&mut self, contract: &Contract, t: usize, discount: Lanes, flows: &Flows) {
        let present = &mut self.present;
        present.used += flows.used * discount;
        present.at_speed += flows.at_speed * discount;
        present.tokens += flows.tokens * discount;
        present.paid += flows.paid * discount;
        if contract.proposed {
            present.in_place += flows.in_place * discount;
            present.value += flows.value * discount;
            present.top_up += flows.top_up * discount;
            present.serving += flows.serving * discount;
            present.porting += flows.porting * discount;
        }
        if let Some(exit) = &mut self.exit {
            exit.add_up(t, discount, flows);
        }
    }
}

/// Chips that serve, and what they serve.
struct Use {
    used: Lanes,
    at_speed: Lanes,
    tokens: Lanes,
    value: Lanes,
}

impl Play {
    /// Decides the next right to leave, in the order of the file; whether it changes what was played.
    ///
    /// The buyer leaves at the date of its right if all that is still to be paid exceeds what it is worth by more than
    /// the fee. It knows the course that prices take: an upper bound of what the right is worth.
    #[inline(always)]
    pub(super) fn leave(&mut self, model: &Model, inputs: &[Lanes]) -> bool {
        for (commitment, contract) in self.commitments.iter_mut().zip(&model.contracts) {
            let (Some((_, fee)), Some(exit)) = (contract.termination, &mut commitment.exit) else { continue };
            if std::mem::replace(&mut exit.is_decided, true) {
                continue;
            }
            exit.fee = exit.scheduled * inputs[contract.take_or_pay] * inputs[fee];
            let worth_it = |lane: usize| {
                let is_within = commitment.stands.0[lane] > 0.0 && exit.from.0[lane] < model.quarters as f64;
                is_within && exit.loss.0[lane] > exit.fee.0[lane] * exit.discount.0[lane]
            };
            exit.is_used = Lanes(from_fn(|lane| f64::from(u8::from(worth_it(lane)))));
            if (0..LANES).any(|lane| exit.is_used.0[lane] > 0.0) {
                return true;
            }
        }
        false
    }
}
