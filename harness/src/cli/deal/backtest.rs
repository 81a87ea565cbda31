//! What was believed against what came.

use super::{Asked, CliError, Format, write_json, write_tables};
use crate::deal;
use clap::Args;
use std::io::Write;

/// Arguments of `farthing deal backtest`.
#[derive(Args)]
pub(super) struct BacktestArgs {
    /// The scenario of beliefs
    #[arg(default_value = deal::TALKS_AND_OUTCOME.0)]
    prior: String,
    /// The scenario of what came, with an `outcome`
    #[arg(default_value = deal::TALKS_AND_OUTCOME.1)]
    came: String,
    #[command(flatten)]
    asked: Asked,
}

/// Prints, for each term that both state, where in the belief the outcome lies.
pub(super) fn run(args: &BacktestArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let catalogue = args.asked.catalogue()?;
    let (prior, believed) = args.asked.checked(&args.prior, &args.asked.set, &catalogue)?;
    let (came, realised) = args.asked.checked(&args.came, &[], &catalogue)?;
    let test =
        deal::backtest((&prior, &believed), (&came, &realised)).map_err(|error| CliError::Usage(error.to_string()))?;
    if args.asked.format == Format::Json {
        return write_json(&test, out);
    }
    write_tables(&[deal::backtested(&test)], args.asked.format, out)
}
