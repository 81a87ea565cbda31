//! Each instruction set's leaves against plain arithmetic.

use half::{bf16, f16};

use super::{EXP2_ERROR, FUNCTION_ERROR, Simd};
use crate::backend::cpu::isa::{Isa, Task};

fn on_every_isa(check: impl Fn(Isa)) {
    for isa in Isa::available() {
        println!("{isa}");
        check(isa);
    }
}

/// A vector operation on the first LANES of two arrays.
struct Zip<F>(F, [f32; 16], [f32; 16]);

trait Pair {
    fn of<S: Simd>(&self, simd: S, x: S::F, y: S::F) -> S::F;
}

impl<F: Pair> Task for Zip<F> {
    type Out = Vec<f32>;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Vec<f32> {
        // SAFETY: arrays of 16 ≥ LANES.
        let (x, y) = unsafe { (simd.load(self.1.as_ptr()), simd.load(self.2.as_ptr())) };
        simd.to_array(self.0.of(simd, x, y))[..S::LANES].to_vec()
    }
}

struct Exp2;

impl Pair for Exp2 {
    #[inline(always)]
    fn of<S: Simd>(&self, simd: S, x: S::F, _: S::F) -> S::F {
        simd.exp2(x)
    }
}

#[test]
fn exp2_keeps_its_bound_and_is_zero_at_minus_infinity() {
    on_every_isa(|isa| {
        for step in 0..40_000 {
            let x: [f32; 16] = std::array::from_fn(|i| -125.9 + (step * 16 + i) as f32 * 3.94e-4);
            for (x, got) in x.iter().zip(isa.run(Zip(Exp2, x, [0.0; 16]))) {
                let exact = f64::from(*x).exp2();
                let error = (f64::from(got) - exact).abs() / exact;
                assert!(error <= EXP2_ERROR, "{isa}: exp2({x}) = {got}, off by {error:e} of {EXP2_ERROR:e}");
            }
        }
        let ends = [f32::NEG_INFINITY, f32::MIN, -1e4, -0.0, f32::INFINITY, 1.0, 128.5, 1e30];
        let x: [f32; 16] = std::array::from_fn(|i| ends[i % 8]);
        let got = isa.run(Zip(Exp2, x, x));
        assert_eq!(got[..8], [0.0, 0.0, 0.0, 1.0, f32::INFINITY, 2.0, f32::INFINITY, f32::INFINITY], "{isa}");
    });
}

#[test]
fn the_platforms_tanh_and_log2_keep_their_bound() {
    let within = |name: &str, x: f32, got: f32, exact: f64| {
        let error = (f64::from(got) - exact).abs() / exact.abs();
        assert!(error <= FUNCTION_ERROR, "{name}({x}) = {got}, off by {error:e} of {FUNCTION_ERROR:e}");
    };
    for step in 1..400_000 {
        // From 2^-40 to 2^40, so that log2 comes as close to 0 as f32 allows and tanh reaches 1.
        let x = ((step as f32) * 2e-4 - 40.0).exp2();
        within("tanh", x, x.tanh(), f64::from(x).tanh());
        if x != 1.0 {
            within("log2", x, x.log2(), f64::from(x).log2());
        }
    }
}

struct Dot;

impl Pair for Dot {
    #[inline(always)]
    fn of<S: Simd>(&self, simd: S, x: S::F, y: S::F) -> S::F {
        simd.dot_bf16(x, y, simd.splat(0.5))
    }
}

#[test]
fn bf16_pairs_multiply_low_with_low_and_high_with_high() {
    let unit = |low: f32, high: f32| {
        let (low, high) = (bf16::from_f32(low).to_bits(), bf16::from_f32(high).to_bits());
        f32::from_bits(u32::from(low) | u32::from(high) << 16)
    };
    on_every_isa(|isa| {
        let x = std::array::from_fn(|i| unit(i as f32, 2.0));
        let y = std::array::from_fn(|i| unit(3.0, i as f32 - 8.0));
        let by_instruction = isa.dots_bf16().then(|| isa.run_pairs(Zip(Dot, x, y)));
        for got in std::iter::once(isa.run(Zip(Dot, x, y))).chain(by_instruction) {
            for (i, got) in got.into_iter().enumerate() {
                assert_eq!(got, 0.5 + 3.0 * i as f32 + 2.0 * (i as f32 - 8.0), "{isa} lane {i}");
            }
        }
    });
}

