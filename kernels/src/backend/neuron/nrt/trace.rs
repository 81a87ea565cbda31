//! Device time: the runtime's system trace around launches.
//!
//! The core stamps the start and the stop of each execution with its own clock (events `nc_exec_running`, field
//! `data.nc_timestamp_ns`, paired by `tracking_id`). A logical core of several physical ones stamps a pair for each of
//! them: pairs with one `data.exec_id` belong to one launch, whose time is that of its slowest core, so that clocks of
//! different cores need not agree on an origin. The shape of the events is as in aws-neuron/nkipy,
//! `spike/src/spike/spike_model.py` (17365ae).
//!
//! Not verified, for want of a chip: that a capture's core index is the logical one that `nrt_load` takes. Were it not, no
//! launch would be found, and the time would be the host's.
//!
//! The rule: as many launches in the trace as were made, each complete, or there is no device time.

use std::collections::{BTreeMap, HashMap};
use std::ffi::c_char;
use std::sync::MutexGuard;

use serde_json::Value;

use super::abi::Handle;
use super::library::{TraceFunctions, done, given};
use super::{NrtError, Runtime};

/// Physical cores that a capture can name (the documentation's example clears as many).
const MAX_CORES: u32 = 128;

/// Why a trace gives no time.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TraceError {
    /// The runtime failed.
    #[error(transparent)]
    Nrt(#[from] NrtError),
    /// The events are no JSON, or not of the shape known.
    #[error("the trace cannot be read: {0}")]
    Malformed(String),
    /// Launches are missing, or there are others.
    #[error("the trace holds {found} complete launches and {open} incomplete ones of {made} made")]
    Count {
        /// Complete launches in the trace.
        found: usize,
        /// Starts without a stop.
        open: usize,
        /// Launches made.
        made: u64,
    },
    /// A stop that lies before its start.
    #[error("the device's clock ran backwards by {0} ns")]
    Backwards(u64),
}

/// The device's clock of a process: one capture, started when first asked. Once it has failed it stays unused, so that
/// the samples of one case share a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Capture {
    Untouched,
    Of(u32),
    Absent,
}

/// The device's clock, held by one caller: launches of two would share a trace.
pub struct DeviceClock<'r> {
    pub(super) runtime: &'r Runtime,
    pub(super) capture: MutexGuard<'r, Capture>,
}

impl DeviceClock<'_> {
    /// The events of a core since the last call; none where there is no device time.
    pub fn events(&mut self, core: u32) -> Option<String> {
        let functions = self.runtime.library.trace.as_ref()?;
        if *self.capture == Capture::Untouched {
            *self.capture = start(functions, core).map_or(Capture::Absent, |()| Capture::Of(core));
        }
        let events = if *self.capture == Capture::Of(core) { take(functions, core).ok() } else { None };
        if events.is_none() {
            self.give_up();
        }
        events
    }

    /// Stops using it.
    pub fn give_up(&mut self) {
        stop(self.runtime, &mut self.capture);
    }

    /// Whether it was given up, or was never there.
    pub fn is_absent(&self) -> bool {
        self.runtime.library.trace.is_none() || *self.capture == Capture::Absent
    }
}

/// Stops a capture that runs.
pub(super) fn stop(runtime: &Runtime, capture: &mut Capture) {
    let was = std::mem::replace(capture, Capture::Absent);
    if let (Capture::Of(_), Some(functions)) = (was, &runtime.library.trace) {
        // SAFETY: a capture runs, and is stopped here once. A failure leaves nothing to do.
        let _ = unsafe { (functions.nrt_sys_trace_stop)() };
    }
}

/// Starts the capture for a core.
fn start(functions: &TraceFunctions, core: u32) -> Result<(), NrtError> {
    let mut config: Handle = std::ptr::null_mut();
    // SAFETY: the handle is ours to be written.
    let status = unsafe { (functions.nrt_sys_trace_config_allocate)(&mut config) };
    let config = given("nrt_sys_trace_config_allocate", status, config)?;
    // SAFETY: the configuration was just given, and is freed below.
    unsafe { (functions.nrt_sys_trace_config_set_defaults)(config) };
    // By default every core is captured: the rest is switched off, and with it their buffers.
    for each in 0..MAX_CORES {
        // SAFETY: as above; a core that is not there is no error.
        unsafe { (functions.nrt_sys_trace_config_set_capture_enabled_for_nc)(config, each, each == core) };
    }
    // SAFETY: as above; the runtime copies what it needs.
    let status = unsafe { (functions.nrt_sys_trace_start)(config) };
    // SAFETY: the configuration is live and freed here once.
    unsafe { (functions.nrt_sys_trace_config_free)(config) };
    done("nrt_sys_trace_start", status)
}

