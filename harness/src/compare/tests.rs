use super::*;
use crate::record::{Breadth, Surroundings, Warning};

const ROW: &str = r#"{"schema":1,"kind":"measured","id":"x","op":"matmul","shape":"8x8x8","dtype":"f32",
    "out_dtype":"f32","layout":"kn","mask":null,"batch":1,"backend":"cpu","device":"c","lowered":"l","threads":1,
    "temperature":"hot","clock":"wall","launches":1,"samples_s":[1.0],"median_s":1.0,"ci95_s":[0.99,1.01],
    "flops":1.0,"bytes":1.0,"gflops":1.0,"gbps":1.0,"limit":null,"share":null,"error_ratio":0.5,"status":"ok",
    "reason":null,"warnings":[]}"#;

fn row(median_s: f64, spread: f64) -> Row {
    let row: Row = serde_json::from_str(ROW).expect("a row");
    Row { median_s: Some(median_s), ci95_s: Some([median_s - spread, median_s + spread]), ..row }
}

fn verdict(a: Row, b: Row) -> Verdict {
    compare(&[a], &[b], 0.02, false).remove(0).verdict
}

#[test]
fn intervals_decide_and_unclear_is_an_answer() {
    assert_eq!(verdict(row(1.0, 0.001), row(1.005, 0.001)), Verdict::Same);
    assert_eq!(verdict(row(1.0, 0.001), row(1.1, 0.001)), Verdict::Slower);
    assert_eq!(verdict(row(1.0, 0.001), row(0.9, 0.001)), Verdict::Faster);
    assert_eq!(verdict(row(1.0, 0.05), row(1.05, 0.05)), Verdict::Unclear);
    assert_eq!(verdict(row(1.0, 0.05), row(1.0, 0.05)), Verdict::Unclear, "wide intervals prove no sameness");
}

#[test]
fn a_run_compared_with_itself_is_the_same() {
    let rows = [row(1.0, 0.001), Row { shape: "9x9x9".into(), ..row(2.0, 0.001) }];
    assert!(compare(&rows, &rows, 0.02, false).iter().all(|c| c.verdict == Verdict::Same));
}

#[test]
fn unlike_rows_are_not_compared() {
    let base = || row(1.0, 0.001);
    let why = |b: Row| match verdict(base(), b) {
        Verdict::NotComparable(why) => why,
        other => panic!("{other}"),
    };
    assert_eq!(why(Row { clock: "device".into(), ..base() }), "wall against device clock");
    assert_eq!(why(Row { kind: crate::record::Kind::Software, ..base() }), "measured against software");
    assert_eq!(why(Row { temperature: crate::record::Temperature::Cold, ..base() }), "hot against cold operands");
    assert_eq!(why(Row { status: Status::Wrong, ..base() }), "wrong in the second run");
    assert_eq!(why(Row { ci95_s: None, ..base() }), "too few samples for an interval");
    assert_eq!(why(Row { ci95_s: Some([f64::NAN, 1.0]), ..base() }), "too few samples for an interval");
    let other = Row { threads: Some(2), ..base() };
    let alone = compare(&[base()], &[other], 0.02, false);
    assert_eq!(alone.len(), 2);
    assert!(alone[0].verdict.to_string().contains("only in the first run"));
    assert!(alone[1].verdict.to_string().contains("only in the second run"));
}

#[test]
fn what_broke_and_what_became_slower_come_first() {
    let shaped = |shape: &str, row: Row| Row { shape: shape.into(), ..row };
    let failed = Row { status: Status::Failed, median_s: None, ci95_s: None, ..row(1.0, 0.001) };
    let before: Vec<Row> = ["same", "slow", "slower", "broken", "fast"].map(|s| shaped(s, row(1.0, 0.001))).to_vec();
    let after = [row(1.0, 0.001), row(1.1, 0.001), row(1.2, 0.001), failed, row(0.5, 0.001)].into_iter().zip(&before);
    let after: Vec<Row> = after.map(|(row, named)| shaped(&named.shape, row)).collect();
    let mut compared = compare(&before, &after, 0.02, false);
    worst_first(&mut compared);
    let order: Vec<&str> = compared.iter().filter_map(|c| c.case.split(' ').nth(1)).collect();
    assert_eq!(order, ["broken", "slower", "slow", "fast", "same"]);
    assert_eq!(compared.iter().filter(|c| c.is_worse()).count(), 3);
}

