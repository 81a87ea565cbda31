//! Dots with intervals, a rung each, named on the left: what is compared, sorted, on one scale.

use super::ChartError;
use super::axis::{Axis, Scale};
use super::canvas::{Area, Canvas, Hang};
use super::theme::{FAINT, INK, Series, Type};

/// A dot on its rung.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rung {
    pub(super) name: String,
    /// Value, low and high of its interval.
    pub(super) value: [f64; 3],
    pub(super) series: Series,
    /// Whether it is no measurement.
    pub(super) is_open: bool,
    /// What stands behind it.
    pub(super) figure: String,
}

/// Rungs on one scale.
pub(super) struct Ladder<'r> {
    pub(super) rungs: &'r [Rung],
    pub(super) scale: Scale,
    pub(super) range: (f64, f64),
    pub(super) format: fn(f64) -> String,
    pub(super) x_name: &'r str,
    /// What every dot is read against.
    pub(super) reference: (f64, &'r str),
}

/// Pixels for names on the left and for figures on the right.
const NAMES: i32 = 385;
const FIGURES: i32 = 110;
/// Height of a rung; more of them than this are drawn closer, without names.
const PITCH: i32 = 22;
const MOST_NAMED: usize = 60;
const CLOSE: i32 = 5;
/// Room above for the name of the reference, and below for the scale.
const TOP: i32 = 24;
const BOTTOM: i32 = 46;

/// Height of a ladder of so many rungs.
pub(super) fn height(rungs: usize) -> i32 {
    TOP + pitch(rungs) * rungs as i32 + BOTTOM
}

fn pitch(rungs: usize) -> i32 {
    if rungs <= MOST_NAMED { PITCH } else { CLOSE }
}

impl Canvas<'_> {
    /// Draws rungs from the top, in the order given.
    pub(super) fn ladder(&self, ladder: &Ladder<'_>, (left, top, right, _): Area) -> Result<(), ChartError> {
        let (l, t, r) = (left + NAMES, top + TOP, right - FIGURES);
        let pitch = pitch(ladder.rungs.len());
        let b = t + pitch * ladder.rungs.len() as i32;
        let x = Axis::new(ladder.scale, ladder.range, (l, r));
        for value in x.ticks() {
            let at = x.px(value);
            self.grid(&[(at, t), (at, b)])?;
            self.text(&(ladder.format)(value), (at, b + 14), Hang::Middle, (Type::Tick, FAINT))?;
        }
        self.axis(&[(l, b), (r, b)])?;
        self.text(ladder.x_name, ((l + r) / 2, b + 33), Hang::Middle, (Type::Small, FAINT))?;
        let (value, name) = ladder.reference;
        self.dashes(&[(x.px(value), t - 6), (x.px(value), b)], (INK, 1), (5, 4))?;
        self.text(name, (x.px(value), t - 14), Hang::Middle, (Type::Small, INK))?;
        for (idx, rung) in ladder.rungs.iter().enumerate() {
            let at = t + pitch * idx as i32 + pitch / 2;
            let [value, low, high] = rung.value.map(|value| x.px(value));
            if pitch == PITCH {
                let name = Type::Small.clipped(&rung.name, NAMES - 26);
                self.text(&name, (l - 10, at), Hang::Right, (Type::Small, INK))?;
                self.text(&rung.figure, (r + 10, at), Hang::Left, (Type::Name, rung.series.text))?;
            }
            self.path(&[(low, at), (high, at)], rung.series.paint, 1)?;
            self.mark((value, at), rung.series, rung.is_open)?;
        }
        Ok(())
    }
}
