//! Tables of `farthing cost` beside the costs themselves: frontiers, sensitivities, causes and the audit of rows.

use crate::catalogue::Catalogue;
use crate::cost::{self, Audited, CostError, CostLine, CostRequest, Format, Moved, Part, Sensitivity};
use crate::report::{Align, Table};

/// A table in the format of a cost.
pub(super) fn written(table: &Table, format: Format) -> String {
    match format {
        Format::Table => table.text(),
        Format::Markdown => table.markdown(),
        Format::Csv => table.csv(),
        Format::Json => table.json(),
    }
}

/// Deployments and batches that no other beats both in a user's speed and in tokens a chip, with their price.
pub(super) fn frontiers(request: &CostRequest, catalogue: &Catalogue) -> Result<Table, CostError> {
    let columns = [
        ("model", Align::Left),
        ("chip", Align::Left),
        ("ranks", Align::Right),
        ("expert groups", Align::Right),
        ("attention copies", Align::Right),
        ("batch", Align::Right),
        ("tok/s/user", Align::Right),
        ("tok/s/chip", Align::Right),
        ("TTFT s", Align::Right),
        ("$/M out", Align::Right),
    ];
    let workload = &request.workload;
    let title = format!(
        "Frontiers, central cases: {} tokens in, {} out, {} weights, {} cache",
        workload.input_tokens, workload.output_tokens, workload.weights, workload.kv
    );
    let mut table = Table::new(title, &columns);
    for (model, chip, points) in cost::frontiers(request, catalogue)? {
        let points = match points {
            Ok(points) => points,
            Err(why) => {
                table.note(format!("{} on {}: {why}", model.id, chip.name));
                continue;
            }
        };
        let price = request.chip_hour(catalogue, chip);
        for point in points {
            let dollars = price.as_ref().map(|usd| usd.0 / 3600.0 / point.tokens_per_s_per_chip * 1e6);
            table.row(vec![
                model.id.clone(),
                chip.name.clone(),
                point.deployment.chips().to_string(),
                point.deployment.expert.to_string(),
                point.deployment.attention_data.to_string(),
                point.sequences.to_string(),
                format!("{:.1}", 1.0 / point.tpot_s),
                format!("{:.0}", point.tokens_per_s_per_chip),
                format!("{:.3}", point.ttft_s),
                dollars.map_or_else(|_| "–".into(), |usd| format!("{usd:.3}")),
            ]);
        }
    }
    table.note(
        "$/M out: all cost on output tokens, at full demand; without intervals (see the cost of one deployment).",
    );
    Ok(table)
}

/// By how much each input, a tenth larger, moves the price of output tokens.
pub(super) fn sensitivities(found: &[Sensitivity]) -> Table {
    let mut columns = vec![("model", Align::Left), ("device", Align::Left), ("$/M out", Align::Right)];
    columns.extend(Moved::ALL.map(|moved| (moved.name(), Align::Right)));
    let mut table =
        Table::new("Change of the price of output tokens, in percent, for each input larger by a tenth", &columns);
    for Sensitivity { line, change } in found {
        let usd = line.spend.as_ref().map(|spend| spend.usd_per_m_output.mid.0);
        let mut cells =
            vec![line.model.clone(), line.device.clone(), usd.map_or_else(|| "–".into(), |usd| format!("{usd:.3}"))];
        cells
            .extend(change.map(|change| change.map_or_else(|| "–".into(), |change| format!("{:+.1}", change * 100.0))));
        table.row(cells);
    }
    table.note(
        "central cases; the deployment is chosen anew for each; of measured devices, arithmetic is the speed of their matrix \
         products and bandwidth that of their attention",
    );
    table
}

/// What the dollars of a million output tokens, all cost on them, go to, and what each part rests on.
pub(super) fn by_cause(request: &CostRequest, lines: &[CostLine]) -> Table {
    let mut columns = vec![("model", Align::Left), ("device", Align::Left), ("$/M out, all", Align::Right)];
    let names = Part::ALL.map(|part| format!("{part} %"));
    columns.extend(names.iter().map(|name| (name.as_str(), Align::Right)));
    columns.push(("rests on (busy / idle)", Align::Left));
    let mut table = Table::new("What the price of output tokens goes to", &columns);
    for line in lines {
        let Some(split) = line.split(request) else {
            let why = line.reason.as_deref().unwrap_or("it has no price");
            table.note(format!("{} on {}: {why}", line.model, line.device));
            continue;
        };
        let mut cells = vec![line.model.clone(), line.device.clone(), format!("{:.3}", split.total.mid.0)];
        cells.extend(split.parts.map(|part| format!("{:.1}", part.0 / split.total.mid.0 * 100.0)));
        let kinds = |part| split.kinds(part).weakest().map_or_else(|| "–".into(), |kind| kind.to_string());
        cells.push(format!("{} / {}", kinds(Part::Prefill), kinds(Part::Idle)));
        table.row(cells);
    }
    table.note(
        "central cases; all cost on output tokens; idle: hours without demand or in which the replica does not work, at the \
         assumed utilisation and availability",
    );
    table
}

/// Each shape predicted from all others.
pub(super) fn audited(shapes: &[Audited]) -> Table {
    let columns = [
        ("backend", Align::Left),
        ("dtype", Align::Left),
        ("op", Align::Left),
        ("shape", Align::Left),
        ("error %", Align::Right),
        ("read", Align::Left),
    ];
    let mut table = Table::new("Each shape of the newest run, predicted from its other shapes", &columns);
    for shape in shapes {
        let read = match (shape.error, shape.between) {
            (None, _) => "nothing near",
            (Some(_), true) => "between others",
            (Some(_), false) => "beyond the last",
        };
        table.row(vec![
            shape.backend.clone(),
            shape.dtype.to_string(),
            shape.op.into(),
            shape.shape.clone(),
            shape.error.map_or_else(|| "–".into(), |error| format!("{:+.1}", error * 100.0)),
            read.into(),
        ]);
    }
    let between = shapes.iter().filter(|shape| shape.between);
    for (what, found) in [("all", cost::quantiles(shapes.iter())), ("between others", cost::quantiles(between))] {
        if let Some([median, p90]) = found {
            table.note(format!("{what}: median {:.1} %, 90th percentile {:.1} %", median * 100.0, p90 * 100.0));
        }
    }
    table
}
