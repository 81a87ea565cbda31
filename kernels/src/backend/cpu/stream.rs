//! Products with few rows (decode, GEMV): the right factor is read once, in place, at the speed of memory; packing it
//! would cost more than using it.
//!
//! 1. `b` as `[n, k]`: dot products, lanes along k, several rows of `b` at once; sums across lanes come last.
//! 2. `b` as `[k, n]`: rows of `b` times broadcast elements of `a`, lanes along n.
//!
//! 3. Long rows of `[n, k]` are read `n / NB` apart rather than side by side: each of the NB streams then runs on from
//!    row to row, and the hardware's prefetcher, which stops at the end of a page, starts anew less often.
//!
//! 4. With several rows of `a` the reads of a step are so much work that fewer steps are under way than memory takes to
//!    answer: the streams are then fetched ahead as well.
//!
//! 5. Short rows are fetched by hand, and on into the product that streams next: what is worked out between two products,
//!    such as a softmax, would leave memory idle. What bounds it on a Xeon of model 207: a key of bf16 takes 34 ns of work where
//!    it lies in cache, 32 ns of memory at the limit, and 60 together. Hints do overlap with work there, but a line of hint and
//!    load comes at 13 GB/s at most beside any work, where loads alone read 15 and hints alone 20. Working on some rows of
//!    values at a time, all their columns before the next, so that hints are spread evenly, changed nothing.
//!
//! 6. What is shorter than f32 is widened as it is read: for i8 that is two instructions a vector on the ports of the
//!    multiply-adds, so four rows of `a` bound a core with two of them to 16 bytes in three cycles.
//!
//! As many rows of `a` share each pass as leave accumulators in registers; more take several passes over a tile that is
//! then in cache.

mod finish;
mod int4;

use std::marker::PhantomData;

use super::isa::{Isa, Task};
use super::microkernel::Fetch;
use super::simd::Simd;
use super::source::{Bf16, Element, F8E4M3, F8E5M2, F16, F32, I8, Pairs, Quads, Source};
use super::unit::{Pair, Quad, Single, Unit, Units};
use crate::DType;

/// Bytes ahead of the row in use that are fetched into L2, where rows are too short for the hardware to see a stream in
/// each: the latency of memory times its bandwidth, some three times over. On Zen 4, against every other line, every
/// line read memory 1.4 to 1.8 times as fast in f32 decode, and bf16 no slower; 4 to 12 KiB were alike within the
/// machine's noise, 2 and 16 KiB slower. Longer rows are streams of their own.
const AHEAD_BYTES: usize = 8 << 10;

/// Bytes ahead in each stream of long rows that are fetched, from [`FETCHING_ROWS`] of `a` on: a latency of some 100 ns
/// at tens of GB/s, over three or four streams.
const STREAM_AHEAD_BYTES: usize = 2 << 10;

/// Rows of `a` from which streams are fetched ahead. With fewer the hardware's own prefetcher reads as fast as memory
/// gives, and hints only take its place.
const FETCHING_ROWS: usize = 3;

/// Rows of one pass where the file has 32 registers: with 3 vectors of `b` each, 24 accumulators.
const MAX_ROWS_OF_32: usize = 8;

/// Rows of one pass where it has 16: with 3 vectors of `b` each, 12 accumulators, 3 vectors and one of `a`.
const MAX_ROWS_OF_16: usize = 4;

/// Rows of one pass.
pub(super) fn pass_rows(isa: Isa) -> usize {
    if isa.registers() == 32 { MAX_ROWS_OF_32 } else { MAX_ROWS_OF_16 }
}

/// `c[m, n] (+)= a[m, k] · b` with `b` in place.
pub(super) struct Stream<'o> {
    /// Rows.
    pub(super) m: usize,
    /// `m` rows of f32, of bf16 pairs or of quads.
    pub(super) a: *const f32,
    /// Stride of `a`, in units.
    pub(super) lda: usize,
    /// Right factor: rows along k (`Ab`) or along n (`Abt`).
    pub(super) b: Source<'o>,
    /// Scales of the groups of `b`, of f16, where it is of 4-bit integers.
    pub(super) scales: Option<Source<'o>>,
    /// Rows that are read after those of `b`.
    pub(super) next: Fetch,
    /// `m` rows with room for whole vectors.
    pub(super) c: *mut f32,
    /// Stride of `c`.
    pub(super) ldc: usize,
    /// Whether `c` is overwritten rather than added to.
    pub(super) fresh: bool,
}

