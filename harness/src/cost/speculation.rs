//! Speculative decoding as it is asked for: how many tokens are drafted, how many of them hold, and who drafts.

use super::serving::{Deployment, DeploymentError, Precisions, Replica, StepModel};
use crate::catalogue::{FeedForward, Model};
use crate::units::Share;
use serde::Serialize;

/// Tokens that are drafted for each sequence and checked in one step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Speculation {
    /// Tokens drafted for a sequence in a step.
    pub drafted: u32,
    /// Probability that a drafted token is accepted where those before it were.
    pub acceptance: Share,
    /// Who drafts.
    pub draft: Draft,
}

/// Who drafts.
#[derive(Clone, Debug, PartialEq)]
pub enum Draft {
    /// One more layer of the model with the model's own head, run once a token: heads for several tokens (DeepSeek-V3,
    /// arXiv:2412.19437, section 2.2) and drafts from features (EAGLE) are of that size.
    Layer,
    /// A continuation that is looked up in the text so far, at no cost.
    Lookup,
    /// A smaller model on the same ranks.
    Model(Box<Model>),
}

impl Serialize for Draft {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Draft::Layer => "layer",
            Draft::Lookup => "lookup",
            Draft::Model(model) => &model.id,
        })
    }
}

/// Most tokens that are drafted: beyond it no published engine goes.
pub(super) const MOST_DRAFTED: u32 = 32;

impl Speculation {
    /// What a reader should know of it.
    pub(super) fn note(&self) -> String {
        let tokens: f64 = (0..=self.drafted).map(|i| self.acceptance.0.powf(f64::from(i))).sum();
        let by = match &self.draft {
            Draft::Layer => "one more layer",
            Draft::Lookup => "looking them up",
            Draft::Model(model) => &model.id,
        };
        let (drafted, acceptance) = (self.drafted, self.acceptance.0);
        format!(
            "drafted by {by}: {drafted} a sequence and step, each accepted with probability {acceptance} (assumed), {tokens:.2} \
             tokens a step"
        )
    }
}

/// The replica of a model under a deployment, with what drafts for it.
pub(super) fn replica(
    model: &Model,
    deployment: &Deployment,
    precisions: &Precisions,
    speculation: Option<&Speculation>,
) -> Replica {
    let replica = Replica::from(StepModel::new(model, deployment, precisions));
    let Some(speculation) = speculation else { return replica };
    let step = match &speculation.draft {
        Draft::Layer => Some(StepModel::new(&with_layers(model, 1), deployment, precisions)),
        Draft::Lookup => None,
        Draft::Model(model) => Some(StepModel::new(model, &beside(deployment), precisions)),
    };
    replica.with_drafts(step, speculation.drafted, speculation.acceptance.0)
}

/// What memory holds: each model with its deployment.
pub(super) fn held(
    model: &Model,
    deployment: &Deployment,
    speculation: Option<&Speculation>,
) -> Vec<(Model, Deployment)> {
    match speculation.map(|speculation| &speculation.draft) {
        Some(Draft::Layer) => vec![(with_layers(model, model.layers + 1), *deployment)],
        Some(Draft::Model(draft)) => vec![(model.clone(), *deployment), ((**draft).clone(), beside(deployment))],
        Some(Draft::Lookup) | None => vec![(model.clone(), *deployment)],
    }
}

/// Refuses a deployment whose ranks do not divide the model that drafts, if one does.
pub(super) fn suits(speculation: Option<&Speculation>, deployment: &Deployment) -> Result<(), DeploymentError> {
    match speculation.map(|speculation| &speculation.draft) {
        Some(Draft::Model(draft)) => beside(deployment).check(draft),
        _ => Ok(()),
    }
}

/// A smaller model lies on the ranks of attention, whole on each stage.
fn beside(deployment: &Deployment) -> Deployment {
    Deployment {
        attention_data: deployment.attention_data,
        cores: deployment.cores,
        ..Deployment::tensor_parallel(deployment.tensor)
    }
}

/// The model with another count of layers, the last of them.
fn with_layers(model: &Model, layers: u32) -> Model {
    let feed_forward = match model.feed_forward {
        FeedForward::Experts { dense_layers, dense_width, experts, active, shared, width } => FeedForward::Experts {
            dense_layers: (dense_layers + layers).saturating_sub(model.layers).min(dense_layers),
            dense_width,
            experts,
            active,
            shared,
            width,
        },
        dense @ FeedForward::Dense { .. } => dense,
    };
    Model { layers, feed_forward, ..model.clone() }
}
