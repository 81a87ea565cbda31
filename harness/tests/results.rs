//! `farthing results` as a person meets it, on a folder with the sample of a run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const RUN: &str = "20261123T170114Z-492863";

/// A folder whose `results/runs` holds the sample under its own name.
fn folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let runs = dir.path().join("results/runs");
    fs::create_dir_all(&runs).expect("room");
    let path = runs.join(format!("{RUN}.jsonl"));
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runs/run-v1.jsonl");
    fs::copy(sample, &path).expect("room");
    (dir, path)
}

fn farthing(dir: &Path, words: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farthing"));
    command.arg("results").args(words.split_whitespace()).current_dir(dir).output().expect("the command starts")
}

/// What the command prints, with status 0.
fn said(dir: &Path, words: &str) -> String {
    let output = farthing(dir, words);
    assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What it says where it refuses, with this status.
fn refused(dir: &Path, words: &str, code: i32) -> String {
    let output = farthing(dir, words);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{words}: {text}");
    assert!(!text.contains("panicked"), "{text}");
    text
}

fn all_in(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing from:\n{text}");
    }
}

#[test]
fn a_run_shows_its_machine_its_limits_and_its_rows() {
    let (dir, _) = folder();
    let text = said(dir.path(), "show 20261123");
    all_in(
        &text,
        &["environment.cpu", "AMD EPYC", "settings.suite", "quick", "fma_f32", "GFLOP/s", "Measured", "SOFTWARE"],
    );
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/runs/run-v2.jsonl");
    let lines = said(dir.path(), &format!("show {sample} --format json"));
    assert!(lines == fs::read_to_string(sample).expect("readable"), "not as it is stored");
}

#[test]
fn a_row_shows_all_of_itself_its_samples_and_its_command() {
    let (dir, path) = folder();
    let kept = fs::read_to_string(path).expect("readable");
    let row: serde_json::Value = serde_json::from_str(kept.lines().nth(1).expect("a row")).expect("JSON");
    let id = row["id"].as_str().expect("an id");
    let text = said(dir.path(), &format!("show {RUN} {}", &id[..5]));
    all_in(
        &text,
        &[id, "error_ratio", "samples, time of a launch:", "█", "measure it again: farthing run --op matmul"],
    );
    for field in row.as_object().expect("an object").keys().filter(|field| *field != "samples_s") {
        assert!(text.contains(field.as_str()), "{field} is missing from:\n{text}");
    }
    let by_name = said(dir.path(), &format!("show {RUN} attention/* --format json"));
    assert_eq!(by_name.lines().count(), 2, "{by_name}");
    all_in(&by_name, &["\"case\":\"attention/cpu/", "\"command\":\"farthing run --op attention"]);
    all_in(&refused(dir.path(), &format!("show {RUN} zzz"), 2), &["no row `zzz`; nearest:", id]);
    all_in(&refused(dir.path(), &format!("show {RUN} [*"), 2), &["pattern `[*`"]);
    all_in(&refused(dir.path(), "show 2027", 1), &["no run `2027`"]);
}

#[test]
fn verify_finds_an_edited_digit_and_says_where() {
    let (dir, path) = folder();
    said(dir.path(), "index");
    all_in(&said(dir.path(), "verify"), &["1 runs and 4 rows verified: 0 errors, 0 warnings"]);
    let text = fs::read_to_string(&path).expect("readable");
    let at = text.find("\"median_s\":0.").expect("a median") + "\"median_s\":0.0".len();
    let mut edited = text.into_bytes();
    edited[at] = if edited[at] == b'9' { b'8' } else { edited[at] + 1 };
    fs::write(&path, edited).expect("room");
    let output = farthing(dir.path(), "verify");
    assert_eq!(output.status.code(), Some(1));
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    all_in(&table, &["error", &format!("{RUN}.jsonl:3, row "), "median_s is", "its samples give"]);
    assert_eq!(farthing(dir.path(), &format!("verify {RUN}")).status.code(), Some(1));
}

#[test]
fn verify_of_nothing_is_no_success() {
    let dir = tempfile::tempdir().expect("a folder");
    all_in(&refused(dir.path(), "verify", 1), &["no runs in"]);
}

#[test]
fn exports_are_one_table_and_one_of_samples() {
    let (dir, _) = folder();
    let text = said(dir.path(), &format!("export {RUN} --out rows.csv --samples samples.csv"));
    all_in(&text, &["rows.csv: 4 rows", "samples.csv: "]);
    let rows = fs::read_to_string(dir.path().join("rows.csv")).expect("written");
    assert!(rows.starts_with("run,started,cpu_model,") && rows.lines().count() == 5, "{rows}");
    let samples = fs::read_to_string(dir.path().join("samples.csv")).expect("written");
    assert!(samples.starts_with("id,sample,visit,seconds\n") && samples.lines().count() > 4, "{samples}");
    said(dir.path(), "export --format json --out rows.jsonl");
    let lines = fs::read_to_string(dir.path().join("rows.jsonl")).expect("written");
    assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok_and(|v| v["run"] == RUN)));
    all_in(&refused(dir.path(), "export --out nowhere/rows.csv", 1), &["cannot write nowhere/rows.csv"]);
    all_in(&refused(dir.path(), "export --out results", 1), &["cannot write results"]);
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_says_how_to_get_it() {
    let (dir, _) = folder();
    let text = refused(dir.path(), "export --format parquet --out rows.parquet", 2);
    all_in(&text, &["without the feature `parquet`", "--features parquet"]);
    assert!(!dir.path().join("rows.parquet").exists());
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_is_written() {
    let (dir, _) = folder();
    said(dir.path(), "export --format parquet --out rows.parquet --samples samples.parquet");
    for name in ["rows.parquet", "samples.parquet"] {
        let bytes = fs::read(dir.path().join(name)).expect("written");
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"), "{name}");
    }
}

#[test]
fn the_schema_is_printed() {
    let dir = tempfile::tempdir().expect("a folder");
    let schema: serde_json::Value = serde_json::from_str(&said(dir.path(), "schema")).expect("JSON");
    assert!(schema["$defs"]["Row"]["properties"]["samples_s"].is_object(), "{schema}");
}
