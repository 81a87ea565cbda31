use super::*;
use crate::chart::testing::header;
use crate::chart::theme::tests::assert_sound;
use crate::cost::testing::{row, timed};
use crate::record::{Status, Temperature};

fn case(backend: &str, shape: &str, median_s: f64) -> Row {
    let row = timed(row(backend, "matmul", shape), median_s);
    Row { device: "one CPU".into(), ..row }
}

#[test]
fn a_ratio_is_the_peers_median_over_ours_and_the_largest_comes_first() {
    let rows = [
        case("ours", "64x64x64", 1e-3),
        case("peer", "64x64x64", 2e-3),
        case("ours", "128x128x128", 1e-3),
        case("peer", "128x128x128", 0.5e-3),
        case("ours", "256x256x256", 1e-3),
        case("other", "64x64x64", 4e-3),
    ];
    let peers = series(&header(), &rows, None).expect("pairs");
    assert_eq!(peers.ours, "ours", "it has most rows");
    let found: Vec<(&str, f64)> = peers.panels[0].ratios.iter().map(|r| (r.peer.as_str(), r.ratio)).collect();
    assert_eq!(found, [("other", 4.0), ("peer", 2.0), ("peer", 0.5)]);
    // Medians lie within −2 % and +3 %: 2·0.98/1.03 and 2·1.03/0.98.
    let [low, high] = peers.panels[0].ratios[1].interval;
    assert!((low - 2.0 * 0.98 / 1.03).abs() < 1e-12 && (high - 2.0 * 1.03 / 0.98).abs() < 1e-12);
    assert_eq!(peers.panels[0].ratios[1].rows, [rows[0].id.clone(), rows[1].id.clone()]);
    let swapped = series(&header(), &rows, Some("peer")).expect("pairs");
    assert_eq!(swapped.panels[0].ratios[0].ratio, 2.0);
}

#[test]
fn only_the_same_case_on_the_same_device_and_kind_is_compared() {
    let base = case("ours", "64x64x64", 1e-3);
    let peer = case("peer", "64x64x64", 2e-3);
    let other = [
        Row { temperature: Temperature::Hot, ..peer.clone() },
        Row { threads: Some(1), ..peer.clone() },
        Row { device: "another".into(), ..peer.clone() },
        Row { kind: Kind::Software, ..peer.clone() },
        Row { clock: "device".into(), ..peer.clone() },
        Row { status: Status::Wrong, ..peer.clone() },
        Row { median_s: Some(f64::INFINITY), ..peer },
    ];
    for row in other {
        assert!(matches!(series(&header(), &[base.clone(), row], Some("ours")), Err(ChartError::Empty(_))));
    }
}

#[test]
fn software_rows_are_compared_among_themselves_and_marked() {
    let soft = |row: Row| Row { kind: Kind::Software, ..row };
    let name = "<b>\u{1b}".repeat(200);
    let rows = [soft(case("ours", "64x64x64", 1e-3)), soft(Row { backend: name, ..case("x", "64x64x64", 3e-3) })];
    let figure = figure(&series(&header(), &rows, Some("ours")).expect("a pair")).expect("drawn");
    assert!(figure.svg.contains("SOFTWARE DEVICE"));
    assert_sound(&figure.svg);
    assert!(figure.alt.contains("faster in 1 of 1 cases"), "{}", figure.alt);
}

#[test]
fn hundreds_of_shapes_fit() {
    let rows: Vec<Row> = (1..=150)
        .flat_map(|m| {
            let shape = format!("{m}x64x64");
            [case("ours", &shape, 1e-3), case("peer", &shape, 1e-3 * f64::from(m) / 50.0)]
        })
        .collect();
    let figure = figure(&series(&header(), &rows, Some("ours")).expect("pairs")).expect("drawn");
    assert_sound(&figure.svg);
    assert_eq!(figure.table.csv().lines().count(), 151);
}
