//! How shaders see tensors: the elements of an access.

use std::collections::BTreeMap;

use super::method::{Factors, WEIGHTS};
use super::plan::Plan;
use crate::DType;
use crate::problem::GROUP;
use crate::program::{Form, Program, Span, Stage, Tensor, TensorId, TileId, TileType};

/// How a shader sees a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// Four elements at a time: every access starts at a multiple of four.
    Quads,
    /// Eight elements at a time: of 16 bits they are 16 bytes, the widest load.
    Octets,
    /// Sixteen bytes at a time.
    Sixteens,
    /// Four halves at a time, as the f16 that they are: what matrix units take.
    Halves,
    /// Single elements; 16-bit ones in pairs.
    Elements,
    /// Pairs of 16-bit elements, written by several threads.
    Shared,
}

impl View {
    /// Whether every access is to four elements, or to a multiple of four.
    pub(super) fn in_quads(self) -> bool {
        matches!(self, View::Quads | View::Octets | View::Sixteens | View::Halves)
    }

    /// Groups of four elements that an access gives.
    pub(super) fn quads(self) -> usize {
        match self {
            View::Sixteens => 4,
            View::Octets => 2,
            View::Quads | View::Halves | View::Elements | View::Shared => 1,
        }
    }

    /// What the binding is an array of.
    pub(super) fn element(self, dtype: DType) -> &'static str {
        match (self, dtype.size_bytes()) {
            (View::Quads, 4) if dtype == DType::I32 => "vec4<i32>",
            (View::Elements, 4) if dtype == DType::I32 => "i32",
            (View::Quads, 4) => "vec4<f32>",
            (View::Quads, 2) | (View::Octets, 1) => "vec2<u32>",
            (View::Octets | View::Sixteens, _) => "vec4<u32>",
            (View::Halves, _) => "vec4<f16>",
            (View::Shared, _) => "atomic<u32>",
            (View::Elements, 4) => "f32",
            (View::Quads | View::Elements, _) => "u32",
        }
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
    // Tables are read one entry at a time.
    let tables = accesses.iter().filter_map(|(id, ..)| Some(program.tensor(*id).pages?.table));
    let tables = tables.chain(stage.stretches.iter().map(|stretch| stretch.table));
    views.extend(tables.map(|table| (table, (View::Elements, false))));
    for &(id, tile, written) in accesses {
        let tensor = program.tensor(id);
        let ty = stage.tile(tile);
        let in_pairs = written && tensor.dtype.size_bytes() == 2;
        let view = match (quads_fit(tensor, ty, written), in_pairs) {
            (true, _) if tensor.dtype == DType::I4x2 => View::Sixteens,
            (true, _) => View::Quads,
            (false, true) => View::Shared,
            (false, false) => View::Elements,
        };
        let joined = match views.get(&id) {
            Some(&(before, _)) if before != view => {
                if in_pairs {
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
    // A group of 4-bit weights is 16 bytes.
    let n = if tensor.dtype == DType::I4x2 { GROUP / 2 } else { 4 };
    starts_in(n, tensor, ty.cols) && whole && ty.cols.size > 1
}

/// Whether the rows of a tensor, and the tiles at this span of its columns, start at multiples of `n`.
pub(super) fn starts_in(n: usize, tensor: &Tensor, cols: Span) -> bool {
    let whole = |x: i64| x % n as i64 == 0;
    let axes = tensor.lead.iter().chain(&tensor.rows).filter(|axis| axis.len > 1);
    let pages = tensor.pages.map(|pages| pages.stride);
    let strides = axes.map(|axis| axis.stride).chain(pages).all(|stride| stride.is_multiple_of(n));
    tensor.cols.is_multiple_of(n) && strides && whole(cols.start.base()) && cols.start.terms().all(|(_, c)| whole(c))
}

impl Plan {
    /// How many groups of four a thread can read at once of the right factor of a product, the most first: every row of its
    /// tensor starts at a multiple of as many elements, and so does every tile, of which whole such stretches exist.
    pub(super) fn widths(&self, program: &Program, factors: &Factors<'_>) -> &'static [usize] {
        let Some(source) = &self.sources[factors.b.0.0 as usize] else { return &[1] };
        if source.scale.is_some() {
            return &[WEIGHTS];
        }
        let tensor = program.tensor(source.tensor);
        let cols = factors.b.1.cols;
        let fits = |n: usize| {
            starts_in(n, tensor, cols)
                && self.in_groups(n, cols)
                && (factors.form == Form::Ab || self.in_groups(n, factors.a.1.cols))
        };
        if factors.acc.dtype == DType::I32 {
            // Both factors are read in words, sixteen bytes along the depth.
            let left = self.sources[factors.a.0.0 as usize].as_ref();
            let left = left.is_some_and(|a| starts_in(16, program.tensor(a.tensor), factors.a.1.cols));
            return if factors.form == Form::Abt && left && fits(16) { &[4] } else { &[] };
        }
        match tensor.dtype.size_bytes() {
            1 if fits(16) => &[4, 2, 1],
            1 if fits(8) => &[2, 1],
            2 if fits(8) => &[2],
            _ => &[1],
        }
    }

    /// The right factor is seen `wide` groups of four at a time, and so is the left one where it is read along the same axis:
    /// each as 16 bytes at most.
    pub(super) fn see_wide(&mut self, program: &Program, stage: &Stage, factors: &Factors<'_>, wide: usize) {
        if wide == 1 {
            return;
        }
        let along = factors.form == Form::Abt || factors.acc.dtype == DType::I32;
        let left = along.then_some(factors.a.0);
        for tile in left.into_iter().chain([factors.b.0]) {
            let Some(source) = &self.sources[tile.0 as usize] else { continue };
            let tensor = program.tensor(source.tensor);
            let (view, written) = self.views[&source.tensor];
            let fits = |n: usize| starts_in(n, tensor, stage.tile(tile).cols);
            let wider = match tensor.dtype.size_bytes() {
                1 if wide == 4 && fits(16) => View::Sixteens,
                1 | 2 if fits(8) => View::Octets,
                _ => continue,
            };
            if view == View::Quads && !written {
                self.views.insert(source.tensor, (wider, written));
            }
        }
    }

    /// Scales of weights are read one by one.
    pub(super) fn see_scales(&mut self, widened: &[(TileId, TileId, Option<TileId>)]) {
        for scale in widened.iter().filter_map(|(_, _, scale)| *scale) {
            let Some(source) = &self.sources[scale.0 as usize] else { continue };
            self.views.insert(source.tensor, (View::Elements, false));
        }
    }
}
