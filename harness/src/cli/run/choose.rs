//! Which backends run: from words to subjects, and who takes turns with whom.

use farthing_kernels::problem::Problem;

use super::super::CliError;
use crate::measure::Subject;
use crate::nearest::unknown;
use crate::session::{Backends, Fleet};

/// Looks for backends at each thread count.
pub(in super::super) fn fleet(backends: Backends, threads: &[usize]) -> Result<Fleet, CliError> {
    Ok(Fleet::find(backends, &counts(threads)?))
}

/// The thread counts at which backends are looked for; none means all CPUs.
pub(super) fn counts(threads: &[usize]) -> Result<Vec<Option<usize>>, CliError> {
    refuse_threads(threads)?;
    let mut counts: Vec<Option<usize>> = Vec::new();
    for count in threads {
        // Asked for twice it is still one.
        if !counts.contains(&Some(*count)) {
            counts.push(Some(*count));
        }
    }
    Ok(if counts.is_empty() { vec![None] } else { counts })
}

/// Refuses what is no time for a case.
pub(in super::super) fn refuse_no_time(seconds: f64) -> Result<(), CliError> {
    let why = || CliError::Usage(format!("--seconds {seconds} is no time; give a positive number"));
    if seconds.is_finite() && seconds > 0.0 { Ok(()) } else { Err(why()) }
}

/// Refuses more threads than there are CPUs, and none.
pub(in super::super) fn refuse_threads(threads: &[usize]) -> Result<(), CliError> {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let refused = threads.iter().find(|t| **t == 0 || **t > cpus);
    let why = |t| CliError::Usage(format!("{t} threads: this machine has {cpus} CPUs; ask for 1 to {cpus}"));
    refused.map_or(Ok(()), |t| Err(why(t)))
}

/// The word for every backend, or every peer.
pub(super) const ALL: &str = "all";

/// Subjects in groups that take turns.
pub(in super::super) struct Chosen<'f> {
    /// Each subject alone, or with its device's others when there are peers.
    pub(in super::super) groups: Vec<Vec<Subject<'f>>>,
    /// Names of those that others take turns with.
    pub(super) peers: Vec<String>,
    /// Of them those that no word names: they sit out what they offer no tiling for.
    uncalled: Vec<String>,
}

impl<'f> Chosen<'f> {
    /// The subjects that these words name.
    ///
    /// # Errors
    /// A name that is unknown, absent here, or matches no device.
    pub(in super::super) fn new(
        fleet: &'f Fleet,
        names: &[String],
        device: Option<&str>,
        peers: &[String],
    ) -> Result<Chosen<'f>, CliError> {
        let ready = fleet.subjects();
        for name in names.iter().chain(peers).filter(|name| *name != ALL) {
            refuse_missing(fleet, &ready, name)?;
        }
        let first = ready.first().map(|s| s.name);
        let named = |s: &Subject<'_>| match names {
            [] => Some(s.name) == first,
            names => names.iter().any(|n| n == ALL || n == s.name),
        };
        let on_device = |s: &Subject<'_>| device.is_none_or(|d| s.backend.device().device.contains(d));
        let primaries: Vec<Subject<'f>> = ready.iter().copied().filter(|s| named(s) && on_device(s)).collect();
        if primaries.is_empty() {
            return Err(none_left(&ready, device));
        }
        if peers.is_empty() {
            let groups = primaries.into_iter().map(|s| vec![s]).collect();
            return Ok(Chosen { groups, peers: Vec::new(), uncalled: Vec::new() });
        }
        let uncalled =
            if peers.iter().any(|name| name == ALL) { uncalled(fleet, &primaries, &ready, peers)? } else { Vec::new() };
        let mut called: Vec<String> = peers.iter().filter(|name| *name != ALL).cloned().collect();
        let groups = by_device(&primaries, &ready, &called, &uncalled)?;
        called.extend(uncalled.iter().cloned());
        Ok(Chosen { groups, peers: called, uncalled })
    }

    /// All subjects.
    pub(in super::super) fn all(&self) -> Vec<Subject<'f>> {
        self.groups.iter().flatten().copied().collect()
    }

    /// Those of a group that take turns on a problem.
    pub(super) fn taking(&self, group: &[Subject<'f>], problem: &Problem) -> Vec<Subject<'f>> {
        let sits_out =
            |s: &Subject<'_>| self.uncalled.iter().any(|name| name == s.name) && s.backend.tilings(problem).is_empty();
        group.iter().copied().filter(|s| !sits_out(s)).collect()
    }
}

fn device_of<'f>(subject: &Subject<'f>) -> &'f str {
    &subject.backend.device().device
}

