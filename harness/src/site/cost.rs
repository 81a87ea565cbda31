//! The page of costs: what a token costs on every machine that was measured and every chip of the catalogue.

use maud::html;

use super::figures::Figures;
use super::grid::{Cell, Grid};
use super::kind;
use super::layout::{Frame, Head};
use super::link::{self, clipped, relative, slug};
use super::priced::{Priced, Target};
use super::source::Source;
use crate::cost::CostLine;
use crate::deal::number;
use crate::report::{Align, percent};
use crate::store::run_name;
use crate::units::{Estimate, Quantity};

const COLUMNS: [(&str, Align); 12] = [
    ("device", Align::Left),
    ("chips", Align::Right),
    ("output tok/s", Align::Right),
    ("TTFT s", Align::Right),
    ("TPOT ms", Align::Right),
    ("$/M input", Align::Right),
    ("$/M output", Align::Right),
    ("low to high", Align::Right),
    ("$/h paid", Align::Right),
    ("M tok/MWh", Align::Right),
    ("speed rests on", Align::Left),
    ("cost rests on", Align::Left),
];

/// Path and text of the page.
pub(super) fn page(frame: &Frame, source: &Source, figures: &Figures) -> (String, String) {
    let path = "cost.html";
    let body = html! {
        h1 { "Cost of a token" }
        p .lead {
            "Dollars a million tokens at the list price, with the low and the high case. A machine that was measured is costed \
             from its rows; a chip that was not, from published peaks and constants fitted to published serving, and says so."
        }
        p .small {
            "How: " a href="method.html" { "method" } ". Prices, with source and date: " a href="catalogue.html" { "catalogue" } "."
            @if frame.live { " Other models, traffic and terms: " a href="explore" { "explore" } "." }
        }
        (figures.of_costs(path))
        @for priced in &source.priced { section { (grid(path, source, priced).html()) } }
    };
    let head =
        Head::new(path, "Cost", "Dollars a million tokens by model and chip, with low and high case and evidence.");
    (path.to_string(), frame.page(&head, &body))
}

fn grid(path: &str, source: &Source, priced: &Priced) -> Grid {
    let workload = &priced.request.workload;
    let caption = format!(
        "{}, {} weights: {} tokens in, {} out, {} in flight; demand in {} of the hours paid",
        priced.model(),
        workload.weights,
        workload.input_tokens,
        workload.output_tokens,
        workload.concurrency,
        percent(priced.request.utilisation.0)
    );
    let mut grid = Grid::new(format!("cost-{}", slug(priced.model())), caption, &COLUMNS);
    let usd = |line: &CostLine| line.spend.as_ref().map_or(f64::INFINITY, |spend| spend.usd_per_m_output.mid.0);
    let mut cheapest_first: Vec<&(Target, CostLine)> = priced.lines.iter().collect();
    cheapest_first.sort_by(|(_, a), (_, b)| usd(a).total_cmp(&usd(b)));
    for (target, line) in cheapest_first {
        grid.row(cells(path, source, target, line));
        let why = line.reason.iter().chain(&line.notes);
        why.for_each(|why| grid.note(format!("{}: {why}", clipped(&line.device, 60))));
    }
    grid
}

fn cells(path: &str, source: &Source, target: &Target, line: &CostLine) -> Vec<Cell> {
    let speed = line.speed.as_ref();
    let spend = line.spend.as_ref();
    let name = match line.threads {
        Some(threads) => format!("{} · {} × {threads} threads", line.target, clipped(&line.device, 60)),
        None => clipped(&line.device, 60),
    };
    let address = match target {
        Target::Chip => link::of_entry(&line.target),
        Target::Run(idx) => link::of_run(&run_name(&source.runs[*idx].path)),
    };
    let range = spend.map(|spend| spend.usd_per_m_output).filter(|usd| usd.low != usd.high);
    vec![
        Cell::text(name).to(&relative(path, &address)),
        line.chips.map_or_else(Cell::none, |chips| Cell::number(f64::from(chips), chips.to_string())),
        mid(speed.map(|speed| &speed.output_tokens_per_s), 1.0),
        mid(speed.map(|speed| &speed.ttft_s), 1.0),
        mid(speed.map(|speed| &speed.tpot_s), 1e3),
        mid(spend.map(|spend| &spend.usd_per_m_input), 1.0),
        mid(spend.map(|spend| &spend.usd_per_m_output), 1.0),
        range.map_or_else(Cell::none, |usd| {
            Cell::number(usd.high.value() - usd.low.value(), format!("{} to {}", number(usd.low.0), number(usd.high.0)))
        }),
        line.price.as_ref().map_or_else(Cell::none, |price| {
            let paid = price.usd_per_hour.mid.0 * price.units;
            Cell::number(paid, format!("{} {}", number(paid), clipped(&price.term, 20)))
        }),
        mid(line.output_tokens_per_mwh.as_ref(), 1e-6),
        speed.map_or_else(Cell::none, |speed| Cell::markup(kind::weakest(speed.output_tokens_per_s.kinds))),
        spend.map_or_else(Cell::none, |spend| Cell::markup(kind::weakest(spend.usd_per_m_output.kinds))),
    ]
}

fn mid<T: Quantity>(estimate: Option<&Estimate<T>>, scale: f64) -> Cell {
    estimate.map_or_else(Cell::none, |estimate| {
        let value = estimate.mid.value() * scale;
        Cell::number(value, number(value))
    })
}
