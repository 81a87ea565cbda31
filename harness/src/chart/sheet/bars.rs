//! The form of a panel in which every line has one point of one size: bars, with the limit across them.

use super::{Sheet, Stroke};
use crate::chart::ChartError;
use crate::chart::axis::{Axis, Scale, short};
use crate::chart::canvas::{Area, Canvas, Fill, Hang};
use crate::chart::theme::{CARD, FAINT, INK, Type};

/// Thickest bar, and most room that one takes.
const THICKNESS: i32 = 22;
pub(super) const PITCH: i32 = 40;

impl Canvas<'_> {
    pub(super) fn bars(&self, sheet: &Sheet, (l, t, r, b): Area) -> Result<(), ChartError> {
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
            self.bar(stroke, &x, (r, t + pitch * idx as i32 + pitch / 2, pitch), sheet.names)?;
        }
        self.axis(&[(l, t), (l, bottom)])?;
        for level in &sheet.levels {
            let at = x.px(level.value);
            self.dashes(&[(at, t - 4), (at, bottom)], (level.series.paint, 1), (5, 4))?;
            let name = format!("{} {}", level.name, short(level.value));
            // Left of its line, unless that would leave the panel.
            let hang = if at - l > 120 { Hang::Right } else { Hang::Left };
            self.text(&name, (at, t - 12), hang, (Type::Small, level.series.text))?;
        }
        Ok(())
    }

    fn scale(&self, (t, bottom): (i32, i32), x: &Axis) -> Result<(), ChartError> {
        for value in x.ticks() {
            let at = x.px(value);
            self.grid(&[(at, t), (at, bottom)])?;
            self.text(&short(value), (at, bottom + 14), Hang::Middle, (Type::Tick, FAINT))?;
        }
        Ok(())
    }

    fn bar(&self, stroke: &Stroke, x: &Axis, (r, at, pitch): (i32, i32, i32), names: i32) -> Result<(), ChartError> {
        let Some([_, value, low, high]) = stroke.points.last() else { return Ok(()) };
        let half = (pitch * 3 / 5).min(THICKNESS) / 2;
        let area = (x.px(0.0), at - half, x.px(*value), at + half);
        // What was not measured is hatched.
        self.rectangle(area, CARD, Fill::Solid)?;
        self.rectangle(area, stroke.series.paint, if stroke.dashed { Fill::Hatched } else { Fill::Solid })?;
        self.whisker((x.px(*low), at), (x.px(*high), at), INK)?;
        let name = Type::Name.clipped(&format!("{} {}", stroke.name, short(*value)), names - 20);
        self.text(&name, (r + 17, at), Hang::Left, (Type::Name, stroke.series.text))
    }
}
