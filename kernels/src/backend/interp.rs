//! The plain interpreter: runs any program, one operation at a time, one f32 vector a tile.
//!
//! It is the second witness for lowering bugs: where it and a device disagree, the device is wrong; where it and the
//! oracle disagree, the kernel is.

use std::collections::BTreeMap;
use std::time::Instant;

use super::{Backend, Clock, DeviceError, DeviceInfo, Elapsed, Fidelity, Limits, LowerError, Lowered};
use crate::DType;
use crate::evaluate::{self, Arithmetic};
use crate::problem::Problem;
use crate::program::{BinaryFn, Program, ReduceFn, Role, UnaryFn};
use crate::tensor::half_of;
use crate::tile::{AttentionTiling, MatmulTiling, Tiling};

/// An f32 machine with every operation of the vocabulary.
#[derive(Debug)]
pub struct Interp {
    device: DeviceInfo,
    limits: Limits,
}

impl Interp {
    /// The interpreter.
    pub fn new() -> Interp {
        let ulp = 2.0 * DType::F32.unit_roundoff();
        Interp {
            device: DeviceInfo {
                backend: "interp".into(),
                device: "plain interpreter".into(),
                // It simulates a tile machine: its times say nothing of the host and must not stand beside measured ones.
                fidelity: Fidelity::Simulated,
                threads: Some(1),
                details: BTreeMap::new(),
            },
            // Functions are computed in f64 and rounded: 1 ulp each is generous.
            limits: Limits { max_buffer_bytes: None, exp2_error: ulp, function_error: ulp },
        }
    }
}

impl Default for Interp {
    fn default() -> Interp {
        Interp::new()
    }
}

/// f32, every operation rounded; sums of integers exact. Numbers are held as f64, which has room for both, and where one
/// operation of f32 is worked out in f64 and rounded, nothing is rounded twice.
struct Single;

fn single(x: f64) -> f64 {
    DType::F32.round(x)
}

impl Arithmetic for Single {
    type Number = f64;

    fn exact(&self, x: f64) -> f64 {
        x
    }

    fn whole(&self, x: f64) -> usize {
        x as usize
    }

    fn convert(&self, x: f64, _from: DType, to: DType) -> f64 {
        to.round(x)
    }

    fn half(&self, byte: f64, high: usize) -> f64 {
        half_of(byte as u8, high)
    }

    fn unary(&self, f: UnaryFn, x: f64) -> f64 {
        single(match f {
            UnaryFn::Copy => x,
            UnaryFn::Exp2 => x.exp2(),
            UnaryFn::Log2 => x.log2(),
            UnaryFn::Tanh => x.tanh(),
            UnaryFn::Rsqrt => 1.0 / x.sqrt(),
            UnaryFn::Abs => x.abs(),
        })
    }

    fn binary(&self, f: BinaryFn, x: f64, y: f64) -> f64 {
        single(match f {
            BinaryFn::Add => x + y,
            BinaryFn::Sub => x - y,
            BinaryFn::Mul => x * y,
            BinaryFn::Div => x / y,
            BinaryFn::Max => x.max(y),
            BinaryFn::Min => x.min(y),
        })
    }

    fn dot(&self, acc: f64, factors: impl Iterator<Item = (f64, f64)>, of: DType) -> f64 {
        if of.is_integer() {
            return factors.fold(acc, |sum, (x, y)| sum + x * y);
        }
        factors.fold(acc, |sum, (x, y)| single(sum + single(x * y)))
    }

    fn reduce(&self, f: ReduceFn, row: &[f64]) -> f64 {
        match f {
            ReduceFn::Sum => row.iter().fold(0.0, |sum, x| single(sum + x)),
            ReduceFn::Max => row.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

impl Backend for Interp {
    type Buffer = Vec<u8>;
    type Executable = Program;

    fn device(&self) -> &DeviceInfo {
        &self.device
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Small tiles, so that small problems have edges.
    fn tilings(&self, problem: &Problem) -> Vec<Tiling> {
        vec![match problem {
            Problem::Matmul(_) | Problem::Grouped(_) => {
                Tiling::Matmul(MatmulTiling { bm: 8, bn: 8, bk: 4, k_splits: 1 })
            }
            Problem::Attention(_) => {
                Tiling::Attention(AttentionTiling { bq: 4, bk: 8, kv_splits: 1, lazy_peak: false })
            }
        }]
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

    fn lower(&self, program: &Program) -> Result<Program, LowerError> {
        Ok(program.clone())
    }

    fn lowered(&self, exe: &Program) -> Lowered {
        Lowered { name: format!("{}/interp", exe.name()), compute_limit: None }
    }

    fn run(&self, exe: &Program, n: u64, inputs: &[&Vec<u8>], output: &mut Vec<u8>) -> Result<Elapsed, DeviceError> {
        exe.check_tables(|operand| inputs[operand].as_slice())?;
        let start = Instant::now();
        for _ in 0..n {
            let mut given = inputs.iter();
            let before = |tensor: &crate::program::Tensor| match tensor.role {
                Role::Input | Role::Weight | Role::Table => {
                    given.next().map(|bytes| tensor.dtype.decode(bytes)).unwrap_or_default()
                }
                Role::Output => tensor.dtype.decode(output),
                Role::Scratch => vec![f64::NAN; tensor.elems()],
            };
            let mut memory: Vec<Vec<f64>> = exe.tensors().iter().map(before).collect();
            evaluate::run(exe, &Single, &mut memory);
            let id = exe.output();
            output.copy_from_slice(&exe.tensor(id).dtype.encode(&memory[id.0 as usize]));
        }
        Ok(Elapsed { seconds: start.elapsed().as_secs_f64(), clock: Clock::HostWall })
    }
}

#[cfg(test)]
mod tests;
