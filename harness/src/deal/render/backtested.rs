//! What was believed against what came, as a table.

use super::figures::{bound, percent};
use crate::deal::backtest::Backtest;
use crate::report::{Align, Table};

/// A back-test as a table.
pub fn backtested(test: &Backtest) -> Table {
    let right = Align::Right;
    let columns = [
        ("term", Align::Left),
        ("believed 10 %", right),
        ("50 %", right),
        ("90 %", right),
        ("came", right),
        ("unit", Align::Left),
        ("at quantile", right),
        ("with normal tails", right),
    ];
    let title = format!("{} ({}) against {} ({})", test.prior, test.believed_on, test.came, test.came_on);
    let mut table = Table::new(title, &columns);
    for line in &test.terms {
        let [low, mid, high] = line.believed.map(bound);
        let [quantile, normal] = [line.quantile, line.quantile_without_fat_tail].map(percent);
        table.row(vec![line.path.clone(), low, mid, high, bound(line.came), line.unit.into(), quantile, normal]);
    }
    table.note(format!(
        "it closed as `{}`, which had a prior of {}: a surprise of {:.2} bits",
        test.outcome,
        percent(test.outcome_prior),
        -test.outcome_prior.log2()
    ));
    let outside = test.terms.iter().filter(|line| !(0.1..=0.9).contains(&line.quantile)).count();
    let expected = 0.2 * test.terms.len() as f64;
    table.note(format!(
        "{outside} of {} terms came outside their 80 % interval, where {expected:.1} were to be expected",
        test.terms.len()
    ));
    table
}
