//! One vector of f32, in the terms that kernels use. Each instruction set implements these leaves; loops are written
//! once over the trait and inlined into one entry an instruction set (`isa.rs`).
//!
//! Vectors also carry bf16 pairs: 32-bit units that hold two neighbours of the contraction, the earlier one in the low
//! half. Loads, stores and broadcasts treat a unit as an f32 with the same bits. So they do with quads of 8-bit integers, the
//! earliest one in the lowest byte, and with 32-bit integers.

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod math;
mod opaque;
mod portable;
#[cfg(test)]
mod tests;
mod vendor;

#[cfg(target_arch = "x86_64")]
pub(super) use amx::{
    Amx, Bf16Pairs, Factors, I8Quads, MOST_KEPT, Product, TILE_ROW_BYTES, TILE_ROWS, TILE_UNITS, are_lines,
};
#[cfg(target_arch = "x86_64")]
pub(super) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(super) use avx512::{Avx512, Avx512Bf16, Avx512Vnni};
pub(super) use math::{EXP2_ERROR, FUNCTION_ERROR};
pub(super) use opaque::opaque;
pub(super) use portable::Portable;
pub(super) use vendor::is_intel;

use half::{bf16, f16};

/// Vector operations of one instruction set.
pub(super) trait Simd: Copy + Send + Sync + 'static {
    /// A vector of `LANES` f32.
    type F: Copy;

    /// Elements of a vector.
    const LANES: usize;
    /// Vector registers: what a tile of accumulators may take.
    const REGISTERS: usize;
    /// Rows of the micro-kernel's register tile: `MR · 2` accumulators, 2 vectors of B and a broadcast fit the file.
    const MR: usize;

    /// The same number in each lane.
    fn splat(self, x: f32) -> Self::F;

    /// Reads a vector.
    ///
    /// # Safety
    /// `p` is valid for reads of `LANES` f32; no alignment is required.
    unsafe fn load(self, p: *const f32) -> Self::F;

    /// Writes a vector.
    ///
    /// # Safety
    /// `p` is valid for writes of `LANES` f32; no alignment is required.
    unsafe fn store(self, p: *mut f32, x: Self::F);

    /// Reads the first `n ≤ LANES` elements, zeros in the other lanes.
    ///
    /// # Safety
    /// `p` is valid for reads of `n` f32.
    #[inline(always)]
    unsafe fn load_first(self, p: *const f32, n: usize) -> Self::F {
        let mut lanes = [0.0f32; 16];
        // SAFETY: the caller's `n` elements are readable, and `n ≤ LANES ≤ 16`.
        unsafe { std::ptr::copy_nonoverlapping(p, lanes.as_mut_ptr(), n) };
        // SAFETY: `lanes` holds 16 ≥ LANES elements.
        unsafe { self.load(lanes.as_ptr()) }
    }

    /// Writes the first `n ≤ LANES` elements.
    ///
    /// # Safety
    /// `p` is valid for writes of `n` f32.
    #[inline(always)]
    unsafe fn store_first(self, p: *mut f32, x: Self::F, n: usize) {
        let lanes = self.to_array(x);
        // SAFETY: the caller's `n` elements are writable, and `n ≤ LANES ≤ 16`.
        unsafe { std::ptr::copy_nonoverlapping(lanes.as_ptr(), p, n) };
    }

    /// Reads `LANES` bf16 as f32.
    ///
    /// # Safety
    /// `p` is valid for reads of `LANES` elements.
    unsafe fn load_bf16(self, p: *const u16) -> Self::F;

    /// Reads `LANES` f16 as f32.
    ///
    /// # Safety
    /// `p` is valid for reads of `LANES` elements.
    unsafe fn load_f16(self, p: *const u16) -> Self::F;

    /// Reads `LANES` i8 as f32.
    ///
    /// # Safety
    /// `p` is valid for reads of `LANES` bytes.
    unsafe fn load_i8(self, p: *const u8) -> Self::F;

    /// Rounds to bf16, nearest even, and writes `LANES` elements.
    ///
    /// # Safety
    /// `p` is valid for writes of `LANES` elements.
    #[inline(always)]
    unsafe fn store_bf16(self, p: *mut u16, x: Self::F) {
        let lanes = self.to_array(x);
        for (i, x) in lanes[..Self::LANES].iter().enumerate() {
            // SAFETY: `i < LANES`, and the caller's `LANES` elements are writable.
            unsafe { *p.add(i) = bf16::from_f32(*x).to_bits() };
        }
    }

    /// Rounds to f16, nearest even, and writes `LANES` elements.
    ///
    /// # Safety
    /// `p` is valid for writes of `LANES` elements.
    #[inline(always)]
    unsafe fn store_f16(self, p: *mut u16, x: Self::F) {
        let lanes = self.to_array(x);
        for (i, x) in lanes[..Self::LANES].iter().enumerate() {
            // SAFETY: `i < LANES`, and the caller's `LANES` elements are writable.
            unsafe { *p.add(i) = f16::from_f32(*x).to_bits() };
        }
    }

    /// `x + y`.
    fn add(self, x: Self::F, y: Self::F) -> Self::F;
    /// `x − y`.
    fn sub(self, x: Self::F, y: Self::F) -> Self::F;
    /// `x · y`.
    fn mul(self, x: Self::F, y: Self::F) -> Self::F;
    /// `x / y`.
    fn div(self, x: Self::F, y: Self::F) -> Self::F;
    /// The greater of two numbers.
    fn max(self, x: Self::F, y: Self::F) -> Self::F;
    /// The smaller of two numbers.
    fn min(self, x: Self::F, y: Self::F) -> Self::F;
    /// `√x`.
    fn sqrt(self, x: Self::F) -> Self::F;
    /// `x · y + z`, fused where the instruction set has it.
    fn mul_add(self, x: Self::F, y: Self::F, z: Self::F) -> Self::F;
    /// The nearest integer, ties to even.
    fn round(self, x: Self::F) -> Self::F;
    /// `x · 2^n` for an integer `n` in −252..=254; 0 below the normal numbers is allowed.
    fn scale_by_exp2(self, x: Self::F, n: Self::F) -> Self::F;

    /// The bf16 in the low half of each unit, as f32.
    fn low_half(self, x: Self::F) -> Self::F;
    /// The bf16 in the high half of each unit, as f32.
    fn high_half(self, x: Self::F) -> Self::F;

    /// `z + Σ x · y` over the two bf16 of each unit.
    fn dot_bf16(self, x: Self::F, y: Self::F, z: Self::F) -> Self::F;

    /// `z + Σ x · y` over the four bytes of each unit: `x` signed, `y` unsigned, `z` and the result 32-bit integers.
    fn dot_i8(self, x: Self::F, y: Self::F, z: Self::F) -> Self::F;

    /// `x + y` of 32-bit integers.
    fn add_i32(self, x: Self::F, y: Self::F) -> Self::F;

    /// 32-bit integers as f32, to nearest.
    fn convert_i32(self, x: Self::F) -> Self::F;

    /// Each byte with its highest bit turned: signed bytes become unsigned ones that are 128 more.
    fn offset_bytes(self, x: Self::F) -> Self::F;

    /// Interleaves four rows of `LANES` bytes into `LANES` units, the first row in the lowest bytes.
    ///
    /// # Safety
    /// Each row is valid for reads of `LANES` bytes.
    #[inline(always)]
    unsafe fn interleave_u8(self, rows: [*const u8; 4]) -> Self::F {
        let mut units = [0.0f32; 16];
        for (lane, unit) in units.iter_mut().enumerate().take(Self::LANES) {
            // SAFETY: `lane < LANES`, within the caller's rows.
            *unit = f32::from_bits(u32::from_le_bytes(rows.map(|row| unsafe { *row.add(lane) })));
        }
        // SAFETY: `units` holds 16 ≥ LANES elements.
        unsafe { self.load(units.as_ptr()) }
    }

    /// Reads `LANES` bytes of two 4-bit integers, each 8 more than it stands for: those of the low halves and those of the high
    /// halves, as f32.
    ///
    /// # Safety
    /// `p` is valid for reads of `LANES` bytes.
    #[inline(always)]
    unsafe fn load_halves(self, p: *const u8) -> (Self::F, Self::F) {
        let (mut low, mut high) = ([0.0f32; 16], [0.0f32; 16]);
        for lane in 0..Self::LANES {
            // SAFETY: `lane < LANES`, and the caller's `LANES` bytes are readable.
            let byte = unsafe { *p.add(lane) };
            (low[lane], high[lane]) = (f32::from(byte & 15) - 8.0, f32::from(byte >> 4) - 8.0);
        }
        // SAFETY: both arrays hold 16 ≥ LANES elements.
        unsafe { (self.load(low.as_ptr()), self.load(high.as_ptr())) }
    }

    /// Sums of the lanes of four vectors of 32-bit integers.
    #[inline(always)]
    fn sum4_i32(self, x: [Self::F; 4]) -> [i32; 4] {
        x.map(|x| {
            let lanes = self.to_array(x);
            lanes[..Self::LANES].iter().fold(0i32, |sum, lane| sum.wrapping_add(lane.to_bits().cast_signed()))
        })
    }

    /// Hints that the line at `p` is read soon. `p` need not be valid.
    #[inline(always)]
    fn prefetch(self, p: *const f32) {
        let _ = p;
    }

    /// Hints that the line at `p` is read soon, but not at once: into L2. `p` need not be valid.
    #[inline(always)]
    fn prefetch_l2(self, p: *const u8) {
        let _ = p;
    }

    /// Writes the transpose of `LANES` rows of `LANES` units: `dst[c · dst_stride + r] = src[r · src_stride + c]`.
    ///
    /// # Safety
    /// Each row of `src` is valid for reads, and each row of `dst` for writes, of `LANES` units.
    #[inline(always)]
    unsafe fn transpose(self, src: *const f32, src_stride: usize, dst: *mut f32, dst_stride: usize) {
        for r in 0..Self::LANES {
            for c in 0..Self::LANES {
                // SAFETY: `r, c < LANES`, within the caller's rows.
                unsafe { *dst.add(c * dst_stride + r) = *src.add(r * src_stride + c) };
            }
        }
    }

    /// The lanes of `x` and `y` by turns, `x` first: the first `LANES` of them, and the others.
    #[inline(always)]
    fn interleave(self, x: Self::F, y: Self::F) -> (Self::F, Self::F) {
        let (x, y) = (self.to_array(x), self.to_array(y));
        let mut turns = [0.0f32; 32];
        for (i, two) in turns.as_chunks_mut::<2>().0.iter_mut().enumerate() {
            *two = [x[i], y[i]];
        }
        // SAFETY: `turns` holds 32 ≥ 2 · LANES elements.
        unsafe { (self.load(turns.as_ptr()), self.load(turns.as_ptr().add(Self::LANES))) }
    }

    /// Interleaves two rows of `LANES` bf16 into `LANES` units, `low` in the low halves.
    ///
    /// # Safety
    /// `low` and `high` are valid for reads of `LANES` elements.
    unsafe fn interleave_u16(self, low: *const u16, high: *const u16) -> Self::F;

    /// Rounds two vectors to bf16, nearest even, into units: `low` in the low halves. Numbers below the normal ones may
    /// become zeros.
    #[inline(always)]
    fn pair_bf16(self, low: Self::F, high: Self::F) -> Self::F {
        let (mut lows, mut highs) = ([0u16; 16], [0u16; 16]);
        // SAFETY: both arrays hold 16 ≥ LANES elements.
        unsafe {
            self.store_bf16(lows.as_mut_ptr(), low);
            self.store_bf16(highs.as_mut_ptr(), high);
            self.interleave_u16(lows.as_ptr(), highs.as_ptr())
        }
    }

    /// The lanes, unused ones zero.
    #[inline(always)]
    fn to_array(self, x: Self::F) -> [f32; 16] {
        let mut lanes = [0.0; 16];
        // SAFETY: `lanes` holds 16 ≥ LANES elements.
        unsafe { self.store(lanes.as_mut_ptr(), x) };
        lanes
    }

    /// Sum of the lanes.
    #[inline(always)]
    fn sum(self, x: Self::F) -> f32 {
        self.to_array(x)[..Self::LANES].iter().sum()
    }

    /// Sums of the lanes of four vectors.
    #[inline(always)]
    fn sum4(self, x: [Self::F; 4]) -> [f32; 4] {
        [self.sum(x[0]), self.sum(x[1]), self.sum(x[2]), self.sum(x[3])]
    }

    /// Sums of the lanes of sixteen vectors.
    #[inline(always)]
    fn sum16(self, x: [Self::F; 16]) -> [f32; 16] {
        let mut sums = [0.0; 16];
        for (four, sums) in x.as_chunks::<4>().0.iter().zip(sums.as_chunks_mut::<4>().0) {
            *sums = self.sum4(*four);
        }
        sums
    }

    /// Greatest lane.
    #[inline(always)]
    fn max_lane(self, x: Self::F) -> f32 {
        self.to_array(x)[..Self::LANES].iter().fold(f32::NEG_INFINITY, |m, x| m.max(*x))
    }

    /// `2^x`, relative error at most [`EXP2_ERROR`]; 0 for −∞.
    #[inline(always)]
    fn exp2(self, x: Self::F) -> Self::F {
        math::exp2(self, x)
    }

    /// A scalar function of each lane, for functions no hot path needs.
    #[inline(always)]
    fn map(self, x: Self::F, f: fn(f32) -> f32) -> Self::F {
        let mut lanes = self.to_array(x);
        for x in &mut lanes[..Self::LANES] {
            *x = f(*x);
        }
        // SAFETY: `lanes` holds 16 ≥ LANES elements.
        unsafe { self.load(lanes.as_ptr()) }
    }
}
