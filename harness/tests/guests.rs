//! Backends that the user brings, as a person meets them: workers and replays.

use std::path::Path;
use std::process::{Command, Output};

use farthing::record::{Kind, Row, Status};

fn farthing(dir: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_farthing")).args(words).current_dir(dir).output().expect("the command starts")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Running with this worker ends with this status and says this, and prints no row.
fn refused(worker: &str, code: i32, says: &str) {
    let dir = folder();
    let words = ["run", "--shape", "8x8x8", "--worker", worker, "--deadline", "1"];
    let output = farthing(dir.path(), &words);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{worker}: {text}");
    assert!(text.contains(says), "{worker}: `{says}` is missing from: {text}");
    assert!(output.stdout.is_empty() && !text.contains("panicked"), "{worker}: {text}");
}

#[test]
fn a_worker_that_cannot_be_started_is_named_with_a_remedy() {
    refused("python3 'worker.py", 2, "a quote is not closed");
    refused("  ", 2, "it is empty");
    refused("no-such-worker --fast", 1, "worker `no-such-worker --fast` cannot be started");
}

#[cfg(unix)]
#[test]
fn a_worker_that_is_none_is_refused_within_its_deadline() {
    refused("echo hello", 1, "no answer to `hello`: \"hello\"");
    refused("sleep 100", 1, "no answer to `hello` within 1 s and was ended");
    refused("sh -c 'echo no driver >&2; exit 3'", 1, "it last said: no driver");
    let taken = r#"sh -c 'read l; echo "{\"id\":0,\"ok\":{\"protocol\":1,\"backend\":\"naive\",\"device\":\"d\",
        \"fidelity\":\"fake\",\"threads\":1,\"limits\":{\"max_buffer_bytes\":null,\"exp2_error\":0,\"function_error\":0}}}"
        | tr -d "\n"; echo; read l'"#;
    refused(&taken.replace('\n', ""), 1, "calls itself `naive`, and that name is taken");
}

#[test]
fn a_deadline_that_is_no_time_is_refused() {
    for (seconds, code) in [("0", 2), ("-1", 2), ("NaN", 2), ("1e300", 2)] {
        let output = farthing(
            folder().path(),
            &["run", "--shape", "8x8x8", "--worker", "true", &format!("--deadline={seconds}")],
        );
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.contains("is no time"), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn devices_lists_a_worker_that_did_not_come_up_and_why() {
    let output = farthing(folder().path(), &["devices", "--worker", "false", "--format", "csv", "--threads", "1"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = farthing(folder().path(), &["devices", "--worker", "false", "--format", "json", "--threads", "1"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains(r#""backend":"worker","state":"absent","why":"the worker ended (exit status: 1)"#), "{text}");
}

#[test]
fn a_replay_serves_a_recorded_run_as_simulated() {
    let dir = folder();
    let run = ["run", "--shape", "33x17x65", "--backend", "cpu", "--threads", "1", "--out", "before.jsonl"];
    assert!(farthing(dir.path(), &run).status.success());
    let words = ["run", "--shape", "33x17x65,8x8x8", "--replay", "before.jsonl", "--format", "json"];
    let output = farthing(dir.path(), &words);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows: Vec<Row> = text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    assert_eq!((rows[0].kind, rows[0].status, rows[0].clock.as_str()), (Kind::Simulated, Status::Ok, "simulated"));
    assert_eq!((rows[0].backend.as_str(), rows[1].status), ("replay-cpu", Status::Unsupported));
    let before = farthing::store::read_run(&dir.path().join("before.jsonl")).expect("a run").rows.remove(0);
    // Which samples are served hangs on how many are asked for: a busy machine's differ, and so does the median of some of them.
    let served = rows[0].median_s.expect("timed");
    let [least, most] = [f64::min, f64::max].map(|of| before.samples_s.iter().copied().reduce(of).expect("samples"));
    assert!((least * 0.999..=most * 1.001).contains(&served), "{served} s of {least} to {most} s");
    let missing = farthing(dir.path(), &["run", "--shape", "8x8x8", "--replay", "nosuch"]);
    assert_eq!(missing.status.code(), Some(1));
}
