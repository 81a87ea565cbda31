//! Weights in panels that are made once, before any launch.
//!
//! A weight is packed where one load of the whole program reads it and products alone take its tile, as their right
//! factor. Then every tile has an entry in a buffer of its own, and the entries lie in the order in which a launch reads
//! them: what is read next is always what lies behind, whichever tile of rows it is for.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::isa::Isa;
use super::memo::{depends, is_of_stretch, ranges};
use super::memory::Shared;
use super::pack::{Layout, pack};
use super::plan::Place;
use super::pool::Pool;
use super::source::Source;
use crate::program::{Op, Program, Role, Stage, TensorId, TileId, Var};

/// A packed weight: an entry for each place from which its load reads.
#[derive(Clone, Debug)]
pub(super) struct Weight {
    /// The load.
    pub(super) place: Place,
    /// The form of an entry.
    pub(super) layout: Layout,
    /// Position of an entry: `Σ (value of variable − least value) · factor`, the first factor the largest.
    key: Vec<(usize, i64, usize)>,
    /// How many there are.
    entries: usize,
    /// Units of an entry.
    pub(super) units: usize,
}

/// Bytes that a packed weight may take for each element of its tensor: f32, and as much again for short tiles. Tiles that
/// overlap would multiply it.
const MAX_BYTES_PER_ELEMENT: usize = 8;

/// Padding that a packed weight may take whatever its size.
const PADDING_BYTES: usize = 4 << 20;

impl Weight {
    /// The weight that a load reads, in entries of `units`; `None` where they would take too much.
    pub(super) fn of_load(stage: &Stage, place: Place, layout: Layout, units: usize) -> Option<Weight> {
        if is_of_stretch(stage, &place) {
            return None;
        }
        let mut key = Vec::new();
        let mut entries = 1usize;
        for (var, (low, high)) in ranges(stage).iter().enumerate().rev() {
            if depends(&place, Var(var as u32)) {
                key.push((var, *low, entries));
                entries = entries.checked_mul((high - low + 1).max(1) as usize)?;
            }
        }
        key.reverse();
        let most = place.shape.elems().checked_mul(MAX_BYTES_PER_ELEMENT)?.checked_add(PADDING_BYTES)?;
        let is_moderate = entries.checked_mul(units * 4)? <= most;
        is_moderate.then_some(Weight { place, layout, key, entries, units })
    }

    /// Bytes of the buffer.
    pub(super) fn bytes(&self) -> usize {
        self.entries * self.units * 4
    }

    /// Offset, in units, of the entry for the current variables.
    pub(super) fn at(&self, values: &[i64]) -> usize {
        self.units * self.key.iter().map(|(var, least, factor)| (values[*var] - least) as usize * factor).sum::<usize>()
    }

    /// Sets the variables for which entry `entry` is.
    fn locate(&self, mut entry: usize, values: &mut [i64]) {
        for (var, least, factor) in &self.key {
            values[*var] = least + (entry / factor) as i64;
            entry %= factor;
        }
    }

    /// Packs the tensor at `from` into `to`, on up to `threads` threads.
    ///
    /// # Safety
    /// - `from` is valid for reads of the tensor; `to` is as long as [`Weight::bytes`] and apart from it.
    pub(super) unsafe fn pack(&self, isa: Isa, (pool, threads): (&Pool, usize), from: Shared<u8>, to: Shared<f32>) {
        let n_vars = self.key.iter().map(|(var, ..)| var + 1).max().unwrap_or(0);
        let (from, to) = (&from, &to);
        let next = AtomicUsize::new(0);
        pool.each(threads.min(self.entries), |_| {
            let (mut values, mut lead_at, mut offsets) = (vec![0; n_vars], Vec::new(), Vec::new());
            loop {
                let entry = next.fetch_add(1, Ordering::Relaxed);
                if entry >= self.entries {
                    break;
                }
                self.locate(entry, &mut values);
                // Weights lie in no pages.
                self.place.locate(&values, &[], &mut lead_at, &mut offsets);
                let (dtype, cols) = (self.place.shape.dtype, self.place.cols.valid(&values));
                let source = Source { base: from.0, dtype, offsets: &offsets, cols };
                // SAFETY: the verifier keeps tiles inside their tensor; an entry has room for one in this layout, and is
                // this thread's alone.
                unsafe { pack(isa, source, self.layout, to.0.wrapping_add(entry * self.units), 0) };
            }
        });
    }
}

