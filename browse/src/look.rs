//! What is asked of every page: no error, no foreign request, no breach of its policy, room at both widths, access for
//! all, and a small weight.

use crate::pages::Page;
use crate::tab::{Chromium, Tab};
use crate::tally::Tally;
use anyhow::Context;
use std::path::Path;

/// A phone and a desk.
const WIDTHS: [u32; 2] = [360, 1440];
/// Most bytes of a page.
const MAX_BYTES: u64 = 1_000_000;

/// axe-core, which checks a page against WCAG.
pub(crate) struct Axe(String);

impl Axe {
    pub(crate) fn read(path: &Path) -> anyhow::Result<Axe> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        anyhow::ensure!(text.contains("axe"), "{} is no axe-core", path.display());
        Ok(Axe(text))
    }

    /// Serious and critical violations of WCAG 2, levels A and AA: rule, how often, the first place. axe must have
    /// applied rules, or it checked nothing.
    fn violations(&self, tab: &Tab) -> anyhow::Result<Vec<String>> {
        let run = "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa'], resultTypes: ['violations'] }).then((r) => \
             ({ applied: r.passes.length, wrong: r.violations.filter((v) => ['serious', 'critical'].includes(v.impact)) \
             .map((v) => `${v.id} × ${v.nodes.length}: ${v.nodes[0].html.slice(0, 120)}: \
             ${v.nodes[0].any.concat(v.nodes[0].all).map((c) => c.message).join('; ').slice(0, 200)}`) }))";
        if !tab.ask::<bool>("typeof axe === 'object'")? {
            tab.ask::<serde_json::Value>(&format!("{}\n;true", self.0))?;
        }
        #[derive(serde::Deserialize)]
        struct Found {
            applied: usize,
            wrong: Vec<String>,
        }
        let found: Found = tab.ask(run)?;
        anyhow::ensure!(found.applied > 0, "axe-core applied no rule");
        Ok(found.wrong)
    }
}

/// Opens a page and asks all of it.
pub(crate) fn check(chromium: &Chromium, page: &Page, axe: &Axe, shot: &Path, tally: &mut Tally) {
    let address = page.address();
    let tab = match chromium.open(&address) {
        Ok(tab) => tab,
        Err(error) => return tally.check(&address, "opens", Err(format!("{error:#}"))),
    };
    tally.check(&address, "has a heading", heading(&tab));
    for width in WIDTHS {
        tally.check(&address, &format!("fits {width} px"), fits(&tab, width, shot));
    }
    for scheme in ["light", "dark"] {
        let found = tab.prefer(scheme).and_then(|()| axe.violations(&tab));
        tally.check(&address, &format!("axe-core, {scheme}"), none(found));
    }
    tally.check(&address, "keeps its policy", none(tab.violations()));
    let seen = tab.seen();
    tally.check(&address, "no error, no dialog", none(Ok(seen.errors)));
    let foreign =
        seen.requests.into_iter().filter(|asked| !asked.starts_with(&page.origin) && !asked.starts_with("data:"));
    tally.check(&address, "asks nobody else", none(Ok(foreign.collect())));
    tally.check(&address, "is small", is_small(&tab, page));
}

fn heading(tab: &Tab) -> Result<(), String> {
    match tab.ask::<usize>("document.querySelectorAll('main h1').length") {
        Ok(1) => Ok(()),
        Ok(n) => Err(format!("{n} headings of the first level")),
        Err(error) => Err(format!("{error:#}")),
    }
}

/// No part of the page lies beside the viewport; what does, by its tag and class, else.
fn fits(tab: &Tab, width: u32, shot: &Path) -> Result<(), String> {
    let measured = || -> anyhow::Result<(u32, Vec<String>)> {
        tab.widen(width)?;
        tab.shoot(
            &shot.with_file_name(format!("{}-{width}.png", shot.file_name().unwrap_or_default().to_string_lossy())),
        )?;
        let wide = tab.ask("document.documentElement.scrollWidth")?;
        let culprits = "[...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > innerWidth \
             && e.closest('.scroll, .plot') === null).slice(0, 3).map((e) => `${e.tagName}.${e.className}`)";
        Ok((wide, tab.ask(culprits)?))
    };
    match measured() {
        Ok((wide, _)) if wide <= width => Ok(()),
        Ok((wide, culprits)) => Err(format!("{wide} px wide, for {}", culprits.join(", "))),
        Err(error) => Err(format!("{error:#}")),
    }
}

fn none(found: anyhow::Result<Vec<String>>) -> Result<(), String> {
    match found {
        Ok(found) if found.is_empty() => Ok(()),
        Ok(found) => Err(found.join(" | ").chars().take(1500).collect()),
        Err(error) => Err(format!("{error:#}")),
    }
}

fn is_small(tab: &Tab, page: &Page) -> Result<(), String> {
    let rendered = || tab.ask("new TextEncoder().encode(document.documentElement.outerHTML).length");
    match page.n_bytes.map_or_else(rendered, Ok) {
        Ok(n_bytes) if n_bytes < MAX_BYTES => Ok(()),
        Ok(n_bytes) => Err(format!("{n_bytes} bytes")),
        Err(error) => Err(format!("{error:#}")),
    }
}
