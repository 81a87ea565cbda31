//! The example backend: a crate of its own, built and tested as its author would, in this workspace's build folder.

use std::process::Command;

use crate::command::{cargo, target_dir};
use crate::step::Step;

const MANIFEST: &str = "examples/backend-gemm/Cargo.toml";

/// This workspace's profile, so that what both build is built once. The example itself sets none.
const PROFILE: [&str; 4] = [
    "profile.dev.opt-level=1",
    "profile.dev.debug='line-tables-only'",
    "profile.dev.lto='off'",
    "profile.dev.package.'*'.debug=false",
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
