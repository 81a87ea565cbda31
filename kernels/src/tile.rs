//! How a problem is cut into tiles.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::problem::Problem;

/// Number of tiles of `tile` elements that cover `len`, the last one short.
pub const fn n_tiles(len: usize, tile: usize) -> usize {
    len.div_ceil(tile)
}

/// Tile sizes of a matrix product: output tile `bm × bn`, contraction in steps of `bk`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MatmulTiling {
    /// Rows of an output tile.
    pub bm: usize,
    /// Columns of an output tile.
    pub bn: usize,
    /// Step along the contraction.
    pub bk: usize,
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
}

/// A tiling of either operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tiling {
    /// For [`crate::matmul`].
    Matmul(MatmulTiling),
    /// For [`crate::attention`].
    Attention(AttentionTiling),
}

impl Tiling {
    /// Whether a size is 0, which no program can be written with.
    pub fn has_zero(&self) -> bool {
        match self {
            Tiling::Matmul(t) => [t.bm, t.bn, t.bk].contains(&0),
            Tiling::Attention(t) => [t.bq, t.bk, t.kv_splits].contains(&0),
        }
    }

    /// The whole problem as one tile: for libraries, which cut it themselves.
    pub fn whole(problem: &Problem) -> Tiling {
        match problem {
            Problem::Matmul(p) => {
                let s = p.sizes();
                Tiling::Matmul(MatmulTiling { bm: s.m, bn: s.n, bk: s.k })
            }
            Problem::Attention(p) => {
                let s = p.sizes();
                Tiling::Attention(AttentionTiling { bq: s.sq * p.group(), bk: s.skv, kv_splits: 1 })
            }
        }
    }
}

impl fmt::Display for Tiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tiling::Matmul(t) => write!(f, "{}x{}x{}", t.bm, t.bn, t.bk),
            Tiling::Attention(t) => write!(f, "{}x{}/{}", t.bq, t.bk, t.kv_splits),
        }
    }
}
