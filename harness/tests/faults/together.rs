//! Runs that end together, and clocks that step back.

use std::process::{Child, Stdio};

use crate::Outcome;
use crate::command::{SHORT, farthing, files, folder, kept, output, verified, whole_index};

/// Runs at once.
const AT_ONCE: usize = 6;

/// Starts runs into one folder at once.
pub(crate) fn both_are_kept() -> Result<Outcome, String> {
    let (_dir, results) = folder(2)?;
    let start = |_| farthing(results.dir(), &SHORT).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let children: Vec<Child> = (0..AT_ONCE).map(start).collect::<Result<_, _>>().map_err(|e| e.to_string())?;
    for child in children {
        kept(&child.wait_with_output().map_err(|error| error.to_string())?)?;
    }
    let (n_kept, indexed) = (verified(&results)?, whole_index(&results)?);
    if (n_kept, indexed) != (2 + AT_ONCE, 2 + AT_ONCE) {
        return Err(format!("{AT_ONCE} runs beside 2: {n_kept} are kept and {indexed} in the index"));
    }
    Ok(Outcome::Held(format!("{AT_ONCE} runs at once beside 2: all kept, all in the index")))
}

/// The newest run of the folder is of a time that has not come: what a clock leaves that was set back.
pub(crate) fn clock_set_back() -> Result<Outcome, String> {
    let (_dir, results) = folder(1)?;
    let before = files(&results)?;
    let (name, text) = before.iter().next().ok_or("no run")?;
    let later = name.replace("20261123", "29991123");
    let own = String::from_utf8_lossy(text).replace("20261123T", "29991123T").replace("\"id\":\"", "\"id\":\"f");
    std::fs::write(results.runs_dir().join(&later), own).map_err(|error| error.to_string())?;
    for _ in 0..2 {
        kept(&output(&mut farthing(results.dir(), &SHORT))?)?;
    }
    let after = files(&results)?;
    let (n_kept, indexed) = (verified(&results)?, whole_index(&results)?);
    if (after.len(), n_kept, indexed) != (4, 4, 4) || after.get(name) != Some(text) {
        return Err(format!("of 4 runs {n_kept} are kept and {indexed} in the index: {:?}", after.keys()));
    }
    Ok(Outcome::Held("2 runs after one of the year 2999: all kept, under 4 names".into()))
}
