use std::cell::Cell;
use std::collections::BTreeMap;

use farthing_kernels::backend::Fidelity;

use super::fake::{Fake, Manner};
use super::sampler::{Budget, HostClock, sample};
use super::*;
use crate::case::Words;
use crate::record::{Kind, MeasuredLimit, SCHEMA, Status};
use crate::tunings::Tunings;

fn header(limits: Vec<MeasuredLimit>) -> RunHeader {
    let environment = crate::machine::environment();
    let (run, started) = ("test".to_owned(), "2026-01-01T00:00:00Z".to_owned());
    RunHeader { schema: SCHEMA, run, started, environment, limits, settings: BTreeMap::new() }
}

fn case(shape: &str) -> Case {
    let words = Words { shape: vec![shape.into()], ..Words::default() };
    words.cases().expect("a good shape").remove(0)
}

/// The row of one case, timed by the sampler.
fn row_of(manner: Manner, shape: &str) -> Row {
    let (header, oracle, fake) = (header(Vec::new()), Oracle::new(), Fake::new(manner));
    let lab = Lab { header: &header, oracle: &oracle, cold_cap_bytes: 1 << 30, tunings: Tunings::default() };
    let budget = Budget { sample_s: 1e-5, total_s: 0.5, ..Budget::default() };
    match lab.arm(&case(shape), Subject { name: "fake", backend: &fake }) {
        Err(row) => *row,
        Ok(armed) => {
            let mut subjects = [armed];
            let mut results = sample(&mut subjects, &budget, &HostClock::start(), &|| false);
            let recording = results.remove(0).expect("nothing stopped it");
            let [armed] = subjects;
            lab.finish(armed, recording)
        }
    }
}

fn claims_no_speed(row: &Row) -> bool {
    row.median_s.is_none() && row.gflops.is_none() && row.share.is_none() && row.samples_s.is_empty()
}

#[test]
fn a_right_backend_gives_a_complete_row() {
    let row = row_of(Manner::Right, "33x17x65");
    assert_eq!((row.status, row.kind), (Status::Ok, Kind::Fake), "{:?}", row.reason);
    assert!(row.samples_s.len() >= 10);
    assert!((row.median_s.expect("timed") - 1e-6).abs() < 1e-12);
    assert!((row.gflops.expect("timed") - row.flops / 1e3).abs() < 1e-6);
    assert!(row.error_ratio.is_some_and(|r| r > 0.0 && r <= 1.0));
    assert_eq!(row.lowered, "fake/loops");
}

#[test]
fn wrong_and_nan_and_stale_outputs_are_caught() {
    for manner in [Manner::Zeros, Manner::Nan, Manner::Stale] {
        let row = row_of(manner, "33x17x65");
        assert_eq!(row.status, Status::Wrong, "{manner:?}");
        assert!(claims_no_speed(&row) && row.reason.is_some(), "{manner:?}");
    }
}

#[test]
fn a_stale_set_among_rotated_ones_is_caught_before_timing() {
    let row = row_of(Manner::Stale, "1x1024x1024");
    assert_eq!((row.status, row.temperature), (Status::Wrong, crate::record::Temperature::Cold));
}

#[test]
fn failures_on_the_way_are_rows_with_reasons() {
    let reason = |manner, status| {
        let row = row_of(manner, "33x17x65");
        assert_eq!(row.status, status, "{manner:?}");
        assert!(claims_no_speed(&row), "{manner:?}");
        row.reason.unwrap_or_default()
    };
    assert!(reason(Manner::FailsAt(1), Status::Failed).contains("device lost: unplugged"));
    assert!(reason(Manner::FailsAt(7), Status::Failed).contains("device lost: unplugged"));
    assert!(reason(Manner::Unsupported, Status::Unsupported).contains("asked for 32 bits, the limit is 8 bits"));
    assert!(reason(Manner::Panics, Status::Failed).contains("the backend panicked: index out of bounds"));
    assert!(reason(Manner::NoTime, Status::Failed).contains("took no time"));
    assert!(reason(Manner::Short, Status::Failed).contains("another shape: 4 bytes"));
}

/// The row of a launch of 33x17x65 that took 1 µs, under this limit of arithmetic in flop/s.
fn row_under(fma_f32: f64) -> Row {
    launch_of(&Fake::new(Manner::Right), fma_f32)
}

