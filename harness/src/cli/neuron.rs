//! `farthing neuron`: what a machine with Neuron chips needs, and first runs on it.

use std::io::Write;

use clap::{Args, Subcommand};

use super::CliError;
use crate::session::Backends;
use crate::store::Results;

mod chip;
mod doctor;
mod file;
mod smoke;

/// Arguments of `farthing neuron`.
#[derive(Args)]
pub(super) struct NeuronArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks driver, runtime, compilers and cores, and says how to mend what is missing
    Doctor(doctor::DoctorArgs),
    /// Runs ten conformance cases on the NeuronCore, and prints what to send to the authors
    Smoke(smoke::SmokeArgs),
    /// Checks and times a NEFF of your own
    Run(Box<file::FileArgs>),
}

/// Runs the command.
pub(super) fn run(
    args: &NeuronArgs,
    backends: Backends,
    results: &Results,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    match &args.command {
        Command::Doctor(args) => doctor::run(args, out),
        Command::Smoke(args) => smoke::run(args, out),
        Command::Run(args) => file::run(args, backends, results, out),
    }
}
