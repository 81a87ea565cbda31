//! Rows as tables: measured ones together, software, simulated and fake ones each on their own.

use std::collections::BTreeMap;

use super::{Align, Table, digits, percent, seconds};
use crate::record::{Kind, Packing, Row, Status};

const KINDS: [(Kind, &str); 4] = [
    (Kind::Measured, "Measured"),
    (Kind::Software, "SOFTWARE DEVICE: right results, and no speed of a GPU"),
    (Kind::Simulated, "SIMULATED: a model's predictions"),
    (Kind::Fake, "FAKE: a test double"),
];

const LEGEND: &str = "median of a launch ± half its 95 % interval · rate: GFLOP/s (of integers GOP/s), or GB/s where \
                      memory bounds · share: of the limit named, measured in this run\ncheck: worst error over its derived bound, before and after timing \
                      · id: for `farthing explain ID`";

/// One table for each kind of result; `peers` are backends to compare with, one column each.
pub fn row_tables(rows: &[Row], peers: &[String]) -> Vec<Table> {
    let of_kind = |kind| rows.iter().filter(|r| r.kind == kind).collect::<Vec<_>>();
    KINDS
        .iter()
        .map(|(kind, title)| (title, of_kind(*kind)))
        .filter(|(_, rows)| !rows.is_empty())
        .map(|(title, own)| table(title, &own, rows, peers))
        .collect()
}

fn table(title: &str, own: &[&Row], all: &[Row], peers: &[String]) -> Table {
    let devices = devices_short(own);
    let one_device = devices.len() == 1;
    let title = if one_device { format!("{title} · {}", own[0].device) } else { title.to_owned() };
    let mut columns = vec![("case", Align::Left), ("dtype", Align::Left), ("backend", Align::Left)];
    if !one_device {
        columns.push(("device", Align::Left));
    }
    columns.extend([("thr", Align::Right), ("data", Align::Left), ("median", Align::Right), ("±", Align::Right)]);
    columns.extend([
        ("rate", Align::Right),
        ("share", Align::Right),
        ("of limit", Align::Left),
        ("check", Align::Right),
    ]);
    let versus: Vec<String> = peers.iter().map(|p| format!("vs {p}")).collect();
    columns.extend(versus.iter().map(|v| (v.as_str(), Align::Right)));
    columns.push(("id", Align::Left));
    let mut table = Table::new(title, &columns);
    for row in own {
        let mut cells = vec![case_cell(row), row.dtype.to_string(), row.backend.clone()];
        if !one_device {
            cells.push(devices[&row.device].clone());
        }
        cells.extend(numbers(row));
        cells.extend(peers.iter().map(|peer| ratio(row, peer, all)));
        cells.push(row.id.clone());
        table.row(cells);
    }
    table.note(LEGEND);
    explain(&mut table, own);
    table
}

/// Operation, shape and what else sets the case apart, element type aside.
pub(crate) fn case_cell(row: &Row) -> String {
    let variant = row.variant();
    let batch = if row.batch > 1 { format!(" b{}", row.batch) } else { String::new() };
    let out = if row.out_dtype == row.dtype || row.out_dtype == farthing_kernels::DType::F32 {
        String::new()
    } else {
        format!(" → {}", row.out_dtype)
    };
    format!("{} {} {variant}{batch}{out}", row.op, row.shape)
}

/// Threads, operands, median or status, ± of it, rate, share, limit, check.
pub(crate) fn numbers(row: &Row) -> [String; 8] {
    let threads = row.threads.map_or("-".into(), |t| t.to_string());
    let data = format!("{:?}", row.temperature).to_lowercase();
    let (Some(median), Status::Ok) = (row.median_s, row.status) else {
        let status = format!("{:?}", row.status).to_uppercase();
        let check = row.error_ratio.map_or("-".into(), digits);
        return [threads, data, status, "-".into(), "-".into(), "-".into(), "-".into(), check];
    };
    let spread = row.ci95_s.map_or("-".into(), |[low, high]| percent((high - low) / 2.0 / median));
    let small = |r: f64| if r > 0.0 && r < 0.001 { "< 0.001".to_owned() } else { digits(r) };
    let check = row.error_ratio.map_or("-".into(), small);
    let share = row.share.map_or("-".into(), percent);
    let limit = row.limit.clone().unwrap_or_else(|| "-".into());
    [threads, data, seconds(median), spread, rate_cell(row), share, limit, check]
}

fn rate_cell(row: &Row) -> String {
    let memory_bound = row.limit.as_deref().is_some_and(|l| l.starts_with("read_"));
    match (memory_bound, row.gbps, row.gflops) {
        (true, Some(gbps), _) => format!("{} GB/s", digits(gbps)),
        (_, _, Some(gops)) if row.dtype.is_integer() => format!("{} GOP/s", digits(gops)),
        (_, _, Some(gflops)) => format!("{} GFLOP/s", digits(gflops)),
        _ => "-".into(),
    }
}

/// How many times faster the row is than the peer's row of the same case, at as many threads where there is one.
fn ratio(row: &Row, peer: &str, all: &[Row]) -> String {
    if row.backend == peer {
        return "1".into();
    }
    let beside = || all.iter().filter(|other| other.backend == peer && same_case(other, row));
    let other = beside().find(|other| other.threads == row.threads).or_else(|| beside().next());
    let medians = other.and_then(|other| Some((row.median_s?, other.median_s?)));
    medians.map_or("-".into(), |(own, other)| format!("{} ×", digits(other / own)))
}

/// Whether two rows are of one case, kind of evidence, device and clock, whatever their backends and threads.
pub(super) fn same_case(a: &Row, b: &Row) -> bool {
    a.kind == b.kind
        && (&a.op, &a.shape, a.dtype, a.out_dtype, &a.layout, &a.mask, a.batch)
            == (&b.op, &b.shape, b.dtype, b.out_dtype, &b.layout, &b.mask, b.batch)
        && (&a.device, a.temperature, &a.clock) == (&b.device, b.temperature, &b.clock)
}

/// Reasons and warnings, each once with the rows it is about.
fn explain(table: &mut Table, rows: &[&Row]) {
    let mut about: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for row in rows {
        for warning in &row.warnings {
            about.entry(warning.to_string()).or_default().push(&row.id);
        }
        if let Some(reason) = &row.reason {
            let status = format!("{:?}", row.status).to_lowercase();
            about.entry(format!("{status}: {reason}")).or_default().push(&row.id);
        }
        if let Some(packing) = &row.packing {
            about.entry(format!("weights packed once, {}", packed(packing))).or_default().push(&row.id);
        }
    }
    for (text, ids) in about {
        let which = if ids.len() == rows.len() && rows.len() > 1 { "all rows".to_owned() } else { ids.join(", ") };
        table.note(format!("{which}: {text}"));
    }
}

/// What packing took, apart from the launches.
pub(crate) fn packed(packing: &Packing) -> String {
    let megabytes = digits(packing.bytes as f64 / 1e6);
    format!("to {megabytes} MB in {}, outside of the times", seconds(packing.seconds))
}

/// Short names of the devices of these rows, by full name: enough to tell them apart in a column.
pub fn devices_short(rows: &[&Row]) -> BTreeMap<String, String> {
    const WIDTH: usize = 24;
    let short = |name: &str| {
        let kept: String = name.chars().take(WIDTH).collect();
        if kept.len() < name.len() { format!("{}…", kept.trim_end()) } else { kept }
    };
    rows.iter().map(|r| (r.device.clone(), short(&r.device))).collect()
}
