//! Architectures of decoder models: grouped or latent attention, dense or expert feed-forward blocks.

use super::CatalogueError;
use super::entry::{Document, Entry};
use super::figure::{Dimension, Figure, Source};

/// A decoder: in every layer attention and a gated feed-forward block.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Name on the command line.
    pub id: String,
    /// Other names, such as those of its repositories on Hugging Face.
    pub aliases: Vec<String>,
    /// Layers.
    pub layers: u32,
    /// Width of the residual stream.
    pub hidden: u32,
    /// Vocabulary.
    pub vocab: u32,
    /// Whether the output projection is the input embedding: then it is stored once.
    pub tied: bool,
    /// The attention of every layer.
    pub attention: Attention,
    /// The feed-forward blocks.
    pub feed_forward: FeedForward,
    /// Parameter count as published: a check on the formula, never an input. None for a user's own model.
    pub published_parameters: Option<Figure>,
    /// Where the architecture comes from.
    pub source: Source,
}

/// How tokens look at each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attention {
    /// Grouped queries (Ainslie et al. 2023, arXiv:2305.13245); as many kv heads as query heads is the plain form.
    Grouped {
        /// Query heads.
        query_heads: u32,
        /// Key and value heads.
        kv_heads: u32,
        /// Width of a head.
        head_dim: u32,
        /// Layers that see only the last tokens.
        window: Option<Window>,
    },
    /// Multi-head latent attention (DeepSeek-V2, arXiv:2405.04434, section 2.1): the cache holds one compressed vector
    /// of `kv_rank` and one rotary key of `rope_dim` a token, whatever the heads.
    Latent {
        /// Query heads.
        heads: u32,
        /// Width of a head's query and key without position.
        nope_dim: u32,
        /// Width of a head's query and of the shared key that carry the position.
        rope_dim: u32,
        /// Width of a head's value.
        value_dim: u32,
        /// Width of the compressed query.
        query_rank: u32,
        /// Width of the compressed key and value.
        kv_rank: u32,
    },
}

/// A sliding window: of every `every` layers the first sees the last `tokens` tokens only, the others see all.
///
/// 1 slides in every layer, 2 in every other one, as gpt-oss does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Tokens a sliding layer sees.
    pub tokens: u32,
    /// Layers among which one slides.
    pub every: u32,
}

/// The gated blocks: three matrices each, gate, up and down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedForward {
    /// One block a layer.
    Dense {
        /// Width of the block.
        width: u32,
    },
    /// A router and experts in each layer behind the first `dense_layers`.
    Experts {
        /// Leading layers with a dense block.
        dense_layers: u32,
        /// Width of that dense block; 0 where there is none.
        dense_width: u32,
        /// Experts among which the router chooses.
        experts: u32,
        /// Experts that a token is sent to.
        active: u32,
        /// Experts that every token passes, beside those.
        shared: u32,
        /// Width of one expert.
        width: u32,
    },
}

impl Model {
    /// Query heads of a layer.
    pub const fn query_heads(&self) -> u32 {
        match self.attention {
            Attention::Grouped { query_heads, .. } => query_heads,
            Attention::Latent { heads, .. } => heads,
        }
    }

    /// Heads of the KV cache of a layer: ranks beyond them hold copies. A latent cache is one head.
    pub const fn kv_heads(&self) -> u32 {
        match self.attention {
            Attention::Grouped { kv_heads, .. } => kv_heads,
            Attention::Latent { .. } => 1,
        }
    }

    /// The sliding window, if some layers have one.
    pub const fn window(&self) -> Option<Window> {
        match self.attention {
            Attention::Grouped { window, .. } => window,
            Attention::Latent { .. } => None,
        }
    }

    /// Layers whose attention is a sliding window.
    pub fn windowed_layers(&self) -> u32 {
        self.window().map_or(0, |window| self.layers.div_ceil(window.every))
    }

    /// Layers with experts.
    pub const fn expert_layers(&self) -> u32 {
        match self.feed_forward {
            FeedForward::Dense { .. } => 0,
            FeedForward::Experts { dense_layers, .. } => self.layers.saturating_sub(dense_layers),
        }
    }

    /// Whether `name` is its id or one of its other names.
    pub fn is_called(&self, name: &str) -> bool {
        self.id == name || self.aliases.iter().any(|alias| alias == name)
    }

    /// Refuses what no model can be, by field.
    pub(super) fn check(&self) -> Result<(), Contradiction> {
        self.counts().into_iter().try_for_each(|(field, n)| within(field, n))?;
        if let Attention::Grouped { query_heads, kv_heads, .. } = self.attention
            && !query_heads.is_multiple_of(kv_heads)
        {
            let problem = format!("is {query_heads}, not a multiple of kv_heads = {kv_heads}");
            return Err(Contradiction::new("query_heads", problem, "give whole groups of query heads to a kv head"));
        }
        if let FeedForward::Experts { experts, active, .. } = self.feed_forward
            && active > experts
        {
            let problem = format!("is {active}, more than experts = {experts}");
            return Err(Contradiction::new("active", problem, "let a token pass at most all experts"));
        }
        if matches!(self.feed_forward, FeedForward::Experts { .. }) && self.expert_layers() == 0 {
            let problem = format!("leaves none of {} layers with experts", self.layers);
            return Err(Contradiction::new("dense_layers", problem, "describe it as a dense model"));
        }
        Ok(())
    }

