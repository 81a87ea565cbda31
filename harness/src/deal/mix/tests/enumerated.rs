//! The optimum against others found without the solver: by merit order, and by trying every choice of porting.

use super::*;
use proptest::prelude::*;

/// One workload and no limits: the cheapest tokens first, those that a floor pays for anyway before all others.
fn merit_order(problem: &MixProblem) -> Option<f64> {
    let in_quarter = |t: usize| -> Option<f64> {
        let mut segments: Vec<(f64, f64)> = Vec::new();
        let mut cost = 0.0;
        for vendor in &problem.vendors {
            let (usd, chips, rate) = (vendor.cost[t].0, vendor.capacity[t].0, vendor.services[0].rate[t].0);
            let prepaid = (vendor.floor[t].0 / usd).min(chips);
            segments.extend([(0.0, prepaid * rate), (usd / rate, (chips - prepaid) * rate)]);
            cost += vendor.floor[t].0;
        }
        segments.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut left = problem.workloads[0].demand[t].0;
        for (price, tokens) in segments {
            let served = tokens.min(left);
            left -= served;
            cost += served * price;
        }
        (left <= 0.0).then_some(cost * problem.quarters[t].discount)
    };
    (0..problem.quarters.len()).map(in_quarter).sum()
}

/// The least cost over every choice of what to port: each choice is a linear program without porting.
fn every_choice(problem: &MixProblem) -> Option<f64> {
    let (vendors, workloads) = (problem.vendors.len(), problem.workloads.len());
    let cost = |choice: usize| {
        let mut chosen = problem.clone();
        let mut porting = 0.0;
        for (v, vendor) in chosen.vendors.iter_mut().enumerate() {
            let mut w = 0;
            vendor.services.retain_mut(|service| {
                let is_chosen = choice >> (v * workloads + w) & 1 == 1;
                w += 1;
                porting += if is_chosen { std::mem::take(&mut service.porting).0 } else { 0.0 };
                is_chosen
            });
        }
        cheapest(&chosen).ok().map(|mix| mix.cost.0 + porting)
    };
    (0..1 << (vendors * workloads)).filter_map(cost).min_by(f64::total_cmp)
}

fn one_workload() -> impl Strategy<Value = MixProblem> {
    let vendor_terms = (1.0..20.0, 0.0..50.0, 1.0..10.0, prop::array::uniform3(0.0..300.0));
    (prop::collection::vec(vendor_terms, 1..5), prop::array::uniform3(0.0..300.0)).prop_map(|(terms, demand)| {
        let vendors = terms.into_iter().enumerate().map(|(v, (cost, capacity, rate, floor))| {
            vendor(&format!("v{v}"), 3, cost, capacity).serving("chat", rate, 0.0).with_floor(&floor)
        });
        let mut problem = problem(vec![workload("chat", &demand)], vendors.collect());
        problem.quarters[1].discount = 0.95;
        problem
    })
}

/// Three vendors, two workloads, three quarters; porting costs about what it saves.
fn with_porting() -> impl Strategy<Value = MixProblem> {
    let vendor_terms = (5.0..20.0, 10.0..60.0, prop::array::uniform2((1.0..6.0, 0.0..150.0)), 0.0..200.0);
    let demand = prop::array::uniform2(prop::array::uniform3(0.0..120.0));
    (prop::array::uniform3(vendor_terms), demand).prop_map(|(terms, demand)| {
        let vendors = terms.into_iter().enumerate().map(|(v, (cost, capacity, services, floor))| {
            let vendor = vendor(&format!("v{v}"), 3, cost, capacity).with_floor(&[0.0, floor, floor]);
            let [chat, code] = services;
            vendor.serving("chat", chat.0, chat.1).serving("code", code.0, code.1)
        });
        let vendors: Vec<Vendor> = vendors.collect();
        let mut problem = problem(vec![workload("chat", &demand[0]), workload("code", &demand[1])], vendors);
        problem.limits.push(limit("no single vendor", &["v0"], 0.6, LimitOf::Spend));
        problem
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]
    #[test]
    fn one_workload_is_bought_in_merit_order(problem in one_workload()) {
        match (cheapest(&problem), merit_order(&problem)) {
            (Ok(mix), Some(cost)) => prop_assert!(close(mix.cost.0, cost), "{} instead of {cost}", mix.cost.0),
            (Err(MixError::Infeasible { .. }), None) => {}
            (found, cost) => prop_assert!(false, "{found:?} where merit order gives {cost:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_choice_of_porting_is_the_best_of_all_choices(problem in with_porting()) {
        match (cheapest(&problem), every_choice(&problem)) {
            (Ok(mix), Some(cost)) => prop_assert!(close(mix.cost.0, cost), "{} instead of {cost}", mix.cost.0),
            (Err(MixError::Infeasible { .. }), None) => {}
            (found, cost) => prop_assert!(false, "{found:?} where trying every choice gives {cost:?}"),
        }
    }
}
