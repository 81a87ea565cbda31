//! Rows as `farthing run` makes them: armed, sampled, finished.

use std::collections::BTreeMap;

use farthing::case::{Case, Words};
use farthing::limits::Limits;
use farthing::machine;
use farthing::measure::sampler::{Budget, HostClock, sample};
use farthing::measure::{Lab, Oracle, Subject};
use farthing::record::{MeasuredLimit, Row, RunHeader};
use farthing::session;
use farthing::tunings::Tunings;
use farthing_kernels::backend::AnyBackend;

/// The row of one shape.
pub(crate) fn row_of(backend: &dyn AnyBackend, shape: &str) -> Row {
    rows_of(backend, &[shape]).remove(0)
}

/// The rows of shapes, one after the other.
pub(crate) fn rows_of(backend: &dyn AnyBackend, shapes: &[&str]) -> Vec<Row> {
    let (header, oracle) = (header(&backend.device().device), Oracle::new());
    let lab = Lab { header: &header, oracle: &oracle, cold_cap_bytes: 1 << 20, tunings: Tunings::default() };
    let budget = Budget { sample_s: 1e-3, total_s: 0.2, ..Budget::default() };
    let row = |shape: &&str| {
        let armed = match lab.arm(&case(shape), Subject { name: "bad", backend }) {
            Ok(armed) => armed,
            Err(row) => return *row,
        };
        let mut subjects = [armed];
        let mut recordings = sample(&mut subjects, &budget, &HostClock::start(), &|| false);
        let [armed] = subjects;
        lab.finish(armed, recordings.remove(0).expect("nothing stopped it"))
    };
    shapes.iter().map(row).collect()
}

fn case(shape: &str) -> Case {
    let words = Words { shape: vec![shape.into()], ..Words::default() };
    words.cases().expect("a good shape").remove(0)
}

/// A header whose device does 1 TFLOP/s, ten times what a core of today does.
fn header(device: &str) -> RunHeader {
    let limit = MeasuredLimit {
        backend: "other".into(),
        device: device.into(),
        limit: "fma_f32".into(),
        threads: 1,
        per_second: 1e12,
        unit: "flop/s".into(),
    };
    let header = session::header(machine::environment(), Limits::default(), BTreeMap::new());
    RunHeader { limits: vec![limit], ..header }
}
