//! Every figure of a scenario's file that can be set from outside, by the key that names it.

use super::load::{Assignment, LoadError, applied};
use toml::{Table, Value};

/// A figure or plain number of a scenario, as its file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// What [`Assignment::key`] calls it: names of tables, ids within lists.
    pub key: String,
    /// Its unit; none of a plain number.
    pub unit: Option<String>,
    /// The number, or low, central and high case, in the unit.
    pub written: Vec<String>,
    /// Id of its source; none of a plain number.
    pub source: Option<String>,
}

/// Every figure of a scenario's text, in the order of its tables; curves are not among them, for they are not one value.
///
/// # Errors
/// [`LoadError::Syntax`].
pub fn figures(name: &str, text: &str) -> Result<Vec<Figure>, LoadError> {
    let table = applied(name, text, &[])?;
    let mut found = Vec::new();
    for (key, value) in &table {
        // The version of the format is no term.
        if key != "schema" {
            walk(key.clone(), value, &mut found);
        }
    }
    Ok(found)
}

/// The text of a scenario with values set in it: what [`super::parse`] makes the edited scenario from, without comments.
///
/// # Errors
/// [`LoadError::Syntax`], [`LoadError::Set`].
pub fn edited(name: &str, text: &str, assignments: &[Assignment]) -> Result<String, LoadError> {
    let table = applied(name, text, assignments)?;
    let written = toml::to_string(&table);
    written.map_err(|error| LoadError::Syntax { name: name.into(), message: error.to_string() })
}

fn walk(key: String, value: &Value, found: &mut Vec<Figure>) {
    let plain = |number: String| Figure { key: key.clone(), unit: None, written: vec![number], source: None };
    match value {
        Value::Table(term) if term.contains_key("unit") => {
            if !term.contains_key("points") {
                found.push(of_term(key, term));
            } else if let Some(scale) = term.get("scale") {
                walk(format!("{key}.scale"), scale, found);
            }
        }
        Value::Table(table) => table.iter().for_each(|(name, value)| walk(format!("{key}.{name}"), value, found)),
        Value::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                let id = item.get("id").and_then(Value::as_str).map_or_else(|| position.to_string(), str::to_string);
                if item.is_table() {
                    walk(format!("{key}.{id}"), item, found);
                }
            }
        }
        Value::Float(number) => found.push(plain(number.to_string())),
        Value::Integer(number) => found.push(plain(number.to_string())),
        Value::String(_) | Value::Boolean(_) | Value::Datetime(_) => {}
    }
}

fn of_term(key: String, term: &Table) -> Figure {
    let text = |name: &str| term.get(name).and_then(Value::as_str).map(str::to_string);
    let cases = ["value", "low", "mid", "high"].iter().filter_map(|case| term.get(*case));
    Figure { key, unit: text("unit"), written: cases.map(ToString::to_string).collect(), source: text("source") }
}

#[cfg(test)]
mod tests {
    use super::super::testing::PLAIN;
    use super::super::{load, parse, scenarios, text};
    use super::*;

    #[test]
    fn every_figure_of_every_shipped_scenario_can_be_set_by_its_key() {
        for (id, text) in scenarios() {
            let figures = figures(id, text).expect("a shipped scenario");
            assert!(figures.len() > 20, "{id}: {}", figures.len());
            for figure in &figures {
                // A number that fits any figure, whole ones among them.
                let one = Assignment { key: figure.key.clone(), value: "1".into() };
                let set = parse(id, text, &[one]);
                assert!(set.is_ok(), "{id} {}: {}", figure.key, set.expect_err("checked"));
            }
            let mut keys: Vec<&str> = figures.iter().map(|figure| figure.key.as_str()).collect();
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), figures.len(), "{id}: a key names two figures");
        }
    }

    #[test]
    fn figures_are_told_as_they_are_written() {
        let figures = figures("plain", PLAIN).expect("valid");
        let of = |key: &str| figures.iter().find(|figure| figure.key == key).unwrap_or_else(|| panic!("{key}")).clone();
        let discount = of("discount_rate");
        assert_eq!((discount.unit.as_deref(), discount.source.as_deref()), (Some("1/year"), Some("s")));
        assert_eq!((of("quarters").written, of("quarters").unit), (vec!["8".to_string()], None));
        assert_eq!(of("vendor.new.power").written, ["1"]);
        assert!(figures.iter().all(|figure| figure.key != "schema"));
    }

    #[test]
    fn an_edited_text_reads_back_as_the_edited_scenario() {
        for (id, _) in scenarios() {
            let text = text(id).expect("shipped");
            let set = [Assignment { key: "quarters".into(), value: "12".into() }];
            let edited = edited(id, &text, &set).expect("a key of every scenario");
            assert_eq!(parse(id, &edited, &[]).expect("valid"), load(id, &set).expect("valid"), "{id}");
        }
    }
}
