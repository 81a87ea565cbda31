//! `farthing run`: checks and times cases, and prints or keeps their rows.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::cases::CaseArgs;
use super::{CliError, Format, Progress};
use crate::guests::{APART, Guests};
use crate::interrupt::{self, Grace};
use crate::manifest::{self, Manifest};
use crate::measure::sampler::{HostClock, LEAST_VISITS};
use crate::session::{self, Backends, Fleet};
use crate::shard::Shard;
use crate::store::Results;
use crate::suite::Suite;
use crate::tunings::Tunings;
use crate::{limits, machine};

mod choose;
mod dry_run;
mod isolated;
mod keep;
mod ongoing;
mod plan;

use choose::ALL;
pub(super) use choose::{Chosen, fleet, refuse_no_time, refuse_threads};
use isolated::isolated;
use keep::Kept;
use ongoing::Session;
use plan::{Cell, Plan};

/// Arguments of `farthing run`. Lists are separated by commas; every combination is a case.
#[derive(Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    cases: CaseArgs,
    /// Backends by name, or all [default: those of --worker and --replay, else the first that is ready]
    #[arg(long, value_delimiter = ',')]
    backend: Vec<String>,
    #[command(flatten)]
    guests: Guests,
    /// Run each backend of ours in a process of its own, with --deadline: one that hangs, aborts or crashes costs its rows
    #[arg(long, group = APART)]
    isolate: bool,
    /// Only devices whose name holds this text
    #[arg(long)]
    device: Option<String>,
    /// Worker threads of host backends, such as 1,2: each count gives rows of its own [default: all CPUs]
    #[arg(long, value_delimiter = ',')]
    threads: Vec<usize>,
    /// Backends to take turns with on the same device, sample by sample; their ratio is printed. all: every one that is ready
    /// there and takes the case, yardsticks aside
    #[arg(long, value_delimiter = ',')]
    vs: Vec<String>,
    /// Most seconds spent on timing a case on a backend
    #[arg(long, default_value_t = 2.0, value_name = "S")]
    seconds: f64,
    /// Time for the whole run, such as 90s, 5m or 1h: sampling is shortened to end about then, checks are not, and rows say
    /// where that left a median badly known
    #[arg(long, value_name = "TIME", value_parser = duration)]
    budget: Option<Duration>,
    /// The backends' own first choice of tiles, whatever `farthing tune` found
    #[arg(long)]
    no_tune: bool,
    /// Only cases whose whole name matches, such as 'matmul/*/bf16/*'; with ! in front, only those whose name does not
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// Words from a plan of `farthing plan`, in place of all that says what is measured and how
    #[arg(long, value_name = "FILE", requires = "shard", conflicts_with_all = [
        "op", "shape", "dtype", "out_dtype", "b", "mask", "kv", "page", "batch", "suite", "backend", "worker", "replay", "isolate", "deadline", "device", "threads",
        "vs", "seconds", "budget", "no_tune", "only", "save",
    ])]
    plan: Option<PathBuf>,
    /// Only this part of the cases, such as 1/4: all parts together are the whole
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Show what would run and how long it would take, and measure nothing
    #[arg(long)]
    dry_run: bool,
    /// How rows are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Keep the run in this file, which must not exist
    #[arg(long, value_name = "FILE", conflicts_with = "save")]
    out: Option<PathBuf>,
    /// Keep the run in the results folder
    #[arg(long)]
    save: bool,
    /// Continue a run that was killed or interrupted, and measure what it lacks: the one in --out FILE, the one named, or
    /// the newest with the same cases on this machine by this build; begin anew where there is none
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "", conflicts_with = "save")]
    resume: Option<String>,
}

/// Runs the command.
pub(super) fn run(args: &RunArgs, backends: Backends, results: &Results, out: &mut dyn Write) -> Result<(), CliError> {
    match args.of_plan()? {
        Some(args) => run_named(&args, &args.backend, backends, results, out),
        None => run_named(args, &args.backend, backends, results, out),
    }
}

