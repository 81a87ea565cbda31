//! Lines of cost as a table, Markdown, CSV or JSON.

use super::request::CostRequest;
use super::serving::Spread;
use super::{CostLine, PriceUsed};
use crate::units::{Estimate, Quantity};
use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use serde::Serialize;
use std::str::FromStr;

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For a terminal.
    Table,
    /// For a document.
    Markdown,
    /// One line a record, low, mid and high in columns of their own.
    Csv,
    /// Everything, with kinds.
    Json,
}

/// A word that names no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown format `{0}`; known: table, md, csv, json")]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(s: &str) -> Result<Self, UnknownFormat> {
        match s {
            "table" => Ok(Format::Table),
            "md" => Ok(Format::Markdown),
            "csv" => Ok(Format::Csv),
            "json" => Ok(Format::Json),
            other => Err(UnknownFormat(other.to_string())),
        }
    }
}

/// Columns of a table of costs.
pub(crate) const HEAD: [&str; 9] =
    ["model", "device", "out tok/s", "TTFT s", "TPOT ms", "$/M in", "$/M out", "$/h, term", "rests on (speed / cost)"];

/// The lines in a format; each format carries the workload and the sources of prices.
pub fn render(format: Format, request: &CostRequest, lines: &[CostLine]) -> String {
    match format {
        Format::Table => terminal(lines) + "\n" + &footer(request, lines).join("\n") + "\n",
        Format::Markdown => {
            markdown(lines) + "\n" + &footer(request, lines).iter().map(|line| bullet(line)).collect::<String>()
        }
        Format::Csv => csv(lines),
        Format::Json => json(request, lines),
    }
}

