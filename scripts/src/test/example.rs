//! The example backend: a crate of its own, built and tested as its author would, in this workspace's build folder.

use std::process::Command;

use crate::command::{cargo, target_dir};
use crate::step::Step;

const MANIFEST: &str = "examples/backend-gemm/Cargo.toml";

/// Kernels and harness are built for this alone, and one product needs no fast ones. The rest is this workspace's profile, so
/// that what both build is built once. The example itself sets none.
const PROFILE: [&str; 8] = [
    "profile.dev.opt-level=1",
    "profile.dev.debug=false",
    "profile.dev.lto='off'",
    "profile.dev.package.farthing.opt-level=0",
    "profile.dev.package.farthing-kernels.opt-level=0",
    "profile.dev.package.gemm-c32.opt-level=0",
    "profile.dev.package.gemm-c64.opt-level=0",
    "profile.dev.package.gemm-f64.opt-level=0",
];

/// Its conformance test, then its bench target in test mode on one case.
pub(super) fn steps() -> [Step; 2] {
    let test = Step::tests("example backend", example().args(["--lib"]));
    let bench = Step::tests(
        "example backend in cargo bench",
        example().args(["--benches", "--", "matmul/gemm/f32/128x128x128"]),
    );
    [test, bench]
}

fn example() -> Command {
    let mut command = cargo();
    command.args(["test", "--manifest-path", MANIFEST, "--locked", "--target-dir"]).arg(target_dir());
    for setting in PROFILE {
        command.args(["--config", setting]);
    }
    command
}
