//! Examples worked by hand.

use super::*;

#[test]
fn the_cheapest_token_is_bought_first_and_the_last_one_sets_the_price() {
    // A: 10 $ a chip-quarter for 5 tokens/s (2 $ for each token/s), 10 chips. B: 12 $ for 4 (3 $), 100 chips.
    // 90 tokens/s: A serves 50 for 100 $, B 40 with 10 chips for 120 $.
    // Another token/s costs 3 $. Another chip of A saves 5·3 − 10 = 5 $, so another MW, a thousand, 5000 $.
    let a = vendor("a", 1, 10.0, 10.0).serving("chat", 5.0, 0.0);
    let b = vendor("b", 1, 12.0, 100.0).serving("chat", 4.0, 0.0);
    let mix = cheapest(&problem(vec![workload("chat", &[90.0])], vec![a, b])).expect("a mix");
    assert_close("cost", mix.cost.0, 220.0);
    assert_close("chips of a", mix.chips[0][0][0].0, 10.0);
    assert_close("chips of b", mix.chips[1][0][0].0, 10.0);
    assert_close("share of a", mix.share[0][0].expect("dollars are paid").0, 100.0 / 220.0);
    assert_close("a megawatt of a", mix.prices.megawatt[0][0].0, 5000.0);
    assert_close("a megawatt of b", mix.prices.megawatt[1][0].0, 0.0);
    let token = mix.prices.token[0][0].expect("there is demand").0;
    assert_close("a million tokens", token, 3.0 / QUARTER.0 * 1e6);
    assert_eq!((mix.gap, mix.tail, mix.objective), (Share(0.0), None, mix.cost));
    assert!(mix.ported.is_empty() && mix.notices.is_empty());
}

#[test]
fn what_a_floor_pays_for_is_used_first_and_the_rest_of_it_lies_idle() {
    // A as above but dear: 20 $ for 5 tokens/s, floor 100 $ (5 chips, 25 tokens/s). B: 12 $ for 4.
    // 45 tokens/s in Q1: A's floor serves 25, B 20 for 60 $. 10 in Q2: A's floor alone, 2 chips, 60 $ idle.
    // With a discount of 0.9 in Q2: 160 + 0.9·100 = 250 $.
    // In Q1 a dollar less of floor buys back 0.25 tokens/s from B at 3 $: 1 − 0.75 = 0.25 $ saved. In Q2 0.9 $.
    let a = vendor("a", 2, 20.0, 10.0).serving("chat", 5.0, 0.0).with_floor(&[100.0, 100.0]);
    let b = vendor("b", 2, 12.0, 100.0).serving("chat", 4.0, 0.0);
    let mut problem = problem(vec![workload("chat", &[45.0, 10.0])], vec![a, b]);
    problem.quarters[1].discount = 0.9;
    let mix = cheapest(&problem).expect("a mix");
    assert_close("cost", mix.cost.0, 250.0);
    assert_close("chips of a in Q1", mix.chips[0][0][0].0, 5.0);
    assert_close("chips of a in Q2", mix.chips[0][0][1].0, 2.0);
    assert_close("idle in Q1", mix.idle[0][0].0, 0.0);
    assert_close("idle in Q2", mix.idle[0][1].0, 60.0);
    assert_close("floor of Q1", mix.prices.floor[0][0].0, 0.25);
    assert_close("floor of Q2", mix.prices.floor[0][1].0, 0.9);
    assert_close("a token in Q2", mix.prices.token[0][1].expect("there is demand").0, 0.0);
}

#[test]
fn porting_is_paid_once_and_only_if_the_horizon_pays_it_back() {
    // A runs as it is: 3 $ for each token/s. B: 2 $, after porting for 15 $. 10 tokens/s save 10 $ a quarter:
    // one quarter does not pay 15 $ back, two do.
    let vendors = |quarters| {
        vec![
            vendor("a", quarters, 3.0, 100.0).serving("chat", 1.0, 0.0),
            vendor("b", quarters, 2.0, 100.0).serving("chat", 1.0, 15.0),
        ]
    };
    let one = cheapest(&problem(vec![workload("chat", &[10.0])], vendors(1))).expect("a mix");
    assert_close("cost of one quarter", one.cost.0, 30.0);
    assert!(one.ported.is_empty());
    let two = cheapest(&problem(vec![workload("chat", &[10.0, 10.0])], vendors(2))).expect("a mix");
    assert_close("cost of two quarters", two.cost.0, 55.0);
    let ported = Ported { vendor: "b".into(), workload: "chat".into(), cost: Usd(15.0) };
    assert_eq!(two.ported, [ported]);
    // The binaries are fixed where prices are read: not ported, B is worth nothing in the single quarter.
    assert_close("a megawatt of b", one.prices.megawatt[1][0].0, 0.0);
    assert_close("a token", two.prices.token[0][0].expect("there is demand").0, 2.0 / QUARTER.0 * 1e6);
}

#[test]
fn exclusivity_keeps_a_workload_where_it_is_reserved() {
    // B is cheaper for both, but code is reserved to A: 10 tokens/s of code at 3 $ and 10 of chat at 2 $.
    let a = vendor("a", 1, 3.0, 100.0).serving("chat", 1.0, 0.0).serving("code", 1.0, 0.0);
    let b = vendor("b", 1, 2.0, 100.0).serving("chat", 1.0, 0.0).serving("code", 1.0, 0.0);
    let mut code = workload("code", &[10.0]);
    code.only_on = Some(vec!["a".into()]);
    let mix = cheapest(&problem(vec![workload("chat", &[10.0]), code], vec![a, b])).expect("a mix");
    assert_close("cost", mix.cost.0, 50.0);
    assert_eq!((mix.chips[1][1][0].0, mix.chips[0][0][0].0), (0.0, 0.0));
}

