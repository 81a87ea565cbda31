//! Rows of the right factor in place as the left factor of tiles: `cᵀ = b · aᵀ`.
//!
//! A tile of `b` is sixteen of its rows as they lie, 64 bytes of each; `a`, which is small, lies in panels. So nothing of `b` is
//! copied or widened, and up to 32 rows of `a` meet it in one pass: a step reads 2 KiB and takes 32 or 64 cycles, where
//! memory takes some hundred. The sums are turned as they are put where they belong.
//!
//! Nothing is fetched ahead: whatever was tried, into L1 or L2, a line or sixteen of each row at a time, 512 bytes to 4 KiB ahead,
//! made it slower (Xeon of model 167). Few rows of `a` are left to vectors, which read what they widen in the order of its
//! addresses and so a tenth faster.

use super::super::isa::{Isa, Task};
use super::super::simd::{Amx, Bf16Pairs, I8Quads, Product, Simd, TILE_ROW_BYTES, TILE_ROWS, TILE_UNITS};
use super::super::tiles::{TILES_COLS, TILES_ROWS};
use super::super::unit::{Quad, Single, Unit, Units};
use super::Stream;

impl Stream<'_> {
    /// `b` holds columns of the product as rows, `[n, k]`, and `a` lies in panels of its own rows.
    ///
    /// # Safety
    /// - `a`, `b` and `c` are valid for the sizes that their fields state, and `c` overlaps neither.
    /// - `a` holds panels of these units, of `lda` units each, and both factors are of bf16 or of i8.
    pub(super) unsafe fn tiles(&self, amx: Amx, units: Units) {
        let n = self.b.offsets.len();
        for (panel, row) in (0..self.m).step_by(TILES_COLS).enumerate() {
            let pass = Pass {
                stream: self,
                a: self.a.wrapping_add(panel * self.lda),
                c: self.c.wrapping_add(row * self.ldc),
                m: (self.m - row).min(TILES_COLS),
            };
            let mut j = 0;
            while j < n {
                let rows = self.even_rows(j);
                // SAFETY: as the caller's; these rows exist, evenly apart.
                unsafe {
                    if units == Units::QuadTiles {
                        pass.rows::<I8Quads, Quad>(amx, (j, rows));
                    } else {
                        pass.rows::<Bf16Pairs, Single>(amx, (j, rows));
                    }
                }
                j += rows;
            }
        }
    }

    /// How many rows of `b` from `j` lie evenly apart, of those that two tiles take.
    fn even_rows(&self, j: usize) -> usize {
        let rest = &self.b.offsets[j..self.b.offsets.len().min(j + TILES_ROWS)];
        let apart = |pair: &[usize]| pair[1].wrapping_sub(pair[0]);
        let Some(first) = rest.windows(2).next().map(apart) else { return rest.len() };
        1 + rest.windows(2).take_while(|pair| apart(pair) == first).count()
    }
}

/// The rows of `a` of a panel.
struct Pass<'s> {
    stream: &'s Stream<'s>,
    a: *const f32,
    c: *mut f32,
    m: usize,
}

