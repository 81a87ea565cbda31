//! `farthing plan`: one run cut into shards that processes or machines share.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::{CliError, run};
use crate::manifest::Manifest;
use crate::session::{Backends, shown};
use crate::store::Results;

/// Arguments of `farthing plan`.
#[derive(Args)]
pub(super) struct PlanArgs {
    /// How many shards
    #[arg(long, value_name = "N")]
    shards: usize,
    /// File of the plan; an old one is replaced
    #[arg(long, value_name = "FILE", default_value = "plan.json")]
    out: PathBuf,
    /// Words of `farthing run`, behind --: what to measure, and how
    #[arg(last = true, value_name = "WORDS")]
    words: Vec<String>,
}

/// Runs the command.
pub(super) fn run(args: &PlanArgs, backends: Backends, results: &Results, out: &mut dyn Write) -> Result<(), CliError> {
    let (digest, cases) = run::planned(&args.words, backends, results)?;
    if args.shards == 0 || args.shards > cases.len() {
        let n = cases.len();
        return Err(CliError::Usage(format!("--shards {}: the plan has {n} cases; take 1 to {n}", args.shards)));
    }
    let manifest = Manifest::new(digest, args.shards, args.words.clone(), cases);
    manifest.write(&args.out)?;
    let (plan, n) = (shown(&args.out), args.shards);
    writeln!(out, "{plan}: {} cases in {n} shards. On each node, for I from 1 to {n}:\n", manifest.cases.len())?;
    writeln!(out, "  farthing run --plan {plan} --shard I/{n} --out shard-I.jsonl --resume\n")?;
    Ok(writeln!(out, "then\n\n  farthing collect {plan} shard-*.jsonl --save")?)
}
