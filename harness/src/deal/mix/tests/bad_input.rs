//! What is refused before anything is computed, and in which words.

use super::*;

fn good() -> MixProblem {
    let a = vendor("aws", 2, 10.0, 100.0).serving("chat", 5.0, 3.0).with_floor(&[10.0, 10.0]);
    let mut problem = problem(vec![workload("chat", &[10.0, 20.0])], vec![a]);
    problem.limits.push(limit("all", &["aws"], 1.0, LimitOf::Spend));
    let scenario =
        |name: &str, probability| Scenario { name: name.into(), probability, cost_factor: vec![vec![1.0, 1.0]] };
    problem.risk = Some(Risk { alpha: 0.9, weight: 0.5, scenarios: vec![scenario("low", 0.5), scenario("high", 0.5)] });
    problem
}

fn risk(problem: &mut MixProblem) -> &mut Risk {
    problem.risk.as_mut().expect("the good problem has one")
}

#[track_caller]
fn assert_refused(expected: &str, spoil: impl FnOnce(&mut MixProblem)) {
    let mut problem = good();
    assert!(cheapest(&problem).is_ok(), "the problem is good until it is spoilt");
    spoil(&mut problem);
    assert_eq!(cheapest(&problem).expect_err("refused").to_string(), expected);
}

#[test]
fn numbers_outside_their_range_are_named() {
    let wanted = "a number from 0 to 1e18";
    assert_refused(&format!("the demand of chat in Q2 is -1; give {wanted}"), |p| {
        p.workloads[0].demand[1].0 = -1.0;
    });
    assert_refused(&format!("the cost of aws in Q1 is NaN; give {wanted}"), |p| p.vendors[0].cost[0].0 = f64::NAN);
    assert_refused(&format!("the capacity of aws in Q1 is inf; give {wanted}"), |p| {
        p.vendors[0].capacity[0].0 = f64::INFINITY;
    });
    assert_refused(&format!("the floor of aws in Q2 is -5; give {wanted}"), |p| p.vendors[0].floor[1].0 = -5.0);
    assert_refused(&format!("the rate of chat on aws in Q1 is -1; give {wanted}"), |p| {
        p.vendors[0].services[0].rate[0].0 = -1.0;
    });
    assert_refused(&format!("the porting cost of chat to aws is NaN; give {wanted}"), |p| {
        p.vendors[0].services[0].porting.0 = f64::NAN;
    });
    assert_refused("the power of a chip of aws is 0; give a number above 0, from 1e-18 to 1e18", |p| {
        p.vendors[0].power.0 = 0.0;
    });
    assert_refused("the discount factor of Q1 is 0; give a number above 0, from 1e-18 to 1e18", |p| {
        p.quarters[0].discount = 0.0;
    });
    assert_refused("the share of the limit all is 1.2; give a number from 0 to 1", |p| p.limits[0].share.0 = 1.2);
}

#[test]
fn numbers_of_a_risk_are_named() {
    let below = "a number of at least 0 and less than 1";
    assert_refused(&format!("alpha of the risk is 1; give {below}"), |p| risk(p).alpha = 1.0);
    assert_refused(&format!("the weight of the risk is 1; give {below}"), |p| risk(p).weight = 1.0);
    assert_refused("the probability of scenario low is -0.5; give a number from 0 to 1", |p| {
        risk(p).scenarios[0].probability = -0.5;
    });
    assert_refused("the probabilities of the scenarios sum to 0.75; they must sum to 1", |p| {
        risk(p).scenarios[0].probability = 0.25;
    });
    assert_refused("the cost factor of aws under high in Q2 is NaN; give a number from 0 to 1e18", |p| {
        risk(p).scenarios[1].cost_factor[0][1] = f64::NAN;
    });
    assert_refused("the table of cost factors of scenario high has 0 entries where 1 are needed", |p| {
        risk(p).scenarios[1].cost_factor.clear();
    });
    assert_refused("no scenarios; give at least one", |p| risk(p).scenarios.clear());
}

#[test]
fn lists_of_the_wrong_length_are_named() {
    assert_refused("the floor of aws has 1 entries where 2 are needed", |p| {
        p.vendors[0].floor.truncate(1);
    });
    assert_refused("the demand of chat has 3 entries where 2 are needed", |p| {
        p.workloads[0].demand.push(TokensPerSecond(1.0));
    });
    assert_refused("no vendors; give at least one", |p| p.vendors.clear());
}

#[test]
fn unknown_and_repeated_names_are_named() {
    assert_refused("the exclusivity of chat: unknown vendor `awz`; known: aws; did you mean `aws`?", |p| {
        p.workloads[0].only_on = Some(vec!["awz".into()])
    });
    assert_refused("the exclusivity of chat: no vendor; known: aws", |p| p.workloads[0].only_on = Some(Vec::new()));
    assert_refused("the vendors of the limit all: unknown vendor `gcp`; known: aws", |p| {
        p.limits[0].vendors.push("gcp".into());
    });
    assert_refused("the services of aws: unknown workload `code`; known: chat", |p| {
        p.vendors[0].services[0].workload = "code".into();
    });
    assert_refused("two vendors are called `aws`; each needs a name of its own", |p| {
        let again = p.vendors[0].clone();
        p.vendors.push(again);
    });
    assert_refused("two services of aws are called `chat`; each needs a name of its own", |p| {
        let again = p.vendors[0].services[0].clone();
        p.vendors[0].services.push(again);
    });
}
