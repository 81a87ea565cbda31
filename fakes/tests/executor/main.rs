//! The Neuron backend on doubles of its runtime and compiler: every call it makes, and what it does when one fails.
//!
//! One process has one runtime, so the checks run one after the other in one, in the order in which they stand here. The
//! program starts itself again with the variables that name the doubles: they must be set before the first thread is.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

mod checks;
mod double;

/// Set for the process that runs the checks: its folder of files.
const FOLDER: &str = "FAKE_FOLDER";

fn main() -> ExitCode {
    if std::env::args().any(|word| word == "--list") {
        return ExitCode::SUCCESS;
    }
    match std::env::var_os(FOLDER) {
        Some(folder) => checks::run(Path::new(&folder)),
        None => started_again(),
    }
}

fn started_again() -> ExitCode {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str| folder.path().join(name);
    std::fs::create_dir(file("programs")).expect("a folder in a new one");
    let status = Command::new(std::env::current_exe().expect("this program has a path"))
        .args(std::env::args().skip(1))
        .env(FOLDER, folder.path())
        .env("FARTHING_LIBNRT", library())
        .env("FARTHING_NEURONX_CC", env!("CARGO_BIN_EXE_fake-neuronx-cc"))
        .env("FARTHING_NEFF_CACHE", file("cache"))
        .env("FARTHING_NEURON_COMPILE_S", "5")
        .env("FAKE_PROGRAMS", file("programs"))
        .env("FAKE_NEURONX_CC_LOG", file("log"))
        .env("FAKE_NEURONX_CC_MODE", file("mode"))
        .env_remove("NEURON_LOGICAL_NC_CONFIG")
        .env_remove("FARTHING_NEURON_CORE")
        .status()
        .expect("this program starts again");
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The double that cargo built beside this program.
fn library() -> PathBuf {
    let program = std::env::current_exe().expect("this program has a path");
    let folder = program.parent().expect("a program lies in a folder");
    let name = libloading::library_filename("fake_nrt");
    let places = [folder.join(&name), folder.join("..").join(&name)];
    places.into_iter().find(|path| path.exists()).expect("cargo builds a package's library before its tests")
}
