//! Tile programs as NKI source: from their operations alone, whatever they compute.
//!
//! **Not yet run on Trainium hardware.** The text follows NKI's API in the idiom of 0.7: the stubs of SDK 2.32
//! (aws-neuron/aws-neuron-sdk at 81ce03a, 2026-08-21, `nki/api`) and, where it could be read, the documentation of SDK
//! 2.33. That documentation names Trn2 and Trn3 alone; `nki.jit` takes `trn1` and `inf2` as targets all the same.
//!
//! # What goes where
//!
//! | tile words | on a NeuronCore |
//! |---|---|
//! | grid, loops | Python `range`s, which NKI unrolls as it traces the kernel: positions are plain integers, edges a `min` |
//! | `load`, `store` | DMA between HBM and SBUF, by slices or access patterns (`nki/access.rs`) |
//! | a tile | SBUF, rows on partitions, columns along the free axis (`nki/layout.rs`) |
//! | `mma` | tensor engine into PSUM; the contraction on the partitions of both factors, blocks of at most 128 × 128 (stationary) by 128 × 512 (moving) |
//! | left factors, and right ones held `[cols, depth]` | turned by the tensor engine, 128 × 128 at a time; those of 8 bits as bf16, which holds them all: turned as they are, they would lie in PSUM as 16 bits (v3 guide, "Built-in Transpose Support") |
//! | `mma` of 8-bit factors | where the contraction is whole blocks of 256, two at a time: `double_row`, twice the rate (v3 guide, "Double FP8 Matmul Performance") |
//! | elementwise with rows, columns, numbers | vector engine; `exp`, `log`, `tanh`, `rsqrt`, `abs`: scalar engine |
//! | row maximum, row sum | vector engine along the free axis; sums of exponentials come with the exponentials |
//! | band, positions | GpSimd engine, from positions alone |
//!
//! # What it costs
//!
//! A product of `m × n × k` tiles is `⌈m/128⌉ · ⌈n/512⌉ · ⌈k/128⌉` matrix instructions, each up to 512 columns streamed
//! through the array, and `⌈m/128⌉ · ⌈k/128⌉` transposes of 128 columns for the left factor: with 512 × 512 × 512 tiles
//! 16 of 512 columns and 16 of 128, a fifth of the engine's time. Its traffic is `m·k + k·n` elements for `2·m·n·k`
//! flops: at 512 × 512 and 2 bytes 256 flops a byte, where a Trn2 core has 79e12 / (2.9e12 / 8) = 218 to offer, so that
//! tiles of this size, and not smaller ones, can keep the tensor engine busy.
//!
//! Departures from the program as written, each of which changes roundings alone:
//! 1. `2^x` is `exp(ln 2 · x)`, log₂ `log · log₂ e`; a quotient is a product with a reciprocal.
//! 2. `2^(x − y)` with a column `y` is one instruction, `exp(ln 2 · x − ln 2 · y)`.
//! 3. An accumulator that does not start at zero is added once, after the products of its loop.
//!
//! What it does not do yet: share the work of several cores (a kernel runs on one physical core), multiply 8-bit
//! factors, or use the fast exponential of NeuronCore-v4. Infinite or undefined *inputs* of a product spread within a
//! block of 128 on NeuronCore-v2, whose transposes are products with the identity (v3 guide, "Built-in Transpose
//! Support").

use std::fmt::Write as _;

use super::Target;
use crate::backend::{Limits, Unsupported};
use crate::program::{Program, Role};
use capacity::Held;
use names::Names;
use plan::StagePlan;

mod access;
mod affine;
mod capacity;
mod layout;
mod names;
mod plan;
mod step;
mod text;
mod uses;

pub use access::Argument;

/// A kernel as NKI source.
#[derive(Clone, Debug, PartialEq)]
pub struct Kernel {
    /// Name of its function.
    pub name: String,
    /// The chips it was planned for.
    pub target: Target,
    /// What it takes, in the program's order.
    pub inputs: Vec<Argument>,
    /// What it returns.
    pub output: Argument,
    /// A Python module that defines it.
    pub source: String,
    /// Bytes of each partition's SBUF that it holds at once, at most.
    pub sbuf_bytes: usize,
    /// Banks of PSUM that it holds at once, at most.
    pub psum_banks: usize,
}

