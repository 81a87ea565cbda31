//! Layouts and numbers of the C interface.

use std::ffi::{c_char, c_int, c_void};
use std::fmt;

/// What a call returned: four bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Status(pub c_int);

impl Status {
    /// Success.
    pub const OK: Status = Status(0);
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            0 => "NRT_SUCCESS",
            1 => "NRT_FAILURE",
            2 => "NRT_INVALID",
            3 => "NRT_INVALID_HANDLE",
            4 => "NRT_RESOURCE",
            5 => "NRT_TIMEOUT",
            6 => "NRT_HW_ERROR",
            7 => "NRT_QUEUE_FULL",
            9 => "NRT_LOAD_NOT_ENOUGH_NC",
            10 => "NRT_UNSUPPORTED_NEFF_VERSION",
            13 => "NRT_UNINITIALIZED",
            14 => "NRT_CLOSED",
            101 => "NRT_UNRECOVERABLE",
            1002 => "NRT_EXEC_BAD_INPUT",
            1003 => "NRT_EXEC_COMPLETED_WITH_NUM_ERR",
            1004 => "NRT_EXEC_COMPLETED_WITH_ERR",
            1005 => "NRT_EXEC_NC_BUSY",
            1006 => "NRT_EXEC_OOB",
            1200..=1206 => "NRT_EXEC_HW_ERR",
            _ => "an unknown status",
        };
        write!(f, "{name} ({})", self.0)
    }
}

/// `nrt_framework_type_t`: no framework.
pub(super) const NO_FRAMEWORK: c_int = 1;
/// `nrt_tensor_placement_t`: memory of the device.
pub(super) const DEVICE: c_int = 0;
/// `nrt_tensor_usage_t`: an output; 0 is an input.
pub(super) const OUTPUT: c_int = 1;

/// `nrt_version_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct RawVersion {
    pub(super) major: u64,
    pub(super) minor: u64,
    pub(super) patch: u64,
    pub(super) maintenance: u64,
    pub(super) detail: [c_char; 128],
    pub(super) git_hash: [c_char; 64],
}

/// `nrt_instance_info_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct RawInstance {
    pub(super) family: u32,
    pub(super) size: u32,
    pub(super) arch_name: [c_char; 16],
    pub(super) device_revision: [c_char; 8],
}

/// `nrt_tensor_info_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct RawTensorInfo {
    pub(super) name: [c_char; 256],
    pub(super) usage: c_int,
    pub(super) size: usize,
    pub(super) dtype: c_int,
    pub(super) shape: *const u32,
    pub(super) ndim: u32,
}

/// `nrt_tensor_info_array_t`: a count, then that many elements.
#[repr(C)]
pub(super) struct RawTensorInfos {
    pub(super) count: u64,
    pub(super) first: [RawTensorInfo; 0],
}

/// A pointer to something of the runtime's.
pub(super) type Handle = *mut c_void;

/// What the runtime says of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceInfo {
    /// `NRT_INSTANCE_*`: 2 trn1, 3 trn1n, 4 inf2, 5 trn2, 14 trn3, ...
    pub family: u32,
    /// `NRT_INSTANCE_SIZE_*`, as the library numbers it.
    pub size: u32,
    /// Name of the architecture.
    pub arch: String,
    /// Revision of the device.
    pub revision: String,
}

/// The text of a fixed array of C characters, up to its zero or its end.
pub(super) fn text(chars: &[c_char]) -> String {
    let bytes: Vec<u8> = chars.iter().take_while(|c| **c != 0).map(|c| *c as u8).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::mem::{align_of, offset_of, size_of};

    use super::*;

    /// Measured by compiling AWS's headers on x86-64 (SDK 2.32).
    #[test]
    fn layouts_are_those_of_the_headers() {
        assert_eq!(size_of::<RawTensorInfo>(), 296);
        assert_eq!(
            [
                offset_of!(RawTensorInfo, name),
                offset_of!(RawTensorInfo, usage),
                offset_of!(RawTensorInfo, size),
                offset_of!(RawTensorInfo, dtype),
                offset_of!(RawTensorInfo, shape),
                offset_of!(RawTensorInfo, ndim),
            ],
            [0, 256, 264, 272, 280, 288]
        );
        assert_eq!((offset_of!(RawTensorInfos, first), align_of::<RawTensorInfos>()), (8, 8));
        assert_eq!(size_of::<RawVersion>(), 224);
        assert_eq!([offset_of!(RawVersion, detail), offset_of!(RawVersion, git_hash)], [32, 160]);
        assert_eq!(size_of::<RawInstance>(), 32);
        assert_eq!([offset_of!(RawInstance, arch_name), offset_of!(RawInstance, device_revision)], [8, 24]);
        assert_eq!(size_of::<Handle>(), 8);
    }

    #[test]
    fn a_status_is_named_and_an_unknown_one_keeps_its_number() {
        assert_eq!(Status(13).to_string(), "NRT_UNINITIALIZED (13)");
        assert_eq!(Status(4711).to_string(), "an unknown status (4711)");
    }
}
