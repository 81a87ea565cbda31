//! One stage of a program as one WGSL compute shader.
//!
//! ```text
//! each grid point      -> one workgroup of TX × TY threads
//! each computed tile   -> registers: thread (tx, ty) owns rows ty + TY·i, columns 4·(tx + TX·g) .. + 4
//! a row or column of 1 -> repeated in every thread that would own a part
//! load for arithmetic  -> straight into those registers
//! product              -> acc[i][g] += a[i][k] · b[k][g], k in fours; where a and b come from: see `mma`
//! row reduction        -> own columns, then across tx
//! ```
//!
//! One mapping for all tiles makes elementwise operations and their broadcasts local to a thread. What it costs: a
//! factor of a product that was computed must travel through workgroup memory (or between lanes), and tiles of
//! unequal sizes leave threads idle.
//!
//! Departures: 1. a load that only feeds products has no registers: the product reads it where it lies, or stages it
//! in workgroup memory. 2. Where a workgroup is one subgroup, lanes exchange values and nothing waits at barriers.
//! 3. Products of few rows share out the right factor, and products of f16 go to matrix units where the device has some
//! (`method`). While a loop adds to such an accumulator it is held as partial sums or as fragments (`held`).
//! 4. A load that is only widened to f32 (converted, or dequantised) is read as it lies, by whatever reads the result.
//! 5. Bytes lie four to a word (`bytes`); weights of 4 bits (`weights`) and products of 8-bit integers (`integers`) have ways
//! of their own.
//!
//! The lowering reads operations, sizes and the device's abilities, nothing else.
//!
//! On an H200 through Vulkan (driver 580.159.04, 2026-11-26; its rows are among the results). What was before was also
//! measured before devices were warmed up, so that a part of the gain may be the device's clock:
//!
//! | what | reached | before |
//! |---|---|---|
//! | f32 2048³ | 37.7 TFLOP/s, 0.60 of `fma_f32` | 24.1, nothing read ahead |
//! | one row times 4096² of f32 weights | 3.07 TB/s, 0.83 of `read_mem` | 0.13, each thread a row of weights |
//! | f16 2048³ | 192 TFLOP/s by matrix units, 0.31 of `mma_f16` | |
//! | prefill of 1024, d 128, f32 / f16 | 17.5 / 41.6 TFLOP/s | 2.4, reductions at barriers |
//! | a step of decoding over 4096 keys, f32 | 1.25 TB/s | 0.17 |
//!
//! Since then 16-bit factors of products of few rows are read 16 bytes a thread, and the parts of a split softmax are joined
//! relative to their common peak, no part waiting for the one before. Runs 20261126T222707Z-c6b49b-a9eba4 and
//! 20261126T223645Z-c6b49b-8e7f0d, two sessions on H200s, µs before and after: one row times 4096² of bf16 15.3, 14.4; eight
//! rows 33.0, 25.9; a step of decoding over 4096 keys of bf16 22.7, 16.2, with steps of 128 keys.
//!
//! Eight-bit integers and weights of 4 bits, the same device, 2026-11-27, a run that is not kept (its f16 attention was wrong):
//! 2048³ of i8 90 TOP/s, 0.76 of `dot_i8`; one row times 4096² of i8 9.9 µs, of 4-bit weights 14.3, of bf16 14.3; eight rows of
//! 4-bit weights 28.0; 128 rows of them 147 µs in four parts.
//!
//! What is left: a dispatch takes 3.5 µs however little it does (64³), and decoding needs two, since the shading language
//! orders nothing between workgroups of a dispatch but single atomics; splits of products of few rows were not measured;
//! 4-bit weights of one row are no faster than bf16 yet. In trials of prefill with d 128 (no mask, 32 heads, 2048²) whose
//! accumulator stays in fragments, 64 x 32 by 2 x 2 subgroups and 128 x 64 by 4 x 2 gave 164 TFLOP/s where peaks stay, and
//! 61 where rows fade for every tile; keys and values were read into registers a tile ahead, which is not done here.

use crate::DType;
use crate::backend::Unsupported;
use crate::program::{Program, TensorId};

mod access;
mod bytes;
mod elementwise;
mod emit;
mod factor;
mod fragment;
mod held;
mod helpers;
mod integers;
mod mapping;
mod method;
mod mma;
mod partials;
mod plan;
mod reduce;
mod scope;
mod staging;
mod store;
mod stream;
mod strip;
#[cfg(test)]
mod tests;
mod view;
mod weights;
mod words;

