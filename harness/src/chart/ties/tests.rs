use super::*;
use crate::chart::theme::tests::assert_sound;
use crate::cost::testing::workload;
use crate::cost::{self, CostRequest};

fn ties(targets: &[&str], reference: Option<&str>) -> Result<Ties, ChartError> {
    let catalogue = Catalogue::embedded().expect("valid");
    let targets = targets.iter().map(|target| (*target).to_string()).collect();
    let request = CostRequest { targets, workload: workload(), ..cost::tests::request() };
    let lines = cost::price(&request, &catalogue, &[], &[]).expect("legal");
    series(&request, &catalogue, &lines, reference)
}

#[test]
fn at_the_tie_both_chips_cost_the_same_a_token() {
    let ties = ties(&["h100", "b200"], Some("h100")).expect("two chips");
    assert_eq!((ties.panels.len(), ties.reference.as_str()), (1, "NVIDIA H100 SXM"));
    let tie = ties.panels[0].at(ties.reference_usd);
    let catalogue = Catalogue::embedded().expect("valid");
    let cost_at = |chip: &str, usd: f64| {
        let request = CostRequest {
            targets: vec![chip.into()],
            price: Some(crate::units::UsdPerHour(usd)),
            workload: workload(),
            ..cost::tests::request()
        };
        let line = cost::price(&request, &catalogue, &[], &[]).expect("legal").remove(0);
        line.spend.expect("priced").usd_per_request.mid.0
    };
    assert!((cost_at("b200", tie) / cost_at("h100", ties.reference_usd) - 1.0).abs() < 1e-9);
    let [mid, low, high] = ties.panels[0].slope;
    assert!(low < mid && mid < high);
}

#[test]
fn swapping_the_chips_turns_the_slope_over() {
    let slope = |reference| ties(&["h100", "b200"], Some(reference)).expect("two chips").panels[0].slope[0];
    assert!((slope("h100") * slope("b200") - 1.0).abs() < 1e-12);
}

#[test]
fn one_chip_ties_with_nothing() {
    assert!(matches!(ties(&["h100"], None), Err(ChartError::Empty(_))));
    assert!(matches!(ties(&["h100", "b200"], Some("h200")), Err(ChartError::Empty(_))));
}

#[test]
fn every_chip_of_the_catalogue_is_sound() {
    let mut all = ties(&[], None).expect("many chips");
    all.panels[0].chip = "<script>\u{1b}".repeat(70);
    let figure = figure(&all).expect("drawn");
    assert_sound(&figure.svg);
    let prices: usize = all.panels.iter().map(|tie| tie.prices.len()).sum();
    assert_eq!(figure.table.csv().lines().count(), 1 + prices);
    assert!(figure.alt.starts_with("llama-3.1-8b: of "), "{}", figure.alt);
}
