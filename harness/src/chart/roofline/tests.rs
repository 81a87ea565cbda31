use super::*;
use crate::chart::testing::{at, header};
use crate::chart::theme::tests::assert_sound;
use crate::cost::testing::row;
use crate::record::Status;

#[test]
fn a_row_lies_at_its_work_over_its_bytes_and_over_its_median() {
    // 64³ in f32: 2·64³ = 524,288 flop over 4·3·64² = 49,152 B is 10.67 FLOP/B.
    let rows = [at(50.0, row("cpu", "matmul", "64x64x64"))];
    let panel = &series(&header(), &rows).expect("rows").panels[0];
    let point = &panel.points[0];
    assert!((point.intensity - 524_288.0 / 49_152.0).abs() < 1e-12, "{point:?}");
    assert!((point.flops_per_s / 50e9 - 1.0).abs() < 1e-12);
    assert_eq!(point.row, rows[0].id);
    let roofs: Vec<(&str, usize)> = panel.roofs.iter().map(|roof| (roof.limit.as_str(), roof.threads)).collect();
    assert_eq!(roofs, [("fma_f32", 2), ("read_mem", 2)], "each at the most threads");
}

#[test]
fn kinds_and_devices_have_panels_of_their_own() {
    let soft = Row { kind: Kind::Software, ..at(9.0, row("gpu", "matmul", "64x64x64")) };
    let double = Row { kind: Kind::Fake, ..at(9.0, row("cpu", "matmul", "64x64x64")) };
    let rows = [double, soft, at(50.0, row("cpu", "matmul", "64x64x64"))];
    let roofline = series(&header(), &rows).expect("rows");
    let kinds: Vec<Kind> = roofline.panels.iter().map(|panel| panel.kind).collect();
    assert_eq!(kinds, [Kind::Measured, Kind::Software, Kind::Fake]);
    let svg = figure(&roofline).expect("drawn").svg;
    assert!(svg.contains("SOFTWARE DEVICE") && svg.contains("FAKE"));
    assert_sound(&svg);
}

#[test]
fn what_is_wrong_or_not_finite_is_not_drawn() {
    let wrong = Row { status: Status::Wrong, ..at(50.0, row("cpu", "matmul", "64x64x64")) };
    let endless = Row { bytes: 0.0, ..at(50.0, row("cpu", "matmul", "64x64x64")) };
    let never = Row { flops: f64::NAN, ..at(50.0, row("cpu", "matmul", "64x64x64")) };
    let error = series(&header(), &[wrong, endless, never]).expect_err("nothing is left").to_string();
    assert!(error.contains("farthing run"), "{error}");
}

#[test]
fn figures_without_limits_and_with_hostile_names_are_sound() {
    let name = "<script>alert(1)</script>\u{1b}\0\u{ffff}".repeat(40);
    let rows = [
        at(50.0, Row { device: name.clone(), backend: name.clone(), ..row("cpu", "matmul", "64x64x64") }),
        at(60.0, Row { device: name, ..row("cpu", "attention", "1x32x8x1024x1024x128") }),
    ];
    let roofline = series(&header(), &rows).expect("rows");
    assert!(roofline.panels[0].roofs.is_empty(), "limits are those of the device");
    assert_sound(&figure(&roofline).expect("drawn").svg);
}

#[test]
fn a_figure_says_what_it_shows() {
    let fewer = Row { threads: Some(1), ..at(30.0, row("cpu", "matmul", "64x64x64")) };
    let rows = [at(50.0, row("cpu", "matmul", "128x128x128")), fewer];
    let roofline = series(&header(), &rows).expect("rows");
    let panel = &roofline.panels[0];
    assert_eq!(panel.points.iter().map(|p| panel.has_fewer_threads(p)).collect::<Vec<_>>(), [false, true]);
    let figure = figure(&roofline).expect("drawn");
    assert!(figure.alt.contains("2 rows") && figure.alt.contains("50.00 GFLOP/s"), "{}", figure.alt);
    assert!(figure.caption.contains("run 2026-01-02-test"), "{}", figure.caption);
    let csv = figure.table.csv();
    assert!(csv.lines().count() == 3 && csv.contains(&rows[0].id), "{csv}");
    assert!(figure.svg.contains("fma_f32 100.0 GFLOP/s") && figure.svg.contains("up to 2 threads"));
}
