//! `farthing calibrate`: fits constants of serving engines and shows their error on what was held out.

use super::{CliError, Format, write_tables};
use crate::calibrate::{self, Pull};
use crate::catalogue::Catalogue;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

/// Arguments of `farthing calibrate`.
///
/// The columns of the file: id, backend, backend_version, model_path, system, precision, isl, osl, batch_size, tp_size,
/// pp_size, attention_dp_size, moe_tp_size, moe_ep_size, silicon_ttft_ms, silicon_tpot_ms. `_cN_` in an id is the
/// concurrency. Models and chips are those of the catalogue, by id or alias.
#[derive(Args, Clone, Debug)]
pub(super) struct CalibrateArgs {
    /// Measured serving, comma-separated with a header
    #[arg(value_name = "ROWS.csv")]
    pub rows: PathBuf,
    /// Shows errors by chip, model and ranks too, not by engine alone
    #[arg(long)]
    pub detailed: bool,
    /// Writes the constants as profiles for serving.toml
    #[arg(long, value_name = "FILE")]
    pub profiles: Option<PathBuf>,
    /// How strongly constants are drawn together: what all share to the middle of their bounds, engines to that,
    /// releases to their engine
    #[arg(long, value_name = "S,E,R", default_value_t = Pull::default())]
    pub pull: Pull,
    /// Folder whose chips.toml or models.toml replace the built-in ones
    #[arg(long, value_name = "DIR")]
    pub catalogue: Option<PathBuf>,
    /// How errors are written; json holds the fit as well
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Fits, validates and writes.
///
/// # Errors
/// [`CliError::Usage`] for rows or a catalogue that cannot be used, [`CliError::Output`] for a failed write.
pub(super) fn run(args: &CalibrateArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let usage = |error: String| CliError::Usage(error);
    let catalogue = match &args.catalogue {
        Some(dir) => Catalogue::from_dir(dir),
        None => Catalogue::embedded(),
    }
    .map_err(|error| usage(error.to_string()))?;
    let rows = calibrate::read_rows(&args.rows).map_err(|error| usage(error.to_string()))?;
    let calibration = calibrate::calibrate(&rows, &catalogue, args.pull).map_err(|error| usage(error.to_string()))?;
    match args.format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &calibration).map_err(std::io::Error::from)?;
            out.write_all(b"\n")?;
        }
        format => write_tables(&[calibrate::table(&calibration, args.detailed)], format, out)?,
    }
    if let Some(path) = &args.profiles {
        crate::store::replace(path, calibrate::toml(&calibration))
            .map_err(|error| CliError::Failed(format!("cannot write {}: {error}", path.display())))?;
    }
    Ok(())
}
