//! Products: turning factors, adding up in PSUM, taking sums out.

use super::{Planner, Sum};
use crate::DType;
use crate::backend::neuron::Target;
use crate::backend::neuron::nki::affine::Size;
use crate::backend::neuron::nki::layout::Memory;
use crate::backend::neuron::nki::step::{Alu, Operand, Start, Step, ValueId};
use crate::backend::neuron::nki::uses;
use crate::program::{Form, Op, TileId};

/// Banks that sums of open loops may hold: one is left for a product on its way out, one for turning.
const SUM_BANKS: usize = Target::PSUM_BANKS - 2;

impl Planner<'_> {
    /// Turns the factors that `op` needs turned and that are not yet.
    pub(super) fn turn_factors(&mut self, op: &Op) {
        for tile in uses::turned_factors(op) {
            if self.turned[tile.0 as usize].is_some() {
                continue;
            }
            if self.pending.is_some_and(|(pending, _)| pending == tile) {
                self.flush();
            }
            self.turn(tile);
        }
    }

    fn turn(&mut self, tile: TileId) {
        let (rows, cols) = self.sizes(tile);
        let from = self.place(tile);
        let dtype = self.types[tile.0 as usize].dtype;
        let name = format!("{}_t", self.values[from].name);
        let empty = [&rows, &cols].into_iter().filter(|size| size.may_be_zero);
        let exists: Vec<String> = empty.map(|size| format!("{} > 0", size.text)).collect();
        let to = self.value(&name, Memory::Sbuf, dtype, cols.clone(), rows.clone());
        self.steps.push(Step::Note(format!(
            "{} is {} turned: the contraction belongs on the partitions.",
            self.values[to].name, self.values[from].name
        )));
        self.steps.push(Step::Allocate(to));
        let (from, mut turn) = self.turnable(from);
        let dtype = self.values[from].dtype;
        let bank = Target::PSUM_BANK_BYTES / dtype.size_bytes();
        let [block_rows, block_cols] = [cols.max.min(Target::PARTITIONS), rows.max.min(bank)].map(Size::fixed);
        let through = self.value(&format!("{name}_psum"), Memory::Psum, dtype, block_rows, block_cols);
        self.steps.push(Step::Allocate(through));
        turn.push(Step::Turn { to, through, from });
        match exists[..] {
            [] => self.steps.extend(turn),
            _ => self.steps.push(Step::If { condition: exists.join(" and "), body: turn }),
        }
        self.turned[tile.0 as usize] = Some(to);
    }

    /// The value in a type that the tensor engine turns in place, and the step that puts it there: 8-bit floats as bf16,
    /// which holds them all, because turned as they are they would lie in PSUM as 16 bits.
    fn turnable(&mut self, from: ValueId) -> (ValueId, Vec<Step>) {
        let value = self.values[from].clone();
        if value.dtype.size_bytes() > 1 {
            return (from, Vec::new());
        }
        let wide = self.value(&format!("{}_bf16", value.name), Memory::Sbuf, DType::Bf16, value.rows, value.cols);
        self.steps.push(Step::Allocate(wide));
        (wide, vec![Step::Copy { to: wide, from: Operand::Tile(from) }])
    }

    /// Takes a tile for zero without writing it: the next operation on it is a product.
    pub(super) fn start_at_zero(&mut self, tile: TileId) {
        self.changed(tile);
        self.zero[tile.0 as usize] = true;
    }

    /// Whether the product that comes next on a tile runs at least once and has elements whenever it runs.
    pub(super) fn never_empty(&mut self, rest: &[Op], tile: TileId) -> bool {
        let next = rest.iter().find(|op| uses::mentions(op, tile));
        next.is_some_and(|op| self.surely_adds(std::slice::from_ref(op), tile))
    }

    fn surely_adds(&mut self, ops: &[Op], tile: TileId) -> bool {
        ops.iter().filter(|op| uses::mentions(op, tile)).all(|op| match op {
            Op::Mma { acc, a, .. } => {
                let (acc, a) = (self.types[acc.0 as usize], self.types[a.0 as usize]);
                [acc.rows, acc.cols, a.cols].iter().all(|span| !self.scope.may_be_empty(span))
            }
            Op::Loop { var, low, high, body } => {
                let trips = self.trips(low, high);
                self.scope.suppose(*var, trips.range);
                trips.never_empty && self.surely_adds(body, tile)
            }
            _ => false,
        })
    }

    pub(super) fn mma(&mut self, acc: TileId, a: TileId, b: TileId, form: Form) {
        let turned = |tile: TileId, planner: &Self| {
            planner.turned[tile.0 as usize].expect("factors are turned before the operation that needs them")
        };
        let stationary = turned(a, self);
        let moving = if form == Form::Abt { turned(b, self) } else { self.place(b) };
        self.steps.push(self.product_note(acc, a, b, form));
        if let Some(Sum { place, start }) = self.sums[acc.0 as usize].clone() {
            self.steps.push(Step::Matmul { to: place, stationary, moving, start });
            return;
        }
        self.flush();
        let zero = self.zero[acc.0 as usize];
        if !self.fits_psum(acc) {
            let to = self.define(acc);
            let sizes = [Target::PARTITIONS, Target::MOVING_COLS].map(Size::fixed);
            let [rows, cols] = sizes;
            let block = self.value("block_psum", Memory::Psum, DType::F32, rows, cols);
            self.steps.push(Step::Allocate(block));
            self.steps.push(Step::BlockMatmul { to, block, stationary, moving, adds: !zero });
            return;
        }
        let place = self.psum(acc);
        self.steps.push(Step::Matmul { to: place, stationary, moving, start: Start::Here });
        if zero {
            self.changed(acc);
            self.pending = Some((acc, place));
        } else {
            let fading = self.fading[acc.0 as usize].take();
            let to = self.define(acc);
            self.steps.push(match fading {
                Some(scale) => Step::ScaleAdd { to, scale, y: place },
                None => Step::Zip { to, op: Alu::Add, x: Operand::Tile(to), y: Operand::Tile(place) },
            });
        }
    }

    fn product_note(&self, acc: TileId, a: TileId, b: TileId, form: Form) -> Step {
        let name = |tile: TileId| {
            let place = self.of_tile[tile.0 as usize].map(|value| self.values[value].name.as_str());
            place.unwrap_or(&self.tile_names[tile.0 as usize])
        };
        let right = if form == Form::Abt { format!("{}ᵀ", name(b)) } else { name(b).to_owned() };
        let starts = self.zero[acc.0 as usize] && self.sums[acc.0 as usize].is_none();
        let sign = if starts { "=" } else { "+=" };
        Step::Note(format!("{} {sign} {} · {right}", name(acc), name(a)))
    }

    fn banks_of(&mut self, tile: TileId) -> usize {
        let (rows, cols) = self.sizes(tile);
        let (name, dtype) = (String::new(), DType::F32);
        super::Value { name, memory: Memory::Psum, dtype, rows, cols }.psum_banks()
    }

    /// Whether a product of a tile's size fits beside the sums of open loops.
    pub(super) fn fits_psum(&mut self, tile: TileId) -> bool {
        self.banks_of(tile) < Target::PSUM_BANKS - self.banks
    }

    fn psum(&mut self, tile: TileId) -> ValueId {
        let (rows, cols) = self.sizes(tile);
        let name = format!("{}_psum", self.tile_names[tile.0 as usize]);
        let place = self.value(&name, Memory::Psum, DType::F32, rows, cols);
        self.steps.push(Step::Allocate(place));
        place
    }

    /// Gives the accumulators that a loop only adds to a place in PSUM, while there is room; writes the zeros of those
    /// that get none.
    pub(super) fn open_sums(&mut self, body: &[Op], var: &str, first: &str) -> Vec<TileId> {
        let mut opened = Vec::new();
        for acc in uses::accumulators(body) {
            let banks = self.banks_of(acc);
            let is_open = self.sums[acc.0 as usize].is_some();
            if is_open || self.banks + banks > SUM_BANKS || !self.surely_adds(body, acc) {
                continue;
            }
            let direct = body.iter().filter(|op| uses::mentions(op, acc)).collect::<Vec<_>>();
            let start = match direct[..] {
                [Op::Mma { .. }] => Start::Loop(var.to_owned(), first.to_owned()),
                _ => Start::Auto,
            };
            let place = self.psum(acc);
            self.banks += banks;
            self.sums[acc.0 as usize] = Some(Sum { place, start });
            opened.push(acc);
        }
        for tile in uses::defined_in(body) {
            if self.zero[tile.0 as usize] && self.sums[tile.0 as usize].is_none() {
                let to = self.define(tile);
                self.steps.push(Step::Fill { to, value: 0.0 });
            }
        }
        opened
    }

    /// Takes out the sums that a loop opened; `runs` is the condition under which the loop ran, where it may not have.
    pub(super) fn close_sums(&mut self, opened: &[TileId], runs: Option<String>) {
        for &acc in opened {
            let sum = self.sums[acc.0 as usize].take().expect("a sum that was opened is open");
            self.banks -= self.values[sum.place].psum_banks();
            self.flush();
            if self.zero[acc.0 as usize] {
                self.changed(acc);
                self.pending = Some((acc, sum.place));
                continue;
            }
            let to = self.define(acc);
            let add = Step::Zip { to, op: Alu::Add, x: Operand::Tile(to), y: Operand::Tile(sum.place) };
            self.steps.push(match &runs {
                Some(condition) => Step::If { condition: condition.clone(), body: vec![add] },
                None => add,
            });
        }
    }
}
