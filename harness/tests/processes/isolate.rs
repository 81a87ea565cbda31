//! `run --isolate`: what a backend's end costs, and what it does not.

use farthing::measure::sampler::HostClock;
use farthing::record::{Row, Status};

use crate::{Verdict, command};

/// Rows of `run --isolate` on these backends, and what it said.
fn rows(words: &str) -> Result<(Vec<Row>, String), String> {
    let output = command(&format!("run --isolate --threads 1 --seconds 0.1 --format json {words}"))?;
    let (text, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr).into_owned());
    let rows = text.lines().map(|line| serde_json::from_str(line).map_err(|error| format!("{line}: {error}")));
    Ok((rows.collect::<Result<_, _>>()?, said))
}

fn of<'r>(rows: &'r [Row], backend: &str) -> Vec<(&'r str, Status, &'r str)> {
    let own = rows.iter().filter(|row| row.backend == backend);
    own.map(|row| (row.shape.as_str(), row.status, row.reason.as_deref().unwrap_or_default())).collect()
}

fn all_ok(rows: &[Row], backend: &str, n: usize) -> Verdict {
    let own = of(rows, backend);
    if own.len() == n && own.iter().all(|(_, status, _)| *status == Status::Ok) {
        return Ok(format!("{n} rows of {backend}"));
    }
    Err(format!("{backend} has not {n} ok rows: {own:?}"))
}

const SHAPES: &str = "--shape 16x16x16,13x16x16,8x24x8";

/// An abort costs its row; the worker is started again for the next.
pub(crate) fn abort_costs_its_row() -> Verdict {
    let (rows, said) = rows(&format!("--backend aborts,right {SHAPES}"))?;
    all_ok(&rows, "right", 3)?;
    match of(&rows, "aborts")[..] {
        [(_, Status::Ok, _), (_, Status::Failed, why), (_, Status::Ok, _)] if why.contains("signal: 6 (SIGABRT)") => {
            Ok(why.to_owned())
        }
        ref other => Err(format!("{other:?}; {said}")),
    }
}

/// A hang costs one deadline and the rows from there on.
pub(crate) fn hang_costs_its_rows_and_one_deadline() -> Verdict {
    // Longer than the first reading of memory takes where the last level of cache, and so its probe's buffer, is large.
    const DEADLINE_S: u32 = 10;
    let clock = HostClock::start();
    let (rows, said) = rows(&format!("--deadline {DEADLINE_S} --backend hangs,right {SHAPES}"))?;
    let seconds = clock.seconds();
    all_ok(&rows, "right", 3)?;
    let says = format!("gave no answer to `run` within {DEADLINE_S} s and was ended");
    let hung = |why: &str| why.contains(&says);
    match of(&rows, "hangs")[..] {
        [(_, Status::Ok, _), (_, Status::Failed, one), (_, Status::Failed, two)] if hung(one) && hung(two) => {
            Ok(format!("{seconds:.1} s with a deadline of {DEADLINE_S} s"))
        }
        ref other => Err(format!("{other:?}; {said}")),
    }
}

/// What a driver prints is no answer and spoils none.
pub(crate) fn prints_are_not_taken_for_answers() -> Verdict {
    let (rows, _) = rows("--backend prints --shape 16x16x16")?;
    all_ok(&rows, "prints", 1)
}

/// A row is the same row but for its times: name, device, kind, lowering, threads; and the run says that it was isolated.
pub(crate) fn rows_are_as_without() -> Verdict {
    let (isolated, _) = rows("--backend right --shape 33x17x65 --out isolated.jsonl")?;
    let output = command("run --threads 1 --seconds 0.1 --format json --backend right --shape 33x17x65")?;
    let plain: Row = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    let named = |row: &Row| {
        let Row { kind, backend, device, lowered, threads, clock, limit, status, .. } = row.clone();
        format!("{kind:?} {backend} {device} {lowered} {threads:?} {clock} {limit:?} {status:?}")
    };
    let [row] = &isolated[..] else { return Err(format!("{} rows", isolated.len())) };
    if named(row) != named(&plain) {
        return Err(format!("{} is not {}", named(row), named(&plain)));
    }
    let kept = crate::folder().join("isolated.jsonl");
    let header = farthing::store::read_run(&kept).map_err(|error| error.to_string())?.header;
    match header.settings.get("isolate").map(String::as_str) {
        Some("true") => Ok(named(row)),
        other => Err(format!("isolate is {other:?} in the header")),
    }
}

/// Names that do not exist are refused as in a run without.
pub(crate) fn unknown_names_are_refused() -> Verdict {
    let output = command("run --isolate --shape 8x8x8 --backend righ")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let refused = output.status.code() == Some(2) && said.contains("did you mean `right`?");
    if refused { Ok(said) } else { Err(said) }
}