use helpers::Helper;

/// How the threads of a workgroup share values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Manner {
    /// A workgroup is one subgroup of this many lanes: values pass between lanes, factors come straight from storage.
    Lanes(u32),
    /// Factors straight from storage, computed ones through workgroup memory: for software devices, whose workgroup
    /// memory is no faster than their storage.
    Direct,
    /// Factors staged in workgroup memory.
    Staged,
}

/// Matrices of f16 that a subgroup multiplies and adds to one of f32: `edge × edge` each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fragment {
    /// Rows, columns and depth.
    pub(crate) edge: u32,
    /// Threads of a subgroup.
    pub(crate) lanes: u32,
}

/// What the lowering may use of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caps {
    /// How threads share values.
    pub(crate) manner: Manner,
    /// Neighbouring threads that surely are of one subgroup, where shaders may exchange between them.
    pub(crate) shuffle: Option<u32>,
    /// The products of matrices that subgroups compute.
    pub(crate) fragment: Option<Fragment>,
    /// Threads of a workgroup.
    pub(crate) max_threads: u32,
    /// Bytes of workgroup memory.
    pub(crate) max_workgroup_bytes: u32,
    /// Workgroups along one dimension of a dispatch.
    pub(crate) max_groups: u32,
    /// Tensors of a stage.
    pub(crate) max_bindings: u32,
    /// Bytes of a tensor.
    pub(crate) max_binding_bytes: u64,
}

/// A stage as text, with what launching it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StageCode {
    /// The shader; its entry point is `main`.
    pub(crate) source: String,
    /// Workgroups along x, y, z.
    pub(crate) groups: [u32; 3],
    /// Tensor behind each binding of group 0, and whether it is written.
    pub(crate) bindings: Vec<(TensorId, bool)>,
    /// Strategy and threads: `lanes_8x1`, `staged_16x16`.
    pub(crate) strategy: String,
    /// Whether matrix units do its products, or some of them.
    pub(crate) by_matrix_units: bool,
}

/// Lowers stage `at` of a program.
///
/// # Errors
/// [`Unsupported`] where the stage exceeds what `caps` allow, with what was asked and the limit.
pub(crate) fn lower_stage(program: &Program, at: usize, caps: &Caps) -> Result<StageCode, Unsupported> {
    let stage = &program.stages()[at];
    bytes::refuse(program, stage)?;
    let plan = plan::Plan::new(program, stage, caps)?;
    emit::Emit::new(program, stage, caps, plan).stage()
}

/// Refuses types of 8 bits, and sums of 8-bit integers, where no kernel reads them out of words: WGSL has no bytes.
///
/// # Errors
/// [`Unsupported`] with the first such type.
pub(crate) fn refuse_bytes(mut dtypes: impl Iterator<Item = DType>) -> Result<(), Unsupported> {
    match dtypes.find(|dtype| matches!(dtype, DType::F8E4M3 | DType::F8E5M2 | DType::I32 | DType::I8 | DType::I4x2)) {
        Some(dtype) => Err(too_large("dtype in WGSL", dtype, "f32, f16, bf16")),
        None => Ok(()),
    }
}

/// What an arm for types holds that are refused before: by [`refuse_bytes`], or by a lowering for this place.
pub(super) fn no_bytes() -> ! {
    unreachable!("types that this place does not take are refused before anything is written")
}

/// The functions that read and write elements of these types: `read_bf16(pair, at)`, `bits_f16(vector)` and so on.
pub(crate) fn conversions(dtypes: &[DType]) -> String {
    let mut text = String::new();
    if dtypes.contains(&DType::Bf16) {
        text += helpers::text(Helper::ReadBf16);
        text += helpers::text(Helper::BitsBf16);
    }
    if dtypes.contains(&DType::F16) {
        text += helpers::text(Helper::ReadF16);
        text += helpers::text(Helper::BitsF16);
    }
    text
}

/// The refusal of something beyond a limit.
fn too_large(what: &str, asked: impl std::fmt::Display, limit: impl std::fmt::Display) -> Unsupported {
    Unsupported { what: what.into(), asked: asked.to_string(), limit: limit.to_string() }
}
