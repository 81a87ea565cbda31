//! What would change a cost: each input a tenth larger, all else as it is.

use super::error::CostError;
use super::request::{CostRequest, Workload};
use super::{CostLine, price};
use crate::catalogue::{Catalogue, Chip};
use crate::record::{MeasuredLimit, Row};
use crate::units::{Share, UsdPerHour};
use serde::Serialize;

/// How much larger an input is made.
const LARGER: f64 = 1.1;

/// An input that is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Moved {
    /// The price of an hour, whoever states it.
    Price,
    /// Share of the paid time with demand; it ends at 1.
    Utilisation,
    /// Peaks of arithmetic of the catalogue's chips; of measured devices, how fast their matrix products are.
    Arithmetic,
    /// Memory bandwidth of the catalogue's chips; of measured devices, how fast their attention is.
    Bandwidth,
    /// Memory size of the catalogue's chips.
    Memory,
    /// Bandwidth between chips.
    Link,
    /// Tokens of a prompt.
    InputTokens,
    /// Tokens of an answer.
    OutputTokens,
    /// Requests in flight.
    Concurrency,
}

impl Moved {
    /// Every input.
    pub const ALL: [Moved; 9] = [
        Moved::Price,
        Moved::Utilisation,
        Moved::Arithmetic,
        Moved::Bandwidth,
        Moved::Memory,
        Moved::Link,
        Moved::InputTokens,
        Moved::OutputTokens,
        Moved::Concurrency,
    ];

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Moved::Price => "price",
            Moved::Utilisation => "utilisation",
            Moved::Arithmetic => "arithmetic",
            Moved::Bandwidth => "bandwidth",
            Moved::Memory => "memory",
            Moved::Link => "link",
            Moved::InputTokens => "tokens in",
            Moved::OutputTokens => "tokens out",
            Moved::Concurrency => "in flight",
        }
    }
}

/// A cost, and what moves it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sensitivity {
    /// As it is.
    pub line: CostLine,
    /// For each of [`Moved::ALL`], the change of the dollars a million output tokens, in central cases, as a share of
    /// them; null where there is no cost, before or after.
    pub change: [Option<f64>; Moved::ALL.len()],
}

/// Every cost asked for, and what it would be with each input larger by a tenth.
///
/// # Errors
/// As [`price`].
pub fn sensitivities(
    request: &CostRequest,
    catalogue: &Catalogue,
    rows: &[Row],
    limits: &[MeasuredLimit],
) -> Result<Vec<Sensitivity>, CostError> {
    let mut found: Vec<Sensitivity> = price(request, catalogue, rows, limits)?
        .into_iter()
        .map(|line| Sensitivity { line, change: [None; Moved::ALL.len()] })
        .collect();
    let usd = |line: &CostLine| line.spend.as_ref().map(|spend| spend.usd_per_m_output.mid.0);
    for (idx, moved) in Moved::ALL.into_iter().enumerate() {
        let lines =
            price(&larger_request(request, moved), &larger_catalogue(catalogue, moved), &faster(rows, moved), limits)?;
        for (sensitivity, line) in found.iter_mut().zip(&lines) {
            sensitivity.change[idx] = usd(line).zip(usd(&sensitivity.line)).map(|(after, before)| after / before - 1.0);
        }
    }
    Ok(found)
}

fn larger_request(request: &CostRequest, moved: Moved) -> CostRequest {
    let count = |n: u32| (f64::from(n) * LARGER).round() as u32;
    let workload = request.workload;
    let workload = match moved {
        Moved::InputTokens => Workload { input_tokens: count(workload.input_tokens), ..workload },
        Moved::OutputTokens => Workload { output_tokens: count(workload.output_tokens), ..workload },
        Moved::Concurrency => Workload { concurrency: count(workload.concurrency), ..workload },
        _ => workload,
    };
    let mut larger = CostRequest { workload, ..request.clone() };
    match moved {
        Moved::Utilisation => larger.utilisation = Share((request.utilisation.0 * LARGER).min(1.0)),
        Moved::Price => larger.price = request.price.map(|usd| UsdPerHour(usd.0 * LARGER)),
        _ => {}
    }
    larger
}

