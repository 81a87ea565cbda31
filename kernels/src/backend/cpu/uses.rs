//! How the tiles of a stage are used, which decides the forms they are held in.

use std::collections::{HashMap, HashSet};

use super::isa::Isa;
use super::pack::Layout;
use super::unit::Units;
use crate::DType;
use crate::program::{Arg, Form, Op, Stage, Tensor, TileId};

/// Rows up to which a product streams its right factor in place.
pub(super) const STREAM_ROWS: usize = 16;

/// As [`STREAM_ROWS`], where the right factor is dequantised: as many passes of eight rows as are still faster than rows of
/// f32 that are written, transposed and read back (on a Xeon of model 207 32 rows take half of that).
pub(super) const STREAM_ROWS_OF_4_BITS: usize = 48;

/// Rows from which tiles are faster than vectors that widen: those read a tenth faster, and their work grows with the rows.
pub(super) const LEAST_TILE_ROWS: usize = 5;

/// As [`LEAST_TILE_ROWS`], of rows of the right factor in place of `depth` elements: short ones end before tiles are at speed,
/// unless registers keep all that they meet. Of keys of 128 bf16 from memory, and values, 4 queries of a group are a tenth slower by
/// tiles, 6, 8 and 16 are 1.15, 1.25 and 1.6 times as fast; from cache 4 are 1.3 times.
pub(super) fn least_tile_rows(dtype: DType, depth: usize) -> usize {
    if depth >= SHORT_ELEMS || are_kept(dtype, depth) { LEAST_TILE_ROWS } else { LEAST_TILE_ROWS_OF_SHORT }
}

/// Whether registers keep all that rows in place of `depth` elements meet: whole steps of bf16, as many as there are tiles to spare.
pub(super) fn are_kept(dtype: DType, depth: usize) -> bool {
    let bytes = depth * dtype.size_bytes();
    let steps = STEP_BYTES..=KEPT_STEPS * STEP_BYTES;
    dtype == DType::Bf16 && steps.contains(&bytes) && bytes.is_multiple_of(STEP_BYTES)
}

/// Bytes of a row in a step of tiles.
pub(super) const STEP_BYTES: usize = 64;

/// Most steps that are kept.
pub(super) const KEPT_STEPS: usize = 4;

/// See [`least_tile_rows`]: 8 queries of a group are a tenth slower by tiles, 16 a tenth to a third faster.
const LEAST_TILE_ROWS_OF_SHORT: usize = 9;

/// As [`STREAM_ROWS`], where tiles take the right factor over steps of the contraction in place: of 32, 64, 128 and 256 rows
/// panels take 1.7, 1.5, 1.2 and 1.0 times as long.
pub(super) const STEP_STREAM_ROWS: usize = 128;

/// As [`LEAST_TILE_ROWS`], of weights of 4 bits: 8 rows take a third more time by tiles, 16 rows a quarter less.
pub(super) const LEAST_TILE_ROWS_OF_4_BITS: usize = 12;

/// Elements up to which rows in place are short: keys of a head.
const SHORT_ELEMS: usize = 512;

/// As [`STREAM_ROWS`], where tiles take the right factor in place, rows of `depth` elements: each pass of two tiles of rows but the
/// first is over what is in L2 then. Panels, which are transposed and written first, take from a tenth to twice more time for 128
/// to 256 rows of 4096 elements; of 256 elements a third less, since the sums are turned as often.
pub(super) fn tile_stream_rows(depth: usize) -> usize {
    if depth < 2 * SHORT_ELEMS { 64 } else { 256 }
}

/// Rows up to which all of them stay in L2 beside the panels of a packed right factor.
pub(super) const SHARED_ROWS: usize = 160;

/// Whether few rows are faster with packed weights of a type: panels of others are f32 and more bytes than the weights, or,
/// of i8, read no faster than the weights.
pub(super) fn packs_few_rows(dtype: DType) -> bool {
    matches!(dtype, DType::F32 | DType::Bf16)
}

