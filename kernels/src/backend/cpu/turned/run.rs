//! Runs strips: resolves where each operand of an operation lies and calls the leaf that does it.

use std::ops::Range;

use super::chain::{Band, Live, Operand, Run};
use super::store::store;
use super::tile::{Reading, Turned};
use super::{Argument, Broadcast, Chain, Cut, Held, Link, Product, StripOp, Strips};
use crate::backend::cpu::isa::Isa;
use crate::backend::cpu::memory::Shared;
use crate::backend::cpu::plan::{Place, Tables};
use crate::program::{BinaryFn, Form, ReduceFn, Span};

/// Lanes of the widest strip.
const MAX_NR: usize = 32;

/// Numbers whose reciprocals are normal: divisors that may be multiplied by instead.
const INVERTIBLE: std::ops::RangeInclusive<f32> = f32::MIN_POSITIVE..=1.0 / f32::MIN_POSITIVE;

/// What a worker has at a point of the grid.
#[derive(Clone, Copy)]
pub(in super::super) struct Frame<'w> {
    pub(in super::super) isa: Isa,
    /// Where each slot is, and the stride of its rows.
    pub(in super::super) at: &'w [*mut f32],
    pub(in super::super) leads: &'w [usize],
    /// Variables of the program.
    pub(in super::super) values: &'w [i64],
    pub(in super::super) tensors: &'w [Shared<u8>],
    pub(in super::super) tables: Tables<'w>,
}

/// Runs all strips of the rows that exist.
///
/// # Safety
/// - Slots have room for what the plan keeps in them and are this worker's; tensors are valid as `launch` has them.
pub(in super::super) unsafe fn run(strips: &Strips, frame: Frame) {
    let nr = 2 * frame.isa.lanes();
    let (first, n_rows) = (strips.rows.start(frame.values), strips.rows.valid(frame.values));
    for index in 0..n_rows.div_ceil(nr) {
        let rows = first + index * nr..first + n_rows.min((index + 1) * nr);
        let kept = strips.cut.map(|cut| (cut.cols, columns(&cut, &rows, frame.values)));
        let mut strip = Strip { frame, nr, index, rows, kept, links: Vec::new() };
        for op in &strips.ops {
            match op {
                StripOp::Product(product) => strip.product(product),
                StripOp::Chain(chain) => strip.chain(chain),
                StripOp::Columns(slot, cols) => strip.columns(frame.at[slot.0], *cols),
                StripOp::Store { from, place } => strip.store(from, place),
            }
        }
    }
}

/// Columns that the band keeps for some of `rows`; the first one even, so that no pair is cut.
fn columns(cut: &Cut, rows: &Range<usize>, values: &[i64]) -> Range<usize> {
    let n = cut.cols.valid(values) as i64;
    let position = |row: usize| (row / cut.row_div) as i64 - cut.cols.start(values) as i64;
    let end = cut.high.map_or(n, |high| (position(rows.end - 1) + high + 1).clamp(0, n));
    let first = cut.low.map_or(0, |low| (position(rows.start) + low).clamp(0, end));
    (first as usize & !1)..end as usize
}

/// One strip of rows.
struct Strip<'w> {
    frame: Frame<'w>,
    nr: usize,
    index: usize,
    rows: Range<usize>,
    kept: Option<(Span, Range<usize>)>,
    links: Vec<Live>,
}

