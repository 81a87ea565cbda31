//! Rows of elements in memory, of any element type, widened as they are read.

use super::simd::Simd;
use crate::DType;
use crate::tensor::float8::{E4M3, E5M2, Float8};

/// Rows of one element type: row `r` starts `offsets[r]` elements from `base`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'o> {
    /// First element of the tensor, or of the tile.
    pub(super) base: *const u8,
    /// Element type.
    pub(super) dtype: DType,
    /// Where each row starts, in elements.
    pub(super) offsets: &'o [usize],
    /// Elements of each row.
    pub(super) cols: usize,
}

impl Source<'_> {
    /// First element of row `r`, as a pointer to its bytes.
    #[inline(always)]
    pub(super) fn row(&self, r: usize) -> *const u8 {
        self.base.wrapping_add(self.offsets[r] * self.dtype.size_bytes())
    }
}

/// An element type as a type, so that loops are compiled for each.
pub(super) trait Element: 'static {
    /// Its bits.
    type Bits: Copy + Default;

    /// What the bits of a unit are XORed with as it is read.
    const OFFSET: u32 = 0;

    /// Reads `LANES` elements as f32.
    ///
    /// # Safety
    /// `p` is valid for reads of `LANES` elements.
    unsafe fn load<S: Simd>(simd: S, p: *const Self::Bits) -> S::F;

    /// Reads `2 · LANES` elements as f32, in the order in which they are widened soonest.
    ///
    /// # Safety
    /// `p` is valid for reads of `2 · LANES` elements.
    #[inline(always)]
    unsafe fn load_two<S: Simd>(simd: S, p: *const Self::Bits) -> (S::F, S::F) {
        // SAFETY: as the caller's.
        unsafe { (Self::load(simd, p), Self::load(simd, p.add(S::LANES))) }
    }

    /// What has the order of [`Element::load_two`] in that of memory.
    #[inline(always)]
    fn in_order<S: Simd>(_simd: S, first: S::F, second: S::F) -> (S::F, S::F) {
        (first, second)
    }

    /// Reads the first `n ≤ LANES` elements as f32, zeros in the other lanes.
    ///
    /// # Safety
    /// `p` is valid for reads of `n` elements.
    #[inline(always)]
    unsafe fn load_first<S: Simd>(simd: S, p: *const Self::Bits, n: usize) -> S::F {
        let mut lanes = [Self::Bits::default(); 16];
        // SAFETY: the caller's `n ≤ LANES ≤ 16` elements are readable.
        unsafe { std::ptr::copy_nonoverlapping(p, lanes.as_mut_ptr(), n) };
        // SAFETY: `lanes` holds 16 ≥ LANES elements.
        unsafe { Self::load(simd, lanes.as_ptr()) }
    }
}

/// f32.
pub(super) struct F32;
/// f16.
pub(super) struct F16;
/// bf16.
pub(super) struct Bf16;
/// f8e4m3.
pub(super) struct F8E4M3;
/// f8e5m2.
pub(super) struct F8E5M2;
/// i8.
pub(super) struct I8;
/// bf16 pairs as they lie in a row: read as units, not widened.
pub(super) struct Pairs;
/// Quads of i8 as they lie in a row, as bytes without sign: 128 more each. What multiplies them takes one factor of each kind.
pub(super) struct Quads;

/// Quads of i8 as they lie in a row.
pub(super) struct SignedQuads;

impl Element for F32 {
    type Bits = f32;

    #[inline(always)]
    unsafe fn load<S: Simd>(simd: S, p: *const f32) -> S::F {
        // SAFETY: as the caller's.
        unsafe { simd.load(p) }
    }

    #[inline(always)]
    unsafe fn load_first<S: Simd>(simd: S, p: *const f32, n: usize) -> S::F {
        // SAFETY: as the caller's.
        unsafe { simd.load_first(p, n) }
    }
}

impl Element for F16 {
    type Bits = u16;

