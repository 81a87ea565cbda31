//! Plain loops over eight lanes, which any compiler vectorises for the architecture's baseline.

use half::f16;

use super::Simd;

/// Needs nothing of the CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portable;

const LANES: usize = 8;

#[inline(always)]
fn zip(x: [f32; LANES], y: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> [f32; LANES] {
    std::array::from_fn(|i| f(x[i], y[i]))
}

impl Simd for Portable {
    type F = [f32; LANES];

    const LANES: usize = LANES;
    const REGISTERS: usize = 16;
    // 4 × 2 vectors of 8 fill the sixteen 128-bit registers that every 64-bit x86 and half of those that ARM has.
    const MR: usize = 4;

    #[inline(always)]
    fn splat(self, x: f32) -> Self::F {
        [x; LANES]
    }

    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> Self::F {
        // SAFETY: the caller's `LANES` elements are readable.
        unsafe { p.cast::<[f32; LANES]>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn store(self, p: *mut f32, x: Self::F) {
        // SAFETY: the caller's `LANES` elements are writable.
        unsafe { p.cast::<[f32; LANES]>().write_unaligned(x) }
    }

    #[inline(always)]
    unsafe fn load_bf16(self, p: *const u16) -> Self::F {
        // SAFETY: the caller's `LANES` elements are readable.
        let bits = unsafe { p.cast::<[u16; LANES]>().read_unaligned() };
        bits.map(|b| f32::from_bits(u32::from(b) << 16))
    }

    #[inline(always)]
    unsafe fn load_i8(self, p: *const u8) -> Self::F {
        // SAFETY: the caller's `LANES` bytes are readable.
        let bytes = unsafe { p.cast::<[u8; LANES]>().read_unaligned() };
        bytes.map(|b| f32::from(b.cast_signed()))
    }

    #[inline(always)]
    unsafe fn load_f16(self, p: *const u16) -> Self::F {
        // SAFETY: the caller's `LANES` elements are readable.
        let bits = unsafe { p.cast::<[u16; LANES]>().read_unaligned() };
        bits.map(|b| f16::from_bits(b).to_f32())
    }

    #[inline(always)]
    fn add(self, x: Self::F, y: Self::F) -> Self::F {
        zip(x, y, |x, y| x + y)
    }

    #[inline(always)]
    fn sub(self, x: Self::F, y: Self::F) -> Self::F {
        zip(x, y, |x, y| x - y)
    }

    #[inline(always)]
    fn mul(self, x: Self::F, y: Self::F) -> Self::F {
        zip(x, y, |x, y| x * y)
    }

    #[inline(always)]
    fn div(self, x: Self::F, y: Self::F) -> Self::F {
        zip(x, y, |x, y| x / y)
    }

    #[inline(always)]
    fn max(self, x: Self::F, y: Self::F) -> Self::F {
        zip(x, y, |x, y| if x > y { x } else { y })
    }

    #[inline(always)]
    fn min(self, x: Self::F, y: Self::F) -> Self::F {
        zip(x, y, |x, y| if x < y { x } else { y })
    }

    #[inline(always)]
    fn sqrt(self, x: Self::F) -> Self::F {
        x.map(f32::sqrt)
    }

    #[inline(always)]
    fn mul_add(self, x: Self::F, y: Self::F, z: Self::F) -> Self::F {
        // Without an instruction for it, `f32::mul_add` is a library call.
        if cfg!(target_arch = "aarch64") {
            std::array::from_fn(|i| x[i].mul_add(y[i], z[i]))
        } else {
            std::array::from_fn(|i| x[i] * y[i] + z[i])
        }
    }

    #[inline(always)]
    fn round(self, x: Self::F) -> Self::F {
        // Adding and taking away 1.5 · 2^23 leaves no bits below 1: exact for |x| < 2^22, and arguments are below 256.
        const MAGIC: f32 = 12_582_912.0;
        x.map(|x| (x + MAGIC) - MAGIC)
    }

    #[inline(always)]
    fn scale_by_exp2(self, x: Self::F, n: Self::F) -> Self::F {
        zip(x, n, |x, n| {
            // Two factors, since n may lie outside the exponents of normal numbers.
            let n = n as i32;
            let half = n >> 1;
            let power = |n: i32| f32::from_bits(((n + 127) << 23) as u32);
            x * power(half) * power(n - half)
        })
    }

    #[inline(always)]
    fn low_half(self, x: Self::F) -> Self::F {
        x.map(|x| f32::from_bits(x.to_bits() << 16))
    }

    #[inline(always)]
    fn high_half(self, x: Self::F) -> Self::F {
        x.map(|x| f32::from_bits(x.to_bits() & 0xffff_0000))
    }

    #[inline(always)]
    fn dot_bf16(self, x: Self::F, y: Self::F, z: Self::F) -> Self::F {
        let (x_low, y_low) = (self.low_half(x), self.low_half(y));
        let (x_high, y_high) = (self.high_half(x), self.high_half(y));
        std::array::from_fn(|i| z[i] + x_low[i] * y_low[i] + x_high[i] * y_high[i])
    }

    #[inline(always)]
    fn dot_i8(self, x: Self::F, y: Self::F, z: Self::F) -> Self::F {
        std::array::from_fn(|i| {
            let (x, y) = (x[i].to_bits().to_le_bytes(), y[i].to_bits().to_le_bytes());
            let product = |at: usize| i32::from(x[at].cast_signed()) * i32::from(y[at]);
            let sum = product(0) + product(1) + product(2) + product(3);
            f32::from_bits(z[i].to_bits().cast_signed().wrapping_add(sum).cast_unsigned())
        })
    }

    #[inline(always)]
    fn add_i32(self, x: Self::F, y: Self::F) -> Self::F {
        std::array::from_fn(|i| f32::from_bits(x[i].to_bits().wrapping_add(y[i].to_bits())))
    }

    #[inline(always)]
    fn convert_i32(self, x: Self::F) -> Self::F {
        std::array::from_fn(|i| x[i].to_bits().cast_signed() as f32)
    }

    #[inline(always)]
    fn offset_bytes(self, x: Self::F) -> Self::F {
        std::array::from_fn(|i| f32::from_bits(x[i].to_bits() ^ 0x8080_8080))
    }

    #[inline(always)]
    unsafe fn interleave_u16(self, low: *const u16, high: *const u16) -> Self::F {
        // SAFETY: the caller's `LANES` elements are readable.
        let low = unsafe { low.cast::<[u16; LANES]>().read_unaligned() };
        // SAFETY: the caller's `LANES` elements are readable.
        let high = unsafe { high.cast::<[u16; LANES]>().read_unaligned() };
        std::array::from_fn(|i| f32::from_bits(u32::from(low[i]) | u32::from(high[i]) << 16))
    }
}
