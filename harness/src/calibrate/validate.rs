//! The error of a calibration on rows that it did not see.

use super::fit::{Fit, Pull};
use super::interval::{Interval, covered, half_width};
use super::sample::Sample;
use serde::Serialize;
use std::fmt;

/// What was held out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum HoldOut {
    /// Nothing: the error of the fit on its own rows.
    Nothing,
    /// A fifth of the rows, five times.
    Fold,
    /// A chip at a time.
    Chip,
    /// A model at a time.
    Model,
}

impl fmt::Display for HoldOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            HoldOut::Nothing => "in sample",
            HoldOut::Fold => "five folds",
            HoldOut::Chip => "chip held out",
            HoldOut::Model => "model held out",
        })
    }
}

/// Errors in percent of the measured time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ErrorSummary {
    /// Rows.
    pub rows: usize,
    /// Mean of `|predicted / measured − 1|`.
    pub mean: f64,
    /// Their median.
    pub median: f64,
    /// Their 90th percentile.
    pub p90: f64,
    /// Mean of `ln(predicted / measured)`, in percent: above 0 is too slow.
    pub bias: f64,
}

/// Errors of one kind of hold-out over some rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Validation {
    /// What was held out.
    pub hold_out: HoldOut,
    /// Engine, chip, model or degree whose rows these are; `all` for every row.
    pub group: String,
    /// Error of the time per token.
    pub tpot: Option<ErrorSummary>,
    /// Error of the time to the first token, over rows without a queue.
    pub ttft: Option<ErrorSummary>,
    /// Half-widths of 80 % intervals.
    pub interval: Interval,
    /// Share of rows inside an interval whose width came from other groups (TPOT, TTFT).
    pub coverage: Option<[f64; 2]>,
}

/// `ln(predicted / measured)` of a row; the first token's only where neither model nor measurement shows a queue.
#[derive(Clone, Copy, Debug)]
struct Miss {
    tpot: f64,
    ttft: Option<f64>,
}

/// Errors in sample, over folds, and with each chip and each model held out.
pub fn validate(samples: &[Sample], fit: &Fit, pull: Pull) -> Vec<Validation> {
    let all: Vec<&Sample> = samples.iter().collect();
    let in_sample: Vec<Miss> = all.iter().map(|sample| miss(sample, fit)).collect();
    let mut found = summaries(HoldOut::Nothing, &all, &in_sample, &vec![0; all.len()]);
    for hold_out in [HoldOut::Fold, HoldOut::Chip, HoldOut::Model] {
        let parts = parts(hold_out, &all);
        let misses = held_out(&all, &parts, pull);
        found.extend(summaries(hold_out, &all, &misses, &parts));
    }
    found
}

/// The part that each sample belongs to. Folds are dealt out by the hash of a row's id, so that they do not depend on
/// the order of rows and hold close repeats apart by chance alone.
fn parts(hold_out: HoldOut, samples: &[&Sample]) -> Vec<usize> {
    let index = |name: fn(&Sample) -> &str| {
        let mut names: Vec<&str> = samples.iter().map(|sample| name(sample)).collect();
        names.sort_unstable();
        names.dedup();
        samples.iter().map(|sample| names.iter().position(|known| *known == name(sample)).unwrap_or(0)).collect()
    };
    match hold_out {
        HoldOut::Nothing => vec![0; samples.len()],
        HoldOut::Fold => samples.iter().map(|sample| fold_of(&sample.id)).collect(),
        HoldOut::Chip => index(|sample| &sample.chip),
        HoldOut::Model => index(|sample| &sample.model),
    }
}

const FOLDS: u64 = 5;

/// FNV-1a of the id, modulo the folds.
fn fold_of(id: &str) -> usize {
    let hash = id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash % FOLDS) as usize
}

fn held_out(samples: &[&Sample], parts: &[usize], pull: Pull) -> Vec<Miss> {
    let most = parts.iter().copied().max().unwrap_or(0);
    let mut misses = vec![None; samples.len()];
    for part in 0..=most {
        let (inside, outside): (Vec<usize>, Vec<usize>) = (0..samples.len()).partition(|&idx| parts[idx] == part);
        if inside.is_empty() || outside.is_empty() {
            continue;
        }
        let fit = Fit::to(&outside.iter().map(|&idx| samples[idx]).collect::<Vec<_>>(), pull);
        for idx in inside {
            misses[idx] = Some(miss(samples[idx], &fit));
        }
    }
    // With one part alone there is nothing to fit to what remains.
    misses.into_iter().map(|found| found.unwrap_or(Miss { tpot: f64::NAN, ttft: None })).collect()
}

