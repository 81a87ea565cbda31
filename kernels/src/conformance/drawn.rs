//! Problems whose sizes are drawn from the seed: no list holds them.

use super::Options;
use super::case::{Case, Feed};
use crate::DType;
use crate::backend::AnyBackend;
use crate::inputs::splitmix;
use crate::problem::{AttentionProblem, AttentionSizes, Kv, Layout, Mask, MatmulProblem, MatmulSizes, Problem};
use crate::tile::Tiling;

/// Greatest size that is drawn: the suite's own sweeps see to larger ones.
const LARGEST: u64 = 97;

/// Problems of each operation and element type.
const N: u64 = 4;
const N_QUICK: u64 = 2;

pub(super) fn cases(backend: &dyn AnyBackend, options: &Options) -> Vec<Case> {
    let types = if options.quick { &[DType::F32, DType::Bf16][..] } else { &DType::FLOATS };
    let n = if options.quick { N_QUICK } else { N };
    let mut dice = Dice { seed: options.seed, rolls: 0 };
    let mut cases = Vec::new();
    for dtype in types {
        for _ in 0..n {
            cases.extend([dice.matmul(*dtype), dice.attention(*dtype)]);
        }
    }
    cases.extend((0..n).map(|_| dice.matmul(DType::I8)));
    let case = |problem: Problem| {
        // A backend that offers no tiling runs no such problem; it still says why when asked.
        let tiling = backend.tilings(&problem).first().copied().unwrap_or(Tiling::whole(&problem));
        Case::of(problem, tiling, Feed::Usual).drawn()
    };
    cases.into_iter().map(case).collect()
}

struct Dice {
    seed: u64,
    rolls: u64,
}

impl Dice {
    /// From 1 to `most`.
    fn roll(&mut self, most: u64) -> usize {
        self.rolls += 1;
        1 + (splitmix(self.seed, self.rolls) % most) as usize
    }

    fn matmul(&mut self, input: DType) -> Problem {
        let [m, n, k] = [(); 3].map(|()| self.roll(LARGEST));
        let layout = [Layout::Kn, Layout::Nk, Layout::Packed][self.roll(3) - 1];
        let sizes = MatmulSizes { batch: self.roll(2), m, n, k, input, output: DType::F32, layout };
        Problem::Matmul(MatmulProblem::new(sizes).expect("sizes from 1 on are sound"))
    }

    fn attention(&mut self, input: DType) -> Problem {
        let (hkv, group) = (self.roll(3), self.roll(4));
        let (sq, skv, d, dv) = (self.roll(24), self.roll(LARGEST), self.roll(64), self.roll(64));
        let mask = [Mask::None, Mask::Causal, Mask::Window(self.roll(LARGEST))][self.roll(3) - 1];
        let batch = self.roll(2);
        let sizes = AttentionSizes {
            batch,
            hq: hkv * group,
            hkv,
            sq,
            skv,
            d,
            dv,
            mask,
            input,
            output: DType::F32,
            kv: Kv::Input,
            page: None,
        };
        Problem::Attention(AttentionProblem::new(sizes).expect("heads in whole groups and sizes from 1 on are sound"))
    }
}
