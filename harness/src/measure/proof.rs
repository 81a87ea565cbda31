//! What a case has shown of itself: right outputs, inputs left alone, nothing that runs on in secret.

use farthing_kernels::backend::Prepared;
use farthing_kernels::backend::symptom::{Symptom, changed_input};

use super::Failure;
use super::sampler::HostClock;

/// Outputs found right, so far.
#[derive(Debug, Default)]
pub(super) struct Proof {
    worst_ratio: f64,
    /// The output of the inputs before: what a device that computes nothing anew would give again.
    previous: Option<Vec<u8>>,
}

impl Proof {
    /// Worst error over its bound.
    pub(super) fn worst_ratio(&self) -> f64 {
        self.worst_ratio
    }

    /// Takes the oracle's word on an output; where it is wrong, says what the output betrays.
    pub(super) fn take(
        &mut self,
        prepared: &dyn Prepared,
        output: Vec<u8>,
        checked: Result<f64, Failure>,
    ) -> Result<(), Failure> {
        match checked {
            Ok(ratio) => self.worst_ratio = self.worst_ratio.max(ratio),
            Err(Failure::Wrong { ratio, report }) => {
                let symptom = Symptom::of(prepared, &output, self.previous.as_deref());
                let report = symptom.map_or(report.clone(), |symptom| format!("{symptom}; {report}"));
                return Err(Failure::Wrong { ratio, report });
            }
            Err(failure) => return Err(failure),
        }
        self.previous = Some(output);
        Ok(())
    }
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
