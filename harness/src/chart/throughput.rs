//! Throughput against size: what each backend makes of the machine, and the limit that was measured beside it.

use super::card::Card;
use super::sheet::{Level, Sheet, Stroke};
use super::theme::{self, SERIES};
use super::{ChartError, Figure, KINDS, run_caption, stamp, word};
use crate::cost::{AttentionShape, MatmulShape};
use crate::record::{Kind, MeasuredLimit, Row, RunHeader, Status};
use crate::report::{Align, Table, digits};
use farthing_kernels::DType;

/// What the chart shows, apart from how.
#[derive(Clone, Debug, PartialEq)]
pub struct ThroughputChart {
    /// Panels in reading order; measured ones first.
    pub panels: Vec<Panel>,
    /// Machine, date and run.
    pub caption: String,
}

/// Lines that share an axis: one family of shapes, one kind of evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// The shapes.
    pub family: Family,
    /// What stands behind every line of it.
    pub kind: Kind,
    /// One line a backend and element type.
    pub lines: Vec<Line>,
    /// Measured limits of those lines; none in a panel that is not measured.
    pub limits: Vec<Limit>,
}

/// Families of shapes, each with one size that varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Square matrices, by their side; GFLOP/s.
    Squares,
    /// Weights `[4096, 4096]` as a model stores them, by tokens; GFLOP/s.
    Weights,
    /// Attention over whole prompts, by length; GFLOP/s.
    Prefill,
    /// Attention of one new token, by length of the cache; GB/s, since reading the cache is what it does.
    Decode,
}

/// One backend and element type.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Backend.
    pub backend: String,
    /// Element type.
    pub dtype: DType,
    /// Size, throughput, and the low and high end of its 95 % interval; sorted by size.
    pub points: Vec<[f64; 4]>,
    /// Id of the row behind each point.
    pub ids: Vec<String>,
}

/// One measured limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// Name of the limit.
    pub name: String,
    /// Index of the line whose colour it takes.
    pub line: usize,
    /// GFLOP/s or GB/s.
    pub value: f64,
}

impl Family {
    const ALL: [Family; 4] = [Family::Squares, Family::Weights, Family::Prefill, Family::Decode];

    /// The family of a row and its size in it; `None` for shapes that lie on no curve.
    fn of(row: &Row) -> Option<(Family, f64)> {
        if row.op == "attention" {
            let shape = AttentionShape::of_row(row).ok().filter(|_| row.layout.is_none())?;
            return Some((if shape.sq == 1.0 { Family::Decode } else { Family::Prefill }, shape.skv));
        }
        let shape = MatmulShape::of_row(row).ok().filter(|_| row.op == "matmul" && row.batch == 1)?;
        match row.layout.as_deref() {
            Some("nk") if shape.n == 4096.0 && shape.k == 4096.0 => Some((Family::Weights, shape.m)),
            Some("kn") if shape.m == shape.n && shape.n == shape.k => Some((Family::Squares, shape.m)),
            _ => None,
        }
    }

    /// Title, unit, and name of the size.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Family::Squares => ("Matrix product, square", "GFLOP/s", "side n of m = n = k"),
            Family::Weights => ("Matrix product with weights 4096 × 4096", "GFLOP/s", "tokens m"),
            Family::Prefill => ("Attention, prefill", "GFLOP/s", "prompt tokens"),
            Family::Decode => ("Attention, decode", "GB/s", "cached tokens"),
        }
    }

    /// Unit of the limits that bound it, and the size of a drawn unit in it.
    fn limit_unit(self) -> &'static str {
        if self == Family::Decode { "B/s" } else { "flop/s" }
    }

    /// Work of a launch in drawn units.
    fn work(self, row: &Row) -> f64 {
        if self == Family::Decode { row.bytes / 1e9 } else { row.flops / 1e9 }
    }
}

/// Panels of a run. Of thread counts the greatest is drawn; software, simulated and fake rows get panels of their own.
///
/// # Errors
/// [`ChartError::Empty`] when no row lies on a curve.
pub fn series(header: &RunHeader, rows: &[Row]) -> Result<ThroughputChart, ChartError> {
    let mut panels = Vec::new();
    for kind in KINDS {
        for family in Family::ALL {
            let own: Vec<(&Row, f64)> = rows
                .iter()
                .filter(|row| row.kind == kind && row.status == Status::Ok && super::has_time(row))
                .filter_map(|row| Family::of(row).filter(|(f, _)| *f == family).map(|(_, size)| (row, size)))
                .collect();
            panels.extend(panel(family, kind, &own, &header.limits));
        }
    }
    if panels.is_empty() {
        let why = "no row has a throughput by size to draw: run `farthing run --suite quick --save` first";
        return Err(ChartError::Empty(why));
    }
    Ok(ThroughputChart { panels, caption: run_caption(header) })
}

