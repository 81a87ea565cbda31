//! The editor as a page: answers first, then every figure by what it belongs to.

use super::Edited;
use crate::deal::{self, CentralLine, Figure};
use crate::report::clipped;
use crate::report::{self, Align};
use crate::serve::field::{Field, Look};
use crate::serve::live;
use crate::site::grid::{Cell, Grid};
use crate::site::layout::{Frame, Head};
use crate::site::link::{of_deal, relative};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Letters of a notice that are shown.
const MOST: usize = 300;

pub(super) fn page(edited: &Edited, frame: &Frame, written: &[CentralLine]) -> String {
    let path = format!("deals/{}/edit", edited.id);
    let title = format!("Change the terms: {}", edited.shipped.title);
    let body = html! {
        h1 { (title) }
        p .lead {
            "Write a number, in the unit of the file, into any field: the deal is checked and its central case computed anew. \
             A figure that is set has no spread any more and counts as assumed. "
            a href=(relative(&path, &of_deal(edited.id))) { "The deal as its file states it" } ", with draws."
        }
        (status(edited))
        section #answer aria-label="Answers" data-live { (answers(edited, written)) }
        h2 { "Terms" }
        form .panel method="get" action="edit" data-live-form autocomplete="off" {
            @for (group, fields) in groups(edited) {
                fieldset {
                    legend { (group) }
                    @for (figure, field) in fields { (line(&group, figure, field)) }
                }
            }
            p { button .plain type="submit" { "Compute" } " " a href="edit" { "Start over" } }
        }
        (sources(edited).html())
    };
    let description = "A compute deal under other terms, answered as you type.";
    frame.page(&Head { script: Some(live::SCRIPT), ..Head::new(&path, &title, description) }, &body)
}

/// Fields by what they belong to: a vendor, a commitment, the deal as a whole.
fn groups(edited: &Edited) -> BTreeMap<String, Vec<(&Figure, &Field)>> {
    let mut groups: BTreeMap<String, Vec<(&Figure, &Field)>> = BTreeMap::new();
    for (figure, field) in &edited.fields {
        let mut steps = figure.key.splitn(3, '.');
        let group = match (steps.next(), steps.next(), steps.next()) {
            (Some(part), Some(id), Some(_)) => format!("{part}.{id}"),
            (Some(part), Some(_), None) => part.to_string(),
            _ => "deal".to_string(),
        };
        groups.entry(group).or_default().push((figure, field));
    }
    groups
}

fn line(group: &str, figure: &Figure, field: &Field) -> Markup {
    let label = figure.key.strip_prefix(group).map_or(figure.key.as_str(), |rest| rest.trim_start_matches('.'));
    let written = figure.written.join(" / ");
    let unit = figure.unit.as_ref().filter(|unit| *unit != "1").map_or(String::new(), |unit| format!(" {unit}"));
    let source = figure.source.as_ref().map_or(String::new(), |source| format!(", {source}"));
    let middle = figure.written.get(figure.written.len() / 2).cloned().unwrap_or_default();
    field.line(&Look { label: Some(label), unit: &format!("{written}{unit}{source}"), otherwise: middle })
}

/// What became of the last change, said to who cannot see it.
fn status(edited: &Edited) -> Markup {
    let time = report::seconds(edited.seconds);
    let told = match (&edited.answers, edited.n_problems(), edited.set.len()) {
        (Some(_), _, 0) => format!("As the file states it; computed in {time}."),
        (Some(_), _, 1) => format!("1 figure changed; computed in {time}."),
        (Some(_), _, n) => format!("{n} figures changed; computed in {time}."),
        (None, 1, _) => "Nothing was computed: 1 thing is wrong.".into(),
        (None, n, _) => format!("Nothing was computed: {n} things are wrong."),
    };
    html! {
        p .status #status role="status" aria-live="polite" data-live { (told) }
        ul .problems #problems data-live {
            @for notice in edited.problems.iter().chain(&edited.warnings) { li { (clipped(notice, MOST)) } }
            // Fields may be far below: each that is marked is named here too.
            @for (figure, _) in edited.fields.iter().filter(|(_, field)| field.problem.is_some()) {
                li { a href={ "#" (figure.key) } { (figure.key) } " needs another value" }
            }
        }
    }
}

fn answers(edited: &Edited, written: &[CentralLine]) -> Markup {
    let Some(answers) = &edited.answers else { return html! {} };
    let columns = [
        ("answer", Align::Left),
        ("as written", Align::Right),
        ("under these terms", Align::Right),
        ("unit", Align::Left),
    ];
    let mut grid = Grid::new("answers", "Central case: every input at its median, signed as stated", &columns);
    let cell = |value: Option<f64>, unit| value.map_or_else(Cell::none, |x| Cell::number(x, deal::quantity(x, unit)));
    for line in answers {
        let before = written.iter().find(|known| known.answer == line.answer).and_then(|known| known.central);
        let [before, now] = [before, line.central].map(|value| cell(value, line.unit));
        grid.row(vec![Cell::text(&line.name), before, now, Cell::text(line.unit)]);
    }
    grid.note("amounts are present values at the start; equity is in none of the prices");
    grid.note("no draws are made here: the ranges are on the deal's own page, and by the command below");
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(edited.set.iter().map(|set| (&set.key, &set.value)))
        .finish();
    html! {
        (grid.html())
        p {
            "Export: " a href={ "edit.toml?" (query) } download={ (edited.id) "-edited.toml" } { "the edited scenario" }
            ". The same on a command line, with draws:"
        }
        pre { (command(edited)) }
    }
}

/// `farthing deal` with the same values set.
fn command(edited: &Edited) -> String {
    let set = edited.set.iter().flat_map(|set| ["--set".to_string(), format!("{}={}", set.key, set.value)]);
    let words: Vec<String> = ["farthing", "deal", edited.id].map(String::from).into_iter().chain(set).collect();
    // Only a NUL cannot be quoted, and no number holds one.
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default()
}

fn sources(edited: &Edited) -> Grid {
    let columns = [("id", Align::Left), ("kind", Align::Left), ("date", Align::Left), ("title", Align::Left)];
    let mut grid = Grid::new("sources", "Sources of the figures", &columns);
    for source in &edited.shipped.source {
        let kind = source.kind.to_string();
        grid.row(vec![Cell::text(&source.id), Cell::text(kind), Cell::text(&source.date), Cell::text(&source.title)]);
    }
    grid
}
