//! Who made the CPU: what features do not say.

/// Whether Intel did.
#[cfg(target_arch = "x86_64")]
pub(in super::super) fn is_intel() -> bool {
    // Asked once: a virtual machine may have to ask its host.
    static IS_INTEL: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *IS_INTEL.get_or_init(|| {
        let vendor = std::arch::x86_64::__cpuid(0);
        [vendor.ebx, vendor.edx, vendor.ecx].map(u32::to_le_bytes).concat() == b"GenuineIntel"
    })
}

/// Whether Intel did.
#[cfg(not(target_arch = "x86_64"))]
pub(in super::super) fn is_intel() -> bool {
    false
}
