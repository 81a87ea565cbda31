use super::form::{Form, KEYS};
use super::*;
use crate::cost::testing::{limits, suite};
use crate::cost::{Format, Terms, Workload};
use crate::units::{Share, UsdPerHour};

fn evidence() -> Evidence {
    Evidence { rows: suite("cpu"), limits: limits("cpu"), ..Evidence::default() }
}

fn explored(query: &str) -> (Explored, Catalogue, Evidence) {
    let (catalogue, evidence) = (Catalogue::embedded().expect("valid"), evidence());
    (Explored::new(Query::parse(query), &catalogue, &evidence), catalogue, evidence)
}

fn page(query: &str) -> String {
    let (explored, catalogue, evidence) = explored(query);
    explored.page(&Frame { live: true, edition: String::new() }, &catalogue, &evidence)
}

fn problem(query: &str, key: &str) -> String {
    let (explored, ..) = explored(query);
    assert!(explored.answer.is_none(), "{query} was computed");
    explored.form.field(key).problem.clone().unwrap_or_else(|| panic!("{query}: {key} has no problem"))
}

#[test]
fn figures_are_those_of_the_cost_model_for_the_request_that_the_fields_spell() {
    let query = "model=llama-3.1-70b&precision=fp8&workload=rag&output_tokens=300&chip=h100&chip=b200&price=2.5\
                 &utilisation=0.7&availability=0.9&discount=20&replicas=3&cached=0.25&concurrency=16";
    let (explored, catalogue, evidence) = explored(query);
    let precision = crate::catalogue::Precision::Fp8;
    let request = CostRequest {
        models: vec![catalogue.model("llama-3.1-70b").expect("known").clone()],
        targets: vec!["h100".into(), "b200".into()],
        price: Some(UsdPerHour(2.5)),
        workload: Workload {
            input_tokens: 8192,
            output_tokens: 300,
            spread: cost::serving::Spread::NONE,
            concurrency: 16,
            cached: Share(0.25),
            weights: precision,
            kv: Workload::usual_kv(precision),
        },
        utilisation: Share(0.7),
        availability: Share(0.9),
        machine: None,
        deployment: None,
        prompts_on: None,
        speculation: None,
        engine: None,
        slo: None,
        at: None,
        terms: Terms { discount: Share(0.2), replicas: 3, ..Terms::LISTED },
    };
    let expected = cost::price(&request, &catalogue, &evidence.rows, &evidence.limits).expect("a legal request");
    let (asked, lines) = explored.answer.as_ref().expect("computed");
    assert_eq!((asked, lines), (&request, &expected));
    assert!(expected.iter().all(|line| line.spend.is_some()) && expected.len() == 2);
    let html = page(query);
    for line in &expected {
        let usd = line.spend.as_ref().expect("priced").usd_per_m_output.mid.0;
        assert!(html.contains(&format!("data-v=\"{usd}\"")), "{usd} is not on the page");
    }
}

#[test]
fn without_a_query_every_device_is_costed_as_the_command_does() {
    let (explored, catalogue, evidence) = explored("");
    let (request, lines) = explored.answer.as_ref().expect("defaults are legal");
    assert_eq!(lines, &cost::price(request, &catalogue, &evidence.rows, &evidence.limits).expect("legal"));
    assert_eq!((request.utilisation, request.availability), (CostRequest::UTILISATION, CostRequest::AVAILABILITY));
    assert!(lines.len() > catalogue.chips.len(), "what was measured stands beside the chips");
}

#[test]
fn a_bad_value_is_told_beside_its_field_with_the_remedy() {
    for (query, key, parts) in [
        ("price=-1", "price", ["price is -1", "finite dollars above 0"]),
        ("price=cheap", "price", ["price is `cheap`", "give dollars"]),
        ("price=NaN", "price", ["price is NaN", "give"]),
        ("input_tokens=0", "input_tokens", ["input tokens is 0", "above 0"]),
        ("output_tokens=1e3", "output_tokens", ["`1e3`", "a whole number above 0"]),
        ("concurrency=-4", "concurrency", ["`-4`", "a whole number above 0"]),
        ("concurrency=4294967296", "concurrency", ["`4294967296`", "a whole number"]),
        ("cached=1", "cached", ["cached is 1", "below 1"]),
        ("utilisation=50", "utilisation", ["utilisation is 50", "at most 1"]),
        ("availability=0", "availability", ["availability is 0", "above 0"]),
        ("discount=100", "discount", ["discount is 100 %", "below 100 %"]),
        ("floor_usd=-5", "floor_usd", ["floor usd is -5", "0 or more"]),
        ("floor_usd=1&floor_hours=1", "floor_hours", ["beside floor_usd", "one of the two"]),
        ("take_or_pay=1.5", "take_or_pay", ["take or pay is 1.5", "0 to 1"]),
        ("replicas=0", "replicas", ["replicas is 0", "above 0"]),
        ("model=llama", "model", ["unknown model `llama`", "known"]),
        ("precision=fp9", "precision", ["unknown precision `fp9`", "known"]),
        ("workload=chats", "workload", ["unknown workload `chats`", "did you mean `chat`?"]),
        ("workload=/etc/passwd.toml", "workload", ["unknown workload", "known: chat"]),
        ("chip=h10", "chip", ["unknown chip `h10`", "did you mean `h100`?"]),
        ("price=1&price=2", "price", ["given twice", "give one"]),
        ("slo=fast", "slo", ["`fast`", "ttft=2,tpot=0.05"]),
        ("slo=ttft=2&tensor=2", "slo", ["beside a deployment", "give one"]),
        ("engine=sglang", "engine", ["unknown engine `sglang`", "vllm"]),
        ("tensor=x", "tensor", ["tensor is `x`", "whole number"]),
        ("prompts_on=8", "prompts_on", ["`8` is no part of a layout", "tensor=1"]),
        ("speculate=3", "speculate", ["`3` says no drafts", "acceptance"]),
        ("speculate=tokens=3,acceptance=2", "speculate", ["acceptance is 2", "0 to 1"]),
        ("speculate=tokens=3,acceptance=0.7,draft=/etc/x.json", "speculate", ["unknown model `/etc/x.json`", "known"]),
    ] {
        let told = problem(query, key);
        assert!(parts.iter().all(|part| told.contains(part)), "{query}: {told}");
        let html = page(query);
        assert!(html.contains("Nothing was computed: 1 field"), "{query}");
        assert!(!html.contains("<table"), "{query}: figures beside a problem");
    }
}

