//! The trade of a user's speed against dollars a token: what no other deployment and batch beats in both, chip by chip.

use super::axis::{Scale, usd};
use super::canvas::{Area, Canvas};
use super::card::Card;
use super::names::End;
use super::plot::{Plot, Span};
use super::theme::{self, Type};
use super::{ChartError, Figure, assumptions, listed};
use crate::catalogue::Catalogue;
use crate::cost::{self, CostRequest};
use crate::report::{Align, Table, digits};

/// What the figure shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Pareto {
    /// One a model.
    pub panels: Vec<Panel>,
    /// Why chips have no line.
    pub missing: Vec<String>,
    /// Traffic, assumptions and the months of the prices.
    pub caption: String,
}

/// A model's lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Id of the model.
    pub model: String,
    /// One a chip.
    pub lines: Vec<Line>,
}

/// A chip's frontier.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Name of the chip.
    pub chip: String,
    /// From the fastest for a user to the cheapest.
    pub points: Vec<Point>,
}

/// One deployment at one batch, in its central case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Output tokens a second that a user sees.
    pub tokens_per_s_per_user: f64,
    /// Dollars a million output tokens, with their prompts, at full demand.
    pub usd_per_m: f64,
    /// Chips of the replica.
    pub chips: u32,
    /// Sequences that run at once.
    pub sequences: u32,
}

/// Frontiers of the chips that were asked for and have a price.
///
/// # Errors
/// [`ChartError::Empty`] when none has, [`ChartError::Cost`] for a request that makes no sense.
pub fn series(request: &CostRequest, catalogue: &Catalogue) -> Result<Pareto, ChartError> {
    let mut pareto = Pareto { panels: Vec::new(), missing: Vec::new(), caption: String::new() };
    let mut drawn: Vec<&str> = Vec::new();
    for (model, chip, points) in cost::frontiers(request, catalogue)? {
        let priced = points
            .map_err(|why| why.to_string())
            .and_then(|points| Ok((points, request.chip_hour(catalogue, chip)?.0)));
        let (points, price) = match priced {
            Ok(priced) => priced,
            Err(why) => {
                pareto.missing.push(format!("{} on {}: {why}", model.id, chip.name));
                continue;
            }
        };
        let point = |at: &cost::OperatingPoint| Point {
            tokens_per_s_per_user: 1.0 / at.tpot_s,
            usd_per_m: price / 3600.0 / at.tokens_per_s_per_chip * 1e6,
            chips: at.deployment.chips(),
            sequences: at.sequences,
        };
        let points: Vec<Point> = points.iter().map(point).filter(is_drawable).collect();
        if points.is_empty() {
            continue;
        }
        drawn.push(&chip.id);
        let line = Line { chip: chip.name.clone(), points };
        match pareto.panels.iter_mut().find(|panel| panel.model == model.id) {
            Some(panel) => panel.lines.push(line),
            None => pareto.panels.push(Panel { model: model.id.clone(), lines: vec![line] }),
        }
    }
    pareto.caption = format!("{} · {}", assumptions(request), listed(catalogue, drawn.into_iter()));
    if pareto.panels.is_empty() {
        let why = "no chip that was asked for holds the model and has a price: give one with --cost '--price USD', or \
                   name other chips or models as `farthing catalogue` lists them";
        return Err(ChartError::Empty(why));
    }
    Ok(pareto)
}

fn is_drawable(point: &Point) -> bool {
    [point.tokens_per_s_per_user, point.usd_per_m].iter().all(|x| x.is_finite() && *x > 0.0)
}

const TITLE: &str = "A user's speed against dollars a token";
const NOTE: &str = "estimates, central cases at full demand: each line the deployments and batches of one chip that no \
                    other of its beats";
const WIDTH: i32 = 1000;
const HEIGHT: i32 = 500;
const NAMES: i32 = 230;

/// Draws a panel below the other.
///
/// # Errors
/// [`ChartError::Draw`].
pub fn figure(pareto: &Pareto) -> Result<Figure, ChartError> {
    let alt = alt(pareto);
    let size = (WIDTH, HEIGHT * pareto.panels.len() as i32);
    let card = Card { title: TITLE, note: NOTE, caption: &pareto.caption, alt: &alt, size };
    let svg = card.svg(|canvas, (left, top, right, _)| {
        pareto.panels.iter().enumerate().try_for_each(|(idx, panel)| {
            let top = top + HEIGHT * idx as i32;
            draw(canvas, panel, (left, top, right, top + HEIGHT))
        })
    })?;
    Ok(Figure { name: "pareto", title: TITLE.into(), alt, caption: pareto.caption.clone(), svg, table: table(pareto) })
}

