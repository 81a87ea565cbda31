//! What of all this the machine has.

use super::compile::{NeffCache, NeuronxCc, NkiCompiler};
use super::device::Neuron;
use super::machine::Machine;
use super::nrt::Runtime;
use super::route::Route;
use crate::backend::registry::State;

/// Registry name of our kernels.
const NKI: &str = "neuron";
/// Registry name of the vendor's own.
const XLA: &str = "neuron-xla";

/// The backends over a NeuronCore, each ready or absent and why.
pub fn entries() -> Vec<(&'static str, State)> {
    vec![(NKI, state(|| NkiCompiler::find().map(Route::Nki))), (XLA, state(|| NeuronxCc::find().map(Route::StableHlo)))]
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
