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
