//! Accelerators: peaks, memory, links, power.

use super::CatalogueError;
use super::entry::{Document, Entry};
use super::figure::{Dimension, Figure, Source};
use super::precision::Precision;
use super::serving::Profile;
use crate::units::{BytesPerSecond, Estimate, FlopsPerSecond};

/// An accelerator as its vendor describes it; dense peaks, one package.
#[derive(Clone, Debug, PartialEq)]
pub struct Chip {
    /// Name on the command line.
    pub id: String,
    /// Name in tables.
    pub name: String,
    /// Texts by which a driver's device name is recognised.
    pub aliases: Vec<String>,
    /// Dense peaks.
    pub peaks: Peaks,
    /// Peaks that a source states to be dense though they are more than twice the next wider one.
    pub dense: Vec<String>,
    /// Device memory.
    pub memory: Figure,
    /// Device memory bandwidth.
    pub bandwidth: Figure,
    /// Bandwidth of one chip to its scale-up domain, one way; none where none was found.
    pub link: Option<Figure>,
    /// Chips in the scale-up domain: those that exchange at the speed of the link.
    pub domain: u32,
    /// Bandwidth of one chip to the network between domains, one way; none where none was found.
    pub network: Option<Figure>,
    /// Chips of the usual instance or server; none where none was found.
    pub chips_per_instance: Option<u32>,
    /// Cores of a chip that software sees as one device each: they split what the chip holds as chips do.
    pub cores: u32,
    /// Whether programs are compiled for fixed shapes, to which batches, prompts and contexts are padded.
    pub static_shapes: bool,
    /// Thermal design power of the chip alone, in watts.
    pub tdp: Option<Figure>,
    /// Power at the meter for each chip: with its part of the server, the network and the cooling, in watts.
    pub all_in_power: Option<Figure>,
    /// Id of the serving profile.
    pub profile: String,
}

/// Dense peaks by kind of arithmetic; none where none was published.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Peaks {
    /// binary32.
    pub f32: Option<Figure>,
    /// binary16.
    pub f16: Option<Figure>,
    /// bfloat16.
    pub bf16: Option<Figure>,
    /// Eight-bit floats.
    pub fp8: Option<Figure>,
    /// Eight-bit integers.
    pub int8: Option<Figure>,
    /// Four-bit floats, in whichever block format the chip reads.
    pub fp4: Option<Figure>,
}

impl Peaks {
    /// The peaks with the names of their fields, widest first.
    pub fn named(&self) -> [(&'static str, Option<&Figure>); 6] {
        [
            ("f32", self.f32.as_ref()),
            ("f16", self.f16.as_ref()),
            ("bf16", self.bf16.as_ref()),
            ("fp8", self.fp8.as_ref()),
            ("int8", self.int8.as_ref()),
            ("fp4", self.fp4.as_ref()),
        ]
    }
}

impl Chip {
    /// Dense peak of arithmetic in a precision, if published. Four-bit integers have none: they are widened first.
    pub fn peak(&self, precision: impl Into<Precision>) -> Option<Estimate<FlopsPerSecond>> {
        let figure = match precision.into() {
            Precision::F32 => &self.peaks.f32,
            Precision::F16 => &self.peaks.f16,
            Precision::Bf16 => &self.peaks.bf16,
            Precision::Fp8 => &self.peaks.fp8,
            Precision::Int8 => &self.peaks.int8,
            Precision::Int4 => &None,
            Precision::Nvfp4 | Precision::Mxfp4 => &self.peaks.fp4,
        };
        figure.as_ref().map(Figure::estimate)
    }

    /// Memory bandwidth.
    pub fn memory_rate(&self) -> Estimate<BytesPerSecond> {
        self.bandwidth.estimate()
    }
}

/// A chip of which too little is published to cost anything on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Announced {
    /// Name on the command line.
    pub id: String,
    /// Name in tables.
    pub name: String,
    /// What is missing.
    pub missing: String,
    /// Who says that it exists.
    pub source: Source,
}

impl Announced {
    /// Why nothing is costed on it, and who says so.
    pub fn reason(&self) -> String {
        format!("{} ({}, {})", self.missing, self.source.title, self.source.date)
    }
}

const FIELDS: [&str; 21] = [
    "id",
    "name",
    "aliases",
    "f32",
    "f16",
    "bf16",
    "fp8",
    "int8",
    "fp4",
    "dense",
    "memory",
    "bandwidth",
    "link",
    "domain",
    "network",
    "chips_per_instance",
    "cores",
    "static_shapes",
    "tdp",
    "all_in_power",
    "profile",
];

pub(super) fn chips(document: &Document, profiles: &[Profile]) -> Result<Vec<Chip>, CatalogueError> {
    document.entries("chip")?.iter().map(|entry| chip(entry, profiles)).collect()
}

fn chip(entry: &Entry<'_>, profiles: &[Profile]) -> Result<Chip, CatalogueError> {
    entry.only(&FIELDS)?;
    let peak = |field| entry.optional_figure(field, Dimension::FlopRate);
    let profile = entry.text("profile")?;
    if !profiles.iter().any(|known| known.id == profile) {
        let known: Vec<&str> = profiles.iter().map(|known| known.id.as_str()).collect();
        let remedy = format!("use one of {}", known.join(", "));
        return Err(entry.error("profile", format!("names `{profile}`, which serving.toml lacks"), remedy));
    }
    Ok(Chip {
        id: entry.text("id")?,
        name: entry.text("name")?,
        aliases: entry.texts("aliases")?,
        peaks: Peaks {
            f32: peak("f32")?,
            f16: peak("f16")?,
            bf16: peak("bf16")?,
            fp8: peak("fp8")?,
            int8: entry.optional_figure("int8", Dimension::IntegerRate)?,
            fp4: peak("fp4")?,
        },
        dense: entry.texts("dense")?,
        memory: entry.figure("memory", Dimension::Memory)?,
        bandwidth: entry.figure("bandwidth", Dimension::ByteRate)?,
        link: entry.optional_figure("link", Dimension::ByteRate)?,
        domain: entry.count("domain")?,
        network: entry.optional_figure("network", Dimension::ByteRate)?,
        chips_per_instance: entry.has("chips_per_instance").then(|| entry.count("chips_per_instance")).transpose()?,
        cores: if entry.has("cores") { entry.count("cores")? } else { 1 },
        static_shapes: entry.flag("static_shapes")?,
        tdp: entry.optional_figure("tdp", Dimension::Power)?,
        all_in_power: entry.optional_figure("all_in_power", Dimension::Power)?,
        profile,
    })
}

pub(super) fn announced(document: &Document) -> Result<Vec<Announced>, CatalogueError> {
    let read = |entry: &Entry<'_>| {
        entry.only(&["id", "name", "missing", "source"])?;
        Ok(Announced {
            id: entry.text("id")?,
            name: entry.text("name")?,
            missing: entry.text("missing")?,
            source: entry.source("source")?,
        })
    };
    document.entries("announced")?.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Catalogue;
    use super::*;

    #[test]
    fn both_four_bit_floats_have_the_fp4_peak_and_four_bit_integers_none() {
        let catalogue = Catalogue::embedded().expect("valid");
        let b200 = catalogue.chip("b200").expect("known");
        for precision in [Precision::Nvfp4, Precision::Mxfp4] {
            assert_eq!(b200.peak(precision).map(|peak| peak.mid), Some(FlopsPerSecond(9e15)));
        }
        assert_eq!(b200.peak(Precision::Int4), None);
        assert_eq!(catalogue.chip("h100").and_then(|chip| chip.peak(Precision::Nvfp4)), None);
    }
}
