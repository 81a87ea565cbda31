//! Whether a problem is one: lengths, ranges and names, before anything is computed.

use super::error::MixError;
use super::problem::{Limit, MixProblem, Risk, Vendor, Workload};
use crate::nearest::unknown;
use crate::units::Quantity;
use std::collections::BTreeSet;

/// How far probabilities may sum from 1: round-off of a few thousand scenarios, and no forgotten one.
const PROBABILITY_TOLERANCE: f64 = 1e-9;

// No dollars, chips or tokens a second reach 1e18, and products of two such numbers are far from overflow.
const NOT_NEGATIVE: Range = Range { holds: |x| (0.0..=1e18).contains(&x), allowed: "a number from 0 to 1e18" };
const POSITIVE: Range =
    Range { holds: |x| (1e-18..=1e18).contains(&x), allowed: "a number above 0, from 1e-18 to 1e18" };
const PROPORTION: Range = Range { holds: |x| (0.0..=1.0).contains(&x), allowed: "a number from 0 to 1" };
const BELOW_ONE: Range =
    Range { holds: |x| (0.0..1.0).contains(&x), allowed: "a number of at least 0 and less than 1" };

/// What a number may be; infinities and NaN are in no range.
#[derive(Clone, Copy)]
struct Range {
    holds: fn(f64) -> bool,
    allowed: &'static str,
}

impl Range {
    fn check(self, value: f64, field: impl FnOnce() -> String) -> Result<(), MixError> {
        if (self.holds)(value) {
            return Ok(());
        }
        Err(MixError::Invalid { field: field(), value, allowed: self.allowed })
    }
}

/// Checks everything that one can say without solving.
pub(super) fn check(problem: &MixProblem) -> Result<(), MixError> {
    let labels = || problem.quarters.iter().map(|quarter| quarter.label.as_str());
    not_empty("quarters", problem.quarters.len())?;
    not_empty("workloads", problem.workloads.len())?;
    not_empty("vendors", problem.vendors.len())?;
    distinct("quarters", labels())?;
    distinct("workloads", problem.workloads.iter().map(|workload| workload.id.as_str()))?;
    distinct("vendors", problem.vendors.iter().map(|vendor| vendor.id.as_str()))?;
    distinct("limits", problem.limits.iter().map(|limit| limit.name.as_str()))?;
    for quarter in &problem.quarters {
        POSITIVE.check(quarter.discount, || format!("the discount factor of {}", quarter.label))?;
    }
    problem.workloads.iter().try_for_each(|workload| check_workload(problem, workload))?;
    problem.vendors.iter().try_for_each(|vendor| check_vendor(problem, vendor))?;
    problem.limits.iter().try_for_each(|limit| check_limit(problem, limit))?;
    problem.risk.iter().try_for_each(|risk| check_risk(problem, risk))
}

fn check_workload(problem: &MixProblem, workload: &Workload) -> Result<(), MixError> {
    over_time(problem, &format!("the demand of {}", workload.id), &workload.demand, NOT_NEGATIVE)?;
    let Some(vendors) = &workload.only_on else { return Ok(()) };
    vendors_known(problem, &format!("the exclusivity of {}", workload.id), vendors)
}

fn check_vendor(problem: &MixProblem, vendor: &Vendor) -> Result<(), MixError> {
    let id = &vendor.id;
    over_time(problem, &format!("the cost of {id}"), &vendor.cost, NOT_NEGATIVE)?;
    over_time(problem, &format!("the capacity of {id}"), &vendor.capacity, NOT_NEGATIVE)?;
    over_time(problem, &format!("the floor of {id}"), &vendor.floor, NOT_NEGATIVE)?;
    POSITIVE.check(vendor.power.0, || format!("the power of a chip of {id}"))?;
    let known: Vec<&str> = problem.workloads.iter().map(|workload| workload.id.as_str()).collect();
    let served = || vendor.services.iter().map(|service| service.workload.as_str());
    distinct(&format!("services of {id}"), served())?;
    for service in &vendor.services {
        name_known(&format!("the services of {id}"), "workload", &service.workload, &known)?;
        over_time(problem, &format!("the rate of {} on {id}", service.workload), &service.rate, NOT_NEGATIVE)?;
        NOT_NEGATIVE.check(service.porting.0, || format!("the porting cost of {} to {id}", service.workload))?;
    }
    Ok(())
}

