//! Everything that happens in one lane, by quarter.

use super::value::Values;
use super::{Flows, Lanes, Play, Quarter, Watch};
use crate::deal::flow::Leg;
use crate::deal::model::Model;
use crate::deal::situation::Situation;

/// Everything that happens, by quarter.
#[derive(Clone, Debug)]
pub(in crate::deal) struct Ledger {
    /// Present value at the start of a dollar in the middle of each quarter.
    pub(in crate::deal) discount: Vec<f64>,
    /// Market price of a chip-hour, by vendor; zeros where there is no market.
    pub(in crate::deal) market: Vec<Vec<f64>>,
    /// By commitment.
    pub(in crate::deal) courses: Vec<Course>,
    /// What the market is paid for tokens that no commitment serves.
    pub(in crate::deal) rest_paid: Vec<f64>,
    /// Shares of revenue.
    pub(in crate::deal) owed: Vec<Vec<f64>>,
    /// What it all comes to.
    pub(in crate::deal) values: Values<f64>,
}

/// What becomes of one commitment, by quarter: see [`Flows`].
#[derive(Clone, Debug, Default)]
pub(in crate::deal) struct Course {
    /// Quarters from the scenario's start to delivery.
    pub(in crate::deal) offset: f64,
    /// What leaving costs at the date of the right, whether it is used or not.
    pub(in crate::deal) exit_price: f64,
    pub(in crate::deal) price: Vec<f64>,
    pub(in crate::deal) in_place: Vec<f64>,
    pub(in crate::deal) scheduled: Vec<f64>,
    pub(in crate::deal) used: Vec<f64>,
    pub(in crate::deal) tokens: Vec<f64>,
    pub(in crate::deal) value: Vec<f64>,
    pub(in crate::deal) gross: Vec<f64>,
    pub(in crate::deal) discounts: Vec<f64>,
    pub(in crate::deal) top_up: Vec<f64>,
    pub(in crate::deal) credits: Vec<f64>,
    pub(in crate::deal) paid: Vec<f64>,
    pub(in crate::deal) fee: Vec<f64>,
    pub(in crate::deal) serving: Vec<f64>,
    pub(in crate::deal) porting: Vec<f64>,
}

impl Ledger {
    /// Plays one course of the deal from a number for every input.
    pub(in crate::deal) fn played(model: &Model, inputs: &[f64], situation: &Situation<f64>) -> Self {
        let (mut play, mut values) = (Play::new(model), Values::new(model));
        let mut ledger = Ledger {
            discount: Vec::new(),
            market: vec![Vec::new(); model.vendors.len()],
            courses: vec![Course::default(); model.contracts.len()],
            rest_paid: Vec::new(),
            owed: vec![Vec::new(); model.owed.len()],
            values: values.lane(0),
        };
        let inputs: Vec<Lanes> = inputs.iter().map(|input| Lanes::all(*input)).collect();
        play.play(model, &inputs, &Situation::all(situation), &mut ledger);
        play.values(&mut values);
        ledger.values = values.lane(0);
        for (course, commitment) in ledger.courses.iter_mut().zip(&play.commitments) {
            course.offset = commitment.offset.0[0];
            course.exit_price = commitment.exit.map_or(0.0, |exit| exit.fee.0[0]);
        }
        ledger
    }
}

impl Ledger {
    /// What a leg of the deal comes to by quarter; none of it where it is dated.
    pub(in crate::deal) fn quarterly(&self, leg: Leg) -> &[f64] {
        match leg {
            Leg::Value(idx) => &self.courses[idx].value,
            Leg::Paid(idx) => &self.courses[idx].paid,
            Leg::Porting(idx) => &self.courses[idx].porting,
            Leg::Serving(idx) => &self.courses[idx].serving,
            Leg::Owed(idx) => &self.owed[idx],
            Leg::Cash(_) | Leg::Given(_) | Leg::Sale(_) | Leg::Warrant(_) => &[],
        }
    }
}

/// Writes a quarter's number, from the first lane; quarters that are played again begin anew.
fn write(column: &mut Vec<f64>, t: usize, lanes: Lanes) {
    column.truncate(t);
    column.push(lanes.0[0]);
}

impl Watch for Ledger {
    fn quarter(&mut self, t: usize, quarter: &Quarter<'_>) {
        write(&mut self.discount, t, quarter.discount);
        write(&mut self.rest_paid, t, quarter.rest_paid);
        for (market, seller) in self.market.iter_mut().zip(quarter.sellers) {
            write(market, t, seller.price);
        }
    }

    fn commitment(&mut self, t: usize, idx: usize, flows: &Flows) {
        let course = &mut self.courses[idx];
        for (column, lanes) in [
            (&mut course.price, flows.price),
            (&mut course.in_place, flows.in_place),
            (&mut course.scheduled, flows.scheduled),
            (&mut course.used, flows.used),
            (&mut course.tokens, flows.tokens),
            (&mut course.value, flows.value),
            (&mut course.gross, flows.gross),
            (&mut course.discounts, flows.discounts),
            (&mut course.top_up, flows.top_up),
            (&mut course.credits, flows.credits),
            (&mut course.paid, flows.paid),
            (&mut course.fee, flows.fee),
            (&mut course.serving, flows.serving),
            (&mut course.porting, flows.porting),
        ] {
            write(column, t, lanes);
        }
    }

    fn owed(&mut self, t: usize, idx: usize, usd: Lanes) {
        write(&mut self.owed[idx], t, usd);
    }
}
