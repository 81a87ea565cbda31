//! `cargo bench`: the quick suite on every ready backend, then the table, the price of a token and the chart.

use std::process::ExitCode;

use farthing::bench::{Options, after, main as bench};
use farthing_kernels::backend::registry::Registry;

fn main() -> ExitCode {
    bench(&Options {
        backends: Registry::builtin,
        suite: "quick",
        // Plain loops, there for the ratio: beyond 256³ they take longer than they tell.
        yardsticks: &["naive"],
        yardstick_flops: 2.0 * 256.0 * 256.0 * 256.0,
        after,
    })
}
