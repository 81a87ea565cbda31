//! Shadow prices: what a little more of anything would save.

use super::formulation::{Program, Quantity, Statement};
use super::instance::Instance;
use super::linear::{Column, Failure, Multipliers, Optimum, agree};
use super::problem::LimitOf;
use crate::units::{Seconds, Share, Tokens, Usd, UsdPerMegawatt, UsdPerMillionTokens};
use serde::Serialize;

/// A quarter of a year of 365.25 days.
pub const QUARTER: Seconds = Seconds(365.25 * 86_400.0 / 4.0);

/// How much larger each capacity is made before it is priced, as a share of the vendor's largest: at a kink (capacity
/// that just suffices) the price is then of one more and not of one less. Far above what the solver neglects (1e-10),
/// far below what a reader of prices would see.
const WIDENING: f64 = 1e-7;

/// Derivatives of the objective (with a risk, of the weighed one), with what is ported kept as it is: those of the linear
/// program whose binaries are fixed. They hold for small changes; a vendor to which a workload was not ported is worth
/// nothing for it.
///
/// Dollars are discounted to today, those a million tokens excepted. Indices: `v` vendor, `w` workload, `l` limit,
/// `t` quarter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prices {
    /// `[v][t]`: saved by one more megawatt of the vendor's chips in that quarter.
    pub megawatt: Vec<Vec<UsdPerMegawatt>>,
    /// `[v]`: saved by one more megawatt in every quarter of the horizon.
    pub megawatt_over_horizon: Vec<UsdPerMegawatt>,
    /// `[w][t]`: cost of a million more tokens, spread over the quarter, in dollars of that quarter; null where no demand
    /// is. Under a floor with room left it is 0.
    pub token: Vec<Vec<Option<UsdPerMillionTokens>>>,
    /// `[v][t]`: dollars saved by each dollar that the floor of that quarter is lowered; 0 where there is none.
    pub floor: Vec<Vec<Share>>,
    /// `[l][t]`: saved by one percentage point more for the limited set.
    pub limit: Vec<Vec<Usd>>,
}

impl Prices {
    /// Nothing is worth anything yet.
    pub(super) fn new(instance: &Instance) -> Self {
        let quarters = instance.quarters();
        Prices {
            megawatt: vec![vec![UsdPerMegawatt(0.0); quarters]; instance.vendors()],
            megawatt_over_horizon: vec![UsdPerMegawatt(0.0); instance.vendors()],
            token: vec![vec![None; quarters]; instance.workloads()],
            floor: vec![vec![Share(0.0); quarters]; instance.vendors()],
            limit: vec![vec![Usd(0.0); quarters]; instance.problem.limits.len()],
        }
    }

    /// Takes over the quarters of a program, whose optimum the multipliers must prove.
    pub(super) fn record(&mut self, instance: &Instance, program: &Program, optimum: &Optimum) -> Result<(), Failure> {
        let multipliers = multipliers(program, optimum)?;
        for (j, column) in program.columns.iter().enumerate() {
            let (lower, upper) = (multipliers.lower[j], multipliers.upper[j]);
            match column.name {
                Quantity::Held { v, t } => {
                    let worth = upper * instance.scale.usd / instance.scale.chips[v];
                    self.add_chips(instance, v, t, worth);
                }
                Quantity::Paid { k, v, t } => {
                    // The most that may be due is the cost of all chips, or the floor if that is more.
                    if instance.floor(v, t) < instance.most_due(k, v, t) {
                        self.add_chips(instance, v, t, upper * instance.cost(k, v, t));
                        self.floor[v][t] = self.floor[v][t] + Share(lower);
                    } else {
                        self.floor[v][t] = self.floor[v][t] + Share(lower - upper);
                    }
                }
                _ => {}
            }
        }
        self.record_rows(instance, program, optimum, &multipliers);
        Ok(())
    }

    /// `worth` in dollars a chip.
    fn add_chips(&mut self, instance: &Instance, v: usize, t: usize, worth: f64) {
        let worth = UsdPerMegawatt(worth * 1e6 / instance.problem.vendors[v].power.0);
        self.megawatt[v][t] = self.megawatt[v][t] + worth;
        self.megawatt_over_horizon[v] = self.megawatt_over_horizon[v] + worth;
    }

    fn record_rows(&mut self, instance: &Instance, program: &Program, optimum: &Optimum, multipliers: &Multipliers) {
        let scale = &instance.scale;
        for (row, &worth) in program.rows.iter().zip(&multipliers.rows) {
            match row.name {
                Statement::Demand { w, t } => {
                    let usd = Usd(worth * scale.usd / instance.discount(t));
                    self.token[w][t] = Some(usd / Tokens(scale.tokens[w] * QUARTER.0));
                }
                Statement::Limit { l, t } => {
                    // ∂/∂share of Σ_S spend − share·Σ spend is −Σ spend, and a point is a hundredth.
                    let total = total(instance, program, optimum, instance.problem.limits[l].of, t);
                    self.limit[l][t] = Usd(-worth * total * scale.usd / 100.0);
                }
                _ => {}
            }
        }
    }
}

/// What a limit's share is of, in the units of its row.
fn total(instance: &Instance, program: &Program, optimum: &Optimum, of: LimitOf, quarter: usize) -> f64 {
    let scale = &instance.scale;
    let amount = |(column, value): (&Column<Quantity>, &f64)| match (column.name, of) {
        (Quantity::Held { v, t }, LimitOf::Power) if t == quarter => {
            value * instance.problem.vendors[v].power.0 * scale.chips[v] / scale.power
        }
        (Quantity::Held { v, t }, LimitOf::Spend) if t == quarter && instance.floor(v, t) == 0.0 => {
            let mean = |k: usize| instance.probability(k) * instance.cost(k, v, t);
            value * (0..instance.scenarios()).map(mean).sum::<f64>() * scale.chips[v] / scale.usd
        }
        (Quantity::Paid { k, t, .. }, LimitOf::Spend) if t == quarter => value * instance.probability(k),
        _ => 0.0,
    };
    program.columns.iter().zip(&optimum.values).map(amount).sum()
}

/// Multipliers of the program with capacities a little wider. That their objective meets the optimum's proves the
/// optimum least.
fn multipliers(program: &Program, optimum: &Optimum) -> Result<Multipliers, Failure> {
    let mut wider = program.clone();
    let held = |name: Quantity| matches!(name, Quantity::Held { .. });
    wider.columns.iter_mut().filter(|column| held(column.name)).for_each(|column| column.upper += WIDENING);
    let multipliers = wider.multipliers().map_err(|failure| match failure {
        Failure::Infeasible => Failure::Solver("the dual of a program with a solution has none".into()),
        solver => solver,
    })?;
    let widened = wider.columns.iter().zip(&multipliers.upper).filter(|(column, _)| held(column.name));
    let objective = multipliers.objective + widened.map(|(_, worth)| worth * WIDENING).sum::<f64>();
    if agree(objective, optimum.objective) {
        return Ok(multipliers);
    }
    Err(Failure::Solver(format!("a plan costs {} where its dual proves {objective}", optimum.objective)))
}
