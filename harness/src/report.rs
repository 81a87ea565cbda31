//! Tables for people: aligned on a terminal, as Markdown, as CSV.

use std::fmt::Write;

use comfy_table::{Cell, CellAlignment, LineStyle, presets};

mod flat;
mod histogram;
#[cfg(feature = "parquet")]
mod parquet;
mod rows;
mod versus;

pub use flat::{Flat, Type};
pub use histogram::{counted, histogram};
pub(crate) use rows::{case_cell, numbers, packed};
pub use rows::{devices_short, row_tables};
pub use versus::against_best;

/// How a column is aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table with a title above and notes below. Text from outside is shown without control characters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    title: String,
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
}

impl Table {
    /// An empty table.
    pub fn new(title: impl Into<String>, columns: &[(&str, Align)]) -> Table {
        let columns = columns.iter().map(|(name, align)| ((*name).to_owned(), *align)).collect();
        Table { title: title.into(), columns, ..Table::default() }
    }

    /// Adds a row: one cell a column.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.iter().map(|c| printable(c)).collect());
    }

    /// Adds a line below the table.
    pub fn note(&mut self, note: impl AsRef<str>) {
        self.notes.push(printable(note.as_ref()));
    }

    /// What stands above it.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Names and alignment of its columns; names are empty where it is a list of facts.
    pub fn columns(&self) -> &[(String, Align)] {
        &self.columns
    }

    /// Its rows, a cell a column.
    pub fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }

    /// The lines below it.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// For a terminal.
    pub fn text(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none())).force_no_tty();
        let cell = |text: &String, align: Align| {
            Cell::new(text).set_alignment(match align {
                Align::Left => CellAlignment::Left,
                Align::Right => CellAlignment::Right,
            })
        };
        // A list of facts has no names above it.
        if self.columns.iter().any(|(name, _)| !name.is_empty()) {
            table.set_header(self.columns.iter().map(|(name, align)| cell(name, *align)).collect::<Vec<_>>());
        }
        for row in &self.rows {
            table.add_row(
                row.iter().zip(&self.columns).map(|(text, (_, align))| cell(text, *align)).collect::<Vec<_>>(),
            );
        }
        let mut out = format!("{}\n{}\n", self.title, table.trim_fmt());
        for note in &self.notes {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{note}");
        }
        out
    }

    /// For a document.
    pub fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let escaped = |text: &String| text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;");
        let names: Vec<String> = self.columns.iter().map(|(name, _)| escaped(name)).collect();
        let rules: Vec<String> =
            self.columns.iter().map(|(_, a)| if *a == Align::Right { "---:" } else { "---" }.to_owned()).collect();
        let mut out = format!("**{}**\n\n{}{}", self.title, line(&names), line(&rules));
        for row in &self.rows {
            out += &line(&row.iter().map(escaped).collect::<Vec<_>>());
        }
        for note in &self.notes {
            out += &format!("\n{}\n", escaped(note));
        }
        out
    }

    /// For a program: one object a row, its cells by column.
    pub fn json(&self) -> String {
        let object = |row: &Vec<String>| {
            let cells = self.columns.iter().zip(row).map(|((name, _), cell)| (name.clone(), cell.clone().into()));
            serde_json::Value::Object(cells.collect()).to_string() + "\n"
        };
        self.rows.iter().map(object).collect()
    }

    /// For a program: header and rows, no title, no notes.
    pub fn csv(&self) -> String {
        let line = |cells: &mut dyn Iterator<Item = String>| cells.collect::<Vec<_>>().join(",") + "\n";
        let mut out = line(&mut self.columns.iter().map(|(name, _)| csv_cell(name)));
        for row in &self.rows {
            out += &line(&mut row.iter().map(|c| csv_cell(c)));
        }
        out
    }
}

/// Quoted where needed. A text that a spreadsheet would run as a formula is made plain by an apostrophe (OWASP, "CSV
/// injection"); numbers stay numbers.
pub(crate) fn csv_cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t']) && text.parse::<f64>().is_err();
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// Text without what moves a terminal's cursor.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

