//! How the buyer's value of a deal is distributed over the draws, together and by the state in which it closes.

use super::axis::{Axis, Scale, usd};
use super::canvas::{Area, Canvas, Fill, Hang};
use super::card::Card;
use super::theme::{self, FAINT, INK, OTHER, Series, Type};
use super::{ChartError, Figure, deal_caption};
use crate::deal::{Analysis, Closing, Percentiles, Worked};
use crate::report::{Align, Table, percent};

/// What the figure shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Npv {
    /// Headline of the deal.
    pub deal: String,
    /// Edges of the bins, in dollars: one more than there are bins.
    pub edges: Vec<f64>,
    /// All draws, then those of each closing state.
    pub strips: Vec<Strip>,
    /// Scenario, day of its terms, draws and seed.
    pub caption: String,
}

/// One histogram.
#[derive(Clone, Debug, PartialEq)]
pub struct Strip {
    /// The state; none for all draws.
    pub state: Option<Closing>,
    /// Its share of the draws.
    pub share: f64,
    /// Draws in each bin; the outermost hold the tails.
    pub counts: Vec<usize>,
    /// Percentiles of these draws.
    pub percentiles: Percentiles,
}

/// Bins: a pixel's width is no matter, a shape is.
const BINS: usize = 60;
/// Share of the draws beyond each end of the axis, which the outermost bins hold.
const TAIL: f64 = 0.02;

/// Histograms of a deal's draws.
///
/// # Errors
/// [`ChartError::Empty`] when there are no draws.
pub fn series(worked: &Worked, analysis: &Analysis) -> Result<Npv, ChartError> {
    let draws: Vec<(Closing, f64)> = worked.buyer_npv().filter(|(_, npv)| npv.is_finite()).collect();
    let edges = edges(&draws).ok_or(ChartError::Empty("the deal has no draws: give --draws 1000 or more"))?;
    let all = worked.buyer_percentiles();
    let strip = |state: Option<Closing>, percentiles: Option<&Percentiles>| {
        let own = || draws.iter().filter(|(closing, _)| state.is_none_or(|state| state == *closing));
        let mut counts = vec![0; BINS];
        own().for_each(|(_, npv)| counts[bin(&edges, *npv)] += 1);
        let share = own().count() as f64 / draws.len() as f64;
        percentiles.map(|percentiles| Strip { state, share, counts, percentiles: percentiles.clone() })
    };
    let states = analysis.states.iter().map(|line| strip(Some(line.state), line.buyer_npv.as_ref()));
    let strips = [strip(None, all.as_ref())].into_iter().chain(states).flatten().collect();
    Ok(Npv { deal: analysis.title.clone(), edges, strips, caption: deal_caption(analysis) })
}

/// Equal bins between the tails.
fn edges(draws: &[(Closing, f64)]) -> Option<Vec<f64>> {
    let mut sorted: Vec<f64> = draws.iter().map(|(_, npv)| *npv).collect();
    sorted.sort_by(f64::total_cmp);
    let at = |q: f64| sorted.get(((sorted.len() as f64 - 1.0) * q).round() as usize).copied();
    let (low, high) = (at(TAIL)?, at(1.0 - TAIL)?);
    // Draws that are all the same have a bin's width of their own size, or of a dollar.
    let high = if high > low { high } else { low + low.abs().max(1.0) };
    Some((0..=BINS).map(|i| low + (high - low) * i as f64 / BINS as f64).collect())
}

fn bin(edges: &[f64], npv: f64) -> usize {
    let share = (npv - edges[0]) / (edges[BINS] - edges[0]);
    ((share * BINS as f64).max(0.0) as usize).min(BINS - 1)
}

const TITLE: &str = "The deal's value to the buyer";
const NOTE: &str = "share of draws by net present value; each strip to its own height; the outermost bins hold what lies \
                    beyond; marks: 5 %, median, 95 %";
const WIDTH: i32 = 1000;
const LEFT: i32 = 210;
const RIGHT: i32 = 40;
const STRIP: i32 = 92;
const ABOVE: i32 = 58;
const BELOW: i32 = 50;

/// Draws a strip below the other, on one scale.
///
/// # Errors
/// [`ChartError::Draw`].
pub fn figure(npv: &Npv) -> Result<Figure, ChartError> {
    let alt = alt(npv);
    let size = (WIDTH, ABOVE + STRIP * npv.strips.len() as i32 + BELOW);
    let card = Card { title: TITLE, note: NOTE, caption: &npv.caption, alt: &alt, size };
    let svg = card.svg(|canvas, area| draw(canvas, npv, area))?;
    let (title, caption) = (format!("{TITLE}: {}", npv.deal), npv.caption.clone());
    Ok(Figure { name: "npv", title, alt, caption, svg, table: table(npv) })
}

