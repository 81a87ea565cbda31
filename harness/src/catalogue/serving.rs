//! Constants of serving software, where no kernel rows exist to read them from.

use super::CatalogueError;
use super::entry::{Document, Entry};
use super::figure::{Dimension, Figure, Range};

/// Efficiencies and overheads of a family of chips under a serving engine.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Name that chips cite.
    pub id: String,
    /// Share of memory bandwidth reached when weights are read.
    pub weight_read: Range,
    /// Share of memory bandwidth reached when the KV cache is read.
    pub kv_read: Range,
    /// Share of peak reached by matrix products.
    pub compute: Range,
    /// Time of one kernel launch within a step.
    pub per_kernel: Range,
    /// Latency of one collective.
    pub per_collective: Range,
    /// Share of link bandwidth that a collective reaches.
    pub link: Range,
    /// Time of a step that no kernel accounts for.
    pub per_step: Range,
    /// The same, for each running sequence.
    pub per_sequence: Range,
    /// Time before the first token that no step accounts for.
    pub before_first_token: Range,
    /// Share of device memory that weights and KV cache may fill.
    pub usable_memory: Figure,
    /// Memory set aside on each chip.
    pub workspace: Figure,
}

/// What surrounds measured kernels: how far a utilisation taken from other shapes may be off, and a step's overhead.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Between measured shapes.
    pub interpolated: Figure,
    /// Beyond the measured shapes, where the edge is held.
    pub held: Figure,
    /// Time of a step that no kernel accounts for.
    pub per_step: Range,
    /// The same, for each running sequence.
    pub per_sequence: Range,
}

pub(super) fn profiles(document: &Document) -> Result<Vec<Profile>, CatalogueError> {
    document.entries("profile")?.iter().map(profile).collect()
}

fn profile(entry: &Entry<'_>) -> Result<Profile, CatalogueError> {
    entry.only(&[
        "id",
        "weight_read",
        "kv_read",
        "compute",
        "per_kernel",
        "per_collective",
        "link",
        "per_step",
        "per_sequence",
        "before_first_token",
        "usable_memory",
        "workspace",
    ])?;
    let ratio = |field| entry.range(field, Dimension::Ratio);
    let time = |field| entry.range(field, Dimension::Time);
    Ok(Profile {
        id: entry.text("id")?,
        weight_read: ratio("weight_read")?,
        kv_read: ratio("kv_read")?,
        compute: ratio("compute")?,
        per_kernel: time("per_kernel")?,
        per_collective: time("per_collective")?,
        link: ratio("link")?,
        per_step: time("per_step")?,
        per_sequence: time("per_sequence")?,
        before_first_token: time("before_first_token")?,
        usable_memory: entry.figure("usable_memory", Dimension::Ratio)?,
        workspace: entry.figure("workspace", Dimension::Memory)?,
    })
}

pub(super) fn measurement(document: &Document) -> Result<Measurement, CatalogueError> {
    let entries = document.entries("measurement")?;
    let Some(entry) = entries.first() else {
        return Err(CatalogueError::Field {
            file: "serving.toml".into(),
            entry: "measurement".into(),
            field: "measurement".into(),
            problem: "is missing".into(),
            remedy: "add [[measurement]] with interpolated and held".into(),
        });
    };
    entry.only(&["id", "interpolated", "held", "per_step", "per_sequence"])?;
    Ok(Measurement {
        interpolated: entry.figure("interpolated", Dimension::Ratio)?,
        held: entry.figure("held", Dimension::Ratio)?,
        per_step: entry.range("per_step", Dimension::Time)?,
        per_sequence: entry.range("per_sequence", Dimension::Time)?,
    })
}
