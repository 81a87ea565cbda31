//! Figures of entries as tables.

use crate::catalogue::{Catalogue, Listing};
use crate::cli::{CliError, Format};
use crate::report::{Align, Table};
use std::collections::BTreeSet;

const COLUMNS: [(&str, Align); 8] = [
    ("of", Align::Left),
    ("figure", Align::Left),
    ("value", Align::Right),
    ("unit", Align::Left),
    ("kind", Align::Left),
    ("date", Align::Left),
    ("source", Align::Left),
    ("title", Align::Left),
];

/// The figures of the named entries, or of all where none is named: a table each for people, one for programs.
pub(super) fn tables(catalogue: &Catalogue, names: &[String], format: Format) -> Result<Vec<Table>, CliError> {
    let entries = if names.is_empty() {
        catalogue.listings()
    } else {
        names.iter().map(|name| catalogue.listing(name).map_err(CliError::Usage)).collect::<Result<_, _>>()?
    };
    Ok(match format {
        Format::Table | Format::Md => entries.iter().map(for_people).collect(),
        Format::Csv | Format::Json => vec![for_programs(&entries)],
    })
}

/// The sources by id, their titles below.
fn for_people(entry: &Listing) -> Table {
    let mut table = Table::new(&entry.title, &COLUMNS[..COLUMNS.len() - 1]);
    let mut titles = BTreeSet::new();
    for [cells @ .., id, title] in &entry.rows {
        table.row(cells.iter().chain([id]).cloned().collect());
        if !title.is_empty() {
            titles.insert(format!("{id}: {title}"));
        }
    }
    entry.notes.iter().chain(&titles).for_each(|note| table.note(note));
    table
}

/// All entries as one table, the title of its source in every row.
fn for_programs(entries: &[Listing]) -> Table {
    let mut table = Table::new("Catalogue", &COLUMNS);
    entries.iter().flat_map(|entry| &entry.rows).for_each(|row| table.row(row.to_vec()));
    table
}
