//! A double of the Neuron runtime, `libnrt.so.1`, for tests on machines without a chip.
//!
//! It has the real one's functions and layouts, says FAKE wherever it is asked who it is, and is strict where the real
//! one may be lenient: calls before the start or after the close, handles that are not live, names or sizes that are not
//! the model's, are refused with the status that the real one documents. Results are computed by the plain interpreter
//! from the program in a fake NEFF; device time is a fixed fiction, so that no one can take it for a measurement.
//!
//! A test steers it through functions of its own: `fake_nrt_fail` makes a call fail, `fake_nrt_trace` bends the trace,
//! `fake_nrt_report` tells what is live and what was done wrong.

mod control;
mod execute;
mod layout;
mod runtime;
mod state;
mod trace;
