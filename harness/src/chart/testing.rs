//! A run's header, rows at made-up rates, and a shipped deal with few draws.

use crate::catalogue::Catalogue;
use crate::cost::testing::{limits, timed};
use crate::deal::{self, Analysis, Model, Options, Scenario, Worked};
use crate::record::{Environment, Hardware, Row, RunHeader, SCHEMA};

/// A machine with the limits of backend `cpu`.
pub(crate) fn header() -> RunHeader {
    let environment = Environment {
        cpu: "Test CPU".into(),
        isa: "avx512".into(),
        cpus: 2,
        caches_bytes: Default::default(),
        memory_bytes: None,
        os: "test".into(),
        governor: None,
        virtualised: None,
        load_before: None,
        rustc: "test".into(),
        rustflags: None,
        profile: None,
        commit: None,
        dirty: None,
        binary: None,
        hardware: Hardware::default(),
    };
    RunHeader {
        schema: SCHEMA,
        run: "2026-01-02-test".into(),
        started: "2026-01-02T03:04:05Z".into(),
        environment,
        limits: limits("cpu"),
        settings: Default::default(),
    }
}

/// A row at a made-up rate in GFLOP/s.
pub(crate) fn at(rate: f64, base: Row) -> Row {
    let flops = timed(base.clone(), 1.0).flops;
    timed(base, flops / (rate * 1e9))
}

/// A deal with commitments, warrants and several states; 500 draws of seed 1.
pub(crate) fn deal() -> (Scenario, Worked, Analysis) {
    let catalogue = Catalogue::embedded().expect("valid");
    let scenario = deal::load("openai-aws-2026-02", &[]).expect("shipped");
    let (model, _) = Model::new(&scenario, &catalogue).expect("no finding");
    let options = Options { draws: 500, seed: 1 };
    let worked = Worked::new(model, options);
    let analysis = worked.analysis(&scenario, options);
    (scenario, worked, analysis)
}
