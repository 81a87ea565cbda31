//! Sizes, prices and deliveries of commitments.

use super::Play;
use super::bill::Exit;
use super::market::Seller;
use super::value::Present;
use crate::deal::lanes::Lanes;
use crate::deal::model::{Contract, HOURS_A_QUARTER, Model, PriceRule, Quantity};
use crate::deal::scenario::Repricing;
use crate::deal::situation::Situation;

/// One commitment.
pub(super) struct Commitment {
    /// 1 where it stands, else 0.
    pub(super) stands: Lanes,
    /// Quarters from the scenario's start to delivery.
    pub(super) offset: Lanes,
    /// Quarters to the first delivery of a chip under any standing commitment on the vendor: software is brought to it
    /// once.
    pub(super) first_use: Lanes,
    /// The ramp within the term, its sum, and the years of the term that they are for.
    cut: Vec<Lanes>,
    ramped: Lanes,
    cut_for: Lanes,
    /// The cut ramp moved by whole quarters, from the quarter before the first; the part of a quarter that is left; and
    /// the delivery that they are for.
    moved: Vec<Lanes>,
    part: Lanes,
    moved_for: Lanes,
    pub(super) full_chips: Lanes,
    pub(super) first_price: Lanes,
    /// Whether its price can differ from the first.
    pub(super) price_moves: bool,
    /// Its distance from the market, where its price follows that.
    of_market: Option<Lanes>,
    /// Dollars of a quarter in which all is in place.
    pub(super) full_bill: Lanes,
    /// Price of a chip-hour in this quarter.
    pub(super) price: Lanes,
    /// Cost of bringing the software to the chip, and the quarter of it.
    pub(super) porting: Option<[Lanes; 2]>,
    /// Dollars that are credited for a quarter of delay.
    pub(super) late_credit: Lanes,
    /// What is left of each credit.
    pub(super) credits: Vec<Lanes>,
    /// The right to leave it.
    pub(super) exit: Option<Exit>,
    pub(super) present: Present<Lanes>,
}

fn follows_market(model: &Model, contract: &Contract) -> bool {
    contract.repricing == Repricing::Market && model.vendors[contract.vendor].price.is_some()
}

impl Commitment {
    pub(super) fn new(model: &Model, idx: usize) -> Self {
        let contract = &model.contracts[idx];
        Commitment {
            stands: Lanes::ZERO,
            offset: Lanes::ZERO,
            first_use: Lanes::ZERO,
            cut: vec![Lanes::ZERO; contract.ramp.shares.len()],
            ramped: Lanes::ZERO,
            cut_for: Lanes::all(f64::NAN),
            moved: vec![Lanes::ZERO; 1 + model.quarters.max(contract.ramp.shares.len())],
            part: Lanes::ZERO,
            moved_for: Lanes::all(f64::NAN),
            full_chips: Lanes::ZERO,
            first_price: Lanes::ZERO,
            price_moves: follows_market(model, contract)
                || !contract.reopeners.is_empty()
                || !contract.most_favoured.is_empty(),
            of_market: None,
            full_bill: Lanes::ZERO,
            price: Lanes::ZERO,
            porting: None,
            late_credit: Lanes::ZERO,
            credits: vec![Lanes::ZERO; contract.credits.len()],
            exit: None,
            present: Present::NONE,
        }
    }

    /// Dates: when it delivers, and how much of it is in place by quarter. Most terms are settled: their ramp is cut and
    /// moved once.
    #[inline(always)]
    fn date(&mut self, contract: &Contract, inputs: &[Lanes], late: Lanes) {
        self.offset = Lanes::all(contract.start) + late * 4.0;
        let term = inputs[contract.term];
        let is_cut = self.cut_for == term;
        if !is_cut {
            self.cut_for = term;
            self.ramped = Lanes::ZERO;
            for (k, (cut, share)) in self.cut.iter_mut().zip(&contract.ramp.shares).enumerate() {
                *cut = (term * 4.0 - Lanes::all(k as f64)).within(0.0, 1.0) * *share;
                self.ramped += *cut;
            }
        }
        if !is_cut || self.moved_for != self.offset {
            self.moved_for = self.offset;
            self.shift();
        }
    }

