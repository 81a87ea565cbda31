use super::*;

fn round(log_ratio: f64) -> Round {
    Round {
        log_ratio,
        samples_s: [vec![1.0, 3.0], vec![2.0, 4.0]],
        launches: [1, 1],
        lowered: ["a".to_owned(), "b".to_owned()],
    }
}

#[test]
fn a_race_is_the_centre_of_its_rounds_and_their_signed_ranks() {
    // Twelve rounds: the interval is from the 14th of 78 averages to the 65th, and the twelve averages with a round that
    // was disturbed are outside of it.
    let logs = [0.05, 0.02, 0.03, 0.04, 0.03, 0.03, 0.02, 0.04, 0.03, 0.03, 0.03, 5.0];
    let outcome = outcome(&logs.map(round)).expect("an outcome");
    assert!((outcome.ratio.ln() - 0.03).abs() < 0.005, "{}", outcome.ratio.ln());
    assert!((outcome.interval[0].ln() - 0.025).abs() < 1e-12 && outcome.interval[1].ln() <= 0.05, "{outcome:?}");
    assert_eq!((outcome.medians_s, outcome.n_pairs, outcome.n_rounds), ([2.0, 3.0], 24, 12));
    assert_eq!(outcome.verdict(0.01), Verdict::Slower);
    assert_eq!([outcome.verdict(0.03), outcome.verdict(0.06)], [Verdict::Unclear, Verdict::Same]);
}

#[test]
fn too_few_rounds_and_times_of_zero_have_no_outcome() {
    assert!(outcome(&[round(0.0), round(0.0)]).is_err());
    assert!(outcome(&[0.0; 8].map(|log: f64| round(log.ln()))).is_err());
}
