//! The central case quarter by quarter, and the draws of the buyer's value: what figures are drawn from.

use super::Worked;
use crate::deal::outcome::Answer;
use crate::deal::play::Course as Flows;
use crate::deal::scenario::{Closing, Scenario};
use crate::deal::summary::{self, Percentiles};
use serde::Serialize;

/// The central case, signed as stated, by quarter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Course {
    /// `2026 Q1` and on.
    pub quarters: Vec<String>,
    /// Commitments in the order of the file.
    pub commitments: Vec<CommitmentLine>,
    /// Dollars of each quarter that the market is paid for what no commitment serves.
    pub market_paid: Vec<f64>,
}

/// A commitment by quarter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CommitmentLine {
    /// Its id.
    pub compute: String,
    /// Whether it is a part of the deal.
    pub of_the_deal: bool,
    /// Dollars of each quarter.
    pub paid: Vec<f64>,
    /// Gigawatts of its chips in place.
    pub gigawatts: Vec<f64>,
    /// Gigawatts of those that are used.
    pub gigawatts_used: Vec<f64>,
}

impl Worked {
    /// The central case by quarter.
    pub fn course(&self, scenario: &Scenario) -> Course {
        let (model, case) = (&self.model, &self.case);
        let line = |(contract, flows): (&crate::deal::model::Contract, &Flows)| {
            let watts = case.inputs[model.vendors[contract.vendor].power];
            let gigawatts = |chips: &[f64]| chips.iter().map(|chips| chips * watts / 1e9).collect();
            CommitmentLine {
                compute: contract.id.clone(),
                of_the_deal: contract.proposed,
                paid: flows.paid.clone(),
                gigawatts: gigawatts(&flows.in_place),
                gigawatts_used: gigawatts(&flows.used),
            }
        };
        Course {
            quarters: (0..model.quarters).map(|t| scenario.quarter(t)).collect(),
            commitments: model.contracts.iter().zip(&case.ledger.courses).map(line).collect(),
            market_paid: case.ledger.rest_paid.clone(),
        }
    }

    /// What the deal is worth to the buyer in each draw, with the state in which it closed.
    pub fn buyer_npv(&self) -> impl Iterator<Item = (Closing, f64)> + '_ {
        let column = self.column(Answer::Npv(self.model.buyer));
        let closing = |state: &u8| self.model.states[usize::from(*state)].closing;
        self.drawn.states.iter().map(closing).zip(self.drawn.answers[column].iter().copied())
    }

    /// Percentiles of these draws.
    pub fn buyer_percentiles(&self) -> Option<Percentiles> {
        summary::percentiles(&self.drawn.answers[self.column(Answer::Npv(self.model.buyer))])
    }

    /// What the deal is worth to the buyer in the case that the bars of its tornado are moved from.
    pub fn buyer_base(&self) -> f64 {
        self.base[self.column(Answer::Npv(self.model.buyer))]
    }
}

#[cfg(test)]
mod tests {
    use super::super::Options;
    use super::*;
    use crate::deal::testing;

    fn worked() -> (Scenario, Worked) {
        // Somewhat less than half of the deal's chips serve it, at the rate that the cost model gives them.
        let text = testing::plain_with(&[("[[0, 1000]]", "[[0, 900]]")]);
        let (scenario, model) = (testing::scenario(&text), testing::model(&text));
        (scenario, Worked::new(model, Options { draws: 200, seed: 1 }))
    }

    #[test]
    fn a_quarter_of_the_plain_deal_by_hand() {
        let (scenario, worked) = worked();
        let course = worked.course(&scenario);
        let deal = &course.commitments[0];
        assert_eq!((deal.compute.as_str(), deal.of_the_deal, course.quarters.len()), ("deal", true, 8));
        assert_eq!([&course.quarters[0], &course.quarters[7]], ["2026 Q1", "2027 Q4"]);
        // 1 GW of chips of 1 kW in place, at most half of them used; half of a million chips' 2191.5 hours at 2 $ are due
        // whether used or not.
        assert!((deal.gigawatts[3] - 1.0).abs() < 1e-12);
        assert!(deal.gigawatts_used[3] > 0.0 && deal.gigawatts_used[3] < 0.5 + 1e-12, "{}", deal.gigawatts_used[3]);
        assert!((deal.paid[3] / (1e6 * 0.5 * 2.0 * 2191.5) - 1.0).abs() < 1e-9, "{}", deal.paid[3]);
    }

    #[test]
    fn quarters_add_up_to_the_present_values() {
        let (scenario, worked) = worked();
        let course = worked.course(&scenario);
        // No discount in the plain deal.
        let paid: f64 = course.commitments[0].paid.iter().sum();
        let present = worked.case.ledger.values.commitments[0].flows.paid;
        assert!((paid / present - 1.0).abs() < 1e-9, "{paid} against {present}");
        let (market, rest) = (course.market_paid.iter().sum::<f64>(), worked.case.ledger.values.rest_paid);
        assert!((market - rest).abs() <= 1e-9 * rest, "{market} against {rest}");
    }

    #[test]
    fn draws_come_with_their_state() {
        let (scenario, worked) = worked();
        let draws: Vec<(Closing, f64)> = worked.buyer_npv().collect();
        assert!(draws.len() == 200 && draws.iter().all(|(state, npv)| *state == Closing::Signed && npv.is_finite()));
        let mean = draws.iter().map(|(_, npv)| npv).sum::<f64>() / 200.0;
        let analysis = worked.analysis(&scenario, Options { draws: 200, seed: 1 });
        let drawn = analysis.states[0].buyer_npv.as_ref().expect("drawn").mean;
        assert!((mean / drawn - 1.0).abs() < 1e-9);
    }
}
