//! A panel of lines over one size, with the limits that bound them; bars where one size serves all.

mod bars;

use super::ChartError;
use super::axis::{Axis, Scale, short};
use super::canvas::{Area, Canvas, Fill, Hang};
use super::names::End;
use super::theme::{FAINT, INK, Series, Type, WARNING, WASH};

/// Pixels from the edges of a panel to its plot: left for the ticks, above for the title, below for the sizes.
const LEFT: i32 = 58;
const ABOVE: i32 = 58;
const BELOW: i32 = 46;

/// A line with its name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stroke {
    pub(super) name: String,
    pub(super) series: Series,
    /// Size, value, low and high of its interval; sorted by size.
    pub(super) points: Vec<[f64; 4]>,
    pub(super) dashed: bool,
    /// Open marks tell element types apart where two lines cross.
    pub(super) open_marks: bool,
}

/// A level that bounds the lines.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Level {
    pub(super) name: String,
    pub(super) series: Series,
    pub(super) value: f64,
}

/// Everything that a panel shows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sheet {
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) x_name: String,
    /// Pixels for names on the right.
    pub(super) names: i32,
    pub(super) strokes: Vec<Stroke>,
    pub(super) levels: Vec<Level>,
    /// A word across the panel that keeps it from being read as a measurement.
    pub(super) stamp: Option<&'static str>,
}

impl Sheet {
    /// Height of the panel: that of its bars, or the same for all panels of lines.
    pub(super) fn height(&self) -> i32 {
        match self.size_in_common() {
            Some(_) => ABOVE + bars::PITCH * self.strokes.len() as i32 + BELOW + 14,
            None => 330,
        }
    }

    /// The unit; where one size serves all, with that size.
    fn heading(&self) -> String {
        match self.size_in_common() {
            Some(size) => format!("{} at {} {}", self.subtitle, short_size(size), self.x_name),
            None => self.subtitle.clone(),
        }
    }

    /// The size of every point, where there is but one: bars then say more than lines of one point.
    fn size_in_common(&self) -> Option<f64> {
        let mut sizes = self.strokes.iter().flat_map(|stroke| &stroke.points).map(|point| point[0]);
        let first = sizes.next()?;
        sizes.all(|size| size == first).then_some(first)
    }
}

