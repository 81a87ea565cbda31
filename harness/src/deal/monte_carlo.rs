//! Draws of everything that is not settled: terms, prices, speeds, the closing state, reviews, share prices.
//!
//! Draws are made in blocks, each with a random stream of its own (ChaCha8, whose streams are independent by
//! construction), so that a seed gives the same results on any number of threads. A scenario changed in one value draws
//! the same numbers again: differences between variants are those of the value, not of chance.

use super::input::{Inputs, Slot, Spread};
use super::lanes::{LANES, Lane, Lanes, write};
use super::model::Model;
use super::numbers::Numbers;
use super::outcome::{self, Answer, NOBODY};
use super::play::{Deployed, Play, Values, play_draws};
use super::scenario::Closing;
use super::situation::{Review, Situation};
use super::warrant;
use multiversion::multiversion;
use rand::Rng;
use rand_distr::{Distribution, Exp1};
use rayon::prelude::*;
use std::array::from_fn;

/// Draws of a block: enough to hide what starting one costs, few enough to share among threads. A multiple of the lanes.
const BLOCK: usize = 2048;
/// Draws whose inputs are kept for rank correlations: their standard error is 1/√n, 0.8 %. A multiple of the blocks.
const KEPT: usize = 16_384;

/// What was drawn, by column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Draws {
    /// One column for each of [`Answer::all`].
    pub(super) answers: Vec<Vec<f64>>,
    /// Position of the closing state among the model's.
    pub(super) states: Vec<u8>,
    /// Position of the vendor at which a token cost least; [`NOBODY`] where no vendor has a price.
    pub(super) cheapest: Vec<u8>,
    /// Inputs that were drawn, and the normal number behind each in the first draws.
    pub(super) normals: Vec<(Slot, Vec<f64>)>,
}

/// Draws `n` times.
pub(super) fn draw(model: &Model, n: usize, seed: u64) -> Draws {
    let uncertain: Vec<(Slot, Spread)> = (model.inputs.iter().enumerate())
        .filter(|(_, input)| input.is_uncertain())
        .map(|(slot, input)| (slot, input.spread()))
        .collect();
    let mut draws = Draws {
        answers: vec![vec![0.0; n]; Answer::all(model).len()],
        states: vec![0; n],
        cheapest: vec![NOBODY; n],
        normals: uncertain.iter().map(|(slot, _)| (*slot, vec![0.0; n.min(KEPT)])).collect(),
    };
    let blocks: Vec<Block<'_>> = draws.blocks();
    blocks.into_par_iter().enumerate().for_each(|(idx, block)| block.draw(model, &uncertain, (idx, seed)));
    draws
}

/// Draws of one block: its part of each column.
struct Block<'d> {
    answers: Vec<&'d mut [f64]>,
    states: &'d mut [u8],
    cheapest: &'d mut [u8],
    /// None where they are not kept.
    normals: Vec<&'d mut [f64]>,
}

impl Draws {
    /// The columns, cut into blocks.
    fn blocks(&mut self) -> Vec<Block<'_>> {
        let both = self.states.chunks_mut(BLOCK).zip(self.cheapest.chunks_mut(BLOCK));
        let mut blocks: Vec<Block<'_>> = both
            .map(|(states, cheapest)| Block { answers: Vec::new(), states, cheapest, normals: Vec::new() })
            .collect();
        for column in &mut self.answers {
            blocks.iter_mut().zip(column.chunks_mut(BLOCK)).for_each(|(block, part)| block.answers.push(part));
        }
        for (_, column) in &mut self.normals {
            blocks.iter_mut().zip(column.chunks_mut(BLOCK)).for_each(|(block, part)| block.normals.push(part));
        }
        blocks
    }
}

