//! The system trace: canned events, one pair a launch and physical core.

use std::ffi::{CString, c_char, c_int};

use serde_json::{Value, json};

use crate::state::{Handle, INVALID, INVALID_HANDLE, State, call, call_void};

/// Time that every launch takes, in this fiction.
const LAUNCH_NS: u64 = 10_000;
/// By how much the second physical core is slower.
const SECOND_CORE_NS: u64 = 2_000;

/// How the trace is bent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Bend {
    /// A pair a launch.
    #[default]
    None,
    /// The last launch is not there.
    OneShort,
    /// Two physical cores a launch, with clocks of other origins.
    TwoCores,
}

#[derive(Default)]
pub(crate) struct TraceState {
    pub(crate) running: bool,
    pub(crate) bend: Bend,
    captured: Vec<u32>,
    only: Option<u32>,
    events: Vec<Value>,
    n_tracked: u64,
    n_launches: u64,
    now_ns: u64,
    /// Texts handed out.
    pub(crate) buffers: Vec<usize>,
}

impl TraceState {
    /// Notes a launch on a core.
    pub(crate) fn executed(&mut self, core: u32) {
        if !self.running || !self.captured.contains(&core) {
            return;
        }
        self.n_launches += 1;
        let (launch, now) = (self.n_launches, self.now_ns);
        self.now_ns += 3 * LAUNCH_NS;
        self.pair(launch, core, now, LAUNCH_NS);
        if self.bend == Bend::TwoCores {
            self.pair(launch, core, 1_000_000_000 + now, LAUNCH_NS + SECOND_CORE_NS);
        }
    }

    fn pair(&mut self, launch: u64, core: u32, at_ns: u64, ns: u64) {
        self.n_tracked += 1;
        let event = |phase: &str, at: u64| {
            json!({
                "event_type": "nc_exec_running", "phase": phase, "tracking_id": self.n_tracked, "nc_idx": core,
                "data": { "nc_timestamp_ns": at, "exec_id": launch },
            })
        };
        let events = [event("start", at_ns), event("stop", at_ns + ns)];
        self.events.extend(events);
    }

    fn text(&mut self) -> String {
        let mut events = std::mem::take(&mut self.events);
        if let Some(only) = self.only {
            events.retain(|event| event["nc_idx"] == only);
        }
        match self.bend {
            Bend::OneShort => events.truncate(events.len().saturating_sub(2)),
            Bend::None | Bend::TwoCores => {}
        }
        json!({ "events": events, "data_version": 2 }).to_string()
    }
}

fn other(state: &mut State, at: *mut Handle) {
    let handle = state.handle();
    state.others.insert(handle);
    // SAFETY: the callers below are promised a writable handle.
    unsafe { at.write(handle as Handle) };
}

fn live(state: &State, handle: Handle) -> Result<(), c_int> {
    if state.others.contains(&(handle as usize)) { Ok(()) } else { Err(INVALID_HANDLE) }
}

/// # Safety
/// `config` is writable.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn nrt_sys_trace_config_allocate(config: *mut Handle) -> c_int {
    call("nrt_sys_trace_config_allocate", |state| {
        other(state, config);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn nrt_sys_trace_config_set_defaults(config: Handle) {
    call_void("nrt_sys_trace_config_set_defaults", |state| {
        live(state, config)?;
        state.trace.captured = (0..128).collect();
        Ok(())
    });
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn nrt_sys_trace_config_set_capture_enabled_for_nc(config: Handle, core: u32, enabled: bool) {
    call_void("nrt_sys_trace_config_set_capture_enabled_for_nc", |state| {
        live(state, config)?;
        state.trace.captured.retain(|known| *known != core);
        if enabled {
            state.trace.captured.push(core);
        }
        Ok(())
    });
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn nrt_sys_trace_config_free(config: Handle) {
    free("nrt_sys_trace_config_free", config);
}

fn free(name: &'static str, handle: Handle) {
    call_void(name, |state| if state.others.remove(&(handle as usize)) { Ok(()) } else { Err(INVALID_HANDLE) });
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn nrt_sys_trace_start(config: Handle) -> c_int {
    call("nrt_sys_trace_start", |state| {
        state.started()?;
        live(state, config)?;
        if state.trace.running {
            return Err(INVALID);
        }
        state.trace.running = true;
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn nrt_sys_trace_stop() -> c_int {
    call("nrt_sys_trace_stop", |state| {
        state.started()?;
        if std::mem::take(&mut state.trace.running) { Ok(()) } else { Err(INVALID) }
    })
}

/// # Safety
/// `options` is writable.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn nrt_sys_trace_fetch_options_allocate(options: *mut Handle) -> c_int {
    call("nrt_sys_trace_fetch_options_allocate", |state| {
        other(state, options);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn nrt_sys_trace_fetch_options_set_defaults(options: Handle) {
    call_void("nrt_sys_trace_fetch_options_set_defaults", |state| {
        live(state, options)?;
        state.trace.only = None;
        Ok(())
    });
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn nrt_sys_trace_fetch_options_set_nc_idx(options: Handle, core: u32) -> c_int {
    call("nrt_sys_trace_fetch_options_set_nc_idx", |state| {
        live(state, options)?;
        state.trace.only = Some(core);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn nrt_sys_trace_fetch_options_free(options: Handle) {
    free("nrt_sys_trace_fetch_options_free", options);
}

/// # Safety
/// `buffer` and `written` are writable; the buffer is null before.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn nrt_sys_trace_fetch_events(
    buffer: *mut *mut c_char,
    written: *mut usize,
    options: Handle,
) -> c_int {
    call("nrt_sys_trace_fetch_events", |state| {
        live(state, options)?;
        // SAFETY: the caller promises a readable pointer.
        if !state.trace.running || !unsafe { buffer.read() }.is_null() {
            return Err(INVALID);
        }
        let text = CString::new(state.trace.text()).map_err(|_| INVALID)?;
        let size = text.as_bytes().len();
        let raw = text.into_raw();
        state.trace.buffers.push(raw as usize);
        // SAFETY: the caller promises both writable.
        unsafe { buffer.write(raw) };
        // SAFETY: as above.
        unsafe { written.write(size) };
        Ok(())
    })
}

/// # Safety
/// The buffer came from `nrt_sys_trace_fetch_events`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn nrt_sys_trace_buffer_free(buffer: *mut c_char) {
    call_void("nrt_sys_trace_buffer_free", |state| {
        let at = state.trace.buffers.iter().position(|live| *live == buffer as usize).ok_or(INVALID_HANDLE)?;
        state.trace.buffers.swap_remove(at);
        // SAFETY: the list says that it came from `into_raw` and was not freed.
        drop(unsafe { CString::from_raw(buffer) });
        Ok(())
    });
}
