//! Why no allocation satisfies every constraint: quarter by quarter, how much is missing and which constraints conflict.
//!
//! Given that everything may be ported, quarters do not depend on each other, so each is asked alone:
//! 1. how much demand must be left unmet (each workload in units of its largest, the sum least);
//! 2. which constraints conflict: one after another is lifted, and stays lifted if there is still no plan (the deletion
//!    filter: Chinneck & Dravnieks 1991). What remains is irreducible: with any one of it lifted, the rest of it can hold.

use super::error::MixError;
use super::formulation::{Clause, Formulation, Goal, Porting, Quantity};
use super::instance::Instance;
use super::linear::Failure;
use crate::units::TokensPerSecond;
use std::collections::BTreeSet;
use std::fmt;

/// Unmet demand below this share of a workload's largest is round-off.
const ROUND_OFF: f64 = 1e-9;

/// Quarters that the message of [`MixError::Infeasible`] spells out.
const SPELT_OUT: usize = 3;

/// A quarter without a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// Label of the quarter.
    pub quarter: String,
    /// The least demand that must be left unmet while all else holds; empty where leaving all of it would not help.
    pub short: Vec<Shortage>,
    /// Constraints that conflict: with any one of them lifted, the others can hold.
    pub constraints: Vec<Constraint>,
}

/// Demand that cannot be met.
#[derive(Clone, Debug, PartialEq)]
pub struct Shortage {
    /// Id of the workload.
    pub workload: String,
    /// How much of its demand is missing.
    pub missing: TokensPerSecond,
}

/// A constraint by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// Demand of a workload.
    Demand(String),
    /// Capacity of a vendor.
    Capacity(String),
    /// Take-or-pay floor of a vendor.
    Floor(String),
    /// Exclusivity of a workload.
    Exclusivity(String),
    /// A limit on concentration.
    Limit(String),
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Constraint::Demand(workload) => write!(f, "demand of {workload}"),
            Constraint::Capacity(vendor) => write!(f, "capacity of {vendor}"),
            Constraint::Floor(vendor) => write!(f, "floor of {vendor}"),
            Constraint::Exclusivity(workload) => write!(f, "exclusivity of {workload}"),
            Constraint::Limit(name) => write!(f, "limit {name}"),
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.short.iter().map(|short| short.workload.as_str()).collect();
        let is_short = |constraint: &Constraint| match constraint {
            Constraint::Demand(workload) => ids.contains(&workload.as_str()),
            _ => false,
        };
        let binding: Vec<String> =
            self.constraints.iter().filter(|constraint| !is_short(constraint)).map(ToString::to_string).collect();
        let binding = binding.join(", ");
        if self.short.is_empty() {
            return write!(f, "in {} these cannot hold together: {binding}", self.quarter);
        }
        let missing: Vec<String> = self.short.iter().map(|short| readable(short.missing)).collect();
        let (ids, missing) = (ids.join(" and "), missing.join(" and "));
        write!(f, "demand of {ids} in {} exceeds what vendors that may serve it can hold: ", self.quarter)?;
        if binding.is_empty() {
            return write!(f, "short by {missing}; none of them has a rate above 0 for it");
        }
        write!(f, "short by {missing}; binding: {binding}")
    }
}

fn readable(rate: TokensPerSecond) -> String {
    match rate.0 {
        x if x >= 1e6 => format!("{:.1} M tokens/s", x / 1e6),
        x if x >= 1e3 => format!("{:.1} k tokens/s", x / 1e3),
        x => format!("{x:.1} tokens/s"),
    }
}

/// The first conflicts in words, and how many more there are.
pub(super) fn summary(conflicts: &[Conflict]) -> String {
    let spelt: Vec<String> = conflicts.iter().take(SPELT_OUT).map(ToString::to_string).collect();
    let spelt = spelt.join("; ");
    match conflicts.len().saturating_sub(SPELT_OUT) {
        0 => spelt,
        more => format!("{spelt}; and so in {more} more quarters"),
    }
}

