//! The catalogue's figures for the chip at hand, and the part of them that one logical core is.

use farthing_kernels::DType;
use farthing_kernels::backend::neuron::Target;
use farthing_kernels::backend::neuron::machine::Machine;

use crate::catalogue::Catalogue;

/// The catalogue's id of a chip.
fn id(target: Target) -> &'static str {
    match target {
        Target::Trn1 | Target::Trn1n => "trainium1",
        Target::Trn2 => "trainium2",
        Target::Trn3 => "trainium3",
        Target::Inf2 => "inferentia2",
    }
}

/// Peaks, memory and price, a sentence each.
///
/// Rows are of one logical core: a chip's peak and price are divided by the logical cores that the chip has.
pub(super) fn sentences(catalogue: &Catalogue, machine: &Machine) -> Vec<String> {
    let id = id(machine.target);
    let Some(chip) = catalogue.chips.iter().find(|chip| chip.id == id) else {
        return vec![format!("the catalogue has no chip `{id}`")];
    };
    let parts = machine.logical_cores_per_chip() as f64;
    let peak = |dtype: DType| {
        let peak = chip.peak(dtype)?.mid.0 / 1e12;
        Some(format!("{dtype} {peak:.0} TFLOP/s a chip, {:.1} a logical core", peak / parts))
    };
    let peaks: Vec<String> = DType::FLOATS.into_iter().filter_map(peak).collect();
    let bandwidth = chip.memory_rate().mid.0 / 1e12;
    let price = match catalogue.default_price(id) {
        Some(price) => {
            let per_chip = price.per_chip_hour().0;
            let (offer, term) = (&price.offer, &price.term);
            format!("{per_chip:.3} $/h a chip ({offer}, {term}), {:.3} a logical core", per_chip / parts)
        }
        None => "no price was published".to_owned(),
    };
    vec![
        format!("published peaks of {}: {}", chip.name, peaks.join("; ")),
        format!("published bandwidth: {bandwidth:.2} TB/s a chip, {:.2} a logical core", bandwidth / parts),
        format!("price: {price}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logical_core_is_its_part_of_the_chip() {
        let catalogue = Catalogue::embedded().expect("valid");
        let machine = Machine { target: Target::Trn2, instance: None, lnc: 2, core: 0 };
        let text = sentences(&catalogue, &machine).join("\n");
        // 667 TFLOP/s over eight cores, two of which are a logical one: 166.75.
        assert!(text.contains("bf16 667 TFLOP/s a chip, 166.8 a logical core"), "{text}");
        // 23.0631 $/h for 16 chips: 1.441 a chip, 0.360 for a fourth of it.
        assert!(text.contains("1.441 $/h a chip") && text.contains("0.360 a logical core"), "{text}");
    }

    #[test]
    fn every_target_is_in_the_catalogue() {
        let catalogue = Catalogue::embedded().expect("valid");
        for target in Target::ALL {
            let machine = Machine { target, instance: None, lnc: 1, core: 0 };
            assert!(sentences(&catalogue, &machine)[0].starts_with("published peaks"), "{target}");
        }
    }
}