/// Lowers a program for a target.
///
/// # Errors
/// An element type that the target has not, what it has too little of, or what its engines cannot compute.
pub fn lower(program: &Program, target: Target) -> Result<Kernel, Unsupported> {
    Unsupported::tables(program)?;
    let tiles = program.stages().iter().flat_map(|stage| &stage.tiles);
    target.check_dtypes(program.tensors().iter().map(|tensor| tensor.dtype).chain(tiles.map(|ty| ty.dtype)))?;
    let mut names = Names::new();
    let name = names.fresh(program.name());
    let arguments: Vec<Argument> =
        program.tensors().iter().map(|tensor| Argument::of(tensor, names.fresh(&tensor.name))).collect();
    let mut held = Held::default();
    let mut plans = Vec::new();
    for stage in program.stages() {
        let plan = plan::stage(program, stage, &arguments, &mut names)?;
        held = held.max(capacity::held(&plan.steps, &plan.values, Held::default()).check(target)?);
        plans.push(plan);
    }
    let inputs = program.inputs().map(|id| arguments[id.0 as usize].clone()).collect();
    let output = arguments[program.output().0 as usize].clone();
    let kernel = Kernel {
        name,
        target,
        inputs,
        output,
        source: String::new(),
        sbuf_bytes: held.sbuf_bytes,
        psum_banks: held.psum_banks,
    };
    Ok(Kernel { source: source(&kernel, program, &arguments, &plans), ..kernel })
}

/// How exactly a kernel computes beyond what the chip's own functions lose, of which AWS publishes nothing.
///
/// `2^x = exp(ln 2 · x)`: the constant and the product are rounded once each, which moves the exponent by up to
/// `126 · ln 2 · 2 · 2⁻²⁴ ≈ 1.04e-5`, and a normal result by as much of itself. A quotient is two roundings.
pub fn limits() -> Limits {
    let exponent = 126.0 * std::f64::consts::LN_2 * 2.0 * crate::DType::F32.unit_roundoff();
    Limits { max_buffer_bytes: None, exp2_error: 1.2 * exponent, function_error: 1e-6 }
}

fn source(kernel: &Kernel, program: &Program, arguments: &[Argument], plans: &[StagePlan]) -> String {
    let mut body = text::Writer::new(1);
    for input in &kernel.inputs {
        body.line(&format!("assert {}.shape == {}", input.name, shape(&input.shape)));
    }
    for (tensor, argument) in program.tensors().iter().zip(arguments) {
        let buffer = match tensor.role {
            Role::Input | Role::Weight | Role::Table => continue,
            Role::Output => "nl.shared_hbm",
            Role::Scratch => "nl.private_hbm",
        };
        let (shape, dtype) = (shape(&argument.shape), names::dtype(argument.dtype));
        body.line(&format!("{} = nl.ndarray({shape}, dtype={dtype}, buffer={buffer})", argument.name));
    }
    for plan in plans {
        body.steps(&plan.steps, plan);
    }
    body.line(&format!("return {}", kernel.output.name));
    let helper = if body.needs_row_runs { text::ROW_RUNS } else { "" };
    let names: Vec<&str> = kernel.inputs.iter().map(|input| input.name.as_str()).collect();
    format!(
        "{}import nki\nimport nki.isa as nisa\nimport nki.language as nl\n\n{helper}\n@nki.jit\ndef {}({}):\n{}",
        heading(kernel),
        kernel.name,
        names.join(", "),
        body.finish()
    )
}

fn heading(kernel: &Kernel) -> String {
    let mut text = format!("\"\"\"Kernel {} for {} ({}).\n\n", kernel.name, kernel.target, kernel.target.generation());
    text += "Generated by farthing from a tile program. Not yet run on Trainium hardware.\n\n";
    for (argument, word) in kernel.inputs.iter().map(|input| (input, "takes")).chain([(&kernel.output, "gives")]) {
        let (shape, dtype) = (shape(&argument.shape), argument.dtype);
        writeln!(text, "{word} {}: {dtype} {shape}", argument.name).expect("a String takes any text");
    }
    let (limit, banks) = (kernel.target.sbuf_usable_bytes(), Target::PSUM_BANKS);
    let (bytes, held) = (kernel.sbuf_bytes, kernel.psum_banks);
    write!(text, "holds {bytes} of {limit} bytes of SBUF a partition, {held} of {banks} banks of PSUM\n\"\"\"\n\n")
        .expect("a String takes any text");
    text
}

/// A shape as a Python tuple.
fn shape(dims: &[usize]) -> String {
    let comma = if dims.len() == 1 { "," } else { "" };
    format!("({}{comma})", dims.iter().map(usize::to_string).collect::<Vec<_>>().join(", "))
}
