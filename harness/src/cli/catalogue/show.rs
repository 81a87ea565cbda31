//! Every figure of an entry, with unit, source, date and kind beside it.

use crate::catalogue::{
    Announced, Attention, Catalogue, Chip, ChipPrice, CpuPrice, FeedForward, Figure, Model, Source,
};
use crate::cli::{CliError, Format};
use crate::cost::{active_parameters, kv_elements_per_token, parameters};
use crate::nearest;
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
        all(catalogue)
    } else {
        names.iter().map(|name| one(catalogue, name)).collect::<Result<_, _>>()?
    };
    Ok(match format {
        Format::Table | Format::Md => entries.iter().map(for_people).collect(),
        Format::Csv | Format::Json => vec![for_programs(&entries)],
    })
}

/// The sources by id, their titles below.
fn for_people(entry: &Figures) -> Table {
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
fn for_programs(entries: &[Figures]) -> Table {
    let mut table = Table::new("Catalogue", &COLUMNS);
    entries.iter().flat_map(|entry| &entry.rows).for_each(|row| table.row(row.to_vec()));
    table
}

fn all(catalogue: &Catalogue) -> Vec<Figures> {
    let chips = catalogue.chips.iter().map(|chip| of_chip(catalogue, chip));
    let announced = catalogue.announced.iter().map(of_announced);
    let models = catalogue.models.iter().map(of_model);
    chips.chain(announced).chain(models).chain(catalogue.cpus.iter().map(of_cpu)).collect()
}

fn one(catalogue: &Catalogue, name: &str) -> Result<Figures, CliError> {
    if let Some(chip) = catalogue.chip(name) {
        return Ok(of_chip(catalogue, chip));
    }
    if let Some(chip) = catalogue.announced.iter().find(|chip| chip.id == name) {
        return Ok(of_announced(chip));
    }
    if let Some(cpu) = catalogue.cpus.iter().find(|cpu| cpu.id == name) {
        return Ok(of_cpu(cpu));
    }
    if catalogue.model(name).is_some() || name.ends_with(".json") {
        let model = catalogue.model_or_file(name).map_err(|error| CliError::Usage(error.to_string()))?;
        return Ok(of_model(&model));
    }
    let chips = catalogue.chips.iter().map(|chip| &chip.id).chain(catalogue.announced.iter().map(|chip| &chip.id));
    let others = catalogue.models.iter().map(|model| &model.id).chain(catalogue.cpus.iter().map(|cpu| &cpu.id));
    let known: Vec<&str> = chips.chain(others).map(String::as_str).collect();
    Err(CliError::Usage(nearest::unknown("entry", name, &known)))
}

/// What is known of an entry. Rows name it, for a table may hold several.
struct Figures {
    of: String,
    title: String,
    rows: Vec<[String; 8]>,
    notes: Vec<String>,
}

impl Figures {
    fn new(of: &str, title: &str) -> Self {
        Figures { of: of.to_string(), title: title.to_string(), rows: Vec::new(), notes: Vec::new() }
    }

    fn row(&mut self, figure: String, value: String, [unit, kind, date, source, title]: [&str; 5]) {
        let [unit, kind, date, source, title] = [unit, kind, date, source, title].map(str::to_string);
        self.rows.push([self.of.clone(), figure, value, unit, kind, date, source, title]);
    }

    fn cited(&mut self, name: impl Into<String>, value: impl ToString, unit: &str, source: &Source) {
        let kind = source.kind.to_string();
        self.row(name.into(), value.to_string(), [unit, &kind, &source.date, &source.id, &source.title]);
    }

    fn figure(&mut self, name: impl Into<String>, figure: &Figure) {
        self.cited(name, figure.written, figure.unit, &figure.source);
    }

    /// A number that follows from those above it.
    fn derived(&mut self, name: &str, value: String, unit: &str) {
        self.row(name.into(), value, [unit, "derived", "", "the figures above", ""]);
    }
}

fn of_chip(catalogue: &Catalogue, chip: &Chip) -> Figures {
    let mut figures = Figures::new(&chip.id, &chip.name);
    let known = |name: &'static str, figure: Option<&Figure>, figures: &mut Figures| {
        if let Some(figure) = figure {
            figures.figure(name, figure);
        }
    };
    for (name, peak) in chip.peaks.named() {
        known(name, peak, &mut figures);
    }
    figures.figure("memory", &chip.memory);
    figures.figure("bandwidth", &chip.bandwidth);
    known("link", chip.link.as_ref(), &mut figures);
    known("tdp", chip.tdp.as_ref(), &mut figures);
    known("all_in_power", chip.all_in_power.as_ref(), &mut figures);
    for price in catalogue.prices.iter().filter(|price| price.chip == chip.id) {
        priced(price, &mut figures);
    }
    let instance = chip.chips_per_instance.map_or_else(String::new, |n| format!(", {n} chips an instance"));
    let note = format!("{} chips in a scale-up domain{instance}; serving profile {}", chip.domain, chip.profile);
    figures.notes.push(note);
    figures
}

