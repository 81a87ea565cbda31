//! The explorer as a page: the form on one side, what it makes of a token on the other.

use super::form::{CHIP, Form};
use super::{Evidence, Explored};
use crate::catalogue::{Catalogue, Precision};
use crate::cost::{self, CostLine, CostRequest, Terms, TrafficPattern};
use crate::report::clipped;
use crate::report::{self, Align};
use crate::serve::field::Look;
use crate::serve::live;
use crate::site::grid::{Cell, Grid};
use crate::site::layout::{EXPLORER, Frame, Head};
use crate::units::{Estimate, Quantity};
use maud::{Markup, html};

/// Letters of a problem or a name that are shown.
const MOST: usize = 300;

pub(super) fn page(explored: &Explored, frame: &Frame, catalogue: &Catalogue, evidence: &Evidence) -> String {
    let run = evidence.run.as_ref().map_or("no run: there is none yet".into(), |run| format!("the newest run, {run}"));
    let body = html! {
        h1 { "What would a token cost?" }
        p .lead {
            "Every figure is computed anew by the functions behind " code { "farthing cost" }
            ", from the catalogue and " (run) ". The address holds all that is set: a link to it, or a reload, brings it back."
        }
        form .panel method="get" action=(EXPLORER) data-live-form autocomplete="off" {
            (fields(&explored.form))
            (chips(&explored.form, catalogue, evidence))
            p { button .plain type="submit" { "Compute" } " " a href=(EXPLORER) { "Start over" } }
        }
        (status(explored))
        section #answer aria-label="Costs" data-live { (answer(explored)) }
    };
    let head = Head {
        script: Some(live::SCRIPT),
        ..Head::new(
            EXPLORER,
            "Explore",
            "What a token costs under other traffic, prices and terms, computed as you type.",
        )
    };
    frame.page(&head, &body)
}

fn fields(form: &Form) -> Markup {
    let pattern = form.pattern();
    let line =
        |key, label, unit, otherwise: String| form.field(key).line(&Look { label: Some(label), unit, otherwise });
    html! {
        fieldset {
            legend { "Traffic" }
            (form.field("workload").choice("Kind", &workloads()))
            (line("input_tokens", "Input", "tokens a prompt", pattern.input_tokens.to_string()))
            (line("output_tokens", "Output", "tokens an answer", pattern.output_tokens.to_string()))
            (line("concurrency", "Concurrency", "requests in flight at a replica", pattern.concurrency.to_string()))
            (line("cached", "Cached", "share of a prompt, 0 to below 1", pattern.cached.to_string()))
        }
        fieldset {
            legend { "Use and price" }
            (line("utilisation", "Utilisation", "share of paid time with demand", CostRequest::UTILISATION.0.to_string()))
            (line("availability", "Availability", "share of paid time at work", CostRequest::AVAILABILITY.0.to_string()))
            (line("price", "Price", "USD a chip-hour, for all", "listed".into()))
            (line("discount", "Discount", "% off the price", "0".into()))
        }
        fieldset {
            legend { "Commitment" }
            (line("floor_usd", "Floor in money", "USD a month", "none".into()))
            (line("floor_hours", "Floor in hours", "chip-hours a month", "none".into()))
            (line("take_or_pay", "Take or pay", "share of the floor that is due unused", Terms::LISTED.take_or_pay.0.to_string()))
            (line("replicas", "Replicas", "that run all month", Terms::LISTED.replicas.to_string()))
        }
        fieldset {
            legend { "Serving" }
            (line("slo", "Latencies to keep", "seconds, as in ttft=2,tpot=0.05", "none".into()))
            (line("tensor", "Tensor", "chips that split attention", "the fewest with room".into()))
            (line("attention_data", "Copies of attention", "each with a share of the sequences", "1".into()))
            (line("expert", "Experts", "groups over which they are spread", "1".into()))
            (line("redundant_experts", "Redundant experts", "held twice", "0".into()))
            (line("prompts_on", "Prompts on", "replicas of their own, as in tensor=8", "the same".into()))
            (line("speculate", "Drafts", "as in tokens=3,acceptance=0.7,draft=layer", "none".into()))
            (line("engine", "Engine", "whose constants count: vllm, trtllm", "the chip's".into()))
        }
    }
}

fn workloads() -> Vec<(String, String)> {
    let named = TrafficPattern::named().iter();
    let named = named.map(|(name, pattern)| {
        let TrafficPattern { input_tokens, output_tokens, concurrency, .. } = pattern;
        ((*name).to_string(), format!("{name}: {input_tokens} in, {output_tokens} out, {concurrency} at once"))
    });
    std::iter::once((String::new(), "as below".to_string())).chain(named).collect()
}

