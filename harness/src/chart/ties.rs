//! Break-even lines: at which prices of a chip-hour two chips cost the same a token.
//!
//! A token costs `price·chips / rate`, so two chips tie where `price / price_of_reference = rate / rate_of_reference`, each
//! rate in output tokens a second and chip: a straight line through the origin. Below it the chip is the cheaper.

use super::axis::{Axis, Scale, usd};
use super::canvas::{Area, Canvas, Hang};
use super::card::Card;
use super::theme::{FAINT, INK, SERIES, Type};
use super::{ChartError, Figure, assumptions, listed};
use crate::catalogue::Catalogue;
use crate::cost::{CostLine, CostRequest};
use crate::report::{Align, Table, digits};

/// What the figure shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Ties {
    /// Id of the model.
    pub model: String,
    /// Name of the chip that all others are held against.
    pub reference: String,
    /// Its price, in dollars a chip-hour.
    pub reference_usd: f64,
    /// One a chip.
    pub panels: Vec<Tie>,
    /// Traffic, assumptions and the months of the prices.
    pub caption: String,
}

/// A chip against the reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Tie {
    /// Name of the chip.
    pub chip: String,
    /// Dollars of its hour at the tie for each dollar of the reference's: central, low and high.
    pub slope: [f64; 3],
    /// Its listed prices, in dollars a chip-hour, with offer and term; that of the catalogue's default first.
    pub prices: Vec<(f64, String)>,
}

impl Tie {
    /// What its hour costs at the tie.
    fn at(&self, reference_usd: f64) -> f64 {
        self.slope[0] * reference_usd
    }
}

/// Ties of the first model's lines with a reference: the chip of that id, or the first that has a line and a price.
///
/// # Errors
/// [`ChartError::Empty`] when no two chips have both.
pub fn series(
    request: &CostRequest,
    catalogue: &Catalogue,
    lines: &[CostLine],
    reference: Option<&str>,
) -> Result<Ties, ChartError> {
    let why = "no two chips that were asked for serve the model and have a listed price: name others with --cost '--chip \
               h100,b200', or another --reference";
    let model = request.models.first().map_or("", |model| model.id.as_str());
    let able: Vec<(&CostLine, [f64; 3])> = lines
        .iter()
        .filter(|line| line.model == model && catalogue.default_price(&line.target).is_some())
        .filter_map(|line| Some((line, rate(line)?)))
        .collect();
    let wanted = |(line, _): &&(&CostLine, [f64; 3])| reference.is_none_or(|id| line.target == id);
    let (base, base_rate) = able.iter().find(wanted).ok_or(ChartError::Empty(why))?;
    let base_usd = catalogue.default_price(&base.target).map_or(0.0, |price| price.per_chip_hour().0);
    let tie = |(line, rate): &(&CostLine, [f64; 3])| Tie {
        chip: line.device.clone(),
        slope: [rate[0] / base_rate[0], rate[1] / base_rate[2], rate[2] / base_rate[1]],
        prices: prices(catalogue, &line.target),
    };
    let panels: Vec<Tie> = able.iter().filter(|(line, _)| line.target != base.target).map(tie).collect();
    if panels.is_empty() {
        return Err(ChartError::Empty(why));
    }
    let chips = able.iter().map(|(line, _)| line.target.as_str());
    let caption = format!("{} · {}", assumptions(request), listed(catalogue, chips));
    Ok(Ties { model: model.into(), reference: base.device.clone(), reference_usd: base_usd, panels, caption })
}

/// Output tokens a second and chip: central, low and high.
fn rate(line: &CostLine) -> Option<[f64; 3]> {
    let (speed, chips) = (line.speed.as_ref()?, f64::from(line.chips?));
    let rate = &speed.output_tokens_per_s;
    let rate = [rate.mid.0 / chips, rate.low.0 / chips, rate.high.0 / chips];
    rate.iter().all(|x| x.is_finite() && *x > 0.0).then_some(rate)
}

fn prices(catalogue: &Catalogue, chip: &str) -> Vec<(f64, String)> {
    let mut offers = catalogue.offers(chip);
    offers.sort_by_key(|offer| !offer.default);
    offers.iter().map(|offer| (offer.per_chip_hour().0, format!("{} {}", offer.offer, offer.term))).collect()
}

const TITLE: &str = "Prices at which two chips tie";
const ABREAST: i32 = 4;
const PANEL: (i32, i32) = (270, 270);

