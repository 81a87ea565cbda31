//! `cargo bench`: the quick suite on every ready backend, then the table, the price of a token and the chart.

use std::process::ExitCode;

use farthing::bench::{Options, after, main as bench};

fn main() -> ExitCode {
    bench(&Options {
        backends: farthing_benches::few_backends,
        suite: "quick",
        // There for the ratio: beyond 256³ the plain loops take longer than they tell.
        yardsticks: &["naive"],
        yardstick_flops: 2.0 * 256.0 * 256.0 * 256.0,
        after,
    })
}