/// Text as long as a reader wants it: names of devices come from outside, and may be megabytes.
pub(crate) fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_string(),
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
    }
}

/// A time in the unit that suits it, four digits.
pub fn seconds(s: f64) -> String {
    let (factor, unit) = match s.abs() {
        x if x >= 1.0 => (1.0, "s"),
        x if x >= 1e-3 => (1e3, "ms"),
        x if x >= 1e-6 => (1e6, "µs"),
        _ => (1e9, "ns"),
    };
    format!("{} {unit}", digits(s * factor))
}

/// A rate in the unit that suits it: `flop/s` or `B/s` with a prefix.
pub fn rate(per_second: f64, unit: &str) -> String {
    let unit = if unit == "flop/s" { "FLOP/s" } else { unit };
    let (factor, prefix) = match per_second {
        x if x >= 1e12 => (1e-12, "T"),
        x if x >= 1e9 => (1e-9, "G"),
        x if x >= 1e6 => (1e-6, "M"),
        _ => (1.0, ""),
    };
    format!("{} {prefix}{unit}", digits(per_second * factor))
}

/// Four significant digits without an exponent.
pub fn digits(x: f64) -> String {
    match x.abs() {
        a if a >= 1000.0 => format!("{x:.0}"),
        a if a >= 100.0 => format!("{x:.1}"),
        a if a >= 10.0 => format!("{x:.2}"),
        _ => format!("{x:.3}"),
    }
}

/// A share in percent.
pub fn percent(share: f64) -> String {
    if share < 0.1 { format!("{:.1} %", 100.0 * share) } else { format!("{:.0} %", 100.0 * share) }
}

/// A ratio of times as a change: `+3.1 %`.
pub fn change(ratio: f64) -> String {
    format!("{} %", signed(ratio))
}

/// An interval of such ratios: `+2.0 … +4.2 %`.
pub fn change_interval([low, high]: [f64; 2]) -> String {
    format!("{} … {} %", signed(low), signed(high))
}

/// Percent above one, with a digit that a tenth of a percent needs, and without where it says nothing.
fn signed(ratio: f64) -> String {
    let percent = 100.0 * (ratio - 1.0);
    let text = if percent.abs() < 100.0 { format!("{percent:+.1}") } else { format!("{percent:+.0}") };
    if text == "-0.0" { "+0.0".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits_and_a_unit() {
        assert_eq!([seconds(1.5), seconds(0.0123456), seconds(4.2e-6)], ["1.500 s", "12.35 ms", "4.200 µs"]);
        assert_eq!([rate(1.234e11, "flop/s"), rate(2.5e12, "B/s")], ["123.4 GFLOP/s", "2.500 TB/s"]);
        assert_eq!([percent(0.034), percent(1.2)], ["3.4 %", "120 %"]);
        assert_eq!([change(1.0312), change(0.9999), change(3.5)], ["+3.1 %", "+0.0 %", "+250 %"]);
        assert_eq!(change_interval([0.98, 1.042]), "-2.0 … +4.2 %");
    }

    #[test]
    fn long_text_is_cut_at_a_letter() {
        assert_eq!(clipped("äöü", 3), "äöü");
        assert_eq!(clipped("äöü x", 2), "äö…");
    }

    #[test]
    fn text_from_outside_is_harmless_in_every_format() {
        let mut table = Table::new("t", &[("device", Align::Left), ("n", Align::Right)]);
        table.row(vec!["=cmd|' /c calc'!A1\u{1b}[2J".into(), "-1.5".into()]);
        assert!(!table.text().contains('\u{1b}'));
        assert!(table.csv().ends_with("'=cmd|' /c calc'!A1 [2J,-1.5\n"), "{}", table.csv());
        assert!(table.markdown().contains("=cmd\\|"));
        assert_eq!(csv_cell("a,\"b\""), "\"a,\"\"b\"\"\"");
    }
}
