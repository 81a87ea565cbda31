//! The command, folders of runs, and what is asked of both.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use farthing::store::{Results, Verification, write_index};

/// The committed sample of a run.
pub(crate) const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/runs/run-v1.jsonl");

/// A run that takes as little as a run can: a recorded case, whose device has no limits to measure.
pub(crate) const SHORT: [&str; 8] = ["run", "--shape", "64x64x64", "--replay", SAMPLE, "--seconds", "0.001", "--save"];

/// The command with these words, on the runs of a folder.
pub(crate) fn farthing(results: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farthing"));
    command.args(words).arg("--results").arg(results);
    command
}

pub(crate) fn output(command: &mut Command) -> Result<Output, String> {
    command.output().map_err(|error| format!("{command:?} cannot be started: {error}"))
}

/// That a run was kept. What it measured is not looked at: on a machine this busy a check of its clock may well fail.
pub(crate) fn kept(output: &Output) -> Result<(), String> {
    let text = String::from_utf8_lossy(&output.stderr);
    if text.contains("rows kept in") { Ok(()) } else { Err(format!("a run was not kept: {}: {text}", output.status)) }
}

/// That the command failed with status 1, printed nothing, and said all of this.
pub(crate) fn refused(output: &Output, says: &[&str]) -> Result<String, String> {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    match says.iter().find(|part| !text.contains(**part)) {
        _ if output.status.code() != Some(1) => Err(format!("{}: {text}", output.status)),
        Some(part) => Err(format!("`{part}` is missing from: {text}")),
        None => Ok(text.trim().to_owned()),
    }
}

/// A folder with this many copies of the sample of a run, each under the name that its header says, and their index.
pub(crate) fn folder(n_runs: usize) -> Result<(tempfile::TempDir, Results), String> {
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let results = Results::at(dir.path().join("results"));
    fs::create_dir_all(results.runs_dir()).map_err(|error| error.to_string())?;
    let text = fs::read_to_string(SAMPLE).map_err(|error| error.to_string())?;
    let run = "20261123T170114Z-492863";
    for idx in 0..n_runs {
        let name = format!("20261123T1701{idx:02}Z-492863");
        // Ids of rows are drawn from the run's name: copies have their own.
        let own = text.replace(run, &name).replace("\"id\":\"", &format!("\"id\":\"{idx:02}"));
        fs::write(results.runs_dir().join(format!("{name}.jsonl")), own).map_err(|error| error.to_string())?;
    }
    write_index(&results).map_err(|error| error.to_string())?;
    Ok((dir, results))
}

/// Every file of the runs' folder by name.
pub(crate) fn files(results: &Results) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let entries = fs::read_dir(results.runs_dir()).map_err(|error| error.to_string())?;
    let read = |path: PathBuf| -> Result<(String, Vec<u8>), String> {
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), bytes))
    };
    entries.flatten().map(|entry| read(entry.path())).collect()
}

/// That every run of the folder verifies; how many there are.
pub(crate) fn verified(results: &Results) -> Result<usize, String> {
    let verified = Verification::of_folder(results).map_err(|error| error.to_string())?;
    match verified.findings.n_errors() {
        0 => Ok(verified.files),
        _ => Err(verified.findings.to_string()),
    }
}

/// The index, whole: it begins and ends as one, and each of its runs has a line.
pub(crate) fn whole_index(results: &Results) -> Result<usize, String> {
    let text = fs::read_to_string(results.dir().join("README.md")).map_err(|error| error.to_string())?;
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("| [")).collect();
    let is_whole = text.starts_with("# Runs\n") && text.ends_with(" |\n") && lines.iter().all(|l| l.ends_with(" |"));
    if is_whole { Ok(lines.len()) } else { Err(format!("a broken index:\n{text}")) }
}
