//! What a program becomes on the CPU: steps over slots of a worker's arena.

use super::memory::FLOATS_PER_LINE;
use super::microkernel::lead;
use super::pack::Layout;
use super::rows::Group;
use super::tiles::TILES_COLS;
use super::turned::Strips;
use super::unit::Units;
use super::weights::Weight;
use crate::DType;
use crate::program::{Bound, Form, Index, Program, Span, Stage, Stretch, Tensor, TensorId, no_pages};

/// Position of a slot in its stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct SlotId(pub(super) usize);

/// Room for a tile in one form: rows of units, or panels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// Where it starts in the arena, in f32.
    pub(super) offset: usize,
    /// Stride of rows, in 32-bit units; 1 for a column vector that is no factor.
    pub(super) lead: usize,
    /// Units it takes.
    pub(super) units: usize,
}

/// A tile of a tensor in memory.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Which buffer.
    pub(super) tensor: usize,
    /// Its element type and axes.
    pub(super) shape: Tensor,
    /// Which matrix.
    pub(super) lead: Vec<Index>,
    /// Rows of the tile.
    pub(super) rows: Span,
    /// Columns of the tile.
    pub(super) cols: Span,
    /// What says where pages of rows are: which buffer, and its axes.
    pub(super) table: Option<Box<(usize, Tensor)>>,
}

/// What tables say, by tensor; nothing of other tensors.
pub(super) type Tables<'t> = &'t [Vec<u32>];

impl Place {
    /// The tile of a tensor of a program at these spans.
    pub(super) fn of(program: &Program, id: TensorId, lead: &[Index], rows: Span, cols: Span) -> Place {
        let shape = program.tensor(id).clone();
        let table = shape.pages.map(|pages| Box::new((pages.table.0 as usize, program.tensor(pages.table).clone())));
        Place { tensor: id.0 as usize, shape, lead: lead.to_vec(), rows, cols, table }
    }

    /// Offsets of the rows that exist, in elements, into `offsets`; `lead_at` is room for the indices of the matrix.
    pub(super) fn locate(&self, values: &[i64], tables: Tables, lead_at: &mut Vec<i64>, offsets: &mut Vec<usize>) {
        offsets.clear();
        let (first, n_rows) = (self.rows.start(values), self.rows.valid(values));
        if n_rows > 0 {
            self.locate_rows(first..first + n_rows, values, tables, lead_at, offsets);
        }
    }

    /// As [`Place::locate`], of these rows of its matrix.
    pub(super) fn locate_rows(
        &self,
        rows: std::ops::Range<usize>,
        values: &[i64],
        tables: Tables,
        lead_at: &mut Vec<i64>,
        offsets: &mut Vec<usize>,
    ) {
        lead_at.clear();
        lead_at.extend(self.lead.iter().map(|index| index.eval(values)));
        let col = self.cols.start(values);
        self.shape.row_offsets(lead_at, rows, col, self.page_of(values, tables), offsets);
    }

    /// Offset of the first element, and how many rows from there lie evenly apart.
    pub(super) fn first(&self, values: &[i64], tables: Tables) -> (usize, usize) {
        self.first_of(0..self.rows.valid(values), values, tables)
    }

    /// As [`Place::first`], of these rows of the tile.
    pub(super) fn first_of(&self, rows: std::ops::Range<usize>, values: &[i64], tables: Tables) -> (usize, usize) {
        let (row, n_rows) = (self.rows.start(values) + rows.start, rows.len());
        let in_matrix = self.shape.row_offset(&[], row, self.page_of(values, tables)) + self.cols.start(values);
        let even = self.shape.pages.map_or(n_rows, |pages| n_rows.min(pages.rows - row % pages.rows));
        (self.matrix(&self.shape, values) + in_matrix, even)
    }

    /// Where the matrix lies in a tensor of these leading axes.
    fn matrix(&self, shape: &Tensor, values: &[i64]) -> usize {
        shape.lead.iter().zip(&self.lead).map(|(axis, at)| axis.stride * at.eval(values) as usize).sum()
    }