/// Uses of one tile.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Uses {
    /// Needed as f32 rows.
    pub(super) rows: bool,
    /// Needed as rows of bf16 pairs.
    pub(super) pairs: bool,
    /// Needed as rows of bf16 whose even and odd elements lie apart, widened.
    pub(super) halves: bool,
    /// Needed as rows of quads of i8.
    pub(super) quads: bool,
    /// Needed as panels.
    pub(super) panels: Option<Layout>,
    /// Is a right factor that stays in memory.
    pub(super) in_place: bool,
    /// Holds a weight in panels that are made before any launch.
    pub(super) packed: bool,
    /// Takes part in a product.
    pub(super) factor: bool,
    /// Is an accumulator.
    pub(super) acc: bool,
    /// Is defined by something other than a load.
    pub(super) computed: bool,
    /// Is what these tiles, of bytes and of scales, give dequantised.
    pub(super) dequantised: Option<(TileId, TileId)>,
    /// Is a load that something else redefines.
    pub(super) overwritten: bool,
    /// Is a load that one product of the same run of operations takes as its left factor, and nothing else: it may stay
    /// in its tensor until then.
    pub(super) left_alone: bool,
    /// As [`Uses::left_alone`], of the right factor.
    pub(super) right_alone: bool,
    /// How many operations read it.
    pub(super) readers: usize,
    loaded: bool,
    // Type of the tensor it is loaded from: what is converted to f32 and nothing else is loaded as f32.
    stored: Option<DType>,
    // Which run of operations loads it.
    run: usize,
}

impl Uses {
    /// What products read this left factor as.
    pub(super) fn units(&self, dtype: DType) -> Units {
        match dtype {
            DType::I8 => Units::Quad,
            DType::Bf16 if self.pairs => Units::Pair,
            _ => Units::Single,
        }
    }

    /// Whether products alone take it, in panels.
    fn is_right_factor_alone(&self) -> bool {
        self.panels.is_some() && !self.rows && !self.pairs && !self.in_place && !self.overwritten
    }
}

/// Uses of every tile that is used at all; `weights`: tiles that are packed ahead where products alone take them.
pub(super) fn uses(
    (stage, tensors): (&Stage, &[Tensor]),
    isa: Isa,
    mut weights: HashSet<TileId>,
) -> HashMap<TileId, Uses> {
    loop {
        let uses = walk((stage, tensors), isa, &weights);
        let n_before = weights.len();
        weights.retain(|tile| uses.get(tile).is_some_and(Uses::is_right_factor_alone));
        if weights.len() == n_before {
            return uses;
        }
    }
}

fn walk((stage, tensors): (&Stage, &[Tensor]), isa: Isa, weights: &HashSet<TileId>) -> HashMap<TileId, Uses> {
    let mut walk = Walk { stage, tensors, isa, weights, uses: HashMap::new(), run: 0, n_runs: 0 };
    // Definitions first: how a product takes a factor depends on who made it.
    walk.definitions(&stage.body);
    walk.ops(&stage.body);
    walk.sources();
    for uses in walk.uses.values_mut() {
        let is_alone = uses.readers == 1 && uses.loaded && !uses.overwritten;
        uses.left_alone &= is_alone;
        uses.right_alone &= is_alone;
    }
    walk.uses
}

struct Walk<'s> {
    stage: &'s Stage,
    tensors: &'s [Tensor],
    isa: Isa,
    weights: &'s HashSet<TileId>,
    uses: HashMap<TileId, Uses>,
    run: usize,
    n_runs: usize,
}

