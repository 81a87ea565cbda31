//! Which instruction set runs, decided once per process.
//!
//! Holding a token (`Avx512`, `Avx2`, ...) proves that the CPU has the instructions: tokens are made here alone.

use std::fmt;

#[cfg(target_arch = "x86_64")]
use super::simd::{Amx, Avx2, Avx512, Avx512Bf16, Avx512Vnni, is_intel};
use super::simd::{Portable, Simd};

/// An instruction set this CPU has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// 512-bit vectors, and tiles for products of bf16 and of 8-bit integers.
    #[cfg(target_arch = "x86_64")]
    Amx(Amx),
    /// 512-bit vectors with `vdpbf16ps` and `vpdpbusd`.
    #[cfg(target_arch = "x86_64")]
    Avx512Bf16(Avx512Bf16),
    /// 512-bit vectors; products of 8-bit integers by `vpdpbusd` where the CPU has it.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    /// 256-bit vectors with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// Whatever the compiler makes of plain loops; every CPU has it.
    Portable(Portable),
}

/// A word in `FARTHING_ISA` that names no instruction set, or one this CPU lacks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("FARTHING_ISA=`{asked}` is not an instruction set of this CPU; it has: {has}")]
pub struct UnknownIsa {
    /// The word.
    pub asked: String,
    /// What could be asked for.
    pub has: String,
}

/// Work written once over [`Simd`], run on any instruction set.
pub(super) trait Task {
    /// What it gives.
    type Out;

    /// The work. Implementations are `#[inline(always)]`, so that they are compiled for the instruction set of the
    /// entry they are called from.
    fn run<S: Simd>(self, simd: S) -> Self::Out;
}

impl Isa {
    /// Every instruction set of this CPU, the best first.
    ///
    /// Tiles do thirty times the work of `vdpbf16ps` on the same core, vectors beside them the rest.
    ///
    /// `vdpbf16ps` does twice the work of a multiply-add. AMD's cores start two of them a cycle, Intel's one every other
    /// cycle (Xeon of model 207: 88 GFLOP/s beside 179 of f32): there widening bf16 is faster, and AVX-512 without it
    /// comes first.
    pub fn available() -> Vec<Isa> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 =
                is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c");
            let avx512 = avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            let bf16 = avx512 && has_vnni() && is_x86_feature_detected!("avx512bf16");
            if bf16 {
                // SAFETY: the features the token stands for were detected above.
                found.push(Isa::Avx512Bf16(unsafe { Avx512Bf16::new_unchecked() }));
            }
            if avx512 {
                // SAFETY: the features the token stands for were detected above.
                found.push(Isa::Avx512(unsafe { Avx512::new_unchecked() }));
            }
            if bf16 && is_intel() {
                found.swap(0, 1);
            }
            // SAFETY: the features the token stands for were detected above, but those that it asks for itself.
            if bf16 && let Some(amx) = unsafe { Amx::detect() } {
                found.insert(0, Isa::Amx(amx));
            }
            if avx2 {
                // SAFETY: the features the token stands for were detected above.
                found.push(Isa::Avx2(unsafe { Avx2::new_unchecked() }));
            }
        }
        found.push(Isa::Portable(Portable));
        found
    }

    /// The best instruction set of this CPU, or the one that `FARTHING_ISA` names.
    ///
    /// # Errors
    /// The variable names an instruction set that this CPU lacks, or none at all.
    pub fn detect() -> Result<Isa, UnknownIsa> {
        let available = Isa::available();
        let Ok(asked) = std::env::var("FARTHING_ISA") else { return Ok(available[0]) };
        let named = available.iter().find(|isa| isa.to_string() == asked);
        named.copied().ok_or_else(|| {
            let has = available.iter().map(Isa::to_string).collect::<Vec<_>>().join(", ");
            UnknownIsa { asked, has }
        })
    }

    /// Whether products of bf16 pairs are one instruction.
    pub fn dots_bf16(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        let dots = matches!(self, Isa::Avx512Bf16(_));
        #[cfg(not(target_arch = "x86_64"))]
        let dots = false;
        dots
    }

    /// Tiles for products of bf16 and of 8-bit integers, where this set has them.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn tiles(self) -> Option<Amx> {
        if let Isa::Amx(tiles) = self { Some(tiles) } else { None }
    }

    /// Whether products of bf16 and of 8-bit integers are of tiles.
    pub(super) fn has_tiles(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        let has_tiles = self.tiles().is_some();
        #[cfg(not(target_arch = "x86_64"))]
        let has_tiles = false;
        has_tiles
    }

    /// f32 elements of a vector.
    pub(super) fn lanes(self) -> usize {
        self.run(Lanes)
    }

    /// Vector registers that the compiler may use.
    pub(super) fn registers(self) -> usize {
        self.run(Registers)
    }

    /// Rows of the micro-kernel's register tile.
    pub(super) fn mr(self) -> usize {
        self.run(Rows)
    }

    /// Runs a task with the vectors of this set. Those of 512 bits have one entry, since each compiles everything once more:
    /// [`Isa::run_pairs`], [`Isa::run_roundings`] and [`Isa::run_integers`] are for the few tasks that gain by instructions which
    /// some of these CPUs have.
    #[inline]
    pub(super) fn run<T: Task>(self, task: T) -> T::Out {
        match self {
            // SAFETY: the token proves the features that the entry enables.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Bf16(token) => unsafe { run_avx512(task, token.vectors()) },
            // SAFETY: the token proves the features that the entry enables.
            #[cfg(target_arch = "x86_64")]
            Isa::Amx(token) => unsafe { run_avx512(task, token.vectors()) },
            // SAFETY: the token proves the features that the entry enables.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(token) => unsafe { run_avx512(task, token) },
            // SAFETY: the token proves the features that the entry enables.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(token) => unsafe { run_avx2(task, token) },
            Isa::Portable(token) => task.run(token),
        }
    }

    /// As [`Isa::run`], of a task whose products are of bf16 pairs: sets without the instruction are never given any, so that
    /// it need not be compiled for them.
    #[inline]
    pub(super) fn run_pairs<T: Task>(self, task: T) -> T::Out {
        match self {
            // SAFETY: the token proves the features that the entry enables.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Bf16(token) => unsafe { run_avx512_bf16(task, token) },
            _ => unreachable!("{self} widens bf16"),
        }
    }

    /// As [`Isa::run`], of a task that rounds pairs to bf16: with `vcvtne2ps2bf16` in sets that have it.
    #[inline]
    pub(super) fn run_roundings<T: Task>(self, task: T) -> T::Out {
        match self {
            // SAFETY: the token proves the features that the entry enables.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Bf16(token) => unsafe { run_avx512_bf16(task, token) },
            // SAFETY: the token proves the features that the entry enables.
            #[cfg(target_arch = "x86_64")]
            Isa::Amx(token) => unsafe { run_avx512_bf16(task, token.pairs()) },
            _ => self.run(task),
        }
    }

    /// As [`Isa::run`], of a task whose products are of 8-bit integers: with `vpdpbusd` where the CPU has it, whatever the
    /// set.
    #[inline]
    pub(super) fn run_integers<T: Task>(self, task: T) -> T::Out {
        match self {
            // SAFETY: the token and what is asked prove the features that the entry enables.
            #[cfg(target_arch = "x86_64")]
            Isa::Amx(_) | Isa::Avx512Bf16(_) | Isa::Avx512(_) if has_vnni() => unsafe {
                run_avx512_vnni(task, Avx512Vnni::new_unchecked())
            },
            _ => self.run(task),
        }
    }
}