fn check_limit(problem: &MixProblem, limit: &Limit) -> Result<(), MixError> {
    PROPORTION.check(limit.share.0, || format!("the share of the limit {}", limit.name))?;
    vendors_known(problem, &format!("the vendors of the limit {}", limit.name), &limit.vendors)
}

fn check_risk(problem: &MixProblem, risk: &Risk) -> Result<(), MixError> {
    BELOW_ONE.check(risk.alpha, || "alpha of the risk".into())?;
    BELOW_ONE.check(risk.weight, || "the weight of the risk".into())?;
    not_empty("scenarios", risk.scenarios.len())?;
    distinct("scenarios", risk.scenarios.iter().map(|scenario| scenario.name.as_str()))?;
    for scenario in &risk.scenarios {
        let name = &scenario.name;
        PROPORTION.check(scenario.probability, || format!("the probability of scenario {name}"))?;
        length(
            &format!("the table of cost factors of scenario {name}"),
            scenario.cost_factor.len(),
            problem.vendors.len(),
        )?;
        for (vendor, factors) in problem.vendors.iter().zip(&scenario.cost_factor) {
            let field = format!("the cost factor of {} under {name}", vendor.id);
            length(&field, factors.len(), problem.quarters.len())?;
            for (quarter, &factor) in problem.quarters.iter().zip(factors) {
                NOT_NEGATIVE.check(factor, || format!("{field} in {}", quarter.label))?;
            }
        }
    }
    let sum: f64 = risk.scenarios.iter().map(|scenario| scenario.probability).sum();
    if (sum - 1.0).abs() > PROBABILITY_TOLERANCE {
        return Err(MixError::Probabilities { sum });
    }
    Ok(())
}

/// One number a quarter, each in range.
fn over_time<Q: Quantity>(problem: &MixProblem, field: &str, values: &[Q], range: Range) -> Result<(), MixError> {
    length(field, values.len(), problem.quarters.len())?;
    for (quarter, value) in problem.quarters.iter().zip(values) {
        range.check(value.value(), || format!("{field} in {}", quarter.label))?;
    }
    Ok(())
}

fn length(field: &str, given: usize, expected: usize) -> Result<(), MixError> {
    if given == expected {
        return Ok(());
    }
    Err(MixError::Length { field: field.into(), given, expected })
}

fn not_empty(what: &'static str, len: usize) -> Result<(), MixError> {
    if len > 0 { Ok(()) } else { Err(MixError::Empty { what }) }
}

fn distinct<'n>(what: &str, names: impl Iterator<Item = &'n str>) -> Result<(), MixError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(MixError::Duplicate { what: what.into(), name: name.into() });
        }
    }
    Ok(())
}

/// At least one vendor, none twice, all of them known.
fn vendors_known(problem: &MixProblem, field: &str, vendors: &[String]) -> Result<(), MixError> {
    let known: Vec<&str> = problem.vendors.iter().map(|vendor| vendor.id.as_str()).collect();
    if vendors.is_empty() {
        let detail = format!("no vendor; known: {}", known.join(", "));
        return Err(MixError::Unknown { field: field.into(), detail });
    }
    distinct(&format!("vendors in {field}"), vendors.iter().map(String::as_str))?;
    vendors.iter().try_for_each(|vendor| name_known(field, "vendor", vendor, &known))
}

fn name_known(field: &str, what: &str, name: &str, known: &[&str]) -> Result<(), MixError> {
    if known.contains(&name) {
        return Ok(());
    }
    Err(MixError::Unknown { field: field.into(), detail: unknown(what, name, known) })
}
