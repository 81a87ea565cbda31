//! Reads fields of a TOML entry; every refusal names file, entry, field and remedy.

use super::CatalogueError;
use super::figure::{Dimension, Figure, Range, Source};
use crate::units::Provenance;
use toml::{Table, Value};

/// A parsed file with its list of sources.
pub(super) struct Document {
    file: String,
    table: Table,
    sources: Vec<Source>,
}

impl Document {
    pub(super) fn parse((file, text): (String, String)) -> Result<Self, CatalogueError> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| CatalogueError::Syntax {
            file: file.clone(),
            message: error.to_string(),
        })?;
        let mut document = Document { file, table, sources: Vec::new() };
        document.sources = document.entries("source")?.iter().map(source).collect::<Result<_, _>>()?;
        Ok(document)
    }

    /// The `[[list]]` entries; none where the file has no such list.
    pub(super) fn entries(&self, list: &str) -> Result<Vec<Entry<'_>>, CatalogueError> {
        let items = match self.table.get(list) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(self.not_a_list(list)),
        };
        items
            .iter()
            .enumerate()
            .map(|(idx, item)| {
                let table = item.as_table().ok_or_else(|| self.not_a_list(list))?;
                let named = table.get("id").or_else(|| table.get("chip")).and_then(Value::as_str);
                let name = named.map_or_else(|| format!("{list} number {}", idx + 1), str::to_string);
                Ok(Entry { document: self, name, table })
            })
            .collect()
    }

    fn not_a_list(&self, list: &str) -> CatalogueError {
        CatalogueError::Field {
            file: self.file.clone(),
            entry: list.to_string(),
            field: list.to_string(),
            problem: "is not a list of entries".into(),
            remedy: format!("write [[{list}]] above each entry"),
        }
    }
}

fn source(entry: &Entry<'_>) -> Result<Source, CatalogueError> {
    entry.only(&["id", "title", "date", "kind"])?;
    let kind = entry.text("kind")?;
    let known = Provenance::ALL.into_iter().find(|known| known.to_string() == kind);
    let kind = known.ok_or_else(|| {
        let known = Provenance::ALL.map(|kind| kind.to_string()).join(", ");
        entry.error("kind", format!("is `{kind}`"), format!("use one of {known}"))
    })?;
    Ok(Source { id: entry.text("id")?, title: entry.text("title")?, date: entry.text("date")?, kind })
}

/// One entry of a list.
pub(super) struct Entry<'a> {
    document: &'a Document,
    name: String,
    table: &'a Table,
}

