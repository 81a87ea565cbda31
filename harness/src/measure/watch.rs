//! What else happens on the machine, and what the work costs in energy, from before the first sample to behind the last.

use std::fs;
use std::time::Instant;

use super::Subject;
use super::energy::{Meter, Reading};
use super::pace::pace;
use crate::machine;
use crate::record::{Energy, Surroundings};

/// Ticks of a second in `/proc`: fixed for every program on Linux, whatever the kernel's own.
const TICKS_PER_S: f64 = 100.0;
/// Shortest window that ticks resolve: each of some ten counters may be one tick off.
const LEAST_WINDOW_S: f64 = 0.1;

/// What was seen while samples were taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The machine.
    pub surroundings: Surroundings,
    /// Joules of the whole window, or why they are not known; the name of the counter.
    pub(super) joules: Result<(f64, &'static str), String>,
}

/// A window that is open.
pub struct Watch {
    start: Instant,
    pace_before: f64,
    ticks: Option<Ticks>,
    meter: Result<(Meter, Reading), String>,
    is_here: bool,
}

impl Watch {
    /// Opens the window. Subjects that take turns share it, and their energy cannot be told apart. `cpu` is the host's
    /// model name.
    pub fn start(subjects: &[Subject<'_>], cpu: &str) -> Watch {
        let meter = match subjects {
            [one] => Meter::of(one.backend.device(), cpu),
            _ => Err("backends took turns: their energy cannot be told apart".to_owned()),
        };
        let meter = meter.and_then(|meter| meter.read().map(|reading| (meter, reading)));
        let is_here = subjects.iter().all(|s| !s.backend.device().details.contains_key("worker"));
        Watch { pace_before: pace(), ticks: Ticks::read(), meter, is_here, start: Instant::now() }
    }

    /// Closes it.
    pub fn end(self) -> Seen {
        let window_s = self.start.elapsed().as_secs_f64();
        let (ticks, is_long) = (Ticks::read(), window_s >= LEAST_WINDOW_S);
        let cpus = |of: fn(&Ticks) -> u64| {
            let (before, after) = self.ticks.as_ref().zip(ticks.as_ref()).filter(|_| is_long)?;
            Some(of(after).saturating_sub(of(before)) as f64 / TICKS_PER_S / window_s)
        };
        // A worker's time would pass for another's.
        let others_cpus = cpus(|t| t.busy).zip(cpus(|t| t.own)).filter(|_| self.is_here);
        let surroundings = Surroundings {
            window_s,
            launching_s: None,
            others_cpus: others_cpus.map(|(busy, own)| (busy - own).max(0.0)),
            stolen_cpus: cpus(|t| t.stolen),
            pace_before: self.pace_before,
            pace_after: pace(),
            load_after: machine::load(),
        };
        let joules = self.meter.and_then(|(meter, before)| {
            let after = meter.read()?;
            Ok((meter.joules(&before, &after), meter.name()))
        });
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
        let watch = Watch::start(&[subject], "another CPU");
        while watch.start.elapsed().as_secs_f64() < 0.15 {
            std::hint::black_box(pace());
        }
        let busy_s = watch.start.elapsed().as_secs_f64();
        let seen = watch.end();
        let surroundings = &seen.surroundings;
        assert!(surroundings.window_s >= busy_s && surroundings.pace_after > 0.0);
        // Tests beside this one run in the same process, so only the machine's other processes remain.
        if let Some(others) = surroundings.others_cpus {
            let cpus = std::thread::available_parallelism().map_or(1, usize::from);
            assert!(others <= cpus as f64 + 0.5, "{others}");
        }
        assert!(seen.joules.expect_err("not the host's CPU").contains("no energy counter is known for a double"));
    }

    #[test]
    fn those_that_take_turns_have_no_energy_of_their_own() {
        let fake = Fake::new(Manner::Right);
        let subject = Subject { name: "fake", backend: &fake };
        let energy = Watch::start(&[subject, subject], "a double").end().energy(3);
        assert_eq!((energy.joules, energy.source.contains("took turns")), (None, true));
    }
}
