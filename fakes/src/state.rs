//! What the double remembers.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::{c_int, c_void};
use std::sync::{Mutex, MutexGuard, PoisonError};

use farthing_kernels::program::Program;

use crate::trace::TraceState;

/// A pointer handed out; never followed.
pub(crate) type Handle = *mut c_void;

/// Statuses, as `nrt_status.h` numbers them.
pub(crate) const OK: c_int = 0;
pub(crate) const INVALID: c_int = 2;
pub(crate) const INVALID_HANDLE: c_int = 3;
pub(crate) const NOT_ENOUGH_CORES: c_int = 9;
pub(crate) const UNSUPPORTED_NEFF: c_int = 10;
pub(crate) const UNINITIALIZED: c_int = 13;
pub(crate) const CLOSED: c_int = 14;
pub(crate) const BAD_INPUT: c_int = 1002;

/// Where in its life a process's runtime is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    #[default]
    Fresh,
    Started,
    Closed,
}

/// A loaded NEFF.
pub(crate) struct Model {
    pub(crate) program: Program,
    /// Names of the inputs in calling order, then of the output.
    pub(crate) names: Vec<String>,
    pub(crate) core: u32,
}

/// A call that is to fail.
pub(crate) struct Fault {
    pub(crate) status: c_int,
    /// Calls that go well before.
    pub(crate) after: u32,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) phase: Phase,
    pub(crate) models: HashMap<usize, Model>,
    pub(crate) tensors: HashMap<usize, Vec<u8>>,
    pub(crate) sets: HashMap<usize, BTreeMap<String, usize>>,
    /// Arrays of tensor information that were handed out, and their bytes as 64-bit words.
    pub(crate) infos: HashMap<usize, Vec<u64>>,
    pub(crate) faults: HashMap<String, Fault>,
    pub(crate) trace: TraceState,
    /// What a caller did that the real library may not forgive.
    pub(crate) violations: Vec<String>,
    pub(crate) calls: BTreeMap<&'static str, u64>,
    /// Handles of the trace's configurations and options.
    pub(crate) others: HashSet<usize>,
    n_handles: usize,
}

static STATE: Mutex<Option<State>> = Mutex::new(None);

/// Does a call: counted, failed where a test asked for it.
pub(crate) fn call(name: &'static str, body: impl FnOnce(&mut State) -> Result<(), c_int>) -> c_int {
    let mut guard = lock();
    let state = guard.get_or_insert_default();
    *state.calls.entry(name).or_default() += 1;
    if let Some(fault) = state.faults.get_mut(name) {
        if fault.after == 0 {
            return fault.status;
        }
        fault.after -= 1;
    }
    match body(state) {
        Ok(()) => OK,
        Err(status) => {
            state.violations.push(format!("{name} returned {status}"));
            status
        }
    }
}

/// A call that returns nothing: what would have failed is a violation.
pub(crate) fn call_void(name: &'static str, body: impl FnOnce(&mut State) -> Result<(), c_int>) {
    let _ = call(name, body);
}

pub(crate) fn lock() -> MutexGuard<'static, Option<State>> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// A handle that no earlier one equals.
    pub(crate) fn handle(&mut self) -> usize {
        self.n_handles += 1;
        0x1000 + 16 * self.n_handles
    }

    pub(crate) fn started(&self) -> Result<(), c_int> {
        match self.phase {
            Phase::Fresh => Err(UNINITIALIZED),
            Phase::Started => Ok(()),
            Phase::Closed => Err(CLOSED),
        }
    }

    pub(crate) fn model(&self, handle: Handle) -> Result<&Model, c_int> {
        self.started()?;
        self.models.get(&(handle as usize)).ok_or(INVALID_HANDLE)
    }

    pub(crate) fn tensor(&mut self, handle: Handle) -> Result<&mut Vec<u8>, c_int> {
        self.started()?;
        self.tensors.get_mut(&(handle as usize)).ok_or(INVALID_HANDLE)
    }

    pub(crate) fn set(&mut self, handle: Handle) -> Result<&mut BTreeMap<String, usize>, c_int> {
        self.started()?;
        self.sets.get_mut(&(handle as usize)).ok_or(INVALID_HANDLE)
    }
}

/// A variable, or what stands in for it.
pub(crate) fn setting(name: &str, otherwise: u32) -> u32 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}
