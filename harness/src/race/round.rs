//! One round: both processes started, checked, sampled in pairs, and checked again.

use farthing_kernels::backend::Elapsed;
use farthing_kernels::backend::worker::Worker;
use rand::Rng;

use super::{Contestant, Plan, RaceError};
use crate::case::Case;
use crate::measure::sampler::HostClock;
use crate::measure::{Armed, Failure, Lab, Recorder, Subject};
use crate::record::Status;
use crate::stats;

/// Most of a race's time that a round takes for more pairs than one: with the fewest rounds, they end in time.
const MOST_PART: f64 = 1.0 / super::LEAST_ROUNDS as f64;
/// A round samples for this many times as long as its processes took to start and to be checked: half of the work that a
/// machine does for a race is then for its samples, where the race is long enough for it.
const SAMPLING_PER_START: f64 = 1.0;
/// Launches that make a sample are the same for both where neither takes more than this many times as long as the other:
/// what a sample's first launch pays for falls on both alike.
const ALIKE: f64 = 2.0;

/// What a round showed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Round {
    /// Median over its pairs of the log of the second's time over the first's.
    pub(super) log_ratio: f64,
    /// Seconds per launch of each side's samples, pair by pair.
    pub(super) samples_s: [Vec<f64>; 2],
    /// Launches that make a sample.
    pub(super) launches: [u64; 2],
    /// What each lowered the case to.
    pub(super) lowered: [String; 2],
}

impl Round {
    /// Starts both, checks both, samples pairs, checks both again. `launches` is what an earlier round found to make a
    /// sample.
    pub(super) fn run(
        lab: &Lab<'_>,
        case: &Case,
        contestants: [&Contestant; 2],
        plan: &Plan,
        order: &mut impl Rng,
        launches: Option<[u64; 2]>,
    ) -> Result<Round, RaceError> {
        let clock = HostClock::start();
        let workers = in_order(order.random(), |side| started(contestants[side]))?;
        let armed = in_order(order.random(), |side| arm(lab, case, contestants[side], &workers[side]))?;
        let mut pairs = Pairs::new(armed);
        let sampled = pairs.sample(plan, &clock, order, launches);
        pairs.finish(lab, contestants, sampled)
    }
}

/// Does something for both sides, the second first where `swapped`.
fn in_order<T>(swapped: bool, each: impl Fn(usize) -> Result<T, RaceError>) -> Result<[T; 2], RaceError> {
    if swapped {
        let second = each(1)?;
        Ok([each(0)?, second])
    } else {
        Ok([each(0)?, each(1)?])
    }
}

fn started(contestant: &Contestant) -> Result<Worker, RaceError> {
    contestant.start().map_err(|source| RaceError::Start { label: contestant.label.clone(), source })
}

fn arm<'w>(lab: &Lab<'_>, case: &Case, contestant: &'w Contestant, worker: &'w Worker) -> Result<Armed<'w>, RaceError> {
    let subject = Subject { name: &contestant.label, backend: worker };
    lab.arm(case, subject).map_err(|row| RaceError::Row { label: contestant.label.clone(), row })
}

/// Both sides, and their samples so far.
struct Pairs<'w> {
    armed: [Armed<'w>; 2],
    recorders: [Recorder; 2],
    logs: Vec<f64>,
    launches: [u64; 2],
}

/// A side that failed, and how.
type Lost = (usize, Failure);