    /// Where pages of the matrix are.
    fn page_of<'t>(&self, values: &[i64], tables: Tables<'t>) -> impl Fn(usize) -> usize + 't {
        let entries = self.table.as_deref().map(|(table, shape)| &tables[*table][self.matrix(shape, values)..]);
        move |page| entries.map_or_else(|| no_pages(page), |entries| entries[page] as usize)
    }
}

/// Copies of a load that several grid points use: made once by whoever needs one first. Points that follow each other
/// take turns: those of a turn share its entries, and a later turn may take the room of one that is over, so that copies
/// stay in cache where each is used by neighbours alone.
#[derive(Clone, Debug)]
pub(super) struct Memo {
    /// Consecutive points of a turn; all points of the grid where copies serve until the end of a launch.
    pub(super) turn_points: usize,
    /// Turns of a launch.
    pub(super) n_turns: usize,
    /// Entry of a load within its turn: `Σ (value of variable − least value) · factor`.
    pub(super) key: Vec<(usize, i64, usize)>,
    /// Entries of a turn.
    pub(super) entries: usize,
    /// Units of an entry.
    pub(super) units: usize,
}

impl Memo {
    /// The entry of its turn for the current variables.
    pub(super) fn entry(&self, values: &[i64]) -> usize {
        self.key.iter().map(|(var, least, factor)| (values[*var] - least) as usize * factor).sum()
    }

    /// Turns that have room at a time: those of the points that `n_workers` can be at, and one more so that the first to
    /// finish a turn need not wait for the last.
    pub(super) fn open_turns(&self, n_workers: usize) -> usize {
        let spread = if n_workers == 1 { 1 } else { n_workers.div_ceil(self.turn_points) + 1 };
        spread.min(self.n_turns)
    }
}

/// One form in which a load is copied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    /// Where to.
    pub(super) slot: SlotId,
    /// In which form.
    pub(super) layout: Layout,
    /// Which memo keeps it; none copies at each use.
    pub(super) memo: Option<usize>,
}

/// A right factor that is needed soon.
#[derive(Clone, Debug)]
pub(super) struct Ahead {
    /// The variable of the loop whose next turn needs it; none where this turn does.
    pub(super) var: Option<usize>,
    /// Where it is loaded from.
    pub(super) place: Place,
    /// Which memo keeps its panels.
    pub(super) memo: Option<usize>,
}

/// Where the right factor of a product lies.
#[derive(Clone, Debug)]
pub(super) enum Right {
    /// In panels.
    Panels(SlotId),
    /// In the buffer of a packed weight.
    Weight(usize),
    /// In its tensor of f32, whole panels side by side.
    Place(Box<Place>),
}

/// Factors of a product by slot.
#[derive(Clone, Debug)]
pub(super) struct Product {
    pub(super) acc: SlotId,
    /// The left factor; room for a row panel of it where it stays in its tensor.
    pub(super) a: SlotId,
    /// Where the left factor stays.
    pub(super) left: Option<Place>,
    /// What is read of a right factor after this one: of the same product in the next turn of the loop, or of a product
    /// that streams too.
    pub(super) ahead: Option<Ahead>,
    pub(super) rows: Span,
    pub(super) cols: Span,
    pub(super) depth: Span,
    /// What the factors hold.
    pub(super) units: Units,
}

impl Product {
    /// From row to row of a left factor of `lead`, or from panel to panel where tiles take the right one in place.
    pub(super) fn left_stride(&self, (form, lead): (Form, usize), values: &[i64]) -> usize {
        if form == Form::Abt && self.units.are_of_tiles() {
            self.units.steps(self.depth.valid(values)) * TILES_COLS
        } else {
            lead
        }
    }
}

