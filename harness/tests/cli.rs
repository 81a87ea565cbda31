//! The command as a person meets it: exit codes, messages, and what is left on disk.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use farthing::record::Row;

fn farthing(dir: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_farthing")).args(words).current_dir(dir).output().expect("the command starts")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The command refuses these words with this status, and says this.
fn refused(words: &str, code: i32, says: &[&str]) {
    let dir = folder();
    let output = farthing(dir.path(), &words.split_whitespace().collect::<Vec<_>>());
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{words}: {text}");
    for part in says {
        assert!(text.contains(part), "{words}: `{part}` is missing from: {text}");
    }
    assert!(!text.contains("panicked"), "{text}");
    assert!(output.stdout.is_empty(), "{words}");
    assert_eq!(fs::read_dir(dir.path()).expect("readable").count(), 0, "{words} leaves nothing behind");
}

#[test]
fn words_that_make_no_sense_are_named_with_a_remedy() {
    refused("run --op matmull --shape 8x8x8", 2, &["unknown op `matmull`", "did you mean `matmul`?"]);
    refused("run --shape 8x8x8 --dtype f64", 2, &["unknown dtype `f64`; known: f32, f16, bf16"]);
    refused("run --shape 8x8x8 --backend cpuu", 2, &["unknown backend `cpuu`; known: cpu", "did you mean `cpu`?"]);
    refused("run --shape 8x8x8 --vs naiv", 2, &["unknown backend `naiv`", "did you mean `naive`?"]);
    refused("run --op matmul --shape 8x8", 2, &["shape `8x8`: 2 sizes; matmul takes MxNxK"]);
    refused("run --shape 8xax8", 2, &["`a` is no whole number"]);
    refused("run --shape 0x8x8", 2, &["m is 0"]);
    refused("run --shape 8x8x8 --mask causal --op matmul", 2, &["--mask applies to attention only"]);
    refused("run --shape 1x4x3x8x8x16", 2, &["hkv = 3 does not divide hq = 4"]);
    refused("run --shape 1x4x2x8x8x16 --mask window:0", 2, &["window is 0"]);
    refused("run --shape 1000000x1000000x1000000", 2, &["overflows memory", "use a smaller shape"]);
    refused("run --shape 99999999999x99999999999x2", 2, &["overflows memory", "shrink"]);
    refused("run", 2, &["no shape given", "--suite quick"]);
    refused("run --suite nosuch", 2, &["no suite `nosuch`", "known: cpu-limit, gpu, quick, serving, smoke"]);
    refused("run --shape 8x8x8 --threads 0", 2, &["0 threads", "ask for 1 to"]);
    refused("run --shape 8x8x8 --threads 1,0", 2, &["0 threads", "ask for 1 to"]);
    refused("run --shape 8x8x8 --threads 1,two", 2, &["invalid value 'two'"]);
    refused("run --shape 8x8x8 --backend cpu --vs all", 2, &["--vs all: no other backend is ready on"]);
    refused("run --shape 8x8x8 --backend cpu --vs all,naiv", 2, &["unknown backend `naiv`"]);
    refused("run --shape 8x8x8 --threads 100000", 2, &["100000 threads"]);
    refused("run --shape 8x8x8 --seconds NaN", 2, &["give a positive number"]);
    refused("run --shape 8x8x8 --device nosuch", 2, &["no chosen backend has a device named `nosuch`; devices:"]);
    refused("run --suite quick --shape 8x8x8", 2, &["cannot be used with"]);
    refused("compare a b", 1, &["no run `a`"]);
    refused("compare a", 2, &["compared with nothing", "--baseline main"]);
    refused("compare a b --baseline main", 2, &["name the run after alone"]);
    refused("compare a b --gate lots", 2, &["no percentage"]);
    refused("run --shape 8x8x8 --deadline 3", 2, &["--worker", "--isolate"]);
    refused("explain 12ab", 1, &["no runs in", "cargo bench"]);
}

#[test]
fn json_rows_are_complete_and_as_stored() {
    let dir = folder();
    let words = ["run", "--shape", "33x17x65", "--threads", "1", "--format", "json", "--out", "mine.jsonl"];
    let output = farthing(dir.path(), &words);
    assert!(output.status.success(), "{}", stderr(&output));
    let kept = fs::read_to_string(dir.path().join("mine.jsonl")).expect("kept");
    let (_, rows) = kept.split_once('\n').expect("a header line");
    assert_eq!(stdout(&output), rows, "the same bytes");
    let row: Row = serde_json::from_str(rows.trim()).expect("one row");
    assert!(row.samples_s.len() >= 10 && row.error_ratio.is_some_and(|r| r <= 1.0));
    assert_eq!((row.op.as_str(), row.shape.as_str(), row.backend.as_str()), ("matmul", "33x17x65", "cpu"));
    let again = farthing(dir.path(), &words);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("never overwritten"));
}

