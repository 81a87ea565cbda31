//! Products of tiles: a row panel of `a` against all panels of `b`, as in [`super::microkernel`], by the CPU's matrix unit.
//!
//! ```text
//! for each panel of b (two tiles of columns)
//!   for each step of 16 units:  c[2×2 tiles] += a[2 tiles] · b[2 tiles]
//! ```
//!
//! 1. `a` is in rows of units and `b` in panels `[k][32]` of units, as the other kernels have them: a tile of either is there as
//!    the unit loads it.
//! 2. A step takes 64 cycles and 4 KiB; L2 gives 47 bytes a cycle, 63 where a load says that its line is not needed again
//!    (`tileloaddt1`). So a row panel stays in L1, and `b` comes from L2. Each register is loaded for the next step as soon as the
//!    last product that reads it is on its way: 0.97 of what the unit does from registers, where loads just before the products
//!    that need them leave 0.82. Sums that a panel starts from and leaves, some 200 cycles, come on top.
//! 3. What a whole product of 1024³ lacks beyond that is memory: a core's 15 GB/s would take as long as the products. What is
//!    fetched of it meanwhile comes in several streams of addresses: products and one stream take turns, with four or more they
//!    overlap. Not wholly: hints alone bring some 6 GB/s, sixteen lines in flight of 180 ns each, and the rest is waited for where
//!    it is needed. Products from L1 that would take 1.3 times as long as their memory take 1.35 times their own time beside it.
//!    Hints for every second or fourth line, and loads that touch lines ahead of the products for the CPU's own fetching to go
//!    on from, were no better: the former is not triggered by hints, the latter hold up what comes after them.
//! 4. Units that fill no step are copied beside zeros: to shape tiles anew takes as long as three steps.

use super::isa::Isa;
#[cfg(target_arch = "x86_64")]
use super::microkernel::Fetch;
use super::microkernel::Panel;
#[cfg(target_arch = "x86_64")]
use super::simd::{Amx, Bf16Pairs, Factors, I8Quads, Product, Simd, TILE_ROW_BYTES, TILE_ROWS, TILE_UNITS};
use super::unit::Units;

/// Most rows of a row panel: two tiles.
pub(super) const TILES_ROWS: usize = 32;

/// Columns of a panel: two tiles.
pub(super) const TILES_COLS: usize = 32;

/// Runs `rows` rows of `units` over a panel.
#[cfg(target_arch = "x86_64")]
pub(super) fn multiply(isa: Isa, (units, rows): (Units, usize), panel: Panel) {
    let Some(amx) = isa.tiles() else { unreachable!("{isa} has no tiles") };
    let is_tall = rows > TILE_ROWS;
    amx.shape(rows);
    // SAFETY: the tiles are shaped for these rows, and the panel is as the contract of `Block` says.
    unsafe {
        match (units, is_tall) {
            (Units::QuadTiles, false) => panels::<I8Quads, 1>(amx, rows, panel),
            (Units::QuadTiles, true) => panels::<I8Quads, 2>(amx, rows, panel),
            (_, false) => panels::<Bf16Pairs, 1>(amx, rows, panel),
            (_, true) => panels::<Bf16Pairs, 2>(amx, rows, panel),
        }
    }
}

/// No other CPU has tiles.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn multiply(isa: Isa, (units, _): (Units, usize), _: Panel) {
    unreachable!("{isa} has no tiles for {units:?}");
}

