//! What the ranks of a replica exchange in a step.
//!
//! | where | what |
//! |---|---|
//! | one copy of attention | two all-reduces a layer over its ranks: after attention and after the block |
//! | several copies | the same within each copy, for its own tokens; each token travels to the ranks of its experts and back |
//! | several copies, experts not spread | all ranks reduce what all tokens got |
//! | stages | what leaves a stage goes to the next |

use super::deployment::{Deployment, Precisions};
use super::kernel_time::{AllToAll, KernelTime};
use crate::catalogue::{FeedForward, Model};

/// Bytes of an activation that ranks exchange.
const ACTIVATION_BYTES: f64 = 2.0;
/// Bits of a weight up to which tokens travel to experts in a byte an element, as they are multiplied.
const NARROW_BITS: f64 = 8.5;

/// The exchanges of a model under a deployment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Exchanges {
    hidden: f64,
    /// All-reduces of a step over the ranks of a copy.
    reductions: f64,
    tensor: f64,
    /// Whether several devices split a copy.
    is_split: bool,
    copies: f64,
    stages: f64,
    chips: f64,
    /// Where copies of attention share experts.
    routed: Option<Routed>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Routed {
    layers: f64,
    /// Experts of a token; none where experts are split by width alone.
    travels: Option<f64>,
    /// Experts of a layer, and those that are held.
    of: (f64, f64),
    sent_bytes: f64,
}

impl Exchanges {
    pub(super) fn new(model: &Model, deployment: &Deployment, precisions: &Precisions) -> Self {
        let layers = f64::from(model.layers);
        let copies = f64::from(deployment.attention_data);
        let routed = match model.feed_forward {
            FeedForward::Experts { active, experts, .. } if copies > 1.0 => Some(Routed {
                of: (f64::from(experts), f64::from(experts) * deployment.copies_of_experts(model)),
                layers: f64::from(model.expert_layers()),
                travels: (deployment.expert > 1).then_some(f64::from(active)),
                sent_bytes: if precisions.experts.bits_per_weight() <= NARROW_BITS { 1.0 } else { ACTIVATION_BYTES },
            }),
            _ => None,
        };
        // What experts give back is a sum already; without a shared one nothing else of the block is left to reduce.
        let summed = match (model.feed_forward, routed) {
            (FeedForward::Experts { shared: 0, .. }, Some(routed)) => routed.layers,
            _ => 0.0,
        };
        Exchanges {
            hidden: f64::from(model.hidden),
            reductions: 2.0 * layers - summed,
            tensor: f64::from(deployment.tensor),
            is_split: deployment.tensor_devices() > 1,
            copies,
            stages: f64::from(deployment.pipeline),
            chips: f64::from(deployment.chips()),
            routed,
        }
    }

    /// Seconds of all exchanges of a step of so many tokens; `local` of them are those of the busiest copy, and `merged`
    /// says that they are many, so that a token travels to a domain once for all of its experts there.
    pub(super) fn time(&self, timing: &impl KernelTime, (tokens, local): (f64, f64), merged: bool) -> f64 {
        let mut seconds = 0.0;
        if self.is_split {
            seconds += self.reductions * timing.all_reduce(local * self.hidden * ACTIVATION_BYTES, self.tensor);
        }
        if let Some(routed) = self.routed {
            let ranks = self.tensor * self.copies;
            seconds += routed.layers
                * match routed.travels {
                    Some(experts) => {
                        let (tokens, bytes, of) = (local / self.tensor, self.hidden * routed.sent_bytes, routed.of);
                        let there = AllToAll { tokens, experts, bytes, ranks, of, merged };
                        let back = AllToAll { bytes: self.hidden * ACTIVATION_BYTES, ..there };
                        timing.all_to_all(there) + timing.all_to_all(back)
                    }
                    None => timing.all_reduce(tokens * self.hidden * ACTIVATION_BYTES, ranks),
                };
        }
        if self.stages > 1.0 {
            let bytes = tokens * self.hidden * ACTIVATION_BYTES;
            seconds += (self.stages - 1.0) * timing.send(bytes, self.chips / self.stages, self.chips);
        }
        seconds
    }
}
