//! What a million tokens costs on each chip, and what the money goes to.

use super::axis::{Axis, Scale, usd};
use super::canvas::{Area, Canvas, Fill, Hang};
use super::card::Card;
use super::theme::{FAINT, INK, OTHER, SERIES, Series, Type};
use super::{ChartError, Figure, assumptions, evidence, listed};
use crate::catalogue::Catalogue;
use crate::cost::{CostLine, CostRequest, Part, Split};
use crate::report::{Align, Table, digits};
use crate::units::Provenance;

/// What the figure shows.
#[derive(Clone, Debug, PartialEq)]
pub struct CostStack {
    /// One a model, and apart for what was measured; measured ones first.
    pub panels: Vec<Panel>,
    /// Why models have no bar on a device: left out of the drawing, kept in the table.
    pub missing: Vec<String>,
    /// Traffic, assumptions and the months of the prices.
    pub caption: String,
}

/// Bars on one scale.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Id of the model.
    pub model: String,
    /// Whether times come from rows of this harness, or from published peaks.
    pub is_measured: bool,
    /// The cheapest first.
    pub bars: Vec<Bar>,
}

/// One device.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// Its name and how many.
    pub device: String,
    /// Dollars a million output tokens, prompts included, by cause.
    pub split: Split,
    /// The price that it rests on.
    pub price: String,
}

/// Bars of priced lines.
///
/// # Errors
/// [`ChartError::Empty`] when no line has a price.
pub fn series(request: &CostRequest, catalogue: &Catalogue, lines: &[CostLine]) -> Result<CostStack, ChartError> {
    let mut stack = CostStack { panels: Vec::new(), missing: Vec::new(), caption: caption(request, catalogue, lines) };
    for line in lines {
        let split = line.split(request).filter(|split| split.total.high.0.is_finite() && split.total.mid.0 > 0.0);
        let (Some(split), Some(price)) = (split, &line.price) else {
            let why = line.reason.as_deref().unwrap_or("it has no price");
            stack.missing.push(format!("{} on {}: {why}", line.model, line.device));
            continue;
        };
        let many = line.chips.filter(|chips| *chips > 1).map_or(String::new(), |chips| format!(" × {chips}"));
        let price = format!("${:.2} a {}-hour, {}", price.usd_per_hour.mid.0, price.unit, price.term);
        let is_measured = split.busy_kinds.contains(Provenance::Measured);
        let bar = Bar { device: format!("{}{many}", line.device), split, price };
        let same = |panel: &&mut Panel| panel.model == line.model && panel.is_measured == is_measured;
        match stack.panels.iter_mut().find(same) {
            Some(panel) => panel.bars.push(bar),
            None => stack.panels.push(Panel { model: line.model.clone(), is_measured, bars: vec![bar] }),
        }
    }
    if stack.panels.is_empty() {
        let why = "no chip that was asked for has a price: give one with --cost '--price USD', or name other chips as \
                   `farthing catalogue` lists them";
        return Err(ChartError::Empty(why));
    }
    stack.panels.sort_by_key(|panel| !panel.is_measured);
    for panel in &mut stack.panels {
        panel.bars.sort_by(|a, b| a.split.total.mid.0.total_cmp(&b.split.total.mid.0));
    }
    Ok(stack)
}

fn caption(request: &CostRequest, catalogue: &Catalogue, lines: &[CostLine]) -> String {
    let chips = lines.iter().map(|line| line.target.as_str());
    format!("{} · {}", assumptions(request), listed(catalogue, chips))
}

const TITLE: &str = "Dollars a million output tokens, with their prompts";
const NOTE: &str = "central case by what the paid hours go to; whiskers: low and high case of the whole";
const WIDTH: i32 = 1000;
const LEFT: i32 = 210;
const RIGHT: i32 = 225;
const PITCH: i32 = 26;
/// Title, key, and room above the bars; the scale below.
const ABOVE: i32 = 84;
const BELOW: i32 = 40;

/// Draws a panel below the other.
///
/// # Errors
/// [`ChartError::Draw`].
pub fn figure(stack: &CostStack) -> Result<Figure, ChartError> {
    let alt = alt(stack);
    let height = |panel: &Panel| ABOVE + PITCH * panel.bars.len() as i32 + BELOW;
    let size = (WIDTH, stack.panels.iter().map(height).sum());
    let card = Card { title: TITLE, note: NOTE, caption: &stack.caption, alt: &alt, size };
    let svg = card.svg(|canvas, (left, mut top, right, _)| {
        for panel in &stack.panels {
            draw(canvas, panel, (left, top, right, top + height(panel)))?;
            top += height(panel);
        }
        Ok(())
    })?;
    Ok(Figure {
        name: "cost_stack",
        title: TITLE.into(),
        alt,
        caption: stack.caption.clone(),
        svg,
        table: table(stack),
    })
}

