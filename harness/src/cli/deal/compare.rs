//! Two scenarios side by side.

use super::{Asked, CliError, Format, write_json, write_tables};
use crate::deal::{self, Analysis};
use std::io::Write;

/// Answers both with the same seed and prints what both have. Values are set in the first alone.
pub(super) fn run(name: &str, other: &str, asked: &Asked, out: &mut dyn Write) -> Result<(), CliError> {
    let catalogue = asked.catalogue()?;
    let mut analyses: Vec<Analysis> = Vec::new();
    for (name, set) in [(name, &asked.set[..]), (other, &[])] {
        let (scenario, worked) = asked.worked(name, set, &catalogue)?;
        analyses.push(asked.on_threads(|| worked.analysis(&scenario, asked.options()))?);
    }
    if asked.format == Format::Json {
        return analyses.iter().try_for_each(|analysis| write_json(analysis, out));
    }
    write_tables(&[deal::side_by_side(&analyses[0], &analyses[1])], asked.format, out)
}
