//! What reads more than it computes, as a share of the bandwidth that was measured beside it: decode, vectors, few rows.

use super::axis::Scale;
use super::card::Card;
use super::ladder::{Ladder, Rung, height};
use super::theme;
use super::{ChartError, Figure, KINDS, has_time, run_caption, stamp, word};
use crate::cost::{AttentionShape, MatmulShape};
use crate::record::{Kind, Row, RunHeader};
use crate::report::{Align, Table, case_cell, digits, percent};
use crate::roofline::{Demand, Roofline};
use farthing_kernels::DType;

/// What the figure shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Bandwidth {
    /// One a device and kind of evidence, measured ones first.
    pub panels: Vec<Panel>,
    /// Machine, run and commit.
    pub caption: String,
}

/// Rows of one device.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// What stands behind every row of it.
    pub kind: Kind,
    /// The device.
    pub device: String,
    /// Rows, the largest share first.
    pub shares: Vec<Share>,
}

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// The case, backend and data.
    pub case: String,
    /// Element type of the inputs.
    pub dtype: DType,
    /// The limit that it is a share of, at the row's threads.
    pub limit: String,
    /// Bytes a second that the limit was measured at.
    pub limit_bytes_per_s: f64,
    /// Least bytes of the case over the median.
    pub bytes_per_s: f64,
    /// Share, and the ends of its 95 % interval. Not clamped: above 1 the limit was measured too low.
    pub share: [f64; 3],
    /// Id of the row.
    pub row: String,
}

/// Rows of decode attention and of products with one row, and products that the run's own limits say memory binds; of
/// each case on a backend the one with most threads.
///
/// # Errors
/// [`ChartError::Empty`] when there is none with a measured bandwidth.
pub fn series(header: &RunHeader, rows: &[Row]) -> Result<Bandwidth, ChartError> {
    let mut panels: Vec<Panel> = Vec::new();
    for kind in KINDS {
        let of_kind: Vec<&Row> = rows.iter().filter(|row| row.kind == kind && has_time(row)).collect();
        for row in of_kind.iter().filter(|row| !of_kind.iter().any(|other| has_more_threads(other, row))) {
            let Some(share) = share(header, row) else { continue };
            match panels.iter_mut().find(|panel| panel.kind == kind && panel.device == row.device) {
                Some(panel) => panel.shares.push(share),
                None => panels.push(Panel { kind, device: row.device.clone(), shares: vec![share] }),
            }
        }
    }
    if panels.is_empty() {
        let why = "no row of this run reads more than it computes and has a measured bandwidth beside it: run `farthing \
                   run --suite quick --save` first";
        return Err(ChartError::Empty(why));
    }
    for panel in &mut panels {
        panel.shares.sort_by(|a, b| b.share[0].total_cmp(&a.share[0]).then_with(|| a.case.cmp(&b.case)));
    }
    Ok(Bandwidth { panels, caption: run_caption(header) })
}

/// Whether a row is the same case on the same backend with more threads.
fn has_more_threads(other: &Row, row: &Row) -> bool {
    (&other.op, &other.shape, other.dtype, other.out_dtype, &other.layout, &other.mask, other.batch)
        == (&row.op, &row.shape, row.dtype, row.out_dtype, &row.layout, &row.mask, row.batch)
        && (&other.backend, &other.device, other.temperature) == (&row.backend, &row.device, row.temperature)
        && other.threads > row.threads
}

fn share(header: &RunHeader, row: &Row) -> Option<Share> {
    // A row names the limit that binds it: its arithmetic's, unless memory's binds.
    let compute_limit = row.limit.as_deref().filter(|limit| !limit.starts_with("read_"));
    let demand = Demand::of(row, compute_limit);
    let memory = Roofline::of(&demand, &header.limits, &header.environment.caches_bytes).memory?;
    let is_bound = row.limit.as_deref().is_some_and(|limit| limit.starts_with("read_"));
    if !(is_bound || reads_once(row)) {
        return None;
    }
    let median = row.median_s?;
    let [fast, slow] = row.ci95_s.unwrap_or([median, median]);
    let share = [median, slow.max(median), fast.min(median)].map(|time| row.bytes / time / memory.per_second);
    let threads = row.threads.map_or(String::new(), |threads| format!(", {threads} thr"));
    let case = format!("{} {}{threads}, {}, {}", case_cell(row), row.dtype, word(row.temperature), row.backend);
    share.iter().all(|x| x.is_finite() && *x > 0.0).then(|| Share {
        case,
        dtype: row.dtype,
        limit: memory.limit.clone(),
        limit_bytes_per_s: memory.per_second,
        bytes_per_s: row.bytes / median,
        share,
        row: row.id.clone(),
    })
}

