//! `farthing worker`: a backend of this binary as a process of its own, on standard input and output.

use std::io::{self, IsTerminal, Write};

use clap::Args;
use farthing_kernels::backend::AnyBackend;
use farthing_kernels::backend::registry::{Options, Registry, State};

use super::CliError;
use crate::isolate::Listed;
use crate::nearest::unknown;
use crate::quiet;
use crate::session::Backends;

/// Arguments of `farthing worker`. It answers requests of the worker protocol on standard input, on standard output, until
/// they end: the way to put a backend of this binary, or of another commit's, in a process of its own, as in `farthing run
/// --worker "old/farthing worker --backend cpu --as cpu-old" --vs cpu`.
#[derive(Args)]
pub(super) struct WorkerArgs {
    /// Backend by name [default: the first that is ready]
    #[arg(long)]
    backend: Option<String>,
    /// Only a device of this name, or else one whose name holds this text
    #[arg(long)]
    device: Option<String>,
    /// Worker threads of a host backend [default: all CPUs]
    #[arg(long)]
    threads: Option<usize>,
    /// Name under which it greets, where the backend's own is taken [default: the backend's]
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
    /// Serve nothing: list the backends, ready or absent, one JSON object a line
    #[arg(long, conflicts_with_all = ["backend", "device", "name"])]
    list: bool,
}

/// Runs the command.
pub(super) fn run(args: &WorkerArgs, backends: Backends) -> Result<(), CliError> {
    if !args.list && io::stdin().is_terminal() {
        return Err(CliError::Usage(
            "a worker is asked by another process, on its standard input; start it as in: \
             farthing run --worker \"farthing worker --backend cpu --as cpu-apart\" --shape 512x512x512"
                .into(),
        ));
    }
    super::run::refuse_threads(args.threads.as_slice())?;
    // Before any driver is loaded: what it prints goes to standard error from here on.
    let mut answers = quiet::own_stdout()?;
    let registry = backends(&Options { threads: args.threads, only: args.backend.clone() });
    if args.list {
        return list(&registry, &mut answers);
    }
    let (name, backend) = args.chosen(&registry, backends)?;
    let served = backend.serve(args.name.as_deref().unwrap_or(name), &mut io::stdin().lock(), &mut answers);
    served.map_err(|error| CliError::Failed(error.to_string()))
}

impl WorkerArgs {
    /// The first ready backend that the words fit.
    fn chosen<'r>(
        &self,
        registry: &'r Registry,
        backends: Backends,
    ) -> Result<(&'r str, &'r dyn AnyBackend), CliError> {
        let named = |name: &str| self.backend.as_deref().is_none_or(|wanted| wanted == name);
        let ready: Vec<_> = registry.ready().filter(|(name, _)| named(name)).collect();
        if ready.is_empty() {
            return Err(self.missing(registry, backends));
        }
        let Some(device) = &self.device else { return Ok(ready[0]) };
        let of = |fits: &dyn Fn(&str) -> bool| ready.iter().find(|(_, b)| fits(&b.device().device)).copied();
        of(&|name| name == device).or_else(|| of(&|name| name.contains(device.as_str()))).ok_or_else(|| {
            let known: Vec<&str> = ready.iter().map(|(_, backend)| backend.device().device.as_str()).collect();
            CliError::Usage(format!("no such backend has a device named `{device}`; devices: {}", known.join(", ")))
        })
    }

    /// Why no backend of that name is ready.
    fn missing(&self, registry: &Registry, backends: Backends) -> CliError {
        let Some(name) = &self.backend else {
            return CliError::Failed("no backend is ready; `farthing devices` says why".into());
        };
        let absent = registry.entries().iter().find_map(|entry| match &entry.state {
            State::Absent(why) if entry.name == *name => Some(why),
            _ => None,
        });
        if let Some(why) = absent {
            return CliError::Failed(format!("backend {name} is absent: {why}"));
        }
        let all = backends(&Options::default());
        let known: Vec<&str> = all.entries().iter().map(|entry| entry.name.as_str()).collect();
        CliError::Usage(unknown("backend", name, &known))
    }
}

fn list(registry: &Registry, out: &mut dyn Write) -> Result<(), CliError> {
    for entry in registry.entries() {
        let line = serde_json::to_string(&Listed::of(entry)).map_err(io::Error::from)?;
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}
