//! `farthing deal` as an analyst meets it.

use std::path::Path;
use std::process::{Command, Output};

/// The command's words with few draws: what is tested is not how well they have settled.
fn deal(words: &[&str]) -> Output {
    let few = if ["list", "check", "show", "schema"].contains(&words[0]) { &[][..] } else { &["--draws", "500"] };
    Command::new(env!("CARGO_BIN_EXE_farthing")).arg("deal").args(words).args(few).output().expect("the command starts")
}

fn text(words: &[&str]) -> String {
    let output = deal(words);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), stderr.as_ref()), (Some(0), ""), "{words:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The command refuses with this status, says this, and prints no answer.
fn refused(words: &[&str], code: i32, says: &[&str]) {
    let output = deal(words);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{words:?}: {stderr}");
    for part in says {
        assert!(stderr.contains(part), "{words:?}: `{part}` is missing from: {stderr}");
    }
    assert!(output.stdout.is_empty() && !stderr.contains("panicked"), "{words:?}: {stderr}");
}

fn json(words: &[&str]) -> Vec<serde_json::Value> {
    text(words).lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn file(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    std::fs::write(&path, text).expect("written");
    path.display().to_string()
}

#[test]
fn shipped_scenarios_are_listed_check_clean_and_can_be_shown() {
    let list = text(&["list"]);
    for id in ["openai-aws-2025-12", "openai-aws-2026-02", "openai-amd-2025-10", "anthropic-google-2025-10"] {
        assert!(list.contains(id), "{id} in {list}");
    }
    assert!(text(&["check"]).contains("10 scenarios checked: 0 errors, 0 warnings"));
    // What is shown can be saved and answered.
    let dir = tempfile::tempdir().expect("a folder");
    let own = file(dir.path(), "own.toml", &text(&["show", "openai-aws-2025-11"]));
    assert!(text(&[&own]).contains("effective price of a useful chip-hour"));
}

#[test]
fn a_deal_is_answered_in_every_format_with_the_kinds_it_rests_on() {
    let table = text(&["openai-aws-2026-02"]);
    for part in [
        "Trainium at AWS (deal)",
        "discount to tie",
        "circularity 2.00",
        "Cheapest mix",
        "stranded commitment",
        "compute only",
        "rank correlation",
        "press+assumed",
        "equity is in none of the prices",
        "a quarter's delay",
    ] {
        assert!(table.contains(part), "{part} in {table}");
    }
    assert!(text(&["openai-aws-2026-02", "--format", "md"]).contains("| answer | central |"));
    assert!(text(&["openai-aws-2026-02", "--format", "csv"]).starts_with("answer,central,"));
    let [analysis] = &json(&["openai-aws-2026-02", "--format", "json"])[..] else { panic!("one line") };
    assert_eq!(analysis["answers"][0]["answer"], "effective_price");
    assert!(analysis["answers"][0]["draws"]["p50"].as_f64().is_some_and(|price| price > 0.0));
    assert!(analysis["answers"][0]["rests_on"].as_array().is_some_and(|kinds| kinds.contains(&"press".into())));
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_one_thread_and_on_two() {
    let on = |threads: &str| text(&["openai-amd-2025-10", "--format", "json", "--seed", "7", "--threads", threads]);
    assert_eq!(on("1"), on("2"));
    assert_ne!(on("1"), text(&["openai-amd-2025-10", "--format", "json", "--seed", "8", "--threads", "1"]));
}

#[test]
fn values_are_set_and_swept_in_the_unit_of_the_file() {
    let circularity =
        |analysis: &serde_json::Value| analysis["investors"][0]["circularity"].as_f64().expect("a number");
    let set = json(&["openai-aws-2026-02", "--set", "compute.aws-trainium.spend=200", "--format", "json"]);
    assert!((circularity(&set[0]) - 4.0).abs() < 1e-9);
    let swept = json(&["openai-aws-2026-02", "--sweep", "compute.aws-trainium.spend=50:150:3", "--format", "json"]);
    let values: Vec<f64> = swept.iter().map(|point| circularity(&point["analysis"])).collect();
    assert!(values.iter().zip([1.0, 2.0, 3.0]).all(|(value, wanted)| (value - wanted).abs() < 1e-9), "{values:?}");
    let table = text(&["openai-aws-2026-02", "--sweep", "compute.aws-trainium.spend=50:150:3"]);
    assert!(table.contains("compute.aws-trainium.spend") && table.contains("effective price"), "{table}");
}

#[test]
fn scenarios_are_compared_explained_and_held_against_what_came() {
    let beside = text(&["openai-aws-2025-12", "--compare", "openai-aws-2026-02"]);
    assert!(beside.contains("prior of `signed`") && beside.contains("tokens under the deal"), "{beside}");
    let explained = text(&["explain", "openai-aws-2026-02"]);
    for part in [
        "PV of useful chip-hours",
        "Bills under aws-trainium",
        "cash for first",
        "compute.aws-trainium.spend",
        "Amazon 8-K",
    ] {
        assert!(explained.contains(part), "{part} in {explained}");
    }
    let test = text(&["backtest"]);
    for part in ["compute.aws-trainium.spend", "it closed as `signed`", "80 % interval"] {
        assert!(test.contains(part), "{part} in {test}");
    }
}

#[test]
fn nonsense_is_named_and_nothing_is_computed() {
    refused(&["no-such-deal"], 2, &["no scenario `no-such-deal`", "openai-aws-2026-02"]);
    refused(
        &["openai-aws-2026-02", "--set", "compute.aws-trainium.spend=much"],
        2,
        &["`much` is no number (in USD bn)"],
    );
    refused(&["openai-aws-2026-02", "--set", "spend"], 2, &["is no key=value"]);
    refused(&["openai-aws-2026-02", "--set", "compute.aws.spend=1"], 2, &["there is no `aws`"]);
    refused(&["openai-aws-2026-02", "--set", "state.0.prior=0.5"], 2, &["nothing was computed", "the priors sum to"]);
    refused(&["openai-aws-2026-02", "--set", "utilisation=1.5"], 2, &["utilisation", "give 0 to 1"]);
    refused(&["openai-aws-2026-02", "--sweep", "utilisation=0.1:0.9"], 2, &["is no KEY=A:B:N"]);
    refused(&["openai-aws-2026-02", "--threads", "0"], 2, &["0 is not in 1..=1024"]);
    refused(&["openai-aws-2026-02", "--catalogue", "/nowhere"], 2, &["no catalogue file in /nowhere"]);
    refused(&["backtest", "openai-aws-2025-12", "openai-oracle-2025-09"], 2, &["has no `outcome`"]);
    let dir = tempfile::tempdir().expect("a folder");
    let broken = file(dir.path(), "broken.toml", "schema = 1\nid = ");
    refused(&[&broken], 2, &["broken.toml", "line 2"]);
    let cut = &text(&["show", "openai-aws-2026-02"])[..4000];
    refused(&[&file(dir.path(), "cut.toml", cut)], 2, &["cut.toml"]);
    let foreign = text(&["show", "openai-aws-2026-02"]).replace("USD bn", "EUR bn");
    refused(&[&file(dir.path(), "foreign.toml", &foreign)], 2, &["unit `EUR bn` does not measure an amount of money"]);
}

#[test]
fn a_check_reports_every_error_and_fails() {
    let dir = tempfile::tempdir().expect("a folder");
    let wrong = text(&["show", "openai-aws-2026-02"]).replace("chip = \"gb200\"", "chip = \"gb2000\"");
    let output = deal(&["check", &file(dir.path(), "wrong.toml", &wrong)]);
    let table = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(table.matches("did you mean `gb200`?").count() == 4, "{table}");
}
