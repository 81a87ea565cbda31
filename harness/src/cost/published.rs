//! A chip that was not measured here: its published peaks under an engine's constants.

use super::error::CostError;
use super::placement::Placement;
use super::request::Workload;
use super::served::Serving;
use super::serving::{Accelerator, Roofline, Steady};
use super::speculation::Speculation;
use super::speed::Latency;
use crate::catalogue::{Case, Chip, Model, Precision, Profile};
use crate::units::{Kinds, Provenance};

/// The chip's times for a model that lies on it like that.
///
/// The interval of a calibrated engine is that of its errors on what had been held out; of any other it spans the
/// bounds of its constants.
pub(super) fn latency(
    model: &Model,
    chip: &Chip,
    profile: &Profile,
    (workload, speculation): (&Workload, Option<&Speculation>),
    placement: &Placement,
) -> Result<Latency, CostError> {
    let accelerator = Accelerator::of(chip);
    let serving = Serving::new(model, workload, placement, speculation);
    let at = |case: Case| -> Result<Steady, CostError> {
        let constants = profile.constants(case);
        let timing = Roofline { chip: accelerator, constants };
        serving.steady(&timing, (constants.before_first_token, constants.prefill_wait))
    };
    let kinds = kinds(chip, profile, (workload, speculation), placement);
    let central = at(Case::Central)?;
    Ok(match &profile.spreads {
        Some(spreads) => Latency::with_factors(central, spreads.factors(&chip.id, &model.id), kinds),
        None => Latency::of_cases([at(Case::Fast)?, central, at(Case::Slow)?], kinds),
    })
}

/// What the times rest on: the peaks that are used, memory, the link where there are several chips, the network where
/// they are more than share one, the constants.
fn kinds(
    chip: &Chip,
    profile: &Profile,
    (workload, speculation): (&Workload, Option<&Speculation>),
    placement: &Placement,
) -> Kinds {
    let chips = placement.deployment.chips() + placement.prompts_on.map_or(0, |prompts| prompts.chips());
    let link = chip.link.as_ref().filter(|_| chips > 1);
    let network = chip.network.as_ref().filter(|_| chips > chip.domain);
    let peak = |precision: Precision| chip.peak(precision).map(|peak| peak.kinds);
    let weights = peak(workload.weights).or_else(|| peak(Precision::Bf16));
    let figures = [Some(&chip.memory), Some(&chip.bandwidth), link, network];
    let figures = figures.into_iter().flatten().map(|figure| Kinds::from(figure.source.kind));
    let is_assumed = workload.cached.0 > 0.0 || speculation.is_some();
    let cached = is_assumed.then_some(Kinds::from(Provenance::Assumed));
    figures.chain(weights).chain(cached).fold(profile.kinds(), Kinds::union)
}