struct Conversions;

impl Task for Conversions {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        // Halfway cases, subnormals, the largest numbers, infinities and NaN.
        let values = [
            1.0 + 1.0 / 256.0,
            1.0 + 3.0 / 256.0,
            1.0 + 1.0 / 2048.0,
            -1.0 - 3.0 / 2048.0,
            1e-40,
            -6e-8,
            65_519.0,
            65_520.0,
            3.4e38,
            f32::MAX,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::NAN,
            0.0,
            -0.0,
            0.1,
        ];
        let mut bits = [0u16; 16];
        for chunk in values.chunks(S::LANES) {
            // SAFETY: chunks of LANES elements, since LANES divides 16; `bits` holds as many.
            unsafe { simd.store_bf16(bits.as_mut_ptr(), simd.load(chunk.as_ptr())) };
            for (x, bits) in chunk.iter().zip(bits) {
                let (got, expected) = (bf16::from_bits(bits), bf16::from_f32(*x));
                assert!(got == expected || got.is_nan() && expected.is_nan(), "bf16 of {x}: {got} for {expected}");
            }
            // SAFETY: as above.
            unsafe { simd.store_f16(bits.as_mut_ptr(), simd.load(chunk.as_ptr())) };
            for (x, bits) in chunk.iter().zip(bits) {
                let (got, expected) = (f16::from_bits(bits), f16::from_f32(*x));
                assert!(got == expected || got.is_nan() && expected.is_nan(), "f16 of {x}: {got} for {expected}");
            }
        }
        let (ones, twos): ([u16; 16], [u16; 16]) = ([0x3f80; 16], std::array::from_fn(|i| 0x4000 + i as u16));
        // SAFETY: arrays of 16 ≥ LANES.
        let mixed = unsafe { simd.interleave_u16(ones.as_ptr(), twos.as_ptr()) };
        for (i, unit) in simd.to_array(mixed)[..S::LANES].iter().enumerate() {
            assert_eq!(unit.to_bits(), 0x3f80 | (0x4000 + i as u32) << 16);
        }
    }
}

#[test]
fn conversions_round_to_nearest_even() {
    on_every_isa(|isa| isa.run(Conversions));
}

/// Two numbers rounded to a pair of bf16.
struct Pairs([f32; 16], [f32; 16]);

impl Task for Pairs {
    type Out = Vec<f32>;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Vec<f32> {
        // SAFETY: arrays of 16 ≥ LANES.
        let [low, high] = unsafe { [simd.load(self.0.as_ptr()), simd.load(self.1.as_ptr())] };
        simd.to_array(simd.pair_bf16(low, high))[..S::LANES].to_vec()
    }
}

#[test]
fn pairs_are_rounded_to_nearest_even() {
    let low = std::array::from_fn(|i| 1.0 + (2 * i + 1) as f32 / 256.0);
    let high = std::array::from_fn(|i| -3e38 * (1.0 + i as f32 / 2048.0));
    on_every_isa(|isa| {
        for got in [isa.run(Pairs(low, high)), isa.run_roundings(Pairs(low, high))] {
            for (i, unit) in got.into_iter().enumerate() {
                let expected = [low[i], high[i]].map(|x| u32::from(bf16::from_f32(x).to_bits()));
                assert_eq!(unit.to_bits(), expected[0] | expected[1] << 16, "{isa} lane {i}");
            }
        }
    });
}

struct Transposes;

impl Task for Transposes {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        const STRIDES: (usize, usize) = (19, 37);
        let src: Vec<f32> = (0..16 * STRIDES.0).map(|i| i as f32).collect();
        let mut dst = vec![-1.0; 16 * STRIDES.1];
        // SAFETY: 16 ≥ LANES rows of at least 16 ≥ LANES elements each.
        unsafe { simd.transpose(src.as_ptr(), STRIDES.0, dst.as_mut_ptr(), STRIDES.1) };
        for (i, x) in dst.iter().enumerate() {
            let (row, col) = (i / STRIDES.1, i % STRIDES.1);
            let inside = row < S::LANES && col < S::LANES;
            assert_eq!(*x, if inside { src[col * STRIDES.0 + row] } else { -1.0 }, "row {row}, column {col}");
        }
    }
}

#[test]
fn transposes_write_their_square_and_nothing_else() {
    on_every_isa(|isa| isa.run(Transposes));
}

