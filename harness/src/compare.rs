//! Two runs, case by case: Same, Faster, Slower, Unclear, or not comparable and why.

use std::fmt;

use serde::Serialize;

use crate::machine;
use crate::record::{Row, RunHeader, Status};

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
    /// Interval of the ratio, from the intervals of the medians: at least 90 % (both hold at once with 0.95²).
    pub interval: Option<[f64; 2]>,
    /// What it means.
    pub verdict: Verdict,
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
    why
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
    let variant = row.layout.as_deref().or(row.mask.as_deref()).unwrap_or("-");
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
    Comparison { case: key(row), before_s, after_s, ratio: None, interval: None, verdict }
}

fn pair(a: &Row, b: &Row, tolerance: f64, other_clocks: bool) -> Comparison {
    let ratio = a.median_s.zip(b.median_s).map(|(a, b)| b / a);
    let interval = a.ci95_s.zip(b.ci95_s).map(|(a, b)| [b[0] / a[1], b[1] / a[0]]);
    let verdict = match unlike(a, b, other_clocks) {
        Some(why) => Verdict::NotComparable(why),
        None => interval.map_or_else(no_interval, |interval| judge(interval, tolerance)),
    };
    Comparison { case: key(a), before_s: a.median_s, after_s: b.median_s, ratio, interval, verdict }
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
mod tests {
    use super::*;

    const ROW: &str = r#"{"schema":1,"kind":"measured","id":"x","op":"matmul","shape":"8x8x8","dtype":"f32",
        "out_dtype":"f32","layout":"kn","mask":null,"batch":1,"backend":"cpu","device":"c","lowered":"l","threads":1,
        "temperature":"hot","clock":"wall","launches":1,"samples_s":[1.0],"median_s":1.0,"ci95_s":[0.99,1.01],
        "flops":1.0,"bytes":1.0,"gflops":1.0,"gbps":1.0,"limit":null,"share":null,"error_ratio":0.5,"status":"ok",
        "reason":null,"warnings":[]}"#;

    fn row(median_s: f64, spread: f64) -> Row {
        let row: Row = serde_json::from_str(ROW).expect("a row");
        Row { median_s: Some(median_s), ci95_s: Some([median_s - spread, median_s + spread]), ..row }
    }

    fn verdict(a: Row, b: Row) -> Verdict {
        compare(&[a], &[b], 0.02, false).remove(0).verdict
    }

    #[test]
    fn intervals_decide_and_unclear_is_an_answer() {
        assert_eq!(verdict(row(1.0, 0.001), row(1.005, 0.001)), Verdict::Same);
        assert_eq!(verdict(row(1.0, 0.001), row(1.1, 0.001)), Verdict::Slower);
        assert_eq!(verdict(row(1.0, 0.001), row(0.9, 0.001)), Verdict::Faster);
        assert_eq!(verdict(row(1.0, 0.05), row(1.05, 0.05)), Verdict::Unclear);
        assert_eq!(verdict(row(1.0, 0.05), row(1.0, 0.05)), Verdict::Unclear, "wide intervals prove no sameness");
    }

    #[test]
    fn a_run_compared_with_itself_is_the_same() {
        let rows = [row(1.0, 0.001), Row { shape: "9x9x9".into(), ..row(2.0, 0.001) }];
        assert!(compare(&rows, &rows, 0.02, false).iter().all(|c| c.verdict == Verdict::Same));
    }

    #[test]
    fn unlike_rows_are_not_compared() {
        let base = || row(1.0, 0.001);
        let why = |b: Row| match verdict(base(), b) {
            Verdict::NotComparable(why) => why,
            other => panic!("{other}"),
        };
        assert_eq!(why(Row { clock: "device".into(), ..base() }), "wall against device clock");
        assert_eq!(why(Row { kind: crate::record::Kind::Software, ..base() }), "measured against software");
        assert_eq!(why(Row { temperature: crate::record::Temperature::Cold, ..base() }), "hot against cold operands");
        assert_eq!(why(Row { status: Status::Wrong, ..base() }), "wrong in the second run");
        assert_eq!(why(Row { ci95_s: None, ..base() }), "too few samples for an interval");
        assert_eq!(why(Row { ci95_s: Some([f64::NAN, 1.0]), ..base() }), "too few samples for an interval");
        let other = Row { threads: Some(2), ..base() };
        let alone = compare(&[base()], &[other], 0.02, false);
        assert_eq!(alone.len(), 2);
        assert!(alone[0].verdict.to_string().contains("only in the first run"));
        assert!(alone[1].verdict.to_string().contains("only in the second run"));
    }
}
