//! Few rows against weights of 4 bits: bytes become numbers in registers, times the scale of their group, which f32 holds
//! exactly; then they are multiplied as weights of f32 are.
//!
//! With vectors of 16 lanes a group of 32 weights is 16 bytes: one load that widens them, a shift, two permutations of a
//! table, two products with the scale, and two multiply-adds for each row of `a`. Scales of 16 groups are widened together.
//! Eight rows take two of bytes at a time, since a third would leave no register for what is dequantised.

use super::super::isa::{Isa, Task};
use super::super::simd::Simd;
use super::super::unit::Single;
use super::Stream;
use super::hints::Reach;
use super::order::Rows;
use crate::problem::GROUP;

/// Bytes of a group.
const GROUP_BYTES: usize = GROUP / 2;

/// Groups whose scales are widened at a time.
const SCALES: usize = 16;

impl Stream<'_> {
    /// Dot products with rows of bytes, of whole groups; `a` holds f32.
    pub(super) fn dots_of_halves(&self, isa: Isa) {
        match (self.m, isa.registers()) {
            (1, _) => isa.run(Halves::<1, 4>(self)),
            (2, 32) => isa.run(Halves::<2, 4>(self)),
            (3, 32) => isa.run(Halves::<3, 4>(self)),
            (4, 32) => isa.run(Halves::<4, 4>(self)),
            (2, _) => isa.run(Halves::<2, 3>(self)),
            (3, _) => isa.run(Halves::<3, 2>(self)),
            (4, _) => isa.run(Halves::<4, 2>(self)),
            (5, _) => isa.run(Halves::<5, 3>(self)),
            (6, _) => isa.run(Halves::<6, 3>(self)),
            (7, _) => isa.run(Halves::<7, 2>(self)),
            _ => isa.run(Halves::<8, 2>(self)),
        }
    }
}

/// `M` rows of `a` against `NB` rows of bytes at a time.
struct Halves<'s, const M: usize, const NB: usize>(&'s Stream<'s>);

impl<const M: usize, const NB: usize> Task for Halves<'_, M, NB> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let n = self.0.b.offsets.len();
        let (mut order, reach) = (self.0.order(NB), self.0.reach());
        while let Some(rows) = order.next() {
            self.rows::<S, NB>(simd, rows, reach);
        }
        for j in n / NB * NB..n {
            self.rows::<S, 1>(simd, Rows::last(j), reach);
        }
    }
}

impl<const M: usize, const NB: usize> Halves<'_, M, NB> {
    /// As many columns of the product as rows of bytes.
    #[inline(always)]
    fn rows<S: Simd, const N: usize>(&self, simd: S, rows: Rows, reach: Reach) {
        let s = self.0;
        let Rows { j, apart, .. } = rows;
        let Some(scales) = s.scales else { unreachable!("the lowering gives bytes of 4-bit integers their scales") };
        let n_groups = s.b.cols / GROUP_BYTES;
        let mut b = [std::ptr::null::<u8>(); N];
        let mut from = [std::ptr::null::<u16>(); N];
        for r in 0..N {
            (b[r], from[r]) = (s.b.row(j + r * apart), scales.row(j + r * apart).cast());
        }
        let ahead = s.is_short().then(|| s.ahead_of_short(b[0], (rows.place, rows.in_place, rows.at), reach));
        let mut acc = [[simd.splat(0.0); N]; M];
        let mut wide = [[0.0f32; SCALES]; N];
        for first in (0..n_groups).step_by(SCALES) {
            let some = (n_groups - first).min(SCALES);
            for (wide, from) in wide.iter_mut().zip(from) {
                widen(simd, from.wrapping_add(first), some, wide);
            }
            for at in first..first + some {
                if let Some(ahead) = &ahead {
                    ahead.hint(simd, b, at * GROUP_BYTES, GROUP_BYTES);
                }
                for part in (0..GROUP_BYTES).step_by(S::LANES) {
                    let mut w = [(simd.splat(0.0), simd.splat(0.0)); N];
                    for r in 0..N {
                        // SAFETY: group `at` of the row is whole.
                        let (low, high) = unsafe { simd.load_halves(b[r].add(at * GROUP_BYTES + part)) };
                        let scale = simd.splat(wide[r][at - first]);
                        if M == 1 {
                            // One product less: the scale of a partial sum.
                            // SAFETY: the row of `a` has as many numbers as the row of bytes stands for.
                            let (first, second) = unsafe { self.left(simd, 0, at * GROUP + part) };
                            let sum = simd.mul_add(high, second, simd.mul(low, first));
                            acc[0][r] = simd.mul_add(sum, scale, acc[0][r]);
                        } else {
                            w[r] = (simd.mul(low, scale), simd.mul(high, scale));
                        }
                    }
                    if M == 1 {
                        continue;
                    }
                    for (i, sums) in acc.iter_mut().enumerate() {
                        // SAFETY: row `i < m` of `a` has as many numbers as the row of bytes stands for.
                        let (first, second) = unsafe { self.left(simd, i, at * GROUP + part) };
                        for (sum, w) in sums.iter_mut().zip(w) {
                            *sum = simd.mul_add(second, w.1, simd.mul_add(first, w.0, *sum));
                        }
                    }
                }
            }
        }
        s.finish::<Single, S, M, N>(simd, (j, apart), &acc, &[0.0; M]);
    }

    /// What low halves are multiplied with in row `i` of `a`, from number `at` on, and what high halves are.
    ///
    /// # Safety
    /// `i < m`, and `at` leaves a vector in each half of its group.
    #[inline(always)]
    unsafe fn left<S: Simd>(&self, simd: S, i: usize, at: usize) -> (S::F, S::F) {
        // SAFETY: as the caller's.
        unsafe {
            let x = self.0.a.add(i * self.0.lda + at);
            (simd.load(x), simd.load(x.add(GROUP_BYTES)))
        }
    }
}

/// Widens `n ≤ 16` scales.
#[inline(always)]
fn widen<S: Simd>(simd: S, from: *const u16, n: usize, to: &mut [f32; SCALES]) {
    if n == SCALES {
        for at in (0..SCALES).step_by(S::LANES) {
            // SAFETY: 16 scales exist, and LANES divides 16.
            unsafe { simd.store(to.as_mut_ptr().add(at), simd.load_f16(from.add(at))) };
        }
        return;
    }
    let mut end = [0u16; SCALES];
    // SAFETY: `n` scales remain in the row, and both arrays hold 16.
    unsafe {
        std::ptr::copy_nonoverlapping(from, end.as_mut_ptr(), n);
        for at in (0..SCALES).step_by(S::LANES) {
            simd.store(to.as_mut_ptr().add(at), simd.load_f16(end.as_ptr().add(at)));
        }
    }
}
