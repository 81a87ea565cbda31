//! Scales, and the round numbers at which they are marked.

/// How values become positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    Linear,
    /// Equal steps for equal factors.
    Log,
}

/// A scale between two values, laid over a stretch of pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    scale: Scale,
    from: f64,
    to: f64,
    px: (f64, f64),
}

impl Axis {
    pub(super) fn new(scale: Scale, (from, to): (f64, f64), px: (i32, i32)) -> Self {
        Axis { scale, from, to, px: (f64::from(px.0), f64::from(px.1)) }
    }

    /// The pixel of a value.
    pub(super) fn px(&self, value: f64) -> i32 {
        let at = |x: f64| if self.scale == Scale::Log { x.ln() } else { x };
        let share = (at(value) - at(self.from)) / (at(self.to) - at(self.from));
        (self.px.0 + share * (self.px.1 - self.px.0)).round() as i32
    }

    /// Round values within the axis: 1, 2 and 5 times powers of ten.
    pub(super) fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear => self.linear_ticks(),
            Scale::Log => self.log_ticks(),
        }
    }

    /// At most six steps.
    fn linear_ticks(&self) -> Vec<f64> {
        let rough = (self.to - self.from) / 6.0;
        let decade = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * decade).into_iter().find(|step| *step >= rough);
        let step = step.unwrap_or(decade * 10.0);
        let first = (self.from / step).ceil() as i64;
        let last = (self.to / step + 1e-9).floor() as i64;
        (first..=last).map(|i| i as f64 * step).collect()
    }

    /// Decades, with 2 and 5 between where few decades are spanned.
    fn log_ticks(&self) -> Vec<f64> {
        let decades = self.from.log10().floor() as i32..=self.to.log10().ceil() as i32;
        let within = |x: &f64| *x >= self.from * (1.0 - 1e-9) && *x <= self.to * (1.0 + 1e-9);
        let steps: &[f64] = if (self.to / self.from).log10() > 2.5 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        decades.flat_map(|d| steps.iter().map(move |m| m * 10f64.powi(d))).filter(within).collect()
    }

    /// Powers of two within the axis, thinned to at most nine.
    pub(super) fn octaves(&self) -> Vec<f64> {
        let (first, last) = (self.from.log2().ceil() as i32, self.to.log2().floor() as i32);
        let stride = ((last - first) / 9 + 1).max(1) as usize;
        (first..=last).step_by(stride).map(|e| 2f64.powi(e)).collect()
    }
}

/// A number for an axis or a label: three digits, and `k`, `M`, `G` or `T` from ten thousand on.
pub(super) fn short(x: f64) -> String {
    let (scaled, suffix) = match x.abs() {
        a if a >= 1e12 => (x / 1e12, "T"),
        a if a >= 1e9 => (x / 1e9, "G"),
        a if a >= 1e6 => (x / 1e6, "M"),
        a if a >= 1e4 => (x / 1e3, "k"),
        _ => (x, ""),
    };
    // Whole numbers show all of theirs; others three digits, down to a millionth.
    let whole = scaled == 0.0 || scaled.fract() == 0.0;
    let decimals = if whole { 0 } else { (2 - scaled.abs().log10().floor() as i32).clamp(0, 6) as usize };
    let text = format!("{scaled:.decimals$}");
    let trimmed = if decimals > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{trimmed}{suffix}")
}

/// Dollars for an axis or a label: `$1.2bn`.
pub(super) fn usd(x: f64) -> String {
    let text = short(x.abs()).replace('G', "bn").replace('T', "tn");
    if x < 0.0 { format!("−${text}") } else { format!("${text}") }
}

/// Moves positions apart to at least `gap`, keeping their order and staying within `bounds` where there is room.
pub(super) fn spread(wanted: &[i32], gap: i32, bounds: (i32, i32)) -> Vec<i32> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|&idx| wanted[idx]);
    let mut placed = wanted.to_vec();
    let mut floor = bounds.0;
    for &idx in &order {
        placed[idx] = placed[idx].max(floor);
        floor = placed[idx] + gap;
    }
    let mut ceiling = bounds.1;
    for &idx in order.iter().rev() {
        placed[idx] = placed[idx].min(ceiling);
        ceiling = placed[idx] - gap;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within() {
        let axis = Axis::new(Scale::Linear, (0.0, 230.0), (0, 100));
        assert_eq!(axis.ticks(), [0.0, 50.0, 100.0, 150.0, 200.0]);
        let log = Axis::new(Scale::Log, (8.0, 400.0), (0, 100));
        assert_eq!(log.ticks(), [10.0, 20.0, 50.0, 100.0, 200.0]);
        assert_eq!(
            Axis::new(Scale::Log, (48.0, 2100.0), (0, 1)).octaves(),
            [64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0]
        );
    }

    #[test]
    fn positions_follow_the_scale() {
        assert_eq!(Axis::new(Scale::Linear, (0.0, 200.0), (100, 0)).px(50.0), 75);
        assert_eq!(Axis::new(Scale::Log, (1.0, 10_000.0), (0, 400)).px(100.0), 200);
    }

    #[test]
    fn labels_move_apart_and_stay_inside() {
        assert_eq!(spread(&[50, 52, 10], 15, (0, 100)), [50, 65, 10]);
        assert_eq!(spread(&[95, 98], 15, (0, 100)), [85, 100]);
    }

    #[test]
    fn numbers_are_short() {
        for (x, text) in [(0.5, "0.5"), (64.0, "64"), (12.34, "12.3"), (2048.0, "2048"), (65_536.0, "65.5k")] {
            assert_eq!(short(x), text);
        }
        assert_eq!([short(0.0), short(0.001), short(-0.25), short(3.72e12)], ["0", "0.001", "-0.25", "3.72T"]);
        assert_eq!([usd(-2.5e9), usd(0.052), usd(1e12)], ["−$2.5bn", "$0.052", "$1tn"]);
    }
}