impl<'w> Pairs<'w> {
    fn new(armed: [Armed<'w>; 2]) -> Pairs<'w> {
        Pairs { armed, recorders: Default::default(), logs: Vec::new(), launches: [1, 1] }
    }

    /// Samples pairs for the round's share of the time.
    fn sample(
        &mut self,
        plan: &Plan,
        clock: &HostClock,
        order: &mut impl Rng,
        launches: Option<[u64; 2]>,
    ) -> Result<(), Lost> {
        self.launches = match launches {
            Some(launches) => launches,
            None => self.launches_of(plan.sample_s)?,
        };
        let started_s = clock.seconds();
        let until_s = (plan.round_part * plan.total_s).max(started_s * (1.0 + SAMPLING_PER_START));
        let until_s = until_s.min(MOST_PART * plan.total_s);
        while self.logs.is_empty() || clock.seconds() < until_s {
            self.pair(order.random())?;
        }
        Ok(())
    }

    /// How many launches of each make a sample.
    fn launches_of(&mut self, sample_s: f64) -> Result<[u64; 2], Lost> {
        let per_launch = [self.per_launch_s(0, sample_s)?, self.per_launch_s(1, sample_s)?];
        let launches = per_launch.map(|s| (sample_s / s).ceil().max(1.0) as u64);
        let [most, least] = [per_launch[0].max(per_launch[1]), per_launch[0].min(per_launch[1])];
        Ok(if most <= ALIKE * least { [launches[0].max(launches[1]); 2] } else { launches })
    }

    /// Seconds of a launch: the best of some calls that are long enough to trust, since a neighbour only ever slows. One
    /// call that it fell upon would give the two other numbers of launches for the whole race. Warms up on the way.
    fn per_launch_s(&mut self, side: usize, sample_s: f64) -> Result<f64, Lost> {
        /// A clock that stands still must not double for ever.
        const MOST_LAUNCHES: u64 = 1 << 32;
        const CALLS: usize = 5;
        let (mut launches, mut seconds) = (1, self.launch(side, 1)?.seconds);
        while seconds < sample_s && launches < MOST_LAUNCHES {
            launches *= 2;
            seconds = self.launch(side, launches)?.seconds;
        }
        for _ in 1..CALLS {
            seconds = seconds.min(self.launch(side, launches)?.seconds);
        }
        Ok((seconds / launches as f64).max(f64::MIN_POSITIVE))
    }

    fn launch(&mut self, side: usize, launches: u64) -> Result<Elapsed, Lost> {
        self.armed[side].launch(launches).map_err(|failure| (side, failure))
    }

    /// One sample of each, the second's first where `swapped`.
    fn pair(&mut self, swapped: bool) -> Result<(), Lost> {
        let mut per_launch = [0.0; 2];
        for side in if swapped { [1, 0] } else { [0, 1] } {
            let launches = self.launches[side];
            if launches > 1 {
                // Wakes its threads and brings back what the other's launches took of the caches.
                self.launch(side, 1)?;
            }
            let elapsed = self.launch(side, launches)?;
            self.recorders[side].push(launches, elapsed);
            per_launch[side] = elapsed.seconds / launches as f64;
        }
        self.logs.push((per_launch[1] / per_launch[0]).ln());
        Ok(())
    }

    /// Checks both once more, or says how a side was lost.
    fn finish(
        self,
        lab: &Lab<'_>,
        contestants: [&Contestant; 2],
        sampled: Result<(), Lost>,
    ) -> Result<Round, RaceError> {
        let failed = |side: usize, row| RaceError::Row { label: contestants[side].label.clone(), row: Box::new(row) };
        let ([a, b], [of_a, of_b]) = (self.armed, self.recorders);
        if let Err((side, failure)) = sampled {
            let lost = if side == 0 { a } else { b };
            return Err(failed(side, lab.finish(lost, Err(failure))));
        }
        let rows = [lab.finish(a, of_a.recording()), lab.finish(b, of_b.recording())];
        if let Some(side) = rows.iter().position(|row| row.status != Status::Ok) {
            return Err(failed(side, rows[side].clone()));
        }
        if rows[0].clock != rows[1].clock {
            let [labels, clocks] = [contestants.map(|c| c.label.clone()), rows.map(|row| row.clock)];
            return Err(RaceError::Clocks { labels, clocks });
        }
        let log_ratio = stats::summary(&self.logs)?.median;
        let [a, b] = rows;
        let (samples_s, lowered) = ([a.samples_s, b.samples_s], [a.lowered, b.lowered]);
        Ok(Round { log_ratio, samples_s, launches: self.launches, lowered })
    }
}