#[test]
fn a_warning_of_noise_marks_the_comparison() {
    let noisy = |row: Row| Row { warnings: vec![Warning::new(Doubt::Noise, "noisy")], ..row };
    let marked = |a, b| compare(&[a], &[b], 0.02, false).remove(0).noisy;
    assert!(!marked(row(1.0, 0.001), row(1.0, 0.001)));
    assert!(marked(noisy(row(1.0, 0.001)), row(1.0, 0.001)) && marked(row(1.0, 0.001), noisy(row(1.0, 0.001))));
}

#[test]
fn settings_that_change_what_is_measured_make_runs_unlike() {
    let settings = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let base = settings(&[("seconds", "2"), ("suite", "quick"), ("FARTHING_REQUIRE", "gpu")]);
    assert!(unlike_settings(&base, &settings(&[("seconds", "5")])).is_empty());
    let why = unlike_settings(&base, &settings(&[("isolate", "true"), ("FARTHING_ISA", "avx2")]));
    assert_eq!(why[0], "other settings (FARTHING_ISA: not set, `avx2`)");
    assert_eq!(why[1], "other settings (isolate: not set, `true`)");
}

/// A row around which a core gave so many steps a second.
fn on(usual: f64, row: Row) -> Row {
    let surroundings = Surroundings {
        window_s: 0.1,
        launching_s: None,
        others_cpus: None,
        stolen_cpus: None,
        pace_before: 1.0,
        pace_after: 1.0,
        load_after: None,
        breadth: Some(Breadth { usual, best: 100.0 }),
    };
    Row { surroundings: Some(surroundings), ..row }
}

#[test]
fn what_a_neighbour_took_from_one_of_two_rows_makes_their_ratio_unclear() {
    let beside = |usual, median_s| on(usual, row(median_s, 0.001));
    assert_eq!(verdict(beside(60.0, 1.0), beside(100.0, 0.6)), Verdict::Unclear, "a neighbour left");
    assert_eq!(verdict(beside(100.0, 0.6), beside(60.0, 1.0)), Verdict::Unclear, "a neighbour came");
    // More than it explains is the kernel's.
    assert_eq!(verdict(beside(90.0, 1.0), beside(100.0, 0.6)), Verdict::Faster);
    assert_eq!(verdict(beside(100.0, 0.6), beside(90.0, 1.0)), Verdict::Slower);
    assert_eq!(verdict(beside(100.0, 1.0), beside(100.5, 1.001)), Verdict::Same);
    // A device with a clock of its own does not feel what the host does.
    let timed = |row: Row| Row { clock: "device".into(), ..row };
    assert_eq!(verdict(timed(beside(60.0, 1.0)), timed(beside(100.0, 0.6))), Verdict::Faster);
}

#[test]
fn an_interval_reaches_to_the_ratio_on_an_equal_core() {
    let (before, after) = (on(50.0, row(1.0, 0.01)), on(100.0, row(0.5, 0.005)));
    let interval = |a: &Row, b: &Row| {
        let found = compare(std::slice::from_ref(a), std::slice::from_ref(b), 0.02, false).remove(0);
        found.interval.expect("both have one")
    };
    let [low, high] = interval(&before, &after);
    assert!((low - 0.495 / 1.01).abs() < 1e-12 && (high - 2.0 * 0.505 / 0.99).abs() < 1e-12, "{low} {high}");
    let [low, high] = interval(&after, &before);
    assert!((low - 0.5 * 0.99 / 0.505).abs() < 1e-12 && (high - 1.01 / 0.495).abs() < 1e-12, "{low} {high}");
}
