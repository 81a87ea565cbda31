//! Traps that real sources have set: figures that parse, cite a source, and cannot be true.

use crate::catalogue::prices::ON_DEMAND;
use crate::catalogue::{Catalogue, Chip, ChipPrice, Figure, Model};
use crate::cost::parameters;
use crate::finding::Findings;

/// A narrower format runs at most twice as fast in dense arithmetic; the rest is for rounding. Sparse peaks, which
/// vendors print beside dense ones, are twice that.
const MOST_BETWEEN_PEAKS: f64 = 2.2;
/// Half a tebibyte: EC2's interface reports it for a Trainium2, five times what the chip has. The most that any chip of
/// the catalogue has is 288 GB.
const TOO_MUCH_MEMORY: f64 = (1u64 << 39) as f64;
/// Stacks of high-bandwidth memory hold whole multiples of 8 GiB, so other counts of GiB are GB.
const STACK_GIB: f64 = 8.0;
/// Seconds in which a chip reads all its memory once: 16 to 43 ms for those whose figures were checked.
const READ_THROUGH_S: (f64, f64) = (0.008, 0.1);
/// Dollars a chip-hour that anyone asks.
const PRICE_USD: (f64, f64) = (0.1, 100.0);
/// What SkyPilot's tables hold where there is no price.
const NO_PRICE_SENTINEL: f64 = 700.0;
/// Watts of one package: from the smallest accelerators to twice the largest so far; a mistaken kW falls outside.
const TDP_W: (f64, f64) = (50.0, 3000.0);
/// A network is at most this share of the link that domains are built for: a quarter of H800's, which was cut down.
const MOST_NETWORK_TO_LINK: f64 = 0.3;
/// Published counts have three digits at least, so a right formula is within this share of them.
const COUNT_ROUNDING: f64 = 0.005;

pub(super) fn check(catalogue: &Catalogue, findings: &mut Findings) {
    for chip in &catalogue.chips {
        peaks(chip, findings);
        memory(chip, findings);
        power(chip, findings);
        network(chip, findings);
        defaults(catalogue, chip, findings);
    }
    for (idx, price) in catalogue.prices.iter().enumerate() {
        let chip = catalogue.chip(&price.chip).expect("the loader checked that every priced chip exists");
        listed(price, chip, &format!("price {} of {}", idx + 1, price.chip), findings);
    }
    for model in &catalogue.models {
        count(model, findings);
    }
    names(catalogue, findings);
}

fn value(figure: &Option<Figure>) -> Option<f64> {
    figure.as_ref().map(|figure| figure.value)
}

fn peaks(chip: &Chip, findings: &mut Findings) {
    let peaks = &chip.peaks;
    let pairs = [
        ("bf16", &peaks.bf16, "f16", &peaks.f16),
        ("f16", &peaks.f16, "bf16", &peaks.bf16),
        ("fp8", &peaks.fp8, "bf16", &peaks.bf16),
        ("int8", &peaks.int8, "bf16", &peaks.bf16),
        ("fp4", &peaks.fp4, "fp8", &peaks.fp8),
    ];
    for (narrow, narrow_peak, wide, wide_peak) in pairs {
        let (Some(fast), Some(slow)) = (value(narrow_peak), value(wide_peak)) else { continue };
        if fast > MOST_BETWEEN_PEAKS * slow && !chip.dense.iter().any(|stated| stated == narrow) {
            let times = fast / slow;
            findings.error(
                format!("{}.{narrow}", chip.id),
                format!(
                    "is {times:.1} times {wide}: a sparse peak? write the dense one, or dense = [\"{narrow}\"] where \
                     the source says that it is dense"
                ),
            );
        }
    }
}

fn memory(chip: &Chip, findings: &mut Findings) {
    let path = format!("{}.memory", chip.id);
    let memory = &chip.memory;
    if memory.value >= TOO_MUCH_MEMORY {
        let gb = memory.value / 1e9;
        findings
            .error(&path, format!("is {gb:.0} GB in one package; is it that of an instance, or a wrong interface?"));
    }
    if memory.unit == "GiB" && memory.written % STACK_GIB != 0.0 {
        findings.warn(&path, format!("is {} GiB, no whole number of 8 GiB: is it GB?", memory.written));
    }
    let seconds = memory.value / chip.bandwidth.value;
    if !(READ_THROUGH_S.0..=READ_THROUGH_S.1).contains(&seconds) {
        let ms = seconds * 1e3;
        let message = format!("reads all memory in {ms:.1} ms, others take 16 to 43: is one of the two figures wrong?");
        findings.error(format!("{}.bandwidth", chip.id), message);
    }
}

