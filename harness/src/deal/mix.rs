//! The cheapest vendor mix over time, as a linear program with binaries, and what a little more of anything is worth.
//!
//! Chips `x[v,w,t]` of vendor `v` serve workload `w` in quarter `t`; `h[v,t]` are held, in use or idle; `p[v,t]` dollars
//! are paid; `y[v,w]` is 1 if the vendor ever serves the workload.
//!
//! ```text
//! min  Σ_t discount[t]·Σ_v p[v,t] + Σ_vw porting[v,w]·y[v,w]
//! demand        Σ_v rate[v,w,t]·x[v,w,t] ≥ demand[w,t]           x only where the vendor has a rate
//! use           Σ_w x[v,w,t] ≤ h[v,t] ≤ capacity[v,t]
//! take-or-pay   p[v,t] ≥ cost[v,t]·h[v,t],   floor[v,t] ≤ p[v,t] ≤ max(cost[v,t]·capacity[v,t], floor[v,t])
//! exclusivity   x[v,w,t] = 0 for vendors outside the set that alone may serve w
//! limit         Σ_S p[v,t] ≤ share·Σ p[v,t],   or the same of power, W[v]·h[v,t]
//! porting       x[v,w,t] ≤ min(capacity[v,t], demand[w,t]/rate[v,w,t])·y[v,w]
//! ```
//! With a [`Risk`], each scenario `k` has its own cost and so its own `p[k,v,t]`; limits hold for the mean, and the
//! objective is `(1 − weight)·E[cost] + weight·(z + E[u]/(1 − alpha))` with `u_k ≥ cost_k − z` (Rockafellar & Uryasev
//! 2000), whose least is that of the tail's mean.
//!
//! Three steps:
//! 1. branch and bound chooses `y`, unless porting costs nothing;
//! 2. with `y` fixed, a linear program finds the allocation. Quarters then depend on each other only through the tail,
//!    so without one each is a small program of its own;
//! 3. the dual of that program gives the [`Prices`], and proves the optimum: the two objectives must agree within a
//!    millionth, as must that of step 1.
//!
//! The solver holds each constraint within 1e-7 in units of the largest capacity, demand or payment, and stops when no
//! better choice of `y` by more than 1e-9 of the objective is left. The same problem gives the same mix, bit for bit.

mod check;
mod conflict;
mod error;
mod formulation;
mod instance;
mod linear;
mod plan;
mod prices;
mod problem;
#[cfg(test)]
mod tests;

pub use conflict::{Conflict, Constraint, Shortage};
pub use error::MixError;
pub use plan::{Mix, Notice, Ported};
pub use prices::{Prices, QUARTER};
pub use problem::{Limit, LimitOf, MixProblem, Quarter, Risk, Scenario, Service, Vendor, Workload};

use formulation::{Formulation, Porting, Quantity};
use instance::Instance;
use linear::{Failure, agree};
use plan::Plan;

/// The cheapest allocation that meets demand within every constraint.
///
/// # Errors
/// The problem is malformed (the field is named), no allocation satisfies it (what conflicts is named, quarter by
/// quarter), or the solver failed.
pub fn cheapest(problem: &MixProblem) -> Result<Mix, MixError> {
    let instance = Instance::new(problem)?;
    solve(&instance).map_err(|failure| match failure {
        Failure::Infeasible => conflict::explain(&instance),
        Failure::Solver(detail) => MixError::Solver { detail },
    })
}

/// What to port where, and what that choice promises.
struct Choice {
    /// `[v][w]`.
    ported: Vec<Vec<bool>>,
    /// What that costs, in units of the scale.
    porting: f64,
    /// The objective in units of the scale, porting included; null where there was nothing to choose.
    objective: Option<f64>,
    gap: f64,
}

fn solve(instance: &Instance) -> Result<Mix, Failure> {
    let choice = choose(instance)?;
    let quarters = instance.quarters();
    let length = if instance.tail_weight() > 0.0 { quarters } else { 1 };
    let mut plan = Plan::new(instance);
    let mut prices = Prices::new(instance);
    let mut promised = choice.porting;
    for start in (0..quarters).step_by(length) {
        let program = Formulation::of_cost(instance, start..start + length, Porting::Given(&choice.ported)).program();
        let optimum = program.minimise()?;
        promised += optimum.objective;
        prices.record(instance, &program, &optimum)?;
        plan.record(&program, &optimum);
    }
    let mix = plan.settle(choice.gap, prices);
    let found = mix.objective.0 / instance.scale.usd;
    match [Some(promised), choice.objective].into_iter().flatten().find(|&promised| !agree(promised, found)) {
        Some(promised) => Err(Failure::Solver(format!("a plan costs {found} where its program promised {promised}"))),
        None => Ok(mix),
    }
}

/// Chooses what to port by branch and bound; nothing is to be chosen where porting costs nothing.
fn choose(instance: &Instance) -> Result<Choice, Failure> {
    let mut ported = vec![vec![false; instance.workloads()]; instance.vendors()];
    let program = Formulation::of_cost(instance, 0..instance.quarters(), Porting::Chosen).program();
    if !program.columns.iter().any(|column| matches!(column.name, Quantity::Ported { .. })) {
        return Ok(Choice { ported, porting: 0.0, objective: None, gap: 0.0 });
    }
    let optimum = program.minimise()?;
    let mut porting = 0.0;
    for (column, value) in program.columns.iter().zip(&optimum.values) {
        if let Quantity::Ported { v, w } = column.name {
            ported[v][w] = *value > 0.5;
            porting += if ported[v][w] { column.cost } else { 0.0 };
        }
    }
    Ok(Choice { ported, porting, objective: Some(optimum.objective), gap: optimum.gap })
}
