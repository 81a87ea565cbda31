//! What is agreed beside a list price: a discount, and a floor that is paid whether it is used or not.

use super::error::CostError;
use super::price::PriceUsed;
use super::render::significant;
use crate::deal::answer;
use crate::units::{ChipHours, Estimate, Provenance, Share, Usd, UsdPerHour};
use serde::Serialize;

/// Hours of a month of 365.25/12 days.
pub const HOURS_A_MONTH: f64 = 365.25 * 24.0 / 12.0;

/// Discount and floor; [`Terms::LISTED`] is the list price as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Terms {
    /// Share that the price is lowered by.
    pub discount: Share,
    /// What is promised a month, if anything.
    pub floor: Option<Floor>,
    /// Share of the floor that is due without use.
    pub take_or_pay: Share,
    /// Replicas that run all month: what a floor is used by.
    pub replicas: u32,
}

/// A promise for a month.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Floor {
    /// So many dollars.
    Usd(Usd),
    /// So many hours of a unit (chip, vCPU or machine), at the discounted price.
    Hours(ChipHours),
}

/// What terms make of a price.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Agreed {
    /// Dollars of a unit-hour before the discount.
    pub listed_usd_per_hour: Estimate<UsdPerHour>,
    /// Dollars a month for the hours that run.
    pub used_usd_per_month: Estimate<Usd>,
    /// Dollars a month that the floor takes without use.
    pub idle_usd_per_month: Estimate<Usd>,
}

impl Agreed {
    /// What a reader should know of them.
    pub(super) fn note(&self, unit: &str) -> String {
        let listed = significant(self.listed_usd_per_hour.mid.0, 3);
        let [used, idle] = [self.used_usd_per_month, self.idle_usd_per_month].map(|usd| significant(usd.mid.0, 4));
        format!("list price {listed} $/{unit}-h; a month costs {used} $ for what is used and {idle} $ for what is not")
    }
}

impl Terms {
    /// The list price, nothing promised.
    pub const LISTED: Terms = Terms { discount: Share(0.0), floor: None, take_or_pay: Share(1.0), replicas: 1 };

    /// Inputs outside their range.
    pub(super) fn invalid(&self) -> impl Iterator<Item = CostError> {
        let invalid = |field, value, allowed| CostError::Invalid { field, value, allowed };
        let Share(discount) = self.discount;
        let discount = (!(0.0..1.0).contains(&discount))
            .then(|| invalid("discount", format!("{} %", discount * 100.0), "0 to below 100 %"));
        let Share(due) = self.take_or_pay;
        let due = (!(0.0..=1.0).contains(&due)).then(|| invalid("take or pay", due.to_string(), "a share from 0 to 1"));
        let replicas = (self.replicas == 0).then(|| invalid("replicas", "0".into(), "a whole number above 0"));
        let (field, floor) = match self.floor {
            Some(Floor::Usd(Usd(x))) => ("floor usd", x),
            Some(Floor::Hours(ChipHours(x))) => ("floor hours", x),
            None => ("floor usd", 0.0),
        };
        let floor = (!(floor >= 0.0 && floor.is_finite()))
            .then(|| invalid(field, floor.to_string(), "a finite number of 0 or more"));
        [discount, floor, due, replicas].into_iter().flatten()
    }

    /// The price as it is paid: what a month costs over the hours that run in it.
    ///
    /// `(bill + idle) / hours` with `bill = price · (1 − discount) · hours`, `idle = max(0, take_or_pay · floor − bill)`
    /// and `hours = units · replicas · 730.5`.
    pub(super) fn applied(&self, price: PriceUsed) -> PriceUsed {
        if *self == Terms::LISTED {
            return price;
        }
        let listed = price.usd_per_hour;
        let hours = ChipHours(price.units * f64::from(self.replicas) * HOURS_A_MONTH);
        let at = |price: UsdPerHour| discounted(price, self.discount);
        let bill = |price: UsdPerHour| Usd(at(price).0 * hours.0);
        let idle = |price: UsdPerHour| answer::stranded(self.due(at(price)), bill(price));
        let assumed = listed.resting_on(Provenance::Assumed);
        PriceUsed {
            usd_per_hour: assumed.rising(|price| (bill(price) + idle(price)) / hours),
            agreed: Some(Agreed {
                listed_usd_per_hour: listed,
                used_usd_per_month: assumed.rising(bill),
                // Dollars that are promised are reached sooner at a higher price; hours take more of them.
                idle_usd_per_month: match self.floor {
                    Some(Floor::Usd(_)) => assumed.falling(idle),
                    _ => assumed.rising(idle),
                },
            }),
            ..price
        }
    }

    /// Dollars a month that are due at least.
    fn due(&self, price: UsdPerHour) -> Usd {
        let floor = match self.floor {
            None => Usd(0.0),
            Some(Floor::Usd(usd)) => usd,
            Some(Floor::Hours(hours)) => Usd(price.0 * hours.0),
        };
        floor * self.take_or_pay.0
    }
}

