//! Element types, and tensors as bytes with a shape.

use half::{bf16, f16};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

use float8::{E4M3, E5M2};

pub(crate) mod float8;

/// Element type of an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DType {
    /// IEEE binary32.
    F32,
    /// IEEE binary16.
    F16,
    /// bfloat16: the upper half of a binary32.
    Bf16,
    /// 8 bits, 4 of them exponent, by IEEE's conventions: infinities, subnormals, up to 240. StableHLO's `f8E4M3`.
    F8E4M3,
    /// 8 bits, 5 of them exponent, by IEEE's conventions: infinities, subnormals, up to 57344. StableHLO's `f8E5M2`.
    F8E5M2,
    /// 32-bit integer: sums of products of [`DType::I8`].
    I32,
    /// 8-bit integer, two's complement.
    I8,
    /// A byte of two 4-bit integers, each 8 more than it stands for: weights, see [`crate::program::Op::Dequantise`]. By itself
    /// an element is the byte.
    I4x2,
}

impl DType {
    /// Every element type, widest first.
    pub const ALL: [DType; 8] =
        [DType::F32, DType::I32, DType::F16, DType::Bf16, DType::F8E4M3, DType::F8E5M2, DType::I8, DType::I4x2];

    /// The floating-point types, widest first: what arithmetic and attention take.
    pub const FLOATS: [DType; 5] = [DType::F32, DType::F16, DType::Bf16, DType::F8E4M3, DType::F8E5M2];

    /// Whether elements are integers: their products and sums are exact.
    pub const fn is_integer(self) -> bool {
        matches!(self, DType::I32 | DType::I8 | DType::I4x2)
    }

    /// Bytes an element takes.
    pub const fn size_bytes(self) -> usize {
        match self {
            DType::F32 | DType::I32 => 4,
            DType::F16 | DType::Bf16 => 2,
            DType::F8E4M3 | DType::F8E5M2 | DType::I8 | DType::I4x2 => 1,
        }
    }

    /// Unit roundoff `u` of round-to-nearest in this type; 0 of integers, which hold what they are given or not at all.
    pub const fn unit_roundoff(self) -> f64 {
        match self {
            DType::F32 => 1.0 / (1u64 << 24) as f64,
            DType::F16 => 1.0 / (1u64 << 11) as f64,
            DType::Bf16 => 1.0 / (1u64 << 8) as f64,
            DType::F8E4M3 => 1.0 / (1u64 << 4) as f64,
            DType::F8E5M2 => 1.0 / (1u64 << 3) as f64,
            DType::I32 | DType::I8 | DType::I4x2 => 0.0,
        }
    }

    /// The nearest value of this type, ties to even; of integers the end of their range beyond it.
    pub fn round(self, x: f64) -> f64 {
        match self {
            DType::F32 => f64::from(x as f32),
            DType::F16 => f16::from_f64(x).to_f64(),
            DType::Bf16 => bf16::from_f64(x).to_f64(),
            DType::F8E4M3 => f64::from(E4M3.decode(E4M3.encode(x))),
            DType::F8E5M2 => f64::from(E5M2.decode(E5M2.encode(x))),
            DType::I32 => f64::from(x.round_ties_even() as i32),
            DType::I8 => f64::from(x.round_ties_even() as i8),
            DType::I4x2 => f64::from(x.round_ties_even() as u8),
        }
    }

    /// Encodes values as little-endian bytes of this type, rounding to nearest even.
    pub fn encode(self, values: &[f64]) -> Vec<u8> {
        match self {
            DType::F32 => values.iter().flat_map(|&x| (x as f32).to_le_bytes()).collect(),
            DType::F16 => values.iter().flat_map(|&x| f16::from_f64(x).to_le_bytes()).collect(),
            DType::Bf16 => values.iter().flat_map(|&x| bf16::from_f64(x).to_le_bytes()).collect(),
            DType::F8E4M3 => values.iter().map(|&x| E4M3.encode(x)).collect(),
            DType::F8E5M2 => values.iter().map(|&x| E5M2.encode(x)).collect(),
            DType::I32 => values.iter().flat_map(|&x| (x.round_ties_even() as i32).to_le_bytes()).collect(),
            DType::I8 => values.iter().flat_map(|&x| (x.round_ties_even() as i8).to_le_bytes()).collect(),
            DType::I4x2 => values.iter().map(|&x| x.round_ties_even() as u8).collect(),
        }
    }

    /// Decodes little-endian bytes of this type.
    ///
    /// # Panics
    /// When `bytes` is not a whole number of elements.
    pub fn decode(self, bytes: &[u8]) -> Vec<f64> {
        assert_eq!(bytes.len() % self.size_bytes(), 0, "a whole number of {self} elements");
        match self {
            DType::F32 => {
                bytes.chunks_exact(4).map(|b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]))).collect()
            }
            DType::F16 => bytes.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f64()).collect(),
            DType::Bf16 => bytes.chunks_exact(2).map(|b| bf16::from_le_bytes([b[0], b[1]]).to_f64()).collect(),
            DType::F8E4M3 => bytes.iter().map(|&b| f64::from(E4M3.decode(b))).collect(),
            DType::F8E5M2 => bytes.iter().map(|&b| f64::from(E5M2.decode(b))).collect(),
            DType::I32 => {
                bytes.chunks_exact(4).map(|b| f64::from(i32::from_le_bytes([b[0], b[1], b[2], b[3]]))).collect()
            }
            DType::I8 => bytes.iter().map(|&b| f64::from(b.cast_signed())).collect(),
            DType::I4x2 => bytes.iter().map(|&b| f64::from(b)).collect(),
        }
    }
}

/// What the low half (0) or the high one (1) of a byte of [`DType::I4x2`] stands for.
pub(crate) fn half_of(byte: u8, high: usize) -> f64 {
    f64::from(byte >> (4 * high) & 15) - 8.0
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            DType::F32 => "f32",
            DType::F16 => "f16",
            DType::Bf16 => "bf16",
            DType::F8E4M3 => "f8e4m3",
            DType::F8E5M2 => "f8e5m2",
            DType::I32 => "i32",
            DType::I8 => "i8",
            DType::I4x2 => "i4x2",
        })
    }
}

/// A word that names no element type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown dtype `{0}`; known: f32, i32, f16, bf16, f8e4m3, f8e5m2, i8, i4x2")]
pub struct UnknownDType(pub String);

impl FromStr for DType {
    type Err = UnknownDType;

    fn from_str(s: &str) -> Result<Self, UnknownDType> {
        DType::ALL.into_iter().find(|d| d.to_string() == s).ok_or_else(|| UnknownDType(s.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_then_decoding_rounds_once() {
        let values = [0.0, -1.5, 1.0 + 1.0 / 512.0, 3.0e4, f64::INFINITY];
        for dtype in DType::ALL {
            let rounded: Vec<f64> = values.iter().map(|&x| dtype.round(x)).collect();
            assert_eq!(dtype.decode(&dtype.encode(&values)), rounded, "{dtype}");
        }
    }

    #[test]
    fn names_round_trip_and_unknown_ones_are_named() {
        for dtype in DType::ALL {
            assert_eq!(dtype.to_string().parse(), Ok(dtype));
        }
        assert_eq!("f8".parse::<DType>(), Err(UnknownDType("f8".into())));
        assert!(DType::ALL.iter().all(|d| UnknownDType("f8".into()).to_string().contains(&d.to_string())));
    }
}
