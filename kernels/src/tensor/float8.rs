//! 8-bit floats by the conventions of IEEE 754: infinities, NaNs, signed zeros and subnormals as in the wider types.
//!
//! | | exponent, mantissa bits | bias | greatest finite | least normal | least subnormal |
//! |---|---|---|---|---|---|
//! | e4m3 | 4, 3 | 7 | 240 | 2⁻⁶ | 2⁻⁹ |
//! | e5m2 | 5, 2 | 15 | 57344 | 2⁻¹⁴ | 2⁻¹⁶ |
//!
//! Both are StableHLO's `f8E4M3` and `f8E5M2` (openxla/stablehlo, `docs/spec.md`, "Types", 2026). The first is not
//! OCP's e4m3 ("OFP8 Formats", 2023), which has no infinity and reaches 448; the second is OCP's e5m2 too.
//!
//! Conversions round to nearest, ties to even, and never saturate: from half a step beyond the greatest finite value on
//! they give an infinity. A NaN keeps its sign and becomes the quiet one without payload.

/// One of the two number sets.
#[derive(Debug)]
pub(crate) struct Float8 {
    /// Bits of the mantissa that are stored.
    mantissa_bits: u32,
    /// What is added to the exponent where it is stored.
    bias: i32,
    /// The value of each byte; f32 holds all of them.
    values: [f32; 256],
}

/// 4 bits of exponent, 3 of mantissa.
pub(crate) static E4M3: Float8 = Float8::new(3, 7);
/// 5 bits of exponent, 2 of mantissa.
pub(crate) static E5M2: Float8 = Float8::new(2, 15);

const SIGN: u8 = 0x80;

/// Bits of positive infinity: all ones in the exponent, none in the mantissa.
const fn infinity(mantissa_bits: u32) -> u8 {
    !SIGN & !((1 << mantissa_bits) - 1)
}

/// `2^exponent`, which must be a normal number of f32.
const fn power_of_two(exponent: i32) -> f32 {
    f32::from_bits(((exponent + 127) as u32) << 23)
}

impl Float8 {
    const fn new(mantissa_bits: u32, bias: i32) -> Float8 {
        let mut values = [0.0; 256];
        let mut byte = 0;
        while byte < values.len() {
            values[byte] = value(mantissa_bits, bias, byte as u8);
            byte += 1;
        }
        Float8 { mantissa_bits, bias, values }
    }

    /// Bits of positive infinity.
    pub(crate) fn infinity(&self) -> u8 {
        infinity(self.mantissa_bits)
    }

    /// Least positive normal number.
    pub(crate) fn least_normal(&self) -> f64 {
        f64::from(power_of_two(1 - self.bias))
    }

    /// The value of a byte.
    #[inline]
    pub(crate) fn decode(&self, byte: u8) -> f32 {
        self.values[usize::from(byte)]
    }

    /// The byte of the nearest value, ties to even.
    pub(crate) fn encode(&self, x: f64) -> u8 {
        let sign = if x.is_sign_negative() { SIGN } else { 0 };
        let quiet_nan = self.infinity() | 1 << (self.mantissa_bits - 1);
        if x.is_nan() {
            return sign | quiet_nan;
        }
        let size = x.abs();
        // The exponent of f64 as stored; its own subnormals lie far below everything here.
        let exponent = (size.to_bits() >> 52) as i32 - 1023;
        if exponent > self.bias {
            return sign | self.infinity();
        }
        let exponent = exponent.max(1 - self.bias);
        // Scaling by a power of two is exact. Normal numbers count their hidden bit here, and rounding up to the next
        // power of two carries into the exponent as it should, at the greatest one into infinity.
        let scale = f64::from(power_of_two(self.mantissa_bits as i32 - exponent));
        let steps = (size * scale).round_ties_even() as i32;
        let byte = ((exponent + self.bias - 1) << self.mantissa_bits) + steps;
        sign | (byte as u8).min(self.infinity())
    }
}

const fn value(mantissa_bits: u32, bias: i32, byte: u8) -> f32 {
    let (magnitude, infinity) = (byte & !SIGN, infinity(mantissa_bits));
    let (exponent, mantissa) = ((magnitude >> mantissa_bits) as i32, magnitude & !infinity);
    let value = if magnitude > infinity {
        f32::NAN
    } else if magnitude == infinity {
        f32::INFINITY
    } else if exponent == 0 {
        mantissa as f32 * power_of_two(1 - bias - mantissa_bits as i32)
    } else {
        (mantissa + (1 << mantissa_bits)) as f32 * power_of_two(exponent - bias - mantissa_bits as i32)
    };
    if byte & SIGN == 0 { value } else { -value }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SETS: [&Float8; 2] = [&E4M3, &E5M2];

    #[test]
    fn landmarks_are_those_of_the_formats() {
        let at = |set: &Float8, byte: u8| set.decode(byte);
        let e4m3 = [1.0 / 512.0, 7.0 / 512.0, 1.0 / 64.0, 1.0, 240.0, f32::INFINITY];
        assert_eq!([0x01, 0x07, 0x08, 0x38, 0x77, 0x78].map(|byte| at(&E4M3, byte)), e4m3);
        let e5m2 = [1.0 / 65536.0, 3.0 / 65536.0, 1.0 / 16384.0, 1.0, 57344.0, f32::INFINITY];
        assert_eq!([0x01, 0x03, 0x04, 0x3c, 0x7b, 0x7c].map(|byte| at(&E5M2, byte)), e5m2);
        assert_eq!(SETS.map(|set| set.least_normal()), [1.0 / 64.0, 1.0 / 16384.0]);
        assert_eq!(SETS.map(|set| set.values.iter().filter(|x| x.is_nan()).count()), [14, 6]);
    }

    #[test]
    fn every_byte_is_the_encoding_of_its_value() {
        for set in SETS {
            for byte in 0..=u8::MAX {
                let value = f64::from(set.decode(byte));
                let again = set.encode(value);
                let is_nan = byte & !SIGN > set.infinity();
                assert!(
                    if is_nan { again & !SIGN > set.infinity() } else { again == byte },
                    "bias {} {byte:#x}",
                    set.bias
                );
                assert_eq!(value.is_sign_negative(), again & SIGN != 0, "bias {} {byte:#x}", set.bias);
            }
        }
    }

    /// Between two neighbours: the midpoint goes to the even byte, a hair beside it to the nearer one.
    #[test]
    fn midpoints_go_to_the_even_neighbour_and_nothing_saturates() {
        for set in SETS {
            for byte in 0..set.infinity() {
                let low = f64::from(set.decode(byte));
                let next = byte + 1;
                // Beyond the greatest finite value the step goes on as it was.
                let high = if next < set.infinity() {
                    f64::from(set.decode(next))
                } else {
                    2.0 * low - f64::from(set.decode(byte - 1))
                };
                let middle = (low + high) / 2.0;
                let even = if byte % 2 == 0 { byte } else { next };
                assert_eq!(set.encode(middle), even, "bias {}: {middle}", set.bias);
                assert_eq!(set.encode(middle * (1.0 - 1e-12)), byte, "bias {}: below {middle}", set.bias);
                assert_eq!(set.encode(middle * (1.0 + 1e-12)), next, "bias {}: above {middle}", set.bias);
                assert_eq!(set.encode(-middle), SIGN | even, "bias {}: {}", set.bias, -middle);
            }
            assert_eq!([1e30, f64::MAX, f64::INFINITY].map(|x| set.encode(x)), [set.infinity(); 3]);
            assert_eq!([5e-324, 1e-30, -1e-30].map(|x| set.encode(x)), [0, 0, SIGN]);
        }
    }
}
