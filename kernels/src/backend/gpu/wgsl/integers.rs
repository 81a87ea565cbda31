//! Products of 8-bit integers: four bytes along the depth are a word, and `dot4I8Packed` adds four products to a sum.
//!
//! ```text
//! few rows, b[columns, depth]:   as other products are streamed, sixteen bytes of each factor at a time
//! staged:                        a as [row][k / 16], four words a vector; b as [k / 4][column / 4], a word a column
//!   for each chunk of the depth: registers -> workgroup memory, barrier, the next chunk into registers,
//!                                for k in fours: acc[i][g] += dot4(a[i], b[k][g]), barrier
//! what is left of the depth,     words of both factors from their tensors, in fours of the depth;
//! and factors not read in words: then a byte at a time
//! ```
//!
//! A thread reads blocks of four rows of sixteen bytes of the right factor: of `[columns, depth]` the words of four columns
//! change places, of `[depth, columns]` the bytes of each four words.

use super::access::Matrix;
use super::emit::{Emit, register};
use super::factor::Place;
use super::helpers::Helper;
use super::method::{Mma, Streamed};
use super::mma::Product;
use super::partials::partial;
use super::scope::Value;
use super::view::View;
use super::{Manner, too_large};
use crate::backend::Unsupported;
use crate::program::{Form, TileId};

const COMPONENTS: [&str; 4] = ["x", "y", "z", "w"];

/// How the chunks of a product lie in workgroup memory: vectors from row to row, and the first of the right factor.
#[derive(Clone, Copy, Debug)]
struct Words {
    chunk: usize,
    left: usize,
    right: usize,
    offset: usize,
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
    /// # Errors
    /// Factors are not loaded, each once, or workgroup memory has no room.
    pub(super) fn multiply_integers(&mut self, mma: Mma) -> Result<(), Unsupported> {
        let mut places = vec![];
        for tile in [mma.a, mma.b] {
            let Some(source) = self.plan.sources[tile.0 as usize].clone() else {
                let asked = format!("%{}", tile.0);
                return Err(too_large("a factor of 8-bit integers in WGSL", asked, "loads, each of a tile of its own"));
            };
            places.push(Place::Storage(self.matrix(&source)));
        }
        let [a, b] = places.try_into().expect("two factors");
        let (product, n) = self.located(mma, a, b);
        match self.words(&product) {
            None => self.words_from(&product, &Value::literal(0), &n),
            Some(words) => {
                let size = words.offset + words.chunk / 4 * words.right;
                self.shared_words = self.shared_words.max(size);
                self.refuse_large(product.acc, 0)?;
                self.chunks_of_words(&product, words, &n);
            }
        }
        Ok(())
    }

    /// How to stage a product, if that is worth while and there is room.
    fn words(&self, product: &Product) -> Option<Words> {
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
        let fits = |w: &Words| {
            w.chunk <= product.depth.size.min(product.depth.len) && w.offset + w.chunk / 4 * w.right <= free
        };
        [64, 32, 16].map(of).into_iter().find(fits)
    }

