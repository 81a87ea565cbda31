//! `farthing neuron run --neff FILE`: a user's own kernel, checked and timed as ours are.

use std::io::Write;
use std::path::PathBuf;
use std::sync::OnceLock;

use clap::Args;
use farthing_kernels::backend::neuron::{self, Route};
use farthing_kernels::backend::registry::{Options, Registry, State};

use super::super::{CliError, run};
use crate::session::Backends;
use crate::store::Results;

/// Registry name of the file at hand.
const NAME: &str = "neff";

/// Arguments of `farthing neuron run`: a file, and what `farthing run` takes. The shape and dtype are what the file was
/// compiled for; its tensors have the program's names, or end in their number in calling order.
#[derive(Args)]
pub(super) struct FileArgs {
    /// The compiled file
    #[arg(long, value_name = "FILE")]
    neff: PathBuf,
    #[command(flatten)]
    run: run::RunArgs,
}

/// What the process was started for. Backends come from a plain function, which can hold nothing itself.
static GIVEN: OnceLock<(PathBuf, Backends)> = OnceLock::new();

/// Runs the command.
pub(super) fn run(args: &FileArgs, backends: Backends, results: &Results, out: &mut dyn Write) -> Result<(), CliError> {
    if !args.neff.is_file() {
        return Err(CliError::Usage(format!("--neff {}: there is no such file", args.neff.display())));
    }
    GIVEN.get_or_init(|| (args.neff.clone(), backends));
    run::run_on(&args.run, NAME, with_file, results, out)
}

/// The caller's backends, and the file as one more.
fn with_file(options: &Options) -> Registry {
    let Some((file, backends)) = GIVEN.get() else { return Registry::default() };
    let mut registry = backends(options);
    let state: State = neuron::with_route(Route::File(file.clone()));
    registry.add(NAME, state);
    registry
}
