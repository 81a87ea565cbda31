//! `farthing compare`: what became faster, what slower, and what cannot be told.

use std::io::Write;

use clap::Args;

use super::{CliError, Format};
use crate::compare::{Comparison, Verdict, compare, refusals};
use crate::report::{Align, Table, digits, percent, seconds};
use crate::store::{Results, run_name};

/// Arguments of `farthing compare`.
#[derive(Args)]
pub(super) struct CompareArgs {
    /// The run before: a name, the beginning of one, or a file
    a: String,
    /// The run after
    b: String,
    /// Exit with 1 where a case became slower by more than this many percent
    #[arg(long, value_name = "PCT", num_args = 0..=1, default_missing_value = "2")]
    gate: Option<f64>,
    /// Compare unlike machines, commits with changes, and other clocks too
    #[arg(long)]
    force: bool,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Change within which two medians count as the same, in percent, where --gate says nothing else: what two runs of the
/// same binary on a quiet virtual machine differ by.
const TOLERANCE_PERCENT: f64 = 2.0;

/// Runs the command.
pub(super) fn run(args: &CompareArgs, results: &Results, out: &mut dyn Write) -> Result<(), CliError> {
    let tolerance = args.gate.unwrap_or(TOLERANCE_PERCENT);
    if !(tolerance.is_finite() && tolerance >= 0.0) {
        return Err(CliError::Usage(format!("--gate {tolerance} is no percentage; give 0 or more")));
    }
    let (a, b) = (results.run(&args.a)?, results.run(&args.b)?);
    let refusals = refusals(&a.header, &b.header);
    if !refusals.is_empty() && !args.force {
        let why = refusals.join("; ");
        return Err(CliError::Usage(format!(
            "these runs are not comparable: {why}; --force compares them all the same"
        )));
    }
    let comparisons = compare(&a.rows, &b.rows, tolerance / 100.0, args.force);
    let mut table = table(&comparisons, &format!("{} → {}", run_name(&a.path), run_name(&b.path)));
    refusals.iter().for_each(|why| table.note(format!("forced: {why}")));
    let text = match args.format {
        Format::Table => table.text(),
        Format::Md => table.markdown(),
        Format::Csv => table.csv(),
        Format::Json => json(&comparisons)?,
    };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    let slower = comparisons.iter().filter(|c| c.verdict == Verdict::Slower).count();
    if args.gate.is_some() && slower > 0 {
        return Err(CliError::Failed(format!("{slower} cases became slower by more than {tolerance} %")));
    }
    Ok(())
}

fn table(comparisons: &[Comparison], title: &str) -> Table {
    let columns = [
        ("case", Align::Left),
        ("before", Align::Right),
        ("after", Align::Right),
        ("after / before", Align::Right),
        ("95 %", Align::Right),
        ("verdict", Align::Left),
    ];
    let mut table = Table::new(title, &columns);
    for c in comparisons {
        let time = |t: Option<f64>| t.map_or("-".into(), seconds);
        let interval = c.interval.map_or("-".into(), |[low, high]| format!("{} … {}", digits(low), digits(high)));
        let ratio = c.ratio.map_or("-".into(), digits);
        table.row(vec![c.case.clone(), time(c.before_s), time(c.after_s), ratio, interval, c.verdict.to_string()]);
    }
    let count = |wanted: fn(&Verdict) -> bool| comparisons.iter().filter(|c| wanted(&c.verdict)).count();
    table.note(format!(
        "{} same, {} faster, {} slower, {} unclear, {} not comparable · ratio of medians of time: below 1 is faster",
        count(|v| *v == Verdict::Same),
        count(|v| *v == Verdict::Faster),
        count(|v| *v == Verdict::Slower),
        count(|v| *v == Verdict::Unclear),
        count(|v| matches!(v, Verdict::NotComparable(_))),
    ));
    if let Some(worst) =
        comparisons.iter().filter(|c| c.verdict == Verdict::Slower).filter_map(|c| c.ratio).max_by(f64::total_cmp)
    {
        table.note(format!("the worst became slower by {}", percent(worst - 1.0)));
    }
    table
}

fn json(comparisons: &[Comparison]) -> Result<String, CliError> {
    let lines: Result<Vec<String>, _> = comparisons.iter().map(serde_json::to_string).collect();
    Ok(lines.map_err(std::io::Error::from)?.into_iter().map(|line| line + "\n").collect())
}
