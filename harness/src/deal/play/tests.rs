use super::super::testing::{PLAIN, plain_with, played};
use super::*;
use crate::deal::lanes::LANES;

/// Hours of a quarter times a million chips: the unit of most bills here, 2.1915 bn at a dollar an hour.
const MILLION_CHIPS: f64 = 1e6 * HOURS_A_QUARTER;

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs().max(1e-300)
}

#[test]
fn a_plain_deal_matches_a_hand_count() {
    let (_, _, ledger) = played(PLAIN);
    let course = &ledger.courses[0];
    for t in 0..8 {
        // Demand of 1000 M tokens/s; a chip serves 1000 · 0.5; a million chips serve 500 M and all are used.
        assert!(close(course.in_place[t], 1e6) && close(course.used[t], 1e6));
        assert!(close(course.tokens[t], 500e6 * 3600.0 * HOURS_A_QUARTER));
        assert!(close(course.paid[t], 2.0 * MILLION_CHIPS) && course.top_up[t] == 0.0);
        // The same tokens outside take as many chips at 3 $; so do the 500 M tokens/s that are left.
        assert!(close(course.value[t], 3.0 * MILLION_CHIPS));
        assert!(close(ledger.rest_paid[t], 3.0 * MILLION_CHIPS));
        assert!(close(course.serving[t], MILLION_CHIPS));
    }
}

#[test]
fn demand_that_is_served_in_full_leaves_nothing_to_the_next() {
    let first = "[[compute]]\nid = \"first\"\nvendor = \"new\"\nstanding = \"existing\"\n\
        capacity = { value = 9, unit = \"GW\", source = \"s\" }\n\
        price = { value = 1.5, unit = \"USD/chip-h\", source = \"s\" }\nstarts = \"2026-01-01\"\n\
        term = { value = 2, unit = \"years\", source = \"s\" }\n\
        ramp = { points = [[0, 1]], unit = \"1\", source = \"s\" }\n\
        take_or_pay = { value = 0, unit = \"1\", source = \"s\" }\nrepricing = \"fixed\"\n\n[[compute]]\n";
    // Some of these divide by a chip's tokens with a remainder in the last bit.
    for demand in 1..50 {
        let demanded = format!("[[0, {demand}.1]]");
        let (_, _, ledger) = played(&plain_with(&[("[[0, 1000]]", &demanded), ("[[compute]]\n", first)]));
        assert!(ledger.courses[0].used.iter().all(|used| *used > 0.0));
        assert_eq!(ledger.courses[1].used, [0.0; 8], "{demand}");
        assert_eq!(ledger.rest_paid, [0.0; 8], "{demand}");
    }
}

#[test]
fn floors_are_paid_without_use() {
    // A tenth of the demand: 200,000 chips at 2 $ against a floor of half of what a million would bill.
    let (_, _, ledger) = played(&plain_with(&[("[[0, 1000]]", "[[0, 100]]")]));
    let course = &ledger.courses[0];
    assert!(close(course.used[3], 2e5) && close(course.gross[3], 0.4 * MILLION_CHIPS));
    assert!(close(course.paid[3], 1.0 * MILLION_CHIPS) && close(course.top_up[3], 0.6 * MILLION_CHIPS));
    assert_eq!(ledger.rest_paid[3], 0.0);
}

#[test]
fn spend_over_capacity_is_the_price_and_spend_over_price_the_capacity() {
    // 17.532 bn $ over a million chips for 8 quarters of 2191.5 h: 1 $.
    let spend = "spend = { value = 17.532, unit = \"USD bn\", source = \"s\" }\n";
    let both = plain_with(&[(
        "price = { value = 2, unit = \"USD/chip-h\", source = \"s\" }\nstarts",
        &format!("{spend}starts"),
    )]);
    assert!(close(played(&both).2.courses[0].price[0], 1.0));
    // At 2 $ the same money holds half a million chips.
    let priced =
        plain_with(&[("capacity = { value = 1, unit = \"GW\", source = \"s\" }\nprice", &format!("{spend}price"))]);
    let (_, _, ledger) = played(&priced);
    assert!(close(ledger.courses[0].in_place[7], 5e5));
    assert!(close(ledger.courses[0].scheduled.iter().sum(), 17.532e9));
}

#[test]
fn late_delivery_moves_the_ramp_and_is_credited() {
    let late = "repricing = \"fixed\"\nslip = { value = 0.375, unit = \"years\", source = \"s\" }\n\
                slip_credit = { value = 0.1, unit = \"1\", source = \"s\" }";
    let (_, _, ledger) = played(&plain_with(&[("repricing = \"fixed\"", late)]));
    let course = &ledger.courses[0];
    // One and a half quarters: nothing, then half a quarter's delivery, then all of it.
    assert_eq!(course.in_place[0], 0.0);
    assert!(close(course.in_place[1], 5e5) && close(course.in_place[2], 1e6));
    // A tenth of the first quarter's schedule (half of 2 $ · a million chips) for each quarter of delay.
    assert!(close(course.credits[0], 0.1 * 1.0 * MILLION_CHIPS) && close(course.credits[1], 0.05 * MILLION_CHIPS));
}

