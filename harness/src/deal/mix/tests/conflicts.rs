//! What is said of problems without a plan.

use super::*;

fn message(problem: &MixProblem) -> String {
    let error = cheapest(problem).expect_err("there is no mix");
    assert!(matches!(error, MixError::Infeasible { .. }), "{error}");
    error.to_string()
}

/// Chat of `demand` in two quarters on `aws` (1 million tokens/s) and `azure` (2 million).
fn two_clouds(demand: [f64; 2]) -> MixProblem {
    let aws = vendor("aws", 2, 10.0, 1e5).serving("chat", 10.0, 1e6);
    let azure = vendor("azure", 2, 10.0, 2e5).serving("chat", 10.0, 0.0);
    problem(vec![workload("chat", &demand)], vec![aws, azure])
}

#[test]
fn exclusivity_is_named_where_lifting_it_would_help() {
    let mut problem = two_clouds([0.5e6, 2.2e6]);
    problem.workloads[0].only_on = Some(vec!["aws".into()]);
    assert_eq!(
        message(&problem),
        "demand of chat in Q2 exceeds what vendors that may serve it can hold: short by 1.2 M tokens/s; \
         binding: exclusivity of chat, capacity of aws"
    );
}

#[test]
fn exclusivity_is_not_named_where_all_vendors_together_are_too_small() {
    let mut problem = two_clouds([0.5e6, 3.5e6]);
    problem.workloads[0].only_on = Some(vec!["aws".into()]);
    assert_eq!(
        message(&problem),
        "demand of chat in Q2 exceeds what vendors that may serve it can hold: short by 2.5 M tokens/s; \
         binding: capacity of aws, capacity of azure"
    );
}

#[test]
fn a_limit_that_keeps_the_only_large_vendor_small_is_named() {
    // Azure may take half the dollars, so at equal prices no more than aws can hold: 2 million tokens/s together.
    let mut problem = two_clouds([2.4e6, 1.0e6]);
    problem.limits.push(limit("half", &["azure"], 0.5, LimitOf::Spend));
    assert_eq!(
        message(&problem),
        "demand of chat in Q1 exceeds what vendors that may serve it can hold: short by 400.0 k tokens/s; \
         binding: limit half, capacity of aws"
    );
}

#[test]
fn a_floor_that_breaks_a_limit_conflicts_with_it_whatever_the_demand() {
    // 3 million dollars are due to aws; azure's chips cost 2 million at most, so aws has at least 60 %.
    let mut problem = two_clouds([0.5e6, 0.5e6]);
    problem.vendors[0].floor[1] = Usd(3e6);
    problem.limits.push(limit("half", &["aws"], 0.5, LimitOf::Spend));
    assert_eq!(message(&problem), "in Q2 these cannot hold together: floor of aws, limit half, capacity of azure");
}

#[test]
fn a_workload_that_no_vendor_has_a_rate_for_is_said_to_have_none() {
    let mut problem = two_clouds([0.5e6, 0.5e6]);
    problem.workloads.push(workload("code", &[0.0, 7.0]));
    assert_eq!(
        message(&problem),
        "demand of code in Q2 exceeds what vendors that may serve it can hold: short by 7.0 tokens/s; \
         none of them has a rate above 0 for it"
    );
}

#[test]
fn workloads_that_share_chips_are_short_together() {
    // 3 million tokens/s of chat fill both clouds; half of code's one million fits in no way.
    let mut problem = two_clouds([3.0e6, 1.0e6]);
    problem.workloads.push(workload("code", &[0.5e6, 0.1e6]));
    for vendor in &mut problem.vendors {
        *vendor = vendor.clone().serving("code", 10.0, 5.0);
    }
    let Err(MixError::Infeasible { conflicts }) = cheapest(&problem) else { panic!("there is no mix") };
    let missing: f64 = conflicts[0].short.iter().map(|short| short.missing.0).sum();
    assert_close("missing", missing, 0.5e6);
    assert_eq!(conflicts.len(), 1);
    let named = |constraint| conflicts[0].constraints.contains(&constraint);
    assert!(named(Constraint::Demand("chat".into())) && named(Constraint::Demand("code".into())));
    assert!(named(Constraint::Capacity("aws".into())) && named(Constraint::Capacity("azure".into())));
}

#[test]
fn many_quarters_are_counted_and_not_spelt_out() {
    let aws = vendor("aws", 6, 10.0, 1.0).serving("chat", 10.0, 0.0);
    let message = message(&problem(vec![workload("chat", &[20.0; 6])], vec![aws]));
    assert!(message.ends_with("; and so in 3 more quarters"), "{message}");
    assert_eq!(message.matches("demand of chat").count(), 3);
}
