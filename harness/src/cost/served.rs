//! A model on its ranks, ready to be timed: replicas for answers, and for prompts where these have their own.

use super::error::CostError;
use super::placement::Placement;
use super::request::Workload;
use super::serving::{Apart, Deployment, KernelTime, Replica, Steady, Traffic, apart, cache_bytes_of_rank, steady};
use super::speculation::{Speculation, replica};
use crate::catalogue::Model;

/// The replicas of a placement, and what arrives at them.
pub(super) struct Serving {
    answers: Replica,
    chips: f64,
    prompts: Option<Prompts>,
    traffic: Traffic,
}

struct Prompts {
    replica: Replica,
    deployment: Deployment,
    cache_bytes: f64,
}

impl Serving {
    pub(super) fn new(
        model: &Model,
        workload: &Workload,
        placement: &Placement,
        speculation: Option<&Speculation>,
    ) -> Self {
        let precisions = workload.precisions(model);
        let input = f64::from(workload.input_tokens);
        let prompts = placement.prompts_on.map(|deployment| Prompts {
            replica: replica(model, &deployment, &precisions, None),
            cache_bytes: cache_bytes_of_rank(model, &deployment, &precisions, input) * f64::from(deployment.tensor),
            deployment,
        });
        Serving {
            answers: replica(model, &placement.deployment, &precisions, speculation),
            chips: f64::from(placement.deployment.chips()),
            prompts,
            traffic: workload.traffic(placement.sequences),
        }
    }

    /// The state in which arrivals and completions balance; `waits` are the engine's constants of a first token.
    pub(super) fn steady(&self, timing: &impl KernelTime, waits: (f64, f64)) -> Result<Steady, CostError> {
        let Some(prompts) = &self.prompts else { return steady(&self.answers, timing, &self.traffic, waits) };
        let on = &prompts.deployment;
        let prompts = Apart {
            replica: &prompts.replica,
            chips: f64::from(on.chips()),
            copies: f64::from(on.attention_data),
            holders: f64::from(on.tensor),
            cache_bytes: prompts.cache_bytes,
        };
        apart(&prompts, (&self.answers, self.chips), timing, &self.traffic, waits.0)
    }
}