impl Walk<'_> {
    fn of(&mut self, tile: TileId) -> &mut Uses {
        self.uses.entry(tile).or_default()
    }

    fn definitions(&mut self, ops: &[Op]) {
        for op in ops {
            match op {
                Op::Load { dst, tensor, .. } => {
                    let stored = self.tensors[tensor.0 as usize].dtype;
                    let dst = self.of(*dst);
                    (dst.loaded, dst.stored) = (true, Some(stored));
                }
                Op::Fill { dst, .. }
                | Op::Unary { dst, .. }
                | Op::Binary { dst, .. }
                | Op::Reduce { dst, .. }
                | Op::Band { dst, .. }
                | Op::Position { dst, .. }
                | Op::Convert { dst, .. } => self.of(*dst).computed = true,
                Op::Mma { acc, .. } => {
                    let acc = self.of(*acc);
                    (acc.acc, acc.computed, acc.factor) = (true, true, true);
                }
                Op::Dequantise { dst, x, scale } => {
                    let dst = self.of(*dst);
                    (dst.computed, dst.dequantised) = (true, Some((*x, *scale)));
                }
                Op::Store { .. } => {}
                Op::Loop { body, .. } => self.definitions(body),
            }
        }
        for uses in self.uses.values_mut() {
            uses.overwritten = uses.loaded && uses.computed;
        }
    }

    fn ops(&mut self, ops: &[Op]) {
        let outer = std::mem::replace(&mut self.run, self.n_runs);
        self.n_runs += 1;
        for op in ops {
            match op {
                Op::Store { src: x, .. } | Op::Reduce { x, .. } | Op::Band { x, .. } | Op::Convert { x, .. } => {
                    self.read(*x);
                }
                Op::Unary { x, .. } => self.arg(*x),
                Op::Binary { x, y, .. } => {
                    self.arg(*x);
                    self.arg(*y);
                }
                Op::Mma { acc, a, b, form } => self.mma(*acc, *a, *b, *form),
                Op::Loop { body, .. } => self.ops(body),
                Op::Load { dst, .. } | Op::Dequantise { dst, .. } => self.of(*dst).run = self.run,
                Op::Fill { .. } | Op::Position { .. } => {}
            }
        }
        self.run = outer;
    }

    /// What dequantised tiles are made of: bytes and scales stay in memory where the products stream, and are copied where the
    /// tile itself is needed.
    fn sources(&mut self) {
        let made: Vec<Uses> = self.uses.values().filter(|uses| uses.dequantised.is_some()).copied().collect();
        for uses in made {
            let Some((x, scale)) = uses.dequantised else { continue };
            self.of(x).quads |= uses.rows;
            self.of(scale).rows |= uses.rows;
            for tile in [x, scale] {
                self.of(tile).in_place |= uses.in_place;
                self.of(tile).readers += 1;
            }
        }
    }

    /// Whether a tile stays as it lies in its tensor, or is dequantised from tiles that do, in this run of operations.
    fn lies_in_memory(&mut self, tile: TileId, form: Form) -> bool {
        let uses = *self.of(tile);
        match uses.dequantised {
            None => !uses.computed,
            Some((x, scale)) => {
                let parts = [x, scale].map(|part| *self.of(part));
                let at_hand = |part: &Uses| part.loaded && !part.overwritten && part.run == uses.run;
                form == Form::Abt && uses.run == self.run && parts.iter().all(at_hand)
            }
        }
    }

    fn arg(&mut self, arg: Arg) {
        if let Arg::Tile(tile) = arg {
            self.read(tile);
        }
    }

    /// Arithmetic reads a tile.
    fn read(&mut self, tile: TileId) {
        let uses = self.of(tile);
        uses.rows = true;
        uses.readers += 1;
    }

    /// Whether both factors are bf16 as they lie in memory, whole pairs along the contraction.
    fn are_halves(&mut self, a: TileId, b: TileId) -> bool {
        [a, b].into_iter().all(|tile| {
            let ty = self.stage.tile(tile);
            let is_as_loaded = self.of(tile).loaded && !self.of(tile).computed;
            is_as_loaded && ty.dtype == DType::Bf16 && ty.cols.is_multiple_of(2)
        })
    }

    /// Whether tiles multiply these factors: both as they lie in memory, or the right one dequantised beside bf16.
    fn are_of_tiles(&mut self, a: TileId, b: TileId) -> bool {
        let is_loaded = |uses: &Uses| uses.loaded && !uses.computed;
        let fit = if self.of(b).dequantised.is_some() {
            self.of(a).stored == Some(DType::Bf16)
        } else {
            is_loaded(self.of(b)) && matches!(self.stage.tile(b).dtype, DType::Bf16 | DType::I8)
        };
        self.isa.has_tiles() && is_loaded(self.of(a)) && fit
    }

    fn mma(&mut self, acc: TileId, a: TileId, b: TileId, form: Form) {
        let rows = self.stage.tile(acc).rows.size;
        let dtype = self.stage.tile(b).dtype;
        // Columns of the tile; where the product is `a · bᵀ` they are the contraction.
        let cols = self.stage.tile(b).cols.size;
        let is_dequantised = self.of(b).dequantised.is_some();
        let least = if is_dequantised { LEAST_TILE_ROWS_OF_4_BITS } else { least_tile_rows(dtype, cols) };
        let tiles_in_place = rows >= least && form == Form::Abt && self.are_of_tiles(a, b);
        let most = if is_dequantised { STREAM_ROWS_OF_4_BITS } else { STREAM_ROWS };
        let is_of_pairs = [a, b].into_iter().all(|tile| self.stage.tile(tile).dtype == DType::Bf16);
        let tiles_over_steps = self.isa.has_tiles() && form == Form::Ab && is_of_pairs && rows >= LEAST_TILE_ROWS;
        let few_rows = rows
            <= match (tiles_in_place, tiles_over_steps) {
                (true, _) => tile_stream_rows(cols),
                (_, true) => STEP_STREAM_ROWS,
                _ => most,
            };
        let quads = dtype == DType::I8;
        let packed = self.weights.contains(&b) && (!few_rows || packs_few_rows(dtype));
        // Quads run along the contraction: where rows of the right factor do not, it is copied.
        let streams = few_rows && self.lies_in_memory(b, form) && !packed && !(quads && form == Form::Ab);
        let tiles = self.isa.has_tiles() && (!streams || tiles_in_place || tiles_over_steps);
        let dots = (self.isa.dots_bf16() || tiles) && dtype == DType::Bf16;
        let tile_panels =
            (streams && tiles_in_place).then_some(if quads { Layout::SignedPanelsNk } else { Layout::PairPanelsNk });
        let halves = streams && !dots && form == Form::Abt && self.are_halves(a, b);
        let right_pairs = dots || packed && dtype == DType::Bf16;
        self.of(acc).rows = true;
        let pairs = dots && (!(streams && form == Form::Ab) || tiles_over_steps);
        let run = self.run;
        let left = self.of(a);
        left.factor = true;
        left.readers += 1;
        // A packed factor meets all rows panel by panel: they are needed again for each.
        left.left_alone = !(streams || packed && rows <= SHARED_ROWS) && left.run == run;
        match (pairs, quads) {
            _ if tile_panels.is_some() => left.panels = tile_panels,
            (_, true) => left.quads = true,
            (true, false) => left.pairs = true,
            (false, false) if halves => left.halves = true,
            (false, false) => left.rows = true,
        }
        let right = self.of(b);
        right.factor = true;
        right.readers += 1;
        right.right_alone = right.run == run;
        if streams {
            right.in_place = true;
            return;
        }
        right.packed = packed;
        right.panels = Some(match (form, right_pairs) {
            (Form::Ab, _) if quads && tiles => Layout::SignedPanelsKn,
            (Form::Abt, _) if quads && tiles => Layout::SignedPanelsNk,
            (Form::Ab, _) if quads => Layout::QuadPanelsKn,
            (Form::Abt, _) if quads => Layout::QuadPanelsNk,
            (Form::Ab, false) => Layout::PanelsKn,
            (Form::Ab, true) => Layout::PairPanelsKn,
            (Form::Abt, false) => Layout::PanelsNk,
            (Form::Abt, true) => Layout::PairPanelsNk,
        });
        if right.computed {
            // Panels are then copied from rows, which must exist.
            if pairs {
                right.pairs = true;
            } else {
                right.rows = true;
            }
        }
    }
}
