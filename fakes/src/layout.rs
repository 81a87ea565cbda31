//! The structures of the interface, declared apart from those under test: a slip in one shows against the other.

use std::ffi::{c_char, c_int};

/// `nrt_version_t`, 224 bytes.
#[repr(C)]
pub(crate) struct Version {
    pub(crate) numbers: [u64; 4],
    pub(crate) detail: [c_char; 128],
    pub(crate) git_hash: [c_char; 64],
}

/// `nrt_instance_info_t`, 32 bytes.
#[repr(C)]
pub(crate) struct Instance {
    pub(crate) family: u32,
    pub(crate) size: u32,
    pub(crate) arch: [c_char; 16],
    pub(crate) revision: [c_char; 8],
}

/// `nrt_tensor_info_t`, 296 bytes.
#[repr(C)]
pub(crate) struct TensorInfo {
    pub(crate) name: [c_char; 256],
    pub(crate) usage: c_int,
    pub(crate) size: usize,
    pub(crate) dtype: c_int,
    pub(crate) shape: *const u32,
    pub(crate) ndim: u32,
}

/// Bytes of a count before the first element of `nrt_tensor_info_array_t`.
pub(crate) const COUNT_BYTES: usize = 8;

/// Text as a fixed array, cut to leave room for its zero.
pub(crate) fn chars<const N: usize>(text: &str) -> [c_char; N] {
    let mut chars = [0; N];
    for (to, from) in chars.iter_mut().zip(text.bytes().take(N - 1)) {
        *to = from as c_char;
    }
    chars
}

const _: () = assert!(size_of::<Version>() == 224 && size_of::<Instance>() == 32 && size_of::<TensorInfo>() == 296);
