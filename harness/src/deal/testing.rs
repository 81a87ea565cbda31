//! A small scenario whose results can be worked out by hand.

use super::load;
use super::model::Model;
use super::play::Ledger;
use super::scenario::Scenario;
use super::situation::Situation;
use crate::catalogue::Catalogue;

/// Two years from the first day of 2026. The deal buys 1 GW of chips of 1 kW, a million, at 2 $ an hour; outside an
/// hour costs 3 $. Everything is used half of the time and always works.
pub(super) const PLAIN: &str = r#"
schema = 1
id = "plain"
title = "A plain deal"
summary = "For tests."
as_of = "2026-01-01"
start = "2026-01-01"
quarters = 8
discount_rate = { value = 0.0, unit = "1/year", source = "s" }
utilisation = { value = 0.5, unit = "1", source = "s" }
interactivity = { value = 20, unit = "tok/s", source = "s" }

[[source]]
id = "s"
title = "chosen"
date = "2026-01-01"
kind = "assumed"

[[party]]
id = "lab"
name = "Lab"
roles = ["buyer"]

[[party]]
id = "cloud"
name = "Cloud"
roles = ["cloud", "investor"]

[[party]]
id = "other"
name = "Other"
roles = ["cloud"]

[[vendor]]
id = "new"
name = "New chip"
cloud = "cloud"
chip = "trainium2"
market = "contract_only"
price_change = { value = 0, unit = "1/year", source = "s" }
power = { value = 1, unit = "kW", source = "s" }
availability = { value = 1, unit = "1", source = "s" }
cost_to_serve = { value = 1, unit = "USD/chip-h", source = "s" }

[[vendor]]
id = "old"
name = "Old chip"
cloud = "other"
chip = "h100"
market = "open"
price = { value = 3, unit = "USD/chip-h", source = "s" }
price_change = { value = 0, unit = "1/year", source = "s" }
power = { value = 1, unit = "kW", source = "s" }
availability = { value = 1, unit = "1", source = "s" }

[[workload]]
id = "chat"
model = "llama-3.1-8b"
input_tokens = 1024
output_tokens = 1024
demand = { points = [[0, 1000]], unit = "Mtok/s", source = "s" }

[[compute]]
id = "deal"
vendor = "new"
standing = "proposed"
capacity = { value = 1, unit = "GW", source = "s" }
price = { value = 2, unit = "USD/chip-h", source = "s" }
starts = "2026-01-01"
term = { value = 2, unit = "years", source = "s" }
ramp = { points = [[0, 1]], unit = "1", source = "s" }
take_or_pay = { value = 0.5, unit = "1", source = "s" }
repricing = "fixed"

[[state]]
id = "signed"
prior = { value = 1, unit = "1", source = "s" }
"#;

/// The plain scenario with texts replaced, each of which must occur.
pub(super) fn plain_with(replaced: &[(&str, &str)]) -> String {
    replaced.iter().fold(PLAIN.to_string(), |text, (old, new)| {
        assert!(text.contains(old), "`{old}` is not in the plain scenario");
        text.replace(old, new)
    })
}

pub(super) fn scenario(text: &str) -> Scenario {
    load::parse("test", text, &[]).expect("a scenario")
}

pub(super) fn model(text: &str) -> Model {
    let catalogue = Catalogue::embedded().expect("valid");
    match Model::new(&scenario(text), &catalogue) {
        Ok((model, _)) => model,
        Err(findings) => panic!("{findings}"),
    }
}

/// What is wrong with a scenario.
pub(super) fn findings(text: &str) -> String {
    let catalogue = Catalogue::embedded().expect("valid");
    match Model::new(&scenario(text), &catalogue) {
        Ok((_, findings)) | Err(findings) => findings.to_string(),
    }
}

/// Central inputs in which every chip gives 1000 output tokens a second: the deal's million chips, half used, serve
/// 500 million tokens a second.
pub(super) fn round_inputs(model: &Model) -> Vec<f64> {
    let mut inputs = model.central();
    for (slot, input) in model.inputs().iter().enumerate() {
        if input.path.contains(".rate.") {
            inputs[slot] = 1000.0;
        }
    }
    inputs
}

/// The ledger of a scenario with round inputs, signed as stated.
pub(super) fn played(text: &str) -> (Model, Vec<f64>, Ledger) {
    let model = model(text);
    let inputs = round_inputs(&model);
    let situation = Situation::as_stated(&model, &inputs);
    let ledger = Ledger::played(&model, &inputs, &situation);
    (model, inputs, ledger)
}