impl Stream<'_> {
    /// Rows ahead of the one in use that are fetched; none where rows are long.
    #[inline(always)]
    fn rows_ahead(&self) -> Option<usize> {
        let row_bytes = self.b.cols * self.b.dtype.size_bytes();
        (row_bytes < AHEAD_BYTES / 4).then(|| AHEAD_BYTES / row_bytes.max(1))
    }

    /// Hints that row `r` of the right factor is read soon, or the one that many rows after it.
    #[inline(always)]
    fn fetch<S: Simd>(&self, simd: S, r: usize) {
        let n = self.b.offsets.len();
        let (row, bytes) = if r < n {
            (self.b.row(r), self.b.cols * self.b.dtype.size_bytes())
        } else if r - n < self.next.rows {
            (self.next.first.wrapping_add((r - n) * self.next.stride), self.next.row_bytes)
        } else {
            return;
        };
        let mut byte = 0;
        while byte < bytes {
            simd.prefetch_l2(row.wrapping_add(byte));
            byte += 64;
        }
    }

    /// `b` holds columns of the product as rows, `[n, k]`.
    ///
    /// # Safety
    /// - `a`, `b` and `c` are valid for the sizes that their fields state, and `c` overlaps neither.
    /// - `a` holds these units: f32 beside any type of `b`, pairs of bf16 beside bf16, quads of i8 beside i8.
    pub(super) unsafe fn dots(&self, isa: Isa, units: Units) {
        self.passes(isa, |pass| match (units, self.b.dtype) {
            (Units::Pair, _) => pass.dots_of::<Pairs, Pair>(isa),
            (Units::Quad, _) => pass.dots_of::<Quads, Quad>(isa),
            (_, DType::F32) => pass.dots_of::<F32, Single>(isa),
            (_, DType::F16) => pass.dots_of::<F16, Single>(isa),
            (_, DType::Bf16) => pass.dots_of::<Bf16, Single>(isa),
            (_, DType::F8E4M3) => pass.dots_of::<F8E4M3, Single>(isa),
            (_, DType::F8E5M2) => pass.dots_of::<F8E5M2, Single>(isa),
            (_, DType::I8) => pass.dots_of::<I8, Single>(isa),
            (_, DType::I4x2) => pass.dots_of_halves(isa),
            (_, DType::I32) => unreachable!("outputs alone are of i32"),
        });
    }

    /// `b` holds steps of the contraction as rows, `[k, n]`.
    ///
    /// # Safety
    /// - `a`, `b` and `c` are valid for the sizes that their fields state, and `c` overlaps neither; `a` holds f32.
    pub(super) unsafe fn sums(&self, isa: Isa) {
        self.passes(isa, |pass| match self.b.dtype {
            DType::F32 => pass.sums_of::<F32>(isa),
            DType::F16 => pass.sums_of::<F16>(isa),
            DType::Bf16 => pass.sums_of::<Bf16>(isa),
            DType::F8E4M3 => pass.sums_of::<F8E4M3>(isa),
            DType::F8E5M2 => pass.sums_of::<F8E5M2>(isa),
            DType::I8 => pass.sums_of::<I8>(isa),
            DType::I32 | DType::I4x2 => unreachable!("outputs alone are of i32, and halves run along the contraction"),
        });
    }

    fn passes(&self, isa: Isa, pass: impl Fn(Stream)) {
        let most = pass_rows(isa);
        for row in (0..self.m).step_by(most) {
            pass(Stream {
                m: (self.m - row).min(most),
                a: self.a.wrapping_add(row * self.lda),
                c: self.c.wrapping_add(row * self.ldc),
                ..*self
            });
        }
    }

    fn dots_of<E: Element, U: Unit>(&self, isa: Isa) {
        match (self.m, isa.registers()) {
            (1, _) => U::run(isa, Dots::<E, U, 1, 4>(self, PhantomData)),
            (2, _) => U::run(isa, Dots::<E, U, 2, 4>(self, PhantomData)),
            (3, 32) => U::run(isa, Dots::<E, U, 3, 4>(self, PhantomData)),
            (4, 32) => U::run(isa, Dots::<E, U, 4, 4>(self, PhantomData)),
            (3, _) => U::run(isa, Dots::<E, U, 3, 3>(self, PhantomData)),
            (4, _) => U::run(isa, Dots::<E, U, 4, 3>(self, PhantomData)),
            (5, _) => U::run(isa, Dots::<E, U, 5, 4>(self, PhantomData)),
            (6, _) => U::run(isa, Dots::<E, U, 6, 4>(self, PhantomData)),
            (7, _) => U::run(isa, Dots::<E, U, 7, 3>(self, PhantomData)),
            _ => U::run(isa, Dots::<E, U, 8, 3>(self, PhantomData)),
        }
    }

    fn sums_of<E: Element>(&self, isa: Isa) {
        match (self.m, isa.registers()) {
            (1, _) => isa.run(Sums::<E, 1, 4>(self, PhantomData)),
            (2, _) => isa.run(Sums::<E, 2, 4>(self, PhantomData)),
            (3, 32) => isa.run(Sums::<E, 3, 4>(self, PhantomData)),
            (4, 32) => isa.run(Sums::<E, 4, 4>(self, PhantomData)),
            (3, _) => isa.run(Sums::<E, 3, 2>(self, PhantomData)),
            (4, _) => isa.run(Sums::<E, 4, 2>(self, PhantomData)),
            (5, _) => isa.run(Sums::<E, 5, 2>(self, PhantomData)),
            (6, _) => isa.run(Sums::<E, 6, 2>(self, PhantomData)),
            (7, _) => isa.run(Sums::<E, 7, 2>(self, PhantomData)),
            _ => isa.run(Sums::<E, 8, 2>(self, PhantomData)),
        }
    }
}