fn panel(family: Family, kind: Kind, rows: &[(&Row, f64)], limits: &[MeasuredLimit]) -> Option<Panel> {
    let mut names: Vec<(&str, DType)> = rows.iter().map(|(row, _)| (row.backend.as_str(), row.dtype)).collect();
    names.sort_unstable();
    names.dedup();
    let mut drawn = Panel { family, kind, lines: Vec::new(), limits: Vec::new() };
    for (backend, dtype) in names {
        let own = rows.iter().filter(|(row, _)| row.backend == backend && row.dtype == dtype);
        let threads = own.clone().filter_map(|(row, _)| row.threads).max();
        let chosen: Vec<(&Row, f64)> = own.filter(|(row, _)| row.threads == threads).copied().collect();
        if let (Kind::Measured, Some((row, _))) = (kind, chosen.last()) {
            drawn.limits.extend(limit(family, row, limits, drawn.lines.len()));
        }
        let (points, ids) = points(family, &chosen).into_iter().unzip();
        drawn.lines.push(Line { backend: backend.to_string(), dtype, points, ids });
    }
    let mut seen: Vec<(String, u64)> = Vec::new();
    drawn.limits.retain(|limit| {
        let key = (limit.name.clone(), limit.value.to_bits());
        let new = !seen.contains(&key);
        seen.push(key);
        new
    });
    (!drawn.lines.is_empty()).then_some(drawn)
}

/// Throughput at each size and the row's id, the best of rows that share one (hot beside cold).
fn points(family: Family, rows: &[(&Row, f64)]) -> Vec<([f64; 4], String)> {
    let mut points: Vec<([f64; 4], String)> = rows
        .iter()
        .filter_map(|(row, size)| {
            let median = row.median_s?;
            let [fast, slow] = row.ci95_s.unwrap_or([median, median]);
            let work = family.work(row);
            let point = [*size, work / median, work / slow.max(median), work / fast.min(median)];
            point.iter().all(|x| x.is_finite() && *x > 0.0).then(|| (point, row.id.clone()))
        })
        .collect();
    points.sort_by(|(a, _), (b, _)| a[0].total_cmp(&b[0]).then(b[1].total_cmp(&a[1])));
    points.dedup_by_key(|(point, _)| point[0].to_bits());
    points
}

/// The limit that the row names, at its thread count.
fn limit(family: Family, row: &Row, limits: &[MeasuredLimit], line: usize) -> Option<Limit> {
    let own = limits.iter().filter(|limit| {
        limit.backend == row.backend
            && limit.device == row.device
            && Some(&limit.limit) == row.limit.as_ref()
            && limit.unit == family.limit_unit()
    });
    let same = own.clone().find(|limit| Some(limit.threads) == row.threads);
    let found = same.or_else(|| own.max_by_key(|limit| limit.threads))?;
    Some(Limit { name: found.limit.clone(), line, value: found.per_second / 1e9 })
}

const TITLE: &str = "Throughput by size";
const NOTE: &str = "median and 95 % interval at the most threads; dashed across: the limit measured in the same run";
const PANEL_WIDTH: i32 = 600;
/// Pixels for the names of lines: about twenty letters and a number.
const NAMES: i32 = 176;

/// Draws two panels abreast.
///
/// # Errors
/// [`ChartError::Draw`].
pub fn figure(chart: &ThroughputChart) -> Result<Figure, ChartError> {
    let colours = colours(chart);
    let sheets: Vec<Sheet> = chart.panels.iter().map(|panel| sheet(panel, &colours)).collect();
    let abreast = sheets.len().min(2);
    // A row is as high as its highest panel.
    let heights: Vec<i32> =
        sheets.chunks(abreast).map(|row| row.iter().map(Sheet::height).max().unwrap_or_default()).collect();
    let alt = alt(chart);
    let size = (PANEL_WIDTH * abreast as i32, heights.iter().sum::<i32>());
    let card = Card { title: TITLE, note: NOTE, caption: &chart.caption, alt: &alt, size };
    let svg = card.svg(|canvas, (left, mut top, ..)| {
        for (row, height) in sheets.chunks(abreast).zip(heights) {
            for (idx, sheet) in row.iter().enumerate() {
                let left = left + PANEL_WIDTH * idx as i32;
                canvas.sheet(sheet, (left, top, left + PANEL_WIDTH, top + height))?;
            }
            top += height;
        }
        Ok(())
    })?;
    Ok(Figure {
        name: "throughput",
        title: TITLE.into(),
        alt,
        caption: chart.caption.clone(),
        svg,
        table: table(chart),
    })
}

