//! What a backend must get right: cases as data, run against any backend.
//!
//! Each case is prepared with two operand sets that have two different answers, checked on both, launched several times
//! in a row, checked again, its inputs read back, given fresh ones and checked once more: stale outputs, stale inputs and
//! inputs that a launch overwrote cannot pass. Outputs are poisoned before each check, so what is not written cannot pass
//! either. [`Symptom`](crate::backend::symptom::Symptom) says what a wrong output betrays.
//!
//! Among the cases are kernels that no backend has heard of (`conformance/unheard.rs`): they carry no problem and use
//! the vocabulary as no built-in kernel does. And some sizes are drawn from the seed (`conformance/drawn.rs`): a backend
//! that knows the suite by heart meets sizes that it has not seen.

use std::collections::BTreeMap;
use std::fmt;

use crate::backend::{AnyBackend, LowerError, Unsupported};

mod attention;
mod case;
mod drawn;
mod grouped;
mod matmul;
mod unheard;

pub use case::{Case, Feed};

/// How much to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Fewer sizes and tilings, for devices on which a launch or a compilation is slow.
    pub quick: bool,
    /// Only cases whose name holds one of these words; all where there are none.
    pub filter: Vec<String>,
    /// No case whose name holds one of these words.
    pub skip: Vec<String>,
    /// Seed of the operands' values and of the drawn sizes.
    pub seed: u64,
}

/// What became of a case.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Every check passed.
    Ok {
        /// Greatest error over its bound.
        worst_ratio: f64,
    },
    /// A result is wrong: which check, and the mismatch report.
    Wrong(String),
    /// The backend says it cannot run this program.
    Unsupported(Unsupported),
    /// The device failed, or the backend panicked.
    Failed(String),
}

/// What became of each case on one backend.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Backend and device.
    pub device: String,
    /// Names of the cases and their outcomes, in order.
    pub outcomes: Vec<(String, Outcome)>,
}

/// The cases that a backend gets, in order.
pub fn cases(backend: &dyn AnyBackend, options: &Options) -> Vec<Case> {
    let mut cases = matmul::cases(backend, options.quick);
    cases.extend(grouped::cases(backend, options.quick));
    cases.extend(attention::cases(backend, options.quick));
    cases.extend(unheard::cases(options.quick));
    cases.extend(drawn::cases(backend, options));
    let holds = |case: &Case, words: &[String]| words.iter().any(|word| case.name().contains(word));
    cases.retain(|case| (options.filter.is_empty() || holds(case, &options.filter)) && !holds(case, &options.skip));
    cases
}

/// What each of the ten first cases is for: words that its name holds.
const SMOKE: [&[&str]; 10] = [
    &["matmul/1x", "/kn/f32-f32/"],
    &["matmul/1x", "/nk/bf16-f32/"],
    &["matmul/3x", "/nk/bf16-bf16/"],
    &["matmul/", "/kn/f32-f32/", "identity"],
    &["attention/2x4x4x9x9", "/none/f32-f32/"],
    &["attention/1x4x2x7x11", "/causal/f32-f32/"], // Groups, a prefix, odd sizes.
    &["attention/1x4x2x11x23", "/window:6/bf16-bf16/"],
    &["attention/1x6x2x1x33", "/causal/bf16-bf16/"], // Decode.
    &["unheard/soft_capped_attention", "/f32/"],
    &["unheard/rms_normed_matmul", "/bf16/"],
];

/// Ten cases for the first contact with a device: each kind of kernel, dtype, mask and layout once.
pub fn smoke(backend: &dyn AnyBackend) -> Vec<Case> {
    let all = cases(backend, &Options { quick: true, ..Options::default() });
    let first = |words: &&[&str]| all.iter().find(|case| words.iter().all(|word| case.name().contains(word))).cloned();
    SMOKE.iter().filter_map(first).collect()
}

/// Runs the suite.
pub fn run(backend: &dyn AnyBackend, options: &Options) -> Report {
    run_cases(backend, &cases(backend, options), options.seed)
}

/// Runs some cases.
pub fn run_cases(backend: &dyn AnyBackend, cases: &[Case], seed: u64) -> Report {
    let device = backend.device();
    let outcomes = cases.iter().map(|case| {
        let outcome = case::outcome(backend, case, seed);
        (case.name().to_owned(), outcome)
    });
    Report { device: format!("{} ({})", device.backend, device.device), outcomes: outcomes.collect() }
}

impl Report {
    /// Cases that passed.
    pub fn n_passed(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Ok { .. }))
    }

    /// Cases with a wrong result, or that failed.
    pub fn n_failed(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Wrong(_) | Outcome::Failed(_)))
    }

    /// Cases that the backend does not support.
    pub fn n_unsupported(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Unsupported(_)))
    }

    /// Greatest error over its bound among the cases that passed.
    pub fn worst_ratio(&self) -> f64 {
        let ratios = self.outcomes.iter().map(|(_, outcome)| match outcome {
            Outcome::Ok { worst_ratio } => *worst_ratio,
            _ => 0.0,
        });
        ratios.fold(0.0, f64::max)
    }

    /// Why cases were skipped: each reason once, with how many cases it cost.
    pub fn reasons(&self) -> BTreeMap<String, usize> {
        let mut reasons = BTreeMap::new();
        for (_, outcome) in &self.outcomes {
            if let Outcome::Unsupported(Unsupported { what, limit, .. }) = outcome {
                *reasons.entry(format!("{what} (limit: {limit})")).or_default() += 1;
            }
        }
        reasons
    }

    fn count(&self, holds: impl Fn(&Outcome) -> bool) -> usize {
        self.outcomes.iter().filter(|(_, outcome)| holds(outcome)).count()
    }
}

/// Failing cases that are shown with their nearby tiles; of the others one line each.
const IN_FULL: usize = 5;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut n_shown = 0;
        for (name, outcome) in &self.outcomes {
            let (verdict, why) = match outcome {
                Outcome::Wrong(report) => ("WRONG", report),
                Outcome::Failed(why) => ("FAILED", why),
                Outcome::Ok { .. } | Outcome::Unsupported(_) => continue,
            };
            n_shown += 1;
            let shown = if n_shown <= IN_FULL { why } else { why.lines().next().unwrap_or_default() };
            writeln!(f, "{verdict} {name}: {shown}")?;
        }
        let wrong = self.count(|outcome| matches!(outcome, Outcome::Wrong(_)));
        write!(
            f,
            "{}: {} ok (worst error {:.3} of its bound), {wrong} wrong, {} failed, {} unsupported",
            self.device,
            self.n_passed(),
            self.worst_ratio(),
            self.n_failed() - wrong,
            self.n_unsupported()
        )?;
        self.reasons().iter().try_for_each(|(why, n)| write!(f, "\n  {n} × unsupported: {why}"))
    }
}

impl From<LowerError> for Outcome {
    fn from(error: LowerError) -> Outcome {
        match error {
            LowerError::Unsupported(unsupported) => Outcome::Unsupported(unsupported),
            LowerError::Device(error) => Outcome::Failed(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::interp::Interp;

    #[test]
    fn the_first_contact_is_ten_cases_none_twice() {
        let cases = smoke(&Interp::new());
        let names: std::collections::BTreeSet<&str> = cases.iter().map(Case::name).collect();
        assert_eq!((cases.len(), names.len()), (10, 10), "{names:?}");
    }
}