impl Block<'_> {
    fn draw(mut self, model: &Model, uncertain: &[(Slot, Spread)], (idx, seed): (usize, u64)) {
        let mut numbers = Numbers::new(seed, idx as u64);
        let mut side = Side::new(model, uncertain.len());
        for first in (0..self.states.len()).step_by(LANES) {
            side.draw(model, uncertain, &mut numbers);
            let cheapest = side.answer(model);
            write(self.states, first, side.states.map(|state| state as u8));
            write(self.cheapest, first, cheapest.0.map(|vendor| vendor as u8));
            self.answers.iter_mut().zip(&side.answers).for_each(|(column, answer)| write(column, first, answer.0));
            let normals = self.normals.iter_mut().zip(uncertain);
            normals.for_each(|(column, (slot, _))| write(column, first, side.normals[*slot].0));
        }
    }
}

/// Draws side by side: what was drawn for each, and how it played out.
struct Side {
    /// Normal numbers of each draw, for the inputs that are drawn.
    rows: [Vec<f64>; LANES],
    /// By input.
    normals: Vec<Lanes>,
    inputs: Vec<Lanes>,
    /// By draw.
    chances: [Chances; LANES],
    states: [usize; LANES],
    situation: Situation<Lanes>,
    /// Of one draw, to be set among the others.
    closed: Situation<f64>,
    play: Play,
    deployed: Deployed,
    values: Values<Lanes>,
    warrants: Vec<Lanes>,
    /// In the order of [`Answer::all`].
    answers: Vec<Lanes>,
}

/// What is drawn for one draw besides its inputs.
#[derive(Clone, Default)]
struct Chances {
    /// Quantiles: of the closing state, of a block by an authority, and of each contingent tranche.
    state: f64,
    block: f64,
    paid: Vec<f64>,
    /// How long a review takes, in its mean.
    wait: f64,
    /// The share prices' steps, grant after grant.
    steps: Vec<f64>,
}

impl Chances {
    fn draw(&mut self, model: &Model, numbers: &mut Numbers) {
        self.state = numbers.random();
        if model.regulation.is_some() {
            self.wait = Exp1.sample(numbers);
            self.block = numbers.random();
        }
        self.paid.clear();
        let tranches = model.stakes.iter().filter(|stake| stake.contingent.is_some());
        self.paid.extend(tranches.map(|_| numbers.random::<f64>()));
        self.steps.resize(model.grants.iter().map(|grant| grant.quarters).sum(), 0.0);
        numbers.normals(&mut self.steps);
    }

    fn review(&self, model: &Model, inputs: &(impl Inputs + ?Sized)) -> Review {
        let Some((_, hazard, block)) = model.regulation else { return Review::default() };
        Review {
            years: hazard.map_or(0.0, |hazard| self.wait / inputs[hazard]),
            blocked: block.is_some_and(|block| self.block < inputs[block]),
        }
    }
}

impl Side {
    fn new(model: &Model, n_uncertain: usize) -> Self {
        let central = model.central();
        Side {
            rows: from_fn(|_| vec![0.0; n_uncertain]),
            normals: vec![Lanes::ZERO; central.len()],
            inputs: central.iter().map(|input| Lanes::all(*input)).collect(),
            chances: from_fn(|_| Chances::default()),
            states: [0; LANES],
            situation: Situation::blank(model),
            closed: Situation::blank(model),
            play: Play::new(model),
            deployed: Deployed::new(model),
            values: Values::new(model),
            warrants: vec![Lanes::ZERO; model.grants.len()],
            answers: vec![Lanes::ZERO; Answer::all(model).len()],
        }
    }

    /// Draws for every lane, and plays them.
    fn draw(&mut self, model: &Model, uncertain: &[(Slot, Spread)], numbers: &mut Numbers) {
        for lane in 0..LANES {
            numbers.normals(&mut self.rows[lane]);
            self.chances[lane].draw(model, numbers);
        }
        for (i, (slot, _)) in uncertain.iter().enumerate() {
            self.normals[*slot] = Lanes(from_fn(|lane| self.rows[lane][i]));
        }
        model.copula.correlate(&mut self.normals);
        spread(uncertain, &self.normals, &mut self.inputs);
        for lane in 0..LANES {
            let (inputs, chances) = (&Lane { of: &self.inputs, lane }, &self.chances[lane]);
            self.states[lane] = state(model, inputs, chances.state);
            let closing = model.states[self.states[lane]].closing;
            let mut quantiles = chances.paid.iter();
            self.closed.close(model, inputs, closing, chances.review(model, inputs), |probability| {
                f64::from(u8::from(quantiles.next().is_some_and(|quantile| *quantile < probability)))
            });
            self.situation.set(lane, &self.closed);
        }
        play_draws(&mut self.play, model, &self.inputs, &self.situation, &mut self.deployed);
    }

