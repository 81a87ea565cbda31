//! Present values and rates of return of dated cash flows.

/// A cash flow: years from the valuation date, dollars (positive is received).
pub type Flow = (f64, f64);

/// What an internal rate of return came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Irr {
    /// The only rate at which the flows are worth nothing.
    One(f64),
    /// Several rates, ascending: none of them ranks the flows; use the modified rate.
    Many(Vec<f64>),
    /// No rate: the flows never change sign, or are worth nothing at no rate within the bounds.
    None,
}

/// Rates are looked for between losing 99 % a year and growing a hundredfold.
const RATES: [f64; 2] = [-0.99, 99.0];
/// Points at which the sign of the present value is read: roots closer than 1 % of `1 + r` are told apart.
const STEPS: usize = 1000;

/// `Σ flow / (1 + r)^years`.
pub fn npv(flows: &[Flow], rate: f64) -> f64 {
    flows.iter().map(|(years, usd)| usd * (1.0 + rate).powf(-years)).sum()
}

/// The rates at which flows are worth nothing: the sign of [`npv`] is read on a grid of `ln(1 + r)`, and each change of
/// it is narrowed by bisection to the last bit.
pub fn irr(flows: &[Flow]) -> Irr {
    let paid = flows.iter().any(|(_, usd)| *usd < 0.0);
    let received = flows.iter().any(|(_, usd)| *usd > 0.0);
    if !paid || !received {
        return Irr::None;
    }
    let [low, high] = RATES.map(f64::ln_1p);
    let rate = |step: usize| (low + (high - low) * step as f64 / STEPS as f64).exp_m1();
    let mut roots: Vec<f64> = Vec::new();
    for step in 0..STEPS {
        let (a, b) = (rate(step), rate(step + 1));
        let (at_a, at_b) = (npv(flows, a), npv(flows, b));
        if at_a == 0.0 {
            roots.push(a);
        } else if at_a * at_b < 0.0 {
            roots.push(bisected(flows, a, b));
        }
    }
    match roots[..] {
        [] => Irr::None,
        [one] => Irr::One(one),
        _ => Irr::Many(roots),
    }
}

fn bisected(flows: &[Flow], mut low: f64, mut high: f64) -> f64 {
    let sign = npv(flows, low).signum();
    loop {
        let middle = low.midpoint(high);
        if middle <= low || middle >= high {
            return middle;
        }
        let value = npv(flows, middle);
        if value == 0.0 {
            return middle;
        }
        if value.signum() == sign { low = middle } else { high = middle }
    }
}

/// The modified rate: receipts grow at `rate` to the last flow, payments are discounted at it, and
/// `(future receipts / present payments)^(1 / years) − 1` is what they earn. It exists wherever something is paid and
/// something received, however often the sign changes.
pub fn mirr(flows: &[Flow], rate: f64) -> Option<f64> {
    let last = flows.iter().map(|(years, _)| *years).fold(f64::NEG_INFINITY, f64::max);
    let first = flows.iter().map(|(years, _)| *years).fold(f64::INFINITY, f64::min);
    let part = |wanted: fn(f64) -> bool| -> Vec<Flow> {
        flows.iter().copied().filter(|(_, usd)| wanted(*usd)).map(|(years, usd)| (years - first, usd)).collect()
    };
    let years = last - first;
    let future = npv(&part(|usd| usd > 0.0), rate) * (1.0 + rate).powf(years);
    let paid = -npv(&part(|usd| usd < 0.0), rate);
    (future > 0.0 && paid > 0.0 && years > 0.0).then(|| (future / paid).powf(1.0 / years) - 1.0)
}