fn priced(price: &ChipPrice, figures: &mut Figures) {
    let default = if price.default { ", the default" } else { "" };
    let chips = if price.chips == 1 { String::new() } else { format!(" / {} chips", price.chips) };
    let name = format!("price: {} {}{default}", price.offer, price.term);
    let listed = &price.per_instance_hour;
    figures.cited(name, listed.written, &format!("{}{chips}", listed.unit), &listed.source);
    if price.chips > 1 {
        figures.derived("  a chip", format!("{:.4}", price.per_chip_hour().0), listed.unit);
    }
}

fn of_announced(chip: &Announced) -> Figures {
    let mut figures = Figures::new(&chip.id, &chip.name);
    figures.cited("announced", "–", "", &chip.source);
    figures.notes.push(chip.missing.clone());
    figures
}

fn of_cpu(cpu: &CpuPrice) -> Figures {
    let mut figures = Figures::new(&cpu.id, &cpu.offer);
    let listed = &cpu.per_instance_hour;
    figures.cited("price: on-demand", listed.written, &format!("{} / {} vCPU", listed.unit, cpu.vcpus), &listed.source);
    figures.derived("  a vCPU", format!("{:.5}", cpu.per_vcpu_hour().0), listed.unit);
    figures
}

fn of_model(model: &Model) -> Figures {
    let mut figures = Figures::new(&model.id, &model.id);
    let mut counts = vec![("layers", model.layers), ("hidden", model.hidden), ("vocab", model.vocab)];
    counts.extend(attention(model));
    match model.feed_forward {
        FeedForward::Dense { width } => counts.push(("width", width)),
        FeedForward::Experts { dense_layers, dense_width, experts, active, shared, width } => {
            counts.extend([("dense layers", dense_layers), ("dense width", dense_width), ("experts", experts)]);
            counts.extend([("active experts", active), ("shared experts", shared), ("expert width", width)]);
        }
    }
    for (name, n) in counts.into_iter().filter(|(_, n)| *n > 0) {
        figures.cited(name, n, "1", &model.source);
    }
    figures.cited("tied head", if model.tied { "yes" } else { "no" }, "", &model.source);
    if let Some(published) = &model.published_parameters {
        figures.figure("parameters, published", published);
    }
    figures.derived("parameters", format!("{:.3}", parameters(model) / 1e9), "1e9");
    figures.derived("active parameters", format!("{:.3}", active_parameters(model) / 1e9), "1e9");
    figures.derived("KV cache a token", kv_elements_per_token(model).to_string(), "elements");
    if !model.aliases.is_empty() {
        figures.notes.push(format!("also called {}", model.aliases.join(", ")));
    }
    figures
}

fn attention(model: &Model) -> Vec<(&'static str, u32)> {
    match model.attention {
        Attention::Grouped { query_heads, kv_heads, head_dim, window } => {
            let mut counts = vec![("query heads", query_heads), ("kv heads", kv_heads), ("head dim", head_dim)];
            counts.extend(window.map(|window| ("window", window.tokens)));
            counts.extend(window.map(|_| ("layers with a window", model.windowed_layers())));
            counts
        }
        Attention::Latent { heads, nope_dim, rope_dim, value_dim, query_rank, kv_rank } => vec![
            ("query heads", heads),
            ("head dim without position", nope_dim),
            ("head dim with position", rope_dim),
            ("value dim", value_dim),
            ("query rank", query_rank),
            ("kv rank", kv_rank),
        ],
    }
}
