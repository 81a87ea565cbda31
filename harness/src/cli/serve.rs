//! `farthing serve`: the site and the explorer, on this machine.

use super::CliError;
use crate::catalogue::Catalogue;
use crate::serve::{self, Options, ServeError};
use crate::store::Results;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

/// Arguments of `farthing serve`.
#[derive(Args)]
pub(super) struct ServeArgs {
    /// Port of 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 8420)]
    port: u16,
    /// Folder whose chips.toml, prices.toml, models.toml or serving.toml replace the built-in ones
    #[arg(long, value_name = "DIR")]
    catalogue: Option<PathBuf>,
}

/// Serves until Ctrl-C.
pub(super) fn run(args: &ServeArgs, results: Results, out: &mut dyn Write) -> Result<(), CliError> {
    let catalogue = match &args.catalogue {
        Some(dir) => Catalogue::from_dir(dir),
        None => Catalogue::embedded(),
    };
    let catalogue = catalogue.map_err(|error| CliError::Usage(error.to_string()))?;
    serve::run(Options { port: args.port, results, catalogue }, out).map_err(|error| match error {
        ServeError::Io(error) => error.into(),
        other => CliError::Failed(other.to_string()),
    })
}
