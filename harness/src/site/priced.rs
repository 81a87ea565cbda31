//! The costs that a site shows: which models, at what traffic, and from which rows.

use crate::catalogue::{Catalogue, Precision};
use crate::cost::{self, CostError, CostLine, CostRequest, Machine, TrafficPattern, Workload};
use crate::record::{Kind, Row, Status};
use crate::store::Run;

/// Models that are costed, each in the format in which its weights are published.
const MODELS: [(&str, Precision); 4] = [
    ("llama-3.1-8b", Precision::Bf16),
    ("llama-3.1-70b", Precision::Bf16),
    ("gpt-oss-120b", Precision::Mxfp4),
    ("deepseek-v3", Precision::Fp8),
];

/// One model on every device.
pub struct Priced {
    /// What was asked.
    pub request: CostRequest,
    /// The answers, measured devices first.
    pub lines: Vec<(Target, CostLine)>,
}

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A chip of the catalogue.
    Chip,
    /// A device that was measured, in the run of this number.
    Run(usize),
}

impl Priced {
    /// The model's id.
    pub fn model(&self) -> &str {
        self.request.models.first().map_or("", |model| &model.id)
    }
}

/// The costs of a site.
///
/// # Errors
/// Rows whose shape cannot be read.
pub(super) fn priced(runs: &[Run], catalogue: &Catalogue) -> Result<Vec<Priced>, CostError> {
    let evidence = evidence(runs);
    let models = MODELS.iter().filter_map(|(id, weights)| Some((catalogue.model(id)?, *weights)));
    models
        .map(|(model, weights)| {
            let request = CostRequest::usual(model.clone(), Workload::of(&TrafficPattern::default(), weights));
            let mut lines = Vec::new();
            for found in &evidence {
                let header = &runs[found.run].header;
                let machine = Some(Machine::from(&header.environment));
                let request = CostRequest { targets: vec![found.backend.clone()], machine, ..request.clone() };
                let own = cost::price(&request, catalogue, &found.rows, &header.limits)?;
                lines.extend(own.into_iter().map(|line| (Target::Run(found.run), line)));
            }
            lines.extend(cost::price(&request, catalogue, &[], &[])?.into_iter().map(|line| (Target::Chip, line)));
            Ok(Priced { request, lines })
        })
        .collect()
}

/// Rows of one device through one backend, all of one run.
struct Evidence {
    backend: String,
    device: String,
    run: usize,
    rows: Vec<Row>,
}

/// For each backend and device the run with most rows, the newest of equals. A backend without any attention (a BLAS,
/// timed as a peer) can serve no model.
fn evidence(runs: &[Run]) -> Vec<Evidence> {
    let mut found: Vec<Evidence> = Vec::new();
    for (idx, run) in runs.iter().enumerate() {
        for of_run in of_run(idx, run) {
            match found.iter_mut().find(|known| (&known.backend, &known.device) == (&of_run.backend, &of_run.device)) {
                Some(known) if known.rows.len() <= of_run.rows.len() => *known = of_run,
                Some(_) => {}
                None => found.push(of_run),
            }
        }
    }
    found.retain(|evidence| evidence.rows.iter().any(|row| row.op == "attention"));
    found
}

fn of_run(idx: usize, run: &Run) -> Vec<Evidence> {
    let mut found: Vec<Evidence> = Vec::new();
    for row in run.rows.iter().filter(|row| row.kind == Kind::Measured && row.status == Status::Ok) {
        match found.iter_mut().find(|known| known.backend == row.backend && known.device == row.device) {
            Some(known) => known.rows.push(row.clone()),
            None => found.push(Evidence {
                backend: row.backend.clone(),
                device: row.device.clone(),
                run: idx,
                rows: vec![row.clone()],
            }),
        }
    }
    found
}
