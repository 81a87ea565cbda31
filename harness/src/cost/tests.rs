use super::testing::{limits, suite};
use super::*;
use crate::catalogue::Precision;
use crate::record::{Kind, Status};
use crate::units::{Share, UsdPerHour};

pub(crate) fn request() -> CostRequest {
    CostRequest {
        models: vec![testing::model("llama-3.1-8b")],
        targets: Vec::new(),
        price: None,
        workload: Workload { weights: Precision::F32, kv: Precision::F32, ..testing::workload() },
        utilisation: Share(0.5),
        availability: Share(1.0),
        machine: None,
        deployment: None,
        prompts_on: None,
        speculation: None,
        engine: None,
        slo: None,
        at: None,
        terms: Terms::LISTED,
    }
}

pub(crate) fn in_bf16(targets: &[&str]) -> CostRequest {
    let base = request();
    let targets = targets.iter().map(|name| (*name).to_string()).collect();
    CostRequest {
        targets,
        workload: Workload { weights: Precision::Bf16, kv: Precision::Bf16, ..base.workload },
        ..base
    }
}

pub(crate) fn cost(request: &CostRequest, rows: &[Row]) -> Vec<CostLine> {
    let catalogue = Catalogue::embedded().expect("valid");
    price(request, &catalogue, rows, &limits("cpu")).expect("a legal request")
}

#[test]
fn a_measured_machine_is_costed_from_its_rows() {
    let request = CostRequest { targets: vec!["cpu".into()], ..request() };
    let lines = cost(&request, &suite("cpu"));
    let [line] = lines.as_slice() else { panic!("one line, not {}", lines.len()) };
    let speed = line.speed.as_ref().expect("all kernels are in reach");
    assert!(speed.output_tokens_per_s.kinds.contains(Provenance::Measured));
    assert_eq!(speed.output_tokens_per_s.weakest(), Provenance::Estimated);
    assert_eq!((line.threads, line.chips), (Some(2), Some(1)));
    let spend = line.spend.as_ref().expect("a CPU always has a stand-in price");
    assert!(spend.usd_per_m_output.low.0 > 0.0 && spend.usd_per_m_output.high.0.is_finite());
    assert_eq!(spend.usd_per_m_output.weakest(), Provenance::Assumed);
}

#[test]
fn software_simulated_fake_and_wrong_rows_never_enter_a_cost() {
    for kind in [Kind::Software, Kind::Simulated, Kind::Fake] {
        let rows: Vec<Row> = suite("cpu").into_iter().map(|row| Row { kind, ..row }).collect();
        assert!(cost(&request(), &rows).iter().all(|line| line.target != "cpu"), "{kind:?}");
    }
    let wrong: Vec<Row> = suite("cpu").into_iter().map(|row| Row { status: Status::Wrong, ..row }).collect();
    assert!(cost(&request(), &wrong).iter().all(|line| line.target != "cpu"));
    // A thousand times faster fake rows beside real ones change nothing.
    let only_cpu = CostRequest { targets: vec!["cpu".into()], ..request() };
    let faster = |row: Row| Row { kind: Kind::Fake, median_s: row.median_s.map(|t| t / 1e3), ..row };
    let mixed: Vec<Row> = suite("cpu").into_iter().chain(suite("cpu").into_iter().map(faster)).collect();
    assert_eq!(cost(&only_cpu, &mixed), cost(&only_cpu, &suite("cpu")));
}

#[test]
fn a_dtype_that_was_not_measured_is_a_reason_and_not_a_number() {
    let lines = cost(&in_bf16(&["cpu"]), &suite("cpu"));
    assert!(lines[0].speed.is_none() && lines[0].spend.is_none());
    let reason = lines[0].reason.as_deref().expect("a reason");
    assert!(reason.contains("farthing run --op") && reason.contains("--dtype bf16"), "{reason}");
}

#[test]
fn a_peer_without_attention_is_passed_over_where_another_can_serve() {
    let mut rows = suite("cpu");
    rows.push(testing::timed(testing::row("openblas", "matmul", "64x64x64"), 1e-5));
    assert!(cost(&request(), &rows).iter().all(|line| line.target != "openblas"));
}

