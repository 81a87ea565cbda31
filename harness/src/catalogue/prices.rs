//! Prices of accelerators and of CPU instances, as listed; the price of one chip is derived, never typed.

use super::CatalogueError;
use super::chips::Chip;
use super::entry::{Document, Entry};
use super::figure::{Dimension, Figure};
use super::month::Month;
use crate::units::UsdPerHour;
use std::cmp::Reverse;

/// A listed price of an instance with accelerators.
#[derive(Clone, Debug, PartialEq)]
pub struct ChipPrice {
    /// Id of the chip.
    pub chip: String,
    /// Provider and instance.
    pub offer: String,
    /// `on-demand`, `spot`, `reserved`, `capacity block`, ...
    pub term: String,
    /// Price of the whole instance.
    pub per_instance_hour: Figure,
    /// Chips in the instance.
    pub chips: u32,
    /// Whether this is the price charged unless the user gives one.
    pub default: bool,
}

impl ChipPrice {
    /// Instance price over its chips.
    pub fn per_chip_hour(&self) -> UsdPerHour {
        UsdPerHour(self.per_instance_hour.value / f64::from(self.chips))
    }

    /// The month in which it was listed; none where its source carries no date.
    pub fn listed(&self) -> Option<Month> {
        Month::of_source(&self.per_instance_hour.source.date)
    }
}

/// No price of a chip is as old as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no price of `{chip}` is listed at or before {when}{}; give one with --price", known(*earliest))]
pub struct NoPrice {
    /// Id of the chip.
    pub chip: String,
    /// The month asked for.
    pub when: Month,
    /// The first month with a price, if any carries a date.
    pub earliest: Option<Month>,
}

fn known(earliest: Option<Month>) -> String {
    earliest.map_or_else(|| " (none carries a date)".into(), |month| format!(" (the earliest is of {month})"))
}

/// The price in force in a month: the last listed by then.
///
/// Listings of the default's offer and term come first, then those on demand, then any: a price that moves only because
/// another provider was looked at would be no history. A listing whose source carries no date is never taken.
///
/// # Errors
/// [`NoPrice`].
pub(super) fn price_at<'a>(prices: &'a [ChipPrice], chip: &str, when: Month) -> Result<&'a ChipPrice, NoPrice> {
    let of_chip = || prices.iter().filter(|price| price.chip == chip);
    let default = of_chip().find(|price| price.default);
    let closeness = |price: &ChipPrice| match default {
        Some(default) if default.offer == price.offer && default.term == price.term => 2,
        _ if price.term == ON_DEMAND => 1,
        _ => 0,
    };
    let dated = || of_chip().filter_map(|price| Some((price.listed()?, price)));
    let by_then = dated().filter(|(listed, _)| *listed <= when);
    let best = by_then.min_by_key(|(listed, price)| Reverse((closeness(price), *listed)));
    best.map(|(_, price)| price).ok_or_else(|| NoPrice {
        chip: chip.to_string(),
        when,
        earliest: dated().map(|(listed, _)| listed).min(),
    })
}

/// What can be bought: of each offer and term the last listing.
pub(super) fn offers<'a>(prices: &'a [ChipPrice], chip: &str) -> Vec<&'a ChipPrice> {
    let of_chip = || prices.iter().filter(|price| price.chip == chip && price.term != OWNERS_COST);
    let same = |a: &ChipPrice, b: &ChipPrice| a.offer == b.offer && a.term == b.term;
    let is_last = |price: &&ChipPrice| of_chip().all(|other| !same(other, price) || other.listed() <= price.listed());
    of_chip().filter(is_last).collect()
}

/// The term of a listed price that anyone pays by the hour.
pub(super) const ON_DEMAND: &str = "on-demand";
/// The term of what a chip-hour costs who owns the chip: nobody sells at it.
const OWNERS_COST: &str = "owner's TCO";

/// A listed price of a CPU instance.
#[derive(Clone, Debug, PartialEq)]
pub struct CpuPrice {
    /// Name in tables.
    pub id: String,
    /// Provider and instance.
    pub offer: String,
    /// Price of the whole instance.
    pub per_instance_hour: Figure,
    /// Virtual CPUs of the instance.
    pub vcpus: u32,
    /// CPU model patterns; `?` stands for any one character.
    pub models: Vec<String>,
    /// Vendor word in the CPU's name for which this is the stand-in when no pattern matches.
    pub stands_in_for: Option<String>,
}

/// How a CPU price was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpuMatch {
    /// The CPU's model name fits a pattern.
    Model,
    /// Nothing fits: the instance stands in for the vendor.
    StandIn,
}

impl CpuPrice {
    /// Instance price over its virtual CPUs.
    pub fn per_vcpu_hour(&self) -> UsdPerHour {
        UsdPerHour(self.per_instance_hour.value / f64::from(self.vcpus))
    }

    /// Whether and how this price applies to a CPU of that name.
    pub fn fits(&self, cpu: &str) -> Option<CpuMatch> {
        if self.models.iter().any(|pattern| contains(cpu, pattern)) {
            return Some(CpuMatch::Model);
        }
        let vendor = self.stands_in_for.as_deref()?;
        cpu.contains(vendor).then_some(CpuMatch::StandIn)
    }
}

/// Whether `text` contains `pattern`, in which `?` is any one character.
fn contains(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    text.windows(pattern.len().max(1)).any(|part| part.iter().zip(&pattern).all(|(&c, &p)| p == '?' || p == c))
}

