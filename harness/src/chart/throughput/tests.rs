use super::*;
use crate::chart::testing::{at, header};
use crate::chart::theme::tests::assert_sound;
use crate::cost::testing::{nk, row};

fn sample() -> Vec<Row> {
    let mut rows = Vec::new();
    for (idx, n) in [64, 128, 256, 512, 1024, 2048].into_iter().enumerate() {
        let square = format!("{n}x{n}x{n}");
        let grown = 1.0 - 0.6 / (idx as f64 + 1.0);
        rows.push(at(88.0 * grown, row("cpu", "matmul", &square)));
        rows.push(at(93.0 * grown, row("openblas", "matmul", &square)));
        rows.push(at(40.0 * grown, row("matrixmultiply", "matmul", &square)));
        let half = Row { dtype: DType::Bf16, ..row("cpu", "matmul", &square) };
        rows.push(at(170.0 * grown, half));
        let soft = Row { kind: Kind::Software, ..row("gpu", "matmul", &square) };
        rows.push(at(9.0 * grown, soft));
    }
    for (m, rate) in [(1, 4.1), (8, 31.0), (128, 80.0)] {
        rows.push(at(rate, nk(row("cpu", "matmul", &format!("{m}x4096x4096")))));
    }
    rows.push(at(60.0, row("cpu", "attention", "1x32x8x1024x1024x128")));
    let half = Row { dtype: DType::Bf16, ..row("cpu", "attention", "1x32x8x1024x1024x128") };
    rows.push(at(84.0, half));
    rows.push(at(2.0, Row { kind: Kind::Software, ..row("gpu", "attention", "1x32x8x1024x1024x128") }));
    let decode = Row { limit: Some("read_mem".into()), ..row("cpu", "attention", "1x32x8x1x4096x128") };
    rows.push(at(15.0, decode));
    rows
}

#[test]
fn software_rows_never_share_a_panel_with_measured_ones() {
    let chart = series(&header(), &sample()).expect("rows");
    let kinds: Vec<(Family, Kind)> = chart.panels.iter().map(|panel| (panel.family, panel.kind)).collect();
    let measured = Family::ALL.map(|family| (family, Kind::Measured));
    assert_eq!(kinds[..4], measured);
    assert_eq!(kinds[4..], [(Family::Squares, Kind::Software), (Family::Prefill, Kind::Software)]);
    assert!(chart.panels[0].lines.iter().all(|line| line.backend != "gpu"));
    assert!(chart.panels[4].limits.is_empty() && sheet(&chart.panels[4], &colours(&chart)).strokes[0].dashed);
    assert!(figure(&chart).expect("drawn").svg.contains("SOFTWARE"));
}

#[test]
fn the_limit_is_that_of_the_row_and_drawn_once() {
    let chart = series(&header(), &sample()).expect("rows");
    let limits: Vec<(&str, f64)> = chart.panels[0].limits.iter().map(|l| (l.name.as_str(), l.value)).collect();
    assert_eq!(limits, [("fma_f32", 100.0)]);
    assert_eq!(chart.panels[3].limits[0].name, "read_mem");
}

#[test]
fn the_greatest_thread_count_is_drawn() {
    let one = Row { threads: Some(1), ..at(99.0, row("cpu", "matmul", "64x64x64")) };
    let chart = series(&header(), &[one, at(50.0, row("cpu", "matmul", "64x64x64"))]).expect("rows");
    assert_eq!(chart.panels[0].lines[0].points.len(), 1);
    assert!((chart.panels[0].lines[0].points[0][1] - 50.0).abs() < 1e-9);
}

#[test]
fn nothing_to_draw_is_an_error() {
    assert!(matches!(series(&header(), &[]), Err(ChartError::Empty(_))));
    let wrong = Row { status: Status::Wrong, ..row("cpu", "matmul", "64x64x64") };
    assert!(matches!(series(&header(), &[wrong]), Err(ChartError::Empty(_))));
}

#[test]
fn hostile_names_are_inert_in_the_picture() {
    let name = "<script>alert(1)</script>\"&\u{1b}\0";
    let mut header = header();
    header.environment.cpu = name.into();
    header.run = name.into();
    let rows = [at(50.0, Row { backend: name.into(), ..row("cpu", "matmul", "64x64x64") })];
    let text = figure(&series(&header, &rows).expect("rows")).expect("drawn").svg;
    assert_sound(&text);
    assert!(!text.contains("<script") && text.contains("&lt;script&gt;"), "{text}");
}

#[test]
fn the_file_is_replaced_as_a_whole_and_nothing_else_is_left() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("charts").join("throughput.svg");
    let chart = series(&header(), &sample()).expect("rows");
    let drawn = figure(&chart).expect("drawn");
    drawn.write(&path).expect("written");
    drawn.write(&path).expect("written again");
    let text = std::fs::read_to_string(&path).expect("readable");
    assert!(text.starts_with("<svg") && text.trim_end().ends_with("</svg>"));
    assert!(text.contains("Test CPU") && text.contains("2026-01-02") && text.contains("run 2026-01-02-test"));
    assert_eq!(std::fs::read_dir(dir.path().join("charts")).expect("listed").count(), 1);
}

#[test]
fn a_name_keeps_its_colour_from_panel_to_panel() {
    let chart = series(&header(), &sample()).expect("rows");
    let colours = colours(&chart);
    let of = |panel: usize, name: &str| {
        let strokes = sheet(&chart.panels[panel], &colours).strokes;
        strokes.into_iter().find(|stroke| stroke.name == name).map(|stroke| stroke.series)
    };
    assert!(of(0, "cpu f32").is_some() && of(0, "cpu f32") == of(1, "cpu f32") && of(1, "cpu f32") == of(2, "cpu f32"));
    assert_ne!(of(4, "gpu f32"), of(0, "cpu f32"));
}
