//! The cheapest vendor mix of a deal over time: each seller's share of a year's spend.

use super::card::Card;
use super::columns::{Columns, Layer, swatches};
use super::names::{KEY_LINE, key_lines};
use super::{ChartError, Figure, deal_caption};
use crate::deal::{Allocation, Analysis, Scenario};
use crate::report::{Align, Table, percent};

/// What the figure shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Mix {
    /// Headline of the deal.
    pub deal: String,
    /// First quarters of the years.
    pub years: Vec<String>,
    /// Sellers that are ever paid, those of the deal first.
    pub sellers: Vec<Seller>,
    /// Scenario, day of its terms, draws and seed.
    pub caption: String,
}

/// One seller.
#[derive(Clone, Debug, PartialEq)]
pub struct Seller {
    /// A commitment, or a vendor's market.
    pub name: String,
    /// Whether it is a part of the deal.
    pub of_the_deal: bool,
    /// Share of each year's spend.
    pub share: Vec<f64>,
    /// Dollars of each year.
    pub paid: Vec<f64>,
}

/// The mix of an analysis.
///
/// # Errors
/// [`ChartError::Empty`] when no mix meets the demand.
pub fn series(scenario: &Scenario, analysis: &Analysis) -> Result<Mix, ChartError> {
    let why = "no vendor mix meets this scenario's demand within its floors and limits: `farthing deal SCENARIO` names \
               what conflicts";
    let mix: &Allocation = analysis.mix.as_ref().ok_or(ChartError::Empty(why))?;
    let paid = mix.sellers.iter().filter(|line| line.paid.iter().all(|x| x.is_finite()));
    let mut sellers: Vec<Seller> = paid
        .filter(|line| line.paid.iter().any(|paid| *paid > 0.0))
        .map(|line| Seller {
            name: line.seller.clone(),
            of_the_deal: line.of_the_deal,
            share: line.share.clone(),
            paid: line.paid.clone(),
        })
        .collect();
    if sellers.is_empty() {
        return Err(ChartError::Empty(why));
    }
    sellers.sort_by_key(|seller| !seller.of_the_deal);
    let years = (0..mix.years).map(|year| scenario.quarter(4 * year)).collect();
    Ok(Mix { deal: analysis.title.clone(), years, sellers, caption: deal_caption(analysis) })
}

const TITLE: &str = "The cheapest vendor mix";
const NOTE: &str = "share of each year's spend in the central case, every contract used as well as it can be";
const WIDTH: i32 = 1000;
const PLOT: i32 = 320;
/// Title, unit and one line of the key above the plot, years below it.
const ABOVE: i32 = 80;
const BELOW: i32 = 34;

/// Draws it.
///
/// # Errors
/// [`ChartError::Draw`].
pub fn figure(mix: &Mix) -> Result<Figure, ChartError> {
    let alt = alt(mix);
    let layers = layers(mix);
    let key = swatches(&layers);
    let lines = key_lines(&key, WIDTH - 44);
    let size = (WIDTH, ABOVE + KEY_LINE * lines + PLOT + BELOW);
    let card = Card { title: TITLE, note: NOTE, caption: &mix.caption, alt: &alt, size };
    let svg = card.svg(|canvas, area| {
        let (left, top, right, bottom) = area;
        canvas.head(&mix.deal, "share of the year's spend", None, area)?;
        canvas.key(&key, (left + 22, top + 60), WIDTH - 44)?;
        let format = |share| format!("{:.0} %", 100.0 * share);
        let columns = Columns { layers: &layers, times: Some(&mix.years), format, most: 1.0 };
        canvas.columns(&columns, (left + 64, bottom - BELOW - PLOT, right - 30, bottom - BELOW))
    })?;
    let (title, caption) = (format!("{TITLE}: {}", mix.deal), mix.caption.clone());
    Ok(Figure { name: "mix", title, alt, caption, svg, table: table(mix) })
}

fn layers(mix: &Mix) -> Vec<Layer> {
    let layer = |(idx, seller): (usize, &Seller)| {
        let deal = if seller.of_the_deal { " (deal)" } else { "" };
        Layer::nth(idx, format!("{}{deal}", seller.name), seller.share.clone())
    };
    mix.sellers.iter().enumerate().map(layer).collect()
}

fn alt(mix: &Mix) -> String {
    let told = |seller: &Seller| {
        let (first, last) = seller.share.first().zip(seller.share.last())?;
        Some(format!("{} from {} to {}", seller.name, percent(*first), percent(*last)))
    };
    let told: Vec<String> = mix.sellers.iter().filter_map(told).collect();
    let span = mix.years.first().zip(mix.years.last()).map_or(String::new(), |(a, b)| format!("{a} to {b}"));
    format!("Share of spend by seller in the cheapest mix, years beginning {span}: {}.", told.join(", "))
}

fn table(mix: &Mix) -> Table {
    let columns = [
        ("seller", Align::Left),
        ("of the deal", Align::Left),
        ("year from", Align::Left),
        ("share", Align::Right),
        ("USD", Align::Right),
    ];
    let mut table = Table::new(format!("{TITLE}: {}", mix.deal), &columns);
    for seller in &mix.sellers {
        for ((year, share), paid) in mix.years.iter().zip(&seller.share).zip(&seller.paid) {
            let of_it = if seller.of_the_deal { "yes" } else { "no" };
            table.row(vec![seller.name.clone(), of_it.into(), year.clone(), percent(*share), format!("{paid:.0}")]);
        }
    }
    table
}

#[cfg(test)]
mod tests;
