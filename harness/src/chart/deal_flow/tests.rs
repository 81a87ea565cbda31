use super::*;
use crate::chart::testing::deal;
use crate::chart::theme::tests::assert_sound;

#[test]
fn a_row_of_the_table_is_a_mark_of_the_figure() {
    let (scenario, worked, analysis) = deal();
    let flow = series(&scenario, &worked, &analysis).expect("a course");
    let course = &flow.course;
    assert_eq!(course.quarters.len(), scenario.quarters as usize);
    assert!(course.commitments.iter().any(|line| line.of_the_deal));
    let figure = figure(&flow).expect("drawn");
    assert_sound(&figure.svg);
    assert_eq!(figure.table.csv().lines().count(), 1 + course.quarters.len() * (course.commitments.len() + 1));
    assert!(figure.alt.contains("the market $") && figure.svg.contains(" GW"), "{}", figure.alt);
}

#[test]
fn where_nothing_is_paid_there_is_nothing_to_draw() {
    let (scenario, worked, analysis) = deal();
    let mut flow = series(&scenario, &worked, &analysis).expect("a course");
    flow.course.commitments.clear();
    flow.course.market_paid.fill(0.0);
    // Drawn none the less, it has an axis of its own and no column.
    assert_sound(&figure(&flow).expect("drawn").svg);
}
