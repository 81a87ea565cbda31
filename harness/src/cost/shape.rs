//! Sizes of the two operations, their work, and their reading from a row.

use super::error::CostError;
use crate::record::Row;
use crate::units::{Bytes, Flops};
use farthing_kernels::DType;
use std::fmt;

/// `c[m, n] = a[m, k] · b[k, n]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MatmulShape {
    /// Rows of the result: tokens in a serving step.
    pub m: f64,
    /// Columns of the result.
    pub n: f64,
    /// Length of the sum.
    pub k: f64,
}

impl MatmulShape {
    /// `2·m·n·k`.
    pub fn flops(&self) -> Flops {
        Flops(2.0 * self.m * self.n * self.k)
    }

    /// Each operand once: `(m·k + k·n + m·n) · size`.
    pub fn bytes(&self, dtype: DType) -> Bytes {
        let elems = self.m * self.k + self.k * self.n + self.m * self.n;
        Bytes(elems * dtype.size_bytes() as f64)
    }

    /// Reads a row's `MxNxK`.
    ///
    /// # Errors
    /// [`CostError::Malformed`] naming the row.
    pub fn of_row(row: &Row) -> Result<Self, CostError> {
        match sizes(&row.shape).as_deref() {
            Some([m, n, k]) => Ok(Self { m: *m, n: *n, k: *k }),
            _ => Err(malformed(row, "MxNxK with sizes above 0")),
        }
    }

    /// Reads a grouped row's `MxNxKxG` as the product of one group that has rows: as many do as can.
    ///
    /// # Errors
    /// [`CostError::Malformed`] naming the row.
    pub fn of_a_group(row: &Row) -> Result<Self, CostError> {
        match sizes(&row.shape).as_deref() {
            Some([m, n, k, groups]) => Ok(Self { m: m / m.min(*groups), n: *n, k: *k }),
            _ => Err(malformed(row, "MxNxKxG with sizes above 0")),
        }
    }
}

impl fmt::Display for MatmulShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.m, self.n, self.k)
    }
}

/// Attention of `sq` queries at the end of `skv` positions, causal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionShape {
    /// Sequences.
    pub b: f64,
    /// Query heads.
    pub hq: f64,
    /// Key and value heads.
    pub hkv: f64,
    /// Queries of a sequence.
    pub sq: f64,
    /// Positions of a sequence.
    pub skv: f64,
    /// Width of a head, of keys and values alike.
    pub d: f64,
}

impl AttentionShape {
    /// `4·b·hq·d` for each visible pair; query `i` of `sq` sees `skv - sq + i + 1` positions.
    pub fn flops(&self) -> Flops {
        let pairs = self.sq * (self.skv - self.sq) + self.sq * (self.sq + 1.0) / 2.0;
        Flops(4.0 * self.b * self.hq * self.d * pairs)
    }

    /// Queries and output once, keys and values once: `2·b·d·(hq·sq + hkv·skv) · size`.
    pub fn bytes(&self, dtype: DType) -> Bytes {
        let elems = 2.0 * self.b * self.d * (self.hq * self.sq + self.hkv * self.skv);
        Bytes(elems * dtype.size_bytes() as f64)
    }

    /// Reads a row's `BxHQxHKVxSQxSKVxD` (or `...xDxDV`).
    ///
    /// # Errors
    /// [`CostError::Malformed`] naming the row.
    pub fn of_row(row: &Row) -> Result<Self, CostError> {
        match sizes(&row.shape).as_deref() {
            Some([b, hq, hkv, sq, skv, d] | [b, hq, hkv, sq, skv, d, _]) => {
                Ok(Self { b: *b, hq: *hq, hkv: *hkv, sq: *sq, skv: *skv, d: *d })
            }
            _ => Err(malformed(row, "BxHQxHKVxSQxSKVxD with sizes above 0")),
        }
    }
}

impl fmt::Display for AttentionShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}x{}x{}x{}", self.b, self.hq, self.hkv, self.sq, self.skv, self.d)
    }
}

fn sizes(shape: &str) -> Option<Vec<f64>> {
    shape.split('x').map(|part| part.parse::<u32>().ok().filter(|&n| n > 0).map(f64::from)).collect()
}

fn malformed(row: &Row, expected: &'static str) -> CostError {
    CostError::Malformed { id: row.id.clone(), op: row.op.clone(), shape: row.shape.clone(), expected }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn work_matches_hand_counts() {
        // 2·2·3·4 = 48 flops; (2·4 + 4·3 + 2·3) = 26 elements of 2 bytes.
        let matmul = MatmulShape { m: 2.0, n: 3.0, k: 4.0 };
        assert_eq!((matmul.flops(), matmul.bytes(DType::Bf16)), (Flops(48.0), Bytes(52.0)));
        // Two queries at the end of three positions see 2 and 3 of them: 5 pairs · 4 · 1 · 2 heads · width 8 = 320.
        let attention = AttentionShape { b: 1.0, hq: 2.0, hkv: 1.0, sq: 2.0, skv: 3.0, d: 8.0 };
        assert_eq!(attention.flops(), Flops(320.0));
        // 2·8·(2·2 + 1·3) = 112 elements of 4 bytes.
        assert_eq!(attention.bytes(DType::F32), Bytes(448.0));
    }

    #[test]
    fn malformed_shapes_name_the_row() {
        for shape in ["", "12x13", "1x2x0", "1x2x-3", "axbxc", "1x2x3x4"] {
            let row = testing::row("cpu", "matmul", shape);
            let error = MatmulShape::of_row(&row).expect_err(shape).to_string();
            assert!(error.contains(&row.id) && error.contains("MxNxK"), "{error}");
        }
    }
}