/// Years until the running sum of undiscounted flows turns and stays at or above nothing, by a straight line within
/// the flow that turns it; none where it never does, or where nothing was ever paid.
pub fn payback(flows: &[Flow]) -> Option<f64> {
    let mut ordered = flows.to_vec();
    ordered.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut sum = 0.0;
    let mut before = ordered.first()?.0;
    let mut turned = None;
    for (years, usd) in ordered {
        let was = sum;
        sum += usd;
        if was < 0.0 && sum >= 0.0 {
            turned = Some(before + (years - before) * (-was / usd));
        } else if sum < 0.0 {
            turned = None;
        }
        before = years;
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn present_value_agrees_with_a_worked_sheet_to_the_cent() {
        // −10,000 now, then 3,000, 4,200 and 6,800 after 1, 2 and 3 years at 10 %:
        // −10000 + 2727.2727 + 3471.0744 + 5108.9406 = 1307.2877.
        let flows = [(0.0, -10_000.0), (1.0, 3_000.0), (2.0, 4_200.0), (3.0, 6_800.0)];
        assert!((npv(&flows, 0.10) - 1_307.287_753_568_743).abs() < 1e-9);
    }

    #[test]
    fn dated_flows_agree_with_the_sheet_of_xnpv_and_xirr() {
        // The example of the XNPV and XIRR pages of common spreadsheets: −10,000 on 2008-01-01, 2,750 after 60 days,
        // 4,250 after 303, 3,250 after 411, 2,750 after 456; years of 365 days. XNPV at 9 %: 2,086.65; XIRR 37.34 %.
        let flows = [(0, -10_000.0), (60, 2_750.0), (303, 4_250.0), (411, 3_250.0), (456, 2_750.0)]
            .map(|(days, usd)| (f64::from(days) / 365.0, usd));
        assert!((npv(&flows, 0.09) - 2_086.647_602).abs() < 1e-5);
        let Irr::One(rate) = irr(&flows) else { panic!("one sign change, one rate") };
        assert!((rate - 0.373_362_535).abs() < 1e-8, "{rate}");
        assert!(npv(&flows, rate).abs() < 1e-8);
    }

    #[test]
    fn a_root_that_can_be_worked_by_hand_is_met_to_1e_9() {
        // −100 now and 121 in two years: (1 + r)² = 1.21.
        let Irr::One(rate) = irr(&[(0.0, -100.0), (2.0, 121.0)]) else { panic!("one rate") };
        assert!((rate - 0.1).abs() < 1e-9);
    }

    #[test]
    fn several_rates_are_reported_and_none_is_preferred() {
        // −100 + 230/(1+r) − 132/(1+r)² = 0 has the roots 10 % and 20 %.
        let flows = [(0.0, -100.0), (1.0, 230.0), (2.0, -132.0)];
        let Irr::Many(rates) = irr(&flows) else { panic!("two rates") };
        assert_eq!(rates.len(), 2);
        assert!((rates[0] - 0.1).abs() < 1e-9 && (rates[1] - 0.2).abs() < 1e-9, "{rates:?}");
        // At 12 %: receipts 230·1.12 = 257.6 after two years; payments 100 + 132/1.2544 = 205.2296.
        assert!(
            (mirr(&flows, 0.12).expect("paid and received") - ((257.6f64 / 205.229_591_836_734_7).sqrt() - 1.0)).abs()
                < 1e-12
        );
    }

    #[test]
    fn flows_without_a_rate_say_so() {
        assert_eq!(irr(&[(0.0, 100.0), (1.0, 5.0)]), Irr::None, "nothing was paid");
        assert_eq!(irr(&[]), Irr::None);
        // 100 − 100/(1+r) + 100/(1+r)² has no real root.
        assert_eq!(irr(&[(0.0, 100.0), (1.0, -100.0), (2.0, 100.0)]), Irr::None);
        assert_eq!(mirr(&[(0.0, 1.0)], 0.1), None);
    }

    #[test]
    fn payback_is_read_off_a_straight_line_and_must_last() {
        // −100, 60, 60: two thirds into the second year.
        let years = payback(&[(0.0, -100.0), (1.0, 60.0), (2.0, 60.0)]).expect("paid back");
        assert!((years - (1.0 + 40.0 / 60.0)).abs() < 1e-12);
        assert_eq!(payback(&[(0.0, -100.0), (1.0, 120.0), (2.0, -50.0)]), None, "it goes under again");
        assert_eq!(payback(&[(0.0, 5.0)]), None, "nothing to pay back");
    }

    proptest! {
        #[test]
        fn an_investment_with_one_sign_change_has_one_rate_at_which_it_is_worth_nothing(
            paid in 1.0f64..1e6,
            received in prop::collection::vec((0.1f64..10.0, 1.0f64..1e6), 1..20),
        ) {
            let mut flows = vec![(0.0, -paid)];
            flows.extend(received);
            match irr(&flows) {
                Irr::One(rate) => prop_assert!(npv(&flows, rate).abs() <= 1e-9 * flows.iter().map(|f| f.1.abs()).sum::<f64>()),
                Irr::None => {
                    let beyond = npv(&flows, RATES[1]) > 0.0 || npv(&flows, RATES[0]) < 0.0;
                    prop_assert!(beyond, "a root lies within the bounds");
                }
                Irr::Many(rates) => prop_assert!(false, "{rates:?}"),
            }
        }
    }
}
