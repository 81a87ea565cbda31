//! What a token costs: kernels to steps, steps to requests, requests to dollars. Pure arithmetic, no clock and no files.
//!
//! ```text
//! model, deployment ── serving::StepModel ──> kernels of a step
//! rows, limits ── measured ──┐
//! chip, profile ─ published ─┴─ serving::steady ──> TTFT, TPOT, tokens/s      price ── spend ──> $/M input, $/M output
//! ```
//! A device that was measured is costed from its rows; a chip of the catalogue from its published peaks. Both end in
//! the same [`CostLine`], and each figure tells the kinds of evidence it rests on.

mod architecture;
mod audit;
mod error;
mod frontier;
mod interactivity;
mod layout;
mod measured;
mod placement;
mod price;
mod published;
mod render;
mod request;
mod sensitivity;
mod served;
pub mod serving;
mod shape;
mod speculation;
mod speed;
mod spend;
mod split;
mod terms;
#[cfg(test)]
pub(crate) mod testing;
mod traffic;
mod transfer;

pub use architecture::{Weights, active_parameters, kv_elements, kv_elements_per_token, parameters, weights};
pub use audit::{Audited, audit, quantiles};
pub use error::CostError;
pub use frontier::{OperatingPoint, frontier, frontiers, operating_points};
pub use interactivity::{Served, at_interactivity};
pub use layout::{Drafts, Layout, UnknownDrafts, UnknownLayout};
pub use placement::Placement;
pub(crate) use placement::usable_bytes;
pub use price::PriceUsed;
pub use render::{Format, UnknownFormat, render};
pub(crate) use render::{HEAD, cells, footer};
pub use request::{CostRequest, Machine, Slo, UnknownSlo, Workload};
pub use sensitivity::{Moved, Sensitivity, sensitivities};
pub use shape::{AttentionShape, MatmulShape};
pub use speculation::{Draft, Speculation};
pub use speed::Speed;
pub use spend::Spend;
pub use split::{Part, Split, split};
pub use terms::{Agreed, Floor, HOURS_A_MONTH, Terms, discounted};
pub use traffic::{TrafficPattern, UnknownTraffic};

use crate::catalogue::{Case, Catalogue, Chip, Model, Profile};
use crate::record::{MeasuredLimit, Row};
use crate::units::{Estimate, Provenance, TokensPerMegawattHour, Watts};
use measured::{AtCase, Measured};
use serde::Serialize;
use served::Serving;
use serving::Deployment;
use speed::Latency;
use std::cell::Cell;

/// One model on one device.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CostLine {
    /// Id of the model.
    pub model: String,
    /// Id of the chip, or name of the backend that was measured.
    pub target: String,
    /// Name of the device.
    pub device: String,
    /// Chips of a replica; null where it did not fit.
    pub chips: Option<u32>,
    /// How the replica is spread over them.
    pub deployment: Option<Deployment>,
    /// The replicas that take in prompts beside it, where it does not itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompts: Option<PromptReplicas>,
    /// Threads of a measured CPU.
    pub threads: Option<usize>,
    /// Sequences that run at once.
    pub batch: Option<u32>,
    /// Latency and throughput.
    pub speed: Option<Speed>,
    /// The price.
    pub price: Option<PriceUsed>,
    /// What tokens cost.
    pub spend: Option<Spend>,
    /// Output tokens of a replica at work for a megawatt-hour at the meter; null where its power there is not known.
    pub output_tokens_per_mwh: Option<Estimate<TokensPerMegawattHour>>,
    /// Why figures are missing.
    pub reason: Option<String>,
    /// What a reader should know before quoting the figures.
    pub notes: Vec<String>,
}

/// Replicas that take in prompts for others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PromptReplicas {
    /// How each is spread over chips.
    pub deployment: Deployment,
    /// How many there are for each replica that answers, so that all are busy.
    pub replicas: f64,
}

impl PromptReplicas {
    /// Chips of all of them.
    pub fn chips(&self) -> f64 {
        self.replicas * f64::from(self.deployment.chips())
    }
}

impl CostLine {
    fn new(model: &Model, target: &str, device: &str) -> Self {
        CostLine {
            model: model.id.clone(),
            target: target.to_string(),
            device: device.to_string(),
            chips: None,
            deployment: None,
            prompts: None,
            threads: None,
            batch: None,
            speed: None,
            price: None,
            spend: None,
            output_tokens_per_mwh: None,
            reason: None,
            notes: Vec::new(),
        }
    }

