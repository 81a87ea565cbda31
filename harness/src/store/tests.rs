use std::fs;
use std::io::Write;

use super::*;
use crate::record::{Row, RunHeader, SCHEMA};

const HEADER: &str = r#"{"schema":1,"run":"r","started":"2026-01-01T00:00:00Z","environment":{"cpu":"c","isa":"avx2","cpus":2,
"caches_bytes":{},"memory_bytes":1,"os":"o","governor":null,"virtualised":null,"load_before":null,"rustc":"r",
"commit":null,"dirty":null},"limits":[],"settings":{}}"#;

const ROW: &str = r#"{"schema":1,"kind":"measured","id":"abc123","op":"matmul","shape":"8x8x8","dtype":"f32","out_dtype":"f32",
"layout":"kn","mask":null,"batch":1,"backend":"cpu","device":"c","lowered":"l","threads":1,"temperature":"hot","clock":"wall",
"launches":1,"samples_s":[1.0,2.0],"median_s":1.5,"ci95_s":null,"flops":1024.0,"bytes":768.0,"gflops":1.0,"gbps":1.0,
"limit":null,"share":null,"error_ratio":0.5,"status":"ok","reason":null,"warnings":[]}"#;

fn header() -> RunHeader {
    serde_json::from_str(HEADER).expect("a header")
}

fn row() -> Row {
    serde_json::from_str(ROW).expect("a row")
}

fn line(text: &str) -> String {
    text.replace('\n', "") + "\n"
}

fn refused(text: &str) -> String {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(text.as_bytes()).expect("room");
    read_run(file.path()).expect_err("a bad file").to_string()
}

#[test]
fn a_run_survives_the_round_trip_and_leaves_no_temporary_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let results = Results::at(dir.path());
    let mut writer = RunWriter::in_results(&results, "20260101T000000Z-abc").expect("a writable folder");
    writer.header(&header()).expect("room");
    writer.append(&[row()]).expect("room");
    assert!(results.run_files().expect("readable").is_empty(), "not visible before it is complete");
    let path = writer.finish().expect("renamed").expect("one row");
    let run = results.newest().expect("one run");
    assert_eq!((run.path, run.header, run.rows), (path, header(), vec![row()]));
    assert_eq!(fs::read_dir(results.runs_dir()).expect("readable").count(), 1);
    assert_eq!(results.run("20260101").expect("by its beginning").rows.len(), 1);
    let index = fs::read_to_string(write_index(&results).expect("writable")).expect("readable");
    assert!(index.contains("[20260101T000000Z-abc](runs/20260101T000000Z-abc.jsonl)"), "{index}");
}

#[test]
fn a_run_without_rows_or_dropped_leaves_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let results = Results::at(dir.path());
    let mut writer = RunWriter::in_results(&results, "empty").expect("a writable folder");
    writer.header(&header()).expect("room");
    assert_eq!(writer.finish().expect("nothing to do"), None);
    drop(RunWriter::in_results(&results, "dropped").expect("a writable folder"));
    assert_eq!(fs::read_dir(results.runs_dir()).expect("readable").count(), 0);
}

#[test]
fn a_run_is_never_overwritten() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("run.jsonl");
    fs::write(&path, "precious").expect("room");
    assert!(RunWriter::to_file(&path).expect_err("exists").to_string().contains("never overwritten"));
    let late = dir.path().join("late.jsonl");
    let mut writer = RunWriter::to_file(&late).expect("a writable folder");
    writer.append(&[row()]).expect("room");
    fs::write(&late, "precious").expect("room");
    assert!(matches!(writer.finish(), Err(StoreError::Exists { .. })));
    assert_eq!(fs::read_to_string(&late).expect("readable"), "precious");
}

#[test]
fn a_folder_that_cannot_be_written_is_named_before_anything_is_measured() {
    let dir = tempfile::tempdir().expect("a folder");
    let in_the_way = dir.path().join("results");
    fs::write(&in_the_way, "a file").expect("room");
    let refused = RunWriter::in_results(&Results::at(&in_the_way), "r").expect_err("a file in the way").to_string();
    assert!(refused.contains("results") && refused.contains("--results DIR"), "{refused}");
}

#[test]
fn truncated_foreign_and_newer_files_are_refused_with_their_line() {
    let good = line(HEADER) + &line(ROW);
    let cut = &good[..good.len() - 20];
    assert!(refused(cut).contains("line 2: truncated"));
    assert!(refused("").contains("the file is empty"));
    assert!(refused("id,name\n1,x\n").contains("line 1: not a run file of farthing"));
    assert!(refused("{\"a\":1}\n").contains("no schema number"));
    assert!(refused("\u{fffd}\n").contains("not a run file"));
    let newer = good.replacen("\"schema\":1", &format!("\"schema\":{}", SCHEMA + 1), 1);
    assert!(refused(&newer).contains("line 1: schema 3, and this farthing reads up to 2; update farthing"));
    let nested = format!("{}{}\n", "[".repeat(100_000), "]".repeat(100_000));
    assert!(refused(&nested).contains("line 1: not a run file"));
}

#[test]
fn a_row_that_is_not_complete_is_refused_both_ways() {
    let bad = |from: &str, to: &str| refused(&(line(HEADER) + &line(&ROW.replace(from, to))));
    assert!(bad("[1.0,2.0]", "[]").contains("line 2: an ok row without positive samples"));
    assert!(bad("\"error_ratio\":0.5", "\"error_ratio\":null").contains("error ratio"));
    assert!(bad("\"error_ratio\":0.5", "\"error_ratio\":3.0").contains("error ratio"));
    assert!(bad("\"status\":\"ok\"", "\"status\":\"wrong\"").contains("claims a speed"));
    assert!(bad("\"launches\":1,", "").contains("missing field `launches`"));
    let dir = tempfile::tempdir().expect("a folder");
    let mut writer = RunWriter::to_file(&dir.path().join("r.jsonl")).expect("a writable folder");
    assert!(writer.append(&[Row { samples_s: vec![f64::NAN], ..row() }]).is_err());
}

#[test]
fn unknown_fields_are_ignored_and_unknown_runs_are_not() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir(dir.path().join("runs")).expect("a folder");
    let extended = line(HEADER) + &line(&ROW.replacen('{', "{\"colour\":\"red\",", 1));
    fs::write(dir.path().join("runs/mine.jsonl"), extended).expect("room");
    let results = Results::at(dir.path());
    assert_eq!(results.run("mine").expect("readable").rows, [row()]);
    assert!(results.run("minr").expect_err("no such run").to_string().contains("did you mean `mine`?"));
    assert!(Results::at(dir.path().join("none")).newest().expect_err("no runs").to_string().contains("cargo bench"));
}
