//! Which backends run: from words to subjects, and who takes turns with whom.

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
    Ok(if threads.is_empty() { vec![None] } else { threads.iter().copied().map(Some).collect() })
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

/// Subjects in groups that take turns.
pub(in super::super) struct Chosen<'f> {
    /// Each subject alone, or with its device's others when there are peers.
    pub(in super::super) groups: Vec<Vec<Subject<'f>>>,
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
        for name in names.iter().filter(|n| *n != "all").chain(peers) {
            refuse_missing(fleet, &ready, name)?;
        }
        let first = ready.first().map(|s| s.name);
        let named = |s: &Subject<'_>| match names {
            [] => Some(s.name) == first,
            names => names.iter().any(|n| n == "all" || n == s.name),
        };
        let on_device = |s: &Subject<'_>| device.is_none_or(|d| s.backend.device().device.contains(d));
        let primaries: Vec<Subject<'f>> = ready.iter().copied().filter(|s| named(s) && on_device(s)).collect();
        if primaries.is_empty() {
            return Err(none_left(&ready, device));
        }
        if peers.is_empty() {
            return Ok(Chosen { groups: primaries.into_iter().map(|s| vec![s]).collect() });
        }
        by_device(&primaries, &ready, peers)
    }

    /// All subjects.
    pub(in super::super) fn all(&self) -> Vec<Subject<'f>> {
        self.groups.iter().flatten().copied().collect()
    }
}

fn device_of<'f>(subject: &Subject<'f>) -> &'f str {
    &subject.backend.device().device
}

/// One group a device: its subjects, then the peers that run on it.
fn by_device<'f>(primaries: &[Subject<'f>], ready: &[Subject<'f>], peers: &[String]) -> Result<Chosen<'f>, CliError> {
    let mut groups: Vec<Vec<Subject<'f>>> = Vec::new();
    for primary in primaries {
        match groups.iter_mut().find(|g| device_of(&g[0]) == device_of(primary)) {
            Some(group) => group.push(*primary),
            None => groups.push(vec![*primary]),
        }
    }
    for group in &mut groups {
        let device = device_of(&group[0]);
        for name in peers {
            let on_it: Vec<Subject<'f>> =
                ready.iter().copied().filter(|s| s.name == name && device_of(s) == device).collect();
            if on_it.is_empty() {
                return Err(CliError::Usage(format!("--vs {name}: no backend of that name runs on {device}")));
            }
            let named: Vec<&str> = group.iter().map(|s| s.name).collect();
            if !named.contains(&name.as_str()) {
                group.extend(on_it);
            }
        }
    }
    Ok(Chosen { groups })
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