/// What conflicts in each quarter without a plan.
pub(super) fn explain(instance: &Instance) -> MixError {
    let conflicts = (0..instance.quarters()).filter_map(|t| quarter(instance, t).transpose());
    match conflicts.collect::<Result<Vec<Conflict>, Failure>>() {
        Err(Failure::Solver(detail)) => MixError::Solver { detail },
        Err(Failure::Infeasible) => MixError::Solver { detail: "a conflict was found and lost again".into() },
        Ok(conflicts) if conflicts.is_empty() => {
            MixError::Solver { detail: "no plan was found, although each quarter alone has one".into() }
        }
        Ok(conflicts) => MixError::Infeasible { conflicts },
    }
}

fn quarter(instance: &Instance, t: usize) -> Result<Option<Conflict>, Failure> {
    let short = match shortage(instance, t) {
        Ok(short) if short.is_empty() => return Ok(None),
        Ok(short) => short,
        Err(Failure::Infeasible) => Vec::new(),
        Err(failure) => return Err(failure),
    };
    let constraints = irreducible(instance, t, &short)?.into_iter().map(|clause| named(instance, clause)).collect();
    let shortage = |&(w, missing): &(usize, f64)| Shortage {
        workload: instance.problem.workloads[w].id.clone(),
        missing: TokensPerSecond(missing),
    };
    let quarter = instance.problem.quarters[t].label.clone();
    Ok(Some(Conflict { quarter, short: short.iter().map(shortage).collect(), constraints }))
}

/// Workloads whose demand cannot be met, and by how many tokens a second.
fn shortage(instance: &Instance, t: usize) -> Result<Vec<(usize, f64)>, Failure> {
    let formulation = Formulation { goal: Goal::Shortfall, ..alone(instance, t, BTreeSet::new()) };
    let program = formulation.program();
    let optimum = program.minimise()?;
    let short = program.columns.iter().zip(&optimum.values).filter_map(|(column, &value)| match column.name {
        Quantity::Short { w, .. } if value > ROUND_OFF => Some((w, value * instance.scale.tokens[w])),
        _ => None,
    });
    Ok(short.collect())
}

/// The constraints of the quarter that conflict, and none that can be left out.
fn irreducible(instance: &Instance, t: usize, short: &[(usize, f64)]) -> Result<Vec<Clause>, Failure> {
    let is_short = |w: usize| short.iter().any(|&(short, _)| short == w);
    let mut demands: Vec<usize> = (0..instance.workloads()).filter(|&w| instance.demand(w, t) > 0.0).collect();
    demands.sort_by_key(|&w| is_short(w));
    let mut clauses: Vec<Clause> = demands.into_iter().map(Clause::Demand).collect();
    // Lifted in this order, what remains is the plainest account: capacities last, for something must be too small.
    clauses.extend((0..instance.vendors()).filter(|&v| instance.floor(v, t) > 0.0).map(Clause::Floor));
    clauses.extend((0..instance.problem.limits.len()).map(Clause::Limit));
    clauses.extend((0..instance.workloads()).filter(|&w| instance.is_exclusive(w)).map(Clause::Exclusivity));
    clauses.extend((0..instance.vendors()).map(Clause::Capacity));
    let mut lifted = BTreeSet::new();
    for &clause in &clauses {
        lifted.insert(clause);
        match alone(instance, t, lifted.clone()).program().minimise() {
            Ok(_) => lifted.remove(&clause),
            Err(Failure::Infeasible) => true,
            Err(failure) => return Err(failure),
        };
    }
    Ok(clauses.into_iter().filter(|clause| !lifted.contains(clause)).collect())
}

/// One quarter, with everything ported at no cost.
fn alone<'a>(instance: &'a Instance, t: usize, lifted: BTreeSet<Clause>) -> Formulation<'a> {
    Formulation { lifted, ..Formulation::of_cost(instance, t..t + 1, Porting::Everywhere) }
}

fn named(instance: &Instance, clause: Clause) -> Constraint {
    let workload = |w: usize| instance.problem.workloads[w].id.clone();
    let vendor = |v: usize| instance.problem.vendors[v].id.clone();
    match clause {
        Clause::Demand(w) => Constraint::Demand(workload(w)),
        Clause::Floor(v) => Constraint::Floor(vendor(v)),
        Clause::Limit(l) => Constraint::Limit(instance.problem.limits[l].name.clone()),
        Clause::Exclusivity(w) => Constraint::Exclusivity(workload(w)),
        Clause::Capacity(v) => Constraint::Capacity(vendor(v)),
    }
}