pub(super) fn chip_prices(document: &Document, chips: &[Chip]) -> Result<Vec<ChipPrice>, CatalogueError> {
    document.entries("price")?.iter().map(|entry| chip_price(entry, chips)).collect()
}

fn chip_price(entry: &Entry<'_>, chips: &[Chip]) -> Result<ChipPrice, CatalogueError> {
    entry.only(&["chip", "offer", "term", "per_instance_hour", "chips", "default"])?;
    let chip = entry.text("chip")?;
    if !chips.iter().any(|known| known.id == chip) {
        let remedy = "name a chip of chips.toml or remove the price".into();
        return Err(entry.error("chip", format!("names `{chip}`, which chips.toml lacks"), remedy));
    }
    Ok(ChipPrice {
        chip,
        offer: entry.text("offer")?,
        term: entry.text("term")?,
        per_instance_hour: entry.figure("per_instance_hour", Dimension::Price)?,
        chips: entry.count("chips")?,
        default: entry.flag("default")?,
    })
}

pub(super) fn cpu_prices(document: &Document) -> Result<Vec<CpuPrice>, CatalogueError> {
    document.entries("cpu")?.iter().map(cpu_price).collect()
}

fn cpu_price(entry: &Entry<'_>) -> Result<CpuPrice, CatalogueError> {
    entry.only(&["id", "offer", "per_instance_hour", "vcpus", "models", "stands_in_for"])?;
    Ok(CpuPrice {
        id: entry.text("id")?,
        offer: entry.text("offer")?,
        per_instance_hour: entry.figure("per_instance_hour", Dimension::Price)?,
        vcpus: entry.count("vcpus")?,
        models: entry.texts("models")?,
        stands_in_for: entry.has("stands_in_for").then(|| entry.text("stands_in_for")).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Catalogue;
    use super::*;

    fn at(chip: &str, when: &str) -> Result<(String, f64), NoPrice> {
        let catalogue = Catalogue::embedded().expect("valid");
        let price = catalogue.price_at(chip, when.parse().expect("a month"))?;
        Ok((format!("{} {}", price.offer, price.term), price.per_instance_hour.value))
    }

    #[test]
    fn the_last_price_listed_by_a_month_is_in_force() {
        let p5 = |value| Ok(("AWS p5.48xlarge on-demand".into(), value));
        assert_eq!(at("h100", "2026-07"), p5(55.04));
        assert_eq!(at("h100", "2030-01"), p5(55.04));
        // Before the listing of July 2026, the cut of June 2025; before that, the price that it cut.
        assert_eq!(at("h100", "2026-06"), p5(55.06));
        assert_eq!(at("h100", "2025-06"), p5(55.06));
        assert_eq!(at("h100", "2025-05"), p5(98.32));
    }

    #[test]
    fn another_offer_stands_in_while_the_default_is_not_listed_yet() {
        // On demand from Spheron since March 2026, from AWS since July; in January there were capacity blocks only.
        assert_eq!(at("h200", "2026-04"), Ok(("Spheron on-demand".into(), 4.54)));
        assert_eq!(at("h200", "2026-01"), Ok(("AWS p5e.48xlarge capacity block".into(), 39.80)));
    }

    #[test]
    fn what_can_be_bought_leaves_out_old_listings_and_owners_costs() {
        let catalogue = Catalogue::embedded().expect("valid");
        let offers = catalogue.offers("h100");
        assert!(offers.iter().any(|price| price.default) && offers.iter().all(|price| price.term != OWNERS_COST));
        let of = |offer: &str, term: &str| {
            let found = offers.iter().filter(|price| price.offer == offer && price.term == term);
            found.map(|price| price.per_instance_hour.value).collect::<Vec<_>>()
        };
        assert_eq!(of("AWS p5.48xlarge", ON_DEMAND), [55.04]);
        assert_eq!(of("small clouds, one year", "reserved"), [2.35]);
    }

    #[test]
    fn a_month_without_a_price_is_refused_with_the_earliest() {
        let error = at("b300", "2026-03").expect_err("too early").to_string();
        assert_eq!(
            error,
            "no price of `b300` is listed at or before 2026-03 (the earliest is of 2026-04); give one with --price"
        );
        let undated = at("tpu-v5p", "2026-07").expect_err("no date").to_string();
        assert!(undated.contains("none carries a date"), "{undated}");
        assert!(at("tpu7x", "2026-07").is_err());
    }

    #[test]
    fn the_default_is_on_demand_wherever_that_is_listed() {
        let catalogue = Catalogue::embedded().expect("valid");
        for chip in &catalogue.chips {
            let prices = || catalogue.prices.iter().filter(|price| price.chip == chip.id);
            let Some(default) = catalogue.default_price(&chip.id) else {
                assert_eq!(prices().count(), 0, "{} has prices and no default", chip.id);
                continue;
            };
            assert_eq!(default.term == ON_DEMAND, prices().any(|price| price.term == ON_DEMAND), "{}", chip.id);
        }
    }

    #[test]
    fn a_question_mark_stands_for_one_character() {
        assert!(contains("AMD EPYC 9R45 96-Core", "EPYC 9??5"));
        assert!(!contains("AMD EPYC 9R14 96-Core", "EPYC 9??5"));
        assert!(!contains("AMD EPYC", "EPYC 9??5"));
    }
}
