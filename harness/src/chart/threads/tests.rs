use super::*;
use crate::chart::testing::{at, header};
use crate::chart::theme::tests::assert_sound;
use crate::cost::testing::row;

fn with(threads: usize, rate: f64, shape: &str) -> Row {
    let row = at(rate, row("cpu", "matmul", shape));
    Row { threads: Some(threads), id: format!("{shape}-{threads}"), ..row }
}

#[test]
fn a_case_is_a_line_over_its_thread_counts() {
    let rows = [with(2, 60.0, "64x64x64"), with(1, 40.0, "64x64x64"), with(2, 80.0, "128x128x128")];
    let threads = series(&header(), &rows).expect("one case");
    let panel = &threads.panels[0];
    assert_eq!((threads.panels.len(), panel.cases.len()), (1, 1), "a case at one count is no line");
    let points: Vec<[f64; 2]> = panel.cases[0].points.iter().map(|p| [p[0], p[1].round()]).collect();
    assert_eq!(points, [[1.0, 40.0], [2.0, 60.0]]);
    assert_eq!(panel.cases[0].rows, ["64x64x64-1", "64x64x64-2"]);
    assert_eq!(panel.limit, Some(("fma_f32".into(), 100.0)));
}

#[test]
fn kinds_types_and_bounds_have_panels_of_their_own() {
    let both = |row: fn(Row) -> Row| [row(with(1, 40.0, "64x64x64")), row(with(2, 60.0, "64x64x64"))];
    let mut rows = both(|row| row).to_vec();
    rows.extend(both(|row| Row { dtype: DType::Bf16, ..row }));
    rows.extend(both(|row| Row { limit: Some("read_mem".into()), op: "matmul2".into(), ..row }));
    rows.extend(both(|row| Row { kind: Kind::Software, ..row }));
    let threads = series(&header(), &rows).expect("rows");
    assert_eq!(threads.panels.len(), 4);
    assert!(threads.panels[2].is_memory_bound && threads.panels[3].kind == Kind::Software);
    let figure = figure(&threads).expect("drawn");
    assert!(figure.svg.contains("SOFTWARE DEVICE") && figure.svg.contains("GB/s"));
    assert_sound(&figure.svg);
    assert_eq!(figure.table.csv().lines().count(), 9);
}

#[test]
fn one_count_or_none_is_nothing_to_draw() {
    let none = Row { threads: None, ..with(1, 40.0, "64x64x64") };
    let nan = Row { flops: f64::NAN, ..with(2, 40.0, "64x64x64") };
    let error = series(&header(), &[none, with(1, 40.0, "64x64x64"), nan]).expect_err("no line").to_string();
    assert!(error.contains("--threads 1,2"), "{error}");
}
