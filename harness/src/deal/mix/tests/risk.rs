//! The tail, worked by hand.

use super::*;

/// 10 tokens/s on A or B, a token/s a chip. Costs by scenario in dollars a chip, on a base of 1.
fn spiking(a: &[f64], b: &[f64], probability: &[f64], alpha: f64, weight: f64) -> MixProblem {
    let vendors = ["a", "b"].map(|id| vendor(id, 1, 1.0, 100.0).serving("chat", 1.0, 0.0)).to_vec();
    let scenario = |(k, (&a, &b)): (usize, (&f64, &f64))| Scenario {
        name: format!("s{k}"),
        probability: probability[k],
        cost_factor: vec![vec![a], vec![b]],
    };
    let scenarios = a.iter().zip(b).enumerate().map(scenario).collect();
    let risk = Some(Risk { alpha, weight, scenarios });
    MixProblem { risk, ..problem(vec![workload("chat", &[10.0])], vendors) }
}

#[test]
fn a_small_weight_of_the_tail_takes_the_cheaper_mean_and_a_larger_one_the_certain_price() {
    // A costs 10 $ for certain. B costs 6 $ with 90 %, else 30 $: 8.40 $ in the mean, 30 $ in the dearest 10 %.
    // Of weight q, B is (1 − q)·8.4 + q·30: 9.48 $ at 0.05, 10.56 $ at 0.1.
    let with = |weight| cheapest(&spiking(&[10.0, 10.0], &[6.0, 30.0], &[0.9, 0.1], 0.9, weight)).expect("a mix");
    let light = with(0.05);
    assert_close("chips of b", light.chips[1][0][0].0, 10.0);
    assert_close("cost", light.cost.0, 84.0);
    assert_close("tail", light.tail.expect("a risk").0, 300.0);
    assert_close("objective", light.objective.0, 94.8);
    let heavy = with(0.1);
    assert_close("chips of a", heavy.chips[0][0][0].0, 10.0);
    assert_close("cost", heavy.cost.0, 100.0);
    assert_close("tail", heavy.tail.expect("a risk").0, 100.0);
}

#[test]
fn vendors_that_are_dear_at_different_times_are_mixed() {
    // Each costs 6 $, and 30 $ in a tenth of cases that are not the other's. The dearest 10 %: 300 $ with one vendor;
    // with x of 10 tokens/s on A, 30x + 6(10 − x) or the reverse, least at x = 5: 180 $.
    let problem = spiking(&[6.0, 30.0, 6.0], &[6.0, 6.0, 30.0], &[0.8, 0.1, 0.1], 0.9, 0.5);
    let mix = cheapest(&problem).expect("a mix");
    assert_close("chips of a", mix.chips[0][0][0].0, 5.0);
    assert_close("tail", mix.tail.expect("a risk").0, 180.0);
    assert_close("cost", mix.cost.0, 0.8 * 60.0 + 0.2 * 180.0);
}

#[test]
fn without_weight_the_tail_is_reported_and_changes_nothing() {
    let mix = cheapest(&spiking(&[10.0, 10.0], &[6.0, 30.0], &[0.9, 0.1], 0.9, 0.0)).expect("a mix");
    assert_close("cost", mix.cost.0, 84.0);
    assert_close("tail", mix.tail.expect("a risk").0, 300.0);
    assert_eq!(mix.objective, mix.cost);
}

#[test]
fn a_floor_is_a_floor_in_every_scenario() {
    // B costs 6 $ or 30 $, with a floor of 100 $: 10 chips cost 100 $ or 300 $, 120 $ in the mean.
    let mut problem = spiking(&[100.0, 100.0], &[6.0, 30.0], &[0.9, 0.1], 0.9, 0.5);
    problem.vendors[1].floor[0] = Usd(100.0);
    let mix = cheapest(&problem).expect("a mix");
    assert_close("cost", mix.cost.0, 0.9 * 100.0 + 0.1 * 300.0);
    assert_close("idle", mix.idle[1][0].0, 120.0 - 84.0);
}
