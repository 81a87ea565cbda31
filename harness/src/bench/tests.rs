use farthing_kernels::backend::registry::{Registry, State};

use super::*;
use crate::case::Words;
use crate::measure::fake::{Fake, Manner};
use crate::record::Status;

fn registry(manner: Manner) -> Registry {
    let mut registry = Registry::default();
    registry.add("fake", State::Ready(Box::new(Fake::new(manner))));
    registry
}

/// Row of one case through Criterion, and whether Criterion kept statistics of it. The mode is one that opens no file.
fn through_criterion(backends: Backends, filter: &str) -> (Option<Row>, bool) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mode = Mode::from_args(["farthing", "--bench", "--profile-time", "1"].map(str::to_owned).into_iter());
    let fleet = Fleet::find(backends, &[None]);
    let mut live = Live::new(&mode, &fleet, "test");
    let words = Words { shape: vec!["9x9x9".into()], ..Words::default() };
    let case = words.cases().expect("a good shape").remove(0);
    let settings = Criterion::default().with_measurement(Rates::new()).output_directory(dir.path());
    let settings = settings.without_plots().with_filter(filter);
    let brief = Duration::from_millis(5);
    let mut criterion = settings.warm_up_time(brief).measurement_time(brief).sample_size(SAMPLE_SIZE).nresamples(1000);
    let oracle = Oracle::new();
    let mut group = criterion.benchmark_group("matmul");
    group.sampling_mode(SamplingMode::Flat);
    for subject in fleet.subjects() {
        bench(&mut group, &mut live, &oracle, &case, subject);
    }
    group.finish();
    live.complete(&oracle);
    let kept = std::fs::read_dir(dir.path()).expect("readable").count() > 0;
    (live.rows().pop(), kept)
}

#[test]
fn a_right_case_is_kept_by_criterion_and_by_us() {
    let (row, kept) = through_criterion(|_| registry(Manner::Right), "matmul/fake");
    let row = row.expect("a row");
    assert_eq!((row.status, kept), (Status::Ok, true));
    assert_eq!(row.visits, [SAMPLE_SIZE, 5, 5, 5, 5, 5], "warm-up calls are dropped, and visits of ours follow");
}

#[test]
fn failures_never_reach_criterions_statistics() {
    let fails: [(Backends, Status); 5] = [
        (|_| registry(Manner::Zeros), Status::Wrong),
        (|_| registry(Manner::Unsupported), Status::Unsupported),
        (|_| registry(Manner::Panics), Status::Failed),
        (|_| registry(Manner::FailsAt(1)), Status::Failed),
        // The first call checks and Criterion warms up with one at least: this one is among the samples or before,
        // however slow the machine.
        (|_| registry(Manner::FailsAt(SAMPLE_SIZE + 1)), Status::Failed),
    ];
    for (backends, status) in fails {
        let (row, kept) = through_criterion(backends, "");
        let row = row.expect("a row");
        assert_eq!((row.status, kept), (status, false), "{:?}", row.reason);
        assert!(row.median_s.is_none() && row.reason.is_some());
    }
}

#[test]
fn what_the_filter_leaves_out_is_not_even_prepared() {
    let (row, kept) = through_criterion(|_| registry(Manner::Panics), "attention");
    assert!(row.is_none() && !kept);
}
