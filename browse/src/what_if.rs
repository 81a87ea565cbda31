//! The explorer: a change of a field changes figures and address, and a reload brings both back.

use crate::tab::{Chromium, Tab};
use crate::tally::Tally;
use anyhow::ensure;
use serde::Deserialize;

const PAGE: &str = "explore?chip=h100&chip=b200&price=2";

/// What can be seen of the explorer.
#[derive(Debug, PartialEq, Deserialize)]
struct State {
    address: String,
    figures: String,
    price: String,
    invalid: Option<String>,
    problem: String,
}

pub(crate) fn check(chromium: &Chromium, live: &str, tally: &mut Tally) {
    let address = format!("{live}/{PAGE}");
    let tab = match chromium.open(&address) {
        Ok(tab) => tab,
        Err(error) => return tally.check(&address, "opens", Err(format!("{error:#}"))),
    };
    let mut check =
        |asked, found: anyhow::Result<()>| tally.check(&address, asked, found.map_err(|e| format!("{e:#}")));
    check("a field changes figures and address", changes(&tab));
    check("a reload restores fields, figures and address", restores(&tab));
    check("a bad value is told beside its field, and mended", refuses(&tab));
    check("no error, no dialog", quiet(&tab));
}

fn state(tab: &Tab) -> anyhow::Result<State> {
    tab.ask(
        "({ address: location.href, figures: document.getElementById('costs')?.tBodies[0].textContent ?? '', \
         price: document.getElementById('price').value, invalid: document.getElementById('price').getAttribute('aria-invalid'), \
         problem: document.getElementById('price-problem').textContent })",
    )
}

/// Writes a price as a user does: the field, then the event.
fn write(tab: &Tab, price: &str) -> anyhow::Result<()> {
    tab.ask::<Option<bool>>(&format!(
        "(() => {{ const field = document.getElementById('price'); field.focus(); field.value = '{price}'; \
         field.dispatchEvent(new Event('input', {{ bubbles: true }})); return null; }})()"
    ))?;
    Ok(())
}

fn changes(tab: &Tab) -> anyhow::Result<()> {
    let before = state(tab)?;
    ensure!(!before.figures.is_empty(), "no figures before the change");
    write(tab, "4")?;
    tab.wait("new URLSearchParams(location.search).get('price') === '4'", "the address to change")?;
    let old = serde_json::to_string(&before.figures)?;
    tab.wait(&format!("document.getElementById('costs')?.tBodies[0].textContent !== {old}"), "the figures to change")?;
    let focus: String = tab.ask("document.activeElement.id")?;
    ensure!(focus == "price", "the focus went to `{focus}`");
    let told: String = tab.ask("document.getElementById('status').textContent")?;
    ensure!(told.contains("computed in"), "the status says `{told}`");
    Ok(())
}

fn restores(tab: &Tab) -> anyhow::Result<()> {
    let before = state(tab)?;
    tab.reload()?;
    let after = state(tab)?;
    ensure!(before == after, "{before:?} became {after:?}");
    ensure!(after.price == "4", "the price is `{}`", after.price);
    let ticked: Vec<String> =
        tab.ask("[...document.querySelectorAll('input[name=chip]:checked')].map((t) => t.value)")?;
    ensure!(ticked == ["h100", "b200"] || ticked == ["b200", "h100"], "ticked: {ticked:?}");
    Ok(())
}

fn refuses(tab: &Tab) -> anyhow::Result<()> {
    write(tab, "-1")?;
    tab.wait("document.getElementById('price').getAttribute('aria-invalid') === 'true'", "the field to be marked")?;
    let bad = state(tab)?;
    ensure!(bad.problem.contains("price is -1") && bad.problem.contains("above 0"), "it says `{}`", bad.problem);
    ensure!(bad.figures.is_empty(), "figures stand beside a problem");
    write(tab, "3")?;
    tab.wait("document.getElementById('costs') !== null", "the figures to come back")?;
    let good = state(tab)?;
    ensure!(good.invalid.is_none() && good.problem.is_empty(), "still marked: {good:?}");
    Ok(())
}

fn quiet(tab: &Tab) -> anyhow::Result<()> {
    let errors = [tab.seen().errors, tab.violations()?].concat();
    ensure!(errors.is_empty(), "{}", errors.join(" | "));
    Ok(())
}