    /// Answers every lane; returns the position of the vendor at which a million tokens cost least.
    fn answer(&mut self, model: &Model) -> Lanes {
        for lane in 0..LANES {
            let inputs = &Lane { of: &self.inputs, lane };
            let stands =
                self.situation.alive.0[lane] > 0.0 && model.states[self.states[lane]].closing != Closing::ComputeOnly;
            let mut steps = self.chances[lane].steps.iter().copied();
            for ((value, grant), in_place) in self.warrants.iter_mut().zip(&model.grants).zip(&self.deployed.in_place) {
                let steps = steps.by_ref().take(grant.quarters);
                let scale = self.situation.scale.0[lane];
                let path = warrant::value(model, inputs, grant, scale, |t| in_place[t].0[lane], steps);
                value.0[lane] = if stands { path } else { 0.0 };
            }
        }
        self.play.values(&mut self.values);
        answer_draws(model, &self.inputs, &self.situation, &self.values, &self.warrants, &mut self.answers)
    }
}

/// [`outcome::answers`] for the draws, in the widest vectors of this machine.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn answer_draws(
    model: &Model,
    inputs: &[Lanes],
    situation: &Situation<Lanes>,
    values: &Values<Lanes>,
    warrants: &[Lanes],
    out: &mut [Lanes],
) -> Lanes {
    outcome::answers(model, inputs, situation, values, warrants, out)
}

/// Inputs from the normal numbers behind them, in the widest vectors of this machine.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn spread(uncertain: &[(Slot, Spread)], normals: &[Lanes], inputs: &mut [Lanes]) {
    for (slot, spread) in uncertain {
        inputs[*slot] = spread.at_each(normals[*slot]);
    }
}

