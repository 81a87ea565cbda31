use super::*;
use clap::Parser;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    chart: ChartArgs,
}

fn drawn(words: &[&str], dir: &std::path::Path) -> Result<String, CliError> {
    let cli = Cli::try_parse_from(["chart"].iter().chain(words)).map_err(|error| CliError::Usage(error.to_string()))?;
    let mut out = Vec::new();
    run(&cli.chart, &Results::at(dir), &mut out)?;
    Ok(String::from_utf8(out).expect("paths"))
}

fn nowhere() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

#[test]
fn costs_and_deals_need_no_run() {
    let dir = nowhere();
    let out = dir.path().join("out").display().to_string();
    let words =
        ["--figure", "cost,pareto,ties,tornado", "--cost", "--model llama-3.1-8b", "--draws", "100", "--out", &out];
    let text = drawn(&words, dir.path()).expect("drawn");
    assert_eq!(text.lines().count(), 4, "{text}");
    for file in ["cost_stack.svg", "pareto.svg", "ties.svg", "tornado.svg"] {
        assert!(dir.path().join("out").join(file).is_file(), "{file}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let dir = nowhere();
    for (words, part) in [
        (vec!["--figure", "cost,npv", "--out", "one.svg"], "one file for 2 figures"),
        (vec!["--figure", "sketch"], "sketch"),
        (vec!["--figure", "cost", "--cost", "--model 'x"], "a quote is not closed"),
        (vec!["--figure", "cost", "--cost", "--model x"], "unknown model `x`"),
        (vec!["--figure", "npv", "--scenario", "no-deal"], "no-deal"),
        (vec!["--figure", "roofline"], "no runs in"),
    ] {
        let error = drawn(&words, dir.path()).expect_err(part).to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn an_id_is_no_path() {
    let path = default_path("../../etc/passwd", &Results::at("results"), "npv");
    assert_eq!(path, PathBuf::from("results/charts/.._.._etc_passwd-npv.svg"));
}
