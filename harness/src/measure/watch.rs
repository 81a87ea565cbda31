//! What else happens on the machine, and what the work costs in energy, from before the first sample to behind the last.

use std::fs;
use std::time::Instant;

use super::Subject;
use super::energy::{Meter, Reading};
use super::pace::{self, breadth, pace};
use crate::machine;
use crate::record::{self, Energy, Surroundings};
use crate::stats;

/// Ticks of a second in `/proc`: fixed for every program on Linux, whatever the kernel's own.
const TICKS_PER_S: f64 = 100.0;
/// Shortest span that ticks resolve: each of some ten counters may be one tick off.
const LEAST_SPAN_S: f64 = 0.1;

/// What was seen while samples were taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The machine.
    pub surroundings: Surroundings,
    /// Joules of the whole window, or why they are not known; the name of the counter.
    pub(super) joules: Result<(f64, &'static str), String>,
}

/// Samples that are being taken, in one visit or several. What others do is watched from the first to the last; time and
/// energy count in visits alone.
pub struct Watch {
    start: Instant,
    ticks: Option<Ticks>,
    pace_before: f64,
    meter: Result<(Meter, Option<Reading>), String>,
    joules: f64,
    visit: Option<Instant>,
    window_s: f64,
    breadths: Vec<pace::Breadth>,
    is_here: bool,
}

impl Watch {
    /// Begins, with a visit. Subjects that take turns share it, and their energy cannot be told apart. `cpu` is the host's
    /// model name.
    pub fn start(subjects: &[Subject<'_>], cpu: &str) -> Watch {
        let meter = match subjects {
            [one] => Meter::of(one.backend.device(), cpu),
            _ => Err("backends took turns: their energy cannot be told apart".to_owned()),
        };
        let is_here = subjects.iter().all(|s| !s.is_elsewhere());
        let mut watch = Watch {
            pace_before: pace(),
            ticks: Ticks::read(),
            meter: meter.map(|meter| (meter, None)),
            joules: 0.0,
            visit: None,
            window_s: 0.0,
            breadths: Vec::new(),
            is_here,
            start: Instant::now(),
        };
        watch.resume();
        watch
    }

    /// Another visit begins.
    pub fn resume(&mut self) {
        self.breadths.push(breadth());
        self.metered(|meter, last| {
            *last = Some(meter.read()?);
            Ok(0.0)
        });
        self.visit = Some(Instant::now());
    }

    /// The visit ends.
    pub fn pause(&mut self) {
        let Some(visit) = self.visit.take() else { return };
        self.window_s += visit.elapsed().as_secs_f64();
        self.metered(|meter, last| match last.take() {
            Some(before) => Ok(meter.joules(&before, &meter.read()?)),
            None => Ok(0.0),
        });
        self.breadths.push(breadth());
    }

    /// The median of what was read, and the best.
    fn breadth(&self) -> Option<record::Breadth> {
        let usual: Vec<f64> = self.breadths.iter().map(|read| read.usual).collect();
        let best = self.breadths.iter().map(|read| read.best).fold(0.0, f64::max);
        stats::summary(&usual).ok().map(|summary| record::Breadth { usual: summary.median, best })
    }

    /// Adds joules, unless the meter failed, now or before.
    fn metered(&mut self, read: impl FnOnce(&Meter, &mut Option<Reading>) -> Result<f64, String>) {
        let Ok((meter, last)) = &mut self.meter else { return };
        match read(meter, last) {
            Ok(joules) => self.joules += joules,
            Err(why) => self.meter = Err(why),
        }
    }

    /// What was seen until now, the visit in hand among it.
    pub fn seen(&mut self) -> Seen {
        self.pause();
        let span_s = self.start.elapsed().as_secs_f64();
        let (ticks, is_long) = (Ticks::read(), span_s >= LEAST_SPAN_S);
        let cpus = |of: fn(&Ticks) -> u64| {
            let (before, after) = self.ticks.as_ref().zip(ticks.as_ref()).filter(|_| is_long)?;
            Some(of(after).saturating_sub(of(before)) as f64 / TICKS_PER_S / span_s)
        };
        // A worker's time would pass for another's.
        let others_cpus = cpus(|t| t.busy).zip(cpus(|t| t.own)).filter(|_| self.is_here);
        let surroundings = Surroundings {
            window_s: self.window_s,
            launching_s: None,
            others_cpus: others_cpus.map(|(busy, own)| (busy - own).max(0.0)),
            stolen_cpus: cpus(|t| t.stolen),
            pace_before: self.pace_before,
            pace_after: pace(),
            load_after: machine::load(),
            breadth: self.breadth(),
        };
        let joules = self.meter.as_ref().map(|(meter, _)| (self.joules, meter.name())).map_err(Clone::clone);
        Seen { surroundings, joules }
    }
}

impl Seen {
    /// Joules of each of this many launches in the window.
    pub(super) fn energy(&self, launches: u64) -> Energy {
        match &self.joules {
            Ok((joules, name)) => Energy { joules: Some(joules / launches.max(1) as f64), source: (*name).to_owned() },
            Err(why) => Energy { joules: None, source: why.clone() },
        }
    }
}

/// Time of all CPUs since the machine started.
#[derive(Clone, Debug, PartialEq)]
struct Ticks {
    busy: u64,
    stolen: u64,
    own: u64,
}

impl Ticks {
    fn read() -> Option<Ticks> {
        Ticks::parse(&fs::read_to_string("/proc/stat").ok()?, &fs::read_to_string("/proc/self/stat").ok()?)
    }

