//! `farthing publish`: the site, written to a folder.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::CliError;
use crate::catalogue::Catalogue;
use crate::deal::Options;
use crate::session::shown;
use crate::site::{self, Site, Source};
use crate::store::{Results, write_index};

/// Arguments of `farthing publish`.
#[derive(Args)]
pub(super) struct PublishArgs {
    /// Folder of the site; an earlier site there is replaced as a whole
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Draws of each deal
    #[arg(long, value_name = "N", default_value_t = site::DRAWN.draws as u32, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    draws: u32,
    /// Seed of the draws
    #[arg(long, value_name = "S", default_value_t = site::DRAWN.seed)]
    seed: u64,
    /// Folder whose chips.toml, prices.toml, models.toml or serving.toml replace the built-in ones
    #[arg(long, value_name = "DIR")]
    catalogue: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(args: &PublishArgs, results: &Results, out: &mut dyn Write) -> Result<(), CliError> {
    let catalogue = match &args.catalogue {
        Some(dir) => Catalogue::from_dir(dir),
        None => Catalogue::embedded(),
    };
    let catalogue = catalogue.map_err(|error| CliError::Usage(error.to_string()))?;
    let options = Options { draws: args.draws as usize, seed: args.seed };
    let failed = |error: &dyn std::fmt::Display| CliError::Failed(error.to_string());
    let source = Source::read(results, catalogue, options).map_err(|error| failed(&error))?;
    for (name, why) in &source.unread {
        eprintln!("farthing: {name} is left out: {why}");
    }
    let site = Site::build(&source, false).map_err(|error| failed(&error))?;
    site::publish(&site, &args.out).map_err(|error| failed(&error))?;
    if !source.runs.is_empty() {
        write_index(results)?;
    }
    let (pages, bytes) = site.size();
    let index = args.out.join("index.html");
    Ok(writeln!(out, "{}: {pages} pages, {:.1} MB with the data", shown(&index), bytes as f64 / 1e6)?)
}
