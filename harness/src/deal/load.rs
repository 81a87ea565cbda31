//! Scenarios by name or file, with values set from outside.

use super::scenario::Scenario;
use super::shipped;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Largest scenario file that is read: far above anything a person writes.
const MAX_BYTES: u64 = 1 << 20;
/// The source of values that are set from outside.
const COMMAND_LINE: &str = "command-line";

/// A scenario that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Neither shipped nor a file.
    #[error("no scenario `{name}`: not shipped (known: {known}), and reading it as a file failed: {source}")]
    NotFound {
        /// What was asked for.
        name: String,
        /// Ids of shipped scenarios.
        known: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file is too large.
    #[error("{} is larger than {MAX_BYTES} bytes; is it a scenario?", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It is no TOML, or its fields are not those of a scenario.
    #[error("{name}: {message}")]
    Syntax {
        /// The scenario.
        name: String,
        /// The parser's message, with line and column.
        message: String,
    },
    /// A value cannot be set.
    #[error("--set {key}: {problem}")]
    Set {
        /// The path.
        key: String,
        /// Why, and what to write.
        problem: String,
    },
}

/// A value to set: a path in the scenario, and what to put there.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// `vendor.trn3-aws.power`: names of tables, ids within lists.
    pub key: String,
    /// The value as written; a figure's is a number in the unit of the file.
    pub value: String,
}

impl std::str::FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() && !value.trim().is_empty() => {
                Ok(Assignment { key: key.trim().into(), value: value.trim().into() })
            }
            _ => Err(format!("`{text}` is no key=value, as in compute.aws-trainium.take_or_pay=0.8")),
        }
    }
}

/// The text of a scenario: a shipped one by id, else a file.
///
/// # Errors
/// [`LoadError::NotFound`], [`LoadError::TooLarge`].
pub fn text(name: &str) -> Result<String, LoadError> {
    if let Some((_, text)) = shipped::scenarios().iter().find(|(id, _)| *id == name) {
        return Ok((*text).to_string());
    }
    let path = Path::new(name);
    let not_found = |source| {
        let known: Vec<&str> = shipped::scenarios().iter().map(|(id, _)| *id).collect();
        LoadError::NotFound { name: name.into(), known: known.join(", "), source }
    };
    if std::fs::metadata(path).map_err(not_found)?.len() > MAX_BYTES {
        return Err(LoadError::TooLarge { path: path.into() });
    }
    std::fs::read_to_string(path).map_err(not_found)
}

/// Reads a scenario and sets values in it.
///
/// # Errors
/// [`LoadError`]; a scenario that reads may still be refused by [`super::Model::new`].
pub fn load(name: &str, assignments: &[Assignment]) -> Result<Scenario, LoadError> {
    parse(name, &text(name)?, assignments)
}

/// Reads a scenario from text, as [`load`] does.
///
/// # Errors
/// [`LoadError::Syntax`], [`LoadError::Set`].
pub fn parse(name: &str, text: &str, assignments: &[Assignment]) -> Result<Scenario, LoadError> {
    let syntax = |error: toml::de::Error| LoadError::Syntax { name: name.into(), message: error.to_string() };
    // Read from the text first: its messages have lines and columns.
    let scenario: Scenario = toml::from_str(text).map_err(syntax)?;
    if assignments.is_empty() {
        return Ok(scenario);
    }
    Scenario::deserialize(applied(name, text, assignments)?).map_err(syntax)
}

/// The file's table with values set in it.
pub(super) fn applied(name: &str, text: &str, assignments: &[Assignment]) -> Result<Table, LoadError> {
    let syntax = |error: toml::de::Error| LoadError::Syntax { name: name.into(), message: error.to_string() };
    let mut table: Table = text.parse().map_err(syntax)?;
    for assignment in assignments {
        let problem = |problem| LoadError::Set { key: assignment.key.clone(), problem };
        set(&mut table, assignment).map_err(problem)?;
    }
    Ok(table)
}