    /// Fills in speed, and money where there is a price.
    fn fill(
        &mut self,
        request: &CostRequest,
        workload: &Workload,
        (latency, placement): (&Latency, Placement),
        price: Result<PriceUsed, String>,
    ) {
        self.chips = Some(placement.deployment.chips());
        self.deployment = Some(placement.deployment);
        self.prompts = latency.prompts(&placement);
        self.batch = Some(placement.sequences);
        self.speed = Some(latency.speed(workload));
        match price {
            Ok(price) => {
                let price = request.terms.applied(price);
                self.notes.extend(price.agreed.as_ref().map(|agreed| agreed.note(price.unit)));
                let share = |share| Estimate::point(share, Provenance::Assumed);
                let useful = [share(request.utilisation), share(request.availability)];
                let rate = spend::useful_rate(price.usd_per_hour, price.units, useful[0], useful[1]);
                let times = latency.replica_time(workload);
                self.spend = Some(spend::spend(rate, times, workload));
                self.price = Some(price);
            }
            Err(reason) => self.reason = Some(reason),
        }
    }
}

impl CostLine {
    /// Fills in energy, where the chip's power with its part of server, network and cooling is known.
    fn fill_energy(&mut self, chip: &Chip) {
        let (Some(speed), Some(chips), Some(power)) = (&self.speed, self.chips, &chip.all_in_power) else { return };
        let chips = f64::from(chips) + self.prompts.map_or(0.0, |prompts| prompts.chips());
        let watts = Watts(power.value * chips);
        let tokens = speed.output_tokens_per_s.rising(|rate| rate / watts).resting_on(power.source.kind);
        self.output_tokens_per_mwh = Some(tokens);
    }
}

/// Costs every model asked for on every device asked for: measured ones first, then chips of the catalogue.
///
/// Only rows of kind `measured` and status `ok` are read. A model that cannot be costed on a device keeps its line,
/// with the reason in place of figures.
///
/// # Errors
/// [`CostError`] for unknown names, inputs out of range, and rows whose shape cannot be read.
pub fn price(
    request: &CostRequest,
    catalogue: &Catalogue,
    rows: &[Row],
    limits: &[MeasuredLimit],
) -> Result<Vec<CostLine>, CostError> {
    request.check()?;
    let devices = measured_devices(rows);
    let backends: Vec<&str> = devices.iter().map(|(backend, _)| *backend).collect();
    let chips = request.chips(catalogue, &backends)?;
    let mut lines = Vec::new();
    for model in &request.models {
        for &device in devices.iter().filter(|(backend, _)| request.wants(backend)) {
            lines.push(measured_line(request, catalogue, model, device, rows, limits)?);
        }
        for chip in &chips {
            lines.push(published_line(request, catalogue, model, chip)?);
        }
        for chip in catalogue.announced.iter().filter(|chip| request.wants(&chip.id)) {
            let line = CostLine::new(model, &chip.id, &chip.name);
            lines.push(CostLine { reason: Some(chip.reason()), ..line });
        }
    }
    Ok(lines)
}

/// Backend and device of admissible rows. A backend without any attention (a BLAS, timed as a peer) can serve no
/// model, so it is passed over where another can.
pub(crate) fn measured_devices(rows: &[Row]) -> Vec<(&str, &str)> {
    let mut all: Vec<(&str, &str)> = Vec::new();
    let mut able: Vec<(&str, &str)> = Vec::new();
    for row in rows.iter().filter(|row| measured::admissible(row)) {
        let device = (row.backend.as_str(), row.device.as_str());
        if !all.contains(&device) {
            all.push(device);
        }
        if row.op == "attention" && !able.contains(&device) {
            able.push(device);
        }
    }
    if able.is_empty() { all } else { able }
}

fn published_line(
    request: &CostRequest,
    catalogue: &Catalogue,
    model: &Model,
    chip: &Chip,
) -> Result<CostLine, CostError> {
    let mut line = CostLine::new(model, &chip.id, &chip.name);
    let profile = request.profile(catalogue, chip)?;
    let costed = || {
        let workload = &request.workload;
        let speculation = request.speculation.as_ref();
        let placement = match request.slo {
            Some(slo) => frontier::cheapest_within(model, chip, profile, (workload, speculation), slo)?,
            None => placement::place(model, chip, profile, request)?,
        };
        let concurrency = if request.slo.is_some() { placement.sequences } else { workload.concurrency };
        let workload = Workload { concurrency, ..*workload };
        let latency = published::latency(model, chip, profile, (&workload, speculation), &placement)?;
        Ok((latency, placement, workload))
    };
    match costed() {
        Ok((latency, placement, workload)) => {
            let prompts = latency.prompts(&placement).map_or(0.0, |prompts| prompts.chips());
            let chips = f64::from(placement.deployment.chips()) + prompts;
            let price = price::of_chip(request, catalogue, chip, chips);
            line.fill(request, &workload, (&latency, placement), price);
            line.fill_energy(chip);
            line.notes.extend(notes(profile, model, chip, request, &placement));
        }
        Err(error @ CostError::Deployment(_)) => return Err(error),
        Err(error) => line.reason = Some(CostError::to_string(&error)),
    }
    Ok(line)
}