struct Folds;

impl Task for Folds {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let values: [f32; 16] = std::array::from_fn(|i| [3.0, -7.0, 5.0, 11.0, 0.0, 2.0, -1.0, 4.0][i % 8]);
        // SAFETY: an array of 16 ≥ LANES.
        let x = unsafe { simd.load(values.as_ptr()) };
        let lanes = &values[..S::LANES];
        assert_eq!(simd.sum(x), lanes.iter().sum::<f32>());
        assert_eq!(simd.max_lane(x), 11.0);
        let (one, two) = (simd.splat(1.0), simd.splat(2.0));
        let n = S::LANES as f32;
        assert_eq!(simd.sum4([one, x, two, simd.add(x, one)]), [n, simd.sum(x), 2.0 * n, simd.sum(x) + n]);
        let mut many = [simd.splat(0.0); 16];
        for (i, vector) in many.iter_mut().enumerate() {
            *vector = simd.mul(x, simd.splat(i as f32));
        }
        assert_eq!(simd.sum16(many), many.map(|vector| simd.sum(vector)), "small integers add up in any order");
        let sum_of = |x| simd.to_array(x)[..S::LANES].to_vec();
        assert_eq!(sum_of(simd.round(simd.splat(2.5))), vec![2.0; S::LANES]);
        for n in 0..=S::LANES {
            // SAFETY: `n ≤ LANES ≤ 16` elements.
            let first = unsafe { simd.load_first(values.as_ptr(), n) };
            let expected: Vec<f32> = (0..S::LANES).map(|i| if i < n { values[i] } else { 0.0 }).collect();
            assert_eq!(sum_of(first), expected, "first {n}");
            let mut out = [-1.0f32; 16];
            // SAFETY: as above.
            unsafe { simd.store_first(out.as_mut_ptr(), x, n) };
            assert!(out[..n] == values[..n] && out[n..].iter().all(|x| *x == -1.0), "first {n}");
        }
    }
}

#[test]
fn folds_and_partial_vectors_touch_their_lanes_alone() {
    on_every_isa(|isa| isa.run(Folds));
}

/// Quads in 16 lanes: those of `x` with sign, those of `y` without.
fn quads(at: impl Fn(usize, usize) -> u8) -> [f32; 16] {
    std::array::from_fn(|lane| f32::from_bits(u32::from_le_bytes(std::array::from_fn(|byte| at(lane, byte)))))
}

struct DotI8;

impl Pair for DotI8 {
    #[inline(always)]
    fn of<S: Simd>(&self, simd: S, x: S::F, y: S::F) -> S::F {
        let start = simd.splat(f32::from_bits(7));
        simd.dot_i8(x, y, start)
    }
}

#[test]
fn sums_of_bytes_are_exact_to_the_ends_of_their_ranges() {
    // Four products of the ends leave 16 bits: an instruction that saturates there would show.
    let signed = [-128i8, 127, -1, 0, 1, -77];
    let unsigned = [255u8, 0, 128, 1, 254, 99];
    on_every_isa(|isa| {
        for turn in 0..36 {
            let x = quads(|lane, byte| signed[(lane + byte * (turn % 6)) % 6].cast_unsigned());
            let y = quads(|lane, byte| unsigned[(lane * (turn / 6) + byte) % 6]);
            let expected: Vec<i32> = x
                .iter()
                .zip(&y)
                .map(|(x, y)| {
                    let (x, y) = (x.to_bits().to_le_bytes(), y.to_bits().to_le_bytes());
                    7 + x.iter().zip(y).map(|(x, y)| i32::from(x.cast_signed()) * i32::from(y)).sum::<i32>()
                })
                .collect();
            for got in [isa.run(Zip(DotI8, x, y)), isa.run_integers(Zip(DotI8, x, y))] {
                let got: Vec<i32> = got.iter().map(|sum| sum.to_bits().cast_signed()).collect();
                assert_eq!(got, expected[..got.len()], "{isa}");
            }
        }
    });
}

struct OfIntegers;

impl Pair for OfIntegers {
    /// Lane 0: the sum of all lanes of both; the others as f32.
    #[inline(always)]
    fn of<S: Simd>(&self, simd: S, x: S::F, y: S::F) -> S::F {
        let zero = simd.splat(0.0);
        let [both, first, second, none] = simd.sum4_i32([simd.add_i32(x, y), x, y, zero]);
        assert_eq!((both, none), (first.wrapping_add(second), 0));
        let mut lanes = simd.to_array(simd.convert_i32(x));
        lanes[0] = f32::from_bits(both.cast_unsigned());
        // SAFETY: the array holds 16 ≥ LANES elements.
        unsafe { simd.load(lanes.as_ptr()) }
    }
}

