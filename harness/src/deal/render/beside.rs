//! Analyses beside each other: two scenarios, or one with a value varied.

use super::figures::{percent, quantity};
use crate::deal::analysis::{Analysis, AnswerLine, CentralLine};
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

/// The central answers that a value moves, at each of its values.
pub fn swept(key: &str, title: &str, points: &[(f64, Vec<CentralLine>)]) -> Table {
    let wanted = |line: &&CentralLine| line.answer.is_of_the_deal() || matches!(line.answer, Answer::Npv(_));
    let of = |lines: &[CentralLine], answer: Answer| {
        lines.iter().find(|line| line.answer == answer).and_then(|line| line.central)
    };
    let varies = |answer: Answer| points.windows(2).any(|pair| of(&pair[0].1, answer) != of(&pair[1].1, answer));
    let first = points.first().map_or(&[][..], |(_, lines)| lines);
    let shown: Vec<&CentralLine> = first.iter().filter(wanted).filter(|line| varies(line.answer)).collect();
    let heads: Vec<String> = shown.iter().map(|line| format!("{} ({})", line.name, line.unit)).collect();
    let mut columns = vec![(key, Right)];
    columns.extend(heads.iter().map(|head| (head.as_str(), Right)));
    let mut table = Table::new(title, &columns);
    for (value, lines) in points {
        let cell = |line: &&CentralLine| of(lines, line.answer).map_or("-".into(), |usd| quantity(usd, line.unit));
        table.row(std::iter::once(super::figures::number(*value)).chain(shown.iter().map(cell)).collect());
    }
    table.note("central cases; answers that do not move are left out; --format json has the draws");
    table
}
