//! What of all this the machine has.

use std::sync::OnceLock;

use super::compile::{CompilerMissing, NeffCache, NeuronxCc, NkiCompiler};
use super::device::Neuron;
use super::machine::Machine;
use super::nrt::Runtime;
use super::route::Route;
use crate::backend::registry::State;

/// Registry name of our kernels.
const NKI: &str = "neuron";
/// Registry name of the vendor's own.
const XLA: &str = "neuron-xla";
/// Registry names of all entries.
pub const NAMES: [&str; 2] = [NKI, XLA];

/// The compilers, asked once a process: each takes seconds to say its version, and registries are made anew.
static NKI_FOUND: OnceLock<Result<NkiCompiler, CompilerMissing>> = OnceLock::new();
static XLA_FOUND: OnceLock<Result<NeuronxCc, CompilerMissing>> = OnceLock::new();

/// The backends over a NeuronCore, each ready or absent and why.
pub fn entries() -> Vec<(&'static str, State)> {
    // A process' runtime starts once: where the first entry lacks its compiler, it must outlive that entry for the second.
    let _held = Runtime::shared();
    vec![
        (NKI, state(|| NKI_FOUND.get_or_init(NkiCompiler::find).clone().map(Route::Nki))),
        (XLA, state(|| XLA_FOUND.get_or_init(NeuronxCc::find).clone().map(Route::StableHlo))),
    ]
}

/// A core with a route: ready, or absent and why.
pub fn with_route(route: Route) -> State {
    state(|| Ok::<Route, std::convert::Infallible>(route))
}

/// Runtime first: on a machine without one, the compiler is not what is missing, nor asked for its version.
fn state<E: std::fmt::Display>(route: impl FnOnce() -> Result<Route, E>) -> State {
    let runtime = match Runtime::shared() {
        Ok(runtime) => runtime,
        Err(missing) => return State::Absent(missing.to_string()),
    };
    let machine = match Machine::here(runtime.instance(), runtime.visible_cores()) {
        Ok(machine) => machine,
        Err(error) => return State::Absent(error.to_string()),
    };
    match route() {
        Ok(route) => State::Ready(Box::new(Neuron::new(runtime, machine, route, NeffCache::of_user()))),
        Err(missing) => State::Absent(missing.to_string()),
    }
}
