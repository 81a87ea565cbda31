//! Text, lines, marks and bars in pixels, on plotters' SVG backend: presentation attributes alone, no ids.

use super::ChartError;
use super::theme::{AXIS, CARD, CARD_EDGE, FONT, GRID, Mark, Series, Token, Type};
use plotters::coord::Shift;
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::prelude::{DrawingArea, IntoDrawingArea, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, ShapeStyle, TextStyle};

/// Pixels: x to the right, y down.
pub(super) type Px = (i32, i32);

/// Left, top, right and bottom, in pixels.
pub(super) type Area = (i32, i32, i32, i32);

/// Where text hangs on its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hang {
    Left,
    Middle,
    Right,
}

/// How the inside of a bar tells what it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fill {
    Solid,
    /// Lines one way.
    Hatched,
    /// Lines both ways.
    Crossed,
    /// The edge alone.
    Open,
}

/// Pixels between two lines of a hatching, and how much of the colour lies behind it.
const HATCH: i32 = 6;
const TINT: f64 = 0.3;

/// A drawing in pixels.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

impl<'a> Canvas<'a> {
    /// A card of that size, drawn into `text`.
    pub(super) fn new(text: &'a mut String, (width, height): Px) -> Result<Self, ChartError> {
        let area = SVGBackend::with_string(text, (width as u32, height as u32)).into_drawing_area();
        let canvas = Canvas { area };
        canvas.rectangle((0, 0, width, height), CARD, Fill::Solid)?;
        canvas.rectangle((0, 0, width - 1, height - 1), CARD_EDGE, Fill::Open)?;
        Ok(canvas)
    }

    /// Ends the drawing.
    pub(super) fn finish(self) -> Result<(), ChartError> {
        self.area.present().map_err(failed)
    }

    pub(super) fn text(&self, text: &str, at: Px, hang: Hang, (kind, token): (Type, Token)) -> Result<(), ChartError> {
        let across = match hang {
            Hang::Left => HPos::Left,
            Hang::Middle => HPos::Center,
            Hang::Right => HPos::Right,
        };
        // Control characters are not XML, escaped or not; nor are the two that are no characters.
        let legal = text.chars().map(|c| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { ' ' } else { c });
        let weight = if kind.is_bold() { FontStyle::Bold } else { FontStyle::Normal };
        // The backend divides by 1.24 to get from the height of a line to that of the letters.
        let font = FontDesc::new(FontFamily::Name(FONT), kind.size() * 1.24, weight);
        let style = TextStyle { color: token.light().to_backend_color(), ..font.into() };
        let style = style.pos(Pos::new(across, VPos::Center));
        self.area.draw(&Text::new(legal.collect::<String>(), at, style)).map_err(failed)
    }

    /// A line of `width` pixels through points.
    pub(super) fn path(&self, points: &[Px], token: Token, width: u32) -> Result<(), ChartError> {
        self.styled(points, token.light().stroke_width(width))
    }

    /// A line that is hardly there: from a mark to its name.
    pub(super) fn lead(&self, points: &[Px], token: Token) -> Result<(), ChartError> {
        self.styled(points, token.light().mix(0.45).stroke_width(1))
    }

    /// A line of the grid.
    pub(super) fn grid(&self, points: &[Px]) -> Result<(), ChartError> {
        self.path(points, GRID, 1)
    }

    /// A line of the axes.
    pub(super) fn axis(&self, points: &[Px]) -> Result<(), ChartError> {
        self.path(points, AXIS, 1)
    }

    fn styled(&self, points: &[Px], style: ShapeStyle) -> Result<(), ChartError> {
        self.area.draw(&PathElement::new(points.to_vec(), style)).map_err(failed)
    }

