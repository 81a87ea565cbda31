//! The form of a panel in which every line has one point of one size: bars, with the limit across them.

use super::{AXIS, CARD, Canvas, FAINT, GRID, Hang, INK, Sheet, Stroke, clipped, darker, paint, style};
use crate::chart::ChartError;
use crate::chart::axis::{Axis, Scale, short};
use plotters::element::Rectangle;
use plotters::style::{Color, FontStyle};

/// Thickest bar, and most room that one takes.
const THICKNESS: i32 = 22;
pub(super) const PITCH: i32 = 40;

impl Canvas<'_> {
    pub(super) fn bars(&self, sheet: &Sheet, (l, t, r, b): (i32, i32, i32, i32)) -> Result<(), ChartError> {
        let values = sheet.strokes.iter().filter_map(|stroke| Some(stroke.points.last()?[3]));
        let top = values.chain(sheet.levels.iter().map(|level| level.value)).fold(0.0, f64::max) * 1.04;
        let x = Axis::new(Scale::Linear, (0.0, top), (l, r));
        let pitch = ((b - t - 12) / sheet.strokes.len() as i32).min(PITCH);
        // Twelve pixels down, for the name of the limit.
        let t = t + 12;
        let bottom = t + pitch * sheet.strokes.len() as i32;
        self.scale((t, bottom), &x)?;
        let value = |stroke: &Stroke| stroke.points.last().map_or(0.0, |point| point[1]);
        let mut longest_first: Vec<&Stroke> = sheet.strokes.iter().collect();
        longest_first.sort_by(|a, b| value(b).total_cmp(&value(a)));
        for (idx, stroke) in longest_first.into_iter().enumerate() {
            self.bar(stroke, &x, (r, t + pitch * idx as i32 + pitch / 2, pitch))?;
        }
        self.path(&[(l, t), (l, bottom)], AXIS.stroke_width(1))?;
        for level in &sheet.levels {
            let at = x.px(level.value);
            self.dashes(&[(at, t - 4), (at, bottom)], paint(level.colour).stroke_width(1), (5, 4))?;
            let name = format!("{} {}", level.name, short(level.value));
            // Left of its line, unless that would leave the panel.
            let hang = if at - l > 120 { Hang::Right } else { Hang::Left };
            self.text(&name, (at, t - 12), hang, &style(11.5, FontStyle::Normal, darker(level.colour)))?;
        }
        Ok(())
    }

    fn scale(&self, (t, bottom): (i32, i32), x: &Axis) -> Result<(), ChartError> {
        for value in x.ticks() {
            let at = x.px(value);
            self.path(&[(at, t), (at, bottom)], GRID.stroke_width(1))?;
            self.text(&short(value), (at, bottom + 14), Hang::Middle, &style(11.0, FontStyle::Normal, FAINT))?;
        }
        Ok(())
    }

    fn bar(&self, stroke: &Stroke, x: &Axis, (r, at, pitch): (i32, i32, i32)) -> Result<(), ChartError> {
        let Some([_, value, low, high]) = stroke.points.last() else { return Ok(()) };
        let half = (pitch * 3 / 5).min(THICKNESS) / 2;
        let colour = paint(stroke.colour);
        let corners = [(x.px(0.0), at - half), (x.px(*value), at + half)];
        // What was not measured is an outline.
        let inside = if stroke.dashed { CARD.filled() } else { colour.filled() };
        self.area.draw(&Rectangle::new(corners, inside)).map_err(super::failed)?;
        self.area.draw(&Rectangle::new(corners, colour.stroke_width(1))).map_err(super::failed)?;
        self.path(&[(x.px(*low), at), (x.px(*high), at)], INK.stroke_width(1))?;
        let name = clipped(&format!("{} {}", stroke.name, short(*value)));
        self.text(&name, (r + 17, at), Hang::Left, &style(11.5, FontStyle::Bold, darker(stroke.colour)))
    }
}
