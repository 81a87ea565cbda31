//! A figure with its unit and source, converted to base units once.

use crate::units::{Estimate, Provenance, Quantity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where figures come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Name that figures cite.
    pub id: String,
    /// What it is, precise enough to find it again.
    pub title: String,
    /// Date of the source or of its reading; `n/d` where it carries none.
    pub date: String,
    /// How much it is worth.
    pub kind: Provenance,
}

/// One cited number.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The number in base units (bytes, flop/s, B/s, seconds, watts, dollars an hour).
    pub value: f64,
    /// The number as the file has it.
    pub written: f64,
    /// Its unit there.
    pub unit: &'static str,
    /// Its source.
    pub source: Source,
}

impl Figure {
    /// The figure as an estimate without spread.
    pub fn estimate<T: Quantity>(&self) -> Estimate<T> {
        Estimate::point(T::of(self.value), self.source.kind)
    }
}

/// One cited number with its low and high case.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    /// Low case in base units.
    pub low: f64,
    /// Central case in base units.
    pub mid: f64,
    /// High case in base units.
    pub high: f64,
    /// Their source.
    pub source: Source,
}

impl Range {
    /// The range as an estimate.
    pub fn estimate<T: Quantity>(&self) -> Estimate<T> {
        Estimate { low: T::of(self.low), mid: T::of(self.mid), high: T::of(self.high), kinds: self.source.kind.into() }
    }
}

/// What a figure measures, and so which units it may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dimension {
    FlopRate,
    IntegerRate,
    Memory,
    ByteRate,
    Power,
    Time,
    Price,
    Ratio,
    Parameters,
}

impl Dimension {
    /// Units that may be written, with their size in base units.
    pub(super) const fn units(self) -> &'static [(&'static str, f64)] {
        const GIB: f64 = (1u64 << 30) as f64;
        match self {
            Dimension::FlopRate => &[("TFLOP/s", 1e12), ("GFLOP/s", 1e9)],
            Dimension::IntegerRate => &[("TOP/s", 1e12)],
            Dimension::Memory => &[("GB", 1e9), ("GiB", GIB)],
            Dimension::ByteRate => &[("GB/s", 1e9), ("TB/s", 1e12), ("GiB/s", GIB)],
            Dimension::Power => &[("W", 1.0), ("kW", 1e3)],
            Dimension::Time => &[("s", 1.0), ("ms", 1e-3), ("us", 1e-6)],
            Dimension::Price => &[("USD/h", 1.0)],
            Dimension::Ratio => &[("1", 1.0)],
            Dimension::Parameters => &[("1e9", 1e9)],
        }
    }

    /// The unit names, for a remedy.
    pub(super) fn unit_names(self) -> String {
        self.units().iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}
