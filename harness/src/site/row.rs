//! The page of one row: what was measured, how it was proved, how to measure it again.

use maud::{Markup, html};
use serde_json::Value;

use super::grid::{Cell, Grid};
use super::kind;
use super::layout::{Frame, Head};
use super::link::{self, clipped, relative};
use super::rows::Of;
use crate::explain::explain;
use crate::record::Row;
use crate::report::{Align, case_cell, counted, histogram};
use crate::reproduce::reproduce;
use crate::store::run_name;

/// Entries of a list that a page shows, the samples among them; all are in the data.
const MOST_ENTRIES: usize = 400;
/// Letters of a text of the record that a page shows.
const MOST_LETTERS: usize = 400;

/// Path and text of the page.
pub(super) fn page(frame: &Frame, (run, row): Of<'_>) -> (String, String) {
    let name = run_name(&run.path);
    let path = link::of_row(&name, &row.id);
    let what = format!("{} {} on {}", case_cell(row), row.dtype, row.backend);
    let title = clipped(&what, 90);
    let description = format!("Samples, proof and roofline of {title}.");
    let text = frame.page(&Head::new(&path, &title, &description), &body(&path, &title, (run, row)));
    (path, text)
}

fn body(path: &str, title: &str, (run, row): Of<'_>) -> Markup {
    let name = run_name(&run.path);
    let explanation = explain(row, &run.header);
    let (command, said) = reproduce(row, &run.header);
    let bars = histogram(&row.samples_s);
    let mut facts = Grid::new("facts", "What was measured", &[("", Align::Left), ("", Align::Left)]);
    for (fact, value) in &explanation.facts {
        facts.row(vec![Cell::text(fact), Cell::text(value)]);
    }
    html! {
        h1 { (title) }
        @if let Some(warning) = kind::warning(row.kind) { p .stamp { (warning) } }
        p .lead { (clipped(&explanation.verdict, 600)) "." }
        p .small {
            (kind::of_row(row.kind)) " row " code { (clipped(&row.id, 40)) } " of run "
            a href=(relative(path, &link::of_run(&name))) { (clipped(&name, 60)) }
            ", kernel " a href=(relative(path, &link::of_kernel(&row.op, 0))) { (clipped(&row.op, 40)) }
        }
        (facts.html())
        @if !bars.is_empty() {
            h2 { "Samples" }
            p { (counted(row)) ", seconds of a launch; how many fall where:" }
            pre tabindex="0" aria-label="Histogram of the samples" { @for bar in &bars { (bar) "\n" } }
        }
        h2 { "Measure it again" }
        pre tabindex="0" aria-label="Command" { (clipped(&command, 2000)) }
        @if !said.is_empty() { ul .notes { @for said in &said { li { (clipped(said, 600)) } } } }
        h2 { "The record" }
        details {
            summary { "Every field as it is stored" }
            pre tabindex="0" aria-label="The record as JSON" { (record(row)) }
        }
    }
}

/// The row as JSON; long texts and lists are cut, and say so.
fn record(row: &Row) -> String {
    let mut value = serde_json::to_value(row).unwrap_or_default();
    shorten(&mut value);
    serde_json::to_string_pretty(&value).unwrap_or_default()
}

fn shorten(value: &mut Value) {
    match value {
        Value::String(text) => *text = clipped(text, MOST_LETTERS),
        Value::Array(list) => {
            let rest = list.len().saturating_sub(MOST_ENTRIES);
            list.truncate(MOST_ENTRIES);
            list.iter_mut().for_each(shorten);
            if rest > 0 {
                list.push(format!("and {rest} more, in the run's file").into());
            }
        }
        Value::Object(fields) => fields.values_mut().for_each(shorten),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_record_is_cut_and_says_so() {
        let mut value = serde_json::json!({ "a": "x".repeat(10_000), "b": vec![1; 1000] });
        shorten(&mut value);
        assert_eq!(value["a"].as_str().map(|text| text.chars().count()), Some(MOST_LETTERS + 1));
        assert_eq!(value["b"].as_array().map(Vec::len), Some(MOST_ENTRIES + 1));
        assert_eq!(value["b"][MOST_ENTRIES], "and 600 more, in the run's file");
    }
}
