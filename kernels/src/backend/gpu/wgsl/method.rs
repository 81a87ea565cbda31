//! How each product of a stage is computed.
//!
//! ```text
//! owned      every thread multiplies for the registers it holds anyway
//! streamed   few rows: threads share out the right factor, which is read once, side by side; each has partial sums
//!            of the whole result, added up when the loop is over
//! fragments  16-bit factors where the device multiplies matrices: subgroups hold fragments of the result
//! ```
//!
//! The last two hold an accumulator in another form than registers: see `held`.

use super::mapping::Mapping;
use super::{Caps, Fragment, Manner};
use crate::DType;
use crate::problem::GROUP;
use crate::program::{Form, Op, Span, Stage, TileId, TileType};

/// How a product is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Owned,
    Streamed(Streamed),
    Fragments(Fragments),
}

impl Method {
    /// As a strategy's name tells it; the usual way is not told.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Method::Owned => None,
            Method::Streamed(_) => Some("streamed"),
            Method::Fragments(_) => Some("fragments"),
        }
    }
}

/// Threads over the right factor: `x` along what lies side by side in memory, `y` across it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Streamed {
    pub(super) form: Form,
    pub(super) x: usize,
    pub(super) y: usize,
    /// Partial sums that a thread holds of each row: of columns where the right factor lies transposed, else of groups
    /// of four.
    pub(super) slots: usize,
    /// Groups of four that lie side by side and are read at once: two of 16-bit elements make 16 bytes, eight of 4-bit
    /// weights.
    pub(super) wide: usize,
    /// Threads that exchange without workgroup memory.
    pub(super) lanes: usize,
}

/// Subgroups over the result: `down × across` of them, each with `rows × cols` fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fragments {
    pub(super) edge: usize,
    pub(super) lanes: usize,
    pub(super) down: usize,
    pub(super) across: usize,
    pub(super) rows: usize,
    pub(super) cols: usize,
    /// Depth that is staged at a time.
    pub(super) chunk: usize,
    /// Whether the left factor, loaded before any loop, stays in fragments of its own.
    pub(super) left_stays: bool,
}

/// Rows up to which the right factor's bytes, not the arithmetic, take the time.
const MAX_STREAMED_ROWS: usize = 16;
/// Registers of a thread that hold partial sums.
const MAX_PARTIALS: usize = 64;
/// Loads of a lane along a row of the right factor: several in flight, while eight lanes read 128 bytes side by side.
const QUADS_PER_LANE: usize = 4;
const FEWEST_LANES: usize = 8;
/// Groups of four weights of 4 bits that a thread reads at once, those of a scale.
pub(super) const WEIGHTS: usize = GROUP / 4;
/// Fragments of a subgroup: sixteen of 16 × 16 take half of the registers that 32 lanes have.
const MAX_FRAGMENTS: usize = 16;
/// Subgroups of a workgroup that multiplies fragments: measured on an H200, eight with half as much each reach 0.67 of
/// what four do.
pub(super) const SUBGROUPS: usize = 4;
/// Depth that is staged at a time.
const MAX_FRAGMENT_CHUNK: usize = 64;
/// Halves of padding a row, so that rows start in different banks.
pub(super) const PADDING: usize = 8;

/// What is known of a product before the threads are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Owned,
    Streamed,
    Fragments,
}

/// A product as the program states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mma {
    pub(super) acc: TileId,
    pub(super) a: TileId,
    pub(super) b: TileId,
    pub(super) form: Form,
}

