//! What the 32-bit units of a product's factors hold: f32, or neighbours along the contraction in fewer bytes. As types, so
//! that inner loops are compiled for each: only the multiply-add differs, and what sums start with.

use super::isa::{Isa, Task};
use super::simd::Simd;
use super::tiles::TILES_ROWS;

/// What the 32-bit units of two factors hold, the more the later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Units {
    /// [`Single`].
    Single,
    /// [`Halves`].
    Halves,
    /// [`Pair`].
    Pair,
    /// [`Quad`].
    Quad,
    /// Pairs of bf16, in products of tiles.
    PairTiles,
    /// Quads of i8, in products of tiles: both factors as they are.
    QuadTiles,
}

impl Units {
    /// Elements of a unit of the left factor.
    pub(super) fn elems(self) -> usize {
        match self {
            Units::Single | Units::Halves => 1,
            Units::Pair | Units::PairTiles => 2,
            Units::Quad | Units::QuadTiles => 4,
        }
    }

    /// Whether products are of tiles.
    pub(super) fn are_of_tiles(self) -> bool {
        matches!(self, Units::PairTiles | Units::QuadTiles)
    }

    /// What they are in products of tiles.
    pub(super) fn of_tiles(self) -> Units {
        match self {
            Units::Pair => Units::PairTiles,
            Units::Quad => Units::QuadTiles,
            other => other,
        }
    }

    /// Most rows of a row panel.
    pub(super) fn panel_rows(self, isa: Isa) -> usize {
        if self.are_of_tiles() { TILES_ROWS } else { isa.mr() }
    }

    /// Steps of a right factor over `depth` elements of the contraction.
    pub(super) fn steps(self, depth: usize) -> usize {
        if self == Units::Halves { depth.div_ceil(2) } else { depth.div_ceil(self.elems()) }
    }

    /// Name of the limit of their products.
    pub(super) fn limit(self) -> &'static str {
        match self {
            Units::Single | Units::Halves => "fma_f32",
            Units::Pair => "dot_bf16",
            Units::Quad => "dot_i8",
            Units::PairTiles => "mma_bf16",
            Units::QuadTiles => "mma_i8",
        }
    }
}

/// What a 32-bit unit holds.
pub(super) trait Unit: 'static {
    /// Elements of a unit of `a`.
    const ELEMS: usize = 1;

    /// Units of `a` that a unit of `b` is multiplied with, one after the other.
    const PER_B: usize = 1;

    /// Whether `b` comes from memory in one pass: all its lines are fetched ahead.
    const IS_FROM_MEMORY: bool = false;

    /// What unit `at` of those is multiplied with.
    #[inline(always)]
    fn of_b<S: Simd>(_simd: S, b: S::F, _at: usize) -> S::F {
        b
    }

    /// `x · y + z`: `x` of the left factor.
    fn mul_add<S: Simd>(simd: S, x: S::F, y: S::F, z: S::F) -> S::F;

    /// `x + y`, of sums.
    #[inline(always)]
    fn add<S: Simd>(simd: S, x: S::F, y: S::F) -> S::F {
        simd.add(x, y)
    }

    /// Sums of the lanes of four sums.
    #[inline(always)]
    fn sum4<S: Simd>(simd: S, x: [S::F; 4]) -> [f32; 4] {
        simd.sum4(x)
    }

    /// `x + y`, of sums.
    #[inline(always)]
    fn plus(x: f32, y: f32) -> f32 {
        x + y
    }

    /// The sum of the products of `n` elements that fill no unit.
    ///
    /// # Safety
    /// `a` and `b` are valid for reads of `n` elements.
    #[inline(always)]
    unsafe fn rest(a: *const u8, b: *const u8, n: usize) -> f32 {
        let _ = (a, b);
        unreachable!("a unit of one element leaves none, not {n}")
    }

    /// What sums of products with a row of the left factor start with.
    ///
    /// # Safety
    /// `a` is valid for reads of `k` units.
    #[inline(always)]
    unsafe fn start<S: Simd>(simd: S, a: *const f32, k: usize) -> f32 {
        let _ = (simd, a, k);
        0.0
    }

    /// Entry of the instruction set for tasks over these units.
    #[inline(always)]
    fn run<T: Task>(isa: Isa, task: T) -> T::Out {
        isa.run(task)
    }
}

/// One f32.
pub(super) struct Single;

impl Unit for Single {
    #[inline(always)]
    fn mul_add<S: Simd>(simd: S, x: S::F, y: S::F, z: S::F) -> S::F {
        simd.mul_add(x, y, z)
    }
}

/// One f32, of `b` from memory.
pub(super) struct FromMemory;

impl Unit for FromMemory {
    const IS_FROM_MEMORY: bool = true;

