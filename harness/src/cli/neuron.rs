//! `farthing neuron`: what concerns AWS Trainium and Inferentia2. Nothing here has run on their hardware yet.

use std::io::Write;

use clap::{Args, Subcommand};

use super::CliError;

mod emit;

/// Arguments of `farthing neuron`.
#[derive(Args)]
pub(super) struct NeuronArgs {
    #[command(subcommand)]
    command: NeuronCommand,
}

#[derive(Subcommand)]
enum NeuronCommand {
    /// Prints the source of a kernel for a NeuronCore; needs no SDK
    ///
    /// Not yet run on Trainium hardware.
    Emit(emit::EmitArgs),
}

/// Runs the command.
pub(super) fn run(args: &NeuronArgs, out: &mut dyn Write) -> Result<(), CliError> {
    match &args.command {
        NeuronCommand::Emit(args) => emit::run(args, out),
    }
}
