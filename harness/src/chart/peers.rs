//! One backend against others: ratios of medians of the same case in the same run, a dot a shape.

use super::axis::{Scale, short};
use super::card::Card;
use super::ladder::{Ladder, Rung, height};
use super::theme;
use super::{ChartError, Figure, KINDS, has_time, run_caption, stamp, word};
use crate::record::{Kind, Row, RunHeader};
use crate::report::{Align, Table, case_cell, digits};

/// What the figure shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Peers {
    /// The backend that is compared with all others.
    pub ours: String,
    /// One a device and kind of evidence, measured ones first.
    pub panels: Vec<Panel>,
    /// Machine, run and commit.
    pub caption: String,
}

/// Cases of one device.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// What stands behind every row of it.
    pub kind: Kind,
    /// The device.
    pub device: String,
    /// Cases, the largest ratio first.
    pub ratios: Vec<Ratio>,
}

/// A case on two backends.
#[derive(Clone, Debug, PartialEq)]
pub struct Ratio {
    /// The case, its element type, threads and data.
    pub case: String,
    /// The other backend.
    pub peer: String,
    /// Median of the peer over ours: above 1 ours takes less time.
    pub ratio: f64,
    /// The same from the ends of both intervals: at least 90 %.
    pub interval: [f64; 2],
    /// Ids of our row and of the peer's.
    pub rows: [String; 2],
}

/// Ratios of a run. Without `ours`, the backend with most rows of the strongest kind is compared with the others.
///
/// # Errors
/// [`ChartError::Empty`] when no case ran on that backend and on another.
pub fn series(header: &RunHeader, rows: &[Row], ours: Option<&str>) -> Result<Peers, ChartError> {
    let why = "no case of this run was timed on this backend and on another: add a peer, as in `farthing run --backend \
               cpu,naive --save`, or run `cargo bench`";
    let empty = || ChartError::Empty(why);
    let ours = ours.or_else(|| most_rows(rows)).ok_or_else(empty)?.to_string();
    let mut panels: Vec<Panel> = Vec::new();
    for kind in KINDS {
        let of_kind = || rows.iter().filter(|row| row.kind == kind && has_time(row));
        for own in of_kind().filter(|row| row.backend == ours) {
            for peer in of_kind().filter(|row| row.backend != ours && same_case(own, row)) {
                let Some(ratio) = ratio(own, peer) else { continue };
                match panels.iter_mut().find(|panel| panel.kind == kind && panel.device == own.device) {
                    Some(panel) => panel.ratios.push(ratio),
                    None => panels.push(Panel { kind, device: own.device.clone(), ratios: vec![ratio] }),
                }
            }
        }
    }
    if panels.is_empty() {
        return Err(empty());
    }
    for panel in &mut panels {
        panel.ratios.sort_by(|a, b| b.ratio.total_cmp(&a.ratio).then_with(|| a.case.cmp(&b.case)));
    }
    Ok(Peers { ours, panels, caption: run_caption(header) })
}

/// The backend with most rows of the strongest kind that was timed; of equals the first by name.
fn most_rows(rows: &[Row]) -> Option<&str> {
    let kind = rows.iter().filter(|row| has_time(row)).map(|row| row.kind).min()?;
    let timed = || rows.iter().filter(|row| row.kind == kind && has_time(row)).map(|row| row.backend.as_str());
    let count = |name: &str| timed().filter(|backend| *backend == name).count();
    timed().max_by(|a, b| count(a).cmp(&count(b)).then_with(|| b.cmp(a)))
}

fn same_case(a: &Row, b: &Row) -> bool {
    (&a.op, &a.shape, a.dtype, a.out_dtype, &a.layout, &a.mask, a.batch)
        == (&b.op, &b.shape, b.dtype, b.out_dtype, &b.layout, &b.mask, b.batch)
        && (&a.device, a.threads, a.temperature, &a.clock) == (&b.device, b.threads, b.temperature, &b.clock)
}

fn ratio(own: &Row, peer: &Row) -> Option<Ratio> {
    let (ours, theirs) = (own.median_s?, peer.median_s?);
    let point = |row: &Row, median: f64| row.ci95_s.unwrap_or([median, median]);
    let ([fast, slow], [peer_fast, peer_slow]) = (point(own, ours), point(peer, theirs));
    let ratio = theirs / ours;
    let interval = [(peer_fast / slow).min(ratio), (peer_slow / fast).max(ratio)];
    let drawable = [ratio, interval[0], interval[1]].iter().all(|x| x.is_finite() && *x > 0.0);
    let threads = own.threads.map_or(String::new(), |threads| format!(", {threads} thr"));
    let case = format!("{} {}{threads}, {}", case_cell(own), own.dtype, word(own.temperature));
    let rows = [own.id.clone(), peer.id.clone()];
    drawable.then(|| Ratio { case, peer: peer.backend.clone(), ratio, interval, rows })
}

