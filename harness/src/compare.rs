//! Two runs, case by case: Same, Faster, Slower, Unclear, or not comparable and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use crate::machine;
use crate::record::{Doubt, Row, RunHeader, Status};

/// What can be said of a case in two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The whole interval of the ratio lies within the tolerance.
    Same,
    /// The whole interval lies below it.
    Faster,
    /// The whole interval lies above it.
    Slower,
    /// The interval crosses an edge: more samples would tell.
    Unclear,
    /// There is no ratio to speak of.
    NotComparable(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Same => f.write_str("same"),
            Verdict::Faster => f.write_str("FASTER"),
            Verdict::Slower => f.write_str("SLOWER"),
            Verdict::Unclear => f.write_str("unclear"),
            Verdict::NotComparable(why) => write!(f, "not comparable: {why}"),
        }
    }
}

/// One case in two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The case and where it ran.
    pub case: String,
    /// Median of the first run, in seconds.
    pub before_s: Option<f64>,
    /// Median of the second.
    pub after_s: Option<f64>,
    /// Second over first: below 1 is faster.
    pub ratio: Option<f64>,
    /// Interval of the ratio, from the intervals of the medians: at least 90 % (both hold at once with 0.95²). It reaches to
    /// what the ratio would be had there been as much of a core both times, by the breadth that was read around the samples.
    pub interval: Option<[f64; 2]>,
    /// What it means.
    pub verdict: Verdict,
    /// It was right and timed in the first run, and in the second it is not.
    pub broke: bool,
    /// A row of the two warns of noise.
    pub noisy: bool,
}

impl Comparison {
    /// Whether a gate lets it pass.
    pub fn is_worse(&self) -> bool {
        self.broke || self.verdict == Verdict::Slower
    }

    /// What a reader should meet first: 0 before 1.
    fn rank(&self) -> u8 {
        match self.verdict {
            _ if self.broke => 0,
            Verdict::Slower => 1,
            Verdict::Unclear => 2,
            Verdict::Faster => 3,
            Verdict::Same => 4,
            Verdict::NotComparable(_) => 5,
        }
    }
}

/// What broke first, then what became slower, the worst of it first, then what cannot be told; at the end what has no
/// ratio.
pub fn worst_first(comparisons: &mut [Comparison]) {
    let loss = |c: &Comparison| c.ratio.unwrap_or_default();
    comparisons.sort_by(|a, b| a.rank().cmp(&b.rank()).then_with(|| loss(b).total_cmp(&loss(a))));
}

/// Why two runs as a whole should not be compared.
pub fn refusals(a: &RunHeader, b: &RunHeader) -> Vec<String> {
    let mut why = Vec::new();
    let (before, after) = (&a.environment, &b.environment);
    if machine::fingerprint(before) != machine::fingerprint(after) {
        let named = |e: &crate::record::Environment| format!("{} × {}", e.cpus, e.cpu);
        why.push(format!("other machines ({}, {})", named(before), named(after)));
    }
    for header in [a, b] {
        match header.environment.dirty {
            Some(true) => why.push(format!("{} was built from uncommitted changes", header.run)),
            Some(false) => {}
            None => why.push(format!("{} does not know its commit", header.run)),
        }
    }
    why.extend(unlike_settings(&a.settings, &b.settings));
    why
}

/// Settings that change what is measured and not how well it is known: where backends ran, and on what.
fn matters(setting: &str) -> bool {
    setting == "isolate" || (setting.starts_with("FARTHING_") && !IRRELEVANT.contains(&setting))
}

/// Variables of ours that change no kernel: which tests may skip, where files are cached, what else takes part.
const IRRELEVANT: [&str; 4] = ["FARTHING_REQUIRE", "FARTHING_BLESS", "FARTHING_NEFF_CACHE", "FARTHING_WORKER"];

fn unlike_settings(a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> Vec<String> {
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).filter(|name| matters(name)).collect();
    let unlike = names.into_iter().filter(|name| a.get(*name) != b.get(*name));
    let shown = |value: Option<&String>| value.map_or("not set".to_owned(), |value| format!("`{value}`"));
    unlike.map(|name| format!("other settings ({name}: {}, {})", shown(a.get(name)), shown(b.get(name)))).collect()
}

