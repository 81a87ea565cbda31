//! A scenario as it is computed: terms have become positions among the inputs, names indices, dates quarters.
//!
//! [`Model::new`] is the only check of a scenario: what it lets pass can be computed, and it reports everything that is
//! wrong at once. Afterwards a draw is nothing but a vector of numbers, one for each input, and [`super::play`] turns it
//! into what the parties pay and get.

mod builder;
mod contract;
mod market;
mod price;
mod stakes;

pub(super) use contract::{Contract, Quantity};
pub(super) use market::{Fleet, Load};
pub(super) use price::PriceRule;
pub(super) use stakes::{Belief, Grant, Owed, Stake};

use super::copula::Copula;
use super::input::{Input, Slot};
use super::scenario::{Role, SCHEMA, Scenario, Scope, years_between};
use crate::catalogue::Catalogue;
use crate::finding::Findings;
use builder::Builder;

/// Hours of a quarter of 365.25/4 days.
pub(super) const HOURS_A_QUARTER: f64 = super::mix::QUARTER.0 / 3600.0;
/// Most vendors: a draw keeps the position of the cheapest in a byte.
const MOST_VENDORS: usize = 100;
/// Most quarters that are computed.
const MOST_QUARTERS: u32 = 160;

/// What is computed.
#[derive(Clone, Debug)]
pub struct Model {
    /// Quarters.
    pub(super) quarters: usize,
    /// Every number it rests on.
    pub(super) inputs: Vec<Input>,
    /// Names of the parties.
    pub(super) parties: Vec<String>,
    pub(super) buyer: usize,
    pub(super) discount_rate: Slot,
    pub(super) risk_free: Option<Slot>,
    pub(super) utilisation: Slot,
    pub(super) vendors: Vec<Fleet>,
    pub(super) workloads: Vec<Load>,
    pub(super) contracts: Vec<Contract>,
    /// Order in which prices can be worked out: a commitment after those that its price follows.
    pub(super) price_order: Vec<usize>,
    pub(super) stakes: Vec<Stake>,
    pub(super) grants: Vec<Grant>,
    pub(super) owed: Vec<Owed>,
    pub(super) states: Vec<Belief>,
    pub(super) regulation: Option<(Scope, Option<Slot>, Option<Slot>)>,
    /// Inputs that move together.
    pub(super) copula: Copula,
    /// Vendors together at most at this share of spend.
    pub(super) concentrations: Vec<(Vec<usize>, Slot)>,
}

impl Model {
    /// Checks a scenario against itself and the catalogue, and turns it into what is computed. The findings of a
    /// success are warnings.
    ///
    /// # Errors
    /// Every finding, errors and warnings.
    pub fn new(scenario: &Scenario, catalogue: &Catalogue) -> Result<(Model, Findings), Findings> {
        let mut b = Builder::new(scenario, catalogue);
        header(&mut b);
        let discount_rate = b.term("discount_rate", &scenario.discount_rate);
        let risk_free = scenario.risk_free.as_ref().map(|term| b.term("risk_free", term));
        let utilisation = b.term("utilisation", &scenario.utilisation);
        b.above_zero(utilisation, "nothing useful would be bought");
        let workloads = market::workloads(&mut b);
        let vendors = market::vendors(&mut b, &workloads);
        let contracts = contract::contracts(&mut b, &vendors);
        let price_order = price::order(&mut b, &contracts);
        let stakes = stakes::stakes(&mut b);
        let grants = stakes::grants(&mut b, &contracts);
        let owed = stakes::owed(&mut b);
        let states = stakes::beliefs(&mut b);
        let regulation = stakes::regulation(&mut b);
        let copula = stakes::copula(&mut b);
        let concentrations = market::concentrations(&mut b);
        market::comparable(&mut b, &vendors, &workloads, &contracts);
        b.uncited();
        let parties = scenario.party.iter().map(|party| party.name.clone()).collect();
        let (inputs, findings) = b.finish();
        if findings.n_errors() > 0 {
            return Err(findings);
        }
        let buyer = scenario.party.iter().position(|party| party.roles.contains(&Role::Buyer));
        let model = Model {
            quarters: scenario.quarters as usize,
            inputs,
            parties,
            buyer: buyer.expect("the header's check found one buyer"),
            discount_rate,
            risk_free,
            utilisation,
            vendors,
            workloads,
            contracts,
            price_order,
            stakes,
            grants,
            owed,
            states,
            regulation,
            copula,
            concentrations,
        };
        Ok((model, findings))
    }

    /// Every number it rests on.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// The central case of every input.
    pub fn central(&self) -> Vec<f64> {
        self.inputs.iter().map(|input| input.cases[1]).collect()
    }

    /// Vendors under a commitment that is a part of the deal.
    pub(super) fn of_the_deal(&self, vendor: usize) -> bool {
        self.contracts.iter().any(|contract| contract.proposed && contract.vendor == vendor)
    }
}

fn header(b: &mut Builder<'_>) {
    let scenario = b.scenario;
    if scenario.schema != SCHEMA {
        b.error("schema", format!("is {}; this version reads {SCHEMA}", scenario.schema));
    }
    if !(1..=MOST_QUARTERS).contains(&scenario.quarters) {
        b.error("quarters", format!("is {}; give 1 to {MOST_QUARTERS}", scenario.quarters));
    }
    if scenario.buyer().is_none() {
        b.error("party", "not exactly one party has the role `buyer`; give one that role");
    }
    if years_between(scenario.as_of, scenario.start) < -0.25 {
        b.warn("start", format!("the first quarter begins {} before the terms stood", scenario.start));
    }
    b.unique("party", scenario.party.iter().map(|party| party.id.as_str()));
    b.unique("vendor", scenario.vendor.iter().map(|vendor| vendor.id.as_str()));
    b.unique("workload", scenario.workload.iter().map(|workload| workload.id.as_str()));
    b.unique("compute", scenario.compute.iter().map(|compute| compute.id.as_str()));
    b.unique("equity", scenario.equity.iter().map(|equity| equity.id.as_str()));
    b.unique("warrant", scenario.warrant.iter().map(|warrant| warrant.id.as_str()));
    b.unique("source", scenario.source.iter().map(|source| source.id.as_str()));
    if scenario.workload.is_empty() {
        b.error("workload", "there is none; a token's cost needs something that is served");
    }
    if scenario.vendor.len() > MOST_VENDORS {
        b.error("vendor", format!("there are {}; give at most {MOST_VENDORS}", scenario.vendor.len()));
    }
    if scenario.vendor.is_empty() {
        b.error("vendor", "there is none; give at least one chip that can be had");
    }
}

#[cfg(test)]
mod tests;
