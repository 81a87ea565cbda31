//! Products with few rows (decode, GEMV): the right factor is read once, in place, at the speed of memory; packing it
//! would cost more than using it.
//!
//! 1. `b` as `[n, k]`: dot products, lanes along k, several rows of `b` at once; sums across lanes come last.
//! 2. `b` as `[k, n]`: rows of `b` times broadcast elements of `a`, lanes along n.
//!
//! 3. What is shorter than f32 is widened as it is read. A vector of bf16 pairs takes a shift and a mask, which leave even
//!    elements apart from odd ones: `a` lies in the same order, and sums over values are put in order once they are whole. For i8
//!    it is two instructions for each sixteen, on the ports of the multiply-adds, so four rows of `a` bound a core with two of
//!    them to 16 bytes in three cycles.
//!
//! 4. In which order rows are read is [`order`]'s, and what is fetched meanwhile [`hints`]'. Short rows are fetched on into the
//!    product that streams next: what is worked out between two products, such as a softmax, would leave memory idle.
//!
//! What bounds decode on a Xeon of model 207: work and waiting overlap in part. A loop of the same reads, hints and multiply-adds
//! that was written for one shape takes 17 ns for a key and a value of bf16 that lie in cache, where memory takes 37, and 43 where
//! they do not. Here it is 30 and some 54: a sixth of it is hints and where they point, a tenth sums across lanes, another what
//! lies between the products.
//!
//! More than 4 rows of `a` are left to tiles, where the CPU has them and both factors are of bf16 (beside keys that no registers
//! keep more than 8): work no longer grows with the rows. 16 queries of a group take 0.6 of the time there, and a third where keys
//! and values lie in cache. Of 4 the loads of tiles wait for memory longer than vectors work.
//!
//! As many rows of `a` share each pass as leave accumulators in registers; more take several passes over a tile that is
//! then in cache.

mod finish;
mod hints;
mod int4;
mod order;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod tiles;

use std::marker::PhantomData;

use super::isa::{Isa, Task};
use super::microkernel::Fetch;
use super::simd::Simd;
use super::source::{Bf16, Element, F8E4M3, F8E5M2, F16, F32, I8, Pairs, Quads, Source};
use super::unit::{Halves, Pair, Quad, Single, Unit, Units};
use crate::DType;
pub(super) use hints::Hints;
use hints::Reach;
use order::Rows;

/// Name of these products among the strategies of a plan.
pub(super) const STRATEGY: &str = "stream";

/// Most rows that meet those of `a` at a time, and most places that short ones are read in at once.
pub(super) const PARTS: usize = 4;

/// Rows of one pass where the file has 32 registers: with 3 vectors of `b` each, 24 accumulators.
const MAX_ROWS_OF_32: usize = 8;

/// Rows of one pass where it has 16: with 3 vectors of `b` each, 12 accumulators, 3 vectors and one of `a`.
const MAX_ROWS_OF_16: usize = 4;

/// Rows of one pass.
pub(super) fn pass_rows(isa: Isa) -> usize {
    if isa.registers() == 32 { MAX_ROWS_OF_32 } else { MAX_ROWS_OF_16 }
}

/// Rows of the right factor that meet `m` rows of `a` at a time.
pub(super) fn together(isa: Isa, m: usize) -> usize {
    match (m.min(pass_rows(isa)), isa.registers()) {
        (3 | 4, 16) | (7.., _) => 3,
        _ => 4,
    }
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
    /// Rows that are read after those of `b`, in each of the places that it is read in.
    pub(super) next: [Fetch; PARTS],
    /// Rows that meet those of `a` at a time.
    pub(super) together: usize,
    /// What is fetched ahead.
    pub(super) hints: Hints,
    /// `m` rows with room for whole vectors.
    pub(super) c: *mut f32,
    /// Stride of `c`.
    pub(super) ldc: usize,
    /// Whether `c` is overwritten rather than added to.
    pub(super) fresh: bool,
}

