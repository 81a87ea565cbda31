//! Products.
//!
//! ```text
//! factors from storage or exchanged:        factors staged:
//!   for k in fours of the depth:              for each chunk of the depth that fits workgroup memory:
//!     a[i] <- row i, k..k+4                     both chunks from registers, barrier, the next chunk into registers,
//!     for g:  b[0..4] <- k..k+4, group g        the loop on the left, over the chunk, barrier
//!       for i:  acc[i][g] += a[i].x·b[0] + .. + a[i].w·b[3]
//!   for k in what is left of the depth: one at a time
//! ```
//!
//! Only what exists of the depth is gone through, so nothing need be zero beyond it. Rows and columns beyond their
//! axes read some existing element; what they give is never stored.

use super::emit::{Emit, register};
use super::factor::{Factor, Place};
use super::method::{Method, Mma};
use super::scope::Value;
use super::{Manner, too_large};
use crate::backend::Unsupported;
use crate::program::{Form, Span, TileId};

/// Depth of a staged chunk: 32 rows of 64 columns take 8 KiB, which leaves room for two workgroups or more.
const MAX_CHUNK: usize = 32;
/// Vectors that a thread reads ahead: beside 64 accumulators of a thread they leave no room for more.
const MAX_AHEAD: usize = 6;

/// A product with both factors found.
#[derive(Debug)]
pub(super) struct Product {
    pub(super) acc: TileId,
    pub(super) a: Factor,
    pub(super) b: Factor,
    pub(super) depth: Span,
}

/// Which factors a product stages, and how deep the chunks are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Staging {
    pub(super) left: bool,
    pub(super) right: bool,
    pub(super) chunk: usize,
    /// First vector of workgroup memory that is free.
    pub(super) offset: usize,
}

