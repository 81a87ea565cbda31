//! Products by matrix units: subgroups hold fragments of the result, and both factors pass through workgroup memory.
//!
//! ```text
//! for each chunk of the depth:  a -> halves[row][k], b -> halves[k][column] or [column][k], as it lies; barrier
//!                               for k in edges of the chunk: fragment[i][j] += a[i] · b[j]
//! afterwards, strip by strip:   a row of fragments of each subgroup -> workgroup memory -> the registers of its rows
//! ```
//!
//! A left factor that is loaded before any loop stays in fragments of its own. What does not exist of the depth is staged as
//! zero on both sides.
//!
//! On an H200 (16 × 16 × 16, four subgroups of 4 × 4 fragments, chunks of 32, trials of 4096³, 2026-11-27) 250 TFLOP/s, of
//! 614 that fragments in registers reach. Not latency: reading the next chunk ahead, two buffers, tiles of 128 × 256 by eight
//! subgroups gained nothing, without barriers (and wrong) it is 268. A chunk's bytes go through the 128 bytes a cycle of a
//! core's first-level cache and workgroup memory: 16 KiB read from storage, 16 stored, 32 loaded as fragments, 512 cycles
//! beside 226 of products, 271 TFLOP/s. Without reads from storage it is 368; fewer bytes a product would take fragments of
//! 64 × 96 a subgroup, whose registers spill (184). Deeper chunks lost, as did two neighbouring vectors a thread.

use super::emit::{Emit, register};
use super::factor::{Factor, Place};
use super::method::{Factors, Fragments, Method, Mma};
use super::mma::Product;
use super::scope::Value;
use crate::backend::Unsupported;
use crate::program::{Form, Span, TileId};

pub(super) fn fragment(stem: &str, row: usize, col: usize) -> String {
    format!("{stem}_{row}_{col}")
}

/// Where a factor was staged: first vector of four halves, and vectors from row to row.
#[derive(Clone, Copy, Debug)]
struct Panel {
    offset: usize,
    stride: usize,
}

/// Where the left factor of a product comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Left {
    /// Read from its tensor, chunk by chunk.
    Loaded,
    /// Registers of threads, handed over through workgroup memory.
    Computed,
    /// Fragments that stay, of this stem.
    Fragments(String),
}

/// Four halves in a register, on their way to workgroup memory.
struct Piece {
    at: String,
    value: String,
}