#[test]
fn a_chip_without_a_price_keeps_its_speed_and_says_why() {
    let line = cost(&in_bf16(&["trainium3"]), &[]).remove(0);
    assert!(line.speed.is_some() && line.spend.is_none());
    assert!(line.reason.as_deref().is_some_and(|reason| reason.contains("--price")));
    let priced = cost(&CostRequest { price: Some(UsdPerHour(3.0)), ..in_bf16(&["trainium3"]) }, &[]).remove(0);
    let price = priced.price.expect("the user's");
    assert_eq!((price.usd_per_hour.mid, price.usd_per_hour.weakest()), (UsdPerHour(3.0), Provenance::Assumed));
    assert!(priced.spend.is_some());
}

#[test]
fn a_chip_without_published_figures_keeps_its_line_and_says_why() {
    let line = cost(&in_bf16(&["openai-jalapeno"]), &[]).remove(0);
    assert!(line.speed.is_none() && line.spend.is_none());
    assert!(line.reason.as_deref().is_some_and(|reason| reason.starts_with("no peak, memory or bandwidth")));
}

#[test]
fn every_architecture_is_costed_where_it_fits() {
    for id in ["mixtral-8x7b", "gpt-oss-120b", "qwen3-235b-a22b", "deepseek-v3"] {
        let request = CostRequest { models: vec![testing::model(id)], ..in_bf16(&["gb200"]) };
        let line = cost(&request, &[]).remove(0);
        let speed = line.speed.unwrap_or_else(|| panic!("{id}: {:?}", line.reason));
        assert!(speed.tpot_s.low.0 < speed.tpot_s.mid.0 && speed.tpot_s.mid.0 < speed.tpot_s.high.0, "{id}");
    }
}

#[test]
fn a_deployment_is_taken_as_asked_or_refused_by_degree() {
    let eight = Deployment { expert: 8, ..Deployment::tensor_parallel(8) };
    let request = CostRequest {
        models: vec![testing::model("deepseek-v3")],
        deployment: Some(eight),
        workload: Workload { weights: Precision::Fp8, ..testing::workload() },
        ..in_bf16(&["h200"])
    };
    let line = cost(&request, &[]).remove(0);
    assert_eq!((line.chips, line.deployment), (Some(8), Some(eight)));
    let catalogue = Catalogue::embedded().expect("valid");
    let three = CostRequest { deployment: Some(Deployment::tensor_parallel(3)), ..request };
    let error = price(&three, &catalogue, &[], &[]).expect_err("3 does not divide 128").to_string();
    assert!(error.contains("tensor parallelism = 3 does not divide the 128 query heads"), "{error}");
}

#[test]
fn an_h100_serves_llama_8b_at_a_plausible_speed() {
    let speed = cost(&in_bf16(&["h100"]), &[]).remove(0).speed.expect("it fits");
    // Reading 15 GB of weights alone takes 4.5 ms at 3.35 TB/s; published servers need 10 to 20 ms at 64 sequences.
    assert!((0.005..0.025).contains(&speed.tpot_s.mid.0), "{:?}", speed.tpot_s);
    assert_eq!(speed.tpot_s.weakest(), Provenance::Estimated);
}

#[test]
fn unknown_names_are_refused_with_the_nearest() {
    let catalogue = Catalogue::embedded().expect("valid");
    let ask = |request: &CostRequest| price(request, &catalogue, &[], &[]).expect_err("unknown").to_string();
    let chip = ask(&in_bf16(&["h10"]));
    assert!(chip.contains("did you mean `h100`?") && chip.contains("trainium2"), "{chip}");
}

#[test]
fn numbers_out_of_range_are_refused_by_name() {
    let catalogue = Catalogue::embedded().expect("valid");
    let ask = |request: CostRequest| price(&request, &catalogue, &[], &[]).expect_err("refused").to_string();
    for x in [-1.0, 0.0, f64::NAN, 1.5, f64::INFINITY] {
        let text = ask(CostRequest { utilisation: Share(x), ..request() });
        assert!(text.starts_with("utilisation is "), "{text}");
        assert!(ask(CostRequest { availability: Share(x), ..request() }).starts_with("availability is "));
    }
    for x in [-1.0, 0.0, f64::NAN, f64::INFINITY] {
        assert!(ask(CostRequest { price: Some(UsdPerHour(x)), ..request() }).starts_with("price is "));
    }
    let idle = Workload { concurrency: 0, ..request().workload };
    assert_eq!(ask(CostRequest { workload: idle, ..request() }), "concurrency is 0; give a whole number above 0");
}

