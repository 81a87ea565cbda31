//! Figures as SVG: one file a figure, its data (`series`) apart from its drawing (`figure`).
//!
//! Each figure is a card with its own background, so that it reads the same on a light and on a dark page, in colour and
//! in grey: see [`theme`]. Lines and marks carry their names. What was not measured never shares an axis with what was.

mod axis;
pub mod bandwidth;
mod canvas;
mod card;
mod columns;
pub mod cost_stack;
pub mod deal_flow;
mod label;
mod ladder;
pub mod mix;
mod names;
pub mod npv;
pub mod pareto;
pub mod peers;
mod plot;
#[cfg(feature = "png")]
mod png;
pub mod roofline;
mod sheet;
#[cfg(test)]
mod testing;
pub mod theme;
pub mod threads;
pub mod throughput;
pub mod ties;
pub mod tornado;
pub mod trend;

use std::path::{Path, PathBuf};

use crate::catalogue::{Catalogue, Month};
use crate::cost::{CostError, CostRequest};
use crate::deal::Analysis;
use crate::record::{Kind, Row, RunHeader, Status};
use crate::report::Table;
use crate::store::replace;
use crate::units::{Kinds, Provenance};
use canvas::Fill;

/// A figure with what a reader who cannot see it needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Stem of its file, such as `roofline`.
    pub name: &'static str,
    /// What it is about.
    pub title: String,
    /// One or two sentences with the main numbers.
    pub alt: String,
    /// What it was drawn from: run and commit, or the dates of the catalogue and the seed of the draws.
    pub caption: String,
    /// The drawing.
    pub svg: String,
    /// The data that was drawn, a row a mark, with the ids of rows where it came from rows.
    pub table: Table,
}

impl Figure {
    /// Writes the drawing, as PNG where the file is called so; the old file stands until the new one is whole.
    ///
    /// # Errors
    /// [`ChartError::Write`]; for PNG [`ChartError::NoPng`] and [`ChartError::NoFont`].
    pub fn write(&self, path: &Path) -> Result<(), ChartError> {
        if path.extension().is_some_and(|end| end == "png") {
            write(path, &self.png()?)
        } else {
            write(path, self.svg.as_bytes())
        }
    }

    #[cfg(feature = "png")]
    fn png(&self) -> Result<Vec<u8>, ChartError> {
        png::png(&self.svg)
    }

    #[cfg(not(feature = "png"))]
    fn png(&self) -> Result<Vec<u8>, ChartError> {
        Err(ChartError::NoPng)
    }
}

/// Why a figure was not drawn.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// There is nothing to draw: what is missing, and how it is got.
    #[error("{0}")]
    Empty(&'static str),
    /// The costs that were asked for make no sense.
    #[error(transparent)]
    Cost(#[from] CostError),
    /// This build cannot write PNG.
    #[error("this farthing was built without PNG: build it with --features png, or name an .svg file")]
    NoPng,
    /// No words can be drawn into an image.
    #[error(
        "no font is installed, and a figure without words says nothing: install one, such as DejaVu Sans, or name an \
             .svg file"
    )]
    NoFont,
    /// The drawing library refused.
    #[error("cannot draw the chart: {0}")]
    Draw(String),
    /// The file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
}

/// Kinds of rows in the order in which they are drawn, measured ones first.
const KINDS: [Kind; 4] = [Kind::Measured, Kind::Software, Kind::Simulated, Kind::Fake];

/// What a panel says of rows that were not measured.
fn stamp(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Measured => None,
        Kind::Software => Some("SOFTWARE DEVICE: says nothing of a GPU"),
        Kind::Simulated => Some("SIMULATED"),
        Kind::Fake => Some("FAKE: A TEST DOUBLE"),
    }
}

/// Machine, day, run and commit of rows.
fn run_caption(header: &RunHeader) -> String {
    let environment = &header.environment;
    let day = header.started.split('T').next().unwrap_or_default();
    let dirty = if environment.dirty == Some(true) { ", uncommitted changes" } else { "" };
    let commit = environment.commit.as_ref().map_or("none known", |commit| commit.get(..7).unwrap_or(commit));
    format!(
        "{} · {} · {} CPUs · {day} · run {} · commit {commit}{dirty}",
        environment.cpu, environment.isa, environment.cpus, header.run
    )
}

/// What a cost assumes beside the catalogue.
fn assumptions(request: &CostRequest) -> String {
    let workload = &request.workload;
    let cached = match workload.cached.0 {
        0.0 => String::new(),
        share => format!(" ({:.0} % cached)", 100.0 * share),
    };
    format!(
        "{} tokens in{cached}, {} out, {} in flight, {} weights · utilisation {} and availability {} (assumed)",
        workload.input_tokens,
        workload.output_tokens,
        workload.concurrency,
        workload.weights,
        request.utilisation.0,
        request.availability.0
    )
}

/// The months in which the prices of chips were listed.
fn listed<'a>(catalogue: &Catalogue, chips: impl Iterator<Item = &'a str>) -> String {
    let months: Vec<Month> = chips.filter_map(|chip| catalogue.default_price(chip)?.listed()).collect();
    match (months.iter().min(), months.iter().max()) {
        (Some(first), Some(last)) if first == last => format!("catalogue prices of {last}"),
        (Some(first), Some(last)) => format!("catalogue prices of {first} to {last}"),
        _ => "no catalogue price is dated".into(),
    }
}

/// What a figure of a deal was worked out from.
fn deal_caption(analysis: &Analysis) -> String {
    format!(
        "scenario {}, terms of {} · seed {}, {} draws · the scenario's figures, none measured (farthing deal explain names their \
         sources)",
        analysis.scenario, analysis.as_of, analysis.seed, analysis.draws
    )
}

/// How a bar shows the weakest evidence that it rests on.
fn evidence(kinds: Kinds) -> Fill {
    match kinds.weakest() {
        None | Some(Provenance::Measured | Provenance::Published) => Fill::Solid,
        Some(Provenance::Press | Provenance::Estimated) => Fill::Hatched,
        Some(Provenance::Assumed) => Fill::Crossed,
    }
}

/// The word of a kind, a temperature: as rows are stored.
fn word(value: impl std::fmt::Debug) -> String {
    format!("{value:?}").to_lowercase()
}

/// Whether a row is right and has a time to draw.
fn has_time(row: &Row) -> bool {
    row.status == Status::Ok && row.median_s.is_some_and(|t| t.is_finite() && t > 0.0)
}

/// Puts a drawing in its place, in a folder that is made if it is not there.
fn write(path: &Path, bytes: &[u8]) -> Result<(), ChartError> {
    let failed = |source| ChartError::Write { path: path.to_path_buf(), source };
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).map_err(failed)?;
    replace(path, bytes).map_err(failed)
}
