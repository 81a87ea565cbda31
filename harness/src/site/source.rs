//! Everything a site is made from: runs, catalogue, deals.

use std::path::Path;

use rayon::prelude::*;

use super::priced::{self, Priced};
use crate::catalogue::Catalogue;
use crate::cost::CostError;
use crate::deal::{self, Analysis, Backtest, LoadError, Model, Options, Scenario, Worked};
use crate::store::{Results, Run, StoreError, read_run, run_name};

/// What pages are made from.
pub struct Source {
    /// Runs, oldest first.
    pub runs: Vec<Run>,
    /// Names of run files that cannot be read, each with the reason.
    pub unread: Vec<(String, String)>,
    /// Figures that were not measured here.
    pub catalogue: Catalogue,
    /// Costs of tokens.
    pub priced: Vec<Priced>,
    /// The shipped deals, answered.
    pub deals: Vec<Deal>,
    /// What the talks of December said against what February brought.
    pub backtest: Option<Backtest>,
}

/// How deals are drawn where nothing else is said.
pub const DRAWN: Options = Options { draws: 20_000, seed: 1 };

/// A deal and its answers.
pub struct Deal {
    /// As its file states it.
    pub scenario: Scenario,
    /// What the answers are made from.
    pub worked: Worked,
    /// The answers.
    pub analysis: Analysis,
}

/// Why there is nothing to publish.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A row cannot be read as a shape to price.
    #[error(transparent)]
    Cost(#[from] CostError),
    /// A shipped scenario is broken.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A shipped scenario does not pass its check.
    #[error("{id}: {findings}")]
    Scenario {
        /// Its id.
        id: String,
        /// What is wrong with it.
        findings: String,
    },
}

/// The runs of a results folder.
pub struct Runs {
    /// Those that can be read, oldest first.
    pub runs: Vec<Run>,
    /// Names of those that cannot, each with the reason: one bad file does not hide the others.
    pub unread: Vec<(String, String)>,
}

impl Runs {
    /// Reads a results folder.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn read(results: &Results) -> Result<Runs, StoreError> {
        let (mut runs, mut unread) = (Vec::new(), Vec::new());
        for path in results.run_files()? {
            match read_run(&path) {
                Ok(run) => runs.push(run),
                Err(error) => unread.push((run_name(&path), told(&error.to_string(), &path))),
            }
        }
        Ok(Runs { runs, unread })
    }
}

impl Source {
    /// Prices tokens from the runs and answers the deals, drawn as the options say.
    ///
    /// # Errors
    /// A row cannot be priced, or a shipped scenario is broken.
    pub fn new(runs: Runs, catalogue: Catalogue, options: Options) -> Result<Source, SourceError> {
        let Runs { runs, unread } = runs;
        let priced = priced::priced(&runs, &catalogue)?;
        let deals = deals(&catalogue, options)?;
        let backtest = backtest(&deals, &catalogue);
        Ok(Source { runs, unread, catalogue, priced, deals, backtest })
    }
}

/// A reason without the place on the disk of whoever publishes.
fn told(error: &str, path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    error.replace(&path.display().to_string(), &name)
}

fn deals(catalogue: &Catalogue, options: Options) -> Result<Vec<Deal>, SourceError> {
    let one = |id: &str| {
        let scenario = deal::load(id, &[])?;
        let (model, _) = Model::new(&scenario, catalogue)
            .map_err(|findings| SourceError::Scenario { id: id.to_string(), findings: findings.to_string() })?;
        let worked = Worked::new(model, options);
        let analysis = worked.analysis(&scenario, options);
        Ok(Deal { scenario, worked, analysis })
    };
    deal::scenarios().par_iter().map(|(id, _)| one(id)).collect()
}

fn backtest(deals: &[Deal], catalogue: &Catalogue) -> Option<Backtest> {
    let (talks, outcome) = deal::TALKS_AND_OUTCOME;
    let of = |id: &str| {
        let scenario = &deals.iter().find(|deal| deal.scenario.id == id)?.scenario;
        Some((scenario, Model::new(scenario, catalogue).ok()?.0))
    };
    let ((believed, prior), (came, realised)) = (of(talks)?, of(outcome)?);
    deal::backtest((believed, &prior), (came, &realised)).ok()
}