/// `n` steps of 2 × 2 tiles that stay in registers.
pub(super) fn multiply_registers(isa: Isa, units: Units, n: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(amx) = isa.tiles() {
        amx.shape(TILES_ROWS);
        amx.zero();
        match units {
            Units::QuadTiles => (0..n).for_each(|_| I8Quads::multiply::<2, 2>(amx)),
            _ => (0..n).for_each(|_| Bf16Pairs::multiply::<2, 2>(amx)),
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    unreachable!("{isa} has no tiles for {n} steps of {units:?}");
}

/// Gives this thread's tiles back.
pub(super) fn release(isa: Isa) {
    #[cfg(target_arch = "x86_64")]
    if let Some(amx) = isa.tiles() {
        amx.release();
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = isa;
}

/// What is fetched in the course of a call, some lines a step: two of each row in turns. Rows one after the other would be one
/// stream of addresses, which memory gives half as fast.
#[cfg(target_arch = "x86_64")]
pub(super) struct Lines {
    fetch: Fetch,
    per_step: usize,
    row: usize,
    byte: usize,
}

#[cfg(target_arch = "x86_64")]
impl Lines {
    #[inline(always)]
    pub(super) fn new(fetch: Fetch, steps: usize) -> Lines {
        let lines = fetch.rows * fetch.row_bytes.div_ceil(LINE_BYTES);
        Lines { fetch, per_step: lines.div_ceil(steps.max(1)), row: 0, byte: 0 }
    }

    #[inline(always)]
    pub(super) fn step(&mut self, fetch: impl Fn(*const u8)) {
        for _ in 0..self.per_step {
            if self.byte >= self.fetch.row_bytes {
                return;
            }
            fetch(self.fetch.first.wrapping_add(self.row * self.fetch.stride + self.byte));
            self.byte += LINE_BYTES;
            if self.byte.is_multiple_of(2 * LINE_BYTES) || self.byte >= self.fetch.row_bytes {
                self.row += 1;
                if self.row == self.fetch.rows {
                    self.row = 0;
                } else {
                    self.byte = (self.byte - 1) / (2 * LINE_BYTES) * (2 * LINE_BYTES);
                }
            }
        }
    }
}

/// Bytes of a cache line.
#[cfg(target_arch = "x86_64")]
const LINE_BYTES: usize = 64;

/// All panels of `b`, `RT` tiles of rows high.
///
/// # Safety
/// - Tiles are shaped for `rows`.
/// - `panel` has `rows` rows, and is as the contract of [`Block`](super::block::Block) says.
#[cfg(target_arch = "x86_64")]
unsafe fn panels<P: Product, const RT: usize>(amx: Amx, rows: usize, panel: Panel) {
    let Panel { k, a, lda, b, b_step, b_panel, n, from, from_lead, to, to_lead, to_cols, .. } = panel;
    let (steps, rest) = (k / TILE_UNITS, k % TILE_UNITS);
    let a_end = (rest > 0).then(|| {
        let mut end = [0f32; TILES_ROWS * TILE_UNITS];
        for (row, end) in end.chunks_mut(TILE_UNITS).enumerate().take(rows) {
            // SAFETY: each row holds `k` units.
            unsafe { std::ptr::copy_nonoverlapping(a.add(row * lda + steps * TILE_UNITS), end.as_mut_ptr(), rest) };
        }
        end
    });
    let n_panels = n.div_ceil(TILES_COLS);
    let mut lines = [panel.next, panel.ahead].map(|fetch| Lines::new(fetch, n_panels * steps));
    for j in 0..n_panels {
        let (col, b) = (j * TILES_COLS, b.wrapping_add(j * b_panel));
        let from = if from.is_null() { None } else { Some(from.wrapping_add(col)) };
        let mut edge = std::mem::MaybeUninit::<[f32; TILES_ROWS * TILES_COLS]>::uninit();
        let fits = col + TILES_COLS <= to_cols;
        let (sums, lead) = if fits { (to.wrapping_add(col), to_lead) } else { (edge.as_mut_ptr().cast(), TILES_COLS) };
        // The sums of the next panel come into L1 meanwhile: a product waits for those it begins with.
        let (next, next_lead) = from.map_or((to.wrapping_add(col).cast_const(), to_lead), |from| (from, from_lead));
        let next = if j + 1 == n_panels {
            Fetch::NONE
        } else {
            Fetch {
                first: next.wrapping_add(TILES_COLS).cast(),
                stride: next_lead * 4,
                rows,
                row_bytes: TILES_COLS * 4,
            }
        };
        let mut sums_ahead = Lines::new(next, steps);
        let call = Call { a, lda, b, b_step, b_far: panel.b_far, steps, a_end: a_end.as_ref(), rest };
        // SAFETY: as the caller's; `edge` has room for a whole panel.
        unsafe {
            if n - col > TILE_ROWS {
                call.run::<P, RT, 2>(amx, (&mut lines, &mut sums_ahead), (from, from_lead), (sums, lead));
            } else {
                call.run::<P, RT, 1>(amx, (&mut lines, &mut sums_ahead), (from, from_lead), (sums, lead));
            }
        }
        if !fits {
            for row in 0..rows {
                // SAFETY: `to` has rows of `to_cols` columns, and `edge` those that were written of the panel.
                unsafe {
                    let end = to.add(row * to_lead + col);
                    std::ptr::copy_nonoverlapping(sums.add(row * lead), end, (to_cols - col).min(n - col));
                }
            }
        }
    }
}

/// Adds to the sums in registers what `steps` whole steps from `first` give, rows of `a` in units and of `b` in steps, and then
/// one more step at the `end`; there is at least one. `early`: each step is loaded while the one before it is multiplied, which
/// is faster unless memory is waited for. `beside` is done once a step, told what it multiplies.
///
/// # Safety
/// - Tiles are shaped, and the factors valid for reads of all steps.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) unsafe fn contract<P: Product, const RT: usize, const CT: usize>(
    amx: Amx,
    (first, steps): (Factors, usize),
    end: Option<Factors>,
    early: bool,
    mut beside: impl FnMut(&Factors),
) {
    let whole = (0..steps).map(|step| Factors {
        a: first.a.wrapping_add(step * TILE_ROW_BYTES),
        b: first.b.wrapping_add(step * TILE_ROWS * first.b_step),
        ..first
    });
    let mut is_loaded = false;
    for factors in whole.chain(end) {
        // SAFETY: the caller shaped the tiles, and these factors are readable.
        unsafe {
            if is_loaded {
                P::step::<RT, CT>(amx, factors);
            } else {
                amx.load_factors::<RT, CT>(factors);
            }
        }
        beside(&factors);
        if !early {
            P::multiply::<RT, CT>(amx);
        }
        is_loaded = early;
    }
    if is_loaded {
        P::multiply::<RT, CT>(amx);
    }
}

/// The product of a row panel and a panel.
#[cfg(target_arch = "x86_64")]
struct Call<'e> {
    a: *const f32,
    lda: usize,
    b: *const f32,
    b_step: usize,
    b_far: usize,
    /// Whole steps.
    steps: usize,
    /// Units of `a` that fill no step, beside zeros.
    a_end: Option<&'e [f32; TILES_ROWS * TILE_UNITS]>,
    /// How many there are of a row.
    rest: usize,
}

#[cfg(target_arch = "x86_64")]
impl Call<'_> {
    /// `to = from + a · b`, of `RT × CT` tiles.
    ///
    /// # Safety
    /// - As of [`panels`].
    #[inline(always)]
    unsafe fn run<P: Product, const RT: usize, const CT: usize>(
        &self,
        amx: Amx,
        (lines, sums_ahead): (&mut [Lines; 2], &mut Lines),
        (from, from_lead): (Option<*const f32>, usize),
        (to, to_lead): (*mut f32, usize),
    ) {
        let first = Factors { a: self.a.cast(), lda: self.lda * 4, b: self.b.cast(), b_step: self.b_step * 4 };
        let mut b_end = std::mem::MaybeUninit::uninit();
        let end = self.a_end.map(|a_end| {
            let b_end = b_end.write([0f32; TILE_ROWS * TILES_COLS]);
            let b = self.b.wrapping_add(self.steps * TILE_ROWS * self.b_step);
            for (step, end) in b_end.chunks_mut(TILES_COLS).enumerate().take(self.rest) {
                // SAFETY: a panel has rows for all units.
                unsafe { std::ptr::copy_nonoverlapping(b.add(step * self.b_step), end.as_mut_ptr(), TILES_COLS) };
            }
            Factors { a: a_end.as_ptr().cast(), lda: TILE_ROW_BYTES, b: b_end.as_ptr().cast(), b_step: TILES_COLS * 4 }
        });
        // SAFETY: the caller's rows and panels are readable and writable, and the tiles shaped for them.
        unsafe {
            match from {
                Some(from) => amx.load::<RT, CT>(from, from_lead * 4),
                None => amx.zero(),
            }
            contract::<P, RT, CT>(amx, (first, self.steps), end, true, |factors| {
                for lines in &mut *lines {
                    lines.step(|line| amx.vectors().prefetch_l2(line));
                }
                sums_ahead.step(|line| amx.vectors().prefetch(line.cast()));
                if self.b_far > 0 {
                    let far = factors.b.wrapping_add(self.b_far * 4);
                    for line in 0..TILE_ROWS * 2 {
                        amx.vectors().prefetch_l2(far.wrapping_add(line * LINE_BYTES));
                    }
                }
            });
            amx.store::<RT, CT>(to, to_lead * 4);
        }
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests;
