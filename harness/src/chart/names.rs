//! Names of series: in a column beside a plot, or with swatches above one.

use super::ChartError;
use super::axis::spread;
use super::canvas::{Area, Canvas, Fill, Hang, Px};
use super::theme::{FAINT, Series, Type};

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

    /// Swatches with their names from a point to the right.
    pub(super) fn key(&self, names: &[(String, Series, Fill)], (x, y): Px) -> Result<(), ChartError> {
        let mut x = x;
        for (name, series, fill) in names {
            self.rectangle((x, y - 6, x + 13, y + 6), series.paint, *fill)?;
            self.text(name, (x + 19, y), Hang::Left, (Type::Small, FAINT))?;
            x += 19 + Type::Small.width(name) + 16;
        }
        Ok(())
    }
}
