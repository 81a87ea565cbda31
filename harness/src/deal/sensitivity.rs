//! What an answer rests on, and what moves it.

use super::central::Case;
use super::model::Model;
use super::monte_carlo::Draws;
use super::summary::Ranked;
use super::term::Support;
use crate::units::Kinds;
use rayon::prelude::*;
use serde::Serialize;

/// By how much an input without spread is moved to see whether an answer rests on it.
const NUDGE: f64 = 0.1;
/// Relative change below which an answer did not move.
const UNMOVED: f64 = 1e-9;

/// Every answer with one input moved, both ways.
pub(super) struct Moved {
    /// Position of the input.
    pub(super) slot: usize,
    /// Answers at the low and at the high case (without spread: a tenth below and above).
    pub(super) answers: [Vec<f64>; 2],
}

/// Moves each input in turn from the central case.
pub(super) fn moved(model: &Model, seed: u64) -> Vec<Moved> {
    let at = |slot: usize, value: f64| {
        let mut inputs = model.central();
        inputs[slot] = value;
        Case::with_inputs(model, inputs, seed).answers
    };
    let both = |slot: usize| {
        let input = &model.inputs[slot];
        let [low, mid, high] = input.cases;
        let values = match (input.is_uncertain(), input.support) {
            (true, _) => [low, high],
            (false, Support::Positive) => [mid * (1.0 - NUDGE), mid * (1.0 + NUDGE)],
            (false, Support::Share) => [mid * (1.0 - NUDGE), mid + (1.0 - mid) * NUDGE],
            (false, Support::Real) => [mid - NUDGE / 10.0, mid + NUDGE / 10.0],
        };
        Moved { slot, answers: values.map(|value| at(slot, value)) }
    };
    (0..model.inputs.len()).into_par_iter().map(both).collect()
}

/// Kinds of all inputs that move an answer: a set that a formula cannot forget to update.
pub(super) fn kinds(model: &Model, base: &[f64], moved: &[Moved], answer: usize) -> Kinds {
    let moves = |moved: &&Moved| moved.answers.iter().any(|answers| differ(base[answer], answers[answer]));
    moved.iter().filter(moves).fold(Kinds::NONE, |kinds, moved| kinds.union(model.inputs[moved.slot].kinds))
}

fn differ(a: f64, b: f64) -> bool {
    a.is_nan() != b.is_nan() || (a - b).abs() > UNMOVED * a.abs().max(b.abs())
}

/// A bar of a tornado: an answer at the 10 % and the 90 % case of one input, all others central.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bar {
    /// Path of the input.
    pub input: String,
    /// The input's 10 % and 90 % case.
    pub cases: [f64; 2],
    /// The answer there.
    pub answer: [f64; 2],
    /// Spearman's correlation of the input's and the answer's ranks over the draws.
    pub rank_correlation: Option<f64>,
    /// Kinds of the input's evidence.
    pub kinds: Kinds,
}

/// Bars of the inputs that have a spread and move an answer, the longest first.
pub(super) fn tornado(model: &Model, base: &[f64], moved: &[Moved], draws: &Draws, answer: usize) -> Vec<Bar> {
    let moved = moved.iter().filter(|moved| model.inputs[moved.slot].is_uncertain());
    let kept = draws.normals.first().map_or(0, |(_, normals)| normals.len());
    let ranked = Ranked::new(&draws.answers[answer][..kept]);
    let mut bars: Vec<Bar> = moved
        .filter(|moved| moved.answers.iter().any(|answers| differ(base[answer], answers[answer])))
        .map(|moved| {
            let input = &model.inputs[moved.slot];
            let drawn = draws.normals.iter().find(|(slot, _)| *slot == moved.slot);
            Bar {
                input: input.path.clone(),
                cases: [input.cases[0], input.cases[2]],
                answer: [moved.answers[0][answer], moved.answers[1][answer]],
                // An input rises with the normal number behind it, so their ranks are the same.
                rank_correlation: drawn.and_then(|(_, normals)| ranked.correlation(normals)),
                kinds: input.kinds,
            }
        })
        .collect();
    let length = |bar: &Bar| (bar.answer[1] - bar.answer[0]).abs();
    bars.sort_by(|a, b| length(b).total_cmp(&length(a)));
    bars
}
