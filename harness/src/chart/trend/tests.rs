use super::*;
use crate::chart::testing::header;
use crate::chart::theme::tests::assert_sound;
use crate::cost::testing::{row, timed};
use std::path::PathBuf;

fn run(name: &str, started: &str, commit: &str, rows: Vec<Row>) -> Run {
    let mut header = header();
    (header.run, header.started) = (name.into(), started.into());
    header.environment.commit = Some(commit.into());
    Run { path: PathBuf::from(name), header, rows }
}

fn product(device: &str, median_s: f64) -> Row {
    let row = timed(row("cpu", "matmul", "64x64x64"), median_s);
    Row { device: device.into(), id: format!("{device}-{median_s}"), ..row }
}

fn runs() -> Vec<Run> {
    let once = timed(row("cpu", "attention", "1x32x8x1x4096x128"), 1e-3);
    vec![
        run("c", "2026-01-03T00:00:00Z", "cccccccccc", vec![product("A", 3e-3), once]),
        run("a", "2026-01-01T00:00:00Z", "aaaaaaaaaa", vec![product("A", 1e-3)]),
        run("b", "2026-01-02T00:00:00Z", "bbbbbbbbbb", vec![product("B", 9e-3)]),
    ]
}

#[test]
fn runs_are_in_the_order_of_time_and_devices_are_not_joined() {
    let trend = series(&runs(), None).expect("the kernel that most runs hold");
    assert!(trend.kernel.starts_with("matmul 64x64x64 kn f32, cpu, 2 thr, cold"), "{}", trend.kernel);
    let lines: Vec<(&str, Vec<(usize, f64)>)> = trend
        .lines
        .iter()
        .map(|line| (line.device.as_str(), line.points.iter().map(|p| (p.run, p.seconds[0])).collect()))
        .collect();
    assert_eq!(lines, [("A", vec![(0, 1e-3), (2, 3e-3)]), ("B", vec![(1, 9e-3)])]);
    assert_eq!(trend.runs[0], ("2026-01-01".into(), "aaaaaaa".into()));
    assert_eq!(trend.caption, "runs a (aaaaaaa), b (bbbbbbb), c (ccccccc)");
}

#[test]
fn a_kernel_is_found_by_a_part_of_its_name() {
    let trend = series(&runs(), Some("attention")).expect("held by one run");
    assert_eq!((trend.runs.len(), trend.lines.len()), (1, 1));
    assert!(matches!(series(&runs(), Some("convolution")), Err(ChartError::Empty(_))));
    assert!(matches!(series(&[], None), Err(ChartError::Empty(_))));
}

#[test]
fn software_rows_are_not_read_and_names_are_inert() {
    let soft = Row { kind: Kind::Software, ..product("A", 1e-3) };
    assert!(matches!(series(&[run("s", "2026", "x", vec![soft])], None), Err(ChartError::Empty(_))));
    let odd = run("é<i>", "2026-01-04", "日本語日本語日本", vec![product(&"<b>\u{1b}".repeat(99), 2e-3)]);
    let figure = figure(&series(&[odd], None).expect("a run")).expect("drawn");
    assert_sound(&figure.svg);
    let told = figure_of_runs();
    assert!(told.alt.contains("A: 3.000 ms, +200 % over 2 runs"), "{}", told.alt);
    assert_eq!(told.table.csv().lines().count(), 4);
}

fn figure_of_runs() -> Figure {
    figure(&series(&runs(), None).expect("runs")).expect("drawn")
}
