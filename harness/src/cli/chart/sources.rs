//! What figures are drawn from, each read or worked out once, when the first figure wants it.

use super::super::cost::CostArgs;
use super::{ChartArgs, CliError, Name};
use crate::catalogue::Catalogue;
use crate::chart::{self, ChartError, Figure};
use crate::cost;
use crate::deal::{self, Analysis, Model, Options, Scenario, Worked};
use crate::store::{Results, Run, StoreError, read_run};

/// Why there is no figure.
pub(super) enum Refused {
    /// There is nothing to draw, or it cannot be drawn.
    Figure(ChartError),
    /// What it would be drawn from cannot be had.
    Cli(CliError),
}

impl From<ChartError> for Refused {
    fn from(error: ChartError) -> Self {
        Refused::Figure(error)
    }
}

impl From<CliError> for Refused {
    fn from(error: CliError) -> Self {
        Refused::Cli(error)
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Refused::Cli(error.into())
    }
}

/// What figures are drawn from.
pub(super) struct Sources<'a> {
    args: &'a ChartArgs,
    results: &'a Results,
    run: Option<Run>,
    deal: Option<(Scenario, Worked, Analysis)>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(args: &'a ChartArgs, results: &'a Results) -> Self {
        Sources { args, results, run: None, deal: None }
    }

    /// A figure, and the run or scenario that names its file.
    pub(super) fn figure(&mut self, name: Name) -> Result<(Figure, String), Refused> {
        if name.is_of_a_deal() {
            return self.of_deal(name);
        }
        if name.is_of_costs() {
            return self.of_costs(name);
        }
        let (args, results) = (self.args, self.results);
        let run = self.run()?;
        let (header, rows) = (&run.header, &run.rows);
        let figure = match name {
            Name::Roofline => chart::roofline::figure(&chart::roofline::series(header, rows)?),
            Name::Peers => chart::peers::figure(&chart::peers::series(header, rows, args.backend.as_deref())?),
            Name::Bandwidth => chart::bandwidth::figure(&chart::bandwidth::series(header, rows)?),
            Name::Threads => chart::threads::figure(&chart::threads::series(header, rows)?),
            Name::Trend => {
                let runs: Result<Vec<Run>, StoreError> =
                    results.run_files()?.iter().map(|file| read_run(file)).collect();
                chart::trend::figure(&chart::trend::series(&runs?, args.kernel.as_deref())?)
            }
            _ => chart::throughput::figure(&chart::throughput::series(header, rows)?),
        };
        Ok((figure?, header.run.clone()))
    }

    fn run(&mut self) -> Result<&Run, StoreError> {
        if self.run.is_none() {
            self.run = Some(match &self.args.run {
                Some(word) => self.results.run(word)?,
                None => self.results.newest()?,
            });
        }
        Ok(self.run.as_ref().expect("read above"))
    }

    /// Of the run's rows and of the catalogue; of the catalogue alone where there is no run.
    fn of_costs(&mut self, name: Name) -> Result<(Figure, String), Refused> {
        let args = self.args;
        let usage = |error: &dyn std::fmt::Display| CliError::Usage(format!("--cost {:?}: {error}", args.cost));
        let words = shlex::split(&args.cost).ok_or_else(|| usage(&"a quote is not closed"))?;
        let asked = CostArgs::of_words(&words).map_err(|error| usage(&error))?;
        let catalogue = asked.catalogue().map_err(|error| usage(&error))?;
        let run = match self.run() {
            Ok(run) => Some(run),
            Err(StoreError::NoRuns { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let machine = run.map(|run| (&run.header.environment).into());
        let request = asked.request(&catalogue, machine).map_err(|error| usage(&error))?;
        let stem = run.map_or("catalogue".to_string(), |run| run.header.run.clone());
        if name == Name::Pareto {
            return Ok((chart::pareto::figure(&chart::pareto::series(&request, &catalogue)?)?, stem));
        }
        let rows = run.map_or(&[][..], |run| &run.rows);
        let limits = run.map_or(&[][..], |run| &run.header.limits);
        let lines = cost::price(&request, &catalogue, rows, limits).map_err(|error| usage(&error))?;
        let figure = if name == Name::Ties {
            chart::ties::figure(&chart::ties::series(&request, &catalogue, &lines, args.reference.as_deref())?)
        } else {
            chart::cost_stack::figure(&chart::cost_stack::series(&request, &catalogue, &lines)?)
        };
        Ok((figure?, stem))
    }

    fn of_deal(&mut self, name: Name) -> Result<(Figure, String), Refused> {
        if self.deal.is_none() {
            self.deal = Some(worked(self.args)?);
        }
        let (scenario, worked, analysis) = self.deal.as_ref().expect("worked out above");
        let figure = match name {
            Name::DealFlow => chart::deal_flow::figure(&chart::deal_flow::series(scenario, worked, analysis)?),
            Name::Npv => chart::npv::figure(&chart::npv::series(worked, analysis)?),
            Name::Tornado => chart::tornado::figure(&chart::tornado::series(worked, analysis)?),
            _ => chart::mix::figure(&chart::mix::series(scenario, analysis)?),
        };
        Ok((figure?, scenario.id.clone()))
    }
}

fn worked(args: &ChartArgs) -> Result<(Scenario, Worked, Analysis), CliError> {
    let usage = |error: &dyn std::fmt::Display| CliError::Usage(error.to_string());
    let first = || deal::scenarios().first().map_or(String::new(), |(id, _)| id.to_string());
    let name = args.scenario.clone().unwrap_or_else(first);
    let catalogue = Catalogue::embedded().map_err(|error| usage(&error))?;
    let scenario = deal::load(&name, &[]).map_err(|error| usage(&error))?;
    let (model, _) = Model::new(&scenario, &catalogue).map_err(|findings| usage(&format!("{name}: {findings}")))?;
    let options = Options { draws: args.draws as usize, seed: args.seed };
    let worked = Worked::new(model, options);
    let analysis = worked.analysis(&scenario, options);
    Ok((scenario, worked, analysis))
}
