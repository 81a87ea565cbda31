//! What a case has shown of itself: right outputs, inputs left alone, nothing that runs on in secret.

use farthing_kernels::backend::Prepared;
use farthing_kernels::backend::symptom::{Symptom, changed_input};
use farthing_kernels::tolerance::{self, Agreement};
use sha2::{Digest, Sha256};

use super::Failure;
use super::operands::Operands;
use super::sampler::HostClock;
use crate::case::Case;
use crate::record;

/// Outputs found right, so far.
#[derive(Debug, Default)]
pub(super) struct Proof {
    before: Option<Agreement>,
    after: Option<Agreement>,
    /// Digest of the first output: the same operands should give it again.
    first: Option<[u8; 32]>,
    repeatable: bool,
    /// The output of the inputs before: what a device that computes nothing anew would give again.
    previous: Option<Vec<u8>>,
}

impl Proof {
    /// Worst error over its bound.
    pub(super) fn worst_ratio(&self) -> f64 {
        let ratio = |agreement: &Option<Agreement>| agreement.as_ref().map_or(0.0, |a| a.worst_ratio);
        ratio(&self.before).max(ratio(&self.after))
    }

    /// Takes the oracle's word on an output of before timing.
    pub(super) fn take_before(
        &mut self,
        prepared: &dyn Prepared,
        output: Vec<u8>,
        checked: Result<Agreement, Failure>,
    ) -> Result<(), Failure> {
        let digest = Sha256::digest(&output).into();
        let agreement = self.take(prepared, output, checked)?;
        self.first.get_or_insert(digest);
        self.before = Some(worse(self.before.take(), agreement));
        Ok(())
    }

    /// Takes note of the first operands' output after timing.
    pub(super) fn take_again(&mut self, output: Vec<u8>) {
        self.repeatable = self.first == Some(Sha256::digest(&output).into());
        self.previous = Some(output);
    }

    /// Takes the oracle's word on an output of after timing.
    pub(super) fn take_after(
        &mut self,
        prepared: &dyn Prepared,
        output: Vec<u8>,
        checked: Result<Agreement, Failure>,
    ) -> Result<(), Failure> {
        let agreement = self.take(prepared, output, checked)?;
        self.after = Some(worse(self.after.take(), agreement));
        Ok(())
    }

    /// Where an output is wrong, says what it betrays.
    fn take(
        &mut self,
        prepared: &dyn Prepared,
        output: Vec<u8>,
        checked: Result<Agreement, Failure>,
    ) -> Result<Agreement, Failure> {
        let agreement = checked.map_err(|failure| match failure {
            Failure::Wrong { ratio, report } => {
                let symptom = Symptom::of(prepared, &output, self.previous.as_deref());
                let report = symptom.map_or(report.clone(), |symptom| format!("{symptom}; {report}"));
                Failure::Wrong { ratio, report }
            }
            failure => failure,
        })?;
        self.previous = Some(output);
        Ok(agreement)
    }

    /// As a row keeps it; nothing unless outputs were right before and after.
    pub(super) fn record(&self, case: &Case, operands: &Operands, run: &str) -> Option<record::Proof> {
        let (before, after) = self.before.as_ref().zip(self.after.as_ref())?;
        Some(record::Proof {
            seeds: (0..operands.distinct()).map(|set| operands.seed(set)).collect(),
            fresh_seed: operands.fresh_seed(run),
            sets: operands.sets(),
            checked_share: after.checked_share,
            bound: tolerance::rule(case.problem()).to_owned(),
            ratio_before: before.worst_ratio,
            ratio_after: after.worst_ratio,
            nmse: after.nmse,
            repeatable: self.repeatable,
        })
    }
}

/// The one with the greater error.
fn worse(known: Option<Agreement>, new: Agreement) -> Agreement {
    known.filter(|known| known.worst_ratio > new.worst_ratio).unwrap_or(new)
}

/// Refuses a device that holds other inputs than it was given.
pub(super) fn unchanged(given: &[&[u8]], held: &[Vec<u8>]) -> Result<(), Failure> {
    let wrong = |report| Failure::Wrong { ratio: None, report };
    changed_input(given, held).map_or(Ok(()), |report| Err(wrong(report)))
}

/// Work that a reading waits for is hidden where it takes this much longer than a clock's resolution and a busy
/// machine's hiccups.
const LEAST_HIDDEN_S: f64 = 0.002;
/// A scheduler may delay one reading, and does not delay the same one of two every time.
const TRIES: usize = 3;

/// Sees that launches are over when they have returned: reading the output right afterwards must not take longer than
/// reading it once more, by more than the launches claim for themselves. A device that only enqueues its work gives
/// right outputs, since reading waits for it, and times in which nothing was done.
pub(super) fn settled(prepared: &mut dyn Prepared, launches: u64) -> Result<(), Failure> {
    let mut hidden_s = 0.0;
    for _ in 0..TRIES {
        let claimed_s = prepared.run(launches)?.seconds;
        let [first_s, again_s] = [read_s(prepared)?, read_s(prepared)?];
        hidden_s = first_s - again_s;
        if hidden_s <= again_s + claimed_s + LEAST_HIDDEN_S {
            return Ok(());
        }
    }
    Err(Failure::Failed(format!(
        "launches return before they are done: reading the output right after {launches} of them waits {hidden_s:.3} s"
    )))
}

fn read_s(prepared: &dyn Prepared) -> Result<f64, Failure> {
    let timer = HostClock::start();
    prepared.read()?;
    Ok(timer.seconds())
}
