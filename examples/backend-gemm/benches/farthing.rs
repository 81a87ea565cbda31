//! `cargo bench`: the quick suite on Farthing's own backends and on this one, in the same table, chart and run file.

use std::process::ExitCode;

use backend_gemm::Gemm;
use farthing::bench::{Options, after, main as bench};
use farthing_kernels::backend::registry::{self, Registry, State};

fn backends(options: &registry::Options) -> Registry {
    let mut registry = Registry::builtin(options);
    registry.add("gemm", State::Ready(Box::new(Gemm::default())));
    registry
}

fn main() -> ExitCode {
    bench(&Options { backends, suite: "quick", yardsticks: &["naive"], yardstick_flops: 1e8, after })
}
