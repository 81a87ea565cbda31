//! `farthing run --dry-run`: the plan and about how long it takes.

use std::collections::HashMap;
use std::io::Write;

use serde_json::json;

use super::super::{CliError, Format};
use super::{Plan, RunArgs};
use crate::machine;
use crate::record::{Environment, Temperature};
use crate::report::{Align, Table, digits, seconds};
use crate::store::{Results, read_run};

/// What a row took in the past, by its name and device.
type Past = HashMap<(String, String), f64>;

/// Prints the plan.
pub(super) fn print(
    args: &RunArgs,
    plan: &Plan<'_>,
    environment: &Environment,
    results: &Results,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let past = past(results, environment)?;
    let columns = [
        ("case", Align::Left),
        ("device", Align::Left),
        ("data", Align::Left),
        ("GFLOP", Align::Right),
        ("memory", Align::Right),
        ("takes", Align::Right),
    ];
    let mut table = Table::new(format!("Plan {}", plan.digest), &columns);
    let (mut total_s, mut unknown, mut lines) = (0.0, 0, String::new());
    for cell in &plan.cells {
        for (id, subject) in cell.ids().into_iter().zip(&cell.group) {
            let device = subject.backend.device().device.clone();
            let took_s = past.get(&(id.clone(), device.clone())).copied();
            total_s += took_s.unwrap_or(args.seconds);
            unknown += usize::from(took_s.is_none());
            let (flops, bytes) = (cell.case.problem().flops(), cell.case.host_bytes());
            let data = if cell.case.temperature() == Temperature::Cold { "cold" } else { "hot" };
            let object = json!({ "case": id, "device": device, "data": data, "flops": flops, "host_bytes": bytes,
                                 "took_s": took_s });
            lines += &format!("{object}\n");
            let memory = format!("{} MB", digits(bytes as f64 / 1e6));
            let takes = took_s.map_or("?".into(), seconds);
            table.row(vec![id, device, data.into(), digits(flops / 1e9), memory, takes]);
        }
    }
    table.note(format!(
        "{} rows in {} cells{}",
        plan.cells.iter().map(|c| c.group.len()).sum::<usize>(),
        plan.cells.len(),
        args.shard.map_or(String::new(), |shard| format!(", shard {shard} of {} rows", plan.ids.len()))
    ));
    table.note(estimate(args, total_s, unknown));
    let text = match args.format {
        Format::Table => table.text(),
        Format::Md => table.markdown(),
        Format::Csv => table.csv(),
        Format::Json => lines,
    };
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

fn estimate(args: &RunArgs, total_s: f64, unknown: usize) -> String {
    let known = match unknown {
        0 => "each by what it took here before".to_owned(),
        n => format!("{n} rows are new here and counted at --seconds {}; checks of large ones add to it", args.seconds),
    };
    let budget = args.budget.filter(|budget| budget.as_secs_f64() < total_s);
    let cut =
        budget.map_or(String::new(), |b| format!("; --budget shortens sampling towards {}", seconds(b.as_secs_f64())));
    format!("about {}: {known}{cut}", seconds(total_s))
}

/// The newest runs of this machine say it best.
fn past(results: &Results, environment: &Environment) -> Result<Past, CliError> {
    let mut past = Past::new();
    for path in results.run_files()? {
        // One that cannot be read says nothing of time, and other commands say what is wrong with it.
        let Ok(run) = read_run(&path) else { continue };
        if machine::fingerprint(&run.header.environment) == machine::fingerprint(environment) {
            let took = run.rows.iter().filter_map(|row| Some(((row.case_id(), row.device.clone()), row.spent_s?)));
            past.extend(took);
        }
    }
    Ok(past)
}