    /// The chunks of a depth, each read into registers while the one before is multiplied; what is left comes straight from
    /// the tensors.
    fn chunks_of_words(&mut self, product: &Product, words: Words, n: &Value) {
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

    /// Sixteen bytes of a row from `col` on. With `held`, those past the axis' end are others of the row instead.
    fn sixteen(&mut self, matrix: &Matrix, row: &Value, col: &Value, held: Option<usize>) -> String {
        if self.plan.views[&matrix.tensor].0 == View::Sixteens {
            let col = held.map_or_else(|| col.clone(), |len| self.at_most(col, len - 16));
            let at = self.sum(row, &col);
            return format!("m{}[{} >> 4u]", matrix.tensor.0, at.text);
        }
        let words: Vec<String> = (0..4)
            .map(|i| {
                let col = self.sum(col, &Value::literal(4 * i));
                self.word(matrix, row, &col, held)
            })
            .collect();
        format!("vec4<u32>({})", words.join(", "))
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

    /// Adds four products a column: `a` is a word, `b` one of each column.
    fn add_dots(&mut self, acc: TileId, (row, group): (usize, usize), a: &str, b: &str) {
        let sum = register(acc, row, group);
        if !self.is_wide(acc) {
            return self.line(format!("{sum} += dot4I8Packed({a}, {b});"));
        }
        let dots = COMPONENTS.map(|c| format!("dot4I8Packed({a}, {b}.{c})"));
        self.line(format!("{sum} += vec4<i32>({});", dots.join(", ")));
    }

    /// Positions `from` to `n` of the depth, straight from the tensors.
    fn words_from(&mut self, product: &Product, from: &Value, n: &Value) {
        let in_fours = self.plan.in_fours(product.depth);
        let fours = match (in_fours, n.known()) {
            (true, _) => n.clone(),
            (false, Some(n)) => Value::literal(n - n % 4),
            (false, None) => self.value(format!("{} & -4", n.text), n.level),
        };
        let share = self.plan.mapping.share(&self.ty(product.acc));
        if fours != *from {
            let k = self.count_from(&from.text, &fours.text, 4);
            let left = self.left_words(product, &k, false);
            for group in 0..share.groups() {
                let right = self.right_words(product, group, &k);
                for (row, a) in left.iter().enumerate() {
                    self.add_dots(product.acc, (row, group), a, &right);
                }
            }
            self.close();
        }
        if !in_fours && n.known().is_none_or(|n| n % 4 != 0) {
            let k = self.count_from(&fours.text, &n.text, 1);
            let left = self.left_words(product, &k, true);
            for group in 0..share.groups() {
                let right = self.right_bytes(product, group, &k);
                for (row, a) in left.iter().enumerate() {
                    self.line(format!("{} += {a} * {right};", register(product.acc, row, group)));
                }
            }
            self.close();
        }
    }

    /// A word along the depth of each of this thread's rows, or a `single` number.
    fn left_words(&mut self, product: &Product, k: &Value, single: bool) -> Vec<String> {
        let (factor, matrix) = (&product.a, Self::storage(&product.a).clone());
        let covered = self.plan.mapping.covered_rows(factor.across);
        let at = self.sum(&factor.origin, k);
        (0..self.plan.mapping.rows(factor.across))
            .map(|slot| {
                let local = self.local_row(factor.across, slot);
                let row = self.factor_row(factor, &local, covered);
                let value = if single { self.byte(&matrix, &row, &at) } else { self.word(&matrix, &row, &at, None) };
                self.named("a", &value)
            })
            .collect()
    }

    /// Positions `k .. k + 4` of the columns of a group, a word each.
    fn right_words(&mut self, product: &Product, group: usize, k: &Value) -> String {
        let (factor, matrix) = (&product.b, Self::storage(&product.b).clone());
        let at = self.sum(&factor.origin, k);
        if factor.form == Form::Abt {
            let rows = self.right_rows(factor, group);
            let words: Vec<String> = rows.iter().map(|row| self.word(&matrix, row, &at, None)).collect();
            return match words.as_slice() {
                [single] => self.named("b", single),
                _ => self.named("b", &format!("vec4<u32>({})", words.join(", "))),
            };
        }
        let rows: Vec<Value> = (0..4)
            .map(|j| {
                let k = self.sum(k, &Value::literal(j));
                self.depth_row(factor, &k)
            })
            .collect();
        if factor.across.size == 1 {
            let col = self.position_on(factor.across, &Value::literal(0), 1);
            let bytes: Vec<String> = rows.iter().map(|row| self.byte(&matrix, row, &col)).collect();
            return self.named("b", &format!("pack4xI8(vec4<i32>({}))", bytes.join(", ")));
        }
        let (col, held) = self.right_col(factor, group);
        let words: Vec<String> = rows.iter().map(|row| self.word(&matrix, row, &col, held)).collect();
        let turned = self.with_helper(Helper::TurnBytes, format!("turn_bytes({})", words.join(", ")));
        self.named("b", &turned)
    }

    /// Position `k` of the columns of a group, as numbers.
    fn right_bytes(&mut self, product: &Product, group: usize, k: &Value) -> String {
        let (factor, matrix) = (&product.b, Self::storage(&product.b).clone());
        let bytes: Vec<String> = if factor.form == Form::Abt {
            let at = self.sum(&factor.origin, k);
            self.right_rows(factor, group).iter().map(|row| self.byte(&matrix, row, &at)).collect()
        } else {
            let row = self.depth_row(factor, k);
            let (col, held) = self.right_col(factor, group);
            let n = if factor.across.size == 1 { 1 } else { 4 };
            (0..n)
                .map(|j| {
                    let col = self.sum(&col, &Value::literal(j));
                    let col = held.map_or_else(|| col.clone(), |len| self.at_most(&col, len - 1));
                    self.byte(&matrix, &row, &col)
                })
                .collect()
        };
        match bytes.as_slice() {
            [single] => self.named("b", single),
            _ => self.named("b", &format!("vec4<i32>({})", bytes.join(", "))),
        }
    }

    /// One number of a row.
    fn byte(&mut self, matrix: &Matrix, row: &Value, col: &Value) -> String {
        let at = self.sum(row, col);
        let word = self.word_at(matrix, &at.text);
        self.with_helper(Helper::ByteI8, format!("byte_i8({word}, {})", at.text))
    }

    /// Four neighbours of a row from `col` on in a word. With `held`, those past the axis' end are others of the row instead.
    fn word(&mut self, matrix: &Matrix, row: &Value, col: &Value, held: Option<usize>) -> String {
        if self.plan.views[&matrix.tensor].0.in_quads() {
            let col = held.map_or_else(|| col.clone(), |len| self.at_most(col, len - 4));
            let at = self.sum(row, &col);
            return self.word_at(matrix, &at.text);
        }
        let bytes: Vec<String> = (0..4)
            .map(|j| {
                let col = self.sum(col, &Value::literal(j));
                let col = held.map_or_else(|| col.clone(), |len| self.at_most(&col, len - 1));
                self.byte(matrix, row, &col)
            })
            .collect();
        format!("pack4xI8(vec4<i32>({}))", bytes.join(", "))
    }

    /// `b[columns, depth]` for few rows.
    pub(super) fn stream_words(&mut self, product: &Product, streamed: &Streamed, stem: &str, n: &Value) {
        let (a, b) = (Self::storage(&product.a).clone(), Self::storage(&product.b).clone());
        let rows = self.ty(product.acc).rows.size;
        let (first, columns) = self.stream_columns_of(product, streamed);
        self.strided(&first, n, (16 * streamed.x, usize::MAX), &mut |emit, steps| {
            let mut loaded = vec![];
            for k in steps {
                let at = emit.sum(&product.b.origin, k);
                for row in &columns {
                    let block = emit.sixteen(&b, row, &at, None);
                    loaded.push(emit.named("w", &block));
                }
            }
            for (k, words) in steps.iter().zip(loaded.chunks(columns.len())) {
                let at = emit.sum(&product.a.origin, k);
                for row in 0..rows {
                    let start = emit.factor_row(&product.a, &Value::literal(row as i64), rows);
                    let block = emit.sixteen(&a, &start, &at, None);
                    let left = emit.named("a", &block);
                    for c in COMPONENTS {
                        for (slot, word) in words.iter().enumerate() {
                            let sum = partial(stem, row, slot);
                            emit.line(format!("{sum} += dot4I8Packed({left}.{c}, {word}.{c});"));
                        }
                    }
                }
            }
        });
    }
}
