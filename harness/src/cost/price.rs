//! Which price a device is charged at, and what it is worth.

use super::request::{CostRequest, Machine};
use super::terms::Agreed;
use crate::catalogue::{Catalogue, Chip, ChipPrice, CpuMatch, CpuPrice};
use crate::units::{Estimate, Kinds, Provenance, UsdPerHour};
use serde::Serialize;

/// The price behind a cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PriceUsed {
    /// Dollars an hour for one unit.
    pub usd_per_hour: Estimate<UsdPerHour>,
    /// What a unit is: `chip`, `vCPU` or `machine`.
    pub unit: &'static str,
    /// Units that are paid for.
    pub units: f64,
    /// Provider and instance, or that the user gave it.
    pub offer: String,
    /// `on-demand`, `spot`, ...; prices of different terms do not compare.
    pub term: String,
    /// Where it is listed, with the date.
    pub source: String,
    /// What terms made of the list price, where any were agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreed: Option<Agreed>,
}

/// The user's price, else the catalogue's; `Err` says why there is none.
pub(super) fn of_chip(
    request: &CostRequest,
    catalogue: &Catalogue,
    chip: &Chip,
    chips: f64,
) -> Result<PriceUsed, String> {
    if let Some(price) = request.price {
        return Ok(given(price, "chip", chips));
    }
    let listed = match request.at {
        Some(month) => catalogue.price_at(&chip.id, month).map_err(|error| error.to_string())?,
        None => catalogue
            .default_price(&chip.id)
            .ok_or_else(|| format!("no price of {} was found: give one with --price", chip.name))?,
    };
    let source = &listed.per_instance_hour.source;
    Ok(PriceUsed {
        usd_per_hour: Estimate::point(listed.per_chip_hour(), source.kind),
        unit: "chip",
        units: chips,
        offer: format!("{}{}", listed.offer, elsewhere(catalogue, chip)),
        term: listed.term.clone(),
        source: format!("{}, {}", source.title, source.date),
        agreed: None,
    })
}

/// The cheapest and the dearest of the other offers; nothing where there is none.
fn elsewhere(catalogue: &Catalogue, chip: &Chip) -> String {
    let mut others: Vec<_> = catalogue.offers(&chip.id).into_iter().filter(|other| !other.default).collect();
    others.sort_by(|a, b| a.per_chip_hour().0.total_cmp(&b.per_chip_hour().0));
    let told = |other: &ChipPrice| format!("{:.2} {} {}", other.per_chip_hour().0, other.offer, other.term);
    match others.as_slice() {
        [] => String::new(),
        [only] => format!("; also listed: {}", told(only)),
        [cheapest, .., dearest] => format!("; also listed: from {} to {}", told(cheapest), told(dearest)),
    }
}

/// The price of as many vCPUs as threads took part.
pub(super) fn of_cpu(
    request: &CostRequest,
    catalogue: &Catalogue,
    cpu: &str,
    threads: usize,
) -> Result<PriceUsed, String> {
    if let Some(price) = request.price {
        return Ok(given_for_machine(price));
    }
    let fitting = |how| catalogue.cpus.iter().find(move |price| price.fits(cpu) == Some(how));
    if let Some(price) = fitting(CpuMatch::Model) {
        let kind = price.per_instance_hour.source.kind;
        return Ok(of_vcpus(price, Estimate::point(price.per_vcpu_hour(), kind), threads, String::new()));
    }
    let Some(price) = fitting(CpuMatch::StandIn).or(catalogue.cpus.first()) else {
        return Err(format!("the catalogue holds no CPU price to stand in for {cpu}: give one with --price"));
    };
    let rates = || catalogue.cpus.iter().map(|price| price.per_vcpu_hour().0);
    let rate = Estimate {
        low: UsdPerHour(rates().fold(f64::INFINITY, f64::min)),
        mid: price.per_vcpu_hour(),
        high: UsdPerHour(rates().fold(0.0, f64::max)),
        kinds: Kinds::from(price.per_instance_hour.source.kind).union(Provenance::Assumed.into()),
    };
    let why = format!(", assumed: no listed instance is known to have the CPU `{cpu}`");
    Ok(of_vcpus(price, rate, threads, why))
}

fn of_vcpus(price: &CpuPrice, usd_per_hour: Estimate<UsdPerHour>, threads: usize, why: String) -> PriceUsed {
    let source = &price.per_instance_hour.source;
    PriceUsed {
        usd_per_hour,
        unit: "vCPU",
        units: threads as f64,
        offer: format!("{}{why}", price.offer),
        term: "on-demand".into(),
        source: format!("{}, {}", source.title, source.date),
        agreed: None,
    }
}

/// The user's price for a whole machine.
pub(super) fn given_for_machine(price: UsdPerHour) -> PriceUsed {
    given(price, "machine", 1.0)
}

fn given(price: UsdPerHour, unit: &'static str, units: f64) -> PriceUsed {
    PriceUsed {
        usd_per_hour: Estimate::point(price, Provenance::Assumed),
        unit,
        units,
        offer: "given by the user".into(),
        term: "given".into(),
        source: "--price".into(),
        agreed: None,
    }
}

/// The name by which a CPU is priced: the machine's, which is fuller, else the device's.
pub(super) fn cpu_name<'a>(machine: Option<&'a Machine>, device: &'a str) -> &'a str {
    machine.map_or(device, |machine| machine.cpu.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::tests::request;
    use super::*;

    #[test]
    fn a_known_cpu_is_priced_by_its_generation() {
        let catalogue = Catalogue::embedded().expect("valid");
        // c7a.48xlarge: 9.85344 $/h over 192 vCPUs.
        let price = of_cpu(&request(), &catalogue, "AMD EPYC 9R14", 2).expect("priced");
        assert!((price.usd_per_hour.mid.0 - 0.05132).abs() < 1e-12);
        assert_eq!((price.usd_per_hour.weakest(), price.units), (Provenance::Published, 2.0));
    }

    #[test]
    fn the_other_offers_of_a_chip_are_told_as_a_range() {
        let catalogue = Catalogue::embedded().expect("valid");
        let offer = |id: &str| {
            let chip = catalogue.chip(id).expect("known");
            of_chip(&CostRequest { price: None, ..request() }, &catalogue, chip, 1.0).map(|price| price.offer)
        };
        let h100 = offer("h100").expect("priced");
        assert!(h100.contains("also listed: from 1.25 Nebius spot to 6.88 AWS p5.4xlarge on-demand"), "{h100}");
        assert_eq!(offer("tpu-v5p"), Ok("Google Cloud v5p-4864".into()));
    }

    #[test]
    fn an_unknown_cpu_is_priced_by_a_stand_in_with_the_range_of_all() {
        let catalogue = Catalogue::embedded().expect("valid");
        let price = of_cpu(&request(), &catalogue, "AMD EPYC", 2).expect("priced");
        assert!((price.usd_per_hour.mid.0 - 10.34592 / 192.0).abs() < 1e-12);
        assert!((price.usd_per_hour.low.0 - 8.568 / 192.0).abs() < 1e-12);
        assert_eq!(price.usd_per_hour.weakest(), Provenance::Assumed);
        assert!(price.offer.contains("assumed"), "{}", price.offer);
    }
}