/// The same of this backend.
fn launch_of(fake: &Fake, fma_f32: f64) -> Row {
    let limit = |limit: &str, per_second, unit: &str| MeasuredLimit {
        backend: "fake".into(),
        device: "a double".into(),
        limit: limit.into(),
        threads: 1,
        per_second,
        unit: unit.into(),
    };
    let header = header(vec![limit("fma_f32", fma_f32, "flop/s"), limit("read_mem", 1e12, "B/s")]);
    let oracle = Oracle::new();
    let lab = Lab { header: &header, oracle: &oracle, cold_cap_bytes: 1 << 30, tunings: Tunings::default() };
    let mut armed = lab.arm(&case("33x17x65"), Subject { name: "fake", backend: fake }).expect("a right backend");
    armed.lowered.compute_limit = Some("fma_f32".into());
    let recording = Recording {
        launches: 1,
        samples_s: vec![1e-6; 8],
        visits: vec![8],
        clock: "wall".into(),
        launching_s: None,
        seen: None,
    };
    lab.finish(armed, Ok(recording))
}

#[test]
fn the_share_is_the_bound_over_the_median_and_is_not_clamped() {
    // 2 · 33 · 17 · 65 = 72930 flops at 60 GFLOP/s take 1.2155 µs; the launch took 1 µs.
    let row = row_under(60e9);
    assert_eq!(row.limit.as_deref(), Some("fma_f32"));
    assert!((row.share.expect("both limits") - 1.2155).abs() < 1e-9);
    assert!(row.warnings.iter().any(|w| w.text.contains("faster than the measured fma_f32")));
}

#[test]
fn a_time_that_cannot_be_is_refused_and_kept_as_evidence() {
    // The same flops at 1 GFLOP/s take 72.93 µs.
    let row = row_under(1e9);
    assert_eq!((row.status, row.samples_s.len()), (Status::Refused, 8));
    assert!(row.median_s.is_none() && row.gflops.is_none() && row.share.is_none());
    let why = row.reason.expect("a reason");
    assert!(
        why.contains("its clock says 1.000 µs a launch, and the work takes 72.93 µs at the measured fma_f32"),
        "{why}"
    );
}

#[test]
fn a_limit_that_was_found_on_a_busy_machine_or_of_a_software_device_refuses_nothing() {
    let right = || Fake::new(Manner::Right);
    for fake in [right().with_probe(60e9), right().with_fidelity(Fidelity::Software)] {
        let row = launch_of(&fake, 1e9);
        assert_eq!((row.status, row.share.is_some_and(|share| share > 72.0)), (Status::Ok, true), "{:?}", row.reason);
        assert!(row.warnings.iter().any(|w| w.text.contains("faster than the measured fma_f32")), "{:?}", row.warnings);
    }
    let why = launch_of(&right().with_probe(2e9), 1e9).reason.expect("a reason");
    assert!(why.contains("the work takes 36.46 µs at the measured fma_f32"), "{why}");
}

#[test]
fn an_interrupted_subject_has_no_recording() {
    let (header, oracle, fake) = (header(Vec::new()), Oracle::new(), Fake::new(Manner::Right));
    let lab = Lab { header: &header, oracle: &oracle, cold_cap_bytes: 1 << 30, tunings: Tunings::default() };
    let armed = lab.arm(&case("8x8x8"), Subject { name: "fake", backend: &fake });
    let mut subjects: Vec<Armed<'_>> = armed.into_iter().collect();
    let asked = Cell::new(0);
    let stop = || asked.replace(asked.get() + 1) > 3;
    let results = sample(&mut subjects, &Budget { sample_s: 1e-5, ..Budget::default() }, &HostClock::start(), &stop);
    assert!(matches!(results[..], [None]));
}

