//! Figures on pages: the drawing within the page, its words, its data as a table, its file to download.

use std::collections::BTreeMap;

use maud::{Markup, PreEscaped, html};
use rayon::prelude::*;

use super::data::Download;
use super::grid::Grid;
use super::link::{clipped, relative, slug};
use super::source::{Deal, Source};
use super::{Priced, SiteError, backend, kernel, rows};
use crate::chart::{
    ChartError, Figure, bandwidth, cost_stack, deal_flow, mix, npv, pareto, peers, roofline, threads, throughput, ties,
    tornado, trend,
};
use crate::cost::CostLine;
use crate::record::{Kind, Row, RunHeader};
use crate::store::{Run, run_name};

/// Letters of a figure's words that a page shows: names of devices come from outside.
const MOST_LETTERS: usize = 1200;

/// A figure and what it is of: one name of a figure stands on many pages.
pub(super) struct Drawn {
    /// A run, a model or a deal, as a slug.
    of: String,
    figure: Figure,
}

impl Drawn {
    /// Where its file lies.
    fn path(&self) -> String {
        format!("figures/{}-{}.svg", self.of, self.figure.name)
    }

    fn download(&self) -> Download {
        let what = format!("Figure: {}", clipped(&self.figure.title, 200));
        Download::new(self.path(), what, "image/svg+xml", self.figure.svg.clone().into_bytes())
    }

    /// How much it shows.
    fn marks(&self) -> usize {
        self.figure.table.rows().len()
    }

    fn html(&self, page: &str) -> Markup {
        let id = format!("{}-{}", self.figure.name, self.of);
        html! {
            figure #{ "figure-" (id) } {
                div .plot role="group" aria-label=(clipped(&self.figure.title, 200)) tabindex="0" { (PreEscaped(&self.figure.svg)) }
                figcaption {
                    (clipped(&self.figure.alt, MOST_LETTERS)) " "
                    a href=(relative(page, &self.path())) download { "SVG" }
                }
                details {
                    summary { "Data of this figure" }
                    (Grid::of(format!("data-{id}"), &self.figure.table).html())
                }
            }
        }
    }
}

/// Every figure of a site, by what it is of.
pub(super) struct Figures {
    runs: BTreeMap<String, Vec<Drawn>>,
    backends: BTreeMap<String, Vec<Drawn>>,
    kernels: BTreeMap<String, Vec<Drawn>>,
    costs: BTreeMap<String, Vec<Drawn>>,
    deals: BTreeMap<String, Vec<Drawn>>,
}

impl Figures {
    /// Draws them all.
    ///
    /// # Errors
    /// The drawing library refused.
    pub(super) fn draw(source: &Source) -> Result<Figures, SiteError> {
        let of_run = |run: &Run| {
            let name = run_name(&run.path);
            of_run(&name, &run.header, &run.rows).map(|drawn| (name, drawn))
        };
        let of_deal = |deal: &Deal| of_deal(deal).map(|drawn| (deal.scenario.id.clone(), drawn));
        let all = rows::all(&source.runs);
        let of_kernel = |op: &str| of_kernel(source, op).map(|drawn| (op.to_string(), drawn));
        Ok(Figures {
            runs: source.runs.par_iter().map(of_run).collect::<Result<_, _>>()?,
            backends: of_backends(source)?,
            kernels: kernel::ops(&all).into_iter().map(of_kernel).collect::<Result<_, _>>()?,
            costs: of_costs(source)?,
            deals: source.deals.par_iter().map(of_deal).collect::<Result<_, _>>()?,
        })
    }

    /// What a run shows.
    pub(super) fn of_run(&self, page: &str, run: &Run) -> Markup {
        html(page, self.runs.get(&run_name(&run.path)).into_iter().flatten())
    }

    /// One figure for each device that was measured, of the run that has most to show in it.
    pub(super) fn of_devices(&self, page: &str, source: &Source, name: &str) -> Markup {
        let mut chosen: Vec<(&str, &Drawn)> = Vec::new();
        for run in source.runs.iter().rev() {
            let Some(row) = run.rows.iter().find(|row| row.kind == Kind::Measured) else { continue };
            let own = self.runs.get(&run_name(&run.path)).into_iter().flatten();
            let Some(drawn) = own.into_iter().find(|drawn| drawn.figure.name == name) else { continue };
            match chosen.iter_mut().find(|(device, _)| *device == row.device) {
                Some((_, known)) if known.marks() < drawn.marks() => *known = drawn,
                Some(_) => {}
                None => chosen.push((&row.device, drawn)),
            }
        }
        html(page, chosen.into_iter().map(|(_, drawn)| drawn))
    }

    /// What a backend shows.
    pub(super) fn of_backend(&self, page: &str, backend: &str) -> Markup {
        html(page, self.backends.get(backend).into_iter().flatten())
    }

    /// What a kernel shows.
    pub(super) fn of_kernel(&self, page: &str, op: &str) -> Markup {
        html(page, self.kernels.get(op).into_iter().flatten())
    }

