//! The first page: what was measured, what it means for a token, what it means for a deal.

use maud::{Markup, html};

use super::deal;
use super::figures::Figures;
use super::grid::{Cell, Grid};
use super::kernel::best;
use super::kind;
use super::layout::{Frame, Head};
use super::link::{self, clipped, relative};
use super::machine;
use super::priced::Target;
use super::rows::{self, Of};
use super::source::Source;
use crate::cost::CostLine;
use crate::deal::number;
use crate::record::Status;
use crate::report::{Align, case_cell, percent};
use crate::store::run_name;

/// Path and text of the page.
pub(super) fn page(frame: &Frame, source: &Source, figures: &Figures) -> (String, String) {
    let path = "index.html";
    let all = rows::all(&source.runs);
    let body = html! {
        h1 { "What a token costs, measured from the kernel up" }
        p .lead {
            "Vendors quote TFLOPS; a token is paid for by what kernels reach. Here every kernel is proved against an f64 oracle, \
             timed, and put beside the limit measured on the same machine in the same run. Every number says what it rests on, \
             and leads to it."
        }
        ul .tiles { (tiles(&all)) }
        @if source.runs.is_empty() {
            p .stamp { "No run is kept yet: make one with " code { "cargo bench" } "." }
        }
        h2 { "What was measured" }
        (figures.of_devices(path, source, "throughput"))
        (runs(path, source).html())
        h2 { "What a token costs" }
        (figures.of_cost(path, "cost-stack"))
        (cheapest(path, source).html())
        h2 { "What deals come to" }
        (deal::list(path, source).html())
    };
    let description = "Kernels measured against their machine's limits, tokens priced from them, deals answered.";
    (path.to_string(), frame.page(&Head::new(path, "Overview", description), &body))
}

/// For each model the chip on which its output is cheapest, and the best that was measured.
fn cheapest(path: &str, source: &Source) -> Grid {
    let columns = [
        ("model", Align::Left),
        ("device", Align::Left),
        ("$/M output", Align::Right),
        ("low to high", Align::Right),
        ("rests on", Align::Left),
    ];
    let mut grid =
        Grid::new("cheapest", "Cheapest output tokens by model: of all chips, and of machines measured here", &columns);
    for priced in &source.priced {
        let usd = |line: &CostLine| line.spend.as_ref().map(|spend| spend.usd_per_m_output);
        for measured in [false, true] {
            let lines = priced.lines.iter().filter(|(target, _)| (*target != Target::Chip) == measured);
            let found = lines.filter_map(|(_, line)| Some((usd(line)?, line)));
            let Some((usd, line)) = found.min_by(|a, b| a.0.mid.0.total_cmp(&b.0.mid.0)) else { continue };
            let address = relative(path, &format!("cost.html#cost-{}", link::slug(priced.model())));
            grid.row(vec![
                Cell::text(format!("{}, {}", priced.model(), priced.request.workload.weights)).to(&address),
                Cell::text(clipped(&line.device, 60)),
                Cell::number(usd.mid.0, number(usd.mid.0)),
                Cell::number(usd.high.0 - usd.low.0, format!("{} to {}", number(usd.low.0), number(usd.high.0))),
                Cell::markup(kind::weakest(usd.kinds)),
            ]);
        }
    }
    grid
}

/// The best of what was measured, each leading to its row.
fn tiles(all: &[Of<'_>]) -> Markup {
    let memory = |of: &&Of<'_>| of.1.limit.as_deref().is_some_and(|limit| limit.starts_with("read_"));
    let arithmetic = |of: &&Of<'_>| of.1.limit.is_some() && !memory(of);
    let right = all.iter().filter(|(_, row)| row.status == Status::Ok).count();
    html! {
        @for found in [best(all.iter().filter(arithmetic)), best(all.iter().filter(memory))].into_iter().flatten() {
            @let (share, run, row) = found;
            li {
                a .value href=(link::of_row(&run_name(&run.path), &row.id)) { (percent(share)) }
                span .what {
                    "of the measured " (row.limit.as_deref().unwrap_or("–")) ": " (clipped(&case_cell(row), 60)) " " (row.dtype.to_string())
                    ", " (clipped(&row.backend, 30)) " " (kind::of_row(row.kind))
                }
            }
        }
        li {
            a .value href="kernels.html" { (right) " of " (all.len()) }
            span .what { "rows were right before and after they were timed; the others say why they are not" }
        }
    }
}

/// The runs, newest first, with their best share.
fn runs(path: &str, source: &Source) -> Grid {
    let columns = [
        ("run", Align::Left),
        ("devices", Align::Left),
        ("commit", Align::Left),
        ("rows", Align::Right),
        ("best share", Align::Right),
        ("of limit", Align::Left),
        ("case", Align::Left),
    ];
    let mut grid = Grid::new("runs", "Runs, newest first", &columns);
    for run in source.runs.iter().rev() {
        let name = run_name(&run.path);
        let own = rows::all([run]);
        let found = best(own.iter());
        let [share, limit, case] = match found {
            Some((share, _, row)) => [
                Cell::number(share, percent(share)).to(&relative(path, &link::of_row(&name, &row.id))),
                Cell::text(row.limit.as_deref().unwrap_or("–")),
                Cell::text(format!("{} {}, {}", clipped(&case_cell(row), 60), row.dtype, clipped(&row.backend, 30))),
            ],
            None => [Cell::none(), Cell::none(), Cell::none()],
        };
        grid.row(vec![
            Cell::whole(machine::started(run)).to(&relative(path, &link::of_run(&name))),
            Cell::text(machine::devices(run).join("; ")),
            Cell::whole(machine::commit(run)),
            Cell::number(run.rows.len() as f64, run.rows.len().to_string()),
            share,
            limit,
            case,
        ]);
    }
    grid
}
