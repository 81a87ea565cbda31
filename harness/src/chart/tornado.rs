//! What moves a deal's value to the buyer: each input at its 10 % and 90 % case, all others central.

use super::axis::{Axis, Scale, short, usd};
use super::canvas::{Area, Canvas, Fill, Hang};
use super::card::Card;
use super::theme::{FAINT, INK, SERIES, Type};
use super::{ChartError, Figure, deal_caption, evidence};
use crate::deal::{Analysis, Bar, Worked};
use crate::report::{Align, Table, digits};

/// What the figure shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Tornado {
    /// Headline of the deal.
    pub deal: String,
    /// What it is worth to the buyer with every input at its centre, in dollars.
    pub base: f64,
    /// The longest first, as many as are drawn.
    pub bars: Vec<Bar>,
    /// Bars that are shorter than those.
    pub left_out: usize,
    /// Scenario, day of its terms, draws and seed.
    pub caption: String,
}

/// Bars that are drawn: what moves the value less than the fifteenth is invisible beside the first.
const MOST: usize = 15;

/// The longest bars of a deal.
///
/// # Errors
/// [`ChartError::Empty`] when no input has a spread.
pub fn series(worked: &Worked, analysis: &Analysis) -> Result<Tornado, ChartError> {
    let base = worked.buyer_base();
    let all = analysis.tornado.iter().filter(|bar| bar.answer.iter().all(|value| value.is_finite()));
    let mut bars: Vec<Bar> = all.cloned().collect();
    if bars.is_empty() || !base.is_finite() {
        let why = "no input of this scenario has a spread that moves the buyer's value: give figures a low and a high \
                   case, as `farthing deal show` prints them";
        return Err(ChartError::Empty(why));
    }
    let left_out = bars.len().saturating_sub(MOST);
    bars.truncate(MOST);
    Ok(Tornado { deal: analysis.title.clone(), base, bars, left_out, caption: deal_caption(analysis) })
}

const TITLE: &str = "What moves the deal's value to the buyer";
const WIDTH: i32 = 1000;
const LEFT: i32 = 330;
const RIGHT: i32 = 60;
const PITCH: i32 = 28;
const ABOVE: i32 = 100;
const BELOW: i32 = 50;

/// Draws it.
///
/// # Errors
/// [`ChartError::Draw`].
pub fn figure(tornado: &Tornado) -> Result<Figure, ChartError> {
    let alt = alt(tornado);
    let note = format!(
        "net present value with one input at its 10 % or 90 % case, all others central; {} shorter bars are left out",
        tornado.left_out
    );
    let size = (WIDTH, ABOVE + PITCH * tornado.bars.len() as i32 + BELOW);
    let card = Card { title: TITLE, note: &note, caption: &tornado.caption, alt: &alt, size };
    let svg = card.svg(|canvas, area| draw(canvas, tornado, area))?;
    let (title, caption) = (format!("{TITLE}: {}", tornado.deal), tornado.caption.clone());
    Ok(Figure { name: "tornado", title, alt, caption, svg, table: table(tornado) })
}

fn draw(canvas: &Canvas<'_>, tornado: &Tornado, area: Area) -> Result<(), ChartError> {
    let legend = "input at its low case: blue; at its high case: orange; solid: measured or published, hatched: press or \
                  estimated, crossed: assumed";
    canvas.head(&tornado.deal, legend, None, area)?;
    let (left, top, right, _) = area;
    let (l, t, r) = (left + LEFT, top + ABOVE, right - RIGHT);
    let b = t + PITCH * tornado.bars.len() as i32;
    let ends = tornado.bars.iter().flat_map(|bar| bar.answer).chain([tornado.base]);
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let room = (high - low) * 0.04;
    let x = Axis::new(Scale::Linear, (low - room, high + room), (l, r));
    for value in x.ticks() {
        canvas.grid(&[(x.px(value), t), (x.px(value), b)])?;
        canvas.text(&usd(value), (x.px(value), b + 14), Hang::Middle, (Type::Tick, FAINT))?;
    }
    canvas.text("dollars of present value", ((l + r) / 2, b + 34), Hang::Middle, (Type::Small, FAINT))?;
    for (idx, bar) in tornado.bars.iter().enumerate() {
        one(canvas, bar, (&x, tornado.base), (l, t + PITCH * idx as i32 + PITCH / 2))?;
    }
    let at = x.px(tornado.base);
    canvas.axis(&[(at, t - 6), (at, b)])?;
    canvas.text(&format!("central {}", usd(tornado.base)), (at, t - 14), Hang::Middle, (Type::Small, INK))
}

fn one(canvas: &Canvas<'_>, bar: &Bar, (x, base): (&Axis, f64), (l, at): (i32, i32)) -> Result<(), ChartError> {
    let fill = evidence(bar.kinds);
    // Where both ends lie on one side, the longer lies below.
    let mut ends = [(bar.answer[0], SERIES[0]), (bar.answer[1], SERIES[1])];
    ends.sort_by(|a, b| (b.0 - base).abs().total_cmp(&(a.0 - base).abs()));
    for (value, series) in ends {
        let (from, to) = (x.px(base).min(x.px(value)), x.px(base).max(x.px(value)));
        if to > from {
            canvas.rectangle((from, at - 9, to, at + 9), super::theme::CARD, Fill::Solid)?;
            canvas.rectangle((from, at - 9, to, at + 9), series.paint, fill)?;
        }
    }
    let name = format!("{} {} … {}", bar.input, short(bar.cases[0]), short(bar.cases[1]));
    canvas.text(&Type::Small.clipped(&name, LEFT - 34), (l - 10, at), Hang::Right, (Type::Small, INK))
}

fn alt(tornado: &Tornado) -> String {
    let told = |bar: &Bar| format!("{} from {} to {}", bar.input, usd(bar.answer[0]), usd(bar.answer[1]));
    let told: Vec<String> = tornado.bars.iter().take(3).map(told).collect();
    let base = usd(tornado.base);
    format!("The deal is worth {base} to the buyer in the central case. It moves most with {}.", told.join(", "))
}

fn table(tornado: &Tornado) -> Table {
    let columns = [
        ("input", Align::Left),
        ("low case", Align::Right),
        ("high case", Align::Right),
        ("NPV at low, USD", Align::Right),
        ("NPV at high, USD", Align::Right),
        ("rank correlation", Align::Right),
        ("rests on", Align::Left),
    ];
    let mut table = Table::new(format!("{TITLE}: {}", tornado.deal), &columns);
    for bar in &tornado.bars {
        let mut cells = vec![bar.input.clone(), short(bar.cases[0]), short(bar.cases[1])];
        cells.extend(bar.answer.map(|value| format!("{value:.0}")));
        cells.extend([bar.rank_correlation.map_or("–".into(), digits), bar.kinds.to_string()]);
        table.row(cells);
    }
    table.note(format!("central case: {:.0} USD", tornado.base));
    table
}

#[cfg(test)]
mod tests;