fn draw(canvas: &Canvas<'_>, panel: &Panel, area: Area) -> Result<(), ChartError> {
    canvas.head(&panel.model, "dollars a million output tokens, prompts included", None, area)?;
    let (left, top, right, bottom) = area;
    let within = (left + 70, top + 58, right - NAMES, bottom - 46);
    let over = |of: fn(&Point) -> f64| {
        let values = panel.lines.iter().flat_map(|line| line.points.iter().map(of));
        values.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), x| (low.min(x), high.max(x)))
    };
    let ((x0, x1), (y0, y1)) = (over(|point| point.tokens_per_s_per_user), over(|point| point.usd_per_m));
    let x = Span::new(Scale::Log, (x0 / 1.15, x1 * 1.15));
    let y = Span { format: usd, ..Span::new(Scale::Log, (y0 / 1.2, y1 * 1.2)) };
    let plot = Plot::new(canvas, within, (&x, &y), "output tokens a second and user")?;
    for (idx, line) in panel.lines.iter().enumerate() {
        let at: Vec<(f64, f64)> = line.points.iter().map(|p| (p.tokens_per_s_per_user, p.usd_per_m)).collect();
        plot.line(&at, theme::nth(idx))?;
        // Marks at the ends alone: sixteen lines of eight each would hide one another.
        for (x, y) in at.first().into_iter().chain(at.last()).copied() {
            // Beyond the palette, lines that share a colour and a dash differ in their marks.
            canvas.mark(plot.at(x, y), theme::nth(idx), idx >= theme::SERIES.len())?;
        }
    }
    let end = |(idx, line): (usize, &Line)| {
        let fastest = line.points.first()?;
        let at = plot.at(fastest.tokens_per_s_per_user, fastest.usd_per_m);
        Some(End { name: line.chip.clone(), series: theme::nth(idx), at, kind: Type::Name })
    };
    canvas.names(&panel.lines.iter().enumerate().filter_map(end).collect::<Vec<_>>(), within, NAMES)
}

fn alt(pareto: &Pareto) -> String {
    let told = |panel: &Panel| {
        let all = || panel.lines.iter().flat_map(|line| line.points.iter().map(move |point| (line, point)));
        let cheapest = all().min_by(|(_, a), (_, b)| a.usd_per_m.total_cmp(&b.usd_per_m))?;
        let fastest = all().max_by(|(_, a), (_, b)| a.tokens_per_s_per_user.total_cmp(&b.tokens_per_s_per_user))?;
        let (money, speed) = (usd(cheapest.1.usd_per_m), digits(fastest.1.tokens_per_s_per_user));
        let (cheap, fast) = (&cheapest.0.chip, &fastest.0.chip);
        Some(format!("{}: cheapest {money} on {cheap}, fastest {speed} tokens a second on {fast}", panel.model))
    };
    let told: Vec<String> = pareto.panels.iter().filter_map(told).collect();
    format!("Tokens a second and user against dollars a million output tokens, by chip. {}.", told.join("; "))
}

fn table(pareto: &Pareto) -> Table {
    let columns = [
        ("model", Align::Left),
        ("chip", Align::Left),
        ("chips", Align::Right),
        ("batch", Align::Right),
        ("tok/s/user", Align::Right),
        ("$/M out", Align::Right),
    ];
    let mut table = Table::new(TITLE, &columns);
    for panel in &pareto.panels {
        for line in &panel.lines {
            for point in &line.points {
                let mut cells = vec![panel.model.clone(), line.chip.clone()];
                cells.extend([point.chips.to_string(), point.sequences.to_string()]);
                cells.extend([digits(point.tokens_per_s_per_user), digits(point.usd_per_m)]);
                table.row(cells);
            }
        }
    }
    pareto.missing.iter().for_each(|why| table.note(why));
    table
}

#[cfg(test)]
mod tests;
