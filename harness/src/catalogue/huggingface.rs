//! A user's own model, from the `config.json` that lies beside weights on Hugging Face.

mod config;

use super::models::{Attention, FeedForward, Model, Window};
use super::{Catalogue, Source};
use crate::nearest;
use crate::units::Provenance;
use config::Config;
use std::path::{Path, PathBuf};

/// Largest configuration that is read: those of published models have a few kilobytes.
const MAX_BYTES: u64 = 1 << 20;

/// A model that is neither in the catalogue nor described by a file.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No such name, and no such file.
    #[error("{0}; or give the path of a Hugging Face config.json")]
    Unknown(String),
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file is too large.
    #[error("{} is larger than {MAX_BYTES} bytes; is it a config.json?", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It is not a JSON object.
    #[error("{id}: not a JSON object: {message}")]
    Syntax {
        /// The model.
        id: String,
        /// What the parser says.
        message: String,
    },
    /// A field is absent, wrong, or contradicts another.
    #[error("{id}: field `{field}` {problem}; {remedy}")]
    Field {
        /// The model.
        id: String,
        /// The field of the file.
        field: String,
        /// What is wrong.
        problem: String,
        /// What to write instead.
        remedy: String,
    },
}

impl Catalogue {
    /// The model of that id or other name; for a path that ends in `.json`, the model that the file describes.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn model_or_file(&self, name: &str) -> Result<Model, ModelError> {
        if let Some(model) = self.model(name) {
            return Ok(model.clone());
        }
        if Path::new(name).extension().is_some_and(|extension| extension == "json") {
            return Model::from_file(Path::new(name));
        }
        let known: Vec<&str> = self.models.iter().map(|model| model.id.as_str()).collect();
        Err(ModelError::Unknown(nearest::unknown("model", &config::inert(name), &known)))
    }
}

impl Model {
    /// The model that a file describes, called after the file, or after its folder where it is named `config.json`.
    ///
    /// # Errors
    /// [`ModelError`], but [`ModelError::Unknown`].
    pub fn from_file(path: &Path) -> Result<Model, ModelError> {
        let read = |source| ModelError::Read { path: path.into(), source };
        if std::fs::metadata(path).map_err(read)?.len() > MAX_BYTES {
            return Err(ModelError::TooLarge { path: path.into() });
        }
        let text = std::fs::read_to_string(path).map_err(read)?;
        let folder = path.parent().and_then(Path::file_name);
        let own = path.file_stem().filter(|stem| *stem != "config");
        let id = own.or(folder).map_or_else(|| "config".into(), |name| name.to_string_lossy());
        Model::from_config(&text, &id)
    }

    /// The model that the text of a `config.json` describes. Understood are the model types llama, mistral, mixtral,
    /// qwen2, qwen3, qwen3_moe, gpt_oss, deepseek_v2 and deepseek_v3.
    ///
    /// Its figures rest on the user's word, and its published count is none.
    ///
    /// # Errors
    /// [`ModelError::Syntax`], [`ModelError::Field`].
    pub fn from_config(json: &str, id: &str) -> Result<Model, ModelError> {
        let config = Config::parse(json, &config::inert(id))?;
        let family = Family::of(&config)?;
        config.of_class(family.class())?;
        let layers = config.count("num_hidden_layers")?;
        let source = Source {
            id: "config".into(),
            title: format!("config.json of {}, as the user gave it", config.id),
            date: "n/d".into(),
            kind: Provenance::Assumed,
        };
        let model = Model {
            aliases: Vec::new(),
            layers,
            hidden: config.count("hidden_size")?,
            vocab: config.count("vocab_size")?,
            tied: config.flag("tie_word_embeddings")?,
            attention: family.attention(&config, layers)?,
            feed_forward: family.feed_forward(&config, layers)?,
            published_parameters: None,
            source,
            id: config.id.clone(),
        };
        // What is left to refuse has a name of ours.
        model.check().map_err(|wrong| config.error(wrong.field, wrong.problem, wrong.remedy))?;
        Ok(model)
    }
}

/// What a model type means by its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Llama,
    Mistral,
    Mixtral,
    Qwen2,
    Qwen3,
    Qwen3Moe,
    GptOss,
    DeepseekV2,
    DeepseekV3,
}

impl Family {
    /// The model type, and the first half of the class that architectures name.
    const NAMES: [(&'static str, &'static str, Family); 9] = [
        ("llama", "Llama", Family::Llama),
        ("mistral", "Mistral", Family::Mistral),
        ("mixtral", "Mixtral", Family::Mixtral),
        ("qwen2", "Qwen2", Family::Qwen2),
        ("qwen3", "Qwen3", Family::Qwen3),
        ("qwen3_moe", "Qwen3Moe", Family::Qwen3Moe),
        ("gpt_oss", "GptOss", Family::GptOss),
        ("deepseek_v2", "DeepseekV2", Family::DeepseekV2),
        ("deepseek_v3", "DeepseekV3", Family::DeepseekV3),
    ];

    fn of(config: &Config) -> Result<Family, ModelError> {
        let name = config.text("model_type")?;
        let found = Family::NAMES.into_iter().find(|(known, ..)| *known == name);
        found.map(|(.., family)| family).ok_or_else(|| {
            let known = Family::NAMES.map(|(known, ..)| known).join(", ");
            config.error("model_type", format!("is `{}`", config::inert(name)), format!("known are {known}"))
        })
    }