fn miss(sample: &Sample, fit: &Fit) -> Miss {
    let predicted = sample.predict(&fit.constants(&sample.engine, &sample.release));
    let queueless = predicted.queue == 0.0 && !sample.queued();
    Miss { tpot: (predicted.tpot / sample.tpot).ln(), ttft: queueless.then(|| (predicted.ttft / sample.ttft).ln()) }
}

fn summaries(hold_out: HoldOut, samples: &[&Sample], misses: &[Miss], parts: &[usize]) -> Vec<Validation> {
    let groups = |name: fn(&Sample) -> String| {
        let mut names: Vec<String> = samples.iter().map(|sample| name(sample)).collect();
        names.sort();
        names.dedup();
        names.into_iter().map(move |group| (group, name))
    };
    let by_engine = groups(|sample| sample.engine.clone());
    let by_chip = groups(|sample| sample.chip.clone());
    let by_model = groups(|sample| sample.model.clone());
    let by_ranks = groups(|sample| format!("{} ranks", sample.deployment.stage_ranks()));
    let whole = std::iter::once(("all".to_string(), (|_| "all".to_string()) as fn(&Sample) -> String));
    whole
        .chain(by_engine)
        .chain(by_chip)
        .chain(by_model)
        .chain(by_ranks)
        .map(|(group, name)| {
            let own: Vec<usize> = (0..samples.len()).filter(|&idx| name(samples[idx]) == group).collect();
            summary(hold_out, group, &own, misses, parts)
        })
        .collect()
}

fn summary(hold_out: HoldOut, group: String, own: &[usize], misses: &[Miss], parts: &[usize]) -> Validation {
    let tpot: Vec<f64> = own.iter().map(|&idx| misses[idx].tpot).filter(|miss| miss.is_finite()).collect();
    let ttft: Vec<f64> = own.iter().filter_map(|&idx| misses[idx].ttft).collect();
    let size = |errors: &[f64]| errors.iter().map(|error| error.abs()).collect::<Vec<f64>>();
    let interval = Interval { tpot: half_width(size(&tpot)), ttft: half_width(size(&ttft)) };
    let coverage = (hold_out != HoldOut::Nothing).then(|| {
        [
            coverage(own, parts, |idx| Some(misses[idx].tpot.abs()).filter(|miss| miss.is_finite())),
            coverage(own, parts, |idx| misses[idx].ttft.map(f64::abs)),
        ]
    });
    Validation { hold_out, group, tpot: errors(&tpot), ttft: errors(&ttft), interval, coverage }
}

/// Share of the rows of each part inside the interval that the other parts' errors give.
fn coverage(own: &[usize], parts: &[usize], error: impl Fn(usize) -> Option<f64>) -> f64 {
    let most = parts.iter().copied().max().unwrap_or(0);
    let (mut inside, mut rows) = (0.0, 0.0);
    for part in 0..=most {
        let others = (0..parts.len()).filter(|&idx| parts[idx] != part).filter_map(&error).collect();
        let width = half_width(others);
        let errors: Vec<f64> = own.iter().copied().filter(|&idx| parts[idx] == part).filter_map(&error).collect();
        if !errors.is_empty() {
            inside += covered(&errors, width) * errors.len() as f64;
            rows += errors.len() as f64;
        }
    }
    inside / rows
}

fn errors(logs: &[f64]) -> Option<ErrorSummary> {
    if logs.is_empty() {
        return None;
    }
    let mut sizes: Vec<f64> = logs.iter().map(|log| (log.exp() - 1.0).abs() * 100.0).collect();
    sizes.sort_by(f64::total_cmp);
    let quantile = |q: f64| sizes[((sizes.len() as f64 - 1.0) * q).round() as usize];
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    Some(ErrorSummary {
        rows: logs.len(),
        mean: mean(&sizes),
        median: quantile(0.5),
        p90: quantile(0.9),
        bias: mean(logs) * 100.0,
    })
}
