//! `farthing devices`: what there is to run on, and how fast it can be.

use std::io::Write;

use clap::Args;
use serde::Serialize;

use super::run::fleet;
use super::{CliError, Format, Progress};
use crate::guests::Guests;
use crate::limits::Limits;
use crate::machine;
use crate::record::{Environment, MeasuredLimit};
use crate::report::{Align, Table, rate};
use crate::session::{Backends, Fleet};
use crate::store::Results;

/// Arguments of `farthing devices`.
#[derive(Args)]
pub(super) struct DevicesArgs {
    /// Worker threads of host backends [default: 1 and all CPUs]
    #[arg(long, value_delimiter = ',')]
    threads: Vec<usize>,
    #[command(flatten)]
    guests: Guests,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// One backend as JSON.
#[derive(Serialize)]
struct Device<'d> {
    backend: &'d str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fidelity: Option<String>,
    threads: Vec<usize>,
    details: Vec<String>,
}

#[derive(Serialize)]
struct Listing<'d> {
    environment: &'d Environment,
    devices: &'d [Device<'d>],
    limits: &'d [MeasuredLimit],
}

/// Runs the command.
pub(super) fn run(
    args: &DevicesArgs,
    backends: Backends,
    results: &Results,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let environment = machine::environment();
    let counts = match &args.threads[..] {
        [] if environment.cpus > 1 => vec![1, environment.cpus],
        [] => vec![1],
        asked => asked.to_vec(),
    };
    let mut fleet = fleet(backends, &counts)?;
    args.guests.join(&mut fleet, results)?;
    let progress = Progress::new(0);
    progress.step(0, "measuring the limits of each device");
    let limits = fleet.limits(&fleet.subjects());
    progress.clear();
    let devices = devices(&fleet);
    let tables = [device_table(&environment, &devices), limit_table(&limits)];
    let text = match args.format {
        Format::Table => tables.map(|t| t.text()).join("\n"),
        Format::Md => tables.map(|t| t.markdown()).join("\n"),
        Format::Csv => tables[1].csv(),
        Format::Json => {
            let listing = Listing { environment: &environment, devices: &devices, limits: &limits.measured };
            serde_json::to_string(&listing).map_err(std::io::Error::from)? + "\n"
        }
    };
    Ok(out.write_all(text.as_bytes())?)
}

fn devices(fleet: &Fleet) -> Vec<Device<'_>> {
    let mut devices: Vec<Device<'_>> = Vec::new();
    for subject in fleet.subjects() {
        let info = subject.backend.device();
        let known = devices.iter_mut().find(|d| d.backend == subject.name && d.device == Some(&info.device));
        if let Some(known) = known {
            known.threads.extend(info.threads);
            continue;
        }
        devices.push(Device {
            backend: subject.name,
            state: "ready",
            why: None,
            device: Some(&info.device),
            fidelity: Some(format!("{:?}", info.fidelity).to_lowercase()),
            threads: info.threads.into_iter().collect(),
            details: info.details.iter().map(|(key, value)| format!("{key} {value}")).collect(),
        });
    }
    devices.extend(fleet.absent().into_iter().map(|(backend, why)| Device {
        backend,
        state: "absent",
        why: Some(why),
        device: None,
        fidelity: None,
        threads: Vec::new(),
        details: Vec::new(),
    }));
    devices
}

fn device_table(environment: &Environment, devices: &[Device<'_>]) -> Table {
    let title = format!("{} × {} · {} · {}", environment.cpus, environment.cpu, environment.isa, environment.os);
    let columns = ["backend", "state", "device", "results are", "threads", "details"].map(|name| (name, Align::Left));
    let mut table = Table::new(title, &columns);
    for d in devices {
        let threads: Vec<String> = d.threads.iter().map(usize::to_string).collect();
        let threads = if threads.is_empty() { "-".into() } else { threads.join(", ") };
        let details = d.why.map_or_else(|| d.details.join(", "), str::to_owned);
        let results_are =
            d.fidelity.clone().map_or("-".into(), |f| if f == "hardware" { "measured".into() } else { f });
        table.row(vec![
            d.backend.into(),
            d.state.into(),
            d.device.unwrap_or("-").into(),
            results_are,
            threads,
            details,
        ]);
    }
    let caches: Vec<String> =
        environment.caches_bytes.iter().map(|(level, bytes)| format!("{level} {} KiB", bytes >> 10)).collect();
    let memory = environment.memory_bytes.map_or("unknown".into(), |b| format!("{:.1} GB", b as f64 / 1e9));
    table.note(format!("caches: {} · memory: {memory}", caches.join(", ")));
    table
}

fn limit_table(limits: &Limits) -> Table {
    let columns =
        [("device", Align::Left), ("limit", Align::Left), ("threads", Align::Right), ("best rate", Align::Right)];
    let mut table = Table::new("Limits, measured just now", &columns);
    let mut sorted: Vec<&MeasuredLimit> = limits.measured.iter().collect();
    sorted.sort_by_key(|l| (&l.device, &l.limit, l.threads));
    for l in sorted {
        table.row(vec![l.device.clone(), l.limit.clone(), l.threads.to_string(), rate(l.per_second, &l.unit)]);
    }
    table.note(
        "fma and dot: operations in registers, 1 multiply-add = 2 · read: bytes read from a cache level or memory",
    );
    limits.warnings.iter().for_each(|w| table.note(w));
    table
}
