//! How a problem is cut into tiles.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::problem::Problem;

/// Number of tiles of `tile` elements that cover `len`, the last one short.
pub const fn n_tiles(len: usize, tile: usize) -> usize {
    len.div_ceil(tile)
}

/// Tile sizes of a matrix product: output tile `bm × bn`, contraction in steps of `bk`, in `k_splits` parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MatmulTiling {
    /// Rows of an output tile.
    pub bm: usize,
    /// Columns of an output tile.
    pub bn: usize,
    /// Step along the contraction.
    pub bk: usize,
    /// Parts into which the contraction is split, each with its own sums; 1 needs no stage that adds them up. It is left
    /// out of texts, as it was before there were parts: a file or a worker that does not know it means 1.
    #[serde(default = "unsplit", skip_serializing_if = "is_unsplit")]
    pub k_splits: usize,
}

const fn unsplit() -> usize {
    1
}

fn is_unsplit(k_splits: &usize) -> bool {
    *k_splits == unsplit()
}

/// Tile sizes of attention: `bq` rows (position × query head of the group) against `bk` keys a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AttentionTiling {
    /// Query rows of a tile.
    pub bq: usize,
    /// Keys of a step.
    pub bk: usize,
    /// Parts into which the keys are split, each with its own partial result; 1 needs no combine stage.
    pub kv_splits: usize,
    /// Whether a row's peak stays where it is until a score exceeds it by 2^8: what was accumulated then seldom fades, which
    /// serves units that hold it where single rows cannot be multiplied. With factors of f8e4m3 peaks rise all the same: their
    /// weights have no room above. Left out of texts where it is not so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lazy_peak: bool,
}

/// A tiling of either operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tiling {
    /// For [`crate::matmul`] and [`crate::grouped`].
    Matmul(MatmulTiling),
    /// For [`crate::attention`].
    Attention(AttentionTiling),
}

impl Tiling {
    /// Whether a size is 0, which no program can be written with.
    pub fn has_zero(&self) -> bool {
        match self {
            Tiling::Matmul(t) => [t.bm, t.bn, t.bk, t.k_splits].contains(&0),
            Tiling::Attention(t) => [t.bq, t.bk, t.kv_splits].contains(&0),
        }
    }

    /// The whole problem as one tile: for libraries, which cut it themselves.
    pub fn whole(problem: &Problem) -> Tiling {
        match problem {
            Problem::Matmul(p) => {
                let s = p.sizes();
                Tiling::Matmul(MatmulTiling { bm: s.m, bn: s.n, bk: s.k, k_splits: 1 })
            }
            Problem::Grouped(p) => {
                let s = p.sizes();
                Tiling::Matmul(MatmulTiling { bm: s.m, bn: s.n, bk: s.k, k_splits: 1 })
            }
            Problem::Attention(p) => {
                let s = p.sizes();
                Tiling::Attention(AttentionTiling { bq: s.sq * p.group(), bk: s.skv, kv_splits: 1, lazy_peak: false })
            }
        }
    }
}

impl fmt::Display for Tiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tiling::Matmul(t) if t.k_splits == 1 => write!(f, "{}x{}x{}", t.bm, t.bn, t.bk),
            Tiling::Matmul(t) => write!(f, "{}x{}x{}/{}", t.bm, t.bn, t.bk, t.k_splits),
            Tiling::Attention(t) => {
                write!(f, "{}x{}/{}{}", t.bq, t.bk, t.kv_splits, if t.lazy_peak { "+lazy" } else { "" })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matmul(k_splits: usize) -> Tiling {
        Tiling::Matmul(MatmulTiling { bm: 128, bn: 64, bk: 512, k_splits })
    }

    #[test]
    fn one_part_is_written_as_tilings_were_before_there_were_parts() {
        assert_eq!([1, 4].map(|n| matmul(n).to_string()), ["128x64x512", "128x64x512/4"]);
        let texts = [1, 4].map(|n| serde_json::to_string(&matmul(n)).expect("plain data"));
        let parts = r#"{"matmul":{"bm":128,"bn":64,"bk":512,"k_splits":4}}"#;
        assert_eq!(texts, [r#"{"matmul":{"bm":128,"bn":64,"bk":512}}"#, parts]);
        let read = texts.map(|text| serde_json::from_str::<Tiling>(&text).expect("what was written"));
        assert_eq!(read, [1, 4].map(matmul));
    }

    #[test]
    fn peaks_that_rise_at_once_are_not_told() {
        let of = |lazy_peak| Tiling::Attention(AttentionTiling { bq: 64, bk: 32, kv_splits: 1, lazy_peak });
        assert_eq!([of(false), of(true)].map(|t| t.to_string()), ["64x32/1", "64x32/1+lazy"]);
        let texts = [of(false), of(true)].map(|t| serde_json::to_string(&t).expect("plain data"));
        assert_eq!(texts[0], r#"{"attention":{"bq":64,"bk":32,"kv_splits":1}}"#);
        assert_eq!(
            texts.map(|text| serde_json::from_str::<Tiling>(&text).expect("what was written")),
            [of(false), of(true)]
        );
    }

    #[test]
    fn no_part_at_all_is_a_size_of_0() {
        assert!(matmul(0).has_zero() && !matmul(1).has_zero());
    }
}
