//! Two backends, or two builds of one, against each other: sample by sample, each in a process of its own.
//!
//! ```text
//! round    both processes are started, in an order that is drawn, and checked against the oracle
//!   pair   a sample of each, one right after the other, in an order that is drawn: the log of the second's time over
//!          the first's
//!   end    both are checked once more, on fresh inputs; the round says the median of its pairs
//! race     the centre of the rounds, and its interval by signed ranks
//! ```
//!
//! 1. Neighbours share what the machine does to them, so it leaves their ratio; drawn orders keep what it does step by
//!    step from falling on the same side each time.
//! 2. Samples are short: on a machine that others use, most of them fall between two turns of the scheduler, and the
//!    median is theirs.
//! 3. The interval counts rounds, not pairs. A process keeps its luck with pages and addresses for life, and a
//!    neighbour's compiler lasts for many pairs: pairs of one round lean the same way, and an interval over them would be
//!    too narrow. Rounds are new processes in drawn orders, so their logs lie symmetrically about what is looked for, and
//!    signed ranks ask for no more ([`stats::shift`]).
//!
//! Each process reads its own clock, so what the pipe between them takes is in no time.

use farthing_kernels::backend::worker::WorkerError;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

use crate::case::Case;
use crate::compare::{Verdict, judge};
use crate::measure::Lab;
use crate::measure::sampler::HostClock;
use crate::record::{Row, Status};
use crate::stats::{self, StatsError};

mod contestant;
mod round;

pub use contestant::{Contestant, ContestantError, Terms};
use round::Round;

/// Fewest rounds, whatever time they take: five give no 95 % interval.
const LEAST_ROUNDS: usize = 6;

/// How long a race takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// Seconds for a case, starts and checks among them; the least rounds may take longer.
    pub total_s: f64,
    /// Shortest sample, in seconds.
    pub sample_s: f64,
    /// Part of the time that a round takes, unless its starts and checks take as much.
    pub round_part: f64,
}

impl Plan {
    /// A plan for this many seconds a case.
    pub fn of(total_s: f64) -> Plan {
        // 1 ms: a third of a scheduler's turn (3 ms on Linux), and a thousand times a clock's resolution.
        // 25 rounds: the interval is from the 90th of 325 averages to the 236th, and starting them takes less than sampling.
        Plan { total_s, sample_s: 0.001, round_part: 1.0 / 25.0 }
    }
}

/// What a race of one case showed.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Median times of a launch, in seconds.
    pub medians_s: [f64; 2],
    /// What each lowered the case to.
    pub lowered: [String; 2],
    /// Second's time over the first's: below 1 the second is faster.
    pub ratio: f64,
    /// 95 % interval of the ratio.
    pub interval: [f64; 2],
    /// Pairs of all rounds.
    pub n_pairs: usize,
    /// Rounds.
    pub n_rounds: usize,
}

impl Outcome {
    /// What it means for the second, where a change within `tolerance` counts as none.
    pub fn verdict(&self, tolerance: f64) -> Verdict {
        judge(self.interval, tolerance)
    }
}

/// Why a race has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum RaceError {
    /// A contestant's process does not come up.
    #[error("{label}: {source}")]
    Start {
        /// The contestant.
        label: String,
        /// Why.
        source: WorkerError,
    },
    /// A contestant is wrong, fails, or cannot do the case.
    #[error("{label}: {}: {}", format!("{:?}", row.status).to_lowercase(), row.reason.as_deref().unwrap_or("no reason"))]
    Row {
        /// The contestant.
        label: String,
        /// Its row.
        row: Box<Row>,
    },
    /// Their times are not of one kind.
    #[error("{} reads the {} clock and {} the {} clock: their times are not comparable", labels[0], clocks[0], labels[1], clocks[1])]
    Clocks {
        /// The contestants.
        labels: [String; 2],
        /// Their clocks.
        clocks: [String; 2],
    },
    /// A time of zero, or none.
    #[error("times that give no ratio: {0}")]
    Stats(#[from] StatsError),
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl RaceError {
    /// How the contestant's row ended, where it has one.
    pub fn status(&self) -> Option<Status> {
        match self {
            RaceError::Row { row, .. } => Some(row.status),
            _ => None,
        }
    }
}

/// Races the contestants on a case until the time is up or `stop` says so.
///
/// # Errors
/// A contestant does not start, is not right, or its times say nothing.
pub fn race(
    lab: &Lab<'_>,
    case: &Case,
    contestants: [&Contestant; 2],
    plan: &Plan,
    stop: &dyn Fn() -> bool,
) -> Result<Outcome, RaceError> {
    let clock = HostClock::start();
    let digest = Sha256::digest(&lab.header.run);
    let mut order = ChaCha8Rng::seed_from_u64(digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte)));
    let mut rounds: Vec<Round> = Vec::new();
    while rounds.len() < LEAST_ROUNDS || clock.seconds() < plan.total_s {
        if stop() {
            return Err(RaceError::Interrupted);
        }
        let launches = rounds.first().map(|round| round.launches);
        rounds.push(Round::run(lab, case, contestants, plan, &mut order, launches)?);
    }
    outcome(&rounds)
}

fn outcome(rounds: &[Round]) -> Result<Outcome, RaceError> {
    let logs: Vec<f64> = rounds.iter().map(|round| round.log_ratio).collect();
    let shift = stats::shift(&logs)?;
    let [low, high] = shift.ci95.ok_or(StatsError::Empty)?;
    let median = |side: usize| {
        let samples: Vec<f64> = rounds.iter().flat_map(|round| round.samples_s[side].iter().copied()).collect();
        stats::summary(&samples).map(|summary| summary.median)
    };
    Ok(Outcome {
        medians_s: [median(0)?, median(1)?],
        lowered: rounds.first().map(|round| round.lowered.clone()).unwrap_or_default(),
        ratio: shift.centre.exp(),
        interval: [low.exp(), high.exp()],
        n_pairs: rounds.iter().map(|round| round.samples_s[0].len()).sum(),
        n_rounds: rounds.len(),
    })
}

#[cfg(test)]
mod tests;
