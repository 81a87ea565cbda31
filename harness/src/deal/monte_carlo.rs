//! Draws of everything that is not settled: terms, prices, speeds, the closing state, reviews, share prices.
//!
//! Draws are made in blocks, each with a random stream of its own (ChaCha8, whose streams are independent by
//! construction), so that a seed gives the same results on any number of threads. A scenario changed in one value draws
//! the same numbers again: differences between variants are those of the value, not of chance.

use super::input::{Slot, Spread};
use super::model::Model;
use super::outcome::{self, Answer};
use super::play::Ledger;
use super::scenario::Closing;
use super::situation::{Review, Situation};
use super::warrant;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, StandardNormal};
use rayon::prelude::*;

/// Draws of a block: enough to hide what starting one costs, few enough to share among threads.
const BLOCK: usize = 2048;
/// Draws whose inputs are kept for rank correlations: their standard error is 1/√n, 0.8 %.
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

/// No vendor.
pub(super) const NOBODY: u8 = u8::MAX;

/// Draws `n` times.
pub(super) fn draw(model: &Model, n: usize, seed: u64) -> Draws {
    let uncertain: Vec<(Slot, Spread)> = (model.inputs.iter().enumerate())
        .filter(|(_, input)| input.is_uncertain())
        .map(|(slot, input)| (slot, input.spread()))
        .collect();
    let n_answers = Answer::all(model).len();
    let blocks: Vec<Block> = (0..n.div_ceil(BLOCK))
        .into_par_iter()
        .map(|idx| block(model, &uncertain, n_answers, (idx, BLOCK.min(n - idx * BLOCK)), seed))
        .collect();
    let joined = |columns: &dyn Fn(&Block) -> &[f64]| -> Vec<f64> {
        blocks.iter().flat_map(|block| columns(block).iter().copied()).collect()
    };
    Draws {
        answers: (0..n_answers).map(|a| joined(&|block| &block.answers[a])).collect(),
        states: blocks.iter().flat_map(|block| block.states.iter().copied()).collect(),
        cheapest: blocks.iter().flat_map(|block| block.cheapest.iter().copied()).collect(),
        normals: uncertain
            .iter()
            .enumerate()
            .map(|(i, (slot, _))| (*slot, joined(&|block| &block.normals[i])))
            .collect(),
    }
}

/// Draws of one block, by column.
struct Block {
    answers: Vec<Vec<f64>>,
    states: Vec<u8>,
    cheapest: Vec<u8>,
    normals: Vec<Vec<f64>>,
}

fn block(model: &Model, uncertain: &[(Slot, Spread)], n_answers: usize, (idx, n): (usize, usize), seed: u64) -> Block {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(idx as u64);
    let mut inputs = model.central();
    let mut normals = vec![0.0; inputs.len()];
    let mut situation = Situation::blank(model);
    let mut ledger = Ledger::new(model);
    let mut warrants = vec![0.0; model.grants.len()];
    let mut block = Block {
        answers: vec![Vec::with_capacity(n); n_answers],
        states: Vec::with_capacity(n),
        cheapest: Vec::with_capacity(n),
        normals: vec![Vec::new(); uncertain.len()],
    };
    let mut answers = vec![0.0; n_answers];
    for draw in 0..n {
        for (slot, _) in uncertain {
            normals[*slot] = StandardNormal.sample(&mut rng);
        }
        model.copula.correlate(&mut normals);
        for (slot, spread) in uncertain {
            inputs[*slot] = spread.at(normals[*slot]);
        }
        if idx * BLOCK + draw < KEPT {
            block.normals.iter_mut().zip(uncertain).for_each(|(column, (slot, _))| column.push(normals[*slot]));
        }
        let state = state(model, &inputs, rng.random());
        let review = review(model, &inputs, &mut rng);
        let closing = model.states[state].closing;
        situation.close(model, &inputs, closing, review, |probability| {
            f64::from(u8::from(rng.random::<f64>() < probability))
        });
        ledger.play(model, &inputs, &situation);
        for (value, grant) in warrants.iter_mut().zip(&model.grants) {
            let stands = situation.alive && closing != Closing::ComputeOnly;
            let path = warrant::value(model, &inputs, grant, &ledger, situation.scale, &mut rng);
            *value = if stands { path } else { 0.0 };
        }
        let cheapest = outcome::answers(model, &inputs, &situation, &ledger, &warrants, &mut answers);
        block.answers.iter_mut().zip(&answers).for_each(|(column, answer)| column.push(*answer));
        block.states.push(state as u8);
        block.cheapest.push(cheapest.map_or(NOBODY, |vendor| vendor as u8));
    }
    block
}

/// The state at a quantile of the priors.
fn state(model: &Model, inputs: &[f64], quantile: f64) -> usize {
    let mut below = 0.0;
    let found = model.states.iter().position(|belief| {
        below += inputs[belief.prior];
        quantile < below
    });
    // Priors sum to 1 within rounding: what is left over falls to the last.
    found.unwrap_or(model.states.len() - 1)
}

fn review(model: &Model, inputs: &[f64], rng: &mut impl Rng) -> Review {
    let Some((_, hazard, block)) = model.regulation else { return Review::default() };
    let wait: f64 = Exp1.sample(rng);
    let quantile: f64 = rng.random();
    Review {
        years: hazard.map_or(0.0, |hazard| wait / inputs[hazard]),
        blocked: block.is_some_and(|block| quantile < inputs[block]),
    }
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
