//! A calibration as a table, JSON, and as profiles for the catalogue.

use super::validate::{ErrorSummary, HoldOut, Validation};
use super::Calibration;
use crate::cost::Format;
use crate::cost::serving::SPECS;
use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use std::fmt::Write;

const HEAD: [&str; 9] =
    ["held out", "rows of", "n", "TPOT mean %", "median", "p90", "bias", "TTFT mean %", "covers (80 %) TPOT, TTFT"];

/// The errors in a format, with the constants below.
pub fn render(format: Format, calibration: &Calibration, detailed: bool) -> String {
    let shown = |row: &&Validation| detailed || row.group == "all" || calibration.fit.engines().contains(&row.group);
    let rows: Vec<[String; 9]> = calibration.validations.iter().filter(shown).map(cells).collect();
    match format {
        Format::Json => serde_json::to_string_pretty(calibration).expect("maps have text keys") + "\n",
        Format::Csv => lines(&rows, ",", "", ""),
        Format::Markdown => {
            let rule = format!("|{}\n", "---|".repeat(HEAD.len()));
            let text = lines(&rows, " | ", "| ", " |");
            let (head, body) = text.split_once('\n').unwrap_or((&text, ""));
            format!("{head}\n{rule}{body}\n{}", footer(calibration))
        }
        Format::Table => format!("{}\n{}", table(&rows), footer(calibration)),
    }
}

fn lines(rows: &[[String; 9]], between: &str, before: &str, after: &str) -> String {
    let head = HEAD.map(|name| name.replace(',', " and"));
    std::iter::once(&head).chain(rows).fold(String::new(), |text, row| {
        text + before + &row.join(between) + after + "\n"
    })
}

fn table(rows: &[[String; 9]]) -> String {
    let mut table = Table::new();
    let rule = LineStyle::none().fill('─').junction('─');
    table.load_style(TableStyle::new().header_separator(rule).bottom_border(rule)).set_header(HEAD);
    table.add_rows(rows);
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

fn cells(row: &Validation) -> [String; 9] {
    let figure = |error: &Option<ErrorSummary>, of: fn(&ErrorSummary) -> f64| {
        error.as_ref().map_or_else(|| "–".into(), |error| format!("{:.1}", of(error)))
    };
    let [tpot, ttft] = row.coverage.map_or([f64::NAN; 2], |both| both.map(|share| share * 100.0));
    let coverage = if row.hold_out == HoldOut::Nothing { "–".into() } else { format!("{tpot:.0} / {ttft:.0}") };
    [
        row.hold_out.to_string(),
        row.group.clone(),
        row.tpot.as_ref().map_or(0, |error| error.rows).to_string(),
        figure(&row.tpot, |error| error.mean),
        figure(&row.tpot, |error| error.median),
        figure(&row.tpot, |error| error.p90),
        figure(&row.tpot, |error| error.bias),
        figure(&row.ttft, |error| error.mean),
        coverage,
    ]
}

fn footer(calibration: &Calibration) -> String {
    let left_out: usize = calibration.excluded.iter().map(|(_, count)| count).sum();
    let all = calibration.rows + left_out;
    let share = 100.0 * left_out as f64 / all as f64;
    let mut text = format!("{} of {all} rows fitted; {left_out} ({share:.1} %) left out:\n", calibration.rows);
    for (why, count) in &calibration.excluded {
        writeln!(text, "  {count:>4}  {why}").expect("writing to memory");
    }
    writeln!(text, "TTFT errors are over rows without a queue, measured or predicted.").expect("writing to memory");
    text
}

/// Constants of each engine and release as `[[profile]]` entries of serving.toml that cite the source `fit`.
pub fn toml(calibration: &Calibration) -> String {
    let mut text = String::new();
    for engine in calibration.fit.engines() {
        let constants = calibration.fit.constants(engine, "");
        writeln!(text, "[[profile]]\nid = \"{engine}\"").expect("writing to memory");
        for (spec, value) in SPECS.iter().zip(constants.to_array()) {
            let (unit, size) = spec.unit;
            let value = value / size;
            writeln!(text, "{} = {{ value = {value:.4}, unit = \"{unit}\", source = \"fit\" }}", spec.name)
                .expect("writing to memory");
        }
        text.push('\n');
    }
    text
}