/// Model, precision, and the devices to compare: the chips of the catalogue and what was measured.
fn chips(form: &Form, catalogue: &Catalogue, evidence: &Evidence) -> Markup {
    let models: Vec<(String, String)> =
        catalogue.models.iter().map(|model| (model.id.clone(), model.id.clone())).collect();
    let precisions: Vec<(String, String)> = Precision::ALL.iter().map(|p| (p.to_string(), p.to_string())).collect();
    let measured = cost::measured_devices(&evidence.rows);
    let measured = measured.iter().map(|(backend, device)| (*backend, format!("{backend}: {device}, measured")));
    let published = catalogue.chips.iter().map(|chip| (chip.id.as_str(), chip.name.clone()));
    let targets: Vec<(&str, String)> = measured.chain(published).collect();
    let odd = form.chips.iter().filter(|chip| !targets.iter().any(|(id, _)| id == chip));
    html! {
        fieldset {
            legend { "Model" }
            (form.field("model").choice("Model", &models))
            (form.field("precision").choice("Weights", &precisions))
        }
        fieldset .wide aria-describedby={ (CHIP) "-problem" } {
            legend { "Devices: none ticked means all" }
            ul .ticks {
                @for (id, name) in &targets {
                    li { label {
                        input type="checkbox" name=(CHIP) value=(id) checked[form.chips.iter().any(|chip| chip == id)];
                        " " (clipped(name, 60))
                    } }
                }
                @for id in odd {
                    li { label { input type="checkbox" name=(CHIP) value=(id) checked; " " (clipped(id, 60)) } }
                }
            }
            (form.field(CHIP).told())
        }
    }
}

/// What became of the last change, said to who cannot see it.
fn status(explored: &Explored) -> Markup {
    let told = match (&explored.answer, explored.form.n_problems()) {
        (Some((_, lines)), _) => {
            let n_priced = lines.iter().filter(|line| line.spend.is_some()).count();
            let time = report::seconds(explored.seconds);
            let cheapest =
                cheapest(lines).map(|(name, usd)| format!(" Cheapest output: {name}, {usd} $ a million tokens."));
            format!("{n_priced} of {} devices costed; computed in {time}.{}", lines.len(), cheapest.unwrap_or_default())
        }
        (None, 1) => "Nothing was computed: 1 field needs another value.".into(),
        (None, n) => format!("Nothing was computed: {n} fields need other values."),
    };
    html! {
        p .status #status role="status" aria-live="polite" data-live { (told) }
        ul .problems #problems data-live { @for problem in &explored.form.problems { li { (clipped(problem, MOST)) } } }
    }
}

fn cheapest(lines: &[CostLine]) -> Option<(String, String)> {
    let usd = |line: &CostLine| line.spend.as_ref().map(|spend| spend.usd_per_m_output.mid.0);
    let best = lines.iter().filter(|line| usd(line).is_some()).min_by(|a, b| match (usd(a), usd(b)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => std::cmp::Ordering::Equal,
    })?;
    Some((clipped(&best.device, 60), report::digits(usd(best)?)))
}

fn answer(explored: &Explored) -> Markup {
    let Some((request, lines)) = &explored.answer else { return html! {} };
    let query = explored.query.written();
    html! {
        (table(lines, request))
        p {
            "Export: " a href={ (EXPLORER) ".csv?" (query) } download { "CSV" } ", "
            a href={ (EXPLORER) ".json?" (query) } download { "JSON" } ". The same on a command line:"
        }
        pre { (command(explored)) }
    }
}

fn table(lines: &[CostLine], request: &CostRequest) -> Markup {
    let columns: Vec<(&str, Align)> = (cost::HEAD.iter().enumerate())
        .map(|(idx, name)| (*name, if (2..8).contains(&idx) { Align::Right } else { Align::Left }))
        .collect();
    let mut grid = Grid::new("costs", "Cost of tokens, device by device: mid (low–high)", &columns);
    for line in lines {
        let keys = keys(line);
        let cells = cost::cells(line).into_iter().zip(keys);
        grid.row(
            cells.map(|(text, key)| key.map_or_else(|| Cell::text(&text), |key| Cell::number(key, &text))).collect(),
        );
    }
    cost::footer(request, lines).iter().for_each(|note| grid.note(note));
    grid.html()
}

/// What the columns of [`cost::HEAD`] sort by, where it is a number.
fn keys(line: &CostLine) -> [Option<f64>; 9] {
    fn mid<T: Quantity>(estimate: &Estimate<T>) -> f64 {
        estimate.mid.value()
    }
    let (speed, spend, price) = (line.speed.as_ref(), line.spend.as_ref(), line.price.as_ref());
    [
        None,
        None,
        speed.map(|speed| mid(&speed.output_tokens_per_s)),
        speed.map(|speed| mid(&speed.ttft_s)),
        speed.map(|speed| mid(&speed.tpot_s)),
        spend.map(|spend| mid(&spend.usd_per_m_input)),
        spend.map(|spend| mid(&spend.usd_per_m_output)),
        price.map(|price| mid(&price.usd_per_hour) * price.units),
        None,
    ]
}

/// `farthing cost` with the same fields.
fn command(explored: &Explored) -> String {
    let mut words = vec!["farthing".to_string(), "cost".to_string()];
    let flag = |key: &str| format!("--{}", key.replace('_', "-"));
    for key in super::form::KEYS {
        let written = &explored.form.field(key).written;
        if !written.is_empty() {
            words.extend([flag(key), written.clone()]);
        }
    }
    words.extend(explored.form.chips.iter().flat_map(|chip| [flag(CHIP), chip.clone()]));
    // Only a NUL cannot be quoted, and no field that was understood holds one.
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default()
}
