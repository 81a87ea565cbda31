//! Every row at its intensity and rate, under the limits that its run measured: Williams, Waterman & Patterson 2009.

use super::axis::{Scale, short, spread};
use super::canvas::{Area, Canvas, Fill, Hang};
use super::card::Card;
use super::label::Labels;
use super::names::End;
use super::plot::{Plot, Span};
use super::theme::{self, CARD, INK, Mark, OTHER, SERIES, Series, Type, WASH};
use super::{ChartError, Figure, KINDS, has_time, run_caption, stamp, word};
use crate::record::{Kind, MeasuredLimit, Row, RunHeader};
use crate::report::{Align, Table, digits, rate};
use farthing_kernels::DType;

/// What the figure shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Roofline {
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
    /// Its limits, each at the most threads it was measured with.
    pub roofs: Vec<MeasuredLimit>,
    /// Its rows.
    pub points: Vec<Point>,
}

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Id of the row.
    pub row: String,
    /// Backend.
    pub backend: String,
    /// `matmul`, `attention`, ...
    pub op: String,
    /// Sizes.
    pub shape: String,
    /// Element type of the inputs.
    pub dtype: DType,
    /// Threads that took part.
    pub threads: Option<usize>,
    /// Useful operations a byte that must be moved.
    pub intensity: f64,
    /// Operations a second: the work over the median.
    pub flops_per_s: f64,
}

impl Panel {
    /// Whether a row had fewer threads than the limits that are drawn.
    fn has_fewer_threads(&self, point: &Point) -> bool {
        let most = self.roofs.iter().map(|roof| roof.threads).max();
        point.threads.zip(most).is_some_and(|(own, most)| own < most)
    }
}

/// Panels of a run.
///
/// # Errors
/// [`ChartError::Empty`] when no row is right and timed.
pub fn series(header: &RunHeader, rows: &[Row]) -> Result<Roofline, ChartError> {
    let mut panels: Vec<Panel> = Vec::new();
    for kind in KINDS {
        for row in rows.iter().filter(|row| row.kind == kind && has_time(row)) {
            let Some(point) = point(row) else { continue };
            match panels.iter_mut().find(|panel| panel.kind == kind && panel.device == row.device) {
                Some(panel) => panel.points.push(point),
                None => panels.push(Panel {
                    kind,
                    device: row.device.clone(),
                    roofs: roofs(&row.device, &header.limits),
                    points: vec![point],
                }),
            }
        }
    }
    if panels.is_empty() {
        let why = "no row of this run is right and timed, so no kernel can be placed under the limits: run \
                   `farthing run --suite quick --save` first";
        return Err(ChartError::Empty(why));
    }
    Ok(Roofline { panels, caption: run_caption(header) })
}

fn point(row: &Row) -> Option<Point> {
    let point = Point {
        row: row.id.clone(),
        backend: row.backend.clone(),
        op: row.op.clone(),
        shape: row.shape.clone(),
        dtype: row.dtype,
        threads: row.threads,
        intensity: row.flops / row.bytes,
        flops_per_s: row.flops / row.median_s?,
    };
    [point.intensity, point.flops_per_s].iter().all(|x| x.is_finite() && *x > 0.0).then_some(point)
}

/// Limits of a device, each at the most threads.
fn roofs(device: &str, limits: &[MeasuredLimit]) -> Vec<MeasuredLimit> {
    let mut roofs: Vec<MeasuredLimit> = Vec::new();
    for limit in limits.iter().filter(|l| l.device == device && l.per_second.is_finite() && l.per_second > 0.0) {
        match roofs.iter_mut().find(|known| known.limit == limit.limit) {
            Some(known) if known.threads < limit.threads => *known = limit.clone(),
            Some(_) => {}
            None => roofs.push(limit.clone()),
        }
    }
    roofs
}

const TITLE: &str = "Roofline";
const NOTE: &str = "each row at useful operations a byte and achieved rate, under the limits measured in the same run; \
                    hollow: fewer threads than the limits";
const WIDTH: i32 = 1000;
const HEIGHT: i32 = 520;
/// Pixels for the names of level limits.
const NAMES: i32 = 190;

