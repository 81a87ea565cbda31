use super::*;
use crate::chart::theme::tests::assert_sound;
use crate::cost::testing::{limits, suite, workload};
use crate::cost::{self, Workload};

fn request() -> CostRequest {
    CostRequest { workload: Workload { concurrency: 8, ..workload() }, ..cost::tests::request() }
}

fn stack(request: &CostRequest, rows: &[crate::record::Row]) -> Result<CostStack, ChartError> {
    let catalogue = Catalogue::embedded().expect("valid");
    let lines = cost::price(request, &catalogue, rows, &limits("cpu")).expect("legal");
    series(request, &catalogue, &lines)
}

#[test]
fn bars_are_sorted_and_their_parts_add_up() {
    let stack = stack(&request(), &[]).expect("chips have prices");
    let bars = &stack.panels[0].bars;
    assert!(stack.panels.len() == 1 && bars.len() > 5, "{} bars", bars.len());
    for pair in bars.windows(2) {
        assert!(pair[0].split.total.mid.0 <= pair[1].split.total.mid.0);
    }
    for bar in bars {
        let sum: f64 = bar.split.parts.iter().map(|part| part.0).sum();
        assert!((sum / bar.split.total.mid.0 - 1.0).abs() < 1e-12);
    }
    assert!(stack.missing.iter().any(|why| why.contains("Trainium3")), "{:?}", stack.missing);
    assert!(stack.caption.contains("catalogue prices of 20"), "{}", stack.caption);
}

#[test]
fn measured_machines_never_share_a_panel_with_published_chips() {
    let request = cost::tests::request();
    let stack = stack(&CostRequest { workload: Workload { ..request.workload }, ..request }, &suite("cpu"));
    let stack = stack.expect("the machine has a price");
    assert!(stack.panels[0].is_measured && stack.panels[0].bars.len() == 1);
    assert!(stack.panels[1..].iter().all(|panel| !panel.is_measured));
}

#[test]
fn weak_evidence_is_hatched_and_assumed_crossed() {
    let stack = stack(&request(), &[]).expect("chips have prices");
    let split = &stack.panels[0].bars[0].split;
    assert_eq!(evidence(split.kinds(Part::Idle)), Fill::Crossed);
    assert_eq!(evidence(Provenance::Published.into()), Fill::Solid);
    assert_eq!(evidence(Provenance::Estimated.into()), Fill::Hatched);
}

#[test]
fn the_figure_is_sound_and_says_its_numbers() {
    let mut stack = stack(&request(), &[]).expect("chips have prices");
    stack.panels[0].bars[0].device = "<script>\u{1b}".repeat(60);
    let figure = figure(&stack).expect("drawn");
    assert_sound(&figure.svg);
    assert!(figure.alt.contains("llama-3.1-8b (from published peaks): from $"), "{}", figure.alt);
    assert_eq!(figure.table.csv().lines().count(), 1 + stack.panels[0].bars.len());
}

#[test]
fn without_prices_there_is_nothing_to_draw() {
    let announced = CostRequest { targets: vec!["trainium3".into()], ..request() };
    let error = stack(&announced, &[]).expect_err("no price").to_string();
    assert!(error.contains("--price"), "{error}");
}
