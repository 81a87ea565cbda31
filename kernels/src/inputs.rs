//! Operand values of a problem: random, exactly summable, or the user's own.
//!
//! Element `i` of an operand is a hash of (seed, operand, `i`), so that filling is parallel and the same everywhere.

use half::{bf16, f16};
use ndarray::ArrayViewD;
use rayon::prelude::*;

use crate::DType;
use crate::problem::{Layout, MatmulSizes, OperandShape, Problem};
use crate::program::TableError;
use crate::tensor::float8::{E4M3, E5M2};

/// Whether every order of summation gives the same f32 result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sums {
    /// Every partial sum is an integer that f32 holds: a right result is right bit for bit.
    Exact,
    /// Sums round: a right result lies within a bound.
    Rounded,
}

/// One operand: its shape and its elements as little-endian bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Operand {
    /// Name, sizes and element type.
    pub shape: OperandShape,
    /// Elements in row-major order.
    pub bytes: Vec<u8>,
}

/// Why bytes are no operands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// Too few or too many operands.
    #[error("{got} operands; the problem takes {expected}")]
    Count {
        /// Operands given.
        got: usize,
        /// Operands of the problem.
        expected: usize,
    },
    /// An operand of the wrong length.
    #[error("operand {operand} has {got_bytes} bytes; its shape {dims:?} of {dtype} takes {expected_bytes}")]
    Length {
        /// The operand.
        operand: &'static str,
        /// Its sizes.
        dims: Vec<usize>,
        /// Its element type.
        dtype: DType,
        /// Bytes given.
        got_bytes: usize,
        /// Bytes that the shape takes.
        expected_bytes: usize,
    },
    /// An array of another shape.
    #[error("operand {operand} is an array of {got:?}; the problem takes {expected:?}")]
    Shape {
        /// The operand.
        operand: &'static str,
        /// Sizes of the array.
        got: Vec<usize>,
        /// Sizes of the operand.
        expected: Vec<usize>,
    },
    /// A table that finds nothing.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Groups that leave rows out.
    #[error("operand offsets does not begin with 0 and end with m = {m}; every row is of a group")]
    RowsWithoutGroup {
        /// Rows of the problem.
        m: usize,
    },
    /// A value that makes every comparison vacuous.
    #[error("operand {operand} holds {value} at {index:?}; replace what is not finite, no result could be checked")]
    NotFinite {
        /// The operand.
        operand: &'static str,
        /// Where, one position an axis.
        index: Vec<usize>,
        /// `NaN`, `inf` or `-inf`.
        value: String,
    },
}

/// All inputs of a problem, in calling order.
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs {
    operands: Vec<Operand>,
    sums: Sums,
}

impl Inputs {
    /// Uniform values in [−1, 1), rounded to the operand's type, none of them subnormal; of 8-bit integers any of their
    /// values, with scales in (0, 2⁻⁷]. A block table names each page once, in a random order; each row of a grouped product
    /// is of a random group, but as many groups have rows as can.
    ///
    /// Queries of attention are 6 times as large: scores then have a standard deviation of 2 (√d · 6/√3 · 1/√3 / √d),
    /// and the softmax is neither flat nor a single key.
    pub fn random(problem: &Problem, seed: u64) -> Inputs {
        let operands = problem.inputs().into_iter().enumerate().map(|(i, shape)| {
            let scale = if shape.name == "q" { 6.0 } else { 1.0 };
            match shape.dtype {
                DType::I32 => table(problem, shape, stream(seed, i)),
                _ if is_scale(&shape) => scales(shape, stream(seed, i)),
                _ => Operand::uniform(shape, stream(seed, i), scale),
            }
        });
        Inputs { operands: operands.collect(), sums: Sums::Rounded }
    }

    /// Small integers. A matrix product of them is exact in f32, in any order, and in the output's type. Scales are powers
    /// of two.
    ///
    /// The largest value `r` keeps `k · r²` below what the output holds exactly. Beyond a `k` where that allows only
    /// `r = 1`, a sum is a random walk of steps 0 and ±1 and stays far below. Attention has no exact inputs: its
    /// weights are irrational; what it gets here are integers within its bounds.
    pub fn exact(problem: &Problem, seed: u64) -> Inputs {
        let (largest, sums) = match problem {
            Problem::Matmul(p) => (largest_of(p.sizes()), Sums::Exact),
            Problem::Grouped(p) => (largest_of(p.average().sizes()), Sums::Exact),
            Problem::Attention(_) => (2, Sums::Rounded),
        };
        let range = 2 * largest + 1;
        let operands = problem.inputs().into_iter().enumerate().map(|(i, shape)| {
            let seed = stream(seed, i);
            // Of two 4-bit integers in a byte each is such a one.
            let nibble = move |hash: u64| 8 + hash % range - largest;
            match shape.dtype {
                DType::I32 => table(problem, shape, seed),
                _ if is_scale(&shape) => filled(shape, seed, |hash| [1.0, 2.0][(hash % 2) as usize]),
                DType::I4x2 => filled(shape, seed, move |hash| (nibble(hash) + 16 * nibble(hash >> 32)) as f32),
                _ => filled(shape, seed, move |hash| (hash % range) as f32 - largest as f32),
            }
        });
        Inputs { operands: operands.collect(), sums }
    }

