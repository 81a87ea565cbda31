//! The functions of the library, found by name.

use std::ffi::{c_char, c_int, c_void};

use super::abi::{Handle, RawInstance, RawTensorInfos, RawVersion, Status};
use super::{NrtError, abi};

/// Declares a table of functions, and how it is filled from a library.
macro_rules! functions {
    ($(#[$doc:meta])* $table:ident { $($name:ident: fn($($ty:ty),*) $(-> $result:ty)?;)* }) => {
        $(#[$doc])*
        pub(super) struct $table {
            $(pub(super) $name: unsafe extern "C" fn($($ty),*) $(-> $result)?,)*
        }

        impl $table {
            /// Finds each function; the name of the first that is not there.
            ///
            /// # Safety
            /// - `library` is a Neuron runtime, whose functions have the types declared here.
            /// - The table is not used after `library` is closed.
            pub(super) unsafe fn find(library: &libloading::Library) -> Result<$table, &'static str> {
                Ok($table {
                    $($name: {
                        let symbol = concat!(stringify!($name), "\0");
                        // SAFETY: the caller promises a Neuron runtime; the type is the one its headers declare.
                        let found = unsafe {
                            library.get::<unsafe extern "C" fn($($ty),*) $(-> $result)?>(symbol.as_bytes())
                        };
                        *found.map_err(|_| stringify!($name))?
                    },)*
                })
            }
        }
    };
}

functions! {
    /// What running a model takes.
    Functions {
        nrt_init: fn(c_int, *const c_char, *const c_char) -> Status;
        nrt_close: fn();
        nrt_get_version: fn(*mut RawVersion, usize) -> Status;
        nrt_get_visible_vnc_count: fn(*mut u32) -> Status;
        nrt_get_instance_info: fn(*mut RawInstance, usize) -> Status;
        nrt_load: fn(*const c_void, usize, i32, i32, *mut Handle) -> Status;
        nrt_unload: fn(Handle) -> Status;
        nrt_get_model_tensor_info: fn(Handle, *mut *mut RawTensorInfos) -> Status;
        nrt_free_model_tensor_info: fn(*mut RawTensorInfos) -> Status;
        nrt_allocate_tensor_set: fn(*mut Handle) -> Status;
        nrt_destroy_tensor_set: fn(*mut Handle);
        nrt_add_tensor_to_tensor_set: fn(Handle, *const c_char, Handle) -> Status;
        nrt_tensor_allocate: fn(c_int, c_int, usize, *const c_char, *mut Handle) -> Status;
        nrt_tensor_free: fn(*mut Handle);
        nrt_tensor_write: fn(Handle, *const c_void, usize, usize) -> Status;
        nrt_tensor_read: fn(Handle, *mut c_void, usize, usize) -> Status;
        nrt_execute: fn(Handle, Handle, Handle) -> Status;
        nrt_execute_repeat: fn(Handle, Handle, Handle, c_int) -> Status;
    }
}

functions! {
    /// What the device's clock takes; an older library lacks it.
    TraceFunctions {
        nrt_sys_trace_config_allocate: fn(*mut Handle) -> Status;
        nrt_sys_trace_config_set_defaults: fn(Handle);
        nrt_sys_trace_config_set_capture_enabled_for_nc: fn(Handle, u32, bool);
        nrt_sys_trace_config_free: fn(Handle);
        nrt_sys_trace_start: fn(Handle) -> Status;
        nrt_sys_trace_stop: fn() -> Status;
        nrt_sys_trace_fetch_options_allocate: fn(*mut Handle) -> Status;
        nrt_sys_trace_fetch_options_set_defaults: fn(Handle);
        nrt_sys_trace_fetch_options_set_nc_idx: fn(Handle, u32) -> Status;
        nrt_sys_trace_fetch_options_free: fn(Handle);
        nrt_sys_trace_fetch_events: fn(*mut *mut c_char, *mut usize, Handle) -> Status;
        nrt_sys_trace_buffer_free: fn(*mut c_char);
    }
}

/// A library and its functions.
pub(super) struct Library {
    pub(super) functions: Functions,
    pub(super) trace: Option<TraceFunctions>,
    // Dropped last: the functions above are in it.
    _library: libloading::Library,
}

impl Library {
    /// Loads a library by a path, or by a name that the system's loader looks for.
    ///
    /// # Errors
    /// It is not there, or a function is missing: what the loader says.
    pub(super) fn open(path: &str) -> Result<Library, String> {
        // SAFETY: loading runs the library's initialisers. The path is the vendor's own or one that the user set, and
        // its initialisers are as trusted as any program that the user starts.
        let library = unsafe { libloading::Library::new(path) }.map_err(|error| error.to_string())?;
        // SAFETY: the library bears the runtime's name or was named by the user as one; the table lives beside it and
        // is dropped before it.
        let functions = unsafe { Functions::find(&library) };
        let functions = functions.map_err(|name| format!("{path} has no function {name}: not a Neuron runtime 2.x"))?;
        // SAFETY: as above.
        let trace = unsafe { TraceFunctions::find(&library) }.ok();
        Ok(Library { functions, trace, _library: library })
    }

    /// Version, callable before the initialisation.
    pub(super) fn version(&self) -> Result<RawVersion, NrtError> {
        let mut version =
            RawVersion { major: 0, minor: 0, patch: 0, maintenance: 0, detail: [0; 128], git_hash: [0; 64] };
        // SAFETY: the structure is ours, writable, and of the length passed.
        let status = unsafe { (self.functions.nrt_get_version)(&mut version, size_of::<RawVersion>()) };
        done("nrt_get_version", status).map(|()| version)
    }

    /// Logical cores that this process may use, callable before the initialisation.
    pub(super) fn visible_cores(&self) -> Result<u32, NrtError> {
        let mut count = 0;
        // SAFETY: the count is ours and writable.
        let status = unsafe { (self.functions.nrt_get_visible_vnc_count)(&mut count) };
        done("nrt_get_visible_vnc_count", status).map(|()| count)
    }

    /// What the library takes the machine for.
    pub(super) fn instance(&self) -> Result<abi::InstanceInfo, NrtError> {
        let mut raw = RawInstance { family: 0, size: 0, arch_name: [0; 16], device_revision: [0; 8] };
        // SAFETY: the structure is ours, writable, and of the length passed.
        let status = unsafe { (self.functions.nrt_get_instance_info)(&mut raw, size_of::<RawInstance>()) };
        done("nrt_get_instance_info", status)?;
        let (arch, revision) = (abi::text(&raw.arch_name), abi::text(&raw.device_revision));
        Ok(abi::InstanceInfo { family: raw.family, size: raw.size, arch, revision })
    }
}

/// Success, or which call said what.
pub(super) fn done(call: &'static str, status: Status) -> Result<(), NrtError> {
    if status == Status::OK { Ok(()) } else { Err(NrtError::Call { call, status }) }
}

/// A handle that a call gave.
pub(super) fn given(call: &'static str, status: Status, handle: Handle) -> Result<Handle, NrtError> {
    done(call, status)?;
    if handle.is_null() { Err(NrtError::Null { call }) } else { Ok(handle) }
}