/// `M` rows of `a` against `NB` rows of `b` at a time.
struct Dots<'s, E, U, const M: usize, const NB: usize>(&'s Stream<'s>, PhantomData<(E, U)>);

impl<E: Element, U: Unit, const M: usize, const NB: usize> Task for Dots<'_, E, U, M, NB> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let s = self.0;
        let n = s.b.offsets.len();
        let starts = self.starts(simd);
        let groups = n / NB;
        // Short rows, which are fetched ahead by hand, in the order of their addresses; long ones far apart.
        let (first, apart) = if s.rows_ahead().is_some() { (NB, 1) } else { (1, groups) };
        for group in 0..groups {
            self.rows::<S, NB>(simd, &starts, (group * first, apart));
        }
        for j in groups * NB..n {
            self.rows::<S, 1>(simd, &starts, (j, 1));
        }
    }
}

impl<E: Element, U: Unit, const M: usize, const NB: usize> Dots<'_, E, U, M, NB> {
    /// What the sums of each row start with.
    #[inline(always)]
    fn starts<S: Simd>(&self, simd: S) -> [f32; M] {
        let s = self.0;
        let mut starts = [0.0; M];
        for (i, start) in starts.iter_mut().enumerate() {
            // SAFETY: rows `i < m` of `a` have as many whole units as those of `b`.
            *start = unsafe { U::start(simd, s.a.add(i * s.lda), s.b.cols / U::ELEMS) };
        }
        starts
    }

    /// Columns `j`, `j + apart`, ... of the product: as many rows of `b`.
    #[inline(always)]
    fn rows<S: Simd, const N: usize>(&self, simd: S, starts: &[f32; M], (j, apart): (usize, usize)) {
        let s = self.0;
        let per_unit = size_of::<E::Bits>() / s.b.dtype.size_bytes();
        let units = s.b.cols / per_unit;
        let b: [*const E::Bits; N] = std::array::from_fn(|r| s.b.row(j + r * apart).cast());
        if let Some(ahead) = s.rows_ahead() {
            for r in 0..N {
                s.fetch(simd, j + r + ahead);
            }
        }
        let far = (M >= FETCHING_ROWS && s.rows_ahead().is_none()).then_some(STREAM_AHEAD_BYTES);
        let mut acc = [[simd.splat(0.0); N]; M];
        let mut p = 0;
        while p + S::LANES <= units {
            let mut y = [simd.splat(0.0); N];
            if let Some(bytes) = far {
                for row in b {
                    simd.prefetch(row.wrapping_add(p).cast::<u8>().wrapping_add(bytes).cast());
                }
            }
            for (y, row) in y.iter_mut().zip(b) {
                // SAFETY: LANES units from `p` exist in each row of `a` and `b`.
                *y = unsafe { E::load(simd, row.add(p)) };
            }
            for (i, row) in acc.iter_mut().enumerate() {
                // SAFETY: as above; `i < m`.
                let x = unsafe { simd.load(s.a.add(i * s.lda + p)) };
                for (sum, y) in row.iter_mut().zip(y) {
                    *sum = U::mul_add(simd, x, y, *sum);
                }
            }
            p += S::LANES;
        }
        if p < units {
            let rest = units - p;
            let mut y = [simd.splat(0.0); N];
            for (y, row) in y.iter_mut().zip(b) {
                // SAFETY: `rest` units remain in each row of `a` and `b`.
                *y = unsafe { E::load_first(simd, row.add(p), rest) };
            }
            for (i, row) in acc.iter_mut().enumerate() {
                // SAFETY: as above; `i < m`.
                let x = unsafe { simd.load_first(s.a.add(i * s.lda + p), rest) };
                for (sum, y) in row.iter_mut().zip(y) {
                    *sum = U::mul_add(simd, x, y, *sum);
                }
            }
        }
        self.0.finish::<U, S, M, N>(simd, (j, apart), &acc, starts);
    }
}

