//! Commitments as they are computed.

use super::HOURS_A_QUARTER;
use super::builder::Builder;
use super::market::Fleet;
use super::price::{self, PriceRule};
use crate::deal::input::Slot;
use crate::deal::scenario::{Compute, Repricing, Standing, years_between};
use crate::deal::term::at;
use crate::units::Share;

/// A commitment.
#[derive(Clone, Debug)]
pub(in crate::deal) struct Contract {
    pub(in crate::deal) id: String,
    pub(in crate::deal) vendor: usize,
    pub(in crate::deal) proposed: bool,
    pub(in crate::deal) quantity: Quantity,
    /// Quarters from the scenario's start to the term's, before any slip; negative where it began earlier.
    pub(in crate::deal) start: f64,
    pub(in crate::deal) term: Slot,
    pub(in crate::deal) ramp: RampGrid,
    pub(in crate::deal) take_or_pay: Slot,
    pub(in crate::deal) repricing: Repricing,
    /// Years since the term's start, and what the price is then capped by.
    pub(in crate::deal) reopeners: Vec<(Slot, PriceRule)>,
    pub(in crate::deal) most_favoured: Vec<usize>,
    /// A year's bill and the discount from there, ascending.
    pub(in crate::deal) tiers: Vec<(Slot, Slot)>,
    /// Amount, quarter of expiry, share of a bill that it may pay.
    pub(in crate::deal) credits: Vec<(Slot, f64, Slot)>,
    pub(in crate::deal) slip: Option<Slot>,
    pub(in crate::deal) slip_credit: Option<Slot>,
    /// Promised availability, and the share of the bill credited below it.
    pub(in crate::deal) service: Option<(Slot, Slot)>,
    /// Years since the term's start, and the share of the floors still to come.
    pub(in crate::deal) termination: Option<(Slot, Slot)>,
}

/// What fixes the size of a commitment. Where there is no price, spend over capacity implies one, or the market's holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::deal) struct Quantity {
    pub(in crate::deal) spend: Option<Slot>,
    pub(in crate::deal) capacity: Option<Slot>,
    pub(in crate::deal) price: Option<Slot>,
}

/// Share of the full capacity in each quarter of the term, at the quarter's middle.
#[derive(Clone, Debug)]
pub(in crate::deal) struct RampGrid {
    pub(in crate::deal) shares: Vec<f64>,
    pub(in crate::deal) scale: Slot,
}

impl RampGrid {
    /// What is left of each quarter when the term is `quarters` long, and the sum of it.
    pub(in crate::deal) fn cut(&self, quarters: f64, out: &mut Vec<f64>) -> f64 {
        out.clear();
        out.extend(self.shares.iter().enumerate().map(|(k, share)| share * (quarters - k as f64).clamp(0.0, 1.0)));
        out.iter().sum()
    }
}

pub(super) fn contracts(b: &mut Builder<'_>, vendors: &[Fleet]) -> Vec<Contract> {
    let scenario = b.scenario;
    scenario.compute.iter().map(|compute| contract(b, compute, vendors)).collect()
}

fn contract<'a>(b: &mut Builder<'a>, compute: &'a Compute, vendors: &[Fleet]) -> Contract {
    let at = |field: &str| format!("compute.{}.{field}", compute.id);
    let vendor = b.vendor(&at("vendor"), &compute.vendor);
    let quantity = Quantity {
        spend: b.optional(at("spend"), compute.spend.as_ref()),
        capacity: b.optional(at("capacity"), compute.capacity.as_ref()),
        price: b.optional(at("price"), compute.price.as_ref()),
    };
    let term = b.term(at("term"), &compute.term);
    b.above_zero(term, "the commitment has no length");
    let slip = b.optional(at("slip"), compute.slip.as_ref());
    let contract = Contract {
        id: compute.id.clone(),
        vendor,
        proposed: compute.standing == Standing::Proposed,
        quantity,
        start: 4.0 * years_between(b.scenario.start, compute.starts),
        term,
        ramp: ramp(b, compute, term),
        take_or_pay: b.term(at("take_or_pay"), &compute.take_or_pay),
        repricing: compute.repricing,
        reopeners: price::reopeners(b, compute),
        most_favoured: price::most_favoured(b, compute),
        tiers: tiers(b, compute),
        credits: credits(b, compute),
        slip,
        slip_credit: b.optional(at("slip_credit"), compute.slip_credit.as_ref()),
        service: compute.service.as_ref().map(|service| {
            (b.term(at("service.promised"), &service.promised), b.term(at("service.credit"), &service.credit))
        }),
        termination: compute
            .termination
            .as_ref()
            .map(|end| (b.term(at("termination.after"), &end.after), b.term(at("termination.fee"), &end.fee))),
    };
    check(b, &contract, vendors);
    contract
}

fn ramp<'a>(b: &mut Builder<'a>, compute: &'a Compute, term: Slot) -> RampGrid {
    let path = format!("compute.{}.ramp", compute.id);
    let (points, scale) = b.curve::<Share>(&path, &compute.ramp, None);
    if let Some([years, share]) = points.iter().find(|[_, share]| *share > 1.0) {
        b.error(&path, format!("is {share} of the commitment after {years} years; give at most 1, all of it"));
    }
    if points.windows(2).any(|pair| pair[1][1] < pair[0][1]) {
        b.error(&path, "falls; capacity in place never does before the term ends");
    }
    let (last, length) = (points[points.len() - 1], b.mid(term));
    if last[0] > length {
        b.error(&path, format!("goes on for {} years of a term of {length}; end it within the term", last[0]));
    }
    if last[1] <= 0.0 {
        b.error(&path, "never rises above 0; nothing would be delivered");
    }
    let quarters = (4.0 * b.high(term)).ceil().clamp(1.0, 400.0) as u32;
    let shares = (0..quarters).map(|k| at(&points, (f64::from(k) + 0.5) / 4.0)).collect();
    RampGrid { shares, scale }
}