    /// `cpu user nice system idle iowait irq softirq steal ...`; `pid (name) state ...` with user and system time as the
    /// 14th and 15th field (proc(5)).
    fn parse(all: &str, own: &str) -> Option<Ticks> {
        let line = all.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let fields: Vec<u64> = line.split_whitespace().map_while(|field| field.parse().ok()).collect();
        let [user, nice, system, _idle, _iowait, irq, softirq, stolen] = *fields.get(..8)? else { return None };
        // The name may hold blanks and brackets: what is behind the last one counts.
        let mut behind = own.rsplit_once(')')?.1.split_whitespace().skip(11);
        let mut time = || behind.next()?.parse::<u64>().ok();
        Some(Ticks { busy: user + nice + system + irq + softirq, stolen, own: time()? + time()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::fake::{Fake, Manner};

    #[test]
    fn ticks_are_read_from_their_text() {
        let own = "42 (a (b) c) R 1 2 3 4 5 6 7 8 9 10 70 5 0 0 20";
        let ticks = Ticks::parse("cpu  10 2 30 400 5 6 7 8 0 0\ncpu0 1 2 3\n", own);
        assert_eq!(ticks, Some(Ticks { busy: 55, stolen: 8, own: 75 }));
        assert_eq!(Ticks::parse("cpu  10 2 30\n", own), None);
        assert_eq!(Ticks::parse("", ""), None);
    }

    #[test]
    fn a_busy_neighbour_is_seen_and_own_work_is_not_one() {
        let fake = Fake::new(Manner::Right);
        let subject = Subject { name: "fake", backend: &fake };
        let mut watch = Watch::start(&[subject], "another CPU");
        while watch.start.elapsed().as_secs_f64() < 0.15 {
            std::hint::black_box(pace());
        }
        let seen = watch.seen();
        let surroundings = &seen.surroundings;
        assert!(surroundings.window_s > 0.1 && surroundings.pace_after > 0.0);
        // Tests beside this one run in the same process, so only the machine's other processes remain.
        if let Some(others) = surroundings.others_cpus {
            let cpus = std::thread::available_parallelism().map_or(1, usize::from);
            assert!(others <= cpus as f64 + 0.5, "{others}");
        }
        assert!(seen.joules.expect_err("not the host's CPU").contains("no energy counter is known for a double"));
    }

    #[test]
    fn time_between_visits_is_in_no_window() {
        let fake = Fake::new(Manner::Right);
        let mut watch = Watch::start(&[Subject { name: "fake", backend: &fake }], "another CPU");
        watch.pause();
        std::thread::sleep(std::time::Duration::from_millis(300));
        watch.pause();
        watch.resume();
        // Two visits of nothing; a thread that the scheduler left out for longer than this is not expected.
        assert!(watch.seen().surroundings.window_s < 0.2);
    }

    #[test]
    fn those_that_take_turns_have_no_energy_of_their_own() {
        let fake = Fake::new(Manner::Right);
        let subject = Subject { name: "fake", backend: &fake };
        let energy = Watch::start(&[subject, subject], "a double").seen().energy(3);
        assert_eq!((energy.joules, energy.source.contains("took turns")), (None, true));
    }
}
