//! Vendors and workloads as they are computed: speeds from the cost model, prices from the scenario or the catalogue.

use super::builder::Builder;
use super::contract::Contract;
use crate::catalogue::{Chip, Model as Architecture, Precision};
use crate::cost::{Served, at_interactivity};
use crate::deal::input::Slot;
use crate::deal::scenario::{Market, Vendor, Workload};
use crate::deal::term::at;
use crate::units::{Estimate, Provenance, Share, TokensPerSecond, Watts};

/// A vendor.
#[derive(Clone, Debug)]
pub(in crate::deal) struct Fleet {
    pub(in crate::deal) id: String,
    pub(in crate::deal) name: String,
    pub(in crate::deal) cloud: usize,
    pub(in crate::deal) open: bool,
    pub(in crate::deal) price: Option<Slot>,
    pub(in crate::deal) price_change: Slot,
    pub(in crate::deal) power: Slot,
    pub(in crate::deal) availability: Slot,
    pub(in crate::deal) cost_to_serve: Option<Slot>,
    pub(in crate::deal) capacity: Option<(Vec<[f64; 2]>, Slot)>,
    /// Cost, first share of speed, years until all of it.
    pub(in crate::deal) porting: Option<[Slot; 3]>,
    pub(in crate::deal) speed: Option<Slot>,
    /// For each workload: output tokens a second and chip, and the placement behind it; none where it may or can not.
    pub(in crate::deal) rates: Vec<Option<(Slot, Served)>>,
}

/// A workload.
#[derive(Clone, Debug)]
pub(in crate::deal) struct Load {
    pub(in crate::deal) id: String,
    /// Output tokens a second, in the middle of each quarter.
    pub(in crate::deal) demand: Vec<f64>,
    pub(in crate::deal) scale: Slot,
    /// Vendors that alone may serve it; empty where all may.
    pub(in crate::deal) only: Vec<usize>,
}

pub(super) fn workloads(b: &mut Builder<'_>) -> Vec<Load> {
    let scenario = b.scenario;
    let mut loads = Vec::new();
    for workload in &scenario.workload {
        let path = format!("workload.{}", workload.id);
        let (points, scale) =
            b.curve::<TokensPerSecond>(&format!("{path}.demand"), &workload.demand, workload.scale.as_ref());
        if workload.input_tokens == 0 || workload.output_tokens == 0 {
            b.error(&path, "input_tokens and output_tokens must be above 0");
        }
        let quarters = (0..scenario.quarters).map(|t| at(&points, (f64::from(t) + 0.5) / 4.0));
        loads.push(Load { id: workload.id.clone(), demand: quarters.collect(), scale, only: only(b, workload) });
    }
    if loads.iter().all(|load| load.demand.iter().all(|demand| *demand == 0.0)) && !loads.is_empty() {
        b.error("workload", "nothing is ever demanded");
    }
    for (idx, exclusive) in scenario.exclusive.iter().enumerate() {
        let known = scenario.workload.iter().map(|workload| workload.id.as_str());
        b.index(&format!("exclusive.{idx}.workload"), "workload", &exclusive.workload, known);
    }
    loads
}

/// Vendors that every exclusivity of a workload admits.
fn only(b: &mut Builder<'_>, workload: &Workload) -> Vec<usize> {
    let scenario = b.scenario;
    let mut admitted: Option<Vec<usize>> = None;
    for (idx, exclusive) in scenario.exclusive.iter().enumerate().filter(|(_, e)| e.workload == workload.id) {
        let path = format!("exclusive.{idx}.vendors");
        b.kinds(&path, &exclusive.source);
        let named: Vec<usize> = exclusive.vendors.iter().map(|id| b.vendor(&path, id)).collect();
        let both: Vec<usize> = match admitted {
            None => named,
            Some(before) => before.into_iter().filter(|vendor| named.contains(vendor)).collect(),
        };
        if both.is_empty() {
            b.error(&path, format!("leaves no vendor for `{}`: exclusivities conflict", workload.id));
        }
        admitted = Some(both);
    }
    admitted.unwrap_or_default()
}

pub(super) fn vendors(b: &mut Builder<'_>, loads: &[Load]) -> Vec<Fleet> {
    let scenario = b.scenario;
    scenario.vendor.iter().enumerate().map(|(idx, vendor)| fleet(b, idx, vendor, loads)).collect()
}

fn fleet<'a>(b: &mut Builder<'a>, idx: usize, vendor: &'a Vendor, loads: &[Load]) -> Fleet {
    let at = |field: &str| format!("vendor.{}.{field}", vendor.id);
    let catalogue = b.catalogue;
    let known = catalogue.chips.iter().map(|chip| chip.id.as_str());
    let chip = b.index(&at("chip"), "chip", &vendor.chip, known).map(|idx| &catalogue.chips[idx]);
    let power = b.term(at("power"), &vendor.power);
    b.above_zero(power, "a gigawatt would hold any number of chips");
    let availability = b.term(at("availability"), &vendor.availability);
    b.above_zero(availability, "it never works");
    Fleet {
        id: vendor.id.clone(),
        name: vendor.name.clone(),
        cloud: b.party(&at("cloud"), &vendor.cloud),
        open: vendor.market == Market::Open,
        price: price(b, vendor),
        price_change: b.term(at("price_change"), &vendor.price_change),
        power,
        availability,
        cost_to_serve: b.optional(at("cost_to_serve"), vendor.cost_to_serve.as_ref()),
        capacity: vendor.capacity.as_ref().map(|curve| b.curve::<Watts>(&at("capacity"), curve, None)),
        porting: vendor.porting.as_ref().map(|porting| {
            [
                b.term(at("porting.cost"), &porting.cost),
                b.term(at("porting.first"), &porting.first),
                b.term(at("porting.ramp"), &porting.ramp),
            ]
        }),
        speed: b.optional(at("speed"), vendor.speed.as_ref()),
        rates: loads.iter().map(|load| rate(b, chip, (idx, vendor), load)).collect(),
    }
}

