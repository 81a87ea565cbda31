//! Throughput by threads, of cases that were measured at several counts.

use super::card::Card;
use super::sheet::{Level, Sheet, Stroke};
use super::theme;
use super::{ChartError, Figure, KINDS, has_time, run_caption, stamp, word};
use crate::record::{Kind, MeasuredLimit, Row, RunHeader};
use crate::report::{Align, Table, case_cell, digits};
use farthing_kernels::DType;

/// What the figure shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Threads {
    /// Panels in reading order, measured ones first.
    pub panels: Vec<Panel>,
    /// Machine, run and commit.
    pub caption: String,
}

/// Cases that share an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// What stands behind every row of it.
    pub kind: Kind,
    /// Backend and device.
    pub backend: String,
    /// Device as the backend names it.
    pub device: String,
    /// Operation.
    pub op: String,
    /// Element type of the inputs.
    pub dtype: DType,
    /// Whether memory binds at the most threads: then GB/s, else GFLOP/s.
    pub is_memory_bound: bool,
    /// The limit that binds at the most threads and its value there, in the panel's unit.
    pub limit: Option<(String, f64)>,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One case at several thread counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What it is.
    pub case: String,
    /// Threads, throughput in the panel's unit, and the low and high end of its 95 % interval; sorted by threads.
    pub points: Vec<[f64; 4]>,
    /// Ids of the rows.
    pub rows: Vec<String>,
}

/// Panels of a run.
///
/// # Errors
/// [`ChartError::Empty`] when no case was measured at two thread counts.
pub fn series(header: &RunHeader, rows: &[Row]) -> Result<Threads, ChartError> {
    let mut panels: Vec<Panel> = Vec::new();
    let is_usable = |row: &&Row| has_time(row) && row.threads.is_some_and(|threads| threads > 0);
    for kind in KINDS {
        let mut left: Vec<&Row> = rows.iter().filter(|row| row.kind == kind).filter(is_usable).collect();
        while let Some(first) = left.first().copied() {
            let (mut own, others): (Vec<&Row>, Vec<&Row>) = left.into_iter().partition(|row| same_case(first, row));
            left = others;
            own.sort_by_key(|row| row.threads);
            own.dedup_by_key(|row| row.threads);
            if own.len() > 1 {
                add(&mut panels, &own, &header.limits);
            }
        }
    }
    if panels.is_empty() {
        let why = "no case of this run was measured at two thread counts: run `farthing run --threads 1,2 --save`";
        return Err(ChartError::Empty(why));
    }
    Ok(Threads { panels, caption: run_caption(header) })
}

/// The same in everything but threads.
fn same_case(a: &Row, b: &Row) -> bool {
    (&a.op, &a.shape, a.dtype, a.out_dtype, &a.layout, &a.mask, a.batch)
        == (&b.op, &b.shape, b.dtype, b.out_dtype, &b.layout, &b.mask, b.batch)
        && (&a.backend, &a.device, a.temperature, &a.clock) == (&b.backend, &b.device, b.temperature, &b.clock)
}

fn add(panels: &mut Vec<Panel>, own: &[&Row], limits: &[MeasuredLimit]) {
    let Some(last) = own.last() else { return };
    let is_memory_bound = last.limit.as_deref().is_some_and(|limit| limit.starts_with("read_"));
    let case = case(own, is_memory_bound);
    if case.points.len() < 2 {
        return;
    }
    let same = |panel: &&mut Panel| {
        (panel.kind, &panel.backend, &panel.device, &panel.op) == (last.kind, &last.backend, &last.device, &last.op)
            && (panel.dtype, panel.is_memory_bound) == (last.dtype, is_memory_bound)
    };
    match panels.iter_mut().find(same) {
        Some(panel) => panel.cases.push(case),
        None => panels.push(Panel {
            kind: last.kind,
            backend: last.backend.clone(),
            device: last.device.clone(),
            op: last.op.clone(),
            dtype: last.dtype,
            is_memory_bound,
            limit: limit(last, limits),
            cases: vec![case],
        }),
    }
}

fn case(own: &[&Row], is_memory_bound: bool) -> Case {
    let (mut points, mut ids) = (Vec::new(), Vec::new());
    for row in own {
        let (Some(threads), Some(median)) = (row.threads, row.median_s) else { continue };
        let [fast, slow] = row.ci95_s.unwrap_or([median, median]);
        let work = if is_memory_bound { row.bytes } else { row.flops } / 1e9;
        let point = [threads as f64, work / median, work / slow.max(median), work / fast.min(median)];
        if point.iter().all(|x| x.is_finite() && *x > 0.0) {
            points.push(point);
            ids.push(row.id.clone());
        }
    }
    let data = own.first().map_or(String::new(), |row| format!("{}, {}", case_cell(row), word(row.temperature)));
    Case { case: data, points, rows: ids }
}

