//! Staging the factors of products of 8-bit integers as words of four bytes along the depth.
//!
//! ```text
//! a as [row][k / 16], four words a vector; b as [k / 4][column / 4], a word a column
//! for each chunk of the depth: registers -> workgroup memory, barrier, the next chunk into registers,
//!                              for k in fours: acc[i][g] += dot4(a[i], b[k][g]), barrier
//! ```
//!
//! A thread reads blocks of four rows of sixteen bytes of the right factor: of `[columns, depth]` the words of four columns
//! change places, of `[depth, columns]` the bytes of each four words.

use super::Manner;
use super::access::Matrix;
use super::emit::Emit;
use super::helpers::Helper;
use super::integers::COMPONENTS;
use super::mma::Product;
use super::scope::Value;
use crate::program::{Form, TileId};

/// How the chunks of a product lie in workgroup memory: vectors from row to row, and the first of the right factor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    chunk: usize,
    left: usize,
    right: usize,
    offset: usize,
}

impl Words {
    /// Vectors of workgroup memory.
    pub(super) fn vectors(&self) -> usize {
        self.offset + self.chunk / 4 * self.right
    }
}

/// A thread's share of a copy: pieces, and the registers of each.
struct Pieces {
    stem: String,
    n: usize,
    /// Pieces next to one another.
    inner: usize,
    per_piece: usize,
}

