//! Writing a transposed tile to rows of a tensor.

use crate::DType;
use crate::backend::cpu::isa::{Isa, Task};
use crate::backend::cpu::simd::Simd;
use crate::backend::cpu::stored::put;

/// Side of the largest square: the most lanes.
const MAX_LANES: usize = 16;

/// Writes lane `r` of `cols` rows of NR lanes to the row at `offsets[r]` (in elements from `base`), rounded to `dtype`.
///
/// # Safety
/// - `from` holds `cols` rows of NR lanes, and there are at most NR offsets.
/// - `cols` elements from each offset are valid for writes and no one else's.
pub(super) unsafe fn store(isa: Isa, from: *const f32, base: *mut u8, dtype: DType, offsets: &[usize], cols: usize) {
    isa.run(Store { from, base, dtype, offsets, cols });
}

struct Store<'o> {
    from: *const f32,
    base: *mut u8,
    dtype: DType,
    offsets: &'o [usize],
    cols: usize,
}

impl Task for Store<'_> {
    type Out = ();

    /// Square by square: a vector of the transpose is a piece of a row.
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (nr, bytes) = (2 * S::LANES, self.dtype.size_bytes());
        let (mut square, mut rest) = ([0.0f32; MAX_LANES * MAX_LANES], [0.0f32; MAX_LANES * MAX_LANES]);
        for (half, offsets) in self.offsets.chunks(S::LANES).enumerate() {
            for c in (0..self.cols).step_by(S::LANES) {
                let n = (self.cols - c).min(S::LANES);
                let from = self.from.wrapping_add(c * nr + half * S::LANES);
                let (from, stride) = if n == S::LANES {
                    (from, nr)
                } else {
                    for i in 0..n {
                        // SAFETY: row `c + i < cols` has NR lanes; `rest` holds LANES rows of LANES.
                        unsafe { simd.store(rest.as_mut_ptr().add(i * S::LANES), simd.load(from.add(i * nr))) };
                    }
                    (rest.as_ptr(), S::LANES)
                };
                // SAFETY: LANES rows of LANES can be read from `from`, and `square` holds as many.
                unsafe { simd.transpose(from, stride, square.as_mut_ptr(), S::LANES) };
                for (r, offset) in offsets.iter().enumerate() {
                    let to = self.base.wrapping_add((offset + c) * bytes);
                    // SAFETY: `n` elements from column `c` of the row are writable; `square` has LANES rows.
                    unsafe { put(simd, to, self.dtype, simd.load(square.as_ptr().add(r * S::LANES)), n) };
                }
            }
        }
    }
}