/// Tiles of stage `at` that may hold packed weights: each the only load of a weight, and loaded nowhere else.
pub(super) fn candidates(program: &Program, at: usize) -> HashSet<TileId> {
    let mut loads = Vec::new();
    for (i, stage) in program.stages().iter().enumerate() {
        each_load(&stage.body, &mut |tensor, tile| loads.push((tensor, i, tile)));
    }
    let is_only = |(tensor, stage, tile): (TensorId, usize, TileId)| {
        loads.iter().filter(|load| load.0 == tensor || (load.1, load.2) == (stage, tile)).count() == 1
    };
    let here = loads.iter().filter(|(tensor, stage, _)| *stage == at && program.tensor(*tensor).role == Role::Weight);
    here.filter(|load| is_only(**load)).map(|(.., tile)| *tile).collect()
}

fn each_load(ops: &[Op], found: &mut impl FnMut(TensorId, TileId)) {
    for op in ops {
        match op {
            Op::Load { dst, tensor, .. } => found(*tensor, *dst),
            Op::Loop { body, .. } => each_load(body, found),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Cpu;
    use super::*;
    use crate::DType;
    use crate::backend::{AnyBackend, Backend};
    use crate::inputs::Inputs;
    use crate::problem::{Layout, MatmulProblem, MatmulSizes, Problem};
    use crate::reference::Rows;
    use crate::tile::MatmulTiling;
    use crate::tolerance::Expected;

    fn problem(m: usize, input: DType) -> MatmulProblem {
        let sizes = MatmulSizes { batch: 2, m, n: 70, k: 45, input, output: DType::F32, layout: Layout::Packed };
        MatmulProblem::new(sizes).expect("good sizes")
    }

    const TILING: MatmulTiling = MatmulTiling { bm: 24, bn: 64, bk: 16, k_splits: 1 };

    #[test]
    fn a_weight_that_is_replaced_is_packed_again() {
        for isa in Isa::available() {
            let cpu = Cpu::with_isa(isa, Some(2)).expect("two threads");
            for (m, dtype) in [(3, DType::F32), (40, DType::F32), (3, DType::Bf16), (40, DType::Bf16)] {
                let (problem, program) = (problem(m, dtype), crate::matmul(&problem(m, dtype), &TILING));
                let problem = Problem::Matmul(problem);
                let [first, second] = [1, 2].map(|seed| Inputs::exact(&problem, seed));
                let mut prepared = cpu.prepare(&program, &[first.slices()]).expect("it runs everything");
                for inputs in [first, second] {
                    prepared.replace(0, &inputs.slices()).expect("nothing to fail");
                    let expected = Expected::of(&problem, &inputs, Rows::All, AnyBackend::limits(&cpu), None);
                    let output = prepared.output_of(0).expect("nothing to fail");
                    assert!(expected.compare(&output).is_ok(), "{isa} {m} {dtype}");
                    assert_eq!(prepared.inputs_of(0).expect("nothing to fail"), inputs.slices());
                }
                // Two products of 2 tiles of columns by 3 steps: 64 columns by 16 elements each, of the weights' own type.
                let packing = prepared.packing().expect("the CPU packs weights");
                assert_eq!((packing.bytes, packing.seconds > 0.0), (2 * 2 * 3 * 64 * 16 * dtype.size_bytes(), true));
            }
        }
    }

    #[test]
    fn few_rows_of_weights_that_panels_would_widen_stay_where_they_are() {
        let cpu = Cpu::new(Some(1)).expect("one thread");
        let program = crate::matmul(&problem(3, DType::F16), &TILING);
        let exe = cpu.lower(&program).expect("it lowers everything");
        assert!(
            exe.plan.weight(TensorId(1)).is_none() && exe.lowered.name.ends_with("_stream"),
            "{}",
            exe.lowered.name
        );
    }

    #[test]
    fn a_weight_that_was_not_packed_is_refused() {
        let cpu = Cpu::new(Some(1)).expect("one thread");
        let program = crate::matmul(&problem(3, DType::F32), &TILING);
        let exe = cpu.lower(&program).expect("it lowers everything");
        let bytes = |tensor: u32| program.tensor(TensorId(tensor)).size_bytes();
        let [a, b, mut c] = [0, 1, 2].map(|tensor| cpu.alloc(bytes(tensor)).expect("room"));
        let refused = cpu.run(&exe, 1, &[&a, &b], &mut c).expect_err("`b` is as it was given").to_string();
        assert!(refused.contains("`b` is not as `pack` leaves it"), "{refused}");
        let packed = cpu.pack(&exe, 1, &b).expect("room").expect("a weight");
        assert!(cpu.run(&exe, 1, &[&a, &packed.buffer], &mut c).is_ok());
    }
}