impl Emit<'_> {
    pub(super) fn start_fragments(&mut self, f: &Fragments, stem: &str) {
        for row in 0..f.rows {
            for col in 0..f.cols {
                self.line(format!("var {}: {};", fragment(stem, row, col), matrix("f32", f.edge, "C")));
            }
        }
    }

    pub(super) fn multiply_fragments(&mut self, product: &Product, p: Mma, f: &Fragments, stem: &str, n: &Value) {
        let factors = Factors::of(self.stage, p);
        let left = match self.lefts.get(&p.a) {
            Some(stem) => Left::Fragments(stem.clone()),
            None if matches!(product.a.place, Place::Storage(_)) => Left::Loaded,
            None => Left::Computed,
        };
        let (a_stride, a_size) = match left {
            Left::Fragments(_) => (0, 0),
            Left::Loaded | Left::Computed => f.left(&factors, left == Left::Computed),
        };
        let (b_stride, b_size) = f.right(&factors);
        let (a, b) = (Panel { offset: 0, stride: a_stride }, Panel { offset: a_size, stride: b_stride });
        self.shared_halves = self.shared_halves.max(a_size + b_size);
        if left == Left::Computed {
            self.exchange_halves(p.a, a);
        }
        if f.chunk == product.depth.size {
            return self.chunk_of_fragments(product, f, stem, (a, b), (&left, &Value::literal(0), n));
        }
        let chunk = self.fresh("chunk");
        self.open(format!("for (var {chunk} = 0; {chunk} < {}; {chunk} += {})", n.text, f.chunk));
        let at = Value { text: chunk, level: self.level() };
        self.chunk_of_fragments(product, f, stem, (a, b), (&left, &at, n));
        self.close();
    }

    fn chunk_of_fragments(
        &mut self,
        product: &Product,
        f: &Fragments,
        stem: &str,
        (a, b): (Panel, Panel),
        (left, at, n): (&Left, &Value, &Value),
    ) {
        let mut pieces = vec![];
        if *left == Left::Loaded {
            self.read_along(&product.a, product.depth, f.chunk, (a, at, n), &mut pieces);
        }
        match product.b.form {
            Form::Ab => self.read_down(&product.b, product.depth, f.chunk, (b, at, n), &mut pieces),
            Form::Abt => self.read_along(&product.b, product.depth, f.chunk, (b, at, n), &mut pieces),
        }
        self.store_pieces(pieces);
        let subgroup = self.value(format!("i32(lane) / {}", f.lanes), 0);
        let across = self.value(format!("{} % {} * {}", subgroup.text, f.across, f.cols * f.edge), 0);
        let base = match left {
            Left::Computed => self.value(format!("{} >> 2u", at.text), at.level),
            Left::Fragments(_) | Left::Loaded => Value::literal(0),
        };
        for k in (0..f.chunk).step_by(f.edge) {
            let right: Vec<String> =
                (0..f.cols).map(|j| self.right_fragment(product, f, b, (&across, j * f.edge, k))).collect();
            for i in 0..f.rows {
                let left = match left {
                    Left::Fragments(stem) => fragment(stem, i, k / f.edge),
                    Left::Loaded | Left::Computed => self.left_fragment(f, a, (i, k), &base),
                };
                for (j, right) in right.iter().enumerate() {
                    let sum = fragment(stem, i, j);
                    self.line(format!("{sum} = coopMultiplyAdd({left}, {right}, {sum});"));
                }
            }
        }
    }

    /// Row `i` of this subgroup's fragments of a staged left factor, `k` elements beyond a first vector.
    fn left_fragment(&mut self, f: &Fragments, a: Panel, (i, k): (usize, usize), base: &Value) -> String {
        let subgroup = self.value(format!("i32(lane) / {}", f.lanes), 0);
        let down = self.value(format!("{} / {} * {}", subgroup.text, f.across, f.rows * f.edge * a.stride), 0);
        let start = a.offset + i * f.edge * a.stride + k / 4;
        let left = format!("&shared_halves[{} + {start} + {}], {}u", down.text, base.text, a.stride);
        self.named("a", &format!("coopLoadT<{}>({left})", matrix("f16", f.edge, "A")))
    }

    /// Left factors that stay: fragments of the tile that was loaded, if a product asks for that.
    ///
    /// # Errors
    /// Workgroup memory has no room.
    pub(super) fn left_fragments(&mut self, tile: TileId) -> Result<(), Unsupported> {
        let stays = |method: &Method| matches!(method, Method::Fragments(f) if f.left_stays);
        let asked = self.plan.methods.iter().find(|(mma, method)| mma.a == tile && stays(method));
        let Some(&(mma, Method::Fragments(f))) = asked else { return Ok(()) };
        let Some(source) = self.plan.sources[tile.0 as usize].clone() else { return Ok(()) };
        let place = Place::Storage(self.matrix(&source));
        let (product, n) = self.located(mma, place.clone(), place);
        let factors = Factors::of(self.stage, mma);
        let (stride, size) = f.left(&factors, true);
        self.shared_halves = self.shared_halves.max(size);
        self.refuse_large(mma.acc, 0)?;
        let panel = Panel { offset: 0, stride };
        let mut pieces = vec![];
        self.read_along(&product.a, product.depth, product.depth.size, (panel, &Value::literal(0), &n), &mut pieces);
        self.store_pieces(pieces);
        let stem = self.fresh("q");
        for (i, k) in (0..f.rows).flat_map(|i| (0..product.depth.size).step_by(f.edge).map(move |k| (i, k))) {
            let loaded = self.left_fragment(&f, panel, (i, k), &Value::literal(0));
            self.line(format!("let {} = {loaded};", fragment(&stem, i, k / f.edge)));
        }
        self.lefts.insert(tile, stem);
        Ok(())
    }

    /// Stores what was read, where the threads of the workgroup read it next.
    fn store_pieces(&mut self, pieces: Vec<Piece>) {
        self.before_writes();
        for piece in pieces {
            self.line(format!("shared_halves[{}] = {};", piece.at, piece.value));
        }
        self.before_reads();
    }

    fn right_fragment(
        &mut self,
        product: &Product,
        f: &Fragments,
        b: Panel,
        (across, col, k): (&Value, usize, usize),
    ) -> String {
        let kind = matrix("f16", f.edge, "B");
        let (call, start) = match product.b.form {
            Form::Ab => ("coopLoadT", format!("{} + (({} + {col}) >> 2u)", b.offset + k * b.stride, across.text)),
            Form::Abt => ("coopLoad", format!("{} + ({} + {col}) * {}", b.offset + k / 4, across.text, b.stride)),
        };
        self.named("b", &format!("{call}<{kind}>(&shared_halves[{start}], {}u)", b.stride))
    }

    /// Pieces of four neighbours that a thread copies: its number within the panel, and where it lies there.
    fn each_quad(&mut self, n: usize, per_row: usize, mut each: impl FnMut(&mut Self, &Value, &Value)) {
        let threads = self.plan.mapping.threads();
        for first in (0..n).step_by(threads) {
            let mut piece = self.value(format!("i32(lane) + {first}"), 0);
            if first + threads > n {
                // Some threads copy the last piece once more.
                piece = self.at_most(&piece, n - 1);
            }
            let row = self.value(format!("{} / {per_row}", piece.text), 0);
            let quad = self.value(format!("{} % {per_row}", piece.text), 0);
            each(self, &row, &quad);
        }
    }

    /// `[across][k]` from a tensor whose rows lie along the depth.
    fn read_along(
        &mut self,
        factor: &Factor,
        depth: Span,
        chunk: usize,
        (panel, at, n): (Panel, &Value, &Value),
        pieces: &mut Vec<Piece>,
    ) {
        let whole = self.plan.holds(depth, depth.size);
        let held = (!whole).then_some(depth.len);
        self.each_quad(factor.across.size * chunk / 4, chunk / 4, |emit, row, quad| {
            let position = emit.position_on(factor.across, row, factor.across.size);
            let start = emit.row_offset(Self::storage(factor), &position);
            let step = emit.product(quad, 4);
            let k = emit.sum(at, &step);
            let col = emit.sum(&factor.origin, &k);
            let halves = emit.halves(Self::storage(factor), &start, &col, held);
            let value = if whole { halves } else { format!("select(vec4<f16>(), {halves}, {} < {})", k.text, n.text) };
            let value = emit.named("h", &value);
            let row = emit.product(row, panel.stride);
            pieces.push(Piece { at: format!("{} + {} + {}", row.text, panel.offset, quad.text), value });
        });
    }

    /// `[k][column]` from a tensor whose rows lie across the depth.
    fn read_down(
        &mut self,
        factor: &Factor,
        depth: Span,
        chunk: usize,
        (panel, at, n): (Panel, &Value, &Value),
        pieces: &mut Vec<Piece>,
    ) {
        let whole = self.plan.holds(depth, depth.size);
        let quads = factor.across.size / 4;
        let first = self.index(&factor.across.start);
        let held = (!self.plan.holds(factor.across, factor.across.size)).then_some(factor.across.len);
        self.each_quad(chunk * quads, quads, |emit, row, quad| {
            let k = emit.sum(at, row);
            let mut position = emit.sum(&factor.origin, &k);
            if !whole {
                position = emit.at_most(&position, depth.len - 1);
            }
            let start = emit.row_offset(Self::storage(factor), &position);
            let step = emit.product(quad, 4);
            let col = emit.sum(&first, &step);
            let halves = emit.halves(Self::storage(factor), &start, &col, held);
            let value = if whole { halves } else { format!("select(vec4<f16>(), {halves}, {} < {})", k.text, n.text) };
            let value = emit.named("h", &value);
            let row = emit.product(row, panel.stride);
            pieces.push(Piece { at: format!("{} + {} + {}", row.text, panel.offset, quad.text), value });
        });
    }

    /// A computed left factor as halves, zero beyond what exists.
    fn exchange_halves(&mut self, tile: TileId, panel: Panel) {
        let ty = self.ty(tile);
        self.before_writes();
        for (slot, group) in self.slots(tile) {
            let (row, col) = (self.local_row(ty.rows, slot), self.local_col(group));
            let mut owned = vec![];
            if self.plan.mapping.covered_rows(ty.rows) > ty.rows.size {
                owned.push(format!("{} < {}", row.text, ty.rows.size));
            }
            if self.plan.mapping.covered_cols(ty.cols) > ty.cols.size {
                owned.push(format!("{} < {}", col.text, ty.cols.size));
            }
            let value = register(tile, slot, group);
            let value = match self.existing(tile, group) {
                None => value,
                Some(existing) => format!("select(vec4<f32>(0.0), {value}, {existing})"),
            };
            let start = self.product(&row, panel.stride);
            let start = self.sum(&start, &Value::literal(panel.offset as i64));
            let write = format!("shared_halves[{} + ({} >> 2u)] = vec4<f16>({value});", start.text, col.text);
            self.guarded(&owned, &write);
        }
    }
}

/// The type of a fragment.
pub(super) fn matrix(element: &str, edge: usize, role: &str) -> String {
    format!("coop_mat{edge}x{edge}<{element}, {role}>")
}
