//! `farthing publish`: the site, written to a folder; a badge and a table for READMEs.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::CliError;
use crate::catalogue::Catalogue;
use crate::deal::Options;
use crate::session::shown;
use crate::site::{self, Runs, Site, Source};
use crate::store::{Results, StoreError, replace, write_index};

/// Arguments of `farthing publish`.
#[derive(Args)]
pub(super) struct PublishArgs {
    /// Folder of the site; an earlier site there is replaced as a whole
    #[arg(long, value_name = "DIR", required_unless_present_any = ["badge", "markdown"])]
    out: Option<PathBuf>,
    /// SVG file of a badge with one share of a limit
    #[arg(long, value_name = "FILE")]
    badge: Option<PathBuf>,
    /// Id of the badge's row, or the beginning of one [default: the row with the best share]
    #[arg(long, value_name = "ROW", requires = "badge")]
    row: Option<String>,
    /// Markdown file with the best share of each backend, device, kernel and element type
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
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
    let runs = Runs::read(results)?;
    for (name, why) in &runs.unread {
        eprintln!("farthing: {name} is left out: {why}");
    }
    if let Some(path) = &args.badge {
        let badge =
            site::badge_of(&runs.runs, args.row.as_deref()).map_err(|error| CliError::Usage(error.to_string()))?;
        write(path, &badge, out)?;
    }
    if let Some(path) = &args.markdown {
        write(path, &site::markdown(&runs.runs), out)?;
    }
    if let Some(dir) = &args.out {
        let source = args.source(runs)?;
        let site = Site::build(&source, false).map_err(|error| CliError::Failed(error.to_string()))?;
        site::publish(&site, dir).map_err(|error| CliError::Failed(error.to_string()))?;
        if !source.runs.is_empty() {
            write_index(results)?;
        }
        let (pages, bytes) = site.size();
        let index = dir.join("index.html");
        writeln!(out, "{}: {pages} pages, {:.1} MB with the data", shown(&index), bytes as f64 / 1e6)?;
    }
    Ok(())
}

impl PublishArgs {
    fn source(&self, runs: Runs) -> Result<Source, CliError> {
        let catalogue = match &self.catalogue {
            Some(dir) => Catalogue::from_dir(dir),
            None => Catalogue::embedded(),
        };
        let catalogue = catalogue.map_err(|error| CliError::Usage(error.to_string()))?;
        let options = Options { draws: self.draws as usize, seed: self.seed };
        Source::new(runs, catalogue, options).map_err(|error| CliError::Failed(error.to_string()))
    }
}

fn write(path: &Path, text: &str, out: &mut dyn Write) -> Result<(), CliError> {
    replace(path, text).map_err(|source| StoreError::Write { path: path.to_owned(), source })?;
    Ok(writeln!(out, "{}", shown(path))?)
}
