//! What is asked: models, devices, workload, money.

use super::error::CostError;
use super::serving::{Deployment, Precisions, Spread, Traffic};
use super::speculation::{MOST_DRAFTED, Speculation};
use super::terms::Terms;
use super::traffic::TrafficPattern;
use crate::catalogue::{Catalogue, Chip, Model, Month, Precision, Profile};
use crate::nearest;
use crate::record::Environment;
use crate::units::{Share, UsdPerHour};
use serde::Serialize;
use std::str::FromStr;

/// The traffic a replica serves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Workload {
    /// Tokens of a prompt, on average.
    pub input_tokens: u32,
    /// Tokens of an answer, on average.
    pub output_tokens: u32,
    /// How both differ from request to request.
    pub spread: Spread,
    /// Requests in flight at one replica.
    pub concurrency: u32,
    /// Share of a prompt that a prefix cache holds.
    pub cached: Share,
    /// Number format of the checkpoint's weights.
    pub weights: Precision,
    /// Number format of the KV cache.
    pub kv: Precision,
}

impl Workload {
    /// The number format in which a KV cache is usually kept beside weights in a format: theirs, and bf16 below 16 bits.
    pub fn usual_kv(weights: Precision) -> Precision {
        match weights {
            wide @ (Precision::F32 | Precision::F16 | Precision::Bf16) => wide,
            _ => Precision::Bf16,
        }
    }

    /// Traffic of that kind, served from weights in a format, the cache in its usual one.
    pub fn of(traffic: &TrafficPattern, weights: Precision) -> Self {
        Workload {
            input_tokens: traffic.input_tokens,
            output_tokens: traffic.output_tokens,
            spread: traffic.spread,
            concurrency: traffic.concurrency,
            cached: Share(traffic.cached),
            weights,
            kv: Workload::usual_kv(weights),
        }
    }

    /// Context that a decode step sees on average: the prompt and half of the answer where all are of one length.
    pub fn mean_context(&self) -> f64 {
        self.spread.context(f64::from(self.input_tokens), f64::from(self.output_tokens))
    }

    /// Number formats by class of tensor, as checkpoints of that precision are published.
    pub(super) fn precisions(&self, model: &Model) -> Precisions {
        Precisions::of_checkpoint(model, self.weights, self.kv)
    }

    /// What arrives at a replica with room for so many sequences.
    pub(super) fn traffic(&self, room: u32) -> Traffic {
        Traffic {
            input: f64::from(self.input_tokens),
            cached: self.cached.0,
            output: f64::from(self.output_tokens),
            concurrency: f64::from(self.concurrency),
            room: f64::from(room),
            spread: self.spread,
        }
    }
}

/// What a user must see, in central cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Slo {
    /// Most seconds to the first token.
    pub ttft_s: Option<f64>,
    /// Most seconds per further token.
    pub tpot_s: Option<f64>,
}

/// What is no such list of limits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no latency to keep; give seconds above 0, as in ttft=2,tpot=0.05")]
pub struct UnknownSlo(String);

impl FromStr for Slo {
    type Err = UnknownSlo;

    fn from_str(text: &str) -> Result<Self, UnknownSlo> {
        let unknown = || UnknownSlo(text.to_string());
        let mut slo = Slo::default();
        for part in text.split(',') {
            let (name, seconds) = part.split_once('=').ok_or_else(unknown)?;
            let seconds = seconds.parse().ok().filter(|s: &f64| *s > 0.0 && s.is_finite()).ok_or_else(unknown)?;
            match name.trim() {
                "ttft" => slo.ttft_s = Some(seconds),
                "tpot" => slo.tpot_s = Some(seconds),
                _ => return Err(unknown()),
            }
        }
        Ok(slo)
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
    /// The models.
    pub models: Vec<Model>,
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
    /// How replicas are spread over chips; the fewest chips with room for all requests if not given.
    pub deployment: Option<Deployment>,
    /// How the replicas are spread that take in prompts, where they are others than those that answer.
    pub prompts_on: Option<Deployment>,
    /// What is drafted and checked, where decoding is speculative.
    pub speculation: Option<Speculation>,
    /// Serving engine whose constants replace those of each chip.
    pub engine: Option<String>,
    /// Latencies to keep: then the deployment and the batch with most tokens a chip among those that do are taken.
    pub slo: Option<Slo>,
    /// Month whose prices count; the latest if not given.
    pub at: Option<Month>,
    /// What is agreed beside the price.
    pub terms: Terms,
}

impl CostRequest {
    /// Share of the paid time in which there is demand where nothing else is said: our assumption.
    pub const UTILISATION: Share = Share(0.5);
    /// Share of the paid time in which a replica works where nothing else is said: our assumption.
    pub const AVAILABILITY: Share = Share(0.98);