#[test]
fn a_malformed_row_is_an_error_that_names_it() {
    let catalogue = Catalogue::embedded().expect("valid");
    let mut rows = suite("cpu");
    rows[0].shape = "1x4096".into();
    let error = price(&request(), &catalogue, &rows, &limits("cpu")).expect_err("malformed").to_string();
    assert!(error.contains(&rows[0].id) && error.contains("1x4096"), "{error}");
}

#[test]
fn too_little_memory_is_told_and_makes_the_speed_an_assumption() {
    let machine = Machine { cpu: "AMD EPYC".into(), memory_bytes: Some(16_000_000_000) };
    let request = CostRequest { targets: vec!["cpu".into()], machine: Some(machine), ..request() };
    let line = cost(&request, &suite("cpu")).remove(0);
    // 32.1 GB of weights in f32 and 64 · 1536 · 262,144 B = 25.8 GB of cache.
    assert_eq!(line.notes, ["needs 58 GB and has 16 GB: the cost of a part of a larger machine of the same speed"]);
    assert_eq!(line.speed.expect("costed all the same").output_tokens_per_s.weakest(), Provenance::Assumed);
}

#[test]
fn a_measured_accelerator_is_priced_by_its_name() {
    let catalogue = Catalogue::embedded().expect("valid");
    let device = "NVIDIA H200";
    let on_gpu = |row: Row| Row { device: device.into(), threads: None, ..row };
    let rows: Vec<Row> = suite("gpu").into_iter().map(on_gpu).collect();
    let limits: Vec<MeasuredLimit> =
        limits("gpu").into_iter().map(|limit| MeasuredLimit { device: device.into(), ..limit }).collect();
    let request = CostRequest { targets: vec!["gpu".into()], ..request() };
    let line = price(&request, &catalogue, &rows, &limits).expect("a legal request").remove(0);
    // p5en.48xlarge: 63.296 $/h for 8 chips.
    assert!((line.price.expect("listed").usd_per_hour.mid.0 - 7.912).abs() < 1e-12);
    let unknown: Vec<Row> = rows.into_iter().map(|row| Row { device: "Some GPU".into(), ..row }).collect();
    let limits: Vec<MeasuredLimit> =
        limits.into_iter().map(|limit| MeasuredLimit { device: "Some GPU".into(), ..limit }).collect();
    let line = price(&request, &catalogue, &unknown, &limits).expect("a legal request").remove(0);
    assert!(line.speed.is_some() && line.spend.is_none());
    assert_eq!(line.reason.as_deref(), Some("no price of `Some GPU` is known: give one with --price"));
}

/// DeepSeek-V3 in fp8 on so many chips with a copy of attention each, experts spread under them and 32 held twice, both
/// halves of a batch in turns; prompts on 32 chips alike.
fn wide(chip: &str, chips: u32, [input, output, per_chip]: [u32; 3]) -> CostRequest {
    let on = |chips: u32| Deployment {
        attention_data: chips,
        expert: chips,
        redundant: if 256 % chips == 0 { chips } else { 32 },
        overlap: true,
        ..Deployment::tensor_parallel(1)
    };
    CostRequest {
        models: vec![testing::model("deepseek-v3")],
        deployment: Some(on(chips)),
        prompts_on: Some(on(32)),
        workload: Workload {
            input_tokens: input,
            output_tokens: output,
            concurrency: per_chip * chips,
            weights: Precision::Fp8,
            ..testing::workload()
        },
        utilisation: Share(1.0),
        ..in_bf16(&[chip])
    }
}

/// Tokens a second and node of eight: those that give answers, and those that take in prompts.
fn per_node(request: &CostRequest) -> [f64; 2] {
    let line = cost(request, &[]).remove(0);
    let speed = line.speed.unwrap_or_else(|| panic!("{:?}", line.reason));
    let prompts = line.prompts.expect("apart").chips();
    let answers = f64::from(line.chips.expect("placed"));
    [speed.output_tokens_per_s.mid.0 / answers * 8.0, speed.input_tokens_per_s.mid.0 / prompts * 8.0]
}

