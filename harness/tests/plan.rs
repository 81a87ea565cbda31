//! A plan cut into shards, run under a plain loop, and collected.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use farthing::store::{partial_of, read_run};

fn farthing(dir: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_farthing")).args(words).current_dir(dir).output().expect("the command starts")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

const WORDS: [&str; 12] = [
    "--",
    "--shape",
    "1..6+1x8x8",
    "--dtype",
    "f32,bf16",
    "--backend",
    "cpu",
    "--threads",
    "1",
    "--seconds",
    "0.05",
    "--only",
];

/// A plan of 12 rows in three shards.
fn plan(dir: &Path) {
    let words = [&["plan", "--shards", "3", "--out", "plan.json"][..], &WORDS, &["*"]].concat();
    let output = farthing(dir, &words);
    assert!(output.status.success() && said(&output).contains("12 cases in 3 shards"), "{}", said(&output));
}

fn shard(dir: &Path, shard: &str, out: &str) {
    let output = farthing(dir, &["run", "--plan", "plan.json", "--shard", shard, "--out", out, "--resume"]);
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn shards_together_are_the_run() {
    let dir = tempfile::tempdir().expect("a folder");
    plan(dir.path());
    for (name, out) in [("1/3", "a.jsonl"), ("2/3", "b.jsonl")] {
        shard(dir.path(), name, out);
    }
    let early = farthing(dir.path(), &["collect", "plan.json", "a.jsonl", "b.jsonl", "c.jsonl", "--out", "all.jsonl"]);
    assert_eq!(early.status.code(), Some(3), "{}", said(&early));
    assert!(said(&early).contains("shards missing: 3/3; 4 cases missing: "), "{}", said(&early));
    assert!(!dir.path().join("all.jsonl").exists(), "nothing half-written");
    shard(dir.path(), "3/3", "c.jsonl");
    let output = farthing(dir.path(), &["collect", "plan.json", "b.jsonl", "c.jsonl", "a.jsonl", "--out", "all.jsonl"]);
    assert!(output.status.success(), "{}", said(&output));
    let names = |path: &str| -> Vec<String> {
        let run = read_run(&dir.path().join(path)).expect("a whole run");
        run.rows.iter().map(|row| row.case_id()).collect()
    };
    let whole = [&["run"][..], &WORDS[1..], &["*", "--out", "whole.jsonl"]].concat();
    assert!(farthing(dir.path(), &whole).status.success());
    assert_eq!(names("all.jsonl"), names("whole.jsonl"), "the same cases in the same order");
}

#[test]
fn a_failed_attempt_never_takes_the_place_of_a_good_one() {
    let dir = tempfile::tempdir().expect("a folder");
    plan(dir.path());
    for (name, out) in [("1/3", "a.jsonl"), ("2/3", "b.jsonl"), ("3/3", "c.jsonl")] {
        shard(dir.path(), name, out);
    }
    // A later attempt in which the first case failed.
    let text = fs::read_to_string(dir.path().join("a.jsonl")).expect("kept");
    let mut lines: Vec<serde_json::Value> = text.lines().map(|l| serde_json::from_str(l).expect("json")).collect();
    lines[0]["started"] = "2999-01-01T00:00:00Z".into();
    lines[1]["status"] = "failed".into();
    lines[1]["reason"] = "the device went away".into();
    for field in ["median_s", "gflops", "gbps", "share"] {
        lines[1][field] = serde_json::Value::Null;
    }
    let bad: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(dir.path().join("later.jsonl"), bad).expect("room");
    let collect = |files: &[&str], out: &str| {
        let words = [&["collect", "plan.json"], files, &["--out", out]].concat();
        farthing(dir.path(), &words)
    };
    let output = collect(&["later.jsonl", "a.jsonl", "b.jsonl", "c.jsonl"], "good.jsonl");
    assert!(output.status.success() && said(&output).contains("4 earlier attempts left out"), "{}", said(&output));
    let output = collect(&["later.jsonl", "b.jsonl", "c.jsonl"], "bad.jsonl");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("1 cases failed: matmul/"), "{}", said(&output));
    assert_eq!(read_run(&dir.path().join("bad.jsonl")).expect("kept all the same").rows.len(), 12);
}

#[test]
fn strangers_and_other_plans_are_refused_by_name() {
    let dir = tempfile::tempdir().expect("a folder");
    plan(dir.path());
    let other = ["run", "--shape", "8x8x8", "--backend", "cpu", "--seconds", "0.05", "--out", "other.jsonl"];
    assert!(farthing(dir.path(), &other).status.success());
    fs::write(partial_of(&dir.path().join("a.jsonl")), "{\"sch").expect("room");
    let output = farthing(dir.path(), &["collect", "plan.json", "other.jsonl", "a.jsonl"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).contains("other: its plan is "), "{}", said(&output));
    assert!(said(&output).contains("a.jsonl was begun and did not end"), "{}", said(&output));
    let refused = |words: &[&str], says: &str| {
        let output = farthing(dir.path(), words);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(says), "{}", said(&output));
    };
    refused(&["run", "--plan", "plan.json", "--shard", "1/4", "--out", "x.jsonl"], "has 3 shards");
    refused(&["run", "--plan", "plan.json", "--shard", "1/3", "--suite", "quick"], "cannot be used with");
    refused(&["run", "--plan", "plan.json", "--shard", "1/3", "--seconds", "5"], "cannot be used with");
    refused(&["plan", "--shards", "99", "--", "--shape", "8x8x8", "--backend", "cpu"], "take 1 to 1");
    refused(&["plan", "--shards", "1", "--", "--shape", "8x8x8", "--save"], "not in the plan");
    let text = fs::read_to_string(dir.path().join("plan.json")).expect("a plan").replace("1..6+1x8x8", "1..5+1x8x8");
    fs::write(dir.path().join("plan.json"), text).expect("room");
    refused(&["run", "--plan", "plan.json", "--shard", "1/3", "--out", "x.jsonl"], "other cases come of its words");
}