fn draw(canvas: &Canvas<'_>, npv: &Npv, area: Area) -> Result<(), ChartError> {
    canvas.head(&npv.deal, "dollars of present value over all that is not settled", None, area)?;
    let (left, top, right, _) = area;
    let (l, t, r) = (left + LEFT, top + ABOVE, right - RIGHT);
    let b = t + STRIP * npv.strips.len() as i32;
    let x = Axis::new(Scale::Linear, (npv.edges[0], npv.edges[BINS]), (l, r));
    for value in x.ticks() {
        canvas.grid(&[(x.px(value), t), (x.px(value), b)])?;
        canvas.text(&usd(value), (x.px(value), b + 14), Hang::Middle, (Type::Tick, FAINT))?;
    }
    canvas.text("net present value to the buyer", ((l + r) / 2, b + 34), Hang::Middle, (Type::Small, FAINT))?;
    for (idx, strip) in npv.strips.iter().enumerate() {
        let series = idx.checked_sub(1).map_or(OTHER, theme::nth);
        one(canvas, (npv, strip), &x, (series, t + STRIP * (idx as i32 + 1) - 22))?;
    }
    Ok(())
}

/// A strip on its base line.
fn one(
    canvas: &Canvas<'_>,
    (npv, strip): (&Npv, &Strip),
    x: &Axis,
    (series, base): (Series, i32),
) -> Result<(), ChartError> {
    let most = strip.counts.iter().copied().max().unwrap_or(1).max(1);
    let y = Axis::new(Scale::Linear, (0.0, most as f64), (base, base - STRIP + 34));
    for (bin, count) in strip.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let (from, to) = (x.px(npv.edges[bin]), x.px(npv.edges[bin + 1]));
        let top = y.px(*count as f64).min(base - 1);
        canvas.rectangle((from, top, (to - 1).max(from + 1), base), series.paint, Fill::Solid)?;
    }
    let (l, r) = (x.px(npv.edges[0]), x.px(npv.edges[BINS]));
    canvas.axis(&[(l, base), (r, base)])?;
    let name = strip.state.map_or("all draws".to_string(), |state| state.to_string());
    let share = format!("{} of draws", percent(strip.share));
    canvas.text(&name, (l - 12, base - 36), Hang::Right, (Type::Name, series.text))?;
    canvas.text(&share, (l - 12, base - 20), Hang::Right, (Type::Small, FAINT))?;
    canvas.text(
        &format!("median {}", usd(strip.percentiles.p50)),
        (l - 12, base - 4),
        Hang::Right,
        (Type::Small, INK),
    )?;
    let within = |value: f64| x.px(value.clamp(npv.edges[0], npv.edges[BINS]));
    let [p5, p50, p95] = [strip.percentiles.p5, strip.percentiles.p50, strip.percentiles.p95].map(within);
    canvas.whisker((p5, base + 8), (p95, base + 8), INK)?;
    canvas.path(&[(p50, base + 3), (p50, base + 13)], INK, 2)
}

fn alt(npv: &Npv) -> String {
    let told = |strip: &Strip| {
        let name = strip.state.map_or("all draws".to_string(), |state| state.to_string());
        let p = &strip.percentiles;
        format!("{name} ({}): median {}, 5 to 95 % {} to {}", percent(strip.share), usd(p.p50), usd(p.p5), usd(p.p95))
    };
    let told: Vec<String> = npv.strips.iter().map(told).collect();
    format!("Distribution of the deal's net present value to the buyer. {}.", told.join("; "))
}

fn table(npv: &Npv) -> Table {
    let columns =
        [("state", Align::Left), ("from, USD", Align::Right), ("to, USD", Align::Right), ("draws", Align::Right)];
    let mut table = Table::new(format!("{TITLE}: {}", npv.deal), &columns);
    for strip in &npv.strips {
        let name = strip.state.map_or("all".to_string(), |state| state.to_string());
        for (bin, count) in strip.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let edge = |i: usize| format!("{:.0}", npv.edges[i]);
            table.row(vec![name.clone(), edge(bin), edge(bin + 1), count.to_string()]);
        }
        let p = &strip.percentiles;
        table.note(format!("{name}: {} draws, P5 {:.0}, P50 {:.0}, P95 {:.0} USD", p.n, p.p5, p.p50, p.p95));
    }
    table
}

#[cfg(test)]
mod tests;