    fn class(self) -> &'static str {
        let found = Family::NAMES.into_iter().find(|(.., family)| *family == self);
        found.map(|(_, class, _)| class).expect("every family has a name")
    }

    fn attention(self, config: &Config, layers: u32) -> Result<Attention, ModelError> {
        let heads = config.count("num_attention_heads")?;
        if matches!(self, Family::DeepseekV2 | Family::DeepseekV3) {
            if !config.has("q_lora_rank") {
                let problem = "is absent or null".to_string();
                return Err(config.error("q_lora_rank", problem, "only models with compressed queries are understood"));
            }
            return Ok(Attention::Latent {
                heads,
                nope_dim: config.count("qk_nope_head_dim")?,
                rope_dim: config.count("qk_rope_head_dim")?,
                value_dim: config.count("v_head_dim")?,
                query_rank: config.count("q_lora_rank")?,
                kv_rank: config.count("kv_lora_rank")?,
            });
        }
        // Configurations from before grouped queries leave the field out.
        let kv_heads = config.count_or("num_key_value_heads", heads)?;
        if kv_heads > heads || !heads.is_multiple_of(kv_heads) {
            let problem = format!("is {kv_heads}, which does not divide num_attention_heads = {heads}");
            return Err(config.error("num_key_value_heads", problem, "give whole groups of query heads to a kv head"));
        }
        let head_dim = self.head_dim(config, heads)?;
        Ok(Attention::Grouped { query_heads: heads, kv_heads, head_dim, window: self.window(config, layers)? })
    }

    /// As written, else the width over the heads, as the older classes define it.
    fn head_dim(self, config: &Config, heads: u32) -> Result<u32, ModelError> {
        if config.has("head_dim") || matches!(self, Family::Qwen3 | Family::Qwen3Moe | Family::GptOss) {
            return config.count("head_dim");
        }
        let hidden = config.count("hidden_size")?;
        if hidden.is_multiple_of(heads) {
            return Ok(hidden / heads);
        }
        let problem = format!("is {heads}, which does not divide hidden_size = {hidden}");
        Err(config.error("num_attention_heads", problem, "correct one of them, or write head_dim"))
    }

    /// Layers that slide: those that `layer_types` names, else by the habit of the family.
    fn window(self, config: &Config, layers: u32) -> Result<Option<Window>, ModelError> {
        let every = match config.sliding_layers(layers)? {
            Some(sliding) => every_of(config, &sliding)?,
            None => match self {
                Family::GptOss => Some(2),
                Family::Mistral | Family::Mixtral if config.has("sliding_window") => Some(1),
                Family::Qwen2 | Family::Qwen3 | Family::Qwen3Moe if config.flag("use_sliding_window")? => {
                    let remedy = "write layer_types, which says which layers slide";
                    return Err(config.error("use_sliding_window", "is true".into(), remedy));
                }
                _ => None,
            },
        };
        every.map(|every| Ok(Window { tokens: config.count("sliding_window")?, every })).transpose()
    }

    fn feed_forward(self, config: &Config, layers: u32) -> Result<FeedForward, ModelError> {
        let (experts, dense_layers, shared, width) = match self {
            Family::Llama | Family::Mistral | Family::Qwen2 | Family::Qwen3 => {
                config.without_experts()?;
                return Ok(FeedForward::Dense { width: config.count("intermediate_size")? });
            }
            Family::Mixtral | Family::GptOss => ("num_local_experts", 0, 0, "intermediate_size"),
            Family::Qwen3Moe => {
                config.every_layer("decoder_sparse_step")?;
                ("num_experts", config.leading_layers("mlp_only_layers")?, 0, "moe_intermediate_size")
            }
            Family::DeepseekV2 | Family::DeepseekV3 => {
                config.every_layer("moe_layer_freq")?;
                let dense_layers = config.none_or("first_k_dense_replace")?;
                ("n_routed_experts", dense_layers, config.none_or("n_shared_experts")?, "moe_intermediate_size")
            }
        };
        if dense_layers >= layers {
            let field = if self == Family::Qwen3Moe { "mlp_only_layers" } else { "first_k_dense_replace" };
            let problem = format!("makes {dense_layers} layers dense, of num_hidden_layers = {layers}");
            return Err(config.error(field, problem, "leave layers for the experts"));
        }
        let (n, active) = (config.count(experts)?, config.count("num_experts_per_tok")?);
        if active > n {
            let problem = format!("is {active}, more than {experts} = {n}");
            return Err(config.error("num_experts_per_tok", problem, "let a token pass at most all experts"));
        }
        let dense_width = if dense_layers > 0 { config.count("intermediate_size")? } else { 0 };
        Ok(FeedForward::Experts { dense_layers, dense_width, experts: n, active, shared, width: config.count(width)? })
    }
}

/// The step of layers that slide: 0, `every`, 2·`every`, ...; none where none does.
fn every_of(config: &Config, sliding: &[bool]) -> Result<Option<u32>, ModelError> {
    if !sliding.contains(&true) {
        return Ok(None);
    }
    let fits = |every: &usize| sliding.iter().enumerate().all(|(idx, slides)| *slides == (idx % every == 0));
    match (1..=sliding.len()).find(fits) {
        Some(every) => Ok(Some(every as u32)),
        None => {
            let problem = "lets layers slide in no even step from the first".to_string();
            Err(config.error("layer_types", problem, "only every layer, every second one and so on are understood"))
        }
    }
}

#[cfg(test)]
mod tests;
