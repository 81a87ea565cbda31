//! The linter of a catalogue: all that is wrong, not the first thing.
//!
//! First the files as they are written: every figure has a unit and cites a source that is listed once, with a date and
//! a kind, and no source is listed in vain. Then, where they load, whether the figures can be true.

mod plausible;

use super::month::Month;
use super::{Catalogue, CatalogueError, Texts, embedded_texts, texts_of};
use crate::finding::Findings;
use crate::units::Provenance;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use toml::{Table, Value};

/// Every finding on the embedded catalogue, or on that of a folder.
///
/// # Errors
/// [`CatalogueError::Read`] and [`CatalogueError::Empty`]; whatever a file holds is a finding.
pub fn check(dir: Option<&Path>) -> Result<Findings, CatalogueError> {
    Ok(findings(dir.map_or_else(|| Ok(embedded_texts()), texts_of)?))
}

fn findings(texts: Texts) -> Findings {
    let mut findings = Findings::default();
    for (file, text) in &texts {
        as_written(file, text, &mut findings);
    }
    match Catalogue::from_texts(texts) {
        Ok(catalogue) => plausible::check(&catalogue, &mut findings),
        Err(CatalogueError::Field { file, entry, field, problem, remedy }) => {
            let path = format!("{file}: {entry}.{field}");
            if findings.0.iter().all(|finding| finding.path != path) {
                findings.error(path, format!("{problem}; {remedy}"));
            }
        }
        // Told with its file already.
        Err(CatalogueError::Syntax { .. }) => {}
        Err(error @ (CatalogueError::Read { .. } | CatalogueError::Empty { .. })) => {
            findings.error("catalogue", error.to_string());
        }
    }
    findings
}

/// One file as TOML, whatever its lists are called.
fn as_written(file: &str, text: &str, findings: &mut Findings) {
    let table: Table = match text.parse() {
        Ok(table) => table,
        Err(error) => {
            let error: toml::de::Error = error;
            return findings.error(file, format!("is not valid TOML: {}", error.message()));
        }
    };
    let mut sources = Sources::of(file, &table, findings);
    for (list, entries) in table.iter().filter(|(list, _)| *list != "source") {
        let mut ids = BTreeSet::new();
        for (idx, entry) in entries.as_array().into_iter().flatten().enumerate() {
            let Some(entry) = entry.as_table() else { continue };
            let id = entry.get("id").and_then(Value::as_str);
            let named = id.or_else(|| entry.get("chip").and_then(Value::as_str));
            let name = named.map_or_else(|| format!("{list} number {}", idx + 1), str::to_string);
            if id.is_some_and(|id| !ids.insert(id)) {
                findings.error(format!("{file}: {name}"), format!("[[{list}]] has this id twice; give another"));
            }
            sources.follow(entry, &format!("{file}: {name}"), findings);
        }
    }
    sources.unused(findings);
}

/// The sources of a file, and which of them are cited.
struct Sources<'a> {
    file: &'a str,
    cited: BTreeMap<&'a str, bool>,
}

impl<'a> Sources<'a> {
    fn of(file: &'a str, table: &'a Table, findings: &mut Findings) -> Self {
        let mut cited = BTreeMap::new();
        for source in table.get("source").and_then(Value::as_array).into_iter().flatten() {
            let text = |field| source.get(field).and_then(Value::as_str).unwrap_or("").trim();
            let path = |field| format!("{file}: {}.{field}", text("id"));
            if cited.insert(text("id"), false).is_some() {
                findings.error(path("id"), "two sources have this id; give another");
            }
            for field in ["id", "title"].into_iter().filter(|field| text(field).is_empty()) {
                findings.error(path(field), format!("is missing; write {field} = \"...\""));
            }
            match text("date") {
                "n/d" => findings.warn(path("date"), "n/d: how old its figures are is not known"),
                date if Month::of_source(date).is_none() => {
                    findings.error(path("date"), format!("is `{date}`; write YYYY-MM-DD, YYYY-MM, YYYY or n/d"));
                }
                _ => {}
            }
            let known = Provenance::ALL.map(|kind| kind.to_string());
            if !known.iter().any(|kind| kind == text("kind")) {
                findings.error(path("kind"), format!("is `{}`; use one of {}", text("kind"), known.join(", ")));
            }
        }
        Sources { file, cited }
    }

    /// Walks an entry down to its figures.
    fn follow(&mut self, table: &Table, path: &str, findings: &mut Findings) {
        let is_figure = ["value", "low", "mid", "high"].iter().any(|key| table.contains_key(*key));
        if is_figure && table.get("unit").and_then(Value::as_str).is_none_or(str::is_empty) {
            findings.error(path, "has no unit; write unit = \"...\"");
        }
        match table.get("source").map(|source| source.as_str().unwrap_or("")) {
            Some(id) => match self.cited.get_mut(id) {
                Some(cited) => *cited = true,
                None => findings.error(path, format!("cites the source `{id}`, which the file does not list")),
            },
            None if is_figure => findings.error(path, "cites no source; write source = \"<id>\""),
            None => {}
        }
        for (field, value) in table {
            let path = format!("{path}.{field}");
            match value {
                Value::Table(inner) => self.follow(inner, &path, findings),
                Value::Float(_) if !is_figure => {
                    findings.error(path, "is a bare number; write { value = ..., unit = \"...\", source = \"<id>\" }");
                }
                _ => {}
            }
        }
    }

    fn unused(self, findings: &mut Findings) {
        for (id, _) in self.cited.into_iter().filter(|(_, cited)| !cited) {
            findings.warn(format!("{}: {id}", self.file), "no figure cites this source; remove it");
        }
    }
}

#[cfg(test)]
mod tests;