/// Draws a panel below the other.
///
/// # Errors
/// [`ChartError::Draw`].
pub fn figure(roofline: &Roofline) -> Result<Figure, ChartError> {
    let alt = alt(roofline);
    let size = (WIDTH, HEIGHT * roofline.panels.len() as i32);
    let card = Card { title: TITLE, note: NOTE, caption: &roofline.caption, alt: &alt, size };
    let svg = card.svg(|canvas, (left, top, right, _)| {
        roofline.panels.iter().enumerate().try_for_each(|(idx, panel)| {
            let top = top + HEIGHT * idx as i32;
            draw(canvas, panel, (left, top, right, top + HEIGHT))
        })
    })?;
    let (title, caption) = (TITLE.into(), roofline.caption.clone());
    Ok(Figure { name: "roofline", title, alt, caption, svg, table: table(roofline) })
}

fn draw(canvas: &Canvas<'_>, panel: &Panel, area: Area) -> Result<(), ChartError> {
    let threads = panel.roofs.iter().map(|roof| roof.threads).max().filter(|threads| *threads > 1);
    let unit = threads.map_or("GFLOP/s".to_string(), |threads| format!("GFLOP/s; limits with up to {threads} threads"));
    canvas.head(&panel.device, &unit, stamp(panel.kind), area)?;
    let (left, top, right, bottom) = area;
    let within = (left + 64, top + 58, right - NAMES, bottom - 46);
    let (x, y) = spans(panel);
    let plot = Plot::new(canvas, within, (&x, &y), "useful operations a byte (FLOP/B)")?;
    roof_lines(canvas, panel, &plot, (within, x.range, y.range))?;
    let mut labels = Labels::within(within);
    for point in &panel.points {
        labels.keep(plot.at(point.intensity, point.flops_per_s / 1e9));
    }
    for roof in panel.roofs.iter().filter(|roof| roof.unit != "B/s") {
        labels.keep_line(plot.at(x.range.0, roof.per_second / 1e9), within.2);
    }
    // Those of fewer threads lie below.
    for fewer in [true, false] {
        for point in panel.points.iter().filter(|point| panel.has_fewer_threads(point) == fewer) {
            canvas.mark(plot.at(point.intensity, point.flops_per_s / 1e9), look(panel, point), fewer)?;
        }
    }
    for best in best_of_groups(panel) {
        let name = format!("{} {} {}", best.op, best.dtype, short(best.flops_per_s / 1e9));
        let at = plot.at(best.intensity, best.flops_per_s / 1e9);
        if let Some((to, hang)) = labels.place(&name, Type::Name, at) {
            canvas.lead(&[at, to], look(panel, best).paint)?;
            canvas.text(&name, to, hang, (Type::Name, look(panel, best).text))?;
        }
    }
    Ok(())
}

/// Both axes hold every row, and the ridge: where the fastest memory meets the fastest arithmetic.
fn spans(panel: &Panel) -> (Span, Span) {
    let greatest = |unit: &str| {
        let of_unit = panel.roofs.iter().filter(|roof| roof.unit == unit).map(|roof| roof.per_second);
        of_unit.max_by(f64::total_cmp)
    };
    let compute = greatest("flop/s");
    let ridge = compute.zip(greatest("B/s")).map(|(flops, bytes)| flops / bytes);
    let over = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), x| (low.min(x), high.max(x)))
    };
    let (x0, x1) = over(&mut panel.points.iter().map(|point| point.intensity).chain(ridge));
    let (y0, y1) = over(&mut panel.points.iter().map(|point| point.flops_per_s).chain(compute));
    let span = |range| Span::new(Scale::Log, range);
    (span((x0 / 2.0, x1 * 2.5)), span((y0 / 1.6e9, y1 * 1.6 / 1e9)))
}

