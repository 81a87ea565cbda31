//! Constants of serving software, where no kernel rows exist to read them from.

use super::CatalogueError;
use super::entry::{Document, Entry};
use super::figure::{Dimension, Figure, Range};
use crate::cost::serving::{Constants, SPECS};
use crate::units::Kinds;

/// Efficiencies and overheads of a serving engine on a family of chips.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Name that chips cite.
    pub id: String,
    /// The constants, in the order of [`SPECS`].
    constants: Vec<Range>,
    /// Errors on what was held out; none for a profile that no measurement went into.
    pub spreads: Option<Spreads>,
    /// Share of device memory that weights and KV cache may fill.
    pub usable_memory: Figure,
    /// Memory set aside on each chip.
    pub workspace: Figure,
}

/// Half-widths of 80 % intervals, as factors: `predicted / factor` to `predicted · factor`.
#[derive(Clone, Debug, PartialEq)]
pub struct Spreads {
    /// For a chip and a model that measurements went into: time per token, time to the first token.
    pub in_family: [Figure; 2],
    /// For another chip.
    pub new_chip: [Figure; 2],
    /// For another model.
    pub new_model: [Figure; 2],
    /// Ids of the chips that were measured.
    pub chips: Vec<String>,
    /// Ids of the models that were measured.
    pub models: Vec<String>,
}

impl Spreads {
    /// Factors for the time per token and the time to the first token: the wider where both chip and model are new.
    pub fn factors(&self, chip: &str, model: &str) -> [f64; 2] {
        let new_chip = !self.chips.iter().any(|known| known == chip);
        let new_model = !self.models.iter().any(|known| known == model);
        let applicable = [(true, &self.in_family), (new_chip, &self.new_chip), (new_model, &self.new_model)];
        [0, 1].map(|idx| {
            let of = |(applies, spread): (bool, &[Figure; 2])| if applies { spread[idx].value } else { 1.0 };
            applicable.map(of).into_iter().fold(1.0, f64::max)
        })
    }
}

/// Which case of the constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Each at its fast end.
    Fast,
    /// Each in its central case.
    Central,
    /// Each at its slow end.
    Slow,
}

impl Profile {
    /// The constants of a case.
    pub fn constants(&self, case: Case) -> Constants {
        let mut values = [0.0; SPECS.len()];
        for ((value, spec), range) in values.iter_mut().zip(&SPECS).zip(&self.constants) {
            *value = match (case, spec.more_is_faster) {
                (Case::Central, _) => range.mid,
                (Case::Fast, true) | (Case::Slow, false) => range.high,
                (Case::Fast, false) | (Case::Slow, true) => range.low,
            };
        }
        Constants::from_array(values)
    }

    /// Kinds of evidence of all constants.
    pub fn kinds(&self) -> Kinds {
        self.constants.iter().fold(Kinds::NONE, |kinds, range| kinds.union(range.source.kind.into()))
    }
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
    /// Evenness of routing.
    pub routing_evenness: Figure,
    /// Prompts' own times that a prompt waits for others, times the square root of their number.
    pub prefill_wait: Figure,
}

pub(super) fn profiles(document: &Document) -> Result<Vec<Profile>, CatalogueError> {
    document.entries("profile")?.iter().map(profile).collect()
}

const SPREADS: [&str; 6] =
    ["in_family_tpot", "in_family_ttft", "new_chip_tpot", "new_chip_ttft", "new_model_tpot", "new_model_ttft"];

fn profile(entry: &Entry<'_>) -> Result<Profile, CatalogueError> {
    let own = ["id", "usable_memory", "workspace", "chips", "models"];
    let known: Vec<&str> = own.into_iter().chain(SPECS.iter().map(|spec| spec.name)).chain(SPREADS).collect();
    entry.only(&known)?;
    let mut constants = Vec::with_capacity(SPECS.len());
    for spec in &SPECS {
        let dimension = if spec.unit.0 == "1" { Dimension::Ratio } else { Dimension::Time };
        let range = entry.range(spec.name, dimension)?;
        if range.low < spec.low * (1.0 - ROUNDED) || range.high > spec.high * (1.0 + ROUNDED) {
            let (unit, size) = spec.unit;
            let problem = format!("leaves {}..{} {unit}", spec.low / size, spec.high / size);
            return Err(entry.error(spec.name, problem, "a constant must stay within what is physical".into()));
        }
        constants.push(range);
    }
    Ok(Profile {
        id: entry.text("id")?,
        constants,
        spreads: if entry.has(SPREADS[0]) { Some(spreads(entry)?) } else { None },
        usable_memory: entry.figure("usable_memory", Dimension::Ratio)?,
        workspace: entry.figure("workspace", Dimension::Memory)?,
    })
}

/// Figures are written to a few digits: a bound may be met by rounding.
const ROUNDED: f64 = 1e-3;

fn spreads(entry: &Entry<'_>) -> Result<Spreads, CatalogueError> {
    let pair = |tpot, ttft| Ok([entry.figure(tpot, Dimension::Ratio)?, entry.figure(ttft, Dimension::Ratio)?]);
    Ok(Spreads {
        in_family: pair(SPREADS[0], SPREADS[1])?,
        new_chip: pair(SPREADS[2], SPREADS[3])?,
        new_model: pair(SPREADS[4], SPREADS[5])?,
        chips: entry.texts("chips")?,
        models: entry.texts("models")?,
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
    entry.only(&["id", "interpolated", "held", "per_step", "per_sequence", "routing_evenness", "prefill_wait"])?;
    Ok(Measurement {
        interpolated: entry.figure("interpolated", Dimension::Ratio)?,
        held: entry.figure("held", Dimension::Ratio)?,
        per_step: entry.range("per_step", Dimension::Time)?,
        per_sequence: entry.range("per_sequence", Dimension::Time)?,
        routing_evenness: entry.figure("routing_evenness", Dimension::Ratio)?,
        prefill_wait: entry.figure("prefill_wait", Dimension::Ratio)?,
    })
}
