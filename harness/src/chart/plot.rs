//! An area with two axes, ruled and named.

use super::ChartError;
use super::axis::{Axis, Scale, short};
use super::canvas::{Area, Canvas, Hang, Px};
use super::theme::{FAINT, Series, Token, Type};

/// What an axis spans, and how its marks read.
pub(super) struct Span {
    pub(super) scale: Scale,
    pub(super) range: (f64, f64),
    pub(super) format: fn(f64) -> String,
}

impl Span {
    /// Plain numbers.
    pub(super) fn new(scale: Scale, range: (f64, f64)) -> Self {
        Span { scale, range, format: short }
    }
}

/// An area with two axes.
pub(super) struct Plot<'c, 'a> {
    canvas: &'c Canvas<'a>,
    area: Area,
    x: Axis,
    y: Axis,
}

impl<'c, 'a> Plot<'c, 'a> {
    /// Rules the area; the unit of y stands in the heading of the panel.
    pub(super) fn new(
        canvas: &'c Canvas<'a>,
        area: Area,
        (x, y): (&Span, &Span),
        x_name: &str,
    ) -> Result<Self, ChartError> {
        let (l, t, r, b) = area;
        let plot =
            Plot { canvas, area, x: Axis::new(x.scale, x.range, (l, r)), y: Axis::new(y.scale, y.range, (b, t)) };
        for value in plot.y.ticks() {
            let at = plot.y.px(value);
            canvas.grid(&[(l, at), (r, at)])?;
            canvas.text(&(y.format)(value), (l - 8, at), Hang::Right, (Type::Tick, FAINT))?;
        }
        plot.x_marks(x, x_name)?;
        Ok(plot)
    }

    fn x_marks(&self, x: &Span, name: &str) -> Result<(), ChartError> {
        let (l, _, r, b) = self.area;
        for value in self.x.ticks() {
            let at = self.x.px(value);
            self.canvas.axis(&[(at, b), (at, b + 4)])?;
            self.canvas.text(&(x.format)(value), (at, b + 14), Hang::Middle, (Type::Tick, FAINT))?;
        }
        self.canvas.axis(&[(l, b), (r, b)])?;
        self.canvas.text(name, ((l + r) / 2, b + 33), Hang::Middle, (Type::Small, FAINT))
    }

    pub(super) fn at(&self, x: f64, y: f64) -> Px {
        (self.x.px(x), self.y.px(y))
    }

    /// The line of a series through points.
    pub(super) fn line(&self, points: &[(f64, f64)], series: Series) -> Result<(), ChartError> {
        let points: Vec<Px> = points.iter().map(|(x, y)| self.at(*x, *y)).collect();
        self.canvas.line(&points, series)
    }

    /// A thin dashed line: a limit, a reference.
    pub(super) fn limit(&self, points: &[(f64, f64)], token: Token) -> Result<(), ChartError> {
        let points: Vec<Px> = points.iter().map(|(x, y)| self.at(*x, *y)).collect();
        self.canvas.dashes(&points, (token, 1), (5, 4))
    }
}