/// What a run of these words does: the digest of its plan and what its rows are called.
pub(super) fn planned(
    words: &[String],
    backends: Backends,
    results: &Results,
) -> Result<(String, Vec<String>), CliError> {
    let args = RunArgs::of_words(words)?;
    if args.shard.is_some() || args.out.is_some() || args.save || args.resume.is_some() || args.plan.is_some() {
        let why = "--plan, --shard, --out, --save and --resume are said where a shard runs, not in the plan";
        return Err(CliError::Usage(why.into()));
    }
    let asked = args.asked()?;
    let (fleet, names) = args.fleet(&args.backend, &asked, backends, results)?;
    let chosen = Chosen::new(&fleet, &names, args.device.as_deref(), &args.vs)?;
    let plan = Plan::new(&asked.cases, &chosen, &args.only, None)?;
    Ok((plan.digest, plan.ids))
}

/// Runs the command on one backend where the words name none.
pub(super) fn run_on(
    args: &RunArgs,
    backend: &str,
    backends: Backends,
    results: &Results,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let one = [backend.to_owned()];
    run_named(args, if args.backend.is_empty() { &one } else { &args.backend }, backends, results, out)
}

fn run_named(
    args: &RunArgs,
    names: &[String],
    backends: Backends,
    results: &Results,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let started = HostClock::start();
    let asked = args.asked()?;
    refuse_no_time(args.seconds)?;
    let (fleet, names) = args.fleet(names, &asked, backends, results)?;
    let chosen = Chosen::new(&fleet, &names, args.device.as_deref(), &args.vs)?;
    let plan = Plan::new(&asked.cases, &chosen, &args.only, args.shard)?;
    args.refuse_another_plan(&plan)?;
    let environment = machine::environment();
    if args.dry_run {
        return dry_run::print(args, &plan, &environment, results, out);
    }
    // Before anything is measured: what cannot be read, or a folder that cannot be written, must not cost a run.
    let tunings = if args.no_tune { Tunings::default() } else { Tunings::read(results)? };
    let header = session::header(environment, limits::Limits::default(), args.settings(&chosen, &plan));
    let mut kept = Kept::open(args, results, header)?;
    let resort = kept.writer.clone();
    interrupt::listen(Grace::Given, move || eprintln!("farthing: {}", resort.finish_interrupted()));
    let progress = Progress::new(plan.cells.len() * LEAST_VISITS);
    if !kept.is_begun {
        progress.step(0, "measuring the limits of this machine");
        let limits = fleet.limits(&chosen.all());
        progress.clear();
        limits.warnings.iter().for_each(|w| eprintln!("farthing: {w}"));
        kept.header.limits = limits.measured;
        kept.writer.header(&kept.header).inspect_err(|_| {
            // Whoever listens for Ctrl-C holds the file too: without a row, ending it takes it away.
            let _ = kept.writer.finish();
        })?;
    } else {
        eprintln!("farthing: run {}: {} rows are there already", kept.header.run, kept.earlier.len());
    }
    let mut session =
        Session { args, kept: &kept, peers: chosen.peers, progress, rows: Vec::new(), done: 0, out, started, tunings };
    let outcome = session.measure(&plan);
    session.conclude(outcome, results)
}

/// `90s`, `5m`, `1h 30m`.
fn duration(word: &str) -> Result<Duration, String> {
    let parsed = word.parse::<jiff::SignedDuration>().ok().and_then(|d| Duration::try_from(d).ok());
    let positive = parsed.filter(|d| !d.is_zero());
    positive.ok_or_else(|| "no time above 0; write 90s, 5m or 1h".to_owned())
}

/// The words of a plan, parsed as a command line.
#[derive(clap::Parser)]
#[command(name = "farthing run", no_binary_name = true)]
struct PlanWords {
    #[command(flatten)]
    run: RunArgs,
}

impl RunArgs {
    fn of_words(words: &[String]) -> Result<RunArgs, CliError> {
        let parsed = <PlanWords as clap::Parser>::try_parse_from(words);
        parsed.map(|words| words.run).map_err(|error| CliError::Usage(error.to_string().trim_end().to_owned()))
    }