    /// The user's bytes, one slice an operand.
    ///
    /// # Errors
    /// The wrong number of operands or bytes, a value that is not finite, with its operand and index, or an entry of a table that
    /// is no page.
    pub fn from_bytes(problem: &Problem, operands: Vec<Vec<u8>>) -> Result<Inputs, InputError> {
        let shapes = problem.inputs();
        if shapes.len() != operands.len() {
            return Err(InputError::Count { got: operands.len(), expected: shapes.len() });
        }
        let checked = shapes.into_iter().zip(operands).map(|(shape, bytes)| Operand::checked(shape, bytes));
        let operands: Vec<Operand> = checked.collect::<Result<_, _>>()?;
        for table in operands.iter().filter(|operand| operand.shape.dtype == DType::I32) {
            check_table(problem, table)?;
        }
        Ok(Inputs { operands, sums: Sums::Rounded })
    }

    /// Arrays, one an operand, rounded to its type. They may be views of any strides: a transposed matrix is copied in
    /// the order of its indices.
    ///
    /// # Errors
    /// The wrong number of arrays, an array of another shape, or a value that is not finite once it is rounded.
    pub fn from_arrays(problem: &Problem, arrays: &[ArrayViewD<'_, f32>]) -> Result<Inputs, InputError> {
        for (shape, array) in problem.inputs().into_iter().zip(arrays) {
            if array.shape() != shape.dims {
                let (operand, got) = (shape.name, array.shape().to_vec());
                return Err(InputError::Shape { operand, got, expected: shape.dims });
            }
        }
        let values: Vec<Vec<f64>> = arrays.iter().map(|a| a.iter().map(|x| f64::from(*x)).collect()).collect();
        Inputs::from_values(problem, &values)
    }

    /// Values of each operand, rounded to its type.
    ///
    /// # Errors
    /// As [`Inputs::from_bytes`].
    pub fn from_values(problem: &Problem, operands: &[Vec<f64>]) -> Result<Inputs, InputError> {
        let shapes = problem.inputs();
        if shapes.len() != operands.len() {
            return Err(InputError::Count { got: operands.len(), expected: shapes.len() });
        }
        let encoded = shapes.iter().zip(operands).map(|(shape, values)| shape.dtype.encode(values));
        Inputs::from_bytes(problem, encoded.collect())
    }

    /// The operands, in calling order.
    pub fn operands(&self) -> &[Operand] {
        &self.operands
    }

    /// The operands' bytes, as [`crate::backend::AnyBackend::prepare`] takes them.
    pub fn slices(&self) -> Vec<&[u8]> {
        self.operands.iter().map(|operand| operand.bytes.as_slice()).collect()
    }

    /// Whether results of these inputs are exact.
    pub fn sums(&self) -> Sums {
        self.sums
    }
}

impl Operand {
    /// Uniform values in [−`scale`, `scale`), rounded to the type; none is subnormal for scales of 1 and above. Of 8-bit
    /// integers any of their values.
    pub(crate) fn uniform(shape: OperandShape, seed: u64, scale: f32) -> Operand {
        // Shorter types get a coarser grid: its least step is a normal number of f16 and f8e5m2 (2⁻¹²), of f8e4m3 (2⁻⁶).
        // Integers have a grid of their own.
        let grid = match shape.dtype {
            DType::F32 => 1 << 23,
            DType::F16 | DType::Bf16 | DType::F8E5M2 => 1 << 12,
            DType::F8E4M3 => 1 << 6,
            DType::I32 | DType::I8 => 1 << 7,
            DType::I4x2 => return filled(shape, seed, |hash| (hash % 256) as f32),
        };
        let step = if shape.dtype.is_integer() { 1.0 } else { scale / grid as f32 };
        filled(shape, seed, move |hash| ((hash % (2 * grid)) as i64 - grid as i64) as f32 * step)
    }

    fn checked(shape: OperandShape, bytes: Vec<u8>) -> Result<Operand, InputError> {
        if bytes.len() != shape.size_bytes() {
            let (got_bytes, expected_bytes) = (bytes.len(), shape.size_bytes());
            let (operand, dtype) = (shape.name, shape.dtype);
            return Err(InputError::Length { operand, dims: shape.dims, dtype, got_bytes, expected_bytes });
        }
        let operand = Operand { shape, bytes };
        let values = operand.values();
        match values.par_iter().position_first(|x| !x.is_finite()) {
            None => Ok(operand),
            Some(at) => Err(InputError::NotFinite {
                operand: operand.shape.name,
                index: index_of(at, &operand.shape.dims),
                value: values[at].to_string(),
            }),
        }
    }

