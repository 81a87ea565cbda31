use super::*;
use crate::chart::testing::deal;
use crate::chart::theme::tests::assert_sound;

#[test]
fn every_draw_is_in_one_bin_of_all_and_of_its_state() {
    let (_, worked, analysis) = deal();
    let npv = series(&worked, &analysis).expect("draws");
    let total = |strip: &Strip| strip.counts.iter().sum::<usize>();
    assert_eq!((npv.strips[0].state, total(&npv.strips[0])), (None, 500));
    assert_eq!(npv.strips[1..].iter().map(total).sum::<usize>(), 500);
    for (strip, line) in npv.strips[1..].iter().zip(analysis.states.iter().filter(|line| line.buyer_npv.is_some())) {
        assert_eq!((strip.state, strip.percentiles.n), (Some(line.state), total(strip)));
        assert!((strip.share - line.share).abs() < 1e-12);
    }
    let figure = figure(&npv).expect("drawn");
    assert_sound(&figure.svg);
    assert!(figure.alt.contains("all draws (100 %): median"), "{}", figure.alt);
}

#[test]
fn bins_are_equal_and_the_outermost_hold_the_tails() {
    let draws: Vec<(Closing, f64)> = (0..=1000).map(|i| (Closing::Signed, f64::from(i))).collect();
    let edges = edges(&draws).expect("draws");
    // Between the quantiles at 2 and 98 %: 20 and 980.
    assert_eq!((edges.len(), edges[0], edges[BINS]), (BINS + 1, 20.0, 980.0));
    assert_eq!(
        [bin(&edges, -1e9), bin(&edges, 20.0), bin(&edges, 979.9), bin(&edges, 1e9)],
        [0, 0, BINS - 1, BINS - 1]
    );
}

#[test]
fn draws_that_are_all_the_same_have_a_width() {
    let same = |npv: f64| edges(&[(Closing::Dead, npv); 9]).expect("draws");
    assert!(same(0.0)[BINS] == 1.0 && same(-5e9)[BINS] == 0.0);
    assert_eq!(edges(&[]), None);
}