#[test]
fn a_ramp_moves_by_whole_and_parts_of_quarters_both_ways() {
    for (starts, earliest) in [("2024-09-20", -6.0), ("2025-12-20", -1.0), ("2026-02-20", 0.0), ("2027-03-10", 4.0)] {
        let date = format!("starts = \"{starts}\"");
        let text =
            plain_with(&[("starts = \"2026-01-01\"", &date), ("points = [[0, 1]]", "points = [[0, 0], [2, 1]]")]);
        let (_, _, ledger) = played(&text);
        let course = &ledger.courses[0];
        let whole = course.offset.floor();
        assert_eq!(whole, earliest, "{starts}");
        let part = course.offset - whole;
        // In the middle of quarter k of eight; nothing outside of the term.
        let ramp = |k: f64| if (0.0..8.0).contains(&k) { (k + 0.5) / 8.0 } else { 0.0 };
        for (t, chips) in course.in_place.iter().enumerate() {
            let k = t as f64 - whole;
            assert!((chips - 1e6 * ((1.0 - part) * ramp(k) + part * ramp(k - 1.0))).abs() < 1e-3, "{starts} {t}");
        }
    }
}

#[test]
fn prices_follow_the_market_and_are_capped_by_reopeners_and_favours() {
    let second = "\n[[compute]]\nid = \"twin\"\nvendor = \"new\"\nstanding = \"existing\"\n\
        capacity = { value = 1, unit = \"MW\", source = \"s\" }\n\
        price = { value = 1.5, unit = \"USD/chip-h\", source = \"s\" }\nstarts = \"2026-01-01\"\n\
        term = { value = 2, unit = \"years\", source = \"s\" }\n\
        ramp = { points = [[0, 1]], unit = \"1\", source = \"s\" }\n\
        take_or_pay = { value = 0, unit = \"1\", source = \"s\" }\nrepricing = \"fixed\"\n\n[[state]]";
    let reopened = "repricing = \"fixed\"\nreopener = [{ after = { value = 1, unit = \"years\", source = \"s\" }, to = \"twin\" }]";
    let text = plain_with(&[("repricing = \"fixed\"", reopened), ("\n[[state]]", second)]);
    let price = played(&text).2.courses[0].price.clone();
    assert_eq!(price, [2.0, 2.0, 2.0, 2.0, 1.5, 1.5, 1.5, 1.5]);
    let favoured = plain_with(&[
        ("repricing = \"fixed\"", "repricing = \"fixed\"\nmost_favoured = [\"twin\"]"),
        ("\n[[state]]", second),
    ]);
    assert_eq!(played(&favoured).2.courses[0].price, [1.5; 8]);
    // The old chip's price falls by a fifth a year, and a contract on it keeps its distance: half of the market.
    let falling = plain_with(&[
        ("vendor = \"new\"", "vendor = \"old\""),
        ("price = { value = 2,", "price = { value = 1.5,"),
        ("repricing = \"fixed\"", "repricing = \"market\""),
        ("price_change = { value = 0, unit", "price_change = { value = -0.2, unit"),
        (
            "id = \"old\"\nname = \"Old chip\"",
            "id = \"third\"\nname = \"Third\"\ncloud = \"other\"\nchip = \"h100\"\nmarket = \"open\"\nprice = { value = 9, unit = \"USD/chip-h\", source = \"s\" }\nprice_change = { value = 0, unit = \"1/year\", source = \"s\" }\npower = { value = 1, unit = \"kW\", source = \"s\" }\navailability = { value = 1, unit = \"1\", source = \"s\" }\n\n[[vendor]]\nid = \"old\"\nname = \"Old chip\"",
        ),
    ]);
    let (_, _, ledger) = played(&falling);
    let price = &ledger.courses[0].price;
    assert!(close(price[0], 1.5) && close(price[4], 1.5 * 0.8), "{price:?}");
}

#[test]
fn tiers_credits_and_service_reduce_the_bill() {
    let terms = "repricing = \"fixed\"\n\
        tier = [{ above = { value = 10, unit = \"USD bn\", source = \"s\" }, discount = { value = 0.1, unit = \"1\", source = \"s\" } }]\n\
        credit = [{ amount = { value = 1, unit = \"USD bn\", source = \"s\" }, expires = \"2026-07-02\", burn_cap = { value = 0.2, unit = \"1\", source = \"s\" } }]";
    // A year's bill of 4 · 2 · 2.1915 = 17.5 bn is above 10 bn: a tenth off.
    let (_, _, ledger) = played(&plain_with(&[("repricing = \"fixed\"", terms)]));
    let course = &ledger.courses[0];
    let bill = 0.9 * 2.0 * MILLION_CHIPS;
    assert!(close(course.discounts[0], 0.2 * MILLION_CHIPS));
    // Credits pay a fifth, 0.789 bn, then what is left of the billion.
    assert!(close(course.credits[0], 0.2 * bill) && close(course.credits[1], 1e9 - 0.2 * bill));
    assert!(close(course.paid[0], 0.8 * bill) && close(course.paid[2], bill));
    let service = "repricing = \"fixed\"\nservice = { promised = { value = 0.999, unit = \"1\", source = \"s\" }, credit = { value = 0.25, unit = \"1\", source = \"s\" } }";
    let short = plain_with(&[
        ("repricing = \"fixed\"", service),
        ("availability = { value = 1,", "availability = { value = 0.9,"),
    ]);
    let course = &played(&short).2.courses[0];
    assert!(close(course.credits[0], 0.25 * 2.0 * MILLION_CHIPS));
}