/// The state at a quantile of the priors.
fn state(model: &Model, inputs: &(impl Inputs + ?Sized), quantile: f64) -> usize {
    let mut below = 0.0;
    let found = model.states.iter().position(|belief| {
        below += inputs[belief.prior];
        quantile < below
    });
    // Priors sum to 1 within rounding: what is left over falls to the last.
    found.unwrap_or(model.states.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::super::outcome::Answer;
    use super::super::testing::{model, plain_with};
    use super::*;

    /// A model with everything that is drawn: inputs, states, reviews, contingent equity, share prices.
    fn drawn() -> Model {
        let catalogue = crate::catalogue::Catalogue::embedded().expect("valid");
        let scenario = crate::deal::load("openai-amd-2025-10", &[]).expect("shipped");
        Model::new(&scenario, &catalogue).expect("no finding").0
    }

    #[test]
    fn a_seed_gives_the_same_draws_on_any_number_of_threads() {
        let model = drawn();
        let n = 2 * BLOCK + 7;
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| draw(&model, n, 3))
        };
        let (one, two) = (on(1), on(2));
        let bits =
            |draws: &Draws| -> Vec<u64> { draws.answers.iter().flatten().map(|value| value.to_bits()).collect() };
        assert_eq!(bits(&one), bits(&two));
        assert_eq!((&one.states, &one.cheapest, &one.normals), (&two.states, &two.cheapest, &two.normals));
        assert_eq!(one.answers[0].len(), n);
        let other = draw(&model, n, 4);
        assert_ne!(bits(&one), bits(&other), "another seed draws other numbers");
    }

    #[test]
    fn answers_side_by_side_are_those_of_each_draw_alone() {
        let model = drawn();
        let inputs = model.inputs.iter().enumerate().filter(|(_, input)| input.is_uncertain());
        let uncertain: Vec<(Slot, Spread)> = inputs.map(|(slot, input)| (slot, input.spread())).collect();
        let (mut side, mut numbers) = (Side::new(&model, uncertain.len()), Numbers::new(5, 0));
        let mut n_dead = 0;
        for _ in 0..40 {
            side.draw(&model, &uncertain, &mut numbers);
            let cheapest = side.answer(&model);
            for lane in 0..LANES {
                let of = |lanes: &[Lanes]| -> Vec<f64> { lanes.iter().map(|numbers| numbers.0[lane]).collect() };
                let Situation { compute, paid, alive, scale, compute_delay, equity_delay } = &side.situation;
                let [compute, alive, scale] = [compute, alive, scale].map(|numbers| numbers.0[lane]);
                let [compute_delay, equity_delay] = [compute_delay, equity_delay].map(|years| years.0[lane]);
                let situation = Situation { compute, paid: of(paid), alive, scale, compute_delay, equity_delay };
                n_dead += usize::from(alive == 0.0);
                let (inputs, warrants, together) = (of(&side.inputs), of(&side.warrants), of(&side.answers));
                let (values, mut alone) = (side.values.lane(lane), vec![0.0; together.len()]);
                let first = outcome::answers(&model, &inputs[..], &situation, &values, &warrants, &mut alone);
                let is_same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
                assert!(alone.iter().zip(&together).all(is_same), "{alone:?} {together:?}");
                assert_eq!(first, cheapest.0[lane]);
            }
        }
        assert!(n_dead > 0 && n_dead < 40 * LANES, "{n_dead}");
    }

    #[test]
    fn states_come_as_often_as_their_priors_say() {
        let model = drawn();
        let n = 20_000;
        let draws = draw(&model, n, 1);
        for (idx, belief) in model.states.iter().enumerate() {
            let prior = model.inputs[belief.prior].cases[1];
            let share = draws.states.iter().filter(|state| usize::from(**state) == idx).count() as f64 / n as f64;
            // Four standard errors of a share.
            assert!((share - prior).abs() <= 4.0 * (prior * (1.0 - prior) / n as f64).sqrt(), "{share} for {prior}");
        }
    }

    #[test]
    fn what_is_drawn_has_the_stated_quantiles() {
        // More demand than the chips in place can serve: every hour is used, and half of them are useful.
        let spread = [("price = { value = 2,", "price = { low = 1, mid = 2, high = 8,"), ("[[0, 1000]]", "[[0, 1e6]]")];
        let draws = draw(&model(&plain_with(&spread)), 20_000, 1);
        let drawn = crate::deal::summary::percentiles(&draws.answers[0]).expect("drawn");
        assert!((drawn.p50 - 4.0).abs() < 0.08, "{drawn:?}");
        assert!((drawn.p10 / drawn.p50 - 0.5).abs() < 0.02 && (drawn.p90 / drawn.p50 - 4.0).abs() < 0.15, "{drawn:?}");
    }

    #[test]
    fn a_deal_that_fell_through_has_no_price_and_moves_no_money() {
        let states =
            "prior = { value = 0.5, unit = \"1\", source = \"s\" }\n\n[[state]]\nid = \"dead\"\nprior = { value = 0.5,";
        let model = model(&plain_with(&[("prior = { value = 1,", states)]));
        let draws = draw(&model, 1000, 1);
        let dead = |i: &usize| model.states[usize::from(draws.states[*i])].closing == Closing::Dead;
        let npv = Answer::all(&model).iter().position(|answer| *answer == Answer::Npv(0)).expect("a column");
        assert!((0..1000).filter(dead).count() > 400);
        assert!((0..1000).filter(dead).all(|i| draws.answers[0][i].is_nan() && draws.answers[npv][i] == 0.0));
        assert!((0..1000).filter(|i| !dead(i)).all(|i| draws.answers[0][i] > 0.0));
    }
}
