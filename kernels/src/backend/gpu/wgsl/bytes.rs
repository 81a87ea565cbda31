//! Tensors of bytes: the words that hold them, and what is refused of them.
//!
//! WGSL has no type of 8 bits. A shader sees such a tensor as words, one, two or four at a time (`view`), takes bytes out of
//! them with shifts, and turns four into f32 at once: a byte under the exponent of 2²³ is that power plus the byte, and at a
//! higher place of the significand a multiple of it, so that one multiplication and addition, both exact, give the number.

use super::access::Matrix;
use super::emit::Emit;
use super::too_large;
use super::view::View;
use crate::DType;
use crate::backend::Unsupported;
use crate::program::{Program, Stage};

/// Refuses what no shader does with bytes: floating-point numbers of 8 bits, and writing them.
///
/// # Errors
/// [`Unsupported`] with the first type.
pub(super) fn refuse(program: &Program, stage: &Stage) -> Result<(), Unsupported> {
    let of_tensors = program.tensors().iter().map(|tensor| tensor.dtype);
    let refused = |dtype: &DType| matches!(dtype, DType::F8E4M3 | DType::F8E5M2);
    if let Some(dtype) = of_tensors.chain(stage.tiles.iter().map(|ty| ty.dtype)).find(refused) {
        return Err(too_large("dtype in WGSL", dtype, "f32, f16, bf16, i32, i8, i4x2"));
    }
    let written = program.tensors().iter().filter(|tensor| !tensor.role.is_given());
    match written.map(|tensor| tensor.dtype).find(|dtype| dtype.size_bytes() == 1) {
        Some(dtype) => Err(too_large("stored dtype in WGSL", dtype, "f32, f16, bf16, i32")),
        None => Ok(()),
    }
}

impl Emit<'_> {
    /// The word that holds byte `at` of a tensor.
    pub(super) fn word_at(&self, matrix: &Matrix, at: &str) -> String {
        let m = format!("m{}", matrix.tensor.0);
        match self.plan.views[&matrix.tensor].0 {
            View::Sixteens => format!("{m}[({at}) >> 4u][(({at}) >> 2u) & 3]"),
            View::Octets => format!("{m}[({at}) >> 3u][(({at}) >> 2u) & 1]"),
            View::Quads | View::Elements => format!("{m}[({at}) >> 2u]"),
            View::Halves | View::Shared => unreachable!("bytes are neither halves nor written"),
        }
    }
}