#[test]
fn a_right_to_leave_is_used_when_it_pays_and_demand_goes_to_the_market() {
    let right = |fee: f64| {
        format!(
            "repricing = \"fixed\"\ntermination = {{ after = {{ value = 1, unit = \"years\", source = \"s\" }}, fee = {{ value = {fee}, unit = \"1\", source = \"s\" }} }}"
        )
    };
    // At 4 $ against 3 $ outside a million chips lose 1 $ an hour: 4 quarters of MILLION_CHIPS.
    let dear = [("price = { value = 2,", "price = { value = 4,")];
    let text = |fee| plain_with(&[dear[0], ("repricing = \"fixed\"", &right(fee))]);
    // Floors to come: 4 quarters of half of 4 $. A tenth of that is less than the loss, three quarters are more.
    let (_, _, left) = played(&text(0.1));
    let course = &left.courses[0];
    assert!(close(course.fee[4], 0.1 * 8.0 * MILLION_CHIPS) && close(course.paid[4], course.fee[4]));
    assert_eq!((course.used[5], course.paid[5]), (0.0, 0.0));
    // All of the demand is bought outside from then on: 2 million chips at 3 $.
    assert!(close(left.rest_paid[5], 6.0 * MILLION_CHIPS) && close(left.rest_paid[3], 3.0 * MILLION_CHIPS));
    let (_, _, stayed) = played(&text(0.75));
    assert!(stayed.courses[0].fee.iter().all(|fee| *fee == 0.0) && stayed.courses[0].used[5] > 0.0);
}

#[test]
fn porting_costs_once_and_slows_the_start() {
    let porting = "cost_to_serve = { value = 1, unit = \"USD/chip-h\", source = \"s\" }\nporting = { cost = { value = 1, unit = \"USD bn\", source = \"s\" }, first = { value = 0.5, unit = \"1\", source = \"s\" }, ramp = { value = 1, unit = \"years\", source = \"s\" } }";
    let (_, _, ledger) =
        played(&plain_with(&[("cost_to_serve = { value = 1, unit = \"USD/chip-h\", source = \"s\" }", porting)]));
    let course = &ledger.courses[0];
    assert_eq!(course.porting, [1e9, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    // In the middle of the first quarter an eighth of the way from half to all; after a year all.
    let full = 500e6 * 3600.0 * HOURS_A_QUARTER;
    assert!(close(course.tokens[0], full * (0.5 + 0.5 / 8.0)) && close(course.tokens[4], full));
}

#[test]
fn discounting_is_to_the_middle_of_quarters() {
    let (_, _, ledger) = played(&plain_with(&[("discount_rate = { value = 0.0", "discount_rate = { value = 0.1")]));
    for (t, discount) in ledger.discount.iter().enumerate() {
        assert!(close(*discount, 1.1f64.powf(-(t as f64 + 0.5) / 4.0)));
    }
}

#[test]
fn a_draw_is_the_same_whatever_is_played_beside_it() {
    let right = "repricing = \"fixed\"\ntermination = { after = { value = 1, unit = \"years\", source = \"s\" }, fee = { value = 0.1, unit = \"1\", source = \"s\" } }";
    let (model, central, _) = played(&plain_with(&[("repricing = \"fixed\"", right)]));
    let price = model.contracts[0].quantity.price.expect("given");
    // From half of the price to eight times: the dear ones are left.
    let each: [Vec<f64>; LANES] = std::array::from_fn(|lane| {
        let mut inputs = central.clone();
        inputs[price] *= 0.5 * (lane as f64 + 1.0);
        inputs
    });
    let lanes: Vec<Lanes> =
        (0..central.len()).map(|slot| Lanes(std::array::from_fn(|lane| each[lane][slot]))).collect();
    let situation = Situation::as_stated(&model, &central);
    let mut play = Play::new(&model);
    play_draws(&mut play, &model, &lanes, &Situation::all(&situation), &mut Deployed::new(&model));
    let mut values = Values::new(&model);
    play.values(&mut values);
    let mut n_left = 0;
    for (lane, inputs) in each.iter().enumerate() {
        let alone = Ledger::played(&model, inputs, &situation);
        assert_eq!(values.lane(lane), alone.values, "{lane}");
        n_left += usize::from(alone.courses[0].fee.iter().any(|fee| *fee > 0.0));
    }
    assert!(n_left > 0 && n_left < LANES, "{n_left} of {LANES} leave");
}
