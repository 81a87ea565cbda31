//! Stacked columns over time.

use super::ChartError;
use super::axis::{Axis, Scale};
use super::canvas::{Area, Canvas, Fill, Hang};
use super::names::Swatch;
use super::theme::{self, FAINT, SERIES, Series, Type};

/// One layer of every column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layer {
    pub(super) name: String,
    pub(super) series: Series,
    pub(super) fill: Fill,
    /// By time.
    pub(super) values: Vec<f64>,
}

impl Layer {
    /// A layer by its number: colours alone would not tell layers apart in grey, nor those beyond the palette.
    pub(super) fn nth(idx: usize, name: String, values: Vec<f64>) -> Self {
        let fills = [Fill::Solid, Fill::Hatched, Fill::Crossed];
        Layer { name, series: theme::nth(idx), fill: fills[(idx + idx / SERIES.len()) % fills.len()], values }
    }
}

/// The names of layers, for a key.
pub(super) fn swatches(layers: &[Layer]) -> Vec<Swatch> {
    layers.iter().map(|layer| (layer.name.clone(), layer.series, layer.fill)).collect()
}

/// Columns with their scale.
pub(super) struct Columns<'c> {
    pub(super) layers: &'c [Layer],
    /// Names of the times; none where another panel below has them.
    pub(super) times: Option<&'c [String]>,
    pub(super) format: fn(f64) -> String,
    /// Top of the scale.
    pub(super) most: f64,
}

/// The greatest height of a stack.
pub(super) fn highest(layers: &[Layer]) -> f64 {
    let times = layers.iter().map(|layer| layer.values.len()).max().unwrap_or(0);
    let height = |t: usize| layers.iter().filter_map(|layer| layer.values.get(t)).sum::<f64>();
    (0..times).map(height).fold(0.0, f64::max)
}

impl Canvas<'_> {
    /// Columns from zero within an area, layers from the bottom.
    pub(super) fn columns(&self, columns: &Columns<'_>, (l, t, r, b): Area) -> Result<(), ChartError> {
        let y = Axis::new(Scale::Linear, (0.0, columns.most), (b, t));
        for value in y.ticks() {
            self.grid(&[(l, y.px(value)), (r, y.px(value))])?;
            self.text(&(columns.format)(value), (l - 8, y.px(value)), Hang::Right, (Type::Tick, FAINT))?;
        }
        let times = columns.layers.iter().map(|layer| layer.values.len()).max().unwrap_or(0).max(1) as i32;
        let edge = |t: i32| l + (r - l) * t / times;
        for time in 0..times {
            let gap = ((edge(time + 1) - edge(time)) / 6).max(1);
            let mut below = 0.0;
            for layer in columns.layers {
                let value = layer.values.get(time as usize).copied().unwrap_or(0.0).max(0.0);
                let (foot, top) = (y.px(below), y.px(below + value));
                below += value;
                if foot > top {
                    // A pixel of card between layers.
                    let foot = if foot - top > 2 { foot - 1 } else { foot };
                    let area = (edge(time) + gap, top, edge(time + 1) - gap, foot);
                    self.rectangle(area, layer.series.paint, layer.fill)?;
                }
            }
        }
        self.axis(&[(l, b), (r, b)])?;
        let Some(names) = columns.times else { return Ok(()) };
        let room = (r - l) / times;
        let widest = names.iter().map(|name| Type::Tick.width(name)).max().unwrap_or(0);
        let every = ((widest + 12) / room.max(1) + 1) as usize;
        for (time, name) in names.iter().enumerate().step_by(every) {
            let at = (edge(time as i32) + edge(time as i32 + 1)) / 2;
            self.text(name, (at, b + 14), Hang::Middle, (Type::Tick, FAINT))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eighteen_layers_differ_in_colour_or_pattern() {
        let looks: Vec<_> = (0..18).map(|idx| Layer::nth(idx, String::new(), vec![])).collect();
        for (idx, one) in looks.iter().enumerate() {
            assert!(looks[..idx].iter().all(|other| (other.series, other.fill) != (one.series, one.fill)), "{idx}");
        }
    }
}
