//! Processes that are killed.

use std::fs::File;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use farthing::store::{Results, write_index};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::Outcome;
use crate::command::{SHORT, farthing, folder, kept, output, verified, whole_index};

/// Writers of the index that are killed, and how many of them a run ends beside.
const KILLS: usize = 100;
const A_RUN: usize = 10;

fn started(results: &Results, words: &[&str]) -> Result<Child, String> {
    let mut command = farthing(results.dir(), words);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(|error| error.to_string())
}

/// Kills writers of the index at moments that are drawn, while runs end in the same folder.
pub(crate) fn index_writers() -> Result<Outcome, String> {
    const RUNS: usize = 8;
    let (_dir, results) = folder(RUNS)?;
    let index = ["results", "index"];
    let start = Instant::now();
    started(&results, &index)?.wait().map_err(|error| error.to_string())?;
    let whole = start.elapsed();
    let mut rng = StdRng::seed_from_u64(20261126);
    let mut runs = Vec::new();
    let mut n_cut = 0;
    for kill in 0..KILLS {
        if kill % A_RUN == 0 {
            runs.push(started(&results, &SHORT)?);
        }
        let mut writer = started(&results, &index)?;
        sleep(whole.mul_f64(rng.random()));
        // One that has ended cannot be killed, which is no failure.
        let _ = writer.kill();
        let status = writer.wait().map_err(|error| error.to_string())?;
        n_cut += usize::from(!status.success());
        let indexed = whole_index(&results).map_err(|why| format!("after {kill} kills: {why}"))?;
        if indexed < RUNS {
            return Err(format!("after {kill} kills the index has {indexed} runs"));
        }
    }
    for run in runs {
        kept(&run.wait_with_output().map_err(|error| error.to_string())?)?;
    }
    write_index(&results).map_err(|error| error.to_string())?;
    let (n_kept, indexed, all) = (verified(&results)?, whole_index(&results)?, RUNS + KILLS / A_RUN);
    if (n_kept, indexed) != (all, all) {
        return Err(format!("{n_kept} runs are kept and {indexed} are in the index, of {all}"));
    }
    if n_cut < KILLS / 10 {
        return Err(format!("only {n_cut} of {KILLS} writers were killed before they ended: kill them earlier"));
    }
    Ok(Outcome::Held(format!("{n_cut} of {KILLS} killed before they ended; whole each time, {n_kept} runs kept")))
}

/// The lock of the index is held, and its holder ends without giving it back.
pub(crate) fn lock_holder() -> Result<Outcome, String> {
    let (_dir, results) = folder(1)?;
    let held = File::open(results.dir().join(".index.lock")).map_err(|error| error.to_string())?;
    held.lock().map_err(|error| error.to_string())?;
    let mut waiting = farthing(results.dir(), &["results", "index"]);
    let mut waiting = waiting.stdout(Stdio::null()).spawn().map_err(|error| error.to_string())?;
    sleep(Duration::from_millis(200));
    if waiting.try_wait().map_err(|error| error.to_string())?.is_some() {
        return Err("a writer of the index did not wait for the lock".into());
    }
    let _ = waiting.kill();
    waiting.wait().map_err(|error| error.to_string())?;
    drop(held);
    let ended = output(&mut farthing(results.dir(), &["results", "index"]))?;
    if !ended.status.success() {
        return Err(String::from_utf8_lossy(&ended.stderr).into_owned());
    }
    Ok(Outcome::Held("a writer waits for it, and the next one has it".into()))
}