    /// With the words of its plan, where it names one; where rows go stays as it is.
    fn of_plan(&self) -> Result<Option<RunArgs>, CliError> {
        let (Some(path), Some(shard)) = (&self.plan, self.shard) else { return Ok(None) };
        let manifest = Manifest::read(path)?;
        if shard.count() != manifest.shards {
            let why = format!("--shard {shard}: the plan {} has {} shards", path.display(), manifest.shards);
            return Err(CliError::Usage(why));
        }
        let words = RunArgs::of_words(&manifest.words)?;
        Ok(Some(RunArgs {
            plan: self.plan.clone(),
            shard: self.shard,
            out: self.out.clone(),
            resume: self.resume.clone(),
            dry_run: self.dry_run,
            format: self.format,
            ..words
        }))
    }

    /// Where a plan was named, what is here must be it: other backends or thread counts make other cases.
    fn refuse_another_plan(&self, plan: &Plan<'_>) -> Result<(), CliError> {
        let Some(path) = &self.plan else { return Ok(()) };
        let manifest = Manifest::read(path)?;
        if manifest.digest == plan.digest {
            return Ok(());
        }
        let differs = plan.ids.iter().find(|id| !manifest.cases.contains(id));
        let differs = differs.or_else(|| manifest.cases.iter().find(|id| !plan.ids.contains(id)));
        Err(CliError::Usage(format!(
            "{} was made where other cases come of its words ({} is on one side alone): name --backend and --threads in \
             the plan",
            path.display(),
            differs.map_or("their order", String::as_str)
        )))
    }

    /// All backends, and the names of those to run: those that the words name, or else what the user brought, or else what
    /// the suite is for.
    fn fleet(
        &self,
        names: &[String],
        asked: &Suite,
        backends: Backends,
        results: &Results,
    ) -> Result<(Fleet, Vec<String>), CliError> {
        let mut fleet = if self.isolate {
            let of_suite = if self.guests.is_empty() { &asked.backends[..] } else { &[] };
            isolated(self, if names.is_empty() { of_suite } else { names }, &asked.threads, backends)?
        } else {
            fleet(backends, &asked.threads)?
        };
        let guests = self.guests.join(&mut fleet, results)?;
        let names = [names, &guests, &asked.backends].into_iter().find(|names| !names.is_empty());
        Ok((fleet, names.unwrap_or_default().to_vec()))
    }

    fn asked(&self) -> Result<Suite, CliError> {
        let suite = self.cases.suite(1)?;
        let threads = if self.threads.is_empty() { suite.threads } else { self.threads.clone() };
        Ok(Suite { threads, ..suite })
    }

    /// Whether every backend beside is a peer.
    fn vs_all(&self) -> bool {
        self.vs.iter().any(|name| name == ALL)
    }

    fn settings(&self, chosen: &Chosen<'_>, plan: &Plan<'_>) -> BTreeMap<String, String> {
        let mut settings = BTreeMap::from([("driver".to_owned(), "farthing run".to_owned())]);
        settings.insert("seconds".into(), self.seconds.to_string());
        settings.insert("plan".into(), manifest::setting(&plan.digest, self.shard));
        settings.extend(self.budget.map(|budget| ("budget_s".to_owned(), budget.as_secs_f64().to_string())));
        settings.extend(self.cases.named().map(|suite| ("suite".to_owned(), suite.to_owned())));
        settings.extend(self.isolate.then(|| ("isolate".to_owned(), "true".to_owned())));
        if !self.vs.is_empty() {
            settings.insert("vs".into(), self.vs.join(","));
        }
        for subject in chosen.all() {
            let device = subject.backend.device();
            let details: Vec<String> = device.details.iter().map(|(key, value)| format!("{key} {value}")).collect();
            if !details.is_empty() {
                settings.insert(format!("{} on {}", subject.name, device.device), details.join(", "));
            }
        }
        settings
    }
}