const TITLE: &str = "Against peers";
const WIDTH: i32 = 1000;
/// Title and unit of a panel.
const PANEL_HEAD: i32 = 52;

/// Draws a panel below the other.
///
/// # Errors
/// [`ChartError::Draw`].
pub fn figure(peers: &Peers) -> Result<Figure, ChartError> {
    let alt = alt(peers);
    let note = format!("time of the peer over that of {}, same case and run: right of 1, {0} is faster", peers.ours);
    let heights: Vec<i32> = peers.panels.iter().map(|panel| PANEL_HEAD + height(panel.ratios.len())).collect();
    let size = (WIDTH, heights.iter().sum());
    let names = names(peers);
    let card = Card { title: TITLE, note: &note, caption: &peers.caption, alt: &alt, size };
    let svg = card.svg(|canvas, (left, mut top, right, _)| {
        for (panel, height) in peers.panels.iter().zip(heights) {
            let area = (left, top, right, top + height);
            let unit = format!("medians and their intervals, {} cases", panel.ratios.len());
            canvas.head(&panel.device, &unit, stamp(panel.kind), area)?;
            let rungs: Vec<Rung> = panel.ratios.iter().map(|ratio| rung(ratio, &names, panel.kind)).collect();
            let ladder = Ladder {
                rungs: &rungs,
                scale: Scale::Log,
                range: range(panel),
                format: short,
                x_name: "times as fast as the peer",
                reference: (1.0, "as fast"),
            };
            canvas.ladder(&ladder, (left, top + PANEL_HEAD, right, top + height))?;
            top += height;
        }
        Ok(())
    })?;
    Ok(Figure { name: "peers", title: TITLE.into(), alt, caption: peers.caption.clone(), svg, table: table(peers) })
}

fn names(peers: &Peers) -> Vec<&str> {
    let mut names: Vec<&str> =
        peers.panels.iter().flat_map(|panel| panel.ratios.iter().map(|ratio| ratio.peer.as_str())).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn rung(ratio: &Ratio, names: &[&str], kind: Kind) -> Rung {
    let series = theme::nth(names.iter().position(|name| *name == ratio.peer).unwrap_or(0));
    let figure = theme::Type::Name.clipped(&format!("{} × {}", short(ratio.ratio), ratio.peer), 96);
    let value = [ratio.ratio, ratio.interval[0], ratio.interval[1]];
    Rung { name: ratio.case.clone(), value, series, is_open: kind != Kind::Measured, figure }
}

/// Every interval, and 1.
fn range(panel: &Panel) -> (f64, f64) {
    let ends = panel.ratios.iter().flat_map(|ratio| ratio.interval).chain([1.0]);
    let (low, high) = ends.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), x| (low.min(x), high.max(x)));
    (low / 1.15, high * 1.15)
}

fn alt(peers: &Peers) -> String {
    let told = |panel: &Panel| {
        let faster = panel.ratios.iter().filter(|ratio| ratio.ratio > 1.0).count();
        let ends = panel.ratios.first().zip(panel.ratios.last())?;
        let (least, most) = (digits(ends.1.ratio), digits(ends.0.ratio));
        let count = panel.ratios.len();
        Some(format!("{}: faster in {faster} of {count} cases, from {least} to {most} times", panel.device))
    };
    let told: Vec<String> = peers.panels.iter().filter_map(told).collect();
    format!("Speed of {} against other backends on the same cases. {}.", peers.ours, told.join("; "))
}

fn table(peers: &Peers) -> Table {
    let columns = [
        ("device", Align::Left),
        ("kind", Align::Left),
        ("case", Align::Left),
        ("peer", Align::Left),
        ("times as fast", Align::Right),
        ("low", Align::Right),
        ("high", Align::Right),
        ("row", Align::Left),
        ("row of the peer", Align::Left),
    ];
    let mut table = Table::new(format!("{} against peers", peers.ours), &columns);
    for panel in &peers.panels {
        for ratio in &panel.ratios {
            let mut cells = vec![panel.device.clone(), word(panel.kind), ratio.case.clone(), ratio.peer.clone()];
            cells.extend([ratio.ratio, ratio.interval[0], ratio.interval[1]].map(digits));
            cells.extend(ratio.rows.clone());
            table.row(cells);
        }
    }
    table
}

#[cfg(test)]
mod tests;
