use super::*;
use crate::catalogue::Catalogue;
use crate::cost::testing::{limits, suite};
use crate::cost::tests::request;
use crate::cost::{CostRequest, price};
use crate::record::Row;

fn hostile() -> (CostRequest, Vec<CostLine>) {
    let catalogue = Catalogue::embedded().expect("valid");
    let device = "a|b, \"c\"\n\u{1b}[2J<script>";
    let rows: Vec<Row> = suite("cpu").into_iter().map(|row| Row { device: device.into(), ..row }).collect();
    let limits: Vec<_> = limits("cpu")
        .into_iter()
        .map(|mut l| {
            l.device = device.into();
            l
        })
        .collect();
    let request = CostRequest { targets: vec!["cpu".into(), "tpu7x".into()], ..request() };
    let lines = price(&request, &catalogue, &rows, &limits).expect("a legal request");
    (request, lines)
}

#[test]
fn three_digits_are_kept_without_an_exponent() {
    for (x, text) in [(0.012345, "0.0123"), (1.0, "1.00"), (12.345, "12.3"), (123.45, "123"), (123456.0, "123000")] {
        assert_eq!(significant(x, 3), text);
    }
}

#[test]
fn hostile_device_names_are_inert_in_every_format() {
    let (request, lines) = hostile();
    let table = render(Format::Table, &request, &lines);
    assert!(!table.contains('\u{1b}'));
    let markdown = render(Format::Markdown, &request, &lines);
    assert!(markdown.contains("a\\|b") && !markdown.contains("<script>") && !markdown.contains('\u{1b}'), "{markdown}");
    let rows = markdown.lines().filter(|line| line.starts_with("| llama"));
    assert!(rows.clone().count() == 2 && rows.clone().all(|row| row.replace("\\|", "").matches('|').count() == 10));
    let csv = render(Format::Csv, &request, &lines);
    assert!(csv.contains("\"a|b, \"\"c\"\"\n"), "{csv}");
}

#[test]
fn a_csv_field_cannot_become_a_formula() {
    assert_eq!(escape_csv("=1+1"), "'=1+1");
    assert_eq!(escape_csv("-1.5"), "-1.5");
    assert_eq!(escape_csv("a,b"), "\"a,b\"");
}

#[test]
fn every_csv_record_has_a_field_for_every_heading() {
    let (_, lines) = hostile();
    let headings = CSV_HEAD.trim().split(',').count();
    let mut line = lines[1].clone();
    line.device = "plain".into();
    line.reason = None;
    assert_eq!(csv_record(&line).split(',').count(), headings);
}

#[test]
fn json_holds_cases_kinds_and_the_weakest() {
    let (request, lines) = hostile();
    let value: serde_json::Value = serde_json::from_str(&render(Format::Json, &request, &lines)).expect("JSON");
    let cost = &value["lines"][0]["spend"]["usd_per_m_output"];
    assert_eq!(cost["weakest"], "assumed");
    assert!(cost["low"].as_f64() <= cost["mid"].as_f64() && cost["mid"].as_f64() <= cost["high"].as_f64());
    assert_eq!(cost["kinds"][0], "measured");
    assert!(value["lines"][1]["spend"].is_null(), "no peak of f32, so no cost");
}

#[test]
fn the_footer_tells_workload_price_source_and_date() {
    let (request, lines) = hostile();
    let table = render(Format::Table, &request, &lines);
    for part in ["1024 tokens in, 1024 out, 64 in flight, f32", "$/vCPU-h", "2026-07-20", "no published f32 peak"] {
        assert!(table.contains(part), "{part} in {table}");
    }
}