/// Nothing of these runs went into the model (sources: the documentation of the cost model).
#[test]
fn published_wide_deployments_are_met_within_what_the_documentation_says() {
    let off = |found: f64, published: f64| found / published - 1.0;
    // SGLang on H100, 72 chips, 256 sequences each at 2000 positions: 22 282 tokens a second and node.
    let sglang = wide("h100", 72, [1950, 100, 256]);
    assert!(off(per_node(&sglang)[0], 22_282.0).abs() < 0.25);
    // The same with exchanges in the open: 1.255 times less.
    let open = sglang.deployment.map(|deployment| Deployment { overlap: false, ..deployment });
    let open = CostRequest { deployment: open, ..sglang };
    assert!(off(per_node(&open)[0], 22_282.0 / 1.255).abs() < 0.05);
    // DeepSeek's own profile on H800: 128 chips, 128 sequences each at 4096; prompts of 4096 on 32 chips.
    let [answers, prompts] = per_node(&wide("h800", 128, [4000, 192, 128]));
    assert!(off(answers, 18_598.0).abs() < 0.16 && off(prompts, 62_713.0).abs() < 0.06, "{answers} {prompts}");
}

/// MLPerf Inference 5.1, offline: output tokens a second and chip, prompts of assumed lengths.
#[test]
fn published_offline_results_are_met_within_what_the_documentation_says() {
    let per_chip = |model: &str, chip: &str, weights, ranks: u32, [input, output, concurrency]: [u32; 3]| {
        let request = CostRequest {
            models: vec![testing::model(model)],
            engine: Some("trtllm".into()),
            deployment: Some(Deployment::tensor_parallel(ranks)),
            workload: Workload {
                input_tokens: input,
                output_tokens: output,
                concurrency,
                weights,
                kv: Precision::Fp8,
                ..testing::workload()
            },
            ..in_bf16(&[chip])
        };
        let line = cost(&request, &[]).remove(0);
        line.speed.unwrap_or_else(|| panic!("{:?}", line.reason)).output_tokens_per_s.mid.0 / f64::from(ranks)
    };
    for (found, published, within) in [
        (per_chip("llama-2-70b", "h200", Precision::Fp8, 1, [300, 293, 1024]), 4380.0, 0.2),
        (per_chip("llama-2-70b", "b200", Precision::Nvfp4, 1, [300, 273, 2048]), 12_691.0, 0.05),
        (per_chip("llama-2-70b", "mi325x", Precision::Fp8, 1, [300, 300, 2048]), 4315.0, 0.15),
        (per_chip("llama-3.1-405b", "gb300", Precision::Nvfp4, 4, [9400, 630, 256]), 223.7, 0.05),
    ] {
        assert!((found / published - 1.0f64).abs() < within, "{found} against {published}");
    }
}

#[test]
fn prompts_apart_are_paid_with_the_rest() {
    let priced = CostRequest { price: Some(UsdPerHour(2.0)), ..wide("h800", 128, [4000, 192, 128]) };
    let line = cost(&priced, &[]).remove(0);
    let speed = line.speed.expect("placed");
    let (prompts, price) = (line.prompts.expect("apart"), line.price.expect("given"));
    assert!((price.units - 128.0 - prompts.chips()).abs() < 1e-9 && prompts.replicas > 1.0);
    let spend = line.spend.expect("priced");
    // Dollars an hour of all chips, over the requests of an hour.
    let requests_per_hour = speed.output_tokens_per_s.mid.0 / 192.0 * 3600.0;
    assert!((spend.usd_per_request.mid.0 * requests_per_hour / (2.0 * price.units) - 1.0).abs() < 1e-9);
    // Input pays for the chips of prompts, output for the others.
    let input = spend.usd_per_m_input.mid.0 / 1e6 * 4000.0 * requests_per_hour;
    assert!((input / (2.0 * prompts.chips()) - 1.0).abs() < 1e-9, "{input}");
}

#[test]
fn what_no_link_and_no_network_joins_is_refused() {
    let reason = |request: &CostRequest| cost(request, &[]).remove(0).reason.expect("refused");
    let text = reason(&wide("mi300x", 72, [2000, 100, 64]));
    assert!(text.contains("72 of mi300x are more than the 8 that share a link"), "{text}");
    // Eight that answer and 32 for prompts exchange caches.
    let few = CostRequest { deployment: Some(Deployment::tensor_parallel(8)), ..wide("mi300x", 8, [2000, 100, 64]) };
    assert!(reason(&few).contains("40 of mi300x"), "{}", reason(&few));
    // One chip for prompts does not hold the experts.
    let small = CostRequest { prompts_on: Some(Deployment::tensor_parallel(1)), ..wide("h800", 128, [2000, 100, 64]) };
    assert!(reason(&small).contains("does not fit h800"), "{}", reason(&small));
}