fn terminal(lines: &[CostLine]) -> String {
    let mut table = Table::new();
    let rule = LineStyle::none().fill('─').junction('─');
    table.load_style(TableStyle::new().header_separator(rule).bottom_border(rule)).set_header(HEAD);
    for line in lines {
        table.add_row(terminal_cells(line).map(|cell| inert(&cell)));
    }
    for column in table.column_iter_mut().skip(2).take(6) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

fn markdown(lines: &[CostLine]) -> String {
    let row = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = row(&HEAD.map(String::from)) + "|---|---|--:|--:|--:|--:|--:|--:|---|\n";
    for line in lines {
        text += &row(&cells(line).map(|cell| escape_markdown(&cell)));
    }
    text
}

fn bullet(line: &str) -> String {
    format!("- {}\n", escape_markdown(line))
}

/// As [`cells`], with the mid of each speed alone: all three cases of five quantities are wider than a terminal.
fn terminal_cells(line: &CostLine) -> [String; 9] {
    let mut cells = cells(line);
    if let Some(speed) = &line.speed {
        cells[2] = significant(speed.output_tokens_per_s.mid.value(), 3);
        cells[3] = significant(speed.ttft_s.mid.value(), 3);
        cells[4] = significant(speed.tpot_s.mid.value() * 1e3, 3);
    }
    cells
}

/// Cells of [`HEAD`].
pub(crate) fn cells(line: &CostLine) -> [String; 9] {
    let speed = line.speed.as_ref();
    let spend = line.spend.as_ref();
    let dash = || "–".to_string();
    let rests = match (speed, spend) {
        (Some(speed), Some(spend)) => {
            format!("{} / {}", speed.output_tokens_per_s.weakest(), spend.usd_per_m_output.weakest())
        }
        (Some(speed), None) => format!("{} / –", speed.output_tokens_per_s.weakest()),
        _ => dash(),
    };
    [
        line.model.clone(),
        device(line),
        speed.map_or_else(dash, |speed| interval(&speed.output_tokens_per_s, 1.0)),
        speed.map_or_else(dash, |speed| interval(&speed.ttft_s, 1.0)),
        speed.map_or_else(dash, |speed| interval(&speed.tpot_s, 1e3)),
        spend.map_or_else(dash, |spend| interval(&spend.usd_per_m_input, 1.0)),
        spend.map_or_else(dash, |spend| interval(&spend.usd_per_m_output, 1.0)),
        line.price.as_ref().map_or_else(dash, |price| {
            format!("{} {}", significant(price.usd_per_hour.mid.0 * price.units, 3), price.term)
        }),
        rests,
    ]
}

fn device(line: &CostLine) -> String {
    match (line.threads, line.chips) {
        (Some(threads), _) => format!("{} · {} × {threads} threads", line.target, line.device),
        (None, Some(chips)) if line.prompts.is_some() => {
            let prompts = line.prompts.map_or(0.0, |prompts| prompts.chips());
            format!("{} × {chips} + {prompts:.1} for prompts", line.device)
        }
        (None, Some(chips)) if chips > 1 => format!("{} × {chips}", line.device),
        _ => line.device.clone(),
    }
}

/// `mid (low–high)`: three significant digits, and two for the cases, which are no sharper than that.
fn interval<T: Quantity>(estimate: &Estimate<T>, scale: f64) -> String {
    let figure = |x: T, digits| significant(x.value() * scale, digits);
    if estimate.low.value() == estimate.high.value() {
        return figure(estimate.mid, 3);
    }
    format!("{} ({}–{})", figure(estimate.mid, 3), figure(estimate.low, 2), figure(estimate.high, 2))
}

/// So many significant digits, never an exponent.
pub(super) fn significant(x: f64, digits: i32) -> String {
    if x == 0.0 || !x.is_finite() {
        return x.to_string();
    }
    let last = x.abs().log10().floor() as i32 - (digits - 1);
    let step = 10f64.powi(last);
    let rounded = if last > 0 { (x / step).round() * step } else { x };
    format!("{rounded:.*}", (-last).max(0) as usize)
}

/// What stands below a table: workload, prices with source and date, reasons and notes.
pub(crate) fn footer(request: &CostRequest, lines: &[CostLine]) -> Vec<String> {
    let workload = &request.workload;
    let mut text = vec![format!(
        "{} tokens in{}, {} out{}, {} in flight, {} weights, {} cache; utilisation {} and availability {} (assumed); mid \
         (low–high), those of speeds in --format md, csv and json",
        workload.input_tokens,
        cached(workload),
        workload.output_tokens,
        spread(workload),
        workload.concurrency,
        workload.weights,
        workload.kv,
        request.utilisation.0,
        request.availability.0
    )];
    for line in lines {
        if let Some(price) = &line.price {
            text.push(format!("price of {}: {}", line.device, price_note(price)));
        }
        let subject = format!("{} on {}", line.model, line.device);
        text.extend(line.reason.iter().chain(&line.notes).map(|why| format!("{subject}: {why}")));
        text.extend(line.spend.as_ref().map(|spend| {
            format!("{subject}: {} $/M tokens in and out together", interval(&spend.usd_per_m_total, 1.0))
        }));
        text.extend(line.output_tokens_per_mwh.as_ref().map(|tokens| {
            let amount = interval(tokens, 1e-6);
            format!("{subject}: {amount} M output tokens a MWh at the meter ({})", tokens.weakest())
        }));
    }
    let mut unique: Vec<String> = Vec::new();
    for line in text.iter().map(|line| inert(line)) {
        if !unique.contains(&line) {
            unique.push(line);
        }
    }
    unique
}

fn spread(workload: &super::Workload) -> String {
    let spread = &workload.spread;
    if *spread == Spread::NONE {
        return String::new();
    }
    let [input, output] = [spread.input, spread.output].map(|v| significant(v, 2));
    format!(" (means; standard deviations {input} and {output} of them)")
}

fn cached(workload: &super::Workload) -> String {
    match workload.cached.0 {
        0.0 => String::new(),
        share => format!(" ({:.0} % of them cached)", share * 100.0),
    }
}

fn price_note(price: &PriceUsed) -> String {
    let rate = interval(&price.usd_per_hour, 1.0);
    format!("{rate} $/{}-h {}, {} [{}]", price.unit, price.term, price.offer, price.source)
}

fn json(request: &CostRequest, lines: &[CostLine]) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        workload: &'a super::Workload,
        #[serde(skip_serializing_if = "Option::is_none")]
        speculation: Option<&'a super::Speculation>,
        utilisation: f64,
        availability: f64,
        terms: &'a super::Terms,
        lines: &'a [CostLine],
    }
    let document = Document {
        workload: &request.workload,
        speculation: request.speculation.as_ref(),
        utilisation: request.utilisation.0,
        availability: request.availability.0,
        terms: &request.terms,
        lines,
    };
    serde_json::to_string_pretty(&document).expect("maps have text keys and all writers are in memory") + "\n"
}

