//! Runs a plan: grid points over threads, steps over slots.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::block::{Block, Left, Order};
use super::isa::Isa;
use super::memory::{Buffer, Shared};
use super::microkernel::{Fetch, Panel};
use super::pack::{Layout, pack};
use super::plan::{Ahead, Place, Plan, Product, Right, SlotId, StagePlan, Step, Tables, Target};
use super::pool::Pool;
use super::rows::{self, Slots};
use super::source::Source;
use super::stored::{To, store};
use super::stream::{Hints, PARTS, Stream, together};
use super::tiles::release;
use super::turned::{self, Frame};
use super::weights::Weight;
use super::worker::Worker;
use super::workspace::StageSpace;
use crate::DType;
use crate::program::Form;

/// Launches a plan once.
///
/// # Safety
/// - `tensors` has a pointer for each tensor of the program the plan was made from, valid for its elements, and the
///   workspace's slack behind them; no two of them overlap.
/// - `tables` holds what each table does, and [`Program::check_tables`](crate::program::Program::check_tables) passed on it:
///   pages exist, and stretches ascend within their axis.
pub(super) unsafe fn launch(
    isa: Isa,
    pool: &Pool,
    plan: &Plan,
    spaces: &mut [StageSpace],
    (tensors, tables): (&[Shared<u8>], Tables),
) {
    for (stage, space) in plan.stages.iter().zip(spaces) {
        space.forget();
        let n_points: usize = stage.grid.iter().product();
        let next = AtomicUsize::new(0);
        let space = &*space;
        let n_workers = space.workers.len().min(n_points);
        pool.each(n_workers, |worker| {
            // Each is one thread's: no one waits here.
            let mut worker = space.workers[worker].lock().unwrap_or_else(PoisonError::into_inner);
            let mut points = Points { isa, stage, space, tensors, tables, worker: &mut worker };
            loop {
                let point = next.fetch_add(1, Ordering::Relaxed);
                if point >= n_points {
                    break;
                }
                points.run(point);
            }
            release(isa);
        });
    }
}

/// Bytes of made panels that are fetched in a phase.
const FETCHED_BYTES: usize = 2 << 10;

struct Points<'a> {
    isa: Isa,
    stage: &'a StagePlan,
    space: &'a StageSpace,
    tensors: &'a [Shared<u8>],
    tables: Tables<'a>,
    worker: &'a mut Worker,
}

impl<'a> Points<'a> {
    fn run(&mut self, point: usize) {
        let mut rest = point;
        for (axis, extent) in self.stage.grid.iter().enumerate().rev() {
            self.worker.values[axis] = (rest % extent) as i64;
            rest /= extent;
        }
        for stretch in &self.stage.stretches {
            let (entries, at) = (&self.tables[stretch.table.0 as usize], stretch.at.eval(&self.worker.values) as usize);
            self.worker.values[stretch.first.0 as usize] = i64::from(entries[at]);
            self.worker.values[stretch.end.0 as usize] = i64::from(entries[at + 1]);
        }
        self.worker.point = point;
        for memo in self.space.memos.iter().flatten() {
            memo.begin(point);
        }
        if self.stage.stored_rows.is_none_or(|rows| rows.valid(&self.worker.values) > 0) {
            self.steps(&self.stage.steps);
        }
        for memo in self.space.memos.iter().flatten() {
            memo.end(point);
        }
    }

