//! How shaders see tensors: the elements of an access.

use std::collections::BTreeMap;

use crate::DType;
use crate::program::{Program, Span, Stage, Tensor, TensorId, TileId, TileType};

/// How a shader sees a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// Four elements at a time: every access starts at a multiple of four.
    Quads,
    /// Eight 16-bit elements at a time: 16 bytes, the widest load.
    Octets,
    /// Four halves at a time, as the f16 that they are: what matrix units take.
    Halves,
    /// Single elements; 16-bit ones in pairs.
    Elements,
    /// Pairs of 16-bit elements, written by several threads.
    Shared,
}

impl View {
    /// Whether every access is to four elements, or to twice four.
    pub(super) fn in_quads(self) -> bool {
        matches!(self, View::Quads | View::Octets | View::Halves)
    }
}

/// How each tensor of the stage is seen, by its accesses (the last word says whether one writes): in quads where every one
/// allows it.
pub(super) fn views(
    program: &Program,
    stage: &Stage,
    accesses: &[(TensorId, TileId, bool)],
) -> BTreeMap<TensorId, (View, bool)> {
    let mut views = BTreeMap::new();
    for &(id, tile, written) in accesses {
        let tensor = program.tensor(id);
        let ty = stage.tile(tile);
        let view = match (quads_fit(tensor, ty, written), written && tensor.dtype != DType::F32) {
            (true, _) => View::Quads,
            (false, true) => View::Shared,
            (false, false) => View::Elements,
        };
        let joined = match views.get(&id) {
            Some(&(before, _)) if before != view => {
                if written && tensor.dtype != DType::F32 {
                    View::Shared
                } else {
                    View::Elements
                }
            }
            _ => view,
        };
        debug_assert!(!written || !tensor.role.is_given());
        views.insert(id, (joined, written));
    }
    views
}

fn quads_fit(tensor: &Tensor, ty: &TileType, written: bool) -> bool {
    let whole = !written || ty.cols.size.is_multiple_of(4);
    starts_in(4, tensor, ty.cols) && whole && ty.cols.size > 1
}

/// Whether the rows of a tensor, and the tiles at this span of its columns, start at multiples of `n`.
pub(super) fn starts_in(n: usize, tensor: &Tensor, cols: Span) -> bool {
    let whole = |x: i64| x % n as i64 == 0;
    let axes = tensor.lead.iter().chain(&tensor.rows).filter(|axis| axis.len > 1);
    let strides = axes.map(|axis| axis.stride).all(|stride| stride.is_multiple_of(n));
    tensor.cols.is_multiple_of(n) && strides && whole(cols.start.base()) && cols.start.terms().all(|(_, c)| whole(c))
}