    /// What the costs of a model show.
    pub(super) fn of_costs(&self, page: &str, model: &str) -> Markup {
        html(page, self.costs.get(model).into_iter().flatten())
    }

    /// One figure of the costs of a model.
    pub(super) fn of_cost(&self, page: &str, model: &str, name: &str) -> Markup {
        html(page, self.costs.get(model).into_iter().flatten().filter(|drawn| drawn.figure.name == name))
    }

    /// What a deal shows.
    pub(super) fn of_deal(&self, page: &str, id: &str) -> Markup {
        html(page, self.deals.get(id).into_iter().flatten())
    }

    /// Their files.
    pub(super) fn downloads(&self) -> Vec<Download> {
        let groups = [&self.runs, &self.backends, &self.kernels, &self.costs, &self.deals];
        groups.into_iter().flat_map(BTreeMap::values).flatten().map(Drawn::download).collect()
    }
}

/// Figures one below the other.
fn html<'a>(page: &str, figures: impl IntoIterator<Item = &'a Drawn>) -> Markup {
    html! { @for drawn in figures { (drawn.html(page)) } }
}

/// Those that can be drawn; a figure of which there is no data is left out.
fn drawn(of: &str, figures: Vec<Result<Figure, ChartError>>) -> Result<Vec<Drawn>, SiteError> {
    let of = slug(of);
    let mut all = Vec::new();
    for figure in figures {
        match figure {
            Ok(figure) => all.push(Drawn { of: of.clone(), figure }),
            Err(ChartError::Empty(_)) => {}
            Err(error) => return Err(SiteError::Render(error.to_string())),
        }
    }
    Ok(all)
}

fn of_run(of: &str, header: &RunHeader, rows: &[Row]) -> Result<Vec<Drawn>, SiteError> {
    drawn(
        of,
        vec![
            throughput::series(header, rows).and_then(|chart| throughput::figure(&chart)),
            roofline::series(header, rows).and_then(|chart| roofline::figure(&chart)),
            bandwidth::series(header, rows).and_then(|chart| bandwidth::figure(&chart)),
            threads::series(header, rows).and_then(|chart| threads::figure(&chart)),
            peers::series(header, rows, None).and_then(|chart| peers::figure(&chart)),
        ],
    )
}

/// Each backend in the run that has most of its rows, apart from the others of that run.
fn of_backends(source: &Source) -> Result<BTreeMap<String, Vec<Drawn>>, SiteError> {
    let all = rows::all(&source.runs);
    let mut of_backends = BTreeMap::new();
    for backend in backend::names(&all) {
        let own = |run: &&Run| run.rows.iter().filter(|row| row.backend == backend).count();
        let Some(run) = source.runs.iter().max_by_key(own) else { continue };
        let rows: Vec<Row> = run.rows.iter().filter(|row| row.backend == backend).cloned().collect();
        let figures = of_run(&format!("{backend} in {}", run_name(&run.path)), &run.header, &rows)?;
        of_backends.insert(backend.to_string(), figures);
    }
    Ok(of_backends)
}

/// Each model's costs by cause, its users' speed against them, and the prices at which chips tie.
fn of_costs(source: &Source) -> Result<BTreeMap<String, Vec<Drawn>>, SiteError> {
    let of_model = |priced: &Priced| {
        let (request, catalogue) = (&priced.request, &source.catalogue);
        let lines: Vec<CostLine> = priced.lines.iter().map(|(_, line)| line.clone()).collect();
        let figures = vec![
            cost_stack::series(request, catalogue, &lines).and_then(|chart| cost_stack::figure(&chart)),
            pareto::series(request, catalogue).and_then(|chart| pareto::figure(&chart)),
            ties::series(request, catalogue, &lines, None).and_then(|chart| ties::figure(&chart)),
        ];
        Ok((priced.model().to_string(), drawn(priced.model(), figures)?))
    };
    source.priced.par_iter().map(of_model).collect()
}

fn of_deal(deal: &Deal) -> Result<Vec<Drawn>, SiteError> {
    let Deal { scenario, worked, analysis } = deal;
    drawn(
        &scenario.id,
        vec![
            deal_flow::series(scenario, worked, analysis).and_then(|chart| deal_flow::figure(&chart)),
            npv::series(worked, analysis).and_then(|chart| npv::figure(&chart)),
            tornado::series(worked, analysis).and_then(|chart| tornado::figure(&chart)),
            mix::series(scenario, analysis).and_then(|chart| mix::figure(&chart)),
        ],
    )
}

/// The medians of one kernel over all runs.
fn of_kernel(source: &Source, op: &str) -> Result<Vec<Drawn>, SiteError> {
    let name = trend::kernels(&source.runs).into_iter().find(|kernel| kernel.starts_with(op));
    let trend = name.map(|name| trend::series(&source.runs, Some(&name)).and_then(|chart| trend::figure(&chart)));
    drawn(op, trend.into_iter().collect())
}