    fn steps(&mut self, steps: &'a [Step]) {
        for step in steps {
            match step {
                Step::Load { place, targets } => self.load(place, targets),
                Step::Pack { from, dtype, to, layout, rows, cols } => {
                    self.settle(*from);
                    let (n_rows, n_cols) = (rows.valid(&self.worker.values), cols.valid(&self.worker.values));
                    self.pack_computed(*from, *dtype, (n_rows, n_cols), *layout, *to);
                }
                Step::Block { product, b, out } => self.block(product, b, out.as_deref()),
                Step::Stream { product, place, scales, form } => self.stream(product, place, scales.as_deref(), *form),
                Step::Zero { slot } => self.worker.zero[slot.0] = true,
                Step::Rows(group) => {
                    for slot in group.slots() {
                        self.settle(slot);
                    }
                    let slots = Slots { at: &self.worker.at, leads: &self.worker.leads };
                    // SAFETY: the slots are this worker's, allotted for whole rows of whole vectors.
                    unsafe { rows::run(self.isa, group, slots, &self.worker.values) };
                }
                Step::Strips(strips) => {
                    let w = &self.worker;
                    let (isa, tensors, tables) = (self.isa, self.tensors, self.tables);
                    let frame = Frame { isa, at: &w.at, leads: &w.leads, values: &w.values, tensors, tables };
                    // SAFETY: the slots are this worker's, loads before have filled those that are read, and tensors are
                    // as the caller of `launch` has them.
                    unsafe { turned::run(strips, frame) };
                }
                Step::Store { from, place } => {
                    if std::mem::replace(&mut self.worker.stored[from.0], false) {
                        continue;
                    }
                    self.settle(*from);
                    self.locate(place);
                    let w = &self.worker;
                    let (base, goes_around) = (self.tensors[place.tensor].0, self.stage.stores_around);
                    let (cols, dtype) = (place.cols.valid(&w.values), place.shape.dtype);
                    let to = To { base, dtype, offsets: &w.offsets, cols, goes_around };
                    // SAFETY: the slot holds a row, of whole vectors, for each offset; `locate` gives rows inside the tensor, and the
                    // verifier keeps points apart.
                    unsafe { store(self.isa, w.at[from.0], w.leads[from.0], to) };
                }
                Step::Loop { var, low, high, body } => {
                    let values = &self.worker.values;
                    let low = low.iter().map(|b| b.eval(values)).max().unwrap_or(0);
                    let high = high.iter().map(|b| b.eval(values)).min().unwrap_or(0);
                    let outer = self.worker.is_last_turn;
                    for at in low..high {
                        self.worker.values[*var] = at;
                        self.worker.is_last_turn = at + 1 == high;
                        self.steps(body);
                    }
                    self.worker.is_last_turn = outer;
                }
            }
        }
    }

    /// Writes the zeros that were postponed.
    fn settle(&mut self, slot: SlotId) {
        if !std::mem::replace(&mut self.worker.zero[slot.0], false) {
            return;
        }
        let (rows, _) = self.stage.extents[slot.0];
        let units = self.stage.slots[slot.0].lead * rows.valid(&self.worker.values);
        // SAFETY: the slot is this worker's and holds `rows` rows.
        unsafe { std::ptr::write_bytes(self.worker.at[slot.0], 0, units) };
    }

    /// Offsets of the tile's rows that exist, in elements, into `worker.offsets`.
    fn locate(&mut self, place: &Place) {
        let Worker { values, offsets, lead_at, .. } = &mut *self.worker;
        place.locate(values, self.tables, lead_at, offsets);
    }