impl Pass<'_> {
    /// The product with `rows` rows of `b` from `j`.
    ///
    /// # Safety
    /// - As of [`Stream::tiles`].
    #[inline(always)]
    unsafe fn rows<P: Product, U: Unit>(&self, amx: Amx, (j, rows): (usize, usize)) {
        amx.shape(rows);
        let mut sums = std::mem::MaybeUninit::<[f32; TILES_ROWS * TILES_COLS]>::uninit();
        if !rows.is_multiple_of(TILE_ROWS) {
            // Whole squares are turned: what no tile writes of them must be numbers too.
            sums.write([0.0; TILES_ROWS * TILES_COLS]);
        }
        let to = sums.as_mut_ptr().cast();
        // SAFETY: as the caller's; `sums` has room for two by two tiles.
        unsafe {
            match (rows > TILE_ROWS, self.m > TILE_ROWS) {
                (false, false) => self.multiply::<P, 1, 1>(amx, (j, rows), to),
                (false, true) => self.multiply::<P, 1, 2>(amx, (j, rows), to),
                (true, false) => self.multiply::<P, 2, 1>(amx, (j, rows), to),
                (true, true) => self.multiply::<P, 2, 2>(amx, (j, rows), to),
            }
        }
        let turn = Turn::<U> {
            sums: to,
            n: rows,
            c: self.c.wrapping_add(j),
            ldc: self.stream.ldc,
            m: self.m,
            fresh: self.stream.fresh,
            units: std::marker::PhantomData,
        };
        Isa::Amx(amx).run(turn);
    }

    /// `RT × CT` tiles of sums into rows of `TILES_COLS`.
    ///
    /// # Safety
    /// - As of [`Pass::rows`], of as many rows and columns.
    #[inline(always)]
    unsafe fn multiply<P: Product, const RT: usize, const CT: usize>(
        &self,
        amx: Amx,
        (j, rows): (usize, usize),
        to: *mut f32,
    ) {
        let b = self.stream.b;
        let (first, row_bytes) = (b.row(j), b.cols * b.dtype.size_bytes());
        // One row alone lies apart from nothing.
        let apart = if rows > 1 { b.row(j + 1).addr().wrapping_sub(first.addr()) } else { row_bytes };
        let (whole, panel_row) = (row_bytes / TILE_ROW_BYTES, TILES_COLS * 4);
        amx.zero();
        for step in 0..whole {
            let byte = step * TILE_ROW_BYTES;
            let a = self.a.wrapping_add(step * TILE_UNITS * TILES_COLS).cast();
            // SAFETY: `whole` steps exist in each row of `b`, and in the panel.
            unsafe { P::step::<RT, CT>(amx, first.wrapping_add(byte), apart, a, panel_row) };
        }
        let rest = row_bytes - whole * TILE_ROW_BYTES;
        if rest > 0 {
            let mut rows_end = [0u8; TILES_ROWS * TILE_ROW_BYTES];
            let mut panel_end = [0f32; TILE_ROWS * TILES_COLS];
            // SAFETY: `rest` bytes remain in each row of `b`, and as many units of them, begun ones too, in the panel.
            unsafe {
                for (row, end) in rows_end.chunks_mut(TILE_ROW_BYTES).enumerate().take(rows) {
                    let from = first.wrapping_add(row * apart + whole * TILE_ROW_BYTES);
                    std::ptr::copy_nonoverlapping(from, end.as_mut_ptr(), rest);
                }
                let from = self.a.wrapping_add(whole * TILE_UNITS * TILES_COLS);
                std::ptr::copy_nonoverlapping(from, panel_end.as_mut_ptr(), rest.div_ceil(4) * TILES_COLS);
                P::step::<RT, CT>(amx, rows_end.as_ptr(), TILE_ROW_BYTES, panel_end.as_ptr().cast(), panel_row);
            }
        }
        // SAFETY: the caller's sums have room for all rows of two tiles.
        unsafe { amx.store::<RT, CT>(to, panel_row) };
    }
}

/// Puts `n` rows of `m` sums where `m` rows of `n` belong.
struct Turn<U> {
    sums: *const f32,
    n: usize,
    c: *mut f32,
    ldc: usize,
    m: usize,
    fresh: bool,
    units: std::marker::PhantomData<U>,
}

impl<U: Unit> Task for Turn<U> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let mut square = [0f32; TILE_ROWS * TILE_ROWS];
        for col in (0..self.n).step_by(TILE_ROWS) {
            let n = (self.n - col).min(TILE_ROWS);
            for row in (0..self.m).step_by(TILE_ROWS) {
                // SAFETY: there are two tiles of rows of sums, `TILES_COLS` long, all of them numbers; the square holds LANES
                // rows, and vectors have as many lanes as a tile has rows.
                unsafe {
                    simd.transpose(self.sums.add(col * TILES_COLS + row), TILES_COLS, square.as_mut_ptr(), S::LANES);
                }
                for i in 0..(self.m - row).min(TILE_ROWS) {
                    // SAFETY: row `row + i < m` of `c` has room for columns `col..col + n`.
                    unsafe {
                        let to = self.c.add((row + i) * self.ldc + col);
                        let new = simd.load(square.as_ptr().add(i * S::LANES));
                        let sum = if self.fresh { new } else { U::add(simd, new, simd.load_first(to, n)) };
                        if n == S::LANES {
                            simd.store(to, sum);
                        } else {
                            simd.store_first(to, sum, n);
                        }
                    }
                }
            }
        }
    }
}
