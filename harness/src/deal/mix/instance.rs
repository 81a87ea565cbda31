//! A checked problem, with names resolved to indices and units to magnitudes near one.

use super::check::check;
use super::error::MixError;
use super::problem::{MixProblem, Service, Vendor, Workload};

/// A problem that passed [`check`]. Indices: `v` vendor, `w` workload, `t` quarter, `l` limit, `k` scenario.
#[derive(Debug)]
pub(super) struct Instance<'p> {
    pub(super) problem: &'p MixProblem,
    pub(super) scale: Scale,
    /// `[v][w]`.
    services: Vec<Vec<Option<&'p Service>>>,
    /// `[w][v]`: whether exclusivity lets the vendor serve the workload.
    admitted: Vec<Vec<bool>>,
    /// `[l][v]`.
    limited: Vec<Vec<bool>>,
}

/// What one unit of the linear program is, so that its tolerances, which are absolute, mean the same in every problem.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    /// Dollars: the most that one vendor may be due in a quarter.
    pub(super) usd: f64,
    /// Chips, by vendor: its largest capacity; where it has none, what the largest of others has in power.
    pub(super) chips: Vec<f64>,
    /// Tokens a second, by workload: its largest demand.
    pub(super) tokens: Vec<f64>,
    /// Watts: the most that one vendor's chips may draw.
    pub(super) power: f64,
}

impl<'p> Instance<'p> {
    /// The problem with its names resolved.
    ///
    /// # Errors
    /// It is not one: see [`check`].
    pub(super) fn new(problem: &'p MixProblem) -> Result<Self, MixError> {
        check(problem)?;
        let service = |v: usize, w: usize| {
            let id = &problem.workloads[w].id;
            problem.vendors[v].services.iter().find(|service| service.workload == *id)
        };
        let (vendors, workloads) = (problem.vendors.len(), problem.workloads.len());
        let services = (0..vendors).map(|v| (0..workloads).map(|w| service(v, w)).collect()).collect();
        let among = |set: &[String]| problem.vendors.iter().map(|vendor| set.contains(&vendor.id)).collect();
        let admit = |only: &Option<Vec<String>>| only.as_deref().map_or_else(|| vec![true; vendors], among);
        let admitted = problem.workloads.iter().map(|workload| admit(&workload.only_on)).collect();
        let limited = problem.limits.iter().map(|limit| among(&limit.vendors)).collect();
        Ok(Instance { problem, scale: Scale::of(problem), services, admitted, limited })
    }

    pub(super) fn quarters(&self) -> usize {
        self.problem.quarters.len()
    }

    pub(super) fn workloads(&self) -> usize {
        self.problem.workloads.len()
    }

    pub(super) fn vendors(&self) -> usize {
        self.problem.vendors.len()
    }

    /// One where prices are certain.
    pub(super) fn scenarios(&self) -> usize {
        self.problem.risk.as_ref().map_or(1, |risk| risk.scenarios.len())
    }

    pub(super) fn probability(&self, k: usize) -> f64 {
        self.problem.risk.as_ref().map_or(1.0, |risk| risk.scenarios[k].probability)
    }

    /// Weight of the tail in the objective; 0 where prices are certain.
    pub(super) fn tail_weight(&self) -> f64 {
        self.problem.risk.as_ref().map_or(0.0, |risk| risk.weight)
    }

    /// Dollars for a chip held for the quarter.
    pub(super) fn cost(&self, k: usize, v: usize, t: usize) -> f64 {
        let factor = self.problem.risk.as_ref().map_or(1.0, |risk| risk.scenarios[k].cost_factor[v][t]);
        factor * self.problem.vendors[v].cost[t].0
    }

    /// The most that may be due: for every chip, or the floor if that is more.
    pub(super) fn most_due(&self, k: usize, v: usize, t: usize) -> f64 {
        (self.cost(k, v, t) * self.capacity(v, t)).max(self.floor(v, t))
    }

    pub(super) fn capacity(&self, v: usize, t: usize) -> f64 {
        self.problem.vendors[v].capacity[t].0
    }

    pub(super) fn floor(&self, v: usize, t: usize) -> f64 {
        self.problem.vendors[v].floor[t].0
    }

    pub(super) fn demand(&self, w: usize, t: usize) -> f64 {
        self.problem.workloads[w].demand[t].0
    }

    pub(super) fn discount(&self, t: usize) -> f64 {
        self.problem.quarters[t].discount
    }

    /// Tokens a second of one chip; null where it cannot serve.
    pub(super) fn rate(&self, v: usize, w: usize, t: usize) -> Option<f64> {
        self.services[v][w].map(|service| service.rate[t].0).filter(|&rate| rate > 0.0)
    }

    /// Dollars paid once if the vendor ever serves the workload.
    pub(super) fn porting(&self, v: usize, w: usize) -> f64 {
        self.services[v][w].map_or(0.0, |service| service.porting.0)
    }

    pub(super) fn is_admitted(&self, v: usize, w: usize) -> bool {
        self.admitted[w][v]
    }

    /// Whether the workload is reserved to some vendors.
    pub(super) fn is_exclusive(&self, w: usize) -> bool {
        self.problem.workloads[w].only_on.is_some()
    }

    pub(super) fn is_limited(&self, l: usize, v: usize) -> bool {
        self.limited[l][v]
    }
}

impl Scale {
    fn of(problem: &MixProblem) -> Scale {
        let due = |t: usize| {
            let due = problem.vendors.iter().map(move |v| (v.cost[t].0 * v.capacity[t].0).max(v.floor[t].0));
            largest(due).unwrap_or(0.0)
        };
        let most = |vendor: &Vendor| largest(vendor.capacity.iter().map(|chips| chips.0));
        let power = |vendor: &Vendor| most(vendor).unwrap_or(0.0) * vendor.power.0;
        let power = largest(problem.vendors.iter().map(power)).unwrap_or(1e3);
        let tokens = |workload: &Workload| largest(workload.demand.iter().map(|rate| rate.0)).unwrap_or(1.0);
        Scale {
            usd: largest((0..problem.quarters.len()).map(due)).unwrap_or(1.0),
            chips: problem.vendors.iter().map(|v| most(v).unwrap_or(power / v.power.0)).collect(),
            tokens: problem.workloads.iter().map(tokens).collect(),
            power,
        }
    }
}

/// The largest, if any is above 0.
fn largest(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.filter(|&value| value > 0.0).max_by(f64::total_cmp)
}