/// The events since the last call, as JSON.
fn take(functions: &TraceFunctions, core: u32) -> Result<String, NrtError> {
    let mut options: Handle = std::ptr::null_mut();
    // SAFETY: the handle is ours to be written.
    let status = unsafe { (functions.nrt_sys_trace_fetch_options_allocate)(&mut options) };
    let options = given("nrt_sys_trace_fetch_options_allocate", status, options)?;
    // SAFETY: the options were just given, and are freed below.
    unsafe { (functions.nrt_sys_trace_fetch_options_set_defaults)(options) };
    // SAFETY: as above.
    let status = unsafe { (functions.nrt_sys_trace_fetch_options_set_nc_idx)(options, core) };
    let fetched = done("nrt_sys_trace_fetch_options_set_nc_idx", status).and_then(|()| fetch(functions, options));
    // SAFETY: the options are live and freed here once.
    unsafe { (functions.nrt_sys_trace_fetch_options_free)(options) };
    fetched
}

fn fetch(functions: &TraceFunctions, options: Handle) -> Result<String, NrtError> {
    let (mut buffer, mut written): (*mut c_char, usize) = (std::ptr::null_mut(), 0);
    // SAFETY: buffer and length are ours to be written, the buffer starts null as is asked, the options are live.
    let status = unsafe { (functions.nrt_sys_trace_fetch_events)(&mut buffer, &mut written, options) };
    if buffer.is_null() {
        return done("nrt_sys_trace_fetch_events", status).map(|()| String::new());
    }
    // SAFETY: the runtime gave the buffer and says that it wrote that many bytes.
    let bytes = unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), written) };
    let text = String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned();
    // SAFETY: the runtime gave the buffer, it is freed here once, and its text was copied out.
    unsafe { (functions.nrt_sys_trace_buffer_free)(buffer) };
    done("nrt_sys_trace_fetch_events", status).map(|()| text)
}

/// One physical core's part of a launch.
struct Start {
    launch: String,
    at_ns: u64,
}

/// Device seconds of `made` launches, from the events of a trace.
///
/// # Errors
/// The events cannot be read, or do not hold each launch once and whole.
pub fn launch_seconds(events: &str, made: u64) -> Result<f64, TraceError> {
    let malformed = |why: &dyn std::fmt::Display| TraceError::Malformed(why.to_string());
    let root: Value = serde_json::from_str(events).map_err(|error| malformed(&error))?;
    let list = root["events"].as_array().ok_or_else(|| malformed(&"no list of events"))?;
    let mut open: HashMap<String, Start> = HashMap::new();
    let mut launches: BTreeMap<String, u64> = BTreeMap::new();
    for event in list.iter().filter(|event| event["event_type"] == "nc_exec_running") {
        let id = event["tracking_id"].to_string();
        let at_ns = event["data"]["nc_timestamp_ns"].as_u64().ok_or_else(|| malformed(&"an event without a time"))?;
        match event["phase"].as_str() {
            Some("start") => {
                let execution = &event["data"]["exec_id"];
                let launch = if execution.is_null() { id.clone() } else { execution.to_string() };
                open.insert(id, Start { launch, at_ns });
            }
            Some("stop") => {
                // A stop whose start was taken by an earlier call belongs to no launch of this one.
                let Some(start) = open.remove(&id) else { continue };
                let ns = at_ns.checked_sub(start.at_ns).ok_or_else(|| TraceError::Backwards(start.at_ns - at_ns))?;
                let slowest = launches.entry(start.launch).or_default();
                *slowest = ns.max(*slowest);
            }
            _ => {}
        }
    }
    if launches.len() as u64 != made || !open.is_empty() {
        return Err(TraceError::Count { found: launches.len(), open: open.len(), made });
    }
    Ok(launches.values().sum::<u64>() as f64 * 1e-9)
}

#[cfg(test)]
mod tests;
