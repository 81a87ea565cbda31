//! The end of dot products: sums across lanes, and what fills no unit.

use super::super::simd::Simd;
use super::super::unit::Unit;
use super::Stream;

impl Stream<'_> {
    /// Sums across lanes, sixteen or four at once, whichever rows they belong to.
    #[inline(always)]
    pub(super) fn finish<U: Unit, S: Simd, const M: usize, const N: usize>(
        &self,
        simd: S,
        at: (usize, usize),
        acc: &[[S::F; N]; M],
        starts: &[f32; M],
    ) {
        let zero = simd.splat(0.0);
        let mut first = 0;
        // Of integers four at a time.
        while U::ELEMS < 4 && first + 16 <= M * N {
            let mut lanes = [zero; 16];
            for (i, lanes) in lanes.iter_mut().enumerate() {
                *lanes = acc[(first + i) / N][(first + i) % N];
            }
            let sums = simd.sum16(lanes);
            if N == 4 && at.1 == 1 && self.b.cols.is_multiple_of(U::ELEMS) {
                self.put_fours(at.0, first / 4, &sums);
            } else {
                self.put::<U, M, N>(at, first, sums, starts);
            }
            first += 16;
        }
        while first < M * N {
            let mut lanes = [zero; 4];
            for (i, lanes) in lanes.iter_mut().enumerate().take(M * N - first) {
                *lanes = acc[(first + i) / N][(first + i) % N];
            }
            self.put::<U, M, N>(at, first, U::sum4(simd, lanes), starts);
            first += 4;
        }
    }

    /// Writes sums of four columns from `j` on side by side, a row after the other from row `i` on: short rows are many, and
    /// sixteen numbers one by one took a fifth of their time.
    #[inline(always)]
    fn put_fours(&self, j: usize, i: usize, sums: &[f32; 16]) {
        for (row, four) in sums.as_chunks::<4>().0.iter().enumerate() {
            // SAFETY: row `i + row < m` of `c` has room for columns `j..j + 4`; vectors of four need no alignment here.
            unsafe {
                let at = self.c.add((i + row) * self.ldc + j).cast::<[f32; 4]>();
                let mut sums = *four;
                if !self.fresh {
                    for (sum, old) in sums.iter_mut().zip(at.read_unaligned()) {
                        *sum += old;
                    }
                }
                at.write_unaligned(sums);
            }
        }
    }

    /// Writes sums `first..` of M rows of N, as many as there are.
    #[inline(always)]
    fn put<U: Unit, const M: usize, const N: usize>(
        &self,
        (j, apart): (usize, usize),
        first: usize,
        sums: impl IntoIterator<Item = f32>,
        starts: &[f32; M],
    ) {
        let rest = self.b.cols % U::ELEMS;
        for (at, mut sum) in sums.into_iter().enumerate().take(M * N - first) {
            let (i, col) = ((first + at) / N, j + (first + at) % N * apart);
            if U::ELEMS == 4 {
                sum = U::plus(sum, starts[i]);
            }
            if U::ELEMS > 1 && rest > 0 {
                sum = U::plus(sum, self.rest::<U>(i, col, rest));
            }
            // SAFETY: row `i < m` of `c` has room for column `col < n`.
            unsafe {
                let at = self.c.add(i * self.ldc + col);
                *at = if self.fresh { sum } else { U::plus(*at, sum) };
            }
        }
    }

    /// The products of the last `n` elements of rows, which fill no unit.
    #[cold]
    fn rest<U: Unit>(&self, i: usize, row: usize, n: usize) -> f32 {
        let first_byte = (self.b.cols - n) * self.b.dtype.size_bytes();
        // SAFETY: the last `n` elements exist in both rows, which hold elements of one type where units hold several.
        unsafe {
            let a = self.a.add(i * self.lda).cast::<u8>().add(first_byte);
            U::rest(a, self.b.row(row).add(first_byte), n)
        }
    }
}
