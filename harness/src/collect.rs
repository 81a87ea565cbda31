//! Shards of a plan, put together again.
//!
//! Rows are carried over as they are: each was measured under the limits of its own shard. The header has the best of
//! each limit. Shards of one machine become one run; those of several machines one run each.

use std::collections::{BTreeMap, BTreeSet};

use crate::machine;
use crate::manifest::Manifest;
use crate::record::{MeasuredLimit, Row, RunHeader, Status};
use crate::shard::Shard;
use crate::store::{Run, run_name};

/// What became of a plan.
#[derive(Debug, Default)]
pub struct Collected {
    /// One run a machine and build.
    pub runs: Vec<Whole>,
    /// Shards of which there is no run.
    pub missing_shards: Vec<Shard>,
    /// Names of cases that no shard has a row of.
    pub missing_cases: Vec<String>,
    /// Names of cases whose best row is wrong, failed or refused.
    pub failed: Vec<String>,
    /// Files that are no part of the plan, and why.
    pub strangers: Vec<String>,
    /// Rows that another row of the same case took the place of.
    pub replaced: usize,
}

/// A run put together.
#[derive(Debug)]
pub struct Whole {
    /// Of the first shard, with the best limits of all.
    pub header: RunHeader,
    /// In the order of the plan.
    pub rows: Vec<Row>,
}

/// Puts runs together. Of two rows of one case on one device a success is kept before a failure, then the later one.
pub fn collect(manifest: &Manifest, runs: Vec<Run>) -> Collected {
    let mut collected = Collected::default();
    let mut mine: Vec<(Shard, Run)> = Vec::new();
    for run in runs {
        match manifest.all().find(|shard| run.header.settings.get("plan") == Some(&manifest.setting(*shard))) {
            Some(shard) => mine.push((shard, run)),
            None => collected.strangers.push(format!(
                "{}: its plan is {}, not {} cut into {}",
                run_name(&run.path),
                run.header.settings.get("plan").map_or("none", String::as_str),
                manifest.digest,
                manifest.shards
            )),
        }
    }
    collected.missing_shards = manifest.all().filter(|shard| mine.iter().all(|(s, _)| s != shard)).collect();
    // Attempts in the order in which they began, whatever the order of the files.
    mine.sort_by(|(_, a), (_, b)| (&a.header.started, &a.header.run).cmp(&(&b.header.started, &b.header.run)));
    let mut by_machine: BTreeMap<String, Vec<Run>> = BTreeMap::new();
    for (_, run) in mine {
        by_machine.entry(place(&run.header)).or_default().push(run);
    }
    let order: BTreeMap<&str, usize> = manifest.cases.iter().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
    for runs in by_machine.into_values() {
        let (whole, replaced) = merged(runs, &order);
        collected.replaced += replaced;
        collected.runs.push(whole);
    }
    account(manifest, &mut collected);
    collected
}

/// Where and by what build a run was made.
fn place(header: &RunHeader) -> String {
    let environment = &header.environment;
    format!("{} {:?} {:?}", machine::fingerprint(environment), environment.commit, environment.binary)
}

fn merged(runs: Vec<Run>, order: &BTreeMap<&str, usize>) -> (Whole, usize) {
    let mut header = runs[0].header.clone();
    let names: Vec<&str> = runs.iter().map(|run| run.header.run.as_str()).collect();
    header.settings.insert("collected".into(), names.join(", "));
    let mut replaced = 0;
    let mut rows: BTreeMap<(usize, String, String), Row> = BTreeMap::new();
    for run in &runs {
        run.header.limits.iter().for_each(|limit| keep_best(&mut header.limits, limit));
        for row in &run.rows {
            let id = row.case_id();
            let at = order.get(id.as_str()).copied().unwrap_or(usize::MAX);
            let key = (at, id, row.device.clone());
            match rows.get(&key) {
                Some(known) => {
                    replaced += 1;
                    if is_good(row) || !is_good(known) {
                        rows.insert(key, row.clone());
                    }
                }
                None => drop(rows.insert(key, row.clone())),
            }
        }
    }
    // The plan's digest without a shard: it is the whole.
    let digest = header.settings.get("plan").and_then(|plan| plan.split(' ').next()).map(str::to_owned);
    header.settings.extend(digest.map(|digest| ("plan".to_owned(), digest)));
    (Whole { header, rows: rows.into_values().collect() }, replaced)
}

fn is_good(row: &Row) -> bool {
    matches!(row.status, Status::Ok | Status::Unsupported)
}

fn keep_best(limits: &mut Vec<MeasuredLimit>, new: &MeasuredLimit) {
    let same = |l: &&mut MeasuredLimit| (&l.device, &l.limit, l.threads) == (&new.device, &new.limit, new.threads);
    match limits.iter_mut().find(same) {
        Some(known) => known.per_second = known.per_second.max(new.per_second),
        None => limits.push(new.clone()),
    }
}

/// What is missing and what failed, over all machines.
fn account(manifest: &Manifest, collected: &mut Collected) {
    let rows = || collected.runs.iter().flat_map(|run| &run.rows);
    let good: BTreeSet<String> = rows().filter(|row| is_good(row)).map(Row::case_id).collect();
    let there: BTreeSet<String> = rows().map(Row::case_id).collect();
    // A name may stand for several devices, and then stands in the plan as often.
    let mut devices: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for row in rows() {
        devices.entry(row.case_id()).or_default().insert(&row.device);
    }
    let planned = |id: &String| manifest.cases.iter().filter(|other| *other == id).count();
    let is_missing = |id: &&String| devices.get(*id).map_or(0, BTreeSet::len) < planned(id);
    collected.missing_cases = manifest.cases.iter().filter(is_missing).cloned().collect();
    collected.missing_cases.dedup();
    collected.failed = there.difference(&good).cloned().collect();
}
