//! What a token costs: kernels to steps, steps to requests, requests to dollars. Pure arithmetic, no clock and no files.
//!
//! ```text
//! model, ranks ── architecture ──> step = matmuls + attention + head
//! rows, limits ── measured ──┐
//! chip, profile ─ published ─┴── timing ──> prefill P, decode step D
//! workload ────── serving ──> TTFT, TPOT, tokens/s          price ── spend ──> $/M input, $/M output
//! ```
//! A device that was measured is costed from its rows; a chip of the catalogue from its published peaks. Both end in
//! the same [`CostLine`], and each figure tells the kinds of evidence it rests on.

mod architecture;
mod error;
mod interactivity;
mod measured;
mod placement;
mod price;
mod published;
mod render;
mod request;
pub mod serving;
mod old_serving;
mod shape;
mod spend;
#[cfg(test)]
pub(crate) mod testing;
mod timing;
mod transfer;

pub use architecture::{
    Weights, active_parameters, kv_bytes_per_token, kv_elements, kv_elements_per_token, parameters, weight_bytes,
    weights,
};
pub use error::CostError;
pub(crate) use error::nearest;
pub use interactivity::{Served, at_interactivity};
pub use placement::Placement;
pub use price::PriceUsed;
pub use render::{Format, UnknownFormat, render};
pub use request::{CostRequest, Machine, Workload};
pub use old_serving::Speed;
pub use shape::{AttentionShape, MatmulShape};
pub use spend::Spend;

use crate::catalogue::{Catalogue, Chip, Model};
use crate::record::{MeasuredLimit, Row};
use crate::units::{Estimate, Kinds, Provenance, Seconds};
use architecture::{decode_step, prefill_step};
use measured::Measured;
use published::Published;
use serde::Serialize;
use old_serving::Phases;
use timing::{Timing, step_time};

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
    /// Why figures are missing.
    pub reason: Option<String>,
    /// What a reader should know before quoting the figures.
    pub notes: Vec<String>,
}

impl CostLine {
    fn new(model: &Model, target: &str, device: &str) -> Self {
        CostLine {
            model: model.id.clone(),
            target: target.to_string(),
            device: device.to_string(),
            chips: None,
            threads: None,
            batch: None,
            speed: None,
            price: None,
            spend: None,
            reason: None,
            notes: Vec::new(),
        }
    }

    /// Fills in speed, and money where there is a price.
    fn fill(&mut self, request: &CostRequest, phases: &Phases, placement: Placement, price: Result<PriceUsed, String>) {
        let workload = &request.workload;
        self.chips = Some(placement.ranks);
        self.batch = Some(placement.sequences);
        self.speed = Some(old_serving::speed(phases, workload, placement));
        match price {
            Ok(price) => {
                let share = |share| Estimate::point(share, Provenance::Assumed);
                let useful = [share(request.utilisation), share(request.availability)];
                let rate = spend::useful_rate(price.usd_per_hour, price.units, useful[0], useful[1]);
                let times = old_serving::time_of_request(phases, workload, f64::from(placement.sequences));
                self.spend = Some(spend::spend(rate, times, workload));
                self.price = Some(price);
            }
            Err(reason) => self.reason = Some(reason),
        }
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
    let models = request.models(catalogue)?;
    let devices = measured_devices(rows);
    let backends: Vec<&str> = devices.iter().map(|(backend, _)| *backend).collect();
    let chips = request.chips(catalogue, &backends)?;
    let mut lines = Vec::new();
    for model in models {
        for &device in devices.iter().filter(|(backend, _)| request.wants(backend)) {
            lines.push(measured_line(request, catalogue, model, device, rows, limits)?);
        }
        for chip in &chips {
            lines.push(published_line(request, catalogue, model, chip));
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
fn measured_devices(rows: &[Row]) -> Vec<(&str, &str)> {
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

fn phases(
    timing: &dyn Timing,
    model: &Model,
    workload: &Workload,
    placement: Placement,
    before_first_token: Estimate<Seconds>,
) -> Result<Phases, CostError> {
    let Placement { ranks, sequences } = placement;
    let decode = decode_step(model, ranks, f64::from(sequences), workload.mean_context())?;
    let prefill = prefill_step(model, ranks, f64::from(workload.input_tokens))?;
    Ok(Phases { prefill: step_time(timing, &prefill)?, decode: step_time(timing, &decode)?, before_first_token })
}

fn published_line(request: &CostRequest, catalogue: &Catalogue, model: &Model, chip: &Chip) -> CostLine {
    let mut line = CostLine::new(model, &chip.id, &chip.name);
    let costed = || {
        let profile = catalogue.profile_of(chip);
        let placement = placement::place(model, chip, profile, &request.workload)?;
        let timing = Published::new(chip, profile, request.workload.dtype, placement.ranks)?;
        let wait = profile.before_first_token.estimate();
        Ok((phases(&timing, model, &request.workload, placement, wait)?, placement))
    };
    match costed() {
        Ok((phases, placement)) => {
            line.fill(request, &phases, placement, price::of_chip(request, catalogue, chip, placement.ranks));
            if placement.sequences < request.workload.concurrency {
                line.notes.push(format!("memory holds {} sequences; the others wait", placement.sequences));
            }
        }
        Err(error) => line.reason = Some(CostError::to_string(&error)),
    }
    line
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
        let timing = Measured::new((backend, device), workload.dtype, rows, limits, &catalogue.measurement)?;
        let (price, memory) = machine_price(request, catalogue, device, timing.threads);
        let held = placement::on_machine(model, workload, memory);
        let none = Estimate::point(Seconds(0.0), Kinds::NONE);
        let phases = phases(&timing, model, workload, held.placement, none)?;
        Ok((phases, held, price, timing.threads))
    };
    match costed() {
        Ok((phases, held, price, threads)) => {
            line.threads = threads;
            let phases = if held.fits { phases } else { phases.on_more_memory() };
            line.fill(request, &phases, held.placement, price);
            line.notes.extend(held.note);
        }
        Err(error @ CostError::Malformed { .. }) => return Err(error),
        Err(error) => line.reason = Some(error.to_string()),
    }
    Ok(line)
}

/// Price and memory of a measured device: an accelerator by its name, a CPU by its threads.
fn machine_price(
    request: &CostRequest,
    catalogue: &Catalogue,
    device: &str,
    threads: Option<usize>,
) -> (Result<PriceUsed, String>, Option<f64>) {
    if let Some(chip) = catalogue.chip_of_device(device) {
        return (price::of_chip(request, catalogue, chip, 1), Some(chip.memory.value));
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
mod tests;