/// One step of a grid point.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Copies a tile of a tensor.
    Load { place: Place, targets: Vec<Target> },
    /// Copies a computed tile into panels.
    Pack { from: SlotId, dtype: DType, to: SlotId, layout: Layout, rows: Span, cols: Span },
    /// Product of a factor in rows and one in panels. With `out`, the last turn of the loop that it ends writes the sums
    /// there, and the store behind the loop is done.
    Block { product: Box<Product>, b: Right, out: Option<Box<Place>> },
    /// Product with few rows; the right factor stays where it is, and so do its scales where it is of 4-bit integers.
    Stream { product: Box<Product>, place: Place, scales: Option<Box<Place>>, form: Form },
    /// `slot` is zero from here on; written only when someone other than a product reads it.
    Zero { slot: SlotId },
    /// Elementwise operations and reductions, row by row.
    Rows(Group),
    /// Operations on transposed tiles, strip by strip.
    Strips(Box<Strips>),
    /// Writes a tile to a tensor.
    Store { from: SlotId, place: Place },
    /// Repeats its body.
    Loop { var: usize, low: Vec<Bound>, high: Vec<Bound>, body: Vec<Step> },
}

/// A stage, lowered.
#[derive(Clone, Debug)]
pub(super) struct StagePlan {
    /// Extents of the grid, first axis slowest.
    pub(super) grid: Vec<usize>,
    /// Stretches of axes.
    pub(super) stretches: Vec<Stretch>,
    /// Rows without which a point has nothing to do.
    pub(super) stored_rows: Option<Span>,
    /// Variables, grid axes first.
    pub(super) n_vars: usize,
    /// Slots of each worker's arena.
    pub(super) slots: Vec<Slot>,
    /// Slots that are accumulators, with their rows and columns: what `Zero` postpones.
    pub(super) extents: Vec<(Span, Span)>,
    /// Shared copies.
    pub(super) memos: Vec<Memo>,
    /// Packed weights.
    pub(super) weights: Vec<Weight>,
    /// Whether what it stores goes around the caches.
    pub(super) stores_around: bool,
    /// What a grid point does.
    pub(super) steps: Vec<Step>,
}

impl StagePlan {
    /// The plan of a stage, without slots or steps yet.
    pub(super) fn of(stage: &Stage) -> StagePlan {
        StagePlan {
            grid: stage.grid.iter().map(|axis| axis.extent).collect(),
            stretches: stage.stretches.clone(),
            stored_rows: stage.stored_rows(),
            n_vars: stage.n_vars,
            slots: vec![],
            extents: vec![],
            memos: vec![],
            weights: vec![],
            stores_around: false,
            steps: vec![],
        }
    }

    /// f32 elements of a worker's arena.
    pub(super) fn arena_units(&self) -> usize {
        self.slots.last().map_or(0, |slot| slot.offset + slot.units)
    }

    /// Adds a slot of whole cache lines.
    pub(super) fn add_slot(&mut self, lead: usize, units: usize, extent: (Span, Span)) -> SlotId {
        let offset = self.arena_units();
        // A line more than needed: slots that start at the same distance from a page would alias in L1.
        let units = units.next_multiple_of(FLOATS_PER_LINE) + FLOATS_PER_LINE;
        self.slots.push(Slot { offset, lead, units });
        self.extents.push(extent);
        SlotId(self.slots.len() - 1)
    }

    /// Adds a slot of rows of units.
    pub(super) fn add_rows(&mut self, rows: Span, cols: Span, units: Units) -> SlotId {
        let lead = lead(cols.size.div_ceil(units.elems()));
        self.add_slot(lead, rows.size * lead, (rows, cols))
    }
}

/// A program, lowered.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Stages in order.
    pub(super) stages: Vec<StagePlan>,
    /// What the products are: for the row's name and its limit.
    pub(super) strategies: Vec<&'static str>,
    /// What its products are of; of several kinds that which holds most.
    pub(super) units: Units,
}

impl Plan {
    /// How a tensor is packed before any launch, if it is.
    pub(super) fn weight(&self, tensor: TensorId) -> Option<&Weight> {
        self.stages.iter().flat_map(|stage| &stage.weights).find(|weight| weight.place.tensor == tensor.0 as usize)
    }
}
