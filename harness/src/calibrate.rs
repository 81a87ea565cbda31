//! `farthing calibrate`: constants of serving engines, fitted to measured serving, with the error on what was held out.
//!
//! ```text
//! rows.csv ── row ──> Sample ──┐
//!                              ├─ fit: shared + engine + release constants ──> profiles
//! catalogue (models, chips) ───┘      └─ validate: folds, a chip out, a model out ──> error, bias, intervals
//! ```
//! A constant is searched within the bounds of what is physical, so a fit cannot claim to read faster than memory. Each
//! engine, and each of its releases, may differ from what all share, and pays for it: a release seen with one model
//! only stays near its engine, which keeps its constants fit for other models.

mod coordinates;
mod fit;
mod interval;
mod render;
mod row;
mod sample;
mod validate;

pub use fit::{Fit, Pull, UnknownPull};
pub use interval::Interval;
pub use render::{table, toml};
pub use row::{RowError, ServingRow, read_rows, read_rows_from};
pub use sample::{Doubt, Sample};
pub use validate::{ErrorSummary, HoldOut, Validation, validate};

use crate::catalogue::Catalogue;
use serde::Serialize;

/// Everything that a calibration gives.
#[derive(Clone, Debug, Serialize)]
pub struct Calibration {
    /// Rows that entered the fit.
    pub rows: usize,
    /// Rows that were left out, with the reason and their number.
    pub excluded: Vec<(String, usize)>,
    /// The fit to all rows.
    pub fit: Fit,
    /// Error in sample and on what was held out.
    pub validations: Vec<Validation>,
}

/// Fits and validates.
///
/// # Errors
/// [`RowError`] where a row names what the catalogue lacks, or too few rows are left to fit.
pub fn calibrate(rows: &[ServingRow], catalogue: &Catalogue, pull: Pull) -> Result<Calibration, RowError> {
    let all = rows.iter().map(|row| Sample::new(row, catalogue)).collect::<Result<Vec<_>, _>>()?;
    let mut samples = Vec::new();
    let mut excluded: Vec<(String, usize)> = Vec::new();
    for sample in &all {
        match sample.doubt.filter(|&doubt| !(doubt == Doubt::Speculation && sample.has_faster_twin(&all))) {
            None => samples.push(sample.clone()),
            Some(doubt) => match excluded.iter_mut().find(|(why, _)| *why == doubt.to_string()) {
                Some((_, count)) => *count += 1,
                None => excluded.push((doubt.to_string(), 1)),
            },
        }
    }
    if samples.len() < LEAST_ROWS {
        return Err(RowError::TooFew { rows: samples.len(), least: LEAST_ROWS });
    }
    let fit = Fit::to(&samples.iter().collect::<Vec<_>>(), pull);
    let validations = validate(&samples, &fit, pull);
    Ok(Calibration { rows: samples.len(), excluded, fit, validations })
}

/// Two rows a constant: fewer say nothing about most of them.
const LEAST_ROWS: usize = 2 * crate::cost::serving::SPECS.len();

#[cfg(test)]
mod tests;
