//! Architectures of dense decoder models.

use super::CatalogueError;
use super::entry::{Document, Entry};
use super::figure::{Dimension, Figure};

/// A dense decoder: grouped-query attention and a gated feed-forward block in every layer, untied embeddings.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Name on the command line.
    pub id: String,
    /// Layers.
    pub layers: u32,
    /// Width of the residual stream.
    pub hidden: u32,
    /// Query heads.
    pub query_heads: u32,
    /// Key and value heads.
    pub kv_heads: u32,
    /// Width of a head.
    pub head_dim: u32,
    /// Width of the feed-forward block.
    pub ffn: u32,
    /// Vocabulary.
    pub vocab: u32,
    /// Parameter count as published: a check on the formula, never an input.
    pub published_parameters: Figure,
}

const FIELDS: [&str; 9] =
    ["id", "layers", "hidden", "query_heads", "kv_heads", "head_dim", "ffn", "vocab", "published_parameters"];

pub(super) fn models(document: &Document) -> Result<Vec<Model>, CatalogueError> {
    document.entries("model")?.iter().map(model).collect()
}

fn model(entry: &Entry<'_>) -> Result<Model, CatalogueError> {
    entry.only(&FIELDS)?;
    let model = Model {
        id: entry.text("id")?,
        layers: entry.count("layers")?,
        hidden: entry.count("hidden")?,
        query_heads: entry.count("query_heads")?,
        kv_heads: entry.count("kv_heads")?,
        head_dim: entry.count("head_dim")?,
        ffn: entry.count("ffn")?,
        vocab: entry.count("vocab")?,
        published_parameters: entry.figure("published_parameters", Dimension::Parameters)?,
    };
    if !model.query_heads.is_multiple_of(model.kv_heads) {
        let problem = format!("is {}, not a multiple of kv_heads = {}", model.query_heads, model.kv_heads);
        return Err(entry.error("query_heads", problem, "give a whole number of query heads per kv head".into()));
    }
    Ok(model)
}
