//! Rows as tables of pages, each leading to its proof.

use super::grid::{Cell, Grid};
use super::kind;
use super::link::{self, relative};
use crate::record::{Row, Status};
use crate::report::{Align, case_cell, numbers};
use crate::store::{Run, run_name};

const COLUMNS: [(&str, Align); 13] = [
    ("case", Align::Left),
    ("dtype", Align::Left),
    ("backend", Align::Left),
    ("device", Align::Left),
    ("kind", Align::Left),
    ("threads", Align::Right),
    ("median", Align::Right),
    ("±", Align::Right),
    ("rate", Align::Right),
    ("share", Align::Right),
    ("of limit", Align::Left),
    ("check", Align::Right),
    ("proof", Align::Left),
];

/// What the columns of numbers are.
pub(super) const LEGEND: &str = "median: of a launch, ± half its 95 % interval; rate: GFLOP/s, or GB/s where memory bounds; \
    share: of the limit named, measured in the same run; check: worst error over its derived bound, before and after timing";

/// A row and the run that it is of.
pub(super) type Of<'a> = (&'a Run, &'a Row);

/// Rows of these runs, as they lie in them.
pub(super) fn all<'a>(runs: impl IntoIterator<Item = &'a Run>) -> Vec<Of<'a>> {
    runs.into_iter().flat_map(|run| run.rows.iter().map(move |row| (run, row))).collect()
}

/// A table of rows for the page of that path.
pub(super) fn grid(id: &str, caption: &str, page: &str, rows: &[Of<'_>]) -> Grid {
    let mut grid = Grid::new(id, caption, &COLUMNS).with_filter();
    for (run, row) in rows {
        grid.row(cells(page, run, row));
    }
    grid.note(LEGEND);
    grid
}

fn cells(page: &str, run: &Run, row: &Row) -> Vec<Cell> {
    let [threads, _, median, spread, rate, share, limit, check] = numbers(row);
    let by = |value: Option<f64>, text: String| match value.filter(|value| value.is_finite()) {
        Some(value) => Cell::number(value, text),
        None if text == "-" => Cell::none(),
        None => Cell::text(text),
    };
    let per_second = |limit: &Option<String>| match limit {
        Some(limit) if limit.starts_with("read_") => row.gbps,
        _ => row.gflops,
    };
    let half = row.ci95_s.zip(row.median_s).map(|([low, high], median)| (high - low) / 2.0 / median);
    let address = relative(page, &link::of_row(&run_name(&run.path), &row.id));
    let median = match row.status {
        Status::Ok => by(row.median_s, median),
        _ => Cell::markup(maud::html! { span .status { (median) } }),
    };
    vec![
        Cell::text(case_cell(row)),
        Cell::text(row.dtype.to_string()),
        Cell::text(&row.backend).to(&relative(page, &link::of_backend(&row.backend))),
        Cell::text(link::clipped(&row.device, 40)),
        Cell::markup(kind::of_row(row.kind)),
        by(row.threads.map(|threads| threads as f64), threads),
        median,
        by(half, spread),
        by(per_second(&row.limit), rate),
        by(row.share, share),
        if limit == "-" { Cell::none() } else { Cell::text(limit) },
        by(row.error_ratio, check),
        Cell::text(link::clipped(&row.id, 12)).to(&address),
    ]
}
