//! A panel with axes, lines and limits, drawn in pixels on plotters' SVG backend.

mod bars;

use super::ChartError;
use super::axis::{Axis, Scale, short, spread};
use plotters::coord::Shift;
use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::prelude::{DrawingArea, IntoDrawingArea, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, RGBColor, ShapeStyle, TextStyle};

/// Okabe and Ito's colours that stand out on white, the farthest apart first.
pub(super) const PALETTE: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
];
const CARD: RGBColor = RGBColor(253, 253, 252);
const CARD_EDGE: RGBColor = RGBColor(208, 212, 218);
const WASH: RGBColor = RGBColor(247, 241, 228);
const GRID: RGBColor = RGBColor(232, 234, 237);
const AXIS: RGBColor = RGBColor(140, 147, 156);
const INK: RGBColor = RGBColor(31, 35, 40);
const FAINT: RGBColor = RGBColor(89, 96, 106);

const FONT: &str = "Inter, 'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', sans-serif";

/// Pixels from the edges of a panel to its plot: left for the ticks, top for the title, right for the names.
const INSET: Inset = Inset { left: 58, top: 58, right: 176, bottom: 46 };

struct Inset {
    left: i32,
    top: i32,
    right: i32,
    bottom: i32,
}

/// A line with its name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stroke {
    pub(super) name: String,
    pub(super) colour: usize,
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
    pub(super) colour: usize,
    pub(super) value: f64,
}

/// Everything that a panel shows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sheet {
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) x_name: String,
    pub(super) strokes: Vec<Stroke>,
    pub(super) levels: Vec<Level>,
    /// A word across the panel that keeps it from being read as a measurement.
    pub(super) stamp: Option<String>,
}

