//! Leaves against plain loops on every instruction set, and what the lowering finds in programs.

use half::bf16;

use super::chain::{Band, Live, Operand, Run};
use super::store::store;
use super::tile::{Reading, Turned};
use super::{Strips, lower};
use crate::DType;
use crate::backend::cpu::isa::Isa;
use crate::backend::cpu::plan::Step;
use crate::problem::{AttentionProblem, AttentionSizes, Kv, Mask};
use crate::program::{BinaryFn, Program, ReduceFn, UnaryFn};
use crate::tile::AttentionTiling;

/// Small whole numbers: products and sums of them are exact in any order.
fn whole(seed: usize, n: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 7 + seed * 5) % 11) as f32 - 5.0).collect()
}

#[test]
fn the_tile_multiplies_along_rows_and_down_columns() {
    for isa in Isa::available() {
        let nr = 2 * isa.lanes();
        for (m, k, reading) in [(17, 9, Reading::Along), (29, 64, Reading::Along), (31, 40, Reading::Down)] {
            for stride in [64, 70, 128] {
                let (a, b) = (whole(1, 200 * 200), whole(2, k * nr));
                let mut c = whole(3, m * nr);
                let at = |i: usize, p: usize| if reading == Reading::Along { i * stride + p } else { p * stride + i };
                let exact: Vec<f32> = (0..m * nr)
                    .map(|e| c[e] + (0..k).map(|p| a[at(e / nr, p)] * b[p * nr + e % nr]).sum::<f32>())
                    .collect();
                let (a, b, fresh) = (a.as_ptr(), b.as_ptr(), false);
                let turned = Turned { m, k, a, stride, reading, b, c: c.as_mut_ptr(), fresh };
                // SAFETY: 200 rows of 200 hold each element, `b` and `c` whole rows of NR.
                unsafe { turned.run(isa, false) };
                assert_eq!(c, exact, "{isa} {m}×{k} {reading:?} {stride}");
            }
        }
    }
}

#[test]
fn the_tile_multiplies_pairs() {
    for isa in Isa::available().into_iter().filter(|isa| isa.dots_bf16() || isa.has_tiles()) {
        let (m, k, nr) = (75, 22, 2 * isa.lanes());
        let pairs = |x: &[f32]| -> Vec<f32> {
            let bits = |x: f32| u32::from(bf16::from_f32(x).to_bits());
            x.chunks_exact(2).map(|pair| f32::from_bits(bits(pair[0]) | bits(pair[1]) << 16)).collect()
        };
        let (a, b) = (whole(4, m * 2 * k), whole(5, nr * 2 * k));
        let (a_units, b_columns) = (pairs(&a), pairs(&b));
        // Column `l` of the panel is row `l` of `b`.
        let b_units: Vec<f32> = (0..k * nr).map(|e| b_columns[e % nr * k + e / nr]).collect();
        let mut c = vec![f32::NAN; m * nr];
        let dot = |i: usize, l: usize| (0..2 * k).map(|p| a[i * 2 * k + p] * b[l * 2 * k + p]).sum::<f32>();
        let exact: Vec<f32> = (0..m * nr).map(|e| dot(e / nr, e % nr)).collect();
        let (a, b, c_at) = (a_units.as_ptr(), b_units.as_ptr(), c.as_mut_ptr());
        let turned = Turned { m, k, a, stride: k, reading: Reading::Along, b, c: c_at, fresh: true };
        // SAFETY: `a` has `m` rows of `k` units, `b` and `c` whole rows of NR.
        unsafe { turned.run(isa, true) };
        assert_eq!(c, exact, "{isa}");
    }
}

