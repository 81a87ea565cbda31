//! The conformance suite on every peer, on one thread and on two, with its own main: what is absent is counted.
//!
//! `FARTHING_REQUIRE_PEERS=openblas,onednn` makes the absence of a library a failure. Words on the command line select peers
//! by name; libtest's flags change nothing.

use std::process::ExitCode;

use farthing_benches::backends;
use farthing_kernels::backend::AnyBackend;
use farthing_kernels::backend::registry::{Options, State};
use farthing_kernels::conformance::{self, Outcome};

const PEERS: [&str; 5] = ["matrixmultiply", "gemm", "faer", "openblas", "onednn"];
/// Cases that each peer gets right at least: the suite holds as many f32 products.
const LEAST_PASSED: usize = 20;

#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
    skipped: usize,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let required = std::env::var("FARTHING_REQUIRE_PEERS").unwrap_or_default();
    let mut counts = Counts::default();
    for name in PEERS.into_iter().filter(|name| words.is_empty() || words.iter().any(|word| word == name)) {
        for threads in [1, 2] {
            let options = Options { threads: Some(threads), only: Some(name.into()) };
            for entry in backends(&options).entries() {
                match &entry.state {
                    State::Ready(peer) if peer.device().threads == Some(threads) => {
                        check(name, threads, &**peer, &mut counts)
                    }
                    // One that has no threads was checked as it is.
                    State::Ready(_) => {}
                    State::Absent(why) => {
                        println!("{name}: absent: {why}");
                        let is_required = required.split(',').any(|required| required.trim() == name);
                        *(if is_required { &mut counts.failed } else { &mut counts.skipped }) += 1;
                    }
                }
            }
        }
    }
    println!("{} passed, {} failed, {} skipped", counts.passed, counts.failed, counts.skipped);
    if counts.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The products of the suite: those that a peer refuses it offers no tiling for, so that it takes no turn at them.
fn check(name: &str, threads: usize, peer: &dyn AnyBackend, counts: &mut Counts) {
    let options = conformance::Options { quick: true, seed: 7, ..conformance::Options::default() };
    let report = conformance::run(peer, &options);
    println!("{name} on {threads}: {report}");
    counts.passed += report.n_passed();
    counts.failed += report.n_failed();
    counts.skipped += report.n_unsupported();
    if report.n_passed() <= LEAST_PASSED {
        println!("FAILED {name}: {} cases are too few", report.n_passed());
        counts.failed += 1;
    }
    let attention = report.outcomes.iter().filter(|(case, _)| case.starts_with("attention/"));
    let runs = attention.filter(|(_, outcome)| !matches!(outcome, Outcome::Unsupported(_))).count();
    if runs > 0 {
        println!("FAILED {name}: a library of products has run {runs} cases of attention");
        counts.failed += 1;
    }
}
