//! A calibration as a table, and as profiles for the catalogue.

use super::Calibration;
use super::validate::{ErrorSummary, HoldOut, Validation};
use crate::cost::serving::SPECS;
use crate::report::{Align, Table};

const COLUMNS: [(&str, Align); 9] = [
    ("held out", Align::Left),
    ("rows of", Align::Left),
    ("n", Align::Right),
    ("TPOT mean %", Align::Right),
    ("median %", Align::Right),
    ("p90 %", Align::Right),
    ("bias %", Align::Right),
    ("TTFT mean %", Align::Right),
    ("80 % covers TPOT / TTFT", Align::Right),
];

/// The errors by engine, and by chip, model and ranks too where `detailed`.
pub fn table(calibration: &Calibration, detailed: bool) -> Table {
    let left_out: usize = calibration.excluded.iter().map(|(_, count)| count).sum();
    let all = calibration.rows + left_out;
    let mut table = Table::new(format!("Calibration on {} of {all} rows", calibration.rows), &COLUMNS);
    let by_engine = |row: &Validation| row.group == "all" || calibration.fit.engines().contains(&row.group);
    for row in calibration.validations.iter().filter(|row| detailed || by_engine(row)) {
        table.row(cells(row));
    }
    table.note(format!("Left out: {left_out} rows ({:.1} %)", 100.0 * left_out as f64 / all as f64));
    for (why, count) in &calibration.excluded {
        table.note(format!("  {count} rows: {why}"));
    }
    table.note("TTFT is over rows without a queue, measured or predicted; bias above 0 predicts too slow.");
    table.note("An interval's width comes from the parts held out beside the one it is tried on.");
    table
}

fn cells(row: &Validation) -> Vec<String> {
    let figure = |error: &Option<ErrorSummary>, of: fn(&ErrorSummary) -> f64| {
        error.as_ref().map_or_else(|| "–".into(), |error| format!("{:.1}", of(error)))
    };
    let [tpot, ttft] = row.coverage.map_or([f64::NAN; 2], |both| both.map(|share| share * 100.0));
    let coverage = if row.hold_out == HoldOut::Nothing { "–".into() } else { format!("{tpot:.0} / {ttft:.0}") };
    vec![
        row.hold_out.to_string(),
        row.group.clone(),
        row.tpot.as_ref().map_or(0, |error| error.rows).to_string(),
        figure(&row.tpot, |error| error.mean),
        figure(&row.tpot, |error| error.median),
        figure(&row.tpot, |error| error.p90),
        figure(&row.tpot, |error| error.bias),
        figure(&row.ttft, |error| error.mean),
        coverage,
    ]
}

/// Each engine as a `[[profile]]` of serving.toml: constants that cite the source `fit`, and factors of intervals that
/// cite `held-out`. What the profile takes beside them (memory) is the user's to add.
pub fn toml(calibration: &Calibration) -> String {
    let profile = |engine: &String| {
        let constants = calibration.fit.constants(engine, "");
        let constants: String = SPECS
            .iter()
            .zip(constants.to_array())
            .map(|(spec, value)| {
                let (unit, size) = spec.unit;
                let value = figure(value / size);
                format!(
                    "{} = {{ low = {value}, mid = {value}, high = {value}, unit = \"{unit}\", source = \"fit\" }}\n",
                    spec.name
                )
            })
            .collect();
        format!("[[profile]]\nid = \"{engine}\"\n{constants}{}\n", spreads(calibration, engine))
    };
    calibration.fit.engines().iter().map(profile).collect()
}

/// Four significant digits: what a fit to rows with some percent of noise can carry.
fn figure(value: f64) -> String {
    let digits = (3 - value.abs().log10().floor() as i32).max(0) as usize;
    format!("{value:.digits$}")
}

fn spreads(calibration: &Calibration, engine: &str) -> String {
    [("in_family", HoldOut::Fold), ("new_chip", HoldOut::Chip), ("new_model", HoldOut::Model)]
        .into_iter()
        .filter_map(|(name, hold_out)| {
            let of = |row: &&Validation| row.hold_out == hold_out && row.group == engine;
            let interval = calibration.validations.iter().find(of)?.interval;
            let line = |what: &str, width: f64| {
                format!("{name}_{what} = {{ value = {}, unit = \"1\", source = \"held-out\" }}\n", figure(width.exp()))
            };
            Some(line("tpot", interval.tpot) + &line("ttft", interval.ttft))
        })
        .collect()
}