#[test]
fn drafts_change_the_speed_and_are_told() {
    let drafts = |drafted, acceptance, draft| Speculation { drafted, acceptance: Share(acceptance), draft };
    let asked = |speculation| CostRequest {
        models: vec![testing::model("llama-3.1-70b")],
        workload: Workload { concurrency: 4, ..testing::workload() },
        speculation,
        ..in_bf16(&["h200"])
    };
    let line = |speculation| cost(&asked(Some(speculation)), &[]).remove(0);
    let tpot = |line: &CostLine| line.speed.as_ref().expect("placed").tpot_s.mid.0;
    let plain = cost(&asked(None), &[]).remove(0);
    let small = Box::new(testing::model("llama-3.1-8b"));
    let drafted = line(drafts(3, 0.8, Draft::Model(small)));
    assert!(tpot(&drafted) < 0.8 * tpot(&plain), "{} {}", tpot(&drafted), tpot(&plain));
    assert!(drafted.notes.iter().any(|note| note.contains("by llama-3.1-8b") && note.contains("2.95 tokens a step")));
    assert_eq!(drafted.speed.as_ref().expect("placed").tpot_s.weakest(), Provenance::Assumed);
    // A layer is a small part of eighty; nothing is cheaper than looking up.
    let (layer, lookup) = (line(drafts(3, 0.8, Draft::Layer)), line(drafts(3, 0.8, Draft::Lookup)));
    assert!(tpot(&lookup) < tpot(&layer) && tpot(&layer) < tpot(&drafted));
    let catalogue = Catalogue::embedded().expect("valid");
    let refused =
        |speculation| price(&asked(Some(speculation)), &catalogue, &[], &[]).expect_err("refused").to_string();
    assert_eq!(refused(drafts(0, 0.8, Draft::Layer)), "tokens drafted is 0; give 1 to 32");
    assert_eq!(refused(drafts(3, 1.2, Draft::Layer)), "acceptance is 1.2; give a probability from 0 to 1");
    // A deployment that is chosen suits the model that drafts; one that is asked for must.
    let on_trainium = |deployment| CostRequest {
        targets: vec!["trainium2".into()],
        deployment,
        ..asked(Some(drafts(3, 0.8, Draft::Model(Box::new(testing::model("llama-3.1-8b"))))))
    };
    assert!(cost(&on_trainium(None), &[]).remove(0).speed.is_some());
    let sixteen = price(&on_trainium(Some(Deployment::tensor_parallel(16))), &catalogue, &[], &[]);
    let error = sixteen.expect_err("64 devices, 32 heads").to_string();
    assert!(error.contains("do not divide the 32 query heads"), "{error}");
    // A measured machine drafts too.
    let machine = CostRequest { speculation: Some(drafts(3, 0.8, Draft::Lookup)), ..request() };
    let of_rows = cost(&CostRequest { targets: vec!["cpu".into()], ..machine }, &suite("cpu")).remove(0);
    assert!(of_rows.speed.is_some() && of_rows.notes.iter().any(|note| note.contains("by looking them up")));
}

#[test]
fn lengths_that_differ_cost_more_than_their_mean() {
    let spread = serving::Spread { input: 1.0, output: 1.0, joint: 0.3 };
    let asked = |spread| CostRequest { workload: Workload { spread, ..in_bf16(&[]).workload }, ..in_bf16(&["h100"]) };
    let rate = |spread| cost(&asked(spread), &[]).remove(0).speed.expect("placed").output_tokens_per_s.mid.0;
    assert!(rate(spread) < rate(serving::Spread::NONE));
    let catalogue = Catalogue::embedded().expect("valid");
    let refused = |spread| price(&asked(spread), &catalogue, &[], &[]).expect_err("refused").to_string();
    assert!(refused(serving::Spread { input: -1.0, ..spread }).starts_with("input spread is -1"));
    assert!(refused(serving::Spread { output: f64::NAN, ..spread }).starts_with("output spread is NaN"));
    assert!(refused(serving::Spread { joint: 2.0, ..spread }).starts_with("joint spread is 2"));
}