#[test]
fn a_chain_masks_reduces_and_pairs_as_plain_loops_do() {
    for isa in Isa::available() {
        let (n, nr) = (13, 2 * isa.lanes());
        let x = whole(6, n * nr);
        let (mut tile, mut peak, mut sum) = (x.clone(), vec![f32::MIN; nr], vec![0.0; nr]);
        let mut units = vec![f32::NAN; n.div_ceil(2) * nr];
        let band = Band { row: 6, col: 3, row_div: 3, low: Some(-4), high: Some(2), outside: f32::NEG_INFINITY };
        let links = [
            Live::Binary(BinaryFn::Mul, Operand::Focus, Operand::Same(2.0)),
            Live::Band(band),
            Live::Reduce(ReduceFn::Max, peak.as_mut_ptr()),
            Live::Unary(UnaryFn::Exp2, Operand::Focus),
            Live::Reduce(ReduceFn::Sum, sum.as_mut_ptr()),
            Live::Pairs(units.as_mut_ptr()),
        ];
        let run = Run { links: &links, focus: tile.as_mut_ptr(), loads: true, stores: true, from: 0, to: n };
        // SAFETY: the tile has `n` rows of NR, the units half as many, peaks and sums one each.
        unsafe { run.run(isa) };
        let kept = |c: usize, l: usize| (-4..=2).contains(&((3 + c as i64) - ((6 + l as i64) / 3)));
        let score = |c: usize, l: usize| if kept(c, l) { 2.0 * x[c * nr + l] } else { f32::NEG_INFINITY };
        for l in 0..nr {
            let scores: Vec<f32> = (0..n).map(|c| score(c, l)).collect();
            // Whole powers of two: exact, and so are their sums.
            let weights: Vec<f32> = scores.iter().map(|x| x.exp2()).collect();
            assert_eq!(peak[l], scores.iter().fold(f32::MIN, |m, x| m.max(*x)), "{isa}: peak of lane {l}");
            assert_eq!(sum[l], weights.iter().sum::<f32>(), "{isa}: sum of lane {l}");
            for (c, weight) in weights.iter().enumerate() {
                assert_eq!(tile[c * nr + l], *weight, "{isa}: row {c}, lane {l}");
                let bits = units[c / 2 * nr + l].to_bits() >> (16 * (c % 2));
                assert_eq!(bf16::from_bits(bits as u16).to_f32(), *weight, "{isa}: pair of row {c}, lane {l}");
            }
            assert_eq!(units[n / 2 * nr + l].to_bits() >> 16, 0, "{isa}: the odd row is paired with zeros");
        }
    }
}

#[test]
fn a_transposed_tile_is_stored_as_rows() {
    for isa in Isa::available() {
        let nr = 2 * isa.lanes();
        let (n_rows, n_cols) = (nr - 3, 37);
        let from = whole(7, n_cols * nr);
        let mut to = vec![f32::NAN; n_rows * 40];
        let offsets: Vec<usize> = (0..n_rows).rev().map(|r| r * 40 + 1).collect();
        // SAFETY: each offset has `n_cols` elements behind it, and no two of them overlap.
        unsafe { store(isa, from.as_ptr(), to.as_mut_ptr().cast(), DType::F32, &offsets, n_cols) };
        for (r, offset) in offsets.iter().enumerate() {
            let row: Vec<f32> = (0..n_cols).map(|c| from[c * nr + r]).collect();
            assert_eq!(to[*offset..][..n_cols], row, "{isa}: row {r}");
        }
        assert_eq!(to.iter().filter(|x| x.is_nan()).count(), n_rows * 3, "{isa}: nothing else is written");
    }
}

fn attention(sq: usize, mask: Mask, bq: usize) -> Program {
    let (input, output) = (DType::F32, DType::F32);
    let sizes = AttentionSizes {
        batch: 1,
        hq: 2,
        hkv: 1,
        sq,
        skv: 100,
        d: 16,
        dv: 16,
        mask,
        input,
        output,
        kv: Kv::Input,
        page: None,
    };
    let problem = AttentionProblem::new(sizes).expect("sound sizes");
    crate::attention::attention(&problem, &AttentionTiling { bq, bk: 40, kv_splits: 1, lazy_peak: false })
}

/// All strips of a program's only stage, on the widest vectors.
fn strips(program: &Program) -> Option<Vec<Strips>> {
    fn of(steps: &[Step]) -> Vec<Strips> {
        let each = steps.iter().map(|step| match step {
            Step::Strips(strips) => vec![(**strips).clone()],
            Step::Loop { body, .. } => of(body),
            _ => vec![],
        });
        each.flatten().collect()
    }
    lower(program, &program.stages()[0], Isa::available()[0]).map(|(plan, _)| of(&plan.steps))
}

#[test]
fn what_a_causal_mask_hides_from_a_strip_is_left_out() {
    let causal = strips(&attention(100, Mask::Causal, 64)).expect("many rows");
    // Before the loop, in it and after it; only there are keys.
    assert_eq!(causal.iter().map(|strips| strips.cut.is_some()).collect::<Vec<_>>(), [false, true, false]);
    let full = strips(&attention(100, Mask::None, 64)).expect("many rows");
    assert!(full.iter().all(|strips| strips.cut.is_none()));
}

#[test]
fn few_rows_are_not_transposed() {
    assert!(strips(&attention(1, Mask::Causal, 64)).is_none());
    assert!(strips(&attention(100, Mask::Causal, 16)).is_none());
}