/// What a reader should know of a line from published figures.
fn notes(profile: &Profile, model: &Model, chip: &Chip, request: &CostRequest, placement: &Placement) -> Vec<String> {
    let mut notes = Vec::new();
    if request.slo.is_some() {
        notes.push(format!("the latencies asked for are kept with {} sequences at once", placement.sequences));
    } else if placement.sequences < request.workload.concurrency {
        notes.push(format!("memory holds {} sequences; the others wait", placement.sequences));
    }
    if placement.deployment.attention_data > 1 {
        notes.push("attention data parallelism: checked against few published runs (see the worked examples)".into());
    }
    notes.extend(request.speculation.as_ref().map(Speculation::note));
    let Some(spreads) = &profile.spreads else { return notes };
    let new = |known: &[String], id: &str| !known.iter().any(|known| known == id);
    if new(&spreads.chips, &chip.id) {
        notes.push(format!("no run on it went into the constants of {}: interval of a chip held out", profile.id));
    } else if new(&spreads.models, &model.id) {
        notes.push(format!("no run of it went into the constants of {}: interval of a model held out", profile.id));
    }
    notes
}

fn measured_line(
    request: &CostRequest,
    catalogue: &Catalogue,
    model: &Model,
    (backend, device): (&str, &str),
    rows: &[Row],
    limits: &[MeasuredLimit],
) -> Result<CostLine, CostError> {
    let mut line = CostLine::new(model, backend, device);
    let workload = &request.workload;
    let costed = || {
        let dtype = workload.weights.dtype().ok_or(CostError::NotMeasured { precision: workload.weights })?;
        let measured = Measured::new((backend, device), dtype, rows, limits, &catalogue.measurement)?;
        let (price, memory) = machine_price(request, catalogue, device, measured.threads);
        let held = placement::on_machine(model, request, memory);
        let static_shapes = catalogue.chip_of_device(device).is_some_and(|chip| chip.static_shapes);
        let latency = measured_latency((&measured, static_shapes), model, request, &held.placement, catalogue)?;
        Ok((latency, held, price, measured.threads))
    };
    match costed() {
        Ok((latency, held, price, threads)) => {
            line.threads = threads;
            let latency = if held.fits { latency } else { latency.resting_on(Provenance::Assumed) };
            line.fill(request, workload, (&latency, held.placement), price);
            if let Some(chip) = catalogue.chip_of_device(device) {
                line.fill_energy(chip);
            }
            line.notes.extend(held.note);
            line.notes.extend(request.speculation.as_ref().map(Speculation::note));
        }
        Err(error @ CostError::Malformed { .. }) => return Err(error),
        Err(error) => line.reason = Some(error.to_string()),
    }
    Ok(line)
}

/// The three cases of a device's rows; there is no server in front of them.
fn measured_latency(
    (measured, static_shapes): (&Measured<'_>, bool),
    model: &Model,
    request: &CostRequest,
    placement: &Placement,
    catalogue: &Catalogue,
) -> Result<Latency, CostError> {
    let speculation = request.speculation.as_ref();
    let serving = Serving::new(model, &request.workload, placement, speculation);
    let wait = &catalogue.measurement.prefill_wait;
    let at = |case: Case| {
        let timing = AtCase { measured, case, static_shapes, kinds: Cell::new(wait.source.kind.into()) };
        let steady = serving.steady(&timing, (0.0, wait.value))?;
        Ok::<_, CostError>((steady, timing.kinds.get()))
    };
    let [(fast, _), (central, kinds), (slow, _)] = [at(Case::Fast)?, at(Case::Central)?, at(Case::Slow)?];
    let kinds = speculation.map_or(kinds, |_| kinds.union(Provenance::Assumed.into()));
    Ok(Latency::of_cases([fast, central, slow], kinds))
}

/// Price and memory of a measured device: an accelerator by its name, a CPU by its threads.
fn machine_price(
    request: &CostRequest,
    catalogue: &Catalogue,
    device: &str,
    threads: Option<usize>,
) -> (Result<PriceUsed, String>, Option<f64>) {
    if let Some(chip) = catalogue.chip_of_device(device) {
        return (price::of_chip(request, catalogue, chip, 1.0), Some(chip.memory.value));
    }
    let machine = request.machine.as_ref();
    let memory = machine.and_then(|machine| machine.memory_bytes).map(|bytes| bytes as f64);
    match threads {
        Some(threads) => (price::of_cpu(request, catalogue, price::cpu_name(machine, device), threads), memory),
        None => {
            let given = request.price.map(price::given_for_machine);
            (given.ok_or_else(|| format!("no price of `{device}` is known: give one with --price")), None)
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
