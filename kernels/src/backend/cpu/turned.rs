//! Stages whose products feed each other (attention over many queries), worked on transposed: rows of the program's
//! tiles run along lanes.
//!
//! ```text
//! for each strip of NR rows (2 vectors)               for scores, weights and sums of 32 queries:
//!   acc[cols][NR] += b[cols, k] · a[k][NR]              Sᵀ = K·Qᵀ: K is broadcast from where it lies
//!   elementwise operations on whole vectors             scale, mask; peak and sum of a row are lanes of a vector
//!   acc[cols][NR] += b[k, cols]ᵀ · a[k][NR]             Oᵀ += Vᵀ·Pᵀ: so is V, and the weights are a panel as they are
//! ```
//!
//! 1. A computed tile is a panel of the next product as it was written: nothing is packed between two products.
//! 2. Right factors are not copied at all, where they lie as the product reads them; pairs of bf16 along the rows of a
//!    tensor are interleaved once for all that use them.
//! 3. Reductions of a row are vertical. Runs of operations on a tile go through registers, some rows at a time
//!    ([`Chain`]).
//! 4. All of a loop's body runs for one strip before the next strip: what it alone uses ([`Held::local`]) is there once
//!    and stays in L1.
//! 5. Columns that a band turns to −∞ for all rows of a strip are left out, where everything that follows makes nothing
//!    of them ([`Cut`]).
//!
//! Where a matrix unit multiplies pairs, all three factors are its tiles: keys in rows, a panel of queries or weights, and values
//! turned to rows of pairs when they are copied.
//!
//! It costs idle lanes where the rows do not fill whole strips, and a transposing load and store of each row tile.

use super::plan::{Place, SlotId};
use crate::DType;
use crate::program::{BinaryFn, Form, ReduceFn, Span, UnaryFn};

mod chain;
mod cut;
mod facts;
mod links;
mod lower;
mod run;
mod store;
#[cfg(test)]
mod tests;
mod tile;

pub(super) use lower::lower;
pub(super) use run::{Frame, run};

/// A tile held transposed: for each strip, `cols` rows of NR lanes; half as many where they are pairs of bf16.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Held {
    /// Where.
    pub(super) slot: SlotId,
    /// Columns of the tile.
    pub(super) cols: Span,
    /// Whether its room is used again by the next strip.
    pub(super) local: bool,
    /// Whether a row holds two columns.
    pub(super) pairs: bool,
}

/// The factor whose elements are broadcast: the program's right one.
#[derive(Clone, Debug)]
pub(super) enum Broadcast {
    /// Where it lies in memory, its rows at a constant stride.
    InPlace(Box<Place>),
    /// A copy in rows; rows of the tile, or pairs of them.
    Copied(SlotId),
}

/// `acc[cols][NR] (+)= broadcast · panel`.
#[derive(Clone, Debug)]
pub(super) struct Product {
    /// Added to.
    pub(super) acc: Held,
    /// Elements that are broadcast.
    pub(super) broadcast: Broadcast,
    /// The program's left factor.
    pub(super) panel: Held,
    /// How the broadcast factor is read: along its rows ([`Form::Abt`]) or down its columns.
    pub(super) form: Form,
    /// Whether units are bf16 pairs.
    pub(super) pairs: bool,
    /// Whether the accumulator is overwritten rather than added to.
    pub(super) fresh: bool,
}

/// An argument of an operation in a chain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Argument {
    /// What the chain works on.
    Focus,
    /// The same number everywhere.
    Scalar(f32),
    /// A tile of the same size.
    Each(Held),
    /// A column vector: a number a lane.
    Lane(Held),
    /// A row vector: a number for each row of lanes.
    Key(SlotId),
}

/// One operation of a chain, on the focus where nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Link {
    Fill(f32),
    Unary(UnaryFn, Argument),
    Binary(BinaryFn, Argument, Argument),
    /// Keeps `low ≤ column − ⌊row / row_div⌋ ≤ high`.
    Band {
        row_div: usize,
        low: Option<i64>,
        high: Option<i64>,
        outside: f32,
        /// Columns of the tile.
        cols: Span,
    },
    /// Positions of rows, along lanes.
    Positions,
    /// Folds all rows of lanes into one.
    Reduce(ReduceFn, Held),
    /// Rounded to a type, to another tile.
    Round(DType, Held),
    /// Rounded to bf16 pairs, to another tile.
    Pairs(Held),
}

/// Operations on one tile, taken together for some rows of lanes at a time.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// The tile.
    pub(super) focus: Held,
    /// Whether its former values are read.
    pub(super) loads: bool,
    /// Whether its new values are read later.
    pub(super) stores: bool,
    /// In order.
    pub(super) links: Vec<Link>,
}

/// One operation on a strip.
#[derive(Clone, Debug)]
pub(super) enum StripOp {
    Product(Box<Product>),
    Chain(Chain),
    /// The positions of columns, as a row vector.
    Columns(SlotId, Span),
    Store {
        from: Held,
        place: Box<Place>,
    },
}

/// Columns that count: what a band leaves of them for some row of a strip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cut {
    /// All columns.
    pub(super) cols: Span,
    /// As the band's.
    pub(super) row_div: usize,
    /// As the band's.
    pub(super) low: Option<i64>,
    /// As the band's.
    pub(super) high: Option<i64>,
}

/// Operations that each strip of rows goes through before the next one.
#[derive(Clone, Debug)]
pub(super) struct Strips {
    /// The rows.
    pub(super) rows: Span,
    /// Columns that need not all be computed.
    pub(super) cut: Option<Cut>,
    /// In order.
    pub(super) ops: Vec<StripOp>,
}
