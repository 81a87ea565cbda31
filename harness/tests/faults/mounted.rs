//! Folders on file systems that refuse: full, read-only, none at all. Each is mounted in a mount namespace of its own, which
//! ends with its process.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use farthing::store::{Results, read_run};

use crate::Outcome;
use crate::command::{SAMPLE, SHORT, farthing, files, folder, output, refused, verified};

/// Why no file system can be mounted here, if so.
fn absent() -> Option<String> {
    let script = "mount -t tmpfs -o size=64k none /mnt";
    let tried = unshared().args(["sh", "-c", script]).stdin(Stdio::null()).output();
    match tried {
        Ok(tried) if tried.status.success() => None,
        Ok(tried) => Some(format!("no mount namespace: {}", String::from_utf8_lossy(&tried.stderr).trim())),
        Err(error) => Some(format!("no unshare: {error}")),
    }
}

fn unshared() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user"]);
    command
}

/// Runs a script where mounts are its own, with the folder of results in `$results`, another in `$kept`, and the command
/// with these words and the folder in `"$@"`.
fn scripted(script: &str, results: &Path, kept: &Path, words: &[&str]) -> Result<Output, String> {
    let mut command = unshared();
    command.env("results", results).env("kept", kept);
    command.args(["sh", "-euc", script, "sh", env!("CARGO_BIN_EXE_farthing")]).args(words);
    output(command.arg("--results").arg(results))
}

/// A disk with room for two pages beyond the runs that are there: the header and some of twenty rows fit.
pub(crate) fn full_disk() -> Result<Outcome, String> {
    if let Some(why) = absent() {
        return Ok(Outcome::Absent(why));
    }
    let (dir, results) = folder(2)?;
    let before = files(&results)?;
    let kept = dir.path().join("kept");
    let script = "cp -a \"$results\" \"$kept\"
        mount -t tmpfs -o size=64k none \"$results\"
        cp -a \"$kept\"/. \"$results\"
        rm -r \"$kept\"
        dd if=/dev/zero of=\"$results\"/filler bs=4k count=PAGES status=none
        status=0
        \"$@\" >/dev/null || status=$?
        cp -a \"$results\" \"$kept\"
        exit $status";
    // Of 16 pages the two runs take two each and the index one; folders and the lock take none.
    let pages = 16 - 2 * 2 - 1 - 2;
    // One case that the sample has, and twenty that are rows all the same: unsupported ones.
    let shapes = (65..85).fold("64x64x64".to_owned(), |shapes, m| format!("{shapes},{m}x8x8"));
    let words = ["run", "--shape", &shapes, "--replay", SAMPLE, "--seconds", "0.001", "--save"];
    let ended = scripted(&script.replace("PAGES", &pages.to_string()), results.dir(), &kept, &words)?;
    let said = refused(&ended, &["cannot write", "No space left on device", "--results DIR"])?;
    let results = Results::at(&kept);
    let after = files(&results)?;
    if let Some((name, _)) = before.iter().find(|(name, bytes)| after.get(*name) != Some(bytes)) {
        return Err(format!("{name} is not as it was"));
    }
    verified(&results)?;
    let published: Vec<&String> = after.keys().filter(|name| !before.contains_key(*name)).collect();
    let n_rows = match published[..] {
        [] => 0,
        [only] if only.ends_with(".jsonl") => {
            read_run(&results.runs_dir().join(only)).map_err(|error| error.to_string())?.rows.len()
        }
        _ => return Err(format!("beside the runs: {published:?}")),
    };
    Ok(Outcome::Held(format!(
        "the 2 runs are as they were, {n_rows} whole rows of the new one are kept; it said: {said}"
    )))
}

/// A folder whose file system is mounted read-only: reading works, and each way of writing says why it does not.
pub(crate) fn read_only() -> Result<Outcome, String> {
    if let Some(why) = absent() {
        return Ok(Outcome::Absent(why));
    }
    let (dir, results) = folder(2)?;
    let before = files(&results)?;
    let script = "mount --bind \"$results\" \"$results\"; mount -o remount,bind,ro \"$results\"; exec \"$@\"";
    let mounted = |words: &[&str]| scripted(script, results.dir(), dir.path(), words);
    let reading: [&[&str]; 3] =
        [&["results", "list"], &["results", "verify"], &["results", "show", "20261123T170100Z"]];
    for words in reading {
        let ended = mounted(words)?;
        if !ended.status.success() {
            return Err(format!("{words:?}: {}", String::from_utf8_lossy(&ended.stderr)));
        }
    }
    let writing: [&[&str]; 2] = [&SHORT, &["results", "index"]];
    for words in writing {
        let ended = mounted(words)?;
        refused(&ended, &["cannot write", "Read-only file system"]).map_err(|why| format!("{words:?}: {why}"))?;
        if !ended.stdout.is_empty() {
            return Err(format!("{words:?}: measured before it looked"));
        }
    }
    if files(&results)? != before {
        return Err("the folder has changed".into());
    }
    Ok(Outcome::Held("read in three ways, refused in two".into()))
}

/// Where nothing can be made: under a file, and where the kernel allows nothing.
pub(crate) fn no_folder() -> Result<Outcome, String> {
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = dir.path().join("file");
    fs::write(&file, "a file").map_err(|error| error.to_string())?;
    let mut places = vec![file.join("results")];
    if Path::new("/proc/version").exists() {
        places.push("/proc/results".into());
    }
    for place in &places {
        let ended = output(&mut farthing(place, &["run", "--shape", "8x8x8", "--backend", "naive", "--save"]))?;
        refused(&ended, &["cannot write", &place.display().to_string(), "--results DIR"])?;
        if !ended.stdout.is_empty() {
            return Err(format!("{}: measured before it looked", place.display()));
        }
    }
    Ok(Outcome::Held(format!("{} places", places.len())))
}
