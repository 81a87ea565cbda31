use std::collections::BTreeMap;

use super::*;
use crate::case::Words;
use crate::measure::Oracle;
use crate::measure::fake::{Fake, Manner};
use crate::record::{RunHeader, SCHEMA};
use crate::tunings::Tunings;

fn header() -> RunHeader {
    let environment = crate::machine::environment();
    let (run, started) = ("test".to_owned(), "2026-01-01T00:00:00Z".to_owned());
    RunHeader { schema: SCHEMA, run, started, environment, limits: Vec::new(), settings: BTreeMap::new() }
}

fn case() -> Case {
    Words { shape: vec!["8x8x8".into()], ..Words::default() }.cases().expect("a good shape").remove(0)
}

fn tuned(manner: Manner, stop: bool) -> Option<Vec<Trial>> {
    let (header, oracle, fake) = (header(), Oracle::new(), Fake::new(manner));
    let lab = Lab { header: &header, oracle: &oracle, cold_cap_bytes: 1 << 20, tunings: Tunings::default() };
    tune(&lab, &case(), Subject { name: "fake", backend: &fake }, 0.02, &|| stop)
}

#[test]
fn every_offered_tiling_is_tried_and_the_fastest_met_the_others_in_turns() {
    let trials = tuned(Manner::Right, false).expect("nothing stopped it");
    let fake = Fake::new(Manner::Right);
    let offered = farthing_kernels::backend::AnyBackend::tilings(&fake, case().problem());
    assert_eq!(trials.iter().map(|t| t.tiling).collect::<Vec<_>>(), offered);
    let best = fastest(&trials).expect("a right backend has a fastest tiling");
    assert!(best.finalist && best.lowered.as_deref() == Some("fake/loops"), "{best:?}");
}

#[test]
fn what_is_wrong_is_never_the_fastest() {
    for manner in [Manner::Zeros, Manner::Nan, Manner::Unsupported, Manner::FailsAt(2)] {
        let trials = tuned(manner, false).expect("nothing stopped it");
        assert!(fastest(&trials).is_none(), "{manner:?}: {trials:?}");
        assert!(trials.iter().all(|t| t.median_s.is_err()), "{manner:?}: {trials:?}");
    }
}

#[test]
fn a_search_that_is_stopped_finds_nothing() {
    assert_eq!(tuned(Manner::Right, true), None);
}

#[test]
fn choices_are_kept_for_their_device_and_case_and_only_while_they_are_offered() {
    let fake = Fake::new(Manner::Right);
    let subject = Subject { name: "fake", backend: &fake };
    let trials = tuned(Manner::Right, false).expect("nothing stopped it");
    let best = fastest(&trials).expect("a fastest tiling");
    let dir = tempfile::tempdir().expect("a folder");
    let results = crate::store::Results::at(dir.path());
    assert_eq!(Tunings::read(&results).expect("no file is no choice"), Tunings::default());
    let mut tunings = Tunings::default();
    tunings.take(&case(), subject, best, Some(1.0), "2026-01-01T00:00:00Z");
    tunings.take(&case(), subject, best, None, "2026-01-02T00:00:00Z");
    let path = tunings.write(&results).expect("a folder that can be written");
    let text = std::fs::read_to_string(&path).expect("just written");
    assert!(text.contains("2026-01-02") && !text.contains("2026-01-01"), "{text}");
    let read = Tunings::read(&results).expect("just written");
    assert_eq!(read.tiling(&case(), subject, &[best.tiling]), Some(best.tiling));
    assert_eq!(read.tiling(&case(), subject, &[]), None);
    assert_eq!(read.tiling(&case(), Subject { name: "other", backend: &fake }, &[best.tiling]), None);
    for (broken, why) in [
        (text.replace("\"schema\": 1", "\"schema\": 9"), "later version"),
        (text[..text.len() / 2].to_owned(), "farthing tune"),
    ] {
        std::fs::write(&path, broken).expect("a folder that can be written");
        let error = Tunings::read(&results).expect_err("not a choice that can be trusted").to_string();
        assert!(error.contains(why) && error.contains("tunings.json"), "{error}");
    }
}