    /// The share of the full capacity that is in place in a quarter. A quarter `k` of the term falls into the quarters
    /// `k + whole` and `k + whole + 1`, by its parts before and after.
    #[inline(always)]
    pub(super) fn share(&self, t: usize) -> Lanes {
        (Lanes::ONE - self.part) * self.moved[t + 1] + self.part * self.moved[t]
    }

    /// Moves the cut ramp by whole quarters.
    #[inline(always)]
    fn shift(&mut self) {
        let n = self.moved.len();
        let ends = n as f64;
        let whole = self.offset.floor().within(-ends, ends);
        let (first, rest) = self.moved.split_at_mut(1);
        first.fill(Lanes::ZERO);
        rest[..self.cut.len()].copy_from_slice(&self.cut);
        rest[self.cut.len()..].fill(Lanes::ZERO);
        // Each lane by the powers of two in its own number of quarters.
        let (mut later, mut earlier) = (whole.greater(Lanes::ZERO), (whole * -1.0).greater(Lanes::ZERO));
        for by in (0..=n.ilog2()).rev().map(|bit| 1 << bit) {
            later = self.put_off(later, by);
            earlier = self.bring_forward(earlier, by);
        }
        // Beyond the last quarter there is no part: an offset without end has none.
        self.part = whole.where_at_least(Lanes::all(ends), Lanes::ZERO, self.offset - whole);
    }

    /// Moves what has `by` quarters or more to go by so many; returns how far it is then.
    #[inline(always)]
    fn put_off(&mut self, left: Lanes, by: usize) -> Lanes {
        let far = Lanes::all(by as f64);
        if left.is_below(far) {
            return left;
        }
        for t in (0..self.moved.len()).rev() {
            let before = if t < by { Lanes::ZERO } else { self.moved[t - by] };
            self.moved[t] = left.where_at_least(far, before, self.moved[t]);
        }
        left.where_at_least(far, left - far, left)
    }

    /// The same towards the first quarter.
    #[inline(always)]
    fn bring_forward(&mut self, left: Lanes, by: usize) -> Lanes {
        let far = Lanes::all(by as f64);
        if left.is_below(far) {
            return left;
        }
        let n = self.moved.len();
        for t in 0..n {
            let after = if t + by < n { self.moved[t + by] } else { Lanes::ZERO };
            self.moved[t] = left.where_at_least(far, after, self.moved[t]);
        }
        left.where_at_least(far, left - far, left)
    }

    /// Everything as it is before the first quarter.
    #[inline(always)]
    pub(super) fn begin(&mut self, contract: &Contract, inputs: &[Lanes], scale: Lanes) {
        let size = if contract.proposed { scale * self.stands } else { Lanes::ONE };
        for (left, (amount, _, _)) in self.credits.iter_mut().zip(&contract.credits) {
            *left = inputs[*amount] * size;
        }
        self.exit.iter_mut().for_each(Exit::begin);
        self.present = Present::NONE;
    }
}

impl Play {
    /// Whether each commitment stands, when it delivers, how many chips it comes to, and its first price.
    #[inline(always)]
    pub(super) fn settle(&mut self, model: &Model, inputs: &[Lanes], situation: &Situation<Lanes>) {
        for (commitment, contract) in self.commitments.iter_mut().zip(&model.contracts) {
            let late = contract.slip.map_or(Lanes::ZERO, |slip| inputs[slip]);
            let [stands, late, scale] = if contract.proposed {
                [situation.compute, late + situation.compute_delay, situation.scale]
            } else {
                [Lanes::ONE, late, Lanes::ONE]
            };
            commitment.stands = stands;
            commitment.date(contract, inputs, late);
            commitment.size(model, contract, inputs, scale, &self.sellers[contract.vendor]);
        }
        for idx in 0..self.commitments.len() {
            self.commitments[idx].first_use = self.first_use(model, idx);
            self.commitments[idx].porting = self.porting(model, inputs, idx);
            let commitment = &mut self.commitments[idx];
            let right = model.contracts[idx].termination;
            commitment.exit = right.map(|(after, _)| Exit::new(commitment.offset, inputs[after]));
        }
    }

    #[inline(always)]
    fn first_use(&self, model: &Model, idx: usize) -> Lanes {
        let vendor = model.contracts[idx].vendor;
        let same = model.contracts.iter().zip(&self.commitments).filter(|(other, _)| other.vendor == vendor);
        let offsets = same.map(|(_, other)| other.stands.where_at_least(Lanes::ONE, other.offset, Lanes::INFINITY));
        offsets.fold(Lanes::INFINITY, Lanes::lesser)
    }

