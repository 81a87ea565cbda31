//! What the compiler cannot see through.

/// The pointer, of which the compiler knows nothing but its value: it cannot derive the addresses of later steps of a loop
/// from it, which it likes to do for each row, and to keep on the stack.
#[allow(clippy::pointers_in_nomem_asm_block, reason = "nothing is read through it: there is no instruction")]
#[inline(always)]
pub(in crate::backend::cpu) fn opaque(mut pointer: *const f32) -> *const f32 {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    // SAFETY: the text is a comment, no instruction: it touches neither memory (`nomem`) nor the stack nor flags, the
    // register keeps the pointer that was put into it, and so what comes out depends on what went in alone (`pure`).
    unsafe {
        std::arch::asm!("/* {0} */", inout(reg) pointer, options(pure, nomem, nostack, preserves_flags));
    }
    pointer
}
