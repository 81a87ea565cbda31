use std::path::Path;

use farthing_kernels::backend::AnyBackend;

use super::*;
use clap::{Args, FromArgMatches};

use crate::case::Words;
use crate::chart::throughput;
use crate::cli::{self, cost::CostArgs};
use crate::cost::testing::{limits, suite};
use crate::limits::Limits as MeasuredLimits;
use crate::measure::sampler::{Budget, HostClock, sample};
use crate::measure::{Lab, Oracle, Subject};
use crate::record::{Kind, RunHeader, Temperature};
use crate::report::row_tables;
use crate::session;
use crate::tunings::Tunings;

/// A measured row of 64³ on two threads, in five samples around a millisecond.
fn measured() -> Row {
    let samples_s = vec![1.0e-3, 1.1e-3, 0.9e-3, 1.0e-3, 1.0e-3];
    let row = crate::cost::testing::row("chip", "matmul", "64x64x64");
    Row { temperature: Temperature::Hot, samples_s, error_ratio: Some(0.5), ..row }
}

fn header() -> RunHeader {
    session::header(crate::machine::environment(), MeasuredLimits::default(), BTreeMap::new())
}

fn run(rows: Vec<Row>) -> Run {
    Run { path: Path::new("runs/before.jsonl").into(), header: header(), rows }
}

/// What a replay gives for a shape.
fn replayed(shape: &str) -> Row {
    let (name, replay) = Replay::of(&run(vec![measured()])).remove(0);
    let words = Words { shape: vec![shape.into()], ..Words::default() };
    let case = words.cases().expect("a good shape").remove(0);
    let (header, oracle) = (header(), Oracle::new());
    let lab = Lab { header: &header, oracle: &oracle, cold_cap_bytes: 1 << 20, tunings: Tunings::default() };
    let armed = match lab.arm(&case, Subject { name: &name, backend: &replay }) {
        Ok(armed) => armed,
        Err(row) => return *row,
    };
    let mut subjects = [armed];
    let mut recordings = sample(&mut subjects, &Budget::default(), &HostClock::start(), &|| false);
    let [armed] = subjects;
    lab.finish(armed, recordings.remove(0).expect("nothing stopped it"))
}

#[test]
fn a_replayed_row_has_the_recorded_times_and_says_simulated() {
    let row = replayed("64x64x64");
    assert_eq!(
        (row.status, row.kind, row.clock.as_str()),
        (Status::Ok, Kind::Simulated, "simulated"),
        "{:?}",
        row.reason
    );
    assert_eq!((row.backend.as_str(), row.device.as_str()), ("replay-chip", "replay of test chip"));
    assert!((row.median_s.expect("timed") - 1e-3).abs() < 1e-9);
    assert!(row.share.is_none() && row.limit.is_none(), "no limit was measured on a device that is not there");
}

#[test]
fn what_was_not_recorded_is_unsupported_by_name() {
    let row = replayed("65x64x64");
    assert_eq!(row.status, Status::Unsupported);
    assert!(row.reason.is_some_and(|why| why.contains("matmul 65x64x64 f32, the limit is the cases of run before")));
}

#[test]
fn simulated_rows_share_no_table_and_no_axis_with_measured_ones() {
    let rows = [measured(), replayed("64x64x64")];
    let tables = row_tables(&rows, &["replay-chip".to_owned()]);
    let texts: Vec<String> = tables.iter().map(|table| table.text()).collect();
    assert_eq!(texts.len(), 2);
    assert!(!texts[0].contains("replay of") && texts[0].starts_with("Measured"), "{}", texts[0]);
    // Even one that calls itself by the measured device's name and clock is no peer.
    let posing = Row { device: rows[0].device.clone(), clock: rows[0].clock.clone(), ..rows[1].clone() };
    let table = row_tables(&[rows[0].clone(), posing], &["replay-chip".to_owned()]).remove(0).text();
    assert!(!table.contains(" ×"), "{table}");
    assert!(texts[1].starts_with("SIMULATED"), "{}", texts[1]);
    let chart = throughput::series(&header(), &rows).expect("two rows on curves");
    let kinds: Vec<Kind> = chart.panels.iter().map(|panel| panel.kind).collect();
    assert_eq!(kinds, [Kind::Measured, Kind::Simulated], "one panel each");
    assert!(chart.panels.iter().all(|panel| panel.lines.len() == 1));
}

#[test]
fn simulated_rows_enter_no_cost() {
    let costed = |kind: Kind| {
        let rows: Vec<Row> = suite("chip").into_iter().map(|row| Row { kind, ..row }).collect();
        let args = CostArgs::augment_args(clap::Command::new("cost")).get_matches_from(["cost"]);
        let args = CostArgs::from_arg_matches(&args).expect("defaults are legal");
        let mut out = Vec::new();
        cli::cost::run(&args, None, &rows, &limits("chip"), &mut out).expect("costed");
        String::from_utf8(out).expect("text").contains("test chip")
    };
    assert!(costed(Kind::Measured) && !costed(Kind::Simulated));
}

#[test]
fn each_thread_count_and_device_of_a_run_is_a_backend() {
    let rows = vec![measured(), Row { threads: Some(1), ..measured() }, Row { status: Status::Wrong, ..measured() }];
    let replays = Replay::of(&run(rows));
    assert_eq!(replays.iter().map(|(_, r)| AnyBackend::device(r).threads).collect::<Vec<_>>(), [Some(2), Some(1)]);
}
