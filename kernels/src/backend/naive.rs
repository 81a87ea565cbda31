//! The textbook loops, compiled by an optimising compiler and otherwise left alone, on one thread: the yardstick that
//! every speed-up is quoted against.
//!
//! It serves the problem, not the program, as library baselines do, and takes any tiling without using it.

use std::collections::BTreeMap;
use std::time::Instant;

use half::{bf16, f16};

use super::host::cpu_name;
use super::{Backend, Clock, DeviceError, DeviceInfo, Elapsed, Fidelity, Limits, LowerError, Lowered, Unsupported};
use crate::DType;
use crate::problem::{Layout, MatmulSizes, Problem};
use crate::program::Program;
use crate::tensor::float8::{E4M3, E5M2};
use crate::tile::Tiling;

mod attention;

/// The host's CPU, used naively.
#[derive(Debug)]
pub struct Naive {
    device: DeviceInfo,
    limits: Limits,
}

impl Naive {
    /// The host's CPU.
    pub fn new() -> Naive {
        let ulp = 2.0 * DType::F32.unit_roundoff();
        Naive {
            device: DeviceInfo {
                backend: "naive".into(),
                device: cpu_name(),
                fidelity: Fidelity::Hardware,
                threads: Some(1),
                details: BTreeMap::new(),
            },
            // The C library's expf is within 1 ulp; division is correctly rounded.
            limits: Limits { max_buffer_bytes: None, exp2_error: ulp, function_error: ulp },
        }
    }
}

impl Default for Naive {
    fn default() -> Naive {
        Naive::new()
    }
}

/// An element that widens to f32 and back.
trait Element: Copy {
    const BYTES: usize;
    fn read(bytes: &[u8]) -> f32;
    fn write(x: f32, bytes: &mut [u8]);
}

macro_rules! element {
    ($ty:ty, $bytes:literal, $widen:expr, $narrow:expr) => {
        impl Element for $ty {
            const BYTES: usize = $bytes;

            fn read(bytes: &[u8]) -> f32 {
                let mut element = [0; $bytes];
                element.copy_from_slice(bytes);
                ($widen)(<$ty>::from_le_bytes(element))
            }

            fn write(x: f32, bytes: &mut [u8]) {
                let narrow: $ty = ($narrow)(x);
                bytes.copy_from_slice(&narrow.to_le_bytes());
            }
        }
    };
}
element!(f32, 4, |x| x, |x| x);
element!(f16, 2, f16::to_f32, f16::from_f32);
element!(bf16, 2, bf16::to_f32, bf16::from_f32);

/// Elements of an operand, widened; the copy is part of what is timed.
fn widened(dtype: DType, bytes: &[u8]) -> Vec<f32> {
    match dtype {
        DType::F32 => bytes.chunks_exact(f32::BYTES).map(f32::read).collect(),
        DType::F16 => bytes.chunks_exact(f16::BYTES).map(f16::read).collect(),
        DType::Bf16 => bytes.chunks_exact(bf16::BYTES).map(bf16::read).collect(),
        DType::F8E4M3 => bytes.iter().map(|b| E4M3.decode(*b)).collect(),
        DType::F8E5M2 => bytes.iter().map(|b| E5M2.decode(*b)).collect(),
        DType::I32 | DType::I8 | DType::I4x2 => no_integers(),
    }
}

fn narrowed(dtype: DType, values: &[f32], bytes: &mut [u8]) {
    fn all<E: Element>(values: &[f32], bytes: &mut [u8]) {
        for (x, slot) in values.iter().zip(bytes.chunks_exact_mut(E::BYTES)) {
            E::write(*x, slot);
        }
    }
    match dtype {
        DType::F32 => all::<f32>(values, bytes),
        DType::F16 => all::<f16>(values, bytes),
        DType::Bf16 => all::<bf16>(values, bytes),
        DType::I32 | DType::I8 | DType::I4x2 => no_integers(),
        DType::F8E4M3 | DType::F8E5M2 => {
            let wide: Vec<f64> = values.iter().map(|x| f64::from(*x)).collect();
            bytes.copy_from_slice(&dtype.encode(&wide));
        }
    }
}

/// What an arm for integers holds: `lower` refuses them.
fn no_integers() -> ! {
    unreachable!("problems of integers are refused")
}

