//! `farthing neuron`: kernels for AWS Trainium and Inferentia2, what a machine with them needs, and first runs on it.
//! Nothing here has run on their hardware yet.

use std::io::Write;

use clap::{Args, Subcommand};

use super::CliError;
use crate::session::Backends;
use crate::store::Results;

mod chip;
mod doctor;
mod emit;
mod file;
mod smoke;

/// Arguments of `farthing neuron`.
#[derive(Args)]
pub(super) struct NeuronArgs {
    #[command(subcommand)]
    command: NeuronCommand,
}

#[derive(Subcommand)]
enum NeuronCommand {
    /// Checks driver, runtime, compilers and cores, and says how to mend what is missing
    Doctor(doctor::DoctorArgs),
    /// Prints the source of a kernel for a NeuronCore; needs no SDK
    ///
    /// Not yet run on Trainium hardware.
    Emit(emit::EmitArgs),
    /// Checks and times a NEFF of your own
    Run(Box<file::FileArgs>),
    /// Runs ten conformance cases on the NeuronCore, and prints what to send to the authors
    Smoke(smoke::SmokeArgs),
}

/// Runs the command.
pub(super) fn run(
    args: &NeuronArgs,
    backends: Backends,
    results: &Results,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    match &args.command {
        NeuronCommand::Doctor(args) => doctor::run(args, out),
        NeuronCommand::Emit(args) => emit::run(args, out),
        NeuronCommand::Run(args) => file::run(args, backends, results, out),
        NeuronCommand::Smoke(args) => smoke::run(args, out),
    }
}
