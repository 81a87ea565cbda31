//! What a row brings to be believed, in words.

use crate::record::{Energy, Proof, Row, Surroundings};
use crate::report::{digits, percent};

/// Names and values; nothing for rows from before schema 2.
pub(super) fn evidence(row: &Row) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    facts.extend(row.proof.as_ref().map(|proof| ("proof", proven(proof))));
    let outliers = row.outliers.map(|o| format!("{} fast, {} slow of {} samples", o.low, o.high, row.samples_s.len()));
    facts.extend(outliers.map(|text| ("outliers", text)));
    facts.extend(row.surroundings.as_ref().map(|seen| ("meanwhile", meanwhile(seen))));
    facts.extend(row.energy.as_ref().map(|energy| ("energy", spent(energy))));
    facts.extend(row.key.as_ref().map(|key| ("key", key.clone())));
    facts
}

fn proven(proof: &Proof) -> String {
    let seeds: Vec<String> = proof.seeds.iter().map(u64::to_string).collect();
    let repeats = if proof.repeatable { "the same bits again" } else { "OTHER BITS the second time" };
    format!(
        "{} of the bound before timing (seeds {}), {} after it (seed {}), {repeats}; {} operand sets, {} of the rows \
         compared; bound {}",
        digits(proof.ratio_before),
        seeds.join(", "),
        digits(proof.ratio_after),
        proof.fresh_seed,
        proof.sets,
        percent(proof.checked_share),
        proof.bound
    )
}

fn meanwhile(seen: &Surroundings) -> String {
    let cpus = |x: Option<f64>| x.map_or("unknown".to_owned(), |x| format!("{x:.2} CPUs"));
    let own = seen.launching_s.map_or(String::new(), |launching_s| {
        format!(", {} of the time in our own code", percent((1.0 - launching_s / seen.window_s).max(0.0)))
    });
    let breadth = seen.breadth.map_or(String::new(), |breadth| {
        format!(", of a core there was {} of the best", percent(breadth.usual / breadth.best))
    });
    format!(
        "others busy {}, stolen {}, pace of a CPU {} of what it was{breadth}{own}",
        cpus(seen.others_cpus),
        cpus(seen.stolen_cpus),
        percent(seen.pace_after / seen.pace_before)
    )
}

fn spent(energy: &Energy) -> String {
    match energy.joules {
        Some(joules) => format!("{} J a launch ({})", digits(joules), energy.source),
        None => format!("unknown: {}", energy.source),
    }
}