fn power(chip: &Chip, findings: &mut Findings) {
    let (tdp, all_in) = (value(&chip.tdp), value(&chip.all_in_power));
    if let Some(tdp) = tdp.filter(|tdp| !(TDP_W.0..=TDP_W.1).contains(tdp)) {
        findings.error(format!("{}.tdp", chip.id), format!("is {tdp} W; is the unit right?"));
    }
    if let (Some(tdp), Some(all_in)) = (tdp, all_in)
        && tdp > all_in
    {
        let message = format!("is {all_in} W, less than the chip's own {tdp} W; is it for the whole server?");
        findings.error(format!("{}.all_in_power", chip.id), message);
    }
}

/// Network cards are sold by the bit.
fn network(chip: &Chip, findings: &mut Findings) {
    if let (Some(link), Some(network)) = (value(&chip.link), value(&chip.network))
        && network > MOST_NETWORK_TO_LINK * link
    {
        let (network, link) = (network / 1e9, link / 1e9);
        let message =
            format!("is {network} GB/s beside a link of {link}; is it written in bits, or that of a whole instance?");
        findings.error(format!("{}.network", chip.id), message);
    }
}

fn defaults(catalogue: &Catalogue, chip: &Chip, findings: &mut Findings) {
    let of_chip = || catalogue.prices.iter().filter(|price| price.chip == chip.id);
    let path = format!("{}.default", chip.id);
    let n_defaults = of_chip().filter(|price| price.default).count();
    if n_defaults > 1 || (n_defaults == 0 && of_chip().next().is_some()) {
        findings.error(&path, format!("{n_defaults} of its prices are the default; mark one"));
    }
    if of_chip().any(|price| price.default && price.term != ON_DEMAND) && of_chip().any(|price| price.term == ON_DEMAND)
    {
        findings.warn(path, "is no on-demand price though one is listed: chips are compared on demand");
    }
}

fn listed(price: &ChipPrice, chip: &Chip, path: &str, findings: &mut Findings) {
    let per_chip = price.per_chip_hour().0;
    if [price.per_instance_hour.value, per_chip].contains(&NO_PRICE_SENTINEL) {
        findings.error(path, "is 700: some tables mean by it that there is no price; remove it");
    }
    if !(PRICE_USD.0..=PRICE_USD.1).contains(&per_chip) {
        let message = format!("is {per_chip:.4} $/h a chip, outside 0.1 to 100; is `chips` the count of chips?");
        findings.error(path, message);
    }
    let n = price.chips;
    let fits = chip.chips_per_instance.is_none_or(|whole| whole.is_multiple_of(n) || n.is_multiple_of(whole));
    if n > chip.domain || !fits {
        let usual = chip.chips_per_instance.map_or_else(|| "one".into(), |whole| format!("{whole} or a part of it"));
        let message = format!("is for {n} chips, where an instance has {usual}; are they cores or virtual CPUs?");
        findings.error(path, message);
    }
    if price.per_instance_hour.source.date == "n/d" && price.default {
        findings.warn(path, "is the default and carries no date: it cannot be chosen for a month");
    }
}

fn count(model: &Model, findings: &mut Findings) {
    let Some(published) = &model.published_parameters else { return };
    let computed = parameters(model);
    if (computed - published.value).abs() > COUNT_ROUNDING * published.value {
        let (computed, published) = (computed / 1e9, published.value / 1e9);
        let message = format!("makes {computed:.2} billion parameters, published are {published:.2}: a field is wrong");
        findings.error(&model.id, message);
    }
}

/// A name that two entries share would find the first only.
fn names(catalogue: &Catalogue, findings: &mut Findings) {
    for (idx, model) in catalogue.models.iter().enumerate() {
        for other in &catalogue.models[..idx] {
            for name in std::iter::once(&model.id).chain(&model.aliases).filter(|name| other.is_called(name)) {
                findings.error(&model.id, format!("is called `{name}`, and so is {}", other.id));
            }
        }
    }
    for chip in catalogue.announced.iter().filter(|announced| catalogue.chip(&announced.id).is_some()) {
        findings.error(&chip.id, "is announced and a chip with figures; remove one of the two");
    }
}
