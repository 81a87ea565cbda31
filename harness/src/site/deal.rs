//! Pages of deals: their answers, and where each number comes from.

use maud::html;

use super::figures::Figures;
use super::grid::{Cell, Grid};
use super::kind;
use super::layout::{Frame, Head};
use super::link::{self, relative};
use super::source::{Deal, Source};
use crate::deal::{self, Analysis, Answer, AnswerLine};
use crate::report::Align;
use crate::units::Kinds;

/// Path and text of the page that lists deals.
pub(super) fn index(frame: &Frame, source: &Source) -> (String, String) {
    let path = "deals.html";
    let body = html! {
        h1 { "Deals" }
        p .lead {
            "At what terms a token is cheaper there than here, what stands idle, what each party gets, and what moves it. \
             Scenarios are files whose every figure has a source; press figures are marked, for no primary document was read."
        }
        (list(path, source).html())
        @if let Some(test) = &source.backtest {
            h2 { "What the talks said, and what came" }
            (Grid::of("backtest", &deal::backtested(test)).html())
        }
    };
    let head =
        Head::new(path, "Deals", "Compute deals between labs, clouds and chip makers, answered from their terms.");
    (path.to_string(), frame.page(&head, &body))
}

/// The deals with their main answers, for the page of that path.
pub(super) fn list(path: &str, source: &Source) -> Grid {
    let mut columns = vec![("deal", Align::Left), ("terms of", Align::Left)];
    let named = |wanted: Answer| source.deals.iter().find_map(|deal| answer(&deal.analysis, wanted));
    let names: Vec<String> = HEADLINE
        .iter()
        .filter_map(|wanted| named(*wanted))
        .map(|line| format!("{}, {}", line.name, line.unit))
        .collect();
    columns.extend(names.iter().map(|name| (name.as_str(), Align::Right)));
    columns.push(("rests on", Align::Left));
    let mut grid = Grid::new("deals", "Deals, as announced or reported", &columns);
    for deal in &source.deals {
        grid.row(line(path, deal));
    }
    grid.note("central case: every input at its median, signed as stated; amounts are present values at the start");
    grid
}

/// Answers that the list of deals shows.
const HEADLINE: [Answer; 5] =
    [Answer::EffectivePrice, Answer::DealTokens, Answer::OutsideTokens, Answer::Stranded, Answer::OptionValue];

/// An answer of a deal.
fn answer(analysis: &Analysis, wanted: Answer) -> Option<&AnswerLine> {
    analysis.answers.iter().find(|line| line.answer == wanted)
}

fn line(path: &str, deal: &Deal) -> Vec<Cell> {
    let analysis = &deal.analysis;
    let mut cells = vec![
        Cell::text(&analysis.title).to(&relative(path, &link::of_deal(&analysis.scenario))),
        Cell::whole(&analysis.as_of),
    ];
    for wanted in HEADLINE {
        let value = answer(analysis, wanted).and_then(|line| Some((line.central?, line.unit)));
        cells.push(value.map_or_else(Cell::none, |(value, unit)| Cell::number(value, deal::quantity(value, unit))));
    }
    let kinds = analysis.answers.iter().fold(Kinds::NONE, |kinds, line| kinds.union(line.rests_on));
    cells.push(Cell::markup(kind::weakest(kinds)));
    cells
}

/// Path and text of the page of a deal.
pub(super) fn page(frame: &Frame, deal: &Deal, figures: &Figures) -> (String, String) {
    let analysis = &deal.analysis;
    let path = link::of_deal(&analysis.scenario);
    let tables = deal::tables(analysis);
    let explained = deal::explained(&deal.worked, analysis, &deal.scenario);
    let body = html! {
        h1 { (analysis.title) }
        p .lead { (analysis.summary) }
        p .small { "Terms as of " (analysis.as_of) " · scenario " code { (analysis.scenario) } " · " (analysis.draws) " draws, seed " (analysis.seed) }
        @if frame.live {
            p { a href=(relative(&path, &format!("deals/{}/edit", analysis.scenario))) { "Change its terms" } }
        }
        (figures.of_deal(&path, &analysis.scenario))
        @for (idx, table) in tables.iter().enumerate() { (Grid::of(format!("table-{idx}"), table).html()) }
        h2 { "Where each number comes from" }
        details {
            summary { "Every flow, input and source" }
            @for (idx, table) in explained.iter().enumerate() { (Grid::of(format!("explained-{idx}"), table).html()) }
        }
    };
    let text = frame.page(&Head::new(&path, &analysis.title, &analysis.summary), &body);
    (path, text)
}
