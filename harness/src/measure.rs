//! Check, time, check again: one case on one backend, and the row that comes of it.
//!
//! ```text
//! arm      lower, upload, compare one launch of each kind of operands with the f64 oracle
//! launch   called by a driver: the sampler of `farthing run`, or Criterion; in visits, with other cases between them
//! finish   see that nothing runs on after a launch has returned, and that the inputs are as they were given;
//!          replace the operands by fresh ones, compare again, make the row
//! ```
//!
//! A failure on the way ends the case with a row that says why and claims no speed. Nothing is timed that was not found
//! right in this process, and nothing is kept that was not found right again.

use std::panic::{AssertUnwindSafe, catch_unwind};

use farthing_kernels::backend::{AnyBackend, Clock, DeviceError, Elapsed, LowerError, Lowered, Prepared};
use farthing_kernels::problem::Problem;
use farthing_kernels::program::Program;
use farthing_kernels::tile::Tiling;
use farthing_kernels::{attention, grouped, matmul};

use crate::case::Case;
use crate::record::{Row, RunHeader};
use crate::tunings::Tunings;

mod chunk;
mod doubt;
mod energy;
mod key;
mod operands;
mod oracle;
mod pace;
mod proof;
mod recorder;
mod row;
pub mod sampler;
mod sitting;
mod watch;

pub use chunk::Chunk;
pub use oracle::Oracle;
pub use recorder::{Recorder, Recording};
pub use watch::{Seen, Watch};

use operands::Operands;
use proof::Proof;
use sitting::Sitting;

/// A backend under its registry name.
#[derive(Clone, Copy)]
pub struct Subject<'b> {
    /// Name on the command line and in rows.
    pub name: &'b str,
    /// What runs.
    pub backend: &'b dyn AnyBackend,
}

impl Subject<'_> {
    /// Whether it runs in a process of its own.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.backend.device().details.contains_key("worker")
    }
}

/// Why a case gives no speed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The output missed the oracle's bound.
    #[error("{report}")]
    Wrong {
        /// Worst error over its bound; none where that is no number.
        ratio: Option<f64>,
        /// Where, both values, the bound.
        report: String,
    },
    /// The backend said that it cannot do this.
    #[error("{0}")]
    Unsupported(String),
    /// The device, or the code that drives it, failed.
    #[error("{0}")]
    Failed(String),
}

impl From<LowerError> for Failure {
    fn from(error: LowerError) -> Failure {
        match error {
            LowerError::Unsupported(unsupported) => Failure::Unsupported(unsupported.to_string()),
            LowerError::Device(device) => device.into(),
        }
    }
}

impl From<DeviceError> for Failure {
    fn from(error: DeviceError) -> Failure {
        Failure::Failed(error.to_string())
    }
}

/// Calls into a backend. A panic there is that backend's failure and ends its case, not the run.
fn guarded<T>(call: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Err(Failure::Failed(format!("the backend panicked: {text}")))
    })
}

/// What all cases of a run share.
pub struct Lab<'a> {
    /// Machine and measured limits.
    pub header: &'a RunHeader,
    /// Who knows the right results.
    pub oracle: &'a Oracle,
    /// Most bytes that the operand sets of a cold case may take on the device.
    pub cold_cap_bytes: u64,
    /// Tilings that were found fastest before.
    pub tunings: Tunings,
}

/// A case that was found right and is ready to be timed.
pub struct Armed<'b> {
    case: Case,
    subject: Subject<'b>,
    prepared: Box<dyn Prepared + 'b>,
    tiling: Tiling,
    lowered: Lowered,
    operands: Operands,
    proof: Proof,
    checked_launch_s: f64,
    key: String,
    /// Host seconds in its checks and launches so far.
    spent_s: f64,
    launched: u64,
}

impl std::fmt::Debug for Armed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on {}", self.lowered.name, self.subject.name)
    }
}