    #[inline(always)]
    fn mul_add<S: Simd>(simd: S, x: S::F, y: S::F, z: S::F) -> S::F {
        simd.mul_add(x, y, z)
    }
}

/// Two bf16, neighbours along k.
pub(super) struct Pair;

impl Unit for Pair {
    const ELEMS: usize = 2;

    #[inline(always)]
    fn mul_add<S: Simd>(simd: S, x: S::F, y: S::F, z: S::F) -> S::F {
        simd.dot_bf16(x, y, z)
    }

    #[inline(always)]
    unsafe fn rest(a: *const u8, b: *const u8, _n: usize) -> f32 {
        // SAFETY: the one element that a unit of two leaves exists in both rows.
        let [a, b] = unsafe { [a.cast::<u16>().read_unaligned(), b.cast::<u16>().read_unaligned()] };
        f32::from_bits(u32::from(a) << 16) * f32::from_bits(u32::from(b) << 16)
    }

    #[inline(always)]
    fn run<T: Task>(isa: Isa, task: T) -> T::Out {
        isa.run_pairs(task)
    }
}

/// One f32 of `a`; of `b` two bf16, neighbours along k, widened in registers by a shift and a mask: packed weights, in half the
/// bytes, and rows in memory.
pub(super) struct Halves;

impl Unit for Halves {
    const PER_B: usize = 2;
    const IS_FROM_MEMORY: bool = true;

    #[inline(always)]
    fn of_b<S: Simd>(simd: S, b: S::F, at: usize) -> S::F {
        if at == 0 { simd.low_half(b) } else { simd.high_half(b) }
    }

    #[inline(always)]
    fn mul_add<S: Simd>(simd: S, x: S::F, y: S::F, z: S::F) -> S::F {
        simd.mul_add(x, y, z)
    }
}

/// Four i8, neighbours along k; sums are 32-bit integers. Bytes of the right factor are without sign, 128 more than they
/// stand for, since that is what instructions multiply; `Σ a · (b + 128) − 128 · Σ a` is the sum. 32 bits wrap around, so
/// that the way there may leave them.
pub(super) struct Quad;

impl Unit for Quad {
    const ELEMS: usize = 4;

    #[inline(always)]
    fn mul_add<S: Simd>(simd: S, x: S::F, y: S::F, z: S::F) -> S::F {
        simd.dot_i8(x, y, z)
    }

    #[inline(always)]
    fn add<S: Simd>(simd: S, x: S::F, y: S::F) -> S::F {
        simd.add_i32(x, y)
    }

    #[inline(always)]
    fn sum4<S: Simd>(simd: S, x: [S::F; 4]) -> [f32; 4] {
        simd.sum4_i32(x).map(|sum| f32::from_bits(sum.cast_unsigned()))
    }

    #[inline(always)]
    unsafe fn rest(a: *const u8, b: *const u8, n: usize) -> f32 {
        let mut sum = 0i32;
        for at in 0..n {
            // SAFETY: the caller's `n` elements exist in both rows.
            let (a, b) = unsafe { ((*a.add(at)).cast_signed(), (*b.add(at)).cast_signed()) };
            sum += i32::from(a) * i32::from(b);
        }
        f32::from_bits(sum.cast_unsigned())
    }

    #[inline(always)]
    fn plus(x: f32, y: f32) -> f32 {
        f32::from_bits(x.to_bits().wrapping_add(y.to_bits()))
    }

    #[inline(always)]
    unsafe fn start<S: Simd>(simd: S, a: *const f32, k: usize) -> f32 {
        let minus_128 = simd.splat(f32::from_bits(0x8080_8080));
        let mut sum = simd.splat(0.0);
        let mut p = 0;
        // Bytes without sign come second: the factor with one is the constant, of which `a` is offset as well.
        let mut n = 0;
        while p < k {
            let lanes = (k - p).min(S::LANES);
            // SAFETY: `lanes` units of the caller's `k` remain.
            let x = unsafe { if lanes == S::LANES { simd.load(a.add(p)) } else { simd.load_first(a.add(p), lanes) } };
            sum = simd.dot_i8(minus_128, simd.offset_bytes(x), sum);
            (p, n) = (p + S::LANES, n + 1);
        }
        // Each of the bytes that were read, zeros at the end among them, is 128 too large.
        let zero = simd.splat(0.0);
        let [sum, ..] = simd.sum4_i32([sum, zero, zero, zero]);
        let excess = (n * S::LANES * Self::ELEMS * (128 * 128)) as i32;
        f32::from_bits(sum.wrapping_add(excess).cast_unsigned())
    }

    #[inline(always)]
    fn run<T: Task>(isa: Isa, task: T) -> T::Out {
        isa.run_integers(task)
    }
}
