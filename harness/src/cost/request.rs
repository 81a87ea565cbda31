//! What is asked: models, devices, workload, money.

use super::error::{CostError, nearest};
use crate::catalogue::{Catalogue, Chip, Model};
use crate::record::Environment;
use crate::units::{Share, UsdPerHour};
use farthing_kernels::DType;
use serde::Serialize;

/// The traffic a replica serves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Workload {
    /// Tokens of a prompt.
    pub input_tokens: u32,
    /// Tokens of an answer.
    pub output_tokens: u32,
    /// Requests in flight at one replica.
    pub concurrency: u32,
    /// Element type of weights, activations and KV cache.
    pub dtype: DType,
}

impl Workload {
    /// Context that a decode step sees on average: the prompt and half of the answer.
    pub fn mean_context(&self) -> f64 {
        f64::from(self.input_tokens) + f64::from(self.output_tokens) / 2.0
    }
}

/// The machine that rows were measured on, as far as its price needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// CPU model name.
    pub cpu: String,
    /// Physical memory in bytes, if known.
    pub memory_bytes: Option<u64>,
}

impl From<&Environment> for Machine {
    fn from(environment: &Environment) -> Self {
        Machine { cpu: environment.cpu.clone(), memory_bytes: environment.memory_bytes }
    }
}

/// Everything a cost depends on beside catalogue and rows.
#[derive(Clone, Debug, PartialEq)]
pub struct CostRequest {
    /// Ids of models.
    pub models: Vec<String>,
    /// Ids of chips, and names of backends that were measured; empty means all.
    pub targets: Vec<String>,
    /// Price of a chip-hour (of the machine-hour for a measured CPU) that replaces the catalogue's.
    pub price: Option<UsdPerHour>,
    /// The traffic.
    pub workload: Workload,
    /// Share of the paid time in which there is demand.
    pub utilisation: Share,
    /// Share of the paid time in which the replica works.
    pub availability: Share,
    /// The machine of the rows, if known.
    pub machine: Option<Machine>,
}

impl CostRequest {
    /// Refuses inputs outside their range.
    pub(super) fn check(&self) -> Result<(), CostError> {
        let counts = [
            ("input tokens", self.workload.input_tokens),
            ("output tokens", self.workload.output_tokens),
            ("concurrency", self.workload.concurrency),
        ];
        if let Some((field, _)) = counts.into_iter().find(|(_, n)| *n == 0) {
            return Err(CostError::Invalid { field, value: "0".into(), allowed: "a whole number above 0" });
        }
        for (field, Share(x)) in [("utilisation", self.utilisation), ("availability", self.availability)] {
            if !(x > 0.0 && x <= 1.0) {
                let allowed = "a share above 0 and at most 1";
                return Err(CostError::Invalid { field, value: x.to_string(), allowed });
            }
        }
        match self.price {
            Some(UsdPerHour(x)) if !(x > 0.0 && x.is_finite()) => {
                Err(CostError::Invalid { field: "price", value: x.to_string(), allowed: "finite dollars above 0" })
            }
            _ => Ok(()),
        }
    }

    /// The models asked for.
    pub(super) fn models<'a>(&self, catalogue: &'a Catalogue) -> Result<Vec<&'a Model>, CostError> {
        let known: Vec<String> = catalogue.models.iter().map(|model| model.id.clone()).collect();
        self.models.iter().map(|name| catalogue.model(name).ok_or_else(|| unknown("model", name, &known))).collect()
    }

    /// The chips asked for; `backends` are names that are targets without being chips.
    pub(super) fn chips<'a>(&self, catalogue: &'a Catalogue, backends: &[&str]) -> Result<Vec<&'a Chip>, CostError> {
        if self.targets.is_empty() {
            return Ok(catalogue.chips.iter().collect());
        }
        let chips = catalogue.chips.iter().map(|chip| chip.id.clone());
        let announced = catalogue.announced.iter().map(|chip| chip.id.clone());
        let known: Vec<String> =
            chips.chain(announced).chain(backends.iter().map(|name| (*name).to_string())).collect();
        if let Some(name) = self.targets.iter().find(|name| !known.contains(name)) {
            return Err(unknown("chip", name, &known));
        }
        Ok(self.targets.iter().filter_map(|name| catalogue.chip(name)).collect())
    }

    /// Whether a measured backend, or an announced chip, was asked for.
    pub(super) fn wants(&self, target: &str) -> bool {
        self.targets.is_empty() || self.targets.iter().any(|name| name == target)
    }
}

fn unknown(what: &'static str, name: &str, known: &[String]) -> CostError {
    CostError::Unknown { what, name: name.to_string(), nearest: nearest(name, known), known: known.join(", ") }
}
