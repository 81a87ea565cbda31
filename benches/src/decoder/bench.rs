//! The command behind `cargo bench --bench decoder`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use farthing::limits::Limits;
use farthing::machine;
use farthing::measure::{Lab, Oracle};
use farthing::record::{Row, RunHeader};
use farthing::session::{self, shown};
use farthing::store::{Results, RunWriter, StoreError, write_index};
use farthing::tunings::Tunings;
use farthing_kernels::backend::cpu::{Cpu, CpuError};

use super::measure::{Outcome, check, measure};
use super::point::{self, Model, Point};
use super::{DecoderError, Weights, report};

/// Seed of the weights.
const SEED: u64 = 1;

/// What ends the command early.
#[derive(Debug, thiserror::Error)]
enum BenchError {
    #[error(transparent)]
    Cpu(#[from] CpuError),
    #[error("{id}: {source}")]
    Point { id: String, source: DecoderError },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0} points gave no result, as said above")]
    Failed(usize),
}

/// Measures every point whose name holds one of the words given, or all of them; `--test`, or no `--bench`, checks a
/// small decoder and times nothing.
pub fn main(arguments: impl Iterator<Item = String>) -> ExitCode {
    let arguments: Vec<String> = arguments.collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    if has("--list") {
        return ExitCode::SUCCESS;
    }
    let words: Vec<&str> = arguments.iter().map(String::as_str).filter(|a| !a.starts_with('-')).collect();
    let wanted = |id: &str| words.is_empty() || words.iter().any(|word| id.contains(word));
    let done = if has("--test") || !has("--bench") { test(&wanted) } else { bench(&wanted) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Points by decoder, and what runs them.
struct Plan {
    models: Vec<Model>,
    cpus: Vec<(usize, Cpu)>,
}

impl Plan {
    fn new(mut models: Vec<Model>, wanted: &dyn Fn(&str) -> bool) -> Result<Plan, CpuError> {
        for model in &mut models {
            let named = model.clone();
            model.points.retain(|point| wanted(&named.id(point)));
        }
        models.retain(|model| !model.points.is_empty());
        let mut threads: Vec<usize> = models.iter().flat_map(|m| m.points.iter().map(|p| p.threads)).collect();
        threads.sort_unstable();
        threads.dedup();
        let cpus = threads.into_iter().map(|threads| Cpu::new(Some(threads)).map(|cpu| (threads, cpu)));
        Ok(Plan { models, cpus: cpus.collect::<Result<_, CpuError>>()? })
    }

    /// Calls `run` with each point, its weights drawn once a decoder.
    fn each<'p>(
        &'p self,
        mut run: impl FnMut(&'p Model, &'p Point, &'p Cpu, &Weights<Cpu>) -> Result<(), DecoderError>,
    ) -> Result<(), BenchError> {
        for model in &self.models {
            let of = |point: &Point| {
                let found = self.cpus.iter().find(|(threads, _)| *threads == point.threads);
                &found.expect("a CPU for each thread count of a point").1
            };
            let failed = |point: &Point, source| BenchError::Point { id: model.id(point), source };
            let first = &model.points[0];
            let weights = Weights::random(of(first), &model.config, SEED).map_err(|e| failed(first, e.into()))?;
            for point in &model.points {
                run(model, point, of(point), &weights).map_err(|source| failed(point, source))?;
            }
        }
        Ok(())
    }
}

fn header(plan: &Plan, limits: Limits) -> RunHeader {
    let points: usize = plan.models.iter().map(|model| model.points.len()).sum();
    let settings = [("driver", "cargo bench --bench decoder".to_owned()), ("points", points.to_string())];
    let settings = settings.map(|(name, value)| (name.to_owned(), value));
    session::header(machine::environment(), limits, BTreeMap::from(settings))
}

fn test(wanted: &dyn Fn(&str) -> bool) -> Result<(), BenchError> {
    let plan = Plan::new(point::tiny(), wanted)?;
    let (header, oracle) = (header(&plan, Limits::default()), Oracle::new());
    // Small enough that no set is ever rotated: there is nothing to time.
    let lab = Lab { header: &header, oracle: &oracle, cold_cap_bytes: 0, tunings: Tunings::default() };
    let mut passed = 0;
    plan.each(|model, point, cpu, weights| {
        check(&lab, cpu, weights, point)?;
        println!("{}: ok", model.id(point));
        passed += 1;
        Ok(())
    })?;
    println!("\n{passed} passed, 0 failed, 0 skipped");
    Ok(())
}

fn bench(wanted: &dyn Fn(&str) -> bool) -> Result<(), BenchError> {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let plan = Plan::new(point::all(cpus), wanted)?;
    let mut limits = Limits::default();
    for (_, cpu) in &plan.cpus {
        limits.add("cpu", cpu);
    }
    limits.warnings.iter().for_each(|warning| eprintln!("{warning}"));
    let (header, oracle) = (header(&plan, limits), Oracle::new());
    let cold_cap_bytes = session::cold_cap_bytes(&header.environment);
    let lab = Lab { header: &header, oracle: &oracle, cold_cap_bytes, tunings: Tunings::default() };
    let (mut outcomes, mut failed) = (Vec::new(), 0);
    plan.each(|model, point, cpu, weights| {
        // A machine that others use may refuse a row; the other points stand without it.
        match measure(&lab, cpu, weights, point) {
            Ok(outcome) => {
                let (measured, predicted) = (outcome.measured.median, outcome.predicted_s);
                eprintln!("{}: {measured:.4} s, by its kernels {predicted:.4} s", model.id(point));
                outcomes.push((model, *point, outcome));
            }
            Err(error) => {
                eprintln!("{}: {error}", model.id(point));
                failed += 1;
            }
        }
        Ok(())
    })?;
    println!("\n{}", report::table(&outcomes).text());
    keep(&header, &outcomes)?;
    if failed == 0 { Ok(()) } else { Err(BenchError::Failed(failed)) }
}

/// Keeps the kernels' rows as a run: each once, the last where points share a kernel.
fn keep(header: &RunHeader, outcomes: &[(&Model, Point, Outcome)]) -> Result<(), StoreError> {
    let results = Results::find(None, &std::env::current_dir().unwrap_or_default());
    let mut writer = RunWriter::in_results(&results, &header.run)?;
    writer.header(header)?;
    let rows: BTreeMap<&str, _> =
        outcomes.iter().flat_map(|(.., o)| &o.rows).map(|row| (row.id.as_str(), row)).collect();
    let rows: Vec<Row> = rows.into_values().cloned().collect();
    writer.append(&rows)?;
    let Some(path) = writer.finish()? else { return Ok(()) };
    write_index(&results)?;
    println!("\n{} rows of kernels kept in {}", rows.len(), shown(&path));
    Ok(())
}
