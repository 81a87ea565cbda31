//! Analyses beside each other: two scenarios, or one with a value varied.

use super::figures::{percent, quantity};
use crate::deal::analysis::{Analysis, AnswerLine};
use crate::deal::outcome::Answer;
use crate::report::{Align, Table};

use Align::{Left, Right};

/// Two scenarios: what both answer.
pub fn side_by_side(a: &Analysis, b: &Analysis) -> Table {
    let columns = [
        ("answer", Left),
        (a.scenario.as_str(), Right),
        ("10 % … 90 %", Right),
        (b.scenario.as_str(), Right),
        ("10 % … 90 %", Right),
        ("unit", Left),
        ("rest on", Left),
    ];
    let mut table = Table::new(format!("{} | {}", a.title, b.title), &columns);
    for (line, other) in a.answers.iter().filter_map(|line| {
        let other = b.answers.iter().find(|other| other.name == line.name);
        other.map(|other| (line, other))
    }) {
        if [line, other].iter().all(|line| line.central.is_none_or(|value| value == 0.0) && !line.draws_vary()) {
            continue;
        }
        let [(ours, our_spread), (theirs, their_spread)] = [line, other].map(cells);
        let kinds = line.rests_on.union(other.rests_on).to_string();
        table.row(vec![line.name.clone(), ours, our_spread, theirs, their_spread, line.unit.into(), kinds]);
    }
    for state in &a.states {
        if let Some(other) = b.states.iter().find(|other| other.state == state.state) {
            let [ours, theirs] = [state.prior, other.prior].map(percent);
            let name = format!("prior of `{}`", state.state);
            table.row(vec![name, ours, String::new(), theirs, String::new(), String::new(), "assumed".into()]);
        }
    }
    table.note(format!("central cases, and {} draws of each with seed {}", a.draws, a.seed));
    table
}

fn cells(line: &AnswerLine) -> (String, String) {
    let shown = |value: f64| quantity(value, line.unit);
    let central = line.central.map_or("-".into(), shown);
    let spread = line.draws.as_ref().map_or("-".into(), |p| format!("{} … {}", shown(p.p10), shown(p.p90)));
    (central, spread)
}

/// One scenario at several values of one input.
pub fn swept(key: &str, points: &[(f64, Analysis)]) -> Table {
    let wanted = |line: &&AnswerLine| line.is_of_the_deal() || matches!(line.answer, Answer::Npv(_));
    let varies = |name: &str| {
        let value = |(_, analysis): &(f64, Analysis)| {
            analysis.answers.iter().find(|line| line.name == name).and_then(|line| line.central)
        };
        points.windows(2).any(|pair| value(&pair[0]) != value(&pair[1]))
    };
    let first = points.first().map(|(_, analysis)| analysis);
    let names: Vec<(String, &str)> = first
        .into_iter()
        .flat_map(|analysis| analysis.answers.iter().filter(wanted))
        .filter(|line| varies(&line.name))
        .map(|line| (line.name.clone(), line.unit))
        .collect();
    let heads: Vec<String> = names.iter().map(|(name, unit)| format!("{name} ({unit})")).collect();
    let mut columns = vec![(key, Right)];
    columns.extend(heads.iter().map(|head| (head.as_str(), Right)));
    let title = first.map_or(String::new(), |analysis| analysis.title.clone());
    let mut table = Table::new(title, &columns);
    for (value, analysis) in points {
        let cell = |(name, _): &(String, &str)| {
            let line = analysis.answers.iter().find(|line| line.name == *name);
            line.and_then(|line| Some(quantity(line.central?, line.unit))).unwrap_or("-".into())
        };
        table.row(std::iter::once(super::figures::number(*value)).chain(names.iter().map(cell)).collect());
    }
    table.note("central cases; answers that do not move are left out; --format json has the draws");
    table
}