/// The scenario's price; for an open market else the catalogue's, and it needs one.
fn price<'a>(b: &mut Builder<'a>, vendor: &'a Vendor) -> Option<Slot> {
    let path = format!("vendor.{}.price", vendor.id);
    if let Some(price) = &vendor.price {
        let slot = b.term(&path, price);
        b.above_zero(slot, "leave it out");
        return Some(slot);
    }
    if vendor.market == Market::ContractOnly {
        return None;
    }
    if vendor.speed.is_some() {
        b.error(
            path,
            format!(
                "is missing: `{}` stands in for another chip here, and its list price is not that one's",
                vendor.chip
            ),
        );
        return None;
    }
    if let Some(listed) = b.catalogue.default_price(&vendor.chip) {
        let source = &listed.per_instance_hour.source;
        let estimate = Estimate::point(listed.per_chip_hour(), source.kind);
        let source = format!("catalogue: {} {}, {}, {}", listed.offer, listed.term, source.title, source.date);
        return Some(b.estimate(path, estimate, &source));
    }
    b.error(path, format!("no price of `{}` is in the catalogue; give one, or `contract_only`", vendor.chip));
    None
}

/// Output tokens a second and chip at the scenario's interactivity, from the cost model.
fn rate(
    b: &mut Builder<'_>,
    chip: Option<&Chip>,
    (vendor, written): (usize, &Vendor),
    load: &Load,
) -> Option<(Slot, Served)> {
    if !load.only.is_empty() && !load.only.contains(&vendor) {
        return None;
    }
    let (scenario, catalogue) = (b.scenario, b.catalogue);
    let workload = scenario.workload.iter().find(|workload| workload.id == load.id)?;
    let path = format!("workload.{}.model", load.id);
    let known = catalogue.models.iter().map(|model| model.id.as_str());
    let model: &Architecture = &catalogue.models[b.index(&path, "model", &workload.model, known)?];
    let [low, mid, high] = scenario.interactivity.cases().unwrap_or_default();
    if low <= 0.0 || low < high {
        b.error("interactivity", "give one value above 0: costs are compared at one speed");
        return None;
    }
    let kinds = b.kinds("interactivity", &scenario.interactivity.source);
    let asked = crate::cost::Workload {
        input_tokens: workload.input_tokens.max(1),
        output_tokens: workload.output_tokens.max(1),
        spread: crate::cost::serving::Spread::NONE,
        concurrency: 1,
        cached: Share(0.0),
        weights: Precision::Bf16,
        kv: Precision::Bf16,
    };
    let path = format!("vendor.{}.rate.{}", written.id, load.id);
    match at_interactivity(catalogue, model, chip?, &asked, TokensPerSecond(mid)) {
        Ok(served) => {
            // The buyer's own model is not this one.
            let estimate = served.output_tokens_per_s.resting_on(kinds).resting_on(Provenance::Assumed);
            let source = format!("cost model: {} on {} chips, {} at once", model.id, served.ranks, served.sequences);
            Some((b.estimate(path, estimate, &source), served))
        }
        Err(error) => {
            b.warn(path, error.to_string());
            None
        }
    }
}

pub(super) fn concentrations(b: &mut Builder<'_>) -> Vec<(Vec<usize>, Slot)> {
    let scenario = b.scenario;
    let mut limits = Vec::new();
    for (idx, limit) in scenario.concentration.iter().enumerate() {
        let path = format!("concentration.{idx}");
        let vendors = limit.vendors.iter().map(|id| b.vendor(&format!("{path}.vendors"), id)).collect();
        limits.push((vendors, b.term(format!("{path}.at_most"), &limit.at_most)));
    }
    limits
}

impl Fleet {
    /// Whether any amount of it can be bought: only then can it serve in place of the deal, and set a price for that.
    pub(in crate::deal) fn is_unlimited(&self) -> bool {
        self.open && self.capacity.is_none()
    }
}

/// What the deal's chips are compared with: each workload needs an open vendor that is no part of it.
pub(super) fn comparable(b: &mut Builder<'_>, vendors: &[Fleet], loads: &[Load], contracts: &[Contract]) {
    let dealt = |vendor: usize| contracts.iter().any(|contract| contract.proposed && contract.vendor == vendor);
    for (w, load) in loads.iter().enumerate() {
        let alternative = |(v, fleet): (usize, &Fleet)| fleet.is_unlimited() && !dealt(v) && fleet.rates[w].is_some();
        if !vendors.iter().enumerate().any(alternative) {
            b.error(
                format!("workload.{}", load.id),
                "no open vendor outside the deal, without a limit of capacity, can serve it: there is nothing to compare the deal with",
            );
        }
    }
}