/// Names of the ready contenders beside the primaries on their devices that no word names.
fn uncalled(
    fleet: &Fleet,
    primaries: &[Subject<'_>],
    ready: &[Subject<'_>],
    called: &[String],
) -> Result<Vec<String>, CliError> {
    let mut names: Vec<String> = Vec::new();
    for subject in ready {
        let beside = primaries.iter().any(|p| device_of(p) == device_of(subject));
        let known =
            primaries.iter().any(|p| p.name == subject.name) || called.iter().chain(&names).any(|n| n == subject.name);
        if beside && !known && !fleet.is_yardstick(subject.name) {
            names.push(subject.name.to_owned());
        }
    }
    if names.is_empty() && called.iter().all(|name| name == ALL) {
        let why = format!(
            "--vs {ALL}: no other backend is ready on {}; `farthing devices` says why",
            device_of(&primaries[0])
        );
        return Err(CliError::Usage(why));
    }
    Ok(names)
}

/// One group a device: its subjects, then the peers that run on it.
fn by_device<'f>(
    primaries: &[Subject<'f>],
    ready: &[Subject<'f>],
    called: &[String],
    uncalled: &[String],
) -> Result<Vec<Vec<Subject<'f>>>, CliError> {
    let mut groups: Vec<Vec<Subject<'f>>> = Vec::new();
    for primary in primaries {
        match groups.iter_mut().find(|g| device_of(&g[0]) == device_of(primary)) {
            Some(group) => group.push(*primary),
            None => groups.push(vec![*primary]),
        }
    }
    for group in &mut groups {
        let device = device_of(&group[0]);
        for (name, is_called) in called.iter().map(|name| (name, true)).chain(uncalled.iter().map(|name| (name, false)))
        {
            let on_it: Vec<Subject<'f>> =
                ready.iter().copied().filter(|s| s.name == name && device_of(s) == device).collect();
            if on_it.is_empty() && is_called {
                return Err(CliError::Usage(format!("--vs {name}: no backend of that name runs on {device}")));
            }
            let named: Vec<&str> = group.iter().map(|s| s.name).collect();
            if !named.contains(&name.as_str()) {
                group.extend(on_it);
            }
        }
    }
    Ok(groups)
}

fn refuse_missing(fleet: &Fleet, ready: &[Subject<'_>], name: &str) -> Result<(), CliError> {
    if ready.iter().any(|s| s.name == name) {
        return Ok(());
    }
    match fleet.absent().into_iter().find(|(absent, _)| *absent == name) {
        Some((_, why)) => Err(CliError::Failed(format!("backend {name} is absent: {why}"))),
        None => Err(CliError::Usage(unknown("backend", name, &fleet.names()))),
    }
}

fn none_left(ready: &[Subject<'_>], device: Option<&str>) -> CliError {
    let mut devices: Vec<&str> = ready.iter().map(device_of).collect();
    devices.dedup();
    match device {
        Some(device) => {
            CliError::Usage(format!("no chosen backend has a device named `{device}`; devices: {}", devices.join(", ")))
        }
        None => CliError::Failed("no backend is ready; `farthing devices` says why".into()),
    }
}
