//! Kernels that no backend has heard of, each beside its textbook formula in f64.
//!
//! They use the vocabulary as the built-in kernels do not, carry no problem, and so show whether a lowering reads
//! operations or recognises kernels. Their bounds are running ones ([`crate::tolerance::running`]).

use super::case::{Case, Round};
use crate::DType;
use crate::backend::Limits;
use crate::inputs::{Operand, splitmix};
use crate::problem::OperandShape;
use crate::program::{Program, ProgramError, Tensor};
use crate::reference::Rows;
use crate::tolerance::{Expected, running};

mod attention;
mod matmul;
mod rows;

/// Sizes: output rows `m`, columns (or keys) `n`, contraction (or head size) `k`.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    m: usize,
    n: usize,
    k: usize,
}

/// Tile sizes along `m`, `n` and `k`.
#[derive(Clone, Copy, Debug)]
struct Tiles {
    bm: usize,
    bn: usize,
    bk: usize,
}

/// A kernel and what it must compute.
#[derive(Debug)]
struct Kernel {
    name: &'static str,
    program: fn(Sizes, Tiles, DType) -> Result<Program, ProgramError>,
    /// The output, from the inputs in calling order.
    oracle: fn(Sizes, &[Vec<f64>]) -> Vec<f64>,
}

const KERNELS: [&Kernel; 6] = [
    &attention::SOFT_CAPPED,
    &attention::ALIBI,
    &matmul::SILU_GATED,
    &matmul::RMS_NORMED,
    &matmul::BIASED_RELU6,
    &rows::LOG_MEAN_ABS,
];

/// A kernel of given sizes and tiles.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unheard {
    kernel: &'static Kernel,
    sizes: Sizes,
    tiles: Tiles,
    dtype: DType,
}

pub(super) fn cases(quick: bool) -> Vec<Case> {
    let sizes = [
        Sizes { m: 13, n: 21, k: 10 },
        Sizes { m: 1, n: 37, k: 16 },
        Sizes { m: 32, n: 32, k: 32 },
        Sizes { m: 50, n: 45, k: 18 },
    ];
    let tiles = [
        Tiles { bm: 4, bn: 8, bk: 4 },
        Tiles { bm: 5, bn: 3, bk: 7 },
        Tiles { bm: 1, bn: 64, bk: 1 },
        Tiles { bm: 16, bn: 16, bk: 8 },
        Tiles { bm: 31, bn: 20, bk: 7 },
    ];
    let mut cases = Vec::new();
    for kernel in KERNELS {
        for dtype in [DType::F32, DType::Bf16, DType::F8E4M3, DType::F8E5M2] {
            let (n_sizes, n_tiles) = match (quick, dtype) {
                (_, DType::F8E4M3 | DType::F8E5M2) => (1, 2),
                (true, _) => (2, 2),
                (false, _) => (4, 5),
            };
            for sizes in sizes.into_iter().take(n_sizes) {
                for tiles in tiles.into_iter().take(n_tiles) {
                    let (Sizes { m, n, k }, Tiles { bm, bn, bk }) = (sizes, tiles);
                    let name = format!("unheard/{}/{m}x{n}x{k}/{dtype}/tile_{bm}x{bn}x{bk}", kernel.name);
                    cases.push(Case::unheard(name, Unheard { kernel, sizes, tiles, dtype }));
                }
            }
        }
    }
    cases
}

impl Unheard {
    pub(super) fn program(&self) -> Program {
        (self.kernel.program)(self.sizes, self.tiles, self.dtype).expect("the kernels of the suite are valid programs")
    }

    /// Random operands for a program of this kernel, and the oracle's answer within the program's running bound.
    pub(super) fn round(&self, seed: u64, limits: &Limits, program: &Program) -> Round {
        let operands: Vec<Operand> = program
            .inputs()
            .enumerate()
            .map(|(i, id)| {
                let tensor = program.tensor(id);
                // Queries as in attention proper: scores then spread.
                let scale = if tensor.name == "q" { 6.0 } else { 1.0 };
                let shape = OperandShape { name: "input", dims: vec![tensor.elems()], dtype: tensor.dtype };
                Operand::uniform(shape, splitmix(seed, i as u64), scale)
            })
            .collect();
        let inputs: Vec<Vec<u8>> = operands.iter().map(|operand| operand.bytes.clone()).collect();
        let values: Vec<Vec<f64>> =
            operands.iter().map(|operand| operand.values().into_iter().map(f64::from).collect()).collect();
        let slices: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
        let bounds = running::evaluate(program, &slices, limits).into_iter().map(|number| number.error).collect();
        let (shape, axes) = output_shape(program.tensor(program.output()));
        let values = (self.kernel.oracle)(self.sizes, &values);
        Round { inputs, expected: Expected { shape, axes, rows: Rows::All, values, bounds } }
    }
}

/// Sizes and axis names of an output that is contiguous in memory.
fn output_shape(tensor: &Tensor) -> (OperandShape, Vec<&'static str>) {
    let mut dims: Vec<usize> = tensor.lead.iter().map(|axis| axis.len).collect();
    let mut axes = vec!["head"; dims.len()];
    dims.extend([tensor.n_rows(), tensor.cols]);
    axes.extend(["row", "col"]);
    (OperandShape { name: "out", dims, dtype: tensor.dtype }, axes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The program run without rounding is the formula: what remains are the f64 roundings of both.
    #[test]
    fn each_kernel_is_its_formula() {
        let limits = Limits { max_buffer_bytes: None, exp2_error: 0.0, function_error: 0.0 };
        for kernel in KERNELS {
            let (sizes, tiles) = (Sizes { m: 7, n: 11, k: 6 }, Tiles { bm: 3, bn: 4, bk: 5 });
            let unheard = Unheard { kernel, sizes, tiles, dtype: DType::F32 };
            let program = unheard.program();
            let round = unheard.round(9, &limits, &program);
            let slices: Vec<&[u8]> = round.inputs.iter().map(Vec::as_slice).collect();
            let computed = running::evaluate(&program, &slices, &limits);
            assert_eq!(computed.len(), round.expected.values.len(), "{}", kernel.name);
            for (computed, value) in computed.iter().zip(&round.expected.values) {
                // Constants are f32 in the program: that is all that may show.
                let close = (computed.value - value).abs() <= 8.0 * DType::F32.unit_roundoff() * value.abs().max(1.0);
                assert!(close, "{}: {computed:?} against {value}", kernel.name);
                assert!(computed.error < 1e-3 * value.abs().max(1.0), "{}: a bound that says nothing", kernel.name);
            }
        }
    }
}
