//! How many bits a number of a model takes.

use crate::units::Bytes;
use farthing_kernels::DType;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A number format of weights, activations or a KV cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// IEEE binary32.
    F32,
    /// IEEE binary16.
    F16,
    /// bfloat16.
    Bf16,
    /// Eight-bit floats (E4M3 or E5M2), one scale a channel or a larger block: too few bits to count.
    Fp8,
    /// Eight-bit integers, one scale a channel: too few bits to count.
    Int8,
    /// Four-bit integers in groups of 32 with an f16 scale (GPTQ, AWQ; no zero point).
    Int4,
    /// Four-bit floats in blocks of 16 with an fp8 scale (NVIDIA Blackwell).
    Nvfp4,
    /// Four-bit floats in blocks of 32 with an 8-bit exponent (OCP Microscaling Formats 1.0, 2023).
    Mxfp4,
}

impl Precision {
    /// Every precision, widest first.
    pub const ALL: [Precision; 8] = [
        Precision::F32,
        Precision::F16,
        Precision::Bf16,
        Precision::Fp8,
        Precision::Int8,
        Precision::Int4,
        Precision::Nvfp4,
        Precision::Mxfp4,
    ];

    /// Bits that one number takes, with its part of its block's scale.
    pub const fn bits_per_weight(self) -> f64 {
        match self {
            Precision::F32 => 32.0,
            Precision::F16 | Precision::Bf16 => 16.0,
            Precision::Fp8 | Precision::Int8 => 8.0,
            Precision::Int4 => 4.0 + 16.0 / 32.0,
            Precision::Nvfp4 => 4.0 + 8.0 / 16.0,
            Precision::Mxfp4 => 4.0 + 8.0 / 32.0,
        }
    }

    /// The kernels' element type of the same numbers, if they have it; of the two 8-bit floats that of weights.
    pub const fn dtype(self) -> Option<DType> {
        match self {
            Precision::F32 => Some(DType::F32),
            Precision::F16 => Some(DType::F16),
            Precision::Bf16 => Some(DType::Bf16),
            Precision::Fp8 => Some(DType::F8E4M3),
            _ => None,
        }
    }

    /// Bytes that so many numbers take.
    pub fn bytes_of(self, elems: f64) -> Bytes {
        Bytes(elems * self.bits_per_weight() / 8.0)
    }
}

/// Sums of 8-bit integers count as theirs, and 4-bit integers without their scales, which are an operand of their own.
impl From<DType> for Precision {
    fn from(dtype: DType) -> Precision {
        match dtype {
            DType::F32 => Precision::F32,
            DType::F16 => Precision::F16,
            DType::Bf16 => Precision::Bf16,
            DType::F8E4M3 | DType::F8E5M2 => Precision::Fp8,
            DType::I8 | DType::I32 => Precision::Int8,
            DType::I4x2 => Precision::Int4,
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Precision::F32 => "f32",
            Precision::F16 => "f16",
            Precision::Bf16 => "bf16",
            Precision::Fp8 => "fp8",
            Precision::Int8 => "int8",
            Precision::Int4 => "int4",
            Precision::Nvfp4 => "nvfp4",
            Precision::Mxfp4 => "mxfp4",
        })
    }
}

/// A word that names no precision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown precision `{0}`; known: {known}", known = Precision::ALL.map(|known| known.to_string()).join(", "))]
pub struct UnknownPrecision(pub String);

impl FromStr for Precision {
    type Err = UnknownPrecision;

    fn from_str(s: &str) -> Result<Self, UnknownPrecision> {
        Precision::ALL.into_iter().find(|known| known.to_string() == s).ok_or_else(|| UnknownPrecision(s.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_pay_for_their_scales() {
        // 16 four-bit floats and an 8-bit scale: 72 bits; 32 of them and an 8-bit scale: 136; 32 integers and 16: 144.
        assert_eq!(Precision::Nvfp4.bytes_of(16.0), Bytes(9.0));
        assert_eq!(Precision::Mxfp4.bytes_of(32.0), Bytes(17.0));
        assert_eq!(Precision::Int4.bytes_of(32.0), Bytes(18.0));
    }

    #[test]
    fn a_kernels_element_type_keeps_its_size() {
        for dtype in DType::FLOATS.into_iter().chain([DType::I8]) {
            assert_eq!(Precision::from(dtype).bytes_of(1.0), Bytes(dtype.size_bytes() as f64));
        }
    }

    #[test]
    fn names_round_trip_in_text_and_json_and_unknown_ones_are_named() {
        for precision in Precision::ALL {
            assert_eq!(precision.to_string().parse(), Ok(precision));
            assert_eq!(serde_json::to_value(precision).expect("a name"), precision.to_string());
        }
        let error = "fp16".parse::<Precision>().expect_err("unknown").to_string();
        assert_eq!(error, "unknown precision `fp16`; known: f32, f16, bf16, fp8, int8, int4, nvfp4, mxfp4");
    }
}