/// The limit that a row names, at its threads.
fn limit(row: &Row, limits: &[MeasuredLimit]) -> Option<(String, f64)> {
    let own = limits.iter().find(|limit| {
        limit.device == row.device && Some(&limit.limit) == row.limit.as_ref() && Some(limit.threads) == row.threads
    })?;
    let value = own.per_second / 1e9;
    (value.is_finite() && value > 0.0).then(|| (own.limit.clone(), value))
}

const TITLE: &str = "Throughput by threads";
const NOTE: &str = "median and 95 % interval; dashed across: the limit measured with the most threads";
const PANEL: (i32, i32) = (600, 330);
/// Pixels for the names of cases.
const NAMES: i32 = 280;

/// Draws two panels abreast.
///
/// # Errors
/// [`ChartError::Draw`].
pub fn figure(threads: &Threads) -> Result<Figure, ChartError> {
    let alt = alt(threads);
    let sheets: Vec<Sheet> = threads.panels.iter().map(sheet).collect();
    let abreast = sheets.len().min(2) as i32;
    let rows = (sheets.len() as i32 + abreast - 1) / abreast;
    let card = Card {
        title: TITLE,
        note: NOTE,
        caption: &threads.caption,
        alt: &alt,
        size: (PANEL.0 * abreast, PANEL.1 * rows),
    };
    let svg = card.svg(|canvas, (left, top, ..)| {
        sheets.iter().enumerate().try_for_each(|(idx, sheet)| {
            let (column, row) = (idx as i32 % abreast, idx as i32 / abreast);
            let (l, t) = (left + PANEL.0 * column, top + PANEL.1 * row);
            canvas.sheet(sheet, (l, t, l + PANEL.0, t + PANEL.1))
        })
    })?;
    let (title, caption) = (TITLE.into(), threads.caption.clone());
    Ok(Figure { name: "threads", title, alt, caption, svg, table: table(threads) })
}

fn unit(panel: &Panel) -> &'static str {
    if panel.is_memory_bound { "GB/s" } else { "GFLOP/s" }
}

fn sheet(panel: &Panel) -> Sheet {
    let stroke = |(idx, case): (usize, &Case)| Stroke {
        name: case.case.trim_start_matches(panel.op.as_str()).trim().to_string(),
        series: theme::nth(idx),
        points: case.points.clone(),
        dashed: panel.kind != Kind::Measured,
        open_marks: idx >= theme::SERIES.len(),
    };
    let level =
        |(name, value): &(String, f64)| Level { name: format!("limit {name}"), series: theme::OTHER, value: *value };
    Sheet {
        title: format!("{} {} on {}, {}", panel.op, panel.dtype, panel.backend, panel.device),
        subtitle: unit(panel).into(),
        x_name: "threads".into(),
        names: NAMES,
        strokes: panel.cases.iter().enumerate().map(stroke).collect(),
        levels: panel.limit.iter().map(level).collect(),
        stamp: stamp(panel.kind),
    }
}

fn alt(threads: &Threads) -> String {
    let gain = |case: &Case| {
        let ends = case.points.first().zip(case.points.last())?;
        Some((ends.1[1] / ends.0[1], ends.0[0], ends.1[0]))
    };
    let gains: Vec<(f64, f64, f64)> =
        threads.panels.iter().flat_map(|panel| panel.cases.iter().filter_map(gain)).collect();
    let least = gains.iter().min_by(|a, b| a.0.total_cmp(&b.0));
    let most = gains.iter().max_by(|a, b| a.0.total_cmp(&b.0));
    let told = least.zip(most).map_or(String::new(), |(least, most)| {
        let (low, high) = (digits(least.0), digits(most.0));
        format!(" {} cases gain from {low} to {high} times from {} to {} threads.", gains.len(), most.1, most.2)
    });
    format!("Throughput against threads.{told}")
}

fn table(threads: &Threads) -> Table {
    let columns = [
        ("backend", Align::Left),
        ("kind", Align::Left),
        ("case", Align::Left),
        ("dtype", Align::Left),
        ("threads", Align::Right),
        ("throughput", Align::Right),
        ("low", Align::Right),
        ("high", Align::Right),
        ("unit", Align::Left),
        ("row", Align::Left),
    ];
    let mut table = Table::new(TITLE, &columns);
    for panel in &threads.panels {
        for case in &panel.cases {
            for ([count, value, low, high], id) in case.points.iter().zip(&case.rows) {
                let mut cells =
                    vec![panel.backend.clone(), word(panel.kind), case.case.clone(), panel.dtype.to_string()];
                cells.extend([count.to_string(), digits(*value), digits(*low), digits(*high), unit(panel).into()]);
                cells.push(id.clone());
                table.row(cells);
            }
        }
    }
    table
}

#[cfg(test)]
mod tests;