impl Emit<'_> {
    pub(super) fn mma(&mut self, mma: Mma) -> Result<(), Unsupported> {
        let method = self.method(mma);
        let once = method != Method::Owned && !self.held.contains_key(&mma.acc);
        if once {
            self.hold(mma.acc, method, false)?;
        }
        match method {
            Method::Owned if self.is_sum(mma.acc) => self.multiply_integers(mma)?,
            Method::Owned => self.owned(mma)?,
            Method::Streamed(streamed) => {
                let stem = self.held[&mma.acc].stem.clone();
                let mut vectors = 0;
                let (a, b) = (self.found(mma.a, true, &mut vectors), self.found(mma.b, false, &mut vectors));
                self.refuse_large(mma.acc, vectors)?;
                let (product, n) = self.located(mma, a, b);
                self.stream(&product, &streamed, &stem, &n);
            }
            Method::Fragments(fragments) => {
                let stem = self.held[&mma.acc].stem.clone();
                let place = |emit: &mut Self, tile: TileId| match emit.plan.sources[tile.0 as usize].clone() {
                    Some(source) => Place::Storage(emit.matrix(&source)),
                    None => Place::Own(tile),
                };
                let (a, b) = (place(self, mma.a), place(self, mma.b));
                let (product, n) = self.located(mma, a, b);
                self.multiply_fragments(&product, mma, &fragments, &stem, &n);
                self.refuse_large(mma.acc, 0)?;
            }
        }
        if once { self.settle(mma.acc) } else { Ok(()) }
    }

    fn owned(&mut self, Mma { acc, a, b, form }: Mma) -> Result<(), Unsupported> {
        let acc_ty = self.ty(acc);
        let mut vectors = 0;
        let left = self.found(a, true, &mut vectors);
        let right = self.found(b, false, &mut vectors);
        let staging = self.staging((a, &left), (b, &right), acc, form, vectors);
        if let Some(staging) = staging {
            let (rows, quads) = (acc_ty.rows.size, acc_ty.cols.size.div_ceil(4));
            vectors += if staging.left { rows * (staging.chunk / 4 + 1) } else { 0 };
            vectors += if staging.right { staging.chunk * quads } else { 0 };
        }
        self.refuse_large(acc, vectors)?;
        let (product, n) = self.located(Mma { acc, a, b, form }, left, right);
        match staging {
            None => self.whole(&product, &n),
            Some(staging) => self.chunked(&product, staging, &n),
        }
        Ok(())
    }

    /// A product with its factors at these places, and how much of its depth exists.
    pub(super) fn located(&mut self, Mma { acc, a, form, .. }: Mma, left: Place, right: Place) -> (Product, Value) {
        let (acc_ty, depth) = (self.ty(acc), self.ty(a).cols);
        let start = self.index(&depth.start);
        let origin = |place: &Place| if matches!(place, Place::Storage(_)) { start.clone() } else { Value::literal(0) };
        let factor = |place: Place, across| Factor { origin: origin(&place), place, form, across };
        let product = Product { acc, a: factor(left, acc_ty.rows), b: factor(right, acc_ty.cols), depth };
        (product, self.valid(depth))
    }

    /// Where a factor lies; a computed one is handed to the other threads.
    fn found(&mut self, tile: TileId, left: bool, vectors: &mut usize) -> Place {
        if let Some(source) = self.plan.sources[tile.0 as usize].clone() {
            return Place::Storage(self.matrix(&source));
        }
        if left && !self.is_wide(tile) {
            return Place::Own(tile);
        }
        if left && matches!(self.caps.manner, Manner::Lanes(_)) {
            return Place::Lanes(tile);
        }
        let offset = *vectors;
        let stride = self.exchange(tile, offset);
        *vectors += stride * self.ty(tile).rows.size;
        Place::Shared { offset, stride }
    }

    /// Which factors to stage: those that several threads read, if loaded for this iteration alone.
    fn staging(
        &self,
        a: (TileId, &Place),
        b: (TileId, &Place),
        acc: TileId,
        form: Form,
        taken: usize,
    ) -> Option<Staging> {
        if self.caps.manner != Manner::Staged {
            return None;
        }
        let fresh = |(tile, place): (TileId, &Place)| {
            matches!(place, Place::Storage(_)) && self.load_depths[tile.0 as usize] == self.loop_depth
        };
        let (ty, mapping) = (self.ty(acc), self.plan.mapping);
        let left = fresh(a) && mapping.tx > 1;
        let right = fresh(b) && mapping.ty > 1;
        let free = (self.caps.max_workgroup_bytes as usize / 16)
            .saturating_sub(taken + self.shared_scalars.div_ceil(4) + self.shared_halves.div_ceil(2));
        let size = self.ty(a.0).cols.size.next_multiple_of(4);
        let (rows, quads) = (ty.rows.size, ty.cols.size.div_ceil(4));
        let vectors =
            |chunk: usize| (if left { rows * (chunk / 4 + 1) } else { 0 }) + if right { chunk * quads } else { 0 };
        let ahead = |chunk: usize| {
            let each = |vectors: usize, at_once: usize| at_once * (vectors / at_once).div_ceil(mapping.threads());
            let turned = if form == Form::Abt { 4 } else { 1 };
            (if left { each(rows * chunk / 4, 1) } else { 0 }) + if right { each(chunk * quads, turned) } else { 0 }
        };
        let fits = |&c: &usize| c <= size && vectors(c) <= free;
        let chunks = [size.min(MAX_CHUNK), 16, 8, 4];
        let chunk = chunks.into_iter().filter(fits).find(|&c| ahead(c) <= MAX_AHEAD);
        let chunk = chunk.or_else(|| chunks.into_iter().rfind(fits))?;
        (left || right).then_some(Staging { left, right, chunk, offset: taken })
    }

    /// # Errors
    /// Workgroup memory has no room for what is asked.
    pub(super) fn refuse_large(&mut self, acc: TileId, vectors: usize) -> Result<(), Unsupported> {
        self.shared_vectors = self.shared_vectors.max(vectors);
        let scalars = self.shared_scalars.div_ceil(4) + self.shared_sums.div_ceil(4);
        let vectors = self.shared_vectors + self.shared_words + self.shared_halves.div_ceil(2) + scalars;
        let asked = 16 * (vectors + usize::from(self.votes));
        let limit = self.caps.max_workgroup_bytes as usize;
        if asked <= limit {
            return Ok(());
        }
        let ty = self.ty(acc);
        let what = format!("bytes of workgroup memory for a product of {} × {}", ty.rows.size, ty.cols.size);
        Err(too_large(&what, asked, limit))
    }

    /// The chunks of a depth, each read into registers while the one before is multiplied.
    fn chunked(&mut self, product: &Product, staging: Staging, n: &Value) {
        let chunk = staging.chunk;
        let copies = self.copies(product, staging);
        if chunk >= product.depth.size {
            self.fetch(&copies, &Value::literal(0));
            self.put(&copies);
            let staged = self.staged(product, staging, &Value::literal(0));
            return self.whole(&staged, n);
        }
        let full = match n.known() {
            Some(n) => Value::literal(n - n % chunk as i64),
            None => self.value(format!("{} / {chunk} * {chunk}", n.text), n.level),
        };
        if full.known() != Some(0) {
            self.fetch(&copies, &Value::literal(0));
            let last = match full.known() {
                Some(full) => Value::literal(full - chunk as i64),
                None => self.value(format!("max({} - {chunk}, 0)", full.text), full.level),
            };
            let var = self.fresh("chunk");
            self.open(format!("for (var {var} = 0; {var} < {}; {var} += {chunk})", full.text));
            self.put(&copies);
            self.before_reads();
            let next = self.value(format!("min({var} + {chunk}, {})", last.text), self.level());
            self.fetch(&copies, &next);
            let at = Value { text: var, level: self.level() };
            let staged = self.staged(product, staging, &at);
            self.whole(&staged, &Value::literal(chunk as i64));
            self.close();
        }
        let some_left = n.known().is_none_or(|n| n % chunk as i64 != 0);
        if some_left {
            self.open(format!("if ({} < {})", full.text, n.text));
            self.fetch(&copies, &full);
            self.put(&copies);
            let staged = self.staged(product, staging, &full);
            let count = self.value(format!("{} - {}", n.text, full.text), n.level);
            self.whole(&staged, &count);
            self.close();
        }
    }

    /// The loop over `count` positions of the depth.
    fn whole(&mut self, product: &Product, count: &Value) {
        if [&product.a.place, &product.b.place].iter().any(|place| matches!(place, Place::Shared { .. })) {
            self.before_reads();
        }
        if let Place::Lanes(tile) = product.a.place {
            return self.across_lanes(product, tile, count);
        }
        let in_fours = self.plan.in_fours(product.depth);
        let fours = match (in_fours, count.known()) {
            (true, _) => count.clone(),
            (false, Some(n)) => Value::literal(n - n % 4),
            (false, None) => self.value(format!("{} & -4", count.text), count.level),
        };
        let unrolled = fours.known().filter(|n| *n <= MAX_CHUNK as i64 && self.caps.manner == Manner::Staged);
        if let Some(n) = unrolled {
            // Offsets that are constants cost nothing; compilers of GPUs leave half of this to the loop otherwise.
            for k in (0..n).step_by(4).map(Value::literal) {
                let a = self.left_quads(&product.a, &k);
                self.fused(product, &a, &k);
            }
        } else if fours.known() != Some(0) && product.depth.size >= 4 {
            let k = self.count_from("0", &fours.text, 4);
            let a = self.left_quads(&product.a, &k);
            self.fused(product, &a, &k);
            self.close();
        }
        if !in_fours && count.known().is_none_or(|n| n % 4 != 0) {
            let from = if product.depth.size >= 4 { fours.text } else { "0".into() };
            let k = self.count_from(&from, &count.text, 1);
            let a = self.left_elements(&product.a, &k);
            self.single(product, &a, &k);
            self.close();
        }
    }

    pub(super) fn count_from(&mut self, from: &str, to: &str, step: usize) -> Value {
        let k = self.fresh("k");
        self.open(format!("for (var {k} = {from}; {k} < {to}; {k} += {step})"));
        Value { text: k, level: self.level() }
    }

    /// Four steps along the depth.
    fn fused(&mut self, product: &Product, a: &[String], k: &Value) {
        let wide = self.is_wide(product.acc);
        for quad in 0..self.plan.mapping.share(&self.ty(product.acc)).groups() {
            let b = self.right_quads(&product.b, quad, k);
            for (row, a) in a.iter().enumerate() {
                let acc = register(product.acc, row, quad);
                if !wide {
                    self.line(format!("{acc} += dot({a}, {});", b[0]));
                    continue;
                }
                for (b, component) in b.iter().zip(["x", "y", "z", "w"]) {
                    self.line(format!("{acc} = fma(vec4<f32>({a}.{component}), {b}, {acc});"));
                }
            }
        }
    }

    /// One step along the depth.
    fn single(&mut self, product: &Product, a: &[String], k: &Value) {
        let wide = self.is_wide(product.acc);
        for quad in 0..self.plan.mapping.share(&self.ty(product.acc)).groups() {
            let b = self.right_elements(&product.b, quad, k);
            for (row, a) in a.iter().enumerate() {
                let acc = register(product.acc, row, quad);
                let a = if wide { format!("vec4<f32>({a})") } else { a.clone() };
                self.line(format!("{acc} = fma({a}, {b}, {acc});"));
            }
        }
    }

    /// The left factor is in registers: lane `l` holds columns `4·(l + lanes·g) .. + 4` of every row.
    fn across_lanes(&mut self, product: &Product, tile: TileId, count: &Value) {
        let lanes = self.plan.mapping.tx;
        let share = self.plan.mapping.share(&self.ty(tile));
        let in_fours = self.plan.in_fours(product.depth);
        for group in 0..share.groups() {
            let base = 4 * lanes * group;
            let quads = self.value(format!("clamp(({} - {base}) >> 2u, 0, {lanes})", count.text), count.level);
            let lane = self.count_from("0", &quads.text, 1);
            let k = self.value(format!("{base} + 4 * {}", lane.text), self.level());
            let a: Vec<String> = (0..share.rows)
                .map(|row| {
                    self.named("a", &format!("subgroupShuffle({}, u32({}))", register(tile, row, group), lane.text))
                })
                .collect();
            self.fused(product, &a, &k);
            self.close();
            if in_fours {
                continue;
            }
            let from = self.value(format!("{base} + 4 * {}", quads.text), count.level);
            let to = self.value(format!("min({}, {})", count.text, base + 4 * lanes), count.level);
            let k = self.count_from(&from.text, &to.text, 1);
            let a: Vec<String> = (0..share.rows)
                .map(|row| {
                    let quad = format!("subgroupShuffle({}, u32({}))", register(tile, row, group), quads.text);
                    self.named("a", &format!("{quad}[{} - {}]", k.text, from.text))
                })
                .collect();
            self.single(product, &a, &k);
            self.close();
        }
    }
}
