//! What holds of every mix of every problem.

use super::*;
use proptest::prelude::*;

const VENDORS: usize = 3;
const WORKLOADS: usize = 2;
const QUARTERS: usize = 3;

fn a_vendor(v: usize) -> impl Strategy<Value = Vendor> {
    let porting = prop_oneof![Just(0.0), 1.0..80.0];
    let service = prop::option::weighted(0.8, (1.0..8.0, porting));
    let floor = prop_oneof![Just(0.0), 10.0..500.0];
    (1.0..20.0, 0.0..80.0, floor, 0.5..3.0, prop::array::uniform2(service)).prop_map(
        move |(cost, capacity, floor, power, services)| {
            let mut vendor = vendor(&format!("v{v}"), QUARTERS, cost, capacity).with_floor(&[floor, floor, 0.0]);
            vendor.power = Watts(1e3 * power);
            for (w, service) in services.into_iter().enumerate() {
                if let Some((rate, porting)) = service {
                    vendor = vendor.serving(&format!("w{w}"), rate, porting);
                }
            }
            vendor
        },
    )
}

fn a_limit(name: &'static str, of: LimitOf) -> impl Strategy<Value = Option<Limit>> {
    let members = prop::sample::subsequence(vec!["v0", "v1", "v2"], 1..=2);
    prop::option::of((members, 0.2..1.0).prop_map(move |(members, share)| limit(name, &members, share, of)))
}

fn a_risk() -> impl Strategy<Value = Option<Risk>> {
    let factors = prop::array::uniform3(prop::array::uniform3(0.5..2.0));
    prop::option::weighted(0.3, (factors, 0.0..0.95, 0.0..0.95)).prop_map(|risk| {
        risk.map(|(factors, alpha, weight)| {
            let scenario = |(k, factors): (usize, [f64; VENDORS])| Scenario {
                name: format!("s{k}"),
                probability: [0.5, 0.3, 0.2][k],
                cost_factor: factors.iter().map(|&factor| vec![factor; QUARTERS]).collect(),
            };
            Risk { alpha, weight, scenarios: factors.into_iter().enumerate().map(scenario).collect() }
        })
    })
}

fn any_problem() -> impl Strategy<Value = MixProblem> {
    let demand = prop::array::uniform2(prop::array::uniform3(prop_oneof![Just(0.0), 1.0..150.0]));
    let exclusive = prop::option::weighted(0.3, prop::sample::select(vec!["v0", "v1"]));
    let limits = (a_limit("spend", LimitOf::Spend), a_limit("power", LimitOf::Power));
    ((a_vendor(0), a_vendor(1), a_vendor(2)), demand, exclusive, limits, a_risk(), 0.8..1.0).prop_map(
        |((a, b, c), demand, exclusive, limits, risk, discount)| {
            let workloads = demand.iter().enumerate().map(|(w, demand)| workload(&format!("w{w}"), demand));
            let mut problem = problem(workloads.collect(), vec![a, b, c]);
            problem.workloads[0].only_on = exclusive.map(|vendor| vec![vendor.to_string(), "v2".to_string()]);
            problem.quarters[1].discount = discount;
            problem.limits.extend(limits.0.into_iter().chain(limits.1));
            MixProblem { risk, ..problem }
        },
    )
}

/// `a ≤ b` within a millionth of what they are made of.
fn at_most(a: f64, b: f64, of: f64) -> bool {
    a <= b + 1e-6 * of.abs().max(1.0)
}

/// The mean over scenarios of what a chip costs.
fn mean_cost(problem: &MixProblem, v: usize, t: usize) -> f64 {
    let factor = problem.risk.as_ref().map_or(1.0, |risk| {
        risk.scenarios.iter().map(|scenario| scenario.probability * scenario.cost_factor[v][t]).sum()
    });
    problem.vendors[v].cost[t].0 * factor
}

fn service(problem: &MixProblem, v: usize, w: usize) -> Option<&Service> {
    problem.vendors[v].services.iter().find(|service| service.workload == problem.workloads[w].id)
}

/// The first constraint that a mix breaks.
fn broken(problem: &MixProblem, mix: &Mix) -> Option<String> {
    (0..QUARTERS).find_map(|t| {
        vendor_broken(problem, mix, t)
            .or_else(|| demand_broken(problem, mix, t))
            .or_else(|| limit_broken(problem, mix, t))
    })
}

