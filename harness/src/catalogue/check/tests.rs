use super::*;
use crate::finding::{Finding, Severity};

/// Findings on the embedded files after one text in one of them is replaced.
fn with(file: &str, old: &str, new: &str) -> Findings {
    let mut texts = embedded_texts();
    let (_, text) = texts.iter_mut().find(|(name, _)| name == file).expect("a file of the catalogue");
    assert!(text.contains(old), "{old} is not in {file}");
    *text = text.replacen(old, new, 1);
    findings(texts)
}

fn errors(findings: &Findings) -> Vec<String> {
    findings.0.iter().filter(|finding| finding.severity == Severity::Error).map(ToString::to_string).collect()
}

#[test]
fn the_embedded_catalogue_has_no_error_and_warns_of_undated_sources_alone() {
    let findings = check(None).expect("embedded files are readable");
    assert_eq!(errors(&findings), [""; 0]);
    assert!(findings.0.iter().all(|finding| finding.message.contains("n/d") || finding.message.contains("no date")));
}

#[test]
fn what_is_written_wrong_is_found_by_path() {
    for (file, old, new, path, part) in [
        (
            "chips.toml",
            "value = 3.35, unit = \"TB/s\", ",
            "value = 3.35, ",
            "chips.toml: h100.bandwidth",
            "has no unit",
        ),
        (
            "chips.toml",
            "unit = \"TB/s\", source = \"inferencex\" }",
            "unit = \"TB/s\" }",
            "h100.bandwidth",
            "no source",
        ),
        ("chips.toml", "unit = \"TB/s\", source = \"inferencex\"", "unit = \"TB/s\", source = \"x\"", "h100", "`x`"),
        ("chips.toml", "unit = \"TB/s\"", "unit = \"parsec\"", "h100.bandwidth", "has the unit `parsec`"),
        ("chips.toml", "id = \"h200\"", "id = \"h100\"", "h100", "this id twice"),
        ("models.toml", "kind = \"published\"", "kind = \"certain\"", "hf-configs.kind", "is `certain`"),
        ("models.toml", "date = \"2026-08\"", "date = \"August\"", "hf-configs.date", "is `August`"),
        ("prices.toml", "chips = 8", "chips = 8\nextra = 1.5", "h100.extra", "bare number"),
        ("serving.toml", "[[profile]]", "[[profile", "serving.toml", "not valid TOML"),
        (
            "serving.toml",
            "[[profile]]\nid = \"vllm\"",
            "[[profile]]\nid = \"cpus\"",
            "h100.profile",
            "serving.toml lacks",
        ),
    ] {
        let found = with(file, old, new);
        let hit = |finding: &Finding| finding.path.contains(path) && finding.to_string().contains(part);
        assert!(found.0.iter().any(hit), "{path}, {part} in {found}");
        assert!(found.n_errors() > 0, "{found}");
    }
}

#[test]
fn a_source_that_nothing_cites_is_warned_of() {
    let more = "[[source]]\nid = \"idle\"\ntitle = \"t\"\ndate = \"2026\"\nkind = \"press\"\n\n[[model]]";
    let found = with("models.toml", "[[model]]", more);
    assert!(found.0.iter().any(|finding| finding.path == "models.toml: idle"), "{found}");
    assert_eq!(errors(&found), [""; 0]);
}

#[test]
fn known_traps_are_errors() {
    let trainium2 = "memory = { value = 96, unit = \"GiB\"";
    for (file, old, new, path, part) in [
        // The sparse peak of H100, as many pages quote it.
        ("chips.toml", "fp8 = { value = 1979,", "fp8 = { value = 3958,", "h100.fp8", "sparse peak"),
        ("chips.toml", "fp4 = { value = 9000,", "fp4 = { value = 18000,", "b200.fp4", "sparse peak"),
        // EC2's interface: 524,288 MiB.
        ("chips.toml", trainium2, "memory = { value = 512, unit = \"GiB\"", "trainium2.memory", "in one package"),
        // Third-party pages: 800 GB/s.
        ("chips.toml", "value = 2.9, unit = \"TB/s\"", "value = 800, unit = \"GB/s\"", "trainium2.bandwidth", "ms"),
        ("chips.toml", "tdp = { value = 700, unit = \"W\"", "tdp = { value = 700, unit = \"kW\"", "h100.tdp", "unit"),
        ("chips.toml", "value = 1.73, unit = \"kW\"", "value = 173, unit = \"W\"", "h100.all_in_power", "less than"),
        // SkyPilot's sentinel, and its rows by TensorCore.
        ("prices.toml", "value = 10.80,", "value = 700.0,", "tpu-v6e", "is 700"),
        ("prices.toml", "chips = 2432", "chips = 9000", "tpu-v5p", "9000 chips"),
        ("prices.toml", "chips = 16", "chips = 32", "trainium1", "cores"),
        ("prices.toml", "chips = 8\ndefault", "chips = 192\ndefault", "h100", "virtual CPUs"),
        ("prices.toml", "value = 9.08,", "value = 908,", "gb200", "outside 0.1 to 100"),
        ("prices.toml", "chips = 8\ndefault = true", "chips = 8", "h100.default", "mark one"),
        ("models.toml", "dense = { width = 14336 }", "dense = { width = 28672 }", "llama-3.1-8b", "a field is wrong"),
        ("models.toml", "\"deepseek-r1\"", "\"mixtral-8x7b\"", "deepseek-v3", "and so is mixtral-8x7b"),
        ("chips.toml", "id = \"openai-jalapeno\"", "id = \"h100\"", "h100", "announced and a chip"),
    ] {
        let found = with(file, old, new);
        let hit = |error: &String| error.contains(path) && error.contains(part);
        assert!(errors(&found).iter().any(hit), "{path}, {part} in {found}");
    }
}

#[test]
fn gigabytes_written_as_gibibytes_are_warned_of() {
    let found = with("chips.toml", "value = 141, unit = \"GB\"", "value = 141, unit = \"GiB\"");
    assert!(found.0.iter().any(|finding| finding.path == "h200.memory" && finding.message.contains("is it GB?")));
}

#[test]
fn an_error_of_one_file_hides_none_of_another() {
    let mut texts = embedded_texts();
    texts[0].1 = texts[0].1.replacen("unit = \"TB/s\"", "unit = \"\"", 1);
    texts[2].1 = texts[2].1.replacen("kind = \"published\"", "kind = \"\"", 1);
    let found = findings(texts).to_string();
    assert!(found.contains("h100.bandwidth") && found.contains("hf-configs.kind"), "{found}");
}

#[test]
fn an_empty_folder_is_no_catalogue() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    assert!(matches!(check(Some(dir.path())), Err(CatalogueError::Empty { .. })));
}
