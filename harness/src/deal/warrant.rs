//! What warrants are worth that vest as compute is deployed and as the share price rises.
//!
//! The share price is a geometric Brownian motion with the drift of the rate without risk, stepped by quarters; a
//! tranche vests at the first quarter's end at which its power is in place and its price has been reached, and is
//! exercised there: `shares · max(price − strike, 0)`, discounted at the rate without risk. With a strike of a cent
//! nothing is lost by exercising at once. Closed forms do not hold: the two conditions are joint, and the first depends on
//! the deal's own course.
//!
//! A share that pays no dividend is worth its price today whenever it is handed over, so without a price condition the
//! simulated mean must be `shares · spot` less the discounted strike: the tests hold it to that.

use super::input::Inputs;
use super::model::{Grant, Model};

/// A milestone of all the power would be missed by the last bit of `capacity / power · power` otherwise.
const ROUND_OFF: f64 = 1e-9;

/// Present value of one grant on one path of the share price, which takes a normal number of `normals` for each quarter.
/// `in_place` are the commitment's chips by quarter.
pub(super) fn value(
    model: &Model,
    inputs: &(impl Inputs + ?Sized),
    grant: &Grant,
    scale: f64,
    in_place: impl Fn(usize) -> f64,
    normals: impl Iterator<Item = f64>,
) -> f64 {
    let Some(risk_free) = model.risk_free else { return 0.0 };
    let (rate, volatility) = (inputs[risk_free], inputs[grant.volatility]);
    let (drift, step) = ((rate - volatility * volatility / 2.0) / 4.0, volatility / 2.0);
    let watts_a_chip = inputs[model.vendors[model.contracts[grant.contract].vendor].power];
    let mut price = inputs[grant.spot];
    let mut highest = price;
    // A tranche is a bit; the model refuses more than there are.
    let mut open: u64 = (1u64 << grant.tranches.len()) - 1;
    let mut usd = 0.0;
    for (t, normal) in (0..grant.quarters).zip(normals) {
        price *= (drift + step * normal).exp();
        highest = f64::max(highest, price);
        let power = in_place(t) * watts_a_chip * (1.0 + ROUND_OFF);
        for (idx, tranche) in grant.tranches.iter().enumerate() {
            let reached = tranche.hurdle.is_none_or(|hurdle| highest >= inputs[hurdle]);
            if open & (1 << idx) != 0 && reached && power >= inputs[tranche.milestone] * scale {
                open &= !(1 << idx);
                let gain = (price - inputs[grant.strike]).max(0.0);
                usd += inputs[tranche.shares] * scale * gain * (-rate * (t as f64 + 1.0) / 4.0).exp();
            }
        }
    }
    usd
}

#[cfg(test)]
mod tests {
    use super::super::testing::{plain_with, played};
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::StandardNormal;

    const GRANT: &str = "\n[[warrant]]\nid = \"w\"\nissuer = \"cloud\"\nholder = \"lab\"\n\
        strike = { value = 10, unit = \"USD/share\", source = \"s\" }\nspot = { value = 100, unit = \"USD/share\", source = \"s\" }\n\
        volatility = { value = 0.5, unit = \"1/year\", source = \"s\" }\nexpires = \"2028-01-01\"\ncompute = \"deal\"\n\
        tranche = [{ shares = { value = 1, unit = \"M\", source = \"s\" }, milestone = { value = 1, unit = \"GW\", source = \"s\" }HURDLE }]\n\n[[state]]";

    /// Mean and standard error of a warrant's value, in dollars a share, with a ramp and a condition of price.
    fn mean(ramp: &str, hurdle: &str) -> [f64; 2] {
        let grant = GRANT.replace("HURDLE", hurdle);
        let rates = "discount_rate = { value = 0.0, unit = \"1/year\", source = \"s\" }\nrisk_free = { value = 0.04, unit = \"1/year\", source = \"s\" }\n";
        let text = plain_with(&[
            ("\n[[state]]", &grant),
            ("discount_rate = { value = 0.0, unit = \"1/year\", source = \"s\" }\n", rates),
            ("points = [[0, 1]]", ramp),
        ]);
        let (model, inputs, ledger) = played(&text);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let n = 20_000;
        let grant = &model.grants[0];
        let in_place = |t: usize| ledger.courses[grant.contract].in_place[t];
        let path = |rng: &mut ChaCha8Rng| value(&model, &inputs, grant, 1.0, in_place, rng.sample_iter(StandardNormal));
        let values: Vec<f64> = (0..n).map(|_| path(&mut rng) / 1e6).collect();
        let mean = values.iter().sum::<f64>() / f64::from(n);
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / f64::from(n - 1);
        [mean, (variance / f64::from(n)).sqrt()]
    }

    #[test]
    fn a_share_for_a_certain_milestone_is_worth_its_price_less_the_discounted_strike() {
        // All power is in place at once: vested after a quarter. 100 − 10·e^(−0.04/4) = 90.10, deep in the money.
        let [at_once, error] = mean("points = [[0, 1]]", "");
        assert!((at_once - (100.0 - 10.0 * (-0.01f64).exp())).abs() < 4.0 * error, "{at_once} ± {error}");
        // Complete in the fifth quarter, so vested 1.25 years from the start: 100 − 10·e^(−0.05).
        let [later, error] = mean("points = [[0, 0.1], [0.99, 0.1], [1, 1]]", "");
        assert!((later - (100.0 - 10.0 * (-0.05f64).exp())).abs() < 4.0 * error, "{later} ± {error}");
    }

    #[test]
    fn a_condition_of_price_takes_value_away_and_one_out_of_reach_takes_all() {
        let hurdle = |usd: u32| format!(", hurdle = {{ value = {usd}, unit = \"USD/share\", source = \"s\" }}");
        let [free, _] = mean("points = [[0, 1]]", "");
        let [near, _] = mean("points = [[0, 1]]", &hurdle(120));
        let [far, _] = mean("points = [[0, 1]]", &hurdle(200));
        assert!(free > near && near > far && far > 0.0, "{free} {near} {far}");
        assert_eq!(mean("points = [[0, 1]]", &hurdle(100_000))[0], 0.0);
    }

    #[test]
    fn a_milestone_of_all_the_power_is_met_whatever_a_chip_takes() {
        let (model, mut inputs, _) = played(&plain_with(&[
            ("\n[[state]]", &GRANT.replace("HURDLE", "")),
            ("quarters", "risk_free = { value = 0.04, unit = \"1/year\", source = \"s\" }\nquarters"),
        ]));
        let grant = &model.grants[0];
        for watts in (1000..2000).map(f64::from) {
            inputs[model.vendors[model.contracts[grant.contract].vendor].power] = watts;
            let value = value(&model, &inputs, grant, 1.0, |_| 1e9 / watts, std::iter::repeat(0.0));
            assert!(value > 0.0, "{watts}");
        }
    }

    #[test]
    fn a_milestone_that_is_never_met_vests_nothing() {
        assert_eq!(mean("points = [[0, 0.5]]", "")[0], 0.0);
    }
}