/// The greatest throughput of each measured panel, or of each panel where none is measured.
fn alt(chart: &ThroughputChart) -> String {
    let measured = chart.panels.iter().any(|panel| panel.kind == Kind::Measured);
    let told = chart.panels.iter().filter(|panel| !measured || panel.kind == Kind::Measured);
    let best = told.filter_map(|panel| {
        let all = panel.lines.iter().flat_map(|line| line.points.iter().map(move |point| (line, point)));
        let (line, point) = all.max_by(|(_, a), (_, b)| a[1].total_cmp(&b[1]))?;
        let (title, unit, _) = panel.family.words();
        Some(format!("{title}: up to {} {unit} by {} {}", digits(point[1]), line.backend, line.dtype))
    });
    format!("Throughput against size of the problem. {}.", best.collect::<Vec<_>>().join("; "))
}

fn table(chart: &ThroughputChart) -> Table {
    let columns = [
        ("panel", Align::Left),
        ("kind", Align::Left),
        ("backend", Align::Left),
        ("dtype", Align::Left),
        ("size", Align::Right),
        ("throughput", Align::Right),
        ("low", Align::Right),
        ("high", Align::Right),
        ("unit", Align::Left),
        ("row", Align::Left),
    ];
    let mut table = Table::new(TITLE, &columns);
    for panel in &chart.panels {
        let (title, unit, _) = panel.family.words();
        for line in &panel.lines {
            for ([size, value, low, high], id) in line.points.iter().zip(&line.ids) {
                let mut cells = vec![title.into(), word(panel.kind), line.backend.clone(), line.dtype.to_string()];
                cells.extend([size.to_string(), digits(*value), digits(*low), digits(*high), unit.into(), id.clone()]);
                table.row(cells);
            }
        }
    }
    table
}

/// Colours of backends and element types, the same in all panels. While the palette lasts every line has its own; beyond
/// it a backend has one, and marks and names tell its element types apart.
fn colours(chart: &ThroughputChart) -> Vec<(&str, DType, usize)> {
    let (mut lines, mut backends): (Vec<(&str, DType)>, Vec<&str>) = (Vec::new(), Vec::new());
    for line in chart.panels.iter().flat_map(|panel| &panel.lines) {
        let (backend, dtype) = (line.backend.as_str(), line.dtype);
        if !lines.contains(&(backend, dtype)) {
            lines.push((backend, dtype));
        }
        if !backends.contains(&backend) {
            backends.push(backend);
        }
    }
    let own = lines.len() <= SERIES.len();
    let of_backend = |name: &str| backends.iter().position(|backend| *backend == name).unwrap_or(0);
    let number = |(idx, (backend, dtype))| (backend, dtype, if own { idx } else { of_backend(backend) });
    lines.into_iter().enumerate().map(number).collect()
}

fn sheet(panel: &Panel, colours: &[(&str, DType, usize)]) -> Sheet {
    let colour = |line: &Line| {
        let known = colours.iter().find(|(backend, dtype, _)| *backend == line.backend && *dtype == line.dtype);
        known.map_or(0, |(_, _, colour)| *colour)
    };
    let (title, unit, x_name) = panel.family.words();
    let strokes = panel.lines.iter().map(|line| Stroke {
        name: format!("{} {}", line.backend, line.dtype),
        series: theme::nth(colour(line)),
        points: line.points.clone(),
        dashed: panel.kind != Kind::Measured,
        open_marks: line.dtype != DType::F32,
    });
    let levels = panel.limits.iter().map(|limit| Level {
        name: format!("limit {}", limit.name),
        series: theme::nth(colour(&panel.lines[limit.line])),
        value: limit.value,
    });
    Sheet {
        title: title.to_string(),
        subtitle: unit.to_string(),
        x_name: x_name.to_string(),
        names: NAMES,
        strokes: strokes.collect(),
        levels: levels.collect(),
        stamp: stamp(panel.kind),
    }
}

#[cfg(test)]
mod tests;
