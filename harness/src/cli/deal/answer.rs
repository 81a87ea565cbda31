//! One scenario, answered or explained.

use super::{Asked, CliError, Format, write_json, write_tables};
use crate::deal;
use std::io::Write;

pub(super) fn run(name: &str, asked: &Asked, out: &mut dyn Write) -> Result<(), CliError> {
    let catalogue = asked.catalogue()?;
    let (scenario, worked) = asked.worked(name, &asked.set, &catalogue)?;
    let analysis = asked.on_threads(|| worked.analysis(&scenario, asked.options()))?;
    if asked.format == Format::Json {
        return write_json(&analysis, out);
    }
    if asked.format == Format::Table {
        writeln!(out, "{}\n", scenario.summary.trim())?;
    }
    write_tables(&deal::tables(&analysis), asked.format, out)
}

pub(super) fn explain(name: &str, asked: &Asked, out: &mut dyn Write) -> Result<(), CliError> {
    let catalogue = asked.catalogue()?;
    let (scenario, worked) = asked.worked(name, &asked.set, &catalogue)?;
    let analysis = asked.on_threads(|| worked.analysis(&scenario, asked.options()))?;
    write_tables(&deal::explained(&worked, &analysis, &scenario), asked.format, out)
}
