//! StableHLO text: what the vendor's own compiler gets.
//!
//! ```text
//! program with a problem ──> the plain form: dot_general, a softmax by hand      the vendor's kernel, a baseline
//! program without one    ──> its operations, tile by tile, loops as `while`      anything the vocabulary can say
//! ```
//!
//! The plain form says what is computed and nothing of how, so that a compiler is free to tile and fuse: on Trainium it
//! is the reference to beat, as a library is elsewhere. A library baseline alone may read a program's problem; a program
//! that carries none is lowered from its operations ([`Module::of_operations`]), which is general and slow.
//!
//! Text is a function of the program alone, so that equal programs meet in a cache of compiled files. Operations and
//! their spelling: StableHLO specification v1.x (openxla/stablehlo, `docs/spec.md`, 2026). Both forms were executed by
//! XLA's CPU client against the oracle (`cargo xtask test --pjrt`); **neither was run on Trainium hardware yet.**
//!
//! A product of 8-bit floats is one `dot_general` of `f8E4M3` or `f8E5M2` with an f32 result. AWS documents the types
//! (compiler errors NCC_EVRF051 and 052, aws-neuron/aws-neuron-sdk at 81ce03a), and of that operation on them nothing.

use crate::DType;
use crate::backend::Unsupported;
use crate::problem::Problem;
use crate::program::Program;

mod attention;
mod matmul;
mod operations;
mod tensors;
mod text;

/// Which of the two forms a text has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// From the problem.
    Plain,
    /// From the operations.
    Operations,
}

/// An argument of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Sizes, outermost first; elements lie in memory in this order, without gaps.
    pub dims: Vec<usize>,
    /// Element type.
    pub dtype: DType,
}

/// Relative error of `exponential`, `tanh`, `log`, `rsqrt` and `divide` that results are held to: 8 ulp.
///
/// StableHLO leaves accuracy to the implementation, and AWS publishes no bound for a NeuronCore's scalar engine: this is
/// assumed. XLA's CPU client stays within it in every case of the suite.
pub const FUNCTION_ERROR: f64 = 8.0 * (2.0 * DType::F32.unit_roundoff());

/// Relative error of `2^x` where only `e^x` is there: `x·ln 2` is rounded in f32, of a constant that is itself off by
/// 2.8e-9 of itself, and `|x| < 128` for results that are normal numbers.
pub const EXP2_ERROR: f64 = 128.0 * std::f64::consts::LN_2 * (DType::F32.unit_roundoff() + 2.8e-9) + FUNCTION_ERROR;

/// A StableHLO module with one function `main`: the program's inputs in calling order, its output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// The module as text.
    pub text: String,
    /// How it came about.
    pub form: Form,
    /// Arguments of `main`, in calling order.
    pub inputs: Vec<Input>,
}

impl Module {
    /// The plain form where the program carries its problem, else its operations.
    ///
    /// # Errors
    /// As [`Module::of_problem`] and [`Module::of_operations`].
    pub fn of(program: &Program) -> Result<Module, Unsupported> {
        Unsupported::tables(program)?;
        program.problem().map_or_else(|| Module::of_operations(program), Module::of_problem)
    }

    /// The plain form.
    ///
    /// # Errors
    /// An operand is of integers.
    pub fn of_problem(problem: &Problem) -> Result<Module, Unsupported> {
        let operands = problem.inputs().into_iter().chain([problem.output()]);
        refuse_integers(operands.map(|operand| operand.dtype))?;
        let text = match problem {
            Problem::Matmul(problem) => matmul::text(problem),
            Problem::Attention(problem) => attention::text(problem),
            Problem::Grouped(_) => unreachable!("its offsets are integers, which are refused"),
        };
        let inputs = problem.inputs().into_iter().map(|shape| Input { dims: shape.dims, dtype: shape.dtype });
        Ok(Module { text, form: Form::Plain, inputs: inputs.collect() })
    }

    /// The program from its operations alone, whatever it solves.
    ///
    /// # Errors
    /// A tensor is of integers, has gaps in memory, or positions that 32-bit integers cannot hold.
    pub fn of_operations(program: &Program) -> Result<Module, Unsupported> {
        Unsupported::tables(program)?;
        refuse_integers(program.tensors().iter().map(|tensor| tensor.dtype))?;
        let (text, inputs) = operations::text(program)?;
        Ok(Module { text, form: Form::Operations, inputs })
    }
}

/// Integers are not written yet: no chip that these modules are for multiplies them.
fn refuse_integers(dtypes: impl IntoIterator<Item = DType>) -> Result<(), Unsupported> {
    match dtypes.into_iter().find(|dtype| dtype.is_integer()) {
        Some(dtype) => {
            let limit = "floating-point types".into();
            Err(Unsupported { what: "dtype in StableHLO".into(), asked: dtype.to_string(), limit })
        }
        None => Ok(()),
    }
}