fn set(table: &mut Table, assignment: &Assignment) -> Result<(), String> {
    let mut cited = false;
    let target = find(table, &assignment.key)?;
    match target {
        Value::Table(term) if term.contains_key("unit") && !term.contains_key("points") => {
            let number: f64 = assignment.value.parse().map_err(|_| {
                format!("`{}` is no number (in {})", assignment.value, term["unit"].as_str().unwrap_or("its unit"))
            })?;
            for key in ["low", "mid", "high", "tail"] {
                term.remove(key);
            }
            term.insert("value".into(), Value::Float(number));
            term.insert("source".into(), Value::String(COMMAND_LINE.into()));
            cited = true;
        }
        Value::Table(_) | Value::Array(_) => return Err("is not one value; go on with a field or an id".into()),
        Value::Float(number) => {
            *number = assignment.value.parse().map_err(|_| format!("`{}` is no number", assignment.value))?;
        }
        Value::Integer(number) => {
            *number = assignment.value.parse().map_err(|_| format!("`{}` is no whole number", assignment.value))?;
        }
        Value::String(text) => *text = assignment.value.clone(),
        Value::Boolean(_) | Value::Datetime(_) => return Err("cannot be set; change it in a file".into()),
    }
    if cited {
        cite(table);
    }
    Ok(())
}

/// Lists the command line among the sources, once.
fn cite(table: &mut Table) {
    let sources = table.entry("source").or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(sources) = sources else { return };
    let id = |source: &Value| source.get("id").and_then(Value::as_str) == Some(COMMAND_LINE);
    if !sources.iter().any(id) {
        let fields = [
            ("id", COMMAND_LINE),
            ("title", "set from outside: on the command line or in the editor"),
            ("date", "n/d"),
            ("kind", "assumed"),
        ];
        let entry = fields.map(|(key, text)| (key.to_string(), Value::String(text.into())));
        sources.push(Value::Table(entry.into_iter().collect()));
    }
}

/// The value at a path: fields of tables, ids or positions of list entries.
fn find<'t>(table: &'t mut Table, key: &str) -> Result<&'t mut Value, String> {
    let mut steps = key.split('.');
    let first = steps.next().unwrap_or_default();
    let mut value = table.get_mut(first).ok_or_else(|| format!("the scenario has no `{first}`"))?;
    for step in steps {
        let inner = match value {
            Value::Table(table) => table.get_mut(step),
            Value::Array(items) => {
                let named = |item: &Value| item.get("id").and_then(Value::as_str) == Some(step);
                let position = items.iter().position(named).or_else(|| step.parse().ok());
                position.and_then(|position| items.get_mut(position))
            }
            _ => None,
        };
        value = inner.ok_or_else(|| format!("there is no `{step}`; only what the file states can be set"))?;
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::super::testing::PLAIN;
    use super::*;

    fn with(key: &str, value: &str) -> Result<Scenario, String> {
        let assignment = Assignment { key: key.into(), value: value.into() };
        parse("plain", PLAIN, &[assignment]).map_err(|error| error.to_string())
    }

    #[test]
    fn a_figure_is_set_in_the_unit_of_the_file_and_becomes_an_assumption_of_the_command_line() {
        let scenario = with("compute.deal.capacity", "2.5").expect("set");
        let capacity = scenario.compute[0].capacity.as_ref().expect("still there");
        assert_eq!((capacity.written, capacity.source.as_str()), ([2.5; 3], COMMAND_LINE));
        assert_eq!(scenario.source.last().expect("listed").kind, crate::units::Provenance::Assumed);
        assert_eq!(with("quarters", "4").expect("set").quarters, 4);
        assert_eq!(
            with("vendor.old.price.value", "9").expect("set").vendor[1].price.as_ref().expect("there").written,
            [9.0; 3]
        );
    }

    #[test]
    fn what_cannot_be_set_says_why() {
        for (key, value, part) in [
            ("compute.deal.slip", "1", "there is no `slip`; only what the file states can be set"),
            ("compute.other.price", "1", "there is no `other`"),
            ("nothing", "1", "the scenario has no `nothing`"),
            ("compute.deal.capacity", "much", "`much` is no number (in GW)"),
            ("compute.deal", "1", "is not one value"),
            ("workload.chat.demand", "1", "is not one value"),
            ("quarters", "1.5", "`1.5` is no whole number"),
        ] {
            let error = with(key, value).expect_err(part);
            assert!(error.contains(part) && error.contains(key), "{error}");
        }
        assert!("x".parse::<Assignment>().is_err() && "=1".parse::<Assignment>().is_err());
    }

    #[test]
    fn what_is_no_scenario_is_refused_with_line_and_column() {
        let error = parse("x.toml", "schema = 1\nidd = 3\n", &[]).expect_err("a misspelt field").to_string();
        assert!(
            error.contains("x.toml") && error.contains("line 2") && error.contains("unknown field `idd`"),
            "{error}"
        );
        let error = load("no-such-deal", &[]).expect_err("neither").to_string();
        assert!(error.contains("no scenario `no-such-deal`") && error.contains("openai-aws-2026-02"), "{error}");
    }
}
