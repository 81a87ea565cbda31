//! Prices of accelerators and of CPU instances, as listed; the price of one chip is derived, never typed.

use super::CatalogueError;
use super::chips::Chip;
use super::entry::{Document, Entry};
use super::figure::{Dimension, Figure};
use crate::units::UsdPerHour;

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
}

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
    use super::*;

    #[test]
    fn a_question_mark_stands_for_one_character() {
        assert!(contains("AMD EPYC 9R45 96-Core", "EPYC 9??5"));
        assert!(!contains("AMD EPYC 9R14 96-Core", "EPYC 9??5"));
        assert!(!contains("AMD EPYC", "EPYC 9??5"));
    }
}
