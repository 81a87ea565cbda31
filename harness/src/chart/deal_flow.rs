//! Spend and capacity of a deal by quarter, in the central case, on one time axis.

use super::axis::{short, usd};
use super::canvas::{Area, Canvas, Fill};
use super::card::Card;
use super::columns::{Columns, Layer, highest, swatches};
use super::names::{KEY_LINE, key_lines};
use super::theme::OTHER;
use super::{ChartError, Figure, deal_caption};
use crate::deal::{Analysis, CommitmentLine, Course, Scenario, Worked};
use crate::report::{Align, Table, digits};

/// What the figure shows.
#[derive(Clone, Debug, PartialEq)]
pub struct DealFlow {
    /// Headline of the deal.
    pub deal: String,
    /// The central case.
    pub course: Course,
    /// Scenario, day of its terms, draws and seed.
    pub caption: String,
}

/// The central case of a deal.
///
/// # Errors
/// [`ChartError::Empty`] when nothing is paid in it.
pub fn series(scenario: &Scenario, worked: &Worked, analysis: &Analysis) -> Result<DealFlow, ChartError> {
    let course = worked.course(scenario);
    let usd = course.commitments.iter().flat_map(|line| &line.paid).chain(&course.market_paid);
    if !usd.clone().any(|usd| *usd > 0.0) || usd.clone().any(|usd| !usd.is_finite()) {
        let why = "nothing is paid in the central case of this scenario: give it a commitment or demand, as `farthing deal \
                   show` prints them";
        return Err(ChartError::Empty(why));
    }
    Ok(DealFlow { deal: analysis.title.clone(), course, caption: deal_caption(analysis) })
}

const TITLE: &str = "Spend and capacity by quarter";
const NOTE: &str = "central case, signed as stated: dollars paid, and gigawatts in place; the market serves what no commitment \
                    does";
const WIDTH: i32 = 1000;
const PANEL: i32 = 250;
/// Title of the deal and its unit; the key takes more.
const ABOVE: i32 = 56;

/// Draws spend above capacity.
///
/// # Errors
/// [`ChartError::Draw`].
pub fn figure(flow: &DealFlow) -> Result<Figure, ChartError> {
    let alt = alt(flow);
    let capacity = layers(flow, |line| &line.gigawatts);
    let mut spend = layers(flow, |line| &line.paid);
    let (name, values) = ("market".to_string(), flow.course.market_paid.clone());
    spend.push(Layer { name, series: OTHER, fill: Fill::Solid, values });
    let key = swatches(&spend);
    let above = ABOVE + KEY_LINE * key_lines(&key, WIDTH - 44);
    let card = Card { title: TITLE, note: NOTE, caption: &flow.caption, alt: &alt, size: (WIDTH, above + 2 * PANEL) };
    let svg = card.svg(|canvas, area| {
        let (left, top, right, _) = area;
        canvas.head(&flow.deal, "dollars of each quarter, and gigawatts in place", None, area)?;
        canvas.key(&key, (left + 22, top + 60), WIDTH - 44)?;
        let times = Some(&flow.course.quarters[..]);
        panel(canvas, (&spend, usd, None), (left, top + above, right, top + above + PANEL))?;
        panel(canvas, (&capacity, gigawatts, times), (left, top + above + PANEL, right, top + above + 2 * PANEL))
    })?;
    let (title, caption) = (format!("{TITLE}: {}", flow.deal), flow.caption.clone());
    Ok(Figure { name: "deal_flow", title, alt, caption, svg, table: table(flow) })
}

fn layers(flow: &DealFlow, of: fn(&CommitmentLine) -> &Vec<f64>) -> Vec<Layer> {
    let layer = |(idx, line): (usize, &CommitmentLine)| {
        let deal = if line.of_the_deal { " (deal)" } else { "" };
        Layer::nth(idx, format!("{}{deal}", line.compute), of(line).clone())
    };
    flow.course.commitments.iter().enumerate().map(layer).collect()
}

/// Layers, how their scale reads, and the names of the times.
type Panel<'p> = (&'p [Layer], fn(f64) -> String, Option<&'p [String]>);

fn panel(canvas: &Canvas<'_>, (layers, format, times): Panel<'_>, area: Area) -> Result<(), ChartError> {
    let (left, top, right, bottom) = area;
    let most = highest(layers) * 1.05;
    let columns = Columns { layers, times, format, most: if most > 0.0 { most } else { 1.0 } };
    canvas.columns(&columns, (left + 78, top + 12, right - 30, bottom - 26))
}

fn gigawatts(x: f64) -> String {
    format!("{} GW", short(x))
}

fn alt(flow: &DealFlow) -> String {
    let course = &flow.course;
    let paid = |line: &CommitmentLine| line.paid.iter().sum::<f64>();
    let most = |line: &CommitmentLine| line.gigawatts.iter().copied().fold(0.0, f64::max);
    let told =
        |line: &CommitmentLine| format!("{} {} for up to {} GW", line.compute, usd(paid(line)), digits(most(line)));
    let told: Vec<String> = course.commitments.iter().map(told).collect();
    let span =
        course.quarters.first().zip(course.quarters.last()).map_or(String::new(), |(a, b)| format!("{a} to {b}"));
    let market = usd(course.market_paid.iter().sum());
    format!("Undiscounted spend from {span}: {}; the market {market}.", told.join(", "))
}

fn table(flow: &DealFlow) -> Table {
    let columns = [
        ("quarter", Align::Left),
        ("commitment", Align::Left),
        ("USD", Align::Right),
        ("GW in place", Align::Right),
        ("GW used", Align::Right),
    ];
    let mut table = Table::new(format!("{TITLE}: {}", flow.deal), &columns);
    for (t, quarter) in flow.course.quarters.iter().enumerate() {
        for line in &flow.course.commitments {
            let gigawatts = [line.gigawatts[t], line.gigawatts_used[t]].map(digits);
            let mut cells = vec![quarter.clone(), line.compute.clone(), format!("{:.0}", line.paid[t])];
            cells.extend(gigawatts);
            table.row(cells);
        }
        let market = format!("{:.0}", flow.course.market_paid[t]);
        table.row(vec![quarter.clone(), "market".into(), market, "–".into(), "–".into()]);
    }
    table
}

#[cfg(test)]
mod tests;