impl Sheet {
    /// Height of the panel: that of its bars, or the same for all panels of lines.
    pub(super) fn height(&self) -> i32 {
        match self.size_in_common() {
            Some(_) => INSET.top + bars::PITCH * self.strokes.len() as i32 + INSET.bottom + 14,
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

/// Where text hangs on its point.
#[derive(Clone, Copy)]
enum Hang {
    Left,
    Middle,
    Right,
}

/// A drawing in pixels.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

impl<'a> Canvas<'a> {
    /// A card of that size, drawn into `text`.
    pub(super) fn new(text: &'a mut String, (width, height): (i32, i32)) -> Result<Self, ChartError> {
        let area = SVGBackend::with_string(text, (width as u32, height as u32)).into_drawing_area();
        let canvas = Canvas { area };
        canvas.fill((0, 0, width, height), CARD)?;
        canvas
            .area
            .draw(&Rectangle::new([(0, 0), (width - 1, height - 1)], CARD_EDGE.stroke_width(1)))
            .map_err(failed)?;
        Ok(canvas)
    }

    /// Ends the drawing.
    pub(super) fn finish(self) -> Result<(), ChartError> {
        self.area.present().map_err(failed)
    }

    /// A heading at a point.
    pub(super) fn heading(&self, text: &str, at: (i32, i32)) -> Result<(), ChartError> {
        self.text(text, at, Hang::Left, &style(19.0, FontStyle::Bold, INK))
    }

    /// A line of small print at a point.
    pub(super) fn small_print(&self, text: &str, at: (i32, i32)) -> Result<(), ChartError> {
        self.text(text, at, Hang::Left, &style(11.5, FontStyle::Normal, FAINT))
    }

    /// A panel within `(left, top, right, bottom)`.
    pub(super) fn panel(
        &self,
        sheet: &Sheet,
        (left, top, right, bottom): (i32, i32, i32, i32),
    ) -> Result<(), ChartError> {
        if sheet.stamp.is_some() {
            self.fill((left + 8, top + 2, right - 8, bottom), WASH)?;
        }
        let (l, t, r, b) = (left + INSET.left, top + INSET.top, right - INSET.right, bottom - INSET.bottom);
        let title = style(14.0, FontStyle::Bold, INK);
        self.text(&sheet.title, (left + 22, top + 18), Hang::Left, &title)?;
        self.text(&sheet.heading(), (left + 22, top + 37), Hang::Left, &style(11.5, FontStyle::Normal, FAINT))?;
        if sheet.size_in_common().is_some() {
            self.bars(sheet, (l, t, r, b))?;
        } else {
            self.lines(sheet, (l, t, r, b))?;
        }
        if let Some(stamp) = &sheet.stamp {
            let bold = style(12.0, FontStyle::Bold, RGBColor(150, 90, 0));
            // Beside the unit, which is short; titles may reach this far.
            self.text(stamp, (right - 24, top + 37), Hang::Right, &bold)?;
        }
        Ok(())
    }

    fn lines(&self, sheet: &Sheet, (l, t, r, b): (i32, i32, i32, i32)) -> Result<(), ChartError> {
        let (x, y) = axes(sheet, (l, t, r, b));
        self.grid(sheet, (l, r, b), &x, &y)?;
        for level in &sheet.levels {
            self.dashes(
                &[(l, y.px(level.value)), (r, y.px(level.value))],
                paint(level.colour).stroke_width(1),
                (5, 4),
            )?;
        }
        for stroke in &sheet.strokes {
            self.stroke(stroke, &x, &y)?;
        }
        self.names(sheet, (t, r, b), &x, &y)
    }

    fn grid(&self, sheet: &Sheet, (l, r, b): (i32, i32, i32), x: &Axis, y: &Axis) -> Result<(), ChartError> {
        let ticks = style(11.0, FontStyle::Normal, FAINT);
        for value in y.ticks() {
            let at = y.px(value);
            self.path(&[(l, at), (r, at)], GRID.stroke_width(1))?;
            self.text(&short(value), (l - 8, at), Hang::Right, &ticks)?;
        }
        for value in x.octaves() {
            let at = x.px(value);
            self.path(&[(at, b), (at, b + 4)], AXIS.stroke_width(1))?;
            self.text(&short_size(value), (at, b + 14), Hang::Middle, &ticks)?;
        }
        self.path(&[(l, b), (r, b)], AXIS.stroke_width(1))?;
        self.text(&sheet.x_name, ((l + r) / 2, b + 33), Hang::Middle, &style(11.5, FontStyle::Normal, FAINT))?;
        Ok(())
    }

    fn stroke(&self, stroke: &Stroke, x: &Axis, y: &Axis) -> Result<(), ChartError> {
        let colour = paint(stroke.colour);
        let line: Vec<(i32, i32)> = stroke.points.iter().map(|[size, value, ..]| (x.px(*size), y.px(*value))).collect();
        if stroke.dashed {
            self.dashes(&line, colour.stroke_width(2), (7, 4))?;
        } else {
            self.path(&line, colour.stroke_width(2))?;
        }
        for (&(px, py), [_, _, low, high]) in line.iter().zip(&stroke.points) {
            self.path(&[(px, y.px(*low)), (px, y.px(*high))], colour.stroke_width(1))?;
            self.area.draw(&Circle::new((px, py), 4, CARD.filled())).map_err(failed)?;
            let mark: ShapeStyle = if stroke.open_marks { colour.stroke_width(2) } else { colour.filled() };
            self.area.draw(&Circle::new((px, py), 3, mark)).map_err(failed)?;
        }
        Ok(())
    }

    /// Names of lines and levels in a column beside the plot, each with a thin lead to its end.
    fn names(&self, sheet: &Sheet, (t, r, b): (i32, i32, i32), x: &Axis, y: &Axis) -> Result<(), ChartError> {
        let ends = sheet.strokes.iter().filter_map(|stroke| {
            let [size, value, ..] = stroke.points.last()?;
            let name = format!("{} {}", stroke.name, short(*value));
            Some((name, stroke.colour, (x.px(*size), y.px(*value)), FontStyle::Bold))
        });
        let levels = sheet.levels.iter().map(|level| {
            let name = format!("{} {}", level.name, short(level.value));
            (name, level.colour, (r, y.px(level.value)), FontStyle::Normal)
        });
        let names: Vec<_> = ends.chain(levels).collect();
        let wanted: Vec<i32> = names.iter().map(|(_, _, (_, py), _)| *py).collect();
        let placed = spread(&wanted, 15, (t - 6, b));
        for ((name, colour, (px, py), weight), at) in names.iter().zip(placed) {
            let lead = paint(*colour).mix(0.45).stroke_width(1);
            let start = if *px < r { (*px + 6, *py) } else { (r + 1, *py) };
            self.path(&[start, (r + 4, *py), (r + 13, at)], lead)?;
            self.text(&clipped(name), (r + 17, at), Hang::Left, &style(11.5, *weight, darker(*colour)))?;
        }
        Ok(())
    }

    fn text(&self, text: &str, at: (i32, i32), hang: Hang, style: &TextStyle<'_>) -> Result<(), ChartError> {
        let across = match hang {
            Hang::Left => HPos::Left,
            Hang::Middle => HPos::Center,
            Hang::Right => HPos::Right,
        };
        // Control characters are not XML, escaped or not.
        let legal: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let style = style.pos(Pos::new(across, VPos::Center));
        self.area.draw(&Text::new(legal, at, style)).map_err(failed)
    }

    fn path(&self, points: &[(i32, i32)], style: impl Into<ShapeStyle>) -> Result<(), ChartError> {
        self.area.draw(&PathElement::new(points.to_vec(), style)).map_err(failed)
    }

    fn fill(&self, (l, t, r, b): (i32, i32, i32, i32), colour: RGBColor) -> Result<(), ChartError> {
        self.area.draw(&Rectangle::new([(l, t), (r, b)], colour.filled())).map_err(failed)
    }

    /// A path in strokes of `on` pixels with gaps of `off` between, carried on across its corners.
    fn dashes(&self, points: &[(i32, i32)], style: ShapeStyle, (on, off): (i32, i32)) -> Result<(), ChartError> {
        let (on, period) = (f64::from(on), f64::from(on + off));
        let mut travelled = 0.0;
        for pair in points.windows(2) {
            let [(x0, y0), (x1, y1)] = [pair[0], pair[1]].map(|(x, y)| (f64::from(x), f64::from(y)));
            let length = (x1 - x0).hypot(y1 - y0);
            let at = |d: f64| {
                let share = (d / length).clamp(0.0, 1.0);
                ((x0 + share * (x1 - x0)).round() as i32, (y0 + share * (y1 - y0)).round() as i32)
            };
            let mut start = -(travelled % period);
            while length > 0.0 && start < length {
                if start + on > 0.0 {
                    self.path(&[at(start), at(start + on)], style)?;
                }
                start += period;
            }
            travelled += length;
        }
        Ok(())
    }
}

/// Half an octave of room beside the outermost sizes. Values start at zero, so that heights compare with the limit; a
/// logarithm serves only where the peaks of two lines lie more than a decade apart.
fn axes(sheet: &Sheet, (l, t, r, b): (i32, i32, i32, i32)) -> (Axis, Axis) {
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

fn paint(colour: usize) -> RGBColor {
    PALETTE[colour % PALETTE.len()]
}

/// The colour dark enough for small text on the card.
fn darker(colour: usize) -> RGBColor {
    let RGBColor(red, green, blue) = paint(colour);
    let dim = |c: u8| (f64::from(c) * 0.72) as u8;
    RGBColor(dim(red), dim(green), dim(blue))
}

/// Sizes of matrices are known by their powers of two: 1024, not 1.02k.
fn short_size(x: f64) -> String {
    if x >= 65_536.0 && x % 1024.0 == 0.0 { format!("{}Ki", x / 1024.0) } else { format!("{x}") }
}

/// The column of names holds about twenty-four letters.
fn clipped(name: &str) -> String {
    if name.chars().count() <= 24 { name.to_string() } else { name.chars().take(23).chain(['…']).collect() }
}

fn style(size: f64, weight: FontStyle, colour: RGBColor) -> TextStyle<'static> {
    // The backend divides by 1.24 to get from the height of a line to that of the letters.
    let font = FontDesc::new(FontFamily::Name(FONT), size * 1.24, weight);
    TextStyle { color: colour.to_backend_color(), ..font.into() }
}

fn failed(error: impl std::fmt::Display) -> ChartError {
    ChartError::Draw(error.to_string())
}
