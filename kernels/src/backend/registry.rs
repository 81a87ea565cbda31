//! Which backends there are, and why others are not.

use serde::{Deserialize, Serialize};

use super::AnyBackend;

/// What a probe for a backend found.
pub enum State {
    /// It runs.
    Ready(Box<dyn AnyBackend>),
    /// It does not, and why; says what would help.
    Absent(String),
}

/// What a backend is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It is as fast as its author could make it.
    Contender,
    /// It is there for the ratio, and slow: only who names it meets it.
    Yardstick,
}

/// Name of the yardsticks of this crate, each on its device.
const NAIVE: &str = "naive";

/// A backend by name.
pub struct Entry {
    /// Name on the command line and in rows. Several devices of one backend are several entries.
    pub name: String,
    /// Contender or yardstick.
    pub role: Role,
    /// Ready or absent.
    pub state: State,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.state {
            State::Ready(backend) => write!(f, "{}: ready: {}", self.name, backend.device().device),
            State::Absent(why) => write!(f, "{}: absent: {why}", self.name),
        }
    }
}

/// What the caller wants of the built-in backends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Worker threads of host backends; all CPUs where none is given.
    pub threads: Option<usize>,
    /// The one backend that is wanted, by name; where it is given, devices of others need not be opened.
    pub only: Option<String>,
}

impl Options {
    /// Whether the backend of this name is wanted.
    pub fn wants(&self, name: &str) -> bool {
        self.want(&[name])
    }

    fn want(&self, names: &[&str]) -> bool {
        self.only.as_deref().is_none_or(|only| names.contains(&only))
    }
}

/// The backends of a process, in the order in which they are shown.
#[derive(Debug, Default)]
pub struct Registry {
    entries: Vec<Entry>,
}

impl Registry {
    /// The backends of this crate, each looked for on this machine.
    pub fn builtin(options: &Options) -> Registry {
        let mut registry = Registry::default();
        if options.wants("cpu") {
            let cpu = super::cpu::Cpu::new(options.threads);
            let absent = |error: super::cpu::CpuError| State::Absent(error.to_string());
            registry.add("cpu", cpu.map_or_else(absent, |cpu| State::Ready(Box::new(cpu))));
        }
        if options.wants(NAIVE) {
            let naive = State::Ready(Box::new(super::naive::Naive::new()));
            registry.add_as(Role::Yardstick, NAIVE, naive);
        }
        #[cfg(feature = "gpu")]
        if options.want(&["gpu", NAIVE]) {
            let role = |name: &str| if name == NAIVE { Role::Yardstick } else { Role::Contender };
            super::gpu::probe_all().into_iter().for_each(|(name, state)| registry.add_as(role(&name), &name, state));
        }
        if options.want(&super::neuron::NAMES) {
            super::neuron::entries().into_iter().for_each(|(name, state)| registry.add(name, state));
        }
        registry.entries.retain(|entry| options.want(&[&entry.name]));
        registry
    }

    /// Adds a backend: how another crate's joins.
    pub fn add(&mut self, name: &str, state: State) {
        self.add_as(Role::Contender, name, state);
    }

    /// The same, of either role.
    pub fn add_as(&mut self, role: Role, name: &str, state: State) {
        self.entries.push(Entry { name: name.into(), role, state });
    }

    /// All of them.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Those that run, by name.
    pub fn ready(&self) -> impl Iterator<Item = (&str, &dyn AnyBackend)> {
        self.entries.iter().filter_map(|entry| match &entry.state {
            State::Ready(backend) => Some((entry.name.as_str(), &**backend)),
            State::Absent(_) => None,
        })
    }
}
