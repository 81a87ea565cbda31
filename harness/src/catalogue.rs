//! Published figures: chips, prices, models and serving constants, each with unit, source, date and kind.
//!
//! The figures live in `harness/catalogue/*.toml` and are embedded in the binary; a folder with files of the same
//! names replaces them one by one. A figure names its source by id, and the source carries the date and the kind.

mod check;
mod chips;
mod entry;
mod figure;
mod huggingface;
mod listing;
mod models;
mod month;
mod precision;
mod prices;
mod serving;

pub use check::check;
pub use chips::{Announced, Chip, Peaks};
pub use figure::{Figure, Range, Source};
pub use huggingface::ModelError;
pub use listing::Listing;
pub use models::{Attention, FeedForward, Model, Window};
pub use month::{Month, NoMonth};
pub use precision::{Precision, UnknownPrecision};
pub use prices::{ChipPrice, CpuMatch, CpuPrice, NoPrice};
pub use serving::{Case, Measurement, Profile, Spreads};

use entry::Document;
use std::path::{Path, PathBuf};

const CHIPS: (&str, &str) = ("chips.toml", include_str!("../catalogue/chips.toml"));
const PRICES: (&str, &str) = ("prices.toml", include_str!("../catalogue/prices.toml"));
const MODELS: (&str, &str) = ("models.toml", include_str!("../catalogue/models.toml"));
const SERVING: (&str, &str) = ("serving.toml", include_str!("../catalogue/serving.toml"));

/// Everything the cost model knows that was not measured here.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalogue {
    /// Accelerators.
    pub chips: Vec<Chip>,
    /// Accelerators of which too little is published to cost anything on them.
    pub announced: Vec<Announced>,
    /// Prices of accelerators.
    pub prices: Vec<ChipPrice>,
    /// Prices of CPU instances.
    pub cpus: Vec<CpuPrice>,
    /// Model architectures.
    pub models: Vec<Model>,
    /// Efficiencies and overheads of serving software, by chip family.
    pub profiles: Vec<Profile>,
    /// How far a utilisation transferred from measured rows may be off.
    pub measurement: Measurement,
}

/// What is wrong with a catalogue, where, and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// A file could not be read.
    #[error("cannot read the catalogue file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The folder holds no file of a catalogue.
    #[error(
        "no catalogue file in {}; give a folder with chips.toml, prices.toml, models.toml or serving.toml",
        path.display()
    )]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// A file is not TOML.
    #[error("{file} is not valid TOML: {message}")]
    Syntax {
        /// The file.
        file: String,
        /// The parser's message with line and column.
        message: String,
    },
    /// A field of an entry is absent or wrong.
    #[error("{file}: entry `{entry}`: field `{field}` {problem}; {remedy}")]
    Field {
        /// The file.
        file: String,
        /// Id of the entry.
        entry: String,
        /// The field.
        field: String,
        /// What is wrong.
        problem: String,
        /// What to write instead.
        remedy: String,
    },
}

impl Catalogue {
    /// The figures this binary was built with.
    ///
    /// # Errors
    /// [`CatalogueError`] when an embedded file is broken, which a test rules out.
    pub fn embedded() -> Result<Self, CatalogueError> {
        Self::from_texts(embedded_texts())
    }

    /// The figures of a folder; a file it lacks is taken from the embedded set.
    ///
    /// # Errors
    /// [`CatalogueError`], naming file, entry, field and remedy.
    pub fn from_dir(dir: &Path) -> Result<Self, CatalogueError> {
        Self::from_texts(texts_of(dir)?)
    }

    /// The embedded catalogue with this text in the place of one of its files, by name: `chips.toml`, `prices.toml`,
    /// `models.toml`, `serving.toml`; of any other name it is the embedded one.
    ///
    /// # Errors
    /// As [`Catalogue::from_dir`].
    pub fn with_text(file: &str, text: &str) -> Result<Self, CatalogueError> {
        let replaced = |(name, own): (String, String)| {
            let text = if name == file { text.to_string() } else { own };
            (name, text)
        };
        Self::from_texts(embedded_texts().map(replaced))
    }

    fn from_texts([chips, prices, models, serving]: Texts) -> Result<Self, CatalogueError> {
        let chip_file = Document::parse(chips)?;
        let price_file = Document::parse(prices)?;
        let serving_file = Document::parse(serving)?;
        let profiles = serving::profiles(&serving_file)?;
        let chips = chips::chips(&chip_file, &profiles)?;
        Ok(Self {
            announced: chips::announced(&chip_file)?,
            prices: prices::chip_prices(&price_file, &chips)?,
            cpus: prices::cpu_prices(&price_file)?,
            models: models::models(&Document::parse(models)?)?,
            measurement: serving::measurement(&serving_file)?,
            chips,
            profiles,
        })
    }

    /// The chip of that id, if any.
    pub fn chip(&self, id: &str) -> Option<&Chip> {
        self.chips.iter().find(|chip| chip.id == id)
    }