impl Armed<'_> {
    /// Launches `n` times back to back.
    ///
    /// # Errors
    /// The device failed, or its clock said nothing.
    pub fn launch(&mut self, n: u64) -> Result<Elapsed, Failure> {
        let timer = sampler::HostClock::start();
        let elapsed = guarded(|| Ok(self.prepared.run(n)?));
        self.spent_s += timer.seconds();
        let elapsed = elapsed?;
        self.launched += n;
        if elapsed.seconds.is_finite() && elapsed.seconds >= 0.0 {
            Ok(elapsed)
        } else {
            Err(Failure::Failed(format!("the clock of {} said {} s", self.subject.name, elapsed.seconds)))
        }
    }

    /// What ran, as rows name it.
    pub fn lowered(&self) -> &str {
        &self.lowered.name
    }

    /// Bytes of its operands and outputs on the device.
    fn held_bytes(&self) -> u64 {
        let problem = self.case.problem();
        let set_bytes: usize = problem.inputs().iter().map(|operand| operand.size_bytes()).sum();
        (set_bytes * self.operands.sets() + problem.output().size_bytes()) as u64
    }

    /// The tiling it was lowered with.
    pub fn tiling(&self) -> Tiling {
        self.tiling
    }

    /// Host seconds that the checked launch took, transfers among them: an upper estimate of a launch.
    pub fn checked_launch_s(&self) -> f64 {
        self.checked_launch_s
    }
}

