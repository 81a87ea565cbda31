//! Runs that were killed, and what `--resume` makes of them.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{ChildStdout, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use farthing::record::Row;
use farthing::store::{partial_of, read_run};
use rand::{Rng, SeedableRng};

/// Kills of the test as CI runs it; `FARTHING_KILLS=100` asks for more.
const KILLS: usize = 12;
/// More cases than so many kills leave time for.
const SHAPES: &str = "1..60+1x8x8";

fn command(dir: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farthing"));
    command.args(words).current_dir(dir);
    command
}

fn farthing(dir: &Path, words: &[&str]) -> Output {
    command(dir, words).output().expect("the command starts")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn words<'w>(shapes: &'w str, more: &[&'w str]) -> Vec<&'w str> {
    let words = ["run", "--shape", shapes, "--backend", "cpu", "--threads", "1", "--seconds", "0.01"];
    [&words[..], &["--format", "json"], more].concat()
}

/// Ids of the rows that a process prints, each of which it has kept before; read as they come, for it waits where a pipe
/// is full.
fn rows_of(stdout: ChildStdout) -> Receiver<String> {
    let (sender, rows) = channel();
    let lines = BufReader::new(stdout).lines().map_while(Result::ok);
    std::thread::spawn(move || {
        let ids = lines.filter_map(|line| serde_json::from_str::<Row>(&line).ok()).map(|row| row.id);
        // Where the test has failed nobody listens any more.
        ids.map(|id| sender.send(id)).find_map(Result::err)
    });
    rows
}

/// Waits for the moment of a kill: a time by the clock, which may fall before there is any row, or that of a row, however
/// long this machine takes to get there. The rows until then.
fn moment(rows: &Receiver<String>, random: &mut impl Rng) -> Vec<String> {
    if random.random() {
        std::thread::sleep(Duration::from_millis(random.random_range(0..1500)));
        return Vec::new();
    }
    rows.iter().take(random.random_range(1..30)).collect()
}

/// Kills one run again and again, at most so often, lets it end, and sees that no row was lost that was seen before; how
/// often it was killed and how many rows were seen.
fn killed_and_resumed(kills: usize, random: &mut impl Rng) -> (usize, usize) {
    let dir = tempfile::tempdir().expect("a folder");
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut killed = 0;
    let resume = words(SHAPES, &["--results", "kept", "--resume"]);
    while killed < kills {
        let mut command = command(dir.path(), &resume);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("starts");
        let rows = rows_of(child.stdout.take().expect("a pipe"));
        let before = moment(&rows, random);
        if child.try_wait().expect("a child").is_some() {
            break;
        }
        child.kill().and_then(|()| child.wait()).expect("it is ours");
        killed += 1;
        seen.extend(before.into_iter().chain(rows));
    }
    let output = farthing(dir.path(), &resume);
    assert!(output.status.success(), "{}", stderr(&output));
    let files: Vec<_> = fs::read_dir(dir.path().join("kept/runs")).expect("a folder").flatten().collect();
    assert_eq!(files.len(), 1, "one run, and nothing beside it: {files:?}");
    let run = read_run(&files[0].path()).expect("a whole run");
    let ids: BTreeSet<String> = run.rows.iter().map(|row| row.id.clone()).collect();
    assert_eq!((run.rows.len(), ids.len()), (60, 60), "every case once");
    assert!(seen.is_subset(&ids), "lost: {:?}", seen.difference(&ids));
    (killed, seen.len())
}

#[test]
fn kills_at_any_moment_lose_no_complete_row() {
    let wanted = std::env::var("FARTHING_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS);
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let (mut runs, mut kills, mut rows) = (0, 0, 0);
    while kills < wanted {
        let (killed, seen) = killed_and_resumed(wanted - kills, &mut random);
        (runs, kills, rows) = (runs + 1, kills + killed, rows + seen);
    }
    assert!(rows > 0, "no row was there when a run was killed, though every other kill waits for one");
    println!("{kills} kills of {runs} runs, {rows} rows seen before one, none lost");
}

/// Ctrl-C while a chunk is on its way: what is short is finished, and the file is whole.
#[cfg(unix)]
#[test]
fn ctrl_c_keeps_the_short_cases_in_hand() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("run.jsonl");
    let mut command = command(dir.path(), &words("1..400+1x8x8", &["--out", "run.jsonl"]));
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts");
    // The header is there: the first case is being armed.
    while fs::metadata(partial_of(&path)).map_or(0, |file| file.len()) == 0 {
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_secs(2));
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill is there");
    assert!(sent.success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    let run = read_run(&path).expect("whole");
    assert!(!run.rows.is_empty() && run.rows.len() < 400, "{} rows", run.rows.len());
    assert!(stderr(&output).contains(&format!("{} complete rows are kept", run.rows.len())), "{}", stderr(&output));
}

#[test]
fn what_is_complete_is_not_measured_again_and_the_file_stays_as_it_is() {
    let dir = tempfile::tempdir().expect("a folder");
    let words = words("1..3+1x8x8", &["--out", "run.jsonl", "--resume"]);
    let first = farthing(dir.path(), &words);
    assert!(first.status.success(), "{}", stderr(&first));
    let bytes = fs::read(dir.path().join("run.jsonl")).expect("kept");
    let second = farthing(dir.path(), &words);
    assert!(second.status.success(), "{}", stderr(&second));
    assert!(stderr(&second).contains("3 rows are there already"), "{}", stderr(&second));
    assert!(first.stdout == second.stdout, "other rows");
    assert!(fs::read(dir.path().join("run.jsonl")).expect("kept") == bytes, "another file");
    assert!(!partial_of(&dir.path().join("run.jsonl")).exists());
}

#[test]
fn a_run_that_ended_early_is_extended() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("run.jsonl");
    assert!(farthing(dir.path(), &words("1..2+1x8x8", &["--out", "run.jsonl"])).status.success());
    let before = fs::read_to_string(&path).expect("kept");
    let more = farthing(dir.path(), &words("1..4+1x8x8", &["--out", "run.jsonl", "--resume"]));
    assert!(more.status.success(), "{}", stderr(&more));
    let after = fs::read_to_string(&path).expect("kept");
    assert!(after.starts_with(&before), "what was there stays");
    assert_eq!(read_run(&path).expect("whole").rows.len(), 4);
}

#[test]
fn a_cut_line_is_dropped_and_its_case_measured_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("run.jsonl");
    let words = words("1..3+1x8x8", &["--out", "run.jsonl", "--resume"]);
    assert!(farthing(dir.path(), &words).status.success());
    let text = fs::read(&path).expect("kept");
    fs::write(partial_of(&path), &text[..text.len() - 40]).expect("room");
    fs::remove_file(&path).expect("ours");
    let again = farthing(dir.path(), &words);
    assert!(again.status.success(), "{}", stderr(&again));
    assert!(stderr(&again).contains("2 rows are there already"), "{}", stderr(&again));
    assert_eq!(read_run(&path).expect("whole").rows.len(), 3);
}

#[test]
fn another_machine_another_process_and_another_name_are_refused_by_name() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("run.jsonl");
    let resume = words("1x8x8", &["--out", "run.jsonl", "--resume"]);
    assert!(farthing(dir.path(), &resume).status.success());
    let text = fs::read_to_string(&path).expect("kept");
    fs::remove_file(&path).expect("ours");
    let elsewhere = text.replacen("\"cpus\":", "\"cpus\":1", 1);
    fs::write(partial_of(&path), elsewhere).expect("room");
    let output = farthing(dir.path(), &resume);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("begun on another machine; run it anew"), "{}", stderr(&output));
    // Without --resume it is not overwritten either.
    let anew = farthing(dir.path(), &words("1x8x8", &["--out", "run.jsonl"]));
    assert!(stderr(&anew).contains("continue it with --resume, or remove"), "{}", stderr(&anew));
    let held = fs::File::open(partial_of(&path)).expect("there");
    held.lock().expect("nobody else has it");
    assert!(stderr(&farthing(dir.path(), &resume)).contains("being written by another process"));
    let unknown = farthing(dir.path(), &words("1x8x8", &["--resume", "nosuch"]));
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("--resume nosuch: no run of this name was begun"), "{}", stderr(&unknown));
}
