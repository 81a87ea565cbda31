//! The mix against examples worked by hand, against brute force, and against its own constraints.

mod bad_input;
mod conflicts;
mod enumerated;
mod finite_differences;
mod properties;
mod risk;
mod worked;

use super::*;
use crate::units::{Chips, Share, TokensPerSecond, Usd, Watts};

/// Quarters called Q1, Q2, …, without discounting.
fn quarters(count: usize) -> Vec<Quarter> {
    (1..=count).map(|n| Quarter { label: format!("Q{n}"), discount: 1.0 }).collect()
}

fn workload(id: &str, demand: &[f64]) -> Workload {
    Workload { id: id.into(), demand: demand.iter().copied().map(TokensPerSecond).collect(), only_on: None }
}

/// A vendor of one-kilowatt chips with the same cost and capacity in every quarter, no floor and nothing it serves yet.
fn vendor(id: &str, quarters: usize, cost: f64, capacity: f64) -> Vendor {
    Vendor {
        id: id.into(),
        cost: vec![Usd(cost); quarters],
        capacity: vec![Chips(capacity); quarters],
        floor: vec![Usd(0.0); quarters],
        power: Watts(1e3),
        services: Vec::new(),
    }
}

impl Vendor {
    fn with_floor(self, floor: &[f64]) -> Vendor {
        Vendor { floor: floor.iter().copied().map(Usd).collect(), ..self }
    }

    /// Serves a workload at one rate in every quarter.
    fn serving(mut self, workload: &str, rate: f64, porting: f64) -> Vendor {
        let rate = vec![TokensPerSecond(rate); self.cost.len()];
        self.services.push(Service { workload: workload.into(), rate, porting: Usd(porting) });
        self
    }
}

fn limit(name: &str, vendors: &[&str], share: f64, of: LimitOf) -> Limit {
    Limit { name: name.into(), vendors: vendors.iter().map(ToString::to_string).collect(), share: Share(share), of }
}

/// A problem without limits and without risk.
fn problem(workloads: Vec<Workload>, vendors: Vec<Vendor>) -> MixProblem {
    let quarters = quarters(workloads[0].demand.len());
    MixProblem { quarters, workloads, vendors, limits: Vec::new(), risk: None }
}

/// Within a millionth, relative, and absolute below 1.
fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1.0)
}

#[track_caller]
fn assert_close(what: &str, found: f64, expected: f64) {
    assert!(close(found, expected), "{what}: found {found}, expected {expected}");
}