    #[inline(always)]
    unsafe fn load<S: Simd>(simd: S, p: *const u16) -> S::F {
        // SAFETY: as the caller's.
        unsafe { simd.load_f16(p) }
    }
}

impl Element for Bf16 {
    type Bits = u16;

    #[inline(always)]
    unsafe fn load<S: Simd>(simd: S, p: *const u16) -> S::F {
        // SAFETY: as the caller's.
        unsafe { simd.load_bf16(p) }
    }

    /// Even elements, then odd ones: a shift and a mask of one load, where [`Simd::load_bf16`] spreads elements out first.
    #[inline(always)]
    unsafe fn load_two<S: Simd>(simd: S, p: *const u16) -> (S::F, S::F) {
        // SAFETY: the caller's elements are LANES units, and vectors need no alignment.
        let units = unsafe { simd.load(p.cast()) };
        (simd.low_half(units), simd.high_half(units))
    }

    #[inline(always)]
    fn in_order<S: Simd>(simd: S, first: S::F, second: S::F) -> (S::F, S::F) {
        simd.interleave(first, second)
    }
}

impl Element for F8E4M3 {
    type Bits = u8;

    #[inline(always)]
    unsafe fn load<S: Simd>(simd: S, p: *const u8) -> S::F {
        // SAFETY: as the caller's.
        unsafe { load_float8(simd, &E4M3, p) }
    }
}

impl Element for F8E5M2 {
    type Bits = u8;

    #[inline(always)]
    unsafe fn load<S: Simd>(simd: S, p: *const u8) -> S::F {
        // SAFETY: as the caller's.
        unsafe { load_float8(simd, &E5M2, p) }
    }
}

/// Element by element from a table: no instruction set here converts 8-bit floats.
///
/// # Safety
/// `p` is valid for reads of `LANES` elements.
#[inline(always)]
unsafe fn load_float8<S: Simd>(simd: S, set: &Float8, p: *const u8) -> S::F {
    let mut bytes = [0u8; 16];
    // SAFETY: the caller's `LANES ≤ 16` bytes are readable.
    unsafe { std::ptr::copy_nonoverlapping(p, bytes.as_mut_ptr(), S::LANES) };
    let lanes = bytes.map(|byte| set.decode(byte));
    // SAFETY: `lanes` holds 16 ≥ LANES elements.
    unsafe { simd.load(lanes.as_ptr()) }
}

impl Element for I8 {
    type Bits = u8;

    #[inline(always)]
    unsafe fn load<S: Simd>(simd: S, p: *const u8) -> S::F {
        // SAFETY: as the caller's.
        unsafe { simd.load_i8(p) }
    }
}

impl Element for Quads {
    // Not a 32-bit type: rows may start at any byte.
    type Bits = [u8; 4];

    const OFFSET: u32 = 0x8080_8080;

    #[inline(always)]
    unsafe fn load<S: Simd>(simd: S, p: *const [u8; 4]) -> S::F {
        // SAFETY: as the caller's; a unit has the size of an f32, and vectors need no alignment.
        simd.offset_bytes(unsafe { simd.load(p.cast()) })
    }
}

impl Element for SignedQuads {
    // As of [`Quads`].
    type Bits = [u8; 4];

    #[inline(always)]
    unsafe fn load<S: Simd>(simd: S, p: *const [u8; 4]) -> S::F {
        // SAFETY: as the caller's; a unit has the size of an f32, and vectors need no alignment.
        unsafe { simd.load(p.cast()) }
    }
}

impl Element for Pairs {
    // Not a 32-bit type: rows may start at an odd element.
    type Bits = [u16; 2];

    #[inline(always)]
    unsafe fn load<S: Simd>(simd: S, p: *const [u16; 2]) -> S::F {
        // SAFETY: as the caller's; a unit has the size of an f32, and vectors need no alignment.
        unsafe { simd.load(p.cast()) }
    }
}