    fn source(&self, place: &Place) -> Source<'_> {
        Source {
            base: self.tensors[place.tensor].0,
            dtype: place.shape.dtype,
            offsets: &self.worker.offsets,
            cols: place.cols.valid(&self.worker.values),
        }
    }

    fn load(&mut self, place: &Place, targets: &[Target]) {
        let mut located = false;
        for target in targets {
            let memo = target.memo.and_then(|memo| self.space.memos[memo].as_ref().map(|space| (memo, space)));
            let Target { slot, layout, .. } = *target;
            let lead = self.stage.slots[slot.0].lead;
            self.worker.zero[slot.0] = false;
            match memo {
                None => {
                    if !std::mem::replace(&mut located, true) {
                        self.locate(place);
                    }
                    self.worker.at[slot.0] = self.worker.home[slot.0];
                    self.copy(place, layout, self.worker.home[slot.0], lead);
                }
                Some((memo, space)) => {
                    let entry = self.stage.memos[memo].entry(&self.worker.values);
                    let entry = space.position(self.worker.point, entry);
                    if space.claim(entry) {
                        if !std::mem::replace(&mut located, true) {
                            self.locate(place);
                        }
                        self.copy(place, layout, space.at(entry), lead);
                        space.publish(entry);
                    }
                    self.worker.at[slot.0] = space.at(entry);
                }
            }
        }
    }

    /// The entry of a packed weight for the current variables.
    fn panels_of(&self, weight: &Weight) -> *const f32 {
        let base: *const f32 = self.tensors[weight.place.tensor].0.cast_const().cast();
        base.wrapping_add(weight.at(&self.worker.values))
    }

    /// Copies a computed tile of `(rows, columns)` from its rows to panels.
    fn pack_computed(&self, from: SlotId, dtype: DType, (n_rows, cols): (usize, usize), layout: Layout, to: SlotId) {
        let stride = self.worker.leads[from.0] * 4 / dtype.size_bytes();
        let offsets: Vec<usize> = (0..n_rows).map(|r| r * stride).collect();
        let source = Source { base: self.worker.at[from.0].cast_const().cast(), dtype, offsets: &offsets, cols };
        // SAFETY: both slots are this worker's and hold the tile's rows and panels.
        unsafe { pack(self.isa, source, layout, self.worker.at[to.0], 0) };
    }

    fn copy(&self, place: &Place, layout: Layout, dst: *mut f32, lead: usize) {
        // SAFETY: `locate` gives rows inside the tensor; the destination is this worker's slot or the entry it
        // claimed, and has room for the form.
        unsafe { pack(self.isa, self.source(place), layout, dst, lead) };
    }

    fn block(&mut self, product: &Product, right: &Right, out: Option<&Place>) {
        match &product.left {
            Some(place) => self.locate(place),
            None => self.settle(product.a),
        }
        let fresh = std::mem::replace(&mut self.worker.zero[product.acc.0], false);
        let out = out.filter(|_| self.worker.is_last_turn);
        self.worker.stored[product.acc.0] = out.is_some();
        let ahead = product.ahead.as_ref().and_then(|ahead| self.then(ahead, |points| points.ahead(ahead)));
        let w = &self.worker;
        let (acc, acc_lead) = (w.at[product.acc.0], w.leads[product.acc.0]);
        let (room, lead) = (w.at[product.a.0], w.leads[product.a.0]);
        let a = match &product.left {
            Some(place) => {
                let stride = place.shape.has_even_rows().then(|| place.shape.rows[0].stride);
                Left::Tensor { source: self.source(place), stride, room, lead }
            }
            None => Left::Rows(room, lead),
        };
        let (depth, n) = (product.depth.valid(&w.values), product.cols.valid(&w.values));
        let nr = 2 * self.isa.lanes();
        let (to, to_lead, to_cols) = match out {
            Some(place) => (self.first_of(place).0, place.shape.rows[0].stride, n),
            None => (acc, acc_lead, n.next_multiple_of(nr)),
        };
        let k = depth.div_ceil(product.units.elems());
        let (b, b_step, b_panel) = match right {
            Right::Panels(slot) => (w.at[slot.0].cast_const(), nr, product.units.steps(depth) * nr),
            Right::Weight(weight) => {
                (self.panels_of(&self.stage.weights[*weight]), nr, product.units.steps(depth) * nr)
            }
            Right::Place(place) => (self.first_of(place).0.cast_const(), place.shape.rows[0].stride, nr),
        };
        let first = Panel {
            k,
            a: room,
            lda: lead,
            b,
            b_step,
            b_panel,
            b_far: 0,
            n,
            from: if fresh { std::ptr::null() } else { acc },
            from_lead: acc_lead,
            to,
            to_lead,
            to_cols,
            next: Fetch::NONE,
            ahead: ahead.unwrap_or(Fetch::NONE),
        };
        let order = if matches!(right, Right::Weight(_)) { Order::Panels } else { Order::Rows };
        let block = Block { m: product.rows.valid(&w.values), a, units: product.units, order, first };
        // SAFETY: the slots hold rows, panels and accumulators of these sizes, padded to whole panels; `locate` and
        // `first_of` give rows inside their tensors, and the verifier keeps points apart.
        unsafe { block.run(self.isa) }
    }

    /// What `of` says in the turn of its loop in which a right factor is read next; none where that turn does not come.
    fn then<T>(&mut self, ahead: &Ahead, of: impl FnOnce(&Self) -> T) -> Option<T> {
        if ahead.var.is_some() && self.worker.is_last_turn {
            return None;
        }
        if let Some(var) = ahead.var {
            self.worker.values[var] += 1;
        }
        let said = of(self);
        if let Some(var) = ahead.var {
            self.worker.values[var] -= 1;
        }
        Some(said)
    }

    /// What is read next of a right factor: its panels where they are made already, else its rows.
    fn ahead(&self, ahead: &Ahead) -> Fetch {
        let (values, place) = (&self.worker.values, &ahead.place);
        let memo = ahead.memo.and_then(|memo| Some((memo, self.space.memos[memo].as_ref()?)));
        let panels = memo.and_then(|(memo, space)| {
            let entry = space.position(self.worker.point, self.stage.memos[memo].entry(values));
            let rows = self.stage.memos[memo].units * 4 / FETCHED_BYTES;
            let first = space.at(entry).cast_const().cast();
            space.is_ready(entry).then_some(Fetch { first, stride: FETCHED_BYTES, rows, row_bytes: FETCHED_BYTES })
        });
        panels.unwrap_or_else(|| self.rows_of(place, 0..place.rows.valid(values)))
    }

    /// Rows of a tile in its tensor; of rows in pages those of the first.
    fn rows_of(&self, place: &Place, rows: std::ops::Range<usize>) -> Fetch {
        let values = &self.worker.values;
        let elem = place.shape.dtype.size_bytes();
        let (offset, rows) = place.first_of(rows, values, self.tables);
        Fetch {
            first: self.tensors[place.tensor].0.cast_const().wrapping_add(offset * elem),
            stride: place.shape.rows[0].stride * elem,
            rows,
            row_bytes: place.cols.valid(values) * elem,
        }
    }

    /// The rows of a tile in as many parts as places that it is read in.
    fn parts_of(&self, place: &Place, n_parts: usize) -> [Fetch; PARTS] {
        let rows = place.rows.valid(&self.worker.values) / n_parts;
        std::array::from_fn(|part| {
            if part < n_parts { self.rows_of(place, part * rows..(part + 1) * rows) } else { Fetch::NONE }
        })
    }

    /// The first element of a tile in its tensor, and how many rows from there lie evenly apart.
    fn first_of(&self, place: &Place) -> (*mut f32, usize) {
        let (offset, rows) = place.first(&self.worker.values, self.tables);
        (self.tensors[place.tensor].0.wrapping_add(offset * place.shape.dtype.size_bytes()).cast(), rows)
    }

    fn stream(&mut self, product: &Product, place: &Place, scales: Option<&Place>, form: Form) {
        self.settle(product.a);
        if let Some(scales) = scales {
            self.locate(scales);
            let Worker { offsets, scale_offsets, .. } = &mut *self.worker;
            std::mem::swap(offsets, scale_offsets);
        }
        self.locate(place);
        let fresh = std::mem::replace(&mut self.worker.zero[product.acc.0], false);
        let m = product.rows.valid(&self.worker.values);
        let (together, hints) = (together(self.isa, m), Hints::of_cpu());
        let places = if product.units.are_of_tiles() { PARTS } else { hints.places(together) };
        let next =
            product.ahead.as_ref().and_then(|next| self.then(next, |points| points.parts_of(&next.place, places)));
        let w = &self.worker;
        let stream = Stream {
            m,
            a: w.at[product.a.0],
            lda: product.left_stride((form, w.leads[product.a.0]), &w.values),
            b: self.source(place),
            scales: scales.map(|scales| Source { offsets: &w.scale_offsets, ..self.source(scales) }),
            next: next.unwrap_or([Fetch::NONE; PARTS]),
            together,
            hints,
            c: w.at[product.acc.0],
            ldc: w.leads[product.acc.0],
            fresh,
        };
        match form {
            // SAFETY: the slots hold rows and accumulators of these sizes; `locate` gives rows inside the tensor.
            Form::Ab => unsafe { stream.sums(self.isa, product.units) },
            // SAFETY: as above; pairs were chosen for bf16 factors alone, quads for those of i8.
            Form::Abt => unsafe { stream.dots(self.isa, product.units) },
        }
    }
}

/// The operand buffers of a launch as pointers by tensor.
pub(super) fn pointers(
    program: &crate::program::Program,
    inputs: &[&Buffer],
    output: &mut Buffer,
    scratch: &mut [Buffer],
) -> Vec<Shared<u8>> {
    let mut pointers = vec![Shared(std::ptr::null_mut()); program.tensors().len()];
    for (id, buffer) in program.inputs().zip(inputs) {
        pointers[id.0 as usize] = Shared(buffer.as_ptr().cast_mut());
    }
    for (id, buffer) in program.scratch().zip(scratch) {
        pointers[id.0 as usize] = Shared(buffer.as_mut_ptr());
    }
    pointers[program.output().0 as usize] = Shared(output.as_mut_ptr());
    pointers
}
