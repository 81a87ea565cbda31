//! Matrix registers of Intel's AMX: eight tiles of 16 rows of 64 bytes, and products of two of them. What vectors do beside
//! them is [`Avx512`]'s.
//!
//! Instructions are written as assembly: the language has no stable intrinsics for them. The compiler uses no tile itself, so
//! what one statement leaves in them the next one finds; every statement is volatile, which keeps them in order.
//!
//! A product of tiles takes a cycle for each row of its left factor, sixteen of them for 16 × 16 × 64 bytes, and a load eight
//! cycles: 2 × 2 tiles of sums, whose four products share four loads, are what eight registers hold, and keep the unit busy
//! while both factors come from L1.

mod around;
mod kept;
mod split;

use std::arch::asm;

use super::{Avx512, Avx512Bf16};
pub(in super::super) use around::are_lines;
pub(in super::super) use kept::MOST_KEPT;

/// Rows of a tile.
pub(in super::super) const TILE_ROWS: usize = 16;

/// Bytes of a row of a tile.
pub(in super::super) const TILE_ROW_BYTES: usize = 64;

/// 32-bit units of a row of a tile.
pub(in super::super) const TILE_UNITS: usize = TILE_ROW_BYTES / 4;

/// Proof that the CPU has AMX for bf16 and 8-bit integers, that the system gave it to this process, and of all that
/// [`Avx512Bf16`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amx(());

impl Amx {
    /// The token, unproved but for what it asks the CPU and the system itself.
    ///
    /// # Safety
    /// - The CPU has the features that [`Avx512Bf16`] names.
    pub(in super::super) unsafe fn detect() -> Option<Amx> {
        // The system is asked once: it says the same to every thread.
        static HAS_TILES: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
        HAS_TILES.get_or_init(|| has_instructions() && is_permitted()).then_some(Amx(()))
    }

    /// The vectors beside the tiles, with products and roundings of pairs.
    pub(in super::super) fn pairs(self) -> Avx512Bf16 {
        // SAFETY: this token proves those features too.
        unsafe { Avx512Bf16::new_unchecked() }
    }

    /// The vectors beside the tiles.
    pub(in super::super) fn vectors(self) -> Avx512 {
        self.pairs().vectors()
    }
}

/// Whether the CPU has tiles, and products of bf16 and of 8-bit integers.
fn has_instructions() -> bool {
    /// Bits of register `edx` of leaf 7: AMX-BF16, AMX-TILE and AMX-INT8.
    const BITS: u32 = 1 << 22 | 1 << 24 | 1 << 25;
    let [last, features] = [std::arch::x86_64::__cpuid(0).eax, std::arch::x86_64::__cpuid_count(7, 0).edx];
    last >= 7 && features & BITS == BITS
}

/// Asks the system for the tiles, whose state is too large to be saved for processes that use none.
#[cfg(target_os = "linux")]
fn is_permitted() -> bool {
    /// `ARCH_REQ_XCOMP_PERM` of `arch_prctl`, and the number of the state of tiles (`asm/prctl.h`).
    const REQUEST: libc::c_long = 0x1023;
    const TILE_DATA: libc::c_long = 18;
    // SAFETY: the call reads two numbers and no memory.
    unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST, TILE_DATA) == 0 }
}

/// Nowhere else was it tried.
#[cfg(not(target_os = "linux"))]
fn is_permitted() -> bool {
    false
}

/// Shapes of the tiles: what `ldtilecfg` reads.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Shapes {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

impl Shapes {
    /// Of up to 2 × 2 tiles of sums, `rows` of them in the left factor.
    fn of_rows(rows: usize) -> Shapes {
        let tall = rows.min(TILE_ROWS) as u8;
        // A tile that is not used still needs a shape.
        let rest = rows.saturating_sub(TILE_ROWS).max(1) as u8;
        let (mut row_bytes, mut n_rows) = ([0; 16], [0; 16]);
        row_bytes[..8].fill(TILE_ROW_BYTES as u16);
        n_rows[..8].copy_from_slice(&[tall, tall, rest, rest, tall, rest, TILE_ROWS as u8, TILE_ROWS as u8]);
        Shapes { palette: 1, start_row: 0, reserved: [0; 14], row_bytes, rows: n_rows }
    }
}

thread_local! {
    /// Rows for which this thread's tiles are shaped; 0 where they are not. To shape them takes as long as three steps.
    static SHAPED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// What a step multiplies: `a` in rows `lda` bytes apart, `b` in rows of two tiles side by side, `b_step` bytes apart.
#[derive(Clone, Copy)]
pub(in super::super) struct Factors {
    pub(in super::super) a: *const u8,
    pub(in super::super) lda: usize,
    pub(in super::super) b: *const u8,
    pub(in super::super) b_step: usize,
}

/// What products multiply.
pub(in super::super) trait Product: 'static {
    /// `sums += a · b` of `RT × CT` tiles that the registers hold; after [`Amx::shape`], without which the CPU faults.
    fn multiply<const RT: usize, const CT: usize>(amx: Amx);

    /// As [`Product::multiply`], and each register takes its tile of `next` after the last product that reads it.
    ///
    /// # Safety
    /// - [`Amx::shape`] before, on this thread.
    /// - `next` is valid for reads of the rows that were set.
    unsafe fn step<const RT: usize, const CT: usize>(amx: Amx, next: Factors);
}

