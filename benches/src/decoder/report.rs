//! Measured and predicted, side by side.

use farthing::report::{Align, Table, percent, seconds};

use super::measure::Outcome;
use super::point::{Model, Point};

/// `(predicted − measured) / measured`.
fn error(outcome: &Outcome) -> f64 {
    outcome.predicted_s / outcome.measured.median - 1.0
}

/// A line a point, and what they amount to.
pub(super) fn table(points: &[(&Model, Point, Outcome)]) -> Table {
    let columns = [
        ("decoder", Align::Left),
        ("phase", Align::Left),
        ("sequences", Align::Right),
        ("context", Align::Right),
        ("dtype", Align::Left),
        ("thr", Align::Right),
        ("step", Align::Right),
        ("95 %", Align::Left),
        ("by its kernels", Align::Right),
        ("error", Align::Right),
        ("rest", Align::Right),
        ("share", Align::Right),
        ("of limit", Align::Left),
    ];
    let mut table = Table::new("A decoder's steps, measured, and predicted from rows of its kernels alone", &columns);
    for (model, point, outcome) in points {
        table.row(line(model, point, outcome));
    }
    table.note(summary(points));
    table.note(
        "rest: norms, positions, gates, residuals, gathering and sampling, each measured alone, of the prediction",
    );
    table
        .note("share: the step's products and attention at the limit measured in this run, over the whole step's time");
    table
}

fn line(model: &Model, point: &Point, outcome: &Outcome) -> Vec<String> {
    let interval = outcome.measured.ci95.map(|ends| ends.map(seconds).join(" to "));
    let bound = outcome.bound.as_ref();
    vec![
        model.name.to_owned(),
        point.phase().to_owned(),
        point.sequences.to_string(),
        point.context.to_string(),
        model.config.numbers(),
        point.threads.to_string(),
        seconds(outcome.measured.median),
        interval.unwrap_or_else(|| "-".into()),
        seconds(outcome.predicted_s),
        format!("{:+.1} %", 100.0 * error(outcome)),
        percent(outcome.rest_s / outcome.predicted_s),
        bound.map_or_else(|| "-".into(), |b| percent(b.seconds / outcome.measured.median)),
        bound.map_or_else(|| "-".into(), |b| b.limit.clone()),
    ]
}

/// Mean absolute error and the worst one, in percent of what was measured.
fn summary(points: &[(&Model, Point, Outcome)]) -> String {
    let errors: Vec<f64> = points.iter().map(|(_, _, outcome)| error(outcome)).collect();
    let mean = errors.iter().map(|e| e.abs()).sum::<f64>() / errors.len().max(1) as f64;
    let worst = errors.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(0.0);
    format!("{} points: mean absolute error {:.1} %, worst {:+.1} %", errors.len(), 100.0 * mean, 100.0 * worst)
}
