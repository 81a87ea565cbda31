//! `farthing neuron doctor`: what is there, what is missing, and how to mend it.

use std::io::Write;

use clap::Args;
use farthing_kernels::backend::neuron::doctor::{Findings, examine};
use serde_json::json;

use super::super::{CliError, Format};
use super::chip;
use crate::catalogue::Catalogue;
use crate::report::{Align, Table};

/// Arguments of `farthing neuron doctor`.
#[derive(Args)]
pub(super) struct DoctorArgs {
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command: a failure where something is missing.
pub(super) fn run(args: &DoctorArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let findings = examine();
    let catalogue = Catalogue::embedded().map_err(|error| CliError::Failed(error.to_string()))?;
    let chip = findings.machine.as_ref().map(|machine| chip::sentences(&catalogue, machine)).unwrap_or_default();
    let table = table(&findings, &chip);
    let text = match args.format {
        Format::Table => list(&findings, &chip),
        Format::Md => table.markdown(),
        Format::Csv => table.csv(),
        Format::Json => {
            let item = |item: &farthing_kernels::backend::neuron::doctor::Item| {
                let (state, detail) = words(&item.state);
                json!({ "what": item.what, "state": state, "detail": detail })
            };
            let items: Vec<_> = findings.items.iter().map(item).collect();
            json!({ "ready": findings.is_ready(), "items": items, "chip": chip }).to_string() + "\n"
        }
    };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    if findings.is_ready() {
        return Ok(());
    }
    let missing: Vec<&str> = findings.items.iter().filter(|i| i.state.is_err()).map(|i| i.what).collect();
    Err(CliError::Failed(format!("not ready for a NeuronCore: {}", missing.join(", "))))
}

fn words(state: &Result<String, String>) -> (&'static str, &str) {
    match state {
        Ok(there) => ("ok", there),
        Err(why) => ("missing", why),
    }
}

/// What stands above both forms.
const TITLE: &str = "Neuron: this backend was not yet run on Trainium hardware by its authors";

/// A line an item for a terminal; what is long goes on below.
fn list(findings: &Findings, chip: &[String]) -> String {
    let mut text = format!("{TITLE}\n\n");
    for item in &findings.items {
        let (state, detail) = words(&item.state);
        let detail = detail.split("; ").collect::<Vec<_>>().join(&format!("\n{:25}", ""));
        text += &format!("{state:9}{:16}{detail}\n", item.what);
    }
    for sentence in chip {
        text += &format!("\n{sentence}");
    }
    text + if chip.is_empty() { "" } else { "\n" }
}

fn table(findings: &Findings, chip: &[String]) -> Table {
    let columns = ["needed", "state", "what is there, or how to mend it"].map(|name| (name, Align::Left));
    let mut table = Table::new(TITLE, &columns);
    for item in &findings.items {
        let (state, detail) = words(&item.state);
        table.row(vec![item.what.into(), state.into(), detail.into()]);
    }
    chip.iter().for_each(|sentence| table.note(sentence));
    table
}