impl Strip<'_> {
    fn range(&self, cols: Span) -> Range<usize> {
        match &self.kept {
            Some((of, range)) if *of == cols => range.clone(),
            _ => 0..cols.valid(self.frame.values),
        }
    }

    /// First lane of a tile's strip.
    fn at(&self, held: &Held) -> *mut f32 {
        let cols = held.cols.valid(self.frame.values);
        let units = if held.pairs { cols.div_ceil(2) } else { cols };
        let strips_before = if held.local { 0 } else { self.index };
        self.frame.at[held.slot.0].wrapping_add(strips_before * units * self.nr)
    }

    /// First unit of the broadcast factor and the distance of its rows; `unit` elements make one.
    fn broadcast(&self, broadcast: &Broadcast, elems_per_unit: usize) -> (*const f32, usize) {
        match broadcast {
            Broadcast::Copied(slot) => (self.frame.at[slot.0].cast_const(), self.frame.leads[slot.0]),
            Broadcast::InPlace(place) => {
                let (elems, _) = place.first(self.frame.values, self.frame.tables);
                let base = self.frame.tensors[place.tensor].0.cast_const();
                let stride = place.shape.rows[0].stride / elems_per_unit;
                (base.wrapping_add(elems * place.shape.dtype.size_bytes()).cast(), stride)
            }
        }
    }

    fn product(&self, product: &Product) {
        let elems_per_unit = if product.pairs { 2 } else { 1 };
        let (a, stride) = self.broadcast(&product.broadcast, elems_per_unit);
        let (rows, depth) = (self.range(product.acc.cols), self.range(product.panel.cols));
        let depth = depth.start / elems_per_unit..depth.end.div_ceil(elems_per_unit);
        let (reading, a) = match product.form {
            // Tiles take rows: what lies down columns was turned as it was copied.
            Form::Ab if !(product.pairs && self.frame.isa.has_tiles()) => {
                (Reading::Down, a.wrapping_add(depth.start * stride + rows.start))
            }
            _ => (Reading::Along, a.wrapping_add(rows.start * stride + depth.start)),
        };
        let turned = Turned {
            m: rows.len(),
            k: depth.len(),
            a,
            stride,
            reading,
            b: self.at(&product.panel).wrapping_add(depth.start * self.nr),
            c: self.at(&product.acc).wrapping_add(rows.start * self.nr),
            fresh: product.fresh,
        };
        // SAFETY: the tile's rows and columns exist in the tensor or its copy, and in the slots of the other two, which
        // no one else has.
        unsafe { turned.run(self.frame.isa, product.pairs) };
    }

    fn chain(&mut self, chain: &Chain) {
        let mut room = [0.0f32; MAX_NR];
        let mut reciprocals = Some(&mut room[..self.nr]);
        self.links.clear();
        for link in &chain.links {
            let live = self.live(link, &mut reciprocals);
            self.links.push(live);
        }
        if let [Live::Binary(BinaryFn::Mul, Operand::Focus, Operand::Lane(factors))] = self.links[..] {
            // What has not faded at all stays as it is: multiplying by one changes nothing.
            // SAFETY: a lane vector holds NR elements.
            if (0..self.nr).all(|lane| unsafe { *factors.add(lane) } == 1.0) {
                return;
            }
        }
        let range = self.range(chain.focus.cols);
        let run = Run {
            links: &self.links,
            focus: self.at(&chain.focus),
            loads: chain.loads,
            stores: chain.stores,
            from: range.start,
            to: range.end,
        };
        // SAFETY: the slots hold the tiles' rows and are this worker's; the lowering keeps apart what a link writes from
        // what others use, and a cut range starts at an even column.
        unsafe { run.run(self.frame.isa) };
    }

    fn operand(&self, argument: Argument) -> Operand {
        match argument {
            Argument::Focus => Operand::Focus,
            Argument::Scalar(x) => Operand::Same(x),
            Argument::Each(held) => Operand::Each(self.at(&held)),
            Argument::Lane(held) => Operand::Lane(self.at(&held)),
            Argument::Key(slot) => Operand::Key(self.frame.at[slot.0]),
        }
    }

    fn live(&self, link: &Link, reciprocals: &mut Option<&mut [f32]>) -> Live {
        match *link {
            Link::Fill(x) => Live::Fill(x),
            Link::Unary(f, x) => Live::Unary(f, self.operand(x)),
            Link::Binary(BinaryFn::Div, x, Argument::Lane(by)) => {
                let inverted = self.inverted(&by, reciprocals).map(Operand::Lane);
                let f = if inverted.is_some() { BinaryFn::Mul } else { BinaryFn::Div };
                Live::Binary(f, self.operand(x), inverted.unwrap_or(Operand::Lane(self.at(&by))))
            }
            Link::Binary(f, x, y) => Live::Binary(f, self.operand(x), self.operand(y)),
            Link::Band { row_div, low, high, outside, cols } => Live::Band(Band {
                row: self.rows.start as i64,
                col: cols.start(self.frame.values) as i64,
                row_div: row_div as i64,
                low,
                high,
                outside,
            }),
            Link::Positions => Live::Positions(self.rows.start),
            Link::Reduce(f, to) => Live::Reduce(f, self.started(f, &to)),
            Link::Round(dtype, to) => Live::Round(dtype, self.at(&to)),
            Link::Pairs(to) => Live::Pairs(self.at(&to)),
        }
    }

    /// A row of lanes that nothing was folded into yet.
    fn started(&self, f: ReduceFn, to: &Held) -> *mut f32 {
        let at = self.at(to);
        let start = match f {
            ReduceFn::Max => f32::NEG_INFINITY,
            ReduceFn::Sum => 0.0,
        };
        for lane in 0..self.nr {
            // SAFETY: a lane vector holds NR elements and is this worker's.
            unsafe { *at.add(lane) = start };
        }
        at
    }

    fn columns(&self, to: *mut f32, cols: Span) {
        let first = cols.start(self.frame.values);
        for c in 0..cols.valid(self.frame.values) {
            // SAFETY: a row vector holds an element for each column and is this worker's.
            unsafe { *to.add(c) = (first + c) as f32 };
        }
    }

    fn store(&self, from: &Held, place: &Place) {
        let Frame { values, tables, .. } = self.frame;
        let n_cols = place.cols.valid(values);
        let mut offsets = Vec::with_capacity(self.nr);
        place.locate_rows(self.rows.clone(), values, tables, &mut Vec::new(), &mut offsets);
        let base = self.frame.tensors[place.tensor].0;
        // SAFETY: the strip has a lane for each of its rows, which exist in the tensor; the verifier keeps points apart.
        unsafe { store(self.frame.isa, self.at(from), base, place.shape.dtype, &offsets, n_cols) };
    }

    /// The reciprocals of a lane vector, if there is room and all of them are normal: a division costs as much as
    /// sixteen products. Two roundings are within what `FUNCTION_ERROR` allows.
    fn inverted(&self, by: &Held, room: &mut Option<&mut [f32]>) -> Option<*const f32> {
        let at = self.at(by);
        // SAFETY: a lane vector holds NR elements.
        let lane = |lane: usize| unsafe { *at.add(lane) };
        if !(0..self.nr).all(|l| INVERTIBLE.contains(&lane(l))) {
            return None;
        }
        let room = room.take()?;
        room.iter_mut().enumerate().for_each(|(l, x)| *x = 1.0 / lane(l));
        Some(room.as_ptr())
    }
}