    /// A model on every device at list prices, all else as is assumed where nothing is said.
    pub fn usual(model: Model, workload: Workload) -> Self {
        CostRequest {
            models: vec![model],
            targets: Vec::new(),
            price: None,
            workload,
            utilisation: CostRequest::UTILISATION,
            availability: CostRequest::AVAILABILITY,
            machine: None,
            deployment: None,
            prompts_on: None,
            speculation: None,
            engine: None,
            slo: None,
            at: None,
            terms: Terms::LISTED,
        }
    }

    /// Inputs outside their range, each as [`CostError::Invalid`].
    pub fn invalid(&self) -> Vec<CostError> {
        let invalid = |field, value: f64, allowed| CostError::Invalid { field, value: value.to_string(), allowed };
        let counts = [
            ("input tokens", self.workload.input_tokens),
            ("output tokens", self.workload.output_tokens),
            ("concurrency", self.workload.concurrency),
        ];
        let counts = counts.into_iter().filter(|(_, n)| *n == 0);
        let counts = counts.map(|(field, _)| invalid(field, 0.0, "a whole number above 0"));
        let shares = [("utilisation", self.utilisation.0), ("availability", self.availability.0)];
        let shares = shares.into_iter().filter(|(_, x)| !(*x > 0.0 && *x <= 1.0));
        let shares = shares.map(|(field, x)| invalid(field, x, "a share above 0 and at most 1"));
        let Share(cached) = self.workload.cached;
        let cached = (!(0.0..1.0).contains(&cached)).then(|| invalid("cached", cached, "a share from 0 to below 1"));
        let price = self.price.filter(|price| !(price.0 > 0.0 && price.0.is_finite()));
        let price = price.map(|price| invalid("price", price.0, "finite dollars above 0"));
        let drafts = self.speculation.iter().flat_map(|speculation| {
            let (n, Share(acceptance)) = (speculation.drafted, speculation.acceptance);
            let n = (!(1..=MOST_DRAFTED).contains(&n)).then(|| invalid("tokens drafted", f64::from(n), "1 to 32"));
            let range = "a probability from 0 to 1";
            let share = (!(0.0..=1.0).contains(&acceptance)).then(|| invalid("acceptance", acceptance, range));
            n.into_iter().chain(share)
        });
        let spread = self.workload.spread.invalid();
        let all = counts.chain(shares).chain(cached).chain(price).chain(drafts).chain(spread);
        all.chain(self.terms.invalid()).collect()
    }

    /// Refuses inputs outside their range.
    pub(super) fn check(&self) -> Result<(), CostError> {
        self.invalid().into_iter().next().map_or(Ok(()), Err)
    }

    /// Dollars of a chip-hour: the user's, else the catalogue's; `Err` says why there is none.
    ///
    /// # Errors
    /// The reason, for a reader.
    pub fn chip_hour(&self, catalogue: &Catalogue, chip: &Chip) -> Result<UsdPerHour, String> {
        super::price::of_chip(self, catalogue, chip, 1.0).map(|price| price.usd_per_hour.mid)
    }

    /// The engine's constants for a chip: those asked for, else the chip's own.
    pub(super) fn profile<'a>(&self, catalogue: &'a Catalogue, chip: &Chip) -> Result<&'a Profile, CostError> {
        let Some(name) = &self.engine else { return Ok(catalogue.profile_of(chip)) };
        let known: Vec<String> = catalogue.profiles.iter().map(|profile| profile.id.clone()).collect();
        let found = catalogue.profiles.iter().find(|profile| profile.id == *name);
        found.ok_or_else(|| unknown("engine", name, &known))
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
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    CostError::Unknown(nearest::unknown(what, name, &known))
}
