//! A click on a column's name sorts the table.

use crate::tab::{Chromium, Tab};
use crate::tally::Tally;
use anyhow::ensure;

/// A page with a table that sorts, in every site.
const PAGE: &str = "cost.html";

pub(crate) fn check(chromium: &Chromium, base: &str, tally: &mut Tally) {
    let address = format!("{base}/{PAGE}");
    let sorted = chromium.open(&address).and_then(|tab| sorts(&tab));
    tally.check(&address, "sorts by a click", sorted.map_err(|error| format!("{error:#}")));
}

/// Clicks every sortable column of the first table with several rows, twice: the two orders are each other's reverse
/// as far as keys differ, the column says which way, and at least one click changed what stood there.
fn sorts(tab: &Tab) -> anyhow::Result<()> {
    let columns: usize = tab.ask(
        "globalThis.__table = [...document.querySelectorAll('table.sortable')].find((t) => t.tBodies[0].rows.length > 2); \
         globalThis.__table?.querySelectorAll('thead button').length ?? 0",
    )?;
    ensure!(columns > 0, "no table with more than two rows has a button in its head");
    let before = order(tab, 0)?;
    let mut has_changed = false;
    for column in 0..columns {
        let up = click(tab, column, "ascending")?;
        let down = click(tab, column, "descending")?;
        has_changed |= up != before || down != before;
        ensure!(is_ascending(&up) && is_descending(&down), "column {column}: {up:?} up and {down:?} down");
    }
    ensure!(has_changed, "no click changed the order of rows");
    Ok(())
}

/// Clicks a column's button; its cells in their new order.
fn click(tab: &Tab, column: usize, way: &str) -> anyhow::Result<Vec<String>> {
    tab.ask::<Option<bool>>(&format!("__table.querySelectorAll('thead button')[{column}].click(), null"))?;
    let told: Option<String> =
        tab.ask(&format!("__table.querySelectorAll('thead th')[{column}].getAttribute('aria-sort')"))?;
    ensure!(told.as_deref() == Some(way), "column {column} says {told:?} and not {way}");
    order(tab, column)
}

fn order(tab: &Tab, column: usize) -> anyhow::Result<Vec<String>> {
    tab.ask(&format!(
        "[...__table.tBodies[0].rows].map((r) => r.cells[{column}].dataset.v ?? r.cells[{column}].textContent.trim())"
    ))
}

/// Numbers ascend; of words the browser's own collation decides, so only numbers are held to an order here.
fn is_ascending(keys: &[String]) -> bool {
    let numbers = numbers(keys);
    numbers.windows(2).all(|pair| pair[0] <= pair[1])
}

fn is_descending(keys: &[String]) -> bool {
    let numbers = numbers(keys);
    numbers.windows(2).all(|pair| pair[0] >= pair[1])
}

/// The numbers of a column in which all that is not empty is a number; else none.
fn numbers(keys: &[String]) -> Vec<f64> {
    let filled = keys.iter().filter(|key| !key.is_empty() && *key != "–");
    filled.map(|key| key.parse().ok()).collect::<Option<Vec<f64>>>().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_told_apart_and_gaps_count_for_nothing() {
        let keys = |words: &[&str]| words.iter().map(|word| (*word).to_string()).collect::<Vec<_>>();
        assert!(is_ascending(&keys(&["2", "10", "–", ""])) && !is_descending(&keys(&["2", "10"])));
        assert!(!is_ascending(&keys(&["10", "2"])) && is_descending(&keys(&["10", "2", "–"])));
    }
}
