//! Pages of kernels: every row of each.

use maud::{Markup, html};

use super::figures::Figures;
use super::grid::{Cell, Grid};
use super::layout::{Frame, Head};
use super::link::{self, clipped, relative};
use super::rows::{self, Of};
use super::source::Source;
use crate::record::{Kind, Row, Status};
use crate::report::{Align, percent};
use crate::store::{Run, run_name};

/// Rows of a page: a row takes half a kilobyte, and a page stays under one megabyte.
pub(super) const ROWS_OF_A_PAGE: usize = 1000;

/// What is known of a kernel, by operation.
fn about(op: &str) -> &'static str {
    match op {
        "matmul" => {
            "Matrix product C[m, n] = A[m, k] · B, with B stored as [k, n] (kn) or as [n, k]: as models store weights (nk), \
             prepared once in the backend's own form (packed), or as 4-bit integers in groups of 32 with a scale (nk-i4). \
             Useful work is 2·m·n·k; the least traffic is both factors and the result, once."
        }
        "grouped" => {
            "Matrix product of rows in groups, as in a mixture of experts: C[i] = A[i] · B[g(i)], where a table says which rows \
             are of which group. Shapes are rows × columns × depth × groups; each row goes to a random group, and as many \
             groups have rows as can. Useful work is 2·m·n·k; the least traffic counts the factors of groups that have rows."
        }
        "attention" => {
            "softmax(scale · Q · Kᵀ) · V with an online softmax. Shapes are batch × query heads × key heads × queries × keys × \
             head size. A causal mask counts the visible pairs alone; one query a sequence is decode."
        }
        _ => "A kernel as its rows name it.",
    }
}

/// Kernels that rows are of, in the order of their first row.
pub(super) fn ops<'a>(rows: &[Of<'a>]) -> Vec<&'a str> {
    let mut ops: Vec<&str> = Vec::new();
    for (_, row) in rows {
        if !ops.contains(&row.op.as_str()) {
            ops.push(&row.op);
        }
    }
    ops
}

/// Path and text of the page that lists kernels.
pub(super) fn index(frame: &Frame, rows: &[Of<'_>], source: &Source, figures: &Figures) -> (String, String) {
    let path = "kernels.html";
    let columns = [
        ("kernel", Align::Left),
        ("rows", Align::Right),
        ("measured and right", Align::Right),
        ("backends", Align::Left),
        ("best share", Align::Right),
        ("of limit", Align::Left),
    ];
    let mut grid = Grid::new("kernels", "Kernels", &columns);
    for op in ops(rows) {
        let own: Vec<&Of<'_>> = rows.iter().filter(|(_, row)| row.op == op).collect();
        let right = || own.iter().filter(|(_, row)| row.kind == Kind::Measured && row.status == Status::Ok);
        let best = best(own.iter().copied());
        let mut backends: Vec<&str> = own.iter().map(|(_, row)| row.backend.as_str()).collect();
        backends.sort_unstable();
        backends.dedup();
        let (share, limit) = match best {
            Some((share, run, row)) => {
                let address = relative(path, &link::of_row(&run_name(&run.path), &row.id));
                let limit = row.limit.as_deref().unwrap_or("–");
                (Cell::number(share, percent(share)).to(&address), Cell::text(limit))
            }
            None => (Cell::none(), Cell::none()),
        };
        grid.row(vec![
            Cell::text(op).to(&relative(path, &link::of_kernel(op, 0))),
            Cell::number(own.len() as f64, own.len().to_string()),
            Cell::number(right().count() as f64, right().count().to_string()),
            Cell::text(backends.join(", ")),
            share,
            limit,
        ]);
    }
    let body = html! {
        h1 { "Kernels" }
        p .lead {
            "Each is written once as a tile program and lowered by every backend from its operations alone. Every row was \
             checked against an f64 oracle before and after it was timed; every row is here."
        }
        (grid.html())
        (figures.of_devices(path, source, "roofline"))
        (figures.of_devices(path, source, "throughput"))
    };
    let head = Head::new(path, "Kernels", "Every kernel, its rows, and how close each comes to the measured limit.");
    (path.to_string(), frame.page(&head, &body))
}

/// The row with the best share that may be quoted.
pub(super) fn best<'a, 'b: 'a>(rows: impl Iterator<Item = &'a Of<'b>>) -> Option<(f64, &'b Run, &'b Row)> {
    rows.filter_map(|(run, row)| Some((row.quotable_share()?, *run, *row))).max_by(|a, b| a.0.total_cmp(&b.0))
}

/// Paths and texts of the pages of one kernel; the first carries its figure.
pub(super) fn pages(frame: &Frame, op: &str, rows: &[Of<'_>], figures: &Figures) -> Vec<(String, String)> {
    let own: Vec<Of<'_>> = rows.iter().filter(|(_, row)| row.op == op).copied().collect();
    let n_pages = own.len().div_ceil(ROWS_OF_A_PAGE);
    let name = clipped(op, 40);
    let page = |(number, part): (usize, &[Of<'_>])| {
        let path = link::of_kernel(op, number);
        let title = if number == 0 { name.clone() } else { format!("{name}, page {}", number + 1) };
        let body = html! {
            h1 { (title) }
            p .lead { (about(op)) }
            (pager(&path, op, number, n_pages))
            @if number == 0 { (figures.of_kernel(&path, op)) }
            h2 { "Every row" }
            (rows::grid("rows", &format!("Rows of {name}, oldest run first"), &path, part).html())
            (pager(&path, op, number, n_pages))
        };
        let description = format!("Rows of the kernel {name}: medians, intervals, shares of measured limits, proofs.");
        let text = frame.page(&Head::new(&path, &title, &description), &body);
        (path, text)
    };
    own.chunks(ROWS_OF_A_PAGE).enumerate().map(page).collect()
}

fn pager(path: &str, op: &str, number: usize, n_pages: usize) -> Markup {
    html! {
        @if n_pages > 1 {
            p {
                "Pages: "
                @for other in 0..n_pages {
                    @if other == number { strong { (other + 1) } } @else { a href=(relative(path, &link::of_kernel(op, other))) { (other + 1) } }
                    " "
                }
            }
        }
    }
}