    /// The elements; f32 holds every value of every type that inputs have.
    pub fn values(&self) -> Vec<f32> {
        let bytes = self.bytes.as_slice();
        match self.shape.dtype {
            DType::F32 => decoded(bytes, f32::from_le_bytes),
            DType::F16 => decoded(bytes, |b| f16::from_le_bytes(b).to_f32()),
            DType::Bf16 => decoded(bytes, |b| bf16::from_le_bytes(b).to_f32()),
            DType::F8E4M3 => decoded(bytes, |[b]: [u8; 1]| E4M3.decode(b)),
            DType::F8E5M2 => decoded(bytes, |[b]: [u8; 1]| E5M2.decode(b)),
            DType::I32 => decoded(bytes, |b| i32::from_le_bytes(b) as f32),
            DType::I8 => decoded(bytes, |[b]: [u8; 1]| f32::from(b.cast_signed())),
            DType::I4x2 => decoded(bytes, |[b]: [u8; 1]| f32::from(b)),
        }
    }
}

/// Whether an operand holds what integers are multiplied by.
fn is_scale(shape: &OperandShape) -> bool {
    shape.name.ends_with("_scale")
}

/// Uniform values in (0, 2⁻⁷], so that bytes times these are numbers of about 1; of f16, for 4 bits, in [2⁻³, 2⁻²).
fn scales(shape: OperandShape, seed: u64) -> Operand {
    const GRID: u64 = 1 << 16;
    match shape.dtype {
        DType::F16 => filled(shape, seed, |hash| (1024 + hash % 1024) as f32 / (1 << 13) as f32),
        _ => filled(shape, seed, |hash| (1 + hash % GRID) as f32 / (GRID << 7) as f32),
    }
}

/// Position on each axis of the element at `flat`, row-major.
pub(crate) fn index_of(flat: usize, dims: &[usize]) -> Vec<usize> {
    let mut rest = flat;
    let mut index: Vec<usize> = dims.iter().rev().map(|len| (rest % len, rest /= len).0).collect();
    index.reverse();
    index
}

/// SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators"): the `i`-th number of a seed.
pub(crate) fn splitmix(seed: u64, i: u64) -> u64 {
    let z = seed.wrapping_add(i.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Seed of one operand's numbers.
fn stream(seed: u64, operand: usize) -> u64 {
    splitmix(seed, operand as u64)
}

/// The greatest `r` ≤ 8 with `k · r²` no larger than the integers that the output type holds without a gap. Every type
/// holds those up to 8 itself.
fn largest_exact(output: DType, k: usize) -> u64 {
    let without_gap = 1.0 / output.unit_roundoff();
    ((without_gap / k as f64).sqrt() as u64).clamp(1, 8)
}

/// The largest integer in the operands of an exact product. A sum of 4-bit weights may be of doubled ones.
fn largest_of(p: MatmulSizes) -> u64 {
    match p.layout {
        Layout::NkI4 => largest_exact(p.output, 2 * p.k).min(7),
        Layout::Kn | Layout::Nk | Layout::Packed => largest_exact(p.output, p.k),
    }
}

/// Elements made and read at a time by one thread: enough to outweigh handing them out.
const CHUNK: usize = 1 << 14;

fn filled(shape: OperandShape, seed: u64, value: impl Fn(u64) -> f32 + Sync) -> Operand {
    let bytes = match shape.dtype {
        DType::F32 => encoded(shape.elems(), |i| value(splitmix(seed, i)).to_le_bytes()),
        DType::F16 => encoded(shape.elems(), |i| f16::from_f32(value(splitmix(seed, i))).to_le_bytes()),
        DType::Bf16 => encoded(shape.elems(), |i| bf16::from_f32(value(splitmix(seed, i))).to_le_bytes()),
        DType::F8E4M3 => encoded(shape.elems(), |i| [E4M3.encode(value(splitmix(seed, i)).into())]),
        DType::F8E5M2 => encoded(shape.elems(), |i| [E5M2.encode(value(splitmix(seed, i)).into())]),
        DType::I32 => encoded(shape.elems(), |i| (value(splitmix(seed, i)) as i32).to_le_bytes()),
        DType::I8 => encoded(shape.elems(), |i| (value(splitmix(seed, i)) as i8).to_le_bytes()),
        DType::I4x2 => encoded(shape.elems(), |i| [value(splitmix(seed, i)) as u8]),
    };
    Operand { shape, bytes }
}

fn encoded<const N: usize>(elems: usize, element: impl Fn(u64) -> [u8; N] + Sync) -> Vec<u8> {
    let mut bytes = vec![0; elems * N];
    bytes.par_chunks_mut(CHUNK * N).enumerate().for_each(|(chunk, bytes)| {
        for (i, slot) in bytes.chunks_exact_mut(N).enumerate() {
            slot.copy_from_slice(&element((chunk * CHUNK + i) as u64));
        }
    });
    bytes
}

fn decoded<const N: usize>(bytes: &[u8], element: impl Fn([u8; N]) -> f32 + Sync) -> Vec<f32> {
    let (elements, _) = bytes.as_chunks::<N>();
    elements.par_iter().with_min_len(CHUNK).map(|b| element(*b)).collect()
}

mod tables;

use tables::{check_table, table};

#[cfg(test)]
mod tests;
