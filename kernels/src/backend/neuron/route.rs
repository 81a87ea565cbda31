//! Where a NEFF comes from.

use std::path::PathBuf;

use super::compile::{Neff, NeffCache, NeuronxCc, NkiCompiler};
use super::machine::Machine;
use super::stablehlo::{self, Form, Module};
use super::{Target, nki};
use crate::backend::{DeviceError, LowerError};
use crate::problem::Problem;
use crate::program::Program;
use crate::tile::{AttentionTiling, MatmulTiling, Tiling};

/// One way from a program to a NEFF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Our kernel: NKI source through the vendor's kernel compiler.
    Nki(NkiCompiler),
    /// StableHLO through the vendor's graph compiler: the baseline.
    StableHlo(NeuronxCc),
    /// A file of the user's, whatever made it; its results are checked as all are.
    File(PathBuf),
}

/// A NEFF, the text it was made of, and what that text is called in rows.
pub(super) struct Made {
    pub(super) neff: Neff,
    pub(super) source: Option<String>,
    pub(super) strategy: &'static str,
}

impl Route {
    /// Relative errors of the functions that this route's kernels use: of `exp2`, and of the others.
    pub(super) fn function_errors(&self) -> [f64; 2] {
        match self {
            Route::Nki(_) => {
                let limits = nki::limits();
                // What the chip's own functions lose is not published: the same is assumed as for the vendor's route.
                [limits.exp2_error + stablehlo::FUNCTION_ERROR, limits.function_error + stablehlo::FUNCTION_ERROR]
            }
            Route::StableHlo(_) | Route::File(_) => [stablehlo::EXP2_ERROR, stablehlo::FUNCTION_ERROR],
        }
    }

    /// What compiles, and its version; none where nothing does.
    pub(super) fn compiler(&self) -> Option<String> {
        match self {
            Route::Nki(compiler) => Some(format!("nki {}", compiler.version())),
            Route::StableHlo(compiler) => Some(format!("neuronx-cc {}", compiler.version())),
            Route::File(_) => None,
        }
    }

    /// Tilings to write programs with. The vendor's compiler and a finished file tile as they please: what is offered
    /// for them is one tensor-engine instruction a tile, so that a program without a problem has tiles that fit.
    pub(super) fn tilings(&self, problem: &Problem, target: Target) -> Vec<Tiling> {
        if let Route::Nki(_) = self {
            return super::tilings(problem, target);
        }
        let (rows, cols) = (Target::PARTITIONS, Target::MOVING_COLS);
        vec![match problem {
            Problem::Matmul(_) | Problem::Grouped(_) => {
                Tiling::Matmul(MatmulTiling { bm: rows, bn: cols, bk: rows, k_splits: 1 })
            }
            Problem::Attention(_) => {
                Tiling::Attention(AttentionTiling { bq: rows, bk: cols, kv_splits: 1, lazy_peak: false })
            }
        }]
    }

    /// Makes the NEFF of a program.
    ///
    /// # Errors
    /// The program cannot be written for this chip, or the compiler refuses it.
    pub(super) fn make(&self, program: &Program, machine: &Machine, cache: &NeffCache) -> Result<Made, LowerError> {
        match self {
            Route::Nki(compiler) => {
                let kernel = nki::lower(program, machine.target)?;
                let neff = compiler.compile(&kernel, machine, cache)?;
                let strategy = if machine.lnc == 1 { "nki" } else { "nki on one physical core" };
                Ok(Made { neff, source: Some(kernel.source), strategy })
            }
            Route::StableHlo(compiler) => {
                machine.target.check_dtypes(program.tensors().iter().map(|tensor| tensor.dtype))?;
                let module = Module::of(program)?;
                let neff = compiler.compile(&module.text, machine, cache)?;
                let strategy = match module.form {
                    Form::Plain => "neuronx-cc",
                    Form::Operations => "neuronx-cc, from operations",
                };
                Ok(Made { neff, source: Some(module.text), strategy })
            }
            Route::File(path) => {
                let bytes = std::fs::read(path).map_err(|error| {
                    DeviceError::Driver(format!("cannot read the NEFF {}: {error}", path.display()))
                })?;
                Ok(Made { neff: Neff { bytes, cached: false }, source: None, strategy: "a user's NEFF" })
            }
        }
    }
}
