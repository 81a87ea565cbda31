//! The deal's market and commitments as a vendor mix: who should serve what, if every contract were used as well as it can
//! be, and what one more megawatt of each is worth.
//!
//! Every commitment is a seller of its own, with its price, its floor and the chips in place; every open vendor is one
//! more, with its market price and what it has beyond the commitments on it. Unlike the dispatch of a draw, which meets
//! demand in the order of the file, the mix is the cheapest there is.

use super::central::Case;
use super::mix::{self, Limit, LimitOf, Mix, MixError, MixProblem, Quarter, Service, Workload};
use super::model::{HOURS_A_QUARTER, Model};
use super::play::{Course, tokens_per_chip};
use super::scenario::Scenario;
use super::term::at;
use crate::units::{Chips, Share, TokensPerSecond, Usd, Watts};
use serde::Serialize;

/// The cheapest mix with the deal, and what it would cost without.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Allocation {
    /// Years of the horizon.
    pub years: usize,
    /// The sellers.
    pub sellers: Vec<SellerLine>,
    /// Present value of all that is paid.
    pub cost: f64,
    /// The same without the deal's commitments; none where demand could then not be met.
    pub cost_without: Option<f64>,
    /// What a reader should know.
    pub notices: Vec<String>,
}

/// A seller in the mix.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SellerLine {
    /// A commitment, or a vendor's market.
    pub seller: String,
    /// Whether it is a part of the deal.
    pub of_the_deal: bool,
    /// Share of each year's spend.
    pub share: Vec<f64>,
    /// Dollars of each year.
    pub paid: Vec<f64>,
    /// Power held, on average over each year, in gigawatts.
    pub gigawatts: Vec<f64>,
    /// Dollars paid for nothing, over the horizon.
    pub idle: f64,
    /// Present value of one more megawatt over the horizon.
    pub usd_per_megawatt: f64,
}

/// A seller before it is one of the mix.
struct Seller {
    vendor: usize,
    proposed: bool,
    sold: mix::Vendor,
}

