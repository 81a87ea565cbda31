//! Prices against differences of the objective.

use super::*;
use std::collections::BTreeSet;

/// A step at which no vertex changes in these problems, and round-off does not show.
const STEP: f64 = 1e-3;

/// Floors in use and idle, both kinds of limits, exclusivity, porting worth its cost; nothing on a kink.
fn example() -> MixProblem {
    let mut code = workload("code", &[170.0, 230.0]);
    code.only_on = Some(vec!["a".into(), "c".into()]);
    let mut a = vendor("a", 2, 20.0, 48.0).serving("chat", 5.3, 11.0).serving("code", 4.1, 0.0);
    a.power = Watts(1.7e3);
    let b = vendor("b", 2, 12.0, 31.0).serving("chat", 3.9, 7.0).with_floor(&[311.0, 900.0]);
    let mut c =
        vendor("c", 2, 31.0, 86.0).serving("chat", 6.1, 0.0).serving("code", 5.9, 3.0).with_floor(&[205.0, 0.0]);
    c.power = Watts(2.3e3);
    let mut problem = problem(vec![workload("chat", &[210.0, 290.0]), code], vec![a, b, c]);
    problem.quarters[1].discount = 0.93;
    problem.limits.push(limit("spend", &["a", "b"], 0.43, LimitOf::Spend));
    problem.limits.push(limit("power", &["c"], 0.64, LimitOf::Power));
    problem
}

fn risky() -> MixProblem {
    let factors = [[1.0, 1.0, 1.0], [1.4, 0.9, 1.1], [0.8, 1.7, 0.95], [1.1, 1.2, 1.6]];
    let scenario = |(k, factors): (usize, [f64; 3])| Scenario {
        name: format!("s{k}"),
        probability: [0.4, 0.3, 0.2, 0.1][k],
        cost_factor: factors.iter().map(|&factor| vec![factor, factor * 1.05]).collect(),
    };
    let scenarios = factors.into_iter().enumerate().map(scenario).collect();
    MixProblem { risk: Some(Risk { alpha: 0.75, weight: 0.35, scenarios }), ..example() }
}

/// Slopes of the objective to the left and to the right of the problem as it is.
fn slopes(problem: &MixProblem, change: impl Fn(&mut MixProblem, f64)) -> [f64; 2] {
    let objective = |step: f64| {
        let mut changed = problem.clone();
        change(&mut changed, step);
        cheapest(&changed).expect("still has a mix").objective.0
    };
    let here = objective(0.0);
    [(here - objective(-STEP)) / STEP, (objective(STEP) - here) / STEP]
}

/// The price lies between the slopes, which differ by little where the objective is smooth.
#[track_caller]
fn assert_slope(what: &str, price: f64, slopes: [f64; 2]) {
    let [low, high] = if slopes[0] < slopes[1] { slopes } else { [slopes[1], slopes[0]] };
    let slack = 1e-4 * price.abs().max(1.0);
    assert!(high - low <= slack, "{what}: a kink, {low} to {high}");
    assert!(low - slack <= price && price <= high + slack, "{what}: {price} where the slope is {low} to {high}");
}

/// Checks every price of a problem; the kinds of those that are not 0.
fn check(problem: &MixProblem) -> Vec<&'static str> {
    let prices = cheapest(problem).expect("a mix").prices;
    let mut nonzero = BTreeSet::new();
    let mut compare = |kind: &'static str, of: &str, price: f64, slopes: [f64; 2]| {
        assert_slope(&format!("{kind} of {of}"), price, slopes);
        if price.abs() > 1e-6 {
            nonzero.insert(kind);
        }
    };
    for t in 0..problem.quarters.len() {
        for (v, vendor) in problem.vendors.iter().enumerate() {
            let chip = -prices.megawatt[v][t].0 * vendor.power.0 / 1e6;
            let slope = slopes(problem, |p, step| p.vendors[v].capacity[t].0 += step);
            compare("capacity", &format!("{} in {t}", vendor.id), chip, slope);
            if vendor.floor[t].0 > 0.0 {
                let slope = slopes(problem, |p, step| p.vendors[v].floor[t].0 += step);
                compare("floor", &format!("{} in {t}", vendor.id), prices.floor[v][t].0, slope);
            }
        }
        for (w, workload) in problem.workloads.iter().enumerate() {
            let token = prices.token[w][t].expect("there is demand").0 * problem.quarters[t].discount;
            let slope = slopes(problem, |p, step| p.workloads[w].demand[t].0 += step);
            compare("demand", &format!("{} in {t}", workload.id), token * QUARTER.0 / 1e6, slope);
        }
    }
    for (l, limit) in problem.limits.iter().enumerate() {
        // A limit holds in every quarter. The objective is no line in the share: a smaller step keeps its bend out.
        let slope = slopes(problem, |p, step| p.limits[l].share.0 += step * 1e-3).map(|slope| slope * 1e3);
        let points: f64 = prices.limit[l].iter().map(|point| point.0).sum();
        compare(if limit.of == LimitOf::Spend { "spend" } else { "power" }, &limit.name, -points * 100.0, slope);
    }
    nonzero.into_iter().collect()
}

#[test]
fn every_price_is_a_slope_of_the_objective() {
    assert_eq!(check(&example()), ["capacity", "demand", "floor", "power", "spend"]);
}

#[test]
fn every_price_is_a_slope_of_the_objective_with_a_tail() {
    assert_eq!(check(&risky()), ["capacity", "demand", "floor", "power", "spend"]);
}

#[test]
fn a_megawatt_over_the_horizon_is_one_in_every_quarter() {
    let problem = example();
    let prices = cheapest(&problem).expect("a mix").prices;
    for (v, vendor) in problem.vendors.iter().enumerate() {
        let slope = slopes(&problem, |p, step| p.vendors[v].capacity.iter_mut().for_each(|chips| chips.0 += step));
        assert_slope(&vendor.id, -prices.megawatt_over_horizon[v].0 * vendor.power.0 / 1e6, slope);
    }
}