#[test]
fn a_saved_run_can_be_listed_explained_and_compared() {
    let dir = folder();
    let run = ["run", "--shape", "16x16x16", "--threads", "1", "--save", "--results", "kept", "--format", "csv"];
    let output = farthing(dir.path(), &run);
    assert!(output.status.success(), "{}", stderr(&output));
    let id = stdout(&output).lines().nth(1).and_then(|l| l.split(',').next().map(str::to_owned)).expect("a row");
    let list = stdout(&farthing(dir.path(), &["results", "list", "--results", "kept"]));
    let name = list.lines().find_map(|l| l.split_whitespace().find(|w| w.starts_with("20"))).expect("a run").to_owned();
    let explained = farthing(dir.path(), &["explain", &id[..6], "--results", "kept"]);
    assert!(stdout(&explained).contains("one after the other"), "{}", stderr(&explained));
    let unknown = farthing(dir.path(), &["explain", "zzz", "--results", "kept"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains(&id), "the nearest id is offered");
    let same = farthing(dir.path(), &["compare", &name, &name, "--force", "--gate", "--results", "kept"]);
    assert!(same.status.success(), "{}", stderr(&same));
    assert!(fs::read_to_string(dir.path().join("kept/README.md")).expect("an index").contains(&name));
}

/// Gives a kept run another commit, as if it had been built there without changes.
fn rebuild_at(run: &Path, commit: &str) {
    let text = fs::read_to_string(run).expect("kept");
    let (header, rows) = text.split_once('\n').expect("a header line");
    let mut header: serde_json::Value = serde_json::from_str(header).expect("JSON");
    header["environment"]["commit"] = commit.into();
    header["environment"]["dirty"] = false.into();
    fs::write(run, format!("{header}\n{rows}")).expect("room");
}

#[test]
fn a_baseline_is_the_newest_run_of_a_branch() {
    let dir = folder();
    let git = |words: &str| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(words.split(' ')).current_dir(dir.path());
        let output = git.output().expect("git is there");
        assert!(output.status.success(), "{words}: {}", stderr(&output));
        stdout(&output).trim().to_owned()
    };
    git("init --quiet --initial-branch main");
    git("commit --quiet --allow-empty -m first");
    let (first, runs) = (git("rev-parse HEAD"), dir.path().join("results/runs"));
    let mut names = Vec::new();
    for _ in 0..3 {
        let words = ["run", "--shape", "8x8x8", "--backend", "naive", "--seconds", "0.1", "--save"];
        let output = farthing(dir.path(), &words);
        assert!(output.status.success(), "{}", stderr(&output));
        let mut kept: Vec<String> =
            fs::read_dir(&runs).expect("kept").flatten().map(|e| farthing::store::run_name(&e.path())).collect();
        kept.retain(|name| !names.contains(name));
        names.extend(kept);
    }
    let [old, base, new] = &names[..] else { panic!("three runs: {names:?}") };
    let at = |name: &String| runs.join(format!("{name}.jsonl"));
    rebuild_at(&at(old), &first);
    rebuild_at(&at(base), &first);
    rebuild_at(&at(new), "ffff");
    let compared = farthing(dir.path(), &["compare", new, "--baseline", "main", "--gate", "900%"]);
    assert!(stdout(&compared).starts_with(&format!("{base} → {new}")), "{}{}", stdout(&compared), stderr(&compared));
    rebuild_at(&at(old), "eeee");
    rebuild_at(&at(base), "eeee");
    let none = farthing(dir.path(), &["compare", new, "--baseline", "main"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(stderr(&none).contains("2 of commits that are not on it"), "{}", stderr(&none));
}

#[test]
fn a_results_folder_that_cannot_be_written_is_refused_before_measuring() {
    let dir = folder();
    fs::write(dir.path().join("in-the-way"), "a file").expect("room");
    let output =
        farthing(dir.path(), &["run", "--shape", "8x8x8", "--backend", "naive", "--save", "--results", "in-the-way"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("in-the-way") && stderr(&output).contains("--results DIR"), "{}", stderr(&output));
    assert!(output.stdout.is_empty());
}

#[test]
fn a_bad_run_file_is_named_with_its_line() {
    let dir = folder();
    for (text, says) in [("{\"schema\":99}\n", "schema 99"), ("not ours\n", "not a run file"), ("{\"sch", "truncated")]
    {
        fs::write(dir.path().join("bad.jsonl"), text).expect("room");
        let output = farthing(dir.path(), &["compare", "bad.jsonl", "bad.jsonl"]);
        assert_eq!(output.status.code(), Some(1), "{says}");
        assert!(stderr(&output).contains("bad.jsonl, line 1") && stderr(&output).contains(says), "{}", stderr(&output));
    }
}

#[test]
fn peers_take_turns_and_their_ratio_is_printed() {
    let dir = folder();
    let output = farthing(dir.path(), &["run", "--shape", "64x64x64", "--backend", "cpu", "--vs", "naive"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("vs naive") && stdout(&output).contains(" ×"), "{}", stdout(&output));
}

#[test]
fn a_thread_count_asked_for_twice_is_measured_once() {
    let dir = folder();
    let words = ["run", "--shape", "32x32x32", "--backend", "cpu", "--threads", "1,1", "--format", "json"];
    let output = farthing(dir.path(), &words);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output).lines().count(), 1, "{}", stdout(&output));
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_the_complete_rows_and_exits_130() {
    let dir = folder();
    // The last case has a chunk of its own.
    let shapes = "1..24+1x8x8,700x700x700";
    let words = ["run", "--shape", shapes, "--backend", "naive", "--out", "cut.jsonl", "--seconds", "60"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_farthing"));
    let child = command.args(words).args(["--format", "json"]).current_dir(dir.path());
    let mut child =
        child.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().expect("starts");
    // The first row on stdout says that the last case is to come.
    let mut first = String::new();
    let mut rows = std::io::BufReader::new(child.stdout.take().expect("piped"));
    std::io::BufRead::read_line(&mut rows, &mut first).expect("a row");
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill is there");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    let run = farthing::store::read_run(&dir.path().join("cut.jsonl")).expect("a whole file");
    let said = format!("interrupted: {} complete rows are kept in cut.jsonl", run.rows.len());
    assert!(stderr(&output).contains(&said), "{}", stderr(&output));
    // Those of the first chunk that were made within the grace.
    assert!((1..=24).contains(&run.rows.len()), "{}", run.rows.len());
    assert_eq!(fs::read_dir(dir.path()).expect("readable").count(), 1, "no partial file is left");
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_gone_is_no_panic() {
    let dir = folder();
    let script = format!("'{}' run --suite smoke --backend naive --format csv | true", env!("CARGO_BIN_EXE_farthing"));
    let output = Command::new("sh").args(["-c", &script]).current_dir(dir.path()).output().expect("sh is there");
    assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
}

#[test]
fn a_dry_run_shows_the_plan_and_measures_nothing() {
    let dir = folder();
    let words = ["run", "--suite", "smoke", "--backend", "cpu", "--threads", "1", "--dry-run", "--only", "matmul/*"];
    let output = farthing(dir.path(), &words);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("matmul/cpu/f32/") && !text.contains("attention/"), "{text}");
    assert!(text.contains("rows are new here and counted at --seconds 2"), "{text}");
    assert_eq!(fs::read_dir(dir.path()).expect("readable").count(), 0);
    refused("run --suite smoke --backend cpu --only nothing", 2, &["--only leaves no case", "matmul/cpu/"]);
    refused("run --shape 8x8x8 --budget soon", 2, &["write 90s, 5m or 1h"]);
    refused("run --shape 64..x8x8", 2, &["is no range"]);
    refused("run --shape 8x8x8 --shard 5/4", 2, &["is no shard"]);
}

#[test]
fn a_budget_shortens_sampling_and_the_row_says_what_it_took() {
    let dir = folder();
    let words = ["run", "--shape", "64..256*2x=x=", "--backend", "cpu", "--threads", "1", "--budget", "1s"];
    let output = farthing(dir.path(), &[&words[..], &["--format", "json", "--seconds", "60"]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let rows: Vec<Row> = stdout(&output).lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    assert_eq!(rows.len(), 3);
    for row in &rows {
        let surroundings = row.surroundings.as_ref().expect("it was watched");
        assert!(surroundings.window_s < 20.0 && row.spent_s.expect("schema 2") >= surroundings.window_s);
        assert!(row.proof.as_ref().is_some_and(|p| p.repeatable && p.ratio_after <= 1.0), "{:?}", row.proof);
        assert!(row.key.as_ref().is_some_and(|key| key.len() == 24) && row.energy.is_some() && row.outliers.is_some());
    }
}