fn larger_catalogue(catalogue: &Catalogue, moved: Moved) -> Catalogue {
    let mut larger = catalogue.clone();
    if moved == Moved::Price {
        larger.prices.iter_mut().for_each(|price| price.per_instance_hour.value *= LARGER);
        larger.cpus.iter_mut().for_each(|price| price.per_instance_hour.value *= LARGER);
    }
    larger.chips.iter_mut().for_each(|chip| enlarge(chip, moved));
    larger
}

fn enlarge(chip: &mut Chip, moved: Moved) {
    match moved {
        Moved::Arithmetic => {
            let peaks = &mut chip.peaks;
            let all =
                [&mut peaks.f32, &mut peaks.f16, &mut peaks.bf16, &mut peaks.fp8, &mut peaks.int8, &mut peaks.fp4];
            all.into_iter().flatten().for_each(|peak| peak.value *= LARGER);
        }
        Moved::Bandwidth => chip.bandwidth.value *= LARGER,
        Moved::Memory => chip.memory.value *= LARGER,
        Moved::Link => chip.link.iter_mut().for_each(|link| link.value *= LARGER),
        _ => {}
    }
}

/// Rows of a device whose products, or whose attention, took a tenth less long.
fn faster(rows: &[Row], moved: Moved) -> Vec<Row> {
    let op = match moved {
        Moved::Arithmetic => "matmul",
        Moved::Bandwidth => "attention",
        _ => return rows.to_vec(),
    };
    let faster = |row: &Row| {
        let mut row = row.clone();
        if row.op == op {
            row.median_s = row.median_s.map(|s| s / LARGER);
            row.ci95_s = row.ci95_s.map(|ends| ends.map(|s| s / LARGER));
            row.share = row.share.map(|share| share * LARGER);
            (row.gflops, row.gbps) = (row.gflops.map(|rate| rate * LARGER), row.gbps.map(|rate| rate * LARGER));
        }
        row
    };
    rows.iter().map(faster).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;
    use crate::catalogue::Precision;

    fn of(chip: &str, model: &str) -> [Option<f64>; Moved::ALL.len()] {
        let catalogue = Catalogue::embedded().expect("valid");
        let workload = Workload { weights: Precision::Bf16, ..testing::workload() };
        let request = CostRequest { targets: vec![chip.into()], ..CostRequest::usual(testing::model(model), workload) };
        sensitivities(&request, &catalogue, &[], &[]).expect("costed")[0].change
    }

    fn at(change: [Option<f64>; Moved::ALL.len()], moved: Moved) -> f64 {
        let idx = Moved::ALL.iter().position(|known| *known == moved).expect("listed");
        change[idx].expect("a cost")
    }

    #[test]
    fn a_dearer_hour_costs_as_much_more_and_more_demand_as_much_less() {
        let change = of("h100", "llama-3.1-70b");
        assert!((at(change, Moved::Price) - 0.1).abs() < 1e-12);
        assert!((at(change, Moved::Utilisation) - (1.0 / 1.1 - 1.0)).abs() < 1e-12);
    }

    #[test]
    fn hardware_helps_where_it_binds_and_never_by_more_than_its_tenth() {
        let change = of("h100", "llama-3.1-8b");
        for moved in [Moved::Arithmetic, Moved::Bandwidth] {
            let gain = at(change, moved);
            assert!((1.0 / 1.1 - 1.0..0.0).contains(&gain), "{moved:?}: {gain}");
        }
        // One chip holds the model: nothing goes over a link.
        assert_eq!(at(change, Moved::Link), 0.0);
        // Longer prompts hold chips for longer, and are no output.
        assert!(at(change, Moved::InputTokens) > 0.0);
        let on_four = of("h100", "llama-3.1-70b");
        assert!(at(on_four, Moved::Link) < 0.0);
    }

    #[test]
    fn what_has_no_cost_has_no_change() {
        assert_eq!(of("tpu7x", "llama-3.1-8b"), [None; Moved::ALL.len()]);
    }
}
