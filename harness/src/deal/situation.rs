//! How the deal closed, as far as it changes what is computed.

use super::input::Inputs;
use super::model::Model;
use super::scenario::{Closing, Scope};

/// What became of each part.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Situation {
    /// Whether the proposed commitments stand.
    pub(super) compute: bool,
    /// For each stake, the share of it that is paid: 0 or 1 in a draw, its probability in the central case.
    pub(super) paid: Vec<f64>,
    /// Whether anything of the deal stands, so that shares of revenue and warrants do.
    pub(super) alive: bool,
    /// Multiple of all sizes of the deal.
    pub(super) scale: f64,
    /// Years by which the proposed commitments are late, their own slip aside.
    pub(super) compute_delay: f64,
    /// Years by which the equity is late.
    pub(super) equity_delay: f64,
}

/// What an authority's review came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Review {
    /// Years that it took.
    pub(super) years: f64,
    /// Whether it ended in a block.
    pub(super) blocked: bool,
}

impl Situation {
    /// The central case: signed as the file states it, with no review, contingent tranches at their probability.
    pub(super) fn as_stated(model: &Model, inputs: &(impl Inputs + ?Sized)) -> Self {
        let mut situation = Situation::blank(model);
        situation.close(model, inputs, Closing::Signed, Review::default(), |probability| probability);
        situation
    }

    /// A situation to be filled by [`Situation::close`].
    pub(super) fn blank(model: &Model) -> Self {
        let paid = vec![0.0; model.stakes.len()];
        Situation { compute: false, paid, alive: false, scale: 1.0, compute_delay: 0.0, equity_delay: 0.0 }
    }

    /// Fills in what follows from a closing state and a review. `paid` decides how much of a contingent tranche of
    /// some probability is paid.
    pub(super) fn close(
        &mut self,
        model: &Model,
        inputs: &(impl Inputs + ?Sized),
        closing: Closing,
        review: Review,
        mut paid: impl FnMut(f64) -> f64,
    ) {
        let belief = model.states.iter().find(|belief| belief.closing == closing);
        let term = |slot: Option<usize>, without: f64| slot.map_or(without, |slot| inputs[slot]);
        self.scale = term(belief.and_then(|belief| belief.scale), 1.0);
        let stalled = term(belief.and_then(|belief| belief.delay), 0.0);
        let whole_deal = matches!(model.regulation, Some((Scope::Deal, _, _)));
        let dead = closing == Closing::Dead || (review.blocked && whole_deal);
        self.compute = !dead && closing != Closing::EquityOnly;
        self.compute_delay = stalled + if whole_deal { review.years } else { 0.0 };
        self.equity_delay = stalled + review.years;
        self.alive = !dead;
        let equity = !dead && !review.blocked && closing != Closing::ComputeOnly;
        for (stake, weight) in model.stakes.iter().zip(&mut self.paid) {
            *weight = match stake.contingent {
                None => 1.0,
                Some((probability, wait, lapses)) => {
                    let in_time = stake.closes + inputs[wait] + self.equity_delay <= lapses;
                    paid(inputs[probability]) * f64::from(u8::from(in_time))
                }
            } * f64::from(u8::from(equity));
        }
    }
}