/// Each case's rows, by name, and the names in the order of their visits.
fn chunk_of(
    manners: &[(&'static str, Manner)],
    stop: &dyn Fn() -> bool,
) -> (Vec<(&'static str, Vec<Row>)>, Vec<&'static str>) {
    let (header, oracle) = (header(Vec::new()), Oracle::new());
    let lab = Lab { header: &header, oracle: &oracle, cold_cap_bytes: 1 << 30, tunings: Tunings::default() };
    let fakes: Vec<(&str, Fake)> = manners.iter().map(|(name, manner)| (*name, Fake::new(*manner))).collect();
    let mut chunk = Chunk::default();
    let budget = Budget { sample_s: 1e-5, ..Budget::default() };
    for (name, fake) in &fakes {
        let subject = Subject { name, backend: fake };
        chunk.begin(*name, &lab, &case("8x8x8"), (&[subject], budget), stop);
    }
    let visited = std::cell::RefCell::new(Vec::new());
    let counts = std::cell::RefCell::new(vec![chunk.visits()]);
    chunk.visit(stop, &|name, visits| {
        visited.borrow_mut().push(*name);
        counts.borrow_mut().push(visits);
    });
    assert!(counts.borrow().is_sorted() && chunk.visits() <= 6 * manners.len());
    let rows = std::iter::from_fn(|| chunk.finish_next(&lab)).collect();
    (rows, visited.into_inner())
}

#[test]
fn what_is_interrupted_is_finished_in_a_hurry_where_there_is_time() {
    let (header, oracle) = (header(Vec::new()), Oracle::new());
    let lab = Lab { header: &header, oracle: &oracle, cold_cap_bytes: 1 << 30, tunings: Tunings::default() };
    let (seen, unseen) = (Fake::new(Manner::Right), Fake::new(Manner::Right));
    let mut chunk = Chunk::default();
    let budget = Budget { sample_s: 1e-5, ..Budget::default() };
    for (name, fake, is_stopped) in [("seen", &seen, false), ("unseen", &unseen, true)] {
        let subject = Subject { name, backend: fake };
        chunk.begin(name, &lab, &case("8x8x8"), (&[subject], budget), &|| is_stopped);
    }
    chunk.visit(&|| true, &|_, _| {});
    assert!(chunk.finish_soonest(&lab, 0.0).is_none(), "no time");
    let (name, rows) = chunk.finish_soonest(&lab, 60.0).expect("a fake takes no time");
    assert_eq!((name, rows.len(), rows[0].visits.clone()), ("seen", 1, vec![5, 1, 1, 1, 1, 1]));
    assert!(rows[0].ci95_s.is_some() && rows[0].status == Status::Ok);
    assert!(chunk.finish_soonest(&lab, 60.0).is_none() && chunk.cases() == 1, "never sampled");
}

#[test]
fn cases_of_a_chunk_are_visited_in_turns_and_their_rows_come_in_order() {
    let (rows, visited) = chunk_of(&[("a", Manner::Right), ("b", Manner::Zeros), ("c", Manner::Right)], &|| false);
    // The first visit is made when a case is armed; b was found wrong and is visited no more.
    assert_eq!(visited, ["a", "c"].repeat(5));
    assert_eq!(rows.iter().map(|(name, _)| *name).collect::<String>(), "abc");
    let row = |at: usize| &rows[at].1[0];
    assert_eq!([row(0).status, row(1).status, row(2).status], [Status::Ok, Status::Wrong, Status::Ok]);
    assert_eq!(row(0).visits, [5; 6]);
    assert!(row(0).ci95_s.is_some() && row(1).visits.is_empty());
}

#[test]
fn a_case_that_is_lost_in_a_later_visit_costs_its_row_alone() {
    let (rows, _) = chunk_of(&[("a", Manner::FailsAt(20)), ("b", Manner::Right)], &|| false);
    assert_eq!((rows[0].1[0].status, rows[1].1[0].status), (Status::Failed, Status::Ok));
    assert!(
        claims_no_speed(&rows[0].1[0]) && rows[0].1[0].reason.as_ref().is_some_and(|why| why.contains("unplugged"))
    );
}

#[test]
fn a_chunk_that_is_interrupted_has_no_rows_of_what_was_not_done() {
    let (rows, visited) = chunk_of(&[("a", Manner::Right), ("b", Manner::Unsupported)], &|| true);
    assert!(visited.is_empty() && rows[0].1.is_empty());
    assert_eq!(rows[1].1[0].status, Status::Unsupported, "that was complete");
}

#[test]
fn a_core_that_was_shared_while_a_case_was_timed_is_a_doubt() {
    let (header, oracle, fake) = (header(Vec::new()), Oracle::new(), Fake::new(Manner::Right));
    let lab = Lab { header: &header, oracle: &oracle, cold_cap_bytes: 1 << 30, tunings: Tunings::default() };
    let subject = Subject { name: "fake", backend: &fake };
    let doubts = |usual: f64| {
        let armed = lab.arm(&case("8x8x8"), subject).expect("a right backend");
        let mut seen = Watch::start(&[subject], "another CPU").seen();
        assert!(seen.surroundings.breadth.is_some_and(|read| 0.0 < read.usual && read.usual <= read.best));
        seen.surroundings.breadth = Some(crate::record::Breadth { usual, best: 100.0 });
        let (visits, samples_s, clock) = (vec![1; 8], vec![1e-6; 8], "wall".to_owned());
        let recording = Recording { launches: 1, samples_s, visits, clock, launching_s: None, seen: Some(seen) };
        let row = lab.finish(armed, Ok(recording));
        row.warnings.iter().filter(|w| w.text.contains("its core's other thread")).count()
    };
    assert_eq!([doubts(95.0), doubts(85.0)], [0, 1]);
}
