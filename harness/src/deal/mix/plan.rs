//! The mix that was found: who serves what, what is paid, and what lies idle.

use super::formulation::{Program, Quantity};
use super::instance::Instance;
use super::linear::Optimum;
use super::prices::Prices;
use crate::units::{Chips, Share, Usd};
use serde::Serialize;
use std::fmt;

/// Chips that serve less than this share of a workload's largest demand are round-off.
const ROUND_OFF: f64 = 1e-7;

/// The cheapest allocation. Indices are those of the problem: `v` vendor, `w` workload, `t` quarter.
///
/// Each constraint holds within a millionth of the quantity it bounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mix {
    /// Discounted dollars in the mean over scenarios, porting included.
    pub cost: Usd,
    /// CVaR of the discounted dollars at the risk's alpha, porting included; null without a risk.
    pub tail: Option<Usd>,
    /// What was minimised: `cost`, or `(1 − weight)·cost + weight·tail`.
    pub objective: Usd,
    /// How far the objective may lie above the least, relative. 0 where the least was proven, which is so unless the
    /// choice of what to port took too many steps.
    pub gap: Share,
    /// `[v][w][t]`: chips that serve a workload.
    pub chips: Vec<Vec<Vec<Chips>>>,
    /// `[v][t]`: chips held, those in use and any kept idle: because a floor pays for them anyway, or to keep the
    /// others' share of a total within a limit.
    pub held: Vec<Vec<Chips>>,
    /// `[v][t]`: dollars of that quarter, in the mean over scenarios.
    pub paid: Vec<Vec<Usd>>,
    /// `[v][t]`: the part of `paid` beyond the cost of the chips in use.
    pub idle: Vec<Vec<Usd>>,
    /// `[v][t]`: share of all that is paid in the quarter; null where nothing is.
    pub share: Vec<Vec<Option<Share>>>,
    /// What is ported, and what that costs.
    pub ported: Vec<Ported>,
    /// What a little more of anything is worth.
    pub prices: Prices,
    /// What a reader should know of the terms.
    pub notices: Vec<Notice>,
}

/// A workload made to run on a vendor's chips.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ported {
    /// Id of the vendor.
    pub vendor: String,
    /// Id of the workload.
    pub workload: String,
    /// Dollars today.
    pub cost: Usd,
}

/// Terms that are legal and odd.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// A floor that all the capacity cannot use up.
    FloorAboveCapacity {
        /// Id of the vendor.
        vendor: String,
        /// Label of the quarter.
        quarter: String,
        /// Dollars due.
        floor: Usd,
        /// Dollars that every chip held would cost.
        capacity: Usd,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Notice::FloorAboveCapacity { vendor, quarter, floor, capacity } = self;
        write!(
            f,
            "the floor of {vendor} in {quarter} is {:.0} $, but all of its chips cost {:.0} $: {:.0} $ are idle whatever \
             the plan",
            floor.0,
            capacity.0,
            floor.0 - capacity.0
        )
    }
}

/// Every such term of a problem.
pub(super) fn notices(instance: &Instance) -> Vec<Notice> {
    let problem = instance.problem;
    let notice = |v: usize, t: usize| {
        let capacity = Usd(instance.capacity(v, t) * problem.vendors[v].cost[t].0);
        let floor = problem.vendors[v].floor[t];
        (floor > capacity).then(|| Notice::FloorAboveCapacity {
            vendor: problem.vendors[v].id.clone(),
            quarter: problem.quarters[t].label.clone(),
            floor,
            capacity,
        })
    };
    (0..instance.vendors()).flat_map(|v| (0..instance.quarters()).filter_map(move |t| notice(v, t))).collect()
}