/// Pairs of bf16, sums of f32.
pub(in super::super) struct Bf16Pairs;

/// Quads of i8, sums of 32-bit integers.
pub(in super::super) struct I8Quads;

macro_rules! product {
    ($name:ident, $dot:literal) => {
        impl Product for $name {
            #[inline(always)]
            fn multiply<const RT: usize, const CT: usize>(_amx: Amx) {
                // SAFETY: the token proves the instructions; tiles are this module's alone.
                unsafe {
                    asm!(concat!($dot, " tmm0, tmm4, tmm6"), out("tmm0") _, options(nomem, nostack, preserves_flags));
                    if CT == 2 {
                        asm!(concat!($dot, " tmm1, tmm4, tmm7"), out("tmm1") _, options(nomem, nostack, preserves_flags));
                    }
                    if RT == 2 {
                        asm!(concat!($dot, " tmm2, tmm5, tmm6"), out("tmm2") _, options(nomem, nostack, preserves_flags));
                    }
                    if RT == 2 && CT == 2 {
                        asm!(concat!($dot, " tmm3, tmm5, tmm7"), out("tmm3") _, options(nomem, nostack, preserves_flags));
                    }
                }
            }

            #[inline(always)]
            unsafe fn step<const RT: usize, const CT: usize>(amx: Amx, next: Factors) {
                // SAFETY: the token proves the instructions, the caller the memory; tiles are this module's alone.
                unsafe {
                    asm!(concat!($dot, " tmm0, tmm4, tmm6"), out("tmm0") _, options(nomem, nostack, preserves_flags));
                    if CT == 2 {
                        asm!(concat!($dot, " tmm1, tmm4, tmm7"), out("tmm1") _, options(nomem, nostack, preserves_flags));
                    }
                    amx.load_upper(next);
                    if RT == 2 {
                        asm!(concat!($dot, " tmm2, tmm5, tmm6"), out("tmm2") _, options(nomem, nostack, preserves_flags));
                    }
                    amx.load_left(next);
                    if RT == 2 && CT == 2 {
                        asm!(concat!($dot, " tmm3, tmm5, tmm7"), out("tmm3") _, options(nomem, nostack, preserves_flags));
                    }
                    amx.load_second::<RT, CT>(next);
                }
            }
        }
    };
}

product!(Bf16Pairs, "tdpbf16ps");
product!(I8Quads, "tdpbssd");

impl Amx {
    /// Shapes this thread's tiles for `rows ≤ 32` of a left factor.
    #[inline(always)]
    pub(in super::super) fn shape(self, rows: usize) {
        if SHAPED.replace(rows) != rows {
            let shapes = Shapes::of_rows(rows);
            // SAFETY: the token proves the instruction; it reads the 64 bytes of `shapes`, which are valid ones.
            unsafe { asm!("ldtilecfg [{}]", in(reg) &shapes, options(readonly, nostack, preserves_flags)) };
        }
    }

    /// Gives this thread's tiles back: a switch to another thread has less to save, and another library may shape them. What went
    /// around the caches is seen by others before what this thread writes next.
    pub(in super::super) fn release(self) {
        SHAPED.set(0);
        // SAFETY: the token proves the instruction, and every x86-64 has the fence.
        unsafe {
            asm!("tilerelease", options(nomem, nostack, preserves_flags));
            std::arch::x86_64::_mm_sfence();
        }
    }

    /// Loads what the first step multiplies.
    ///
    /// # Safety
    /// - As of [`Product::step`].
    #[inline(always)]
    pub(in super::super) unsafe fn load_factors<const RT: usize, const CT: usize>(self, first: Factors) {
        // SAFETY: the caller shaped the tiles, and `first` is readable.
        unsafe {
            self.load_upper(first);
            self.load_left(first);
            self.load_second::<RT, CT>(first);
        }
    }

    /// The upper tile of `a`.
    ///
    /// # Safety
    /// - As of [`Product::step`].
    #[inline(always)]
    unsafe fn load_upper(self, Factors { a, lda, .. }: Factors) {
        // SAFETY: the token proves the instruction, the caller the memory.
        unsafe {
            asm!("tileloadd tmm4, [{} + {}]", in(reg) a, in(reg) lda,
                out("tmm4") _, options(readonly, nostack, preserves_flags));
        }
    }