    /// A line in strokes of `on` pixels with gaps of `off` between, carried on across its corners.
    pub(super) fn dashes(
        &self,
        points: &[Px],
        (token, width): (Token, u32),
        (on, off): (i32, i32),
    ) -> Result<(), ChartError> {
        let style = token.light().stroke_width(width);
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
                    self.styled(&[at(start), at(start + on)], style)?;
                }
                start += period;
            }
            travelled += length;
        }
        Ok(())
    }

    /// The line of a series, in its dashes.
    pub(super) fn line(&self, points: &[Px], series: Series) -> Result<(), ChartError> {
        match series.dash {
            Some(dash) => self.dashes(points, (series.paint, 2), dash),
            None => self.path(points, series.paint, 2),
        }
    }

    pub(super) fn rectangle(&self, (l, t, r, b): Area, token: Token, fill: Fill) -> Result<(), ChartError> {
        let colour = token.light();
        let corners = [(l, t), (r, b)];
        if fill == Fill::Solid {
            return self.area.draw(&Rectangle::new(corners, colour.filled())).map_err(failed);
        }
        if fill != Fill::Open {
            self.area.draw(&Rectangle::new(corners, colour.mix(TINT).filled())).map_err(failed)?;
        }
        let rising = matches!(fill, Fill::Hatched | Fill::Crossed).then_some(1);
        let falling = (fill == Fill::Crossed).then_some(-1);
        for slope in rising.into_iter().chain(falling) {
            self.path(&zigzag(hatching((l, t, r, b), slope)), token, 1)?;
        }
        self.area.draw(&Rectangle::new(corners, colour.stroke_width(1))).map_err(failed)
    }

    /// The mark of a series at a point, with an edge of card around it; open ones show the card inside.
    pub(super) fn mark(&self, at: Px, series: Series, is_open: bool) -> Result<(), ChartError> {
        self.form(at, series.mark, 5, CARD)?;
        self.form(at, series.mark, 4, series.paint)?;
        if is_open { self.form(at, series.mark, 2, CARD) } else { Ok(()) }
    }

    fn form(&self, (x, y): Px, mark: Mark, r: i32, token: Token) -> Result<(), ChartError> {
        let filled = token.light().filled();
        let corners = match mark {
            Mark::Circle => return self.area.draw(&Circle::new((x, y), r, filled)).map_err(failed),
            Mark::Square => vec![(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)],
            Mark::Triangle => vec![(x, y - r - 1), (x + r + 1, y + r), (x - r - 1, y + r)],
            Mark::Wedge => vec![(x, y + r + 1), (x + r + 1, y - r), (x - r - 1, y - r)],
            Mark::Diamond => vec![(x, y - r - 1), (x + r + 1, y), (x, y + r + 1), (x - r - 1, y)],
            Mark::Cross => {
                let (arm, half) = (r + 1, (r / 2).max(1));
                let quarter = [(half, arm), (half, half), (arm, half)];
                let turned = |f: fn(Px) -> Px| quarter.map(f);
                // Around the centre, a quarter at a time.
                let corners = [
                    turned(|(dx, dy)| (dx, -dy)),
                    [(arm, half), (half, half), (half, arm)],
                    turned(|(dx, dy)| (-dx, dy)),
                    [(-arm, -half), (-half, -half), (-half, -arm)],
                ];
                corners.concat().into_iter().map(|(dx, dy)| (x + dx, y + dy)).collect()
            }
        };
        self.area.draw(&Polygon::new(corners, filled)).map_err(failed)
    }

    /// A whisker from one point to another, which share a coordinate.
    pub(super) fn whisker(&self, from: Px, to: Px, token: Token) -> Result<(), ChartError> {
        self.path(&[from, to], token, 1)?;
        let (dx, dy) = if from.0 == to.0 { (3, 0) } else { (0, 3) };
        for (x, y) in [from, to] {
            self.path(&[(x - dx, y - dy), (x + dx, y + dy)], token, 1)?;
        }
        Ok(())
    }
}

/// Lines at 45° that fill an area; `slope` 1 rises to the right, -1 falls. They keep their place when areas adjoin.
fn hatching((l, t, r, b): Area, slope: i32) -> Vec<[Px; 2]> {
    // Lines of x + slope·y = c; those between the corners with the least and the greatest c.
    let corners = [(l, t), (r, t), (l, b), (r, b)].map(|(x, y)| x + slope * y);
    let [least, greatest] = corners.iter().fold([i32::MAX, i32::MIN], |[low, high], c| [low.min(*c), high.max(*c)]);
    let first = least + (HATCH - least.rem_euclid(HATCH)) % HATCH;
    let line = |c: i32| {
        // Where the line enters and leaves: y runs with slope, x from the left edge or from where y meets an edge.
        let y_at = |x: i32| slope * (c - x);
        let x_at = |y: i32| c - slope * y;
        let from = if (t..=b).contains(&y_at(l)) { (l, y_at(l)) } else { edge(x_at, y_at(l), (t, b)) };
        let to = if (t..=b).contains(&y_at(r)) { (r, y_at(r)) } else { edge(x_at, y_at(r), (t, b)) };
        [from, to]
    };
    (first..=greatest).step_by(HATCH as usize).map(line).filter(|[from, to]| from != to).collect()
}

/// Lines as one, each end joined to the next line's along the edge, which is drawn anyway: a tenth of the text.
fn zigzag(lines: Vec<[Px; 2]>) -> Vec<Px> {
    let turned = |(idx, [from, to]): (usize, [Px; 2])| if idx % 2 == 0 { [from, to] } else { [to, from] };
    lines.into_iter().enumerate().flat_map(turned).collect()
}

/// The point of a line on the upper or lower edge, whichever a height lies beyond.
fn edge(x_at: impl Fn(i32) -> i32, y: i32, (t, b): Px) -> Px {
    let y = if y < t { t } else { b };
    (x_at(y), y)
}

pub(super) fn failed(error: impl std::fmt::Display) -> ChartError {
    ChartError::Draw(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hatching_stays_inside_and_crosses_at_forty_five_degrees() {
        for area in [(10, 20, 110, 40), (0, 0, 3, 200), (-7, -9, 8, 11)] {
            for slope in [1, -1] {
                let lines = hatching(area, slope);
                assert!(!lines.is_empty());
                for [(x0, y0), (x1, y1)] in lines {
                    let (l, t, r, b) = area;
                    assert!([x0, x1].iter().all(|x| (l..=r).contains(x)), "{area:?}");
                    assert!([y0, y1].iter().all(|y| (t..=b).contains(y)), "{area:?}");
                    assert_eq!((x1 - x0).abs(), (y1 - y0).abs());
                }
            }
        }
    }

    #[test]
    fn the_cross_is_whole() {
        let mut text = String::new();
        let canvas = Canvas::new(&mut text, (40, 40)).expect("a canvas");
        canvas.mark((20, 20), crate::chart::theme::SERIES[5], false).expect("drawn");
        canvas.finish().expect("finished");
        let points = text.split("points=\"").nth(2).and_then(|rest| rest.split('"').next()).expect("a polygon");
        assert_eq!(points.split_whitespace().count(), 12);
    }
}