    /// Every count that must be above zero.
    fn counts(&self) -> Vec<(&'static str, u32)> {
        let mut counts = vec![("layers", self.layers), ("hidden", self.hidden), ("vocab", self.vocab)];
        match self.attention {
            Attention::Grouped { query_heads, kv_heads, head_dim, window } => {
                counts.extend([("query_heads", query_heads), ("kv_heads", kv_heads), ("head_dim", head_dim)]);
                counts.extend(window.iter().flat_map(|w| [("window.tokens", w.tokens), ("window.every", w.every)]));
            }
            Attention::Latent { heads, nope_dim, rope_dim, value_dim, query_rank, kv_rank } => {
                counts.extend([("heads", heads), ("nope_dim", nope_dim), ("rope_dim", rope_dim)]);
                counts.extend([("value_dim", value_dim), ("query_rank", query_rank), ("kv_rank", kv_rank)]);
            }
        }
        match self.feed_forward {
            FeedForward::Dense { width } => counts.push(("width", width)),
            FeedForward::Experts { dense_layers, dense_width, experts, active, shared, width } => {
                counts.extend([("experts", experts), ("active", active), ("width", width)]);
                counts.extend((dense_layers > 0).then_some(("dense_width", dense_width)));
                counts.extend((shared > 0).then_some(("shared", shared)));
            }
        }
        counts
    }
}

/// Largest count that is believed: tens of times the largest that any published model has (a vocabulary of 262,144).
pub(super) const LARGEST_COUNT: u32 = 1 << 24;

fn within(field: &'static str, n: u32) -> Result<(), Contradiction> {
    if (1..=LARGEST_COUNT).contains(&n) {
        return Ok(());
    }
    Err(Contradiction::new(field, format!("is {n}"), format!("give a whole number from 1 to {LARGEST_COUNT}")))
}

/// What keeps a description from being a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Contradiction {
    pub(super) field: &'static str,
    pub(super) problem: String,
    pub(super) remedy: String,
}

impl Contradiction {
    fn new(field: &'static str, problem: String, remedy: impl Into<String>) -> Self {
        Contradiction { field, problem, remedy: remedy.into() }
    }
}

const FIELDS: [&str; 12] = [
    "id",
    "aliases",
    "layers",
    "hidden",
    "vocab",
    "tied",
    "grouped",
    "latent",
    "dense",
    "experts",
    "published_parameters",
    "source",
];

pub(super) fn models(document: &Document) -> Result<Vec<Model>, CatalogueError> {
    document.entries("model")?.iter().map(model).collect()
}

fn model(entry: &Entry<'_>) -> Result<Model, CatalogueError> {
    entry.only(&FIELDS)?;
    let model = Model {
        id: entry.text("id")?,
        aliases: entry.texts("aliases")?,
        layers: entry.count("layers")?,
        hidden: entry.count("hidden")?,
        vocab: entry.count("vocab")?,
        tied: entry.flag("tied")?,
        attention: attention(entry)?,
        feed_forward: feed_forward(entry)?,
        published_parameters: entry.optional_figure("published_parameters", Dimension::Parameters)?,
        source: entry.source("source")?,
    };
    model.check().map_err(|wrong| entry.error(wrong.field, wrong.problem, wrong.remedy))?;
    Ok(model)
}

fn attention(entry: &Entry<'_>) -> Result<Attention, CatalogueError> {
    match (entry.section("grouped")?, entry.section("latent")?) {
        (Some(grouped), None) => {
            grouped.only(&["query_heads", "kv_heads", "head_dim", "window"])?;
            let window = grouped.section("window")?.map(|window| {
                window.only(&["tokens", "every"])?;
                Ok(Window { tokens: window.count("tokens")?, every: window.count("every")? })
            });
            Ok(Attention::Grouped {
                query_heads: grouped.count("query_heads")?,
                kv_heads: grouped.count("kv_heads")?,
                head_dim: grouped.count("head_dim")?,
                window: window.transpose()?,
            })
        }
        (None, Some(latent)) => {
            latent.only(&["heads", "nope_dim", "rope_dim", "value_dim", "query_rank", "kv_rank"])?;
            Ok(Attention::Latent {
                heads: latent.count("heads")?,
                nope_dim: latent.count("nope_dim")?,
                rope_dim: latent.count("rope_dim")?,
                value_dim: latent.count("value_dim")?,
                query_rank: latent.count("query_rank")?,
                kv_rank: latent.count("kv_rank")?,
            })
        }
        _ => Err(one_of(entry, "grouped", "latent")),
    }
}

fn feed_forward(entry: &Entry<'_>) -> Result<FeedForward, CatalogueError> {
    match (entry.section("dense")?, entry.section("experts")?) {
        (Some(dense), None) => {
            dense.only(&["width"])?;
            Ok(FeedForward::Dense { width: dense.count("width")? })
        }
        (None, Some(experts)) => {
            experts.only(&["dense_layers", "dense_width", "experts", "active", "shared", "width"])?;
            let none_or = |field| if experts.has(field) { experts.count(field) } else { Ok(0) };
            Ok(FeedForward::Experts {
                dense_layers: none_or("dense_layers")?,
                dense_width: none_or("dense_width")?,
                experts: experts.count("experts")?,
                active: experts.count("active")?,
                shared: none_or("shared")?,
                width: experts.count("width")?,
            })
        }
        _ => Err(one_of(entry, "dense", "experts")),
    }
}

fn one_of(entry: &Entry<'_>, first: &str, second: &str) -> CatalogueError {
    entry.error(first, format!("or `{second}` is missing, or both are there"), "give one of the two".into())
}