    /// The model of that id or other name, if any.
    pub fn model(&self, name: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.is_called(name))
    }

    /// The chip whose driver name `device` contains, if any.
    pub fn chip_of_device(&self, device: &str) -> Option<&Chip> {
        self.chips.iter().find(|chip| chip.aliases.iter().any(|alias| device.contains(alias.as_str())))
    }

    /// The serving profile of a chip of this catalogue.
    ///
    /// # Panics
    /// For a chip of another catalogue.
    pub fn profile_of(&self, chip: &Chip) -> &Profile {
        let profile = self.profiles.iter().find(|profile| profile.id == chip.profile);
        profile.expect("the loader checked that every chip's profile exists")
    }

    /// The price a chip is charged at unless the user gives one.
    pub fn default_price(&self, chip: &str) -> Option<&ChipPrice> {
        self.prices.iter().find(|price| price.chip == chip && price.default)
    }

    /// What can be bought of a chip: of each offer and term the last listing.
    pub fn offers(&self, chip: &str) -> Vec<&ChipPrice> {
        prices::offers(&self.prices, chip)
    }

    /// The price of a chip that was in force in a month: the last listed by then. Listings of the default's offer and
    /// term come first, then those on demand, then any; listings without a date are never taken.
    ///
    /// # Errors
    /// [`NoPrice`] when none was listed by then.
    pub fn price_at(&self, chip: &str, when: Month) -> Result<&ChipPrice, NoPrice> {
        prices::price_at(&self.prices, chip, when)
    }
}

/// Name and text of each file: chips, prices, models, serving.
type Texts = [(String, String); 4];

fn embedded_texts() -> Texts {
    [CHIPS, PRICES, MODELS, SERVING].map(|(file, text)| (file.to_string(), text.to_string()))
}

/// The files of a folder; one that it lacks is the embedded one.
fn texts_of(dir: &Path) -> Result<Texts, CatalogueError> {
    let mut texts = embedded_texts();
    let mut found = false;
    for (name, text) in &mut texts {
        let path = dir.join(&*name);
        match std::fs::read_to_string(&path) {
            Ok(own) => {
                found = true;
                (*name, *text) = (path.display().to_string(), own);
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(CatalogueError::Read { path, source }),
        }
    }
    if found { Ok(texts) } else { Err(CatalogueError::Empty { path: dir.to_path_buf() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_chips(text: &str) -> Result<Catalogue, CatalogueError> {
        Catalogue::with_text("chips.toml", text)
    }

    #[test]
    fn the_embedded_catalogue_loads_and_holds_the_known_chips() {
        let catalogue = Catalogue::embedded().expect("embedded files are valid");
        for id in ["h100", "h200", "b200", "mi300x", "tpu-v5p", "trainium1", "trainium2", "trainium3", "inferentia2"] {
            assert!(catalogue.chips.iter().any(|chip| chip.id == id), "{id}");
        }
        assert!(catalogue.default_price("trainium3").is_none(), "no price was published");
    }

    #[test]
    fn chip_hour_prices_are_the_instance_price_over_its_chips() {
        let catalogue = Catalogue::embedded().expect("valid");
        // p5.48xlarge: 55.04 $/h for 8 chips.
        let h100 = catalogue.default_price("h100").expect("priced");
        assert!((h100.per_chip_hour().0 - 6.88).abs() < 1e-12);
        // trn1.32xlarge: 21.50 $/h for 16 chips.
        let trainium1 = catalogue.default_price("trainium1").expect("priced");
        assert!((trainium1.per_chip_hour().0 - 1.34375).abs() < 1e-12);
    }

    #[test]
    fn a_broken_figure_is_named_by_file_entry_field_and_remedy() {
        let source = "[[source]]\nid = \"s\"\ntitle = \"t\"\ndate = \"2026\"\nkind = \"published\"\n";
        let chip = "[[chip]]\nid = \"x\"\nname = \"X\"\nprofile = \"unfitted\"\ndomain = 1\n\
                    memory = { value = 80, unit = \"GB\", source = \"s\" }\n";
        let missing = with_chips(&format!("{source}{chip}")).expect_err("no bandwidth").to_string();
        assert!(missing.contains("chips.toml: entry `x`: field `bandwidth` is missing; write"), "{missing}");
        let unit = "bandwidth = { value = 3, unit = \"parsec\", source = \"s\" }\n";
        let wrong = with_chips(&format!("{source}{chip}{unit}")).expect_err("wrong unit").to_string();
        assert!(wrong.contains("`bandwidth` has the unit `parsec`; use one of GB/s"), "{wrong}");
        let unknown = with_chips(&format!("{source}{chip}bandwith = 3\n")).expect_err("typo").to_string();
        assert!(unknown.contains("field `bandwith` is not known"), "{unknown}");
        let sourceless = "bandwidth = { value = 3, unit = \"TB/s\", source = \"nowhere\" }\n";
        let error = with_chips(&format!("{source}{chip}{sourceless}")).expect_err("no source").to_string();
        assert!(error.contains("source `nowhere`, which the file does not list"), "{error}");
    }

    #[test]
    fn an_empty_folder_is_refused() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        assert!(matches!(Catalogue::from_dir(dir.path()), Err(CatalogueError::Empty { .. })));
    }
}