fn draw(canvas: &Canvas<'_>, panel: &Panel, area: Area) -> Result<(), ChartError> {
    let (left, top, right, _) = area;
    let basis = if panel.is_measured { "times from measured rows" } else { "times from published peaks" };
    canvas.head(
        &format!("{}, {basis}", panel.model),
        "solid: measured or published; hatched: press or estimated; \
        crossed: assumed",
        None,
        area,
    )?;
    let parts = Part::ALL.map(|part| (part.to_string(), look(part), Fill::Solid));
    canvas.key(&parts, (left + 22, top + 60), WIDTH - 44)?;
    let (l, t, r) = (left + LEFT, top + ABOVE, right - RIGHT);
    let b = t + PITCH * panel.bars.len() as i32;
    let most = panel.bars.iter().map(|bar| bar.split.total.high.0).fold(0.0, f64::max);
    let x = Axis::new(Scale::Linear, (0.0, most * 1.03), (l, r));
    for value in x.ticks() {
        canvas.grid(&[(x.px(value), t), (x.px(value), b)])?;
        canvas.text(&usd(value), (x.px(value), b + 14), Hang::Middle, (Type::Tick, FAINT))?;
    }
    for (idx, bar) in panel.bars.iter().enumerate() {
        stacked(canvas, bar, &x, t + PITCH * idx as i32 + PITCH / 2)?;
        let at = t + PITCH * idx as i32 + PITCH / 2;
        canvas.text(&Type::Small.clipped(&bar.device, LEFT - 34), (l - 10, at), Hang::Right, (Type::Small, INK))?;
        let total = &bar.split.total;
        let range = format!("{} ({} to {})", usd(total.mid.0), usd(total.low.0), usd(total.high.0));
        canvas.text(&Type::Name.clipped(&range, RIGHT - 20), (r + 10, at), Hang::Left, (Type::Name, INK))?;
    }
    canvas.axis(&[(l, t), (l, b)])
}

/// One bar, its parts side by side in the order of their causes.
fn stacked(canvas: &Canvas<'_>, bar: &Bar, x: &Axis, at: i32) -> Result<(), ChartError> {
    let mut before = 0.0;
    for (part, usd) in Part::ALL.into_iter().zip(bar.split.parts) {
        let (from, to) = (x.px(before), x.px(before + usd.0));
        before += usd.0;
        if to > from {
            // A pixel of card between neighbours.
            let fill = evidence(bar.split.kinds(part));
            canvas.rectangle((from, at - 8, (to - 1).max(from), at + 8), look(part).paint, fill)?;
        }
    }
    let total = &bar.split.total;
    canvas.whisker((x.px(total.low.0), at), (x.px(total.high.0), at), INK)
}

fn look(part: Part) -> Series {
    match part {
        Part::Idle => OTHER,
        part => SERIES[part as usize % SERIES.len()],
    }
}

fn alt(stack: &CostStack) -> String {
    let told = |panel: &Panel| {
        let (first, last) = panel.bars.first().zip(panel.bars.last())?;
        let cost = |bar: &Bar| format!("{} on {}", usd(bar.split.total.mid.0), bar.device);
        let basis = if panel.is_measured { "measured" } else { "from published peaks" };
        Some(match panel.bars.len() {
            1 => format!("{} ({basis}): {}", panel.model, cost(first)),
            _ => format!("{} ({basis}): from {} to {}", panel.model, cost(first), cost(last)),
        })
    };
    let told: Vec<String> = stack.panels.iter().filter_map(told).collect();
    format!("Dollars a million output tokens with their prompts, by what they are spent on. {}.", told.join("; "))
}

fn table(stack: &CostStack) -> Table {
    let parts = Part::ALL.map(|part| part.to_string());
    let mut columns = vec![("model", Align::Left), ("device", Align::Left)];
    columns.extend(["$/M", "low", "high"].map(|name| (name, Align::Right)));
    columns.extend(parts.iter().map(|part| (part.as_str(), Align::Right)));
    columns.extend([("price", Align::Left), ("rests on", Align::Left)]);
    let mut table = Table::new(TITLE, &columns);
    for panel in &stack.panels {
        for bar in &panel.bars {
            let total = &bar.split.total;
            let mut cells = vec![panel.model.clone(), bar.device.clone()];
            cells.extend([total.mid.0, total.low.0, total.high.0].map(digits));
            cells.extend(bar.split.parts.map(|part| digits(part.0)));
            cells.extend([bar.price.clone(), total.kinds.to_string()]);
            table.row(cells);
        }
    }
    stack.missing.iter().for_each(|why| table.note(why));
    table
}

#[cfg(test)]
mod tests;