impl Allocation {
    /// The cheapest mix of the central case.
    ///
    /// # Errors
    /// No mix meets demand within every floor and limit: the conflicts are named.
    pub(super) fn of(model: &Model, case: &Case, scenario: &Scenario) -> Result<Self, MixError> {
        let sellers = sellers(model, case);
        let with = mix::cheapest(&problem(model, case, scenario, &sellers, |_| true))?;
        let without = mix::cheapest(&problem(model, case, scenario, &sellers, |seller| !seller.proposed));
        let cost_without = match without {
            Ok(mix) => Some(mix.cost.0),
            Err(MixError::Infeasible { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(Allocation {
            years: model.quarters.div_ceil(4),
            sellers: sellers.iter().enumerate().map(|(v, seller)| line(model.quarters, &with, v, seller)).collect(),
            cost: with.cost.0,
            cost_without,
            notices: with.notices.iter().map(ToString::to_string).collect(),
        })
    }
}

fn line(quarters: usize, mix: &Mix, v: usize, seller: &Seller) -> SellerLine {
    let by_year = |of: &dyn Fn(usize) -> f64| -> Vec<f64> {
        (0..quarters).step_by(4).map(|first| (first..(first + 4).min(quarters)).map(of).sum()).collect()
    };
    let all: Vec<f64> = by_year(&|t| mix.paid.iter().map(|paid| paid[t].0).sum());
    let paid = by_year(&|t| mix.paid[v][t].0);
    let watts = seller.sold.power.0;
    SellerLine {
        seller: seller.sold.id.clone(),
        of_the_deal: seller.proposed,
        share: paid.iter().zip(&all).map(|(paid, all)| if *all > 0.0 { paid / all } else { 0.0 }).collect(),
        gigawatts: by_year(&|t| mix.held[v][t].0 * watts / 4e9),
        paid,
        idle: above_rounding(mix.idle[v].iter().map(|idle| idle.0).sum()),
        usd_per_megawatt: above_rounding(mix.prices.megawatt_over_horizon[v].0),
    }
}

/// Sums of billions are exact to a dollar, not below.
fn above_rounding(usd: f64) -> f64 {
    if usd.abs() < 1.0 { 0.0 } else { usd }
}

fn problem(
    model: &Model,
    case: &Case,
    scenario: &Scenario,
    sellers: &[Seller],
    wanted: impl Fn(&Seller) -> bool,
) -> MixProblem {
    let kept: Vec<&Seller> = sellers.iter().filter(|seller| wanted(seller)).collect();
    let of_vendors = |vendors: &[usize]| -> Vec<String> {
        kept.iter().filter(|seller| vendors.contains(&seller.vendor)).map(|seller| seller.sold.id.clone()).collect()
    };
    let workload = |load: &super::model::Load| Workload {
        id: load.id.clone(),
        demand: load.demand.iter().map(|demand| TokensPerSecond(demand * case.inputs[load.scale])).collect(),
        only_on: (!load.only.is_empty()).then(|| of_vendors(&load.only)),
    };
    let limit = |(vendors, share): &(Vec<usize>, usize)| Limit {
        name: format!("concentration on {}", names(model, vendors)),
        vendors: of_vendors(vendors),
        share: Share(case.inputs[*share]),
        of: LimitOf::Spend,
    };
    MixProblem {
        quarters: quarters(scenario, &case.ledger.discount),
        workloads: model.workloads.iter().map(workload).collect(),
        vendors: kept.iter().map(|seller| seller.sold.clone()).collect(),
        limits: model.concentrations.iter().map(limit).collect(),
        risk: None,
    }
}

fn names(model: &Model, vendors: &[usize]) -> String {
    vendors.iter().map(|v| model.vendors[*v].id.as_str()).collect::<Vec<_>>().join(", ")
}

/// `2026 Q1` and on.
fn quarters(scenario: &Scenario, discount: &[f64]) -> Vec<Quarter> {
    let quarter = |(t, discount): (usize, &f64)| Quarter { label: scenario.quarter(t), discount: *discount };
    discount.iter().enumerate().map(quarter).collect()
}

fn sellers(model: &Model, case: &Case) -> Vec<Seller> {
    let mut sellers = Vec::new();
    for (contract, course) in model
        .contracts
        .iter()
        .zip(&case.ledger.courses)
        .filter(|(contract, _)| !contract.proposed || case.situation.compute > 0.0)
    {
        let take_or_pay = case.inputs[contract.take_or_pay];
        sellers.push(Seller {
            vendor: contract.vendor,
            proposed: contract.proposed,
            sold: mix::Vendor {
                id: contract.id.clone(),
                cost: course.price.iter().map(|price| Usd(price * HOURS_A_QUARTER)).collect(),
                capacity: course.in_place.iter().map(|chips| Chips(*chips)).collect(),
                floor: course.scheduled.iter().map(|scheduled| Usd(take_or_pay * scheduled)).collect(),
                power: Watts(case.inputs[model.vendors[contract.vendor].power]),
                services: services(model, case, contract.vendor, course.offset),
            },
        });
    }
    for (v, fleet) in model.vendors.iter().enumerate().filter(|(_, fleet)| fleet.open) {
        let market = case.ledger.market[v].iter().map(|price| Usd(price * HOURS_A_QUARTER));
        sellers.push(Seller {
            vendor: v,
            proposed: false,
            sold: mix::Vendor {
                id: format!("{} (market)", fleet.id),
                cost: market.collect(),
                capacity: (0..model.quarters).map(|t| Chips(beyond_commitments(model, case, v, t))).collect(),
                floor: vec![Usd(0.0); model.quarters],
                power: Watts(case.inputs[fleet.power]),
                services: services(model, case, v, 0.0),
            },
        });
    }
    sellers
}

/// Chips of a vendor that its market has in a quarter: what its capacity leaves beside the commitments on it, or enough
/// for all of the demand.
fn beyond_commitments(model: &Model, case: &Case, v: usize, t: usize) -> f64 {
    let fleet = &model.vendors[v];
    let Some((points, scale)) = &fleet.capacity else {
        let chips = |(load, rate): (&super::model::Load, &Option<(usize, _)>)| {
            let (rate, _) = rate.as_ref()?;
            Some(load.demand[t] * case.inputs[load.scale] / slowest(model, case, v, *rate))
        };
        return model.workloads.iter().zip(&fleet.rates).filter_map(chips).sum();
    };
    let committed = |(contract, course): (&super::model::Contract, &Course)| {
        if contract.vendor == v { course.in_place[t] } else { 0.0 }
    };
    let held: f64 = model.contracts.iter().zip(&case.ledger.courses).map(committed).sum();
    let there = at(points, (t as f64 + 0.5) / 4.0) * case.inputs[*scale] / case.inputs[fleet.power];
    (there - held).max(0.0)
}

/// Tokens a second of a chip whose software has just been brought to it.
fn slowest(model: &Model, case: &Case, v: usize, rate: usize) -> f64 {
    let first = model.vendors[v].porting.map_or(1.0, |[_, first, _]| case.inputs[first]);
    tokens_per_chip(model, &model.vendors[v], &case.inputs, rate) * first
}

/// What a vendor's chips serve. Porting is paid for the vendor as a whole: each workload bears an equal part of it. A
/// standing commitment means that it was done.
fn services(model: &Model, case: &Case, v: usize, from: f64) -> Vec<Service> {
    let fleet = &model.vendors[v];
    let done = model.contracts.iter().any(|contract| contract.vendor == v && !contract.proposed);
    let served = fleet.rates.iter().flatten().count().max(1) as f64;
    let cost = fleet.porting.filter(|_| !done).map_or(0.0, |[cost, _, _]| case.inputs[cost] / served);
    let speed = |t: usize| {
        fleet.porting.map_or(1.0, |porting| super::play::ported_at(porting.map(|slot| case.inputs[slot]), t, from))
    };
    let service = |(load, rate): (&super::model::Load, &Option<(usize, _)>)| {
        let (rate, _) = rate.as_ref()?;
        let full = tokens_per_chip(model, fleet, &case.inputs, *rate);
        let rate = (0..model.quarters).map(|t| TokensPerSecond(full * speed(t))).collect();
        Some(Service { workload: load.id.clone(), rate, porting: Usd(cost) })
    };
    model.workloads.iter().zip(&fleet.rates).filter_map(service).collect()
}
