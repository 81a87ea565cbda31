use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::catalogue::Catalogue;
use crate::deal::Options;
use crate::store::Results;

fn committed() -> Results {
    Results::at(Path::new(env!("CARGO_MANIFEST_DIR")).join("../results"))
}

fn source(results: &Results) -> Source {
    let catalogue = Catalogue::embedded().expect("valid");
    let runs = Runs::read(results).expect("readable");
    Source::new(runs, catalogue, Options { draws: 500, seed: 1 }).expect("priced and answered")
}

fn pages(site: &Site) -> impl Iterator<Item = (&str, &str)> {
    let html = site.files.iter().filter(|(_, file)| file.media == HTML);
    html.map(|(path, file)| (path.as_str(), std::str::from_utf8(&file.bytes).expect("text")))
}

/// Values of an attribute in a page.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let mark = format!(" {attribute}=\"");
    page.split(&mark).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn every_link_leads_to_a_page_and_every_anchor_to_a_place() {
    let site = Site::build(&source(&committed()), false).expect("a site");
    let ids: BTreeSet<(String, String)> = pages(&site)
        .flat_map(|(path, page)| values(page, "id").into_iter().map(move |id| (path.to_string(), id.to_string())))
        .collect();
    let mut n_links = 0;
    for (path, page) in pages(&site) {
        let unique: BTreeSet<&str> = values(page, "id").into_iter().collect();
        assert_eq!(unique.len(), values(page, "id").len(), "{path}: an id is used twice");
        for link in values(page, "href").into_iter().filter(|link| !link.starts_with("data:")) {
            let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
            let target = if file.is_empty() { path.to_string() } else { resolved(path, file) };
            assert!(site.files.contains_key(&target), "{path}: {link} leads nowhere");
            if let Some(anchor) = anchor {
                assert!(ids.contains(&(target, anchor.to_string())), "{path}: {link} names no place");
            }
            n_links += 1;
        }
    }
    assert!(n_links > 1000, "{n_links}");
}

fn resolved(from: &str, link: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// By what a page shows: a row of a run is a row of tables and a mark in figures.
fn assert_small(path: &str, page: &str) {
    let n_rows = page.matches("<tr").count();
    assert!(page.len() < 300_000 + 1_000 * n_rows, "{path}: {} bytes, {n_rows} rows", page.len());
}

#[test]
fn pages_are_whole_small_and_have_one_heading_first() {
    let site = Site::build(&source(&committed()), false).expect("a site");
    for (path, page) in pages(&site) {
        assert_small(path, page);
        assert!(page.contains("<html lang=\"en\">") && page.contains("Content-Security-Policy"), "{path}");
        let body = page.split("<main").nth(1).expect("a main part");
        let first = body.split("<h").nth(1).expect("a heading");
        assert!(first.starts_with("1>"), "{path}: begins with h{}", &first[..1]);
        assert_eq!(body.matches("<h1").count(), 1, "{path}");
        for outside in [" src=\"", "url(", "@import", " style=\"", " onclick=", "javascript:"] {
            assert!(!page.contains(outside), "{path}: {outside}");
        }
    }
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let source = source(&committed());
    assert_eq!(Site::build(&source, false).expect("a site"), Site::build(&source, false).expect("a site"));
}

/// A copy of a committed run whose rows were changed.
/// A committed run of a few rows of a GPU, changed: rows of this machine's kernels would be priced, and a broken shape among
/// those is refused by name.
fn changed(dir: &Path, change: impl Fn(usize, &mut crate::record::Row)) -> Results {
    let run = committed().run("20261126T072928Z").expect("a run");
    let mut lines = vec![serde_json::to_string(&run.header).expect("plain data")];
    for (idx, mut row) in run.rows.into_iter().enumerate() {
        change(idx, &mut row);
        lines.push(serde_json::to_string(&row).expect("plain data"));
    }
    std::fs::create_dir_all(dir.join("runs")).expect("made");
    std::fs::write(dir.join("runs/20261126T000000Z-aa.jsonl"), lines.join("\n") + "\n").expect("written");
    Results::at(dir)
}

#[test]
fn hostile_text_is_inert_and_long_text_is_cut() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
    let results = changed(dir.path(), |idx, row| match idx {
        0 => {
            (row.device, row.backend, row.op) = (hostile.into(), hostile.into(), hostile.into());
            (row.lowered, row.id) = (hostile.into(), "../../../etc/passwd".into());
            row.reason = Some(hostile.into());
        }
        1 => row.device = "d".repeat(10_000_000),
        2 => row.id = "../../../etc/passwd".into(),
        _ => row.shape = "]]><!--".into(),
    });
    let site = Site::build(&source(&results), false).expect("a site");
    for (path, page) in pages(&site) {
        assert!(!page.contains("<script>alert") && !page.contains("<img"), "{path}");
        assert_small(path, page);
        assert!(!path.contains("..") && !path.starts_with('/'), "{path}");
    }
    assert!(pages(&site).any(|(_, page)| page.contains("&lt;script&gt;alert(1)")));
    let rows = pages(&site).filter(|(path, _)| path.starts_with("rows/")).count();
    assert!(rows >= 3, "rows of one id in one run share a page, others have their own: {rows}");
}

#[test]
fn an_empty_folder_and_a_broken_run_still_give_a_site() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let site = Site::build(&source(&Results::at(dir.path())), false).expect("a site");
    assert!(pages(&site).any(|(path, page)| path == "index.html" && page.contains("cargo bench")));
    std::fs::create_dir_all(dir.path().join("runs")).expect("made");
    std::fs::write(dir.path().join("runs/20261126T000000Z-bad.jsonl"), "no run\n").expect("written");
    let site = Site::build(&source(&Results::at(dir.path())), false).expect("a site");
    let machines = pages(&site).find(|(path, _)| *path == "machines.html").expect("there").1;
    assert!(machines.contains("20261126T000000Z-bad: unreadable"), "{machines}");
    assert!(!machines.contains(&dir.path().display().to_string()), "a path of the publisher's disk");
}
