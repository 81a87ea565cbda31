//! Every figure of an entry, with unit, source, date and kind beside it.

use super::{Announced, Attention, Catalogue, Chip, ChipPrice, CpuPrice, FeedForward, Figure, Model, Source};
use crate::cost::{active_parameters, kv_elements_per_token, parameters};
use crate::nearest;

impl Catalogue {
    /// Every entry: chips, announced chips, models, CPU instances.
    pub fn listings(&self) -> Vec<Listing> {
        let chips = self.chips.iter().map(|chip| of_chip(self, chip));
        let announced = self.announced.iter().map(of_announced);
        let models = self.models.iter().map(of_model);
        chips.chain(announced).chain(models).chain(self.cpus.iter().map(of_cpu)).collect()
    }

    /// The entry of this id, or the model of this name or file.
    ///
    /// # Errors
    /// The name is of none, in words that say which is nearest; or its file cannot be read.
    pub fn listing(&self, name: &str) -> Result<Listing, String> {
        let known = self.listings();
        if let Some(listing) = known.iter().find(|listing| listing.id == name) {
            return Ok(listing.clone());
        }
        if self.model(name).is_some() || name.ends_with(".json") {
            return self.model_or_file(name).map(|model| of_model(&model)).map_err(|error| error.to_string());
        }
        let known: Vec<&str> = known.iter().map(|listing| listing.id.as_str()).collect();
        Err(nearest::unknown("entry", name, &known))
    }
}

/// What is known of an entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    /// Name on the command line.
    pub id: String,
    /// Name in tables.
    pub title: String,
    /// Its figures: entry, figure, value, unit, kind, date, id of the source, title of the source.
    pub rows: Vec<[String; 8]>,
    /// What is no figure.
    pub notes: Vec<String>,
}

impl Listing {
    fn new(id: &str, title: &str) -> Self {
        Listing { id: id.to_string(), title: title.to_string(), rows: Vec::new(), notes: Vec::new() }
    }

    fn row(&mut self, figure: String, value: String, [unit, kind, date, source, title]: [&str; 5]) {
        let [unit, kind, date, source, title] = [unit, kind, date, source, title].map(str::to_string);
        self.rows.push([self.id.clone(), figure, value, unit, kind, date, source, title]);
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

fn of_chip(catalogue: &Catalogue, chip: &Chip) -> Listing {
    let mut figures = Listing::new(&chip.id, &chip.name);
    let known = |name: &'static str, figure: Option<&Figure>, figures: &mut Listing| {
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
    known("network", chip.network.as_ref(), &mut figures);
    known("tdp", chip.tdp.as_ref(), &mut figures);
    known("all_in_power", chip.all_in_power.as_ref(), &mut figures);
    for price in catalogue.prices.iter().filter(|price| price.chip == chip.id) {
        priced(price, &mut figures);
    }
    let instance = chip.chips_per_instance.map_or_else(String::new, |n| format!(", {n} chips an instance"));
    let cores = if chip.cores > 1 { format!(", each {} devices to software", chip.cores) } else { String::new() };
    let shapes = if chip.static_shapes { "; programs of fixed shapes" } else { "" };
    let (domain, profile) = (chip.domain, &chip.profile);
    let note = format!("{domain} chips in a scale-up domain{instance}{cores}{shapes}; serving profile {profile}");
    figures.notes.push(note);
    figures
}

fn priced(price: &ChipPrice, figures: &mut Listing) {
    let default = if price.default { ", the default" } else { "" };
    let chips = if price.chips == 1 { String::new() } else { format!(" / {} chips", price.chips) };
    let name = format!("price: {} {}{default}", price.offer, price.term);
    let listed = &price.per_instance_hour;
    figures.cited(name, listed.written, &format!("{}{chips}", listed.unit), &listed.source);
    if price.chips > 1 {
        figures.derived("  a chip", format!("{:.4}", price.per_chip_hour().0), listed.unit);
    }
}

fn of_announced(chip: &Announced) -> Listing {
    let mut figures = Listing::new(&chip.id, &chip.name);
    figures.cited("announced", "–", "", &chip.source);
    figures.notes.push(chip.missing.clone());
    figures
}

fn of_cpu(cpu: &CpuPrice) -> Listing {
    let mut figures = Listing::new(&cpu.id, &cpu.offer);
    let listed = &cpu.per_instance_hour;
    figures.cited("price: on-demand", listed.written, &format!("{} / {} vCPU", listed.unit, cpu.vcpus), &listed.source);
    figures.derived("  a vCPU", format!("{:.5}", cpu.per_vcpu_hour().0), listed.unit);
    figures
}

fn of_model(model: &Model) -> Listing {
    let mut figures = Listing::new(&model.id, &model.id);
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
