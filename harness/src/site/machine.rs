//! Pages of machines: what each run was made on, its measured limits, its rows.

use maud::html;
use serde_json::Value;

use super::figures::Figures;
use super::grid::{Cell, Grid};
use super::kernel::ROWS_OF_A_PAGE;
use super::layout::{Frame, Head};
use super::link::{self, clipped, relative};
use super::rows;
use super::source::Source;
use crate::record::Status;
use crate::report::{Align, rate};
use crate::store::{Run, run_name};

/// Path and text of the page that lists runs by machine, newest first.
pub(super) fn index(frame: &Frame, source: &Source) -> (String, String) {
    let path = "machines.html";
    let columns = [
        ("run", Align::Left),
        ("started", Align::Left),
        ("CPU", Align::Left),
        ("devices", Align::Left),
        ("commit", Align::Left),
        ("right", Align::Right),
        ("rows", Align::Right),
    ];
    let mut grid = Grid::new("runs", "Runs, newest first", &columns);
    for run in source.runs.iter().rev() {
        let name = run_name(&run.path);
        let environment = &run.header.environment;
        let right = run.rows.iter().filter(|row| row.status == Status::Ok).count();
        grid.row(vec![
            Cell::text(clipped(&name, 40)).to(&relative(path, &link::of_run(&name))),
            Cell::whole(started(run)),
            Cell::text(format!("{} × {}", environment.cpus, clipped(&environment.cpu, 60))),
            Cell::text(devices(run).join("; ")),
            Cell::whole(commit(run)),
            Cell::number(right as f64, right.to_string()),
            Cell::number(run.rows.len() as f64, run.rows.len().to_string()),
        ]);
    }
    for (name, why) in &source.unread {
        grid.note(format!("{}: unreadable: {}", clipped(name, 60), clipped(why, 300)));
    }
    let body = html! {
        h1 { "Machines" }
        p .lead {
            "A share means something only beside the limit of the machine it was measured on. Each run measures its own \
             limits first, and keeps what was known of the machine."
        }
        (grid.html())
    };
    let head = Head::new(path, "Machines", "Every run, the machine it was made on, and the limits measured there.");
    (path.to_string(), frame.page(&head, &body))
}

/// Devices that rows of a run name, each once.
pub(super) fn devices(run: &Run) -> Vec<String> {
    let mut devices: Vec<String> = Vec::new();
    for row in &run.rows {
        let device = clipped(&row.device, 60);
        if !devices.contains(&device) {
            devices.push(device);
        }
    }
    devices
}

/// When a run began, to the minute, UTC.
pub(super) fn started(run: &Run) -> String {
    run.header.started.chars().take("2026-11-26 07:29".len()).collect::<String>().replace('T', " ")
}

/// The beginning of a run's commit, and whether there were changes on top of it.
pub(super) fn commit(run: &Run) -> String {
    let environment = &run.header.environment;
    let short = environment.commit.as_deref().map_or("none".to_string(), |commit| commit.chars().take(10).collect());
    if environment.dirty == Some(true) { format!("{short} (changed)") } else { short }
}

/// Path and text of the page of a run.
pub(super) fn page(frame: &Frame, run: &Run, figures: &Figures) -> (String, String) {
    let name = run_name(&run.path);
    let path = link::of_run(&name);
    let title = clipped(&name, 60);
    let all = rows::all([run]);
    let shown = &all[..all.len().min(ROWS_OF_A_PAGE)];
    let body = html! {
        h1 { "Run " (title) }
        p .lead { (started(run)) " · " (clipped(&run.header.environment.cpu, 80)) " · commit " (commit(run)) }
        (limits("limits", run, None).html())
        (figures.of_run(&path, run))
        h2 { "Machine" }
        (facts(run).html())
        h2 { "Rows" }
        @if shown.len() < all.len() {
            p { "The first " (shown.len()) " of " (all.len()) " rows; all are in the run's file." }
        }
        (rows::grid("rows", "Rows in the order in which they were measured", &path, shown).html())
    };
    let description = format!("Machine, measured limits and rows of the run {title}.");
    let text = frame.page(&Head::new(&path, &format!("Run {title}"), &description), &body);
    (path, text)
}

/// What is known of the machine and the settings.
fn facts(run: &Run) -> Grid {
    let mut grid = Grid::new("machine", "Machine and settings", &[("", Align::Left), ("", Align::Left)]);
    let mut flat = Vec::new();
    flatten("", &serde_json::to_value(&run.header.environment).unwrap_or_default(), &mut flat);
    flat.extend(run.header.settings.iter().map(|(name, value)| (format!("setting {name}"), value.clone())));
    for (name, value) in flat {
        grid.row(vec![Cell::text(name), Cell::text(value)]);
    }
    grid
}

/// Fields that hold something, those within others by their path.
fn flatten(path: &str, value: &Value, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path} {name}") };
                flatten(&path, value, out);
            }
        }
        Value::Null => {}
        Value::String(text) => out.push((path.to_string(), text.clone())),
        other => out.push((path.to_string(), other.to_string())),
    }
}

/// The limits that a run measured, of one backend's probes or of all.
pub(super) fn limits(id: &str, run: &Run, backend: Option<&str>) -> Grid {
    let columns = [
        ("limit", Align::Left),
        ("rate", Align::Right),
        ("threads", Align::Right),
        ("device", Align::Left),
        ("probed through", Align::Left),
    ];
    let name = clipped(&run_name(&run.path), 40);
    let mut grid = Grid::new(id, format!("Limits measured in run {name}"), &columns);
    let wanted = |name: &str| backend.is_none_or(|backend| backend == name);
    for limit in run.header.limits.iter().filter(|limit| wanted(&limit.backend)) {
        grid.row(vec![
            Cell::text(&limit.limit),
            Cell::number(limit.per_second, rate(limit.per_second, &limit.unit)),
            Cell::number(limit.threads as f64, limit.threads.to_string()),
            Cell::text(clipped(&limit.device, 60)),
            Cell::text(&limit.backend),
        ]);
    }
    grid.note("the best of several tries of each probe; a share is throughput over the limit that bounds the case");
    grid
}
