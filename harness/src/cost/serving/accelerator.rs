//! The figures of a chip that a step needs, as plain numbers.

use crate::catalogue::{Chip, Precision};

/// Peaks, memory and link of one chip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accelerator {
    /// flop/s by precision, in the order of [`Precision::ALL`]; 0 where none is published.
    peaks: [f64; Precision::ALL.len()],
    /// Memory bandwidth in B/s.
    pub bandwidth: f64,
    /// Device memory in bytes.
    pub memory: f64,
    /// Bandwidth to the scale-up domain in B/s, one way; 0 where none is published.
    pub link: f64,
    /// Chips that share the link.
    pub domain: f64,
    /// Bandwidth to the network between domains in B/s, one way; 0 where none is published.
    pub network: f64,
    /// Devices that software sees in a chip.
    pub cores: f64,
    /// Whether batches, prompts and contexts are padded to shapes that programs were compiled for.
    pub static_shapes: bool,
}

impl Accelerator {
    /// The figures of a catalogue's chip.
    pub fn of(chip: &Chip) -> Self {
        Accelerator {
            peaks: Precision::ALL.map(|precision| chip.peak(precision).map_or(0.0, |peak| peak.mid.0)),
            bandwidth: chip.bandwidth.value,
            memory: chip.memory.value,
            link: chip.link.as_ref().map_or(0.0, |link| link.value),
            domain: f64::from(chip.domain),
            network: chip.network.as_ref().map_or(0.0, |network| network.value),
            cores: f64::from(chip.cores),
            static_shapes: chip.static_shapes,
        }
    }

    /// flop/s at which numbers of a format are multiplied: their own peak where the chip has one, else that of bf16
    /// for formats of 8 bits and fewer, which are widened into it first; `None` where there is neither.
    pub fn rate(&self, format: Precision) -> Option<f64> {
        let peak = |precision: Precision| Some(self.peaks[precision as usize]).filter(|&rate| rate > 0.0);
        let widened = || (format.bits_per_weight() <= 8.0).then(|| peak(Precision::Bf16)).flatten();
        peak(format).or_else(widened)
    }
}
