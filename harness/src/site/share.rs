//! What others show of a site: a badge, and a table for a README.

use super::SiteError;
use super::badge::badge;
use super::kernel::best;
use super::rows::{self, Of};
use crate::report::{Align, Table, case_cell, numbers, percent};
use crate::store::{Run, run_name};

/// The badge of a row, by its id or the beginning of it, or of the row with the best share.
///
/// # Errors
/// There is no such row, or none whose share may be quoted.
pub fn badge_of(runs: &[Run], id: Option<&str>) -> Result<String, SiteError> {
    let all = rows::all(runs);
    let found = match id {
        None => best(all.iter()),
        Some(id) => best(all.iter().filter(|(_, row)| !id.is_empty() && row.id.starts_with(id))),
    };
    let (share, run, row) = found.ok_or_else(|| {
        let which = id.map_or("no row".to_string(), |id| format!("no row `{id}`"));
        SiteError::Render(format!(
            "{which} has a share to quote (measured, right and not above its limit); `farthing results list` names runs, \
             `farthing results show RUN` their rows"
        ))
    })?;
    Ok(badge((run, row), share))
}

/// The best share of each backend, device, kernel and element type, in Markdown.
pub fn markdown(runs: &[Run]) -> String {
    let columns = [
        ("kernel", Align::Left),
        ("dtype", Align::Left),
        ("backend", Align::Left),
        ("device", Align::Left),
        ("best share", Align::Right),
        ("of limit", Align::Left),
        ("rate", Align::Right),
        ("case", Align::Left),
        ("row", Align::Left),
    ];
    let mut table = Table::new("Closest to the limit measured in the same run", &columns);
    for (share, (run, row)) in bests(&rows::all(runs)) {
        let [_, _, _, _, rate, _, limit, _] = numbers(row);
        let cells =
            [row.op.clone(), row.dtype.to_string(), row.backend.clone(), row.device.clone(), percent(share), limit];
        let cells = cells.into_iter().chain([rate, case_cell(row), format!("{}/{}", run_name(&run.path), row.id)]);
        table.row(cells.map(|cell| super::link::clipped(&cell, 60)).collect());
    }
    table.note("measured rows alone; rows above their limit are left out");
    table.markdown()
}

fn bests<'a>(all: &[Of<'a>]) -> Vec<(f64, Of<'a>)> {
    let mut bests: Vec<(f64, Of<'a>)> = Vec::new();
    for (run, row) in all {
        let Some(share) = row.quotable_share() else { continue };
        let key = (&row.op, row.dtype, &row.backend, &row.device);
        let known =
            |(_, (_, known)): &&mut (f64, Of<'a>)| (&known.op, known.dtype, &known.backend, &known.device) == key;
        match bests.iter_mut().find(known) {
            Some(best) if best.0 < share => *best = (share, (*run, *row)),
            Some(_) => {}
            None => bests.push((share, (*run, *row))),
        }
    }
    bests
}