/// `M` rows of `a` against `NV` vectors of columns at a time.
struct Sums<'s, E, const M: usize, const NV: usize>(&'s Stream<'s>, PhantomData<E>);

impl<E: Element, const M: usize, const NV: usize> Task for Sums<'_, E, M, NV> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let cols = self.0.b.cols;
        let mut col = 0;
        while col + NV * S::LANES <= cols {
            self.columns::<S, NV>(simd, col, S::LANES);
            col += NV * S::LANES;
        }
        while col < cols {
            self.columns::<S, 1>(simd, col, (cols - col).min(S::LANES));
            col += S::LANES;
        }
    }
}

impl<E: Element, const M: usize, const NV: usize> Sums<'_, E, M, NV> {
    /// `V` vectors of columns from `col`; the last one holds `lanes` of them.
    #[inline(always)]
    fn columns<S: Simd, const V: usize>(&self, simd: S, col: usize, lanes: usize) {
        let s = self.0;
        let ahead = s.rows_ahead();
        let mut acc = [[simd.splat(0.0); V]; M];
        for p in 0..s.b.offsets.len() {
            if let (0, Some(ahead)) = (col, ahead) {
                s.fetch(simd, p + ahead);
            }
            let b = s.b.row(p).cast::<E::Bits>().wrapping_add(col);
            let mut y = [simd.splat(0.0); V];
            for (v, y) in y.iter_mut().enumerate() {
                // SAFETY: `lanes` columns of the last vector exist in row `p`, whole vectors before it.
                *y = unsafe {
                    if V == 1 && lanes < S::LANES {
                        E::load_first(simd, b, lanes)
                    } else {
                        E::load(simd, b.add(v * S::LANES))
                    }
                };
            }
            for (i, row) in acc.iter_mut().enumerate() {
                // SAFETY: `i < m` and `p < k`.
                let x = simd.splat(unsafe { *s.a.add(i * s.lda + p) });
                for (sum, y) in row.iter_mut().zip(y) {
                    *sum = simd.mul_add(x, y, *sum);
                }
            }
        }
        for (i, row) in acc.iter().enumerate() {
            for (v, x) in row.iter().enumerate() {
                // SAFETY: row `i < m` of `c` has room for whole vectors of columns.
                unsafe {
                    let at = s.c.add(i * s.ldc + col + v * S::LANES);
                    let sum = if s.fresh { *x } else { simd.add(*x, simd.load(at)) };
                    simd.store(at, sum);
                }
            }
        }
    }
}
