//! The page of the catalogue: what was not measured here, each figure with its source.

use maud::html;

use super::grid::{Cell, Grid};
use super::kind;
use super::layout::{Frame, Head};
use super::link::slug;
use crate::catalogue::{Catalogue, Listing};
use crate::report::Align;
use crate::units::Provenance;

/// Path and text of the page.
pub(super) fn page(frame: &Frame, catalogue: &Catalogue) -> (String, String) {
    let path = "catalogue.html";
    let body = html! {
        h1 { "Catalogue" }
        p .lead {
            "Chips, prices, models and CPU instances as others state them. Each figure has its unit, source, date and kind; \
             costs name the weakest kind that they rest on."
        }
        p .small {
            "Entries: "
            @for listing in catalogue.listings() { a href={ "#" (slug(&listing.id)) } { (listing.id) } " " }
        }
        @for listing in catalogue.listings() { section { (grid(&listing).html()) } }
    };
    let head =
        Head::new(path, "Catalogue", "Published figures of chips, prices and models, each with source and date.");
    (path.to_string(), frame.page(&head, &body))
}

fn grid(listing: &Listing) -> Grid {
    let columns = [
        ("figure", Align::Left),
        ("value", Align::Right),
        ("unit", Align::Left),
        ("kind", Align::Left),
        ("date", Align::Left),
        ("source", Align::Left),
    ];
    let mut grid = Grid::new(slug(&listing.id), format!("{} · {}", listing.id, listing.title), &columns).as_listed();
    for [_, figure, value, unit, kind, date, id, title] in &listing.rows {
        let mark = match Provenance::ALL.into_iter().find(|known| known.to_string() == *kind) {
            Some(known) => Cell::markup(kind::of_figure(known)),
            None => Cell::text(kind),
        };
        let source = if title.is_empty() { id } else { title };
        grid.row(vec![
            Cell::text(figure),
            Cell::text(value),
            Cell::text(unit),
            mark,
            Cell::whole(date),
            Cell::text(source),
        ]);
    }
    listing.notes.iter().for_each(|note| grid.note(note));
    grid
}
