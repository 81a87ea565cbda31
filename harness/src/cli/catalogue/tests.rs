use super::*;
use clap::Parser;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    catalogue: CatalogueArgs,
}

fn output(words: &[&str]) -> Result<String, CliError> {
    let cli = Cli::try_parse_from(["catalogue"].iter().chain(words)).expect("words of the command");
    let mut out = Vec::new();
    run(&cli.catalogue, &mut out)?;
    Ok(String::from_utf8(out).expect("text"))
}

#[test]
fn a_chip_shows_unit_source_date_and_kind_of_each_figure_and_its_prices() {
    let text = output(&["show", "h100", "--format", "csv"]).expect("known");
    let line =
        |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start} in {text}"));
    assert!(
        line("h100,bandwidth,3.35,TB/s,published,2026-04-03,").contains("inferencex,\"SemiAnalysisAI/InferenceX-app")
    );
    assert!(line("h100,all_in_power,1.73,kW,estimated,2026-04-03,").contains("InferenceX-app"));
    let price = "h100,\"price: AWS p5.48xlarge on-demand, the default\",55.04,USD/h / 8 chips,published,2026-07-20,";
    assert!(line(price).contains("AWS price list"));
}

#[test]
fn a_model_shows_what_it_is_made_of_and_what_follows() {
    let text = output(&["show", "deepseek-ai/DeepSeek-R1", "gpt-oss-120b"]).expect("known");
    // The terminal shows the id of a source in the row and its title once, below.
    assert_eq!(text.matches("public config.json of each model").count(), 2, "{text}");
    for part in ["deepseek-v3", "kv rank", "671.025", "37.551", "35136", "layers with a window", "116.789"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn every_entry_is_shown_in_every_format_and_json_can_be_read() {
    for format in ["table", "md", "csv", "json"] {
        let text = output(&["show", "--format", format]).expect(format);
        for part in ["h800", "openai-jalapeno", "qwen3-235b-a22b", "aws-c8i"] {
            assert!(text.contains(part), "{part} in {format}");
        }
        let list = output(&["list", "--format", format]).expect(format);
        assert!(list.contains("tpu7x") && list.contains("openai/gpt-oss-20b"), "{list}");
    }
    for line in output(&["show", "h100", "--format", "json"]).expect("known").lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("JSON");
    }
}

#[test]
fn an_unknown_entry_is_refused_with_the_nearest() {
    let error = output(&["show", "h10"]).expect_err("unknown").to_string();
    assert!(error.contains("unknown entry `h10`") && error.contains("did you mean `h100`?"), "{error}");
}

#[test]
fn check_fails_on_an_error_after_printing_all() {
    assert!(output(&["check"]).expect("the built-in catalogue is sound").contains("0 errors"));
    let dir = tempfile::tempdir().expect("a temporary folder");
    let prices = include_str!("../../../catalogue/prices.toml").replacen("value = 55.04", "value = 700.0", 1);
    std::fs::write(dir.path().join("prices.toml"), prices).expect("written");
    let words = ["check", "--catalogue", &dir.path().display().to_string()];
    assert!(matches!(output(&words), Err(CliError::Failed(message)) if message == "1 errors in the catalogue"));
}