/// `c[i, j] = Σ_l a[i, l] · b[l, j]`, in the order of the formula for `[n, k]`, with the two inner loops exchanged for
/// `[k, n]` so that memory is read in order.
fn product(p: &MatmulSizes, a: &[f32], b: &[f32], c: &mut [f32]) {
    for (i, c_row) in c.chunks_exact_mut(p.n).enumerate() {
        let a_row = &a[i * p.k..][..p.k];
        let b = &b[i / p.m * p.k * p.n..][..p.k * p.n];
        match p.layout {
            Layout::NkI4 => no_integers(),
            Layout::Nk | Layout::Packed => {
                for (c, b_col) in c_row.iter_mut().zip(b.chunks_exact(p.k)) {
                    *c = a_row.iter().zip(b_col).map(|(x, y)| x * y).sum();
                }
            }
            Layout::Kn => {
                c_row.fill(0.0);
                for (x, b_row) in a_row.iter().zip(b.chunks_exact(p.n)) {
                    for (c, y) in c_row.iter_mut().zip(b_row) {
                        *c += x * y;
                    }
                }
            }
        }
    }
}

impl Backend for Naive {
    type Buffer = Vec<u8>;
    type Executable = Problem;

    fn device(&self) -> &DeviceInfo {
        &self.device
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Any tiling will do; this one names none.
    fn tilings(&self, problem: &Problem) -> Vec<Tiling> {
        vec![Tiling::whole(problem)]
    }

    fn alloc(&self, bytes: usize) -> Result<Vec<u8>, DeviceError> {
        Ok(vec![0; bytes])
    }

    fn upload(&self, src: &[u8], dst: &mut Vec<u8>) -> Result<(), DeviceError> {
        dst.copy_from_slice(src);
        Ok(())
    }

    fn download(&self, src: &Vec<u8>, dst: &mut [u8]) -> Result<(), DeviceError> {
        dst.copy_from_slice(src);
        Ok(())
    }

    fn lower(&self, program: &Program) -> Result<Problem, LowerError> {
        let none = || -> LowerError {
            let asked = format!("`{}`, which carries no problem", program.name());
            Unsupported { what: "program".into(), asked, limit: "matmul and attention problems".into() }.into()
        };
        let problem = program.problem().cloned().ok_or_else(none)?;
        Unsupported::tables(program)?;
        if let Some(operand) = problem.inputs().iter().find(|operand| operand.dtype.is_integer()) {
            let (what, asked) = ("dtype".into(), operand.dtype.to_string());
            return Err(Unsupported { what, asked, limit: "floating-point types".into() }.into());
        }
        Ok(problem)
    }

    fn lowered(&self, problem: &Problem) -> Lowered {
        Lowered { name: format!("{}/{}/naive", problem.op(), problem.dtype()), compute_limit: None }
    }

    fn run(
        &self,
        problem: &Problem,
        n: u64,
        inputs: &[&Vec<u8>],
        output: &mut Vec<u8>,
    ) -> Result<Elapsed, DeviceError> {
        let start = Instant::now();
        for _ in 0..n {
            let operands: Vec<Vec<f32>> = inputs.iter().map(|bytes| widened(problem.dtype(), bytes)).collect();
            let mut out = vec![0.0; problem.output().elems()];
            match (problem, operands.as_slice()) {
                (Problem::Matmul(p), [a, b]) => product(&p.sizes(), a, b, &mut out),
                (Problem::Attention(p), [q, k, v]) => attention::attention(p, [q, k, v], &mut out),
                (_, operands) => {
                    return Err(DeviceError::Driver(format!("{} operands for a {}", operands.len(), problem.op())));
                }
            }
            narrowed(problem.output().dtype, &out, output);
        }
        Ok(Elapsed { seconds: start.elapsed().as_secs_f64(), clock: Clock::HostWall })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::AnyBackend;

    #[test]
    fn a_program_without_a_problem_is_unsupported() {
        let program = Program::build("copy", |b| {
            let out = b.output_matrix("out", DType::F32, &[], 1, 1);
            b.each_point([("i", 1)], |b, _| {
                let zero = b.zeros(crate::program::Span::ONE, crate::program::Span::ONE);
                b.store(out, &[], zero);
            });
        });
        let naive = Naive::new();
        let refused = naive.prepare(&program.expect("a valid program"), &[vec![]]).err().map(|e| e.to_string());
        assert!(refused.is_some_and(|why| why.starts_with("unsupported: program: asked for `copy`")));
    }
}