impl Emit<'_> {
    /// How to stage a product, if that is worth while and there is room.
    pub(super) fn words(&self, product: &Product) -> Option<Words> {
        let mapping = self.plan.mapping;
        let quads = |matrix: &Matrix| self.plan.views[&matrix.tensor].0.in_quads();
        let in_words = quads(Self::storage(&product.a)) && quads(Self::storage(&product.b));
        let shared = mapping.tx > 1 && mapping.ty > 1 && self.is_wide(product.acc);
        if self.caps.manner != Manner::Staged || !in_words || !shared {
            return None;
        }
        let (rows, columns) = (product.a.across.size, product.b.across.size);
        let right = match product.b.form {
            Form::Abt => columns.div_ceil(4),
            Form::Ab => columns.div_ceil(16) * 4,
        };
        let free = (self.caps.max_workgroup_bytes as usize / 16)
            .saturating_sub(self.shared_vectors + self.shared_halves.div_ceil(2) + self.shared_scalars.div_ceil(4));
        // One vector a row is padding, so that neighbouring rows start in different banks.
        let of = |chunk: usize| {
            let left = chunk / 16 + 1;
            Words { chunk, left, right, offset: rows * left }
        };
        let fits = |w: &Words| w.chunk <= product.depth.size.min(product.depth.len) && w.vectors() <= free;
        [64, 32, 16].map(of).into_iter().find(fits)
    }

    /// The chunks of a depth, each read into registers while the one before is multiplied; what is left comes straight from
    /// the tensors.
    pub(super) fn chunks_of_words(&mut self, product: &Product, words: Words, n: &Value) {
        let chunk = words.chunk;
        let full = match n.known() {
            Some(n) => Value::literal(n - n % chunk as i64),
            None => self.value(format!("{} / {chunk} * {chunk}", n.text), n.level),
        };
        if full.known() != Some(0) {
            let blocks = match product.b.form {
                Form::Abt => (words.right * chunk / 16, chunk / 16),
                Form::Ab => (chunk / 4 * words.right / 4, words.right / 4),
            };
            let left = self.pieces(product.a.across.size * chunk / 16, chunk / 16, 1);
            let right = self.pieces(blocks.0, blocks.1, 4);
            let last = match full.known() {
                Some(full) => Value::literal(full - chunk as i64),
                None => self.value(format!("max({} - {chunk}, 0)", full.text), full.level),
            };
            // Where no chunk is whole, what is read here may lie behind the depth, if not behind its axis.
            let first = if full.known().is_some() || self.plan.holds(product.depth, chunk) {
                None
            } else {
                Some(product.depth.len)
            };
            self.fetch_words(product, (&left, &right), &Value::literal(0), first);
            let var = self.fresh("chunk");
            self.open(format!("for (var {var} = 0; {var} < {}; {var} += {chunk})", full.text));
            self.before_writes();
            self.put_words(product, words, (&left, &right));
            self.before_reads();
            let next = self.value(format!("min({var} + {chunk}, {})", last.text), self.level());
            self.fetch_words(product, (&left, &right), &next, None);
            self.multiply_words(product.acc, words);
            self.close();
        }
        if n.known().is_none_or(|n| n % chunk as i64 != 0) {
            self.words_from(product, &full, n);
        }
    }

    fn pieces(&mut self, n: usize, inner: usize, per_piece: usize) -> Pieces {
        let stem = self.fresh("f");
        for own in 0..n.div_ceil(self.plan.mapping.threads()) * per_piece {
            self.line(format!("var {stem}_{own}: vec4<u32>;"));
        }
        Pieces { stem, n, inner, per_piece }
    }

    /// This thread's pieces: which, and outer and inner place. A piece past the end is the last one.
    fn each_piece(&mut self, pieces: &Pieces, each: &mut dyn FnMut(&mut Self, usize, &Value, &Value)) {
        let threads = self.plan.mapping.threads();
        for own in 0..pieces.n.div_ceil(threads) {
            let mut piece = self.value(format!("i32(lane) + {}", own * threads), 0);
            if (own + 1) * threads > pieces.n {
                piece = self.at_most(&piece, pieces.n - 1);
            }
            let outer = self.value(format!("{} / {}", piece.text, pieces.inner), 0);
            let inner = self.value(format!("{} % {}", piece.text, pieces.inner), 0);
            each(self, own, &outer, &inner);
        }
    }

    /// Reads the chunks at `at` along the depth into registers; with `held`, no further than that along it.
    fn fetch_words(&mut self, product: &Product, (left, right): (&Pieces, &Pieces), at: &Value, held: Option<usize>) {
        let (a, b) = (Self::storage(&product.a).clone(), Self::storage(&product.b).clone());
        self.each_piece(left, &mut |emit, own, row, part| {
            let position = emit.position_on(product.a.across, row, product.a.across.size);
            let start = emit.row_offset(&a, &position);
            let col = emit.along_words(&product.a.origin, at, part, 16);
            let block = emit.sixteen(&a, &start, &col, held);
            emit.line(format!("{}_{own} = {block};", left.stem));
        });
        self.each_piece(right, &mut |emit, own, outer, inner| {
            for j in 0..4 {
                let block = match product.b.form {
                    Form::Abt => {
                        let first = emit.product(outer, 4);
                        let local = emit.sum(&first, &Value::literal(j));
                        let covered = product.b.across.size.next_multiple_of(4);
                        let position = emit.position_on(product.b.across, &local, covered);
                        let start = emit.row_offset(&b, &position);
                        let col = emit.along_words(&product.b.origin, at, inner, 16);
                        emit.sixteen(&b, &start, &col, held)
                    }
                    Form::Ab => {
                        let first = emit.along_words(&product.b.origin, at, outer, 4);
                        let mut position = emit.sum(&first, &Value::literal(j));
                        if let Some(len) = held {
                            position = emit.at_most(&position, len - 1);
                        }
                        let start = emit.row_offset(&b, &position);
                        let across = product.b.across;
                        let first = emit.index(&across.start);
                        let step = emit.product(inner, 16);
                        let col = emit.sum(&first, &step);
                        let covered = across.size.next_multiple_of(16);
                        let held = (!emit.plan.holds(across, covered)).then_some(across.len);
                        emit.sixteen(&b, &start, &col, held)
                    }
                };
                emit.line(format!("{}_{} = {block};", right.stem, 4 * own + j as usize));
            }
        });
    }

    /// Position along the depth of stretch `part`, of `size` each, of the chunk at `at`.
    fn along_words(&mut self, origin: &Value, at: &Value, part: &Value, size: usize) -> Value {
        let start = self.sum(origin, at);
        let step = self.product(part, size);
        self.sum(&start, &step)
    }

    fn put_words(&mut self, product: &Product, words: Words, (left, right): (&Pieces, &Pieces)) {
        let threads = self.plan.mapping.threads();
        let guards = |pieces: &Pieces, own: usize| -> Vec<String> {
            let beyond = (own + 1) * threads > pieces.n;
            beyond.then(|| format!("i32(lane) < {}", pieces.n - own * threads)).into_iter().collect()
        };
        self.each_piece(left, &mut |emit, own, row, part| {
            let row = emit.product(row, words.left);
            let write = format!("shared_words[{} + {}] = {}_{own};", row.text, part.text, left.stem);
            emit.guarded(&guards(left, own), &write);
        });
        self.each_piece(right, &mut |emit, own, outer, inner| {
            for (j, c) in COMPONENTS.into_iter().enumerate() {
                let rows = (0..right.per_piece).map(|i| format!("{}_{}.{c}", right.stem, 4 * own + i));
                let rows = rows.collect::<Vec<_>>().join(", ");
                let (at, value) = match product.b.form {
                    Form::Abt => {
                        let row = emit.product(inner, 4 * words.right);
                        let at = format!("{} + {} + {}", row.text, words.offset + j * words.right, outer.text);
                        (at, format!("vec4<u32>({rows})"))
                    }
                    Form::Ab => {
                        let row = emit.product(outer, words.right);
                        let group = emit.product(inner, 4);
                        let at = format!("{} + {} + {}", row.text, words.offset + j, group.text);
                        (at, emit.with_helper(Helper::TurnBytes, format!("turn_bytes({rows})")))
                    }
                };
                emit.guarded(&guards(right, own), &format!("shared_words[{at}] = {value};"));
            }
        });
    }

    /// The chunk in workgroup memory, in fours along the depth.
    fn multiply_words(&mut self, acc: TileId, words: Words) {
        let share = self.plan.mapping.share(&self.ty(acc));
        let rows = self.ty(acc).rows;
        let starts: Vec<Value> = (0..share.rows)
            .map(|slot| {
                let row = self.held_row(rows, slot);
                self.product(&row, words.left)
            })
            .collect();
        for part in 0..words.chunk / 16 {
            let left: Vec<String> =
                starts.iter().map(|row| self.named("a", &format!("shared_words[{} + {part}]", row.text))).collect();
            for (j, c) in COMPONENTS.into_iter().enumerate() {
                for group in 0..share.groups() {
                    let col = self.held_col(acc, group);
                    let start = words.offset + (4 * part + j) * words.right;
                    let b = self.named("b", &format!("shared_words[{start} + ({} >> 2u)]", col.text));
                    for (row, a) in left.iter().enumerate() {
                        self.add_dots(acc, (row, group), &format!("{a}.{c}"), &b);
                    }
                }
            }
        }
    }
}
