//! Spend and capacity of a deal by quarter, in the central case, on one time axis.

use super::axis::{short, usd};
use super::canvas::{Area, Canvas, Fill};
use super::card::Card;
use super::columns::{Columns, Layer, ends, highest};
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
const NAMES: i32 = 220;
/// Title of the deal.
const ABOVE: i32 = 48;

/// Draws spend above capacity.
///
/// # Errors
/// [`ChartError::Draw`].
pub fn figure(flow: &DealFlow) -> Result<Figure, ChartError> {
    let alt = alt(flow);
    let card = Card { title: TITLE, note: NOTE, caption: &flow.caption, alt: &alt, size: (WIDTH, ABOVE + 2 * PANEL) };
    let svg = card.svg(|canvas, area| draw(canvas, flow, area))?;
    let (title, caption) = (format!("{TITLE}: {}", flow.deal), flow.caption.clone());
    Ok(Figure { name: "deal_flow", title, alt, caption, svg, table: table(flow) })
}

fn draw(canvas: &Canvas<'_>, flow: &DealFlow, area: Area) -> Result<(), ChartError> {
    canvas.head(&flow.deal, "dollars and gigawatts of each quarter", None, area)?;
    let (left, top, right, _) = area;
    let layers = |of: fn(&CommitmentLine) -> &Vec<f64>| {
        let layer = |(idx, line): (usize, &CommitmentLine)| {
            let deal = if line.of_the_deal { " (deal)" } else { "" };
            Layer::nth(idx, format!("{}{deal}", line.compute), of(line).clone())
        };
        flow.course.commitments.iter().enumerate().map(layer).collect::<Vec<Layer>>()
    };
    let mut spend = layers(|line| &line.paid);
    let (name, values) = ("market".to_string(), flow.course.market_paid.clone());
    spend.push(Layer { name, series: OTHER, fill: Fill::Solid, values });
    let capacity = layers(|line| &line.gigawatts);
    let panels = [(&spend, usd as fn(f64) -> String, None), (&capacity, gigawatts, Some(&flow.course.quarters[..]))];
    for (idx, (layers, format, times)) in panels.into_iter().enumerate() {
        let top = top + ABOVE + PANEL * idx as i32;
        let most = highest(layers) * 1.05;
        let most = if most > 0.0 { most } else { 1.0 };
        let plot = (left + 78, top + 16, right - NAMES, top + PANEL - 26);
        canvas.columns(&Columns { layers, times, format, most }, plot)?;
        canvas.names(&ends(layers, most, plot), plot, NAMES)?;
    }
    Ok(())
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