fn vendor_broken(problem: &MixProblem, mix: &Mix, t: usize) -> Option<String> {
    problem.vendors.iter().enumerate().find_map(|(v, vendor)| {
        let used: f64 = mix.chips[v].iter().map(|chips| chips[t].0).sum();
        let (held, paid, capacity) = (mix.held[v][t].0, mix.paid[v][t].0, vendor.capacity[t].0);
        let due = mean_cost(problem, v, t) * held;
        let holds = [
            ("use", mix.chips[v].iter().all(|chips| chips[t].0 >= 0.0) && at_most(used, held, capacity)),
            ("capacity", at_most(held, capacity, capacity)),
            ("take-or-pay", at_most(due.max(vendor.floor[t].0), paid, paid)),
            ("idle", close(mix.idle[v][t].0, paid - mean_cost(problem, v, t) * used)),
        ];
        holds.iter().find(|(_, holds)| !holds).map(|(what, _)| format!("{what} of {} in {t}", vendor.id))
    })
}

fn demand_broken(problem: &MixProblem, mix: &Mix, t: usize) -> Option<String> {
    problem.workloads.iter().enumerate().find_map(|(w, workload)| {
        let rate = |v: usize| service(problem, v, w).map_or(0.0, |service| service.rate[t].0);
        let served: f64 = (0..VENDORS).map(|v| mix.chips[v][w][t].0 * rate(v)).sum();
        let elsewhere = |v: &usize| {
            let excluded = workload.only_on.as_ref().is_some_and(|only| !only.contains(&problem.vendors[*v].id));
            (excluded || rate(*v) == 0.0) && mix.chips[*v][w][t].0 > 0.0
        };
        let astray = (0..VENDORS).any(|v| elsewhere(&v));
        (astray || !close(served, workload.demand[t].0)).then(|| format!("demand of {} in {t}: {served}", workload.id))
    })
}

fn limit_broken(problem: &MixProblem, mix: &Mix, t: usize) -> Option<String> {
    problem.limits.iter().find_map(|limit| {
        let amount = |v: usize| match limit.of {
            LimitOf::Spend => mix.paid[v][t].0,
            LimitOf::Power => mix.held[v][t].0 * problem.vendors[v].power.0 / 1e3,
        };
        let total: f64 = (0..VENDORS).map(amount).sum();
        let taken: f64 = (0..VENDORS).filter(|&v| limit.vendors.contains(&problem.vendors[v].id)).map(amount).sum();
        (!at_most(taken, limit.share.0 * total, total))
            .then(|| format!("limit {} in {t}: {taken} of {total}", limit.name))
    })
}

/// Discounted dollars in the mean, from what is paid and ported.
fn recomputed(problem: &MixProblem, mix: &Mix) -> f64 {
    let paid = (0..VENDORS).flat_map(|v| (0..QUARTERS).map(move |t| (v, t)));
    let paid: f64 = paid.map(|(v, t)| mix.paid[v][t].0 * problem.quarters[t].discount).sum();
    let is_used = |v: usize, w: usize| mix.chips[v][w].iter().any(|chips| chips.0 > 0.0);
    let porting = |(v, w): (usize, usize)| match service(problem, v, w) {
        Some(service) if is_used(v, w) => service.porting.0,
        _ => 0.0,
    };
    paid + (0..VENDORS).flat_map(|v| (0..WORKLOADS).map(move |w| (v, w))).map(porting).sum::<f64>()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]
    #[test]
    fn a_mix_satisfies_every_constraint_and_costs_what_it_says(problem in any_problem()) {
        match cheapest(&problem) {
            Ok(mix) => {
                prop_assert_eq!(broken(&problem, &mix), None);
                prop_assert!(close(mix.cost.0, recomputed(&problem, &mix)));
                prop_assert!(mix.tail.is_none_or(|tail| at_most(mix.cost.0, tail.0, tail.0)));
                prop_assert_eq!(cheapest(&problem), Ok(mix));
            }
            Err(MixError::Infeasible { conflicts }) => {
                prop_assert!(conflicts.iter().all(|conflict| !conflict.constraints.is_empty()));
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    #[test]
    fn more_capacity_never_costs_more(problem in any_problem(), v in 0..VENDORS, t in 0..QUARTERS, more in 0.1..50.0) {
        let mut larger = problem.clone();
        larger.vendors[v].capacity[t].0 += more;
        if let Ok(mix) = cheapest(&problem) {
            let saved = mix.objective.0 - cheapest(&larger).expect("what fitted fits").objective.0;
            prop_assert!(at_most(0.0, saved, mix.objective.0), "{saved}");
            // The price is that of the first chip: with what is ported as it is, later ones save no more.
            if mix.ported.is_empty() && problem.vendors.iter().all(|v| v.services.iter().all(|s| s.porting.0 == 0.0)) {
                let price = mix.prices.megawatt[v][t].0 * problem.vendors[v].power.0 / 1e6;
                prop_assert!(at_most(saved, price * more, mix.objective.0), "{saved} for {more} at {price}");
            }
        }
    }
}
