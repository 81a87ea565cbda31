//! Ours against the best peer: case by case, then the geometric mean and the worst of each operation.

use std::collections::BTreeMap;

use super::rows::{case_cell, same_case};
use super::{Align, Table, digits, percent, seconds};
use crate::record::{Kind, Row, Status};

/// The closing table of backends that took turns: each row of ours beside the fastest peer on the same device on as many
/// threads or fewer, and how many times faster ours is.
pub fn against_best(rows: &[Row], peers: &[String]) -> Table {
    let columns = [
        ("case", Align::Left),
        ("dtype", Align::Left),
        ("backend", Align::Left),
        ("thr", Align::Right),
        ("median", Align::Right),
        ("share", Align::Right),
        ("best peer", Align::Left),
        ("its median", Align::Right),
        ("its share", Align::Right),
        ("ratio", Align::Right),
    ];
    let mut table = Table::new("Against the best peer", &columns);
    let mut ratios: BTreeMap<&str, Vec<(f64, String)>> = BTreeMap::new();
    let mut n_alone = 0;
    for own in rows.iter().filter(|row| !peers.contains(&row.backend)) {
        let best = best(own, rows, peers);
        let ratio = own_s(own).zip(best).map(|(own_s, (_, best_s))| best_s / own_s);
        match ratio.filter(|_| own.kind == Kind::Measured) {
            Some(ratio) => ratios.entry(operation(own)).or_default().push((ratio, name(own))),
            None => n_alone += 1,
        }
        table.row(cells(own, best, ratio));
    }
    for operation in ["matmul", "grouped", "prefill", "decode"] {
        ratios.get(operation).into_iter().for_each(|ratios| table.note(summary(operation, ratios)));
    }
    if n_alone > 0 {
        table.note(format!("{n_alone} of {} rows have no peer's time beside a time of their own", table.rows().len()));
    }
    table.note(
        "ratio: the best peer's median over ours, above 1 where ours is faster; same run and device, as many threads or fewer",
    );
    table
}

fn cells(own: &Row, best: Option<(&Row, f64)>, ratio: Option<f64>) -> Vec<String> {
    let dash = || "-".to_owned();
    let share = |row: &Row| row.share.map_or_else(dash, percent);
    let status = || format!("{:?}", own.status).to_uppercase();
    vec![
        case_cell(own),
        own.dtype.to_string(),
        own.backend.clone(),
        own.threads.map_or_else(dash, |t| t.to_string()),
        own_s(own).map_or_else(status, seconds),
        share(own),
        best.map_or_else(dash, |(row, _)| peer(row, own)),
        best.map_or_else(dash, |(_, s)| seconds(s)),
        best.map_or_else(dash, |(row, _)| share(row)),
        ratio.map_or_else(dash, |ratio| format!("{} ×", digits(ratio))),
    ]
}

/// A peer's name, and its threads where they are fewer than ours.
fn peer(row: &Row, own: &Row) -> String {
    let fewer = row.threads.filter(|_| row.threads != own.threads);
    fewer.map_or_else(|| row.backend.clone(), |threads| format!("{} t{threads}", row.backend))
}

/// Median of a row that has a speed.
fn own_s(row: &Row) -> Option<f64> {
    row.median_s.filter(|s| row.status == Status::Ok && *s > 0.0)
}

/// The fastest row of a peer on the same case and device, on as many threads or fewer: whoever has two threads may use one,
/// and a library may be slower on both.
fn best<'r>(own: &Row, rows: &'r [Row], peers: &[String]) -> Option<(&'r Row, f64)> {
    let has_no_more = |row: &Row| match (row.threads, own.threads) {
        (Some(threads), Some(most)) => threads <= most,
        (threads, most) => threads == most,
    };
    let beside = rows.iter().filter(|row| peers.contains(&row.backend) && has_no_more(row) && same_case(row, own));
    beside.filter_map(|row| Some((row, own_s(row)?))).min_by(|a, b| a.1.total_cmp(&b.1))
}

/// What its costs are counted under: attention of one query a head is a step of decoding.
fn operation(row: &Row) -> &str {
    let queries = row.shape.split('x').nth(3);
    match (row.op.as_str(), queries) {
        ("attention", Some("1")) => "decode",
        ("attention", _) => "prefill",
        (op, _) => op,
    }
}

fn name(row: &Row) -> String {
    let threads = row.threads.map_or(String::new(), |t| format!(" t{t}"));
    format!("{} {}{threads}", case_cell(row), row.dtype)
}

/// Geometric mean, for ratios multiply, and the worst with its name.
fn summary(operation: &str, ratios: &[(f64, String)]) -> String {
    let logs: f64 = ratios.iter().map(|(ratio, _)| ratio.ln()).sum();
    let mean = (logs / ratios.len() as f64).exp();
    let worst = ratios.iter().min_by(|a, b| a.0.total_cmp(&b.0));
    let worst = worst.map_or(String::new(), |(ratio, name)| format!(", worst {} × ({name})", digits(*ratio)));
    format!("{operation}: geometric mean {} × of {} rows{worst}", digits(mean), ratios.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::testing::row;

    fn timed(backend: &str, shape: &str, threads: usize, median_s: f64) -> Row {
        let op = if shape.matches('x').count() > 2 { "attention" } else { "matmul" };
        let device = "box".to_owned();
        Row { device, threads: Some(threads), median_s: Some(median_s), ..row(backend, op, shape) }
    }

    #[test]
    fn the_best_peer_is_right_and_has_as_many_threads_or_fewer() {
        let rows = [
            timed("ours", "8x8x8", 1, 2.0),
            timed("ours", "8x8x8", 2, 1.0),
            timed("slow", "8x8x8", 1, 4.0),
            timed("fast", "8x8x8", 1, 1.0),
            timed("slow", "8x8x8", 2, 0.5),
            Row { status: Status::Wrong, ..timed("fast", "8x8x8", 2, 0.1) },
            timed("ours", "9x9x9", 2, 1.0),
            timed("fast", "9x9x9", 1, 1.0),
            timed("slow", "9x9x9", 2, 3.0),
            timed("ours", "1x4x4x1x64x8", 1, 1.0),
        ];
        let table = against_best(&rows, &["slow".into(), "fast".into()]);
        let peers: Vec<&str> = table.rows().iter().map(|cells| cells[6].as_str()).collect();
        assert_eq!(peers, ["fast", "slow", "fast t1", "-"], "a wrong row is no peer, and one thread may beat two");
        // 1/2, 0.5/1 and 1/1: their product is 1/4, whose cube root is 0.630.
        let notes = table.notes().join("\n");
        assert!(notes.contains("matmul: geometric mean 0.630 × of 3 rows, worst 0.500 × (matmul 8x8x8"), "{notes}");
        assert!(notes.contains("1 of 4 rows have no peer's time") && !notes.contains("decode:"), "{notes}");
    }

    #[test]
    fn one_query_is_decode_and_more_are_prefill() {
        assert_eq!(operation(&timed("ours", "1x4x4x1x64x8", 1, 1.0)), "decode");
        assert_eq!(operation(&timed("ours", "1x4x4x64x64x8", 1, 1.0)), "prefill");
        assert_eq!(operation(&timed("ours", "8x8x8", 1, 1.0)), "matmul");
    }
}
