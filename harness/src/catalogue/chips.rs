//! Accelerators: peaks, memory, links.

use super::CatalogueError;
use super::entry::{Document, Entry};
use super::figure::{Dimension, Figure};
use super::serving::Profile;
use crate::units::{BytesPerSecond, Estimate, FlopsPerSecond};
use farthing_kernels::DType;

/// An accelerator as its vendor describes it; dense peaks, one package.
#[derive(Clone, Debug, PartialEq)]
pub struct Chip {
    /// Name on the command line.
    pub id: String,
    /// Name in tables.
    pub name: String,
    /// Texts by which a driver's device name is recognised.
    pub aliases: Vec<String>,
    /// Dense peaks by element type; a type without a published peak is absent.
    pub peaks: Vec<(DType, Figure)>,
    /// Device memory.
    pub memory: Figure,
    /// Device memory bandwidth.
    pub bandwidth: Figure,
    /// Bandwidth of one chip to its scale-up domain; null where none was found.
    pub link: Option<Figure>,
    /// Chips in the scale-up domain: the most that tensor parallelism may span.
    pub domain: u32,
    /// Id of the serving profile.
    pub profile: String,
}

impl Chip {
    /// Dense peak of an element type, if published.
    pub fn peak(&self, dtype: DType) -> Option<Estimate<FlopsPerSecond>> {
        self.peaks.iter().find(|(known, _)| *known == dtype).map(|(_, figure)| figure.estimate())
    }

    /// Memory bandwidth.
    pub fn memory_rate(&self) -> Estimate<BytesPerSecond> {
        self.bandwidth.estimate()
    }
}

const FIELDS: [&str; 11] =
    ["id", "name", "aliases", "f32", "f16", "bf16", "memory", "bandwidth", "link", "domain", "profile"];

pub(super) fn chips(document: &Document, profiles: &[Profile]) -> Result<Vec<Chip>, CatalogueError> {
    document.entries("chip")?.iter().map(|entry| chip(entry, profiles)).collect()
}

fn chip(entry: &Entry<'_>, profiles: &[Profile]) -> Result<Chip, CatalogueError> {
    entry.only(&FIELDS)?;
    let mut peaks = Vec::new();
    for dtype in DType::ALL {
        if let Some(peak) = entry.optional_figure(&dtype.to_string(), Dimension::FlopRate)? {
            peaks.push((dtype, peak));
        }
    }
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
        peaks,
        memory: entry.figure("memory", Dimension::Memory)?,
        bandwidth: entry.figure("bandwidth", Dimension::ByteRate)?,
        link: entry.optional_figure("link", Dimension::ByteRate)?,
        domain: entry.count("domain")?,
        profile,
    })
}
