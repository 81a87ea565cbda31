use std::fs;

use super::*;
use crate::store::{RunWriter, read_run, write_index};

fn committed() -> Results {
    Results::at(Path::new(env!("CARGO_MANIFEST_DIR")).join("../results"))
}

/// A folder with one run of two rows, and its first rows' line.
fn folder() -> (tempfile::TempDir, Results, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let results = Results::at(dir.path());
    let run = read_run(&committed().run_files().expect("readable")[0]).expect("a run");
    let mut writer = RunWriter::in_results(&results, &run.header.run).expect("a writable folder");
    writer.header(&run.header).expect("room");
    writer.append(&run.rows[..2]).expect("room");
    let path = writer.finish().expect("renamed").expect("two rows");
    write_index(&results).expect("writable");
    (dir, results, path)
}

fn found(results: &Results) -> Vec<String> {
    let found = Verification::of_folder(results).expect("readable").findings;
    found.0.iter().map(ToString::to_string).collect()
}

#[test]
fn the_committed_runs_have_no_error() {
    let verified = Verification::of_folder(&committed()).expect("readable");
    assert_eq!(verified.findings.n_errors(), 0, "{}", verified.findings);
    assert!(verified.files >= 2 && verified.rows >= 100);
}

#[test]
fn a_run_as_it_was_written_has_no_finding() {
    let (_dir, results, _) = folder();
    assert_eq!(found(&results), [""; 0]);
}

/// Each digit of the first row's median is changed in turn; each time it is found.
#[test]
fn one_changed_digit_of_a_median_is_found() {
    let (_dir, results, path) = folder();
    let text = fs::read_to_string(&path).expect("readable");
    let start = text.find("\"median_s\":").expect("a median") + "\"median_s\":".len();
    let end = start + text[start..].find(',').expect("a field behind it");
    let digits: Vec<usize> = (start..end).filter(|at| text.as_bytes()[*at].is_ascii_digit()).collect();
    assert!(digits.len() > 5, "{}", &text[start..end]);
    for at in digits {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'9' { b'1' } else { bytes[at] + 1 };
        fs::write(&path, bytes).expect("room");
        let found = found(&results);
        assert!(found.iter().any(|f| f.contains(".jsonl:2") && f.contains("median_s is")), "byte {at}: {found:?}");
    }
}

#[test]
fn every_finding_is_named_not_only_the_first() {
    let (_dir, results, path) = folder();
    let text = fs::read_to_string(&path).expect("readable");
    let lines: Vec<&str> = text.lines().collect();
    let interval = lines[1].replacen("\"ci95_s\":[", "\"ci95_s\":[1", 1);
    let wrong = [lines[0], &interval, "no row", lines[2], lines[2], "{\"schema\":1"].join("\n");
    fs::write(&path, wrong).expect("room");
    fs::write(results.runs_dir().join(".run-x.partial"), [lines[0], lines[1], "{\"sch"].join("\n")).expect("room");
    fs::write(results.dir().join(".farthing-x"), "").expect("room");
    let found = found(&results).join("\n");
    for part in [
        ":2, row ",
        "ci95_s[0] is ",
        ":3: ",
        "not a run file",
        ":5, row ",
        "the id is that of",
        ":4, row ",
        ":6: ",
        "truncated",
        ".run-x.partial: a run that is on its way",
        "1 complete rows",
        ".farthing-x: an index or chart",
        "README.md: is not the index of these runs",
    ] {
        assert!(found.contains(part), "`{part}` is missing from:\n{found}");
    }
}

#[test]
fn a_row_that_stands_in_two_runs_and_a_file_of_another_name_are_found() {
    let (_dir, results, path) = folder();
    fs::copy(&path, results.runs_dir().join("copy.jsonl")).expect("room");
    let found = found(&results).join("\n");
    assert_eq!(found.matches("the id is that of").count(), 2, "{found}");
    assert!(found.contains("its file is named `copy`"), "{found}");
}

#[test]
fn a_folder_without_runs_is_not_said_to_be_right() {
    let dir = tempfile::tempdir().expect("a folder");
    assert!(matches!(Verification::of_folder(&Results::at(dir.path())), Err(StoreError::NoRuns { .. })));
}

#[test]
fn visits_of_other_samples_are_found() {
    let (_dir, results, path) = folder();
    let text = fs::read_to_string(&path).expect("readable");
    fs::write(&path, text.replacen("\"samples_s\":", "\"visits\":[1,2],\"samples_s\":", 1)).expect("room");
    let found = found(&results);
    assert!(found.iter().any(|f| f.contains(".jsonl:2") && f.contains("visits of [1, 2] samples")), "{found:?}");
}
