//! Fields of a `config.json`; every refusal names model, field, value and remedy.

use super::ModelError;
use crate::catalogue::models::LARGEST_COUNT;
use serde_json::{Map, Value};

/// Letters of a foreign text that an error shows.
const SHOWN: usize = 60;
/// Fields by which a configuration says that it has experts.
const EXPERTS: [&str; 3] = ["num_local_experts", "num_experts", "n_routed_experts"];

/// A text from a file, fit to be shown: short, and without control characters, which can move a terminal's cursor.
pub(super) fn inert(text: &str) -> String {
    let shown: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() { shown + "…" } else { shown }
}

/// A parsed configuration. A field that is null counts as absent, as the software that writes them has it.
pub(super) struct Config {
    /// Name of the model.
    pub(super) id: String,
    fields: Map<String, Value>,
}

impl Config {
    pub(super) fn parse(json: &str, id: &str) -> Result<Self, ModelError> {
        match serde_json::from_str(json) {
            Ok(Value::Object(fields)) => Ok(Config { id: id.to_string(), fields }),
            Ok(_) => Err(ModelError::Syntax { id: id.to_string(), message: "it holds something else".into() }),
            Err(error) => Err(ModelError::Syntax { id: id.to_string(), message: error.to_string() }),
        }
    }

    pub(super) fn error(&self, field: &str, problem: String, remedy: impl Into<String>) -> ModelError {
        ModelError::Field { id: self.id.clone(), field: field.to_string(), problem, remedy: remedy.into() }
    }

    fn get(&self, field: &str) -> Option<&Value> {
        self.fields.get(field).filter(|value| !value.is_null())
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.get(field).is_some()
    }

    pub(super) fn text(&self, field: &str) -> Result<&str, ModelError> {
        match self.get(field) {
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(self.wrong(field, other, "give a text")),
            None => Err(self.error(field, "is missing".into(), "give the config.json of a language model itself")),
        }
    }

    pub(super) fn flag(&self, field: &str) -> Result<bool, ModelError> {
        match self.get(field) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(self.wrong(field, other, "give true or false")),
        }
    }

    /// A whole number from 1.
    pub(super) fn count(&self, field: &str) -> Result<u32, ModelError> {
        match self.none_or(field)? {
            0 => {
                let problem = if self.has(field) { "is 0" } else { "is missing" };
                Err(self.error(field, problem.into(), range()))
            }
            n => Ok(n),
        }
    }

    pub(super) fn count_or(&self, field: &str, default: u32) -> Result<u32, ModelError> {
        if self.has(field) { self.count(field) } else { Ok(default) }
    }

    /// A whole number; 0 where the field is absent.
    pub(super) fn none_or(&self, field: &str) -> Result<u32, ModelError> {
        let Some(value) = self.get(field) else { return Ok(0) };
        let number = value.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| *n <= LARGEST_COUNT);
        number.ok_or_else(|| self.wrong(field, value, &range()))
    }

    /// Which layers `layer_types` lets slide; none where there is no such field.
    pub(super) fn sliding_layers(&self, layers: u32) -> Result<Option<Vec<bool>>, ModelError> {
        let Some(value) = self.get("layer_types") else { return Ok(None) };
        let remedy = "list full_attention or sliding_attention for each layer";
        let slides = |kind: &Value| match kind.as_str() {
            Some("full_attention") => Ok(false),
            Some("sliding_attention") => Ok(true),
            _ => Err(self.error("layer_types", format!("holds {}", inert(&kind.to_string())), remedy)),
        };
        let kinds = value.as_array().ok_or_else(|| self.wrong("layer_types", value, remedy))?;
        if kinds.len() != layers as usize {
            let problem = format!("lists {} layers, num_hidden_layers is {layers}", kinds.len());
            return Err(self.error("layer_types", problem, remedy));
        }
        kinds.iter().map(slides).collect::<Result<_, _>>().map(Some)
    }

    /// How many layers a list of the first ones names; 0 where there is no list.
    pub(super) fn leading_layers(&self, field: &str) -> Result<u32, ModelError> {
        let Some(value) = self.get(field) else { return Ok(0) };
        let remedy = "only the first layers may differ, listed as 0, 1, 2 and so on";
        let items = value.as_array().ok_or_else(|| self.wrong(field, value, remedy))?;
        if items.iter().enumerate().any(|(idx, item)| item.as_u64() != Some(idx as u64)) {
            return Err(self.wrong(field, value, remedy));
        }
        u32::try_from(items.len()).map_err(|_| self.wrong(field, value, remedy))
    }

    /// Refuses a model whose experts skip layers.
    pub(super) fn every_layer(&self, field: &str) -> Result<(), ModelError> {
        match self.count_or(field, 1)? {
            1 => Ok(()),
            n => Err(self.error(field, format!("is {n}"), "only models with experts in every layer are understood")),
        }
    }

    /// Refuses experts where the model type has none.
    pub(super) fn without_experts(&self) -> Result<(), ModelError> {
        for field in EXPERTS {
            let n = self.none_or(field)?;
            if n > 0 {
                return Err(self.error(
                    field,
                    format!("is {n}, and its model_type has no experts"),
                    "correct one of them",
                ));
            }
        }
        Ok(())
    }

    /// Refuses `architectures` that name no class of the model type.
    pub(super) fn of_class(&self, class: &str) -> Result<(), ModelError> {
        let Some(value) = self.get("architectures") else { return Ok(()) };
        let fits = |name: &Value| name.as_str().and_then(|name| name.strip_prefix(class)).is_some_and(is_head);
        if value.as_array().is_some_and(|names| names.iter().any(fits)) {
            return Ok(());
        }
        Err(self.wrong("architectures", value, &format!("its model_type is that of {class}ForCausalLM")))
    }

    fn wrong(&self, field: &str, value: &Value, remedy: &str) -> ModelError {
        self.error(field, format!("is {}", inert(&value.to_string())), remedy)
    }
}

/// What follows the family in the name of a class: `ForCausalLM`, `ForSequenceClassification`.
fn is_head(rest: &str) -> bool {
    rest.starts_with("For")
}

fn range() -> String {
    format!("give a whole number from 1 to {LARGEST_COUNT}")
}