impl<'a> Entry<'a> {
    /// A table within the entry, read like one.
    pub(super) fn section(&self, field: &str) -> Result<Option<Entry<'a>>, CatalogueError> {
        match self.table.get(field) {
            None => Ok(None),
            Some(Value::Table(table)) => {
                Ok(Some(Entry { document: self.document, name: format!("{}.{field}", self.name), table }))
            }
            Some(_) => Err(self.error(field, "is not a table".into(), format!("write {field} = {{ ... }}"))),
        }
    }

    pub(super) fn error(&self, field: &str, problem: String, remedy: String) -> CatalogueError {
        let (file, entry) = (self.document.file.clone(), self.name.clone());
        CatalogueError::Field { file, entry, field: field.to_string(), problem, remedy }
    }

    /// Refuses fields that nothing reads: a misspelt override would otherwise be ignored.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), CatalogueError> {
        match self.table.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(self.error(key, "is not known".into(), format!("use one of {}", known.join(", ")))),
        }
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.table.contains_key(field)
    }

    pub(super) fn text(&self, field: &str) -> Result<String, CatalogueError> {
        match self.table.get(field) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
            Some(_) => Err(self.error(field, "is not a text".into(), format!("write {field} = \"...\""))),
            None => Err(self.error(field, "is missing".into(), format!("write {field} = \"...\""))),
        }
    }

    pub(super) fn texts(&self, field: &str) -> Result<Vec<String>, CatalogueError> {
        let wrong = || self.error(field, "is not a list of texts".into(), format!("write {field} = [\"...\"]"));
        match self.table.get(field) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => {
                items.iter().map(|item| item.as_str().map(str::to_string).ok_or_else(wrong)).collect()
            }
            Some(_) => Err(wrong()),
        }
    }

    pub(super) fn flag(&self, field: &str) -> Result<bool, CatalogueError> {
        match self.table.get(field) {
            None => Ok(false),
            Some(Value::Boolean(flag)) => Ok(*flag),
            Some(_) => Err(self.error(field, "is not a truth value".into(), "write true or false".into())),
        }
    }

    /// A whole number above zero.
    pub(super) fn count(&self, field: &str) -> Result<u32, CatalogueError> {
        let remedy = || format!("write {field} = <whole number above 0>");
        match self.table.get(field) {
            None => Err(self.error(field, "is missing".into(), remedy())),
            Some(value) => match value.as_integer().and_then(|n| u32::try_from(n).ok()) {
                Some(n) if n > 0 => Ok(n),
                _ => Err(self.error(field, format!("is {value}"), remedy())),
            },
        }
    }

    pub(super) fn figure(&self, field: &str, dimension: Dimension) -> Result<Figure, CatalogueError> {
        let table = self.sub(field, dimension, "value = 1.0")?;
        let (unit, size) = self.unit(field, table, dimension)?;
        let written = self.positive(field, table, "value")?;
        Ok(Figure { value: written * size, written, unit, source: self.cited(field, table)? })
    }

    pub(super) fn optional_figure(&self, field: &str, dimension: Dimension) -> Result<Option<Figure>, CatalogueError> {
        self.has(field).then(|| self.figure(field, dimension)).transpose()
    }

    pub(super) fn range(&self, field: &str, dimension: Dimension) -> Result<Range, CatalogueError> {
        let table = self.sub(field, dimension, "low = 1.0, mid = 1.0, high = 1.0")?;
        let (_, unit) = self.unit(field, table, dimension)?;
        let [low, mid, high] = ["low", "mid", "high"].map(|key| self.positive(field, table, key));
        let (low, mid, high) = (low? * unit, mid? * unit, high? * unit);
        if low > mid || mid > high {
            return Err(self.error(field, "is out of order".into(), "let low <= mid <= high".into()));
        }
        Ok(Range { low, mid, high, source: self.cited(field, table)? })
    }

    fn sub(&self, field: &str, dimension: Dimension, numbers: &str) -> Result<&Table, CatalogueError> {
        let problem = if self.has(field) { "is not a figure" } else { "is missing" };
        let unit = dimension.units()[0].0;
        self.table.get(field).and_then(Value::as_table).ok_or_else(|| {
            let remedy = format!("write {field} = {{ {numbers}, unit = \"{unit}\", source = \"<id>\" }}");
            self.error(field, problem.into(), remedy)
        })
    }

    fn positive(&self, field: &str, table: &Table, key: &str) -> Result<f64, CatalogueError> {
        let number = table.get(key).and_then(|v| v.as_float().or_else(|| v.as_integer().map(|n| n as f64)));
        match number {
            Some(x) if x.is_finite() && x > 0.0 => Ok(x),
            _ => Err(self.error(field, format!("has no usable `{key}`"), "give a finite number above 0".into())),
        }
    }

    /// Name and size of the unit.
    fn unit(&self, field: &str, table: &Table, dimension: Dimension) -> Result<(&'static str, f64), CatalogueError> {
        let written = table.get("unit").and_then(Value::as_str).unwrap_or("");
        let known = dimension.units().iter().find(|(name, _)| *name == written);
        known.copied().ok_or_else(|| {
            let remedy = format!("use one of {}", dimension.unit_names());
            self.error(field, format!("has the unit `{written}`"), remedy)
        })
    }

    /// The source that the whole entry cites.
    pub(super) fn source(&self, field: &str) -> Result<Source, CatalogueError> {
        self.cited(field, self.table)
    }

    fn cited(&self, field: &str, table: &Table) -> Result<Source, CatalogueError> {
        let id = table.get("source").and_then(Value::as_str).unwrap_or("");
        self.document.sources.iter().find(|source| source.id == id).cloned().ok_or_else(|| {
            let remedy = "add a [[source]] with id, title, date and kind, and cite its id".into();
            self.error(field, format!("cites the source `{id}`, which the file does not list"), remedy)
        })
    }
}
