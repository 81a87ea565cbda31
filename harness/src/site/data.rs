//! Everything that the pages show, to download, and the page that lists it.

use std::collections::BTreeMap;

use maud::html;

use super::grid::{Cell, Grid};
use super::layout::{Frame, Head};
use super::link::{clipped, slug};
use super::source::Source;
use super::{File, SiteError};
use crate::report::{Align, Flat};
use crate::store::{run_name, run_schema};

/// A file to download and what it holds.
pub(super) struct Download {
    path: String,
    what: String,
    file: File,
}

impl Download {
    pub(super) fn new(
        path: impl Into<String>,
        what: impl Into<String>,
        media: &'static str,
        bytes: Vec<u8>,
    ) -> Download {
        Download { path: path.into(), what: what.into(), file: File { media, bytes } }
    }
}

/// Rows as flat tables, runs as they lie on the disk, deals.
pub(super) fn downloads(source: &Source) -> Result<Vec<Download>, SiteError> {
    let rows = Flat::of_runs(&source.runs);
    let deals: Vec<_> = source.deals.iter().map(|deal| &deal.analysis).collect();
    let deals = serde_json::to_vec(&deals).map_err(|error| SiteError::Render(error.to_string()))?;
    let mut all = vec![
        Download::new(
            "data/rows.csv",
            "Every row with its run and machine, for a spreadsheet",
            CSV,
            rows.csv().into_bytes(),
        ),
        Download::new("data/rows.jsonl", "The same, an object a line", JSON_LINES, rows.json_lines().into_bytes()),
        Download::new(
            "data/samples.csv",
            "Every sample, joined to rows by id",
            CSV,
            Flat::samples_of(&source.runs).csv().into_bytes(),
        ),
        Download::new("data/deals.json", "Every deal, answered", JSON, deals),
        Download::new("data/run.schema.json", "JSON Schema of a line of a run file", JSON, run_schema().into_bytes()),
    ];
    for run in &source.runs {
        let name = run_name(&run.path);
        let bytes = std::fs::read(&run.path)
            .map_err(|error| SiteError::Render(format!("cannot read {} again: {error}", run.path.display())))?;
        let path = format!("data/runs/{}.jsonl", slug(&name));
        all.push(Download::new(path, format!("Run {}, as it is kept", clipped(&name, 60)), JSON_LINES, bytes));
    }
    Ok(all)
}

pub(super) const CSV: &str = "text/csv; charset=utf-8";
pub(super) const JSON: &str = "application/json";
pub(super) const JSON_LINES: &str = "application/jsonl; charset=utf-8";

/// Path and text of the page that lists downloads.
pub(super) fn page(frame: &Frame, downloads: &[Download]) -> (String, String) {
    let path = "data.html";
    let columns = [("file", Align::Left), ("what", Align::Left), ("bytes", Align::Right)];
    let mut grid = Grid::new("files", "Files", &columns);
    for download in downloads {
        let size = download.file.bytes.len();
        grid.row(vec![
            Cell::text(&download.path).to(&download.path),
            Cell::text(&download.what),
            Cell::number(size as f64, size.to_string()),
        ]);
    }
    grid.note("fields may be added within a schema number: let unknown ones pass; kind names rows of no hardware");
    let body = html! {
        h1 { "Data" }
        p .lead { "What the pages show, and the samples behind it. Cite a row by the id on its page." }
        (grid.html())
    };
    (path.to_string(), frame.page(&Head::new(path, "Data", "Downloads: rows, samples, runs, costs and deals."), &body))
}

/// The files by path.
pub(super) fn files(downloads: Vec<Download>) -> BTreeMap<String, File> {
    downloads.into_iter().map(|download| (download.path, download.file)).collect()
}
