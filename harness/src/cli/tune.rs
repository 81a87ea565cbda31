//! `farthing tune`: the fastest tiles for cases, kept for runs to come.

use std::io::Write;

use clap::Args;

use super::cases::CaseArgs;
use super::run::{Chosen, fleet, refuse_no_time};
use super::{CliError, Format, Progress, write_tables};
use crate::guests::Guests;
use crate::interrupt::{self, Grace};
use crate::measure::{Lab, Oracle};
use crate::report::{Align, Table, seconds};
use crate::session::{self, Backends, shown};
use crate::store::Results;
use crate::tune::{Trial, fastest, tune};
use crate::tunings::Tunings;
use crate::{limits, machine};

/// Arguments of `farthing tune`. Lists are separated by commas; every combination is a case.
#[derive(Args)]
pub(super) struct TuneArgs {
    #[command(flatten)]
    cases: CaseArgs,
    /// Backends by name, or all [default: the first that is ready]
    #[arg(long, value_delimiter = ',')]
    backend: Vec<String>,
    /// Only devices whose name holds this text
    #[arg(long)]
    device: Option<String>,
    /// Worker threads of host backends [default: all CPUs]
    #[arg(long, value_delimiter = ',')]
    threads: Vec<usize>,
    /// Seconds of launches for a case on a device
    #[arg(long, default_value_t = 2.0, value_name = "S")]
    seconds: f64,
    #[command(flatten)]
    guests: Guests,
    /// Show what is found, and keep nothing
    #[arg(long)]
    dry_run: bool,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
pub(super) fn run(args: &TuneArgs, backends: Backends, results: &Results, out: &mut dyn Write) -> Result<(), CliError> {
    refuse_no_time(args.seconds)?;
    let suite = args.cases.suite(1)?;
    let mut fleet = fleet(backends, &args.threads)?;
    args.guests.join(&mut fleet, results)?;
    let named = if args.backend.is_empty() { &suite.backends } else { &args.backend };
    let chosen = Chosen::new(&fleet, named, args.device.as_deref(), &[])?;
    let subjects = chosen.all();
    interrupt::listen(Grace::Given, || eprintln!("farthing: interrupted"));
    let mut tunings = Tunings::read(results)?;
    let environment = machine::environment();
    let cold_cap_bytes = session::cold_cap_bytes(&environment);
    let header = session::header(environment, limits::Limits::default(), Default::default());
    let oracle = Oracle::new();
    let lab = Lab { header: &header, oracle: &oracle, cold_cap_bytes, tunings: Tunings::default() };
    let progress = Progress::new(suite.cases.len() * subjects.len());
    let (mut tables, mut n_found, mut step) = (Vec::new(), 0, 0);
    let searches = suite.cases.iter().flat_map(|case| subjects.iter().map(move |subject| (case, *subject)));
    for (case, subject) in searches {
        step += 1;
        progress.step(step, &case.id(subject.name, subject.backend.device().threads));
        // What was found before an interrupt is kept; the case that it cut short is not.
        let Some(trials) = tune(&lab, case, subject, args.seconds, &interrupt::asked) else { break };
        tables.push(table(&format!("{case} · {}", subject.backend.device().device), &trials));
        if let Some(best) = fastest(&trials) {
            tunings.take(case, subject, best, trials[0].median_s.clone().ok(), &header.started);
            n_found += 1;
        }
    }
    progress.clear();
    write_tables(&tables, args.format, out)?;
    out.flush()?;
    if n_found > 0 && !args.dry_run {
        eprintln!("farthing: {n_found} tilings kept in {}", shown(&tunings.write(results)?));
    }
    match (interrupt::asked(), n_found) {
        (true, _) => Err(CliError::Interrupted(format!("interrupted after {n_found} tilings"))),
        (false, 0) => Err(CliError::Failed("no tiling of any case could be timed; the tables say why".into())),
        _ => Ok(()),
    }
}

fn table(title: &str, trials: &[Trial]) -> Table {
    let columns = [
        ("tiling", Align::Left),
        ("ran as", Align::Left),
        ("median", Align::Right),
        ("of the fastest", Align::Right),
        ("", Align::Left),
    ];
    let mut table = Table::new(title, &columns);
    let best = fastest(trials);
    let best_s = best.and_then(|t| t.median_s.as_ref().ok());
    for (at, trial) in trials.iter().enumerate() {
        let (time, ratio) = match (&trial.median_s, best_s) {
            (Ok(s), Some(best)) => (seconds(*s), format!("{:.2}", best / s)),
            (Ok(s), None) => (seconds(*s), String::new()),
            (Err(why), _) => (why.lines().next().unwrap_or_default().to_owned(), String::new()),
        };
        let is_best = best.is_some_and(|best| best.tiling == trial.tiling);
        let marks = [(at == 0, "first choice"), (is_best, "fastest")];
        let marks: Vec<&str> = marks.into_iter().filter(|(set, _)| *set).map(|(_, mark)| mark).collect();
        let lowered = trial.lowered.clone().unwrap_or_default();
        table.row(vec![trial.tiling.to_string(), lowered, time, ratio, marks.join(", ")]);
    }
    table.note("median of a launch; those that lie close were sampled in turns");
    table
}
