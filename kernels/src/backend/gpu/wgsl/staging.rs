//! Copying tiles into workgroup memory.

use super::access::Matrix;
use super::emit::{Emit, register};
use super::factor::{Factor, Place};
use super::mma::{Product, Staging};
use super::scope::Value;
use crate::program::{Form, Span, TileId};

/// How a factor lies in its tensor and in workgroup memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// The left one, by rows in both.
    Rows,
    /// The right one, along the depth in both.
    Depth,
    /// The right one, turned in blocks of 4 × 4.
    Transposed,
}

/// A copy of a factor's chunks into workgroup memory: pieces that threads take in turns.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    factor: Factor,
    turn: Turn,
    offset: usize,
    stride: usize,
    chunk: usize,
    n_pieces: usize,
    /// Length of the depth's axis, where a chunk may leave it.
    held: Option<usize>,
    /// Start of the names of the registers that hold what was read.
    stem: String,
}

impl Emit<'_> {
    /// Hands a computed tile to all threads, as `[row][column / 4]` from vector `offset` on; returns the vectors a row.
    pub(super) fn exchange(&mut self, tile: TileId, offset: usize) -> usize {
        let ty = self.ty(tile);
        let (mapping, share) = (self.plan.mapping, self.plan.mapping.share(&ty));
        let quads = ty.cols.size.div_ceil(4);
        self.before_writes();
        for row in 0..share.rows {
            let local = self.local_row(ty.rows, row);
            for group in 0..share.groups() {
                let mut owned = vec![];
                if ty.rows.size == 1 && mapping.ty > 1 {
                    owned.push("ty == 0".to_string());
                } else if mapping.covered_rows(ty.rows) > ty.rows.size {
                    owned.push(format!("{} < {}", local.text, ty.rows.size));
                }
                let col = self.local_col(group);
                if mapping.tx * share.groups() > quads {
                    owned.push(format!("{} < {}", col.text, 4 * quads));
                }
                let start = self.product(&local, quads);
                let start = self.sum(&start, &Value::literal(offset as i64));
                let value = register(tile, row, group);
                let value = if share.quads.is_some() { value } else { format!("vec4<f32>({value}, 0.0, 0.0, 0.0)") };
                let write = format!("shared_tile[{} + ({} >> 2u)] = {value};", start.text, col.text);
                self.guarded(&owned, &write);
            }
        }
        quads
    }

    /// A statement under conditions.
    pub(super) fn guarded(&mut self, conditions: &[String], statement: &str) {
        match conditions {
            [] => self.line(statement),
            all => self.line(format!("if ({}) {{ {statement} }}", all.join(" && "))),
        }
    }

    /// The product of the chunk at `at` along the depth: what is staged of it starts there, what is not does not.
    pub(super) fn staged(&mut self, product: &Product, staging: Staging, at: &Value) -> Product {
        let Staging { left, right, chunk, mut offset } = staging;
        let later =
            |emit: &mut Self, factor: &Factor| Factor { origin: emit.sum(&factor.origin, at), ..factor.clone() };
        let (mut a, mut b) = (later(self, &product.a), later(self, &product.b));
        if left {
            // One vector a row is padding, so that neighbouring rows start in different banks.
            let stride = chunk / 4 + 1;
            a = Factor { place: Place::Shared { offset, stride }, origin: Value::literal(0), ..a };
            offset += a.across.size * stride;
        }
        if right {
            let stride = b.across.size.div_ceil(4);
            b = Factor { place: Place::Shared { offset, stride }, origin: Value::literal(0), form: Form::Ab, ..b };
        }
        Product { acc: product.acc, a, b, depth: product.depth }
    }

    /// The copies that stage a product's chunks, with registers for what is read ahead.
    pub(super) fn copies(&mut self, product: &Product, staging: Staging) -> Vec<Copy> {
        let Staging { left, right, chunk, mut offset } = staging;
        let mut copies = vec![];
        let mut copy = |emit: &mut Self, factor: &Factor, turn, offset, stride, n_pieces: usize| {
            let (stem, threads) = (emit.fresh("f"), emit.plan.mapping.threads());
            let n_own = n_pieces.div_ceil(threads);
            let per_piece = if turn == Turn::Transposed { 4 } else { 1 };
            for own in 0..n_own * per_piece {
                emit.line(format!("var {stem}_{own}: vec4<f32>;"));
            }
            let held = emit.held_depth(product.depth, chunk);
            copies.push(Copy { factor: factor.clone(), turn, offset, stride, chunk, n_pieces, held, stem });
        };
        if left {
            let (rows, stride) = (product.a.across.size, chunk / 4 + 1);
            copy(self, &product.a, Turn::Rows, offset, stride, rows * chunk / 4);
            offset += rows * stride;
        }
        if right {
            let stride = product.b.across.size.div_ceil(4);
            match product.b.form {
                Form::Ab => copy(self, &product.b, Turn::Depth, offset, stride, chunk * stride),
                Form::Abt => copy(self, &product.b, Turn::Transposed, offset, stride, stride * chunk / 4),
            }
        }
        copies
    }

    /// This thread's pieces of a copy: its registers, and outer and inner place. A piece past the end is the last one.
    fn own_pieces(&mut self, copy: &Copy) -> Vec<(usize, Value, Value)> {
        let threads = self.plan.mapping.threads();
        let inner = match copy.turn {
            Turn::Depth => copy.stride,
            Turn::Rows | Turn::Transposed => copy.chunk / 4,
        };
        (0..copy.n_pieces.div_ceil(threads))
            .map(|own| {
                let first = own * threads;
                let mut piece = self.value(format!("i32(lane) + {first}"), 0);
                if first + threads > copy.n_pieces {
                    piece = self.at_most(&piece, copy.n_pieces - 1);
                }
                let outer = self.value(format!("{} / {inner}", piece.text), 0);
                (own, outer, self.value(format!("{} % {inner}", piece.text), 0))
            })
            .collect()
    }

    /// Reads the chunks at `at` along the depth into registers.
    pub(super) fn fetch(&mut self, copies: &[Copy], at: &Value) {
        for copy in copies {
            for (own, outer, inner) in self.own_pieces(copy) {
                match copy.turn {
                    Turn::Rows => self.fetch_row(copy, own, at, (&outer, &inner)),
                    Turn::Depth => self.fetch_depth(copy, own, at, (&outer, &inner)),
                    Turn::Transposed => self.fetch_block(copy, own, at, (&outer, &inner)),
                }
            }
        }
    }

    fn fetch_row(&mut self, copy: &Copy, own: usize, at: &Value, (row, quad): (&Value, &Value)) {
        let matrix = Self::storage(&copy.factor).clone();
        let position = self.position_on(copy.factor.across, row, copy.factor.across.size);
        let start = self.row_offset(&matrix, &position);
        let col = self.along(&copy.factor, at, quad);
        let value = self.quad(&matrix, &start, &col, copy.held);
        self.line(format!("{}_{own} = {value};", copy.stem));
    }

    fn fetch_depth(&mut self, copy: &Copy, own: usize, at: &Value, (k, quad): (&Value, &Value)) {
        let (matrix, across) = (Self::storage(&copy.factor).clone(), copy.factor.across);
        let at = self.sum(&copy.factor.origin, at);
        let mut position = self.sum(&at, k);
        if let Some(len) = copy.held {
            position = self.at_most(&position, len - 1);
        }
        let start = self.row_offset(&matrix, &position);
        let first = self.index(&across.start);
        let value = if across.size == 1 {
            format!("vec4<f32>({})", self.element(&matrix, &start, &first.text))
        } else {
            let step = self.product(quad, 4);
            let col = self.sum(&first, &step);
            let held = (!self.plan.holds(across, 4 * copy.stride)).then_some(across.len);
            self.quad(&matrix, &start, &col, held)
        };
        self.line(format!("{}_{own} = {value};", copy.stem));
    }

    fn fetch_block(&mut self, copy: &Copy, own: usize, at: &Value, (group, quad): (&Value, &Value)) {
        let matrix = Self::storage(&copy.factor).clone();
        let col = self.along(&copy.factor, at, quad);
        let first = self.product(group, 4);
        for j in 0..4 {
            let local = self.sum(&first, &Value::literal(j));
            let position = self.position_on(copy.factor.across, &local, 4 * copy.stride);
            let start = self.row_offset(&matrix, &position);
            let value = self.quad(&matrix, &start, &col, copy.held);
            self.line(format!("{}_{} = {value};", copy.stem, 4 * own + j as usize));
        }
    }

    /// Position along the depth of quad `quad` of the chunk at `at`.
    fn along(&mut self, factor: &Factor, at: &Value, quad: &Value) -> Value {
        let step = self.product(quad, 4);
        let start = self.sum(&factor.origin, at);
        self.sum(&start, &step)
    }

    /// Writes what was read into workgroup memory: rows as `[row][k / 4]`, the right factor as `[k][column / 4]`.
    pub(super) fn put(&mut self, copies: &[Copy]) {
        self.before_writes();
        let threads = self.plan.mapping.threads();
        for copy in copies {
            let Copy { offset, stride, stem, .. } = copy;
            for (own, outer, inner) in self.own_pieces(copy) {
                let beyond = (own + 1) * threads > copy.n_pieces;
                let owned: Vec<String> =
                    beyond.then(|| format!("i32(lane) < {}", copy.n_pieces - own * threads)).into_iter().collect();
                if copy.turn != Turn::Transposed {
                    let row = self.product(&outer, *stride);
                    let write = format!("shared_tile[{} + {offset} + {}] = {stem}_{own};", row.text, inner.text);
                    self.guarded(&owned, &write);
                    continue;
                }
                let row = self.product(&inner, 4 * stride);
                for (j, component) in ["x", "y", "z", "w"].iter().enumerate() {
                    let column: Vec<String> = (0..4).map(|i| format!("{stem}_{}.{component}", 4 * own + i)).collect();
                    let at = format!("{} + {} + {}", row.text, offset + j * stride, outer.text);
                    self.guarded(&owned, &format!("shared_tile[{at}] = vec4<f32>({});", column.join(", ")));
                }
            }
        }
    }

    /// The tensor behind a factor that is staged.
    pub(super) fn storage(factor: &Factor) -> &Matrix {
        match &factor.place {
            Place::Storage(matrix) => matrix,
            _ => unreachable!("only factors that lie in storage are staged"),
        }
    }

    /// Whether a chunk of the depth may leave its axis.
    fn held_depth(&self, depth: Span, chunk: usize) -> Option<usize> {
        (!self.plan.holds(depth, depth.size.next_multiple_of(chunk))).then_some(depth.len)
    }
}
