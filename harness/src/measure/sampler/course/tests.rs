use super::super::tests::{Bench, FakeLaunch, Rising};
use super::*;

/// Visits until the course is over, with a second of other work between two visits; what was recorded and how many visits.
fn course(bench: &Bench, subjects: &mut [FakeLaunch]) -> (Vec<Result<Recording, Failure>>, usize) {
    let mut course = Course::new(subjects.len(), Budget::default());
    while !course.is_over() {
        course.visit(subjects, &bench.clock, &|| false);
        bench.pass(1.0);
    }
    let visits = course.visits();
    (course.recordings().into_iter().map(|r| r.expect("nothing stopped it")).collect(), visits)
}

#[test]
fn equal_samples_are_known_well_after_the_least_visits() {
    let bench = Bench::new();
    let (mut recordings, visits) = course(&bench, &mut [bench.launch('a', 1e-6, 0.0, None)]);
    let recording = recordings.remove(0).expect("samples");
    assert_eq!((visits, recording.visits.clone()), (LEAST_VISITS, vec![SAMPLES; LEAST_VISITS]));
    assert!(recording.launches as f64 * 1e-6 >= Budget::default().sample_s);
    let summary = recording.summary().expect("finite");
    assert!(summary.ci95.is_some_and(|[low, high]| high - low < 1e-12));
    // Each visit warms up again, and its launches count as time.
    assert!(recording.launching_s.is_some_and(|s| s >= (LEAST_VISITS * (SAMPLES + 1)) as f64 * 0.003));
}

#[test]
fn what_changes_between_visits_is_visited_to_the_most_and_stands_in_the_interval() {
    let bench = Bench::new();
    let mut subjects = [bench.launch('a', 1e-4, 0.0, None)];
    let mut course = Course::new(1, Budget::default());
    while !course.is_over() {
        // Another machine in each second visit, as where a neighbour comes and goes.
        subjects[0].cost_s = if course.visits().is_multiple_of(2) { 1e-4 } else { 1.3e-4 };
        course.visit(&mut subjects, &bench.clock, &|| false);
    }
    assert_eq!(course.visits(), MOST_VISITS);
    let recording = course.recordings().remove(0).expect("over").expect("samples");
    let [low, high] = recording.summary().expect("finite").ci95.expect("twelve visits");
    assert!((low - 1e-4).abs() < 1e-9 && (high - 1.3e-4).abs() < 1e-9, "{low} {high}");
}

#[test]
fn a_slow_launch_ends_with_its_time() {
    let bench = Bench::new();
    let (mut recordings, visits) = course(&bench, &mut [bench.launch('a', 0.9, 0.01, None)]);
    let recording = recordings.remove(0).expect("samples");
    assert_eq!((recording.launches, recording.visits, visits), (1, vec![1; LEAST_SAMPLES], LEAST_SAMPLES));
    // At 0.15 s a launch there is time for six visits and none for warming up again.
    let (mut recordings, _) = course(&bench, &mut [bench.launch('a', 0.15, 0.0, None)]);
    assert_eq!(recordings.remove(0).expect("samples").visits, [2, 1, 1, 1, 1, 1]);
}

#[test]
fn subjects_take_turns_within_a_visit() {
    let bench = Bench::new();
    course(&bench, &mut [bench.launch('a', 0.01, 0.0, None), bench.launch('b', 0.01, 0.0, None)]);
    let turns: String = bench.log.borrow().iter().map(|(name, _)| *name).collect();
    assert_eq!(turns, "ab".repeat((SAMPLES + 1) * LEAST_VISITS));
}

#[test]
fn one_failure_does_not_stop_the_other() {
    let bench = Bench::new();
    let mut subjects = [bench.launch('a', 0.01, 0.0, Some(9)), bench.launch('b', 0.01, 0.0, None)];
    let (recordings, visits) = course(&bench, &mut subjects);
    assert_eq!(visits, LEAST_VISITS);
    assert!(recordings[0].is_err() && recordings[1].as_ref().is_ok_and(|r| r.visits.len() == LEAST_VISITS));
}

#[test]
fn a_visit_that_is_stopped_leaves_no_recording() {
    let bench = Bench::new();
    let mut course = Course::new(1, Budget::default());
    course.visit(&mut [bench.launch('a', 0.01, 0.0, None)], &bench.clock, &|| true);
    assert!(!course.is_over() && matches!(course.recordings()[..], [None]));
}

#[test]
fn in_a_hurry_the_visits_that_are_left_are_of_a_sample() {
    let bench = Bench::new();
    let mut subjects = [bench.launch('a', 0.01, 0.0, None)];
    let mut course = Course::new(1, Budget::default());
    assert_eq!(course.hurried_s(), f64::INFINITY, "of what was never sampled nothing is known");
    course.visit(&mut subjects, &bench.clock, &|| false);
    course.hurry();
    assert!((course.hurried_s() - 0.05).abs() < 1e-9, "{}", course.hurried_s());
    while !course.is_over() {
        course.visit(&mut subjects, &bench.clock, &|| false);
    }
    let recording = course.recordings().remove(0).expect("over").expect("samples");
    assert_eq!(recording.visits, [SAMPLES, 1, 1, 1, 1, 1]);
}

#[test]
fn another_drivers_samples_are_the_first_visit_and_slow_ones_are_seen_through() {
    let bench = Bench::new();
    let mut subjects = [bench.launch('a', 0.9, 0.0, None)];
    let mut first = Recorder::default();
    for _ in 0..10 {
        first.push(1, subjects[0].launch(1).expect("right"));
    }
    let mut course = Course::after(first);
    while !course.is_over() {
        course.visit(&mut subjects, &bench.clock, &|| false);
    }
    let recording = course.recordings().remove(0).expect("over").expect("samples");
    assert_eq!(recording.visits, [10, 1, 1, 1, 1, 1]);
    assert_eq!(recording.launching_s, None, "of ten launches it is not known");
    assert!(recording.summary().expect("finite").ci95.is_some());
}

#[test]
fn a_device_that_idled_between_visits_is_brought_back_to_its_clock() {
    let bench = Bench::new();
    let mut subjects = [Rising::new(&bench)];
    let mut course = Course::new(1, Budget::default());
    while !course.is_over() {
        course.visit(&mut subjects, &bench.clock, &|| false);
        subjects[0].idle();
    }
    let recording = course.recordings().remove(0).expect("over").expect("samples");
    assert!(recording.samples_s.iter().all(|s| (s - Rising::FULL_S).abs() < 1e-9), "{:?}", recording.samples_s);
}
