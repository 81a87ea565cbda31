use super::*;
use crate::chart::testing::header;
use crate::chart::theme::tests::assert_sound;
use crate::cost::testing::{nk, row, timed};
use crate::record::Status;

fn decode(threads: usize, median_s: f64) -> Row {
    let row = timed(row("cpu", "attention", "1x32x8x1x4096x128"), median_s);
    Row { limit: Some("read_mem".into()), threads: Some(threads), id: format!("decode-{threads}"), ..row }
}

#[test]
fn a_share_is_least_bytes_over_the_median_over_the_limit_at_the_same_threads() {
    // 10 GB/s with two threads.
    let rows = [decode(1, 9e-3), decode(2, 4e-3)];
    let panel = &series(&header(), &rows).expect("rows").panels[0];
    assert_eq!(panel.shares.len(), 1, "of one case the row with most threads");
    let share = &panel.shares[0];
    assert_eq!((share.row.as_str(), share.limit.as_str(), share.limit_bytes_per_s), ("decode-2", "read_mem", 10e9));
    let by_hand = rows[1].bytes / 4e-3 / 10e9;
    assert!((share.share[0] - by_hand).abs() < 1e-12);
    assert!((share.share[1] - by_hand / 1.03).abs() < 1e-12 && (share.share[2] - by_hand / 0.98).abs() < 1e-12);
}

#[test]
fn products_count_where_they_are_vectors_or_memory_binds_them() {
    let vector = timed(nk(row("cpu", "matmul", "1x4096x4096")), 8e-3);
    let few = Row { limit: Some("read_mem".into()), ..timed(nk(row("cpu", "matmul", "8x4096x4096")), 8e-3) };
    let many = timed(nk(row("cpu", "matmul", "128x4096x4096")), 55e-3);
    let prefill = timed(row("cpu", "attention", "1x32x8x1024x1024x128"), 0.1);
    let shares = &series(&header(), &[vector, few, many, prefill]).expect("two").panels[0].shares;
    assert_eq!(shares.len(), 2, "{shares:?}");
    assert!(shares.iter().all(|share| share.case.starts_with("matmul 1x") || share.case.starts_with("matmul 8x")));
}

#[test]
fn without_a_measured_bandwidth_or_a_right_row_there_is_nothing_to_draw() {
    let elsewhere = Row { device: "unknown".into(), ..decode(2, 4e-3) };
    let wrong = Row { status: Status::Wrong, ..decode(2, 4e-3) };
    let nan = Row { bytes: f64::NAN, ..decode(2, 4e-3) };
    assert!(matches!(series(&header(), &[elsewhere, wrong, nan]), Err(ChartError::Empty(_))));
}

#[test]
fn shares_above_one_are_drawn_as_they_are_and_kinds_stay_apart() {
    let above = Row { id: "above".into(), ..decode(2, 1e-6) };
    let soft = Row { kind: Kind::Simulated, backend: "<&\u{7}".into(), ..decode(2, 4e-3) };
    let bandwidth = series(&header(), &[above, soft]).expect("rows");
    assert!(bandwidth.panels.len() == 2 && bandwidth.panels[0].shares[0].share[0] > 100.0);
    let figure = figure(&bandwidth).expect("drawn");
    assert!(figure.svg.contains("SIMULATED") && figure.table.csv().contains("above"));
    assert_sound(&figure.svg);
}
