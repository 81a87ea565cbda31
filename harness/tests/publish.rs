//! `farthing publish` as its users call it.

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;

fn farthing(args: &[&str]) -> Output {
    let mut command = Command::cargo_bin("farthing").expect("built");
    command.args(args).output().expect("run")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A results folder with a copy of the committed runs.
fn results(dir: &Path) -> String {
    let runs = dir.join("results/runs");
    std::fs::create_dir_all(&runs).expect("made");
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/runs")).expect("committed") {
        let path = entry.expect("an entry").path();
        std::fs::copy(&path, runs.join(path.file_name().expect("a name"))).expect("copied");
    }
    dir.join("results").display().to_string()
}

#[test]
fn a_site_a_badge_and_a_table_are_written_and_named() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| dir.path().join(name).display().to_string();
    let (results, site, badge, table) = (results(dir.path()), at("site"), at("badge.svg"), at("best.md"));
    let args =
        ["publish", "--results", &results, "--out", &site, "--badge", &badge, "--markdown", &table, "--draws", "200"];
    let output = farthing(&args);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("index.html"), "{}", text(&output.stdout));
    let index = std::fs::read_to_string(dir.path().join("results/README.md")).expect("regenerated");
    assert!(index.contains("# Runs"));
    let svg = std::fs::read_to_string(&badge).expect("written");
    assert!(svg.starts_with("<svg xmlns=") && svg.contains(" % of "), "{svg}");
    let table = std::fs::read_to_string(&table).expect("written");
    assert!(table.contains("| kernel | dtype |") && table.contains("| attention |"), "{table}");
    for page in ["index.html", "kernels/matmul.html", "cost.html", "deals/openai-aws-2026-02.html", "data/rows.csv"] {
        assert!(Path::new(&site).join(page).is_file(), "{page}");
    }
}

#[test]
fn what_cannot_be_published_is_refused_by_name() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let results = results(dir.path());
    for words in [&["publish", "--results", &results][..], &["publish", "--results", &results, "--draws", "300"]] {
        let output = farthing(words);
        assert_eq!(output.status.code(), Some(2), "nothing to write");
        assert!(text(&output.stderr).contains("--out"), "{}", text(&output.stderr));
    }

    std::fs::write(dir.path().join("mine"), "").expect("written");
    let folder = dir.path().display().to_string();
    let output = farthing(&["publish", "--results", &results, "--out", &folder, "--draws", "200"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no site of ours"), "{}", text(&output.stderr));
    assert!(dir.path().join("mine").exists());

    let badge = dir.path().join("badge.svg").display().to_string();
    let output = farthing(&["publish", "--results", &results, "--badge", &badge, "--row", "zz", "--draws", "200"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("no row `zz`"), "{}", text(&output.stderr));
    assert!(!Path::new(&badge).exists());
}
