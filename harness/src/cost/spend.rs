//! From time and price to money a token.

use super::request::Workload;
use crate::units::{Estimate, Seconds, Share, Tokens, Usd, UsdPerHour, UsdPerMillionTokens};
use serde::Serialize;

/// What tokens cost, split by the time that each kind occupies the chips.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spend {
    /// Dollars a request: what its input and its output tokens add up to.
    pub usd_per_request: Estimate<Usd>,
    /// Dollars a million input tokens.
    pub usd_per_m_input: Estimate<UsdPerMillionTokens>,
    /// Dollars a million output tokens.
    pub usd_per_m_output: Estimate<UsdPerMillionTokens>,
    /// Dollars a million tokens in and out together.
    pub usd_per_m_total: Estimate<UsdPerMillionTokens>,
}

/// Dollars an hour of useful work: `price · chips / (U · A)`, since idle and broken hours are paid as well.
pub(super) fn useful_rate(
    price: Estimate<UsdPerHour>,
    chips: f64,
    utilisation: Estimate<Share>,
    availability: Estimate<Share>,
) -> Estimate<UsdPerHour> {
    let useful = utilisation.rising_with(availability, |u, a| Share(u.0 * a.0));
    price.rising(|p| p * chips).rising_against(useful, |p, share| p / share.0)
}

/// Prefill pays for input tokens and decode steps for output tokens; the first output token comes with the prefill.
///
/// `rate·P / I` and `rate·(O - 1)·D/B / O`, which add up to `rate·(P + (O - 1)·D/B)` a request.
pub(super) fn spend(
    rate: Estimate<UsdPerHour>,
    [prefill, decode]: [Estimate<Seconds>; 2],
    workload: &Workload,
) -> Spend {
    let input = Tokens(f64::from(workload.input_tokens));
    let output = Tokens(f64::from(workload.output_tokens));
    let paid = |time: Estimate<Seconds>| rate.rising_with(time, |rate, time| rate * time);
    Spend {
        usd_per_request: paid(prefill + decode),
        usd_per_m_input: paid(prefill).rising(|usd| usd / input),
        usd_per_m_output: paid(decode).rising(|usd| usd / output),
        usd_per_m_total: paid(prefill + decode).rising(|usd| usd / (input + output)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Provenance::{Assumed, Measured, Published};
    use proptest::prelude::*;

    fn workload(input_tokens: u32, output_tokens: u32) -> Workload {
        Workload { input_tokens, output_tokens, ..super::super::testing::workload() }
    }

    #[test]
    fn money_matches_a_hand_count() {
        let share = |x| Estimate::point(Share(x), Assumed);
        // 2 $/chip-h · 4 chips, half used, always there: 16 $ a useful hour.
        let rate = useful_rate(Estimate::point(UsdPerHour(2.0), Published), 4.0, share(0.5), share(1.0));
        assert_eq!(rate.mid, UsdPerHour(16.0));
        // 0.9 s of prefill: 4 m$ over 1000 tokens: 4 $ a million. 2.25 s of decode: 10 m$ over 500 tokens: 20 $.
        let times = [0.9, 2.25].map(|t| Estimate::point(Seconds(t), Measured));
        let spend = spend(rate, times, &workload(1000, 500));
        assert!((spend.usd_per_m_input.mid.0 - 4.0).abs() < 1e-12);
        assert!((spend.usd_per_m_output.mid.0 - 20.0).abs() < 1e-12);
        // 14 m$ over 1500 tokens.
        assert!((spend.usd_per_m_total.mid.0 - 28.0 / 3.0).abs() < 1e-12);
        assert_eq!(spend.usd_per_m_output.kinds.to_string(), "measured+published+assumed");
    }

    proptest! {
        #[test]
        fn input_and_output_tokens_add_up_to_the_request(
            prefill in 1e-6f64..1e4, decode in 1e-6f64..1e4, price in 1e-3f64..1e3,
            input in 1u32..1_000_000, output in 1u32..1_000_000, spread in 1.0f64..10.0,
        ) {
            let time = |t| Estimate::point(Seconds(t), Measured).widened(spread);
            let rate = Estimate::point(UsdPerHour(price), Published);
            let spend = spend(rate, [time(prefill), time(decode)], &workload(input, output));
            let (i, o, whole) = (spend.usd_per_m_input, spend.usd_per_m_output, spend.usd_per_request);
            let (input, output) = (Tokens(f64::from(input)), Tokens(f64::from(output)));
            for (i, o, whole) in [(i.low, o.low, whole.low), (i.mid, o.mid, whole.mid), (i.high, o.high, whole.high)] {
                let parts = i * input + o * output;
                prop_assert!((parts.0 - whole.0).abs() <= 1e-12 * whole.0);
            }
        }
    }
}
