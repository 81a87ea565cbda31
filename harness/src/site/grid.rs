//! Tables on pages: columns that sort, cells that link.

use maud::{Markup, html};

use super::link::clipped;
use crate::report::{self, Align};

/// Letters of a cell that are shown.
const MOST: usize = 200;

/// A cell: what is shown, and what it sorts by.
#[derive(Clone, Debug)]
pub struct Cell {
    shown: Markup,
    /// A number in full, where the text shows it rounded or with a unit.
    key: Option<f64>,
}

impl Cell {
    /// Words.
    pub fn text(text: impl AsRef<str>) -> Cell {
        let shown = clipped(text.as_ref(), MOST);
        Cell { shown: html! { (shown) }, key: None }
    }

    /// A number as it is to be read, sorted by its value.
    pub fn number(value: f64, text: impl AsRef<str>) -> Cell {
        Cell { key: Some(value), ..Cell::text(text) }
    }

    /// A date, a version: short text that is not broken over lines.
    pub fn whole(text: impl AsRef<str>) -> Cell {
        let shown = clipped(text.as_ref(), 24);
        Cell::markup(html! { span .whole { (shown) } })
    }

    /// Nothing known.
    pub fn none() -> Cell {
        Cell::text("–")
    }

    /// Whatever else.
    pub fn markup(shown: Markup) -> Cell {
        Cell { shown, key: None }
    }

    /// The same, leading somewhere.
    #[must_use]
    pub fn to(self, address: &str) -> Cell {
        let shown = self.shown;
        Cell { shown: html! { a href=(address) { (shown) } }, key: self.key }
    }
}

/// A table of such cells.
#[derive(Clone, Debug)]
pub struct Grid {
    id: String,
    caption: String,
    columns: Vec<(String, Align)>,
    rows: Vec<(Option<String>, Vec<Cell>)>,
    notes: Vec<String>,
    sortable: bool,
    filtered: bool,
}

impl Grid {
    /// An empty table; `id` is unique on its page.
    pub fn new(id: impl Into<String>, caption: impl Into<String>, columns: &[(&str, Align)]) -> Grid {
        let columns = columns.iter().map(|(name, align)| ((*name).to_string(), *align)).collect();
        Grid {
            id: id.into(),
            caption: caption.into(),
            columns,
            rows: Vec::new(),
            notes: Vec::new(),
            sortable: true,
            filtered: false,
        }
    }

    /// A table of a command, as it is printed there.
    pub fn of(id: impl Into<String>, table: &report::Table) -> Grid {
        let columns: Vec<(&str, Align)> = table.columns().iter().map(|(name, align)| (name.as_str(), *align)).collect();
        let mut grid = Grid::new(id, table.title(), &columns);
        // Texts with units of their own do not sort as numbers; such a table stays in the order it was given.
        grid.sortable = table.rows().iter().all(|row| {
            let mut cells = row.iter().zip(table.columns());
            cells.all(|(cell, (_, align))| *align == Align::Left || cell == "-" || number(cell).is_some())
        });
        let cell = |text: &String| match (text.as_str(), number(text)) {
            ("-", _) => Cell::none(),
            (_, Some(value)) => Cell::number(value, text),
            (_, None) => Cell::text(text),
        };
        table.rows().iter().for_each(|row| grid.row(row.iter().map(cell).collect()));
        table.notes().iter().for_each(|note| grid.note(note));
        grid
    }

    /// With a field that hides the rows without the words typed.
    #[must_use]
    pub fn with_filter(self) -> Grid {
        Grid { filtered: true, ..self }
    }

    /// In the order given, whichever column is clicked.
    #[must_use]
    pub fn as_listed(self) -> Grid {
        Grid { sortable: false, ..self }
    }

    /// Adds a row: one cell a column.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push((None, cells));
    }

    /// Adds a row that addresses can name.
    pub fn row_with_id(&mut self, id: &str, cells: Vec<Cell>) {
        self.rows.push((Some(id.to_string()), cells));
    }

    /// Adds a line below.
    pub fn note(&mut self, note: impl AsRef<str>) {
        self.notes.push(clipped(note.as_ref(), 4 * MOST));
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as HTML, in a frame that scrolls where it is too wide.
    pub fn html(&self) -> Markup {
        // A list of facts has no names above it.
        let facts = self.columns.iter().all(|(name, _)| name.is_empty());
        let class = if facts { "facts" } else { "sortable" };
        let class = if self.sortable || facts { class } else { "" };
        html! {
            @if self.filtered {
                label .filter hidden {
                    "Show rows with " input type="search" data-filters=(self.id) autocomplete="off";
                    " " span .small #{ (self.id) "-count" } role="status" {}
                }
            }
            div .scroll role="region" aria-labelledby={ (self.id) "-name" } tabindex="0" {
                table #(self.id) class=(class) {
                    caption #{ (self.id) "-name" } { (self.caption) }
                    @if !facts { (self.head()) }
                    tbody {
                        @for (id, cells) in &self.rows {
                            tr id=[id.as_ref()] { @for (idx, cell) in cells.iter().enumerate() { (self.cell(idx, cell, facts)) } }
                        }
                    }
                }
            }
            @if !self.notes.is_empty() {
                ul .notes { @for note in &self.notes { li { (note) } } }
            }
        }
    }

    fn head(&self) -> Markup {
        html! {
            thead {
                tr {
                    @for (name, align) in &self.columns {
                        th scope="col" class=[(*align == Align::Right).then_some("r")] {
                            @if self.sortable { button type="button" { (name) } } @else { (name) }
                        }
                    }
                }
            }
        }
    }

    fn cell(&self, column: usize, cell: &Cell, facts: bool) -> Markup {
        let right = self.columns.get(column).is_some_and(|(_, align)| *align == Align::Right);
        html! {
            @if facts && column == 0 {
                th scope="row" { (cell.shown) }
            } @else {
                td class=[right.then_some("r")] data-v=[cell.key] { (cell.shown) }
            }
        }
    }
}

/// The number that a text is, with at most a percent sign.
fn number(text: &str) -> Option<f64> {
    text.trim_end_matches('%').trim_end().parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_escaped_cut_and_sorted_by_their_value() {
        let mut grid = Grid::new("g", "Rows <of> a run", &[("device", Align::Left), ("rate", Align::Right)]);
        let cells = vec![Cell::text("<script>alert(1)</script>".repeat(100)), Cell::number(1.5e9, "1.5 GFLOP/s")];
        grid.row_with_id("row-1", cells);
        grid.row(vec![Cell::text("b").to("rows/b.html"), Cell::none()]);
        let html = grid.html().into_string();
        assert!(!html.contains("<script>") && html.contains("&lt;script&gt;") && html.len() < 4000, "{html}");
        assert!(html.contains("data-v=\"1500000000\"") && html.contains("<tr id=\"row-1\">"), "{html}");
        assert!(html.contains("<a href=\"rows/b.html\">b</a>"));
        assert_eq!(html.matches("<button").count(), 2);
    }

    #[test]
    fn a_printed_table_sorts_only_where_its_numbers_are_numbers() {
        let mut table = report::Table::new("t", &[("a", Align::Left), ("n", Align::Right)]);
        table.row(vec!["x".into(), "12 %".into()]);
        table.row(vec!["y".into(), "-".into()]);
        assert!(Grid::of("g", &table).html().into_string().contains("data-v=\"12\""));
        table.row(vec!["z".into(), "3 ms".into()]);
        assert!(!Grid::of("g", &table).html().into_string().contains("<button"));
    }
}
