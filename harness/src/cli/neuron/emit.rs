//! `farthing neuron emit`: the source of one kernel.

use std::io::Write;

use clap::{Args, ValueEnum};
use farthing_kernels::backend::neuron::stablehlo::Module;
use farthing_kernels::backend::neuron::{Target, nki, tilings};
use farthing_kernels::problem::Problem;
use farthing_kernels::program::Program;
use farthing_kernels::tile::Tiling;
use farthing_kernels::{attention, grouped, matmul};

use super::super::CliError;
use crate::case::Words;

/// Arguments of `farthing neuron emit`.
#[derive(Args)]
pub(super) struct EmitArgs {
    /// `matmul` or `attention` [default: what the shape's number of sizes says]
    #[arg(long)]
    op: Option<String>,
    /// `MxNxK`, or `BxHQxHKVxSQxSKVxD[xDV]`
    #[arg(long)]
    shape: String,
    /// `f32`, `f16`, `bf16`; on trn2 and trn3 also `f8e4m3` and `f8e5m2`
    #[arg(long, default_value = "bf16")]
    dtype: String,
    /// Element type of the output, or `input` for that of the operands [default: f32]
    #[arg(long)]
    out_dtype: Option<String>,
    /// `kn` or `nk` [default: kn]; matmul only
    #[arg(long)]
    b: Option<String>,
    /// `none`, `causal` or `window:N` [default: none]; attention only
    #[arg(long)]
    mask: Option<String>,
    /// Products of a batch [default: 1]; matmul only
    #[arg(long)]
    batch: Option<String>,
    /// Chip: trn1, trn1n, trn2, trn3 or inf2
    #[arg(long, default_value_t = Target::Trn2)]
    target: Target,
    /// In which language
    #[arg(long, value_enum, default_value_t)]
    form: Form,
}

/// A language that AWS's tools compile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// NKI: our kernel, as Python source
    #[default]
    Nki,
    /// StableHLO: the problem, for the vendor's graph compiler; the same for every chip that has its types
    Stablehlo,
}

/// Runs the command.
pub(super) fn run(args: &EmitArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let problem = args.problem()?;
    let dtypes = [problem.dtype(), problem.output().dtype];
    args.target.check_dtypes(dtypes).map_err(|unsupported| CliError::Usage(unsupported.to_string()))?;
    let source = match args.form {
        Form::Nki => nki_source(&problem, args.target)?,
        Form::Stablehlo => {
            Module::of_problem(&problem).map_err(|unsupported| CliError::Usage(unsupported.to_string()))?.text
        }
    };
    Ok(out.write_all(source.as_bytes())?)
}

impl EmitArgs {
    /// The one problem that the words name.
    fn problem(&self) -> Result<Problem, CliError> {
        let one = |word: &Option<String>| word.iter().cloned().collect();
        let words = Words {
            op: one(&self.op),
            shape: vec![self.shape.clone()],
            dtype: vec![self.dtype.clone()],
            out_dtype: one(&self.out_dtype),
            b: one(&self.b),
            mask: one(&self.mask),
            kv: vec![],
            page: vec![],
            batch: one(&self.batch),
        };
        let cases = words.cases().map_err(|error| CliError::Usage(error.to_string()))?;
        match &cases[..] {
            [case] => Ok(case.problem().clone()),
            _ => Err(CliError::Usage(format!("{} problems; a kernel is for one: give no lists", cases.len()))),
        }
    }
}

/// The kernel with the first tiling that fits the chip.
fn nki_source(problem: &Problem, target: Target) -> Result<String, CliError> {
    let tiling = tilings(problem, target).first().copied();
    let tiling = tiling.ok_or_else(|| CliError::Usage(format!("no tiling of this problem fits {target}")))?;
    let kernel = nki::lower(&program(problem, &tiling), target);
    Ok(kernel.map_err(|unsupported| CliError::Usage(unsupported.to_string()))?.source)
}

fn program(problem: &Problem, tiling: &Tiling) -> Program {
    match (problem, tiling) {
        (Problem::Matmul(problem), Tiling::Matmul(tiling)) => matmul(problem, tiling),
        (Problem::Attention(problem), Tiling::Attention(tiling)) => attention(problem, tiling),
        (Problem::Grouped(problem), Tiling::Matmul(tiling)) => grouped(problem, tiling),
        _ => unreachable!("tilings of a problem are of its operation"),
    }
}
