use super::*;
use crate::chart::testing::deal;
use crate::chart::theme::tests::assert_sound;

#[test]
fn the_longest_bars_are_drawn_around_the_central_case() {
    let (_, worked, analysis) = deal();
    let tornado = series(&worked, &analysis).expect("inputs with a spread");
    assert!(tornado.bars.len() == MOST && tornado.left_out == analysis.tornado.len() - MOST);
    let length = |bar: &Bar| (bar.answer[1] - bar.answer[0]).abs();
    assert!(tornado.bars.windows(2).all(|pair| length(&pair[0]) >= length(&pair[1])));
    let figure = figure(&tornado).expect("drawn");
    assert_sound(&figure.svg);
    assert!(figure.alt.contains(&tornado.bars[0].input) && figure.caption.contains("seed 1, 500 draws"));
    assert_eq!(figure.table.csv().lines().count(), 1 + MOST);
}

#[test]
fn without_spread_there_is_nothing_to_draw() {
    let (_, worked, mut analysis) = deal();
    analysis.tornado.clear();
    let error = series(&worked, &analysis).expect_err("no bar").to_string();
    assert!(error.contains("low and a high case"), "{error}");
}

#[test]
fn hostile_names_and_bars_on_one_side_are_sound() {
    let (_, worked, mut analysis) = deal();
    let base = worked.buyer_base();
    analysis.title = "<script>\u{1b}".repeat(90);
    analysis.tornado.truncate(1);
    analysis.tornado[0].input = "\u{ffff}\"<".repeat(90);
    analysis.tornado[0].answer = [base + 1e9, base + 2e9];
    assert_sound(&figure(&series(&worked, &analysis).expect("one bar")).expect("drawn").svg);
    analysis.tornado[0].answer = [f64::NAN, base];
    assert!(matches!(series(&worked, &analysis), Err(ChartError::Empty(_))));
}
