//! Pages of backends: the devices each ran on, their limits, its rows.

use maud::html;

use super::figures::Figures;
use super::grid::{Cell, Grid};
use super::kernel::{ROWS_OF_A_PAGE, best};
use super::kind;
use super::layout::{Frame, Head};
use super::link::{self, clipped, relative};
use super::machine;
use super::rows::{self, Of};
use super::source::Source;
use crate::record::{Kind, Status};
use crate::report::{Align, percent};
use crate::store::run_name;

/// Backends with the kind of their rows and their device: what a page is about, and what a line of the list is.
fn lines<'a>(rows: &[Of<'a>]) -> Vec<(&'a str, Kind, &'a str)> {
    let mut lines: Vec<(&str, Kind, &str)> = Vec::new();
    for (_, row) in rows {
        let line = (row.backend.as_str(), row.kind, row.device.as_str());
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.sort_unstable_by_key(|(backend, kind, _)| (*kind, *backend));
    lines
}

/// Names of backends, each once.
pub(super) fn names<'a>(rows: &[Of<'a>]) -> Vec<&'a str> {
    let mut names: Vec<&str> = rows.iter().map(|(_, row)| row.backend.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Path and text of the page that lists backends.
pub(super) fn index(frame: &Frame, rows: &[Of<'_>]) -> (String, String) {
    let path = "backends.html";
    let body = html! {
        h1 { "Backends" }
        p .lead {
            "Whatever runs a tile program: ours for CPUs, GPUs and Neuron, and anyone's behind the same trait, libraries as \
             peers among them."
        }
        (list(path, rows, "Backends and the devices they ran on").html())
    };
    let head =
        Head::new(path, "Backends", "Every backend and device that was measured, with its best share of a limit.");
    (path.to_string(), frame.page(&head, &body))
}

fn list(path: &str, rows: &[Of<'_>], caption: &str) -> Grid {
    let columns = [
        ("backend", Align::Left),
        ("device", Align::Left),
        ("kind", Align::Left),
        ("rows", Align::Right),
        ("right", Align::Right),
        ("best share", Align::Right),
        ("of limit", Align::Left),
        ("newest run", Align::Left),
    ];
    let mut grid = Grid::new("backends", caption, &columns);
    for (backend, kind, device) in lines(rows) {
        let own: Vec<Of<'_>> = rows
            .iter()
            .filter(|(_, row)| (row.backend.as_str(), row.kind, row.device.as_str()) == (backend, kind, device))
            .copied()
            .collect();
        let right = own.iter().filter(|(_, row)| row.status == Status::Ok).count();
        let (share, limit) = match best(own.iter()) {
            Some((share, run, row)) => {
                let address = relative(path, &link::of_row(&run_name(&run.path), &row.id));
                (Cell::number(share, percent(share)).to(&address), Cell::text(row.limit.as_deref().unwrap_or("–")))
            }
            None => (Cell::none(), Cell::none()),
        };
        let newest = own.last().map_or_else(Cell::none, |(run, _)| {
            let name = run_name(&run.path);
            Cell::text(clipped(&name, 30)).to(&relative(path, &link::of_run(&name)))
        });
        grid.row(vec![
            Cell::text(backend).to(&relative(path, &link::of_backend(backend))),
            Cell::text(clipped(device, 80)),
            Cell::markup(kind::of_row(kind)),
            Cell::number(own.len() as f64, own.len().to_string()),
            Cell::number(right as f64, right.to_string()),
            share,
            limit,
            newest,
        ]);
    }
    grid
}

/// Path and text of the page of one backend. Where its rows are more than a page holds, the newest are shown.
pub(super) fn page(frame: &Frame, name: &str, rows: &[Of<'_>], source: &Source, figures: &Figures) -> (String, String) {
    let path = link::of_backend(name);
    let title = clipped(name, 60);
    let own: Vec<Of<'_>> = rows.iter().filter(|(_, row)| row.backend == name).copied().collect();
    let shown = &own[own.len().saturating_sub(ROWS_OF_A_PAGE)..];
    let limits = source.runs.iter().rev().find(|run| run.header.limits.iter().any(|limit| limit.backend == name));
    let mut kinds: Vec<Kind> = own.iter().map(|(_, row)| row.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let body = html! {
        h1 { "Backend " (title) }
        @for warning in kinds.iter().filter_map(|kind| kind::warning(*kind)) { p .stamp { (warning) } }
        (list(&path, &own, "Devices it ran on").html())
        @if let Some(run) = limits { (machine::limits("limits", run, Some(name)).html()) }
        (figures.of_backend(&path, name))
        h2 { "Rows" }
        @if shown.len() < own.len() {
            p { "The newest " (shown.len()) " of " (own.len()) " rows; all are on the pages of kernels and in the data." }
        }
        (rows::grid("rows", &format!("Rows of {title}, oldest run first"), &path, shown).html())
    };
    let description = format!("Devices, measured limits and rows of the backend {title}.");
    let text = frame.page(&Head::new(&path, &format!("Backend {title}"), &description), &body);
    (path, text)
}