#[test]
fn a_deployment_and_drafts_are_those_of_the_command() {
    let query = "model=deepseek-v3&precision=fp8&chip=h800&attention_data=64&expert=64&redundant_experts=64\
                 &prompts_on=attention-data%3D32,expert%3D32,redundant-experts%3D32&speculate=tokens%3D1,acceptance%3D0.85\
                 &concurrency=4096&engine=vllm";
    let (explored, ..) = explored(query);
    let (request, lines) = explored.answer.as_ref().expect("computed");
    let deployment = request.deployment.expect("given");
    assert_eq!((deployment.attention_data, deployment.expert, deployment.redundant), (64, 64, 64));
    assert_eq!(request.speculation.as_ref().map(|speculation| speculation.drafted), Some(1));
    assert!(lines[0].prompts.is_some() && lines[0].notes.iter().any(|note| note.contains("1.85 tokens a step")));
    let html = page(query);
    assert!(html.contains("--attention-data 64") && html.contains("+ ") && html.contains("for prompts"), "{html}");
    // Degrees that divide nothing are told of the whole.
    let odd = explored_problems("model=deepseek-v3&tensor=3");
    assert!(odd.iter().any(|problem| problem.contains("does not divide the 128 query heads")), "{odd:?}");
}

fn explored_problems(query: &str) -> Vec<String> {
    explored(query).0.form.all_problems().map(str::to_string).collect()
}

#[test]
fn all_problems_are_told_at_once_and_foreign_fields_too() {
    let (explored, ..) = explored("price=-1&replicas=0&discount=x&prize=2");
    assert_eq!(explored.form.n_problems(), 4);
    assert!(page("prize=2").contains("unknown field `prize`"));
    let export = export(&explored, Format::Csv).expect_err("nothing to export");
    assert_eq!(export.lines().count(), 4, "{export}");
}

#[test]
fn hostile_values_are_shown_and_do_nothing() {
    for key in KEYS.iter().chain(&["chip", "nonsense"]) {
        let value = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E%3Cimg%20src=x%20onerror=alert(1)%3E";
        let html = page(&format!("{key}={value}"));
        assert!(!html.contains("<script>alert") && !html.contains("<img"), "{key}");
    }
    let long = page(&format!("price={}", "9".repeat(20_000)));
    let problem = problem(&format!("model={}", "x".repeat(20_000)), "model");
    assert!(long.len() < 100_000 && problem.len() < 2000, "{} {}", long.len(), problem.len());
}

#[test]
fn the_page_restores_every_field_and_links_the_same_query() {
    let query = "chip=h100&chip=b200&price=3&workload=chat&discount=5";
    let html = page(query);
    for part in [
        "name=\"price\" value=\"3\"",
        "name=\"discount\" value=\"5\"",
        "<option value=\"chat\" selected>",
        "value=\"h100\" checked",
        "value=\"b200\" checked",
        "explore.csv?chip=h100&amp;chip=b200&amp;price=3&amp;workload=chat&amp;discount=5",
        "farthing cost --model llama-3.1-8b --precision bf16 --workload chat --price 3 --discount 5 --chip h100 --chip b200",
    ] {
        assert!(html.contains(part), "{part}");
    }
}

#[test]
fn an_export_is_the_command_s_own_output() {
    let (explored, ..) = explored("chip=h100&discount=10");
    let (request, lines) = explored.answer.as_ref().expect("computed");
    for format in [Format::Csv, Format::Json] {
        assert_eq!(export(&explored, format), Ok(cost::render(format, request, lines)));
    }
    let json: serde_json::Value = serde_json::from_str(&export(&explored, Format::Json).expect("json")).expect("JSON");
    assert_eq!(json["terms"]["discount"], 0.1);
}

#[test]
fn every_key_of_the_form_is_a_flag_of_the_command() {
    use clap::CommandFactory;
    #[derive(clap::Parser)]
    struct Cost {
        #[command(flatten)]
        cost: crate::cli::cost::CostArgs,
    }
    let command = Cost::command();
    let known: Vec<String> = command.get_arguments().filter_map(|a| a.get_long().map(str::to_string)).collect();
    for key in KEYS.iter().chain(&[super::form::CHIP]) {
        assert!(known.contains(&key.replace('_', "-")), "{key} in {known:?}");
    }
    assert!(Form::read(&Query::default()).n_problems() == 0);
}
