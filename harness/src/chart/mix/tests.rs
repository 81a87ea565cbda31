use super::*;
use crate::chart::testing::deal;
use crate::chart::theme::tests::assert_sound;

#[test]
fn shares_are_those_of_the_mix_and_the_deal_comes_first() {
    let (scenario, _, analysis) = deal();
    let mix = series(&scenario, &analysis).expect("a mix");
    let all = analysis.mix.as_ref().expect("a mix");
    assert!(mix.years.len() == all.years && mix.sellers.iter().all(|seller| seller.share.len() == all.years));
    for year in 0..all.years {
        let sum: f64 = mix.sellers.iter().map(|seller| seller.share[year]).sum();
        assert!((sum - 1.0).abs() < 1e-9, "year {year} adds up to {sum}");
    }
    let first_other = mix.sellers.iter().position(|seller| !seller.of_the_deal).unwrap_or(mix.sellers.len());
    assert!(mix.sellers[first_other..].iter().all(|seller| !seller.of_the_deal));
    let figure = figure(&mix).expect("drawn");
    assert_sound(&figure.svg);
    assert_eq!(figure.table.csv().lines().count(), 1 + mix.sellers.len() * all.years);
}

#[test]
fn without_a_mix_there_is_nothing_to_draw() {
    let (scenario, _, mut analysis) = deal();
    analysis.mix = None;
    assert!(series(&scenario, &analysis).expect_err("no mix").to_string().contains("names what conflicts"));
}

#[test]
fn hostile_sellers_are_sound() {
    let (scenario, _, mut analysis) = deal();
    analysis.mix.iter_mut().flat_map(|mix| &mut mix.sellers).for_each(|line| line.seller = "<\u{1b}>".repeat(80));
    assert_sound(&figure(&series(&scenario, &analysis).expect("a mix")).expect("drawn").svg);
}