/// Attention of one position, or a product with one row: every byte is used once or a few times.
fn reads_once(row: &Row) -> bool {
    match row.op.as_str() {
        "attention" => AttentionShape::of_row(row).is_ok_and(|shape| shape.sq == 1.0),
        "matmul" => MatmulShape::of_row(row).is_ok_and(|shape| shape.m == 1.0),
        _ => false,
    }
}

const TITLE: &str = "Share of the measured bandwidth";
const NOTE: &str = "decode attention, matrix times vector, and products that memory binds: least bytes over the median, \
                    and its 95 % interval";
const WIDTH: i32 = 1000;
const PANEL_HEAD: i32 = 52;

/// Draws a panel below the other.
///
/// # Errors
/// [`ChartError::Draw`].
pub fn figure(bandwidth: &Bandwidth) -> Result<Figure, ChartError> {
    let alt = alt(bandwidth);
    let heights: Vec<i32> = bandwidth.panels.iter().map(|panel| PANEL_HEAD + height(panel.shares.len())).collect();
    let size = (WIDTH, heights.iter().sum());
    let card = Card { title: TITLE, note: NOTE, caption: &bandwidth.caption, alt: &alt, size };
    let svg = card.svg(|canvas, (left, mut top, right, _)| {
        for (panel, height) in bandwidth.panels.iter().zip(heights) {
            let area = (left, top, right, top + height);
            canvas.head(&panel.device, "percent of the limit at the row's threads", stamp(panel.kind), area)?;
            let rungs: Vec<Rung> = panel.shares.iter().map(|share| rung(share, panel)).collect();
            let most = panel.shares.iter().map(|share| share.share[2]).fold(1.0, f64::max);
            let ladder = Ladder {
                rungs: &rungs,
                scale: Scale::Linear,
                range: (0.0, most * 1.05),
                format: |share| format!("{:.0}", 100.0 * share),
                x_name: "% of the measured bandwidth",
                reference: (1.0, "measured limit"),
            };
            canvas.ladder(&ladder, (left, top + PANEL_HEAD, right, top + height))?;
            top += height;
        }
        Ok(())
    })?;
    let (title, caption) = (TITLE.into(), bandwidth.caption.clone());
    Ok(Figure { name: "bandwidth", title, alt, caption, svg, table: table(bandwidth) })
}

fn rung(share: &Share, panel: &Panel) -> Rung {
    let mut dtypes: Vec<String> = panel.shares.iter().map(|share| share.dtype.to_string()).collect();
    dtypes.sort_unstable();
    dtypes.dedup();
    let idx = dtypes.iter().position(|dtype| *dtype == share.dtype.to_string()).unwrap_or(0);
    Rung {
        name: share.case.clone(),
        value: share.share,
        series: theme::nth(idx),
        is_open: panel.kind != Kind::Measured,
        figure: format!("{} {}", percent(share.share[0]), share.limit.trim_start_matches("read_")),
    }
}

fn alt(bandwidth: &Bandwidth) -> String {
    let told = |panel: &Panel| {
        let (best, worst) = panel.shares.first().zip(panel.shares.last())?;
        let (low, high) = (percent(worst.share[0]), percent(best.share[0]));
        Some(format!("{}: {} rows from {low} to {high}", panel.device, panel.shares.len()))
    };
    let told: Vec<String> = bandwidth.panels.iter().filter_map(told).collect();
    format!("Share of the measured memory bandwidth that memory-bound kernels reach. {}.", told.join("; "))
}

fn table(bandwidth: &Bandwidth) -> Table {
    let columns = [
        ("device", Align::Left),
        ("kind", Align::Left),
        ("case", Align::Left),
        ("share", Align::Right),
        ("low", Align::Right),
        ("high", Align::Right),
        ("GB/s", Align::Right),
        ("limit", Align::Left),
        ("limit GB/s", Align::Right),
        ("row", Align::Left),
    ];
    let mut table = Table::new(TITLE, &columns);
    for panel in &bandwidth.panels {
        for share in &panel.shares {
            let mut cells = vec![panel.device.clone(), word(panel.kind), share.case.clone()];
            cells.extend(share.share.map(percent));
            cells.extend([digits(share.bytes_per_s / 1e9), share.limit.clone(), digits(share.limit_bytes_per_s / 1e9)]);
            cells.push(share.row.clone());
            table.row(cells);
        }
    }
    table
}

#[cfg(test)]
mod tests;
