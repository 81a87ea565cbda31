//! What a test asks of the double, beside the interface it doubles.

use std::ffi::{CStr, CString, c_char, c_int};

use serde_json::json;

use crate::state::{Fault, lock};
use crate::trace::Bend;

/// Makes calls of a function fail with a status after some that go well; a status of 0 lets them go well again.
///
/// # Safety
/// `name` ends with a zero.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn fake_nrt_fail(name: *const c_char, status: c_int, after: u32) {
    // SAFETY: the caller promises a text that ends with a zero.
    let name = unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned();
    let mut guard = lock();
    let state = guard.get_or_insert_default();
    if status == 0 {
        state.faults.remove(&name);
    } else {
        state.faults.insert(name, Fault { status, after });
    }
}

/// Bends the trace: 1 one launch short, 2 two cores, anything else not.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn fake_nrt_trace(bend: c_int) {
    lock().get_or_insert_default().trace.bend = match bend {
        1 => Bend::OneShort,
        2 => Bend::TwoCores,
        _ => Bend::None,
    };
}

/// What is live, what was called, and what was done wrong, as JSON; the caller frees it with `fake_nrt_forget`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn fake_nrt_report() -> *mut c_char {
    let mut guard = lock();
    let state = guard.get_or_insert_default();
    let report = json!({
        "phase": format!("{:?}", state.phase),
        "models": state.models.len(),
        "tensors": state.tensors.len(),
        "sets": state.sets.len(),
        "infos": state.infos.len(),
        "buffers": state.trace.buffers.len(),
        "others": state.others.len(),
        "tracing": state.trace.running,
        "calls": state.calls,
        "violations": state.violations,
    });
    CString::new(report.to_string()).map_or(std::ptr::null_mut(), CString::into_raw)
}

/// # Safety
/// The report came from `fake_nrt_report`, and is not used afterwards.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn fake_nrt_forget(report: *mut c_char) {
    if !report.is_null() {
        // SAFETY: the caller promises a report of ours, which came from `into_raw`.
        drop(unsafe { CString::from_raw(report) });
    }
}