/// Draws four panels abreast, all on the same scales.
///
/// # Errors
/// [`ChartError::Draw`].
pub fn figure(ties: &Ties) -> Result<Figure, ChartError> {
    let alt = alt(ties);
    let note = format!(
        "$ a chip-hour against that of {}: line, equal dollars a token (dashed: low and high case); mark below it: the \
         cheaper; hollow: other offers",
        ties.reference
    );
    let abreast = ABREAST.min(ties.panels.len() as i32).max(2);
    let rows = (ties.panels.len() as i32 + abreast - 1) / abreast;
    let card = Card {
        title: TITLE,
        note: &note,
        caption: &ties.caption,
        alt: &alt,
        size: (PANEL.0 * abreast, PANEL.1 * rows),
    };
    let svg = card.svg(|canvas, (left, top, ..)| {
        ties.panels.iter().enumerate().try_for_each(|(idx, tie)| {
            let (column, row) = (idx as i32 % abreast, idx as i32 / abreast);
            let (l, t) = (left + PANEL.0 * column, top + PANEL.1 * row);
            draw(canvas, ties, tie, (l, t, l + PANEL.0, t + PANEL.1))
        })
    })?;
    let (title, caption) = (format!("{TITLE}: {}", ties.model), ties.caption.clone());
    Ok(Figure { name: "ties", title, alt, caption, svg, table: table(ties) })
}

fn draw(canvas: &Canvas<'_>, ties: &Ties, tie: &Tie, area: Area) -> Result<(), ChartError> {
    let (left, top, right, bottom) = area;
    let listed = tie.prices.first().map_or(0.0, |(price, _)| *price);
    let at = tie.at(ties.reference_usd);
    let verdict = format!("ties at {}, listed at {}", usd(at), usd(listed));
    canvas.head(&tie.chip, &Type::Small.clipped(&verdict, PANEL.0 - 30), None, area)?;
    let (l, t, r, b) = (left + 62, top + 56, right - 16, bottom - 34);
    // The reference's price in the middle; the same height for both prices and the tie.
    let most_x = 2.0 * ties.reference_usd;
    let highest = tie.prices.iter().map(|(price, _)| *price).fold(at, f64::max);
    let (x, y) =
        (Axis::new(Scale::Linear, (0.0, most_x), (l, r)), Axis::new(Scale::Linear, (0.0, highest * 1.25), (b, t)));
    for value in y.ticks() {
        canvas.grid(&[(l, y.px(value)), (r, y.px(value))])?;
        canvas.text(&usd(value), (l - 8, y.px(value)), Hang::Right, (Type::Tick, FAINT))?;
    }
    for value in x.ticks().into_iter().step_by(2) {
        canvas.axis(&[(x.px(value), b), (x.px(value), b + 4)])?;
        canvas.text(&usd(value), (x.px(value), b + 14), Hang::Middle, (Type::Tick, FAINT))?;
    }
    canvas.axis(&[(l, b), (r, b)])?;
    for (idx, slope) in tie.slope.iter().enumerate() {
        // To the upper or the right edge, whichever comes first.
        let end = most_x.min(highest * 1.25 / slope);
        let line = [(x.px(0.0), y.px(0.0)), (x.px(end), y.px(slope * end))];
        if idx == 0 { canvas.path(&line, INK, 2)? } else { canvas.dashes(&line, (FAINT, 1), (4, 4))? }
    }
    for (idx, (price, _)) in tie.prices.iter().enumerate().rev() {
        canvas.mark((x.px(ties.reference_usd), y.px(*price)), SERIES[usize::from(*price > at)], idx > 0)?;
    }
    Ok(())
}

fn alt(ties: &Ties) -> String {
    let listed = |tie: &Tie| tie.prices.first().map_or(f64::INFINITY, |(price, _)| *price);
    let cheaper: Vec<String> = ties
        .panels
        .iter()
        .filter(|tie| listed(tie) < tie.at(ties.reference_usd))
        .map(|tie| format!("{} ({} against a tie at {})", tie.chip, usd(listed(tie)), usd(tie.at(ties.reference_usd))))
        .collect();
    let told = if cheaper.is_empty() { "none".to_string() } else { cheaper.join(", ") };
    let (model, reference, price) = (&ties.model, &ties.reference, usd(ties.reference_usd));
    format!(
        "{model}: of {} chips held against {reference} at {price}, cheaper a token at their listed price: {told}.",
        ties.panels.len()
    )
}

fn table(ties: &Ties) -> Table {
    let columns = [
        ("chip", Align::Left),
        ("tie, $/chip-h", Align::Right),
        ("low", Align::Right),
        ("high", Align::Right),
        ("listed, $/chip-h", Align::Right),
        ("offer", Align::Left),
    ];
    let title = format!("{TITLE}: {}, {} at {} $/chip-h", ties.model, ties.reference, digits(ties.reference_usd));
    let mut table = Table::new(title, &columns);
    for tie in &ties.panels {
        for (price, offer) in &tie.prices {
            let mut cells = vec![tie.chip.clone()];
            cells.extend(tie.slope.map(|slope| digits(slope * ties.reference_usd)));
            cells.extend([digits(*price), offer.clone()]);
            table.row(cells);
        }
    }
    table
}

#[cfg(test)]
mod tests;