impl Lab<'_> {
    /// Lowers, uploads and checks.
    ///
    /// # Errors
    /// The finished row of a case that is not supported, fails, or is wrong.
    pub fn arm<'b>(&self, case: &Case, subject: Subject<'b>) -> Result<Armed<'b>, Box<Row>> {
        let started = sampler::HostClock::start();
        let armed = guarded(|| self.armed(case, subject, self.tiling(case, subject)?, started));
        armed.map_err(|failure| {
            let row = self.failed(case, subject, &failure);
            Box::new(Row { spent_s: Some(started.seconds()), ..row })
        })
    }

    /// The same with a tiling of the caller's.
    ///
    /// # Errors
    /// The case is not supported, fails, or is wrong.
    pub fn arm_tiled<'b>(&self, case: &Case, subject: Subject<'b>, tiling: Tiling) -> Result<Armed<'b>, Failure> {
        guarded(|| self.armed(case, subject, tiling, sampler::HostClock::start()))
    }

    fn armed<'b>(
        &self,
        case: &Case,
        subject: Subject<'b>,
        tiling: Tiling,
        started: sampler::HostClock,
    ) -> Result<Armed<'b>, Failure> {
        let problem = case.problem();
        let program = program(problem, &tiling)?;
        let operands = Operands::plan(case, &self.header.environment, self.cold_cap_bytes);
        let mut prepared = self.prepare(case, subject, &program, &operands)?;
        let mut proof = Proof::default();
        let mut checked_launch_s = f64::INFINITY;
        for set in 0..operands.distinct() {
            let timer = sampler::HostClock::start();
            let output = prepared.output_of(set)?;
            checked_launch_s = checked_launch_s.min(timer.seconds());
            let checked = self.oracle.check(problem, operands.seed(set), subject.backend.limits(), &tiling, &output);
            proof.take_before(&*prepared, output, checked)?;
        }
        let (lowered, key, case) = (prepared.lowered(), self.key_of(case, subject, &program), case.clone());
        let (spent_s, launched) = (started.seconds(), 0);
        Ok(Armed {
            case,
            subject,
            prepared,
            tiling,
            lowered,
            operands,
            proof,
            checked_launch_s,
            key,
            spent_s,
            launched,
        })
    }

    fn prepare<'b>(
        &self,
        case: &Case,
        subject: Subject<'b>,
        program: &Program,
        operands: &Operands,
    ) -> Result<Box<dyn Prepared + 'b>, Failure> {
        let inputs: Vec<_> =
            (0..operands.distinct()).map(|i| self.oracle.inputs(case.problem(), operands.seed(i))).collect();
        let sets: Vec<Vec<&[u8]>> = (0..operands.sets()).map(|set| inputs[set % inputs.len()].slices()).collect();
        Ok(subject.backend.prepare(program, &sets)?)
    }

    /// Checks on fresh inputs and makes the row.
    pub fn finish(&self, armed: Armed<'_>, recording: Result<Recording, Failure>) -> Row {
        let (mut armed, timer) = (armed, sampler::HostClock::start());
        let proven = recording.and_then(|recording| {
            guarded(|| {
                proof::settled(&mut *armed.prepared, recording.launches)?;
                self.check_inputs(&armed)?;
                let again = armed.prepared.output_of(0)?;
                armed.proof.take_again(again);
                self.check_fresh(&mut armed)
            })?;
            Ok(recording)
        });
        let row = match proven {
            Ok(recording) => self.measured(&armed, &recording),
            Err(failure) => self.spoilt(&armed, &failure),
        };
        Row { spent_s: Some(armed.spent_s + timer.seconds()), ..row }
    }

    /// The tiling that was found fastest, else the one that the backend would have.
    fn tiling(&self, case: &Case, subject: Subject<'_>) -> Result<Tiling, Failure> {
        let offered = subject.backend.tilings(case.problem());
        let tiling = self.tunings.tiling(case, subject, &offered).or_else(|| offered.first().copied());
        let none = || Failure::Unsupported(format!("{} offers no tiling for {}", subject.name, case.problem().op()));
        tiling.ok_or_else(none)
    }

    /// Checks an armed case once more, on fresh inputs, without timing it.
    ///
    /// # Errors
    /// The finished row of a case that fails or is wrong.
    pub fn recheck(&self, mut armed: Armed<'_>) -> Result<f64, Box<Row>> {
        let checked = guarded(|| self.check_inputs(&armed).and_then(|()| self.check_fresh(&mut armed)));
        checked.map_err(|failure| Box::new(self.spoilt(&armed, &failure)))?;
        Ok(armed.proof.worst_ratio())
    }

    /// Reads the inputs back.
    fn check_inputs(&self, armed: &Armed<'_>) -> Result<(), Failure> {
        for set in 0..armed.operands.distinct() {
            let inputs = self.oracle.inputs(armed.case.problem(), armed.operands.seed(set));
            proof::unchanged(&inputs.slices(), &armed.prepared.inputs_of(set)?)?;
        }
        Ok(())
    }

    fn check_fresh(&self, armed: &mut Armed<'_>) -> Result<(), Failure> {
        let problem = armed.case.problem();
        let seed = armed.operands.fresh_seed(&self.header.run);
        let inputs = self.oracle.inputs(problem, seed);
        armed.prepared.replace(0, &inputs.slices())?;
        let output = armed.prepared.output_of(0)?;
        let checked = self.oracle.check(problem, seed, armed.subject.backend.limits(), &armed.tiling, &output);
        armed.proof.take_after(&*armed.prepared, output, checked)
    }
}

/// The program of a problem.
fn program(problem: &Problem, tiling: &Tiling) -> Result<Program, Failure> {
    match (problem, tiling) {
        (Problem::Matmul(p), Tiling::Matmul(t)) => Ok(matmul(p, t)),
        (Problem::Grouped(p), Tiling::Matmul(t)) => Ok(grouped(p, t)),
        (Problem::Attention(p), Tiling::Attention(t)) => Ok(attention(p, t)),
        _ => Err(Failure::Failed(format!("the backend offers tiling {tiling} for {}", problem.op()))),
    }
}

/// How rows name a clock.
fn clock_name(clock: Clock) -> &'static str {
    match clock {
        Clock::HostWall => "wall",
        Clock::DeviceTimestamp => "device",
        Clock::Simulated => "simulated",
    }
}

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;
