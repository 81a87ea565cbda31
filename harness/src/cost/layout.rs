//! Words with several parts: how replicas are spread, and what drafts.

use super::serving::Deployment;
use super::speculation::{Draft, Speculation};
use crate::catalogue::{Catalogue, ModelError};
use crate::units::Share;
use std::str::FromStr;

/// A deployment in one word, as in `tensor=1,attention-data=32,expert=32,overlap`; degrees that are left out are 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout(pub Deployment);

/// What is no layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no part of a layout; give tensor, attention-data, expert, redundant-experts or pipeline with a whole number, \
     or overlap, as in tensor=1,attention-data=32,expert=32,overlap"
)]
pub struct UnknownLayout(String);

impl FromStr for Layout {
    type Err = UnknownLayout;

    fn from_str(text: &str) -> Result<Self, UnknownLayout> {
        let mut deployment = Deployment::tensor_parallel(1);
        for part in text.split(',').map(str::trim) {
            let unknown = || UnknownLayout(part.to_string());
            if part == "overlap" {
                deployment.overlap = true;
                continue;
            }
            let (name, count) = part.split_once('=').ok_or_else(unknown)?;
            let degree = match name {
                "tensor" => &mut deployment.tensor,
                "attention-data" => &mut deployment.attention_data,
                "expert" => &mut deployment.expert,
                "redundant-experts" => &mut deployment.redundant,
                "pipeline" => &mut deployment.pipeline,
                _ => return Err(unknown()),
            };
            *degree = count.parse().map_err(|_| unknown())?;
        }
        Ok(Layout(deployment))
    }
}

/// Speculative decoding in one word, as in `tokens=3,acceptance=0.7,draft=layer`.
#[derive(Clone, Debug, PartialEq)]
pub struct Drafts {
    drafted: u32,
    acceptance: f64,
    draft: String,
}

/// What is no speculative decoding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` says no drafts; give tokens and acceptance, and draft as layer, lookup or a model, as in \
     tokens=3,acceptance=0.7,draft=layer"
)]
pub struct UnknownDrafts(String);

impl FromStr for Drafts {
    type Err = UnknownDrafts;

    fn from_str(text: &str) -> Result<Self, UnknownDrafts> {
        let unknown = || UnknownDrafts(text.to_string());
        let (mut drafted, mut acceptance, mut draft) = (None, None, "layer".to_string());
        for part in text.split(',').map(str::trim) {
            match part.split_once('=').ok_or_else(unknown)? {
                ("tokens", count) => drafted = Some(count.parse().map_err(|_| unknown())?),
                ("acceptance", share) => acceptance = Some(share.parse().map_err(|_| unknown())?),
                ("draft", who) if !who.is_empty() => draft = who.to_string(),
                _ => return Err(unknown()),
            }
        }
        let (drafted, acceptance) = drafted.zip(acceptance).ok_or_else(unknown)?;
        Ok(Drafts { drafted, acceptance, draft })
    }
}

impl Drafts {
    /// Who drafts: `layer`, `lookup`, or the name of a model.
    pub fn drafter(&self) -> &str {
        &self.draft
    }

    /// With the model that drafts, where one does.
    ///
    /// # Errors
    /// A model that the catalogue does not hold, or a file that describes none.
    pub fn resolve(&self, catalogue: &Catalogue) -> Result<Speculation, ModelError> {
        let draft = match self.draft.as_str() {
            "layer" => Draft::Layer,
            "lookup" => Draft::Lookup,
            name => Draft::Model(Box::new(catalogue.model_or_file(name)?)),
        };
        Ok(Speculation { drafted: self.drafted, acceptance: Share(self.acceptance), draft })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_read_as_one_writes_them() {
        let layout: Layout = "attention-data=32, expert=32,redundant-experts=32,overlap".parse().expect("legal");
        let expected = Deployment {
            attention_data: 32,
            expert: 32,
            redundant: 32,
            overlap: true,
            ..Deployment::tensor_parallel(1)
        };
        assert_eq!(layout.0, expected);
        for (text, part) in [("tensor", "`tensor`"), ("tensor=-1", "`tensor=-1`"), ("rank=2", "`rank=2`"), ("", "``")] {
            let error = text.parse::<Layout>().expect_err(text).to_string();
            assert!(error.starts_with(part), "{error}");
        }
    }

    #[test]
    fn drafts_take_a_count_a_probability_and_who() {
        let catalogue = Catalogue::embedded().expect("valid");
        let resolved = |text: &str| text.parse::<Drafts>().expect("legal").resolve(&catalogue);
        let speculation = resolved("tokens=3,acceptance=0.7").expect("known");
        assert_eq!((speculation.drafted, speculation.acceptance.0, speculation.draft), (3, 0.7, Draft::Layer));
        let by_model = resolved("tokens=4,acceptance=0.8,draft=llama-3.1-8b").expect("known");
        assert!(matches!(by_model.draft, Draft::Model(model) if model.id == "llama-3.1-8b"));
        assert!(resolved("tokens=4,acceptance=0.8,draft=lama").expect_err("unknown").to_string().contains("lama"));
        for text in ["tokens=3", "acceptance=0.7", "tokens=x,acceptance=0.7", "3,0.7", "tokens=1,acceptance=1,draft="] {
            let error = text.parse::<Drafts>().expect_err(text).to_string();
            assert!(error.starts_with(&format!("`{text}` says no drafts")), "{error}");
        }
    }
}