/// The allocation while it is read from the optima of its programs.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    instance: &'a Instance<'a>,
    /// `[v][w][t]`.
    used: Vec<Vec<Vec<f64>>>,
    /// `[v][t]`.
    held: Vec<Vec<f64>>,
    /// `[k][v][t]`.
    paid: Vec<Vec<Vec<f64>>>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(instance: &'a Instance<'a>) -> Self {
        let over_time = vec![0.0; instance.quarters()];
        Plan {
            instance,
            used: vec![vec![over_time.clone(); instance.workloads()]; instance.vendors()],
            held: vec![over_time.clone(); instance.vendors()],
            paid: vec![vec![over_time; instance.vendors()]; instance.scenarios()],
        }
    }

    /// Takes over the quarters of a program.
    pub(super) fn record(&mut self, program: &Program, optimum: &Optimum) {
        let scale = &self.instance.scale;
        for (column, &value) in program.columns.iter().zip(&optimum.values) {
            let value = value.max(0.0);
            match column.name {
                Quantity::Used { v, w, t } => {
                    let chips = value * scale.chips[v];
                    let served = chips * self.instance.rate(v, w, t).unwrap_or(0.0) / scale.tokens[w];
                    self.used[v][w][t] = if served > ROUND_OFF { chips } else { 0.0 };
                }
                Quantity::Held { v, t } => self.held[v][t] = value * scale.chips[v],
                Quantity::Paid { k, v, t } => self.paid[k][v][t] = value * scale.usd,
                _ => {}
            }
        }
    }

    /// Settles what the programs leave open and adds it up.
    pub(super) fn settle(mut self, gap: f64, prices: Prices) -> Mix {
        self.trim();
        self.pay();
        let ported = self.ported();
        let porting: f64 = ported.iter().map(|ported| ported.cost.0).sum();
        let totals: Vec<f64> = (0..self.instance.scenarios()).map(|k| self.total(k) + porting).collect();
        let probability = |k: usize| self.instance.probability(k);
        let cost = totals.iter().enumerate().map(|(k, total)| probability(k) * total).sum();
        let risk = self.instance.problem.risk.as_ref();
        let tail = risk.map(|risk| conditional_value_at_risk(&totals, &probability, risk.alpha));
        let weight = self.instance.tail_weight();
        let paid = self.mean_paid();
        Mix {
            cost: Usd(cost),
            tail: tail.map(Usd),
            objective: Usd((1.0 - weight) * cost + weight * tail.unwrap_or(0.0)),
            gap: Share(gap),
            idle: self.idle(&paid),
            share: shares(&paid),
            chips: self.used.into_iter().map(|used| used.into_iter().map(chips).collect()).collect(),
            held: self.held.into_iter().map(chips).collect(),
            paid: paid.into_iter().map(|paid| paid.into_iter().map(Usd).collect()).collect(),
            ported,
            prices,
            notices: notices(self.instance),
        }
    }

    /// Demand bounds what is served from below only: where chips are free, a program may serve more than that.
    fn trim(&mut self) {
        for w in 0..self.instance.workloads() {
            for t in 0..self.instance.quarters() {
                let served = |v: usize| self.used[v][w][t] * self.instance.rate(v, w, t).unwrap_or(0.0);
                let served: f64 = (0..self.instance.vendors()).map(served).sum();
                let demand = self.instance.demand(w, t);
                for used in self.used.iter_mut().filter(|_| served > demand) {
                    used[w][t] *= demand / served;
                }
            }
        }
    }

    /// Dollars at least what is due for the chips held, and at least the floor.
    fn pay(&mut self) {
        for (k, paid) in self.paid.iter_mut().enumerate() {
            for (v, paid) in paid.iter_mut().enumerate() {
                for (t, paid) in paid.iter_mut().enumerate() {
                    let due = self.instance.cost(k, v, t) * self.held[v][t];
                    *paid = paid.max(due).max(self.instance.floor(v, t));
                }
            }
        }
    }

    fn ported(&self) -> Vec<Ported> {
        let problem = self.instance.problem;
        let pairs = (0..self.instance.vendors()).flat_map(|v| (0..self.instance.workloads()).map(move |w| (v, w)));
        let ported = pairs.filter(|&(v, w)| self.used[v][w].iter().any(|&used| used > 0.0));
        let ported = ported.map(|(v, w)| Ported {
            vendor: problem.vendors[v].id.clone(),
            workload: problem.workloads[w].id.clone(),
            cost: Usd(self.instance.porting(v, w)),
        });
        ported.filter(|ported| ported.cost.0 > 0.0).collect()
    }

    /// Discounted dollars of a scenario, without porting.
    fn total(&self, k: usize) -> f64 {
        let discounted = |paid: &Vec<f64>| -> f64 {
            paid.iter().enumerate().map(|(t, paid)| paid * self.instance.discount(t)).sum()
        };
        self.paid[k].iter().map(discounted).sum()
    }

    /// `[v][t]`.
    fn mean_paid(&self) -> Vec<Vec<f64>> {
        let mean = |v: usize, t: usize| -> f64 {
            self.paid.iter().enumerate().map(|(k, paid)| self.instance.probability(k) * paid[v][t]).sum()
        };
        let quarters = self.instance.quarters();
        (0..self.instance.vendors()).map(|v| (0..quarters).map(|t| mean(v, t)).collect()).collect()
    }

    fn idle(&self, paid: &[Vec<f64>]) -> Vec<Vec<Usd>> {
        let cost = |v: usize, t: usize| -> f64 {
            (0..self.instance.scenarios()).map(|k| self.instance.probability(k) * self.instance.cost(k, v, t)).sum()
        };
        let idle = |v: usize, t: usize| {
            let used: f64 = self.used[v].iter().map(|used| used[t]).sum();
            Usd((paid[v][t] - cost(v, t) * used).max(0.0))
        };
        (0..paid.len()).map(|v| (0..self.instance.quarters()).map(|t| idle(v, t)).collect()).collect()
    }
}

fn chips(values: Vec<f64>) -> Vec<Chips> {
    values.into_iter().map(Chips).collect()
}

fn shares(paid: &[Vec<f64>]) -> Vec<Vec<Option<Share>>> {
    let total = |t: usize| -> f64 { paid.iter().map(|paid| paid[t]).sum() };
    let share = |(t, usd): (usize, &f64)| (total(t) > 0.0).then(|| Share(usd / total(t)));
    paid.iter().map(|paid| paid.iter().enumerate().map(share).collect()).collect()
}

/// Mean of the dearest `1 − alpha` of outcomes; the outcome on the border counts with the part that is in the tail.
fn conditional_value_at_risk(totals: &[f64], probability: &dyn Fn(usize) -> f64, alpha: f64) -> f64 {
    let mut dearest: Vec<usize> = (0..totals.len()).collect();
    dearest.sort_by(|&a, &b| totals[b].total_cmp(&totals[a]));
    let (mut left, mut sum) = (1.0 - alpha, 0.0);
    for k in dearest {
        let part = probability(k).min(left);
        left -= part;
        sum += part * totals[k];
    }
    sum / (1.0 - alpha - left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_mean_of_the_dearest_and_splits_the_outcome_on_its_border() {
        let probability = [0.5, 0.3, 0.2];
        let tail = |alpha| conditional_value_at_risk(&[10.0, 20.0, 40.0], &|k| probability[k], alpha);
        // The dearest 20 % is 40 alone; the dearest 40 % is (0.2·40 + 0.2·20) / 0.4; all of it is the mean, 19.
        assert!(
            [(0.8, 40.0), (0.6, 30.0), (0.0, 19.0)]
                .iter()
                .all(|(alpha, by_hand)| (tail(*alpha) - by_hand).abs() < 1e-12)
        );
    }
}