/// Slanted: bytes a second times intensity; level: operations a second. Each ends where it meets the uppermost other.
/// Level ones are named beside the plot, slanted ones at their foot.
fn roof_lines(
    canvas: &Canvas<'_>,
    panel: &Panel,
    plot: &Plot<'_, '_>,
    (within, x, y): (Area, (f64, f64), (f64, f64)),
) -> Result<(), ChartError> {
    let fastest = |unit: &str| {
        let of_unit = panel.roofs.iter().filter(|roof| roof.unit == unit).map(|roof| roof.per_second / 1e9);
        of_unit.max_by(f64::total_cmp)
    };
    let (top, steepest) = (fastest("flop/s").unwrap_or(y.1), fastest("B/s"));
    let (mut level, mut slanted) = (Vec::new(), Vec::new());
    for roof in &panel.roofs {
        let g = roof.per_second / 1e9;
        let name = format!("{} {}", roof.limit, rate(roof.per_second, &roof.unit));
        let (start, end) = if roof.unit == "B/s" {
            let (from, to) = (x.0.max(y.0 / g), x.1.min(top / g));
            ((from, g * from), (to, g * to))
        } else {
            ((steepest.map_or(x.0, |bytes| (g / bytes).max(x.0)), g), (x.1, g))
        };
        if end.0 <= start.0 {
            continue;
        }
        plot.limit(&[start, end], INK)?;
        let (named, at) = if roof.unit == "B/s" { (&mut slanted, start) } else { (&mut level, end) };
        named.push(End { name, series: OTHER, at: plot.at(at.0, at.1), kind: Type::Small });
    }
    canvas.names(&level, within, NAMES)?;
    let feet: Vec<i32> = slanted.iter().map(|end| end.at.1).collect();
    let ground = if panel.kind == Kind::Measured { CARD } else { WASH };
    for (end, y) in slanted.iter().zip(spread(&feet, 15, (within.1, within.3 - 8))) {
        let x = end.at.0 + 6;
        canvas.rectangle((x - 3, y - 7, x + Type::Small.width(&end.name), y + 7), ground, Fill::Solid)?;
        canvas.text(&end.name, (x, y), Hang::Left, (Type::Small, OTHER.text))?;
    }
    Ok(())
}

/// Colours tell element types, marks operations.
fn look(panel: &Panel, point: &Point) -> Series {
    let nth = |values: &mut dyn Iterator<Item = String>, own: String| {
        let mut seen: Vec<String> = values.collect();
        seen.sort_unstable();
        seen.dedup();
        seen.iter().position(|value| *value == own).unwrap_or(0)
    };
    let dtype = nth(&mut panel.points.iter().map(|p| p.dtype.to_string()), point.dtype.to_string());
    let op = nth(&mut panel.points.iter().map(|p| p.op.clone()), point.op.clone());
    let marks: [Mark; 6] = SERIES.map(|series| series.mark);
    Series { mark: marks[(op + 1) % marks.len()], ..theme::nth(dtype) }
}

/// The fastest row of each operation and element type, which carries their name.
fn best_of_groups(panel: &Panel) -> Vec<&Point> {
    let mut best: Vec<&Point> = Vec::new();
    for point in &panel.points {
        match best.iter_mut().find(|known| known.op == point.op && known.dtype == point.dtype) {
            Some(known) if known.flops_per_s < point.flops_per_s => *known = point,
            Some(_) => {}
            None => best.push(point),
        }
    }
    best
}

fn alt(roofline: &Roofline) -> String {
    let told = |panel: &Panel| {
        let best = panel.points.iter().max_by(|a, b| a.flops_per_s.total_cmp(&b.flops_per_s))?;
        let (shape, fastest) = (&best.shape, rate(best.flops_per_s, "flop/s"));
        let count = panel.points.len();
        Some(format!("{}: {count} rows, the fastest {} {} {shape} at {fastest}", panel.device, best.op, best.dtype))
    };
    let told: Vec<String> = roofline.panels.iter().filter_map(told).collect();
    format!("Rate of each kernel against its operations a byte, under measured limits. {}.", told.join("; "))
}

fn table(roofline: &Roofline) -> Table {
    let columns = [
        ("device", Align::Left),
        ("kind", Align::Left),
        ("backend", Align::Left),
        ("op", Align::Left),
        ("shape", Align::Left),
        ("dtype", Align::Left),
        ("threads", Align::Right),
        ("FLOP/B", Align::Right),
        ("GFLOP/s", Align::Right),
        ("row", Align::Left),
    ];
    let mut table = Table::new(TITLE, &columns);
    for panel in &roofline.panels {
        for point in &panel.points {
            table.row(vec![
                panel.device.clone(),
                word(panel.kind),
                point.backend.clone(),
                point.op.clone(),
                point.shape.clone(),
                point.dtype.to_string(),
                point.threads.map_or("–".into(), |threads| threads.to_string()),
                digits(point.intensity),
                digits(point.flops_per_s / 1e9),
                point.row.clone(),
            ]);
        }
        for roof in &panel.roofs {
            let value = rate(roof.per_second, &roof.unit);
            table.note(format!("{}: {} {value} with {} threads", panel.device, roof.limit, roof.threads));
        }
    }
    table
}

#[cfg(test)]
mod tests;