    /// Bringing the software to a chip is paid once, in the quarter of first delivery, by the first commitment of the
    /// deal on it; a standing commitment on the same chip means that it was done before.
    fn porting(&self, model: &Model, inputs: &[Lanes], idx: usize) -> Option<[Lanes; 2]> {
        let contract = &model.contracts[idx];
        let [cost, _, _] = model.vendors[contract.vendor].porting?;
        let is_before = |(other, earlier): (usize, &Contract)| {
            earlier.vendor == contract.vendor && (!earlier.proposed || other < idx)
        };
        let done = model.contracts.iter().enumerate().any(is_before);
        let commitment = &self.commitments[idx];
        let quarter = commitment.offset.greater(Lanes::ZERO).floor();
        (contract.proposed && !done).then(|| [inputs[cost] * commitment.stands, quarter])
    }

    /// The price in a quarter: constant or at its distance from the market, never above what caps it.
    #[inline(always)]
    pub(super) fn price(&self, model: &Model, inputs: &[Lanes], idx: usize, t: usize) -> Lanes {
        let (contract, commitment) = (&model.contracts[idx], &self.commitments[idx]);
        let market = self.sellers[contract.vendor].price;
        let mut price = commitment.of_market.map_or(commitment.first_price, |of_market| market * of_market);
        let now = Lanes::all(t as f64);
        let mut cap = |from: Lanes, other: Lanes| {
            price = now.where_at_least(from, price.lesser(other), price);
        };
        let price_of = |other: usize| {
            let other = &self.commitments[other];
            other.stands.where_at_least(Lanes::ONE, other.price, Lanes::INFINITY)
        };
        for (after, rule) in &contract.reopeners {
            let from = commitment.offset + inputs[*after] * 4.0;
            match rule {
                // A vendor without a market caps nothing.
                PriceRule::Market if model.vendors[contract.vendor].price.is_none() => {}
                PriceRule::Market => cap(from, market),
                PriceRule::Contract(other) => cap(from, price_of(*other)),
            }
        }
        contract.most_favoured.iter().for_each(|other| cap(commitment.offset, price_of(*other)));
        price
    }
}

impl Commitment {
    /// With `R` the sum of the ramp over the quarters of the term and `h` the hours of a quarter: chips are
    /// `capacity / power`, or `spend / (price · h · R)`; the price is the one given, or `spend / (chips · h · R)`, or the
    /// market's at delivery.
    #[inline(always)]
    fn size(&mut self, model: &Model, contract: &Contract, inputs: &[Lanes], scale: Lanes, seller: &Seller) {
        let fleet = &model.vendors[contract.vendor];
        let delivery = self.offset.within(0.0, (model.quarters - 1) as f64);
        let Quantity { spend, capacity, price } = contract.quantity;
        let [spend, price] = [spend, price].map(|slot| slot.map(|slot| inputs[slot]));
        let chips = capacity.map(|slot| inputs[slot] / inputs[fleet.power]);
        let hours = self.ramped * HOURS_A_QUARTER;
        let implied = spend.zip(chips).map(|(spend, chips)| spend / (chips * hours));
        // Closures would be compiled for the narrow vectors of any machine.
        let first = match price.or(implied) {
            Some(price) => price,
            None => seller.price_in(delivery),
        };
        self.of_market = if follows_market(model, contract) { Some(first / seller.price_in(delivery)) } else { None };
        self.first_price = first;
        let bought = spend.map(|spend| spend / (first * hours));
        let size = scale * self.stands;
        self.full_chips = chips.or(bought).unwrap_or(Lanes::ZERO) * size * inputs[contract.ramp.scale];
        // Scheduled dollars in proportion to the ramp; delivery scales them by its share.
        self.full_bill = match spend {
            Some(spend) => spend * size / self.ramped,
            None => self.full_chips * first * HOURS_A_QUARTER,
        };
        self.late_credit = contract.slip_credit.map_or(Lanes::ZERO, |share| {
            // At the first quarter's schedule.
            let mut first = Lanes::ZERO;
            for t in 0..model.quarters {
                first = first.zip(self.share(t), |first, share| if first > 0.0 { first } else { share });
            }
            inputs[share] * self.full_bill * first
        });
    }
}