impl Stream<'_> {
    /// `b` holds columns of the product as rows, `[n, k]`.
    ///
    /// # Safety
    /// - `a`, `b` and `c` are valid for the sizes that their fields state, and `c` overlaps neither.
    /// - `a` holds these units: f32 beside any type of `b`, pairs of bf16 beside bf16, quads of i8 beside i8; f32 in the order
    ///   of [`Layout::RowHalves`](super::pack::Layout::RowHalves) beside bf16, rows of an even number of them. Of tiles it holds
    ///   panels of units beside the same type, or pairs of bf16 beside 4-bit integers, `lda` units each.
    pub(super) unsafe fn dots(&self, isa: Isa, units: Units) {
        #[cfg(target_arch = "x86_64")]
        if let (true, Some(amx)) = (units.are_of_tiles(), isa.tiles()) {
            // SAFETY: as the caller's.
            return unsafe { self.tiles(amx, units) };
        }
        self.passes(isa, |pass| match (units, self.b.dtype) {
            (Units::Pair, _) => pass.dots_of::<Pairs, Pair>(isa),
            (Units::Quad, _) => pass.dots_of::<Quads, Quad>(isa),
            (Units::Halves, _) => pass.dots_of::<Pairs, Halves>(isa),
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
    /// - `a`, `b` and `c` are valid for the sizes that their fields state, and `c` overlaps neither; `a` holds f32, or of tiles
    ///   pairs of bf16 beside bf16.
    pub(super) unsafe fn sums(&self, isa: Isa, units: Units) {
        #[cfg(target_arch = "x86_64")]
        if let (true, Some(amx)) = (units.are_of_tiles(), isa.tiles()) {
            // SAFETY: as the caller's.
            return unsafe { self.steps_of_tiles(amx) };
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = units;
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
        match (self.m, together(isa, self.m)) {
            (1, _) => U::run(isa, Dots::<E, U, 1, 4>(self, PhantomData)),
            (2, _) => U::run(isa, Dots::<E, U, 2, 4>(self, PhantomData)),
            (3, 4) => U::run(isa, Dots::<E, U, 3, 4>(self, PhantomData)),
            (4, 4) => U::run(isa, Dots::<E, U, 4, 4>(self, PhantomData)),
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
        let (mut order, reach) = (s.order(NB), s.reach());
        while let Some(rows) = order.next() {
            self.rows::<S, NB>(simd, &starts, rows, reach);
        }
        for j in n / NB * NB..n {
            self.rows::<S, 1>(simd, &starts, Rows::last(j), reach);
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

    /// As many columns of the product as rows of `b`.
    #[inline(always)]
    fn rows<S: Simd, const N: usize>(&self, simd: S, starts: &[f32; M], rows: Rows, reach: Reach) {
        let s = self.0;
        let Rows { j, apart, .. } = rows;
        let per_unit = size_of::<E::Bits>() / s.b.dtype.size_bytes();
        let units = s.b.cols / per_unit;
        let b: [*const E::Bits; N] = std::array::from_fn(|r| s.b.row(j + r * apart).cast());
        let ahead = if s.is_short() {
            s.ahead_of_short(b[0].cast(), (rows.place, rows.in_place, rows.at), reach)
        } else {
            s.ahead_of_long::<M>()
        };
        let bytes = b.map(<*const E::Bits>::cast::<u8>);
        let mut acc = [[simd.splat(0.0); N]; M];
        let mut p = 0;
        while p + S::LANES <= units {
            let mut y = [simd.splat(0.0); N];
            ahead.hint(simd, bytes, p * size_of::<E::Bits>(), S::LANES * size_of::<E::Bits>());
            for (y, row) in y.iter_mut().zip(b) {
                // SAFETY: LANES units from `p` exist in each row of `a` and `b`.
                *y = unsafe { E::load(simd, row.add(p)) };
            }
            for part in 0..U::PER_B {
                for (i, row) in acc.iter_mut().enumerate() {
                    // SAFETY: as above; `i < m`, and a row of `a` has PER_B units for each of `b`.
                    let x = unsafe { simd.load(s.a.add(i * s.lda + p * U::PER_B + part * S::LANES)) };
                    for (sum, y) in row.iter_mut().zip(y) {
                        *sum = U::mul_add(simd, x, U::of_b(simd, y, part), *sum);
                    }
                }
            }
            p += S::LANES;
        }
        if p < units {
            let rest = units - p;
            let mut y = [simd.splat(0.0); N];
            ahead.hint(simd, bytes, p * size_of::<E::Bits>(), S::LANES * size_of::<E::Bits>());
            for (y, row) in y.iter_mut().zip(b) {
                // SAFETY: `rest` units remain in each row of `a` and `b`.
                *y = unsafe { E::load_first(simd, row.add(p), rest) };
            }
            for part in 0..U::PER_B {
                for (i, row) in acc.iter_mut().enumerate() {
                    // SAFETY: as above; `i < m`.
                    let x = unsafe { simd.load_first(s.a.add(i * s.lda + p * U::PER_B + part * S::LANES), rest) };
                    for (sum, y) in row.iter_mut().zip(y) {
                        *sum = U::mul_add(simd, x, U::of_b(simd, y, part), *sum);
                    }
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
        let n = s.b.offsets.len();
        let places = if s.is_short() { s.hints.places(s.together) } else { 1 };
        let (in_place, reach) = (s.in_place(places, 1), s.reach());
        let mut acc = [[simd.splat(0.0); V]; M];
        let (mut place, mut at) = (0, 0);
        for i in 0..n {
            let p = if at < in_place { place * in_place + at } else { i };
            let row = s.b.row(p);
            if col == 0 && s.is_short() {
                s.ahead_of_short(row, (place, in_place, at), reach).hint_row(simd, row, s.row_bytes());
            }
            place += 1;
            if place == places {
                (place, at) = (0, at + 1);
            }
            let b = row.cast::<E::Bits>().wrapping_add(col);
            let mut y = [simd.splat(0.0); V];
            for (v, two) in y.chunks_mut(2).enumerate() {
                // SAFETY: `lanes` columns of the last vector exist in row `p`, whole vectors before it.
                unsafe {
                    match two {
                        [first, second] => (*first, *second) = E::load_two(simd, b.add(2 * v * S::LANES)),
                        [one] if lanes < S::LANES => *one = E::load_first(simd, b, lanes),
                        [one] => *one = E::load(simd, b),
                        _ => unreachable!("pieces hold one vector or two"),
                    }
                }
            }
            for (i, row) in acc.iter_mut().enumerate() {
                // SAFETY: `i < m` and `p < k`.
                let x = simd.splat(unsafe { *s.a.add(i * s.lda + p) });
                for (sum, y) in row.iter_mut().zip(y) {
                    *sum = simd.mul_add(x, y, *sum);
                }
            }
        }
        for (i, row) in acc.iter_mut().enumerate() {
            for two in row.chunks_mut(2) {
                if let [first, second] = two {
                    (*first, *second) = E::in_order(simd, *first, *second);
                }
            }
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
