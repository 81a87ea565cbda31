//! Names of series: in a column beside a plot, or with swatches above one.

use super::ChartError;
use super::axis::spread;
use super::canvas::{Area, Canvas, Fill, Hang, Px};
use super::theme::{INK, Series, Type};

/// A name and where its line ends.
pub(super) struct End {
    pub(super) name: String,
    pub(super) series: Series,
    pub(super) at: Px,
    pub(super) kind: Type,
}

impl Canvas<'_> {
    /// Names in a column of `px` right of a plot, each with a thin lead to the end of its line; moved apart.
    pub(super) fn names(&self, ends: &[End], (_, t, r, b): Area, px: i32) -> Result<(), ChartError> {
        let wanted: Vec<i32> = ends.iter().map(|end| end.at.1).collect();
        for (End { name, series, at: (x, y), kind }, at) in ends.iter().zip(spread(&wanted, 15, (t - 6, b))) {
            let start = if *x < r { (*x + 6, *y) } else { (r + 1, *y) };
            self.lead(&[start, (r + 4, *y), (r + 13, at)], series.paint)?;
            let name = kind.clipped(name, px - 20);
            self.text(&name, (r + 17, at), Hang::Left, (*kind, series.text))?;
        }
        Ok(())
    }

    /// Swatches with their names from a point to the right, in as many lines as they take within so many pixels.
    pub(super) fn key(&self, names: &[Swatch], (left, top): Px, px: i32) -> Result<(), ChartError> {
        let (mut x, mut y) = (0, 0);
        for (name, series, fill) in names {
            let width = swatch(name);
            if x > 0 && x + width > px {
                (x, y) = (0, y + KEY_LINE);
            }
            let (l, at) = (left + x, top + y);
            self.rectangle((l, at - 6, l + 13, at + 6), series.paint, *fill)?;
            self.text(&Type::Small.clipped(name, MOST_NAME), (l + 19, at), Hang::Left, (Type::Small, INK))?;
            x += width;
        }
        Ok(())
    }
}

/// Lines that a key takes within so many pixels.
pub(super) fn key_lines(names: &[Swatch], px: i32) -> i32 {
    let (mut x, mut lines) = (0, 1);
    for (name, ..) in names {
        let width = swatch(name);
        if x > 0 && x + width > px {
            (x, lines) = (0, lines + 1);
        }
        x += width;
    }
    lines
}

/// A name, its series and its pattern.
pub(super) type Swatch = (String, Series, Fill);

/// Pixels between lines of a key.
pub(super) const KEY_LINE: i32 = 19;
/// Most pixels of a name in it.
const MOST_NAME: i32 = 260;

fn swatch(name: &str) -> i32 {
    19 + Type::Small.width(name).min(MOST_NAME) + 16
}