#[test]
fn a_limit_on_spend_is_priced_by_the_point() {
    // A: 2 $ for each token/s, B: 3 $. 100 tokens/s, A at most 40 % of the dollars: with x tokens/s on A,
    // 2x = 0.4·(2x + 3(100 − x)), so x = 120/2.4 = 50 and 250 $ are spent.
    // Of a share s, x = 300s/(2 + s) and the cost is 300 − x: d cost/ds = −600/(2 + s)² = −104.17 $ at 0.4,
    // 1.0417 $ for a point.
    let a = vendor("a", 1, 2.0, 1000.0).serving("chat", 1.0, 0.0);
    let b = vendor("b", 1, 3.0, 1000.0).serving("chat", 1.0, 0.0);
    let mut problem = problem(vec![workload("chat", &[100.0])], vec![a, b]);
    problem.limits.push(limit("not all of it", &["a"], 0.4, LimitOf::Spend));
    let mix = cheapest(&problem).expect("a mix");
    assert_close("cost", mix.cost.0, 250.0);
    assert_close("chips of a", mix.chips[0][0][0].0, 50.0);
    assert_close("share of a", mix.share[0][0].expect("dollars are paid").0, 0.4);
    assert_close("a point", mix.prices.limit[0][0].0, 6.0 / (2.4 * 2.4));
}

#[test]
fn a_limit_on_power_counts_watts_and_not_chips() {
    // A's chips draw 2 kW, B's 1 kW; each serves 1 token/s, for 1 $ and 3 $. 90 tokens/s, A at most half the power:
    // 2x = 90 − x, so x = 30 on A and 60 on B: 30 + 180 = 210 $. Idle chips of B would let A serve more, at
    // 2·3 + 1 = 7 $ for each token/s that costs 3 $ on B.
    let mut a = vendor("a", 1, 1.0, 1000.0).serving("chat", 1.0, 0.0);
    a.power = Watts(2e3);
    let b = vendor("b", 1, 3.0, 1000.0).serving("chat", 1.0, 0.0);
    let mut problem = problem(vec![workload("chat", &[90.0])], vec![a, b]);
    problem.limits.push(limit("half the power", &["a"], 0.5, LimitOf::Power));
    let mix = cheapest(&problem).expect("a mix");
    assert_close("cost", mix.cost.0, 210.0);
    assert_close("chips of a", mix.chips[0][0][0].0, 30.0);
}

#[test]
fn a_floor_that_all_the_capacity_cannot_use_up_is_paid_and_said() {
    // 5 chips at 10 $ are 50 $; the floor is 80 $. All 5 serve 20 tokens/s, 30 $ are idle. B serves the rest at 3 $.
    let a = vendor("a", 1, 10.0, 5.0).serving("chat", 4.0, 0.0).with_floor(&[80.0]);
    let b = vendor("b", 1, 3.0, 100.0).serving("chat", 1.0, 0.0);
    let mix = cheapest(&problem(vec![workload("chat", &[30.0])], vec![a, b])).expect("a mix");
    assert_close("cost", mix.cost.0, 80.0 + 30.0);
    assert_close("idle", mix.idle[0][0].0, 30.0);
    assert_close("floor", mix.prices.floor[0][0].0, 1.0);
    // Another chip costs nothing more and saves 4 tokens/s at 3 $.
    assert_close("a megawatt of a", mix.prices.megawatt[0][0].0, 12_000.0);
    let words: Vec<String> = mix.notices.iter().map(ToString::to_string).collect();
    let said = "the floor of a in Q1 is 80 $, but all of its chips cost 50 $: 30 $ are idle whatever the plan";
    assert_eq!(words, [said]);
}

#[test]
fn at_a_kink_the_price_is_that_of_one_more_and_not_of_one_less() {
    // A's 10 chips just meet 10 tokens/s at 2 $; B costs 3 $. One chip less would cost 1 $; one more saves nothing.
    let a = vendor("a", 1, 2.0, 10.0).serving("chat", 1.0, 0.0);
    let b = vendor("b", 1, 3.0, 100.0).serving("chat", 1.0, 0.0);
    let mix = cheapest(&problem(vec![workload("chat", &[10.0])], vec![a, b])).expect("a mix");
    assert_close("a megawatt of a", mix.prices.megawatt[0][0].0, 0.0);
}

#[test]
fn the_first_megawatt_of_a_vendor_without_any_has_a_price() {
    // B has no chips yet; each would serve 4 tokens/s for 2 $ that cost 12 $ on A: 10 $ saved.
    let a = vendor("a", 1, 3.0, 100.0).serving("chat", 1.0, 0.0);
    let b = vendor("b", 1, 2.0, 0.0).serving("chat", 4.0, 0.0);
    let mix = cheapest(&problem(vec![workload("chat", &[10.0])], vec![a, b])).expect("a mix");
    assert_close("a megawatt of b", mix.prices.megawatt[1][0].0, 10_000.0);
}

#[test]
fn a_workload_too_small_to_see_beside_a_vendor_is_served() {
    // Half a token/s beside a billion, on a vendor of a hundred million chips.
    let a = vendor("a", 1, 10.0, 1e8).serving("chat", 20.0, 0.0).serving("code", 10.0, 0.0);
    let mix = cheapest(&problem(vec![workload("chat", &[1e9]), workload("code", &[0.5])], vec![a])).expect("a mix");
    assert_close("chips of code", mix.chips[0][1][0].0, 0.05);
}