/// A product's tiles.
#[derive(Clone, Copy, Debug)]
pub(super) struct Factors<'t> {
    pub(super) acc: &'t TileType,
    pub(super) a: (TileId, &'t TileType),
    pub(super) b: (TileId, &'t TileType),
    pub(super) form: Form,
    /// Whether the left one is loaded before any loop.
    pub(super) left_first: bool,
}

impl<'t> Factors<'t> {
    pub(super) fn of(stage: &'t Stage, Mma { acc, a, b, form }: Mma) -> Factors<'t> {
        let left_first = stage.body.iter().any(|op| matches!(op, Op::Load { dst, .. } if *dst == a));
        Factors { acc: stage.tile(acc), a: (a, stage.tile(a)), b: (b, stage.tile(b)), form, left_first }
    }

    fn depth(&self) -> Span {
        self.a.1.cols
    }
}

/// The way that suits a product, `quads` telling which loaded tiles are read in fours and `in_fours` whether what
/// exists of a span always is a multiple of four.
pub(super) fn wish(
    factors: &Factors<'_>,
    caps: &Caps,
    quads: impl Fn(TileId) -> Option<bool>,
    in_fours: impl Fn(Span) -> bool,
) -> Wish {
    let (a, b) = (quads(factors.a.0), quads(factors.b.0));
    if caps.manner != Manner::Staged || b != Some(true) || factors.depth().size == 1 {
        return Wish::Owned;
    }
    if let Some(fragment) = caps.fragment
        && a != Some(false)
        && fragments(factors, fragment).is_some()
        && in_fours(factors.depth())
    {
        return Wish::Fragments;
    }
    let aligned = factors.form == Form::Ab || a != Some(false) && in_fours(factors.depth());
    let few = factors.acc.rows.size <= MAX_STREAMED_ROWS;
    if few && aligned && caps.shuffle.is_some_and(|lanes| lanes as usize >= FEWEST_LANES) {
        return Wish::Streamed;
    }
    Wish::Owned
}

/// The way a product is computed by the threads of `mapping`, `widths` being how many groups of four of the right factor can
/// be read at once, the most first.
pub(super) fn method(wish: Wish, factors: &Factors<'_>, mapping: Mapping, caps: &Caps, widths: &[usize]) -> Method {
    match wish {
        Wish::Owned => Method::Owned,
        Wish::Streamed => {
            let fitting = widths.iter().find_map(|&wide| streamed(factors, mapping, caps, wide));
            fitting.map_or(Method::Owned, Method::Streamed)
        }
        Wish::Fragments => {
            let whole = caps.fragment.and_then(|fragment| fragments(factors, fragment));
            let fits = |f: &Fragments| {
                f.down * f.across * f.lanes == mapping.threads()
                    && f.bytes(factors) <= caps.max_workgroup_bytes as usize
            };
            whole.filter(fits).map_or(Method::Owned, Method::Fragments)
        }
    }
}

fn streamed(factors: &Factors<'_>, mapping: Mapping, caps: &Caps, wide: usize) -> Option<Streamed> {
    let (rows, cols) = (factors.acc.rows.size, factors.acc.cols.size);
    let threads = mapping.threads();
    let lanes = (caps.shuffle? as usize).min(threads);
    let (along, fewest) = match factors.form {
        Form::Abt => {
            // Of bytes, fewer lanes read a whole row of a cache.
            let fewest = if wide > 2 { FEWEST_LANES / 2 } else { FEWEST_LANES };
            (factors.depth().size.div_ceil(4 * QUADS_PER_LANE.max(2 * wide)), fewest)
        }
        Form::Ab => (cols.div_ceil(4 * wide), FEWEST_LANES / wide),
    };
    let x = along.next_power_of_two().clamp(fewest.min(lanes), lanes);
    let y = threads / x;
    let slots = match factors.form {
        Form::Abt => cols.div_ceil(y),
        Form::Ab => wide * cols.div_ceil(4 * wide * x),
    };
    let streamed = Streamed { form: factors.form, x, y, slots, wide, lanes };
    let fits = rows * slots * streamed.per_sum() <= MAX_PARTIALS
        && 16 * streamed.vectors(factors.acc) + 4 * streamed.scalars(factors.acc)
            <= caps.max_workgroup_bytes as usize / 2;
    (threads.is_power_of_two() && fits).then_some(streamed)
}

impl Streamed {
    /// Registers of a partial sum, of integers always one. Four columns take four. One column takes four too, one for each of
    /// four neighbours that are read at once, except of narrower elements, where more is read at once and unpacked.
    /// (8 × 4096² of f32 on an H200: 38.4 µs with four, 42.9 with one.)
    pub(super) fn per_sum(&self) -> usize {
        if self.form == Form::Abt && self.wide > 1 { 1 } else { 4 }
    }

    /// Groups of threads whose sums meet in workgroup memory, where the right factor lies by rows.
    pub(super) fn parts(&self) -> usize {
        (self.y * self.x).div_ceil(self.lanes)
    }

    /// Vectors of workgroup memory that adding up takes.
    pub(super) fn vectors(&self, acc: &TileType) -> usize {
        match self.form {
            Form::Ab => self.parts() * acc.rows.size * acc.cols.size.div_ceil(4),
            Form::Abt => 0,
        }
    }

    /// Scalars of workgroup memory that adding up takes.
    pub(super) fn scalars(&self, acc: &TileType) -> usize {
        match self.form {
            Form::Ab => 0,
            Form::Abt => acc.rows.size * acc.cols.size.next_multiple_of(4),
        }
    }
}

/// Four subgroups over the result, as nearly square as it allows: fewest loads for a product.
fn fragments(factors: &Factors<'_>, fragment: Fragment) -> Option<Fragments> {
    let edge = fragment.edge as usize;
    let whole = |size: usize| size.is_multiple_of(edge).then_some(size / edge);
    let halves = [factors.a.1, factors.b.1].iter().all(|ty| ty.dtype == DType::F16);
    let (down, across) = (whole(factors.acc.rows.size)?, whole(factors.acc.cols.size)?);
    let depth = whole(factors.depth().size)?;
    let splits = [1, 2, 4].map(|d| (d, SUBGROUPS / d));
    let fitting = splits.into_iter().filter(|(d, a)| down.is_multiple_of(*d) && across.is_multiple_of(*a));
    let (d, a) = fitting.min_by_key(|(d, a)| down / d + across / a)?;
    let (rows, cols) = (down / d, across / a);
    let left_stays = factors.left_first && rows * depth <= MAX_FRAGMENTS;
    // A right factor alone is staged whole: its chunks would be waited for one after the other.
    let most = if left_stays { depth } else { MAX_FRAGMENT_CHUNK / edge };
    let chunk = (1..=most).rev().map(|n| n * edge).find(|c| factors.depth().size.is_multiple_of(*c))?;
    let lanes = fragment.lanes as usize;
    let found = Fragments { edge, lanes, down: d, across: a, rows, cols, chunk, left_stays };
    (halves && rows * cols <= MAX_FRAGMENTS).then_some(found)
}

impl Fragments {
    /// Vectors of four halves from row to row of the staged left factor, and those that it takes.
    pub(super) fn left(&self, factors: &Factors<'_>, computed: bool) -> (usize, usize) {
        let depth = if computed { factors.depth().size } else { self.chunk };
        let stride = (depth + PADDING) / 4;
        (stride, stride * factors.acc.rows.size)
    }

    /// The same of the right one.
    pub(super) fn right(&self, factors: &Factors<'_>) -> (usize, usize) {
        let (along, across) = match factors.form {
            Form::Ab => (factors.acc.cols.size, self.chunk),
            Form::Abt => (self.chunk, factors.acc.cols.size),
        };
        let stride = (along + PADDING) / 4;
        (stride, stride * across)
    }

    /// Vectors of four f32 from row to row of a strip: one more than there are, so that rows start in different banks.
    pub(super) fn strip_stride(&self, acc: &TileType) -> usize {
        acc.cols.size / 4 + 1
    }

    /// Vectors of four f32 of a strip: a row of fragments of each subgroup.
    pub(super) fn strip(&self, acc: &TileType) -> usize {
        self.down * self.edge * self.strip_stride(acc)
    }

    fn bytes(&self, factors: &Factors<'_>) -> usize {
        let (computed, loaded) = (self.left(factors, true).1, self.left(factors, false).1);
        let halves = match self.left_stays {
            true => computed.max(self.right(factors).1),
            false => computed.max(loaded) + self.right(factors).1,
        };
        8 * halves + 16 * self.strip(factors.acc)
    }
}
