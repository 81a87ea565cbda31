//! `farthing compare`: what broke, what became slower or faster, and what cannot be told.

use std::io::Write;

use clap::Args;

use super::percent::Percent;
use super::{CliError, Format};
use crate::compare::{Comparison, Verdict, compare, refusals, worst_first};
use crate::report::{Align, Table, change, change_interval, seconds};
use crate::store::{Results, Run, run_name};

mod baseline;

/// Arguments of `farthing compare`: two runs, or one and where the other is found.
#[derive(Args)]
pub(super) struct CompareArgs {
    /// The run before and the run after: names, beginnings of names, or files; the run after alone with --baseline
    #[arg(required = true, num_args = 1..=2, value_name = "RUN")]
    runs: Vec<String>,
    /// Compare with the newest run of the same suite, on this run's machine, of a commit that is on this branch, tag or
    /// commit
    #[arg(long, value_name = "REF")]
    baseline: Option<String>,
    /// Exit with 1 where a case broke, or became slower by more than this many percent
    #[arg(long, value_name = "PCT", num_args = 0..=1, default_missing_value = "2")]
    gate: Option<Percent>,
    /// Compare unlike machines and settings, commits with changes, and other clocks too
    #[arg(long)]
    force: bool,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Change within which two medians count as the same where --gate says nothing else: what two runs of the same binary on
/// a quiet virtual machine differ by.
const TOLERANCE: Percent = Percent::of(2.0);

/// Runs the command.
pub(super) fn run(args: &CompareArgs, results: &Results, out: &mut dyn Write) -> Result<(), CliError> {
    let tolerance = args.gate.unwrap_or(TOLERANCE);
    let (a, b) = args.pair(results)?;
    let refusals = refusals(&a.header, &b.header);
    if !refusals.is_empty() && !args.force {
        let why = refusals.join("; ");
        return Err(CliError::Usage(format!(
            "these runs are not comparable: {why}; --force compares them all the same"
        )));
    }
    let mut comparisons = compare(&a.rows, &b.rows, tolerance.share(), args.force);
    worst_first(&mut comparisons);
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
    let count = |is: fn(&Comparison) -> bool| comparisons.iter().filter(|c| is(c)).count();
    if args.gate.is_some() && count(Comparison::is_worse) > 0 {
        let (broken, slower) = (count(|c| c.broke), count(|c| c.verdict == Verdict::Slower));
        return Err(CliError::Failed(format!("{slower} cases became slower by more than {tolerance}, {broken} broke")));
    }
    Ok(())
}

impl CompareArgs {
    /// The run before and the run after.
    fn pair(&self, results: &Results) -> Result<(Run, Run), CliError> {
        match (&self.runs[..], &self.baseline) {
            ([a, b], None) => Ok((results.run(a)?, results.run(b)?)),
            ([b], Some(reference)) => {
                let b = results.run(b)?;
                Ok((baseline::find(results, &b, reference)?, b))
            }
            ([_], None) => Err(CliError::Usage(
                "one run is compared with nothing; name the run after it too, or --baseline main".into(),
            )),
            _ => Err(CliError::Usage("--baseline finds the run before; name the run after alone".into())),
        }
    }
}

fn table(comparisons: &[Comparison], title: &str) -> Table {
    let columns = [
        ("case", Align::Left),
        ("before", Align::Right),
        ("after", Align::Right),
        ("change", Align::Right),
        ("95 %", Align::Right),
        ("verdict", Align::Left),
    ];
    let mut table = Table::new(title, &columns);
    for c in comparisons {
        let time = |t: Option<f64>| t.map_or("-".into(), seconds);
        let interval = c.interval.map_or("-".into(), change_interval);
        let verdict = if c.noisy { format!("{} ~", c.verdict) } else { c.verdict.to_string() };
        let ratio = c.ratio.map_or("-".into(), change);
        table.row(vec![c.case.clone(), time(c.before_s), time(c.after_s), ratio, interval, verdict]);
    }
    let count = |wanted: fn(&Verdict) -> bool| comparisons.iter().filter(|c| wanted(&c.verdict)).count();
    table.note(format!(
        "{} same, {} faster, {} slower, {} unclear, {} not comparable · change of the median time: below 0 is faster",
        count(|v| *v == Verdict::Same),
        count(|v| *v == Verdict::Faster),
        count(|v| *v == Verdict::Slower),
        count(|v| *v == Verdict::Unclear),
        count(|v| matches!(v, Verdict::NotComparable(_))),
    ));
    if comparisons.iter().any(|c| c.noisy) {
        table.note("~ a row of the two warns of noise; `farthing explain ROW` says which");
    }
    table
}

fn json(comparisons: &[Comparison]) -> Result<String, CliError> {
    let lines: Result<Vec<String>, _> = comparisons.iter().map(serde_json::to_string).collect();
    Ok(lines.map_err(std::io::Error::from)?.into_iter().map(|line| line + "\n").collect())
}