/// A price less a share of it: `price · (1 − discount)`.
pub fn discounted(price: UsdPerHour, discount: Share) -> UsdPerHour {
    price * (1.0 - discount.0)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{cost, in_bf16};
    use super::super::{CostLine, CostRequest};
    use super::*;
    use proptest::prelude::*;

    fn price(usd: f64, units: f64) -> PriceUsed {
        PriceUsed {
            usd_per_hour: Estimate::point(UsdPerHour(usd), Provenance::Published),
            unit: "chip",
            units,
            offer: "an offer".into(),
            term: "on-demand".into(),
            source: "a list".into(),
            agreed: None,
        }
    }

    fn charged(terms: Terms) -> (f64, Agreed) {
        let price = terms.applied(price(2.0, 4.0));
        (price.usd_per_hour.mid.0, price.agreed.expect("terms other than the list's"))
    }

    #[test]
    fn money_matches_a_hand_count() {
        // 2 $ less a quarter are 1.50 $; 4 chips · 2 replicas · 730.5 h = 5844 h: 8766 $ a month.
        let terms = Terms { discount: Share(0.25), replicas: 2, ..Terms::LISTED };
        let (paid, agreed) = charged(terms);
        assert_eq!((paid, agreed.used_usd_per_month.mid, agreed.idle_usd_per_month.mid), (1.5, Usd(8766.0), Usd(0.0)));
        // 20 000 $ promised, 80 % due: 16 000 $, of which 7234 $ buy nothing.
        let floor = Terms { floor: Some(Floor::Usd(Usd(20_000.0))), take_or_pay: Share(0.8), ..terms };
        let (paid, agreed) = charged(floor);
        assert!((agreed.idle_usd_per_month.mid.0 - 7234.0).abs() < 1e-9 && (paid - 16_000.0 / 5844.0).abs() < 1e-12);
        // 11 688 chip-hours promised, all due, half of them used: the price doubles.
        let hours = Terms { floor: Some(Floor::Hours(ChipHours(11_688.0))), ..terms };
        assert!((charged(hours).0 - 3.0).abs() < 1e-12);
        // A floor that is used costs nothing.
        assert_eq!(charged(Terms { floor: Some(Floor::Usd(Usd(8000.0))), ..terms }).0, 1.5);
    }

    #[test]
    fn a_discount_costs_what_the_lower_price_costs() {
        let one = |request| -> CostLine { cost(&request, &[]).remove(0) };
        let listed = one(in_bf16(&["h100"]));
        let usd = listed.price.expect("listed").usd_per_hour.mid;
        let terms = Terms { discount: Share(0.2), ..Terms::LISTED };
        let agreed = one(CostRequest { terms, ..in_bf16(&["h100"]) });
        let given = one(CostRequest { price: Some(discounted(usd, Share(0.2))), ..in_bf16(&["h100"]) });
        let money = |line: &CostLine| line.spend.as_ref().expect("priced").usd_per_m_output.mid;
        assert!((money(&agreed).0 - money(&given).0).abs() < 1e-12 * money(&given).0);
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let nan = Terms { floor: Some(Floor::Usd(Usd(f64::NAN))), ..Terms::LISTED };
        let all = Terms { discount: Share(1.0), take_or_pay: Share(-0.1), replicas: 0, ..nan };
        let errors: Vec<String> = all.invalid().map(|error| error.to_string()).collect();
        let parts = ["discount is 100 %", "floor usd is NaN", "take or pay is -0.1", "replicas is 0"];
        assert!(errors.len() == 4 && errors.iter().zip(parts).all(|(e, part)| e.starts_with(part)), "{errors:?}");
        assert_eq!(Terms::LISTED.invalid().count(), 0);
    }

    proptest! {
        #[test]
        fn a_month_costs_the_bill_or_what_is_due_whichever_is_more(
            usd in 0.01f64..100.0, units in 1u32..64, replicas in 1u32..100,
            discount in 0.0f64..0.99, due in 0.0f64..=1.0, floor in 0.0f64..1e8,
        ) {
            let floor = Some(Floor::Usd(Usd(floor)));
            let terms = Terms { discount: Share(discount), floor, take_or_pay: Share(due), replicas };
            let applied = terms.applied(price(usd, f64::from(units)));
            let hours = f64::from(units) * f64::from(replicas) * HOURS_A_MONTH;
            let paid = applied.usd_per_hour.mid.0 * hours;
            let Some(Floor::Usd(Usd(floor))) = floor else { unreachable!("set above") };
            let expected = (usd * (1.0 - discount) * hours).max(due * floor);
            prop_assert!((paid - expected).abs() <= 1e-9 * expected);
        }
    }
}