/// Whether the CPU has `vpdpbusd` on 512-bit vectors.
#[cfg(target_arch = "x86_64")]
fn has_vnni() -> bool {
    is_x86_feature_detected!("avx512vnni")
}

/// The entry of an instruction set, in a module of its own: the compiler makes one unit of a module's generic functions,
/// these hold most of the crate's code, and units are compiled side by side.
#[cfg(target_arch = "x86_64")]
macro_rules! entry {
    ($module:ident, $name:ident, $token:ident, $features:literal) => {
        mod $module {
            use super::super::simd::$token;
            use super::Task;

            #[target_feature(enable = $features)]
            pub(super) fn $name<T: Task>(task: T, token: $token) -> T::Out {
                task.run(token)
            }
        }
        use $module::$name;
    };
}

#[cfg(target_arch = "x86_64")]
entry!(vnni, run_avx512_vnni, Avx512Vnni, "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c");
#[cfg(target_arch = "x86_64")]
entry!(bf16, run_avx512_bf16, Avx512Bf16, "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16,avx2,fma,f16c");
#[cfg(target_arch = "x86_64")]
entry!(avx512, run_avx512, Avx512, "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c");
#[cfg(target_arch = "x86_64")]
entry!(avx2, run_avx2, Avx2, "avx2,fma,f16c");

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            #[cfg(target_arch = "x86_64")]
            Isa::Amx(_) => "amx",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Bf16(_) => "avx512bf16",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(_) => "avx2",
            Isa::Portable(_) => "portable",
        })
    }
}

struct Lanes;

impl Task for Lanes {
    type Out = usize;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> usize {
        S::LANES
    }
}

struct Rows;

impl Task for Rows {
    type Out = usize;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> usize {
        S::MR
    }
}

struct Registers;

impl Task for Registers {
    type Out = usize;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> usize {
        S::REGISTERS
    }
}