#[test]
fn integers_add_up_wrap_around_and_become_the_nearest_f32() {
    let integers = |first: i32, step: i32| -> [f32; 16] {
        std::array::from_fn(|lane| f32::from_bits(first.wrapping_add(step.wrapping_mul(lane as i32)).cast_unsigned()))
    };
    on_every_isa(|isa| {
        let (x, y) = (integers(i32::MAX - 5, 0x0123_4567), integers(-3, 0x0765_4321));
        let got = isa.run(Zip(OfIntegers, x, y));
        let bits = |of: &[f32]| of.iter().map(|x| x.to_bits().cast_signed()).collect::<Vec<i32>>();
        let (x, y) = (bits(&x[..got.len()]), bits(&y[..got.len()]));
        let sum = x.iter().chain(&y).fold(0i32, |sum, x| sum.wrapping_add(*x));
        assert_eq!(got[0].to_bits().cast_signed(), sum, "{isa}");
        assert!(got.iter().zip(&x).skip(1).all(|(got, x)| *got == *x as f32), "{isa}");
    });
}

struct Interleaved([*const u8; 4]);

impl Task for Interleaved {
    type Out = Vec<u32>;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Vec<u32> {
        // SAFETY: the test's rows hold 16 ≥ LANES bytes.
        let units = simd.offset_bytes(unsafe { simd.interleave_u8(self.0) });
        simd.to_array(units)[..S::LANES].iter().map(|unit| unit.to_bits()).collect()
    }
}

#[test]
fn four_rows_of_bytes_become_units_without_sign() {
    let rows: [[u8; 16]; 4] = std::array::from_fn(|row| std::array::from_fn(|lane| (61 * row + 17 * lane) as u8));
    on_every_isa(|isa| {
        let units = isa.run(Interleaved(rows.each_ref().map(|row| row.as_ptr())));
        for (lane, unit) in units.iter().enumerate() {
            assert_eq!(unit.to_le_bytes(), rows.map(|row| row[lane] ^ 0x80), "{isa} lane {lane}");
        }
    });
}

struct LoadHalves([u8; 16]);

impl Task for LoadHalves {
    type Out = (Vec<f32>, Vec<f32>);

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> (Vec<f32>, Vec<f32>) {
        // SAFETY: 16 ≥ LANES bytes.
        let (low, high) = unsafe { simd.load_halves(self.0.as_ptr()) };
        (simd.to_array(low)[..S::LANES].to_vec(), simd.to_array(high)[..S::LANES].to_vec())
    }
}

#[test]
fn every_half_of_a_byte_is_eight_more_than_it_stands_for() {
    on_every_isa(|isa| {
        for first in (0..256).step_by(16) {
            let bytes: [u8; 16] = std::array::from_fn(|lane| (first + lane) as u8);
            let (low, high) = isa.run(LoadHalves(bytes));
            for (lane, halves) in low.iter().zip(&high).enumerate() {
                let byte = bytes[lane];
                assert_eq!((*halves.0, *halves.1), (f32::from(byte & 15) - 8.0, f32::from(byte >> 4) - 8.0), "{isa}");
            }
        }
    });
}

struct ByTurns([f32; 16], [f32; 16]);

impl Task for ByTurns {
    type Out = Vec<f32>;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Vec<f32> {
        // SAFETY: arrays of 16 ≥ LANES.
        let (x, y) = unsafe { (simd.load(self.0.as_ptr()), simd.load(self.1.as_ptr())) };
        let (first, second) = simd.interleave(x, y);
        [first, second].into_iter().flat_map(|part| simd.to_array(part).into_iter().take(S::LANES)).collect()
    }
}

#[test]
fn lanes_come_by_turns() {
    on_every_isa(|isa| {
        let turns = isa.run(ByTurns(std::array::from_fn(|i| i as f32), std::array::from_fn(|i| i as f32 + 0.5)));
        let expected: Vec<f32> = (0..turns.len()).map(|i| i as f32 / 2.0).collect();
        assert_eq!(turns, expected, "{isa}");
    });
}
