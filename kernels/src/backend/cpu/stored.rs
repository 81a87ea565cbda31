//! Writing a tile to a tensor.

use super::isa::{Isa, Task};
use super::simd::Simd;
use crate::DType;
use crate::tensor::float8::{E4M3, E5M2, Float8};

/// Writes rows of f32 at stride `lead` to `offsets` (in elements from `base`), rounded to `dtype`.
///
/// # Safety
/// - `from` holds a row of `cols` elements, padded to whole vectors, for each offset.
/// - `cols` elements from each offset are valid for writes and no one else's.
pub(super) unsafe fn store(
    isa: Isa,
    from: *const f32,
    lead: usize,
    base: *mut u8,
    dtype: DType,
    offsets: &[usize],
    cols: usize,
) {
    isa.run(Store { from, lead, base, dtype, offsets, cols });
}

struct Store<'o> {
    from: *const f32,
    lead: usize,
    base: *mut u8,
    dtype: DType,
    offsets: &'o [usize],
    cols: usize,
}

impl Task for Store<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for (r, offset) in self.offsets.iter().enumerate() {
            let from = self.from.wrapping_add(r * self.lead);
            let to = self.base.wrapping_add(offset * self.dtype.size_bytes());
            let mut c = 0;
            while c < self.cols {
                let n = (self.cols - c).min(S::LANES);
                // A dense column vector has one element a row and no padding.
                // SAFETY: `n` elements exist in the row and in the destination.
                unsafe {
                    let x = if n == S::LANES { simd.load(from.add(c)) } else { simd.load_first(from.add(c), n) };
                    put(simd, to.add(c * self.dtype.size_bytes()), self.dtype, x, n);
                }
                c += n;
            }
        }
    }
}

/// Writes the first `n` lanes, rounded to `dtype`.
///
/// # Safety
/// - `to` is valid for writes of `n ≤ LANES` elements of `dtype`.
#[inline(always)]
pub(super) unsafe fn put<S: Simd>(simd: S, to: *mut u8, dtype: DType, x: S::F, n: usize) {
    let mut end = [0u16; 16];
    // SAFETY: whole vectors go to the caller's memory, short ones through `end`, which holds 16 ≥ LANES elements.
    unsafe {
        match (dtype, n == S::LANES) {
            // Integers are units with the bits of one.
            (DType::F32 | DType::I32, true) => simd.store(to.cast(), x),
            (DType::F32 | DType::I32, false) => simd.store_first(to.cast(), x, n),
            (DType::F16, true) => simd.store_f16(to.cast(), x),
            (DType::Bf16, true) => simd.store_bf16(to.cast(), x),
            (DType::F16, false) => {
                simd.store_f16(end.as_mut_ptr(), x);
                std::ptr::copy_nonoverlapping(end.as_ptr(), to.cast(), n);
            }
            (DType::Bf16, false) => {
                simd.store_bf16(end.as_mut_ptr(), x);
                std::ptr::copy_nonoverlapping(end.as_ptr(), to.cast(), n);
            }
            (DType::F8E4M3, _) => put_float8(simd, to, &E4M3, x, n),
            (DType::F8E5M2, _) => put_float8(simd, to, &E5M2, x, n),
            (DType::I8 | DType::I4x2, _) => unreachable!("nothing is rounded to integers"),
        }
    }
}

/// # Safety
/// - `to` is valid for writes of `n ≤ LANES` bytes.
#[inline(always)]
unsafe fn put_float8<S: Simd>(simd: S, to: *mut u8, set: &Float8, x: S::F, n: usize) {
    let bytes = simd.to_array(x).map(|x| set.encode(f64::from(x)));
    // SAFETY: the caller's `n ≤ LANES ≤ 16` bytes are writable.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, n) };
}