fn tiers<'a>(b: &mut Builder<'a>, compute: &'a Compute) -> Vec<(Slot, Slot)> {
    let path = format!("compute.{}.tier", compute.id);
    let tiers: Vec<(Slot, Slot)> = (compute.tier.iter().enumerate())
        .map(|(idx, tier)| {
            let at = |field: &str| format!("{path}.{idx}.{field}");
            (b.term(at("above"), &tier.above), b.term(at("discount"), &tier.discount))
        })
        .collect();
    let rises = |b: &Builder<'_>, pick: fn(&(Slot, Slot)) -> Slot| {
        tiers.windows(2).all(|pair| b.mid(pick(&pair[0])) < b.mid(pick(&pair[1])))
    };
    if !rises(b, |tier| tier.0) || !rises(b, |tier| tier.1) {
        b.error(path, "a higher tier must have a higher threshold and a higher discount");
    }
    tiers
}

fn credits<'a>(b: &mut Builder<'a>, compute: &'a Compute) -> Vec<(Slot, f64, Slot)> {
    let mut credits = Vec::new();
    for (idx, credit) in compute.credit.iter().enumerate() {
        let at = |field: &str| format!("compute.{}.credit.{idx}.{field}", compute.id);
        if credit.expires <= compute.starts {
            b.error(at("expires"), format!("is {}, before the term starts", credit.expires));
        }
        let expires = 4.0 * years_between(b.scenario.start, credit.expires);
        credits.push((b.term(at("amount"), &credit.amount), expires, b.term(at("burn_cap"), &credit.burn_cap)));
    }
    credits
}

fn check(b: &mut Builder<'_>, contract: &Contract, vendors: &[Fleet]) {
    let at = |field: &str| format!("compute.{}.{field}", contract.id);
    let Quantity { spend, capacity, price } = contract.quantity;
    let vendor = vendors.get(contract.vendor);
    if spend.is_none() && capacity.is_none() {
        b.error(at("spend"), "neither spend nor capacity is given; give one or both");
    }
    for slot in [spend, capacity, price].into_iter().flatten() {
        b.above_zero(slot, "leave it out");
    }
    let priced = price.is_some() || (spend.is_some() && capacity.is_some());
    if !priced && vendor.is_some_and(|vendor| vendor.price.is_none()) {
        b.error(at("price"), "follows from nothing: the vendor has no market price; give price, or spend and capacity");
    }
    let length = b.mid(contract.term);
    let horizon = f64::from(b.scenario.quarters) / 4.0;
    let begins = contract.start / 4.0;
    if begins >= horizon || begins + length <= 0.0 {
        b.error(at("starts"), format!("its term lies outside the {horizon} years that are computed"));
    } else if begins + length > horizon + 0.01 {
        let beyond = begins + length - horizon;
        b.warn(at("term"), format!("{beyond:.2} of its {length} years lie beyond the {horizon} that are computed"));
    }
    if contract.slip_credit.is_some() && contract.slip.is_none() {
        b.error(at("slip_credit"), "credits a delay that is not given; give slip");
    }
    if let Some((after, _)) = contract.termination
        && b.mid(after) >= length
    {
        b.error(at("termination.after"), format!("is {} years into a term of {length}", b.mid(after)));
    }
    floors(b, contract, vendor);
}

/// Refuses floors that no use of the capacity can earn, and capacity that the vendor does not have.
fn floors(b: &mut Builder<'_>, contract: &Contract, vendor: Option<&Fleet>) {
    let path = format!("compute.{}.take_or_pay", contract.id);
    let Quantity { spend, capacity, price } = contract.quantity;
    let (Some(vendor), Some(capacity)) = (vendor, capacity) else { return };
    let full = b.mid(capacity);
    if let (Some(spend), Some(price)) = (spend, price) {
        let ramped = contract.ramp.cut(4.0 * b.mid(contract.term), &mut Vec::new());
        let most = full / b.mid(vendor.power) * b.mid(price) * HOURS_A_QUARTER * ramped;
        let floor = b.mid(contract.take_or_pay) * b.mid(spend);
        if floor > most * (1.0 + 1e-9) {
            b.error(
                path,
                format!(
                    "the floor of {:.2} bn USD exceeds the {:.2} bn that the capacity can bill at the price: \
                     take_or_pay × spend conflicts with capacity × price",
                    floor / 1e9,
                    most / 1e9
                ),
            );
        }
    }
    let Some((points, _)) = &vendor.capacity else { return };
    let quarters = b.scenario.quarters;
    let short = (0..quarters).find_map(|t| {
        let quarter = f64::from(t) - contract.start;
        let share = contract.ramp.shares.get(quarter.max(0.0) as usize).filter(|_| quarter >= 0.0)?;
        let (asked, there) = (share * full, at(points, (f64::from(t) + 0.5) / 4.0));
        (asked > there * (1.0 + 1e-9)).then_some((t, asked, there))
    });
    if let Some((t, asked, there)) = short {
        b.error(
            format!("compute.{}.capacity", contract.id),
            format!(
                "asks for {:.3} GW in quarter {t}, where vendor.{}.capacity has {:.3}: the ramp and the vendor's \
                 capacity conflict",
                asked / 1e9,
                vendor.id,
                there / 1e9
            ),
        );
    }
}
