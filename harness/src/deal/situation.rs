//! How the deal closed, as far as it changes what is computed.

use super::input::Inputs;
use super::lanes::Lanes;
use super::model::Model;
use super::number::Number;
use super::scenario::{Closing, Scope};

/// What became of each part: in one draw, or in several.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Situation<N> {
    /// 1 where the proposed commitments stand, else 0.
    pub(super) compute: N,
    /// For each stake, the share of it that is paid: 0 or 1 in a draw, its probability in the central case.
    pub(super) paid: Vec<N>,
    /// 1 where anything of the deal stands, so that shares of revenue and warrants do, else 0.
    pub(super) alive: N,
    /// Multiple of all sizes of the deal.
    pub(super) scale: N,
    /// Years by which the proposed commitments are late, their own slip aside.
    pub(super) compute_delay: N,
    /// Years by which the equity is late.
    pub(super) equity_delay: N,
}

/// What an authority's review came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Review {
    /// Years that it took.
    pub(super) years: f64,
    /// Whether it ended in a block.
    pub(super) blocked: bool,
}

impl<N: Number> Situation<N> {
    /// A situation to be filled.
    pub(super) fn blank(model: &Model) -> Self {
        let [none, one] = [0.0, 1.0].map(N::all);
        let paid = vec![none; model.stakes.len()];
        Situation { compute: none, paid, alive: none, scale: one, compute_delay: none, equity_delay: none }
    }
}

impl Situation<Lanes> {
    /// The same situation in every draw.
    pub(super) fn all(one: &Situation<f64>) -> Self {
        let [compute, alive, scale] = [one.compute, one.alive, one.scale].map(Lanes::all);
        let [compute_delay, equity_delay] = [one.compute_delay, one.equity_delay].map(Lanes::all);
        let paid = one.paid.iter().map(|paid| Lanes::all(*paid)).collect();
        Situation { compute, paid, alive, scale, compute_delay, equity_delay }
    }

    /// Sets one draw's.
    pub(super) fn set(&mut self, lane: usize, one: &Situation<f64>) {
        self.compute.0[lane] = one.compute;
        self.paid.iter_mut().zip(&one.paid).for_each(|(paid, one)| paid.0[lane] = *one);
        self.alive.0[lane] = one.alive;
        self.scale.0[lane] = one.scale;
        self.compute_delay.0[lane] = one.compute_delay;
        self.equity_delay.0[lane] = one.equity_delay;
    }
}

impl Situation<f64> {
    /// The central case: signed as the file states it, with no review, contingent tranches at their probability.
    pub(super) fn as_stated(model: &Model, inputs: &(impl Inputs + ?Sized)) -> Self {
        let mut situation = Situation::blank(model);
        situation.close(model, inputs, Closing::Signed, Review::default(), |probability| probability);
        situation
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
        self.compute = one_if(!dead && closing != Closing::EquityOnly);
        self.compute_delay = stalled + if whole_deal { review.years } else { 0.0 };
        self.equity_delay = stalled + review.years;
        self.alive = one_if(!dead);
        let equity = one_if(!dead && !review.blocked && closing != Closing::ComputeOnly);
        for (stake, weight) in model.stakes.iter().zip(&mut self.paid) {
            *weight = match stake.contingent {
                None => 1.0,
                Some((probability, wait, lapses)) => {
                    let in_time = stake.closes + inputs[wait] + self.equity_delay <= lapses;
                    paid(inputs[probability]) * one_if(in_time)
                }
            } * equity;
        }
    }
}

fn one_if(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}
