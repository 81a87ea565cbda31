use super::*;
use crate::chart::theme::tests::assert_sound;
use crate::cost::testing::workload;

fn request(targets: &[&str]) -> CostRequest {
    let targets = targets.iter().map(|target| (*target).to_string()).collect();
    CostRequest { targets, workload: workload(), ..cost::tests::request() }
}

#[test]
fn a_line_trades_speed_for_money_point_by_point() {
    let catalogue = Catalogue::embedded().expect("valid");
    let pareto = series(&request(&["h100", "b200"]), &catalogue).expect("priced");
    assert_eq!(pareto.panels[0].lines.len(), 2);
    for line in &pareto.panels[0].lines {
        for pair in line.points.windows(2) {
            assert!(pair[0].tokens_per_s_per_user > pair[1].tokens_per_s_per_user);
            assert!(pair[0].usd_per_m > pair[1].usd_per_m);
        }
    }
    // By hand: the price of an hour over the tokens of an hour.
    let request = request(&["h100"]);
    let chip = catalogue.chip("h100").expect("known");
    let price = request.chip_hour(&catalogue, chip).expect("priced").0;
    let frontier = cost::frontiers(&request, &catalogue).expect("legal").remove(0).2.expect("fits");
    let by_hand = price / (3600.0 * frontier[0].tokens_per_s_per_chip) * 1e6;
    assert!((pareto.panels[0].lines[0].points[0].usd_per_m / by_hand - 1.0).abs() < 1e-12);
}

#[test]
fn what_has_no_line_is_told() {
    let catalogue = Catalogue::embedded().expect("valid");
    let models = vec![cost::testing::model("llama-3.1-70b")];
    let request = CostRequest { models, ..request(&["inferentia2", "h100"]) };
    let pareto = series(&request, &catalogue).expect("one holds it");
    assert!(pareto.missing.iter().any(|why| why.contains("llama-3.1-70b on AWS Inferentia2")), "{:?}", pareto.missing);
    let alone = CostRequest { targets: vec!["inferentia2".into()], ..request };
    assert!(matches!(series(&alone, &catalogue), Err(ChartError::Empty(_))));
    let unknown = CostRequest { targets: vec!["h10".into()], ..alone };
    assert!(matches!(series(&unknown, &catalogue), Err(ChartError::Cost(_))));
}

#[test]
fn every_chip_together_is_sound() {
    let catalogue = Catalogue::embedded().expect("valid");
    let mut pareto = series(&request(&[]), &catalogue).expect("priced");
    pareto.panels[0].lines[0].chip = "<&>\u{0}".repeat(100);
    let figure = figure(&pareto).expect("drawn");
    assert_sound(&figure.svg);
    let points: usize = pareto.panels[0].lines.iter().map(|line| line.points.len()).sum();
    assert_eq!(figure.table.csv().lines().count(), 1 + points);
    assert!(figure.alt.contains("llama-3.1-8b: cheapest $"), "{}", figure.alt);
}
