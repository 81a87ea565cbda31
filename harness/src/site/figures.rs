//! Figures on pages: the drawing within the page, its words, its data as a table, its file to download.

use std::collections::BTreeMap;

use maud::{Markup, PreEscaped, html};

use super::data::Download;
use super::grid::Grid;
use super::link::{relative, slug};
use super::source::{Deal, Source};
use super::{SiteError, backend, rows};
use crate::chart::{ChartError, Figure, throughput};
use crate::record::{Kind, Row, RunHeader};
use crate::store::{Run, run_name};

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
        let what = format!("Figure: {}", self.figure.title);
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
                div .plot role="group" aria-label=(self.figure.title) tabindex="0" { (PreEscaped(&self.figure.svg)) }
                figcaption {
                    (self.figure.alt) " "
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
    costs: Vec<Drawn>,
    deals: BTreeMap<String, Vec<Drawn>>,
}

impl Figures {
    /// Draws them all.
    ///
    /// # Errors
    /// The drawing library refused.
    pub(super) fn draw(source: &Source) -> Result<Figures, SiteError> {
        let named = |run: &Run| {
            Ok::<_, SiteError>((run_name(&run.path), of_run(&run_name(&run.path), &run.header, &run.rows)?))
        };
        Ok(Figures {
            runs: source.runs.iter().map(named).collect::<Result<_, _>>()?,
            backends: of_backends(source)?,
            costs: of_costs(source)?,
            deals: source
                .deals
                .iter()
                .map(|deal| Ok::<_, SiteError>((deal.scenario.id.clone(), of_deal(deal)?)))
                .collect::<Result<_, _>>()?,
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

    /// What costs show.
    pub(super) fn of_costs(&self, page: &str) -> Markup {
        html(page, &self.costs)
    }

    /// One figure of costs.
    pub(super) fn of_cost(&self, page: &str, name: &str) -> Markup {
        html(page, self.costs.iter().filter(|drawn| drawn.figure.name == name).take(1))
    }

    /// What a deal shows.
    pub(super) fn of_deal(&self, page: &str, id: &str) -> Markup {
        html(page, self.deals.get(id).into_iter().flatten())
    }

    /// Their files.
    pub(super) fn downloads(&self) -> Vec<Download> {
        let groups = [&self.runs, &self.backends, &self.deals].into_iter().flat_map(BTreeMap::values).flatten();
        groups.chain(&self.costs).map(Drawn::download).collect()
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
    let throughput = throughput::series(header, rows).and_then(|chart| throughput::figure(&chart));
    drawn(of, vec![throughput])
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

fn of_costs(_source: &Source) -> Result<Vec<Drawn>, SiteError> {
    drawn("costs", Vec::new())
}

fn of_deal(deal: &Deal) -> Result<Vec<Drawn>, SiteError> {
    drawn(&deal.scenario.id, Vec::new())
}
