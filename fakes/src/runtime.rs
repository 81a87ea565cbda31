//! Start, close, who is there, and device memory.

use std::ffi::{CStr, c_char, c_int, c_void};

use crate::layout::{Instance, Version, chars};
use crate::state::{CLOSED, Handle, INVALID, INVALID_HANDLE, Phase, call, call_void, setting};

/// Logical cores that the double shows.
pub(crate) fn visible_cores() -> u32 {
    setting("FAKE_NRT_CORES", 4)
}

/// # Safety
/// The texts end with a zero, or are null.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn nrt_init(framework: c_int, _version: *const c_char, _adapter: *const c_char) -> c_int {
    call("nrt_init", |state| match state.phase {
        _ if framework != 1 => Err(INVALID),
        Phase::Fresh => {
            let status = setting("FAKE_NRT_INIT_STATUS", 0) as c_int;
            state.phase = if status == 0 { Phase::Started } else { Phase::Fresh };
            if status == 0 { Ok(()) } else { Err(status) }
        }
        Phase::Started => Err(INVALID),
        Phase::Closed => Err(CLOSED),
    })
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn nrt_close() {
    call_void("nrt_close", |state| {
        state.started()?;
        state.phase = Phase::Closed;
        Ok(())
    });
}

/// # Safety
/// `version` is writable for `size` bytes.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn nrt_get_version(version: *mut Version, size: usize) -> c_int {
    call("nrt_get_version", |_| {
        if version.is_null() || size != size_of::<Version>() {
            return Err(INVALID);
        }
        let detail = chars("FAKE test double, no NeuronCore");
        // SAFETY: the caller promises as many writable bytes as the structure has.
        unsafe { version.write(Version { numbers: [2, 99, 0, 0], detail, git_hash: chars("0badc0de-FAKE") }) };
        Ok(())
    })
}

/// # Safety
/// `info` is writable for `size` bytes.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn nrt_get_instance_info(info: *mut Instance, size: usize) -> c_int {
    call("nrt_get_instance_info", |_| {
        if info.is_null() || size != size_of::<Instance>() {
            return Err(INVALID);
        }
        let family = setting("FAKE_NRT_FAMILY", 5);
        // SAFETY: the caller promises as many writable bytes as the structure has.
        unsafe { info.write(Instance { family, size: 7, arch: chars("FAKE"), revision: chars("0") }) };
        Ok(())
    })
}

/// # Safety
/// `count` is writable.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn nrt_get_visible_vnc_count(count: *mut u32) -> c_int {
    call("nrt_get_visible_vnc_count", |_| {
        if count.is_null() {
            return Err(INVALID);
        }
        // SAFETY: the caller promises a writable count, and it is not null.
        unsafe { count.write(visible_cores()) };
        Ok(())
    })
}

/// # Safety
/// `tensor` is writable; the name is not read.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn nrt_tensor_allocate(
    placement: c_int,
    core: c_int,
    size: usize,
    _name: *const c_char,
    tensor: *mut Handle,
) -> c_int {
    call("nrt_tensor_allocate", |state| {
        state.started()?;
        if placement != 0 || core < 0 || core as u32 >= visible_cores() || size == 0 || tensor.is_null() {
            return Err(INVALID);
        }
        let handle = state.handle();
        state.tensors.insert(handle, vec![0; size]);
        // SAFETY: the caller promises a writable handle, and it is not null.
        unsafe { tensor.write(handle as Handle) };
        Ok(())
    })
}

/// # Safety
/// `tensor` is readable and writable.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn nrt_tensor_free(tensor: *mut Handle) {
    call_void("nrt_tensor_free", |state| {
        state.started()?;
        // SAFETY: the caller promises a readable handle.
        let handle = unsafe { tensor.read() };
        state.tensors.remove(&(handle as usize)).ok_or(INVALID_HANDLE)?;
        if state.sets.values().any(|set| set.values().any(|id| *id == handle as usize)) {
            state.violations.push("a tensor was freed while in a set".into());
        }
        Ok(())
    });
}

/// # Safety
/// `source` is readable for `size` bytes.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn nrt_tensor_write(
    tensor: Handle,
    source: *const c_void,
    offset: usize,
    size: usize,
) -> c_int {
    call("nrt_tensor_write", |state| {
        let held = state.tensor(tensor)?;
        let to = held.get_mut(offset..offset.saturating_add(size)).ok_or(INVALID)?;
        // SAFETY: the caller promises that many readable bytes.
        to.copy_from_slice(unsafe { std::slice::from_raw_parts(source.cast(), size) });
        Ok(())
    })
}

/// # Safety
/// `target` is writable for `size` bytes.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn nrt_tensor_read(
    tensor: Handle,
    target: *mut c_void,
    offset: usize,
    size: usize,
) -> c_int {
    call("nrt_tensor_read", |state| {
        let held = state.tensor(tensor)?;
        let from = held.get(offset..offset.saturating_add(size)).ok_or(INVALID)?;
        // SAFETY: the caller promises that many writable bytes, which no tensor of ours overlaps.
        unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), target.cast(), size) };
        Ok(())
    })
}

/// # Safety
/// `set` is writable.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn nrt_allocate_tensor_set(set: *mut Handle) -> c_int {
    call("nrt_allocate_tensor_set", |state| {
        state.started()?;
        let handle = state.handle();
        state.sets.insert(handle, Default::default());
        // SAFETY: the caller promises a writable handle.
        unsafe { set.write(handle as Handle) };
        Ok(())
    })
}

/// # Safety
/// `set` is readable.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn nrt_destroy_tensor_set(set: *mut Handle) {
    call_void("nrt_destroy_tensor_set", |state| {
        state.started()?;
        // SAFETY: the caller promises a readable handle.
        let handle = unsafe { set.read() };
        state.sets.remove(&(handle as usize)).map(drop).ok_or(INVALID_HANDLE)
    });
}

/// # Safety
/// `name` ends with a zero.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn nrt_add_tensor_to_tensor_set(
    set: Handle,
    name: *const c_char,
    tensor: Handle,
) -> c_int {
    call("nrt_add_tensor_to_tensor_set", |state| {
        state.tensor(tensor)?;
        // SAFETY: the caller promises a text that ends with a zero.
        let name = unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned();
        state.set(set)?.insert(name, tensor as usize);
        Ok(())
    })
}