/// Compares every case of either run. `tolerance` is the change that still counts as the same; `other_clocks` compares
/// rows of different clocks too.
pub fn compare(before: &[Row], after: &[Row], tolerance: f64, other_clocks: bool) -> Vec<Comparison> {
    let gone = before.iter().map(|a| {
        let b = after.iter().find(|b| key(b) == key(a));
        b.map_or_else(|| alone(a, "only in the first run"), |b| pair(a, b, tolerance, other_clocks))
    });
    let new = after.iter().filter(|b| before.iter().all(|a| key(a) != key(b)));
    gone.chain(new.map(|b| alone(b, "only in the second run"))).collect()
}

/// What makes two rows rows of the same case.
fn key(row: &Row) -> String {
    let variant = row.variant();
    let threads = row.threads.map_or(String::new(), |t| format!(" t{t}"));
    let batch = if row.batch > 1 { format!(" b{}", row.batch) } else { String::new() };
    format!(
        "{} {} {variant}{batch} {}→{} {}{threads} on {}",
        row.op, row.shape, row.dtype, row.out_dtype, row.backend, row.device
    )
}

fn alone(row: &Row, why: &str) -> Comparison {
    let (before_s, after_s) = if why.contains("first") { (row.median_s, None) } else { (None, row.median_s) };
    let verdict = Verdict::NotComparable(why.into());
    let noisy = is_noisy(row);
    Comparison { case: key(row), before_s, after_s, ratio: None, interval: None, verdict, broke: false, noisy }
}

fn pair(a: &Row, b: &Row, tolerance: f64, other_clocks: bool) -> Comparison {
    let ratio = a.median_s.zip(b.median_s).map(|(a, b)| b / a);
    let interval = a.ci95_s.zip(b.ci95_s).map(|(a, b)| [b[0] / a[1], b[1] / a[0]]);
    let interval = interval.map(|interval| widened(interval, machine_ratio(a, b)));
    let verdict = match unlike(a, b, other_clocks) {
        Some(why) => Verdict::NotComparable(why),
        None => interval.map_or_else(no_interval, |interval| judge(interval, tolerance)),
    };
    let broke = a.status == Status::Ok && b.status != Status::Ok;
    let noisy = is_noisy(a) || is_noisy(b);
    Comparison { case: key(a), before_s: a.median_s, after_s: b.median_s, ratio, interval, verdict, broke, noisy }
}

/// How much of a core there was around the second row over how much around the first, where the host's clock timed them; 1
/// where it was not read.
fn machine_ratio(a: &Row, b: &Row) -> f64 {
    let breadth = |row: &Row| Some(row.surroundings.as_ref()?.breadth?.usual).filter(|_| row.clock == "wall");
    breadth(a).zip(breadth(b)).map_or(1.0, |(a, b)| b / a)
}

/// An interval of times' ratio, up to what it would be had there been as much of a core the second time as the first. How
/// much of the difference a kernel felt is not known, between nothing and all.
fn widened([low, high]: [f64; 2], machine_ratio: f64) -> [f64; 2] {
    [low * machine_ratio.min(1.0), high * machine_ratio.max(1.0)]
}

/// Whether a row warns that its samples, or the machine, were not quiet.
fn is_noisy(row: &Row) -> bool {
    row.warnings.iter().any(|w| matches!(w.doubt, Doubt::Noise | Doubt::Load | Doubt::Throttling))
}

fn no_interval() -> Verdict {
    Verdict::NotComparable("too few samples for an interval".into())
}

/// What an interval of a ratio means where a change within `tolerance` counts as none.
pub(crate) fn judge([low, high]: [f64; 2], tolerance: f64) -> Verdict {
    if !(low.is_finite() && high.is_finite()) {
        return no_interval();
    }
    match (low > 1.0 + tolerance, high < 1.0 - tolerance) {
        (true, _) => Verdict::Slower,
        (_, true) => Verdict::Faster,
        _ if low >= 1.0 - tolerance && high <= 1.0 + tolerance => Verdict::Same,
        _ => Verdict::Unclear,
    }
}

fn unlike(a: &Row, b: &Row, other_clocks: bool) -> Option<String> {
    for (row, which) in [(a, "first"), (b, "second")] {
        if row.status != Status::Ok {
            return Some(format!("{:?} in the {which} run", row.status).to_lowercase());
        }
    }
    if a.kind != b.kind {
        return Some(format!("{:?} against {:?}", a.kind, b.kind).to_lowercase());
    }
    if a.temperature != b.temperature {
        return Some(format!("{:?} against {:?} operands", a.temperature, b.temperature).to_lowercase());
    }
    (a.clock != b.clock && !other_clocks).then(|| format!("{} against {} clock", a.clock, b.clock))
}

#[cfg(test)]
mod tests;
