//! A right factor of up to four tiles that registers keep, for left ones that are met once: keys of a head under the queries of
//! a group.

use std::arch::asm;
use std::arch::x86_64::*;

use super::{Amx, TILE_ROWS, TILE_UNITS};

/// Most tiles that are kept, along the contraction.
pub(in super::super::super) const MOST_KEPT: usize = 4;

/// Lanes of a row of sums that are turned at a time.
const LANES_TURNED: usize = 4;

/// One step of two tiles of rows, with the kept tile in a register.
macro_rules! step {
    ($a:expr, $lda:expr, $kept:literal, $byte:literal) => {
        asm!(
            concat!("tileloadd tmm2, [{a} + {lda} + ", $byte, "]"),
            concat!("tdpbf16ps tmm0, tmm2, ", $kept),
            concat!("tileloadd tmm3, [{b} + {lda} + ", $byte, "]"),
            concat!("tdpbf16ps tmm1, tmm3, ", $kept),
            a = in(reg) $a[0], b = in(reg) $a[1], lda = in(reg) $lda,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _, options(readonly, nostack, preserves_flags)
        )
    };
}

impl Amx {
    /// Keeps `n ≤ MOST_KEPT` tiles of pairs of bf16, rows `b_step` bytes apart, one behind the other; after [`Amx::shape`] for
    /// two whole tiles of rows, and until the next one.
    ///
    /// # Safety
    /// - [`Amx::shape`] before, on this thread; `b` is valid for reads of `n` tiles.
    #[inline(always)]
    pub(in super::super::super) unsafe fn keep(self, b: *const u8, b_step: usize, n: usize) {
        let tile = |i: usize| b.wrapping_add(i * TILE_ROWS * b_step);
        // SAFETY: the token proves the instructions, the caller the memory.
        unsafe {
            asm!("tileloadd tmm4, [{} + {}]", in(reg) tile(0), in(reg) b_step,
                out("tmm4") _, options(readonly, nostack, preserves_flags));
            if n > 1 {
                asm!("tileloadd tmm5, [{} + {}]", in(reg) tile(1), in(reg) b_step,
                    out("tmm5") _, options(readonly, nostack, preserves_flags));
            }
            if n > 2 {
                asm!("tileloadd tmm6, [{} + {}]", in(reg) tile(2), in(reg) b_step,
                    out("tmm6") _, options(readonly, nostack, preserves_flags));
            }
            if n > 3 {
                asm!("tileloadd tmm7, [{} + {}]", in(reg) tile(3), in(reg) b_step,
                    out("tmm7") _, options(readonly, nostack, preserves_flags));
            }
        }
    }

    /// Two tiles of sums, one behind the other: of `K` tiles side by side in sixteen rows from either `a`, `lda` bytes apart,
    /// with those that are kept.
    ///
    /// # Safety
    /// - [`Amx::keep`] of `K` tiles before, on this thread; each `a` is valid for reads of its rows, `sums` for writes.
    #[inline(always)]
    pub(in super::super::super) unsafe fn multiply_kept<const K: usize>(
        self,
        a: [*const u8; 2],
        lda: usize,
        sums: *mut f32,
    ) {
        // SAFETY: the token proves the instructions, the caller the memory.
        unsafe {
            asm!("tilezero tmm0", "tilezero tmm1", out("tmm0") _, out("tmm1") _, options(nomem, nostack, preserves_flags));
            step!(a, lda, "tmm4", "0");
            if K > 1 {
                step!(a, lda, "tmm5", "64");
            }
            if K > 2 {
                step!(a, lda, "tmm6", "128");
            }
            if K > 3 {
                step!(a, lda, "tmm7", "192");
            }
            asm!("tilestored [{to} + {lead}], tmm0", "tilestored [{to} + {lead} + 1024], tmm1",
                to = in(reg) sums, lead = in(reg) 64usize, options(nostack, preserves_flags));
        }
    }

    /// Puts the first `m ≤ 16` columns of a tile of sums where rows of `c` belong, `ldc` apart; `fresh`: in place of what is
    /// there.
    ///
    /// # Safety
    /// - `sums` is valid for reads of a tile, `c` for reads and writes of sixteen numbers in each of `m` rows.
    pub(in super::super::super) unsafe fn put_turned(
        self,
        sums: *const f32,
        (c, ldc): (*mut f32, usize),
        m: usize,
        fresh: bool,
    ) {
        // SAFETY: the token proves AVX-512 F; the rest is the caller's.
        unsafe { put_turned(sums, (c, ldc), m, fresh) };
    }
}

/// As [`Amx::put_turned`].
///
/// # Safety
/// - The CPU has AVX-512 F; the rest as there.
#[target_feature(enable = "avx512f,avx512dq")]
unsafe fn put_turned(sums: *const f32, (c, ldc): (*mut f32, usize), m: usize, fresh: bool) {
    for first in (0..m).step_by(LANES_TURNED) {
        // SAFETY: four columns from `first` exist in each of the tile's rows, and sixteen numbers in each row of `c`.
        unsafe {
            // Block `l` of vector `j` is row `4 l + j`, so that columns come out in the order of rows.
            let row = |i: usize| _mm_loadu_ps(sums.add(i * TILE_UNITS + first));
            let [x, y, z, w] = [0, 1, 2, 3].map(|j| {
                let blocks = _mm512_castps128_ps512(row(j));
                let blocks = _mm512_insertf32x4::<1>(blocks, row(4 + j));
                let blocks = _mm512_insertf32x4::<2>(blocks, row(8 + j));
                _mm512_insertf32x4::<3>(blocks, row(12 + j))
            });
            let pairs = |x, y| (_mm512_castps_pd(_mm512_unpacklo_ps(x, y)), _mm512_castps_pd(_mm512_unpackhi_ps(x, y)));
            let ((xy, xy_high), (zw, zw_high)) = (pairs(x, y), pairs(z, w));
            let columns = [
                _mm512_unpacklo_pd(xy, zw),
                _mm512_unpackhi_pd(xy, zw),
                _mm512_unpacklo_pd(xy_high, zw_high),
                _mm512_unpackhi_pd(xy_high, zw_high),
            ];
            for (i, column) in columns.into_iter().enumerate().take(m - first) {
                let (to, column) = (c.add((first + i) * ldc), _mm512_castpd_ps(column));
                _mm512_storeu_ps(to, if fresh { column } else { _mm512_add_ps(column, _mm512_loadu_ps(to)) });
            }
        }
    }
}