    /// The left tile of `b`.
    ///
    /// # Safety
    /// - As of [`Product::step`].
    #[inline(always)]
    unsafe fn load_left(self, Factors { b, b_step, .. }: Factors) {
        // SAFETY: the token proves the instruction, the caller the memory.
        unsafe {
            asm!("tileloaddt1 tmm6, [{} + {}]", in(reg) b, in(reg) b_step,
                out("tmm6") _, options(readonly, nostack, preserves_flags));
        }
    }

    /// The second tile of each factor, if there is one.
    ///
    /// # Safety
    /// - As of [`Product::step`].
    #[inline(always)]
    unsafe fn load_second<const RT: usize, const CT: usize>(self, Factors { a, lda, b, b_step }: Factors) {
        // SAFETY: the token proves the instructions, the caller the memory.
        unsafe {
            if RT == 2 {
                asm!("tileloadd tmm5, [{} + {}]", in(reg) a.wrapping_add(TILE_ROWS * lda), in(reg) lda,
                    out("tmm5") _, options(readonly, nostack, preserves_flags));
            }
            if CT == 2 {
                asm!("tileloaddt1 tmm7, [{} + {} + 64]", in(reg) b, in(reg) b_step,
                    out("tmm7") _, options(readonly, nostack, preserves_flags));
            }
        }
    }

    /// Writes the tiles of `a` that the registers hold, in rows `lead` bytes apart.
    ///
    /// # Safety
    /// - [`Amx::shape`] before, on this thread; `to` is valid for writes of the rows that were set.
    #[inline(always)]
    pub(in super::super) unsafe fn store_left_factor<const RT: usize>(self, to: *mut u8, lead: usize) {
        // SAFETY: the token proves the instructions, the caller the memory.
        unsafe {
            asm!("tilestored [{} + {}], tmm4", in(reg) to, in(reg) lead, options(nostack, preserves_flags));
            if RT == 2 {
                asm!("tilestored [{} + {}], tmm5", in(reg) to.wrapping_add(TILE_ROWS * lead), in(reg) lead,
                    options(nostack, preserves_flags));
            }
        }
    }

    /// All sums are zero; after [`Amx::shape`], without which the CPU faults.
    #[inline(always)]
    pub(in super::super) fn zero(self) {
        // SAFETY: the token proves the instructions, which touch no memory.
        unsafe {
            asm!(
                "tilezero tmm0",
                "tilezero tmm1",
                "tilezero tmm2",
                "tilezero tmm3",
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _, options(nomem, nostack, preserves_flags)
            );
        }
    }

    /// Reads the sums of `RT × CT` tiles, rows `lead` bytes apart.
    ///
    /// # Safety
    /// - [`Amx::shape`] before, on this thread; `from` is valid for reads of the rows that were set.
    #[inline(always)]
    pub(in super::super) unsafe fn load<const RT: usize, const CT: usize>(self, from: *const f32, lead: usize) {
        let below = from.cast::<u8>().wrapping_add(TILE_ROWS * lead);
        // SAFETY: the token proves the instructions, the caller the memory.
        unsafe {
            asm!("tileloadd tmm0, [{} + {}]", in(reg) from, in(reg) lead,
                out("tmm0") _, options(readonly, nostack, preserves_flags));
            if CT == 2 {
                asm!("tileloadd tmm1, [{} + {} + 64]", in(reg) from, in(reg) lead,
                    out("tmm1") _, options(readonly, nostack, preserves_flags));
            }
            if RT == 2 {
                asm!("tileloadd tmm2, [{} + {}]", in(reg) below, in(reg) lead,
                    out("tmm2") _, options(readonly, nostack, preserves_flags));
            }
            if RT == 2 && CT == 2 {
                asm!("tileloadd tmm3, [{} + {} + 64]", in(reg) below, in(reg) lead,
                    out("tmm3") _, options(readonly, nostack, preserves_flags));
            }
        }
    }

    /// Writes the sums of `RT × CT` tiles, rows `lead` bytes apart.
    ///
    /// # Safety
    /// - [`Amx::shape`] before, on this thread; `to` is valid for writes of the rows that were set.
    #[inline(always)]
    pub(in super::super) unsafe fn store<const RT: usize, const CT: usize>(self, to: *mut f32, lead: usize) {
        let below = to.cast::<u8>().wrapping_add(TILE_ROWS * lead);
        // SAFETY: the token proves the instructions, the caller the memory.
        unsafe {
            asm!("tilestored [{} + {}], tmm0", in(reg) to, in(reg) lead, options(nostack, preserves_flags));
            if CT == 2 {
                asm!("tilestored [{} + {} + 64], tmm1", in(reg) to, in(reg) lead, options(nostack, preserves_flags));
            }
            if RT == 2 {
                asm!("tilestored [{} + {}], tmm2", in(reg) below, in(reg) lead, options(nostack, preserves_flags));
            }
            if RT == 2 && CT == 2 {
                asm!("tilestored [{} + {} + 64], tmm3", in(reg) below, in(reg) lead, options(nostack, preserves_flags));
            }
        }
    }
}
