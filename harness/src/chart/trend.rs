//! One kernel's median from run to run, a line a device: what was measured on different devices is never joined.

use super::axis::{Axis, Scale, short};
use super::canvas::{Area, Canvas, Hang, Px};
use super::card::Card;
use super::names::End;
use super::theme::{self, FAINT, Series, Type};
use super::{ChartError, Figure, has_time, word};
use crate::record::{Kind, Row};
use crate::report::{Align, Table, case_cell, change, seconds};
use crate::store::Run;

/// What the figure shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Trend {
    /// The kernel: case, element type, backend, threads and data.
    pub kernel: String,
    /// Runs that hold it, oldest first: day and commit.
    pub runs: Vec<(String, String)>,
    /// One a device.
    pub lines: Vec<Line>,
    /// The runs and commits.
    pub caption: String,
}

/// A device over runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The device.
    pub device: String,
    /// Its medians, oldest first.
    pub points: Vec<Point>,
}

/// One run's median.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Position among the runs.
    pub run: usize,
    /// Median, low and high of its 95 % interval, in seconds.
    pub seconds: [f64; 3],
    /// Id of the row.
    pub row: String,
}

/// Kernels that were measured, by how many runs hold them on one device, the most first.
pub fn kernels(runs: &[Run]) -> Vec<String> {
    let mut counted: Vec<(String, &str, usize)> = Vec::new();
    for run in runs {
        for row in run.rows.iter().filter(|row| is_drawn(row)) {
            let name = kernel(row);
            match counted.iter_mut().find(|(known, device, _)| *known == name && *device == row.device) {
                Some((_, _, count)) => *count += 1,
                None => counted.push((name, &row.device, 1)),
            }
        }
    }
    counted.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
    let mut names: Vec<String> = Vec::new();
    for (name, ..) in counted {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn is_drawn(row: &Row) -> bool {
    row.kind == Kind::Measured && has_time(row)
}

fn kernel(row: &Row) -> String {
    let threads = row.threads.map_or(String::new(), |threads| format!(", {threads} thr"));
    format!(
        "{} {}, {}{threads}, {}, {} clock",
        case_cell(row),
        row.dtype,
        row.backend,
        word(row.temperature),
        row.clock
    )
}

/// The medians of a kernel over runs, oldest first; without a name, of that which most runs hold on one device. Only
/// measured rows are read.
///
/// # Errors
/// [`ChartError::Empty`] when no run holds it.
pub fn series(runs: &[Run], name: Option<&str>) -> Result<Trend, ChartError> {
    let why = "no run holds a measured row of this kernel: name one as `farthing results show` lists them, or save runs \
               with `farthing run --save`";
    let all = kernels(runs);
    let chosen = match name {
        Some(name) => all.iter().find(|known| known.as_str() == name).or_else(|| all.iter().find(|k| k.contains(name))),
        None => all.first(),
    };
    let kernel_name = chosen.ok_or(ChartError::Empty(why))?;
    let mut ordered: Vec<&Run> = runs.iter().collect();
    ordered.sort_by(|a, b| (&a.header.started, &a.header.run).cmp(&(&b.header.started, &b.header.run)));
    let mut trend = Trend { kernel: kernel_name.clone(), runs: Vec::new(), lines: Vec::new(), caption: String::new() };
    let mut named: Vec<String> = Vec::new();
    for run in ordered {
        let own: Vec<&Row> = run.rows.iter().filter(|row| is_drawn(row) && kernel(row) == *kernel_name).collect();
        if own.is_empty() {
            continue;
        }
        let commit = run.header.environment.commit.as_deref().map_or("no commit", |c| c.get(..7).unwrap_or(c));
        let dirty = if run.header.environment.dirty == Some(true) { "+" } else { "" };
        let day = run.header.started.split('T').next().unwrap_or_default();
        for row in own {
            add(&mut trend.lines, row, trend.runs.len());
        }
        trend.runs.push((day.to_string(), format!("{commit}{dirty}")));
        named.push(format!("{} ({commit}{dirty})", run.header.run));
    }
    trend.caption = format!("runs {}", named.join(", "));
    Ok(trend)
}

fn add(lines: &mut Vec<Line>, row: &Row, run: usize) {
    let Some(median) = row.median_s else { return };
    let [low, high] = row.ci95_s.filter(|ci| ci.iter().all(|x| x.is_finite() && *x > 0.0)).unwrap_or([median, median]);
    let point = Point { run, seconds: [median, low.min(median), high.max(median)], row: row.id.clone() };
    match lines.iter_mut().find(|line| line.device == row.device) {
        Some(line) => line.points.push(point),
        None => lines.push(Line { device: row.device.clone(), points: vec![point] }),
    }
}

const TITLE: &str = "From run to run";
const SIZE: (i32, i32) = (1000, 400);
/// Pixels for the names of devices.
const NAMES: i32 = 200;

/// Draws it.
///
/// # Errors
/// [`ChartError::Draw`].
pub fn figure(trend: &Trend) -> Result<Figure, ChartError> {
    let alt = alt(trend);
    let note = "median of a launch and its 95 % interval; a line joins runs on one device alone";
    let card = Card { title: TITLE, note, caption: &trend.caption, alt: &alt, size: SIZE };
    let svg = card.svg(|canvas, area| draw(canvas, trend, area))?;
    let (title, caption) = (format!("{TITLE}: {}", trend.kernel), trend.caption.clone());
    Ok(Figure { name: "trend", title, alt, caption, svg, table: table(trend) })
}

fn draw(canvas: &Canvas<'_>, trend: &Trend, area: Area) -> Result<(), ChartError> {
    let (left, top, right, bottom) = area;
    let (factor, unit) = unit(trend);
    canvas.head(&trend.kernel, unit, None, area)?;
    let (l, t, r, b) = (left + 64, top + 58, right - NAMES, bottom - 52);
    let most = trend.lines.iter().flat_map(|line| &line.points).map(|p| p.seconds[2] * factor).fold(0.0, f64::max);
    let y = Axis::new(Scale::Linear, (0.0, most * 1.06), (b, t));
    for value in y.ticks() {
        canvas.grid(&[(l, y.px(value)), (r, y.px(value))])?;
        canvas.text(&short(value), (l - 8, y.px(value)), Hang::Right, (Type::Tick, FAINT))?;
    }
    canvas.axis(&[(l, b), (r, b)])?;
    let pitch = (r - l) / trend.runs.len().max(1) as i32;
    let x = |run: usize| l + (r - l) * (2 * run as i32 + 1) / (2 * trend.runs.len().max(1) as i32);
    // Words for as many runs as there is room for; the newest always has its own.
    let every = (80 / pitch.max(1) + 1) as usize;
    for (idx, (day, commit)) in trend.runs.iter().enumerate().rev().step_by(every) {
        canvas.axis(&[(x(idx), b), (x(idx), b + 4)])?;
        canvas.text(day, (x(idx), b + 15), Hang::Middle, (Type::Tick, FAINT))?;
        canvas.text(commit, (x(idx), b + 30), Hang::Middle, (Type::Tick, FAINT))?;
    }
    for (idx, line) in trend.lines.iter().enumerate() {
        line_of(canvas, line, theme::nth(idx), |point, value| (x(point.run), y.px(value * factor)))?;
    }
    let end = |(idx, line): (usize, &Line)| {
        let at = line.points.last().map_or((r, b), |point| (x(point.run), y.px(point.seconds[0] * factor)));
        End { name: line.device.clone(), series: theme::nth(idx), at, kind: Type::Name }
    };
    canvas.names(&trend.lines.iter().enumerate().map(end).collect::<Vec<_>>(), (l, t, r, b), NAMES - 10)
}

fn line_of(canvas: &Canvas<'_>, line: &Line, series: Series, at: impl Fn(&Point, f64) -> Px) -> Result<(), ChartError> {
    let middle: Vec<Px> = line.points.iter().map(|point| at(point, point.seconds[0])).collect();
    canvas.line(&middle, series)?;
    for point in &line.points {
        let [_, low, high] = point.seconds.map(|value| at(point, value));
        canvas.whisker(low, high, series.paint)?;
        canvas.mark(at(point, point.seconds[0]), series, false)?;
    }
    Ok(())
}

/// The unit in which the longest median has one to three digits before the point.
fn unit(trend: &Trend) -> (f64, &'static str) {
    let most = trend.lines.iter().flat_map(|line| &line.points).map(|point| point.seconds[0]).fold(0.0, f64::max);
    match most {
        x if x >= 1.0 => (1.0, "seconds"),
        x if x >= 1e-3 => (1e3, "milliseconds"),
        _ => (1e6, "microseconds"),
    }
}

fn alt(trend: &Trend) -> String {
    let told = |line: &Line| {
        let (first, last) = line.points.first().zip(line.points.last())?;
        let over = if line.points.len() > 1 {
            format!(", {} over {} runs", change(last.seconds[0] / first.seconds[0]), line.points.len())
        } else {
            String::new()
        };
        Some(format!("{}: {}{over}", line.device, seconds(last.seconds[0])))
    };
    let told: Vec<String> = trend.lines.iter().filter_map(told).collect();
    format!("Median time of {} from run to run. {}.", trend.kernel, told.join("; "))
}

fn table(trend: &Trend) -> Table {
    let columns = [
        ("device", Align::Left),
        ("day", Align::Left),
        ("commit", Align::Left),
        ("median", Align::Right),
        ("low", Align::Right),
        ("high", Align::Right),
        ("row", Align::Left),
    ];
    let mut table = Table::new(format!("{TITLE}: {}", trend.kernel), &columns);
    for line in &trend.lines {
        for point in &line.points {
            let (day, commit) = &trend.runs[point.run];
            let mut cells = vec![line.device.clone(), day.clone(), commit.clone()];
            cells.extend(point.seconds.map(seconds));
            cells.push(point.row.clone());
            table.row(cells);
        }
    }
    table
}

#[cfg(test)]
mod tests;
