//! What a commitment's use is billed at, and the right to leave it.

use super::Ledger;
use crate::deal::answer;
use crate::deal::model::{Contract, HOURS_A_QUARTER, Model};
use crate::deal::situation::Situation;
use crate::units::Usd;

impl Ledger {
    /// `paid = max(gross − discounts, floor) − credits`, where `gross = price · chips used · h` and the floor is the
    /// take-or-pay share of what was scheduled.
    #[inline(always)]
    pub(super) fn bill(&mut self, model: &Model, inputs: &[f64], situation: &Situation, idx: usize) {
        let contract = &model.contracts[idx];
        let course = &mut self.courses[idx];
        course.fee.fill(0.0);
        course.exit_price = 0.0;
        course.credits.fill(0.0);
        course.discounts.fill(0.0);
        let take_or_pay = inputs[contract.take_or_pay];
        for ((gross, price), used) in course.gross.iter_mut().zip(&course.price).zip(&course.used) {
            *gross = price * used * HOURS_A_QUARTER;
        }
        for (above, discount) in &contract.tiers {
            let (above, discount) = (inputs[*above] / 4.0, inputs[*discount]);
            for (off, gross) in course.discounts.iter_mut().zip(&course.gross) {
                *off = if *gross >= above { gross * discount } else { *off };
            }
        }
        let due = course.paid.iter_mut().zip(&mut course.top_up);
        let billed = course.gross.iter().zip(&course.discounts).zip(&course.scheduled);
        for ((paid, top_up), ((gross, discount), scheduled)) in due.zip(billed) {
            let bill = gross - discount;
            *top_up = answer::stranded(Usd(take_or_pay * scheduled), Usd(bill)).0;
            *paid = bill + *top_up;
        }
        self.credit(model, inputs, situation, idx);
        let course = &mut self.courses[idx];
        course.paid.iter_mut().zip(&course.credits).for_each(|(paid, credit)| *paid -= credit);
    }

    /// Credits: granted ones burn up to their cap until they lapse; a service below its promise, and capacity that is
    /// late, give back a share of the bill.
    #[inline(always)]
    fn credit(&mut self, model: &Model, inputs: &[f64], situation: &Situation, idx: usize) {
        let contract = &model.contracts[idx];
        let course = &mut self.courses[idx];
        for (amount, expires, burn_cap) in &contract.credits {
            let size = if contract.proposed { situation.scale } else { 1.0 };
            let mut left = if course.active { inputs[*amount] * size } else { 0.0 };
            for t in 0..model.quarters {
                let valid = (expires - t as f64).clamp(0.0, 1.0);
                let burnt = (course.paid[t] * inputs[*burn_cap] * valid).min(left);
                course.credits[t] += burnt;
                left -= burnt;
            }
        }
        if let Some((promised, share)) = contract.service
            && inputs[model.vendors[contract.vendor].availability] < inputs[promised]
        {
            let share = inputs[share];
            course.credits.iter_mut().zip(&course.paid).for_each(|(credit, paid)| *credit += share * paid);
        }
        if let (Some(share), Some(slip)) = (contract.slip_credit, contract.slip) {
            // Of the quarters between the promised day and delivery, at the first quarter's schedule.
            let first = course.scheduled.iter().copied().find(|scheduled| *scheduled > 0.0).unwrap_or(0.0);
            let promised = course.offset - 4.0 * inputs[slip];
            for (t, credit) in course.credits.iter_mut().enumerate() {
                let (from, to) = (promised.max(t as f64), course.offset.min(t as f64 + 1.0));
                *credit += inputs[share] * first * (to - from).max(0.0);
            }
        }
    }

    /// The buyer leaves at the date of its right if all that is still to be paid exceeds what it is worth by more than
    /// the fee. It knows the course that prices take: an upper bound of what the right is worth.
    #[inline(always)]
    pub(super) fn leave(&mut self, inputs: &[f64], contract: &Contract, idx: usize) {
        let Some((after, fee)) = contract.termination else { return };
        let course = &self.courses[idx];
        let from = (course.offset + 4.0 * inputs[after]).max(0.0).ceil() as usize;
        if !course.active || from >= course.paid.len() {
            return;
        }
        let floors: f64 = course.scheduled[from..].iter().sum::<f64>() * inputs[contract.take_or_pay];
        let owed = floors * inputs[fee];
        let loss: f64 = (from..course.paid.len()).map(|t| self.discount[t] * (course.paid[t] - course.value[t])).sum();
        self.courses[idx].exit_price = owed;
        if loss <= owed * self.discount[from] {
            return;
        }
        for (remaining, before) in self.remaining.iter_mut().zip(&self.before) {
            remaining[from..].copy_from_slice(&before[from..]);
        }
        let course = &mut self.courses[idx];
        for flow in [
            &mut course.in_place,
            &mut course.scheduled,
            &mut course.used,
            &mut course.at_speed,
            &mut course.tokens,
            &mut course.value,
            &mut course.gross,
            &mut course.discounts,
            &mut course.top_up,
            &mut course.credits,
            &mut course.paid,
            &mut course.serving,
        ] {
            flow[from..].fill(0.0);
        }
        course.fee[from] = owed;
        course.paid[from] = owed;
    }
}
