//! A replica's steps: those of its model, and of what drafts for it.
//!
//! Speculative decoding (Leviathan et al. 2022, arXiv:2211.17192): `g` tokens are drafted for each sequence, and one step
//! checks them all. With each accepted as likely as any other, by `r`, the step gives `1 + r + … + r^g` tokens.

use super::kernel_time::KernelTime;
use super::load::Load;
use super::step::{Breakdown, StepModel};
use crate::cost::error::CostError;

/// The steps of a model, with or without drafts.
#[derive(Clone, Debug, PartialEq)]
pub struct Replica {
    step: StepModel,
    drafts: Option<Drafts>,
}

#[derive(Clone, Debug, PartialEq)]
struct Drafts {
    /// The steps of the model that drafts; none where looking a continuation up costs nothing.
    step: Option<StepModel>,
    drafted: f64,
    tokens_per_step: f64,
}

impl From<StepModel> for Replica {
    fn from(step: StepModel) -> Self {
        Replica { step, drafts: None }
    }
}

impl Replica {
    /// With so many tokens drafted for each sequence, by the steps of a smaller model where it is not by looking them up,
    /// each accepted with a probability.
    pub fn with_drafts(self, step: Option<StepModel>, drafted: u32, acceptance: f64) -> Self {
        let tokens_per_step = (0..=drafted).map(|i| acceptance.powf(f64::from(i))).sum();
        Replica { drafts: Some(Drafts { step, drafted: f64::from(drafted), tokens_per_step }), ..self }
    }

    /// Tokens that a sequence gets from a step.
    pub fn tokens_per_step(&self) -> f64 {
        self.drafts.as_ref().map_or(1.0, |drafts| drafts.tokens_per_step)
    }

    /// The time of a step by cause, that of its drafts among them.
    ///
    /// The model that drafts takes in prompts as well, beside its first draft; the others are of running sequences alone.
    ///
    /// # Errors
    /// A gap of `timing`.
    pub fn time(&self, timing: &impl KernelTime, load: Load) -> Result<Breakdown, CostError> {
        let Some(drafts) = &self.drafts else { return self.step.time(timing, load) };
        let mut all = self.step.time(timing, Load { checked: 1.0 + drafts.drafted, ..load })?;
        if let Some(step) = &drafts.step {
            all = all.and(step.time(timing, load)?, 1.0);
            if load.sequences > 0.0 && drafts.drafted > 1.0 {
                let further = Load { prefill: 0.0, ..load };
                all = all.and(step.time(timing, further)?, drafts.drafted - 1.0);
            }
        }
        Ok(all)
    }
}