const CSV_HEAD: &str = "model,target,device,chips,threads,batch,\
    output_tokens_per_s_low,output_tokens_per_s_mid,output_tokens_per_s_high,\
    ttft_s_low,ttft_s_mid,ttft_s_high,tpot_s_low,tpot_s_mid,tpot_s_high,\
    usd_per_m_input_low,usd_per_m_input_mid,usd_per_m_input_high,\
    usd_per_m_output_low,usd_per_m_output_mid,usd_per_m_output_high,\
    usd_per_unit_hour,unit,units,term,price_source,speed_weakest,cost_weakest,reason,notes,\
    output_tokens_per_mwh_low,output_tokens_per_mwh_mid,output_tokens_per_mwh_high,\
    usd_per_m_total_low,usd_per_m_total_mid,usd_per_m_total_high\n";

fn csv(lines: &[CostLine]) -> String {
    lines.iter().fold(CSV_HEAD.to_string(), |text, line| text + &csv_record(line) + "\n")
}

fn csv_record(line: &CostLine) -> String {
    let (speed, spend, price) = (line.speed.as_ref(), line.spend.as_ref(), line.price.as_ref());
    let mut fields = vec![line.model.clone(), line.target.clone(), line.device.clone()];
    fields.extend([line.chips.map(u64::from), line.threads.map(|n| n as u64), line.batch.map(u64::from)].map(text));
    fields.extend(cases(speed.map(|speed| &speed.output_tokens_per_s)));
    fields.extend(cases(speed.map(|speed| &speed.ttft_s)));
    fields.extend(cases(speed.map(|speed| &speed.tpot_s)));
    fields.extend(cases(spend.map(|spend| &spend.usd_per_m_input)));
    fields.extend(cases(spend.map(|spend| &spend.usd_per_m_output)));
    fields.extend([
        text(price.map(|price| price.usd_per_hour.mid.0)),
        text(price.map(|price| price.unit)),
        text(price.map(|price| price.units)),
        text(price.map(|price| &price.term)),
        text(price.map(|price| format!("{} [{}]", price.offer, price.source))),
        text(speed.map(|speed| speed.output_tokens_per_s.weakest())),
        text(spend.map(|spend| spend.usd_per_m_output.weakest())),
        text(line.reason.as_ref()),
        line.notes.join("; "),
    ]);
    fields.extend(cases(line.output_tokens_per_mwh.as_ref()));
    fields.extend(cases(spend.map(|spend| &spend.usd_per_m_total)));
    fields.iter().map(|field| escape_csv(field)).collect::<Vec<_>>().join(",")
}

fn text(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn cases<T: Quantity>(estimate: Option<&Estimate<T>>) -> [String; 3] {
    [
        text(estimate.map(|e| e.low.value())),
        text(estimate.map(|e| e.mid.value())),
        text(estimate.map(|e| e.high.value())),
    ]
}

/// Quotes a field that holds a separator, a quote or a line break (RFC 4180), and disarms what a spreadsheet would
/// run as a formula.
fn escape_csv(field: &str) -> String {
    let armed = field.starts_with(['=', '+', '-', '@', '\t', '\r']) && field.parse::<f64>().is_err();
    let field = if armed { format!("'{field}") } else { field.to_string() };
    if field.contains([',', '"', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

/// A pipe would end a cell and a tag would become one.
fn escape_markdown(cell: &str) -> String {
    inert(cell).replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace('>', "&gt;")
}

/// Control characters can move a terminal's cursor: a device name is not trusted with that.
fn inert(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests;