impl Canvas<'_> {
    /// Title and unit of a panel, and what keeps it from being read as a measurement.
    pub(super) fn head(&self, title: &str, note: &str, stamp: Option<&str>, area: Area) -> Result<(), ChartError> {
        let (left, top, right, bottom) = area;
        if let Some(stamp) = stamp {
            self.rectangle((left + 8, top + 2, right - 8, bottom), WASH, Fill::Solid)?;
            // Beside the unit, which is short; titles may reach this far.
            self.text(stamp, (right - 24, top + 37), Hang::Right, (Type::Name, WARNING))?;
        }
        let title = Type::Heading.clipped(title, right - left - 44);
        self.text(&title, (left + 22, top + 18), Hang::Left, (Type::Heading, INK))?;
        self.text(note, (left + 22, top + 37), Hang::Left, (Type::Small, FAINT))
    }

    /// A panel of lines or bars.
    pub(super) fn sheet(&self, sheet: &Sheet, area: Area) -> Result<(), ChartError> {
        self.head(&sheet.title, &sheet.heading(), sheet.stamp, area)?;
        let (left, top, right, bottom) = area;
        let plot = (left + LEFT, top + ABOVE, right - sheet.names, bottom - BELOW);
        if sheet.size_in_common().is_some() { self.bars(sheet, plot) } else { self.lines(sheet, plot) }
    }

    fn lines(&self, sheet: &Sheet, (l, t, r, b): Area) -> Result<(), ChartError> {
        let (x, y) = axes(sheet, (l, t, r, b));
        self.rulings(sheet, (l, r, b), &x, &y)?;
        for level in &sheet.levels {
            self.dashes(&[(l, y.px(level.value)), (r, y.px(level.value))], (level.series.paint, 1), (5, 4))?;
        }
        for stroke in &sheet.strokes {
            self.stroke(stroke, &x, &y)?;
        }
        self.line_names(sheet, (l, t, r, b), &x, &y)
    }

    fn rulings(&self, sheet: &Sheet, (l, r, b): (i32, i32, i32), x: &Axis, y: &Axis) -> Result<(), ChartError> {
        for value in y.ticks() {
            let at = y.px(value);
            self.grid(&[(l, at), (r, at)])?;
            self.text(&short(value), (l - 8, at), Hang::Right, (Type::Tick, FAINT))?;
        }
        for value in x.octaves() {
            let at = x.px(value);
            self.axis(&[(at, b), (at, b + 4)])?;
            self.text(&short_size(value), (at, b + 14), Hang::Middle, (Type::Tick, FAINT))?;
        }
        self.axis(&[(l, b), (r, b)])?;
        self.text(&sheet.x_name, ((l + r) / 2, b + 33), Hang::Middle, (Type::Small, FAINT))
    }

    fn stroke(&self, stroke: &Stroke, x: &Axis, y: &Axis) -> Result<(), ChartError> {
        let paint = stroke.series.paint;
        let line: Vec<(i32, i32)> = stroke.points.iter().map(|[size, value, ..]| (x.px(*size), y.px(*value))).collect();
        if stroke.dashed {
            self.dashes(&line, (paint, 2), (7, 4))?;
        } else {
            self.path(&line, paint, 2)?;
        }
        for (&(px, py), [_, _, low, high]) in line.iter().zip(&stroke.points) {
            self.path(&[(px, y.px(*low)), (px, y.px(*high))], paint, 1)?;
            self.mark((px, py), stroke.series, stroke.open_marks)?;
        }
        Ok(())
    }

    /// Names of lines and levels beside the plot.
    fn line_names(&self, sheet: &Sheet, plot: Area, x: &Axis, y: &Axis) -> Result<(), ChartError> {
        let ends = sheet.strokes.iter().filter_map(|stroke| {
            let [size, value, ..] = stroke.points.last()?;
            let (name, at) = (format!("{} {}", stroke.name, short(*value)), (x.px(*size), y.px(*value)));
            Some(End { name, series: stroke.series, at, kind: Type::Name })
        });
        let levels = sheet.levels.iter().map(|level| {
            let (name, at) = (format!("{} {}", level.name, short(level.value)), (plot.2, y.px(level.value)));
            End { name, series: level.series, at, kind: Type::Small }
        });
        self.names(&ends.chain(levels).collect::<Vec<_>>(), plot, sheet.names)
    }
}

/// Half an octave of room beside the outermost sizes. Values start at zero, so that heights compare with the limit; a
/// logarithm serves only where the peaks of two lines lie more than a decade apart.
fn axes(sheet: &Sheet, (l, t, r, b): Area) -> (Axis, Axis) {
    let points = || sheet.strokes.iter().flat_map(|stroke| &stroke.points);
    let sizes = || points().map(|point| point[0]);
    let (from, to) = (sizes().fold(f64::INFINITY, f64::min), sizes().fold(0.0, f64::max));
    let x = Axis::new(Scale::Log, (from / 1.3, to * 1.15), (l, r));
    let levels = sheet.levels.iter().map(|level| level.value);
    let top = points().map(|point| point[3]).chain(levels).fold(0.0, f64::max) * 1.04;
    let peak = |stroke: &Stroke| stroke.points.iter().map(|point| point[1]).fold(0.0, f64::max);
    let peaks = || sheet.strokes.iter().map(peak);
    let apart = peaks().fold(0.0, f64::max) / peaks().fold(f64::INFINITY, f64::min);
    let y = if apart > 10.0 {
        let bottom = points().map(|point| point[2]).fold(f64::INFINITY, f64::min);
        Axis::new(Scale::Log, (bottom / 1.2, top * 1.1), (b, t))
    } else {
        Axis::new(Scale::Linear, (0.0, top), (b, t))
    };
    (x, y)
}

/// Sizes of matrices are known by their powers of two: 1024, not 1.02k.
fn short_size(x: f64) -> String {
    if x >= 65_536.0 && x % 1024.0 == 0.0 { format!("{}Ki", x / 1024.0) } else { format!("{x}") }
}
