//! Loops: their ends, what is known of their trips, and what of the walk's state outlives them.

use super::Planner;
use crate::backend::Unsupported;
use crate::backend::neuron::nki::step::Step;
use crate::backend::neuron::nki::uses;
use crate::program::{Bound, Op, Var};

/// Values of a loop's variable.
pub(super) struct Trips {
    /// Least and greatest value, both included.
    pub(super) range: (i64, i64),
    /// Whether there is one at every point.
    pub(super) never_empty: bool,
}

impl Planner<'_> {
    pub(super) fn repeat(&mut self, var: Var, low: &[Bound], high: &[Bound], body: &[Op]) -> Result<(), Unsupported> {
        let trips = self.trips(low, high);
        let (first, last) = (self.end(low, "max"), self.end(high, "min"));
        let name = self.names.fresh("l");
        // The ends are named where they take work to find and are used twice.
        let first = self.named_end(&name, first);
        let opened = self.open_sums(body, &name, &first);
        self.scope.open(var, name.clone(), trips.range);
        let before = (self.defined.clone(), self.allocated.clone(), self.outside.clone(), self.turned.clone());
        let outer = std::mem::take(&mut self.steps);
        self.outside = self.defined.clone();
        for tile in uses::defined_in(body) {
            self.turned[tile.0 as usize] = None;
        }
        self.list(body)?;
        let body_steps = std::mem::replace(&mut self.steps, outer);
        let sizes = self.scope.close();
        (self.defined, self.allocated, self.outside, self.turned) = before;
        for tile in uses::defined_in(body) {
            self.turned[tile.0 as usize] = None;
        }
        let runs = (!trips.never_empty).then(|| format!("{first} < {last}"));
        self.steps.push(Step::Loop { var: name, first, last, sizes, body: body_steps });
        self.close_sums(&opened, runs);
        Ok(())
    }

    fn named_end(&mut self, var: &str, end: String) -> String {
        if !end.contains('(') {
            return end;
        }
        let name = self.names.fresh(&format!("{var}_first"));
        self.steps.push(Step::Let { name: name.clone(), value: end });
        name
    }

    fn end(&self, bounds: &[Bound], join: &str) -> String {
        let mut ends: Vec<String> = bounds.iter().map(|bound| self.scope.bound(bound)).collect();
        ends.dedup();
        if ends.len() == 1 { ends.remove(0) } else { format!("{join}({})", ends.join(", ")) }
    }

    pub(super) fn trips(&self, low: &[Bound], high: &[Bound]) -> Trips {
        let low: Vec<(i64, i64)> = low.iter().map(|bound| self.scope.range(bound)).collect();
        let high: Vec<(i64, i64)> = high.iter().map(|bound| self.scope.range(bound)).collect();
        let greatest = |ends: &[(i64, i64)]| {
            ends.iter().fold((i64::MIN, i64::MIN), |most, end| (most.0.max(end.0), most.1.max(end.1)))
        };
        let least = |ends: &[(i64, i64)]| {
            ends.iter().fold((i64::MAX, i64::MAX), |least, end| (least.0.min(end.0), least.1.min(end.1)))
        };
        let (low, high) = (greatest(&low), least(&high));
        Trips { range: (low.0, (high.1 - 1).max(low.0)), never_empty: low.1 < high.0 }
    }
}
