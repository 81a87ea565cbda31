//! The roofline of one row in words and numbers.

use crate::record::{MeasuredLimit, Row, RunHeader, Status};
use crate::report::{counted, digits, packed, percent, rate, seconds};
use crate::roofline::{Bound, Demand, Roofline};

mod evidence;

/// One row, its bounds, and what they say.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Names and values, in reading order.
    pub facts: Vec<(String, String)>,
    /// What bounds the row, in a sentence.
    pub verdict: String,
}

/// Explains a row with the limits of its run.
pub fn explain(row: &Row, header: &RunHeader) -> Explanation {
    let roofline = roofline(row, header);
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    fact("case", format!("{} {} {} → {}", row.op, row.shape, row.dtype, row.out_dtype));
    for (name, value) in [("layout", &row.layout), ("mask", &row.mask)] {
        value.iter().for_each(|v| fact(name, v.clone()));
    }
    fact("ran as", format!("{} on {} ({})", row.lowered, row.device, row.backend));
    if row.batch > 1 {
        fact("batch", format!("{} products", row.batch));
    }
    row.packing.iter().for_each(|packing| fact("weights packed", packed(packing)));
    row.threads.iter().for_each(|t| fact("threads", t.to_string()));
    fact("operands", format!("{:?}, {} clock", row.temperature, row.clock).to_lowercase());
    fact("flops", format!("{} GFLOP useful", digits(row.flops / 1e9)));
    fact("bytes", format!("{} MB at least", digits(row.bytes / 1e6)));
    fact("intensity", format!("{} flop a byte", digits(row.flops / row.bytes)));
    fact("bound by arithmetic", bound(roofline.compute.as_ref(), "flop/s"));
    fact("bound by memory", bound(roofline.memory.as_ref(), "B/s"));
    if let (Some(compute), Some(memory)) = (&roofline.compute, &roofline.memory) {
        let in_turn = compute.seconds + memory.seconds;
        let taken =
            row.median_s.map_or(String::new(), |median| format!(": it takes {} of that", percent(median / in_turn)));
        fact("one after the other", format!("{} if neither hid behind the other{taken}", seconds(in_turn)));
    }
    if let Some(median) = row.median_s {
        let interval = row.ci95_s.map_or(String::new(), |[a, b]| format!(" (95 %: {} to {})", seconds(a), seconds(b)));
        fact("median", format!("{}{interval}, {} of {} launches", seconds(median), counted(row), row.launches));
        fact("rate", format!("{}, {}", rate(row.flops / median, "flop/s"), rate(row.bytes / median, "B/s")));
    }
    row.error_ratio.iter().for_each(|r| fact("check", format!("worst error is {} of its bound", digits(*r))));
    evidence::evidence(row).into_iter().for_each(|(name, value)| fact(name, value));
    row.warnings.iter().for_each(|w| fact("warning", w.to_string()));
    Explanation { facts, verdict: verdict(row, &roofline) }
}

fn roofline(row: &Row, header: &RunHeader) -> Roofline {
    let arithmetic = |l: &&MeasuredLimit| l.unit == "flop/s" && l.device == row.device && fits(l, row);
    let named = row.limit.as_deref().filter(|l| !l.starts_with("read_"));
    // A row that memory bounds does not name its arithmetic's limit: the least one of its type is the nearest thing.
    let of_type = || header.limits.iter().filter(arithmetic).filter(|l| l.limit.ends_with(&row.dtype.to_string()));
    let any = || header.limits.iter().find(|l| arithmetic(l) && l.limit == "fma_f32");
    let guess = of_type().min_by(|a, b| a.per_second.total_cmp(&b.per_second)).or_else(any);
    let compute = named.or(guess.map(|l| l.limit.as_str()));
    Roofline::of(&Demand::of(row, compute), &header.limits, &header.environment.caches_bytes)
}

fn fits(limit: &MeasuredLimit, row: &Row) -> bool {
    row.threads.is_none_or(|t| t == limit.threads)
}

fn bound(bound: Option<&Bound>, unit: &str) -> String {
    bound.map_or("not measured".into(), |b| {
        format!("{} at the measured {} of {}", seconds(b.seconds), b.limit, rate(b.per_second, unit))
    })
}

fn verdict(row: &Row, roofline: &Roofline) -> String {
    if row.status != Status::Ok {
        let status = format!("{:?}", row.status).to_lowercase();
        return format!("{status}: {}", row.reason.as_deref().unwrap_or("no reason given"));
    }
    let (Some(binding), Some(share), Some(limit)) = (roofline.binding(), row.share, &row.limit) else {
        return "no share: the limit that bounds this row was not measured in its run".into();
    };
    let what = if limit.starts_with("read_") { "memory traffic" } else { "arithmetic" };
    let least = seconds(binding.seconds);
    let rest = if share > 1.0 {
        "more than the measured limit: the limit or the model is wrong".to_owned()
    } else if share > 0.8 {
        "close to the limit: only less work or another algorithm would be much faster".to_owned()
    } else {
        format!("up to {} × faster before {limit} stops it", digits(1.0 / share))
    };
    format!("{what} bounds it: {limit} allows {least}, and it reaches {} of that; {rest}", percent(share))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::store::read_run;

    #[test]
    fn a_row_that_hides_nothing_takes_its_arithmetic_and_its_memory_one_after_the_other() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runs/run-v2.jsonl");
        let run = read_run(&path).expect("a run");
        let mut row = run.rows.iter().find(|row| row.share.is_some()).expect("a row with a limit").clone();
        let bounds = roofline(&row, &run.header);
        let in_turn: f64 =
            [&bounds.compute, &bounds.memory].map(|bound| bound.as_ref().expect("measured").seconds).iter().sum();
        (row.median_s, row.batch) = (Some(in_turn), 3);
        let facts = explain(&row, &run.header).facts;
        let fact = |name: &str| facts.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
        assert!(fact("one after the other").is_some_and(|text| text.ends_with("it takes 100 % of that")), "{facts:?}");
        assert_eq!(fact("batch"), Some("3 products"));
    }
}
